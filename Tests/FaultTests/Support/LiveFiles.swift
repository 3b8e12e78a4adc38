// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport

/// What is live in a `FaultStack`: MLflow's tables with the columns that the product looks at, and files of each fate: kept, changed, gone and new. Few, so
/// that every step can be tried.
struct LiveFiles {
    let database: ConnectionSettings
    let artifacts: FilePath

    private static let schema: [SQL] = [
        "create table alembic_version (version_num varchar(32) primary key)",
        "insert into alembic_version values ('dc11669786a5')",
        "create table experiments (experiment_id integer primary key, name text unique, creation_time bigint)",
        """
        insert into experiments values (0, 'Default', 1790000000000), (1, 'work', 1790000000001),
          (2, 'more', 1790000000002), (3, 'third', 1790000000003)
        """,
        "create table runs (run_uuid varchar(32) primary key, start_time bigint, experiment_id integer references experiments)",
        """
        create table metrics (key text, value double precision, timestamp bigint, step bigint, run_uuid varchar(32) references runs,
          primary key (key, timestamp, step, run_uuid, value))
        """,
        "create table latest_metrics (key text, value double precision, timestamp bigint, run_uuid varchar(32), primary key (key, run_uuid))",
        "create table registered_models (name text primary key, creation_time bigint)",
    ]

    /// Three experiments, a link, an empty folder.
    func begin() throws {
        let session = try Connection(database)
        defer { session.close() }
        for statement in Self.schema { try session.execute(statement) }
        try add(session, experiment: 1, 1...3)
        try add(session, experiment: 2, 10...11)
        try add(session, experiment: 3, 16...16)
        try Directory.make(artifacts.appending("empty"))
        try Shell.sh("ln -s run10/artifacts/model.bin '\(artifacts)/2/latest'")
    }

    /// Rows and files gone, changed and new; a child of the folder gone and another new.
    func moveOn() throws {
        let session = try Connection(database)
        defer { session.close() }
        try session.execute("delete from metrics where run_uuid in ('run1', 'run10')")
        try session.execute("insert into experiments values (4, 'fourth', 1790000000004)")
        try add(session, experiment: 4, 19...19)
        try Shell.sh(
            "cd '\(artifacts)' && rm -r 1/run3 empty && echo changed > 2/run11/artifacts/model.bin && echo more > 3/notes"
        )
    }

    private func add(_ session: Connection, experiment: Int, _ runs: ClosedRange<Int>) throws {
        for number in runs {
            let run = "run\(number)"
            let path = artifacts.appending("\(experiment)/\(run)/artifacts")
            try Directory.make(path)
            let content = Array("model of \(run)\n".utf8) + [UInt8](repeating: UInt8(number), count: number * 100)
            try DurableFile.replace(path.appending("model.bin"), with: content)
            try session.execute("insert into runs values (\(run), \(1_790_000_000_000 + number), \(experiment))")
            try session.execute(
                "insert into metrics values ('loss', \(1 / number), \(1_790_000_000_000 + number), 1, \(run))")
        }
    }
}
