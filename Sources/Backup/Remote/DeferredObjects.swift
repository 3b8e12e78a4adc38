// SPDX-License-Identifier: Apache-2.0

import Glibc
import ObjectStore
import SystemIO

/// Objects that come behind the others, in the order in which they were put in: in a file, since a bucket may have any number of them
/// (a mark for each folder, which ends in a slash).
final class DeferredObjects {
    private let file: OpenFile
    private var pending: [UInt8] = []
    private var position = 0
    private(set) var count = 0

    /// - Parameter folder: where the file is made; it has no name once it is open.
    init(in folder: FilePath) throws {
        let path = folder.appending("deferred-\(getpid())-\(UInt64.random(in: .min ... .max))")
        file = try OpenFile(path, .createNew(mode: 0o600))
        try Directory.remove(path)
    }

    func append(_ object: ListedObject) throws {
        count += 1
        let time = object.stamps.modified
        put(UInt64(object.key.bytes.count), object.key.bytes)
        put(object.stamps.size)
        let tag = Array((object.stamps.tag ?? "").utf8)
        put(UInt64(tag.count), tag)
        put(UInt64(bitPattern: time?.nanoseconds ?? 0))
        put(UInt64(bitPattern: time?.granularity ?? 0))
        if pending.count >= 256 << 10 { try flush() }
    }

    private func put(_ number: UInt64, _ bytes: [UInt8] = []) {
        withUnsafeBytes(of: number.littleEndian) { pending.append(contentsOf: $0) }
        pending += bytes
    }

    private func flush() throws {
        try file.write(pending)
        pending = []
    }

    /// After the last was put in.
    func rewind() throws {
        try flush()
        _ = try file.seek(to: 0)
        position = 0
    }

    func next() throws -> ListedObject? {
        if position > 256 << 10 {
            pending.removeFirst(position)
            position = 0
        }
        guard try fill(8) else { return nil }
        let key = try bytes(try number())
        let size = try number()
        let tag = try bytes(try number())
        let (time, unit) = (Int64(bitPattern: try number()), Int64(bitPattern: try number()))
        return ListedObject(
            key: ObjectKey(bytes: key),
            stamps: ObjectStamps(
                size: size, tag: tag.isEmpty ? nil : String(decoding: tag, as: UTF8.self),
                modified: unit == 0 ? nil : .init(nanoseconds: time, granularity: unit)))
    }

    private func number() throws -> UInt64 {
        let digits = try bytes(8)
        return digits.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func bytes(_ count: UInt64) throws -> [UInt8] {
        guard let count = Int(exactly: count), try fill(count) else {
            throw SystemError("read", path: file.path.string, code: EIO)
        }
        defer { position += count }
        return Array(pending[position..<(position + count)])
    }

    /// - Returns: false where the file ends before.
    private func fill(_ count: Int) throws -> Bool {
        while pending.count - position < count {
            let old = pending.count
            pending += [UInt8](repeating: 0, count: 64 << 10)
            let got = try pending.withUnsafeMutableBytes { all throws(SystemError) in
                try file.read(into: UnsafeMutableRawBufferPointer(rebasing: all[old...]))
            }
            pending.removeLast(pending.count - old - got)
            if got == 0 { return false }
        }
        return true
    }
}
