// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

/// Kills, and sessions that the server ends, at each statement.
@Suite(.besideThePool) struct StatementFaultTests {
    static let operations = Operation.chosen.filter {
        [
            "backup", "restore --force ARCHIVE", "recover before the swap", "recover in the middle of the swap",
            "restore --undo",
        ]
        .contains($0.title)
    }

    @Test(arguments: operations)
    func atWhicheverStatementAClientOrItsSessionDiesTheDataIsOneOrTheOther(_ operation: Operation) throws {
        guard try operation.isOffered else {
            print("faults: this binary does not offer `\(operation.title)`")
            return
        }
        let stack = try FaultStack("statements")
        try stack.reset(live: true)
        try operation.before(stack)
        let (ended, trace) = try stack.program.trace(operation.arguments(stack))
        try #require(ended.succeeded, "without a fault: \(ended.saying)")
        let trial = Trial(stack: stack, operation: operation, usual: [])
        let bystander = try Bystander(stack.ground.server, Bystander.terminate)
        defer { bystander.finish() }
        let faults = FaultPlan.statements(
            trace, [.killBefore, .askAfter, .killAfter, .askBefore], ask: bystander.ask,
            share: operation.promise == .restored ? 16 : operation.promise == .undone ? 12 : 4)
        var tally = Tally("statements of \(operation.title)")
        for fault in faults {
            try bystander.clear()
            tally.add(fault, trial.run(fault))
        }
        print(tally.summary())
        tally.expectMost()
    }
}
