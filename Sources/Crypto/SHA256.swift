// SPDX-License-Identifier: Apache-2.0

import CCrypto
import SystemIO

/// A SHA-256 digest (FIPS 180-4), 32 bytes, kept inline: an index of a million files holds a million of them.
package struct Digest: Sendable, Hashable, CustomStringConvertible {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    package var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

    package static func == (left: Digest, right: Digest) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) { withUnsafeBytes(of: words) { hasher.combine(bytes: $0) } }

    package init?(hex: String) { self.init(hex: Array(hex.utf8)[...]) }

    /// Reads 64 hexadecimal digits.
    package init?(hex digits: some RandomAccessCollection<UInt8>) {
        guard digits.count == 64 else { return nil }
        var place = digits.startIndex
        for index in 0..<32 {
            let second = digits.index(after: place)
            guard let high = HexDigits.value(of: digits[place]), let low = HexDigits.value(of: digits[second]) else {
                return nil
            }
            withUnsafeMutableBytes(of: &words) { $0[index] = high << 4 | low }
            place = digits.index(after: second)
        }
    }

    package var hex: String {
        var text: [UInt8] = []
        appendHex(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    package func appendHex(to out: inout [UInt8]) {
        withUnsafeBytes(of: words) { bytes in
            for byte in bytes {
                out.append(HexDigits.lower(byte >> 4))
                out.append(HexDigits.lower(byte & 15))
            }
        }
    }

    package var description: String { hex }
}

/// A running SHA-256 through libcrypto, which uses the processor's SHA instructions where it has them.
package struct SHA256: ~Copyable {
    private let context: OpaquePointer

    package init() {
        guard let made = EVP_MD_CTX_new(), EVP_DigestInit_ex(made, EVP_sha256(), nil) == 1 else {
            // Only when memory is gone, or libcrypto was built without SHA-256.
            preconditionFailure("libcrypto cannot start SHA-256")
        }
        context = made
    }

    deinit { EVP_MD_CTX_free(context) }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if bytes.count > 0 { EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) }
    }

    /// Another one that has seen the same bytes.
    package func copy() -> SHA256 {
        let other = SHA256()
        guard EVP_MD_CTX_copy_ex(other.context, context) == 1 else {
            // Only when memory is gone.
            preconditionFailure("libcrypto cannot copy SHA-256")
        }
        return other
    }

    /// Ends one digest and begins the next.
    package mutating func next() -> Digest {
        var bytes = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &bytes, nil)
        EVP_DigestInit_ex(context, EVP_sha256(), nil)
        guard let digest = Digest(bytes: bytes) else { preconditionFailure("SHA-256 has 32 bytes") }
        return digest
    }

    package consuming func finish() -> Digest {
        var bytes = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &bytes, nil)
        guard let digest = Digest(bytes: bytes) else { preconditionFailure("SHA-256 has 32 bytes") }
        return digest
    }

    package static func digest(of bytes: UnsafeRawBufferPointer) -> Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }

    package static func digest(of bytes: [UInt8]) -> Digest { bytes.withUnsafeBytes { digest(of: $0) } }
}
