// SPDX-License-Identifier: Apache-2.0

import Backup
import Foundation
import Postgres
import Service
import SystemIO
import TestSupport
import Testing

@Suite("Undo, claim and forget as a client asks for them", .serialized, .aheadBesideThePool)
struct UndoTests {
    @Test("A forced restore is taken back by POST /restore/undo; where nothing was restored it is 409")
    func undo() throws {
        let live = try ServiceFixture("undo_api")
        let nothing = try live.send("POST", "/restore/undo")
        #expect(nothing.status == 409, "\(nothing.text)")
        #expect(try nothing.string("code") == "nothing-to-undo")

        let name = try live.backup()
        try Connection(live.database).execute("insert into runs values ('late', 4790000000001, 0)")
        let body = #"{"backup_name": "\#(name)", "force": true, "backup_first": false}"#
        let restored = try live.task(live.send("POST", "/restore", body).string("task_id"))
        #expect(restored["status"] as? String == "completed", "\(restored)")
        #expect(try runs(live) == 1)
        #expect(try live.service.operations.catalogue.items().count == 1, "no backup was made first")

        let undone = try live.task(live.send("POST", "/restore/undo", "{}").string("task_id"))
        #expect(undone["status"] as? String == "completed", "\(undone)")
        #expect(undone["kind"] as? String == "undo")
        #expect(try runs(live) == 2)
    }

    @Test("What an undo says is so: of a restore, and of an undo")
    func words() throws {
        let live = try ServiceFixture("undo_words")
        let name = try live.backup()
        let restored = try live.task(live.send("POST", "/restore", #"{"backup_name": "\#(name)"}"#).string("task_id"))
        #expect(restored["status"] as? String == "completed", "\(restored)")
        func said(_ words: String) throws {
            let undone = try live.task(live.send("POST", "/restore/undo", "{}").string("task_id"))
            let result = try #require(undone["result"] as? [String: Any])
            let line = try #require(result["stdout"] as? String).split(separator: "\n").first.map(String.init)
            #expect(line == words)
        }
        try said("The restore of \(name) is taken back: what was live before it is live again")
        for _ in 1...2 {
            try said("The undo after the restore of \(name) is taken back: what was live before it is live again")
        }
    }

    @Test("A forced restore makes a backup of what it overwrites, unless told not to")
    func backupFirst() throws {
        let live = try ServiceFixture("backup_first")
        let name = try live.backup()
        let body = #"{"backup_name": "\#(name)", "force": true}"#
        let restored = try live.task(live.send("POST", "/restore", body).string("task_id"))
        #expect(restored["status"] as? String == "completed", "\(restored)")
        #expect(try live.service.operations.catalogue.items().count == 2)
    }

    @Test("At the command line: claim with nothing to claim is fine, forgetting what is not kept is not found")
    func commandLine() throws {
        let live = try ServiceFixture("claim_cli")
        #expect(try live.start(["claim"]).exitStatus() == 0)
        #expect(try live.start(["forget", "nothing"]).exitStatus() == 3)
        #expect(try live.start(["restore", "--undo"]).exitStatus() == 1)
    }

    @Test("A damaged record of what was kept is named by /health, by doctor and by kept")
    func damagedRecord() throws {
        let live = try ServiceFixture("damaged_record")
        let name = try live.backup()
        let restored = try live.task(live.send("POST", "/restore", #"{"backup_name": "\#(name)"}"#).string("task_id"))
        #expect(restored["status"] as? String == "completed", "\(restored)")
        let state = live.service.operations.folder.state
        let record = try #require(
            try Directory.names(in: state).map { String(decoding: $0, as: UTF8.self) }.first {
                $0.hasPrefix("kept-") && $0.hasSuffix(".json")
            })
        let path = state.appending(record)
        #expect(try live.start(["kept"]).exitStatus() == 0)
        try Shell.sh("truncate -s 40 '\(path)'")
        #expect(try live.send("GET", "/health").text.contains(record))
        let output = Pipe()
        #expect(try live.start(["doctor"], output: output).exitStatus() == 0)
        let told = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(told.contains(path.string), "\(told)")
        #expect(try live.start(["kept"]).exitStatus() != 0)
    }

    private func runs(_ live: ServiceFixture) throws -> Int64 {
        try #require(try Connection(live.database).rows("select count(*) from runs").first?.int64(0))
    }
}
