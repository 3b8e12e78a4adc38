// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Takes the backups of other stacks in the folder over, because a person says that they are this stack's own: after
/// `pg_upgrade`, after a disaster, or for a folder that begins anew.
package struct ClaimJob: Sendable {
    private let workspace: Workspace
    private let name: String?

    /// - Parameter name: of the stack to take over, as `DATABASE@SYSTEM` (`StackIdentity.description`), with `/` and the
    ///   beginning of its artifacts folder's identifier where two have that name. `nil` where there is but one.
    package init(_ workspace: Workspace, of name: String? = nil) {
        self.workspace = workspace
        self.name = name
    }

    /// What was taken over.
    package struct Outcome: Sendable, Equatable {
        /// Whose backups.
        package let stacks: [StackIdentity]
        /// Identifiers of kept parts that have a record again.
        package let kept: [String]
        /// Those of them whose restore was cut short in the middle of its swap.
        package let halfSwapped: [String]

        /// What a person has to look at.
        package var warnings: [BilingualText] {
            halfSwapped.map { id in
                BilingualText(
                    zh: "恢复 \(id) 中途中断且其日志已丢失：线上数据可能一部分是恢复前的，一部分是所恢复的。"
                        + "已移出的部分（如有）保留为 \(id)；尚未移入的、以及已换下而未移出的部分（如有）保留为 \(id)_late。"
                        + "被中断的若是撤销，换下的内容可能在它正取回的保留数据中。备份或撤销之前请先查看（mlflow-backup kept）。",
                    en:
                        "The restore \(id) was cut short and its journal is lost: the live data may be partly what it was and partly "
                        + "what was restored. What had been moved out, if anything, is kept as \(id); what had not been moved in yet, "
                        + "or had been exchanged and not moved out, as \(id)_late, or, where it was an undo, in the part that it was bringing "
                        + "back. Look at them (`mlflow-backup kept`) before the next backup or undo.")
            }
        }
    }

    /// - Throws: `BackupError.severalStacks`, `.noSuchStack`: no backup was taken over then.
    @discardableResult
    package func run() throws -> Outcome {
        // An empty folder in the place of one that was used is refused everywhere else; this is how it is accepted.
        try workspace.prepareFolderAnew()
        // So is a restore whose journal is lost; under the lock, so that it is not one that runs.
        var found: (kept: [String], halfSwapped: [String]) = ([], [])
        do {
            let hold = try workspace.hold("claim")
            defer { withExtendedLifetime(hold) {} }
            for view in workspace.all
            where try !RestoreJournal.isPresent(view.stack, workspace.folder) {
                let own = try StrayParts(view, hold.identity(in: view)).claim(on: hold.databases)
                found = (found.kept + own.kept, found.halfSwapped + own.halfSwapped)
            }
        }
        return try workspace.holdingStack("claim", for: .writing) { hold in
            let identity = try hold.markingArtifacts(workspace, claiming: true)
            let items = try Catalogue(workspace.folder).items()
            try hold.markFurther(workspace, among: items, claiming: true)
            let ownership = try Ownership(of: identity, among: items, in: workspace.folder)
            var claims = Claims.read(in: workspace.folder)
            let taken = try ForeignStacks(items, ownership).chosen(name)
            let makers = Set(items.compactMap { $0.sidecar?.stack })
            for other in taken {
                claims.claims.append(Claim(on: other, by: identity, .person, among: items))
            }
            if !taken.isEmpty { try claims.write(in: workspace.folder) }
            // What was kept by a stack whose backups are this one's now, or of which there is nothing else here.
            let again = try workspace.all.flatMap { view in
                try KeptParts(view, of: view.stack.root == nil ? identity : hold.identity(in: view)).takeUp { owner in
                    owner.system == identity.system || claims.claim(of: identity, on: owner) != nil
                        || !makers.contains { $0.isSameStack(as: owner) }
                }
            }
            workspace.log.info("backups claimed", ["stacks": taken.count, "kept": found.kept.count + again.count])
            return Outcome(stacks: taken, kept: found.kept + again, halfSwapped: found.halfSwapped)
        }
    }
}

extension Workspace {
    /// A restore of another stack's backup brought this one to life: its backups go on being used.
    /// - Returns: why that could not be noted.
    func noteClaim(on other: StackIdentity?, by identity: StackIdentity) throws {
        guard let other, !other.isSameStack(as: identity) else { return }
        let items = try Catalogue(folder).items()
        // One that holds goes on as it is, with the days that it has lasted.
        if try Ownership(of: identity, among: items, in: folder).holdsClaim(on: other) { return }
        var claims = Claims.read(in: folder)
        claims.claims.append(Claim(on: other, by: identity, .restore, among: items))
        try claims.write(in: folder)
        log.info("the restore took another stack's backups over", ["system": other.system, "database": other.database])
    }
}
