// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import Testing

@Suite("A backup that is a folder")
struct FolderTests {
    private func make(_ scratch: Scratch, seed: UInt64 = 41) throws -> (tree: FilePath, backup: FilePath) {
        let tree = scratch.path.appending("tree")
        try RandomTree(seed: seed, at: tree)
        let backup = scratch.path.appending("backup")
        try Backups.write(tree, with: FolderWriter(creating: backup))
        return (tree, backup)
    }

    @Test("holds the tree as it was, and gives it back")
    func roundTrip() throws {
        let scratch = try Scratch()
        let (tree, backup) = try make(scratch)
        let before = try TreeSnapshot(tree)
        #expect(try TreeSnapshot(backup.appending("artifacts")).differences(from: before) == [])
        let report = try ContentVerifier().verify(FolderReader(backup))
        #expect(report.manifest == Backups.manifest)
        let out = scratch.path.appending("out")
        _ = try Backups.extract(FolderReader(backup), into: out)
        let after = try TreeSnapshot(out)
        #expect(after.items.mapValues(\.digest) == before.items.mapValues(\.digest))
        #expect(after.items.mapValues(\.mode) == before.items.mapValues(\.mode))
        #expect(after.items.mapValues(\.modified) == before.items.mapValues(\.modified))
        #expect(after.items.mapValues(\.target) == before.items.mapValues(\.target))
    }

    @Test(
        "is refused once something in it is not what was backed up",
        arguments: [
            ("echo x > \"$1/artifacts/run-0/extra\"", Refusal.damaged), ("rm \"$1/artifacts/sizes/513\"", .damaged),
            ("echo x >> \"$1/artifacts/sizes/513\"", .damaged),
            ("printf X | dd of=\"$1/artifacts/sizes/weights\" conv=notrunc bs=1 seek=5000000 status=none", .damaged),
            ("rm -r \"$1/artifacts/empty\"", .damaged), ("mkdir \"$1/artifacts/new\"", .damaged),
            ("rm \"$1/artifacts/sizes/513\"; mkdir \"$1/artifacts/sizes/513\"", .damaged),
            ("rm \"$1/artifacts/sizes/513\"; ln -s 512 \"$1/artifacts/sizes/513\"", .damaged),
            ("ln -sfn third \"$1/artifacts/links/plain\"", .damaged),
            ("rm \"$1/artifacts/links/third\"; echo x > \"$1/artifacts/links/third\"", .damaged),
            ("rm \"$1/artifacts/links/plain\"; echo x > \"$1/artifacts/links/plain\"", .damaged),
            ("mkfifo \"$1/artifacts/pipe\"", .unsafeEntry), ("ln -s /etc \"$1/artifacts/out\"", .unsafeEntry),
            ("rm \"$1/manifest.json\"", .notABackup), ("rm \"$1/index.json\"", .notABackup),
            ("echo '{}' > \"$1/index.json\"", .damaged),
            ("sed -i '2s/\"size\":[0-9]*/\"size\":-1/' \"$1/index.json\"", .damaged),
        ])
    func changed(script: String, refusal: Refusal) throws {
        let scratch = try Scratch()
        let (_, backup) = try make(scratch)
        try Tool.shell("chmod u+rwx \"$1/artifacts/readonly\"; " + script, backup)
        #expect(try Refusal.of { _ = try ContentVerifier().verify(FolderReader(backup)) } == refusal)
    }

    @Test("an existing name is never written into")
    func exists() throws {
        let scratch = try Scratch()
        _ = try scratch.folder("backup")
        let error = #expect(throws: SystemError.self) {
            _ = try FolderWriter(creating: scratch.path.appending("backup"))
        }
        #expect(error?.exists == true)
    }
}
