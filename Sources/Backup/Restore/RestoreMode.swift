// SPDX-License-Identifier: Apache-2.0

/// What a restore replaces.
package enum RestoreMode: String, Sendable, Codable, CaseIterable {
    case full, database, artifacts

    var includesDatabase: Bool { self != .artifacts }
    var includesArtifacts: Bool { self != .database }
}
