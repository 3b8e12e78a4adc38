// SPDX-License-Identifier: Apache-2.0

/// An error that says, in both languages, what happened and what a person can do about it.
///
/// Engines throw these. The HTTP layer alone maps them to status codes, the command line
/// alone to exit codes.
package protocol ExplainedError: Error, CustomStringConvertible, Sendable {
    var explanation: BilingualText { get }
}

extension ExplainedError {
    /// English, because descriptions end in logs.
    package var description: String { explanation.english }
}

extension Error {
    /// The explanation of an `ExplainedError`, or the plain description of anything else.
    package var bilingual: BilingualText {
        if let explained = self as? any ExplainedError { return explained.explanation }
        let text = String(describing: self)
        return BilingualText(zh: text, en: text)
    }
}
