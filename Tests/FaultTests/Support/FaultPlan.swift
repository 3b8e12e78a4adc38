// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// Which faults to try on an operation, chosen from its trace.
enum FaultPlan {
    /// `MLFLOW_FAULTS=all`: every step. Else each kind of call site once with an error and once with a kill.
    static var isExhaustive: Bool { ProcessInfo.processInfo.environment["MLFLOW_FAULTS"] == "all" }

    static func files(_ trace: [Step]) -> [Fault] {
        isExhaustive ? exhaustive(trace) : sample(trace)
    }

    /// Each step with its number among those that its pattern matches.
    private static func numbered(_ trace: [Step]) -> [(step: Step, number: Int)] {
        trace.enumerated().map { index, step in
            (step, trace[...index].lazy.filter(step.matches).count)
        }
    }

    static func exhaustive(_ trace: [Step]) -> [Fault] {
        var faults: [Fault] = []
        for (step, number) in numbered(trace.filter { $0.kind != .statement }) {
            let actions: [Fault.Action] =
                step.kind == .read
                ? [.error(EIO)]
                : Fault.errors.map { .error($0) } + (Fault.divisible.contains(step.call) ? [.short] : [])
                    + [.killBefore, .killAfter]
            faults += actions.map { Fault(step, number: number, $0) }
        }
        let changes = trace.lazy.filter { $0.kind == .change }.count
        faults += stride(from: 1, through: changes, by: 3).flatMap { number in
            Fault.errors.map { Fault(deadFrom: number, $0) }
        }
        return faults
    }

    /// The first step of each site, so that the choice does not depend on chance; the error and the side of the kill
    /// go round, so that all sites together see each.
    static func sample(_ trace: [Step]) -> [Fault] {
        var faults: [Fault] = []
        var seen: Set<String> = []
        var turn = 0
        for (step, number) in numbered(trace.filter { $0.kind != .statement })
        where seen.insert(step.site).inserted {
            if step.kind == .read {
                faults.append(Fault(step, number: number, .error(EIO)))
                continue
            }
            faults.append(Fault(step, number: number, .error(Fault.errors[turn % Fault.errors.count])))
            faults.append(Fault(step, number: number, turn % 2 == 0 ? .killAfter : .killBefore))
            if Fault.divisible.contains(step.call) { faults.append(Fault(step, number: number, .short)) }
            turn += 1
        }
        let changes = trace.lazy.filter { $0.kind == .change }.count
        for part in 1...4 where changes > 8 {
            faults.append(Fault(deadFrom: changes * part / 5, Fault.errors[part % Fault.errors.count]))
        }
        return faults
    }

    /// Every statement once for each action.
    static func statements(_ trace: [Step], _ actions: [Fault.Action]) -> [Fault] {
        numbered(trace.filter { $0.kind == .statement }).flatMap { step, number in
            actions.map { Fault(step, number: number, $0) }
        }
    }
}
