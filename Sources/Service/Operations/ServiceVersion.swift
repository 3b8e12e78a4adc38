// SPDX-License-Identifier: Apache-2.0

/// The version of this program, as `--version`, manifests and OpenAPI show it. See CHANGELOG.md.
package enum ServiceVersion {
    package static let current = "0.2.0"
}
