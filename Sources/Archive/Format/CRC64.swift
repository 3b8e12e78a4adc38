// SPDX-License-Identifier: Apache-2.0

import CISAL

/// CRC-64 with the ECMA-182 polynomial, reflected, as xz uses it. It finds damage; it is no proof against intent.
struct CRC64: Equatable, Sendable {
    private(set) var value: UInt64 = 0

    init() {}
    init(value: UInt64) { self.value = value }

    init(of bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        value = crc64_ecma_refl(value, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
    }
}
