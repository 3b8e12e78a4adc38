// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Testing

/// What became of the faults of one operation.
struct Tally {
    private let title: String
    private let start = MonotonicTime.nanoseconds()
    private var (cases, failed, met) = (0, 0, 0)
    private var unmet: [String] = []

    init(_ title: String) { self.title = title }

    mutating func add(_ fault: Fault, _ verdict: Trial.Verdict) {
        cases += 1
        if verdict.isHit { met += 1 } else { unmet.append("\(fault)") }
        guard !verdict.wrong.isEmpty else { return }
        failed += 1
        Issue.record("\(title), \(fault):\n  \(verdict.wrong.joined(separator: "\n  "))")
    }

    /// A fault that lies in wait at a step which never comes shows nothing. A few runs take other steps than the one that
    /// was traced: threads and other processes are in play.
    func expectMost() {
        #expect(cases > 0, "\(title): nothing was tried")
        #expect(cases - met <= max(2, cases / 20), "\(title): not met were \(unmet)")
    }

    func summary(_ detail: String = "") -> String {
        let seconds = MonotonicTime.seconds(since: start).rounded()
        return "faults: \(title): \(detail)\(cases) cases, \(met) met, \(failed) failed, \(seconds) s"
    }
}
