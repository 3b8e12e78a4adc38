// SPDX-License-Identifier: Apache-2.0

/// One answer to ListObjectsV2 (Amazon S3 API reference).
struct ListingPage {
    private(set) var objects: [ListedObject] = []
    /// What a delimiter has gathered, each with it at its end.
    private(set) var prefixes: [[UInt8]] = []
    /// `nil` on the last page.
    private(set) var continuation: String?

    struct Unusable: Error { let reason: String }

    /// - Parameter bytes: the answer to a request with `encoding-type=url`: keys may have any byte, XML not.
    init(_ bytes: [UInt8]) throws(Unusable) {
        do throws(XMLScanner.Malformed) {
            try scan(bytes)
        } catch {
            throw Unusable(reason: "no XML")
        }
        guard isListing else { throw Unusable(reason: "no ListBucketResult") }
        if isMalformed { throw Unusable(reason: "an object without a key or a size") }
        if isTruncated, continuation == nil { throw Unusable(reason: "truncated, and no NextContinuationToken") }
        if !isTruncated { continuation = nil }
        // Only at the end is it known whether the store did as it was asked.
        objects = raw.map { entry in
            ListedObject(
                key: ObjectKey(bytes: isEncoded ? PercentEncoding.decode(entry.key, plusIsSpace: true) : entry.key),
                stamps: entry.stamps)
        }
        raw = []
        if isEncoded { prefixes = prefixes.map { PercentEncoding.decode($0, plusIsSpace: true) } }
    }

    private var raw: [(key: [UInt8], stamps: ObjectStamps)] = []
    private var isListing = false
    private var isEncoded = false
    private var isTruncated = false
    private var isMalformed = false

    private struct Entry {
        var key: [UInt8]?
        var size: UInt64?
        var tag: String?
        var modified: ObjectStamps.ModificationTime?
    }

    private mutating func scan(_ bytes: [UInt8]) throws(XMLScanner.Malformed) {
        var scanner = XMLScanner(bytes)
        var path: [String] = []
        var entry: Entry?
        var text: [UInt8] = []
        while let token = try scanner.next() {
            switch token {
            case .begin(let name):
                path.append(name)
                text = []
                if path.count == 1 { isListing = name == "ListBucketResult" }
                if path.count == 2, name == "Contents" { entry = Entry() }
            case .text(let piece): text += piece
            case .end(let name):
                guard path.popLast() == name else { throw XMLScanner.Malformed() }
                if path.count == 2, entry != nil {
                    note(name, text, in: &entry)
                } else if path.count == 2, path[1] == "CommonPrefixes", name == "Prefix" {
                    prefixes.append(text)
                } else if path.count == 1, name == "Contents", let ended = entry {
                    keep(ended)
                    entry = nil
                } else if path.count == 1 {
                    note(name, text)
                }
                text = []
            }
        }
        if !path.isEmpty { throw XMLScanner.Malformed() }
    }

    private mutating func note(_ name: String, _ text: [UInt8]) {
        let word = String(decoding: text, as: UTF8.self)
        switch name {
        case "IsTruncated": isTruncated = word == "true"
        case "EncodingType": isEncoded = word == "url"
        case "NextContinuationToken": continuation = word
        default: break
        }
    }

    private func note(_ name: String, _ text: [UInt8], in entry: inout Entry?) {
        let word = String(decoding: text, as: UTF8.self)
        switch name {
        case "Key": entry?.key = text
        case "Size": entry?.size = UInt64(word)
        case "ETag": entry?.tag = EntityTag.unquoted(word)
        case "LastModified": entry?.modified = TimeText.internet(word)
        default: break
        }
    }

    private mutating func keep(_ entry: Entry) {
        guard let key = entry.key, let size = entry.size else {
            isMalformed = true
            return
        }
        raw.append((key, ObjectStamps(size: size, tag: entry.tag, modified: entry.modified)))
    }
}

enum EntityTag {
    /// Some stores quote it, some do not, and some do only in one of the two places. A weak one (`W/`) is none of ours.
    static func unquoted(_ text: String?) -> String? {
        guard let text, !text.hasPrefix("W/") else { return nil }
        let bare = text.filter { $0 != "\"" }
        return bare.isEmpty ? nil : bare
    }
}
