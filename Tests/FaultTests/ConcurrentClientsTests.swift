// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import SystemIO
import TestSupport
import Testing

/// Clients that write all the while that restores run. The short form has 12 clients and 4 restores, the long one 24, and 20 with `MLFLOW_FAULTS=all`.
@Suite(.besideThePool) struct ConcurrentClientsTests {
    @Test func whatWasAcknowledgedDuringRestoresIsLiveOrKeptOrNamed() throws {
        let mlflow = try MLflowServer("clients")
        defer { mlflow.stop() }
        let program = mlflow.ground.program
        try mlflow.makeExperiments()
        let first = try backup(program)
        let journal = mlflow.root.path.appending("acknowledged")
        let answers = mlflow.root.path.appending("answers")
        let stop = mlflow.root.path.appending("stop")
        try DurableFile.replace(journal, with: [])
        let script = FilePath(String(#filePath)).parent.appending("clients.py")
        let clients = Process()
        clients.executableURL = URL(fileURLWithPath: try MLflowServer.python().string)
        clients.arguments = [
            script.string, "write", mlflow.url, journal.string, stop.string, TestForm.pick(short: "12", long: "24"),
            "900",
        ]
        clients.environment = ["PATH": "/usr/bin:/bin"]
        try clients.run()
        defer { if clients.isRunning { kill(clients.processIdentifier, SIGKILL) } }

        usleep(1_500_000)
        let second = try backup(program)
        var told = ""
        var exits: [String] = []
        for round in 1...(FaultPlan.isExhaustive ? 20 : 4) {
            let isForced = round % 2 == 0
            let name = round % 4 < 2 ? second : first
            let ended = try program.run(
                ["restore", "--json"] + (isForced ? ["--force"] : []) + [name], seconds: 240)
            // Others are writing, so that without force it may only refuse.
            #expect(
                ended.succeeded || !isForced && ended.exit == .code(5),
                "restore \(round)\(isForced ? " by force" : ""): \(ended.saying)")
            told += ended.output + ended.errors
            exits.append("\(ended.exit)")
            usleep(700_000)
        }
        try DurableFile.replace(stop, with: [])
        try Patience.wait("the clients to end", atMost: 120) { !clients.isRunning }

        let recovered = try program.run(["recover"])
        #expect(recovered.succeeded, "recover: \(recovered.saying)")
        _ = try backup(program)
        let left = try Remains(mlflow.ground).found()
        #expect(left.isEmpty, "\(left)")

        let acknowledged = try Acknowledgements(journal)
        let lines = try ChildProcess(
            try MLflowServer.python(), [script.string, "check", mlflow.url, journal.string, answers.string]
        ).run()
        try #require(lines.succeeded, "\(lines.errors)")
        let text = String(decoding: try OpenFile(answers, .read).readAll(), as: UTF8.self)
        let answered = Set(text.split(separator: "\n").map(String.init))
        let vanished = try acknowledged.vanished(from: mlflow.ground, answered: answered, told: told)
        let halves = acknowledged.filesOfRuns(among: vanished, answered: answered)
        print(
            "faults: clients: \(acknowledged.count) acknowledged, \(answered.count) live, \(vanished.count) vanished, "
                + "of which \(halves) files of live runs; restores: \(exits)")
        #expect(acknowledged.count > 100, "the clients hardly wrote")
        if !vanished.isEmpty {
            Issue.record(
                """
                \(vanished.count) acknowledged things are nowhere, \(halves) of them files of live runs: \
                \(vanished.prefix(20).joined(separator: ", "))
                """)
        }
    }

    private func backup(_ program: Program) throws -> String {
        let before = Set((try? Listing(program).names) ?? [])
        let ended = try program.run(["backup", "--quiet"])
        // The first backup, brought back, may hold less than half of what one made later does: suspicious, and made.
        try #require(ended.succeeded || ended.exit == .code(8), "backup: \(ended.saying)")
        return try #require(try Listing(program).names.first { !before.contains($0) })
    }
}
