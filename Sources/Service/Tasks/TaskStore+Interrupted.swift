// SPDX-License-Identifier: Apache-2.0

import Backup
import SQLite
import SystemIO
import Wording

/// Tasks whose process has ended: after a crash, a kill -9 or a power cut.
///
/// How such a restore ended is known only when it was settled: its data may be finished or undone, by this process or
/// by another, at the start or much later. Until then its record stays open.
extension TaskStore {
    /// Marks tasks as failed whose process has ended.
    /// - Parameters:
    ///   - keepingRestores: leaves those open that may still be finished: a restore waits to be settled.
    ///   - seenFromHere: leaves those open whose process may be at work in another container. At the start of a service
    ///     nothing else says that the container before it is gone.
    /// - Returns: the records as they are now.
    @discardableResult
    package func failOrphans(keepingRestores: Bool = false, seenFromHere: Bool = false) throws -> [TaskRecord] {
        // A look costs no lock, and there is nothing as a rule.
        guard try hasOrphans() else { return [] }
        let memory = MemoryKills.sentence(memoryKills())
        let orphans = try withDatabase { database in
            try database.transaction {
                var failed: [TaskRecord] = []
                for var record in try Self.openRecords(in: database) where !record.owner.isAlive {
                    if seenFromHere, !record.owner.hasEndedHere { continue }
                    // A task that waited in a queue had not begun.
                    if keepingRestores, record.kind.replacesData, record.status == .running { continue }
                    record.end(.failed, Self.reason(record, memory))
                    record.failure = .init(code: Self.interruptedCode)
                    try Self.write(record, to: database)
                    failed.append(record)
                }
                return failed
            }
        }
        for record in orphans { log.warning("task failed: its process ended", ["task": record.id]) }
        return orphans
    }

    /// Whether a task is open whose process is not seen any more.
    func hasOrphans() throws -> Bool {
        try withDatabase { try Self.openRecords(in: $0).contains { !$0.owner.isAlive } }
    }

    /// Writes down how an interrupted restore really ended.
    ///
    /// The restore's journal names the task. Journals of 0.1.0 name none: then it is the newest task whose process ended
    /// in a restore of that backup.
    /// - Returns: the record as it is now; `nil` where no task is to be told of.
    @discardableResult
    package func settle(_ outcome: RestoreRecovery.Outcome) throws -> TaskRecord? {
        let (backup, task, isFinished): (String, String?, Bool)
        switch outcome {
        case .nothingToDo: return nil
        case .undone(let name, let id): (backup, task, isFinished) = (name, id, false)
        case .finished(let name, let id): (backup, task, isFinished) = (name, id, true)
        }
        let settled = try withDatabase { database in
            try database.transaction { () throws -> TaskRecord? in
                let found =
                    if let task { try Self.record(task, in: database) } else {
                        try Self.openRecords(in: database).first {
                            $0.kind.replacesData && $0.status == .running && $0.backupName == backup
                                && !$0.owner.isAlive
                        }
                    }
                guard var record = found, record.isToBeSettled(isFinished) else { return nil }
                record.settle(isFinished, backup: backup)
                try Self.write(record, to: database)
                return record
            }
        }
        if let settled { log.info("task settled", ["task": settled.id, "status": settled.status.rawValue]) }
        return settled
    }

    /// For `Workspace.settled`: what cannot be recorded is logged, and stops nothing.
    package func note(_ outcome: RestoreRecovery.Outcome) {
        do { try settle(outcome) } catch {
            log.error("how a restore was settled is not recorded", ["reason": "\(error)"])
        }
    }

    static let interruptedCode = "interrupted"

    private static func reason(_ record: TaskRecord, _ memory: BilingualText?) -> BilingualText {
        guard record.status == .running else { return TaskRunner.notBegun }
        let reason = record.kind.replacesData ? unsettledReason : orphanReason
        return memory.map { reason + $0 } ?? reason
    }

    static let orphanReason = BilingualText(
        zh: "任务运行期间服务停止了，任务没有完成。没有发布任何不完整的备份；请重新发起。",
        en:
            "The service stopped while the task ran, so it did not finish. Nothing incomplete was published: start it again."
    )

    /// Its journal is gone, and nobody wrote down which way: the process died before the first or after the last step.
    static let unsettledReason = BilingualText(
        zh: "恢复期间服务停止了。没有留下做了一半的恢复：数据要么与恢复前一致，要么已全部恢复。请查看数据后决定是否重新发起。",
        en:
            "The service stopped during the restore. No half of it is left: the data is either what it was before or wholly "
            + "restored. Look at it before starting the restore again.")

    private static func openRecords(in database: SQLiteConnection) throws -> [TaskRecord] {
        try database.run("SELECT * FROM task WHERE status IN ('pending', 'running') ORDER BY number DESC")
            .compactMap { TaskRecord($0) }
    }
}

extension TaskRecord.Kind {
    /// Whether a crash leaves something that a recovery finishes or undoes.
    var replacesData: Bool { self == .restore || self == .undo }
}

extension TaskRecord {
    fileprivate mutating func end(_ status: Status, _ message: BilingualText) {
        self.status = status
        self.message = message
        completedAt = .now()
        progress = nil
    }

    /// A process that lives writes its own end, and a failure that is known has a better reason than "undone".
    fileprivate func isToBeSettled(_ isFinished: Bool) -> Bool {
        switch status {
        case .completed: false
        case .pending, .running: !owner.isAlive
        case .failed: isFinished || [TaskStore.interruptedCode, "needs-recovery"].contains(failure?.code)
        }
    }

    fileprivate mutating func settle(_ isFinished: Bool, backup: String) {
        guard isFinished else {
            end(
                .failed,
                kind.sentence(
                    zh: "没有完成：其进程中途终止，恢复程序已将其撤销，数据与之前一致。需要时请重新发起。",
                    en:
                        "did not finish: its process ended half way. The recovery has undone it, and the data is what it was "
                        + "before. Start it again if it is still wanted."))
            failure = .init(code: TaskStore.interruptedCode)
            return
        }
        end(
            .completed,
            kind.sentence(
                zh: "成功完成（其进程中途终止，由恢复程序完成）",
                en: "has been completed: its process ended half way, and the recovery finished it"))
        failure = nil
        output = BilingualText(zh: "已从 \(backup) 恢复", en: "Restored from \(backup)")
    }
}
