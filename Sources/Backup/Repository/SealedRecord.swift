// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import SystemIO

/// A record in the folder's state: JSON whose last member is a digest over all of it (`RecordSeal`). A record decides what
/// is removed, brought back or taken for finished, so one of which a bit flipped is none.
enum SealedRecord {
    /// Replaces what is there.
    /// - Parameters:
    ///   - value: what is encoded as an object with at least one member.
    ///   - mode: permission bits of the file.
    static func write(_ value: some Encodable, to path: FilePath, mode: UInt32) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let object = Array(try encoder.encode(value))
        guard object.suffix(2) == Array("\n}".utf8)[...] else {
            preconditionFailure("an object with members ends so, pretty printed")
        }
        let seal = Array(",\n  \"seal\" : \"\(RecordSeal.blank)\"\n}\n".utf8)
        try DurableFile.replace(path, with: RecordSeal.sealed(object.dropLast(2) + seal), mode: mode)
    }

    /// Writes one again in which a bit had flipped.
    /// - Returns: whether it did.
    static func mend(_ path: FilePath) throws(SystemError) -> Bool {
        guard let status = try FileStatus.ifPresent(path), status.kind == .file else { return false }
        guard let (bytes, isMended) = try whole(path), isMended else { return false }
        try DurableFile.replace(path, with: bytes, mode: status.mode & 0o777)
        return true
    }

    /// - Returns: what it holds, where one bit of it had flipped what it held; `nil` where nothing it says is to be believed.
    /// - Throws: where nobody can read it.
    static func read<Value: Decodable>(_ type: Value.Type, at path: FilePath) throws(SystemError) -> Value? {
        guard let (bytes, _) = try whole(path) else { return nil }
        return try? JSONDecoder().decode(type, from: Data(bytes))
    }

    /// - Returns: the bytes as they were sealed, and whether a bit of those in the file had flipped; `nil` where they are lost.
    private static func whole(_ path: FilePath) throws(SystemError) -> (bytes: [UInt8], isMended: Bool)? {
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try OpenFile(path, .readNoFollow).readAll(limit: 256 << 20) } catch {
            // What is no file was put there by a person, and says nothing.
            guard error.isOfAnotherKind, error.code != ENOTDIR else { throw error }
            return nil
        }
        if RecordSeal.isWhole(bytes) == true { return (bytes, false) }
        return RecordSeal.withoutFlippedBit(bytes).map { ($0, true) }
    }
}
