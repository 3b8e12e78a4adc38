// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

extension ComposeTests {
    /// D6. Before: MLflow's command imported MLflow, and then each worker did. A machine that has other work is slower in both of what is compared.
    @Test func aRestoreThatStopsMLflowKeepsClientsWaitingForOneStartOfAWorker() throws {
        try stack.up(["RESTORE_STOPS_MLFLOW": "true", "MLFLOW_WORKERS": "2"])
        try stack.log(runs: 2, mebibytes: 1)
        try stack.run("docker exec mlflow-backup-service /app/backup_services/backup_mlflow.sh")
        let name = try #require(try stack.backupNames().first)
        let poll = """
            import time, urllib.request, sys, os
            last, worst = time.monotonic(), 0
            while os.path.exists(sys.argv[1]) or time.monotonic() - last > 1:
                try:
                    urllib.request.urlopen("http://127.0.0.1:3111/api/2.0/mlflow/experiments/search?max_results=1", timeout=5).read()
                    worst, last = max(worst, time.monotonic() - last), time.monotonic()
                except OSError: pass
                time.sleep(0.05)
            print(f"{worst:.2f}")
            """
        let line =
            "touch polling; timeout 300 python3 -W ignore -c '\(poll)' polling & sleep 1; "
            + "docker exec mlflow-backup-service /app/backup_services/restore_mlflow_backup.sh --force \(name) >restore.log 2>&1 || cat restore.log; "
            + "rm polling; wait $!"
        let away = try #require(Double(try stack.run(line)))
        let start = MonotonicTime.nanoseconds()
        try stack.run("docker exec mlflow-server python -W ignore -c 'import mlflow.server.fastapi_app'")
        let imported = MonotonicTime.seconds(since: start)
        print("MLflow was away for \(away) s; an import of it alone took \(imported) s")
        #expect(away > 0.5, "MLflow was not stopped")
        #expect(away < max(8, 3 * imported), "\(away) s, with an import of \(imported) s")
        try stack.up()
    }
}
