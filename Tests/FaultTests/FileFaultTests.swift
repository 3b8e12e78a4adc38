// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// Disks that refuse, fill up, cut short and die, and kills at every change of a file.
///
/// A spread of the kinds of call sites, twice as many with `scripts/test --long`; `MLFLOW_FAULTS=all` tries every step,
/// `all:0/4` a quarter of them. `plan` and `plan-all` only print them.
@Suite(.besideThePool) struct FileFaultTests {
    @Test(arguments: Operation.chosen)
    func whateverTheDiskDoesNothingGoodIsLostAndNothingFalseIsSaid(_ operation: Operation) throws {
        guard try operation.isOffered else {
            print("faults: this binary does not offer `\(operation.title)`")
            return
        }
        let stack = try FaultStack("files")
        try stack.reset(live: true)
        try operation.before(stack)
        try stack.waitUntilOld()
        let (ended, trace) = try stack.program.trace(operation.arguments(stack))
        try #require(ended.succeeded, "without a fault: \(ended.saying)")
        let trial = Trial(stack: stack, operation: operation, usual: Set(try Listing(stack.program).names))
        let faults = FaultPlan.files(
            trace, share: operation.share, records: operation.title == "backup", composed: operation.isComposed)
        if ProcessInfo.processInfo.environment["MLFLOW_FAULTS"]?.hasPrefix("plan") == true {
            // To see what would be tried.
            return faults.forEach { print("fault: \(operation.title), \($0)") }
        }
        var tally = Tally(operation.title)
        for fault in faults { tally.add(fault, trial.run(fault)) }
        print(tally.summary("\(trace.count) steps, "))
        tally.expectMost()
    }
}
