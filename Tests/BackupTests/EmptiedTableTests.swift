// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("A table that had rows in the backup before and has none", .besideThePool)
struct EmptiedTableTests {
    /// 200 rows in a small table beside thousands in another: neither rows nor runs as a whole tell that it is gone.
    private func live(_ name: String, params: Int = 200) throws -> (LiveStackFixture, Connection) {
        let live = try LiveStackFixture(name)
        let connection = try Connection(live.database)
        try connection.execute("create table params (key text, value text, run_uuid text)")
        try connection.execute(
            "insert into params select n::text, '1', 'run1' from generate_series(1, \(number: params)) n")
        try connection.execute(
            "insert into metrics select 'acc', n, n, n, 'run2' from generate_series(1, 3000) n")
        try live.awaitOlderTransactions()
        try live.letStampsAge()
        return (live, connection)
    }

    @Test("C48: is suspicious, by its name, until somebody accepts it; nothing is removed for it")
    func emptied() throws {
        let (live, connection) = try live("emptied")
        let good = try live.backup(retention: .count(1)).name
        try connection.execute("delete from params")
        let made = try live.backup(retention: .count(1))
        #expect(made.suspicious?.english.contains("public.params is empty, where \(good) has 200 rows") == true)
        #expect(made.suspicious?.chinese.contains("表 public.params 是空的") == true)
        #expect(try live.item(made.name).status == .suspicious)
        #expect(try live.names().contains(good.string), "the good one stays")
        let again = try live.backup(retention: .count(1))
        #expect(again.suspicious != nil, "it is told again")
        #expect(try live.names().contains(good.string))
        try AcceptJob(live.workspace()).run(again.name.string)
        #expect(try live.backup(retention: .count(1)).suspicious == nil)
    }

    @Test("a sidecar that was damaged is made anew with the same word")
    func judgedAgain() throws {
        let (live, connection) = try live("emptied_damaged")
        _ = try live.backup()
        try connection.execute("delete from params")
        let made = try live.backup().name
        let item = try live.item(made)
        var sidecar = try live.sidecar(made)
        sidecar.suspicion = nil
        let judged = try sidecar.judgedAgain(as: item, try #require(try item.quickManifest()), in: live.folder)
        #expect(judged.suspicion?.table == "public.params" && judged.suspicion?.expected == 200)
    }

    @Test("a few rows, another program's table, and a table that is gone as a whole are no reason")
    func silent() throws {
        let (live, connection) = try live("emptied_few", params: 99)
        try connection.execute("create table notes as select n from generate_series(1, 500) n")
        try connection.execute("create schema other")
        try connection.execute("create table other.tags as select n from generate_series(1, 500) n")
        try connection.execute("create table inputs as select n from generate_series(1, 500) n")
        _ = try live.backup()
        for table in ["params", "notes"] { try connection.execute("delete from \(identifier: table)") }
        try connection.execute("delete from other.tags")
        try connection.execute("drop table inputs")
        #expect(try live.backup().suspicious == nil)
    }
}
