// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Opens the files and folders that a backup is made of. What lies in the place of one and is of another kind is damage of
/// the backup, not a failure to read it.
enum StoredPart {
    /// - Parameter archive: the backup's name, for the error.
    /// - Throws: `ArchiveError.damaged`, `SystemError`.
    static func file(_ path: FilePath, of archive: String) throws -> OpenFile {
        try check(FileStatus.of(path), is: .file, path, archive)
        let file = try OpenFile(path, .readNoFollow)
        // It may be another one by now.
        try check(file.status(), is: .file, path, archive)
        return file
    }

    /// - Throws: `ArchiveError.damaged`, `SystemError`.
    static func folder(_ path: FilePath, of archive: String) throws -> OpenFile {
        try check(FileStatus.of(path), is: .directory, path, archive)
        return try OpenFile(path, .directory)
    }

    /// Looked at before it is opened: a pipe or a device is not to be.
    private static func check(
        _ status: FileStatus, is kind: FileStatus.Kind, _ path: FilePath, _ archive: String
    ) throws {
        guard status.kind != kind else { return }
        throw ArchiveError.damaged(
            archive: archive, offset: 0,
            reason: (path.string == archive
                ? BilingualText(zh: "", en: "it ") : BilingualText(zh: "\(path) ", en: "\(path) "))
                + status.kind.text(insteadOf: kind))
    }
}

extension FileStatus.Kind {
    /// The end of a sentence on what lies in the place of something else: "is a folder and not a file".
    package func text(insteadOf wanted: FileStatus.Kind) -> BilingualText {
        BilingualText(
            zh: "是\(words.chinese)，而不是\(wanted.words.chinese)",
            en: "is \(words.english) and not \(wanted.words.english)")
    }

    private var words: BilingualText {
        switch self {
        case .file: .init(zh: "文件", en: "a file")
        case .directory: .init(zh: "目录", en: "a folder")
        case .symbolicLink: .init(zh: "符号链接", en: "a symbolic link")
        case .other: .init(zh: "管道、套接字或设备", en: "a pipe, socket or device")
        }
    }
}
