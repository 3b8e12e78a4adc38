// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// A profile of AWS's files: `~/.aws/credentials`, and `~/.aws/config`, where its section is called `profile NAME`.
struct AWSProfile {
    private(set) var values: [String: String] = [:]

    /// - Returns: `nil` where no profile is named and no file is there.
    /// - Throws: `.badCredentials` where a profile is named that no file has.
    init?(_ variables: StoreVariables) throws(ObjectStoreError) {
        let chosen = variables["AWS_PROFILE"] ?? variables["AWS_DEFAULT_PROFILE"]
        let name = chosen ?? "default"
        let credentials = try variables.file("AWS_SHARED_CREDENTIALS_FILE") ?? variables.home(".aws/credentials")
        let config = try variables.file("AWS_CONFIG_FILE") ?? variables.home(".aws/config")
        var isFound = false
        for (file, section) in [(config, name == "default" ? name : "profile \(name)"), (credentials, name)] {
            guard let file, let lines = try Self.sections(file)[section] else { continue }
            isFound = true
            values.merge(lines) { _, new in new }
        }
        if !isFound, let chosen {
            throw .badCredentials(name: "AWS_PROFILE", reason: "no file has the profile \(chosen)")
        }
        if !isFound { return nil }
    }

    /// Keys that stand in the file, and need nobody to be asked.
    var keys: S3Keys? {
        guard let id = values["aws_access_key_id"], let secret = values["aws_secret_access_key"] else { return nil }
        return S3Keys(id: id, secret: Secret(secret), token: values["aws_session_token"].map { Secret($0) })
    }

    private static func sections(_ file: FilePath) throws(ObjectStoreError) -> [String: [String: String]] {
        let bytes: [UInt8]
        do { bytes = try OpenFile(file, .read).readAll(limit: 1 << 20) } catch {
            throw .badCredentials(name: file.string, reason: error.reason)
        }
        var found: [String: [String: String]] = [:]
        var section = ""
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let bare = trimmed(line)
            if bare.hasPrefix("#") || bare.hasPrefix(";") { continue }
            if bare.hasPrefix("["), bare.hasSuffix("]") {
                section = bare.dropFirst().dropLast().split(separator: " ").joined(separator: " ")
                found[section, default: [:]] = found[section] ?? [:]
            } else if !line.hasPrefix(" "), !line.hasPrefix("\t"), let sign = bare.firstIndex(of: "=") {
                // An indented line is a part of a nested value (`s3 =`).
                let value = trimmed(bare[bare.index(after: sign)...])
                found[section, default: [:]][trimmed(bare[..<sign]).lowercased()] = String(value)
            }
        }
        return found
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" || text.last == "\r" { text = text.dropLast() }
        return text
    }
}
