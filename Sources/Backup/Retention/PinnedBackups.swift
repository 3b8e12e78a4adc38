// SPDX-License-Identifier: Apache-2.0

/// Backups that something else still needs, by name: retention leaves them, and does not count them.
enum PinnedBackups {
    /// - Throws: where it cannot be told; then nothing may go.
    static func names(_ workspace: Workspace) throws -> Set<String> {
        // What restores keep, and the backups that cover it, are the restore's to tell.
        []
    }
}
