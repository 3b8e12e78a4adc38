// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What pg_dump and pg_restore say while they work (`--verbose`).
package enum ToolProgress: Sendable, Equatable {
    /// The rows of this table are being moved: `public.metrics`.
    case table(String)
    /// Anything else, for the log.
    case step(String)

    /// `pg_dump: dumping contents of table "public.metrics"`; pg_restore says `processing data for table`.
    init?(_ line: String) {
        guard let colon = line.firstRange(of: ": ") else { return nil }
        let text = String(line[colon.upperBound...])
        for start in ["dumping contents of table \"", "processing data for table \""] where text.hasPrefix(start) {
            self = .table(String(text.dropFirst(start.count).dropLast()))
            return
        }
        self = .step(text)
    }
}

enum ToolMessages {
    /// The lines that tell why, out of a verbose account: errors, and what follows them.
    static func reason(in errors: String) -> [String] {
        let lines = errors.split(whereSeparator: \.isNewline).map(String.init)
        let telling = lines.filter { line in
            guard line.hasPrefix("pg_dump: ") || line.hasPrefix("pg_restore: ") else { return true }
            return ["error:", "warning:", "detail:", "hint:"].contains { line.contains(": \($0)") }
        }
        return Array((telling.isEmpty ? lines : telling).suffix(10))
    }
}

extension PostgresError {
    /// The programs tell their failure in words only; those we know become the error they stand for.
    init(tool: String, outcome: ChildProcess.Outcome, settings: ConnectionSettings) {
        let lines = ToolMessages.reason(in: outcome.errors)
        let text = lines.joined(separator: "\n")
        func line(with words: String) -> String? { lines.last { $0.contains(words) } }
        if let full = line(with: "No space left on device") ?? line(with: "could not extend file") {
            self = .diskFull(reason: full)
        } else if text.contains("password authentication failed") || text.contains("no password supplied") {
            self = .authenticationFailed(user: settings.user)
        } else if let slots = line(with: "remaining connection slots") ?? line(with: "too many clients") {
            self = .tooManyConnections(reason: slots)
        } else if let refused = line(with: "Connection refused") ?? line(with: "could not translate host name") {
            self = .unreachable(host: settings.host, port: settings.port, reason: refused)
        } else if let held = Self.heldTables(lines, settings) {
            self = held
        } else {
            self = .toolFailed(tool: tool, exit: "\(outcome.exit)", lastErrorLines: lines)
        }
    }

    /// pg_dump locks every table first, and its workers lock theirs again without waiting. Why the server refused is said in the
    /// server's language, so whoever holds one tells that it was for that.
    private static func heldTables(_ lines: [String], _ settings: ConnectionSettings) -> PostgresError? {
        let seconds = PostgresTools.lockWaitSeconds(settings)
        guard isAboutLocks(lines),
            case .tablesInUse(let waited, let holders) = PostgresError.query(sqlstate: "55P03", message: "")
                .namingHolders(in: settings, seconds: seconds), !holders.isEmpty
        else { return nil }
        return .tablesInUse(seconds: waited, holders: holders)
    }

    private static func isAboutLocks(_ lines: [String]) -> Bool {
        lines.contains {
            $0.contains("LOCK TABLE ") && $0.contains("IN ACCESS SHARE MODE") || $0.contains("could not obtain lock on")
        }
    }

    /// Whether a dump ended, or may have ended, for a lock of another session: with everything let go it may be had.
    package var metLock: Bool {
        switch self {
        case .tablesInUse: true
        case .toolFailed(_, _, let lines): Self.isAboutLocks(lines)
        default: false
        }
    }
}
