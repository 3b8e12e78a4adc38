// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import HTTPServer

@Suite("Files over HTTP")
struct FileResponseTests {
    private let content = ramp(300_000)

    private func serve(_ content: [UInt8], name: String = "http-test") throws -> HTTPServer {
        try HTTPServer { request in
            guard let file = try? openFile(content, name: name) else { return .plain(500, "no file") }
            return .file(
                file, size: UInt64(content.count), entityTag: EntityTag("tag"), contentType: "application/gzip",
                filename: "备.tar.gz", for: request)
        }
    }

    @Test("A whole file arrives byte for byte with its headers")
    func whole() throws {
        let server = try serve(content)
        defer { server.stop(graceSeconds: 1) }
        #expect(try Curl("http://127.0.0.1:\(server.port)/").output == content)
        let head = try Curl("-I", "http://127.0.0.1:\(server.port)/").text
        #expect(head.hasPrefix("HTTP/1.1 200"))
        #expect(head.contains("Content-Length: 300000\r\n"))
        #expect(head.contains("ETag: \"tag\"\r\n"))
        #expect(head.contains("filename*=UTF-8''%E5%A4%87.tar.gz\r\n"))
    }

    @Test(
        "Ranges arrive as 206 with the bytes asked for",
        arguments: [
            ("0-0", 0..<1), ("1000-1999", 1000..<2000), ("299990-", 299_990..<300_000), ("-7", 299_993..<300_000),
        ])
    func ranges(range: String, expected: Range<Int>) throws {
        let server = try serve(content)
        defer { server.stop(graceSeconds: 1) }
        let result = try Curl(
            "-r", range, "-w", "%{http_code} %header{content-range}", "http://127.0.0.1:\(server.port)/")
        let tail = "206 bytes \(expected.lowerBound)-\(expected.upperBound - 1)/300000"
        #expect(result.output == content[expected] + Array(tail.utf8))
    }

    @Test("A range outside the file is 416 with the size; several ranges give the whole file")
    func oddRanges() throws {
        let server = try serve(content)
        defer { server.stop(graceSeconds: 1) }
        let outside = try Curl("-i", "-r", "300000-", "http://127.0.0.1:\(server.port)/").text
        #expect(outside.hasPrefix("HTTP/1.1 416"))
        #expect(outside.contains("Content-Range: bytes */300000\r\n"))
        #expect(try Curl("-H", "Range: bytes=0-1,4-5", "http://127.0.0.1:\(server.port)/").output == content)
    }

    @Test("If-Range keeps a range only for the same strong tag")
    func ifRange() throws {
        let server = try serve(content)
        defer { server.stop(graceSeconds: 1) }
        for (tag, count) in [
            ("\"tag\"", 10), ("\"other\"", 300_000), ("W/\"tag\"", 300_000), ("Tue, 24 Nov 2026 00:00:00 GMT", 300_000),
        ] {
            let result = try Curl("-r", "0-9", "-H", "If-Range: \(tag)", "http://127.0.0.1:\(server.port)/")
            #expect(result.output.count == count)
        }
    }

    @Test("If-None-Match gives 304 without a body, and If-Match of another tag 412")
    func conditional() throws {
        let server = try serve(content)
        defer { server.stop(graceSeconds: 1) }
        let url = "http://127.0.0.1:\(server.port)/"
        let same = try Curl("-i", "-H", "If-None-Match: \"x\", W/\"tag\"", url).text
        #expect(same.hasPrefix("HTTP/1.1 304"))
        #expect(same.hasSuffix("\r\n\r\n"))
        #expect(same.contains("Content-Length: 300000\r\n"))
        #expect(try Curl("-i", "-H", "If-Match: \"x\"", url).text.hasPrefix("HTTP/1.1 412"))
        #expect(try Curl("-H", "If-None-Match: \"x\"", url).output == content)
    }

    @Test("Descriptors are closed exactly once, sent, refused, or abandoned by the client")
    func descriptors() throws {
        let server = try serve(ramp(8 << 20), name: "abandoned")
        let port = server.port
        _ = try Curl("-o", "/dev/null", "http://127.0.0.1:\(port)/")
        _ = try Curl("-I", "http://127.0.0.1:\(port)/")
        _ = try Curl("-H", "If-None-Match: *", "http://127.0.0.1:\(port)/")
        for _ in 0..<5 {
            let client = try RawClient(port: port, receiveBuffer: 4096)
            client.send(get)
            _ = client.receive { $0.count > 100 }
        }
        server.stop(graceSeconds: 5)
        let open = (0..<1024).filter { descriptor in
            var link = [CChar](repeating: 0, count: 256)
            let count = readlink("/proc/self/fd/\(descriptor)", &link, 255)
            return count > 0
                && String(decoding: link[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
                    .contains("/tmp/abandoned-")
        }
        #expect(open.isEmpty)
    }
}
