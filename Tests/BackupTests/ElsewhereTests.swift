// SPDX-License-Identifier: Apache-2.0

import Foundation
import MLflowStore
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("What a database speaks of and a backup does not hold", .besideThePool)
struct ElsewhereTests {
    /// Fills an empty database as clients do, in one process: MLflow needs seconds to start.
    private static let script = """
        import os, sys, urllib.parse
        os.environ["MLFLOW_CRYPTO_KEK_PASSPHRASE"] = "a passphrase for tests"
        os.environ["MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"] = "3i3kGMHTWDEnL6Jl4MW1Oc1aGQjTCqHqvbd4Gk1GG1E="
        os.environ["MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS"] = "true"
        os.environ["GIT_PYTHON_REFRESH"] = "quiet"
        from mlflow.entities import RunTag
        from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
        from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
        uri, artifacts = sys.argv[1:]
        store = SqlAlchemyStore(uri, "mlflow-artifacts:/")
        def run(experiment):
            return store.create_run(experiment, "ann", 1, [RunTag("a", "b")], "r").info.run_id
        for experiment in ("0", store.create_experiment("inside", artifacts + "/own")): run(experiment)
        abroad = store.create_experiment("bucket", "s3://key:hush@bucket/mlflow/x")
        gone = [run(abroad) for _ in range(3)][0]
        store.delete_run(gone)
        run(store.create_experiment("disk", "file:///no%20such%20disk/mlruns/7"))
        model = store.create_logged_model(abroad, "net", None)
        registry = Registry(uri)
        registry.create_registered_model("churn")
        registry.create_model_version("churn", model.artifact_location)
        registry.create_registered_model("prompt")
        registry.create_model_version("prompt", "dummy-source")
        event = WebhookEvent(WebhookEntity.REGISTERED_MODEL, WebhookAction.CREATED)
        registry.create_webhook("hook", "https://127.0.0.1/hook", [event], "", "hush-hush")
        store.create_gateway_secret("openai key", {"api_key": "sk-1234567890abcdef"}, "openai")
        """

    @Test(
        "C40, C41: experiments, runs, models and versions at other places, and rows that need a key, are told by the backup, in its manifest, and after its restore"
    )
    func realMLflow() throws {
        let live = try LiveStackFixture("elsewhere")
        try live.fillByMLflow(Self.script, live.artifacts.string)
        let made = try live.backup()
        let told = made.warnings.map(\.english)
        try #require(told.count == 2, "\(told)")
        #expect(
            told[0]
                == "Artifacts at these places are not in a backup: s3://bucket/mlflow (1 experiment, 3 runs, 1 logged model, 1 model "
                + "version; 1 of these deleted); file:///no%20such%20disk/mlruns (1 experiment, 1 run). Back these places up by themselves, and "
                + "name them in ARTIFACT_ROOTS_IGNORED, so that backups are no longer partial."
        )
        #expect(
            told[1].hasPrefix(
                "1 webhook secret and 1 gateway secret can be read only with a key that is not in a backup"))
        let names = ["MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY", "MLFLOW_CRYPTO_KEK_PASSPHRASE"]
        for name in names { #expect(told[1].contains(name) && made.warnings[1].chinese.contains(name)) }
        let manifest = try #require(try live.item(made.name).quickManifest())
        let noted = try #require(manifest.elsewhere)
        #expect(noted.places.map(\.place) == ["s3://bucket/mlflow", "file:///no%20such%20disk/mlruns"])
        #expect(noted.places.map(\.runs) == [3, 1] && noted.webhookSecrets == 1 && noted.gatewaySecrets == 1)
        #expect(!String(decoding: try manifest.encoded(), as: UTF8.self).contains("hush"))
        #expect(manifest.lack?.names.sorted() == ["file:///no%20such%20disk/mlruns/7", "s3://bucket/mlflow/x"])
        #expect(try live.item(made.name).shownStatus == "partial")
        let again = try live.backup()
        #expect(again.unchanged?.since == made.name, "what is elsewhere makes no backup another one")

        let restored = try live.restore(made.name.string).warnings.map(\.english)
        #expect(
            restored.contains { $0.contains("s3://bucket/mlflow") && $0.contains("nothing was brought back there") })
        #expect(restored.contains { text in text.contains("answers 500") && names.allSatisfy(text.contains) })
        #expect(try live.restore(made.name.string, .artifacts).warnings.isEmpty, "of the database nothing was restored")
    }

    /// The columns that name places, as MLflow 3.17 has them, in the fixture's database.
    private func withLocations(_ name: String) throws -> (LiveStackFixture, Connection) {
        let live = try LiveStackFixture(name)
        let connection = try Connection(live.database)
        let statements: [SQL] = [
            "alter table experiments add artifact_location text",
            "alter table runs add artifact_uri text, add status text, add lifecycle_stage text default 'active'",
            "create table tags (key text, value text, run_uuid text)",
            "create table logged_model_tags (model_id text, tag_key text, tag_value text)",
            """
            create table logged_models (model_id text, experiment_id integer, artifact_location text, source_run_id text,
              creation_timestamp_ms bigint, status integer, lifecycle_stage text)
            """,
            "update experiments set artifact_location = 'mlflow-artifacts:/' || experiment_id",
            """
            update runs set artifact_uri = 'mlflow-artifacts:/' || experiment_id || '/' || run_uuid || '/artifacts', status = 'FINISHED'
            """,
        ]
        for statement in statements { try connection.execute(statement) }
        return (live, connection)
    }

    /// Logged models of an experiment below a root, by what their numbers begin with.
    private func addModels(
        _ count: Int, of experiment: Int, at root: String, status: Int = 2, _ connection: Connection
    ) throws -> [String] {
        try (0..<count).map { number in
            let id = "m-" + UUID().uuidString.replacing("-", with: "").lowercased()
            let location = "\(root)/\(experiment)/models/\(id)/artifacts"
            try connection.execute(
                "insert into logged_models values (\(id), \(experiment), \(location), null, \(number), \(status), 'active')"
            )
            return "\(experiment)/models/\(id)/artifacts"
        }
    }

    @Test(
        "models that must have files, and of which none has a folder here, are told of with their experiments: the server's destination is another place, or a mount that we do not see"
    )
    func unseen() throws {
        let (live, connection) = try withLocations("elsewhere_unseen")
        let there = try addModels(4, of: 1, at: "mlflow-artifacts:", connection)
        #expect(
            try live.backup().warnings.map(\.english).first?.hasPrefix(
                "None of the newest 4 models and runs that must have files (experiments 1) has a folder in \(live.artifacts)"
            )
                == true)
        try Directory.make(live.artifacts.appending(there[0]))
        #expect(try live.backup().warnings.isEmpty, "one of them is there")
        _ = try addModels(3, of: 7, at: "mlflow-artifacts:", connection)
        #expect(
            try live.backup().warnings.map(\.english).first?.contains("experiments 7)") == true,
            "a whole experiment is not: it has a volume of its own")
    }

    @Test(
        "what never had a file is not missed: numbers alone, models that are pending or kept by others, and one or two")
    func noFalseAlarm() throws {
        let (live, connection) = try withLocations("elsewhere_silent")
        try Shell.sh("rm -rf '\(live.artifacts)/1'")
        #expect(try live.backup().warnings.isEmpty)
        _ = try addModels(5, of: 1, at: "mlflow-artifacts:", status: 1, connection)
        _ = try addModels(4, of: 1, at: "mlflow-artifacts:", connection)
        try connection.execute(
            "insert into logged_model_tags select model_id, 'mlflow.model.isExternal', 'true' from logged_models")
        #expect(try live.backup().warnings.isEmpty)
        _ = try addModels(2, of: 1, at: "mlflow-artifacts:", connection)
        #expect(try live.backup().warnings.isEmpty)
    }

    @Test("runs of MLflow 2 that logged a model are looked for, too; those of MLflow 3 have it in the model's folder")
    func runsWithModels() throws {
        let (live, connection) = try withLocations("elsewhere_runs")
        try Shell.sh("rm -rf '\(live.artifacts)/1'")
        try connection.execute("insert into tags select 'mlflow.log-model.history', '[]', run_uuid from runs")
        #expect(try live.backup().warnings.map(\.english).first?.hasPrefix("None of the newest 5") == true)
        try connection.execute(
            "insert into logged_models select 'm-' || run_uuid, 1, 's3://b/' || run_uuid, run_uuid, 1, 1, 'active' from runs"
        )
        #expect(try live.backup().warnings.map(\.english).allSatisfy { $0.contains("s3://b/") })
    }

    @Test(
        "the artifacts folder may have another name in MLflow's container, and may be below ours: that is no other place"
    )
    func otherNames() throws {
        let (live, connection) = try withLocations("elsewhere_names")
        try connection.execute("update experiments set artifact_location = '/mlflow/artifacts/' || experiment_id")
        try connection.execute(
            "update runs set artifact_uri = '/mlflow/artifacts/' || experiment_id || '/' || run_uuid || '/artifacts'")
        #expect(try live.backup().warnings.isEmpty, "nothing tells whether it is ours")
        let there = try addModels(4, of: 1, at: "/mlflow/artifacts", connection)
        #expect(try live.backup().warnings.map(\.english).first?.hasPrefix("None of the newest 4") == true)
        try Directory.make(live.artifacts.appending(there[3]))
        try connection.execute(
            "insert into experiments values (2, 'x', 1, 1, 'active', 'file:///mlflow/artifacts/team%201/x')")
        #expect(try live.backup().warnings.isEmpty, "a folder of one model tells what ours is called")
        try connection.execute(
            "insert into experiments values (3, 'y', 1, 1, 'active', '/mlflow/artifacts/../elsewhere/y')")
        #expect(try live.backup().warnings.map(\.english).first?.contains("/mlflow/elsewhere (1 experiment)") == true)

        // A folder above MLflow's, and a link to ours.
        let (above, rows) = try withLocations("elsewhere_above")
        let below = try addModels(3, of: 1, at: "mlflow-artifacts:", rows)
        try Directory.make(above.artifacts.appending("deeper").appending(below[0]))
        try Shell.sh("ln -s '\(above.artifacts)' '\(above.root.path)/link'")
        let linked = above.root.path.appending("link/1").string
        try rows.execute("update experiments set artifact_location = \(linked) where experiment_id = 1")
        #expect(try above.backup().warnings.isEmpty)
    }

    @Test("C42: users are told of where the server asks for a login and this database is not theirs")
    func users() throws {
        let live = try LiveStackFixture("elsewhere_users")
        let stack = LiveStack(
            database: live.database, tools: live.stack.postgres.tools, artifacts: live.artifacts,
            mlflowVersion: { nil },
            asksForLogin: { true })
        let workspace = Workspace(stack, live.folder, log: .silent)
        func backup() throws -> BackupOutcome { try BackupJob(workspace, options: .init(), version: "test").run() }
        let made = try backup()
        #expect(made.warnings.map(\.english).first?.contains("users and permissions are in another database") == true)
        // The server is down, or was never told of: what was then is what counts.
        #expect(try live.restore(made.name.string).warnings.contains { $0.english.contains("asked for a login") })
        try Connection(live.database).execute("create table users (id integer primary key, password_hash text)")
        #expect(try backup().warnings.isEmpty)
    }

    @Test("who holds a table of MLflow's does not hold the look at it, and the backup is told to be silent of places")
    func held() throws {
        let (live, connection) = try withLocations("elsewhere_held")
        try connection.execute("begin")
        try connection.execute("lock table experiments in access exclusive mode")
        let start = MonotonicTime.nanoseconds()
        let findings = BackupPreflight(live.workspace(), options: .init()).run()
        #expect(MonotonicTime.seconds(since: start) < 5)
        #expect(findings.obstacles.isEmpty)
        let notice = findings.notices.first { $0.english.hasPrefix("It could not be told what is not in a backup") }
        #expect(notice?.english.contains("mlflow_user (pid ") == true, "\(notice?.english ?? "")")
        #expect(live.workspace().coverage().lack == .unknown, "a backup that cannot tell what it lacks is partial")
    }

    @Test("what the server lists among its artifacts is here, or a backup is partial; a person may keep it himself")
    func served() throws {
        let live = try LiveStackFixture("elsewhere_served")
        func lack(_ names: [String]?, ignoring lines: [String] = []) throws -> [String] {
            try live.stack(
                artifacts: live.artifacts, servedNames: { names }, ignored: IgnoredPlaces.reading(lines).places
            ).coverage().lack.names
        }
        #expect(try lack(nil).isEmpty)
        #expect(try lack([]).isEmpty)
        #expect(
            try lack(["1", ".mlflow-backup-stack", "lost+found"]).isEmpty, "what is ours, or a disk's, proves nothing")
        #expect(try lack(["1", "2"]) == ["mlflow-artifacts:/2"], "one name in common proves nothing either")
        #expect(try lack(["7", "8"]) == ["mlflow-artifacts:/7", "mlflow-artifacts:/8"])
        #expect(try lack(["7", "8"], ignoring: ["mlflow-artifacts:/7"]) == ["mlflow-artifacts:/8"])
        #expect(try lack(["7"], ignoring: ["mlflow-artifacts:/"]).isEmpty)
        #expect(try lack(["../1"]) == [], "a name never leaves the folder")
        #expect(try lack([String(repeating: "n", count: 100_000)]).isEmpty, "what no file can be called")
    }

    @Test(
        "a folder of many experiments may have a number for a name: it is none of them, and what came before it held it"
    )
    func numberedFolder() throws {
        let (live, connection) = try withLocations("elsewhere_numbered")
        try connection.execute(
            "update experiments set artifact_location = 'mlflow-artifacts:/' || experiment_id where experiment_id = 0")
        let stack = live.stack(artifacts: live.artifacts, servedNames: { ["1", "2026"] })
        let lack = try stack.coverage().lack
        #expect(lack.names == ["mlflow-artifacts:/2026"])
        #expect(!lack.isWithin(Lack([], newestExperiment: 1)))
    }

    @Test("what the server lists and is away does not hide what the database misses")
    func bothTold() throws {
        let (live, connection) = try withLocations("elsewhere_both")
        _ = try addModels(4, of: 7, at: "mlflow-artifacts:", connection)
        let stack = live.stack(artifacts: live.artifacts, servedNames: { ["1", "junk"] })
        #expect(try stack.coverage().lack.names == ["mlflow-artifacts:/7", "mlflow-artifacts:/junk"])
    }

    @Test("a link among the artifacts that leads out of them leads to files that are in no backup")
    func linksOut() throws {
        let (live, connection) = try withLocations("elsewhere_links")
        let outside = live.root.path.appending("bigdisk")
        try Shell.sh(
            "mkdir -p '\(outside)/2' '\(live.artifacts)/real'; ln -s '\(outside)/2' '\(live.artifacts)/2'; ln -s real '\(live.artifacts)/3'"
        )
        let stack = live.stack(artifacts: live.artifacts, servedNames: { ["1", "2", "3", "real"] })
        #expect(try stack.coverage().lack.names == ["mlflow-artifacts:/2"])
        for number in [2, 3] {
            let place = "\(live.artifacts)/\(number)"
            try connection.execute("insert into experiments values (\(number), \(place), 1, 1, 'active', \(place))")
        }
        #expect(try live.stack.coverage().lack.names == ["\(live.artifacts)/2"])
    }

    @Test(
        "a server's destination may be below the folder that we were given, and what it fails to list is not known to be here"
    )
    func belowAndUnlisted() throws {
        struct Unlisted: Error {}
        let live = try LiveStackFixture("elsewhere_below")
        try Shell.sh("mkdir '\(live.artifacts)/mlartifacts'; mv '\(live.artifacts)/1' '\(live.artifacts)/mlartifacts/'")
        #expect(try live.stack(artifacts: live.artifacts, servedNames: { ["1"] }).coverage().lack.isNothing)
        #expect(try !live.stack(artifacts: live.artifacts, servedNames: { ["1", "2"] }).coverage().lack.isNothing)
        let failing = Workspace(
            live.stack(artifacts: live.artifacts, servedNames: { throw Unlisted() }), live.folder, log: .silent)
        #expect(failing.coverage().lack == .unknown)
    }

    @Test("what any row names makes no backup that cannot be read: names are bounded, and all of them together")
    func bounded() throws {
        let (live, connection) = try withLocations("elsewhere_bounded")
        let long = String(repeating: String(repeating: "实", count: 99) + "/", count: 79)
        try connection.execute("update experiments set artifact_location = '/' || \(long) where experiment_id = 1")
        try connection.execute(
            """
            insert into experiments select 100 + n, 'e' || n, 1, 1, 'active', 's3://bucket/' || repeat(repeat('x', 90) || '/', 10) || n
            from generate_series(1, 900) n
            """)
        let made = try live.backup()
        _ = try VerifyJob(live.workspace()).run(made.name.string)
        let item = try live.item(made.name)
        #expect(item.status == .completed && item.isPartial)
        #expect(item.lack.names.allSatisfy { $0.utf8.count <= 1000 })
        #expect(try FileStatus.of(live.folder.path.appending(made.name.sidecar)).size < 1 << 20)
        _ = try live.restore(made.name.string)
    }

    @Test(
        "a disk that the database names and that does not answer holds no backup: it could not be told, and that is said"
    )
    func silentDisk() throws {
        try MountedFileSystem.Kind.sshfs.mustBeHere()
        let (live, connection) = try withLocations("elsewhere_silent")
        let mounted = try MountedFileSystem(.sshfs)
        let location = "\(mounted.path)/mlruns/9"
        try connection.execute("update experiments set artifact_location = \(location) where experiment_id = 1")
        try mounted.setSilent(true)
        // The mount could not be taken away.
        defer { try? mounted.setSilent(false) }
        let start = MonotonicTime.nanoseconds()
        for _ in 0..<2 {
            #expect { try live.stack.coverage(atMost: 1) } throws: {
                ($0 as? BackupError)?.errorCode == "places-silent"
            }
        }
        let findings = BackupPreflight(live.workspace(), options: .init(), patience: 2).run()
        #expect(findings.obstacles.isEmpty)
        #expect(findings.notices.contains { $0.english.contains("a disk that the database refers to does not answer") })
        #expect(MonotonicTime.seconds(since: start) < 15)
    }
}
