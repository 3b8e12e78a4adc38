// SPDX-License-Identifier: Apache-2.0

import SystemIO

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
            reason: "\(path.string == archive ? "it" : path.string) is \(status.kind.words) and not \(kind.words)")
    }
}

extension FileStatus.Kind {
    /// For a sentence on what lies in the place of something else.
    package var words: String {
        switch self {
        case .file: "a file"
        case .directory: "a folder"
        case .symbolicLink: "a symbolic link"
        case .other: "a pipe, socket or device"
        }
    }
}
