// SPDX-License-Identifier: Apache-2.0

import Wording

extension ArchiveError: CodedError {
    package var errorCode: String {
        switch self {
        case .damaged: "archive-damaged"
        case .truncated: "archive-truncated"
        case .notABackup: "not-a-backup"
        case .newerFormat: "archive-format-newer"
        case .unsafeEntry: "unsafe-entry"
        case .unreadable: "source-unreadable"
        case .nothingToBackUp: "artifacts-missing"
        case .previousDamaged: "previous-damaged"
        case .compression: "compression-failed"
        }
    }

    package var failureKind: FailureKind {
        switch self {
        case .damaged, .truncated, .notABackup, .unsafeEntry, .previousDamaged: .damaged
        case .newerFormat: .conflict
        // Of live files: no archive is at fault.
        case .unreadable, .nothingToBackUp: .unavailable
        case .compression: .failed
        }
    }
}
