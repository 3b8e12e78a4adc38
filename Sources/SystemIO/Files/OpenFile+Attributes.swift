// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Extended attributes of the `user.` namespace (xattr(7)): the ones any owner may read and set. And access lists, which Linux
/// keeps as attributes, too.
extension OpenFile {
    package struct Attribute: Sendable, Equatable {
        package let name: [UInt8]
        package let value: [UInt8]

        package init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    package static let userAttributePrefix = Array("user.".utf8)

    /// What a file has beside content, owner, mode and time.
    package struct Extras: Sendable, Equatable {
        /// Sorted by name.
        package var attributes: [Attribute] = []
        package var access: AccessList?
        /// Of a folder: what is made in it gets this.
        package var defaultAccess: AccessList?

        package init(attributes: [Attribute] = []) { self.attributes = attributes }

        package var isEmpty: Bool { self == Extras() }
    }

    /// Sorted by name. Empty where the file system has none; one that vanishes meanwhile is left out.
    package func userAttributes() throws(SystemError) -> [Attribute] { try extras(lists: false).attributes }

    /// Attributes and access lists. Empty where the file system has none; what vanishes meanwhile is left out.
    package func extras() throws(SystemError) -> Extras { try extras(lists: true) }

    private func extras(lists: Bool) throws(SystemError) -> Extras {
        var extras = Extras()
        for name in try attributeNames() {
            if name.starts(with: Self.userAttributePrefix) {
                if let value = try attribute(name) { extras.attributes.append(Attribute(name: name, value: value)) }
            } else if lists, name == AccessList.accessAttribute {
                extras.access = try attribute(name).flatMap { AccessList(attributeValue: $0, for: .access) }
            } else if lists, name == AccessList.defaultAttribute {
                extras.defaultAccess = try attribute(name).flatMap { AccessList(attributeValue: $0, for: .inheritance) }
            }
        }
        extras.attributes.sort { $0.name.lexicographicallyPrecedes($1.name) }
        return extras
    }

    private func attributeNames() throws(SystemError) -> [[UInt8]] {
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
        return list[..<got].split(separator: 0).map { name in name.map { UInt8(bitPattern: $0) } }
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
    package func set(_ attribute: Attribute) throws(SystemError) -> Bool {
        try set(attribute.name, attribute.value, deniedBy: [EOPNOTSUPP, ENOSPC, E2BIG, ERANGE, EPERM])
    }

    /// Sets an access list, which changes the mode, too.
    /// - Returns: false where this file system has no lists or no room for this one, or this user may not set it. EINVAL:
    ///   one who is named is nobody in this user namespace.
    package func set(_ list: AccessList) throws(SystemError) -> Bool { try set(AccessList.accessAttribute, list) }

    /// As `set`, the list of what is made in this folder from now on.
    package func setDefault(_ list: AccessList) throws(SystemError) -> Bool {
        try set(AccessList.defaultAttribute, list)
    }

    private func set(_ name: [UInt8], _ list: AccessList) throws(SystemError) -> Bool {
        try set(
            name, list.attributeValue,
            deniedBy: [EOPNOTSUPP, ENOSYS, ENOSPC, EDQUOT, E2BIG, ERANGE, EPERM, EACCES, EINVAL])
    }

    private func set(_ name: [UInt8], _ value: [UInt8], deniedBy codes: Set<Int32>) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try retryingInterrupts("set attributes of", path.string) {
                FilePath(bytes: name).withCString { fsetxattr(descriptor, $0, value, value.count, 0) }
            }
            return true
        } catch {
            if codes.contains(error.code) { return false }
            throw error
        }
    }

    /// Leaves the mode to say who may do what; the mode's group bits are the mask that the list had.
    package func removeAccessList() throws(SystemError) { try removeAttribute(AccessList.accessAttribute) }

    /// What is made in this folder from now on inherits nothing.
    package func removeDefaultAccessList() throws(SystemError) { try removeAttribute(AccessList.defaultAttribute) }

    private func removeAttribute(_ name: [UInt8]) throws(SystemError) {
        do throws(SystemError) {
            try retryingInterrupts("remove attributes of", path.string) {
                FilePath(bytes: name).withCString { fremovexattr(descriptor, $0) }
            }
        } catch {
            // Another user's file that has none needs none removed: ntfs-3g says EPERM there.
            let isAbsent =
                error.code == EPERM && FilePath(bytes: name).withCString { fgetxattr(descriptor, $0, nil, 0) } < 0
                && [ENODATA, EOPNOTSUPP].contains(errno)
            guard [ENODATA, EOPNOTSUPP, ENOSYS].contains(error.code) || isAbsent else { throw error }
        }
    }
}
