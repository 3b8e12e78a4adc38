// SPDX-License-Identifier: Apache-2.0

/// The two languages a person may read the product in.
///
/// Logs are always English: they are read by machines and searched for by words.
package enum Language: String, Sendable, CaseIterable {
    case chinese = "zh"
    case english = "en"
}

/// A sentence in both languages, kept together so that neither can be forgotten.
package struct BilingualText: Sendable, Equatable, Hashable {
    package let chinese: String
    package let english: String

    /// - Parameters:
    ///   - chinese: the sentence in Simplified Chinese.
    ///   - english: the same sentence in English.
    package init(zh chinese: String, en english: String) {
        self.chinese = chinese
        self.english = english
    }

    /// Says nothing, in a sentence of parts.
    package static let empty = BilingualText(zh: "", en: "")

    package subscript(language: Language) -> String {
        switch language {
        case .chinese: chinese
        case .english: english
        }
    }

    package static func + (lhs: BilingualText, rhs: BilingualText) -> BilingualText {
        BilingualText(zh: lhs.chinese + rhs.chinese, en: lhs.english + rhs.english)
    }
}
