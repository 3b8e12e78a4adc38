// SPDX-License-Identifier: Apache-2.0

/// The live database and those beside it, by name, and by a number that stays with a content whatever it is called: what journals,
/// recovery and kept parts go by.
package protocol DatabaseSet {
    /// What tells where they are from every other such place; `nil` where nobody may ask.
    func systemIdentifier() throws -> String?
    /// - Returns: `nil` where there is none of that name.
    func oid(of name: String) throws -> UInt32?
    /// The same; one that has none yet gets it. Under the stack's lock.
    func numbered(_ name: String) throws -> UInt32?
    func name(of number: UInt32) throws -> String?
    /// - Returns: `nil` where none has it.
    func found(_ number: UInt32) throws -> FoundDatabase?
    func exists(_ name: String) throws -> Bool
    /// Sorted by name.
    func names(withPrefix prefix: String) throws -> [String]
    /// Bytes on the disk.
    func size(of name: String) throws -> Int64
    /// One that is not there is fine.
    func drop(_ name: String) throws
    func rename(_ name: String, to other: String) throws
    /// Puts `replacement` in the place of `live`, and keeps what was there as `old`; either both or neither, whatever happens. Nobody is
    /// asked whether something would be lost (`StoreLook.swap`).
    func swap(live: String, replacement: String, keepingOldAs old: String) throws
    /// A swap that was cut short may leave a further copy of what is live under a name that it had in hand: it goes, where all that is
    /// in it is in the live database, too, or elsewhere for sure.
    /// - Returns: whether one stays, because of that.
    func removeCopy(ofLive live: String, called name: String, isElsewhere: Bool) throws -> Bool
    /// Removes what operations that were cut short had only half made. Under the stack's lock, when nothing is under way any more.
    func removeLeftovers() throws
}

/// What is known of a database by its number.
package struct FoundDatabase: Sendable, Equatable {
    package let name: String
    /// Whether we may do with it what its owner may.
    package let isOurs: Bool
    /// Whether nobody can use it any more, and all that can be done is to drop it.
    package let isInvalid: Bool
}
