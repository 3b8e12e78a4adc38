// SPDX-License-Identifier: Apache-2.0

import Archive
import Crypto
import ObjectStore
import SystemIO

extension ObjectStamps {
    /// What a backup noted of an object; `nil` of what is none.
    init?(_ entry: ArchiveEntry) {
        guard entry.kind == .file, let object = entry.object else { return nil }
        let time = object.unit == 0 ? nil : entry.modified.nanosecondsSinceEpoch
        self.init(
            size: entry.size, tag: object.tag,
            modified: time.map { ModificationTime(nanoseconds: $0, granularity: Int64(clamping: object.unit)) },
            version: object.version)
    }

    /// What both say together of one object: neither a listing nor an answer has everything.
    func joined(with other: ObjectStamps) -> ObjectStamps {
        guard agree(with: other) else { return self }
        let finer = [modified, other.modified].compactMap(\.self).min { $0.granularity < $1.granularity }
        return ObjectStamps(
            size: size, tag: tag ?? other.tag, modified: finer, version: version ?? other.version)
    }

    /// Whether the object that the store lists so is the one that a backup holds, as far as its stamps can tell.
    /// - Parameters:
    ///   - stored: of the backup.
    ///   - started: when its walk began, by this machine's clock.
    func provesUnchanged(_ stored: ArchiveEntry, _ started: FileTime) -> Bool {
        guard let then = ObjectStamps(stored), agree(with: then) else { return false }
        if tag != nil, then.tag != nil { return true }
        guard let modified, let before = then.modified, max(modified.granularity, before.granularity) < 1_000_000_000,
            let limit = started.nanosecondsSinceEpoch
        else { return false }
        // As of files: a second write in the same tick leaves the time as it is.
        return before.nanoseconds < limit.subtracting(clamped: 2_000_000_000)
    }
}

extension FileTime {
    /// `nil` for what is further away than three centuries.
    fileprivate var nanosecondsSinceEpoch: Int64? {
        let (whole, isTooMuch) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflows) = whole.addingReportingOverflow(Int64(nanoseconds))
        return isTooMuch || overflows ? nil : sum
    }

    fileprivate init(nanosecondsSinceEpoch all: Int64) {
        let (whole, rest) = all.quotientAndRemainder(dividingBy: 1_000_000_000)
        self.init(
            seconds: rest < 0 ? whole - 1 : whole, nanoseconds: UInt32(rest < 0 ? rest + 1_000_000_000 : rest))
    }
}

/// Where the objects of one root go in a backup.
struct ObjectPlaces {
    let root: String

    var section: EntryPath { .artifacts(of: root) }

    /// A folder that a tool needs that unpacks them: stores have none.
    func folder(_ path: EntryPath) -> ReuseCandidate {
        var entry = ArchiveEntry(path: path, kind: .directory, mode: 0o755, modified: FileTime(seconds: 0))
        entry.object = .init()
        return ReuseCandidate(object: entry) { [entry] stored, _ in stored == entry }
    }

    /// - Parameter isPath: whether its key is a path below the root.
    func entry(_ key: ObjectKey, _ stamps: ObjectStamps, isPath: Bool) -> ArchiveEntry {
        let path = isPath ? EntryPath(section.bytes + [slash] + key.bytes) : nil
        let name = Array(SHA256.digest(of: key.bytes).hex.utf8)
        var entry = ArchiveEntry(
            path: path ?? EntryPath.keys(of: root).appending(name: name), kind: .file, size: stamps.size, mode: 0o644,
            modified: FileTime(nanosecondsSinceEpoch: stamps.modified?.nanoseconds ?? 0))
        entry.object = .init(
            key: path == nil ? key.bytes : nil, tag: stamps.tag, version: stamps.version,
            unit: stamps.modified.map { UInt64(clamping: max($0.granularity, 1)) } ?? 0)
        return entry
    }

    func candidate(_ object: ListedObject, isPath: Bool) -> ReuseCandidate {
        let stamps = object.stamps
        return ReuseCandidate(object: entry(object.key, stamps, isPath: isPath)) { stored, started in
            stamps.provesUnchanged(stored, started)
        }
    }
}

/// Which keys are paths below a folder, beside those that came before them. Ask in the order of the keys.
struct KeyPaths {
    /// Keys of before that this one begins with: none of what is below them as a folder can be a file there, too.
    private var above: [[UInt8]] = []

    mutating func take(_ key: ObjectKey) -> Bool {
        let bytes = key.bytes
        while let last = above.last, !bytes.starts(with: last) { above.removeLast() }
        guard Self.isPath(bytes), !above.contains(where: { bytes[$0.count] == slash }) else { return false }
        above.append(bytes)
        return true
    }

    /// The longest name that a folder holds (`NAME_MAX`), and a path that every tool takes.
    private static let (longestName, longestPath) = (255, 1024)

    private static func isPath(_ bytes: [UInt8]) -> Bool {
        guard bytes.count <= longestPath, !bytes.contains(0) else { return false }
        return bytes.split(separator: slash, omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part.count <= longestName && !part.elementsEqual([dot]) && !part.elementsEqual([dot, dot])
        }
    }
}

private let slash = UInt8(ascii: "/")
private let dot = UInt8(ascii: ".")
