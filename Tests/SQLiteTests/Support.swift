// SPDX-License-Identifier: Apache-2.0

import Foundation
import SQLite
import SystemIO
import TestSupport
import Wording

/// The Python programs beside this file.
enum Content {
    static let folder = FilePath(String(#filePath)).parent

    @discardableResult
    static func run(_ arguments: [String]) throws -> String {
        try Shell.run(
            try TestPython().path, [folder.appending("content.py").string] + arguments,
            environment: ["PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"]
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Everything in a database, as one line.
    static func digest(_ path: FilePath) throws -> String { try run(["digest", path.string]) }

    /// One that real MLflow filled; made once, since MLflow takes seconds to start, and copied while nobody has it open.
    static func mlflow(_ name: String, in folder: TemporaryFolder, wal: Bool = false) throws -> FilePath {
        let path = folder.path.appending("\(name).db")
        let original = try (name == "old" ? old : new).get()
        try Shell.run("/bin/cp", [original.path.appending("m.db").string, path.string])
        if wal { try sqlite(path, "PRAGMA journal_mode = WAL") }
        return path
    }

    private static let old = Result { try made("old", runs: 12) }
    private static let new = Result { try made("new", runs: 15) }

    private static func made(_ name: String, runs: Int) throws -> TemporaryFolder {
        let folder = try TemporaryFolder("mlflow-\(name)")
        try run(["mlflow", folder.path.appending("m.db").string, name, "\(runs)"])
        return folder
    }

    static func odd(_ name: String, _ number: Int, in folder: TemporaryFolder) throws -> FilePath {
        let path = folder.path.appending("\(name).db")
        try run(["odd", path.string, "\(number)"])
        return path
    }

    /// By another process, as somebody else would.
    @discardableResult
    static func sqlite(_ path: FilePath, _ sql: String) throws -> String {
        try Shell.run(
            try TestPython().path,
            [
                "-c",
                "import sqlite3, sys; d = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None); "
                    + "print([r for s in sys.argv[2].split(';;') for r in d.execute(s).fetchall()])", path.string, sql,
            ]
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// A client of MLflow's that writes in a process of its own until it is told to stop.
final class Writer: Sendable {
    struct Report: Decodable, Sendable {
        /// Seconds that one write took at most.
        let longest: Double
        let done: Int
        let errors: [String]
    }

    private let stop: FilePath
    private let outcome = Monitor<Result<String, any Error>?>(nil)
    private let thread: WorkerThread

    /// - Parameter pause: seconds between two writes.
    init(_ path: FilePath, in folder: TemporaryFolder, pause: Double = 0.02) throws {
        let stop = folder.path.appending("stop-\(UInt32.random(in: .min ... .max))")
        self.stop = stop
        let (outcome, python) = (outcome, try TestPython().path)
        thread = try WorkerThread("writer") {
            let result = Result {
                try Shell.run(
                    python, [Content.folder.appending("writer.py").string, path.string, stop.string, "\(pause)"],
                    environment: ["PYTHONDONTWRITEBYTECODE": "1"])
            }
            outcome.withLock { $0 = result }
        }
        try Patience.wait("a writer", atMost: 60) {
            if case .failure(let error)? = outcome.read({ $0 }) { throw error }
            return try FileStatus.ifPresent(FilePath(stop.string + ".ready")) != nil
        }
    }

    func end() throws -> Report {
        _ = try OpenFile(stop, .createNew(mode: 0o600))
        thread.join()
        let text = try outcome.read { $0 }?.get() ?? ""
        return try JSONDecoder().decode(Report.self, from: Data(text.utf8))
    }
}

/// Somebody else who holds a lock on a database until this goes.
final class Holder {
    private let folder: TemporaryFolder
    private let thread: WorkerThread

    init(_ path: FilePath, _ sql: String) throws {
        let folder = try TemporaryFolder("holder")
        self.folder = folder
        let python = try TestPython().path
        thread = try WorkerThread("holder") {
            // Its own failure shows as a holder that never came.
            _ = try? Shell.run(
                python,
                [
                    "-c",
                    "import sqlite3, sys, os, time; d = sqlite3.connect(sys.argv[1], isolation_level=None); "
                        + "[d.execute(s).fetchall() for s in sys.argv[2].split(';;')]; open(sys.argv[3] + '/here', 'w'); "
                        + "[time.sleep(0.01) for _ in iter(lambda: os.path.exists(sys.argv[3] + '/stop'), True)]",
                    path.string, sql, folder.path.string,
                ])
        }
        try Patience.wait("a holder") { try FileStatus.ifPresent(folder.path.appending("here")) != nil }
    }

    func end() throws {
        try folder.write("stop", "")
        thread.join()
    }
}
