// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// `docker-compose.yml` as docker-compose reads it, which needs no engine.
@Suite("The compose file hands on what messages and documents advise", .besideThePool)
struct ComposeFileTests {
    @Test(
        "What is set in .env reaches the backup service",
        arguments: [
            "SMTP_STARTTLS=off", "SMTP_CA_FILE=/app/extra-ca/mail.crt", "SMTP_URL=smtp://mail:25", "BACKUP_LANG=en",
            "BACKUP_SCRUB=off", "UNDO_KEEP_SIZE=20G",
        ])
    func handedOn(_ setting: String) throws {
        try needs(FileStatus.ifPresent("/usr/bin/docker-compose") != nil, "no docker-compose")
        let script = try StackScript()
        try script.folder.write(".env", setting + "\n")
        let read = try script.bash(
            "cp $CHECKOUT_ROOT/docker-compose.yml . && docker-compose config | sed -n '/^  mlflow-backup:/,/^  [a-z]/p'"
        )
        // As YAML writes it: a word that it takes for something else stands in quotes.
        let lines = read.text.filter { $0 != "'" && $0 != "\"" }.split(separator: "\n")
        let written = setting.replacingOccurrences(of: "=", with: ": ")
        #expect(lines.contains { $0.hasSuffix(" \(written)") }, "\(read.text)")
        // A place for a file of the host's, beside those that are trusted since the build.
        #expect(read.text.contains("/docker/extra-ca:/app/extra-ca:ro"), "\(read.text)")
    }
}
