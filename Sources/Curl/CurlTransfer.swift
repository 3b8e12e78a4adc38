// SPDX-License-Identifier: Apache-2.0

import CCurl

/// One transfer of libcurl, synchronous. Only this target imports libcurl.
///
/// Not Sendable: it is made, used and freed on one thread, and no other transfer uses its handle meanwhile.
package final class CurlTransfer {
    private let handle: CurlHandle
    private var lists: [UnsafeMutablePointer<curl_slist>] = []
    let buffers = CurlBuffers()

    /// - Parameters:
    ///   - protocols: what the URL may be, as `http,https`: never a file.
    ///   - seconds: for the whole transfer; `nil` where its size is unknown (`setStallLimit` ends it then).
    ///   - usesProxy: whether one that the environment names is used. Peers on our own network are reached without.
    ///   - handle: whose open connections are used; a new one by default.
    package init(
        _ url: String, protocols: String, connectSeconds: Double, seconds: Double?, usesProxy: Bool = false,
        on handle: CurlHandle? = nil
    ) throws(CurlError) {
        self.handle = if let handle { handle } else { try CurlHandle() }
        self.handle.errorText.pointee = 0
        try check(ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, self.handle.errorText))
        // No signals: they belong to the whole process.
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_PROTOCOLS_STR, protocols)
        try set(CURLOPT_FOLLOWLOCATION, 0)
        if !usesProxy { try set(CURLOPT_PROXY, "") }
        try set(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(connectSeconds))
        if let seconds { try set(CURLOPT_TIMEOUT_MS, Self.milliseconds(seconds)) }
        try set(CURLOPT_URL, url)
    }

    deinit {
        // The handle lives on, and must not point at what goes now.
        curl_easy_reset(easy)
        lists.forEach { curl_slist_free_all($0) }
    }

    var easy: UnsafeMutableRawPointer { handle.easy }

    /// Thirty years stand for any longer time, none for one that is no number.
    static func milliseconds(_ seconds: Double) -> Int { Int(min(max(seconds.isNaN ? 0 : seconds, 0), 1e9) * 1000) }

    func set(_ option: CURLoption, _ value: Int) throws(CurlError) { try check(ccurl_set_long(easy, option, value)) }

    func set(_ option: CURLoption, _ value: String) throws(CurlError) {
        try check(ccurl_set_string(easy, option, value))
    }

    /// Header lines or recipients. libcurl does not copy lists: they live as long as this object.
    func set(_ option: CURLoption, _ values: [String]) throws(CurlError) {
        var list: UnsafeMutablePointer<curl_slist>?
        for value in values {
            guard let longer = curl_slist_append(list, value) else {
                curl_slist_free_all(list)
                throw CurlError(code: CURLE_OUT_OF_MEMORY.rawValue, message: "curl_slist_append")
            }
            list = longer
        }
        guard let list else { return }
        lists.append(list)
        try check(ccurl_set_pointer(easy, option, list))
    }

    /// What is sent: a request's body or a mail's text.
    func upload(_ bytes: [UInt8]) throws(CurlError) {
        buffers.outgoing = bytes
        try setReader()
    }

    /// Collects the body, up to `limit` bytes; a longer one ends the transfer with `writeRefused`.
    package func collectBody(limit: Int) throws(CurlError) {
        buffers.bodyLimit = limit
        try setWriter()
    }

    func setReader() throws(CurlError) {
        try check(
            ccurl_set_function(easy, CURLOPT_READFUNCTION) { target, size, count, context in
                guard let target, let context else { return 0 }
                let buffers = Unmanaged<CurlBuffers>.fromOpaque(context).takeUnretainedValue()
                return buffers.take(into: UnsafeMutableRawBufferPointer(start: target, count: size * count))
                    ?? ccurl_read_abort()
            })
        try check(ccurl_set_pointer(easy, CURLOPT_READDATA, Unmanaged.passUnretained(buffers).toOpaque()))
    }

    func setWriter() throws(CurlError) {
        try check(
            ccurl_set_function(easy, CURLOPT_WRITEFUNCTION) { source, size, count, context in
                guard let source, let context else { return 0 }
                let buffers = Unmanaged<CurlBuffers>.fromOpaque(context).takeUnretainedValue()
                return buffers.keepBody(UnsafeRawBufferPointer(start: source, count: size * count))
            })
        try check(ccurl_set_pointer(easy, CURLOPT_WRITEDATA, Unmanaged.passUnretained(buffers).toOpaque()))
    }

    /// Keeps the last line with which a mail server refused something, for `refusal`.
    package func keepRefusals() throws(CurlError) {
        try check(
            ccurl_set_function(easy, CURLOPT_HEADERFUNCTION) { source, size, count, context in
                guard let source, let context else { return 0 }
                let buffers = Unmanaged<CurlBuffers>.fromOpaque(context).takeUnretainedValue()
                return buffers.keepReply(UnsafeRawBufferPointer(start: source, count: size * count))
            })
        try check(ccurl_set_pointer(easy, CURLOPT_HEADERDATA, Unmanaged.passUnretained(buffers).toOpaque()))
    }

    package func perform() throws(CurlError) { try check(curl_easy_perform(easy)) }

    /// The last HTTP status or SMTP reply code; 0 where none came.
    package var responseCode: Int {
        var code = 0
        return ccurl_response_code(easy, &code) == CURLE_OK ? code : 0
    }

    package var body: [UInt8] { buffers.body }
    package var refusal: String { buffers.refusal }

    func check(_ code: CURLcode) throws(CurlError) {
        if code == CURLE_OK { return }
        let text = String(cString: handle.errorText)
        throw CurlError(code: code.rawValue, message: text.isEmpty ? String(cString: curl_easy_strerror(code)) : text)
    }
}
