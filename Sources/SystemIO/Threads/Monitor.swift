// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A value behind a mutex and a condition variable: the standard library's `Mutex` has nothing to wait on.
///
/// Wait with `wait(until:)`; every `withLock` wakes the waiters so that they look at their condition again.
// @unchecked: `value` is only touched while `mutex` is held.
package final class Monitor<Value>: @unchecked Sendable {
    private var value: Value
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    package init(_ initial: sending Value) {
        value = initial
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        // Waits are measured on the monotonic clock: setting the wall clock must not stretch them.
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return try body(&value)
    }

    /// Looks and changes nothing, so that nobody is woken: for what many threads ask often.
    package func read<Result>(_ body: (Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(value)
    }

    /// Blocks this thread until `step` gives a value. `step` runs under the lock each time somebody changed the value.
    package func wait<Result>(until step: (inout Value) -> Result?) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        while true {
            if let result = step(&value) { return result }
            pthread_cond_wait(condition, mutex)
        }
    }

    /// As `wait(until:)`, at most `seconds`; `nil` when they have passed.
    package func wait<Result>(atMost seconds: Double, until step: (inout Value) -> Result?) -> Result? {
        wait(atMost: seconds, wakingOthers: true, until: step)
    }

    /// As `wait(atMost:until:)` where `step` changes nothing: of a thousand that wait each would wake all others as it leaves.
    package func waitReading<Result>(atMost seconds: Double, until step: (Value) -> Result?) -> Result? {
        wait(atMost: seconds, wakingOthers: false) { step($0) }
    }

    private func wait<Result>(
        atMost seconds: Double, wakingOthers: Bool, until step: (inout Value) -> Result?
    ) -> Result? {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        // A negative time would be EINVAL and a spin; thirty years stand for any longer one.
        let seconds = min(max(seconds, 0), 1e9)
        let nanoseconds = deadline.tv_nsec + Int(seconds.truncatingRemainder(dividingBy: 1) * 1e9)
        deadline.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        pthread_mutex_lock(mutex)
        defer {
            if wakingOthers { pthread_cond_broadcast(condition) }
            pthread_mutex_unlock(mutex)
        }
        while true {
            if let result = step(&value) { return result }
            if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT { return step(&value) }
        }
    }
}
