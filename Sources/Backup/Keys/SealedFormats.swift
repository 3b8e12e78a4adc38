// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import SystemIO

/// A Fernet key: half of it signs, half of it encrypts.
struct FernetKey {
    let signing: [UInt8]

    /// As Python reads it: what is no base64 is passed over.
    init?(_ secret: Secret) {
        let digits = secret.revealed.utf8.filter { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "+"),
                UInt8(ascii: "/"), UInt8(ascii: "="):
                true
            default: false
            }
        }
        guard let bytes = SealedBytes.decoded(urlText: digits), bytes.count == 32 else { return nil }
        signing = Array(bytes.prefix(16))
    }
}

/// A Fernet token: version, time, initial vector, what AES-CBC made, and an HMAC-SHA256 of all of these, as base64 of URLs.
struct FernetToken {
    private let signed: [UInt8]
    private let code: [UInt8]

    /// - Returns: `nil` for what is none, whatever the key.
    init?(_ text: String) {
        guard let bytes = SealedBytes.decoded(urlText: Array(text.utf8)), bytes.first == 0x80,
            // At least one block of the cipher, and whole ones.
            bytes.count >= 73, (bytes.count - 57) % 16 == 0
        else { return nil }
        signed = Array(bytes.dropLast(32))
        code = Array(bytes.suffix(32))
    }

    func isSealed(with key: FernetKey) -> Bool {
        SealedBytes.areSame(SealedBytes.authenticator(of: signed, key: key.signing), code)
    }
}

/// The key of one gateway secret, wrapped with AES-GCM by one that MLflow derives from its passphrase (`mlflow/utils/crypto.py`).
struct WrappedKey {
    /// `DEFAULT_KEK_PASSPHRASE`: no secret, it stands in MLflow's source.
    static let defaultPassphrase = Secret("mlflow-default-kek-passphrase-for-development-only")

    /// `MLFLOW_KEK_SALT`, to which four bytes of the version are added.
    private static let salt = Array("mlflow-secrets-kek-v1-2025".utf8)
    /// `PBKDF2_ITERATIONS`.
    private static let rounds: Int32 = 600_000

    private let sealed: [UInt8]
    private let version: UInt32

    /// - Parameter version: of the key that wrapped it.
    /// - Returns: `nil` for what is none, whatever the passphrase.
    init?(_ sealed: [UInt8], version: Int64) {
        // Nonce, a key of 32 bytes, tag.
        guard sealed.count == 60, let version = UInt32(exactly: version) else { return nil }
        self.sealed = sealed
        self.version = version
    }

    func isOpened(by passphrase: Secret) -> Bool {
        let versioned = Self.salt + withUnsafeBytes(of: version.bigEndian) { Array($0) }
        let key = SealedBytes.derivedKey(
            passphrase: Array(passphrase.revealed.utf8), salt: versioned, rounds: Self.rounds)
        return SealedBytes.opened(sealed, key: key) != nil
    }
}
