// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO

extension S3Settings {
    /// As MLflow's own client would reach the bucket.
    /// - Returns: `nil` where no keys are at hand: a role has to be asked for them, which rclone can.
    package init?(_ location: RemoteLocation, _ variables: StoreVariables) throws(ObjectStoreError) {
        guard case .s3(let bucket) = location.kind else { return nil }
        let ambient = try S3Ambience(variables)
        guard let keys = ambient.keys else { return nil }
        self.init(
            bucket: bucket, prefix: location.path.isEmpty ? [] : location.path + [UInt8(ascii: "/")], keys: keys,
            endpoint: ambient.endpoint)
        if let region = ambient.region { self.region = region }
        // MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE: `auto` is what we do anyhow.
        switch variables["MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE"] {
        case "path": usesPathStyle = true
        case "virtual": usesPathStyle = false
        default: break
        }
        checksCertificates = ambient.checksCertificates
        authorityFile = ambient.authorityFile
        encryption = Self.encryption(ambient.uploadArguments)
    }

    private static func encryption(_ arguments: [String: String]) -> [String] {
        let names = [
            ("ServerSideEncryption", "x-amz-server-side-encryption"),
            ("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id"),
            ("SSEKMSEncryptionContext", "x-amz-server-side-encryption-context"),
            ("BucketKeyEnabled", "x-amz-server-side-encryption-bucket-key-enabled"),
        ]
        return names.compactMap { name, header in arguments[name].map { "\(header): \($0)" } }
    }
}

/// What MLflow's variables and AWS's files say of S3, whatever the bucket.
struct S3Ambience {
    let keys: S3Keys?
    /// Of AWS's files, where keys have to be asked for.
    let profile: String?
    let endpoint: String?
    let region: String?
    let checksCertificates: Bool
    let authorityFile: String?
    /// Of `MLFLOW_S3_UPLOAD_EXTRA_ARGS`, those that are text.
    let uploadArguments: [String: String]

    init(_ variables: StoreVariables) throws(ObjectStoreError) {
        // Keys of the environment come before a profile's, for boto3, too, also where AWS_PROFILE names one.
        var keys: S3Keys?
        if let id = variables["AWS_ACCESS_KEY_ID"], let secret = variables["AWS_SECRET_ACCESS_KEY"] {
            keys = S3Keys(id: id, secret: Secret(secret), token: variables["AWS_SESSION_TOKEN"].map { Secret($0) })
        }
        let file = try AWSProfile(variables)
        self.keys = keys ?? file?.keys
        profile = variables["AWS_PROFILE"]
        endpoint = try Self.endpoint(
            variables["MLFLOW_S3_ENDPOINT_URL"] ?? variables["AWS_ENDPOINT_URL_S3"] ?? variables["AWS_ENDPOINT_URL"]
                ?? file?.values["endpoint_url"])
        region = variables["AWS_DEFAULT_REGION"] ?? variables["AWS_REGION"] ?? file?.values["region"]
        checksCertificates = !variables.isTrue("MLFLOW_S3_IGNORE_TLS")
        let bundles = try [variables.file("AWS_CA_BUNDLE"), variables.file("REQUESTS_CA_BUNDLE")]
        authorityFile = bundles.compactMap { $0?.string }.first
        uploadArguments = try Self.uploadArguments(variables["MLFLOW_S3_UPLOAD_EXTRA_ARGS"])
        try refuseControls()
    }

    private static func endpoint(_ text: String?) throws(ObjectStoreError) -> String? {
        guard let text else { return nil }
        let isURL = text.hasPrefix("http://") || text.hasPrefix("https://")
        guard isURL, !text.contains("@"), !text.contains("?"), !text.contains("#") else {
            throw .badCredentials(name: "MLFLOW_S3_ENDPOINT_URL", reason: "it is no http(s)://HOST:PORT")
        }
        return text
    }

    private static func uploadArguments(_ text: String?) throws(ObjectStoreError) -> [String: String] {
        guard let text else { return [:] }
        guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw .badCredentials(name: "MLFLOW_S3_UPLOAD_EXTRA_ARGS", reason: "it is no JSON object")
        }
        return object.compactMapValues { value in
            if let flag = value as? Bool, "\(value)" == "\(flag)" { return "\(flag)" }
            return value as? String
        }
    }

    /// A line break in a value would begin another header.
    private func refuseControls() throws(ObjectStoreError) {
        let values = [
            ("AWS_ACCESS_KEY_ID", keys?.id), ("AWS_SECRET_ACCESS_KEY", keys?.secret.revealed),
            ("AWS_SESSION_TOKEN", keys?.token?.revealed), ("MLFLOW_S3_ENDPOINT_URL", endpoint),
            ("AWS_DEFAULT_REGION", region),
        ]
        let all = values + uploadArguments.map { ("MLFLOW_S3_UPLOAD_EXTRA_ARGS", $0.value) }
        for (name, value) in all where value?.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) == true {
            throw .badCredentials(name: name, reason: "it has control characters")
        }
        if let region, region.contains(where: { !$0.isASCII || !($0.isLetter || $0.isNumber || $0 == "-") }) {
            throw .badCredentials(name: "AWS_DEFAULT_REGION", reason: "it is no region")
        }
    }
}
