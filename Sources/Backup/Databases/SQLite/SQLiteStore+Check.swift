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
            return try LiveDatabase(path).size()
        }
        guard let size = known else { return nil }
        // Room comes and goes, and a restore asks for it.
        do { try session().checkSwap(bringing: nil, isAsked: true) } catch  where error.fullDatabaseDisk == nil {
            findings.note(
                .database,
                [
                    BilingualText(zh: "备份可以进行，但恢复会失败：", en: "It can be backed up, but a restore would fail: ")
                        + error.bilingual
                ])
        } catch {}
        if let notice = waiting(size) { findings.note(.database, [notice]) }
        return BackupRoom.Dump(tables: size, least: size, files: 1)
    }

    /// Bytes that the last look and the exchange have done in a second where somebody wrote all the while: 545 MiB in 22 s on a busy
    /// machine (docs/stores.md, 7).
    private static let pace = 25.0 * 1024 * 1024

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
