// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO
import Testing

@testable import Archive

@Suite("One member")
struct GzipMemberTests {
    /// Around the lengths of a stored block, and of what is large enough to be stored.
    static let lengths = [0, 1, 65_534, 65_535, 65_536, 2 << 20, (2 << 20) - 1, 4 << 20, (4 << 20) + 511]

    @Test(
        "is what gzip decompresses to what went in, as long as it says, and as long as the file system wants",
        arguments: lengths)
    func roundTrip(length: Int) throws {
        let scratch = try Scratch()
        let compressor = GzipCompressor(level: 2)
        var random = SeededRandom(UInt64(length) + 1)
        for (kind, content) in [("noise", random.noise(length)), ("text", random.text(length))] {
            for alignment in [1, 4096] {
                let member = try compressor.member(of: content, alignment: alignment)
                let bytes = member.bytes
                #expect(bytes.count == member.count)
                #expect(bytes.count % alignment == 0)
                let path = scratch.path.appending("\(kind)-\(alignment).gz")
                try OpenFile(path, .createNew(mode: 0o600)).write(bytes)
                let expected = SHA256.digest(of: content).hex
                #expect(try Tool.shell("gzip -dc \"$1\" | sha256sum", path).hasPrefix(expected), "\(kind) \(alignment)")
            }
        }
    }

    @Test("of what does not compress holds it where it was, and no copy of it")
    func noCopy() throws {
        let content = SeededRandom.bytes(4 << 20)
        guard case .stored(let kept, _, _) = try GzipCompressor(level: 2).member(of: content) else {
            Issue.record("noise was compressed")
            return
        }
        let places = (content.withUnsafeBytes(\.baseAddress), kept.withUnsafeBytes(\.baseAddress))
        #expect(places.0 == places.1)
    }
}
