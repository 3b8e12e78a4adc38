// SPDX-License-Identifier: Apache-2.0

import Service
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

    init(_ record: TaskRecord, _ language: Language) {
        task_id = record.id
        kind = record.kind.rawValue
        origin = record.origin.rawValue
        status = record.status.rawValue
        message = record.message[language]
        created_at = record.createdAt.iso
        started_at = record.startedAt?.iso
        completed_at = record.completedAt?.iso
        backup_name = record.backupName
        result = record.output.map { Result(stdout: $0[language], backup_dir: record.backupDirectory ?? "") }
        progress = record.progress.map { progress in
            Progress(phase: progress.phase[language], percent: progress.fraction.map { Int(($0 * 100).rounded()) })
        }
        warnings = record.warningCount
        notice = record.notice?[language]
    }
}

/// The answer to a task that was taken.
struct AcceptedRepresentation: Encodable {
    let task_id: String
    let message: String
    let status: String

    init(_ record: TaskRecord, _ language: Language) {
        task_id = record.id
        message = record.message[language]
        status = TaskRecord.Status.pending.rawValue
    }
}
