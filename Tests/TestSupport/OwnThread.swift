// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Testing

/// Where the tests of a suite run: in the cooperative pool, which has as many threads as the machine has cores, tests that wait
/// for a program or a server stand in the way of all the others while no core works.
public struct Placed: SuiteTrait, TestScoping {
    fileprivate let executor: @Sendable (String) -> any TaskExecutor

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(executor(test.name)) { try await function() }
    }
}

extension Trait where Self == Placed {
    /// On a thread of its own: it would else begin when the others have ended. For few, since they all run at once.
    public static var onItsOwnThread: Self { Placed { SerialQueue($0) } }

    /// On one of a few threads beside the pool, with all the others that run there. For those that run our program and wait
    /// for it more than they work.
    public static var besideThePool: Self { Placed { _ in Lanes.shared } }
}

private final class SerialQueue: TaskExecutor {
    private let queue: DispatchQueue

    init(_ name: String) { queue = DispatchQueue(label: name) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

private final class Lanes: TaskExecutor {
    static let shared = Lanes()

    private let queue = OperationQueue()

    /// Few, since they run beside the threads of the pool: tests that measure how long something waits must not come late.
    init() { queue.maxConcurrentOperationCount = 3 }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.addOperation { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
