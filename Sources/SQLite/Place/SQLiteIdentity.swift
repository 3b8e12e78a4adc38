// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// Which database a file is: an identifier in a file of ours beside it, since a device and an inode change with a mount and are
/// given out again. The same file is the lock under which one operation at a time works on the database.
package struct SQLiteIdentity: Sendable, Hashable {
    /// 32 hexadecimal digits.
    package let id: String
    /// The database, without links: all names of a file lead to one identity.
    package let database: FilePath

    package static let suffix = ".mlflow-backup"

    /// The file of ours. `NAME.mlflow-backup` beside `NAME`.
    package var path: FilePath { Self.path(beside: database) }

    /// Reads it, and makes it where it is not there.
    /// - Parameter file: the database, which need not be there yet: what is put into an empty stack is locked, too.
    /// - Throws: `DatabaseFileError.identityNotUsable`, `SystemError`.
    package init(of file: FilePath) throws {
        let database = try file.resolvedAsFarAsThere()
        let path = Self.path(beside: database)
        if try FileStatus.ifPresent(path) == nil { try Self.make(path) }
        self.database = database
        id = try Self.read(path)
    }

    /// - Returns: `nil` where there is none yet; nothing is made.
    package static func known(of file: FilePath) throws -> SQLiteIdentity? {
        let database = try file.resolvedAsFarAsThere()
        let path = path(beside: database)
        guard try FileStatus.ifPresent(path) != nil else { return nil }
        return SQLiteIdentity(id: try read(path), database: database)
    }

    private init(id: String, database: FilePath) {
        (self.id, self.database) = (id, database)
    }

    private static func path(beside database: FilePath) -> FilePath {
        FilePath(bytes: database.bytes + Array(suffix.utf8))
    }

    /// Durably, and whole or not at all: of two that make it at once one is first, and both read the same.
    private static func make(_ path: FilePath) throws {
        let id = RandomID.make()
        let partial = FilePath(bytes: path.bytes + Array(".\(id)\(DurableFile.partialSuffix)".utf8))
        do throws(SystemError) {
            let file = try OpenFile.makeInherited(partial, mode: 0o600)
            try file.write(Array((id + "\n").utf8))
            try file.sync()
            try DurableFile.publish(partial, as: path)
        } catch {
            // The name is ours alone; what failed is what the caller needs to hear.
            _ = partial.withCString { unlink($0) }
            if error.exists { return }
            if error.isDenied {
                throw DatabaseFileError.identityNotUsable(
                    path: path.string,
                    reason: BilingualText(
                        zh: "目录不可写（\(error.reasonText.chinese)）",
                        en: "its folder cannot be written to (\(error.reason))"))
            }
            throw error
        }
    }

    private static func read(_ path: FilePath) throws -> String {
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try OpenFile(path, .readNoFollow).readAll(limit: 4096) } catch {
            throw DatabaseFileError.identityNotUsable(path: path.string, reason: error.reasonText)
        }
        let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard text.utf8.count == 32, text.allSatisfy(\.isHexDigit) else {
            throw DatabaseFileError.identityNotUsable(
                path: path.string,
                reason: BilingualText(
                    zh: "其内容不是标识（若数据库从未被备份，可删除它）",
                    en: "what is in it is no identifier (where the database was never backed up, remove it)"))
        }
        return text
    }
}

/// That one operation at a time works on a database; had as long as this lives, and gone with the process.
package final class SQLiteLock: Sendable {
    package let identity: SQLiteIdentity
    private let file: OpenFile

    /// Waits for whoever holds it.
    /// - Parameter seconds: how long at most.
    /// - Throws: `DatabaseFileError.busy`, `.identityNotUsable`, `CancelledError`.
    package init(
        _ identity: SQLiteIdentity, atMost seconds: Double, cancellation: Cancellation = Cancellation(),
        onWait: ((String?) -> Void)? = nil
    ) throws {
        let start = MonotonicTime.nanoseconds()
        var isTold = false
        while true {
            try cancellation.check()
            if let file = try Self.locked(identity.path) {
                (self.identity, self.file) = (identity, file)
                return
            }
            let holder = LockHolders.of([identity.path]).first
            if MonotonicTime.seconds(since: start) >= seconds {
                throw DatabaseFileError.busy(path: identity.database.string, holder: holder)
            }
            if !isTold {
                isTold = true
                onWait?(holder)
            }
            usleep(100_000)
        }
    }

    /// Whether the file that is locked is still the one that others would lock.
    package var isHeld: Bool {
        guard let own = try? file.status(), let named = try? FileStatus.ifPresent(identity.path) else { return false }
        return (own.device, own.inode) == (named.device, named.inode)
    }

    /// Whether somebody has it, which is asked without taking it: another one would be told that it is held.
    package static func isHeld(_ identity: SQLiteIdentity) -> Bool { LockHolders.isLocked(identity.path) }

    /// A child that another thread is starting has the file, too, until it has become its program.
    deinit { file.withDescriptor { _ = flock($0, LOCK_UN) } }

    /// - Returns: `nil` where somebody else holds it.
    private static func locked(_ path: FilePath) throws -> OpenFile? {
        let file: OpenFile
        do throws(SystemError) { file = try OpenFile(path, .readNoFollow) } catch {
            throw DatabaseFileError.identityNotUsable(path: path.string, reason: error.reasonText)
        }
        guard try AdvisoryLock.tryLock(file) else { return nil }
        // Removed and made anew meanwhile, it would be another file that others lock.
        let (own, named) = (try file.status(), try FileStatus.ifPresent(path))
        return named.map { ($0.device, $0.inode) == (own.device, own.inode) } == true ? file : nil
    }
}
