// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// Everything on the one engine, one after another: the names and the ports are the guide's own.
@Suite(.serialized, .onItsOwnThread, .enabled(if: ComposeStack.checkout != nil, "no Docker engine here"))
struct ComposeTests {
    let stack: ComposeStack

    init() throws { stack = try ComposeStack() }

    /// Each command that is not run letter by letter, and what is run for it.
    private static let differences: [(written: String, run: String)] = [
        ("[service_name]", "mlflow"),
        (
            "backup_file.tar.gz",
            "$(curl -fsS http://localhost:3112/backups | jq -r '[.[] | select(.type == \"compressed\")][0].name')"
        ),
        // On the host there is no /backup: the volume is seen from inside.
        ("df -h /backup", "docker exec mlflow-backup-service df -h /backup"),
        // It asks for the password, which is made up on the first start.
        (
            "psql -h localhost",
            "PGPASSWORD=$(docker exec mlflow-postgres cat /run/mlflow-secrets/postgres_password) psql -h localhost"
        ),
    ]

    @Test func everyCommandOfTheGuideWorksOnAnEngine() throws {
        try stack.run("docker-compose down -v")
        var table: [String] = []
        for command in try Self.commands() {
            var line = command
            for (written, run) in Self.differences { line = line.replacingOccurrences(of: written, with: run) }
            let follows = line.contains("logs -f") || line.contains("tail -f")
            if line.contains("exec -it") { line = Self.underTerminal(line) }
            if follows { line = "timeout 2 \(line); test $? -eq 124" }
            let answer = try stack.bash(line)
            table.append("\(answer.exit) | \(command)")
            #expect(answer.exit == 0, "\(command)\nran as: \(line)\nexit \(answer.exit): \(answer.text)")
            if command.contains("up -d") {
                try stack.waitUntilHealthy()
                if table.count < 5 {
                    try stack.waitUntilTheEngineSaysHealthy()
                    try stack.log(runs: 2, mebibytes: 1)
                    // The guide restores backup number 2.
                    for _ in 0..<2 {
                        try stack.run("docker exec mlflow-backup-service /app/backup_services/backup_mlflow.sh")
                    }
                }
            }
            if command.hasPrefix("docker-compose down") {
                try stack.run("docker-compose up -d")
                try stack.waitUntilHealthy()
            }
            if command.contains("restart") { try stack.waitUntilHealthy() }
        }
        print(table.joined(separator: "\n"))
        #expect(table.count >= 40, "the guide has changed")
        let volume = try stack.run("tar -tzf postgres_backup.tar.gz | grep -c PG_VERSION")
        #expect(Int(volume) ?? 0 > 0, "the volume's backup holds no cluster")
    }

    /// A pseudo-terminal from script(1), with what a person would type. The keyboard is a fifo that stays open until the
    /// program has ended: script(1) takes an end of its input for a person who has gone.
    private static func underTerminal(_ line: String) -> String {
        let typed =
            if line.contains("restore_mlflow_backup") {
                "sleep 2; echo 1; sleep 1; echo 1; sleep 1; echo yes"
            } else if line.contains("psql") {
                // Else the pager would take what ends psql.
                "sleep 1; echo '\\pset pager off'; echo 'select count(*) from experiments;'; sleep 1; echo '\\q'"
            } else {
                "sleep 1; echo 'exit 0'"
            }
        return """
            keyboard=$(mktemp -u) && mkfifo "$keyboard" && exec 9<>"$keyboard"
            (\(typed)) >&9 &
            timeout 120 script -qec '\(line.trimmingCharacters(in: .whitespacesAndNewlines))' /dev/null <&9
            code=$?; rm "$keyboard"; wait; test $code -eq 0
            """
    }

    /// The guide's shell commands but the curl lines, which GuideContractTests runs, and `cd`.
    private static func commands() throws -> [String] {
        let guide = FilePath(String(#filePath)).parent.parent.parent.appending("docs/guide.zh.md")
        let text = String(decoding: try OpenFile(guide, .read).readAll(), as: UTF8.self)
        var found: [String] = []
        var isCode = false
        for line in text.split(separator: "\n") {
            if line.hasPrefix("```") {
                isCode = line.hasPrefix("```bash")
            } else if isCode, ["docker", "psql", "netstat", "df"].contains(where: { line.hasPrefix($0) }) {
                found.append(String(line))
            }
        }
        return found
    }
}
