// SPDX-License-Identifier: Apache-2.0

import Wording

/// Who may use the API without being asked for a token.
package enum AuthChoice: String, Sendable, CaseIterable {
    /// Nobody.
    case token
    /// Whoever reaches it.
    case none
}

extension Settings {
    /// Whoever reaches the API can delete every backup and restore an old one. So without a token it is reached from this machine alone,
    /// unless somebody says otherwise.
    /// - Throws: `SettingsError.openDoor`, `.missing`.
    package func refuseOpenDoor() throws(SettingsError) {
        guard apiToken == nil else { return }
        switch apiAuth {
        case AuthChoice.none?: return
        case .token?:
            throw .missing(variable: SettingName.apiToken.rawValue, neededBy: "\(SettingName.apiAuth.rawValue)=token")
        case nil:
            // Of a container, which listens on all its addresses, the one that it is published on is what counts.
            let isContainer = ["0.0.0.0", "::", "[::]"].contains(apiAddress)
            let address = isContainer ? publishedAddress ?? apiAddress : apiAddress
            if !Self.isLoopback(address) { throw .openDoor(address: address) }
        }
    }

    /// RFC 1122, section 3.2.1.3 (g); RFC 4291, section 2.5.3.
    static func isLoopback(_ address: String) -> Bool {
        let text = address.lowercased()
        let bytes = text.split(separator: ".", omittingEmptySubsequences: false)
        if bytes.count == 4, bytes[0] == "127", bytes.allSatisfy({ UInt8($0) != nil }) { return true }
        return ["localhost", "::1", "[::1]"].contains(text)
    }
}
