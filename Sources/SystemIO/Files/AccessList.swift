// SPDX-License-Identifier: Apache-2.0

/// A POSIX access control list (acl(5)): one with more in it than a mode says, or a default one, which no mode says. Users and
/// groups are numbers.
package struct AccessList: Sendable, Equatable {
    /// Whom a list is for.
    package enum Purpose: Sendable {
        /// The thing that has it. With three entries it says no more than the mode.
        case access
        /// What is made in the folder that has it: three entries say as much as a umask.
        case inheritance
    }

    /// As the kernel numbers them (`linux/posix_acl.h`); lists are in this order.
    package enum Tag: UInt16, Sendable {
        case owner = 0x01
        case user = 0x02
        case owningGroup = 0x04
        case group = 0x08
        case mask = 0x10
        case other = 0x20

        var isNamed: Bool { self == .user || self == .group }
    }

    package struct Entry: Sendable, Equatable {
        package let tag: Tag
        /// Read 4, write 2, execute 1.
        package let permissions: UInt16
        /// Of a user or a group; zero where the tag names none.
        package let id: UInt32

        package init(_ tag: Tag, _ permissions: UInt16, id: UInt32 = 0) {
            self.tag = tag
            self.permissions = permissions & 7
            self.id = tag.isNamed ? id : 0
        }

        fileprivate var order: (UInt16, UInt32) { (tag.rawValue, id) }
    }

    package let entries: [Entry]

    /// - Returns: `nil` for what is no valid list (acl_valid(3)), and for one that says no more than a mode.
    package init?(_ entries: [Entry], for purpose: Purpose = .access) {
        let sorted = entries.sorted { $0.order < $1.order }
        func count(_ tag: Tag) -> Int { sorted.count { $0.tag == tag } }
        guard count(.owner) == 1, count(.owningGroup) == 1, count(.other) == 1,
            count(.mask) == 1 || purpose == .inheritance && sorted.count == 3,
            zip(sorted, sorted.dropFirst()).allSatisfy({ $0.order < $1.order })
        else { return nil }
        self.entries = sorted
    }

    /// The most that its group, and whoever is named, may do; 3 bits. Where nobody is named there need be none.
    package var mask: UInt32 { entries.contains { $0.tag == .mask } ? rights(.mask) : 7 }

    /// What those may do whom it does not name, and who are not in the group; 3 bits.
    package var others: UInt32 { rights(.other) }

    /// The list for a thing that has another group than it was made for. Who is in that one was one of the others, or in a group
    /// that is named; who was in the old one is one of the others now. Neither may do more than before.
    package var ofAnotherGroup: AccessList {
        let both = rights(.owningGroup) & mask & others
        let named = entries.filter { $0.tag == .group }.reduce(mask) { $0 & UInt32($1.permissions) }
        return AccessList(
            valid: entries.map { entry in
                switch entry.tag {
                case .owningGroup: Entry(.owningGroup, UInt16(both & named))
                case .other: Entry(.other, UInt16(both))
                case .owner, .user, .group, .mask: entry
                }
            })
    }

    private init(valid entries: [Entry]) { self.entries = entries }

    private func rights(_ tag: Tag) -> UInt32 { entries.first { $0.tag == tag }.map { UInt32($0.permissions) } ?? 0 }

    /// The mode for a file system, or a user, that cannot have this list: nobody gets a right that it does not give. A mode's
    /// group bits are the list's mask while there is a list, and would be the group's own rights without it.
    package func strictMode(_ mode: UInt32) -> UInt32 {
        // Who is named with less than the others have would be one of the others.
        let named = entries.filter(\.tag.isNamed).reduce(UInt32(7)) { $0 & UInt32($1.permissions) & mask }
        let group = rights(.owningGroup) & mask & named
        return mode & ~0o077 | group << 3 | rights(.other) & named
    }
}

// MARK: As the kernel has it

extension AccessList {
    /// The attributes in which Linux keeps lists (xattr(7)).
    static let accessAttribute = Array("system.posix_acl_access".utf8)
    static let defaultAttribute = Array("system.posix_acl_default".utf8)

    /// `linux/posix_acl_xattr.h`: version 2, then tag, permissions and number of each entry, little-endian.
    private static let version: [UInt8] = [2, 0, 0, 0]
    /// What tags that name nobody have for a number (ACL_UNDEFINED_ID).
    private static let nobody = UInt32.max

    var attributeValue: [UInt8] {
        entries.reduce(into: Self.version) { bytes, entry in
            bytes += Self.littleEndian(entry.tag.rawValue) + Self.littleEndian(entry.permissions)
            bytes += Self.littleEndian(entry.tag.isNamed ? entry.id : Self.nobody)
        }
    }

    /// - Returns: `nil` where it is none, and where it says no more than a mode.
    init?(attributeValue bytes: [UInt8], for purpose: Purpose) {
        guard bytes.starts(with: Self.version), bytes.count % 8 == 4 else { return nil }
        func number(_ range: Range<Int>) -> UInt32 { bytes[range].reversed().reduce(0) { $0 << 8 | UInt32($1) } }
        var entries: [Entry] = []
        for start in stride(from: 4, to: bytes.count, by: 8) {
            guard let tag = Tag(rawValue: UInt16(number(start..<start + 2))) else { return nil }
            entries.append(
                Entry(tag, UInt16(number(start + 2..<start + 4) & 7), id: number(start + 4..<start + 8)))
        }
        self.init(entries, for: purpose)
    }

    private static func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
}

// MARK: As text

extension AccessList {
    /// `user::rwx,user:1000:r-x,group::r-x,mask::rwx,other::---` (acl_from_text(3)), with numbers.
    package var text: String { lines.joined(separator: ",") }

    /// The same, a line each, as GNU tar writes it.
    package var linesOfText: String { lines.joined(separator: "\n") + "\n" }

    private var lines: [String] {
        entries.map { entry in
            let letters = zip([4, 2, 1] as [UInt16], "rwx").map { entry.permissions & $0 == 0 ? "-" : String($1) }
            return "\(entry.tag.word):\(entry.tag.isNamed ? String(entry.id) : ""):\(letters.joined())"
        }
    }

    /// Reads what GNU tar, bsdtar and star write: entries split by commas or lines, of users and groups their names or numbers,
    /// and where a fourth field is, the number is that.
    package enum Parsed: Sendable, Equatable {
        case list(AccessList)
        /// It says no more than the mode does.
        case mode
        /// It is none, or names somebody whom this machine does not know.
        case unknown
    }

    package static func parse(_ text: String, for purpose: Purpose = .access, _ names: AccountNames) -> Parsed {
        var entries: [Entry] = []
        for line in text.split(whereSeparator: { $0 == "," || $0.isNewline }) {
            let bare = line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
            if bare.isEmpty { continue }
            guard let entry = entry(bare, names) else { return .unknown }
            entries.append(entry)
        }
        if let list = AccessList(entries, for: purpose) { return .list(list) }
        let isMinimal = entries.count == 3 && Set(entries.map(\.tag)) == [.owner, .owningGroup, .other]
        return isMinimal ? .mode : .unknown
    }

    private static func entry(_ text: String, _ names: AccountNames) -> Entry? {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        // Some leave out the empty name of mask and other.
        let isShort = fields.count == 2
        guard (2...4).contains(fields.count), let permissions = permissions(fields[isShort ? 1 : 2]) else { return nil }
        let name = isShort ? "" : fields[1]
        guard let tag = Tag(word: fields[0], isNamed: !name.isEmpty) else { return nil }
        guard tag.isNamed else { return name.isEmpty ? Entry(tag, permissions) : nil }
        let known = tag == .user ? names.user(named: String(name)) : names.group(named: String(name))
        let told = fields.count == 4 ? UInt32(fields[3]) : nil
        guard let id = told ?? UInt32(name) ?? known, id != nobody else { return nil }
        return Entry(tag, permissions, id: id)
    }

    private static func permissions(_ text: Substring) -> UInt16? {
        var rights: UInt16 = 0
        for letter in text {
            switch letter {
            case "r": rights |= 4
            case "w": rights |= 2
            case "x": rights |= 1
            case "-": break
            default: return nil
            }
        }
        return text.isEmpty ? nil : rights
    }
}

extension AccessList.Tag {
    fileprivate var word: String {
        switch self {
        case .owner, .user: "user"
        case .owningGroup, .group: "group"
        case .mask: "mask"
        case .other: "other"
        }
    }

    fileprivate init?(word: Substring, isNamed: Bool) {
        switch word {
        case "user", "u": self = isNamed ? .user : .owner
        case "group", "g": self = isNamed ? .group : .owningGroup
        case "mask", "m": self = .mask
        case "other", "o": self = .other
        default: return nil
        }
    }
}
