// SPDX-License-Identifier: Apache-2.0

import Wording

/// What an operation will meet, known before it touches anything. See docs/ground.md, "Findings".
package struct Finding: Sendable {
    /// What was looked at. The raw value is what `/health` calls it.
    package enum Check: String, Sendable, CaseIterable {
        case backupFolder = "backup_directory"
        case artifacts
        case database
        case tools = "pg_dump"
        case room = "disk_space"
        /// What an interrupted restore left.
        case settled = "restore_settled"
        /// What restores have kept, and whose the backups are.
        case keptParts = "kept_parts"
        case ownBackups = "own_backups"
        /// Of a restore: the backup that is to be brought back, and what is live and newer.
        case backup
        case newerData = "newer_data"
    }

    package enum Weight: Sendable {
        /// The operation would fail, or do harm, by this error.
        case obstacle(any Error)
        /// A backup would be made, and be suspicious: it pushes no other out, and a person has to accept it.
        case suspicion(BilingualText)
        /// A backup would be made, and be partial: artifacts that the database names would not be in it.
        case gap(BilingualText)
        /// The operation works, and leaves something out.
        case notice(BilingualText)
    }

    package let check: Check
    package let weight: Weight

    package var obstacle: (any Error)? { if case .obstacle(let error) = weight { error } else { nil } }
    package var isNotice: Bool {
        switch weight {
        case .notice, .gap: true
        case .obstacle, .suspicion: false
        }
    }
    var isGap: Bool { if case .gap = weight { true } else { false } }

    /// One sentence, with what to do.
    package var text: BilingualText {
        switch weight {
        case .obstacle(let error): error.bilingual
        case .suspicion(let text), .gap(let text), .notice(let text): text
        }
    }
}

/// Findings in the order in which they were made.
package struct Findings: Sendable {
    package private(set) var all: [Finding] = []
    /// What the database speaks of and a backup would not hold, with what the keys at hand open; `nil` for nothing, and where nobody
    /// could tell.
    var elsewhere: (found: Elsewhere, keys: [ServerKey: KeyVerdict])?

    package init() {}

    package var obstacles: [any Error] { all.compactMap(\.obstacle) }
    package var notices: [BilingualText] { all.filter(\.isNotice).map(\.text) }
    package var suspicions: [BilingualText] { all.filter { $0.obstacle == nil && !$0.isNotice }.map(\.text) }

    package var isPartial: Bool { all.contains(where: \.isGap) }

    /// The first obstacle, or what makes it suspicious.
    package func first(_ check: Finding.Check) -> Finding? { all.first { $0.check == check && !$0.isNotice } }

    package func notices(of check: Finding.Check) -> [BilingualText] {
        all.filter { $0.check == check && $0.isNotice }.map(\.text)
    }

    package func notices(but others: Set<Finding.Check>) -> [BilingualText] {
        all.filter { $0.isNotice && !others.contains($0.check) }.map(\.text)
    }

    func noticesBesideGaps(but others: Set<Finding.Check>) -> [BilingualText] {
        all.filter { $0.isNotice && !$0.isGap && !others.contains($0.check) }.map(\.text)
    }

    /// For a job: the first obstacle ends it. - Throws: that.
    package func throwFirst() throws {
        if let first = obstacles.first { throw first }
    }

    mutating func add(_ others: Findings) { all += others.all }

    mutating func note(_ check: Finding.Check, _ notices: [BilingualText]) {
        all += notices.map { Finding(check: check, weight: .notice($0)) }
    }

    mutating func noteGaps(_ check: Finding.Check, _ gaps: [BilingualText]) {
        all += gaps.map { Finding(check: check, weight: .gap($0)) }
    }

    mutating func suspect(_ check: Finding.Check, _ text: BilingualText) {
        all.append(Finding(check: check, weight: .suspicion(text)))
    }

    /// Makes one check; what it throws is an obstacle.
    /// - Returns: `nil` where there is one: what needs the result of the check cannot be asked.
    @discardableResult
    mutating func make<Result>(_ check: Finding.Check, _ body: () throws -> Result) -> Result? {
        do { return try body() } catch {
            all.append(Finding(check: check, weight: .obstacle(error)))
            return nil
        }
    }
}
