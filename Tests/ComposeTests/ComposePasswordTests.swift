// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

/// `scripts/compose-password` itself, with a stub in the place of Docker that notes what it is asked.
@Suite("A new password is that of the stack that compose would start", .besideThePool)
struct ComposePasswordTests {
    private let script: StackScript

    init() throws {
        script = try StackScript()
        try Shell.sh(
            """
            cd '\(script.folder.path)' && mkdir -p stack/scripts stack/docker/backup programs
            cp '\(StackScript.checkout)/scripts/compose-password' stack/scripts/
            cp -r '\(StackScript.checkout)/docker/backup/lib' stack/docker/backup/
            """)
        try TemporaryFolder.write(
            program: script.folder.path.appending("programs/docker"),
            "#!/bin/bash\nprintf '%s\\n' \"$*\" >>'\(script.folder.path)/asked'\n[[ $* != *-i* ]] || cat >/dev/null\n")
    }

    private func run(_ arguments: String, _ environment: [String: String] = [:]) throws -> StackScript.Answer {
        let path = ["PATH": "\(script.folder.path)/programs:/usr/bin:/bin"]
        return try script.bash("echo | stack/scripts/compose-password \(arguments)", path.merging(environment) { $1 })
    }

    private func asked() throws -> String { try script.content("asked") ?? "" }

    @Test(
        "The stack's name is read as compose reads it, and said",
        arguments: [
            "export STACK_NAME=yd\n", "STACK_NAME=yd\r\n", "STACK_NAME=yd # x\n", "STACK_NAME = 'yd'\n",
            "NOTE=\"\nSTACK_NAME=no\n\"\nSTACK_NAME=yd",
        ])
    func name(_ settings: String) throws {
        for (file, environment) in [(".env", [:]), ("yd.env", ["STACK_ENV_FILE": "yd.env"])] {
            try script.folder.write("stack/.env", "STACK_NAME=first\n")
            try script.folder.write("stack/\(file)", settings)
            try script.folder.write("asked", "")
            let answer = try run("--new", environment)
            #expect(answer.exit == 0 && answer.text.contains("yd"), "\(answer.text)")
            let questions = try asked()
            #expect(questions.contains("yd-postgres") && questions.contains("yd_secrets_data"), "\(questions)")
            #expect(!questions.contains("first") && !questions.contains("mlflow-server "), "\(questions)")
        }
    }

    @Test("The shell's STACK_NAME goes before the file's, and without either it is the first stack")
    func shell() throws {
        try script.folder.write("stack/.env", "STACK_NAME=yd\n")
        #expect(try run("--new", ["STACK_NAME": "lab"]).exit == 0)
        #expect(try asked().contains("lab-postgres"))
        try script.folder.write("stack/.env", "")
        #expect(try run("--new").exit == 0)
        #expect(try asked().contains("mlflow-postgres"))
    }

    @Test(
        "What makes the next up fail, or is no stack's name for sure, is refused before anything is changed",
        arguments: [
            ("POSTGRES_PASSWORD=x1x\n", "POSTGRES_PASSWORD"),
            ("export POSTGRES_PASSWORD='x1x'\r\n", "POSTGRES_PASSWORD"),
            ("STACK_NAME=\"a b\"\n", "STACK_NAME"), ("STACK_NAME=$HOME\n", "STACK_NAME"),
            ("NOTE=\"open\nSTACK_NAME=yd\n", "NOTE"),
        ])
    func refused(_ settings: String, _ word: String) throws {
        try script.folder.write("stack/.env", settings)
        let answer = try run("--new")
        #expect(answer.exit != 0 && answer.text.contains(word) && !answer.text.contains("x1x"), "\(answer.text)")
        #expect(try asked().isEmpty)
    }

    @Test("The password is looked for where the stack reads its secrets")
    func secretsElsewhere() throws {
        try script.folder.write("stack/.env", "STACK_ENV_FILE=lab.env\n")
        try script.folder.write("stack/lab.env", "POSTGRES_PASSWORD=x1x\n")
        let answer = try run("--new")
        #expect(answer.exit != 0 && answer.text.contains("POSTGRES_PASSWORD is in lab.env"), "\(answer.text)")
        #expect(try asked().isEmpty)
    }

    @Test("A file that is named and is not there is refused")
    func noFile() throws {
        let answer = try run("--new", ["STACK_ENV_FILE": "none.env"])
        #expect(answer.exit != 0 && answer.text.contains("none.env"), "\(answer.text)")
        #expect(try asked().isEmpty)
    }

    @Test("The role gets the kept password back although .env has it")
    func kept() throws {
        try script.folder.write("stack/.env", "POSTGRES_PASSWORD=x1x\n")
        #expect(try run("").exit == 0)
        #expect(try asked().contains("mlflow-postgres cat"))
    }
}
