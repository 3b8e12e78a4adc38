// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Reads `index.json` as it comes out of the archive, a line at a time, so that memory does not grow with it.
///
/// It reads what `IndexEncoder` writes and nothing else: a general JSON parser is ten times slower, and a stranger's
/// index is no use to us.
struct IndexDecoder {
    private enum Expecting { case preamble, member, end }

    private let archive: String
    private var pending: [UInt8] = []
    private var expecting = Expecting.preamble
    private var preamble: ArchiveIndex.Preamble?
    private var lines = 0

    /// No honest line comes near this: a pack has a few thousand entries; bytes.
    private static let longestLine = 64 << 20

    init(archive: String) { self.archive = archive }

    /// What the first line said; `nil` before it was fed.
    var known: ArchiveIndex.Preamble? { preamble }

    /// Takes the next bytes and hands out each member that is complete.
    /// - Throws: `ArchiveError.damaged`.
    mutating func feed(
        _ bytes: ArraySlice<UInt8>, _ visit: (ArchiveIndex.Member) throws(ArchiveError) -> Void
    ) throws(ArchiveError) {
        var rest = bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            if pending.isEmpty {
                try line(rest[..<end], visit)
            } else {
                pending += rest[..<end]
                let whole = pending
                pending = []
                try line(whole[...], visit)
            }
            rest = rest[(end + 1)...]
        }
        pending += rest
        guard pending.count <= Self.longestLine else { throw damaged() }
    }

    /// After the last byte.
    func finish() throws(ArchiveError) -> ArchiveIndex.Preamble {
        guard expecting == .end, pending.isEmpty, let preamble else { throw damaged() }
        return preamble
    }

    private mutating func line(
        _ line: ArraySlice<UInt8>, _ visit: (ArchiveIndex.Member) throws(ArchiveError) -> Void
    ) throws(ArchiveError) {
        lines += 1
        var text = IndexText(line)
        switch expecting {
        case .preamble:
            preamble = text.preamble()
            guard let preamble, preamble.isPlausible, text.isAtEnd else { throw unknownFormat(line) }
            expecting = .member
        case .member:
            if line.elementsEqual("]}".utf8) {
                expecting = .end
                return
            }
            guard let member = text.member() else { throw damaged() }
            text.skip(UInt8(ascii: ","))
            guard text.isAtEnd else { throw damaged() }
            try visit(member)
        case .end: throw damaged()
        }
    }

    /// One of a later program says of which format it is; anything else is damage.
    private func unknownFormat(_ line: ArraySlice<UInt8>) -> ArchiveError {
        let known = IndexEncoder.newestFormat
        var text = IndexText(line)
        if let format = text.format(), (known + 1...1000).contains(format) {
            return .newerFormat(archive: archive, format: format, known: known)
        }
        return .damaged(
            archive: archive, offset: 0,
            reason: .init(zh: "index.json 的格式未知", en: "index.json is of no format that there is"))
    }

    private func damaged() -> ArchiveError {
        .damaged(
            archive: archive, offset: 0,
            reason: .init(zh: "index.json 第 \(lines) 行无法读取", en: "line \(lines) of index.json cannot be read"))
    }
}

extension ArchiveIndex.Preamble {
    /// Whether an archive of ours can say so: after a million nights in a row that shared bytes it cannot.
    fileprivate var isPlausible: Bool { (0...1_000_000).contains(generation) && (1...1 << 30).contains(alignment) }
}
