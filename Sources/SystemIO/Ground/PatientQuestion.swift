// SPDX-License-Identifier: Apache-2.0

/// A question to a file system that may never be answered: a server of NFS that is gone, a FUSE mount whose process hangs. It is
/// asked on a thread of its own, which nobody waits for longer than he wants to. As long as one is not answered no other is asked.
package final class PatientQuestion<Answer: Sendable>: Sendable {
    package enum Reply: Sendable {
        case answered(Answer)
        case failed(SystemError)
        /// Nothing within the time.
        case silent
    }

    private struct State {
        var isAsking = false
        var reply: Reply = .silent
        var answeredAt: UInt64?
    }

    private let state = Monitor(State())

    package init() {}

    /// - Parameters:
    ///   - seconds: how long the caller waits at most.
    ///   - age: seconds for which an answer stands; nothing is asked then. What failed may work in a moment: it is asked anew.
    package func ask(
        atMost seconds: Double, standingFor age: Double = 0,
        _ question: @escaping @Sendable () throws(SystemError) -> Answer
    ) -> Reply {
        let (isToBeAsked, known) = state.withLock { state -> (Bool, Reply?) in
            if let time = state.answeredAt, MonotonicTime.seconds(since: time) < age, case .answered = state.reply {
                return (false, state.reply)
            }
            if state.isAsking { return (false, nil) }
            (state.isAsking, state.reply) = (true, .silent)
            return (true, nil)
        }
        if let known { return known }
        if isToBeAsked {
            do throws(SystemError) { try start(question) } catch {
                state.withLock { $0.isAsking = false }
                return .failed(error)
            }
        }
        return state.wait(atMost: seconds) { $0.isAsking ? nil : $0.reply } ?? .silent
    }

    private func start(_ question: @escaping @Sendable () throws(SystemError) -> Answer) throws(SystemError) {
        _ = try WorkerThread("question") { [state] in
            let reply: Reply
            do throws(SystemError) { reply = .answered(try question()) } catch { reply = .failed(error) }
            state.withLock { $0 = State(isAsking: false, reply: reply, answeredAt: MonotonicTime.nanoseconds()) }
        }
    }
}
