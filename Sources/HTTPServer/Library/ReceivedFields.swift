// SPDX-License-Identifier: Apache-2.0

import CMicroHTTPD
import Glibc

/// The header fields of a request, out of libmicrohttpd's buffer.
struct ReceivedFields {
    private var fields: [HTTPHeaders.Field] = []
    private var areLines = true
    /// Behind the value of the field before, or the request line.
    private var end: UnsafePointer<CChar>?

    /// - Parameters:
    ///   - method: where the head begins in the buffer.
    ///   - version: the last word of the request line.
    /// - Returns: the fields, and whether they stand in the buffer as lines do, one behind the other with CR and LF between them, for
    ///   which 0.9.75 has put two NULs, from the request line to the end of the head. A NUL of the client's, which would end a value or
    ///   the head, a folded line, and a bare LF show by bytes that are too many or too few.
    static func read(
        _ connection: OpaquePointer, method: UnsafePointer<CChar>, version: UnsafePointer<CChar>
    ) -> (HTTPHeaders, areLines: Bool) {
        var received = ReceivedFields()
        received.end = version + strlen(version)
        withUnsafeMutablePointer(to: &received) { target in
            _ = MHD_get_connection_values_n(
                connection, .HEADER_KIND,
                { context, _, name, nameSize, value, valueSize in
                    guard let context, let name else { return .YES }
                    context.assumingMemoryBound(to: ReceivedFields.self).pointee.add(
                        UnsafeBufferPointer(start: name, count: nameSize),
                        UnsafeBufferPointer(start: value, count: valueSize))
                    return .YES
                }, target)
        }
        let size = mhd_head_size(connection)
        let areLines = received.areLines && received.end.map { method + size == $0 + 4 } == true
        return (HTTPHeaders(received: received.fields), areLines)
    }

    private mutating func add(_ name: UnsafeBufferPointer<CChar>, _ value: UnsafeBufferPointer<CChar>) {
        fields.append(
            HTTPHeaders.Field(
                name: String(decoding: UnsafeRawBufferPointer(name), as: UTF8.self),
                // MHD keeps white space after a value.
                value: String(
                    ASCII.trimmed(String(decoding: UnsafeRawBufferPointer(value), as: UTF8.self)[...]))))
        if let end, name.baseAddress != end + 2 { areLines = false }
        guard let start = value.baseAddress else {
            areLines = false
            return
        }
        end = start + value.count
    }
}
