// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What a look found, and when.
package struct Seen<Value: Sendable>: Sendable {
    package let value: Value
    /// Counts the looks: two answers of one number are one answer.
    package let number: UInt64
    /// When that look began, as nanoseconds of `MonotonicTime`: what changed since may not be in it.
    let began: UInt64
    /// The same for people.
    package let at: LocalTime

    /// In seconds.
    package var age: Double { MonotonicTime.seconds(since: began) }

    func map<Other>(_ change: (Value) throws -> Other) rethrows -> Seen<Other> {
        Seen<Other>(value: try change(value), number: number, began: began, at: at)
    }
}

/// A value that one thread looks up for all who ask: never twice at once, however many ask, and whoever asks gets the newest
/// there is within a bounded time, with its age.
final class Watched<Value: Sendable>: Sendable {
    private struct State {
        var newest: Seen<Value>?
        /// Looks that began, and that were asked for: one begins while the second is larger.
        var begun: UInt64 = 0
        var wanted: UInt64 = 1
        /// When the newest look that is wanted was, as nanoseconds of `MonotonicTime`.
        var asked = MonotonicTime.nanoseconds()
        /// What was seen by a look that began before this is known to be otherwise now.
        var changed: UInt64 = 0
        var isStopped = false
        var isEnded = false

        mutating func ask(for number: UInt64) {
            guard wanted < number else { return }
            wanted = number
            asked = MonotonicTime.nanoseconds()
        }
    }

    private let state = Monitor(State())
    private let freshFor: Double
    private let goodFor: Double
    private let thread: WorkerThread

    /// - Parameters:
    ///   - freshFor: seconds for which a look answers all who ask.
    ///   - goodFor: seconds for which it still does while the next one is made for those who come later; `freshFor` where whoever asks first shall
    ///     wait for that.
    ///   - idle: seconds after which it looks though nobody asks.
    ///   - look: runs on the thread of this value, and may block.
    init(
        _ name: String, freshFor: Double, goodFor: Double? = nil, idle: Double = 60,
        look: @escaping @Sendable () -> Value
    ) throws(SystemError) {
        self.freshFor = freshFor
        self.goodFor = goodFor ?? freshFor
        thread = try WorkerThread(name) { [state] in
            while let number = Self.next(state, idle) {
                let (began, at) = (MonotonicTime.nanoseconds(), LocalTime.now())
                let value = look()
                state.withLock { $0.newest = Seen(value: value, number: number, began: began, at: at) }
            }
            state.withLock { $0.isEnded = true }
        }
    }

    /// - Returns: the number of the look that is due; `nil` where it is to end.
    private static func next(_ state: Monitor<State>, _ idle: Double) -> UInt64? {
        func take(_ state: inout State) -> UInt64 {
            state.begun += 1
            state.ask(for: state.begun)
            return state.begun
        }
        let asked = state.wait(atMost: idle) { state -> UInt64?? in
            if state.isStopped { return .some(nil) }
            return state.wanted > state.begun ? .some(take(&state)) : nil
        }
        // Nobody asked: one look all the same.
        return asked ?? state.withLock { $0.isStopped ? nil : take(&$0) }
    }

    /// The newest value. Where it is older than it may be a new look is asked for and waited for; who comes while one is under way gets
    /// what there is, up to three times that age, so that nobody waits under load.
    /// - Parameter seconds: how long to wait at most since that look was asked for: of a look that hangs all know after that.
    ///   For the first look of all it is ten, since nothing is worse than a wait.
    /// - Returns: `nil` where none has ended yet.
    func current(waitingAtMost seconds: Double = 1) -> Seen<Value>? {
        let (known, isComing, asked, changed) = state.read {
            ($0.newest, $0.wanted > $0.newest?.number ?? 0, $0.asked, $0.changed)
        }
        let isTrue = known.map { $0.began >= changed } ?? false
        if let known, isTrue, known.age < freshFor { return known }
        if !isComing { state.withLock { $0.ask(for: $0.begun + 1) } }
        guard let known else { return wait(for: 1, atMost: max(seconds, 10)) }
        if isTrue, known.age < (isComing ? max(goodFor, freshFor * 3) : goodFor) { return known }
        return wait(for: known.number + 1, atMost: seconds - (isComing ? MonotonicTime.seconds(since: asked) : 0))
    }

    /// Of whoever asks from now on nobody gets what was seen before, if a look does not take longer than he waits.
    func outdate() {
        state.withLock { state in
            state.changed = MonotonicTime.nanoseconds()
            state.ask(for: state.begun + 1)
        }
    }

    /// The value of a look that began after this call: what the caller has just changed is in it.
    /// - Returns: an older one, or none, where the time is up first.
    @discardableResult
    func look(waitingAtMost seconds: Double) -> Seen<Value>? {
        let (mine, isAsked) = state.read { ($0.begun + 1, $0.wanted > $0.begun) }
        if !isAsked { state.withLock { $0.ask(for: mine) } }
        return wait(for: mine, atMost: seconds)
    }

    private func wait(for number: UInt64, atMost seconds: Double) -> Seen<Value>? {
        let seen = state.waitReading(atMost: seconds) { state -> Seen<Value>? in
            guard let newest = state.newest, newest.number >= number || state.isStopped else { return nil }
            return newest
        }
        return seen ?? state.read { $0.newest }
    }

    /// A look that hangs is not waited for.
    func stop() { state.withLock { $0.isStopped = true } }

    /// Waits for the thread to end after `stop`.
    /// - Returns: whether it has.
    @discardableResult
    func isEnded(_ seconds: Double) -> Bool {
        state.waitReading(atMost: seconds) { $0.isEnded ? true : nil } ?? false
    }
}
