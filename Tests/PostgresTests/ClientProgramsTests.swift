// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport
import Testing

/// No image is pulled here: what is built from one is tried with a PostgreSQL that lies where an image has it.
@Suite("Programs of another PostgreSQL in the image of the backup service", .besideThePool)
struct ClientProgramsTests {
    private static let script = FilePath("\(#filePath)").parent.parent.parent.appending("docker/backup/collect-clients")

    @Test(
        "come with their own libpq, and are found by the server's version",
        arguments: PostgresRelease.others.filter(\.isHere))
    func collected(_ release: PostgresRelease) throws {
        let server = try TemporaryPostgres.shared(release)
        let major = try Connection(server.settings).serverVersion / 10_000
        let folder = try TemporaryFolder("clients")
        let (from, to) = (folder.path.appending("from"), folder.path.appending("to"))
        try Shell.sh(
            """
            mkdir -p '\(from)/usr/lib/postgresql'
            ln -s '\(server.binDirectory.parent)' '\(from)/usr/lib/postgresql/\(major)'
            '\(Self.script)' '\(from)' '\(to)'
            rm '\(from)/usr/lib/postgresql/\(major)'
            """)
        let tools = PostgresTools(binDirectory: to.appending("usr/lib/postgresql/\(major)/bin"))
        let source = try server.freshDatabase("collected")
        try Connection(source).execute("create table runs as select 1 as id")
        try tools.check(serverVersion: major * 10_000)
        try tools.dump(source, into: folder.path.appending("dump"))
        let target = try server.freshDatabase("collected_restored")
        try tools.restore(from: folder.path.appending("dump"), into: target, jobs: 2)
        #expect(try Connection(target).rows("select from runs").count == 1)
        // None but the libpq is brought along of what every Debian has.
        let brought = try Directory.names(in: to.appending("usr/lib/postgresql/\(major)/client"))
            .map { String(decoding: $0, as: UTF8.self) }
        #expect(brought.contains("pg_dump") && !brought.contains { $0.hasPrefix("libc.so") }, "\(brought)")
    }

    @Test("are none of an image that has none, which is the usual one")
    func none() throws {
        let folder = try TemporaryFolder("no_clients")
        try Shell.run(Self.script, [folder.path.appending("root").string, folder.path.appending("to").string])
        // The list of them is there, and empty: see the script.
        #expect(
            try Shell.sh("cd '\(folder.path)/to' && find . -type f -empty")
                == "./usr/share/mlflow-backup/copied-clients\n")
        #expect(try Shell.sh("cd '\(folder.path)/to' && find . -type f | wc -l") == "1\n")
    }
}
