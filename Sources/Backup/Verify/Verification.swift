// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import Wording

/// Reads a backup and writes down what was found: a good adopted archive becomes completed, a bad one corrupt.
/// Call it under the folder's lock.
///
/// What is found of one name is true of every name of the same file. Where there is damage, the backups that share bytes
/// with it are read, too. What has another shape than a backup is not read, and that is not written down (`BackupShape`). See docs/retention.md.
struct Verification: Sendable {
    let folder: BackupFolder
    let log: Log
    private let cancellation: Cancellation?
    private let threads: Int
    private let rate: ReadRate?
    private let deadline: UInt64?
    private let since: LocalTime?
    private let progress: ProgressSink

    /// What a good reading found.
    struct Outcome: Sendable {
        var sidecar: Sidecar
        /// What was wrong in the sidecar and has been put right.
        let notes: [BilingualText]
    }

    /// - Parameters:
    ///   - deadline: when to stop reading, in nanoseconds of `MonotonicTime`.
    ///   - since: what was read since is not read again because of damage in another.
    init(
        _ folder: BackupFolder, log: Log, cancellation: Cancellation? = nil,
        threads: Int = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), rate: ReadRate? = nil, deadline: UInt64? = nil,
        since: LocalTime? = nil, progress: @escaping ProgressSink = { _ in }
    ) {
        self.folder = folder
        self.log = log
        self.cancellation = cancellation
        self.threads = threads
        self.rate = rate
        self.deadline = deadline
        self.since = since
        self.progress = progress
    }

    /// - Parameter draft: what was to become the sidecar of a backup that has none.
    /// - Throws: `ArchiveError` and `BackupError.manifestUnreadable` for damage, which has then been recorded;
    ///   `CancelledError` and `ReadObserver.TimeIsUp`, which record nothing.
    @discardableResult
    func run(_ item: CatalogueItem, draft: Sidecar? = nil) throws -> Outcome {
        do { return try readAlone(item, draft) } catch {
            // What lacks a part, or is no backup at all, says nothing of the bytes of others.
            guard error.isDamage, item.shapeFault == nil else { throw error }
            do { try readOthersOfChain(of: item) } catch is ReadObserver.TimeIsUp {
                // The damage is what matters. They are read when they are due.
                log.warning("not all that share bytes with it were read", ["name": item.name])
            }
            throw error
        }
    }

    /// Reads one backup, whatever others share with it.
    private func readAlone(_ item: CatalogueItem, _ draft: Sidecar? = nil) throws -> Outcome {
        progress(Progress(.verifying, fraction: 0, detail: item.name.string))
        // What is known of it would be overwritten.
        if case .unreadable(let error)? = item.sidecarFault, draft == nil { throw error }
        if let fault = item.shapeFault {
            log.error("it is no whole backup", ["name": item.name, "reason": fault.english])
            throw ArchiveError.damaged(archive: item.path.string, offset: 0, reason: fault)
        }
        let outcome: Outcome
        var mark: String?
        do {
            let whole = try FileMark.whole(item.path)
            mark = whole
            outcome = try check(item).outcome(item.sidecar ?? draft, whole)
        } catch {
            let failure = Self.damage(error, in: item)
            guard failure.isDamage else { throw failure }
            log.error("verification failed", ["name": item.name, "reason": failure.bilingual.english])
            do { try recordDamage(failure.bilingual, of: item, mark, draft) } catch let error as SystemError {
                throw DamageNotRecorded(name: item.name.string, cause: failure, reason: error)
            }
            throw failure
        }
        // What goes wrong from here on is no damage of the backup, which was read.
        do { try recordGood(outcome.sidecar, of: item) } catch let error as SystemError {
            throw NotRecorded(name: item.name.string, digest: outcome.sidecar.sha256, reason: error)
        }
        for note in outcome.notes { log.warning("put right", ["name": item.name, "what": note.english]) }
        log.info("verified", ["name": item.name, "bytes": outcome.sidecar.size, "sha256": outcome.sidecar.sha256])
        return outcome
    }

    /// A backup was read and is good, and that could not be written down.
    struct NotRecorded: CodedError {
        let name: String
        /// What was read.
        let digest: String
        let reason: SystemError

        var errorCode: String { "verification-not-recorded" }
        var failureKind: FailureKind { reason.failureKind }

        var explanation: BilingualText {
            BilingualText(
                zh: "备份 \(name) 校验通过，但结果未能写入：", en: "The backup \(name) is good, and that could not be written down: ")
                + reason.explanation
        }
    }

    /// A backup was read and is damaged, and that could not be written down: it is listed as good.
    struct DamageNotRecorded: CodedError {
        let name: String
        let cause: any Error
        let reason: SystemError

        var errorCode: String { "damage-not-recorded" }
        var failureKind: FailureKind { .damaged }

        var explanation: BilingualText {
            BilingualText(
                zh: "备份 \(name) 已损坏，但结果未能写入：", en: "The backup \(name) is damaged, and that could not be written down: "
            )
                + cause.bilingual + BilingualText(zh: "；", en: "; ") + reason.explanation
        }
    }

    /// A disk that does not give the bytes of a backup is damage of that backup, and so is what lies in the place of one of
    /// its files and is none.
    private static func damage(_ error: any Error, in item: CatalogueItem) -> any Error {
        guard let failure = error as? SystemError else { return error }
        if failure.isOfAnotherKind, failure.isInside(item.path) {
            return ArchiveError.damaged(
                archive: item.path.string, offset: 0,
                reason: BilingualText(
                    zh: "\(failure.path) 的类型已改变：", en: "\(failure.path) is not the kind of file that it was: ")
                    + failure.reasonText)
        }
        guard failure.isLostData else { return error }
        return ArchiveError.damaged(
            archive: item.path.string, offset: 0,
            reason: BilingualText(zh: "磁盘读不出它的内容：", en: "the disk does not give its bytes: ") + failure.reasonText)
    }

    /// Records that the disk gave an error while a backup was read, whether or not it would give one again.
    func condemn(_ item: CatalogueItem, because failure: SystemError) throws {
        // Where the disk does not even give that, what the listing saw has to do.
        try recordDamage(Self.damage(failure, in: item).bilingual, of: item, try? FileMark.whole(item.path))
        try readOthersOfChain(of: item)
    }

    private func readOthersOfChain(of item: CatalogueItem) throws {
        let items = try Catalogue(folder).items()
        let reach = DamageReach(of: item, among: items)
        var seen: [CatalogueItem] = [item]
        for other in items where other.isWhole {
            guard !seen.contains(where: { $0.isSameFile(as: other) }), reach.mayReach(other) else { continue }
            seen.append(other)
            if let since, let read = other.lastReadLookingInside(.now()), read >= since.epoch { continue }
            log.warning("it may share bytes with a damaged backup and is read", ["name": other.name])
            do { _ = try readAlone(other) } catch  where error.isDamage {
                // Each says what is wrong with it itself, in the log and in the catalogue.
            } catch let error as CancelledError {
                throw error
            } catch let error as ReadObserver.TimeIsUp {
                throw error
            } catch {
                log.error("it could not be read", ["name": other.name, "reason": error.bilingual.english])
            }
        }
    }

    private func check(_ item: CatalogueItem) -> BackupCheck {
        let total = max(item.size, 1)
        let observer = ReadObserver(cancellation: cancellation, rate: rate, deadline: deadline) {
            [progress, name = item.name.string] done in
            progress(Progress(.verifying, fraction: min(1, Double(done) / Double(total)), detail: name))
        }
        return BackupCheck(item: item, folder: folder, log: log, threads: threads, observer: observer)
    }
}
