// SPDX-License-Identifier: Apache-2.0

import Backup
import SystemIO
import Wording

/// What the service last saw of its stack. Each part has a thread that looks, so that one that hangs, on a disk or a database,
/// holds up no other, and no request.
package final class StackStatus: Sendable {
    /// The backups, newest first, and the room where they are.
    package struct Backups: Sendable {
        package let items: [CatalogueItem]
        package let disk: DiskSpace
    }

    package struct Tasks: Sendable {
        package let counts: TaskCounts
        /// Newest first, `newestLimit` at most.
        package let newest: [TaskRecord]
        /// Of the store, when the look began.
        let changes: UInt64
    }

    /// As many as the guide's `GET /tasks` shows.
    package static let newestLimit = 100

    private let backupsSeen: Watched<Result<Backups, any Error>>
    private let tasksSeen: Watched<Result<Tasks, any Error>>
    private let healthSeen: Watched<Health>
    private let book: TaskBook

    init(_ catalogue: Catalogue, _ tasks: TaskBook, _ health: HealthCheck) throws(SystemError) {
        book = tasks
        let listing = CatalogueListing(catalogue)
        backupsSeen = try Watched("see-backups", freshFor: 1) {
            Result { Backups(items: try listing.items(), disk: try DiskSpace.at(catalogue.folder.path)) }
        }
        tasksSeen = try Watched("see-tasks", freshFor: 1) {
            let changes = tasks.changes
            return Result {
                Tasks(counts: try tasks.counts(), newest: try tasks.list(limit: Self.newestLimit), changes: changes)
            }
        }
        healthSeen = try Watched("see-health", freshFor: 3, goodFor: 9) { health.run() }
    }

    /// Who looks may hang: what it saw longer ago, in seconds, says nothing of now.
    package static let oldAfter = 120.0

    /// - Throws: what kept the folder from being listed; `ServiceError.notSeenYet`, also where it was seen last long ago.
    package func backups() throws -> Seen<Backups> { try Self.recent(backupsSeen.current()) }

    private static func recent<Part>(_ seen: Seen<Result<Part, any Error>>?) throws -> Seen<Part> {
        guard let seen, seen.age < oldAfter else { throw ServiceError.notSeenYet }
        return try seen.map { try $0.get() }
    }

    /// What this process has written is in it, unless the store takes longer than two seconds to say it.
    /// - Throws: what the store throws, `ServiceError.notSeenYet`.
    package func tasks() throws -> Seen<Tasks> {
        var seen = tasksSeen.current()
        if case .success(let tasks) = seen?.value, tasks.changes != book.changes {
            seen = tasksSeen.look(waitingAtMost: 2) ?? seen
        }
        return try Self.recent(seen)
    }

    /// - Returns: `nil` where none has ended yet.
    package func health() -> Seen<Health>? { healthSeen.current() }

    /// What is not well now, that nobody could look among it, and what was looked at.
    func faults() -> (faults: [Health.Fault], looked: Set<String>) {
        guard let seen = healthSeen.look(waitingAtMost: 10), seen.age <= Self.oldAfter else {
            return ([Self.silence(healthSeen.current()?.age ?? 10)], ["looks"])
        }
        return (seen.value.faults, seen.value.looked.union(["looks"]))
    }

    /// - Parameter age: seconds since the last look.
    private static func silence(_ age: Double) -> Health.Fault { .init("looks", silenceText(Int(nearest: age))) }

    package static func silenceText(_ age: Int) -> BilingualText {
        BilingualText(
            zh: "\(age) 秒以来检查没有结束：备份目录、数据库或某个程序没有应答。请查看日志，必要时重启备份服务。",
            en:
                "For \(age) seconds no look at the stack has ended: the backup folder, the database or a program does not answer. See the "
                + "log; restart the backup service if need be.")
    }

    /// To be called by whoever changed something in the backup folder, before he says so: it is seen by all from then on, unless a look
    /// takes longer than ten seconds.
    func folderChanged() {
        healthSeen.outdate()
        backupsSeen.look(waitingAtMost: 10)
    }

    /// Waits for a look that begins now: for who has changed what health looks at.
    func lookAtHealth() { healthSeen.look(waitingAtMost: 30) }

    func stop() {
        backupsSeen.stop()
        tasksSeen.stop()
        healthSeen.stop()
        // A library that is unloaded beside a look would end the process otherwise than it was meant to end.
        for isEnded in [backupsSeen.isEnded, tasksSeen.isEnded, healthSeen.isEnded] { _ = isEnded(2) }
    }
}
