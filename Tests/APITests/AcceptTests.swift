// SPDX-License-Identifier: Apache-2.0

import Foundation
import Postgres
import SystemIO
import TestSupport
import Testing

@Suite("A suspicious backup as a client and a shell see it", .serialized, .aheadBesideThePool)
struct AcceptTests {
    /// What an emptied folder and a new database look like.
    private func lose(_ live: ServiceFixture) throws {
        try Connection(live.database).execute("delete from runs")
        try Directory.removeTree(live.root.path.appending("artifacts/1"))
    }

    private func status(_ name: String, _ live: ServiceFixture) throws -> String? {
        let list = try #require(
            try JSONSerialization.jsonObject(with: Data(live.send("GET", "/backups").body)) as? [[String: Any]])
        return list.first { $0["name"] as? String == name }?["status"] as? String
    }

    @Test("POST /backups/{name}/accept: 200 for a suspicious one, also twice; 404 and 409 with their codes for others")
    func accept() throws {
        let live = try ServiceFixture("accept_api")
        let good = try live.backup()
        try lose(live)
        let small = try live.backup()
        #expect(try status(small, live) == "suspicious")
        let missing = try live.send("POST", "/backups/none.tar.gz/accept")
        #expect(missing.status == 404)
        #expect(try missing.string("code") == "no-such-backup")
        try live.root.write("backups/dropped.tar.gz", "something")
        let unverified = try live.send("POST", "/backups/dropped.tar.gz/accept")
        #expect(unverified.status == 409)
        #expect(try unverified.string("code") == "nothing-to-accept")
        let detail = try unverified.string("detail")
        #expect(
            detail.contains("POST /backups/dropped.tar.gz/verify") && !detail.contains("mlflow-backup"), "\(detail)")
        let refused = try live.command(["accept", "dropped.tar.gz"])
        #expect(refused.exit == .code(1), "there is nothing that could be forced")
        #expect(refused.errors.contains("`mlflow-backup verify dropped.tar.gz`"), "\(refused.errors)")
        let accepted = try live.send("POST", "/backups/\(small)/accept")
        #expect(accepted.status == 200, "\(accepted.text)")
        #expect(try accepted.string("message").contains(small))
        #expect(try status(small, live) == "completed")
        #expect(try live.send("POST", "/backups/\(small)/accept").status == 200, "it is accepted already")
        #expect(try live.send("GET", "/backups/\(small)/accept").status == 405)
        // What the answer says of a good one is done, too.
        let again = try live.send("POST", "/backups/\(good)/accept")
        #expect(again.status == 200)
        #expect(try again.string("message").contains("measured by it"))
        #expect(try Shell.sh("cat '\(live.root.path)/backups/\(good).json'").contains("accepted_at"))
        // Shorter than it was published: nobody can accept that.
        try Shell.sh("truncate -s 100 '\(live.root.path)/backups/\(good)'")
        let corrupt = try live.send("POST", "/backups/\(good)/accept")
        #expect(corrupt.status == 409)
        #expect(try corrupt.string("code") == "marked-corrupt")
        let busy = try live.holdingTheFolder { try live.send("POST", "/backups/\(small)/accept") }
        #expect(busy.status == 409)
        #expect(try busy.string("code") == "busy")
    }

    @Test(
        "At the command line: a suspicious backup ends with 8, again and again, until `accept` has said that it is right"
    )
    func exitCode() throws {
        let live = try ServiceFixture("suspicious_cli")
        #expect(try live.command(["backup", "--quiet"]).exit == .code(0))
        try lose(live)
        for _ in 0..<2 {
            let outcome = try live.command(["backup", "--json"])
            #expect(outcome.exit == .code(8), "\(outcome.errors)")
        }
        let list = try live.command(["list", "--json"])
        #expect(list.output.contains("suspicious"))
        #expect(try live.command(["accept", "1"]).exit == .code(0))
        #expect(try live.command(["accept", "none"]).exit == .code(3))
        #expect(try live.command(["backup", "--quiet"]).exit == .code(0))
    }

    @Test("One dated in the future is accepted, and nobody is told that it is a measure")
    func ahead() throws {
        let live = try ServiceFixture("accept_ahead")
        let made = try live.backup()
        let folder = "\(live.root.path)/backups"
        let name = "mlflow_backup_20990101_020000.tar.gz"
        try Shell.sh(
            """
            mv '\(folder)/\(made)' '\(folder)/\(name)'
            # Its seal is of the other name, so that it is one of 0.1.0.
            sed -e 's/\(made)/\(name)/' -e '/"seal"/d' -e '/"chain"/d' -e '/"read_file"/d' \\
              -e '/"stack" : {/,/}/d' '\(folder)/\(made).json' > '\(folder)/\(name).json'
            rm '\(folder)/\(made).json'
            """)
        let answer = try live.send("POST", "/backups/\(name)/accept")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try !answer.string("message").contains("measured by it"))
        #expect(try answer.string("message").contains("future"))
    }
}
