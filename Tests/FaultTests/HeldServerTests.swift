// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing

/// A server that goes on working for a client that is dead. On a server of its own: it is held as a whole.
@Suite(.serialized, .aheadBesideThePool) struct HeldServerTests {
    @Test func aDatabaseThatIsStillBeingCreatedForADeadRestoreIsGoneAfterTheNextRun() throws {
        let server = try TemporaryPostgres()
        defer { server.stop() }
        let stack = try FaultStack("creating", on: server)
        let holder = try Connection(server.superuser.naming(database: "postgres"))
        defer { holder.close() }
        try holder.execute("begin")
        // CREATE DATABASE waits for it; sessions and readers do not.
        try holder.execute("lock table pg_catalog.pg_database in share mode")
        let restore = try stack.program.start(["restore", "--quiet", "--force", stack.archive])
        try waitFor("create database", server)
        kill(restore.processIdentifier, SIGKILL)
        restore.waitUntilExit()

        try recoverWhileHeld(stack) { try holder.execute("commit") }
        #expect(stack.named(stack.live()) == "old")
        try expectSettled(stack)
    }

    @Test func renamesThatAreStillBeingCommittedForADeadRestoreEndEntirelyOldOrEntirelyNew() throws {
        let server = try TemporaryPostgres()
        defer { server.stop() }
        let stack = try FaultStack("committing", on: server)
        let superuser = try Connection(server.superuser.naming(database: "postgres"))
        defer { superuser.close() }
        try superuser.execute("alter role mlflow_user set synchronous_commit = on")
        let arguments = ["restore", "--quiet", "--force", stack.archive]
        let (step, number) = try commitOfTheRenames(stack, arguments)
        try stack.reset(live: true)

        // A standby that never comes: COMMIT is done on disk, and waits, unseen by others.
        let bystander = try Bystander(server) { session, _ in
            try session.execute("alter system set synchronous_standby_names = 'nobody'")
            try session.execute("select pg_reload_conf()")
            usleep(500_000)
        }
        defer { bystander.finish() }
        let restore = try stack.program.start(arguments, Fault(step, number: number, .askBefore, ask: bystander.ask))
        defer { kill(restore.processIdentifier, SIGKILL) }
        try Patience.wait("a COMMIT that is held") {
            try !superuser.rows("select from pg_stat_activity where wait_event = 'SyncRep'").isEmpty
        }
        kill(restore.processIdentifier, SIGKILL)
        restore.waitUntilExit()

        try recoverWhileHeld(stack) {
            try superuser.execute("alter system reset synchronous_standby_names")
            try superuser.execute("select pg_reload_conf()")
        }
        let state = stack.named(stack.live())
        #expect(state == "old" || state == "new", "after recover the live data is \(state)")
        try expectSettled(stack)
    }

    /// Starts a recovery while the server is held, lets go once it waits for the dead restore's sessions, and expects it to
    /// end well.
    private func recoverWhileHeld(_ stack: FaultStack, release: () throws -> Void) throws {
        let recovery = try stack.program.start(["recover"])
        defer { kill(recovery.processIdentifier, SIGKILL) }
        let session = try Connection(stack.ground.server.superuser.naming(database: "postgres"))
        defer { session.close() }
        try Patience.wait("a recovery that asks who holds the stack's lock") {
            try !session.rows(
                """
                select from pg_stat_activity where application_name like 'mlflow-backup recovery%'
                  and (query like '%pg_try_advisory_lock%' or query like '%a.application_name as program%')
                """
            ).isEmpty
        }
        // Twice the time between two of its tries: with the lock it would have gone on.
        usleep(400_000)
        #expect(recovery.isRunning)
        try release()
        try Patience.wait("recover to end", atMost: 90) { !recovery.isRunning }
        #expect(recovery.terminationStatus == 0, "recover")
    }

    private func expectSettled(_ stack: FaultStack) throws {
        let backup = try stack.program.run(["backup", "--quiet"])
        #expect(backup.succeeded, "the next backup: \(backup.saying)")
        let left = try Remains(stack.ground).found()
        #expect(left.isEmpty, "\(left)")
    }

    private func waitFor(_ statement: String, _ server: TemporaryPostgres) throws {
        let session = try Connection(server.superuser.naming(database: "postgres"))
        defer { session.close() }
        try Patience.wait("\(statement) that is held") {
            try !session.rows(
                "select from pg_stat_activity where wait_event_type = 'Lock' and query ilike \(statement + "%")"
            ).isEmpty
        }
    }

    /// Which of the program's many COMMITs makes the swap.
    private func commitOfTheRenames(_ stack: FaultStack, _ arguments: [String]) throws -> (Step, Int) {
        let (ended, trace) = try stack.program.trace(arguments)
        try #require(ended.succeeded, "\(ended.saying)")
        let statements = trace.filter { $0.kind == .statement }
        let rename = statements.lastIndex {
            $0.place.lowercased().hasPrefix("alter database") && $0.place.lowercased().contains(" rename to ")
        }
        let after = try #require(rename, "no rename among \(statements.map(\.place))")
        let index = try #require(statements[after...].firstIndex { $0.place.lowercased() == "commit" })
        return (statements[index], statements[...index].count(where: statements[index].matches))
    }
}
