// SPDX-License-Identifier: Apache-2.0

import Glibc
import SQLite
import SystemIO

extension TaskStore {
    /// Every access goes through here. The file is opened again where its name has come to mean another file, and
    /// replaced where it proves damaged.
    @discardableResult
    func withDatabase<Result>(_ body: (SQLiteConnection) throws -> Result) throws -> Result {
        try connection.withLock { opened in
            if try Self.inode(of: path) != opened.inode {
                opened = try Self.openRecovering(path, log)
            }
            let before = opened.database.allChangedRows
            defer { if opened.database.allChangedRows != before { noteChange() } }
            do {
                return try body(opened.database)
            } catch let error as SQLiteError where error.isCorrupt {
                log.error("task database is damaged", ["path": path, "reason": error.message])
                opened = try Self.openRecovering(path, log)
                return try body(opened.database)
            }
        }
    }

    /// One process at a time opens: two that switch a new file to WAL at once get SQLITE_BUSY without a wait, and two
    /// that find damage would each move a file aside, the second one the good new one.
    static func openRecovering(_ path: FilePath, _ log: Log) throws -> OpenedDatabase {
        let lock = try waitForOpeningLock(path)
        return try withExtendedLifetime(lock) {
            do {
                return try open(path)
            } catch let error as SQLiteError where error.isCorrupt {
                log.error("task database is damaged: beginning a new one", ["path": path, "reason": error.message])
                try moveAside(path, log)
            }
            return try open(path)
        }
    }

    /// SQLite gives its companions to whom the database belongs, which an empty file is, too.
    private static func open(_ path: FilePath) throws -> OpenedDatabase {
        do throws(SystemError) { _ = try OpenFile.makeInherited(path, mode: 0o644) } catch {
            guard error.exists else { throw error }
        }
        // Of a pipe it would wait for whoever writes into it.
        let kind = try FileStatus.of((try? path.resolved()) ?? path).kind
        guard kind == .file || kind == .symbolicLink else { throw TaskStoreError.notAFile(path: path.string) }
        return OpenedDatabase(database: try openDatabase(path), inode: try inode(of: path))
    }

    /// The journal goes with its database: SQLite would replay it into the new one.
    private static func moveAside(_ path: FilePath, _ log: Log) throws {
        let stamp = LocalTime.now().stamp
        for suffix in ["-wal", "-shm", ""] {
            let source = FilePath(path.string + suffix)
            guard try FileStatus.ifPresent(source) != nil else { continue }
            var target = FilePath("\(path.string).corrupt-\(stamp)\(suffix)")
            var number = 1
            while try FileStatus.ifPresent(target) != nil {
                number += 1
                target = FilePath("\(path.string).corrupt-\(stamp).\(number)\(suffix)")
            }
            try Directory.renameWithoutReplacing(source, to: target)
            log.error("damaged task database moved aside; task history starts anew", ["to": target])
        }
        try Directory.sync(path.parent)
    }

    private static func waitForOpeningLock(_ path: FilePath) throws -> AdvisoryLock {
        let lockPath = FilePath(path.string + ".lock")
        for _ in 0..<200 {
            if let lock = try AdvisoryLock.tryLock(lockPath, note: "pid \(getpid())\n") { return lock }
            usleep(50_000)
        }
        throw TaskStoreError.openingBusy(path: path.string)
    }

    private static func inode(of path: FilePath) throws(SystemError) -> UInt64? {
        try FileStatus.ifPresent(path)?.inode
    }
}
