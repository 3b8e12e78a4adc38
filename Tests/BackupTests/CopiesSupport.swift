// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

extension LiveStackFixture {
    func item(_ name: BackupName) throws -> CatalogueItem { try Catalogue(folder).item(named: name.string) }

    func sidecar(_ name: BackupName) throws -> Sidecar { try #require(try item(name).sidecar) }

    /// Lets a backup be older than it is, by so many days: it gets the name that one made then would have, because a date
    /// that its name contradicts is damage.
    /// - Returns: the new name.
    @discardableResult
    func age(_ name: BackupName, days: Int64, readDaysAgo: Int64? = nil) throws -> BackupName {
        var sidecar = try sidecar(name)
        let older = BackupName(at: LocalTime(epoch: try #require(name.time).epoch - days * 86_400), sidecar.type)
        sidecar.name = older.string
        sidecar.createdAt -= days * 86_400
        sidecar.verifiedAt = LocalTime.now().epoch - (readDaysAgo ?? days) * 86_400
        // It is no other file for that.
        var marks = HeldMarks(folder, log: .silent)
        try marks.keeping(folder.path.appending(name.string)) {
            try Directory.rename(folder.path.appending(name.string), to: folder.path.appending(older.string))
        }
        sidecar.readFile = marks.now(sidecar.readFile)
        try sidecar.write(in: folder)
        try Directory.remove(folder.path.appending(name.string + BackupName.sidecarSuffix))
        marks.write()
        return older
    }

    /// Turns one byte in the middle of a member that holds artifacts.
    func damage(_ name: BackupName) throws {
        let path = folder.path.appending(name.string)
        let archive = try IndexedArchive(path)
        var place: UInt64 = 0
        try archive.forEachMember { member in
            place = member.offset + member.length / 2
            return !member.entries.contains { $0.entry.path.description.hasPrefix("artifacts/1/run") }
        }
        // Through its times, as a disk does it: the file looks as it was.
        var marks = HeldMarks(folder, log: .silent)
        defer { marks.write() }
        try marks.keeping(path) {
            let stamp = try Shell.sh("stat -c %y '\(path)'")
            try Shell.invertByte(of: path, at: place)
            try Shell.sh("touch -d '\(stamp)' '\(path)'")
        }
    }

    func inode(_ name: BackupName) throws -> UInt64 { try FileStatus.of(folder.path.appending(name.string)).inode }

    /// Stamps younger than two seconds before a walk prove nothing. What autovacuum would find changes the order of a
    /// dump, so it finds nothing any more.
    func letStampsAge() throws {
        try Connection(database).execute("vacuum analyze")
        sleep(3)
    }
}
