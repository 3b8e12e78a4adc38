// SPDX-License-Identifier: Apache-2.0

import Backup
import SystemIO
import Wording

/// Runs tasks one after the other on a thread of its own.
package final class TaskRunner: Sendable {
    private struct Job {
        let record: TaskRecord
        let request: OperationRequest
        let requested: MailAddress?
        let ended: Ended
        let cancellation = TaskCancellation()
    }

    private struct State {
        var queue: [Job] = []
        var current: Job?
        /// What is being recorded, and not in the queue yet.
        var beginning: [OperationRequest] = []
        var isStopping = false

        /// The running one and those that wait.
        var open: [Job] { queue + (current.map { [$0] } ?? []) }
    }

    /// Told whether a task ended well, or because somebody cancelled it, once its record says so; never of one that did not come to its end
    /// because the service stops. One that is cancelled before its turn has ended, too.
    package typealias Ended = @Sendable (_ isDealtWith: Bool) -> Void

    /// Tasks that may wait. More would only repeat what the waiting ones do.
    package static let queueLimit = 16

    private let state = Monitor(State())
    private let execution: TaskExecution
    private let tasks: TaskBook
    private let thread: Monitor<WorkerThread?>

    package init(_ execution: TaskExecution, tasks: TaskBook) throws {
        self.execution = execution
        self.tasks = tasks
        thread = Monitor(nil)
        let worker = try WorkerThread("tasks") { [state, execution] in
            Self.loop(state, execution)
        }
        thread.withLock { $0 = worker }
    }

    /// Records the task and puts it in the queue.
    /// - Throws: `ServiceError.stopping`, `.queueFull`, `.alreadyRequested`, and what the store throws: a task is not taken unrecorded. But
    ///   one of the schedule, which nobody would ask for again, has a place of its own, and needs no store.
    package func submit(
        _ request: OperationRequest, origin: TaskRecord.Origin, email: MailAddress?, ended: @escaping Ended = { _ in }
    ) throws -> TaskRecord {
        let isScheduled = origin == .schedule
        // The store may wait for a disk, and holds up nobody else meanwhile; but who asks for the same waits for its answer.
        try state.wait { state -> Result<Void, any Error>? in
            if state.beginning.contains(where: request.repeats) { return nil }
            return Result {
                if state.isStopping { throw ServiceError.stopping }
                try refuseRepetition(of: request, state)
                let waiting = state.queue.count + state.beginning.count
                if !isScheduled, waiting >= Self.queueLimit { throw ServiceError.queueFull(waiting: waiting) }
                state.beginning.append(request)
            }
        }.get()
        let begun = Result { try tasks.begin(request, origin: origin, email: email, isKept: !isScheduled) }
        let isTaken = state.withLock { state in
            if let place = state.beginning.firstIndex(of: request) { state.beginning.remove(at: place) }
            guard !state.isStopping, case .success(let record) = begun else { return false }
            state.queue.append(Job(record: record, request: request, requested: email, ended: ended))
            return true
        }
        let record = try begun.get()
        guard isTaken else {
            execution.abandon(record, because: Self.notBegun, code: "stopping")
            throw ServiceError.stopping
        }
        return record
    }

    /// To be asked before anything that takes time: a repeated request is refused at once, whatever the state of the data.
    /// - Throws: `ServiceError.alreadyRequested`.
    func refuseRepetition(of request: OperationRequest) throws {
        try state.withLock { try refuseRepetition(of: request, $0) }
    }

    private func refuseRepetition(of request: OperationRequest, _ state: State) throws {
        guard let same = try state.open.first(where: { try request.repeats($0.request) && !hasEnded($0) })
        else { return }
        throw ServiceError.alreadyRequested(task: same.record.id)
    }

    /// Its record says so a moment before this thread is done with it, and who has read that may ask for the next thing.
    private func hasEnded(_ job: Job) throws -> Bool { try tasks.get(job.record.id)?.status.isFinished ?? false }

    /// The open task that needs this backup, if there is one.
    package func taskUsing(_ backup: String) throws -> String? {
        try state.withLock { state in
            try state.open.first { try $0.request.backupName == backup && !hasEnded($0) }?.record.id
        }
    }

    /// Takes a task that waits out of the queue and marks it, or tells the running one to end.
    /// - Returns: `false` where the task is not one of these.
    func cancel(_ id: String) -> Bool {
        let waiting: Job? = state.withLock { state in
            guard let place = state.queue.firstIndex(where: { $0.record.id == id }) else { return nil }
            return state.queue.remove(at: place)
        }
        if let waiting {
            execution.cancel(waiting.record, waiting.request, requested: waiting.requested)
            // Whoever waits for its end would wait for ever.
            waiting.ended(true)
            return true
        }
        return state.withLock { state in
            guard let current = state.current, current.record.id == id else { return false }
            current.cancellation.cancel(.requested)
            return true
        }
    }

    /// Of a task that waited for its turn.
    static let notBegun = BilingualText(
        zh: "服务停止，任务未开始。请重新发起。", en: "The service stopped before the task began. Start it again.")

    /// Takes no more tasks, lets the running one end, cancels it when `graceSeconds` have passed, and marks those
    /// that never began as failed.
    package func stop(graceSeconds: Double) {
        let waiting = state.withLock { state in
            state.isStopping = true
            defer { state.queue = [] }
            return state.queue
        }
        for job in waiting {
            execution.abandon(
                job.record,
                because: Self.notBegun,
                code: "stopping")
        }
        if state.wait(atMost: graceSeconds, until: { $0.current == nil ? () : nil }) == nil {
            state.withLock { $0.current?.cancellation.cancel(.stopping) }
        }
        thread.withLock { $0 }?.join()
    }

    private static func loop(_ state: Monitor<State>, _ execution: TaskExecution) {
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
            if [.backup, .verify].contains(job.record.kind) { runBeside(job, execution) } else { run(job, execution) }
            // What a job needed, chunks of four megabytes among it, is nobody's for a day.
            Heap.giveBackFreePages()
            state.withLock { $0.current = nil }
        }
    }

    /// What nobody waits for keeps no client of the API, and nobody else of this machine, from his answer.
    private static func runBeside(_ job: Job, _ execution: TaskExecution) {
        do {
            try WorkerThread("task") {
                WorkerThread.lowerPriority()
                run(job, execution)
            }.join()
        } catch { run(job, execution) }
    }

    private static func run(_ job: Job, _ execution: TaskExecution) {
        // The failure is in the record, the log and the notice by now.
        do {
            _ = try execution.run(
                job.record, job.request, requested: job.requested, waitSeconds: 3600, cancellation: job.cancellation
            ) { _ in }
            job.ended(true)
        } catch {
            let isStopped = error is TaskCancelled && job.cancellation.reason == .stopping
            if !isStopped { job.ended(error is TaskCancelled) }
        }
    }
}
