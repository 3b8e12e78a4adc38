// SPDX-License-Identifier: Apache-2.0

import CCurl

/// A libcurl easy handle with the connections that it keeps open: transfers one after the other that are given the same one reuse them.
///
/// Not Sendable: it is made, used and freed on one thread.
package final class CurlHandle {
    let easy: UnsafeMutableRawPointer
    /// libcurl may still write to it while it closes connections, so it is as old as the handle.
    let errorText: UnsafeMutablePointer<CChar>

    package init() throws(CurlError) {
        guard Self.isReady else { throw CurlError(code: CURLE_FAILED_INIT.rawValue, message: "curl_global_init") }
        guard let easy = curl_easy_init() else {
            throw CurlError(code: CURLE_OUT_OF_MEMORY.rawValue, message: "curl_easy_init")
        }
        self.easy = easy
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(easy)
        errorText.deallocate()
    }

    /// curl_global_init is to be called once; a static is, whatever thread comes first.
    private static let isReady: Bool = ccurl_global_init() == CURLE_OK
}
