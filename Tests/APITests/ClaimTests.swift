// SPDX-License-Identifier: Apache-2.0

import Foundation
import Postgres
import SystemIO
import TestSupport
import Testing

@Suite("Claiming one of several stacks at the command line", .serialized, .aheadBesideThePool)
struct ClaimTests {
    @Test("several foreign stacks and none named: exit 2 with the list; one by its name; an unknown one: exit 3")
    func several() throws {
        let live = try ServiceFixture("claim_several")
        let names = try (0..<3).map { _ in try live.backup() }
        for (name, database) in zip(names, ["first_one", "second_one"]) {
            try Shell.sh(
                """
                cd '\(live.root.path)/backups'
                zeros=$(printf %064d 0)
                sed -i -e 's/"seal" : "[0-9a-f]*/"seal" : "'$zeros'/' \
                  -e 's/"database" : "\(live.database.database)"/"database" : "\(database)"/' \(name).json
                seal=$(sha256sum < \(name).json | cut -c1-64)
                sed -i 's/"seal" : "'$zeros'/"seal" : "'$seal'/' \(name).json
                """)
        }
        let refused = try live.command(["claim"])
        #expect(refused.exit == .code(2))
        for word in ["first_one@", "second_one@", "mlflow-backup claim "] {
            #expect(refused.errors.contains(word), "\(word) in \(refused.errors)")
        }
        #expect(!refused.errors.contains(live.database.database))
        let unknown = try live.command(["claim", "third_one@1"])
        #expect(unknown.exit == .code(3))
        #expect(unknown.errors.contains("first_one@"))
        let system = try #require(refused.errors.split(separator: "first_one@").last?.prefix { $0.isNumber })
        let taken = try live.command(["claim", "first_one@\(system)"])
        #expect(taken.exit == .code(0), "\(taken.errors)")
        #expect(taken.output.contains("first_one") && !taken.output.contains("second_one"))
        // One alone needs no name.
        let last = try live.command(["claim"])
        #expect(last.exit == .code(0), "\(last.errors)")
        #expect(last.output.contains("second_one") && !last.output.contains("first_one"))
    }
}
