// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SQLite
import SystemIO

/// The live file, looked at in a copy that is made while everybody works; that copy becomes what is kept of it. Where somebody has
/// written since, a second one is made with the writers shut out.
final class SQLiteLook: StoreLook {
    /// What of a copy of the live database, and of what it holds, would be lost; `nil` where that cannot be told.
    typealias Judge = (_ copy: FilePath, _ content: ContentDigests, _ progress: StoreComparison.ProgressSink) throws
        -> StoreFindings?

    private let databases: SQLiteDatabases
    private let names: DatabaseNames
    private let cancellation: Cancellation
    private let judge: Judge?
    private let live: LiveDatabase
    private let exchange: Exchange
    /// Before the swap; `nil` where nothing is live.
    private let number: UInt32?

    /// What was found in the copy that lies there.
    private struct Seen {
        let findings: StoreFindings?
        let moment: String?
        let version: Int64
    }
    private var seen: Seen?
    private var isHeld = false

    /// - Parameter judge: `nil` where nobody asks: what is put back may be half of something.
    /// - Throws: `DatabaseStoreError.fileMissing` where the replacement is not there, `.nameTaken`.
    init(
        _ databases: SQLiteDatabases, _ names: DatabaseNames, _ cancellation: Cancellation = Cancellation(),
        judge: Judge?
    ) throws {
        (self.databases, self.names, self.cancellation, self.judge) = (databases, names, cancellation, judge)
        let replacement = try databases.file(names.replacement)
        guard let incoming = try databases.oid(of: names.replacement) else {
            throw DatabaseStoreError.fileMissing(path: replacement.string)
        }
        number = try databases.numbered(names.live)
        // Of a swap that was cut short.
        _ = try databases.removeCopy(ofLive: names.live, called: names.old, isElsewhere: false)
        if try databases.exists(names.old) {
            throw DatabaseStoreError.nameTaken(name: names.old, path: databases.folder.string)
        }
        if try FileStatus.ifPresent(databases.path) == nil {
            // As SQLite makes it, but for whom the folder is.
            _ = try OpenFile.makeInherited(databases.path, mode: 0o644)
        }
        live = try LiveDatabase(databases.path)
        exchange = Exchange(in: live, of: replacement, as: ContentNumber(incoming), cancellation: cancellation)
    }

    private func copy() throws -> FilePath { SQLiteDatabases.partial(try databases.file(names.old)) }

    func first(_ progress: StoreComparison.ProgressSink) throws -> StoreFindings? {
        guard number != nil else { return StoreFindings() }
        return try look(progress) { try OnlineCopy(of: live, cancellation: cancellation).write(to: $0) }.findings
    }

    func last() throws -> (findings: StoreFindings?, moment: String?) {
        try lookAgain()
        guard let held = try exchange.begin() else {
            throw DatabaseStoreError.nameTaken(name: names.replacement, path: databases.path.string)
        }
        isHeld = true
        // Another file, or one that was filled meanwhile.
        guard try databases.oid(of: names.live) == number, try number != nil || !databases.exists(names.live) else {
            throw BackupError.changedMeanwhile(path: databases.path.string)
        }
        guard number != nil else { return (StoreFindings(), nil) }
        if let seen, try held.isUnchanged(since: seen.version) { return (seen.findings, seen.moment) }
        let seen = try look({ _, _, _ in }) { try held.copy(to: $0) }
        return (seen.findings, seen.moment)
    }

    /// Where somebody has written since, so that the writers need not wait for all of it: not for ever, for he may go on writing.
    private func lookAgain() throws {
        for _ in 0..<Self.moreLooks {
            guard let seen, try live.dataVersion() != seen.version else { return }
            _ = try first { _, _, _ in }
        }
    }

    private static let moreLooks = 2

    private func look(
        _ progress: StoreComparison.ProgressSink, _ write: (FilePath) throws -> OnlineCopy.Outcome
    ) throws -> Seen {
        try databases.prepareFolder()
        let copy = try copy()
        try removeCopy()
        let version = try write(copy).dataVersion
        let seen: Seen
        if let judge {
            let connection = try SQLiteConnection(copy, as: .copy, .finished, busyTimeout: 0)
            let content = try ContentDigests(of: connection, cancellation: cancellation)
            seen = Seen(
                findings: try judge(copy, content, progress), moment: content.description, version: version)
        } else {
            seen = Seen(findings: nil, moment: nil, version: version)
        }
        self.seen = seen
        return seen
    }

    func swap() throws {
        if let number {
            let (copy, old) = (try copy(), try databases.file(names.old))
            try ContentNumber(number).give(to: copy)
            try OpenFile(copy, .read).sync()
            // Until the exchange is made it is a copy of what is live.
            try DurableFile.publish(copy, as: old)
        }
        _ = try exchange.finish()
        isHeld = false
        // Asked of the file that has the name: the one that we have open may have lost it in this moment.
        let there = try SQLiteDatabases.reading(databases.path) { try ContentNumber.read($0) }
        guard there == exchange.number else {
            throw DatabaseFileError.moved(path: databases.path.string)
        }
        try databases.drop(names.replacement)
    }

    func close() {
        if isHeld { exchange.giveUp() }
        isHeld = false
        // It is found again by whoever looks next.
        do { try removeCopy() } catch {}
    }

    private func removeCopy() throws {
        let copy = try copy()
        if try FileStatus.ifPresent(copy) != nil { try Directory.remove(copy) }
        seen = nil
    }
}
