// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Synchronization

/// Makes a folder of its own with a random name, tries everything in it, and removes it.
package struct FileSystemProbe {
    /// Whoever is killed in it leaves a folder that begins so.
    package static let prefix = "probe-"
    /// The same in a folder that others use, too.
    package static let hiddenPrefix = ".mlflow-backup-" + prefix
    /// What says nothing of the file system: it, this process or the machine is in want.
    private static let untold: Set<Int32> = [EROFS, EMFILE, ENFILE, ENOMEM, EINTR, ESTALE, ETIMEDOUT]
    private static let number = Atomic<UInt64>(0)

    private let folder: FilePath

    /// A name that nobody else has, nor could guess. Its process holds a lock on it, and where no folder can be locked, shows by
    /// the name whether it lives (as `DurableFile` names what it has not finished).
    package static func newName(_ prefix: String = Self.prefix) -> String {
        let nonce = String(UInt64.random(in: .min ... .max), radix: 16)
        let serial = number.add(1, ordering: .relaxed).newValue
        return "\(prefix)\(nonce).\(getpid())-\(serial)\(DurableFile.partialSuffix)"
    }

    /// - Parameter parent: a folder that is ours alone: what is made in it is seen by nobody, and cleared by its owner.
    /// - Throws: what keeps anything from being tried: no room, no right, a disk that is broken.
    package static func run(in parent: FilePath) throws(SystemError) -> Abilities {
        let probe = FileSystemProbe(folder: parent.appending(newName()))
        // Not with parents: who only looks makes none.
        try Directory.makeNew(probe.folder, mode: 0o700)
        do throws(SystemError) {
            let opened = try OpenFile(probe.folder, .directory)
            // Numbers of processes say nothing in another container. NFS locks no folder.
            _ = try? AdvisoryLock.tryLock(opened)
            let abilities = try probe.abilities()
            // Who clears leftovers may have come between making and locking: of a folder that is gone nothing was learnt.
            _ = try FileStatus.of(probe.folder)
            try withExtendedLifetime(opened) { () throws(SystemError) in try probe.remove() }
            return abilities
        } catch {
            // The failure above is what the caller needs to hear.
            try? Directory.removeTree(probe.folder)
            throw error
        }
    }

    /// FUSE hears a little later that a file was closed, and as long as it is open there a hidden name of it is in the folder.
    private func remove() throws(SystemError) {
        for _ in 0..<50 {
            do throws(SystemError) { return try Directory.removeTree(folder) } catch {
                if !error.exists { throw error }
            }
            usleep(20_000)
        }
        try Directory.removeTree(folder)
    }

    private func abilities() throws(SystemError) -> Abilities {
        var found = Abilities(has: [])
        func note(_ ability: Abilities.Ability, _ trial: () throws(SystemError) -> Bool) throws(SystemError) {
            do throws(SystemError) { if try trial() { found.has.insert(ability) } } catch {
                // EIO, ENOENT and EACCES are what some of FUSE say of what they do not know.
                if error.isFull || Self.untold.contains(error.code) { throw error }
            }
        }
        let file = try make("f")
        try note(.fileSync) { () throws(SystemError) in
            try file.sync()
            return true
        }
        try note(.folderSync) { () throws(SystemError) in
            try OpenFile(folder, .directory).sync()
            return true
        }
        try note(.locks) { () throws(SystemError) in
            let other = try OpenFile(folder.appending("f"), .readWrite(create: 0o600))
            let (isMine, isOthers) = (try AdvisoryLock.tryLock(file), try AdvisoryLock.tryLock(other))
            return isMine && !isOthers
        }
        try note(.renameWithoutReplacing, renameWithoutReplacing)
        try note(.exchange, exchange)
        try note(.hardLinks) { () throws(SystemError) in
            _ = try make("h")
            try Directory.link(folder.appending("h"), as: folder.appending("h2"))
            return true
        }
        try note(.identity, keepsIdentity)
        try note(.symbolicLinks) { () throws(SystemError) in
            try OpenFile(folder, .directory).makeSymbolicLink(
                Array("l".utf8), to: Array("f".utf8), modified: FileTime(seconds: 1))
            return try FileStatus.of(folder.appending("l")).kind == .symbolicLink
        }
        if FileSystem.sharesBlocks(in: folder) { found.has.insert(.sharedBlocks) }
        try note(.changeTime, hasChangeTime)
        try note(.nanoseconds) { () throws(SystemError) in
            try file.setModified(FileTime(seconds: 1_000_000_000, nanoseconds: 123_456_700))
            return try file.status().modified.nanoseconds == 123_456_700
        }
        try note(.modes) { () throws(SystemError) in
            try file.setMode(0o640)
            return try file.status().mode & 0o777 == 0o640
        }
        try note(.owners, setsOwners)
        try note(.longNames) { () throws(SystemError) in
            let name = String(repeating: "n", count: 255)
            _ = try make(name)
            return try Directory.names(in: folder).contains(Array(name.utf8))
        }
        try note(.anyBytesInNames) { () throws(SystemError) in
            let names = [[0xff, 0xfe], Array("a:b?*".utf8), Array("end.".utf8)]
            for name in names { _ = try OpenFile(folder.appending(name), .createNew(mode: 0o600)) }
            return try Set(names).isSubset(of: Directory.names(in: folder))
        }
        try note(.caseInNames) { () throws(SystemError) in
            _ = try make("case")
            _ = try make("CASE")
            return true
        }
        return found
    }

    @discardableResult
    private func make(_ name: String) throws(SystemError) -> OpenFile {
        let file = try OpenFile(folder.appending(name), .createNew(mode: 0o600))
        try file.write([1])
        return file
    }

    private func renameWithoutReplacing() throws(SystemError) -> Bool {
        try make("r1")
        try make("r2")
        do throws(SystemError) {
            try Directory.renameByFlag(folder.appending("r1"), to: folder.appending("r2"))
            return false
        } catch { if error.code != EEXIST { throw error } }
        try Directory.renameByFlag(folder.appending("r1"), to: folder.appending("r3"))
        return true
    }

    private func exchange() throws(SystemError) -> Bool {
        try make("e1")
        try Directory.make(folder.appending("e2/in"), mode: 0o700)
        try Directory.exchange(folder.appending("e1"), folder.appending("e2"))
        return try FileStatus.of(folder.appending("e1")).kind == .directory
    }

    private func keepsIdentity() throws(SystemError) -> Bool {
        try make("i1")
        let inode = try FileStatus.of(folder.appending("i1")).inode
        try Directory.link(folder.appending("i1"), as: folder.appending("i2"))
        try Directory.rename(folder.appending("i1"), to: folder.appending("i3"))
        let (one, other) = (try FileStatus.of(folder.appending("i2")), try FileStatus.of(folder.appending("i3")))
        return one.inode == inode && other.inode == inode && one.linkCount == 2
    }

    /// A file whose time is put back has been changed now.
    private func hasChangeTime() throws(SystemError) -> Bool {
        let file = try make("t")
        let made = try file.status().changed
        try file.setModified(FileTime(seconds: 1_000_000_000))
        let status = try FileStatus.of(folder.appending("t"))
        return status.modified.seconds == 1_000_000_000 && status.changed >= made
    }

    /// Not everybody may give files away: of others nothing is learnt, and nothing is missing.
    private func setsOwners() throws(SystemError) -> Bool {
        guard ProcessPrivilege.mayGiveAway else { return true }
        let file = try make("o")
        try file.setOwner(user: 3110, group: 3110)
        let status = try file.status()
        return status.owner == 3110 && status.group == 3110
    }
}
