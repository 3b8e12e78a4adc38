// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// D10. Secrets of `.env` are files, and in nobody's environment.
extension ComposeTests {
    private static let secrets = [
        "API_TOKEN": "token-4711'x", "SMTP_PASSWORD": "smtp 4712", "BACKUP_PING_URL": "http://127.0.0.1:9/ping-4713",
        "MLFLOW_CRYPTO_KEK_PASSPHRASE": "kek-4714", "POSTGRES_PASSWORD": "database-4715",
    ]
    private static let containers = "mlflow-secrets mlflow-postgres mlflow-server mlflow-backup-service"

    private func health(token: String? = nil) throws -> String {
        let header = token.map { "-H \"Authorization: Bearer \($0)\"" } ?? ""
        return try stack.bash("curl -sS -o /dev/null -w '%{http_code}' \(header) http://localhost:3112/backups").text
    }

    @Test func noSecretOfTheEnvironmentFileIsInAContainersEnvironmentOrAProcessOfMLflows() throws {
        try stack.run("docker-compose down -v")
        try stack.run("cp .env .env.kept")
        defer { _ = try? stack.bash("mv .env.kept .env; docker-compose down -v; docker-compose up -d") }
        for (name, value) in Self.secrets {
            try stack.run("printf '%s=\"%s\"\\n' \(name) \"\(value)\" >>.env")
        }
        try stack.run("docker-compose up -d")
        try stack.waitUntilHealthy()
        let shown = try stack.run("docker inspect \(Self.containers)")
        let read =
            "docker exec -u root mlflow-server sh -c 'cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr \"\\0\" \"\\n\"'"
        let processes = try stack.run(read)
        #expect(
            processes.contains("POSTGRES_USER=") && processes.contains("uvicorn"))
        let key = try stack.run("docker exec mlflow-server cat /run/mlflow-secrets/webhook_key")
        for value in Self.secrets.values + [key] {
            #expect(!shown.contains(value), "docker inspect shows \(value)")
            #expect(!processes.contains(value), "a process of MLflow's has \(value)")
        }
        // Each is in use.
        #expect(try health() == "401")
        #expect(try health(token: "token-4711'x") == "200")
        #expect(
            try stack.run("docker exec mlflow-postgres cat /run/mlflow-secrets/postgres_password") == "database-4715")
        let inUse = try stack.run(
            "docker exec -u 3110 mlflow-backup-service sh -c 'tr \"\\0\" \"\\n\" </proc/$(pgrep -f \"libexec/mlflow-backup serve\" | head -n 1)/environ'"
        )
        for value in Self.secrets.values { #expect(!inUse.contains(value)) }
        for name in [
            "API_TOKEN_FILE=", "SMTP_PASSWORD_FILE=", "BACKUP_PING_URL_FILE=",
            "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY_FILE=", "MLFLOW_CRYPTO_KEK_PASSPHRASE_FILE=",
        ] { #expect(inUse.contains(name)) }
        // MLflow runs as who it is, and is not among those who read the service's.
        let denied = try stack.bash("docker exec mlflow-server cat /run/mlflow-secrets/API_TOKEN")
        #expect(denied.exit != 0 && !denied.text.contains("4711"))
        try stack.run("docker exec mlflow-server cat /run/mlflow-secrets/kek_passphrase | grep -qx kek-4714")

        // A new value counts after `up`, and so does none.
        try stack.run("sed -i 's/^API_TOKEN=.*/API_TOKEN=another/' .env && docker-compose up -d")
        try stack.wait("the new token counts", seconds: 60) { try health(token: "another") == "200" }
        #expect(try health(token: "token-4711'x") == "401")
        try stack.run("sed -i '/^API_TOKEN=/d' .env && docker-compose up -d")
        try stack.wait("no token is asked for", seconds: 60) { try health() == "200" }
        try stack.run("docker exec mlflow-backup-service /app/bin/healthcheck")
    }

    /// Compose 2 tells whether a name has a value. What it would say is said here, since the engine's machine has 1.29 alone.
    @Test func aSecretOfTheShellAloneIsRefusedWithWhatToDo() throws {
        let run =
            "mkdir -p shell-only/secrets && touch shell-only/docker-compose.yml && "
            + "API_TOKEN_GIVEN=set CHECKOUT=$PWD/shell-only SECRETS=$PWD/shell-only/secrets docker/backup/bin/init-secrets"
        defer { _ = try? stack.bash("rm -rf shell-only") }
        let refused = try stack.bash(run)
        #expect(refused.exit == 1, "\(refused.text)")
        for words in ["API_TOKEN 只在命令行环境", "API_TOKEN is only in the shell's environment", ".env"] {
            #expect(refused.text.contains(words))
        }
        #expect(try stack.run("ls shell-only/secrets").isEmpty)
        try stack.run("echo API_TOKEN=there >shell-only/.env; \(run)")
        #expect(try stack.run("cat shell-only/secrets/API_TOKEN") == "there")
    }
}
