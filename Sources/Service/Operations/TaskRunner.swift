// SPDX-License-Identifier: Apache-2.0

import Backup
import SystemIO
import Wording

/// Runs tasks one after the other on a thread of its own.
public final class TaskRunner: Sendable {
    private struct Job {
        let record: TaskRecord
        let request: OperationRequest
        let requested: MailAddress?
    }

    private struct State {
        var queue: [Job] = []
        var current: Job?
        var isStopping = false
    }

    /// Tasks that may wait. More would only repeat what the waiting ones do.
    public static let queueLimit = 16

    private let state = Monitor(State())
    private let cancellation = Cancellation()
    private let execution: TaskExecution
    private let tasks: TaskStore
    private let thread: Monitor<WorkerThread?>

    public init(_ execution: TaskExecution, tasks: TaskStore) throws {
        self.execution = execution
        self.tasks = tasks
        thread = Monitor(nil)
        let worker = try WorkerThread("tasks") { [state, execution, cancellation] in
            Self.loop(state, execution, cancellation)
        }
        thread.withLock { $0 = worker }
    }

    /// Records the task and puts it in the queue.
    /// - Throws: `ServiceError.stopping`, `.queueFull`, and what the store throws: a task is not taken unrecorded.
    public func submit(
        _ request: OperationRequest, origin: TaskRecord.Origin, email: MailAddress?
    ) throws -> TaskRecord {
        try state.withLock { state in
            if state.isStopping { throw ServiceError.stopping }
            if state.queue.count >= Self.queueLimit { throw ServiceError.queueFull(waiting: state.queue.count) }
            let record = try tasks.begin(request, origin: origin, email: email)
            state.queue.append(Job(record: record, request: request, requested: email))
            return record
        }
    }

    /// The open task that needs this backup, if there is one.
    public func taskUsing(_ backup: String) -> String? {
        state.withLock { state in
            let open = state.queue + (state.current.map { [$0] } ?? [])
            return open.first { $0.request.backupName == backup }?.record.id
        }
    }

    /// Takes no more tasks, lets the running one end, cancels it when `graceSeconds` have passed, and marks those
    /// that never began as failed.
    public func stop(graceSeconds: Double) {
        let waiting = state.withLock { state in
            state.isStopping = true
            defer { state.queue = [] }
            return state.queue
        }
        for job in waiting {
            execution.abandon(
                job.record,
                because: BilingualText(
                    zh: "服务停止，任务未开始。请重新发起。", en: "The service stopped before the task began. Start it again."))
        }
        if state.wait(atMost: graceSeconds, until: { $0.current == nil ? () : nil }) == nil { cancellation.cancel() }
        thread.withLock { $0 }?.join()
    }

    private static func loop(_ state: Monitor<State>, _ execution: TaskExecution, _ cancellation: Cancellation) {
        while true {
            let next = state.wait { state -> Job?? in
                if !state.queue.isEmpty {
                    let job = state.queue.removeFirst()
                    state.current = job
                    return .some(job)
                }
                return state.isStopping ? .some(nil) : nil
            }
            guard let job = next else { return }
            // The failure is in the record, the log and the notice by now.
            _ = try? execution.run(
                job.record, job.request, requested: job.requested, waitSeconds: 3600, cancellation: cancellation
            ) { _ in }
            state.withLock { $0.current = nil }
        }
    }
}
