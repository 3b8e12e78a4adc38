// SPDX-License-Identifier: Apache-2.0

import Service
import SystemIO
import TestSupport
import Testing

@Suite("The web client, against a real server")
struct WebClientTests {
    @Test("It gets, posts JSON, hands on statuses, and does not follow redirects")
    func answers() throws {
        let peer = try PythonPeer("web_server.py")
        let base = "http://127.0.0.1:\(peer.port)"
        let client = WebClient()
        #expect(try client.get("\(base)/version") == WebResponse(status: 200, body: Array("2.14.1".utf8)))
        #expect(try client.get("\(base)/nothing").status == 404)
        #expect(try client.get("\(base)/elsewhere").status == 302)
        let echoed = try client.post("\(base)/x", json: Array("{\"a\":\"中\"}".utf8))
        #expect(String(decoding: echoed.body, as: UTF8.self) == "application/json {\"a\":\"中\"}")
    }

    @Test("A long answer is cut off and a slow one given up")
    func bounds() throws {
        let peer = try PythonPeer("web_server.py")
        let base = "http://127.0.0.1:\(peer.port)"
        #expect(throws: WebError.tooLarge(url: "\(base)/big", limit: 1 << 20)) { try WebClient().get("\(base)/big") }
        #expect(throws: WebError.timedOut(url: "\(base)/slow", seconds: 0.2)) {
            try WebClient().get("\(base)/slow", timeoutSeconds: 0.2)
        }
    }

    @Test("Only http and https", arguments: ["file:///etc/passwd", "gopher://localhost/", "ftp://localhost/x", ""])
    func protocols(url: String) {
        #expect(throws: WebError.badURL(url)) { try WebClient().get(url) }
    }

    @Test("Nobody there is unreachable")
    func nobodyThere() throws {
        let error = #expect(throws: WebError.self) { try WebClient().get("http://127.0.0.1:1/") }
        guard case .unreachable = try #require(error) else { throw try #require(error) }
    }
}
