// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing
import Wording

@testable import Postgres

@Suite("What a restore says of roles that are away", .onEachPostgres)
struct AwayRoleTests {
    let ground: RestoringFixture

    init() throws { ground = try RestoringFixture() }

    @Test("what one role that is away does not get is one entry, after what matters more, and all of the rest is told")
    func oneEntry() throws {
        let source = try ground.server.freshDatabase("away")
        let (readers, other, owner) = (
            "re TO ad\(source.database)", "other_\(source.database)", "own_\(source.database)"
        )
        try ground.run(source, (1...30).map { "create table \(identifier: "t\($0)") (id int)" })
        try ground.run(source, ["create table runs (id int)"])
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: readers)", "create role \(identifier: other)",
                "create role \(identifier: owner)",
                "grant select on all tables in schema public to \(identifier: readers)",
                "grant select on runs to \(identifier: other)",
                "alter default privileges for role mlflow_user grant select on tables to \(identifier: readers)",
                "alter default privileges for role mlflow_user grant usage on sequences to \(identifier: readers)",
                "create policy p3 on t3 as restrictive to \(identifier: readers) using (id > 0)",
                "create function noted() returns trigger security definer language plpgsql as 'begin return new; end'",
                "create trigger noting before insert on runs for each row execute function noted()",
                "alter function noted owner to \(identifier: owner)",
            ]
                + (4...8).map {
                    "create policy p on \(identifier: "t\($0)") to \(identifier: readers) using (true)"
                })
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(
            in: source,
            [
                "drop function noted cascade", "drop owned by \(identifier: readers), \(identifier: other)",
                "drop role \(identifier: readers), \(identifier: other), \(identifier: owner)",
            ])
        let (_, told) = try ground.restore(
            source, as: ground.server.superuser, "restored", dumper: "postgres", application: ["runs"])
        let shown = BeyondRestore.list(told).english
        #expect(told.first?.description == "trigger noting on public.runs", "\(told)")
        for text in [
            "31 grants to \(readers)", "2 default privileges of or to \(readers)", "5 policies for \(readers)",
            "grant GRANT SELECT ON TABLE public.runs TO \(other)", "policy public.t3 p3",
        ] { #expect(shown.contains(text), "\(text): \(shown)") }
        #expect(told.last?.kind == "default privileges", "\(told)")
        #expect(BeyondRestore.list(told).chinese.contains("授予 \(readers) 的 31 项权限"))
    }

    @Test("a list that is longer than a sentence is told to its end, consequences first")
    func longList() {
        let views = (1...44).map { BeyondRestore(kind: "view", name: "v\($0).", fate: .leftOut) }
        let told = BeyondRestore.afterwards(
            BeyondRestore.ordered(
                views + [
                    BeyondRestore(kind: "trigger", name: "noting on public.runs", fate: .leftOut).because("DISABLED"),
                    BeyondRestore(kind: "role", name: "app", fate: .shutOut).because("INSERT ON public.runs"),
                ]))
        #expect(told.count == 4, "\(told)")
        #expect(told[0].english.contains("role app (INSERT ON public.runs)"), "\(told)")
        #expect(told[1].english.contains(": trigger noting on public.runs"), "\(told)")
        for view in views { #expect(told.contains { $0.english.contains(view.name) }) }
        for view in views { #expect(told.contains { $0.chinese.contains(view.name) }) }
    }
}
