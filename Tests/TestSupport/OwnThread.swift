// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Testing

/// Where the tests of a suite run: in the cooperative pool, which has as many threads as the machine has cores, tests that wait
/// for a program or a server stand in the way of all the others while no core works.
///
/// For the same reason they are none for `scripts/test --quick`, but for the few that say so.
package struct Placed: SuiteTrait, TestScoping {
    fileprivate let isQuick: Bool
    fileprivate let executor: @Sendable (String) -> any TaskExecutor

    fileprivate init(isQuick: Bool = false, _ executor: @escaping @Sendable (String) -> any TaskExecutor) {
        self.isQuick = isQuick
        self.executor = executor
    }

    package func prepare(for test: Test) async throws {
        let condition: ConditionTrait = .enabled(if: isQuick || !TestForm.isQuick, "it waits more than it works")
        try await condition.prepare(for: test)
    }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(executor(test.name)) { try await function() }
    }
}

extension Trait where Self == Placed {
    /// On a thread of its own: it would else begin when the others have ended. For few, since they all run at once.
    package static var onItsOwnThread: Self { Placed { SerialQueue($0) } }

    /// On one of a few threads beside the pool, with all the others that run there. For those that run our program or a server
    /// and wait for it more than they work.
    package static var besideThePool: Self { besideThePool(alsoQuick: false) }

    /// - Parameter alsoQuick: whether `scripts/test --quick` runs it all the same: for one that is as fast as it is telling.
    package static func besideThePool(alsoQuick: Bool) -> Self { Placed(isQuick: alsoQuick) { _ in Lanes.inOrder } }

    /// As `besideThePool`, ahead of the others: for suites whose tests run one after the other. In order each of them would
    /// wait until all that are there already had their turn.
    package static var aheadBesideThePool: Self { Placed { _ in Lanes.ahead } }
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
    static let inOrder = Lanes(.normal)
    static let ahead = Lanes(.high)

    /// Few, since they run beside the threads of the pool: tests that measure how long something waits must not come late.
    private static let queue = {
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 4
        return queue
    }()

    private let priority: Operation.QueuePriority

    private init(_ priority: Operation.QueuePriority) { self.priority = priority }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let operation = BlockOperation { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        operation.queuePriority = priority
        Self.queue.addOperation(operation)
    }
}
