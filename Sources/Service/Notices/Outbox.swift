// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// Mails that no server has taken yet, a file each in the state folder: those of a command or of cron outlive their process, and the
/// service goes on trying (`NoticeDispatcher`).
package struct Outbox: Sendable {
    struct Mail: Sendable, Codable {
        var to: String
        var subject: String
        var body: String
        /// When it was written, seconds since 1970 UTC, and its Message-ID: those stay.
        var written: Int64
        var messageID: String
        /// When it came here, by the clock of the machine's start; `nil` where that does not say, and in files of older versions.
        var boot: BootClock?
        var taskID: String
        var reason: AlarmBook.Words
        /// Whether the server itself said no: asked too often, some lock the account.
        var isRefused: Bool
        var lastTry: Int64
    }

    /// More say nothing new, and an outbox is not to fill a disk.
    private static let limit = 100
    /// Seconds after which what a mail says is of no use any more, and between two tries.
    static let lifetime: Int64 = 2 * 86_400
    static let intervals: (failed: Int64, refused: Int64) = (600, 3600)

    private let folder: FilePath
    /// Of a full disk, or one that can only be read: where that is so at the end of the process, too, they end with it (`writeDown`).
    private let unwritten = Monitor<[Mail]>([])
    /// What was done with each, where that could not be written down: `.max` for sent.
    private let tried = Monitor<[String: Int64]>([:])

    /// - Parameter state: the state's folder; it is there.
    package init(in state: FilePath) { folder = state.appending("outbox") }

    /// - Throws: `SystemError`, also where as many wait as may.
    func put(_ mail: Mail) throws {
        try refuseSilence()
        // Not with its parents: where the state's folder is away, a disk is, and nothing is made in its place.
        _ = try FileStatus.of(folder.parent)
        try Directory.makeInherited(folder, mode: 0o700)
        guard try names().count < Self.limit else {
            throw SystemError("put a mail into", path: folder.string, code: EDQUOT)
        }
        let name = "\(mail.written)-\(UInt32.random(in: 0...UInt32.max)).json"
        try write(mail, name)
    }

    /// Where the disk does not take it. It is written down when that does.
    /// - Throws: `SystemError`, where as many wait as may.
    func remember(_ mail: Mail) throws {
        let isFull = unwritten.withLock { mails in
            if mails.count < Self.limit { mails.append(mail) }
            return mails.last?.messageID != mail.messageID
        }
        if isFull { throw SystemError("remember a mail beside", path: folder.string, code: EDQUOT) }
    }

    private func write(_ mail: Mail, _ name: String) throws {
        try StateRecord.write(mail, to: folder.appending(name))
    }

    private func names() throws -> [String] {
        guard try FileStatus.ifPresent(folder) != nil else { return [] }
        return try Directory.names(in: folder).map { String(decoding: $0, as: UTF8.self) }
            .filter { $0.hasSuffix(".json") }.sorted()
    }

    /// A disk that hangs would hold up whoever sends mails, that of the disk among them.
    private func refuseSilence() throws(SystemError) { try FolderPulse.refuseSilence(of: folder.parent) }

    /// Those that wait, the oldest first. What cannot be read as one is no mail, and goes when its time is over.
    func waiting() throws -> [Mail] {
        let unwritten = unwritten.read { $0 }
        do { return try names().compactMap { read($0) } + unwritten } catch {
            if unwritten.isEmpty { throw error }
            return unwritten
        }
    }

    private func read(_ name: String) -> Mail? {
        StateRecord.read(Mail.self, at: folder.appending(name))
    }

    /// Hands each that is due to `send`, one process at a time. What was sent goes, and what is too old after one more try; the rest waits on.
    /// - Parameters:
    ///   - isStopped: asked before each.
    ///   - send: the mail as it is to wait on; `nil` where it is dealt with. Where no server was reached, or it takes none for now, the others
    ///     wait for the next look: each may take a minute.
    ///   - expired: gets each that nobody took in all its time, which is the last that is heard of it.
    func deliver(
        now moment: Moment = .now(), isStopped: () -> Bool = { false },
        expired: (Mail) -> Void = { _ in }, _ send: (Mail) -> Mail?
    ) throws {
        deliverUnwritten(moment, isStopped, expired, send)
        let now = moment.epoch
        try refuseSilence()
        let due = try names()
        if due.isEmpty { return }
        guard let lock = try AdvisoryLock.tryLock(folder.appending("lock"), note: "outbox\n") else { return }
        try withExtendedLifetime(lock) {
            for name in due where !isStopped() {
                guard let mail = read(name) else {
                    let status = try FileStatus.ifPresent(folder.appending(name))
                    if let status, now.subtracting(clamped: status.modified.seconds) > Self.lifetime {
                        try Directory.remove(folder.appending(name))
                    }
                    continue
                }
                let known = tried.read { $0[name] }
                let isSent = known == .max
                guard isSent || isDue(mail, now, last: known ?? mail.lastTry) else { continue }
                let isOld = isOld(mail, moment)
                let unsent = isSent ? nil : send(mail)
                if let unsent, isOld { expired(unsent) }
                if var left = unsent, !isOld {
                    tried.withLock { $0[name] = now }
                    left.lastTry = now
                    // On a full disk the memory has to do.
                    do { try write(left, name) } catch let error as SystemError where error.isFull {}
                    if !left.isRefused { return }
                } else {
                    tried.withLock { $0[name] = .max }
                    try Directory.remove(folder.appending(name))
                    tried.withLock { $0[name] = nil }
                }
            }
        }
    }

    /// What is in memory goes to the disk, before the process ends.
    /// - Parameter lost: gets each that the disk does not take, and why: that is the last that is heard of it.
    func writeDown(lost: (Mail, any Error) -> Void) {
        for mail in unwritten.read({ $0 }) {
            do {
                try put(mail)
                unwritten.withLock { $0.removeAll { $0.messageID == mail.messageID } }
            } catch { lost(mail, error) }
        }
    }

    private func deliverUnwritten(
        _ moment: Moment, _ isStopped: () -> Bool, _ expired: (Mail) -> Void, _ send: (Mail) -> Mail?
    ) {
        let now = moment.epoch
        for mail in unwritten.read({ $0 }) where !isStopped() {
            var left: Mail? = mail
            do {
                try put(mail)
                left = nil
            } catch {
                guard isDue(mail, now, last: mail.lastTry) else { continue }
                left = send(mail)
                if let lost = left, isOld(mail, moment) {
                    expired(lost)
                    left = nil
                }
                left?.lastTry = now
            }
            unwritten.withLock { mails in
                mails.removeAll { $0.messageID == mail.messageID }
                if let left { mails.append(left) }
            }
            if let left, !left.isRefused { return }
        }
    }

    /// A clock that was ahead must not stop it for years.
    private func isDue(_ mail: Mail, _ now: Int64, last: Int64) -> Bool {
        let pause = mail.isRefused ? Self.intervals.refused : Self.intervals.failed
        return now.subtracting(clamped: last).magnitude >= UInt64(pause)
    }

    /// By the smaller of the two clocks (`Moment.age`): one that is set forward makes none old. What a clock that was ahead dates in a future
    /// beyond its time goes, too, once the machine was started anew.
    private func isOld(_ mail: Mail, _ now: Moment) -> Bool {
        Moment(epoch: mail.written, boot: mail.boot).age(at: now).magnitude > UInt64(Self.lifetime)
    }
}
