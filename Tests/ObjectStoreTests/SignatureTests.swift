// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO
import Testing

@testable import ObjectStore

@Suite("A signature")
struct SignatureTests {
    /// Amazon S3 API reference, "Authenticating Requests: Using the Authorization Header", "Examples".
    private let signature = SignatureV4(
        keys: S3Keys(id: "AKIAIOSFODNN7EXAMPLE", secret: Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")),
        region: "us-east-1", time: "20130524T000000Z")
    private let empty = SHA256.digest(of: [UInt8]()).hex

    @Test("it is Amazon's own for a part of an object")
    func object() throws {
        let lines = signature.headers(
            method: "GET", url: "https://examplebucket.s3.amazonaws.com/test.txt", ["Range: bytes=0-9"], body: empty)
        #expect(lines.last?.hasSuffix("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41") == true)
    }

    @Test("it is Amazon's own for a listing")
    func listing() throws {
        let lines = signature.headers(
            method: "GET", url: "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J", [], body: empty)
        #expect(lines.last?.hasSuffix("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7") == true)
    }

    @Test("digests are those of FIPS 180-4 and RFC 4231, at the edges of a block, too")
    func digests() {
        #expect(empty == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        // printf 'a%.0s' $(seq N) | sha256sum
        let edges = [
            55: "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318",
            56: "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a",
            64: "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb",
        ]
        for (count, digest) in edges {
            #expect(SHA256.digest(of: [UInt8](repeating: UInt8(ascii: "a"), count: count)).hex == digest)
        }
        let keyed = SealedBytes.authenticator(of: Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(HexDigits.text(keyed) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test("its time is UTC, on leap days and at the ends of years, too")
    func times() {
        #expect(SignatureV4.time(0) == "19700101T000000Z")
        #expect(SignatureV4.time(951_782_399) == "20000228T235959Z")
        #expect(SignatureV4.time(951_782_400) == "20000229T000000Z")
        #expect(SignatureV4.time(1_709_251_199) == "20240229T235959Z")
        #expect(SignatureV4.time(1_735_689_599) == "20241231T235959Z")
        #expect(SignatureV4.time(4_107_542_400) == "21000301T000000Z")
    }
}
