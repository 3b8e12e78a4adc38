// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Removes kept parts whose time is over and whose every content is provably in a verified backup. Under both locks, as
/// a step of its own: nothing it meets stops the operation it comes before.
struct KeptExpiry {
    private let workspace: Workspace
    private let hold: Hold

    /// Seconds between two comparisons of a part that stayed because of what is in it: each one reads its files.
    private static let patience: Int64 = 20 * 3600

    init(_ workspace: Workspace, _ hold: Hold) {
        self.workspace = workspace
        self.hold = hold
    }

    /// - Parameter evenEarly: also those whose time is not over yet, oldest first: room is needed.
    /// - Returns: bytes are free that were not; nobody counts them.
    func run(evenEarly: Bool = false) {
        do {
            for part in try KeptParts(workspace).all().reversed() where evenEarly || isOver(part) {
                try consider(part)
            }
        } catch {
            workspace.log.warning("kept parts could not be looked at", ["reason": error.bilingual[.english]])
        }
    }

    /// The index says what the covering backup holds; only a reading says that it still does.
    private func readCover(of part: KeptPart) throws {
        guard let name = part.coveredBy else { return }
        let item = try Catalogue(workspace.folder).item(named: name)
        do {
            try Verification(workspace.folder, log: workspace.log, cancellation: workspace.cancellation).run(item)
        } catch is Verification.NotRecorded {
            // It was read, which is what matters here.
        }
    }

    /// By a clock that may have jumped: a part that seems to be of the future has just been made.
    private func isOver(_ part: KeptPart) -> Bool {
        let now = LocalTime.now().epoch
        guard Self.age(of: part.replacedAt, now) >= workspace.keepSeconds else { return false }
        return part.checkedAt.map { Self.age(of: $0, now) >= Self.patience || $0 > now } ?? true
    }

    /// Seconds; less than none for a time in the future. The record may say anything.
    private static func age(of time: Int64, _ now: Int64) -> Int64 {
        let (age, overflow) = now.subtractingReportingOverflow(time)
        return overflow ? -1 : age
    }

    private func consider(_ part: KeptPart) throws {
        let missing = try KeptCoverage(workspace: workspace, databases: hold.databases).missing(part)
        let parts = KeptParts(workspace)
        guard missing.isEmpty else {
            var noted = part
            noted.checkedAt = LocalTime.now().epoch
            noted.missing = NewerData(missing)
            try noted.write(in: workspace.folder)
            workspace.log.warning(
                "a kept part stays: no backup holds all of it",
                ["kept": part.id, "such as": missing[0][.english], "to remove it": "mlflow-backup forget \(part.id)"])
            return
        }
        do {
            try readCover(of: part)
            try parts.remove(part, on: hold.databases)
            workspace.log.info("removed a kept part", ["kept": part.id, "covered by": part.coveredBy ?? ""])
        } catch {
            workspace.log.warning(
                "a kept part could not be removed",
                [
                    "kept": part.id, "reason": error.bilingual[.english],
                    "to do": "mend the reason, then it goes by itself: \(parts.folder(of: part.id))",
                ])
        }
    }
}
