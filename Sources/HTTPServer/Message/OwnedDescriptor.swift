// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// A file descriptor that is closed exactly once: by its last owner here, or by whoever takes it over.
package final class OwnedDescriptor: Sendable {
    private let descriptor: Atomic<Int32>

    /// Takes over an open descriptor of a regular file; the caller no longer closes it.
    package init(owning descriptor: Int32) {
        self.descriptor = Atomic(descriptor)
    }

    deinit {
        if let descriptor = take() { close(descriptor) }
    }

    /// Hands the duty to close over. `nil` when that was done before.
    func take() -> Int32? {
        let taken = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
        return taken < 0 ? nil : taken
    }
}
