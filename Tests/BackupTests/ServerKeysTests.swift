// SPDX-License-Identifier: Apache-2.0

import Foundation
import MLflowStore
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("Whether the keys at hand open the rows that need them", .besideThePool)
struct ServerKeysTests {
    private static let webhookKey = "3i3kGMHTWDEnL6Jl4MW1Oc1aGQjTCqHqvbd4Gk1GG1E="
    private static let passphrase = "a passphrase for tests"
    /// Of the specification of Fernet.
    private static let otherKey = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
    private static let otherToken =
        "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="

    /// Gateway secrets in three ways, of which a test makes one the newest. MLflow reads its passphrase at each use.
    private static let script = """
        import os, sys
        os.environ["MLFLOW_CRYPTO_KEK_PASSPHRASE"] = "\(passphrase)"
        os.environ["MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"] = "\(webhookKey)"
        os.environ["MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS"] = "true"
        os.environ["GIT_PYTHON_REFRESH"] = "quiet"
        from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
        from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
        store = SqlAlchemyStore(sys.argv[1], "mlflow-artifacts:/")
        event = WebhookEvent(WebhookEntity.REGISTERED_MODEL, WebhookAction.CREATED)
        Registry(sys.argv[1]).create_webhook("hook", "https://127.0.0.1/hook", [event], "", "hush-hush")
        store.create_gateway_secret("own", {"api_key": "sk-1234567890abcdef"}, "openai")
        os.environ["MLFLOW_CRYPTO_KEK_VERSION"] = "2"
        store.create_gateway_secret("rotated", {"api_key": "sk-1234567890abcdef"}, "openai")
        del os.environ["MLFLOW_CRYPTO_KEK_VERSION"], os.environ["MLFLOW_CRYPTO_KEK_PASSPHRASE"]
        store.create_gateway_secret("default", {"api_key": "sk-1234567890abcdef"}, "openai")
        """

    private func filled(_ name: String) throws -> (LiveStackFixture, Connection) {
        let live = try LiveStackFixture(name)
        try live.fillByMLflow(Self.script)
        return (live, try Connection(live.database))
    }

    private func keys(_ webhooks: String? = nil, _ gateway: String? = nil) -> ServerKeys {
        ServerKeys(webhooks: webhooks.map { Secret($0) }, gateway: gateway.map { Secret($0) })
    }

    private func workspace(_ live: LiveStackFixture, _ keys: ServerKeys) -> Workspace {
        Workspace(live.stack(artifacts: live.artifacts, keys: keys), live.folder, log: .silent)
    }

    private func verdicts(_ live: LiveStackFixture, _ keys: ServerKeys) throws -> [ServerKey: KeyVerdict] {
        let stack = live.stack(artifacts: live.artifacts, keys: keys)
        return stack.keyVerdicts(try stack.coverage().elsewhere)
    }

    @Test(
        "the newest row of each kind that MLflow wrote is opened by the right key, and by none else; its default passphrase is told, and the version a rotated key needs"
    )
    func realRows() throws {
        let (live, connection) = try filled("keys_rows")
        func newest(_ name: String) throws {
            try connection.execute(
                "update secrets set last_updated_at = case when secret_name = \(name) then 2 else 1 end")
        }
        try newest("own")
        let right = keys(Self.webhookKey, Self.passphrase)
        #expect(try verdicts(live, right) == [.webhooks: .opens(version: nil), .gateway: .opens(version: nil)])
        #expect(try verdicts(live, .none) == [.webhooks: .notGiven, .gateway: .notGiven])
        #expect(
            try verdicts(live, keys(Self.otherKey, "another"))
                == [.webhooks: .wrong(isDefault: false), .gateway: .wrong(isDefault: false)])
        #expect(try verdicts(live, keys("no key")) == [.webhooks: .noKey, .gateway: .notGiven])
        try newest("rotated")
        #expect(try verdicts(live, right)[.gateway] == .opens(version: 2))
        try newest("default")
        #expect(try verdicts(live, .none)[.gateway] == .byDefault(version: nil))
        #expect(try verdicts(live, right)[.gateway] == .wrong(isDefault: true))
        #expect(
            try verdicts(live, keys(nil, "mlflow-default-kek-passphrase-for-development-only"))[.gateway]
                == .byDefault(version: nil))
        let notices = BackupPreflight(workspace(live, .none), options: .init()).run().notices.map(\.english)
        #expect(
            notices.contains { $0.contains("MLflow's default passphrase is in use, which everybody knows") },
            "\(notices)")
        // What nobody reads any more says nothing.
        try connection.execute("update webhooks set deleted_timestamp = 1")
        #expect(try verdicts(live, right)[.webhooks] == nil)
    }

    @Test(
        "a backup, doctor's list and a restore say what the keys at hand open; neither they nor what comes of them is in what is kept"
    )
    func told() throws {
        let (live, connection) = try filled("keys_told")
        try connection.execute("delete from secrets where secret_name <> 'own'")
        func told(_ keys: ServerKeys) throws -> (backup: [String], restore: [String]) {
            try live.awaitOlderTransactions()
            let work = workspace(live, keys)
            let made = try BackupJob(work, options: .init(), version: "test").run()
            let manifest = String(
                decoding: try #require(try live.item(made.name).quickManifest()).encoded(), as: UTF8.self)
            for part in [Self.passphrase, Self.webhookKey, Self.otherKey, "another one", "verdict", "opens"] {
                #expect(!manifest.contains(part), "\(part)")
            }
            let restored = try RestoreJob(work, options: .init(mode: .full, force: false)).run(made.name.string)
            return (made.warnings.map(\.english), restored.warnings.map(\.english))
        }
        func stores(_ keys: ServerKeys) -> [CoveredStore] {
            let work = workspace(live, keys)
            return work.stores(BackupPreflight(work, options: .init()).run()).filter { $0.kind == .keys }
        }
        let names = ["MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY", "MLFLOW_CRYPTO_KEK_PASSPHRASE"]

        let right = keys(Self.webhookKey, Self.passphrase)
        let good = try told(right)
        for (name, rows) in zip(names, ["1 webhook secret", "1 gateway secret"]) {
            #expect(
                good.backup.contains(
                    "The \(name) at hand opens \(rows) (the newest was tried). Keep it by itself: it is not in backups."
                ),
                "\(good.backup)")
            #expect(good.restore.contains { $0.hasPrefix("The \(name) at hand opens what was restored") })
        }
        #expect(stores(right).count == 2 && !stores(right).contains(where: \.isAtFault))

        let wrong = keys(Self.otherKey, "another one")
        let bad = try told(wrong)
        for name in names {
            #expect(bad.backup.contains { $0.hasPrefix("The \(name) at hand does not open") }, "\(bad.backup)")
            #expect(
                bad.restore.contains {
                    $0.hasPrefix("The \(name) at hand does not open") && $0.contains("these rows will answer 500")
                }, "\(bad.restore)")
        }
        let found = stores(wrong)
        #expect(found.map(\.name) == names && found.allSatisfy(\.isAtFault))
        #expect(found.allSatisfy { $0.text.english.contains("the one at hand does not open them") })

        // Who waits for seconds has no key derived for him.
        let hasty = BackupPreflight(workspace(live, wrong), options: .init(), patience: 2).run().notices.map(\.english)
        #expect(!hasty.contains { $0.contains("at hand") } && hasty.contains { names.allSatisfy($0.contains) })
    }

    /// Rows as somebody else may have written them.
    private func forged(_ name: String) throws -> (LiveStackFixture, Connection) {
        let live = try LiveStackFixture(name)
        let connection = try Connection(live.database)
        try connection.execute("create table webhooks (secret text)")
        try connection.execute("create table secrets (encrypted_value bytea, wrapped_dek bytea, kek_version bigint)")
        return (live, connection)
    }

    @Test(
        "a token that is none is malformed, whichever the key, and ends nothing",
        arguments: [
            "", "=", "====", "gAAAAA", "gAAAAA==", "\u{1F511}", "gA==gA==", String(repeating: "gAAA", count: 400),
            String(repeating: "gAAA", count: 100_000), "A" + otherToken.dropFirst(), otherToken + "AAAA",
            " " + otherToken.dropFirst(),
        ])
    func malformedToken(token: String) throws {
        let (live, connection) = try forged("keys_token")
        try connection.execute("insert into webhooks values (\(token))")
        for given in [keys(Self.otherKey), .none] {
            #expect(try verdicts(live, given)[.webhooks] == .malformed)
        }
    }

    @Test("a token of Fernet's specification is opened by its key, in either alphabet, and by no other key")
    func specification() throws {
        let (live, connection) = try forged("keys_fernet")
        try connection.execute("insert into webhooks values (\(Self.otherToken))")
        let classic = Self.otherKey.replacing("_", with: "/").replacing("-", with: "+")
        for key in [Self.otherKey, classic, "\(Self.otherKey) \n"] {
            #expect(try verdicts(live, keys(key))[.webhooks] == .opens(version: nil))
        }
        #expect(try verdicts(live, keys(Self.webhookKey))[.webhooks] == .wrong(isDefault: false))
        for key in [String(Self.otherKey.dropLast()), "AAAA", "\u{1F511}", Self.otherKey + "AAAA"] {
            #expect(try verdicts(live, keys(key))[.webhooks] == .noKey)
        }
    }

    @Test(
        "a wrapped key of another size, or of a version that MLflow has no number for, is malformed",
        arguments: [
            ("", "1"), ("00", "1"), (String(repeating: "00", count: 59), "1"),
            (String(repeating: "00", count: 61), "1"),
            (String(repeating: "00", count: 5000), "1"), (String(repeating: "00", count: 60), "-1"),
            (String(repeating: "00", count: 60), "4294967296"), (String(repeating: "00", count: 60), nil),
        ] as [(String, String?)])
    func malformedWrapping(hex: String, version: String?) throws {
        let (live, connection) = try forged("keys_wrapped")
        try connection.execute("insert into secrets values ('x', decode(\(hex), 'hex'), \(version)::text::bigint)")
        #expect(try verdicts(live, keys(nil, "p"))[.gateway] == .malformed)
        let notices = BackupPreflight(workspace(live, .none), options: .init()).run().notices.map(\.english)
        #expect(notices.contains { $0.contains("the newest is malformed") }, "\(notices)")
    }

    @Test("columns of another type than MLflow's cannot be tried, and hide nothing else")
    func otherTypes() throws {
        let live = try LiveStackFixture("keys_types")
        let connection = try Connection(live.database)
        try connection.execute("create table secrets (encrypted_value text, wrapped_dek integer, kek_version text)")
        try connection.execute("insert into secrets values ('x', 1, 'one')")
        guard case .untold = try verdicts(live, keys(nil, "p"))[.gateway] else {
            Issue.record("\(try verdicts(live, keys(nil, "p")))")
            return
        }
        #expect(
            try live.backup().warnings.map(\.english).contains {
                $0.hasPrefix("1 gateway secret can be read only with a key that is not in a backup")
            })
    }
}
