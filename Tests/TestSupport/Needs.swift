// SPDX-License-Identifier: Apache-2.0

import Testing

/// Ends a test that this machine cannot run. The runner says so, and why: a plain return would pass for a test that was held.
package func needs(_ isHere: Bool, _ reason: String) throws {
    guard !isHere else { return }
    try Test.cancel("\(reason)")
}

extension MountedFileSystem.Kind {
    /// Ends a test, or its case, on a machine that cannot mount one.
    package func mustBeHere() throws {
        if let missing { try needs(false, "\(self): \(missing)") }
    }
}
