// SPDX-License-Identifier: Apache-2.0

import CCurl

/// What libcurl reported. It stays inside the module: `MailError` and `WebError` say what it means there.
struct CurlError: Error, Equatable {
    enum Kind: Sendable, Equatable {
        case unknownHost, cannotConnect, timedOut, encryption, login, writeRefused, unsupportedURL, other
    }

    /// A CURLcode.
    let code: UInt32
    /// libcurl's own words, in English.
    let message: String

    var kind: Kind {
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
        default: .other
        }
    }
}
