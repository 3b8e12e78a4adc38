// SPDX-License-Identifier: Apache-2.0

import CPostgres
import Glibc
import SystemIO

/// Opening a session, with a time limit of our own.
///
/// PQconnectdb tells a failure only in words, and a server speaks the language of its `lc_messages`. Started by hand,
/// libpq can be told to put the SQLSTATE into that text, which is the same in every language.
struct Handshake {
    private let settings: ConnectionSettings
    private let handle: OpaquePointer?

    /// - Parameter options: as `PGOPTIONS`; `nil` for a pooler that takes none.
    init(_ settings: ConnectionSettings, applicationName: String, options: String?) {
        self.settings = settings
        var parameters: [(String, String)] = [
            ("host", settings.host),
            ("port", String(settings.port)),
            ("user", settings.user),
            ("password", settings.password.revealed),
            ("dbname", settings.database),
            ("application_name", applicationName),
            ("client_encoding", "UTF8"),
            // A server that vanished is noticed after a minute rather than after two hours.
            ("keepalives_idle", "30"),
            ("keepalives_interval", "10"),
            ("keepalives_count", "3"),
            ("tcp_user_timeout", "60000"),
        ]
        if let options { parameters.append(("options", options)) }
        var keywords: [UnsafeMutablePointer<CChar>?] = parameters.map { strdup($0.0) } + [nil]
        var values: [UnsafeMutablePointer<CChar>?] = parameters.map { strdup($0.1) } + [nil]
        defer { (keywords + values).forEach { free($0) } }
        handle = keywords.withUnsafeMutableBufferPointer { keywords in
            keywords.withMemoryRebound(to: UnsafePointer<CChar>?.self) { keywords in
                values.withUnsafeMutableBufferPointer { values in
                    values.withMemoryRebound(to: UnsafePointer<CChar>?.self) { values in
                        PQconnectStartParams(keywords.baseAddress, values.baseAddress, 0)
                    }
                }
            }
        }
        if let handle { PQsetErrorVerbosity(handle, PQERRORS_VERBOSE) }
    }

    /// - Returns: an open session, which the caller must close.
    func finish(within seconds: Double) throws(PostgresError) -> OpaquePointer {
        guard let handle else { throw unreachable("out of memory") }
        do throws(PostgresError) {
            try advance(handle, deadline: MonotonicTime.nanoseconds() + UInt64(seconds * 1e9), seconds: seconds)
        } catch {
            PQfinish(handle)
            throw error
        }
        PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
        return handle
    }

    private func advance(_ handle: OpaquePointer, deadline: UInt64, seconds: Double) throws(PostgresError) {
        if PQstatus(handle) == CONNECTION_BAD { throw failure(of: handle) }
        // libpq's rule: until the first call says otherwise, wait for the socket to be writable.
        var wanted = PGRES_POLLING_WRITING
        while true {
            let now = MonotonicTime.nanoseconds()
            if now >= deadline { throw unreachable("no answer within \(HumanSeconds.text(seconds))") }
            var polled = pollfd(
                fd: PQsocket(handle), events: Int16(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT), revents: 0)
            if poll(&polled, 1, Int32(min((deadline - now) / 1_000_000 + 1, 60_000))) <= 0 { continue }
            wanted = PQconnectPoll(handle)
            if wanted == PGRES_POLLING_OK { return }
            if wanted == PGRES_POLLING_FAILED { throw failure(of: handle) }
        }
    }

    private func failure(of handle: OpaquePointer) -> PostgresError {
        let text = String(cString: PQerrorMessage(handle))
        // libpq itself found that the server wants a password and that there is none.
        if PQconnectionNeedsPassword(handle) == 1 { return .authenticationFailed(user: settings.user) }
        return PostgresError(connectionFailure: text, settings: settings)
    }

    private func unreachable(_ reason: String) -> PostgresError {
        .unreachable(host: settings.host, port: settings.port, reason: reason)
    }
}

private enum HumanSeconds {
    static func text(_ seconds: Double) -> String {
        seconds == seconds.rounded() ? "\(Int(seconds)) s" : "\(seconds) s"
    }
}
