// SPDX-License-Identifier: Apache-2.0

import Crypto
import Glibc
import SystemIO

@testable import Archive

/// One input of libFuzzer. Its first byte chooses what the rest is, so that mutations get behind the checksums:
/// - even: a file as a person may drop it into the backup folder;
/// - odd, bit 1 clear: the tar inside a well-formed gzip;
/// - odd, bit 1 set: tar of one pack, `|`, text of an index, with members, digests and footer that fit.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let input = Array(bytes.dropFirst())
    switch bytes[0] & 3 {
    case 1: Trial.read(GzipPieces.members(of: input))
    case 3: Trial.read(GzipPieces.indexed(input))
    default: Trial.read(input)
    }
    return 0
}

/// Everything that reads archives, on one file. Errors are what is expected; a crash is a finding.
enum Trial {
    private static let path = FilePath("/dev/shm/fuzz-\(getpid()).tar.gz")
    private static let folder = FilePath("/dev/shm/fuzz-\(getpid()).out")

    static func read(_ file: [UInt8]) {
        attempt { try DurableFreeFile.write(file, to: path) }
        attempt { _ = try ContentVerifier().verify(TarGzipReader(path)) }
        inFolder { try Extractor([.init(.artifacts, into: folder)]).extract(TarGzipReader(path)) }
        attempt {
            let archive = try IndexedArchive(path)
            var paths: [EntryPath] = []
            try archive.forEachMember { member in
                paths += member.entries.prefix(2).map(\.entry.path)
                return paths.count < 20
            }
            for path in paths { attempt { _ = try archive.content(of: path, limit: 1 << 20) } }
            attempt { _ = try ArchiveCheck(archive, threads: 1).run() }
            inFolder { try ParallelExtractor([.init(.artifacts, into: folder)], threads: 1).extract(archive) }
            attempt {
                try ArchiveDiff(from: RecordStream(archive: path), to: RecordStream(archive: path)).forEachChange { _ in
                }
            }
        }
    }

    private static func attempt(_ body: () throws -> Void) {
        do { try body() } catch {
            // Refused, as it should be.
        }
    }

    private static func inFolder(_ body: () throws -> Extractor.Outcome) {
        attempt {
            try Directory.removeTree(folder)
            try Directory.make(folder)
            _ = try body()
        }
        attempt { try Directory.removeTree(folder) }
    }
}

private enum DurableFreeFile {
    static func write(_ bytes: [UInt8], to path: FilePath) throws {
        let file = try OpenFile(path, .readWrite(create: 0o600))
        try file.truncate(to: 0)
        try file.write(bytes)
    }
}

/// Well-formed gzip around bytes that are not.
enum GzipPieces {
    static func members(of tar: [UInt8]) -> [UInt8] { GzipMember.stored(tar, header: GzipFrame.header()).bytes }

    static func indexed(_ input: [UInt8]) -> [UInt8] {
        let cut = input.firstIndex(of: UInt8(ascii: "|")) ?? input.endIndex
        let tar = Array(input[..<cut])
        let pack = members(of: tar)
        var text = IndexEncoder.preamble(.init(started: FileTime(seconds: 0)))
        // The true place of the pack; the rest of its line is the fuzzer's.
        text += "{\"kind\":\"pack\",\"offset\":0,\"length\":\(pack.count),\"tar\":\(tar.count),\"sha256\":\"".utf8
        text += SHA256.digest(of: pack).hex.utf8
        text += "\",\"crc64\":0,\"entries\":[".utf8
        text += input[cut...].dropFirst()
        text += IndexEncoder.closing
        let entry = ArchiveEntry(
            path: .index, kind: .file, size: UInt64(text.count), mode: 0o644, modified: FileTime(seconds: 0))
        text += [UInt8](repeating: 0, count: ArchiveLayout.padding(after: UInt64(text.count)))
        let index = members(of: TarEncoder.header(of: entry)) + members(of: text)
        let footer = ArchiveFooter(
            indexOffset: UInt64(pack.count), indexLength: UInt64(index.count), indexDigest: SHA256.digest(of: index))
        return pack + index + footer.encoded()
    }
}
