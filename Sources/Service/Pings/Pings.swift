// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Signs of life for who watches from outside (`BACKUP_PING_URL`), sent on a thread of their own: of each backup that begins, and how it
/// ended. That none came is what tells of a service that is gone.
package final class Pings: Sendable {
    private struct Ping {
        var sign: PingURL.Sign
        var text: String
        /// What is older tells nothing any more.
        var written = MonotonicTime.nanoseconds()
        var tries = 0
        var notBefore: UInt64 = 0
    }

    private struct State {
        /// The newest of each kind; `start` goes first.
        var waiting: [Ping] = []
        var isSending = false
        var isStopped = false
        var trouble: BilingualText?
    }

    private let state = Monitor(State())
    private let thread: WorkerThread

    /// Seconds for which one is tried.
    private static let lifetime: Double = 3600

    /// - Parameters:
    ///   - seconds: for one request.
    ///   - pause: seconds between two tries of one ping.
    package init(_ url: PingURL, log: Log, seconds: Double = 10, pause: Double = 30) throws(SystemError) {
        thread = try WorkerThread("pings") { [state] in Self.loop(state, url, log, seconds, pause) }
    }

    /// Why the last one was not taken; `nil` once one is.
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

    package func stop() {
        state.withLock { $0.isStopped = true }
        thread.join()
    }

    private static func loop(
        _ state: Monitor<State>, _ url: PingURL, _ log: Log, _ seconds: Double, _ pause: Double
    ) {
        while let ping = next(state) {
            let failure = send(ping, url, seconds)
            state.withLock { state in
                state.isSending = false
                state.trouble = failure
                guard failure != nil, state.waiting.isEmpty,
                    MonotonicTime.seconds(since: ping.written) < lifetime
                else { return }
                var again = ping
                again.tries += 1
                again.notBefore = MonotonicTime.nanoseconds() + UInt64(pause * 1e9)
                state.waiting.append(again)
            }
            // Not the address, which is a secret.
            if let failure, ping.tries == 0 { log.warning("ping not taken", ["reason": failure[.english]]) }
        }
    }

    private static func next(_ state: Monitor<State>) -> Ping? {
        while true {
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
