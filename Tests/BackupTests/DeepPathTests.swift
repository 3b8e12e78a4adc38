// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("A path that is as long as a system call takes is longer among what a restore keeps", .besideThePool)
struct DeepPathTests {
    /// - Returns: a folder in which a name of some bytes is the last that fits.
    private func deepFolder(_ live: LiveStackFixture) throws -> FilePath {
        var folder = try OpenFile(live.artifacts.appending("1"), .directory)
        while 4070 - folder.path.bytes.count > 250 {
            folder = try folder.openOrMakeFolder([UInt8](repeating: UInt8(ascii: "d"), count: 200))
        }
        return try folder.openOrMakeFolder(
            [UInt8](repeating: UInt8(ascii: "e"), count: 4070 - folder.path.bytes.count - 1)
        ).path
    }

    @Test(
        "files, links out of the tree and what was overwritten in place there come back, and are proven to be in a backup"
    )
    func deep() throws {
        let live = try LiveStackFixture("deep")
        let folder = try deepFolder(live)
        func write(_ name: String, _ text: String) throws {
            let path = folder.appending(name)
            let file = try OpenFile(path, .readWrite(create: 0o644))
            try file.truncate(to: 0)
            try file.write(Array(text.utf8))
        }
        func text(_ name: String) throws -> String {
            String(decoding: try OpenFile(folder.appending(name), .readNoFollow).readAll(), as: UTF8.self)
        }
        for name in ["changed", "shared"] { try write(name, "old") }
        try OpenFile(folder, .directory).makeSymbolicLink(
            Array("out".utf8), to: Array("/etc".utf8), modified: FileTime(seconds: 1))
        try live.letStampsAge()
        let name = try live.backup().name.string
        try write("changed", "new")
        try live.restore(name, .artifacts, force: true)
        #expect(try text("changed") == "old" && folder.appending("out").linkTarget == "/etc")
        let part = try #require(try KeptParts(live.workspace()).all().first)
        let missing = try KeptCoverage(workspace: live.workspace(), databases: Databases(live.database)).missing(part)
        #expect(missing.count == 1 && missing[0].english.hasSuffix("/changed"), "\(missing)")
        #expect(try SinceRestore(live.workspace(), part).first().isEmpty)
        try write("shared", "written in place")
        try live.undo(force: true)
        #expect(try text("changed") == "new" && text("shared") == "old")
        #expect(folder.appending("out").linkTarget == "/etc")
        try live.expectNothingLeftBehind()
    }
}
