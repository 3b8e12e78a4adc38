// SPDX-License-Identifier: Apache-2.0

extension Connection {
    /// Whether another process answers than the one that the handshake named: there is a pooler between.
    func isPooled() throws(PostgresError) -> Bool {
        try rows("select pg_catalog.pg_backend_pid() as pid").first?.int("pid") != Int(backendPID)
    }

    /// A pooler lets sessions wait for each other that are all ours: what it has room for is found by opening them at once.
    /// - Parameter needed: sessions in this database, this one included.
    /// - Throws: `tooManyConnections`, `PostgresError`.
    package func requirePooled(_ needed: Int) throws(PostgresError) {
        guard try isPooled() else { return }
        var others: [Connection] = []
        defer { others.forEach { $0.close() } }
        while others.count + 1 < needed { others.append(try another(needed, beside: others.count + 1)) }
    }

    private func another(_ needed: Int, beside had: Int) throws(PostgresError) -> Connection {
        do throws(PostgresError) {
            let other = try Connection(settings)
            // It opens sessions that have no server yet.
            try other.send("select 1")
            if try other.isAnswered(within: 5) {
                _ = try other.takeAnswer()
                return other
            }
            other.close()
        } catch {
            switch error {
            // It waits, or is told that it has waited for too long.
            case .unreachable, .connectionLost: break
            default: throw error
            }
        }
        let pooler = "the pooler at \(settings.host):\(settings.port), default_pool_size"
        throw .tooManyConnections(reason: "\(needed) needed, \(had) had at once, \(pooler)")
    }
}
