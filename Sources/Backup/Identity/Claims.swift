// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemIO

/// One stack's backups taken over by another: after `pg_upgrade`, after a disaster, or because a person said so.
public struct Claim: Sendable, Equatable, Codable {
    public enum Origin: String, Sendable, Codable {
        /// A restore of the other stack's backup brought this stack to life.
        case restore
        /// `mlflow-backup claim`.
        case person
    }

    public var taken: StackIdentity
    public var by: StackIdentity
    /// Seconds since 1970 UTC.
    public var at: Int64
    public var origin: Origin
    /// Backups of the other stack that were there already and are dated later: a clock was wrong. `nil` in claims of before.
    var ahead: [String]?

    /// - Parameter items: the whole catalogue as it is now.
    init(on taken: StackIdentity, by stack: StackIdentity, _ origin: Origin, among items: [CatalogueItem]) {
        let now = LocalTime.now().epoch
        self.taken = taken
        by = stack
        at = now
        self.origin = origin
        ahead = items.filter { $0.created.epoch > now && $0.sidecar?.stack?.isSameStack(as: taken) == true }
            .map(\.name.string)
    }

    /// Whether this backup of the other stack was made after the claim: that stack lives, and its backups are its own again.
    /// The date alone does not say so: one of the future was there before.
    func isOutlived(by item: CatalogueItem) -> Bool {
        item.created.epoch > at && ahead?.contains(item.name.string) != true
    }

    /// A copy made for a test must not prune the original's history, nor one claimed by mistake: a claim lets backups go
    /// only when the other stack has made none for this long, in seconds.
    var grace: Int64 { origin == .restore ? 7 * 86_400 : 26 * 3600 }
}

/// `claims.json` in the folder's state. Losing it makes the claimed backups foreign again, and loses nothing.
struct Claims: Sendable, Equatable, Codable {
    var claims: [Claim] = []

    static func path(in folder: BackupFolder) -> FilePath { folder.state.appending("claims.json") }

    /// A damaged list is an empty one: what it said can be said again.
    static func read(in folder: BackupFolder) -> Claims {
        guard let bytes = try? OpenFile(path(in: folder), .readNoFollow).readAll(limit: 4 << 20) else {
            return Claims()
        }
        return (try? JSONDecoder().decode(Claims.self, from: Data(bytes))) ?? Claims()
    }

    func write(in folder: BackupFolder) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try DurableFile.replace(Self.path(in: folder), with: Array(encoder.encode(self)), mode: 0o640)
    }

    /// The claim of `stack` on what `other` made, newest first.
    func claim(of stack: StackIdentity, on other: StackIdentity) -> Claim? {
        claims.last { $0.by.isSameStack(as: stack) && $0.taken.isSameStack(as: other) }
    }
}
