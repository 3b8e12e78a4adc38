// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A thread of our own for work that blocks: files, libpq, child processes. Swift's cooperative pool has one
/// thread a core and must never wait for a disk.
package final class WorkerThread: Sendable {
    private let finished = Monitor(false)

    /// - Parameters:
    ///   - name: shown by `top -H`; the kernel keeps 15 bytes.
    ///   - body: runs to its end on the new thread.
    package init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let start = Start(name: name, body: body, finished: finished)
        let context = Unmanaged.passRetained(start)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 1 << 20)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { raw in
                guard let raw else { return nil }
                let start = Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
                clinux_thread_name(String(start.name.prefix(15)))
                start.body()
                start.finished.withLock { $0 = true }
                return nil
            }, context.toOpaque())
        if code != 0 {
            context.release()
            throw SystemError("start thread", path: name, code: code)
        }
    }

    /// Starts several that do the same, and give way to others at the disks.
    /// - Parameter dismiss: called where one of them cannot be started, and must bring those that were to their end: whoever
    ///   would have told them in its `deinit` is never made.
    package static func start(
        _ count: Int, named name: String, orElse dismiss: () -> Void, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) -> [WorkerThread] {
        var threads: [WorkerThread] = []
        do throws(SystemError) {
            for number in 0..<count {
                threads.append(
                    try WorkerThread("\(name)-\(number)") {
                        lowerInputOutputPriority()
                        body()
                    })
            }
        } catch {
            dismiss()
            throw error
        }
        return threads
    }

    /// Blocks until the body has returned.
    package func join() {
        finished.wait { $0 ? () : nil }
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        let finished: Monitor<Bool>

        init(name: String, body: @escaping @Sendable () -> Void, finished: Monitor<Bool>) {
            self.name = name
            self.body = body
            self.finished = finished
        }
    }
}
