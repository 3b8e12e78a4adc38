// SPDX-License-Identifier: Apache-2.0

import Backup
import FoundationEssentials
import Service
import SystemIO
import Wording

/// JSON for standard output.
enum JSONText {
    static func of(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { preconditionFailure("plain values always encode") }
        return String(decoding: data, as: UTF8.self)
    }
}

/// Why a command failed, for programs: its `--json`.
struct ErrorRepresentation: Encodable {
    struct Reason: Encodable {
        let code: String
        let message: String
    }

    /// The backup that it is about, where several are.
    let backup: String?
    let error: Reason

    init(_ error: any Error, _ language: Language, backup: String? = nil) {
        self.backup = backup
        self.error = Reason(code: error.stableCode, message: error.atTheTerminal[language])
    }
}

struct ResultRepresentation: Encodable {
    let backup: String?
    let message: String
    let size_bytes: UInt64?
    let sha256: String?
    let seconds: Double
    let warnings: [String]
    let removed: [String]
    /// Whether this run read the bytes of the backup; where not, of which it is another name, and when that was read.
    let verified: Bool?
    let suspicious: Bool
    let partial: Bool
    let unchanged_since: String?
    let last_read: String?

    init(_ result: OperationResult, _ language: Language) {
        backup = result.backupName
        message = result.message[language]
        size_bytes = result.size
        sha256 = result.sha256
        seconds = (result.seconds * 1000).rounded() / 1000
        warnings = result.warnings.map { $0[language] }
        removed = result.removed
        verified = result.isVerified
        suspicious = result.isSuspicious
        partial = result.isPartial
        unchanged_since = result.unchanged?.since.string
        last_read = result.unchanged?.lastRead?.iso
    }
}
