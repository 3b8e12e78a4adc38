// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Signs of life for who watches from outside (`BACKUP_PING_URL`), sent on a thread of their own: of each backup that begins, and how it
/// ended. That none came is what tells of a service that is gone.
package final class Pings: Sendable {
    private struct Ping {
        var sign: PingURL.Sign
        var text: String
        var written = Moment.now()
        var tries = 0
        var notBefore: UInt64 = 0

        /// What is older tells nothing any more.
        var isOfNow: Bool {
            LocalTime.now().epoch.subtracting(clamped: written.epoch).magnitude < UInt64(Pings.lifetime)
        }
    }

    private struct State {
        /// The newest of each kind; `start` goes first.
        var waiting: [Ping] = []
        var isSending = false
        var isStopped = false
        /// Why the last one was not taken; `nil` once one is.
        var trouble: BilingualText?
        /// What the folder has of other processes was looked at, on the monotonic clock; when the newest was written that was dealt with.
        var looked: UInt64?
        var known: Moment?

        mutating func noteDealtWith(_ written: Moment) {
            if let known, PingNote(sign: .start, text: "", written: known).isNewer(than: written) { return }
            known = written
        }
    }

    /// What does not change while it runs.
    private struct Setup: Sendable {
        let url: PingURL
        let ledger: PingLedger?
        let adopts: Bool
        let log: Log
        let seconds: Double
        let pause: Double
    }

    private let state = Monitor(State())
    private let setup: Setup
    private let thread: WorkerThread

    /// Seconds for which one is tried.
    private static let lifetime: Int64 = 3600

    /// - Parameters:
    ///   - folder: the state's, where the newest is written down, taken or not (`PingLedger`); `nil` where nothing is written down.
    ///   - adopts: whether to send what other processes left there, as those of cron.
    ///   - seconds: for one request.
    ///   - pause: seconds between two tries of one ping, and two looks into the folder.
    package init(
        _ url: PingURL, in folder: FilePath?, adopts: Bool = false, log: Log, seconds: Double = 10, pause: Double = 30
    ) throws(SystemError) {
        let setup = Setup(
            url: url, ledger: folder.map { PingLedger(in: $0, of: url) }, adopts: adopts, log: log, seconds: seconds,
            pause: pause)
        self.setup = setup
        thread = try WorkerThread("pings") { [state] in Self.loop(state, setup) }
    }

    /// Why the last one was not taken, of this process or of another; `nil` once one is.
    var trouble: BilingualText? { state.read { $0.trouble } }

    func begun() { put(Ping(sign: .start, text: "")) }

    /// - Parameter text: one line, for a person.
    func ended(well: Bool, _ text: String) { put(Ping(sign: well ? .success : .fail, text: text)) }

    private func put(_ ping: Ping) {
        state.withLock { state in
            // A start that was not taken yet says nothing beside how it ended, and an older end nothing beside a newer one.
            state.waiting = [ping]
        }
    }

    /// - Returns: whether all was sent, or given up, within `seconds`.
    @discardableResult
    package func flush(atMost seconds: Double) -> Bool {
        state.wait(atMost: seconds) { $0.waiting.isEmpty && !$0.isSending ? () : nil } != nil
    }

    /// What was not taken yet is left to the service.
    package func stop() {
        state.withLock { $0.isStopped = true }
        thread.join()
        let (left, trouble) = state.read { ($0.waiting.first, $0.trouble) }
        guard let ledger = setup.ledger, let left, left.sign != .start else { return }
        let reason = trouble ?? BilingualText(zh: "尚未发送", en: "not sent yet")
        let turn = ledger.turn(atMost: 2)
        defer { withExtendedLifetime(turn) {} }
        do {
            try ledger.write(
                PingNote(sign: left.sign, text: left.text, written: left.written, reason: .init(reason)))
        } catch { setup.log.warning("a ping cannot be kept", ["reason": error.bilingual[.english]]) }
    }

    private static func loop(_ state: Monitor<State>, _ setup: Setup) {
        while let ping = next(state, setup) {
            let outcome = send(ping, setup)
            state.withLock { state in
                state.isSending = false
                guard case .untaken(let failure) = outcome else {
                    if case .outdated(let reason) = outcome { state.trouble = reason } else { state.trouble = nil }
                    return state.noteDealtWith(ping.written)
                }
                state.trouble = failure
                guard state.waiting.isEmpty, ping.isOfNow else { return }
                var again = ping
                again.tries += 1
                again.notBefore = MonotonicTime.nanoseconds() + UInt64(setup.pause * 1e9)
                state.waiting.append(again)
            }
            // Not the address, which is a secret.
            if case .untaken(let failure) = outcome, ping.tries == 0 {
                setup.log.warning("ping not taken", ["reason": failure[.english]])
            }
        }
    }

    private enum Outcome {
        case taken
        case untaken(BilingualText)
        /// Another process has a newer one, and why that was not taken.
        case outdated(BilingualText?)
    }

    private static func send(_ ping: Ping, _ setup: Setup) -> Outcome {
        let turn = setup.ledger?.turn(atMost: setup.seconds)
        defer { withExtendedLifetime(turn) {} }
        if let newer = setup.ledger?.read(), newer.isNewer(than: ping.written) {
            return .outdated(newer.reason?.text)
        }
        if let failure = send(ping, setup.url, setup.seconds) { return .untaken(failure) }
        do { try setup.ledger?.write(PingNote(sign: ping.sign, text: "", written: ping.written)) } catch {
            setup.log.warning("a ping that was taken is not noted", ["reason": error.bilingual[.english]])
        }
        return .taken
    }

    /// What another process left, once. Of what it could send itself nobody here goes on trying with an older one.
    private static func adopt(_ state: Monitor<State>, _ setup: Setup) {
        guard setup.adopts, let ledger = setup.ledger else { return }
        let isDue = state.withLock { state in
            if let looked = state.looked, MonotonicTime.seconds(since: looked) < setup.pause { return false }
            state.looked = MonotonicTime.nanoseconds()
            return true
        }
        guard isDue, let left = ledger.read() else { return }
        state.withLock { state in
            if let known = state.known, !left.isNewer(than: known) { return }
            guard state.waiting.allSatisfy({ $0.sign == .start || left.isNewer(than: $0.written) }) else { return }
            state.known = left.written
            state.waiting = []
            let ping = Ping(sign: left.sign, text: left.text, written: left.written)
            if left.reason != nil, ping.isOfNow { state.waiting = [ping] }
            state.trouble = left.reason?.text
        }
    }

    private static func next(_ state: Monitor<State>, _ setup: Setup) -> Ping? {
        while true {
            adopt(state, setup)
            let found: Ping?? = state.wait(atMost: 1) { state in
                if state.isStopped { return .some(nil) }
                guard let first = state.waiting.first, first.notBefore <= MonotonicTime.nanoseconds() else {
                    return nil
                }
                state.isSending = true
                return .some(state.waiting.removeFirst())
            }
            if let found { return found }
        }
    }

    private static func send(_ ping: Ping, _ url: PingURL, _ seconds: Double) -> BilingualText? {
        do throws(WebError) {
            let answer = try WebClient(bodyLimit: 1 << 16, usesProxy: true).post(
                url.address(ping.sign), text: Array(ping.text.utf8.prefix(10_000)), timeoutSeconds: seconds)
            if (200...299).contains(answer.status) { return nil }
            return BilingualText(
                zh: "BACKUP_PING_URL 的服务器应答 \(answer.status)。请检查该地址。",
                en: "The server of BACKUP_PING_URL answered \(answer.status). Check that address.")
        } catch {
            // Its own words name the address.
            let reason =
                switch error {
                case .unreachable(_, let reason): BilingualText(zh: reason, en: reason)
                case .timedOut: BilingualText(zh: "没有及时应答", en: "no answer in time")
                case .tooLarge: BilingualText(zh: "应答过长", en: "its answer is too long")
                case .badURL: BilingualText(zh: "地址不可用", en: "the address cannot be used")
                }
            return BilingualText(
                zh: "无法到达 BACKUP_PING_URL 的服务器（\(reason.chinese)）。请检查该地址和网络。",
                en:
                    "The server of BACKUP_PING_URL cannot be reached (\(reason.english)). Check that address and the network."
            )
        }
    }
}
