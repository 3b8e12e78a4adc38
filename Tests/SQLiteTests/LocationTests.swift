// SPDX-License-Identifier: Apache-2.0

import Foundation
import SQLite
import SystemIO
import TestSupport
import Testing
import Wording

@Suite("Where a database of SQLite is")
struct LocationTests {
    @Test("A path is what SQLAlchemy makes of the URI")
    func asSQLAlchemy() throws {
        let uris = [
            "sqlite:////a/mlflow.db", "sqlite+pysqlite:////a/b.db", "sqlite:////a/b%20c.db?timeout=9",
            "sqlite:////a/b#c.db",
            "sqlite:////a/é.db", "sqlite:////a%3Fb.db", "sqlite:////a/b+c.db", "sqlite:////a/100%.db",
            "sqlite:////a/%zz.db",
        ]
        let folder = try TemporaryFolder("urls")
        let list = try folder.write("urls", uris.joined(separator: "\n") + "\n")
        let output = try Shell.sh(
            "'\(TestPython().path)' '\(Content.folder.appending("content.py"))' urls <'\(list)'",
            environment: ["PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"])
        let expected = try output.split(separator: "\n").map {
            try JSONDecoder().decode(String.self, from: Data($0.utf8))
        }
        #expect(expected.count == uris.count)
        for (uri, path) in zip(uris, expected) {
            let found = try SQLiteLocation(uri: uri).path
            #expect(found.string == path, "\(uri)")
        }
    }

    @Test("A relative path needs the folder that the server was started in")
    func relative() throws {
        #expect(
            try SQLiteLocation(uri: "sqlite:///mlflow.db", relativeTo: "/srv/mlflow").path == "/srv/mlflow/mlflow.db")
        #expect(throws: DatabaseFileError.self) { try SQLiteLocation(uri: "sqlite:///mlflow.db") }
    }

    @Test("A URI of SQLite's own is read as one where SQLAlchemy is told so")
    func fileURI() throws {
        #expect(try SQLiteLocation(uri: "sqlite:///file:/a/b%20c.db?mode=rwc&uri=true").path == "/a/b c.db")
        #expect(try SQLiteLocation(uri: "sqlite:///file:///a/b.db?uri=true").path == "/a/b.db")
        #expect(try SQLiteLocation(uri: "sqlite:///file://localhost/a/b.db?uri=true").path == "/a/b.db")
        #expect(try SQLiteLocation(uri: "sqlite:///file:b.db", relativeTo: "/a").path == "/a/file:b.db")
    }

    @Test(
        "What is no file, or has no locks, is refused with the reason",
        arguments: [
            "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true",
            "sqlite://host/a.db",
            "postgresql://a/b", "mlflow.db", "sqlite+pysqlcipher:////a.db", "sqlite:///file:/a.db?nolock=1&uri=true",
            "sqlite:///file://other/a.db?uri=true", "sqlite:////a%00b.db",
        ])
    func refused(_ uri: String) throws {
        let error = try #require(throws: DatabaseFileError.self) { try SQLiteLocation(uri: uri, relativeTo: "/srv") }
        #expect(error.errorCode == "sqlite-location-unusable")
        #expect(error.explanation.english.contains(uri))
    }

    @Test("How long MLflow's writers wait is what the URI says, and five seconds else")
    func patience() throws {
        #expect(try SQLiteLocation(uri: "sqlite:////a.db?timeout=60").writersPatience == 60)
        #expect(try SQLiteLocation(uri: "sqlite:////a.db").writersPatience == 5)
    }
}
