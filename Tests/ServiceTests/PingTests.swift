// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Service

@Suite("Pings")
struct PingTests {
    @Test(
        "the suffix goes behind the path, before a query",
        arguments: [
            ("https://hc-ping.com/uuid", "https://hc-ping.com/uuid/fail"),
            ("https://hc-ping.com/key/slug?create=1", "https://hc-ping.com/key/slug/fail?create=1"),
            ("http://host:8000/ping/uuid/", "http://host:8000/ping/uuid/fail"),
        ])
    func suffix(_ address: String, _ failed: String) {
        #expect(PingURL(address).address(.fail) == failed)
        #expect(PingURL(address).address(.success) == address)
        #expect(!"\(PingURL(address))".contains("uuid") && !"\(PingURL(address))".contains("slug"))
    }

    private func paths(_ peer: PythonPeer) throws -> [String] {
        try peer.log().map { try JSONDecoder().decode([String: String].self, from: Data($0))["path"] ?? "" }
    }

    @Test("a start, then how it ended, with a line of reason")
    func signs() throws {
        let peer = try PythonPeer("web_server.py")
        let pings = try Pings(PingURL("http://127.0.0.1:\(peer.port)/ping/uuid"), in: nil, log: .silent)
        for end in [true, false] {
            pings.begun()
            #expect(pings.flush(atMost: 20))
            pings.ended(well: end, "line of 原因")
            #expect(pings.flush(atMost: 20))
        }
        pings.stop()
        #expect(pings.trouble == nil)
        #expect(try paths(peer) == ["/ping/uuid/start", "/ping/uuid", "/ping/uuid/start", "/ping/uuid/fail"])
        #expect(try String(decoding: peer.log()[3], as: UTF8.self).contains("line of 原因"))
    }

    @Test(
        "what a command could not send is in the state folder; the service says why, goes on trying, and then it is gone"
    )
    func untaken() throws {
        let folder = try ScratchFolder()
        let peer = try PythonPeer("web_server.py")
        let url = PingURL("http://127.0.0.1:\(peer.port)/ping/uuid")
        let ledger = PingLedger(in: folder.path, of: url)
        let broken = peer.folder.path.appending("broken")
        try DurableFile.replace(broken, with: [])
        let cron = try Pings(url, in: folder.path, log: .silent)
        cron.ended(well: false, "disk full")
        for _ in 0..<100 where cron.trouble == nil { usleep(50_000) }
        cron.stop()
        let service = try Pings(url, in: folder.path, adopts: true, log: .silent, pause: 0.05)
        for _ in 0..<100 where service.trouble == nil { usleep(50_000) }
        #expect(service.trouble?.english.contains("answered 500") == true)
        service.stop()
        #expect(ledger.read()?.text == "disk full", "a stop loses nothing")
        try Directory.remove(broken)
        let before = try paths(peer).count
        let well = try Pings(url, in: folder.path, adopts: true, log: .silent, pause: 0.05)
        for _ in 0..<100 where try paths(peer).count == before || ledger.read()?.reason != nil { usleep(50_000) }
        #expect(try paths(peer).dropFirst(before) == ["/ping/uuid/fail"])
        #expect(ledger.read()?.reason == nil && well.flush(atMost: 5) && well.trouble == nil)
        well.stop()
        // Older than an hour it says nothing of now, but the trouble is still told of.
        let old = PingNote(
            sign: .fail, text: "", written: Moment(epoch: LocalTime.now().epoch - 4000, boot: nil),
            reason: .init(BilingualText(zh: "旧", en: "old trouble")))
        try Directory.remove(folder.path.appending("\(url.fileName).json"))
        try ledger.write(old)
        let later = try Pings(url, in: folder.path, adopts: true, log: .silent, pause: 0.05)
        for _ in 0..<100 where later.trouble == nil { usleep(50_000) }
        #expect(later.trouble?.english == "old trouble")
        later.ended(well: true, "")
        #expect(later.flush(atMost: 20) && later.trouble == nil)
        later.stop()
        #expect(try paths(peer).dropFirst(before) == ["/ping/uuid/fail", "/ping/uuid"])
    }

    @Test("one that is refused is tried again and told of; the newest alone counts, and no address is shown")
    func refused() throws {
        let peer = try PythonPeer("web_server.py")
        let pings = try Pings(PingURL("http://127.0.0.1:\(peer.port)/refused/uuid"), in: nil, log: .silent, pause: 0.05)
        pings.ended(well: true, "")
        for _ in 0..<100 where try paths(peer).count < 3 { usleep(50_000) }
        #expect(try paths(peer).count >= 3)
        #expect(pings.trouble?.english.contains("answered 404") == true)
        #expect(pings.trouble?.english.contains("uuid") == false)
        pings.ended(well: false, "")
        for _ in 0..<100 where try paths(peer).last?.hasSuffix("/fail") != true { usleep(50_000) }
        usleep(200_000)
        let last = try paths(peer)
        let turn = try #require(last.firstIndex { $0.hasSuffix("/fail") })
        #expect(last[turn...].allSatisfy { $0.hasSuffix("/fail") })
        pings.stop()
        let nobody = try Pings(PingURL("http://127.0.0.1:1/secret-uuid"), in: nil, log: .silent)
        nobody.begun()
        for _ in 0..<100 where nobody.trouble == nil { usleep(50_000) }
        #expect(nobody.trouble?.english.contains("cannot be reached") == true)
        #expect(nobody.trouble?.english.contains("secret") == false)
        nobody.stop()
    }
}
