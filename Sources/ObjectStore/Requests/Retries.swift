// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import SystemIO

/// A failure that the same request may not meet again.
struct PassingFailure: Error {
    let error: ObjectStoreError
    /// Seconds that the store asked for (RFC 9110 section 10.2.3), if it did.
    var wanted: Double?
}

/// Whether a store has ever answered in this operation.
final class FirstContact: Sendable {
    private let flag = Atomic<Bool>(false)

    var isMade: Bool { flag.load(ordering: .relaxed) }
    func make() { flag.store(true, ordering: .relaxed) }
}

/// The pauses between the tries of one request.
struct Retries {
    private let patience: RequestPatience
    private let contact: FirstContact
    private let cancellation: Cancellation
    private var start: UInt64?
    private var pause: Double

    init(_ patience: RequestPatience, _ contact: FirstContact, _ cancellation: Cancellation) {
        (self.patience, self.contact, self.cancellation) = (patience, contact, cancellation)
        pause = patience.pause
    }

    /// Something came: what fails from here on fails for the first time.
    mutating func succeeded() { (start, pause) = (nil, patience.pause) }

    /// - Throws: the failure itself, once patience is at its end; `CancelledError`.
    mutating func wait(after failure: PassingFailure) throws {
        let began = start ?? MonotonicTime.nanoseconds()
        start = began
        // Between half and the whole of it: threads that failed together come back one by one.
        let chosen = min(max(pause * Double.random(in: 0.5...1), failure.wanted ?? 0), patience.longestPause)
        pause = min(pause * 2, patience.longestPause)
        let limit = contact.isMade ? patience.retrying : min(patience.firstContact, patience.retrying)
        let spent = MonotonicTime.seconds(since: began)
        if spent + chosen > limit { throw failure.error.after(seconds: limit) }
        let asleep = MonotonicTime.nanoseconds()
        while MonotonicTime.seconds(since: asleep) < chosen {
            try cancellation.check()
            usleep(UInt32(min(chosen, 0.05) * 1e6))
        }
        try cancellation.check()
    }

    /// Does it until it does not fail in passing.
    @discardableResult
    mutating func run<Result>(_ body: () throws -> Result) throws -> Result {
        while true {
            try cancellation.check()
            do { return try body() } catch let failure as PassingFailure { try wait(after: failure) }
        }
    }
}

extension ObjectStoreError {
    /// How long it was refused is only known at the end.
    fileprivate func after(seconds: Double) -> ObjectStoreError {
        guard case .throttled(let place, _, let reason) = self else { return self }
        return .throttled(place: place, seconds: seconds, reason: reason)
    }
}
