// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

@Suite("A backup folder among the artifacts", .besideThePool)
struct FolderOverlapTests {
    @Test("C1: every command refuses it with exit code 2 before anything, naming both folders; the API does, too")
    func refused() throws {
        let live = try ServiceFixture("overlap")
        let artifacts = live.root.path.appending("artifacts")
        let folder = artifacts.appending("backups").string
        for arguments in [
            ["serve"], ["backup"], ["backup", "--dry-run"], ["restore", "x", "--force"], ["restore", "--undo"],
            ["prune"], ["doctor"],
            ["verify", "x"], ["accept", "x"], ["claim"], ["recover"], ["schedule"],
            ["forget", "20260101_000000_00000000"],
        ] {
            let outcome = try live.command(arguments + ["--backup-dir", folder])
            #expect(outcome.exit == .code(2), "\(arguments): \(outcome.exit) \(outcome.errors)")
            #expect(
                outcome.errors.contains(folder) && outcome.errors.contains("artifacts folder \(artifacts)"),
                "\(outcome.errors)")
        }
        #expect(try FileStatus.ifPresent(FilePath(folder)) == nil)

        // As where somebody mounts the one into the other while the service runs.
        let state = live.root.path.appending("backups/.mlflow-backup")
        let moved = artifacts.appending("state")
        try Directory.rename(state, to: moved)
        try Shell.sh("ln -s '\(moved)' '\(state)'")
        defer { _ = try? Shell.sh("rm '\(state)' && mv '\(moved)' '\(state)'") }
        let answer = try live.send("POST", "/backups")
        #expect(answer.status == 503, "\(answer.text)")
        #expect(try answer.string("code") == "folders-overlap")
        #expect(try live.send("GET", "/health").status == 503)
    }
}
