// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// The marks of archives that this operation gives names, or takes names from: that changes the inode, and says nothing of its
/// bytes. Who looks before each change that the mark is still the one after the last knows that nobody else wrote meanwhile, and
/// may note the new one. Call it under the folder's lock. What is killed in between costs a reading.
struct HeldMarks {
    private let folder: BackupFolder
    private let log: Log
    /// What sidecars note, and what is the mark of that file now.
    private var held: [String: String] = [:]

    init(_ folder: BackupFolder, log: Log) {
        self.folder = folder
        self.log = log
    }

    /// - Parameters:
    ///   - path: an archive. Of anything else nothing is held.
    ///   - change: gives it a name, or another one, or takes this one from it.
    mutating func keeping<Result, Failure: Error>(
        _ path: FilePath, _ change: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // Of what cannot be looked at nothing is held, and it is read once more.
        guard let file = try? OpenFile(path, .readNoFollow), let before = try? file.status(), before.kind == .file
        else { return try change() }
        let brief = FileMark.brief(path, before)
        let mark = FileMark.archive(brief, before)
        let noted = held.first { $0.value == mark }?.key ?? mark
        defer {
            let after = try? file.status()
            if let after, after.linkCount > 0, after.size == before.size, after.modified == before.modified {
                held[noted] = FileMark.archive(brief, after)
            } else {
                held[noted] = nil
            }
        }
        return try change()
    }

    /// What a sidecar that noted this is to note now. A mark that did not hold stays as it is, and holds no more than before.
    func now(_ noted: String?) -> String? { noted.map { held[$0] ?? $0 } }

    /// Into the sidecars of all names that are left. One that cannot be written costs a reading.
    func write() {
        guard !held.isEmpty else { return }
        do {
            for item in try Catalogue(folder).items() {
                guard var sidecar = item.sidecar, let noted = sidecar.readFile, let now = held[noted], now != noted,
                    now == item.mark
                else { continue }
                sidecar.readFile = now
                try sidecar.write(in: folder)
            }
        } catch {
            log.warning(
                "that the names of an archive changed is not noted, so it is read once more",
                ["reason": error.bilingual[.english]])
        }
    }
}
