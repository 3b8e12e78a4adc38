// SPDX-License-Identifier: Apache-2.0

import CMicroHTTPD

/// A body source on its way through libmicrohttpd, which owns it until the response is destroyed.
final class StreamedBody {
    /// Read at once, and kept for each body that is being sent.
    private static let blockBytes = 128 << 10

    private let source: any BodySource
    /// Bytes still promised, where a length was.
    private var left: UInt64?
    private let onEvent: @Sendable (HTTPServerEvent) -> Void

    private init(source: any BodySource, length: UInt64?, onEvent: @escaping @Sendable (HTTPServerEvent) -> Void) {
        self.source = source
        left = length
        self.onEvent = onEvent
    }

    static func response(
        source: any BodySource, length: UInt64?, onEvent: @escaping @Sendable (HTTPServerEvent) -> Void
    ) -> OpaquePointer? {
        let reference = Unmanaged.passRetained(StreamedBody(source: source, length: length, onEvent: onEvent))
        let response = MHD_create_response_from_callback(
            length ?? mhd_size_unknown, blockBytes,
            { context, _, buffer, size in
                guard let context, let buffer else { return mhd_end_with_error }
                let body = Unmanaged<StreamedBody>.fromOpaque(context).takeUnretainedValue()
                return body.fill(UnsafeMutableRawBufferPointer(start: buffer, count: size))
            },
            reference.toOpaque(),
            { context in
                if let context { Unmanaged<StreamedBody>.fromOpaque(context).release() }
            })
        // MHD calls the release only for a response that came to be.
        if response == nil { reference.release() }
        return response
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        let room = Int(min(UInt64(buffer.count), left ?? .max))
        do {
            let count = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<room]))
            precondition((0...room).contains(count), "a body source reads no more than asked")
            if count == 0 {
                guard let left, left > 0 else { return mhd_end_of_stream }
                onEvent(.bodyFailed(reason: "the source ended \(left) bytes early"))
                return mhd_end_with_error
            }
            left = left.map { $0 - UInt64(count) }
            return count
        } catch {
            onEvent(.bodyFailed(reason: String(describing: error)))
            return mhd_end_with_error
        }
    }
}
