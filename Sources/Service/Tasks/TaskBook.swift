// SPDX-License-Identifier: Apache-2.0

import Backup
import SystemIO
import Wording

/// The task records as everybody here asks for them: in the store where they can be kept, and in memory as long as they cannot. A broken
/// log of tasks keeps no backup from being made, and no failure from being told.
///
/// What is in memory is seen like all else, and goes into the store as soon as that takes it (`heal`).
package final class TaskBook: Sendable {
    private struct State {
        /// `nil` where it cannot be opened.
        var store: TaskStore?
        /// Why something is not in the store; `nil` where everything is.
        var reason: BilingualText?
        /// Of records that are not in the store as they are: the newest last.
        var loose: [TaskRecord] = []
        /// Open tasks of this process, as they were last written: what a store says that can be read no more.
        var mine: [String: TaskRecord] = [:]
        var changes: UInt64 = 0

        /// As many as a service makes in years of nights without a store.
        private static let mostLoose = 1000

        mutating func put(_ record: TaskRecord) {
            loose.removeAll { $0.id == record.id }
            loose.append(record)
            mine[record.id] = nil
            if loose.count > Self.mostLoose, let ended = loose.firstIndex(where: \.status.isFinished) {
                loose.remove(at: ended)
            }
        }
    }

    /// Where the store lies; `nil` where there shall be none.
    private let folder: FilePath?
    private let mayOpen: @Sendable () -> Bool
    private let log: Log
    private let state: Monitor<State>

    /// Opens the store, or begins without.
    /// - Parameters:
    ///   - folder: the state's; `nil` for records that end with this process.
    ///   - mayOpen: asked before each try; where it is not so that is told elsewhere.
    package init(in folder: FilePath?, mayOpen: @escaping @Sendable () -> Bool = { true }, log: Log) {
        self.folder = folder
        self.mayOpen = mayOpen
        self.log = log
        state = Monitor(State())
        if folder != nil { open() }
    }

    private var store: TaskStore? { state.read { $0.store } }

    /// Another number after each change that this process made.
    var changes: UInt64 {
        state.read { $0.changes.addingReportingOverflow($0.store?.changes ?? 0).partialValue }
    }

    /// What a person should know of records that are not kept.
    package var finding: BilingualText? {
        guard let reason = state.read({ $0.reason }) else { return nil }
        return BilingualText(
            zh: "任务记录暂时无法保存（服务此时停止则会丢失），可以保存时会自动补写；备份和恢复不受影响。原因：",
            en:
                "Task records cannot be kept for now, and would end with the service; they are written down when that is possible again. "
                + "Backups and restores go on. The reason: ") + reason
    }

    // MARK: Writing

    /// - Parameter isKept: whether a task that cannot be recorded is refused: who asked for it is told at once, and can ask again.
    /// - Throws: what the store throws, for those.
    package func begin(
        _ request: OperationRequest, origin: TaskRecord.Origin, email: MailAddress?, isKept: Bool = false
    ) throws -> TaskRecord {
        let record: TaskRecord
        do {
            guard let store else { throw NoStore() }
            record = try store.begin(request, origin: origin, email: email)
        } catch {
            if isKept, !(error is NoStore) { throw error }
            record = TaskRecord(unrecorded: request, origin: origin, email: email)
            keepLoose(record, because: error)
            return record
        }
        state.withLock { $0.mine[record.id] = record }
        return record
    }

    private struct NoStore: Error {}

    /// - Parameter change: may be called twice.
    /// - Throws: `TaskStoreError.noSuchTask`, what `change` throws, and what the store throws of a record that is not this process's.
    package func update(_ id: String, _ change: (inout TaskRecord) throws -> Void) throws {
        if try changeLoose(id, change) { return }
        let updated: TaskRecord
        do {
            guard let store else { throw TaskStoreError.noSuchTask(id) }
            updated = try store.update(id, change)
        } catch {
            // It may have been put there since.
            if try changeLoose(id, change) { return }
            guard try changeMine(id, change, because: error) else { throw error }
            return
        }
        remember(updated)
    }

    /// From what this process wrote last.
    private func changeMine(
        _ id: String, _ change: (inout TaskRecord) throws -> Void, because error: any Error
    ) throws -> Bool {
        let isKnown = try state.withLock { state in
            if let place = state.loose.firstIndex(where: { $0.id == id }) {
                try change(&state.loose[place])
            } else {
                guard var known = state.mine[id] else { return false }
                try change(&known)
                state.put(known)
            }
            state.reason = error.bilingual
            state.changes += 1
            return true
        }
        if isKnown {
            log.error("a task record is kept in memory", ["task": id, "reason": error.bilingual[.english]])
        }
        return isKnown
    }

    private func changeLoose(_ id: String, _ change: (inout TaskRecord) throws -> Void) throws -> Bool {
        try state.withLock { state in
            guard let place = state.loose.firstIndex(where: { $0.id == id }) else { return false }
            try change(&state.loose[place])
            state.changes += 1
            return true
        }
    }

    private func remember(_ record: TaskRecord) {
        state.withLock { state in
            if state.mine[record.id] != nil { state.mine[record.id] = record.status.isFinished ? nil : record }
        }
    }

    private func keepLoose(_ record: TaskRecord, because error: any Error) {
        if !(error is NoStore) {
            log.error("a task record is kept in memory", ["task": record.id, "reason": error.bilingual[.english]])
        }
        state.withLock { state in
            if !(error is NoStore) { state.reason = error.bilingual }
            state.put(record)
            state.changes += 1
        }
    }

    // MARK: Reading

    /// - Returns: `nil` where there is no such task.
    package func get(_ id: String) throws -> TaskRecord? {
        if let loose = state.read({ $0.loose.first { $0.id == id } }) { return loose }
        return try store?.get(id)
    }

    /// `TaskStore.list`, with what is in memory.
    package func list(
        _ status: TaskRecord.Status? = nil, before: String? = nil, limit: Int? = nil
    ) throws -> [TaskRecord] {
        let loose = state.read { $0.loose }
        if loose.isEmpty {
            guard let store else {
                if let before { throw TaskStoreError.noSuchTask(before) }
                return []
            }
            return try store.list(status, before: before, limit: limit)
        }
        return try merged(loose, status, before, limit)
    }

    /// Whatever the store says: what is in memory is told even then, and why the rest is not, by the finding.
    private func merged(
        _ loose: [TaskRecord], _ status: TaskRecord.Status?, _ before: String?, _ limit: Int?
    ) throws -> [TaskRecord] {
        let known = Set(loose.map(\.id))
        var kept: [TaskRecord] = []
        do { kept = try store?.list(limit: nil) ?? [] } catch {
            state.withLock { $0.reason = error.bilingual }
        }
        // Those of one second stay in the order in which they came.
        let all = (loose.reversed() + kept.filter { !known.contains($0.id) }).enumerated()
            .sorted { ($1.element.createdAt, $0.offset) < ($0.element.createdAt, $1.offset) }.map(\.element)
        var rest = all[...]
        if let before {
            guard let place = all.firstIndex(where: { $0.id == before }) else {
                throw TaskStoreError.noSuchTask(before)
            }
            rest = all[(place + 1)...]
        }
        return Array(rest.filter { status == nil || $0.status == status }.prefix(limit ?? .max))
    }

    func newestEndedBackup(_ now: LocalTime) throws -> TaskRecord? {
        let loose = state.read { $0.loose }.last {
            $0.kind == .backup && $0.status.isFinished && $0.createdAt <= now
                && $0.failure?.code != CancelledError().errorCode
        }
        do {
            guard let kept = try store?.newestEndedBackup(now) else { return loose }
            guard let loose, loose.createdAt >= kept.createdAt else { return kept }
        } catch {
            if loose == nil { throw error }
        }
        return loose
    }

    package func counts() throws -> TaskCounts {
        let loose = state.read { $0.loose }
        var counts = TaskCounts()
        do { counts = try store?.counts() ?? counts } catch {
            if loose.isEmpty { throw error }
            state.withLock { $0.reason = error.bilingual }
        }
        for record in loose {
            // What the store has of it is older.
            if let older = try? store?.get(record.id) { counts[older.status] -= 1 }
            counts[record.status] += 1
        }
        return counts
    }

    /// Drops records of tasks that ended more than `seconds` ago.
    /// - Returns: how many.
    package func removeFinished(olderThan seconds: Int64) throws -> Int {
        try store?.removeFinished(olderThan: seconds) ?? 0
    }

    // MARK: What other processes left

    /// `TaskStore.failOrphans`.
    package func failOrphans(keepingRestores: Bool = false, seenFromHere: Bool = false) throws {
        do { try store?.failOrphans(keepingRestores: keepingRestores, seenFromHere: seenFromHere) } catch {
            // It is looked for every few seconds, and would be the only one to see a store that went away.
            state.withLock { $0.reason = error.bilingual }
            throw error
        }
    }

    func hasOrphans() throws -> Bool { try store?.hasOrphans() ?? false }

    /// `TaskStore.note`.
    package func note(_ outcome: RestoreRecovery.Outcome) { store?.note(outcome) }

    // MARK: Healing

    /// Opens the store where it was not open, and writes down what is in memory. To be called every now and then; where all is well it
    /// costs nothing.
    package func heal() {
        if folder != nil, store == nil { open() }
        guard let store else { return }
        for record in state.read({ $0.loose }) {
            do { try store.put(record) } catch {
                state.withLock { $0.reason = error.bilingual }
                return
            }
            state.withLock { state in
                // It may have gone on meanwhile, and is written the next time then.
                state.loose.removeAll { $0 == record }
                state.changes += 1
                state.mine[record.id] = record.status.isFinished ? nil : record
            }
            log.info("a task record that was kept in memory is written down", ["task": record.id])
        }
        // Of a store that is read only, or full, a record that must be written is the proof.
        let isWell = state.withLock { state in
            guard state.loose.isEmpty, state.reason != nil else { return false }
            return true
        }
        guard isWell else { return }
        do {
            _ = try store.counts()
            state.withLock { if $0.loose.isEmpty { $0.reason = nil } }
        } catch { state.withLock { $0.reason = error.bilingual } }
    }

    /// At the end of the process: what is in memory is written down, or named as lost. It is asked first whether the disk answers.
    package func close() {
        guard let folder, mayOpen() else { return }
        do {
            try FolderPulse.refuseSilence(of: folder)
            heal()
        } catch { state.withLock { $0.reason = error.bilingual } }
        let (left, reason) = state.read { ($0.loose, $0.reason?[.english] ?? "") }
        for record in left {
            log.error("a task record is lost with the process", ["task": record.id, "reason": reason])
        }
    }

    private func open() {
        guard let folder, mayOpen() else { return }
        do {
            let opened = try TaskStore(in: folder, log: log)
            state.withLock { state in
                state.store = opened
                state.changes += 1
                if state.loose.isEmpty { state.reason = nil }
            }
        } catch {
            let isNews = state.withLock { state in
                defer { state.reason = error.bilingual }
                return state.reason != error.bilingual
            }
            if isNews {
                log.error(
                    "task records are kept in memory: the store cannot be opened", ["reason": error.bilingual[.english]]
                )
            }
        }
    }
}

extension TaskCounts {
    fileprivate subscript(status: TaskRecord.Status) -> Int {
        get {
            switch status {
            case .pending: pending
            case .running: running
            case .completed: completed
            case .failed: failed
            }
        }
        set {
            switch status {
            case .pending: pending = newValue
            case .running: running = newValue
            case .completed: completed = newValue
            case .failed: failed = newValue
            }
        }
    }
}
