// SPDX-License-Identifier: Apache-2.0

import Backup
import Foundation
import Postgres
import Service
import SystemIO
import TestSupport
import Testing
import Wording

@Suite("Codes, findings and hints of errors", .serialized, .aheadBesideThePool)
struct ErrorCodeTests {
    @Test("The engines' words name no route of the API and no option of the command line")
    func words() {
        let errors: [any CodedError] = ErrorSamples.backup + ErrorSamples.service + [CancelledError()]
        for error in errors {
            for text in [error.explanation.chinese, error.explanation.english] {
                for foreign in ["GET /", "POST /", "DELETE /", " --", "\"force\"", "shutting down", "正在停止）"] {
                    #expect(!text.contains(foreign), "\(error.errorCode): \(text)")
                }
            }
        }
    }

    @Test("Force is named for what it skips and for nothing else; a repeated request is told the task's own routes")
    func remedies() {
        let forced = ErrorSamples.backup.filter { Remedy($0) == .force }.map(\.errorCode)
        #expect(
            Set(forced) == ["newer-data", "schema-older", "schema-differs", "kept-fragment", "kept-files-partly-gone"])
        #expect(Remedy(ServiceError.alreadyRequested(task: "t")) == .follow(task: "t"))
        #expect(Remedy(BackupError.nothingToAccept(name: "n")) == .verify(backup: "n"))
        // A task keeps the code and the backup's name, and no error.
        #expect(
            Remedy("marked-corrupt", backup: "n")
                == Remedy(BackupError.markedCorrupt(name: "n", reason: .init(zh: "r", en: "r"))))
    }

    @Test("Each has a code of its own, in lower case with hyphens")
    func codes() {
        for errors in [ErrorSamples.backup as [any CodedError], ErrorSamples.service] {
            let codes = errors.map(\.errorCode)
            #expect(Set(codes).count == codes.count)
            for code in codes { #expect(code.allSatisfy { $0 == "-" || ("a"..."z").contains($0) }, "\(code)") }
        }
        #expect(SystemError("write", path: "/x", code: ENOSPC).errorCode == "disk-full")
        #expect(PostgresError.unreachable(host: "h", port: 1, reason: "r").errorCode == "database-unreachable")
    }

    @Test("A problem answer carries the code, and the API's own hint")
    func problems() throws {
        let live = try ServiceFixture("codes")
        let missing = try live.send("POST", "/restore", #"{"backup_name": "none.tar.gz"}"#)
        #expect(try missing.string("code") == "no-such-backup")
        #expect(try missing.string("detail").contains("GET /backups"))
        #expect(try live.send("GET", "/tasks/none").string("code") == "no-such-task")
        #expect(try live.send("GET", "/none").string("code") == "no-such-path")
        #expect(try live.send("POST", "/backups", "{").string("code") == "not-json")
    }

    @Test("A restore refused for newer data says what, at once or in its task: the findings are kept one by one")
    func newerData() throws {
        let live = try ServiceFixture("findings")
        let name = try live.backup()
        try Connection(live.database).execute("insert into runs values ('late', 4790000000001, 0)")
        let answer = try live.send("POST", "/restore", #"{"backup_name": "\#(name)"}"#)
        // What is known within a second is refused at once; what is found later fails the task. Both say the same.
        var (code, findings, text): (String?, [String]?, String?)
        if answer.status == 202 {
            let task = try live.task(answer.string("task_id"))
            let error = try #require(task["error"] as? [String: Any])
            (code, findings) = (error["code"] as? String, error["findings"] as? [String])
            text = task["message"] as? String
        } else {
            #expect(answer.status == 409)
            let problem = try answer.object()
            (code, findings) = (problem["code"] as? String, problem["findings"] as? [String])
            text = problem["detail"] as? String
        }
        #expect(code == "newer-data")
        #expect(try #require(findings).isEmpty == false)
        #expect(try #require(text).contains("\"force\": true"))
    }

    @Test("An older schema names what upgrades it, a newer one what to install")
    func schema() {
        let older = BackupError.schemaOlder(
            backup: "n", revision: "a1", live: "b2", command: "docker exec mlflow-server mlflow-db-upgrade",
            isUpgraded: false)
        #expect(older.explanation.english.contains("docker exec mlflow-server mlflow-db-upgrade"))
        #expect(older.explanation.chinese.contains("docker exec mlflow-server mlflow-db-upgrade"))
        let newer = BackupError.schemaNewer(backup: "n", revision: "b2", live: "a1", install: "3.17.2")
        #expect(newer.explanation.english.contains("MLflow 3.17.2") && newer.explanation.chinese.contains("3.17.2"))
    }
}
