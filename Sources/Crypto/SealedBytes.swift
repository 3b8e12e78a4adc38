// SPDX-License-Identifier: Apache-2.0

import CCrypto

/// What others have sealed with a key, by libcrypto: enough to tell whether a key opens it.
package enum SealedBytes {
    /// HMAC-SHA256 (RFC 2104), 32 bytes.
    package static func authenticator(of bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        let made = EVP_Q_mac(nil, "HMAC", nil, "SHA256", nil, key, key.count, bytes, bytes.count, &code, 32, nil)
        // Only when memory is gone, or libcrypto was built without it.
        guard made != nil else { preconditionFailure("libcrypto cannot make an HMAC") }
        return code
    }

    /// PBKDF2 with HMAC-SHA256 (RFC 8018). 600,000 rounds take some 0.2 s of a processor.
    /// - Returns: 32 bytes.
    package static func derivedKey(passphrase: [UInt8], salt: [UInt8], rounds: Int32) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: 32)
        let made = passphrase.withUnsafeBytes { text in
            PKCS5_PBKDF2_HMAC(
                text.bindMemory(to: CChar.self).baseAddress, Int32(clamping: text.count), salt,
                Int32(clamping: salt.count), rounds, EVP_sha256(), 32, &key)
        }
        guard made == 1 else { preconditionFailure("libcrypto cannot derive a key") }
        return key
    }

    /// AES-256-GCM without further authenticated data.
    /// - Parameters:
    ///   - sealed: the nonce of 12 bytes, what is encrypted, and the tag of 16.
    ///   - key: 32 bytes.
    /// - Returns: `nil` where this key does not open it, or it is too short.
    package static func opened(_ sealed: [UInt8], key: [UInt8]) -> [UInt8]? {
        guard key.count == 32, sealed.count >= 28, let length = Int32(exactly: sealed.count - 28) else { return nil }
        guard let context = EVP_CIPHER_CTX_new() else { preconditionFailure("libcrypto cannot start a cipher") }
        defer { EVP_CIPHER_CTX_free(context) }
        let (nonce, content) = (Array(sealed.prefix(12)), Array(sealed.dropFirst(12).dropLast(16)))
        var (tag, plain) = (Array(sealed.suffix(16)), [UInt8](repeating: 0, count: content.count + 16))
        var (written, rest): (Int32, Int32) = (0, 0)
        guard EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_DecryptUpdate(context, &plain, &written, content, length) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, &tag) == 1
        else { preconditionFailure("libcrypto cannot use AES-256-GCM") }
        guard EVP_DecryptFinal_ex(context, nil, &rest) == 1 else { return nil }
        return Array(plain.prefix(content.count))
    }

    /// In a time that does not depend on where the first difference is.
    package static func areSame(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }

    /// Base64 of URLs (RFC 4648, section 5), with its padding.
    /// - Returns: `nil` for what is none.
    package static func decoded(urlText text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let digits = text.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        let padding = digits.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard !digits.dropLast(padding).contains(UInt8(ascii: "=")), !digits.contains(where: { $0 <= 0x20 }) else {
            return nil
        }
        return Base64.decoded(digits)
    }
}
