// SPDX-License-Identifier: Apache-2.0

extension HTTPResponse {
    /// A file as the request's conditions and Range want it, in the order of RFC 9110 §13.2.2: 412 (If-Match),
    /// 304 (If-None-Match), 206 or 416 (Range, where If-Range allows it), or 200.
    ///
    /// - Parameters:
    ///   - descriptor: An open regular file.
    ///   - size: Its length in bytes, as published; a file that turns out shorter ends the connection.
    ///   - entityTag: A strong tag of these bytes; without one If-Range never matches.
    ///   - filename: Offered for saving, if given.
    package static func file(
        _ descriptor: OwnedDescriptor, size: UInt64, entityTag: EntityTag?, contentType: String,
        filename: String? = nil, for request: HTTPRequest
    ) -> HTTPResponse {
        var headers: HTTPHeaders = ["Accept-Ranges": "bytes"]
        if let entityTag { headers.add("ETag", entityTag.description) }

        if let status = failedPrecondition(of: request, entityTag: entityTag) {
            // 304 has no content, but where it has a Content-Length it is that of 200 (RFC 9110 §8.6).
            let body: HTTPBody = status == 304 ? .file(descriptor, offset: 0, length: size) : .none
            return HTTPResponse(status: status, headers: headers, body: body)
        }
        let range = ByteRange(header: rangeHeader(of: request, entityTag: entityTag), size: size)
        if range == .unsatisfiable {
            headers.add("Content-Range", "bytes */\(size)")
            return HTTPResponse(status: 416, headers: headers)
        }
        headers.add("Content-Type", contentType)
        if let filename { headers.add("Content-Disposition", ContentDisposition.attachment(filename: filename)) }
        guard case .part(let offset, let length) = range else {
            return HTTPResponse(status: 200, headers: headers, body: .file(descriptor, offset: 0, length: size))
        }
        headers.add("Content-Range", "bytes \(offset)-\(offset + length - 1)/\(size)")
        return HTTPResponse(status: 206, headers: headers, body: .file(descriptor, offset: offset, length: length))
    }

    /// The Range header where it counts: on GET alone (RFC 9110 §14.2), and with If-Range only while the file is the
    /// one the client has a part of. Dates in If-Range never match: they cannot promise the same bytes.
    private static func rangeHeader(of request: HTTPRequest, entityTag: EntityTag?) -> String? {
        let ranges = request.headers.values("Range")
        guard request.method == "GET", ranges.count == 1 else { return nil }
        if let condition = request.headers["If-Range"] {
            guard let entityTag, let tag = EntityTag(header: condition), tag.matchesStrongly(entityTag) else {
                return nil
            }
        }
        return ranges[0]
    }
}
