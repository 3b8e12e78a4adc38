// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

@testable import Postgres

@Suite("Who is shut out by a restore")
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
}
