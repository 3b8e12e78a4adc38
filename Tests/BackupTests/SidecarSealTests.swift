// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import SystemIO
import TestSupport
import Testing

@testable import Backup

@Suite("A sidecar is sealed, and bits that flip in it rule nothing", .besideThePool)
struct SidecarSealTests {
    private func sidecar(_ live: LiveStackFixture, _ item: CatalogueItem) -> FilePath {
        live.folder.path.appending(item.name.sidecar)
    }

    @Test("whichever bit flips, what it said is known, and the next operation writes it again")
    func flips() throws {
        let live = try LiveStackFixture("seal_flips")
        try live.backup()
        let item = try #require(try Catalogue(live.folder).items().first)
        let sound = try #require(item.sidecar)
        let path = sidecar(live, item)
        let bytes = try OpenFile(path, .read).readAll()
        for index in stride(from: 0, to: bytes.count, by: 7) {
            var flipped = bytes
            flipped[index] ^= 1 << UInt8(index % 8)
            try DurableFile.replace(path, with: flipped)
            let found = try #require(try Catalogue(live.folder).items().first)
            #expect(found.sidecar == sound, "byte \(index)")
            #expect(found.status == .completed, "byte \(index)")
        }
        var flipped = bytes
        flipped[bytes.count / 2] ^= 4
        try DurableFile.replace(path, with: flipped)
        try live.workspace().holdingStack("test") { _ in }
        #expect(try OpenFile(path, .read).readAll() == bytes)
    }

    @Test("a bit in the letters of the seal's key makes none of 0.1.0 of it: a second one is not believed")
    func sealGone() throws {
        let live = try LiveStackFixture("seal_gone")
        try live.backup()
        let item = try #require(try Catalogue(live.folder).items().first)
        let sound = try #require(item.sidecar)
        let path = sidecar(live, item)
        let text = String(decoding: try OpenFile(path, .read).readAll(), as: UTF8.self)
        for key in ["\"seam\" : ", "\"seal\" : ", "\"seal\"0: ", "\"se\u{e1}l\" : "] {
            let flipped = text.replacingOccurrences(of: "\"seal\" : ", with: key)
            try DurableFile.replace(path, with: Array(flipped.utf8))
            if !key.contains("\u{e1}") { #expect(try live.item(item.name).sidecar == sound, "\(key)") }
            let second = flipped.replacingOccurrences(of: "\"adopted\" : false", with: "\"adopted\" : true")
            try DurableFile.replace(path, with: Array(second.utf8))
            #expect(try live.item(item.name).status == .unverified, "\(key)")
        }
        // What 0.1.0 wrote has neither.
        var old = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        for key in ["seal", "chain", "stack", "read_file"] { old[key] = nil }
        try DurableFile.replace(path, with: Array(try JSONSerialization.data(withJSONObject: old)))
        #expect(try live.item(item.name).status == .completed)
    }

    @Test(
        "one that a person renamed with its backup makes it theirs: once verified it is kept", arguments: [true, false])
    func renamed(sound: Bool) throws {
        let live = try LiveStackFixture("seal_renamed_\(sound)")
        let made = try live.backup().name.string
        for name in ["keep-forever.tar.gz", "mlflow_backup_20200101_000000.tar.gz"] {
            let path = live.folder.path.appending(name)
            try Shell.sh("cd '\(live.folder.path)' && cp -a \(made) \(name) && cp -a \(made).json \(name).json")
            if !sound { try Shell.sh("sed -i 's/\"size\" : [0-9]*/\"size\" : 7/' '\(path).json'") }
            #expect(try Catalogue(live.folder).item(named: name).status == .unverified)
            _ = try VerifyJob(live.workspace()).run(name)
            let item = try Catalogue(live.folder).item(named: name)
            #expect(item.status == .completed && item.sidecar?.adopted == true, "\(name)")
        }
        sleep(1)
        try live.backup(retention: .count(1))
        #expect(try live.names().count == 3)
    }

    @Test("a chain that a lost sidecar told is told by another name of the file, or unknown")
    func lostChain() throws {
        let live = try LiveStackFixture("seal_chain")
        try live.letStampsAge()
        let names = try (0..<2).map { _ in try live.backup(retention: .count(10)).name }
        #expect(try live.inode(names[0]) == live.inode(names[1]))
        let chain = try live.sidecar(names[1]).chain
        try Directory.remove(live.folder.path.appending(names[0].sidecar))
        _ = try VerifyJob(live.workspace()).run(names[0].string)
        #expect(try live.sidecar(names[0]).chain == chain)
        for name in names { try Directory.remove(live.folder.path.appending(name.sidecar)) }
        _ = try VerifyJob(live.workspace()).run(names[0].string)
        #expect(try live.sidecar(names[0]).chain == Chains.unknown)
        // Also where it was read as a damaged one first.
        for name in names { try? Directory.remove(live.folder.path.appending(name.sidecar)) }
        let error = SystemError("read", path: "x", code: EIO)
        try Verification(live.folder, log: .silent).condemn(live.item(names[0]), because: error)
        _ = try VerifyJob(live.workspace()).run(names[0].string)
        #expect(try live.sidecar(names[0]).chain == Chains.unknown)
    }

    @Test("one that is damaged further proves nothing: it is no second copy, and is ours again once it was read")
    func damaged() throws {
        let live = try LiveStackFixture("seal_damaged")
        try live.backup(.uncompressed)
        sleep(1)
        try live.backup(.uncompressed)
        let item = try #require(try Catalogue(live.folder).items().first)
        let chain = try #require(item.sidecar?.chain)
        let path = sidecar(live, item)
        // As if it were independent.
        try Shell.sh(
            "sed -i 's/\"chain\" : \"\(chain)\"/\"chain\" : \"mlflow_backup_20990101_000000\"/' '\(path)'")
        let found = try Catalogue(live.folder).items()
        #expect(found[0].status == .unverified)
        _ = try VerifyJob(live.workspace()).run(item.name.string)
        let read = try Catalogue(live.folder).items()
        #expect(read[0].status == .completed && read[0].sidecar?.adopted == false)
        #expect(!Chains(read).isTwo([read[0], read[1]]))
    }

    @Test("one that the disk does not give now is left as it is")
    func unreadable() throws {
        let live = try LiveStackFixture("seal_unreadable")
        try live.backup()
        let item = try #require(try Catalogue(live.folder).items().first)
        let bytes = try OpenFile(sidecar(live, item), .read).readAll()
        var unreadable = item
        unreadable.sidecarFault = .unreadable(SystemError("read", path: "x", code: EIO))
        #expect(throws: SystemError.self) {
            try Verification(live.folder, log: .silent).run(unreadable)
        }
        #expect(try OpenFile(sidecar(live, item), .read).readAll() == bytes)
    }

    @Test("a name that was linked over with another backup is not that backup, and harms it not")
    func relinked() throws {
        let live = try LiveStackFixture("seal_relinked")
        let first = try live.backup().name.string
        sleep(1)
        try live.add(runs: 50...52)
        let second = try live.backup().name.string
        try Shell.sh("cd '\(live.folder.path)' && ln -f \(first) \(second)")
        for _ in 0..<2 {
            for name in [first, second] { _ = try? VerifyJob(live.workspace()).run(name) }
            let items = try Catalogue(live.folder).items()
            #expect(items.first { $0.name.string == first }?.status == .completed)
            #expect(items.first { $0.name.string == second }?.status == .corrupt)
        }
    }

    @Test("whose backup it is says its manifest, not its sidecar")
    func owner() throws {
        let live = try LiveStackFixture("seal_owner")
        let name = try live.backup().name.string
        var item = try Catalogue(live.folder).item(named: name)
        var sidecar = try #require(item.sidecar)
        let owner = sidecar.stack
        sidecar.stack = StackIdentity(system: "1", database: "other", artifacts: nil)
        try sidecar.write(in: live.folder)
        _ = try VerifyJob(live.workspace()).run(name)
        item = try Catalogue(live.folder).item(named: name)
        #expect(item.sidecar?.stack == owner)
    }
}
