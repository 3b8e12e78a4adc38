// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Service

@Suite("Of the pings of several processes the newest counts")
struct NewestPingTests {
    private let folder: ScratchFolder
    private let peer: PythonPeer
    private let url: PingURL

    init() throws {
        folder = try ScratchFolder()
        peer = try PythonPeer("web_server.py")
        url = PingURL("http://127.0.0.1:\(peer.port)/ping/uuid")
    }

    private var broken: FilePath { peer.folder.path.appending("broken") }

    /// Those that were answered with 500 are among them.
    private func paths() throws -> [String] {
        try peer.log().map { try JSONDecoder().decode([String: String].self, from: Data($0))["path"] ?? "" }
    }

    private func service(pause: Double = 0.05) throws -> Pings {
        try Pings(url, in: folder.path, adopts: true, log: .silent, pause: pause)
    }

    /// As `backup` on the command line.
    private func command(well: Bool) throws {
        let command = try Pings(url, in: folder.path, log: .silent)
        command.ended(well: well, "of a command")
        command.flush(atMost: 1)
        command.stop()
    }

    /// The clocks count seconds.
    private func waitForTheNextSecond() { usleep(1_100_000) }

    @Test("a success that was not taken is not sent after the failure of another process that was")
    func staleSuccess() throws {
        try DurableFile.replace(broken, with: [])
        let service = try service(pause: 1.5)
        service.ended(well: true, "older")
        for _ in 0..<100 where service.trouble == nil { usleep(50_000) }
        waitForTheNextSecond()
        try Directory.remove(broken)
        try command(well: false)
        let before = try paths().count
        usleep(3_500_000)
        #expect(try paths().last == "/ping/uuid/fail")
        #expect(try paths().count == before)
        #expect(service.trouble == nil && service.flush(atMost: 5))
        service.stop()
    }

    @Test("what another process could not send meanwhile is not lost when an older one is taken")
    func newerUntaken() throws {
        try DurableFile.replace(broken, with: [])
        let service = try service(pause: 1.5)
        service.ended(well: true, "older")
        for _ in 0..<100 where service.trouble == nil { usleep(50_000) }
        waitForTheNextSecond()
        try command(well: false)
        try Directory.remove(broken)
        for _ in 0..<200 where try paths().last != "/ping/uuid/fail" || service.trouble != nil { usleep(50_000) }
        usleep(2_000_000)
        #expect(try paths().last == "/ping/uuid/fail")
        #expect(service.trouble == nil)
        service.stop()
        // Nor is it written down again by whoever ends later with an older one.
        try DurableFile.replace(broken, with: [])
        let late = try self.service(pause: 60)
        late.ended(well: true, "older")
        for _ in 0..<100 where late.trouble == nil { usleep(50_000) }
        waitForTheNextSecond()
        try command(well: false)
        late.stop()
        try Directory.remove(broken)
        let next = try self.service()
        for _ in 0..<100 where try paths().last != "/ping/uuid/fail" { usleep(50_000) }
        usleep(500_000)
        #expect(try paths().last == "/ping/uuid/fail")
        next.stop()
    }

    @Test("of another address, as of another stack in the same folder, none counts")
    func otherAddress() throws {
        try DurableFile.replace(broken, with: [])
        try command(well: false)
        try Directory.remove(broken)
        let other = try Pings(
            PingURL("http://127.0.0.1:\(peer.port)/ping/other"), in: folder.path, adopts: true, log: .silent,
            pause: 0.05)
        other.ended(well: true, "")
        #expect(other.flush(atMost: 20))
        usleep(500_000)
        #expect(try paths() == ["/ping/uuid/fail", "/ping/other"])
        other.stop()
    }

    @Test("what a clock that was ahead wrote before the machine was started anew keeps none from being sent")
    func ahead() throws {
        let now = Moment.now()
        let other = BootClock(id: "another start", seconds: 5)
        let note = PingNote(sign: .fail, text: "", written: Moment(epoch: now.epoch + 9000, boot: other), reason: nil)
        #expect(!note.isNewer(than: now, now: now))
        let past = PingNote(sign: .fail, text: "", written: Moment(epoch: now.epoch - 9000, boot: other), reason: nil)
        #expect(!past.isNewer(than: now, now: now))
        #expect(past.isNewer(than: Moment(epoch: now.epoch - 9001, boot: other), now: now))
    }
}
