// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import SystemIO
import TestSupport

/// Which faults to try on an operation, chosen from its trace.
enum FaultPlan {
    /// `MLFLOW_FAULTS=all`: every step; `all:2/5` the second of five parts of these. Else each kind of call site once with an error and once with a kill.
    static var isExhaustive: Bool { wish.contains("all") }

    private static var wish: Substring { (ProcessInfo.processInfo.environment["MLFLOW_FAULTS"] ?? "")[...] }

    /// Of the exhaustive form, every so manyth, beginning with which.
    private static var part: (offset: Int, of: Int) {
        let numbers = wish.split(separator: ":").last?.split(separator: "/").compactMap { Int($0) } ?? []
        return numbers.count == 2 && numbers[1] > 0 ? (numbers[0] % numbers[1], numbers[1]) : (0, 1)
    }

    /// `MLFLOW_FAULTS_NAMED`, beside `all`: those alone whose name, as they are reported, has this in it.
    private static var named: String? { ProcessInfo.processInfo.environment["MLFLOW_FAULTS_NAMED"] }

    /// - Parameter share: every so manyth of the sample (`oneIn`); for operations that share most of their call sites with
    ///   another one.
    /// - Parameter records: whether the task store and the lock's note are tried, which are the same each time.
    /// - Parameter composed: of parts that are operations of their own here: it has the short form alone.
    static func files(_ trace: [Step], share: Int, records: Bool, composed: Bool) -> [Fault] {
        if isExhaustive, !composed {
            let (offset, count) = part
            let all = exhaustive(trace, records: records)
            if let named { return all.filter { "\($0)".contains(named) } }
            return all.enumerated().filter { $0.offset % count == offset }.map(
                \.element)
        }
        return oneIn(share, of: sample(trace, records: records))
    }

    /// Of `scripts/test --long` every so manyth, and half of these of `scripts/test`.
    private static func oneIn<Case>(_ share: Int, of cases: [Case]) -> [Case] {
        let share = TestForm.pick(short: 2 * share, long: share)
        return cases.enumerated().filter { $0.offset % share == 0 }.map(\.element)
    }

    /// Each step with its number among those that its pattern matches.
    private static func numbered(_ trace: [Step]) -> [(step: Step, number: Int)] {
        var before: [String: [Step]] = [:]
        return trace.map { step in
            before["\(step.kind) \(step.call)", default: []].append(step)
            return (step, before["\(step.kind) \(step.call)", default: []].count(where: step.matches))
        }
    }

    private static func exhaustive(_ trace: [Step], records: Bool) -> [Fault] {
        var faults: [Fault] = []
        for (step, number) in numbered(trace.filter { $0.kind != .statement }) {
            if isRecord(step), !records { continue }
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

    /// The first step of each site, so that the choice does not depend on chance. The error and the side of the kill go
    /// round, so that all sites together see each. Of what decides between old and new, every step, each with both.
    private static func sample(_ trace: [Step], records: Bool) -> [Fault] {
        var faults: [Fault] = []
        var seen: Set<String> = []
        var turn = 0
        for (step, number) in numbered(trace.filter { $0.kind != .statement }) {
            if isRecord(step), !records { continue }
            // Opening fails as reading does, and is handled at the same place.
            if step.kind == .read, isRecord(step) || ["open", "opendir"].contains(step.call) { continue }
            guard seen.insert(step.site).inserted || isDecisive(step) else { continue }
            let error = Fault(step, number: number, .error(Fault.errors[turn % Fault.errors.count]))
            let kill = Fault(step, number: number, turn % 4 < 2 ? .killAfter : .killBefore)
            turn += 1
            if step.kind == .read {
                faults.append(Fault(step, number: number, .error(EIO)))
            } else if isDecisive(step) {
                faults += [error, kill]
            } else if Fault.divisible.contains(step.call) {
                faults += [Fault(step, number: number, .short), turn % 2 == 0 ? error : kill]
            } else {
                faults.append(turn % 2 == 0 ? error : kill)
            }
        }
        let changes = trace.lazy.filter { $0.kind == .change }.count
        for part in 1...4 where changes > 8 {
            faults.append(Fault(deadFrom: changes * part / 5, Fault.errors[part % Fault.errors.count]))
        }
        return faults
    }

    /// The task store and the lock's note: records for people, on which no operation depends.
    private static func isRecord(_ step: Step) -> Bool {
        step.place.contains("/tasks.sqlite") || step.place.hasSuffix("/lock")
    }

    /// Names that make something live, or a backup good.
    private static func isDecisive(_ step: Step) -> Bool {
        guard step.kind == .change, step.call != "close" else { return false }
        return step.place.contains("journal") || step.call.hasPrefix("rename")
            || step.place.hasPrefix("backups/mlflow_backup_") && step.place.contains(".json.")
    }

    /// Every statement with each action; in the sample every so manyth (`oneIn`), with one of them in turn.
    static func statements(_ trace: [Step], _ actions: [Fault.Action], ask: FilePath, share: Int) -> [Fault] {
        let all = numbered(trace.filter { $0.kind == .statement })
        if isExhaustive {
            return all.flatMap { step, number in actions.map { Fault(step, number: number, $0, ask: ask) } }
        }
        return oneIn(share, of: all).enumerated().map { turn, found in
            let (step, number) = found
            return Fault(step, number: number, actions[turn % actions.count], ask: ask)
        }
    }
}
