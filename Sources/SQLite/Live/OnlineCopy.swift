// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// A consistent copy of a database that is written to meanwhile: what it held at one moment, page by page.
///
/// A read transaction is held all the while, so that no step begins anew. In WAL mode nobody waits for it, and the log grows
/// meanwhile. With a rollback journal a writer cannot end its transaction until the copy has: where one has waited too long the
/// copy is let go, and tried again at another moment.
package struct OnlineCopy {
    package struct Outcome: Sendable, Equatable {
        package let bytes: UInt64
        package let journal: LiveDatabase.Journal
        /// How often it was begun.
        package let attempts: Int
        /// Of the connection that the copy was made through (`LiveDatabase.dataVersion`).
        package let dataVersion: Int64
    }

    /// Bytes that are copied, and all of them.
    package typealias ProgressSink = (_ done: UInt64, _ all: UInt64) -> Void

    /// Seconds that a writer waits at most for a copy of a database with a rollback journal. A step, and a last look whether somebody
    /// writes, come on top.
    package static let writersPatience = 2.5
    /// Seconds before each further attempt.
    static let pauses = [2.0, 8.0]
    /// Seconds until a lock is had.
    static let readersPatience = 30.0

    let source: LiveDatabase
    let cancellation: Cancellation
    let patience: Double
    /// Nobody can write: we hold the lock for it.
    let isHeld: Bool

    package init(
        of source: LiveDatabase, cancellation: Cancellation = Cancellation(),
        writersPatience: Double = OnlineCopy.writersPatience
    ) {
        self.init(of: source, cancellation: cancellation, writersPatience: writersPatience, isHeld: false)
    }

    init(of source: LiveDatabase, cancellation: Cancellation, writersPatience: Double, isHeld: Bool) {
        self.source = source
        self.cancellation = cancellation
        patience = writersPatience
        self.isHeld = isHeld
    }

    /// Makes the copy, checks it (`PRAGMA quick_check`) and brings it to the disk. Nothing is left of one that fails.
    /// - Parameter target: a name that is free.
    /// - Throws: `DatabaseFileError.writersInTheWay`, `.inUse`, `.damaged`, `SQLiteError`, `SystemError`, `CancelledError`.
    package func write(to target: FilePath, progress: ProgressSink = { _, _ in }) throws -> Outcome {
        var attempts = 0
        while true {
            attempts += 1
            if let outcome = try attempt(target, attempts, progress) {
                try keepingNothing(target) {
                    try check(target)
                    try OpenFile(target, .read).sync()
                    try Directory.sync(target.parent)
                }
                return outcome
            }
            guard attempts <= Self.pauses.count else {
                throw DatabaseFileError.writersInTheWay(
                    path: source.path.string, attempts: attempts, seconds: patience)
            }
            try LiveDatabase.sleep(Self.pauses[attempts - 1], cancellation)
        }
    }

    /// - Returns: `nil` where a writer waited too long.
    private func attempt(_ target: FilePath, _ number: Int, _ progress: ProgressSink) throws -> Outcome? {
        _ = try OpenFile(target, .createNew(mode: 0o600))
        let outcome = try keepingNothing(target) {
            try source.waiting("BEGIN", atMost: Self.readersPatience, cancellation)
            defer { source.connection.rollBack() }
            // The first read takes the lock, and with it the moment.
            try source.waiting(
                "SELECT count(*) FROM main.sqlite_schema", atMost: Self.readersPatience, cancellation)
            let (journal, version) = (try source.journal(), try source.dataVersion())
            guard let bytes = try pages(to: target, journal, progress) else { return nil as Outcome? }
            return Outcome(bytes: bytes, journal: journal, attempts: number, dataVersion: version)
        }
        if outcome == nil { try Directory.remove(target) }
        return outcome
    }

    private func pages(
        to target: FilePath, _ journal: LiveDatabase.Journal, _ progress: ProgressSink
    ) throws -> UInt64? {
        let copy = try SQLiteConnection(target, as: .copy, .readWrite, busyTimeout: 0)
        // It is brought to the disk when it is whole. Alone with it, nothing is made beside it for a log's sake.
        try copy.run("PRAGMA synchronous = OFF")
        try copy.run("PRAGMA locking_mode = EXCLUSIVE")
        let pageSize = UInt64(clamping: max(512, try source.connection.number("main.page_size")))
        let run = try PageCopy(from: source.connection, to: copy)
        var pace = Pace(pageSize: pageSize)
        var watch = WriterWatch(patience: patience)
        while true {
            try cancellation.check()
            let start = MonotonicTime.nanoseconds()
            let isDone = try run.step(pace.pages)
            pace.took(MonotonicTime.seconds(since: start))
            let (remaining, all) = run.remaining
            progress(Self.bytes(all - remaining, pageSize), Self.bytes(all, pageSize))
            if isDone {
                try run.finish()
                return Self.bytes(all, pageSize)
            }
            if journal == .rollback, !isHeld, watch.mustLetGo(try source.connection.hasWriter()) { return nil }
        }
    }

    private static func bytes(_ pages: Int64, _ pageSize: UInt64) -> UInt64 {
        UInt64(clamping: pages).multiplied(clamped: pageSize)
    }

    /// Pages are copied as they are: what is damaged in the database is so in the copy.
    private func check(_ target: FilePath) throws {
        let copy = try SQLiteConnection(target, as: .copy, .finished, busyTimeout: 0)
        let rows = try copy.heeding(cancellation) { try copy.run("PRAGMA quick_check(5)") }
        let findings = rows.compactMap(\.[0].shownText)
        if findings != ["ok"] { throw DatabaseFileError.damaged(path: source.path.string, findings: findings) }
    }

    private func keepingNothing<Result>(_ target: FilePath, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch {
            // It is no copy. What failed is what the caller needs to hear, and a disk that is full gets its room back.
            for suffix in ["", "-journal", "-wal", "-shm"] {
                _ = FilePath(bytes: target.bytes + Array(suffix.utf8)).withCString { unlink($0) }
            }
            if let error = error as? SQLiteError, error.isCorrupt {
                throw DatabaseFileError.damaged(path: source.path.string, findings: [error.message])
            }
            throw error
        }
    }
}

/// How many pages a step has: as many as go in a moment, on a fast disk 4 MiB, so that between two of them a writer is seen, and
/// whoever cancels is heard.
private struct Pace {
    private let most: Int32
    private(set) var pages: Int32

    init(pageSize: UInt64) {
        most = Int32(clamping: max(1, 4 << 20 / pageSize))
        pages = max(1, most / 16)
    }

    mutating func took(_ seconds: Double) {
        if seconds < 0.02 {
            pages = min(most, pages.multiplied(clamped: 2))
        } else if seconds > 0.1 {
            pages = max(1, pages / 2)
        }
    }
}

/// How long somebody has been kept from ending what he began to write.
private struct WriterWatch {
    let patience: Double
    private var lastWithout = MonotonicTime.nanoseconds()

    init(patience: Double) { self.patience = patience }

    /// - Returns: whether a writer has waited as long as one may. It began after the last look that saw none, at the earliest.
    mutating func mustLetGo(_ isWriting: Bool) -> Bool {
        guard isWriting else {
            lastWithout = MonotonicTime.nanoseconds()
            return false
        }
        return MonotonicTime.seconds(since: lastWithout) >= patience
    }
}
