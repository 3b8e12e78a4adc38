// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import HTTPServer

@Suite("Values of HTTP")
struct ValueTests {
    @Test(
        "A Range header selects what RFC 9110 says",
        arguments: [
            (nil, .whole), ("bytes=0-0", .part(offset: 0, length: 1)), ("bytes=2-4", .part(offset: 2, length: 3)),
            ("bytes=5-", .part(offset: 5, length: 5)), ("bytes=-3", .part(offset: 7, length: 3)),
            ("bytes=-99", .part(offset: 0, length: 10)), ("bytes=0-99", .part(offset: 0, length: 10)),
            ("BYTES=9-", .part(offset: 9, length: 1)), ("bytes=10-", .unsatisfiable), ("bytes=-0", .unsatisfiable),
            ("bytes=99999999999999999999999-", .unsatisfiable),
            ("bytes=3-99999999999999999999999", .part(offset: 3, length: 7)), ("bytes=4-2", .whole),
            ("bytes=", .whole), ("bytes=-", .whole), ("bytes=a-b", .whole), ("bytes=0-1,3-4", .whole),
            ("bytes=+1-2", .whole), ("lines=0-1", .whole), ("bytes 0-1", .whole), ("bytes=1-2-3", .whole),
        ] as [(String?, ByteRange)])
    func range(header: String?, expected: ByteRange) {
        #expect(ByteRange(header: header, size: 10) == expected)
    }

    @Test("An empty file has no first byte, and a suffix of it is the whole")
    func emptyRange() {
        #expect(ByteRange(header: "bytes=0-", size: 0) == .unsatisfiable)
        #expect(ByteRange(header: "bytes=-5", size: 0) == .whole)
    }

    @Test("Segments are decoded one by one, and those that cannot be names are flagged")
    func segments() throws {
        let target = try #require(RequestTarget("/a%20b/..%2fetc/x%00y/%ff/%zz/%2e%2e/%E5%A4%87/./?q=1"))
        #expect(target.segments.map(\.name) == ["a b", nil, nil, nil, nil, nil, "备", nil, ""])
        #expect(target.segments[1].raw == "..%2fetc")
        #expect(target.path == nil)
        #expect(try #require(RequestTarget("/a/b%20c")).path == "/a/b c")
        #expect(try #require(RequestTarget("/")).segments.isEmpty)
    }

    @Test("Absolute and asterisk forms are understood, others are not")
    func forms() {
        #expect(RequestTarget("http://h:1/a?b=c")?.rawPath == "/a")
        #expect(RequestTarget("http://h?b=c")?.rawPath == "/")
        #expect(RequestTarget("http://h?b=c")?.query["b"] == "c")
        #expect(RequestTarget("HTTPS://h")?.rawPath == "/")
        #expect(RequestTarget("*")?.path == "*")
        #expect(RequestTarget("a/b") == nil)
        #expect(RequestTarget("") == nil)
        #expect(RequestTarget("/a b") == nil)
    }

    @Test("Query parameters are decoded as forms are")
    func query() {
        let query = HTTPQuery("a=1+2&b=%E5%A4%87&a=3&flag&x=%zz&&e==")
        #expect(query.items.map(\.name) == ["a", "b", "a", "flag", "x", "e"])
        #expect(query.items.map(\.value) == ["1 2", "备", "3", "", "%zz", "="])
        #expect(query["a"] == "1 2")
        #expect(query["none"] == nil)
    }

    @Test("A header value cannot start another line")
    func injection() {
        let headers: HTTPHeaders = ["X-Name": "a\r\nSet-Cookie: b\0\u{7F}"]
        #expect(headers["x-name"] == "a  Set-Cookie: b  ")
        #expect(headers.fields.count == 1)
    }

    @Test("Entity tags compare strongly and weakly, and lists of them keep commas in quotes")
    func entityTags() throws {
        let tag = try #require(EntityTag("abc"))
        let weak = try #require(EntityTag(header: "W/\"abc\""))
        #expect(tag.description == "\"abc\"")
        #expect(tag.matchesStrongly(tag))
        #expect(!tag.matchesStrongly(weak))
        #expect(tag.matchesWeakly(weak))
        #expect(EntityTag("a\"b") == nil)
        #expect(EntityTag(header: "abc") == nil)
        #expect(EntityTag.list(["\"a,b\", W/\"c\"", "junk, \"d\""]).map(\.opaque) == ["a,b", "c", "d"])
    }

    @Test("A download's name is offered in ASCII and, where needed, in UTF-8")
    func disposition() {
        #expect(ContentDisposition.attachment(filename: "a b.tar.gz") == "attachment; filename=\"a b.tar.gz\"")
        #expect(
            ContentDisposition.attachment(filename: "备\"份.gz")
                == "attachment; filename=\"___.gz\"; filename*=UTF-8''%E5%A4%87%22%E4%BB%BD.gz")
        #expect(!ContentDisposition.attachment(filename: "a/\u{338}b").contains("%2F"))
        #expect(ContentDisposition.attachment(filename: "../x\r\ny") == "attachment; filename=\".._x__y\"")
    }
}
