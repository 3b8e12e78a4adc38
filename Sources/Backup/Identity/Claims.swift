// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// One stack's backups taken over by another: after `pg_upgrade`, after a disaster, or because a person said so.
package struct Claim: Sendable, Equatable, Codable {
    package enum Origin: String, Sendable, Codable {
        /// A restore of the other stack's backup brought this stack to life.
        case restore
        /// `mlflow-backup claim`.
        case person
    }

    package var taken: StackIdentity
    package var by: StackIdentity
    /// Not before any backup that was there: a clock that is behind must not make the claim look old.
    var at: Moment
    package var origin: Origin
    /// The names of all backups that were there.
    var present: Set<String>
    /// Whether the other stack has begun a backup since: what shows that may be gone later.
    var hasEnded: Bool?

    /// - Parameter items: the whole catalogue as it is now.
    init(
        on taken: StackIdentity, by stack: StackIdentity, _ origin: Origin, among items: [CatalogueItem],
        now: Moment = .now()
    ) {
        self.taken = taken
        by = stack
        at = Moment(epoch: items.map(\.created.epoch).reduce(now.epoch, max), boot: now.boot)
        self.origin = origin
        present = Set(items.map(\.name.string))
    }

    /// Whether this backup of the other stack was made after the claim: that stack lives, and its backups are its own again.
    /// Dates do not say so, since clocks are wrong. One that a person put here was made by nobody.
    func isOutlived(by item: CatalogueItem) -> Bool {
        !present.contains(item.name.string) && item.sidecar?.adopted != true
    }

    /// Notes that the taken stack is at work.
    /// - Returns: whether that is news.
    mutating func end(on stack: StackIdentity) -> Bool {
        guard hasEnded != true, taken.isSameStack(as: stack), !by.isSameStack(as: stack) else { return false }
        hasEnded = true
        return true
    }

    /// A copy made for a test must not prune the original's history, nor one claimed by mistake: a claim lets backups go
    /// only when the other stack has made none for this long, in seconds.
    var grace: Int64 { origin == .restore ? 7 * 86_400 : 26 * 3600 }
}

/// `claims.json` in the folder's state. Losing it makes the claimed backups foreign again, and loses nothing.
struct Claims: Sendable, Equatable, Codable {
    var claims: [Claim] = []
    /// Whether there is a list that is not to be believed.
    private(set) var isDamaged = false

    private enum CodingKeys: CodingKey { case claims }

    static func path(in folder: BackupFolder) -> FilePath { folder.state.appending("claims.json") }

    /// A damaged list is an empty one, and says so: what it said can be said again.
    static func read(in folder: BackupFolder) -> Claims {
        let path = path(in: folder)
        do throws(SystemError) {
            if let claims = try SealedRecord.read(Claims.self, at: path) { return claims }
        } catch {
            if error.isNotFound { return Claims() }
        }
        var claims = Claims()
        claims.isDamaged = true
        return claims
    }

    func write(in folder: BackupFolder) throws {
        try SealedRecord.write(self, to: Self.path(in: folder), mode: 0o640)
    }

    /// The last claim of `stack` on what `other` made that has not ended.
    func claim(of stack: StackIdentity, on other: StackIdentity) -> Claim? {
        claims.last { $0.hasEnded != true && $0.by.isSameStack(as: stack) && $0.taken.isSameStack(as: other) }
    }

    /// Ends the claims on a stack that is about to make a backup. Under the folder's lock.
    static func end(on stack: StackIdentity, in folder: BackupFolder) throws {
        var claims = read(in: folder)
        var isNews = false
        for index in claims.claims.indices where claims.claims[index].end(on: stack) { isNews = true }
        if isNews { try claims.write(in: folder) }
    }
}
