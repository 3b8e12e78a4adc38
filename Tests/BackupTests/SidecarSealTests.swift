// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import SystemIO
import TestSupport
import Testing

@testable import Backup

@Suite("A sidecar is sealed, and bits that flip in it rule nothing")
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
            // A bit in the seal's own key leaves a sidecar without one, as those of 0.1.0 are.
            let isKey = String(decoding: flipped, as: UTF8.self).contains("\"seal\" : \"") == false
            #expect(found.sidecar == sound || isKey, "byte \(index)")
            #expect(found.status == .completed || isKey, "byte \(index)")
        }
        var flipped = bytes
        flipped[bytes.count / 2] ^= 4
        try DurableFile.replace(path, with: flipped)
        try live.workspace().holdingStack("test") { _ in }
        #expect(try OpenFile(path, .read).readAll() == bytes)
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
        #expect(!Chains(read).areIndependent(read[0], read[1]))
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
