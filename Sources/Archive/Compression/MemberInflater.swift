// SPDX-License-Identifier: Apache-2.0

/// Inflates whole gzip members in memory.
final class MemberInflater {
    private let inflater = GzipInflater()

    /// - Parameter expecting: how many bytes must come out; no more are made, whatever the member would like.
    /// - Throws: `ArchiveError.damaged`.
    func inflate(_ stored: [UInt8], expecting: Int, archive: String, offset: UInt64) throws(ArchiveError) -> [UInt8] {
        var fault: String?
        let made = [UInt8](unsafeUninitializedCapacity: expecting + 1) { output, count in
            stored.withUnsafeBytes { bytes in
                inflater.reset()
                inflater.feed(bytes)
                while fault == nil {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(output)[count...])
                    guard rest.count > 0 else {
                        fault = "it holds more than it should"
                        return
                    }
                    switch inflater.inflate(into: rest) {
                    case .bytes(let more): count += more
                    case .memberEnd:
                        if inflater.unused > 0 { fault = "bytes follow a member" }
                        return
                    case .needsInput: fault = "a member ends early"
                    case .failed(let reason): fault = reason
                    }
                }
            }
        }
        if fault == nil, made.count != expecting { fault = "it holds \(made.count) bytes instead of \(expecting)" }
        if let fault { throw .damaged(archive: archive, offset: offset, reason: fault) }
        return made
    }
}
