// SPDX-License-Identifier: Apache-2.0

import CCurl

/// One libcurl easy handle for one transfer, synchronous. Only this folder imports libcurl.
///
/// Not Sendable: it is made, used and freed on one thread.
final class CurlTransfer {
    private let handle: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var lists: [UnsafeMutablePointer<curl_slist>] = []
    private let buffers = CurlBuffers()

    /// - Parameters:
    ///   - protocols: what the URL may be, as `http,https`: never a file.
    ///   - seconds: for the whole transfer.
    ///   - usesProxy: whether one that the environment names is used. Peers on our own network are reached without.
    init(
        _ url: String, protocols: String, connectSeconds: Double, seconds: Double, usesProxy: Bool = false
    ) throws(CurlError) {
        guard CurlTransfer.isReady else {
            throw CurlError(code: CURLE_FAILED_INIT.rawValue, message: "curl_global_init")
        }
        guard let handle = curl_easy_init() else {
            throw CurlError(code: CURLE_OUT_OF_MEMORY.rawValue, message: "curl_easy_init")
        }
        self.handle = handle
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        try check(ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText))
        // No signals: they belong to the whole process.
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_PROTOCOLS_STR, protocols)
        try set(CURLOPT_FOLLOWLOCATION, 0)
        if !usesProxy { try set(CURLOPT_PROXY, "") }
        try set(CURLOPT_CONNECTTIMEOUT_MS, Int(connectSeconds * 1000))
        try set(CURLOPT_TIMEOUT_MS, Int(seconds * 1000))
        try set(CURLOPT_URL, url)
    }

    deinit {
        curl_easy_cleanup(handle)
        lists.forEach { curl_slist_free_all($0) }
        errorText.deallocate()
    }

    /// curl_global_init is to be called once; a static is, whatever thread comes first.
    private static let isReady: Bool = ccurl_global_init() == CURLE_OK

    func set(_ option: CURLoption, _ value: Int) throws(CurlError) { try check(ccurl_set_long(handle, option, value)) }

    func set(_ option: CURLoption, _ value: String) throws(CurlError) {
        try check(ccurl_set_string(handle, option, value))
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
        try check(ccurl_set_pointer(handle, option, list))
    }

    /// What is sent: a request's body or a mail's text.
    func upload(_ bytes: [UInt8]) throws(CurlError) {
        buffers.outgoing = bytes
        try check(
            ccurl_set_function(handle, CURLOPT_READFUNCTION) { target, size, count, context in
                guard let target, let context else { return 0 }
                let buffers = Unmanaged<CurlBuffers>.fromOpaque(context).takeUnretainedValue()
                return buffers.take(into: UnsafeMutableRawBufferPointer(start: target, count: size * count))
            })
        try check(ccurl_set_pointer(handle, CURLOPT_READDATA, Unmanaged.passUnretained(buffers).toOpaque()))
    }

    /// Collects the body, up to `limit` bytes; a longer one ends the transfer with `writeRefused`.
    func collectBody(limit: Int) throws(CurlError) {
        buffers.bodyLimit = limit
        try check(
            ccurl_set_function(handle, CURLOPT_WRITEFUNCTION) { source, size, count, context in
                guard let source, let context else { return 0 }
                let buffers = Unmanaged<CurlBuffers>.fromOpaque(context).takeUnretainedValue()
                return buffers.keepBody(UnsafeRawBufferPointer(start: source, count: size * count))
            })
        try check(ccurl_set_pointer(handle, CURLOPT_WRITEDATA, Unmanaged.passUnretained(buffers).toOpaque()))
    }

    /// Keeps the last line with which a mail server refused something, for `refusal`.
    func keepRefusals() throws(CurlError) {
        try check(
            ccurl_set_function(handle, CURLOPT_HEADERFUNCTION) { source, size, count, context in
                guard let source, let context else { return 0 }
                let buffers = Unmanaged<CurlBuffers>.fromOpaque(context).takeUnretainedValue()
                return buffers.keepReply(UnsafeRawBufferPointer(start: source, count: size * count))
            })
        try check(ccurl_set_pointer(handle, CURLOPT_HEADERDATA, Unmanaged.passUnretained(buffers).toOpaque()))
    }

    func perform() throws(CurlError) { try check(curl_easy_perform(handle)) }

    /// The last HTTP status or SMTP reply code; 0 where none came.
    var responseCode: Int {
        var code = 0
        return ccurl_response_code(handle, &code) == CURLE_OK ? code : 0
    }

    var body: [UInt8] { buffers.body }
    var refusal: String { buffers.refusal }

    private func check(_ code: CURLcode) throws(CurlError) {
        if code == CURLE_OK { return }
        let text = String(cString: errorText)
        throw CurlError(code: code.rawValue, message: text.isEmpty ? String(cString: curl_easy_strerror(code)) : text)
    }
}
