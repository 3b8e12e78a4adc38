// SPDX-License-Identifier: Apache-2.0

import CCurl

/// What libcurl reported. It goes no further than those who call libcurl: `MailError`, `WebError` and `ObjectStoreError` say what it means there.
package struct CurlError: Error, Equatable {
    package enum Kind: Sendable, Equatable {
        case unknownHost, cannotConnect, timedOut, encryption, login, writeRefused, unsupportedURL
        /// The connection ended before the answer did.
        case brokenOff
        /// `isToEnd` said so.
        case ended
        case other
    }

    /// A CURLcode.
    package let code: UInt32
    /// libcurl's own words, in English.
    package let message: String

    package var kind: Kind {
        switch CURLcode(code) {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unknownHost
        case CURLE_COULDNT_CONNECT: .cannotConnect
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        case CURLE_USE_SSL_FAILED, CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
            .encryption
        case CURLE_LOGIN_DENIED: .login
        case CURLE_WRITE_ERROR: .writeRefused
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT: .unsupportedURL
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_SEND_FAIL_REWIND,
            CURLE_HTTP2, CURLE_HTTP2_STREAM:
            .brokenOff
        case CURLE_ABORTED_BY_CALLBACK: .ended
        default: .other
        }
    }
}
