// SPDX-License-Identifier: Apache-2.0

import CMicroHTTPD
import Glibc

/// libmicrohttpd's form of a response. MHD counts references to it: one is ours until `release`, one is the queue's.
struct PreparedResponse {
    private let pointer: OpaquePointer
    private let status: UInt32

    init?(_ response: HTTPResponse, closing: Bool, onEvent: @escaping @Sendable (HTTPServerEvent) -> Void) {
        guard let pointer = PreparedResponse.make(response.body, onEvent: onEvent) else { return nil }
        self.pointer = pointer
        status = UInt32(clamping: response.status)
        for field in response.headers.fields where !PreparedResponse.belongsToServer(field.name) {
            guard MHD_add_response_header(pointer, field.name, field.value) == .YES else {
                // MHD refuses an empty value; nothing else is left to refuse.
                onEvent(.note("response header \(field.name) was not sent"))
                continue
            }
        }
        if closing { MHD_add_response_header(pointer, "Connection", "close") }
    }

    func queue(on connection: OpaquePointer) -> Bool {
        MHD_queue_response(connection, status, pointer) == .YES
    }

    func release() {
        MHD_destroy_response(pointer)
    }

    private static func belongsToServer(_ name: String) -> Bool {
        ["Content-Length", "Transfer-Encoding", "Connection", "Date"].contains { ASCII.equalIgnoringCase($0, name) }
    }

    private static func make(
        _ body: HTTPBody, onEvent: @escaping @Sendable (HTTPServerEvent) -> Void
    ) -> OpaquePointer? {
        switch body {
        case .none:
            return MHD_create_response_from_buffer(0, nil, .RESPMEM_PERSISTENT)
        case .bytes(let bytes):
            return bytes.withUnsafeBytes { buffer in
                // MHD only reads; its parameter is not const for historical reasons.
                let start = UnsafeMutableRawPointer(mutating: buffer.baseAddress)
                return MHD_create_response_from_buffer(buffer.count, start, .RESPMEM_MUST_COPY)
            }
        case .shared(let shared):
            let reference = Unmanaged.passRetained(shared)
            let start = UnsafeMutableRawPointer(mutating: shared.buffer.baseAddress)
            let response = MHD_create_response_from_buffer_with_free_callback_cls(
                shared.buffer.count, start,
                { context in
                    if let context { Unmanaged<SharedBytes>.fromOpaque(context).release() }
                }, reference.toOpaque())
            // MHD calls the release only for a response that came to be.
            if response == nil { reference.release() }
            return response
        case .file(let file, let offset, let length):
            guard length > 0 else { return make(.none, onEvent: onEvent) }
            guard let source = FileSource(file, from: offset) else { return nil }
            return StreamedBody.response(source: source, length: length, onEvent: onEvent)
        case .stream(let length, let source):
            return StreamedBody.response(source: source, length: length, onEvent: onEvent)
        }
    }
}
