// SPDX-License-Identifier: Apache-2.0

/// The names of this machine's own users and groups (passwd(5), group(5)). Those of a directory server are not asked for: it
/// may not answer, and numbers are what counts.
package struct AccountNames: Sendable {
    private var users: [UInt32: String] = [:]
    private var groups: [UInt32: String] = [:]
    private var userIDs: [String: UInt32] = [:]
    private var groupIDs: [String: UInt32] = [:]

    /// Knows nobody.
    package init() {}

    /// As they are now; a file that cannot be read names nobody.
    package static func ofThisMachine() -> AccountNames {
        var names = AccountNames()
        for (id, name) in entries(of: "/etc/passwd") {
            if names.users[id] == nil { names.users[id] = name }
            if names.userIDs[name] == nil { names.userIDs[name] = id }
        }
        for (id, name) in entries(of: "/etc/group") {
            if names.groups[id] == nil { names.groups[id] = name }
            if names.groupIDs[name] == nil { names.groupIDs[name] = id }
        }
        return names
    }

    package func name(ofUser id: UInt32) -> String? { users[id] }
    package func name(ofGroup id: UInt32) -> String? { groups[id] }
    package func user(named name: String) -> UInt32? { userIDs[name] }
    package func group(named name: String) -> UInt32? { groupIDs[name] }

    /// Both files have the name first and the number third.
    private static func entries(of path: FilePath) -> [(UInt32, String)] {
        guard let file = try? OpenFile(path, .read), let bytes = try? file.readAll() else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
            guard fields.count > 2, !fields[0].isEmpty, let id = UInt32(fields[2]) else { return nil }
            return (id, String(fields[0]))
        }
    }
}
