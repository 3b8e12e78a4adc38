// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// What a server answered, by the real curl.
struct Answer {
    let status: Int
    let headers: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    func object() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any], "not an object: \(text)")
    }

    func array() throws -> [[String: Any]] {
        try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [[String: Any]], "not an array: \(text)")
    }

    func string(_ key: String) throws -> String { try #require(try object()[key] as? String, "no \(key) in \(text)") }
}

enum Curl {
    static func send(_ arguments: [String]) throws -> Answer {
        let folder = try TemporaryFolder("curl")
        let head = folder.path.appending("head")
        let body = folder.path.appending("body")
        let status = try Shell.run(
            "/usr/bin/curl",
            ["--silent", "--show-error", "--max-time", "60", "--dump-header", head.string, "--output", body.string]
                + ["--write-out", "%{http_code}"] + arguments)
        var headers: [String: String] = [:]
        for line in try String(decoding: OpenFile(head, .read).readAll(), as: UTF8.self).split(
            whereSeparator: \.isNewline)
        {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        let content = try FileStatus.ifPresent(body) == nil ? [] : OpenFile(body, .read).readAll(limit: 1 << 30)
        return Answer(status: Int(status) ?? 0, headers: headers, body: content)
    }

    static func get(_ url: String, _ arguments: String...) throws -> Answer { try send(arguments + [url]) }

    static func post(_ url: String, _ json: String, _ arguments: String...) throws -> Answer {
        try send(["-X", "POST", "-H", "Content-Type: application/json", "-d", json] + arguments + [url])
    }
}

extension TestStack {
    /// Polls a task until it has ended.
    func finished(_ task: String) throws -> [String: Any] {
        for _ in 0..<600 {
            let record = try Curl.get("\(backupURL)/tasks/\(task)").object()
            if let status = record["status"] as? String, ["completed", "failed"].contains(status) { return record }
            usleep(200_000)
        }
        throw Stuck(task: task)
    }

    struct Stuck: Error { let task: String }

    /// Makes a backup through the API and returns its name.
    func backup(_ json: String = "{}") throws -> String {
        let accepted = try Curl.post("\(backupURL)/backups", json)
        try #require(accepted.status == 202, "\(accepted.text)")
        let task = try finished(accepted.string("task_id"))
        try #require(task["status"] as? String == "completed", "\(task)")
        return try #require(task["backup_name"] as? String)
    }
}
