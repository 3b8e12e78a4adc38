// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport

/// One command of the program, what must be there before it, and what it promises.
struct Operation: Sendable, CustomStringConvertible {
    enum Promise: Sendable {
        /// One more completed backup.
        case backup
        /// The live data is that of the backups.
        case restored
        /// The live data is what it was before the restore.
        case undone
        /// One or the other, and nothing is under way any more.
        case settled
        /// The same backups are left as after a run without faults.
        case pruned
        /// Every backup that is said to be good is good.
        case checked
        /// Nothing was there to claim: exit status 0 is all that can be seen of it.
        case claimed
        /// No backup is suspicious any more.
        case accepted
    }

    let title: String
    let promise: Promise
    /// Whether the live data can be touched: what cannot be need not be put back.
    var changesLive = true
    /// Every so manyth fault of the sample is tried (`FaultPlan.oneIn`).
    var share = 1
    /// Whether it is made of others that are here, too.
    var isComposed = false
    /// Command and option that the binary must know.
    var needs: (command: String, option: String)?
    /// After the reset, without faults (but for those it makes itself).
    var before: @Sendable (FaultStack) throws -> Void = { _ in }
    let arguments: @Sendable (FaultStack) -> [String]

    var description: String { title }

    /// Whether the live data is one of two states afterwards; else it is what it was.
    var replacesLive: Bool { [.restored, .undone, .settled].contains(promise) }

    var isOffered: Bool {
        get throws { try needs.map { try Program.offers($0.command, $0.option) } ?? true }
    }

    /// `MLFLOW_FAULTS_OPERATION=prune` tries that one alone.
    static var chosen: [Operation] {
        guard let title = ProcessInfo.processInfo.environment["MLFLOW_FAULTS_OPERATION"] else { return all }
        return all.filter { $0.title == title }
    }

    private static let all: [Operation] = [
        Operation(title: "backup", promise: .backup, changesLive: false, share: 4) { _ in ["backup", "--quiet"] },
        Operation(title: "backup --no-compress", promise: .backup, changesLive: false, share: 10) { _ in
            ["backup", "--quiet", "--no-compress"]
        },
        // The backup that a forced restore makes first is tried above, and its place in the restore below.
        Operation(title: "restore --force ARCHIVE", promise: .restored, share: 4) {
            ["restore", "--force", "--no-backup", $0.archive]
        },
        Operation(title: "restore --force FOLDER", promise: .restored, share: 16) {
            ["restore", "--force", "--no-backup", $0.folder]
        },
        Operation(title: "restore with a backup first", promise: .restored, share: 24, isComposed: true) {
            ["restore", "--force", $0.archive]
        },
        Operation(title: "prune", promise: .pruned, changesLive: false, share: 2) { _ in
            ["prune", "--max-backups", "1"]
        },
        Operation(title: "verify", promise: .checked, changesLive: false, share: 3) { ["verify", $0.archive] },
        Operation(title: "scrub", promise: .checked, changesLive: false, share: 5) { _ in
            ["scrub", "--rate", "0", "--quiet"]
        },
        Operation(
            title: "recover before the swap", promise: .settled, share: 4,
            before: { try $0.interruptRestore(.statement("alter database * rename *"), .killBefore) }
        ) { _ in ["recover"] },
        Operation(
            title: "recover in the middle of the swap", promise: .settled, share: 6,
            before: { try $0.interruptRestore(.change("rename-exchange", "artifacts/1"), .killAfter) }
        ) { _ in ["recover"] },
        Operation(
            title: "restore --undo", promise: .undone, share: 10, needs: ("restore", "--undo"),
            before: { try $0.succeed(["restore", "--quiet", "--force", $0.archive]) }
        ) { _ in ["restore", "--undo"] },
        Operation(title: "claim", promise: .claimed, changesLive: false, needs: ("claim", "")) { _ in ["claim"] },
        Operation(
            title: "accept", promise: .accepted, share: 5, needs: ("accept", ""),
            before: { stack in
                try Shell.sh("cd '\(stack.artifacts)' && rm -rf ./*")
                // Told of as suspicious by its exit status.
                _ = try stack.program.run(["backup", "--quiet"])
            }
        ) { stack in
            let made = (try? Listing(stack.program).names)?.first { stack.contents[$0] == nil }
            return ["accept", made ?? ""]
        },
    ]
}

extension FaultStack {
    enum Moment {
        case statement(String)
        case change(String, String)
    }

    /// Leaves a forced restore as a kill leaves it.
    func interruptRestore(_ moment: Moment, _ action: Fault.Action) throws {
        let line: Substring =
            switch moment {
            case .statement(let text): "q\tstatement\t\(text)"
            case .change(let call, let place): "w\t\(call)\t\(place)"
            }
        guard let step = Step(line: line) else { throw CaseFailed("no step: \(line)") }
        let ended = try program.run(["restore", "--quiet", "--force", archive], Fault(step, number: 1, action))
        guard ended.hit else { throw CaseFailed("the restore never came to \(line): \(ended.saying)") }
    }

    func succeed(_ arguments: [String]) throws {
        let ended = try program.run(arguments)
        guard ended.succeeded else { throw CaseFailed("\(arguments.joined(separator: " ")): \(ended.saying)") }
    }
}
