// SPDX-License-Identifier: Apache-2.0

import Service
import SystemIO
import Wording

/// A task as `GET /tasks/{id}` shows it.
struct TaskRepresentation: Encodable {
    struct Result: Encodable {
        let stdout: String
        let backup_dir: String
    }

    struct Progress: Encodable {
        let phase: String
        let percent: Int?
    }

    /// Of a task that failed. `findings`: what a restore would have overwritten.
    struct Failure: Encodable {
        let code: String
        let findings: [String]?
    }

    let task_id: String
    let kind: String
    let origin: String
    let status: String
    let message: String
    let created_at: String
    let started_at: String?
    let completed_at: String?
    let backup_name: String?
    let result: Result?
    let progress: Progress?
    let warnings: Int?
    let notice: String?
    let error: Failure?

    init(_ record: TaskRecord, _ language: Language) {
        task_id = record.id
        kind = record.kind.rawValue
        origin = record.origin.rawValue
        status = record.status.rawValue
        let hint = ProblemHint.of(record.failure.flatMap { Remedy($0.code, backup: record.backupName) })
        message = record.message[language] + hint[language]
        created_at = record.createdAt.iso
        started_at = record.startedAt?.iso
        completed_at = record.completedAt?.iso
        backup_name = record.backupName
        result = record.output.map { Result(stdout: $0[language], backup_dir: record.backupDirectory ?? "") }
        progress = record.progress.map { progress in
            Progress(
                phase: progress.phase[language],
                percent: progress.fraction.map { min(max(Int(nearest: $0 * 100), 0), 100) })
        }
        warnings = record.warningCount
        notice = record.notice?[language]
        error = record.failure.map { failure in
            Failure(
                code: failure.code, findings: failure.findings.isEmpty ? nil : failure.findings.map { $0[language] })
        }
    }
}

/// The answer to a task that was taken, or told to end.
struct AcceptedRepresentation: Encodable {
    let task_id: String
    let message: String
    let status: String

    init(_ record: TaskRecord, _ language: Language) {
        task_id = record.id
        message = record.message[language]
        status = TaskRecord.Status.pending.rawValue
    }

    /// What became of a task that was cancelled: it has failed already, or will at its next step.
    init(cancelled record: TaskRecord, _ language: Language) {
        task_id = record.id
        status = record.status.rawValue
        let soon = BilingualText(
            zh: "已要求任务停止；已到无法撤销的步骤时会照常完成", en: "The task was told to end; what can no longer be undone is completed")
        message = record.status.isFinished ? record.message[language] : soon[language]
    }
}
