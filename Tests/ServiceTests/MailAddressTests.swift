// SPDX-License-Identifier: Apache-2.0

import Service
import Testing

@Suite("Mail addresses")
struct MailAddressTests {
    @Test(
        "Addresses that people have are taken",
        arguments: [
            "admin@company.com", "a.b+c@sub.company.co.uk", "root@localhost", "x@[127.0.0.1]", "a@xn--fiqs8s",
            "o'brien@company.com", "1@2.com",
        ])
    func good(text: String) throws { #expect(try MailAddress(text).text == text) }

    @Test(
        "What could harm a header or a server is refused",
        arguments: [
            "", "@", "a@", "@b", "a", "a@b@c", "a b@c.com", "a@b.com\r\nBcc: c@d.e", "a@b.com\n", "\"a\"@b.com",
            "a@b.com,c@d.com", "A <a@b.com>", "a..b@c.com", ".a@b.com", "a@-b.com", "a@b..com", "管理@公司.中国", "a@b.com\0",
            "a@[]", "a@b_c.com", " a@b.com", "a@[1.2.3.4]>",
        ])
    func bad(text: String) { #expect(throws: MailAddressError.self) { try MailAddress(text) } }

    @Test("Lengths are those of RFC 5321")
    func lengths() {
        let local = String(repeating: "a", count: 64)
        #expect(throws: Never.self) { try MailAddress("\(local)@b.com") }
        #expect(throws: MailAddressError.self) { try MailAddress("a\(local)@b.com") }
        let long = Array(repeating: "abcdefgh", count: 30).joined(separator: ".")
        #expect(throws: MailAddressError.self) { try MailAddress("a@\(long)") }
    }
}
