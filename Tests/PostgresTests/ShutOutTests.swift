// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing
import Wording

@testable import Postgres

@Suite("Who is shut out by a restore", .onEachPostgres)
struct ShutOutTests {
    let ground: RestoringFixture

    init() throws { ground = try RestoringFixture() }

    @Test("who could write into any of MLflow's tables and cannot any more is named once, however he could")
    func shutOut() throws {
        let source = try ground.server.freshDatabase("shut_out")
        let roles = ["app", "updates", "deletes", "models", "team", "member", "still"]
        let named = Dictionary(uniqueKeysWithValues: roles.map { ($0, "\($0)_\(source.database)") })
        func role(_ name: String) -> String { named[name] ?? "" }
        try ground.run(
            source, ["runs", "params", "registered_models"].map { "create table \(identifier: $0) (id int)" })
        try ground.server.asSuperuser(
            in: source,
            roles.map { "create role \(identifier: role($0)) login" } + [
                "alter role \(identifier: role("team")) nologin", "alter role \(identifier: role("member")) noinherit",
                "grant \(identifier: role("team")) to \(identifier: role("member"))",
                "grant insert on runs to \(identifier: role("still"))",
            ])
        try ground.dump(source)
        try ground.run(
            source,
            [
                "grant insert, update on runs to \(identifier: role("app"))",
                "grant insert on params to \(identifier: role("app"))",
                "grant update on runs to \(identifier: role("updates"))",
                "grant delete on params to \(identifier: role("deletes"))",
                "grant insert on registered_models to \(identifier: role("models")), \(identifier: role("team"))",
            ])
        let (_, told) = try ground.restore(source, as: source, "restored", application: ["runs"])
        let expected = [
            ("app", "INSERT, UPDATE ON public.params, public.runs"), ("deletes", "DELETE ON public.params"),
            ("member", "INSERT ON public.registered_models"), ("models", "INSERT ON public.registered_models"),
            ("updates", "UPDATE ON public.runs"),
        ].map { "role \(role($0.0)) \($0.1)" }
        #expect(told.map { "\($0.description) \($0.reason ?? "")" } == expected, "\(told)")
        #expect(told.allSatisfy { $0.fate == .shutOut })
    }

    @Test("MLflow's role that may see and make rows, and change or remove none, is named")
    func changesNone() throws {
        let (heir, told) = try restored("changes_none") { group in
            [
                "create policy s on runs for select using (true)",
                "create policy i on runs for insert with check (true)",
                "create policy u on runs for update to \(group) using (true)",
                "create policy d on runs for delete using (true)",
            ]
        }
        let named = told.filter { $0.fate == .shutOut }.map { "\($0.name) \($0.reason ?? "")" }
        #expect(named == ["\(heir) ROW LEVEL SECURITY ON public.runs"], "\(told)")
    }

    @Test("where policies ask who reads, it is said that nobody knows what MLflow's role sees; of others it is not")
    func asksWhoReads() throws {
        let (heir, told) = try restored("asks_who") { group in
            [
                "create policy mine on runs using (current_user = 'mlflow_user')",
                "create policy kept on runs as restrictive using (pg_has_role(current_user, 'mlflow_user', 'member'))",
                "create policy plain on runs as restrictive using (id < 100 and team <> 'x')",
            ]
        }
        let shown = BeyondRestore.afterwards(told).filter { $0.english.contains(heir) && $0.english.contains("mine") }
        #expect(shown.count == 1 && shown[0].chinese.contains(heir), "\(told)")
        #expect(shown.first?.english.contains("kept") == true && shown.first?.english.contains("plain") == false)
        // One that shows all of them makes the others matter no more.
        let (_, open) = try restored("asks_nobody") { _ in
            [
                "create policy mine on runs using (current_user = 'mlflow_user')",
                "create policy every on runs using (true)",
            ]
        }
        #expect(open.allSatisfy { $0.fate == .handedOver }, "\(open)")
    }

    /// Tables whose policies bind their owner, too, which are another role's here.
    private func restored(_ name: String, _ policies: (SQL) -> [SQL]) throws -> (heir: String, told: [BeyondRestore]) {
        let source = try ground.server.freshDatabase(name)
        let (heir, group) = ("heir_\(source.database)", "group_\(source.database)")
        try ground.run(source, ["create table runs (id int, team text)"])
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: heir)", "create role \(identifier: group)",
                "grant \(identifier: group) to mlflow_user", "alter table runs enable row level security",
                "alter table runs force row level security",
            ] + policies("\(identifier: group)"))
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(
            in: source,
            [
                "alter table runs owner to \(identifier: heir)",
                "alter database \(identifier: source.database) owner to \(identifier: heir)",
                "revoke \(identifier: group) from mlflow_user",
            ])
        let (_, told) = try ground.restore(
            source, as: ground.server.superuser, "restored", dumper: "mlflow_user", application: ["runs"])
        return (heir, told)
    }
}
