// SPDX-License-Identifier: Apache-2.0

import Backup
import Wording

/// What a look before an operation found, to be said as a whole.
struct PreflightReport {
    private(set) var obstacles: [any Error] = []
    var notices: [BilingualText] = []
    var wouldRemove: [String] = []
    /// Whether the backup would be made and be suspicious.
    private(set) var isSuspicious = false
    /// Whether it would lack artifacts that the database names.
    private(set) var isPartial = false

    /// How the look ends where there is no obstacle.
    var exit: ExitCode { isSuspicious ? .suspicious : isPartial ? .partial : .success }

    /// Makes one look; what it throws is an obstacle.
    mutating func look(_ body: (inout PreflightReport) throws -> Void) {
        do { try body(&self) } catch { add(error) }
    }

    mutating func add(_ findings: Findings) {
        isSuspicious = isSuspicious || !findings.suspicions.isEmpty
        isPartial = isPartial || findings.isPartial
        notices += findings.suspicions + findings.notices
        for obstacle in findings.obstacles { add(obstacle) }
    }

    /// Two looks may find the same.
    private mutating func add(_ obstacle: any Error) {
        guard !obstacles.contains(where: { $0.bilingual == obstacle.bilingual }) else { return }
        obstacles.append(obstacle)
    }
}

/// `--json` of `doctor` and of `backup --dry-run`.
struct PreflightRepresentation: Encodable {
    struct Obstacle: Encodable {
        let code: String
        let message: String
    }

    let ready: Bool
    let obstacles: [Obstacle]
    let notices: [String]
    let would_remove: [String]
    let suspicious: Bool
    let partial: Bool

    init(_ report: PreflightReport, _ language: Language) {
        ready = report.obstacles.isEmpty
        obstacles = report.obstacles.map { .init(code: $0.stableCode, message: $0.bilingual[language]) }
        notices = report.notices.map { $0[language] }
        would_remove = report.wouldRemove
        suspicious = report.isSuspicious
        partial = report.isPartial
    }
}
