// SPDX-License-Identifier: Apache-2.0

/// An error that programs can tell from others: its code stays the same when its sentences are rewritten.
///
/// Codes are lower-case words with hyphens, as `newer-data`. They stand in task records and in the API's answers.
package protocol CodedError: ExplainedError {
    /// Not `code`: errors of the system and of SQLite have a number by that name.
    var errorCode: String { get }
    /// Decides the API's status and the command's exit code.
    var failureKind: FailureKind { get }
    /// What was found, one by one, where the error is about several things; empty for most.
    var findings: [BilingualText] { get }
}

extension CodedError {
    package var findings: [BilingualText] { [] }
}

extension Error {
    /// The code of a `CodedError`; `internal` for anything else.
    package var stableCode: String { (self as? any CodedError)?.errorCode ?? "internal" }

    /// The findings of a `CodedError`.
    package var codedFindings: [BilingualText] { (self as? any CodedError)?.findings ?? [] }
}
