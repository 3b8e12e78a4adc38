// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

@Suite("A backup folder that was used and is empty now", .serialized, .aheadBesideThePool)
struct VanishedFolderTests {
    @Test("is no empty list: commands, routes and health say what a backup says; one that was never used is empty")
    func vanished() throws {
        let live = try ServiceFixture("vanished_api")
        let unused = live.root.path.appending("unused")
        try Directory.make(unused)
        for arguments in [["list"], ["verify", "--all"], ["list", "--json"]] {
            let outcome = try live.command(arguments + ["--backup-dir", unused.string])
            #expect(outcome.exit == .code(0), "\(arguments): \(outcome.errors)")
        }
        #expect(try live.send("GET", "/backups").text.filter { !$0.isWhitespace } == "[]")

        let name = try live.backup()
        let (folder, hidden) = (live.root.path.appending("backups"), live.root.path.appending("hidden"))
        try Directory.rename(folder, to: hidden)
        defer {
            _ = try? Shell.sh("rm -rf '\(folder)' && mv '\(hidden)' '\(folder)'")
        }
        for isThere in [true, false] {
            if isThere { try Directory.make(folder) } else { try Directory.removeTree(folder) }
            let backup = try live.command(["backup", "--quiet"])
            #expect(backup.errors.contains("has held backups of this MLflow"), "\(backup.errors)")
            for arguments in [
                ["list"], ["list", "--json"], ["verify", "--all"], ["verify", name], ["list", name], ["verify", "1"],
                ["restore", "1"], ["restore", "--list"], ["cat", name, "manifest.json"], ["accept", name],
                ["prune", "--dry-run"], ["doctor"],
            ] {
                let outcome = try live.command(arguments)
                #expect(outcome.exit == backup.exit, "\(arguments): \(outcome.exit), \(outcome.output)")
                #expect(outcome.errors == backup.errors || arguments == ["doctor"], "\(arguments): \(outcome.errors)")
            }
            live.lookAgain()
            for path in ["/backups", "/stats", "/backups/\(name)/download"] {
                let answer = try live.send("GET", path)
                #expect(answer.status == 503, "\(path): \(answer.text)")
                #expect(try answer.string("code") == "folder-vanished", "\(path)")
            }
            #expect(try live.send("DELETE", "/backups/\(name)").string("code") == "folder-vanished")
            let health = try live.send("GET", "/health")
            #expect(health.status == 503)
            #expect(health.text.contains("has held backups of this MLflow"))
            #expect((try health.object()["checks"] as? [String: Bool])?["backup_directory"] == false)
            #expect(try FileStatus.ifPresent(folder.appending(".mlflow-backup")) == nil, "nothing was made in it")
        }
    }
}
