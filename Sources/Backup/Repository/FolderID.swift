// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What tells a backup folder from another one in its place: the mount point of a disk that is away, into which a night's state was
/// written. It lies in the state folder, and the mark among the artifacts notes it.
extension BackupFolder {
    private var idFile: FilePath { state.appending("id") }

    /// - Returns: `nil` where there is none, or none that anybody could have made.
    func id() throws(SystemError) -> String? {
        do throws(SystemError) {
            let text = String(decoding: try OpenFile(idFile, .readNoFollow).readAll(limit: 4096), as: UTF8.self)
            let id = text.prefix { $0 != "\n" }
            return RandomID.isOne(id) ? String(id) : nil
        } catch {
            if error.isNotFound || error.isOfAnotherKind { return nil }
            throw error
        }
    }

    /// The same, and makes one where there is none.
    /// - Returns: `nil` where none can be read or written: then nothing is noted either.
    func madeID() throws(SystemError) -> String? {
        do throws(SystemError) {
            if let known = try id() { return known }
            let made = RandomID.make()
            try write(id: made)
            return made
        } catch {
            if error.isDenied || error.isFull || error.isNotFound || error.isOfAnotherKind { return nil }
            throw error
        }
    }

    func write(id: String) throws(SystemError) {
        try DurableFile.replace(idFile, with: Array((id + "\n").utf8), mode: 0o640)
    }

    /// Whether a backup was ever begun here that came as far as to its artifacts: a service that only started makes the state folder.
    func wasUsed() throws -> Bool { try id() != nil || holdsBackups() }
}
