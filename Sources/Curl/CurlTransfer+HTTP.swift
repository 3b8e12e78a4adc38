// SPDX-License-Identifier: Apache-2.0

import CCurl

extension CurlTransfer {
    package enum Method: Sendable, Equatable {
        case get, head, delete
        /// A body of so many bytes, which `perform` asks for.
        case put(length: UInt64)
        /// A body that is at hand.
        case post([UInt8])

        package var name: String {
            switch self {
            case .get: "GET"
            case .head: "HEAD"
            case .delete: "DELETE"
            case .put: "PUT"
            case .post: "POST"
            }
        }
    }

    package func setMethod(_ method: Method) throws(CurlError) {
        switch method {
        case .get: try set(CURLOPT_HTTPGET, 1)
        case .head: try set(CURLOPT_NOBODY, 1)
        case .delete: try set(CURLOPT_CUSTOMREQUEST, "DELETE")
        case .put(let length):
            try set(CURLOPT_UPLOAD, 1)
            try check(ccurl_set_large(easy, CURLOPT_INFILESIZE_LARGE, Int64(clamping: length)))
            try setReader()
        case .post(let body):
            try set(CURLOPT_POST, 1)
            // libcurl copies it, once it knows how long it is.
            try check(ccurl_set_large(easy, CURLOPT_POSTFIELDSIZE_LARGE, Int64(body.count)))
            var code = CURLE_OK
            body.withUnsafeBytes { bytes in
                var nothing: UInt8 = 0
                // An empty array has no address, and without one libcurl would read standard input.
                code =
                    bytes.isEmpty
                    ? ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, &nothing)
                    : ccurl_set_pointer(
                        easy, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            }
            try check(code)
        }
    }

    /// - Parameter lines: `Name: value`; `Name:` leaves out what libcurl would send of itself.
    package func setHeaders(_ lines: [String]) throws(CurlError) { try set(CURLOPT_HTTPHEADER, lines) }

    /// The path goes out as it stands in the URL: `a//b` and `..` are names to an object store.
    package func keepPathAsIs() throws(CurlError) { try set(CURLOPT_PATH_AS_IS, 1) }

    package func setUnixSocket(_ path: String) throws(CurlError) { try set(CURLOPT_UNIX_SOCKET_PATH, path) }

    /// Ends with `timedOut` once so many seconds passed with less than a byte a second.
    package func setStallLimit(seconds: Double) throws(CurlError) {
        try set(CURLOPT_LOW_SPEED_LIMIT, 1)
        try set(CURLOPT_LOW_SPEED_TIME, max(1, Self.milliseconds(seconds) / 1000))
    }

    package func setCertificates(authorityFile: String?, areChecked: Bool) throws(CurlError) {
        if let authorityFile { try set(CURLOPT_CAINFO, authorityFile) }
        if !areChecked {
            try set(CURLOPT_SSL_VERIFYPEER, 0)
            try set(CURLOPT_SSL_VERIFYHOST, 0)
        }
    }

    /// As `perform`, with the body in pieces.
    /// - Parameters:
    ///   - source: fills a buffer with the next bytes of the request's body, 0 at its end.
    ///   - sink: takes the next bytes of an answer of 2xx; `body` has what any other says, up to `bodyLimit` bytes. The pointer ends with the call.
    ///   - isToEnd: asked about once a second while nothing comes, and more often else.
    /// - Returns: the status and the fields of the answer.
    /// - Throws: `CurlError`, or what `source` or `sink` threw.
    package func perform(
        bodyLimit: Int, from source: ((UnsafeMutableRawBufferPointer) throws -> Int)? = nil,
        into sink: ((CurlHead, UnsafeRawBufferPointer) throws -> Void)? = nil, isToEnd: @escaping () -> Bool = { false }
    ) throws -> CurlHead {
        buffers.bodyLimit = bodyLimit
        try setWriter()
        try check(
            ccurl_set_function(easy, CURLOPT_HEADERFUNCTION) { source, size, count, context in
                guard let source, let context else { return 0 }
                let buffers = Unmanaged<CurlBuffers>.fromOpaque(context).takeUnretainedValue()
                return buffers.keepHeader(UnsafeRawBufferPointer(start: source, count: size * count))
            })
        try check(ccurl_set_pointer(easy, CURLOPT_HEADERDATA, Unmanaged.passUnretained(buffers).toOpaque()))
        try set(CURLOPT_NOPROGRESS, 0)
        try check(
            ccurl_set_progress(easy) { context, _, _, _, _ in
                guard let context else { return 0 }
                return Unmanaged<CurlBuffers>.fromOpaque(context).takeUnretainedValue().isToEnd?() == true ? 1 : 0
            })
        try check(ccurl_set_pointer(easy, CURLOPT_XFERINFODATA, Unmanaged.passUnretained(buffers).toOpaque()))
        // Larger pieces than libcurl's own 16 KiB, which cost a call each. A handle that has its buffers still, as after a host that was
        // not found, keeps them and says CURLE_BAD_FUNCTION_ARGUMENT: that is no failure.
        _ = ccurl_set_long(easy, CURLOPT_BUFFERSIZE, 256 << 10)
        _ = ccurl_set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256 << 10)
        (buffers.source, buffers.sink, buffers.isToEnd) = (source, sink, isToEnd)
        defer { (buffers.source, buffers.sink, buffers.isToEnd) = (nil, nil, nil) }
        do throws(CurlError) { try perform() } catch { throw buffers.thrown ?? error }
        return buffers.head
    }
}
