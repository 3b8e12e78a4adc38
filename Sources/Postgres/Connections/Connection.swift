// SPDX-License-Identifier: Apache-2.0

import CPostgres
import Glibc
import SystemIO

/// One session with the server. Used by one thread at a time; closed by `close` or with its last reference.
///
/// Statements are sent without waiting inside libpq and their answers are polled for, so that a long one can be
/// cancelled and two sessions can be driven by one thread.
package final class Connection {
    package let settings: ConnectionSettings
    /// `150018` for 15.18 (PQserverVersion).
    package let serverVersion: Int
    /// The server process as the handshake named it. A pooler names one of its own making.
    let backendPID: Int32
    private var handle: OpaquePointer?
    /// Whether `SessionParameters` hold in this session; false behind a pooler that takes no options.
    private(set) var takesOptions = true
    /// The server process of a session whose statements give up when they wait for others for longer than
    /// `settings.patience`; `nil` for one that waits. See `becomePatient`.
    var watchedProcess: Int?
    /// What the server said beside its answers.
    let notices = ServerNotices()

    /// - Parameters:
    ///   - applicationName: what `pg_stat_activity` shows.
    ///   - connectTimeoutSeconds: for the whole handshake; looking the host's name up is not counted.
    package init(
        _ settings: ConnectionSettings, applicationName: String = "mlflow-backup", connectTimeoutSeconds: Double = 5
    ) throws(PostgresError) {
        self.settings = settings
        let opened: OpaquePointer
        do throws(PostgresError) {
            opened = try Handshake(settings, applicationName: applicationName, options: SessionParameters.options)
                .finish(within: connectTimeoutSeconds)
        } catch {
            guard SessionParameters.areRefused(by: error) else { throw error }
            takesOptions = false
            opened = try Handshake(settings, applicationName: applicationName, options: nil)
                .finish(within: connectTimeoutSeconds)
        }
        // By default they go to our standard error, past the log.
        notices.receive(from: opened)
        handle = opened
        serverVersion = Int(PQserverVersion(opened))
        backendPID = PQbackendPID(opened)
        if takesOptions { try finishParameters(within: connectTimeoutSeconds) }
    }

    private func finishParameters(within seconds: Double) throws(PostgresError) {
        try send(SessionParameters.finish(serverVersion: serverVersion))
        guard try isAnswered(within: seconds) else {
            close()
            throw .unreachable(host: settings.host, port: settings.port, reason: "no answer within \(Int(seconds)) s")
        }
        takesOptions = try takeAnswer().first?.bool("taken") ?? false
    }

    /// `nil` once it was closed.
    var surroundings: SessionSurroundings? { handle.map { SessionSurroundings(of: $0) } }

    /// False once it was closed, also by us for a server process that does not react.
    var isOpen: Bool { handle != nil }

    deinit { close() }

    package func close() {
        if let handle { PQfinish(handle) }
        handle = nil
    }

    /// Runs one statement and returns all its rows. For small results: they are held in memory twice for a moment.
    package func rows(_ sql: SQL) throws(PostgresError) -> [Row] {
        try send(sql)
        if watchedProcess != nil { return try patientAnswer(isLong: false) }
        while try !isAnswered(within: 3600) {}
        return try takeAnswer()
    }

    /// Runs one statement whose rows are of no interest.
    package func execute(_ sql: SQL) throws(PostgresError) {
        _ = try rows(sql)
    }

    /// Runs statements that somebody else wrote, one transaction unless they say otherwise or one is open.
    /// - Parameter script: in the session's `client_encoding`.
    /// - Throws: `PostgresError`, or `CancelledError`.
    func execute(script: some Collection<UInt8>, cancellation: Cancellation = Cancellation()) throws {
        try cancellation.check()
        try send(script: script)
        _ = try takeAnswer(endingWith: cancellation)
    }

    /// Sends statements that somebody else wrote. `isAnswered` and then `takeAnswer` must follow before the next one.
    func send(script: some Collection<UInt8>) throws(PostgresError) {
        if script.contains(0) { throw .nulByte(text: String(ofServer: script.prefix(80))) }
        guard let handle else { throw .connectionLost(reason: "closed") }
        let sent = (Array(script) + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { PQsendQuery(handle, $0.baseAddress) }
        }
        if sent != 1 { throw lost(handle) }
    }

    /// As `rows`, and asks the server to stop once `cancellation` is set.
    /// - Throws: `PostgresError`, or `CancelledError`.
    package func rows(_ sql: SQL, cancellation: Cancellation) throws -> [Row] {
        try cancellation.check()
        try send(sql)
        return try takeAnswer(endingWith: cancellation)
    }

    private func takeAnswer(endingWith cancellation: Cancellation) throws -> [Row] {
        while try !isAnswered(within: 0.2) {
            guard cancellation.isCancelled else { continue }
            if try cancelStatement() { break }
            throw CancelledError()
        }
        do throws(PostgresError) { return try takeAnswer() } catch {
            if cancellation.isCancelled { throw CancelledError() }
            throw error
        }
    }

    /// Sends one statement. `isAnswered` and then `takeAnswer` must follow before the next one.
    func send(_ sql: SQL) throws(PostgresError) {
        guard let handle else { throw .connectionLost(reason: "closed") }
        let statement = try sql.rendered()
        let isOfBytes = isOfBytes
        var values: [UnsafeMutablePointer<CChar>?] = statement.parameters.map { value in
            value.flatMap { isOfBytes ? $0.serverBytes.withUnsafeBufferPointer(Self.copy) : strdup($0) }
        }
        defer { values.forEach { free($0) } }
        let sent = values.withUnsafeMutableBufferPointer { buffer in
            buffer.withMemoryRebound(to: UnsafePointer<CChar>?.self) { rebound in
                PQsendQueryParams(
                    handle, statement.text, Int32(rebound.count), nil, rebound.baseAddress, nil, nil, 0)
            }
        }
        if sent != 1 { throw lost(handle) }
    }

    /// Whether what it reads is bytes of no encoding (`String.init(ofServer:)`), which it sends as what they were.
    package var isOfBytes: Bool { handle.map { PQclientEncoding($0) == 0 } ?? false }

    private static func copy(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafeMutablePointer<CChar>? {
        bytes.withMemoryRebound(to: CChar.self) { $0.baseAddress.flatMap { strndup($0, bytes.count) } } ?? strdup("")
    }

    /// Waits for the answer to what was sent.
    /// - Returns: false when `seconds` have passed without one.
    func isAnswered(within seconds: Double) throws(PostgresError) -> Bool {
        guard let handle else { throw .connectionLost(reason: "closed") }
        let deadline = MonotonicTime.nanoseconds() + UInt64(seconds * 1e9)
        while PQisBusy(handle) == 1 {
            let now = MonotonicTime.nanoseconds()
            if now >= deadline { return false }
            var polled = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
            let wait = Int32(min((deadline - now) / 1_000_000 + 1, 60_000))
            if poll(&polled, 1, wait) < 0, errno != EINTR { throw lost(handle) }
            // A failed read is told by the result that PQgetResult makes of it.
            if polled.revents != 0, PQconsumeInput(handle) != 1 { break }
        }
        return true
    }

    /// The rows of the statement sent last, or the error it ended with.
    func takeAnswer() throws(PostgresError) -> [Row] {
        guard let handle else { throw .connectionLost(reason: "closed") }
        var rows: [Row] = []
        var failure: PostgresError?
        while let result = PQgetResult(handle) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK: rows = Row.all(of: result)
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                // Ending a COPY needs its own protocol; nothing here speaks it.
                close()
                throw .query(sqlstate: "0A000", message: "COPY is not supported on this connection")
            default: failure = failure ?? PostgresError(result: result, of: handle, settings: settings)
            }
        }
        if let failure { throw failure }
        return rows
    }

    /// Asks the server to stop the running statement. The answer then is SQLSTATE 57014, or its result if it had ended.
    func requestCancel() {
        guard let handle, let request = PQgetCancel(handle) else { return }
        defer { PQfreeCancel(request) }
        var reason = [CChar](repeating: 0, count: 256)
        // A request that does not arrive leaves the statement running: it is then waited for.
        _ = PQcancel(request, &reason, Int32(reason.count))
    }

    /// Asks the server to stop the running statement and waits for what it says to that.
    /// - Returns: false where the server process does not react. The session is closed then.
    func cancelStatement() throws(PostgresError) -> Bool {
        requestCancel()
        if try isAnswered(within: cancelSeconds) { return true }
        close()
        return false
    }

    /// How long a server process may take to notice a cancellation. One that reads a slow disk takes a while.
    private var cancelSeconds: Double { min(30, 2 * settings.patience) }

    /// Ends a statement that was sent and whose answer nobody waits for any more, so that the session can be used again.
    /// The server may have finished it all the same.
    func abandonStatement() {
        guard let handle, PQtransactionStatus(handle) == PQTRANS_ACTIVE else { return }
        // A server that does not answer a cancellation is lost, as the next statement will say.
        if (try? cancelStatement()) == true { _ = try? takeAnswer() }
    }

    private func lost(_ handle: OpaquePointer) -> PostgresError {
        .connectionLost(reason: PostgresError.firstLine(String(cString: PQerrorMessage(handle))))
    }
}
