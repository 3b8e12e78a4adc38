// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SystemIO
import Wording

/// What one row said of the key at hand.
enum KeyVerdict: Sendable, Equatable {
    /// No key was given, and MLflow's own default is not the one either.
    case notGiven
    /// - Parameter version: that MLflow has to be told by `MLFLOW_CRYPTO_KEK_VERSION`; `nil` where it need not be.
    case opens(version: Int64?)
    /// None was given, or just that: what MLflow seals with where nobody sets a passphrase.
    case byDefault(version: Int64?)
    /// - Parameter isDefault: whether MLflow's default opens it.
    case wrong(isDefault: Bool)
    /// What was given is no key at all; MLflow would not start with it.
    case noKey
    /// The row is none that any key opens.
    case malformed
    /// The row could not be looked at.
    case untold(BilingualText)

    /// Whether a server that is started with what is at hand answers 500 for such rows.
    var isFault: Bool {
        switch self {
        case .wrong, .noKey, .malformed: true
        case .notGiven, .opens, .byDefault, .untold: false
        }
    }

    init(_ row: SealedRow, _ key: Secret?) {
        switch row {
        case .webhook(let text): self = Self.webhook(text, key)
        case .gateway(let wrapped, let version): self = Self.gateway(wrapped, version, key)
        case .malformed: self = .malformed
        }
    }

    private static func webhook(_ text: String, _ key: Secret?) -> KeyVerdict {
        guard let token = FernetToken(text) else { return .malformed }
        guard let key else { return .notGiven }
        guard let key = FernetKey(key) else { return .noKey }
        return token.isSealed(with: key) ? .opens(version: nil) : .wrong(isDefault: false)
    }

    private static func gateway(_ wrapped: [UInt8], _ version: Int64, _ key: Secret?) -> KeyVerdict {
        guard let row = WrappedKey(wrapped, version: version) else { return .malformed }
        let told = version == 1 ? nil : version
        let usual = WrappedKey.defaultPassphrase
        if let key, key != usual, row.isOpened(by: key) { return .opens(version: told) }
        if row.isOpened(by: usual) {
            return key == nil || key == usual ? .byDefault(version: told) : .wrong(isDefault: true)
        }
        return key == nil ? .notGiven : .wrong(isDefault: false)
    }
}

extension LiveStack {
    /// Tries the keys at hand as MLflow would, each at the newest row that needs it. Not where somebody waits for seconds: deriving a key from
    /// a passphrase takes some tenths of one, twice where it is the wrong one.
    /// - Returns: nothing for what no row needs.
    func keyVerdicts(_ found: Elsewhere?) -> [ServerKey: KeyVerdict] {
        var verdicts: [ServerKey: KeyVerdict] = [:]
        for key in ServerKey.allCases where (found?.rows(of: key) ?? 0) > 0 {
            do {
                guard let row = try database.sealedRow(key.rows, atMost: 10) else { continue }
                verdicts[key] = KeyVerdict(row, keys[key])
            } catch { verdicts[key] = .untold(error.bilingual) }
        }
        return verdicts
    }
}
