// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("Where every good backup turned out damaged, what their sidecars say is the measure of the next", .besideThePool)
struct DamagedMeasureTests {
    enum Loss: CaseIterable { case damaged, cutShort, noManifest }

    /// Two good ones, of which none is good any more, and then the artifacts are gone.
    private func emptied(_ loss: Loss) throws -> (LiveStackFixture, [BackupName]) {
        let live = try LiveStackFixture("damaged_measure_\(loss)")
        let kind: BackupName.Kind = loss == .noManifest ? .uncompressed : .compressed
        let names = try (0..<2).map { number in
            try live.add(runs: (30 + number)...(30 + number))
            return try live.backup(kind, retention: .count(10)).name
        }
        for name in names {
            let path = live.folder.path.appending(name.string)
            switch loss {
            case .damaged:
                try Shell.invertByte(of: path, at: 3000)
                #expect(throws: (any Error).self) { try VerifyJob(live.workspace()).run(name.string) }
            case .cutShort: try Shell.sh("truncate -s 3000 '\(path)'")
            case .noManifest: try Directory.remove(path.appending("manifest.json"))
            }
            #expect(try live.item(name).status == .corrupt)
        }
        try Shell.sh("rm -rf '\(live.artifacts)/1'")
        return (live, names)
    }

    @Test("an emptied stack is suspicious, each time, until a person accepts it", arguments: Loss.allCases)
    func measured(loss: Loss) throws {
        let (live, names) = try emptied(loss)
        for _ in 0..<2 {
            let outcome = try live.backup(retention: .count(10))
            #expect(names.contains { outcome.suspicious?.english.contains($0.string) == true })
            #expect(try live.item(outcome.name).status == .suspicious)
        }
        let newest = try #require(try live.names().first)
        try AcceptJob(live.workspace()).run(newest)
        #expect(try live.backup(retention: .count(10)).suspicious == nil)
    }

    @Test("a sidecar that says nothing sound, a person's, another stack's and a suspicious one's measure nothing")
    func unsound() throws {
        let (live, names) = try emptied(.damaged)
        try Shell.sh("sed -i 's/\"size\" : [0-9]*/\"size\" : 7/' '\(live.folder.path)/\(names[0].sidecar)'")
        // With its manifest it would be taken for one whose sidecar was lost.
        try Shell.sh("truncate -s 3000 '\(live.folder.path)/\(names[0])'")
        var sidecar = try live.sidecar(names[1])
        func judge() throws -> Suspicion? {
            let items = try Catalogue(live.folder).items()
            let identity = try StackIdentity(of: live.stack, on: Databases(live.database))
            var empty = try #require(sidecar.summary)
            empty.files = 0
            return Suspicion.of(empty, among: items, try Ownership(of: identity, among: items, in: live.folder))
        }
        #expect(try judge()?.than == names[1].string)
        sidecar.suspicion = Suspicion(measure: .files, found: 1, expected: 9, than: "x")
        try sidecar.write(in: live.folder)
        #expect(try judge() == nil)
        sidecar.suspicion = nil
        sidecar.adopted = true
        try sidecar.write(in: live.folder)
        #expect(try judge() == nil)
        sidecar.adopted = false
        sidecar.stack?.database = "another"
        try sidecar.write(in: live.folder)
        #expect(try judge() == nil)
    }

    @Test("as long as one good one is left, it alone is the measure")
    func oneGood() throws {
        let live = try LiveStackFixture("damaged_measure_good")
        let large = try live.backup(retention: .count(10)).name
        try Connection(live.database).execute("delete from metrics")
        try Connection(live.database).execute("delete from runs where run_uuid not in ('run1', 'run2')")
        try Shell.sh("cd '\(live.artifacts)/1' && ls | grep -vx -e run1 -e run2 | xargs rm -rf")
        var sidecar = try live.sidecar(try live.backup(retention: .count(10)).name)
        (sidecar.suspicion, sidecar.status) = (nil, .completed)
        try sidecar.write(in: live.folder)
        sidecar = try live.sidecar(large)
        sidecar.status = .corrupt
        try sidecar.write(in: live.folder)
        #expect(try live.backup(retention: .count(10)).suspicious == nil)
    }
}
