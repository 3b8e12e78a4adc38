// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport

/// What a settled stack must not hold any more: partial files, staging, journals, databases that no record names.
struct Remains {
    private let stack: Ground

    init(_ stack: Ground) { self.stack = stack }

    func found() throws -> [String] { try inBackups() + inArtifacts() + onServer() }

    private func inBackups() throws -> [String] {
        let state = stack.backups.appending(".mlflow-backup")
        let names = try Shell.sh(
            """
            cd '\(stack.backups)'
            find . \\( -name '*.partial' -o -name 'adopt-*' -o -name '*journal*' -o -path './.mlflow-backup/staging/*' \\) -prune -print
            """)
        return names.split(separator: "\n").map { "left in \(state.parent): \($0)" }
    }

    /// Nothing but kept parts, each with its record.
    private func inArtifacts() throws -> [String] {
        let hidden = stack.artifacts.appending(".mlflow-backup-restore")
        let top = try names(in: stack.artifacts).filter {
            $0.hasPrefix(".mlflow-backup") && $0 != ".mlflow-backup-restore" && $0 != ".mlflow-backup-stack"
        }
        var wrong = top.map { "left in the artifacts folder: \($0)" }
        guard try FileStatus.ifPresent(hidden) != nil else { return wrong }
        let inside = try names(in: hidden)
        if inside.isEmpty { wrong.append("left in the artifacts folder: an empty .mlflow-backup-restore") }
        for name in inside where !name.hasPrefix("kept") { wrong.append("left in .mlflow-backup-restore: \(name)") }
        return wrong
    }

    /// A database besides the live one is a kept one, and its record names it.
    private func onServer() throws -> [String] {
        var wrong: [String] = []
        let live = stack.database.database
        for name in try stack.databases() where name != live {
            let record = try Shell.sh(
                """
                grep -rl -F '\(name)' '\(stack.artifacts)/.mlflow-backup-restore' '\(stack.backups)/.mlflow-backup' \
                  --include='kept*.json' 2>/dev/null || true
                """)
            let isRecorded = try !record.isEmpty || !stack.comment(of: name).isEmpty
            if !name.hasPrefix("\(live)_before_") || !isRecorded { wrong.append("left on the server: \(name)") }
        }
        return wrong
    }

    private func names(in path: FilePath) throws -> [String] {
        try Directory.names(in: path).map { String(decoding: $0, as: UTF8.self) }
    }
}
