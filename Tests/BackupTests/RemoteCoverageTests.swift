// SPDX-License-Identifier: Apache-2.0

import Archive
import Foundation
import MLflowStore
import ObjectStore
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("What a remote root holds is covered by it, and a restore says what of it stays as it is", .besideThePool)
struct RemoteCoverageTests {
    /// An experiment with its artifacts at a place.
    private func place(_ remote: RemoteRoots, _ uri: String) throws {
        let connection = try Connection(remote.live.database)
        try connection.execute("alter table experiments add column if not exists artifact_location text")
        try connection.execute("update experiments set artifact_location = \(uri) where experiment_id = 1")
    }

    @Test(
        "a place below the root is covered, whoever wrote its scheme; one beside it is not, and makes a partial backup")
    func places() throws {
        let remote = try RemoteRoots("remote_places")
        try remote.put(["1/run/artifacts/a": [1]])
        for uri in ["s3://bucket/ml/1", "s3a://bucket/ml", "s3://bucket/ml/1/"] {
            try place(remote, uri)
            let made = try remote.backup()
            #expect(made.lack.isNothing && made.warnings.isEmpty, "\(uri): \(made.warnings.map(\.english))")
        }
        for uri in ["s3://bucket/ml-2/1", "s3://bucket", "s3://other/ml/1", "s3://bucket/ml/../x", "gs://bucket/ml/1"] {
            try place(remote, uri)
            #expect(try !remote.backup().lack.isNothing, "\(uri)")
        }
        let doctor = try remote.workspace()
        let findings = BackupPreflight(doctor, options: .init()).run()
        #expect(findings.isPartial && findings.obstacles.isEmpty)
        let stores = doctor.stores(findings)
        let root = try #require(stores.first { $0.name == "media=s3://bucket/ml" })
        #expect(root.isCovered && root.kind == .artifacts)
        let other = try #require(stores.first { $0.name == "gs://bucket/ml" })
        #expect(other.mend?.english.contains("ARTIFACT_ROOTS=ml=gs://bucket/ml") == true, "\(other.text.english)")
    }

    @Test("doctor names a root that cannot be listed, and why")
    func doctor() throws {
        let remote = try RemoteRoots("remote_doctor")
        let root = try remote.root("s3://nobody-has-this/ml", patience: RemoteRoots.impatience)
        let workspace = try remote.workspace(remote.stack([root]))
        let findings = BackupPreflight(workspace, options: .init()).run()
        #expect(findings.obstacles.compactMap { ($0 as? any CodedError)?.errorCode } == ["store-bucket-missing"])
        let store = try #require(workspace.stores(findings).first { $0.name.hasPrefix("media=") })
        #expect(!store.isCovered && store.text.english.contains("nobody-has-this"))
    }

    /// As after many runs with `mlflow-artifacts:` locations.
    private func serve(_ remote: RemoteRoots) throws {
        let connection = try Connection(remote.live.database)
        let statements: [SQL] = [
            "alter table experiments add artifact_location text",
            "update experiments set artifact_location = 'mlflow-artifacts:/' || experiment_id",
            "alter table runs add artifact_uri text, add lifecycle_stage text default 'active'",
            "update runs set artifact_uri = 'mlflow-artifacts:/1/' || md5(run_uuid) || '/artifacts'",
            "create table logged_model_tags (model_id text, tag_key text, tag_value text)",
            """
            create table logged_models (model_id text, experiment_id integer, artifact_location text, source_run_id text,
              creation_timestamp_ms bigint, status integer, lifecycle_stage text)
            """,
            """
            insert into logged_models select 'm-' || md5(n::text), 1, 'mlflow-artifacts:/1/models/m-' || md5(n::text) || '/artifacts',
              null, n, 2, 'active' from generate_series(1, 5) n
            """,
        ]
        for statement in statements { try connection.execute(statement) }
    }

    @Test(
        "what the server serves from the bucket is covered, with an artifacts folder of the service's own that stays empty"
    )
    func served() throws {
        let remote = try RemoteRoots("remote_served")
        try serve(remote)
        for number in 1...5 {
            let id = try Connection(remote.live.database).rows("select md5(\("\(number)")::text) as id")[0].string("id")
            try remote.put(["1/models/m-\(id)/artifacts/model.pkl": [UInt8(number)]])
        }
        let empty = remote.live.root.path.appending("empty")
        try Directory.make(empty)
        let folder = BackupFolder(remote.live.root.path.appending("other-backups"))
        func backup(_ names: [String]?) throws -> BackupOutcome {
            let stack = try remote.stack(artifacts: empty, servedNames: { names })
            try remote.live.awaitOlderTransactions()
            return try BackupJob(Workspace(stack, folder, log: .silent), options: .init(), version: "test").run()
        }
        for names in [["1"], nil] {
            let made = try backup(names)
            #expect(made.lack.isNothing && made.suspicious == nil, "\(made.warnings.map(\.english))")
            #expect(made.warnings.isEmpty, "\(made.warnings.map(\.english))")
        }
        #expect(try !backup(["1", "2"]).lack.isNothing)
        // One that lost its files is told of, though all else is there.
        try remote.store().list().deleteAll(from: remote)
        #expect(try !backup(nil).lack.isNothing)
    }

    @Test(
        "a restore refuses what has objects of a store that is not configured, says how they are uploaded, and with force leaves them as they are"
    )
    func restore() throws {
        let remote = try RemoteRoots("remote_restore")
        try remote.put(["a": [1], "b//c": [2]])
        let made = try remote.backup()
        try Connection(remote.live.database).execute("delete from metrics")
        try remote.put(["a": [9]])
        func restore(_ mode: RestoreMode, force: Bool) throws -> RestoreOutcome {
            try RestoreJob(remote.workspace(remote.stack([])), options: .init(mode: mode, force: force)).run(
                made.name.string)
        }
        for mode in [RestoreMode.full, .artifacts] {
            let refused = #expect(throws: BackupError.self) { try restore(mode, force: false) }
            #expect(refused?.errorCode == "remote-roots-not-restored" && refused?.failureKind == .refused)
            let text = refused?.explanation.english ?? ""
            for word in ["media (s3://bucket/ml)", "rclone copy", "artifacts-media", "with force", "MLFLOW.key"] {
                #expect(text.contains(word), "\(text)")
            }
            let findings = RestorePreflight(try remote.workspace(remote.stack([])), options: .init(mode: mode)).run(
                try remote.live.item(made.name), .request(newerWithin: 1))
            #expect(findings.obstacles.contains { ($0 as? BackupError)?.errorCode == "remote-roots-not-restored" })
        }
        #expect(try restore(.database, force: true).warnings.filter { $0.english.contains("rclone copy") }.isEmpty)
        let restored = try restore(.full, force: true)
        #expect(restored.warnings.contains { $0.english.contains("artifacts of stores: media (s3://bucket/ml)") })
        #expect(try remote.store().connect().read("a", limit: 10).content == [9])
        // What the words say.
        let target = remote.live.root.path.appending("by-hand")
        try Directory.make(target)
        try Shell.sh("cd '\(target)' && tar -xzf '\(made.path)' mlflow_backup/artifacts-media 2>/dev/null")
        #expect(try OpenFile(target.appending("mlflow_backup/artifacts-media/a"), .read).readAll() == [1])
    }

    @Test("an older program says of such a backup that its format is newer, and a newer one's is no damage to this one")
    func formats() throws {
        let remote = try RemoteRoots("remote_formats")
        try remote.put(["a": [1]])
        let made = try remote.backup(.uncompressed)
        let index = made.path.appending("index.json")
        let text = String(decoding: try OpenFile(index, .read).readAll(), as: UTF8.self)
        #expect(text.hasPrefix(#"{"format":3,"#) && text.contains(#""unit":"#) && text.contains(#""tag":"#))
        try DurableFile.replace(
            index, with: Array(text.replacing(#"{"format":3,"#, with: #"{"format":4,"#, maxReplacements: 1).utf8))
        let error = #expect(throws: ArchiveError.self) { try VerifyJob(remote.workspace()).run(made.name.string) }
        #expect(error?.errorCode == "archive-format-newer")
        #expect(try remote.live.item(made.name).status == .completed)
        // Without objects nothing is new.
        let plain = try remote.live.backup(.uncompressed)
        let old = String(decoding: try OpenFile(plain.path.appending("index.json"), .read).readAll(), as: UTF8.self)
        #expect(old.hasPrefix(#"{"format":2,"#) && plain.manifest.format == 1)
    }
}

extension ObjectListing {
    fileprivate func deleteAll(from remote: RemoteRoots) throws {
        let connection = try remote.store().connect()
        while let object = try next() { try connection.delete(object.key) }
    }
}
