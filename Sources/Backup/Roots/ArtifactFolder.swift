// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

/// A folder with artifacts beside the first one (`ARTIFACT_ROOTS`).
package struct ArtifactFolder: Sendable, Hashable {
    /// What backups call it: a person's word, the same as long as the place is the same.
    package let name: String
    package let path: FilePath

    /// - Returns: `nil` for a name that is none.
    package init?(name: String, path: FilePath) {
        guard Self.isName(name) else { return nil }
        self.name = name
        self.path = path
    }

    fileprivate init(_ name: String, real path: FilePath) {
        self.name = name
        self.path = path
    }

    /// Lower-case letters, digits and hyphens, 32 at most, the first no hyphen: it is a part of paths and of file names, on
    /// any file system.
    package static func isName(_ text: String) -> Bool {
        let isPlain = text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        return isPlain && (1...32).contains(text.utf8.count) && text.utf8.first != 0x2D
    }

    /// The same where it really is (`LiveStack.real`).
    func followingLinks() -> ArtifactFolder { ArtifactFolder(name, real: LiveStack.real(path)) }
}

extension LiveStack {
    /// The same stack as if this folder were its only one: whatever is done with an artifacts folder is done with any of them so.
    func viewed(at folder: ArtifactFolder) -> LiveStack {
        var view = self
        view.artifacts = folder.path
        view.root = folder.name
        view.first = artifacts
        view.further = []
        view.remote = []
        return view
    }

    /// Where its artifacts are in a backup.
    var section: EntryPath { .artifacts(of: root) }

    /// The setting that says where its folder is.
    var rootSetting: String { root.map { "ARTIFACT_ROOTS (\($0))" } ?? "ARTIFACTS_DIR" }

    /// All its folders, the first first.
    var folders: [FilePath] { [artifacts] + further.map(\.path) }
}

extension Workspace {
    /// The same operation as if this folder were the stack's only one.
    func viewed(at folder: ArtifactFolder) -> Workspace {
        var view = self
        view.stack = stack.viewed(at: folder)
        return view
    }

    /// One for each folder beside the first.
    var views: [Workspace] { stack.further.map { viewed(at: $0) } }

    /// Where the journals and records of the first folder are, and of what the others follow.
    var firstState: RestoreState { RestoreState(folder, artifacts: stack.first ?? stack.artifacts) }

    /// This one, and each of the others.
    var all: [Workspace] { [self] + views }

    /// Backups that kept parts of any folder need.
    func pinnedBackups() throws -> Set<String> {
        try all.reduce(into: []) { $0.formUnion(try KeptParts($1).pinnedBackups()) }
    }
}
