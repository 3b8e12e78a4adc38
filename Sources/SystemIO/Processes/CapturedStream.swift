// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What a child wrote, up to a bound: either the first bytes or the last ones.
struct CapturedStream {
    private var bytes: [UInt8] = []
    private var line: [UInt8] = []
    private let bound: Int
    private let keepsEnd: Bool
    var onLine: ((String) -> Void)?

    init(keepingFirst bound: Int) {
        self.bound = bound
        keepsEnd = false
    }

    init(keepingLast bound: Int) {
        self.bound = bound
        keepsEnd = true
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Reads once. Returns false at the end of the stream.
    mutating func drain(_ descriptor: Int32) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let got = read(descriptor, &buffer, buffer.count)
        if got < 0 { return errno == EINTR || errno == EAGAIN }
        if got == 0 { return false }
        append(buffer[..<got])
        return true
    }

    private mutating func append(_ piece: ArraySlice<UInt8>) {
        if keepsEnd {
            bytes.append(contentsOf: piece)
            if bytes.count > 2 * bound { bytes.removeFirst(bytes.count - bound) }
        } else {
            bytes.append(contentsOf: piece.prefix(bound - bytes.count))
        }
        guard let onLine else { return }
        for byte in piece {
            if byte == UInt8(ascii: "\n") {
                onLine(String(decoding: line, as: UTF8.self))
                line.removeAll(keepingCapacity: true)
            } else if line.count < 4096 {
                line.append(byte)
            }
        }
    }

    mutating func finish() {
        if !line.isEmpty { onLine?(String(decoding: line, as: UTF8.self)) }
        line = []
        if keepsEnd, bytes.count > bound { bytes.removeFirst(bytes.count - bound) }
    }
}
