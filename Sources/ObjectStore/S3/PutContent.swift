// SPDX-License-Identifier: Apache-2.0

import Curl
import SystemIO

/// What is sent, from one place of it to another.
struct PutContent {
    private let source: ObjectSource
    /// In bytes.
    let size: UInt64

    init(_ source: ObjectSource) throws {
        self.source = source
        size =
            switch source {
            case .bytes(let bytes): UInt64(bytes.count)
            case .file(let file): try file.status().size
            }
    }

    func request(
        _ key: ObjectKey, headers: [String], query: [(String, String)] = [], length: UInt64? = nil
    ) -> S3Connection.Request {
        S3Connection.Request(method: .put(length: length ?? size), key: key, query: query, headers: headers)
    }

    /// For one try. - Parameter length: bytes from `offset` on; to the end by default.
    func reader(at offset: UInt64 = 0, length: UInt64? = nil) -> (UnsafeMutableRawBufferPointer) throws -> Int {
        let source = source
        let end = length.map { offset.adding(clamped: $0) } ?? size
        var place = offset
        return { buffer in
            let wanted = Int(clamping: min(UInt64(buffer.count), end.subtracting(clamped: place)))
            if wanted == 0 { return 0 }
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            switch source {
            case .bytes(let bytes):
                let start = Int(clamping: place)
                target.copyBytes(from: bytes[start..<(start + wanted)])
            case .file(let file):
                guard try file.read(into: target, at: place) == wanted else {
                    throw ObjectStoreError.sourceShrank(path: file.path.string)
                }
            }
            place += UInt64(wanted)
            return wanted
        }
    }
}
