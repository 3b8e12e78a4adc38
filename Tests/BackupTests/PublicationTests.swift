// SPDX-License-Identifier: Apache-2.0

import Archive
import FoundationEssentials
import Glibc
import SystemIO
import TestSupport
import Testing

@testable import Backup

@Suite("A backup whose maker died before it was listed", .besideThePool)
struct PublicationTests {
    private func interrupted(_ live: LiveStackFixture) throws -> BackupName {
        let name = try live.backup().name
        let sidecar = try live.sidecar(name)
        try PublicationIntent(name, in: live.folder).write(sidecar)
        try Directory.remove(live.folder.path.appending(name.sidecar))
        return name
    }

    @Test("C33: is read and listed by the next operation, as one of ours")
    func adopted() throws {
        let live = try LiveStackFixture("publish_c33")
        let name = try interrupted(live)
        #expect(try live.item(name).status == .unverified)
        try live.backup()
        #expect(try live.item(name).status == .completed)
        #expect(try live.sidecar(name).adopted == false)
        #expect(try PublicationIntent.names(in: live.folder).isEmpty)
    }

    @Test("damaged meanwhile, it is marked, and the next backup is made")
    func damaged() throws {
        let live = try LiveStackFixture("publish_damaged")
        let name = try interrupted(live)
        try live.damage(name)
        let next = try live.backup().name
        #expect(try live.item(name).status == .corrupt)
        #expect(try live.item(next).status == .completed)
    }

    @Test("a note without its archive, and one that nobody can read, go")
    func notes() throws {
        let live = try LiveStackFixture("publish_notes")
        let first = try live.backup().name
        let sidecar = try live.sidecar(first)
        let gone = try #require(BackupName("mlflow_backup_20260101_020000.tar.gz"))
        try PublicationIntent(gone, in: live.folder).write(sidecar)
        try DurableFile.replace(
            live.folder.state.appending(PublicationIntent.prefix + first.string + ".json"), with: [1, 2])
        try live.backup()
        #expect(try PublicationIntent.names(in: live.folder).isEmpty)
    }
}
