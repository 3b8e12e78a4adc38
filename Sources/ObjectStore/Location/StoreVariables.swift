// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// The variables that MLflow's own clients take their credentials from.
package struct StoreVariables: Sendable {
    private let values: [String: String]

    package init(_ environment: [String: String]) { values = environment }

    /// `nil` for an empty one, too: compose files set variables to nothing.
    package subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// Python's `bool` of MLflow's variables: `true` and `1`.
    func isTrue(_ name: String) -> Bool { ["true", "1"].contains(self[name]?.lowercased() ?? "") }

    /// What rclone itself looks at where the credentials are none of ours: roles, tickets, agents, proxies, certificates.
    var forRclone: [String: String] {
        let names: Set = [
            "HOME", "USER", "PATH", "SSH_AUTH_SOCK", "RCLONE_CONFIG_PASS", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
            "http_proxy", "https_proxy", "no_proxy",
        ]
        let prefixes = ["AWS_", "GOOGLE_", "AZURE_", "IDENTITY_", "MSI_", "KRB5", "SSL_CERT_"]
        return values.filter { name, _ in names.contains(name) || prefixes.contains { name.hasPrefix($0) } }
    }

    /// A file of the user's, if it is there.
    func home(_ name: String) -> FilePath? {
        guard let home = self["HOME"] else { return nil }
        let file = FilePath(home).appending(name)
        return (try? FileStatus.ifPresent(file)) ?? nil == nil ? nil : file
    }

    /// - Throws: `.badCredentials` with the variable's name.
    func file(_ name: String) throws(ObjectStoreError) -> FilePath? {
        guard let path = self[name] else { return nil }
        do { _ = try OpenFile(FilePath(path), .read) } catch {
            throw .badCredentials(name: name, reason: "\(path): \(error.reason)")
        }
        return FilePath(path)
    }
}
