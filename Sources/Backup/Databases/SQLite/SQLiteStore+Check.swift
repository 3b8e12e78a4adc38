// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SQLite
import SystemIO
import Wording

extension SQLiteStore {
    package func check(
        holding held: (any StoreSession)?, isHasty: Bool, _ findings: inout Findings
    ) -> BackupRoom.Dump? {
        let path = databases.path
        findings.make(.database) {
            // It is made by the first operation, beside the file.
            if try SQLiteIdentity.known(of: path) == nil, let refused = Directory.writeRefusal(path.parent) {
                throw DatabaseFileError.identityNotUsable(path: path.parent.string, reason: refused.reasonText)
            }
        }
        let known = findings.make(.database) {
            guard try databases.exists(name) else {
                guard try FileStatus.ifPresent(path) != nil else {
                    throw DatabaseStoreError.fileMissing(path: path.string)
                }
                throw DatabaseStoreError.fileEmpty(path: path.string)
            }
            if try revision() == nil { throw DatabaseStoreError.fileEmpty(path: path.string) }
            let live = try LiveDatabase(path)
            return (size: try live.size(), virtual: try live.virtualTable())
        }
        guard let known else { return nil }
        if let table = known.virtual {
            findings.note(
                .database,
                [
                    BilingualText(
                        zh: "备份可以进行，但恢复会失败：含有虚拟表 \(table)",
                        en: "It can be backed up, but a restore would fail: \(table) is a virtual table")
                ])
        }
        if let notice = waiting(known.size) { findings.note(.database, [notice]) }
        return BackupRoom.Dump(tables: known.size, least: known.size, files: 1)
    }

    /// Bytes that an exchange has put in place in a second (docs/stores.md, 7: 574 MiB in 6.5 s).
    private static let pace = 80.0 * 1024 * 1024

    /// Writers wait for an exchange; MLflow's give up after five seconds, unless somebody told them otherwise.
    private func waiting(_ size: UInt64) -> BilingualText? {
        let seconds = Double(size) / Self.pace
        guard seconds > writersPatience else { return nil }
        let (shown, patience) = (Int(nearest: seconds), Int(nearest: writersPatience))
        return BilingualText(
            zh:
                "恢复时 MLflow 的写入要等待约 \(shown) 秒，而它只等 \(patience) 秒：请在恢复前停止 MLflow（RESTORE_STOPS_MLFLOW），或在其数据库地址后加 ?timeout=\(shown * 3)",
            en:
                "A restore keeps MLflow's writers waiting for some \(shown) s, and they wait \(patience) s: stop MLflow for it "
                + "(RESTORE_STOPS_MLFLOW), or put ?timeout=\(shown * 3) behind its database's URI")
    }
}
