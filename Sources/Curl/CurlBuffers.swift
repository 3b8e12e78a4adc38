// SPDX-License-Identifier: Apache-2.0

/// What libcurl's callbacks fill and drain while `perform` runs, all on that one thread.
final class CurlBuffers {
    var outgoing: [UInt8] = []
    var bodyLimit = 0
    private var sent = 0
    private(set) var body: [UInt8] = []
    private(set) var refusal = ""

    func take(into target: UnsafeMutableRawBufferPointer) -> Int {
        let piece = outgoing[sent...].prefix(target.count)
        target.copyBytes(from: piece)
        sent += piece.count
        return piece.count
    }

    /// Fewer bytes than offered tell libcurl to stop.
    func keepBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        if body.count + bytes.count > bodyLimit { return 0 }
        body.append(contentsOf: bytes)
        return bytes.count
    }

    /// An SMTP reply of 400 or more. What comes after it is the answer to our QUIT.
    func keepReply(_ bytes: UnsafeRawBufferPointer) -> Int {
        if bytes.first == UInt8(ascii: "4") || bytes.first == UInt8(ascii: "5") {
            let line = String(decoding: bytes.prefix(500), as: UTF8.self)
            refusal = String(line.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f })
        }
        return bytes.count
    }
}
