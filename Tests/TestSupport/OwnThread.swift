// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Testing

/// A suite that mostly waits for others runs on a thread of its own: in the cooperative pool, which has as many threads as
/// the machine has cores, it would stand in the way of all the others, or not begin before they have ended.
public struct OwnThread: SuiteTrait, TestScoping {
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(SerialQueue(test.name)) { try await function() }
    }
}

extension Trait where Self == OwnThread {
    public static var onItsOwnThread: Self { OwnThread() }
}

private final class SerialQueue: TaskExecutor {
    private let queue: DispatchQueue

    init(_ name: String) { queue = DispatchQueue(label: name) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
