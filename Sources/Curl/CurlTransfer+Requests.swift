// SPDX-License-Identifier: Apache-2.0

import CCurl

extension CurlTransfer {
    package func post(_ body: [UInt8], as type: String) throws(CurlError) {
        try upload(body)
        try set(CURLOPT_POST, 1)
        try set(CURLOPT_POSTFIELDSIZE, body.count)
        // Without a wait for "100 Continue", which small servers do not send.
        try set(CURLOPT_HTTPHEADER, ["Content-Type: \(type)", "Expect:"])
    }

    /// - Parameters:
    ///   - from: the envelope's sender, to whom a mail server returns what it cannot deliver.
    ///   - text: the whole message with CRLF line ends. libcurl doubles leading dots itself.
    package func sendMail(from: String, to recipients: [String], text: [UInt8]) throws(CurlError) {
        try upload(text)
        try set(CURLOPT_UPLOAD, 1)
        try set(CURLOPT_MAIL_FROM, "<\(from)>")
        try set(CURLOPT_MAIL_RCPT, recipients.map { "<\($0)>" })
    }

    package func setLogin(username: String, password: String) throws(CurlError) {
        try set(CURLOPT_USERNAME, username)
        try set(CURLOPT_PASSWORD, password)
    }

    package enum Encryption { case required, whereOffered, none }

    package func setEncryption(_ encryption: Encryption, authorityFile: String?) throws(CurlError) {
        let level =
            switch encryption {
            case .required: CURLUSESSL_ALL
            case .whereOffered: CURLUSESSL_TRY
            case .none: CURLUSESSL_NONE
            }
        try set(CURLOPT_USE_SSL, Int(level.rawValue))
        if let authorityFile { try set(CURLOPT_CAINFO, authorityFile) }
    }
}
