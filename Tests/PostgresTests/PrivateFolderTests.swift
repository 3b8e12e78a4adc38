// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

@testable import Postgres

@Suite("What a killed process left in a folder of its own")
struct PrivateFolderTests {
    @Test("goes when the next one is made, unless its maker lives, or may be about to lock it")
    func leftovers() throws {
        let parent = try TemporaryFolder("private")
        try Shell.sh(
            """
            cd '\(parent.path)' && mkdir -m 700 mlflow-backup-run-dead00 mlflow-backup-run-lives0 mlflow-backup-run-young0 other
            mkdir -m 755 mlflow-backup-run-open00 && echo secret > mlflow-backup-run-dead00/pgpass
            mkdir -m 700 mlflow-backup-old000 mlflow-backup-old111 mlflow-backup-other2
            touch mlflow-backup-old000/pgpass mlflow-backup-old111/pgpass && touch -d '8 days ago' mlflow-backup-old000 mlflow-backup-other2
            touch -d '6 days ago' mlflow-backup-old111
            touch -d '1 hour ago' mlflow-backup-run-dead00 mlflow-backup-run-lives0 mlflow-backup-run-open00 other
            """)
        let held = try OpenFile(parent.path.appending("mlflow-backup-run-lives0"), .directory)
        #expect(try AdvisoryLock.tryLock(held))
        PrivateFolder.clear(parent.path)
        let names = try Directory.names(in: parent.path).map { String(decoding: $0, as: UTF8.self) }
        #expect(
            names == [
                "mlflow-backup-old111", "mlflow-backup-other2", "mlflow-backup-run-lives0", "mlflow-backup-run-open00",
                "mlflow-backup-run-young0", "other",
            ])
        withExtendedLifetime(held) {}
    }
}
