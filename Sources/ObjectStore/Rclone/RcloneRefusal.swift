// SPDX-License-Identifier: Apache-2.0

/// An answer of rclone that is no success. It has words for what the store said, and seldom a status.
struct RcloneRefusal {
    let status: Int
    let words: String

    private func says(_ texts: String...) -> Bool {
        let words = words.lowercased()
        return texts.contains { words.contains($0) }
    }

    private var isOfKeys: Bool {
        says(
            "invalidaccesskeyid", "signaturedoesnotmatch", "expiredtoken", "invalidtoken", "unable to authenticate",
            "401 unauthorized", "authenticationfailed", "invalid_grant", "530 ", "no credential",
            "get identity: get credentials")
    }

    private var isOfPlace: Bool {
        says("nosuchbucket", "containernotfound", "bucket doesn't exist", "bucket does not exist")
    }
    private var isOfHost: Bool { says("no such host") }
    private var isOfConnection: Bool {
        says("connection refused", "couldn't connect", "no route to host", "network is unreachable")
    }
    private var isOfSilence: Bool { says("i/o timeout", "deadline exceeded", "timeout awaiting") }
    private var isOfCertificate: Bool { says("x509:", "tls: failed to verify", "knownhosts:", "host key") }
    private var isOfRights: Bool {
        says("accessdenied", "access denied", "403 forbidden", "permission denied", "authorizationpermissionmismatch")
    }
    private var isOfBusyness: Bool {
        says(
            "slowdown", "internalerror", "serviceunavailable", "serverbusy", "too many requests", "503 ", "502 ",
            "504 ",
            "429 ", "500 internal", "connection reset", "unexpected eof", "broken pipe", "ratelimit", ": eof")
    }

    /// Whether the same request may be answered a little later.
    var passes: Bool {
        if isOfKeys || isOfPlace || isOfCertificate || isOfRights { return false }
        return isOfHost || isOfConnection || isOfSilence || isOfBusyness || [429, 502, 503, 504].contains(status)
    }

    func error(key: ObjectKey?, place: String, stall: Double) -> ObjectStoreError {
        if isOfKeys { return .wrongKeys(place: place, reason: words) }
        if isOfPlace { return .noSuchBucket(place: place) }
        if isOfCertificate { return .certificate(place: place, reason: words) }
        if isOfRights { return .accessDenied(place: place, reason: words) }
        if isOfHost { return .unknownHost(place: place, reason: words) }
        if isOfConnection { return .cannotConnect(place: place, reason: words) }
        if isOfSilence { return .stalled(place: place, seconds: stall) }
        if passes { return .throttled(place: place, seconds: 0, reason: words) }
        if status == 404 || says("object not found", "directory not found") {
            if let key { return .gone(key: key) }
            return .noSuchBucket(place: place)
        }
        if says("didn't find section in config file") {
            return .badCredentials(name: "RCLONE_CONFIG", reason: words)
        }
        return .refused(place: place, status: status, reason: words)
    }
}
