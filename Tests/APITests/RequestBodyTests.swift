// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

@Suite("What a client sends as JSON", .besideThePool)
struct RequestBodyTests {
    @Test("S1: whatever is nested or heaped up is refused in milliseconds, and the service lives on")
    func excess() throws {
        let live = try ServiceFixture("json_excess")
        let objects = String(repeating: #"{"a":"#, count: 350) + "1" + String(repeating: "}", count: 350)
        let arrays = String(repeating: "[", count: 400) + String(repeating: "]", count: 400)
        let bodies = [
            objects, arrays, String(repeating: "[", count: 30_000), #"{"compress": \#(objects)}"#,
            #"{"compress": \#(arrays)}"#, "{" + String(repeating: #""a":1,"#, count: 5000) + #""b":2}"#,
            #"{"email": "\#(String(repeating: "x", count: 70_000))"}"#,
            #"{"compress": [["# + String(repeating: "1,", count: 8000) + "1]]}",
            // A quotation mark or a backslash that ends no string.
            #"{"a\"": \#(objects)}"#, #"{"a\\": \#(objects)}"#, "\"" + objects, #"{"a": "\"#,
        ]
        for body in bodies {
            let start = MonotonicTime.nanoseconds()
            let answer = try live.send("POST", "/backups", body)
            let shown = "\(body.prefix(40)): \(answer.text)"
            #expect([400, 422].contains(answer.status), "\(shown)")
            #expect(MonotonicTime.seconds(since: start) < 0.5, "\(shown)")
        }
        #expect(try live.send("GET", "/tasks").text.hasPrefix("[]"))
        // What is no more than a person could mean is read.
        #expect(try live.send("POST", "/backups", #"{"compress": true, "email": null}"#).status == 202)
    }

    @Test("In UTF-16 a nested object is no way round: it is not JSON here")
    func otherEncodings() throws {
        let live = try ServiceFixture("json_utf16")
        let nested = String(repeating: #"{"尢":"#, count: 350) + "1" + String(repeating: "}", count: 350)
        for encoding: String.Encoding in [.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32] {
            let bytes = try #require(nested.data(using: encoding))
            let answer = try live.send("POST", "/backups", bytes: Array(bytes))
            #expect(answer.status == 400, "\(answer.text)")
        }
        let invalid = try live.send(
            "POST", "/backups", bytes: Array(#"{"email": ""#.utf8) + [0xff, 0xfe] + Array("\"}".utf8))
        #expect(invalid.status == 400, "\(invalid.text)")
    }

    @Test(
        "What a reader could take for another thing is refused: a name that comes twice, a comma behind which nothing comes"
    )
    func strict() throws {
        let live = try ServiceFixture("json_strict")
        for body in [
            #"{"backup_name":"aaa","backup_name":"bbb"}"#, #"{"backup_name":"a","b\u0061ckup_name":"b"}"#,
            #"{"backup_name": "a", "backup_name": "a", "force": true}"#, #"{"force":true,"force":null}"#,
            #"{"force":true,}"#, #"{"force":true , }"#, #"{,}"#, #"{,"force":true}"#, #"{"force":true,,"mode":"full"}"#,
            #"{"force":[true,]}"#, #"{"force":[,]}"#,
        ] {
            let answer = try live.send("POST", "/restore", body)
            #expect(answer.status == 400, "\(body): \(answer.text)")
            #expect(try answer.string("code") == "not-json", "\(body): \(answer.text)")
        }
        // In a string they are letters.
        let answer = try live.send("POST", "/restore", #"{"backup_name": "a:,}\",]", "force": true}"#)
        #expect(answer.status == 404, "\(answer.text)")
    }

    @Test("Each mistake is named: no object, an unknown field, a field of another type")
    func mistakes() throws {
        let live = try ServiceFixture("json_mistakes")
        for (body, status, code) in [
            ("[]", 400, "not-json"), ("1", 400, "not-json"), ("{", 400, "not-json"),
            (#"{"compres": true}"#, 422, "unknown-field"),
            (#"{"compress": "yes"}"#, 422, "wrong-type"), (#"{"compress": 1}"#, 422, "wrong-type"),
            (#"{"compress": {"a": [1]}}"#, 422, "wrong-type"), (#"{"email": ["a@b.example"]}"#, 422, "wrong-type"),
            (#"{"email": "nobody"}"#, 422, "bad-value"),
        ] {
            let answer = try live.send("POST", "/backups", body)
            #expect(answer.status == status, "\(body): \(answer.text)")
            #expect(try answer.string("code") == code, "\(body): \(answer.text)")
        }
    }
}
