// SPDX-License-Identifier: Apache-2.0

/// What libcurl's callbacks fill and drain while `perform` runs, all on that one thread.
final class CurlBuffers {
    var outgoing: [UInt8] = []
    var bodyLimit = 0
    private var sent = 0
    private(set) var body: [UInt8] = []
    private(set) var refusal = ""
    private(set) var head = CurlHead()

    /// Takes the body of a success piece by piece; `nil` where it is collected. Set while `perform` runs, and not longer.
    var sink: ((CurlHead, UnsafeRawBufferPointer) throws -> Void)?
    /// Fills a buffer with what is sent next; 0 bytes at the end.
    var source: ((UnsafeMutableRawBufferPointer) throws -> Int)?
    /// Asked about once a second: whether the transfer is to end.
    var isToEnd: (() -> Bool)?
    /// What `sink` or `source` threw. libcurl was told to stop then.
    private(set) var thrown: (any Error)?

    /// - Returns: `nil` to end the transfer.
    func take(into target: UnsafeMutableRawBufferPointer) -> Int? {
        if let source {
            do { return try source(target) } catch {
                thrown = error
                return nil
            }
        }
        let piece = outgoing[sent...].prefix(target.count)
        target.copyBytes(from: piece)
        sent += piece.count
        return piece.count
    }

    /// Fewer bytes than offered tell libcurl to stop.
    func keepBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        // An answer that is no success has words about the failure: they are collected.
        if let sink, (200..<300).contains(head.status) {
            do { try sink(head, bytes) } catch {
                thrown = error
                return 0
            }
            return bytes.count
        }
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

    func keepHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
        head.add(bytes)
        return bytes.count
    }
}
