// SPDX-License-Identifier: Apache-2.0

/// The content of a response. To a HEAD request the same body gives its length and nothing is read.
package enum HTTPBody: Sendable {
    case none
    case bytes([UInt8])
    /// The same bytes in many answers.
    case shared(SharedBytes)
    /// `length` bytes of a file from `offset` on.
    case file(OwnedDescriptor, offset: UInt64, length: UInt64)
    /// Pulled piece by piece. With no length it is sent in chunks, which needs an HTTP/1.1 client.
    case stream(length: UInt64?, source: any BodySource)
}

/// Where a streamed body comes from. The server calls it from one thread at a time and drops it when done.
package protocol BodySource: AnyObject, Sendable {
    /// Fills the start of `buffer` and returns how many bytes; 0 means the end.
    ///
    /// A throw ends the connection at once, so that the client sees a short body and never takes it for a whole one.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}
