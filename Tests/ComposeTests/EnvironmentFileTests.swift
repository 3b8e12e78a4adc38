// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// `docker/backup/lib/env-file.sh` beside docker-compose itself, which needs no engine to say what it reads.
@Suite("A secret is what compose makes of the whole .env, or the file is refused", .besideThePool)
struct EnvironmentFileTests {
    private let script: StackScript

    init() throws {
        script = try StackScript()
        try script.folder.write(
            "docker-compose.yml", "services: {a: {image: x, environment: [\"V=<${API_TOKEN:-}>\"]}}\n")
    }

    private func ours(_ text: String, compose: Int) throws -> StackScript.Answer {
        try script.folder.write(".env", text)
        return try script.bash(
            "COMPOSE=\(compose); . $CHECKOUT_ROOT/docker/backup/lib/env-file.sh; v=$(env_file_value .env API_TOKEN) && printf '<%s>' \"$v\""
        )
    }

    private func composes() throws -> String {
        try script.bash("docker-compose config | sed -n 's/^ *V: *//p' | sed \"s/^'\\(.*\\)'\\$/\\1/; s/''/'/g\"").text
            .split(separator: "\n").map(String.init).joined()
            // As `config` writes one, for compose to read it again.
            .replacingOccurrences(of: "$$", with: "$")
    }

    private static let lines = [
        "API_TOKEN=plain", "API_TOKEN=a#b", "API_TOKEN=a #b", "API_TOKEN = spaced", "export API_TOKEN=exported",
        "  API_TOKEN=trail   ", "API_TOKEN='single q' # c", "API_TOKEN='a\\b'", "API_TOKEN='a\\'b'",
        "API_TOKEN='a\\\\b'", "API_TOKEN='a$b'", "API_TOKEN=\"a'b\"", "API_TOKEN=\"a\\\"b\\\\c\"",
        "API_TOKEN=\"a\\zb\"", "API_TOKEN=a$b", "API_TOKEN=a$$b", "API_TOKEN=a\\b", "API_TOKEN=a\"b", "API_TOKEN=密码",
        "API_TOKEN=", "API_TOKEN", "API_TOKEN=one\nAPI_TOKEN=two", "#API_TOKEN=no", "API_TOKEN=a=b:c@d/e?f&g%h!",
    ]

    @Test("A line's value is what compose reads in it", arguments: lines)
    func line(_ line: String) throws { try asCompose(line + "\n") }

    @Test(
        "What stands inside another variable's quotes is no line of its own, and the last line counts",
        arguments: [
            "API_TOKEN=real\nNOTE=\"previously:\nAPI_TOKEN=old\n\"\n",
            "API_TOKEN=real\nNOTE='previously:\nAPI_TOKEN=old\nand more' # a comment\n",
            "API_TOKEN=real\nexport NOTE = \"a \\\" b\nAPI_TOKEN=old\"\n",
            "NOTE=\"one line\"\nAPI_TOKEN=real\n", "NOTE=it's\nAPI_TOKEN=real\nOTHER=it's\n",
            "# NOTE=\"\nAPI_TOKEN=real\n# \"\n", "API_TOKEN=gone\nAPI_TOKEN\n", "API_TOKEN=gone\nAPI_TOKEN # none\n",
            "API_TOKEN=gone\nexport API_TOKEN\n", "API_TOKEN\nAPI_TOKEN=real\n", "API_TOKEN=gone\nAPI_TOKEN=\n",
            "API_TOKEN=real\r\nNOTE=\"a\r\nAPI_TOKEN=old\r\n\"\r\n",
            "API_TOKEN=real\u{a0}\n", "API_TOKEN=real\u{85}\n", "API_TOKEN=\u{a0}real \u{2003}\u{a0}\n",
            "API_TOKEN='real\u{a0}'\n", "API_TOKEN\u{a0}=real\n", "API_TOKEN=a\u{a0}b\n", "API_TOKEN=à\n",
        ])
    func asCompose(_ text: String) throws {
        try needs(FileStatus.ifPresent("/usr/bin/docker-compose") != nil, "no docker-compose")
        let answer = try ours(text, compose: 1)
        let theirs = try composes()
        #expect(answer.exit == 0 && answer.text == theirs, "\(text): \(answer.text)")
    }

    @Test("Compose 2 reads names with a colon, and their quotes, too")
    func colon() throws {
        let answer = try ours("API_TOKEN=real\nNOTE: \"previously:\nAPI_TOKEN=old\n\"\n", compose: 2)
        #expect(answer.text == "<real>")
    }

    @Test(
        "What nobody can read for sure is refused with its line, and told without the value",
        arguments: [
            ("API_TOKEN=real\nNOTE=\"never closed\nAPI_TOKEN=s3cret\n", 1, "2"),
            ("NOTE='closed' behind\nAPI_TOKEN=s3cret\n", 1, "1"),
            ("NOTE=\"a\\\\\"\nAPI_TOKEN=s3cret\n", 1, "1"),
            ("API_TOKEN='s3cret\nmore'\n", 1, "1"), ("'API_TOKEN'=s3cret\n", 1, "1"),
            ("API_TOKEN: s3cret\n", 1, "1"), ("API_TOKEN=\"s3cret\\'b\"\n", 1, "1"),
            ("API_TOKEN=s3cret\u{a0}#b\n", 1, "1"), ("API_TOKEN=s3cret\u{1f}\n", 1, "1"),
            ("API_TOKEN=\"s3cret\\nb\"\n", 1, "1"), ("API_TOKEN='s3cret${b}'\n", 1, "1"),
            ("API_TOKEN=s3cret${b}\n", 1, "1"),
            ("API_TOKEN=s3cret\t#b\n", 1, "1"), ("API_TOKEN=\"s3cret\n", 1, "1"),
            ("NOTE=a\rAPI_TOKEN=s3cret\n", 1, "1"), ("API_TOKEN=s3cret\nAPI_TOKEN\n", 2, "2"),
        ])
    func refused(_ text: String, _ compose: Int, _ line: String) throws {
        let answer = try ours(text, compose: compose)
        #expect(answer.exit == 2, "\(text): \(answer.text)")
        #expect(answer.text.contains("第 \(line) 行") && answer.text.contains("line \(line) of .env"), "\(answer.text)")
        #expect(!answer.text.contains("s3cret"))
    }
}
