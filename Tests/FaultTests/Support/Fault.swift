// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// One call of the program that touches the folders under test, or one statement to the server.
struct Step: Sendable, Hashable {
    enum Kind: String, Sendable { case change = "w", read = "r", statement = "q" }

    let kind: Kind
    let call: String
    let place: String

    init?(line: Substring) {
        let parts = line.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let kind = Kind(rawValue: String(parts[0])) else { return nil }
        (self.kind, call, place) = (kind, String(parts[1]), String(parts[2]))
    }

    /// The place without what differs from run to run: moments, process ids and what a restore is called by.
    var pattern: String {
        place.replacing(#/\d{8}_\d{6}(_[0-9a-f]{8})?/#, with: "*").replacing(#/\d+-\d+/#, with: "*")
            .replacing(#/probe-\d+/#, with: "probe-*").replacing(#/\[/#, with: "?")
    }

    /// What kind of call site this is: below the staging folders and the artifacts, one file stands for all.
    var site: String {
        let parts = pattern.split(separator: "/").map(String.init)
        let depth =
            switch parts.first {
            case "artifacts": parts.count > 1 && parts[1].hasPrefix(".mlflow-backup") ? 3 : 1
            default: parts.count > 2 && parts[1].hasPrefix(".mlflow-backup") ? 4 : 2
            }
        let rest = parts.count > depth ? "/…" : ""
        return "\(kind.rawValue) \(call) " + parts.prefix(depth).joined(separator: "/") + rest
    }

    var matches: (Step) -> Bool {
        let (pattern, kind, call) = (self.pattern, self.kind, self.call)
        return { $0.kind == kind && $0.call == call && fnmatch(pattern, $0.place, FNM_NOESCAPE) == 0 }
    }
}

/// What happens, and at which step.
struct Fault: Sendable, CustomStringConvertible {
    enum Action: Sendable, Equatable, CustomStringConvertible {
        case error(Int32)
        case short
        case killBefore
        case killAfter
        /// Somebody outside is told the server's process of this session, and answers.
        case askBefore
        case askAfter

        var description: String {
            switch self {
            case .error(let code): Fault.names[code] ?? "error \(code)"
            case .short: "short"
            case .killBefore: "SIGKILL before"
            case .killAfter: "SIGKILL after"
            case .askBefore: "ask before"
            case .askAfter: "ask after"
            }
        }
    }

    static let names = [EIO: "EIO", ENOSPC: "ENOSPC", EDQUOT: "EDQUOT", EROFS: "EROFS"]
    static let errors = [EIO, ENOSPC, EDQUOT, EROFS]
    /// Calls that may do a part of what they were asked.
    static let divisible: Set<String> = ["write", "pwrite", "writev", "pwritev", "read", "pread", "copy_file_range"]

    let kind: Step.Kind
    /// `nil`: all calls, everywhere.
    let call: String?
    let pattern: String?
    let number: Int
    let action: Action
    /// From that step on, as a disk that has died.
    var staysDead = false
    var ask: FilePath?

    init(_ step: Step, number: Int, _ action: Action, ask: FilePath? = nil) {
        (kind, call, pattern, self.number, self.action) = (step.kind, step.call, step.pattern, number, action)
        self.ask = ask
    }

    init(deadFrom number: Int, _ code: Int32) {
        (kind, call, pattern, self.number, action, staysDead) = (.change, nil, nil, number, .error(code), true)
    }

    var description: String {
        if staysDead { return "\(action) from change \(number) on" }
        return "\(action) at \(call ?? "any") \(pattern ?? "") #\(number)"
    }

    var environment: [String: String] {
        get throws {
            var all = [
                "LD_PRELOAD": try Shim.library.get().string, "FAULT_CLASS": kind.rawValue, "FAULT_AT": "\(number)",
            ]
            all["FAULT_CALL"] = call
            all["FAULT_PLACE"] = pattern
            all["FAULT_ASK"] = ask?.string
            if staysDead { all["FAULT_FROM"] = "1" }
            all["FAULT_DO"] =
                switch action {
                case .error(let code): "error:\(code)"
                case .short: "short"
                case .killBefore: "kill-before"
                case .killAfter: "kill-after"
                case .askBefore: "ask-before"
                case .askAfter: "ask-after"
                }
            return all
        }
    }
}
