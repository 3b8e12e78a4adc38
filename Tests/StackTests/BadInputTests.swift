// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// What a careless or hostile client sends, and the clear answer it gets.
@Suite(.serialized, .aheadBesideThePool) struct BadInputTests {
    struct Case: CustomStringConvertible {
        let description: String
        let arguments: [String]
        let path: String
        let status: Int
        /// Must stand in the English detail.
        let hint: String

        init(_ description: String, _ arguments: [String], _ path: String, _ status: Int, _ hint: String) {
            self.description = description
            self.arguments = arguments
            self.path = path
            self.status = status
            self.hint = hint
        }

        static func post(_ description: String, _ json: String, _ path: String, _ status: Int, _ hint: String) -> Case {
            Case(description, ["-X", "POST", "-H", "Content-Type: application/json", "-d", json], path, status, hint)
        }
    }

    private func cases(_ folder: FilePath) -> [Case] {
        let absent = "mlflow_backup_20000101_000000.tar.gz"
        return [
            .post("unknown backup", "{\"backup_name\": \"\(absent)\"}", "/restore", 404, "GET /backups"),
            .post("name with ..", "{\"backup_name\": \"../../etc/passwd\"}", "/restore", 404, "no backup"),
            .post("name with NUL", "{\"backup_name\": \"a\\u0000b\"}", "/restore", 404, "no backup"),
            .post("name of a folder of ours", "{\"backup_name\": \".mlflow-backup\"}", "/restore", 404, "no backup"),
            .post("no name", "{\"mode\": \"full\"}", "/restore", 422, "backup_name"),
            .post("unknown mode", "{\"backup_name\": \"x\", \"mode\": \"half\"}", "/restore", 422, "database"),
            .post("force is a string", "{\"backup_name\": \"x\", \"force\": \"yes\"}", "/restore", 422, "force"),
            .post("broken JSON", "{\"compress\": tru", "/backups", 400, "JSON"),
            .post("an array", "[1,2]", "/backups", 400, "JSON"),
            .post("wrong type", "{\"compress\": \"yes\"}", "/backups", 422, "compress"),
            .post("number for bool", "{\"compress\": 1}", "/backups", 422, "compress"),
            .post("unknown field", "{\"compres\": true}", "/backups", 422, "compres"),
            .post("bad e-mail", "{\"email\": \"not an address\"}", "/backups", 422, "email"),
            .post("e-mail with a line break", "{\"email\": \"a@b.c\\r\\nBcc: x@y.z\"}", "/backups", 422, "email"),
            Case("a form", ["-X", "POST", "-d", "compress=true"], "/backups", 415, "application/json"),
            Case(
                "10 MB body",
                ["-X", "POST", "-H", "Content-Type: application/json", "--data-binary", "@\(folder)/ten-megabytes"],
                "/backups", 413, "65536"),
            Case("encoded slash", [], "/backups/..%2f..%2fetc%2fpasswd/download", 404, "path"),
            Case("encoded NUL", [], "/backups/a%00b/download", 404, "path"),
            Case("dot segments", ["--path-as-is"], "/backups/../health", 404, "path"),
            Case("unknown path", [], "/nothing", 404, "/docs"),
            Case("unknown task", [], "/tasks/backup_20000101_000000_00000", 404, "GET /tasks"),
            Case(
                "cancel an unknown task", ["-X", "POST"], "/tasks/backup_20000101_000000_00000/cancel", 404,
                "GET /tasks"),
            .post("unknown field of an undo", "{\"mode\": \"full\"}", "/restore/undo", 422, "force"),
            .post(
                "backup_first is a number", "{\"backup_name\": \"x\", \"backup_first\": 1}", "/restore", 422,
                "backup_first"),
            Case("unknown task status", [], "/tasks?status=sleeping", 422, "pending"),
            Case("delete an unknown backup", ["-X", "DELETE"], "/backups/\(absent)", 404, "no backup"),
            Case("wrong method", ["-X", "PUT"], "/backups", 405, "GET"),
            Case(
                "foreign origin", ["-X", "POST", "-H", "Origin: https://evil.example"], "/backups", 403, "another site"),
            Case("foreign host name", ["-H", "Host: evil.example"], "/backups", 421, "ALLOWED_HOSTS"),
        ]
    }

    @Test func everyBadRequestGetsAClearProblemAndChangesNothing() throws {
        let stack = try TestStack("bad-input")
        let folder = try TemporaryFolder("bad-input")
        try folder.write("ten-megabytes", [UInt8](repeating: UInt8(ascii: " "), count: 10_000_000))
        for item in cases(folder.path) {
            let answer = try Curl.send(
                item.arguments + ["-H", "Accept-Language: en", "\(stack.backupURL)\(item.path)"])
            #expect(answer.status == item.status, "\(item): \(answer.text)")
            #expect(answer.headers["content-type"] == "application/problem+json", "\(item)")
            let problem = try answer.object()
            #expect(problem["status"] as? Int == item.status, "\(item)")
            #expect((problem["detail"] as? String)?.contains(item.hint) == true, "\(item): \(answer.text)")
            for key in ["type", "title", "code"] { #expect(problem[key] is String, "\(item) has no \(key)") }
            let chinese = try Curl.send(item.arguments + ["\(stack.backupURL)\(item.path)"])
            #expect(try chinese.string("detail").unicodeScalars.contains { $0.value > 0x4e00 }, "\(item) in Chinese")
        }
        let wrong = try Curl.send(["-X", "PATCH", "\(stack.backupURL)/backups"])
        #expect(wrong.headers["allow"] == "GET, HEAD, POST")
        #expect(try Curl.get("\(stack.backupURL)/tasks").array().isEmpty, "no task came of any of it")
        #expect(try Curl.get("\(stack.backupURL)/backups").array().isEmpty)
    }

    @Test func damagedAndForeignArchivesAreListedForWhatTheyAreAndNeverRestored() throws {
        let stack = try TestStack("bad-archives")
        try stack.logDemo()
        let good = try stack.backup()
        let before = try stack.fingerprint()
        let whole = try OpenFile(stack.backups.appending(good), .read).readAll()
        var flipped = whole
        flipped[whole.count / 2] ^= 0x10
        let folder = try TemporaryFolder("foreign")
        try Shell.sh(
            "mkdir \(folder.path)/x && echo hello > \(folder.path)/x/y && tar -czf \(folder.path)/foreign.tar.gz -C \(folder.path) x"
        )
        let bad: [(name: String, bytes: [UInt8])] = [
            ("truncated.tar.gz", Array(whole.prefix(whole.count * 2 / 3))),
            ("flipped.tar.gz", flipped),
            ("empty.tar.gz", []),
            ("text.tar.gz", Array("this is no archive\n".utf8)),
            ("foreign.tar.gz", try OpenFile(folder.path.appending("foreign.tar.gz"), .read).readAll()),
        ]
        for item in bad {
            try DurableFile.replace(stack.backups.appending(item.name), with: item.bytes)
            // What came without the service is seen within a second.
            try Patience.wait("\(item.name) to be listed as unverified") {
                let listed = try Curl.get("\(stack.backupURL)/backups").array()
                return listed.first { $0["name"] as? String == item.name }?["status"] as? String == "unverified"
            }
            let accepted = try Curl.post(
                "\(stack.backupURL)/restore", "{\"backup_name\": \"\(item.name)\", \"force\": true}")
            let task = try stack.finished(accepted.string("task_id"))
            #expect(task["status"] as? String == "failed", "\(item.name): \(task)")
            let marked = try Curl.get("\(stack.backupURL)/backups").array().first { $0["name"] as? String == item.name }
            #expect(marked?["status"] as? String == "corrupt", "\(item.name)")
            let again = try Curl.post("\(stack.backupURL)/restore", "{\"backup_name\": \"\(item.name)\"}")
            #expect(again.status == 409, "a corrupt backup is refused at once: \(again.text)")
        }
        #expect(try stack.fingerprint() == before)

        // A good one that a person put there is adopted: unverified, verified on demand, restorable.
        try DurableFile.replace(stack.backups.appending("from-another-machine.tar.gz"), with: whole)
        let check = try Curl.send(["-X", "POST", "\(stack.backupURL)/backups/from-another-machine.tar.gz/verify"])
        #expect(try stack.finished(check.string("task_id"))["status"] as? String == "completed")
        let adopted = try Curl.get("\(stack.backupURL)/backups").array().first {
            $0["name"] as? String == "from-another-machine.tar.gz"
        }
        #expect(adopted?["status"] as? String == "completed")
        #expect(adopted?["adopted"] as? Bool == true)
    }
}
