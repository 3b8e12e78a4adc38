// SPDX-License-Identifier: Apache-2.0

import SystemIO

extension Connection {
    /// Runs one statement on each of two sessions at the same time, for results that are small.
    ///
    /// Where one fails the other is told to stop, and both sessions are ready for a next statement.
    /// - Throws: the first error as `PostgresError`, or `CancelledError`.
    package static func rows(
        _ first: (session: Connection, sql: SQL), _ second: (session: Connection, sql: SQL),
        cancellation: Cancellation = Cancellation()
    ) throws -> (first: [Row], second: [Row]) {
        try cancellation.check()
        try first.session.send(first.sql)
        do throws(PostgresError) { try second.session.send(second.sql) } catch {
            first.session.requestCancel()
            _ = first.session.answer(cancellation)
            throw error
        }
        let one = first.session.answer(cancellation)
        if case .failure = one { second.session.requestCancel() }
        let two = second.session.answer(cancellation)
        if cancellation.isCancelled { throw CancelledError() }
        return (try one.get(), try two.get())
    }

    /// Waits for what was sent; asks the server to stop once `cancellation` is set.
    private func answer(_ cancellation: Cancellation) -> Result<[Row], PostgresError> {
        do throws(PostgresError) {
            while try !isAnswered(within: 0.2) {
                // One that does not react is closed, which `takeAnswer` tells.
                if cancellation.isCancelled, try cancelStatement() { break }
            }
            return .success(try takeAnswer())
        } catch { return .failure(error) }
    }
}
