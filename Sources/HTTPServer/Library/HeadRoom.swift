// SPDX-License-Identifier: Apache-2.0

/// Whether the head of an answer has room beside that of its request.
///
/// libmicrohttpd 0.9.75 keeps both in one block of a connection's memory, with a record of each field, cookie and argument and a copy of the
/// cookies. Where an answer's head does not fit it closes the connection without a word, when the handler has already done what was asked of it.
enum HeadRoom {
    /// - Parameters:
    ///   - size: of the request's head, in bytes.
    ///   - memory: of a connection (`ServerConfiguration.perConnectionMemory`), in bytes.
    static func suffices(_ exchange: Exchange, size: Int, memory: Int) -> Bool {
        let cookies = exchange.headers.values("Cookie")
        let bytesOfCookies = cookies.reduce(0) { $0 + $1.utf8.count + alignment }
        let separators = cookies.reduce(0) { $0 + $1.utf8.count { $0 == UInt8(ascii: ";") } }
        let records = exchange.headers.fields.count + cookies.count + separators + arguments(exchange.targetBytes)
        return size + bytesOfCookies + records * record + longestAnswer <= memory
    }

    /// Whether the target has more arguments than any call takes. Of some 200 libmicrohttpd says nothing and closes, before there is a head.
    static func hasTooManyArguments(_ target: [UInt8]) -> Bool { arguments(target) > 100 }

    private static func arguments(_ target: [UInt8]) -> Int {
        target.count { $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: "?") }
    }

    private static let alignment = 16
    /// `struct MHD_HTTP_Req_Header`: seven words.
    private static let record = 64
    /// Bytes of the longest head of an answer: a download whose name has 255 bytes, each of them percent-encoded once more.
    private static let longestAnswer = 2560
}
