// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing
import Wording

@testable import Postgres

@Suite("Whose MLflow's tables become where none is there that says so", .onEachPostgres)
struct EmptyLiveTests {
    let ground: RestoringFixture
    let source: ConnectionSettings
    let staging: String

    init() throws {
        ground = try RestoringFixture()
        source = try ground.server.freshDatabase("empty_of_another")
        staging = "m_stg_\(source.database)"
        try ground.run(
            source, ["create table runs (id serial)", "create table metrics (id int)", "create table tags (id int)"])
        try ground.dump(source)
        // An empty database of staging's role, on the server that production's is on, too.
        try ground.server.asSuperuser(
            in: source,
            [
                "drop table runs, metrics, tags", "create role \(identifier: staging) login createdb password 'x'",
                "alter database \(identifier: source.database) owner to \(identifier: staging)",
            ])
    }

    private let application: Set<String> = ["runs", "metrics", "tags"]

    private func restored(_ name: String, ofAnother: Bool) throws -> (owners: [String], told: [BeyondRestore]) {
        let (target, told) = try ground.restore(
            source, as: ground.server.superuser, name, dumper: "mlflow_user", application: application,
            ofAnother: ofAnother)
        return (try ground.texts(ground.admin(target), ground.owners), told)
    }

    @Test("of another stack's backup they are its whose the database is, and both are named")
    func another() throws {
        let (owners, told) = try restored("whole", ofAnother: true)
        #expect(owners == [staging], "\(told)")
        let shown = BeyondRestore.afterwards(told)
        #expect(shown.contains { $0.english.contains(staging) && $0.english.contains("mlflow_user") }, "\(shown)")
        #expect(shown.contains { $0.chinese.contains(staging) && $0.chinese.contains("mlflow_user") }, "\(shown)")
    }

    @Test("so it is where a table or two are left, too few to say it")
    func fewLeft() throws {
        try ground.server.asSuperuser(
            in: source, ["create table tags (id int)", "alter table tags owner to \(identifier: staging)"])
        #expect(try restored("few", ofAnother: true).owners == [staging])
    }

    @Test("of this stack's own they are the role's whose they were, and both are named")
    func own() throws {
        let (owners, told) = try restored("own", ofAnother: false)
        #expect(owners == ["mlflow_user"], "\(told)")
        let shown = BeyondRestore.afterwards(told)
        #expect(shown.contains { $0.english.contains(staging) && $0.english.contains("mlflow_user") }, "\(shown)")
    }

    @Test("a role that was let make tables in the empty database is MLflow's there, and so is a member of its owner")
    func mayMake() throws {
        try ground.run(ground.admin(source), ["grant create on schema public to mlflow_user"])
        #expect(try restored("granted", ofAnother: true).owners == ["mlflow_user"])
        try ground.run(
            ground.admin(source),
            ["revoke create on schema public from mlflow_user", "grant \(identifier: staging) to mlflow_user"])
        let (owners, told) = try restored("member", ofAnother: true)
        try ground.run(ground.server.superuser, ["revoke \(identifier: staging) from mlflow_user"])
        #expect(owners == ["mlflow_user"], "\(told)")
    }

    /// An empty database that an administrator made, and in which he let staging's role make tables.
    private func letStagingMake(ownedBy owner: String) throws {
        try ground.server.asSuperuser(
            in: source,
            [
                "alter database \(identifier: source.database) owner to \(identifier: owner)",
                "grant all on schema public to \(identifier: staging)",
                "grant all on database \(identifier: source.database) to \(identifier: staging)",
            ])
    }

    private func mayMake(_ role: String, _ name: String) throws -> [String] {
        try ground.texts(
            ground.admin(source.naming(database: "\(source.database)_\(name)")),
            "select has_schema_privilege(\(role), 'public', 'create')::text")
    }

    @Test("of a database that is a superuser's they are the role's that alone was let make tables, which can go on")
    func letMake() throws {
        try letStagingMake(ownedBy: "postgres")
        let (owners, told) = try restored("maker", ofAnother: true)
        #expect(owners == [staging], "\(told)")
        #expect(try mayMake(staging, "maker") == ["true"])
        let shown = BeyondRestore.afterwards(told)
        #expect(shown.contains { $0.english.contains(staging) && $0.english.contains("mlflow_user") }, "\(shown)")
    }

    @Test("where two were let none of them is meant, but both are named, with what they can do no more")
    func twoLetMake() throws {
        let second = "m_two_\(source.database)"
        try letStagingMake(ownedBy: "postgres")
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: second)", "grant create on schema public to \(identifier: second)",
            ])
        let (owners, told) = try restored("two", ofAnother: true)
        #expect(owners == ["mlflow_user"], "\(told)")
        for role in [staging, second] {
            #expect(told.contains { $0.fate == .passedOver && $0.name == role }, "\(told)")
            #expect(
                told.contains { $0.fate == .shutOut && $0.name == role && $0.reason == "CREATE ON SCHEMA public" },
                "\(told)")
        }
    }

    @Test("whose the database is comes before who was let make tables, who is named with what he can do no more")
    func ownerFirst() throws {
        let administrator = "m_dba_\(source.database)"
        try ground.server.asSuperuser(in: source, ["create role \(identifier: administrator)"])
        try letStagingMake(ownedBy: administrator)
        let (owners, told) = try restored("dba", ofAnother: true)
        #expect(owners == [administrator], "\(told)")
        let passedOver = told.filter { $0.fate == .passedOver }.map(\.name)
        #expect(Set(passedOver) == ["mlflow_user", staging], "\(told)")
        #expect(
            told.contains { $0.fate == .shutOut && $0.name == staging && $0.reason == "CREATE ON SCHEMA public" },
            "\(told)")
    }
}
