// SPDX-License-Identifier: Apache-2.0

import Glibc
import Wording

extension SystemError: CodedError {
    /// Those that a person can do something about have a code of their own.
    package var errorCode: String {
        switch code {
        case ENOSPC, EDQUOT: "disk-full"
        case EACCES, EPERM: "permission-denied"
        case EROFS: "read-only"
        case EIO: "disk-error"
        case ENOENT, ENOTDIR: "no-such-file"
        default: "system-error"
        }
    }

    package var failureKind: FailureKind {
        switch code {
        case ENOSPC, EDQUOT: .noRoom
        case EACCES, EPERM, EROFS, EIO: .unavailable
        default: .failed
        }
    }
}

extension CancelledError: CodedError {
    package var errorCode: String { "cancelled" }
    package var failureKind: FailureKind { .cancelled }
}
