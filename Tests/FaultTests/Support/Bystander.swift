// SPDX-License-Identifier: Apache-2.0

import Foundation
import Postgres
import Synchronization
import SystemIO
import TestSupport

/// Does for the shim what a library cannot: it is asked at a statement, acts as the server's superuser, and answers.
final class Bystander: Sendable {
    let ask: FilePath
    private let folder: TemporaryFolder
    private let isOver = Atomic<Bool>(false)
    private let asked = Atomic<Int>(0)

    /// - Parameter body: gets a superuser's session, and the server's process id of the session that asks.
    init(_ server: TemporaryPostgres, _ body: @escaping @Sendable (Connection, Int) throws -> Void) throws {
        folder = try TemporaryFolder("ask")
        ask = folder.path.appending("ask")
        let settings = server.superuser.naming(database: "postgres")
        let (ask, answer) = (ask, FilePath(self.ask.string + ".done"))
        _ = try WorkerThread("bystander") { [weak self] in
            guard let session = try? Connection(settings) else { return }
            defer { session.close() }
            while self?.isOver.load(ordering: .relaxed) == false {
                usleep(2000)
                guard let bytes = try? OpenFile(ask, .read).readAll() else { continue }
                let pid =
                    Int(String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
                try? Directory.remove(ask)
                do { try body(session, pid) } catch { print("faults: a bystander failed: \(error)") }
                try? DurableFile.replace(answer, with: [])
                self?.asked.add(1, ordering: .relaxed)
            }
        }
    }

    deinit { finish() }

    var wasAsked: Bool { asked.load(ordering: .relaxed) > 0 }
    func finish() { isOver.store(true, ordering: .relaxed) }

    /// Ready for the next question.
    func clear() throws {
        for name in try Directory.names(in: folder.path) { try Directory.remove(folder.path.appending(name)) }
    }

    /// Ends a session and waits until it has gone.
    static func terminate(_ session: Connection, _ pid: Int) throws {
        try session.execute("select pg_terminate_backend(\(pid))")
        try Patience.wait("the session \(pid) to end") {
            try session.rows("select from pg_stat_activity where pid = \(pid)").isEmpty
        }
    }
}
