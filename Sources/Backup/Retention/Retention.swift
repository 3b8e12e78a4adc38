// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Removes backups that a rule lets go. Call it under the folder's lock, after a new backup is verified.
package struct Retention: Sendable {
    private let folder: BackupFolder
    private let stack: StackIdentity
    private let log: Log
    private let cancellation: Cancellation
    private let progress: ProgressSink

    package struct Outcome: Sendable {
        package var removed: [BackupName] = []
        /// What a person should know.
        package var warnings: [BilingualText] = []
        /// Whether everything that was to go is gone.
        package var isComplete = true
        /// What turned out damaged when it was read because others were to go.
        package var damaged: [BackupName] = []
    }

    /// - Parameter stack: whose backups may go.
    package init(
        _ folder: BackupFolder, of stack: StackIdentity, log: Log, cancellation: Cancellation = Cancellation(),
        progress: @escaping ProgressSink = { _ in }
    ) {
        self.folder = folder
        self.stack = stack
        self.log = log
        self.cancellation = cancellation
        self.progress = progress
    }

    init(_ workspace: Workspace, of stack: StackIdentity) {
        self.init(
            workspace.folder, of: stack, log: workspace.log, cancellation: workspace.cancellation,
            progress: workspace.progress)
    }

    /// What `apply` would remove, if all that stays is good.
    package func expired(by rule: RetentionRule, keeping pinned: Set<String> = []) throws -> [CatalogueItem] {
        try choice(rule, pinned, nil).going
    }

    /// - Parameters:
    ///   - pinned: names that stay whatever the rule says, and do not count: what a kept part of a restore needs.
    ///   - justMade: stays whatever its date is.
    ///   - started: when the operation began: what was read since then was read now.
    ///   - stopsAtDamage: whether to come back at once when what should stay turns out damaged, with nothing removed, so
    ///     that a new backup can be made first.
    @discardableResult
    package func apply(
        _ rule: RetentionRule, keeping pinned: Set<String> = [], justMade: BackupName? = nil,
        since started: LocalTime = .now(), stopsAtDamage: Bool = false
    ) throws -> Outcome {
        var outcome = Outcome()
        while true {
            let choice = try choice(rule, pinned, justMade)
            var going = choice.going
            if going.contains(where: { !choice.staysUnderAnotherName($0) }) {
                switch try read(choice.toRead(now: .now(), since: started), since: started) {
                case .good: break
                case .goodButNotNoted: outcome.isComplete = false
                case .damaged(let item, let reason):
                    outcome.damaged.append(item.name)
                    outcome.warnings.append(Self.damaged(item, reason))
                    if stopsAtDamage { return outcome }
                    continue
                case .unknown(let item, let reason):
                    going.removeAll { !choice.staysUnderAnotherName($0) }
                    outcome.isComplete = false
                    outcome.warnings.append(
                        BilingualText(
                            zh: "无法读取 \(item.name)，因此没有删除过期备份：",
                            en: "\(item.name) could not be read, so expired backups stay: ") + reason)
                }
            }
            remove(going, &outcome)
            outcome.warnings += Self.told(of: choice.ahead)
            return outcome
        }
    }

    private func choice(
        _ rule: RetentionRule, _ pinned: Set<String>, _ justMade: BackupName?
    ) throws -> RetentionChoice {
        let items = try Catalogue(folder).items()
        return RetentionChoice(
            items, by: rule, try Ownership(of: stack, among: items, in: folder), pinned: pinned, justMade: justMade,
            now: .now())
    }

    private enum Reading {
        case good
        /// Read just now, and the date of that could not be written down.
        case goodButNotNoted
        case damaged(CatalogueItem, BilingualText)
        case unknown(CatalogueItem, BilingualText)
    }

    private func read(_ items: [CatalogueItem], since started: LocalTime) throws -> Reading {
        var reading = Reading.good
        for item in items {
            log.info("it stays while others go, and is read", ["name": item.name])
            do {
                try Verification(
                    folder, log: log, cancellation: cancellation, since: started, progress: progress
                ).run(item)
            } catch let error as CancelledError {
                throw error
            } catch let error as Verification.NotRecorded {
                // It was read just now, which is all that matters here. On a full disk old ones must be able to go.
                log.warning("it is good, and that is not noted", ["name": item.name, "reason": error.reason.reason])
                reading = .goodButNotNoted
            } catch {
                return error.isDamage ? .damaged(item, error.bilingual) : .unknown(item, error.bilingual)
            }
        }
        return reading
    }

    /// One that cannot be removed is a warning, and keeps none of the others.
    private func remove(_ items: [CatalogueItem], _ outcome: inout Outcome) {
        let catalogue = Catalogue(folder)
        var marks = HeldMarks(folder, log: log)
        defer { marks.write() }
        for item in items {
            // What was removed by then is told.
            guard !cancellation.isCancelled else {
                outcome.isComplete = false
                outcome.warnings.append(
                    BilingualText(
                        zh: "操作被中止，其余过期备份下次再删除。",
                        en: "It was stopped; the expired backups that are left go another time."))
                return
            }
            do { try catalogue.remove(item, &marks) } catch {
                let reason = error.bilingual
                outcome.isComplete = false
                log.error("an expired backup could not be removed", ["name": item.name, "reason": reason.english])
                outcome.warnings.append(
                    BilingualText(
                        zh: "过期备份 \(item.name) 未能删除：", en: "The expired backup \(item.name) could not be removed: ")
                        + reason)
                continue
            }
            log.info("removed an expired backup", ["name": item.name, "bytes": item.size, "created": item.created.iso])
            outcome.removed.append(item.name)
        }
    }

    static func damaged(_ item: CatalogueItem, _ reason: BilingualText) -> BilingualText {
        BilingualText(zh: "备份 \(item.name) 已损坏，不再使用：", en: "The backup \(item.name) is damaged and is not used again: ")
            + reason
    }

    private static func told(of ahead: [CatalogueItem]) -> [BilingualText] {
        guard let first = ahead.first else { return [] }
        return [
            BilingualText(
                zh: "\(ahead.count) 个备份的日期在未来，例如 \(first.name)（\(first.created.iso)）：它们不参与保留计算，也不会被自动删除。"
                    + "请检查时钟；不需要时请按名称删除。",
                en:
                    "\(ahead.count) backups are dated in the future, such as \(first.name) (\(first.created.iso)): they do not "
                    + "count and are never removed by themselves. Check the clock, and delete them by name if they are not needed."
            )
        ]
    }
}
