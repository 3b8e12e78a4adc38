// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import SystemIO
import Wording

/// A backup as `GET /backups` shows it, and `list --json`.
package struct BackupRepresentation: Encodable {
    let name: String
    let path: String
    let size: String
    let created_at: String
    let type: String
    let status: String
    let size_bytes: UInt64
    let sha256: String?
    let verified_at: String?
    let reason: String?
    let adopted: Bool
    let duration_seconds: Double?
    let mlflow_version: String?
    let alembic_revision: String?
    let experiments: Int64?
    let runs: Int64?
    let registered_models: Int64?
    let files: Int?
    let content_bytes: UInt64?
    let skipped: Int?
    let lacks: [String]?

    package init(_ item: CatalogueItem) {
        name = item.name.string
        path = item.path.string
        size = HumanUnits.size(item.size)
        created_at = item.created.iso
        type = item.kind.rawValue
        status = item.shownStatus
        size_bytes = item.size
        let sidecar = item.sidecar
        sha256 = sidecar.flatMap { $0.sha256.isEmpty ? nil : $0.sha256 }
        verified_at = item.lastRead().map { LocalTime(epoch: $0).iso }
        reason = item.reason?.english ?? (item.isPartial ? item.lack.text.english : nil)
        adopted = sidecar?.adopted ?? true
        duration_seconds = sidecar?.durationSeconds
        let summary = sidecar?.summary
        mlflow_version = summary?.mlflowVersion
        alembic_revision = summary?.alembicRevision
        experiments = summary?.experiments
        runs = summary?.runs
        registered_models = summary?.registeredModels
        files = summary?.files
        content_bytes = summary?.contentBytes
        skipped = summary?.skipped
        lacks = summary?.lack?.names
    }
}
