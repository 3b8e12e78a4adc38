// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO

/// AWS Signature Version 4 of one request (AWS General Reference, "Create a signed AWS API request").
///
/// libcurl 7.88 could sign, but sorts header lines with their values: `x-amz-copy-source-range` comes before `x-amz-copy-source` there, and
/// no server takes the signature.
struct SignatureV4 {
    let keys: S3Keys
    let region: String
    /// `20261128T165735Z`.
    let time: String

    /// What stands for the body's digest. It is not signed: a large file would be read twice.
    static let unsignedBody = "UNSIGNED-PAYLOAD"

    /// The header lines to send: those given, and those that sign them.
    /// - Parameters:
    ///   - url: encoded, its query in the order of its bytes.
    ///   - headers: each with a value.
    func headers(method: String, url: String, _ headers: [String], body: String = unsignedBody) -> [String] {
        let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        let host = rest.prefix { $0 != "/" && $0 != "?" }
        let target = rest.dropFirst(host.count).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = target.first.flatMap { $0.isEmpty ? nil : $0 } ?? "/"
        var sent = headers + ["x-amz-content-sha256: \(body)", "x-amz-date: \(time)"]
        if let token = keys.token { sent.append("x-amz-security-token: \(token.revealed)") }
        var fields = sent.map(Self.canonical)
        fields.append(("host", Self.withoutUsualPort(host, of: url)))
        fields.sort { $0.name < $1.name }
        let names = fields.map(\.name).joined(separator: ";")
        let canonical =
            "\(method)\n\(path)\n\(target.count > 1 ? target[1] : "")\n"
            + fields.map { "\($0.name):\($0.value)\n" }.joined() + "\n\(names)\n\(body)"
        let day = String(time.prefix(8))
        let scope = "\(day)/\(region)/s3/aws4_request"
        let text = "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n" + SHA256.digest(of: Array(canonical.utf8)).hex
        var key = Array("AWS4\(keys.secret.revealed)".utf8)
        for part in [day, region, "s3", "aws4_request", text] {
            key = SealedBytes.authenticator(of: Array(part.utf8), key: key)
        }
        sent.append(
            "Authorization: AWS4-HMAC-SHA256 Credential=\(keys.id)/\(scope),SignedHeaders=\(names),Signature="
                + HexDigits.text(key))
        return sent
    }

    /// Spaces at the ends of a value go, and of several within it one stays.
    private static func canonical(_ line: String) -> (name: String, value: String) {
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count > 1 ? parts[1].split(separator: " ").joined(separator: " ") : ""
        return (parts[0].lowercased(), value)
    }

    /// libcurl leaves a scheme's own port out of the header.
    private static func withoutUsualPort(_ host: Substring, of url: String) -> String {
        let port = url.hasPrefix("https:") ? ":443" : ":80"
        return String(host.hasSuffix(port) ? host.dropLast(port.count) : host)
    }

    /// Of now. - Parameter epoch: seconds since 1970 UTC.
    static func time(_ epoch: Int64) -> String {
        let (days, second) = (epoch / 86_400, epoch % 86_400)
        let date = CivilDate(days: days)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(date.year)" + two(Int64(date.month)) + two(Int64(date.day)) + "T" + two(second / 3600)
            + two(second / 60 % 60) + two(second % 60) + "Z"
    }
}
