// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Keys that requests are signed with.
package struct S3Keys: Sendable, Equatable {
    package let id: String
    package let secret: Secret
    /// Of keys that expire (AWS STS).
    package let token: Secret?

    package init(id: String, secret: Secret, token: Secret? = nil) {
        (self.id, self.secret, self.token) = (id, secret, token)
    }
}

/// A bucket, or a part of it, and how it is talked to.
package struct S3Settings: Sendable, Equatable {
    package let bucket: String
    /// Empty, or with a slash at its end.
    package let prefix: [UInt8]
    package let keys: S3Keys
    /// `https://host:port`; `nil` for AWS's own.
    package var endpoint: String?
    package var region = "us-east-1"
    /// Whether the bucket is the first part of the path, or of the host's name.
    package var usesPathStyle: Bool
    package var checksCertificates = true
    /// A file in PEM form with the authorities that are trusted; `nil` for the system's.
    package var authorityFile: String?
    /// Header lines of what is written: how the store is to encrypt it.
    package var encryption: [String] = []
    /// In bytes: what is larger is sent in parts, of this size at least. S3 takes 5 GiB at once, and 10,000 parts.
    package var partSize: UInt64 = 64 << 20
    /// In bytes: what is larger is copied in parts. S3 copies 5 GiB at once.
    package var copyLimit: UInt64 = 5 << 30

    package init(bucket: String, prefix: [UInt8] = [], keys: S3Keys, endpoint: String? = nil) {
        (self.bucket, self.prefix, self.keys, self.endpoint) = (bucket, prefix, keys, endpoint)
        // A certificate for `*.s3.amazonaws.com` has no room for a dot; other servers often have no name for each bucket.
        usesPathStyle = endpoint != nil || bucket.contains(".")
    }

    /// - Parameters:
    ///   - key: the whole one, prefix included; `nil` for the bucket.
    ///   - query: names and values, not encoded.
    func url(_ key: [UInt8]?, region: String, query: [(String, String)] = []) -> String {
        let base = endpoint.map { $0.last == "/" ? String($0.dropLast()) : $0 } ?? Self.amazon(region)
        var url = base
        if usesPathStyle {
            url += "/" + PercentEncoding.encode(bucket.utf8)
        } else if let scheme = base.firstRange(of: "://") {
            url.insert(contentsOf: bucket + ".", at: scheme.upperBound)
        }
        if let key {
            url += "/" + PercentEncoding.path(key)
        } else if !usesPathStyle {
            url += "/"
        }
        if query.isEmpty { return url }
        // In the order in which they are signed.
        let encoded = query.map { (PercentEncoding.encode($0.0.utf8), PercentEncoding.encode($0.1.utf8)) }
        return url + "?" + encoded.sorted { $0 < $1 }.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    private static func amazon(_ region: String) -> String {
        "https://s3.\(region).amazonaws.com" + (region.hasPrefix("cn-") ? ".cn" : "")
    }
}
