// SPDX-License-Identifier: Apache-2.0

import CPostgres

/// What the server says beside its answers. All of it would be too much: only what it says of processes that it waits for
/// is kept (`WaitForProcSignalBarrier`, which says so every five seconds at the level LOG).
final class ServerNotices {
    private(set) var processesWaitedFor: Set<Int> = []

    func forget() { processesWaitedFor = [] }

    /// Call it once; `self` must live as long as the connection is open.
    func receive(from connection: OpaquePointer) {
        PQsetNoticeProcessor(
            connection,
            { context, text in
                guard let context, let text else { return }
                Unmanaged<ServerNotices>.fromOpaque(context).takeUnretainedValue().add(String(cString: text))
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// `LOG:  still waiting for backend with PID 4711 to accept ProcSignalBarrier`, in the server's language: the last word
    /// is a name of its own in each.
    func add(_ text: String) {
        guard text.contains("ProcSignalBarrier"),
            let number = text.split(whereSeparator: { !("0"..."9").contains($0) }).first.flatMap({ Int($0) })
        else { return }
        processesWaitedFor.insert(number)
    }
}
