// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing

/// `docker/backup/bin/init-secrets` itself, on a folder in the place of the volume.
@Suite("What .env says of secrets is there whole, or nothing is changed", .besideThePool)
struct InitSecretsTests {
    private let script: StackScript
    private static let run =
        "CHECKOUT=$PWD/checkout SECRETS=$PWD/secrets \"$CHECKOUT_ROOT/docker/backup/bin/init-secrets\""

    init() throws {
        try needs(geteuid() == 0, "files are given to others")
        script = try StackScript()
        try Directory.make(script.folder.path.appending("secrets"))
        try Directory.make(script.folder.path.appending("checkout"))
        try script.folder.write("checkout/docker-compose.yml", "")
    }

    private func take(_ settings: String, _ environment: [String: String] = [:]) throws -> StackScript.Answer {
        try script.folder.write("checkout/.env", settings)
        return try again(environment)
    }

    private func again(_ environment: [String: String] = [:]) throws -> StackScript.Answer {
        try script.bash(Self.run, environment)
    }

    private func secrets() throws -> [String: String] {
        var found: [String: String] = [:]
        for bytes in try Directory.names(in: script.folder.path.appending("secrets")) {
            let name = String(decoding: bytes, as: UTF8.self)
            found[name] = try script.content("secrets/\(name)")
        }
        return found
    }

    /// A program of this name goes before the system's.
    private func replace(_ program: String, _ text: String) throws -> [String: String] {
        try Directory.make(script.folder.path.appending("programs"))
        try TemporaryFolder.write(
            program: script.folder.path.appending("programs/\(program)"), "#!/bin/bash\n\(text)\n")
        return ["PATH": "\(script.folder.path.appending("programs")):/usr/bin:/bin:/usr/sbin:/sbin"]
    }

    @Test("D10: secrets are files of those who read them, and go with their lines")
    func follows() throws {
        #expect(try take("API_TOKEN=one\nMLFLOW_CRYPTO_KEK_PASSPHRASE=kek\n").exit == 0)
        let first = try secrets()
        #expect(
            first["API_TOKEN"] == "one" && first["kek_passphrase"] == "kek" && first["postgres_password"]?.count == 48)
        let modes = try script.bash("cd secrets && stat -c '%n %u:%g %a' API_TOKEN kek_passphrase revision").text
        #expect(modes == "API_TOKEN 0:3111 440\nkek_passphrase 0:3110 440\nrevision 0:3111 440\n")
        #expect(try take("API_TOKEN=one\nMLFLOW_CRYPTO_KEK_PASSPHRASE=kek\n").exit == 0 && secrets() == first)
        #expect(try take("API_TOKEN=one\nMLFLOW_CRYPTO_KEK_PASSPHRASE=other\n").exit == 0)
        #expect(
            try secrets()["revision"] != first["revision"], "the service tries the passphrase, and has to read it anew")
        #expect(try take("SMTP_PASSWORD=two\n").exit == 0)
        let second = try secrets()
        #expect(second["API_TOKEN"] == nil && second["kek_passphrase"] == nil && second["SMTP_PASSWORD"] == "two")
        #expect(second["revision"] != first["revision"])
    }

    @Test(
        "A .env that leads out of its folder, or is no file, is refused, and no secret goes",
        arguments: ["ln -s ../real.env .env", "ln -s /nowhere/real.env .env", "ln -s ../outside .env", "mkdir .env"])
    func link(_ made: String) throws {
        #expect(try take("API_TOKEN=one\nMLFLOW_CRYPTO_KEK_PASSPHRASE=kek\n").exit == 0)
        let before = try secrets()
        try script.folder.write("outside", "API_TOKEN=another\n")
        try Shell.sh("cd '\(script.folder.path)/checkout' && rm .env && \(made)")
        let refused = try again()
        #expect(refused.exit == 1, "\(refused.text)")
        #expect(refused.text.contains("错误") && refused.text.contains("error") && refused.text.contains(".env"))
        #expect(try secrets() == before)
    }

    @Test("A link within the folder is followed, as compose does")
    func innerLink() throws {
        try script.folder.write("checkout/real.env", "API_TOKEN=one\n")
        try Shell.sh("ln -s real.env '\(script.folder.path)/checkout/.env'")
        #expect(try again().exit == 0 && secrets()["API_TOKEN"] == "one")
    }

    @Test("A folder that is not seen says nothing: what there is stays")
    func unseen() throws {
        #expect(try take("API_TOKEN=one\n").exit == 0)
        let before = try secrets()
        try Shell.sh("rm -r '\(script.folder.path)/checkout'/* '\(script.folder.path)/checkout'/.env")
        #expect(try again().exit == 0)
        #expect(try secrets() == before)
    }

    @Test("On a full volume nothing is changed, and that is a failure with its reason")
    func full() throws {
        let volume = script.folder.path.appending("secrets")
        try Shell.sh("mount -t tmpfs -o size=64k tmpfs '\(volume)'")
        defer { _ = try? Shell.sh("umount '\(volume)'") }
        #expect(try take("API_TOKEN=one\nSMTP_PASSWORD=two\n").exit == 0)
        let before = try secrets()
        try Shell.sh("cat /dev/zero >'\(volume)/filler' 2>/dev/null || true")
        let failed = try take("API_TOKEN=another\nSMTP_PASSWORD=two\nBACKUP_PING_URL=http://new\n")
        #expect(failed.exit == 1, "\(failed.text)")
        #expect(failed.text.contains("没有任何改动") && failed.text.contains("nothing is changed"), "\(failed.text)")
        try Shell.sh("rm '\(volume)/filler'")
        #expect(try secrets() == before)
    }

    @Test("Whatever fails before the first rename changes nothing", arguments: ["chown", "chmod", "sync"])
    func failed(_ program: String) throws {
        #expect(try take("API_TOKEN=one\n").exit == 0)
        let before = try secrets()
        let failing = try replace(
            program, "[[ \"$*\" != *SMTP_PASSWORD* ]] && exec /usr/bin/\(program) \"$@\"; kill -9 $$")
        let answer = try take("API_TOKEN=another\nSMTP_PASSWORD=two\n", failing)
        #expect(answer.exit == 1 && answer.text.contains("nothing is changed"), "\(answer.text)")
        #expect(try secrets() == before)
    }

    @Test("A run that is cut between a secret and the revision is caught up by the next one")
    func cut() throws {
        #expect(try take("API_TOKEN=one\n").exit == 0)
        let before = try #require(try secrets()["revision"])
        let killing = try replace("mv", "/usr/bin/mv \"$@\" || exit; [[ \"$*\" != *API_TOKEN* ]] || kill -9 $PPID")
        #expect(try take("API_TOKEN=another\n", killing).exit == 137)
        #expect(try secrets()["API_TOKEN"] == "another" && secrets()["revision"] == before)
        #expect(try again().exit == 0)
        #expect(try secrets()["revision"] != before)
    }

    private static let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

    @Test(
        "What is no Fernet key is refused before it is kept",
        arguments: ["not-a-key", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE", "MDEyMzQ1Njc4OTAxMjM0NQ=="])
    func noKey(_ key: String) throws {
        let refused = try take("MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY=\(key)\n")
        #expect(refused.exit == 1 && refused.text.contains("MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"), "\(refused.text)")
        #expect(!refused.text.contains(key))
        #expect(try secrets().isEmpty)
    }

    @Test(
        "A kept key that cannot be one is replaced, by a given or a new one; one that can be stays",
        arguments: [true, false])
    func badKey(_ isGiven: Bool) throws {
        let line = isGiven ? "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY=\(Self.key)\n" : ""
        try script.folder.write("secrets/webhook_key", "not-a-key\n")
        let replaced = try take(line)
        #expect(replaced.exit == 0, "\(replaced.text)")
        let key = try #require(try secrets()["webhook_key"])
        #expect(isGiven ? key == Self.key : key.count == 44)
        // Of those that Fernet takes.
        try script.folder.write("secrets/webhook_key", "++8yMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n")
        #expect(try take(line).exit == 0)
        #expect(try secrets()["webhook_key"]?.hasPrefix("++8y") == true)
    }
}
