// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Extended attributes of the `user.` namespace (xattr(7)): the ones any owner may read and set.
extension OpenFile {
    public struct Attribute: Sendable, Equatable {
        public let name: [UInt8]
        public let value: [UInt8]

        public init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    public static let userAttributePrefix = Array("user.".utf8)

    /// Sorted by name. Empty where the file system has none; one that vanishes meanwhile is left out.
    public func userAttributes() throws(SystemError) -> [Attribute] {
        let length = flistxattr(descriptor, nil, 0)
        if length <= 0 {
            if length < 0, !saysNoAttributes(errno) {
                throw SystemError("list attributes of", path: path.string)
            }
            return []
        }
        // 64 KiB is the kernel's own bound (XATTR_LIST_MAX), so a list that grew between the calls fits, too.
        var list = [CChar](repeating: 0, count: 1 << 16)
        let got = try retryingInterrupts("list attributes of", path.string) {
            flistxattr(descriptor, &list, list.count)
        }
        var found: [Attribute] = []
        for name in list[..<got].split(separator: 0) {
            let bytes = name.map { UInt8(bitPattern: $0) }
            guard bytes.starts(with: Self.userAttributePrefix), let value = try attribute(bytes) else { continue }
            found.append(Attribute(name: bytes, value: value))
        }
        return found.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    private func attribute(_ name: [UInt8]) throws(SystemError) -> [UInt8]? {
        var value = [UInt8](repeating: 0, count: 1 << 16)
        do throws(SystemError) {
            let got = try retryingInterrupts("read attributes of", path.string) {
                FilePath(bytes: name).withCString { fgetxattr(descriptor, $0, &value, value.count) }
            }
            return Array(value[..<got])
        } catch {
            if error.code == ENODATA { return nil }
            throw error
        }
    }

    /// - Returns: false where this file system keeps no attributes, or no more of them.
    public func set(_ attribute: Attribute) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try retryingInterrupts("set attributes of", path.string) {
                FilePath(bytes: attribute.name).withCString {
                    fsetxattr(descriptor, $0, attribute.value, attribute.value.count, 0)
                }
            }
            return true
        } catch {
            if [EOPNOTSUPP, ENOSPC, E2BIG, ERANGE, EPERM].contains(error.code) { return false }
            throw error
        }
    }
}
