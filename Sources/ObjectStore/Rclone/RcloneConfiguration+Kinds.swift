// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// rclone's own pages on each kind of store ("Standard options", "Advanced options") have the names.
extension RcloneConfiguration {
    /// Without keys of ours: a role, a profile that asks somebody, or the machine's own identity (`env_auth`).
    static func s3(_ variables: StoreVariables) throws(ObjectStoreError) -> Remote {
        let ambient = try S3Ambience(variables)
        var remote = Remote(type: "s3", parameters: ["provider": .plain(ambient.endpoint == nil ? "AWS" : "Other")])
        if let keys = ambient.keys {
            remote.parameters["access_key_id"] = .plain(keys.id)
            remote.parameters["secret_access_key"] = .secret(keys.secret)
            if let token = keys.token { remote.parameters["session_token"] = .secret(token) }
        } else {
            remote.parameters["env_auth"] = .plain("true")
            if let profile = ambient.profile { remote.parameters["profile"] = .plain(profile) }
        }
        if let endpoint = ambient.endpoint { remote.parameters["endpoint"] = .plain(endpoint) }
        if let region = ambient.region { remote.parameters["region"] = .plain(region) }
        if let encryption = ambient.uploadArguments["ServerSideEncryption"] {
            remote.parameters["server_side_encryption"] = .plain(encryption)
        }
        if let key = ambient.uploadArguments["SSEKMSKeyId"] { remote.parameters["sse_kms_key_id"] = .plain(key) }
        // A bucket is there, or it is an error: to look for it, or make it, needs rights that MLflow does not.
        remote.parameters["no_check_bucket"] = .plain("true")
        return remote
    }

    static func googleCloud(_ variables: StoreVariables) throws(ObjectStoreError) -> Remote {
        var remote = Remote(
            type: "google cloud storage",
            parameters: ["no_check_bucket": .plain("true"), "bucket_policy_only": .plain("true")])
        if let file = try variables.file("GOOGLE_APPLICATION_CREDENTIALS") {
            remote.parameters["service_account_file"] = .plain(file.string)
        } else {
            remote.parameters["env_auth"] = .plain("true")
        }
        return remote
    }

    static func azure(
        _ container: String, _ host: String, _ variables: StoreVariables
    ) throws(ObjectStoreError) -> Remote {
        var remote = Remote(type: "azureblob", parameters: ["no_check_container": .plain("true")])
        let account = host.split(separator: ".").first.map(String.init) ?? ""
        if let text = variables["AZURE_STORAGE_CONNECTION_STRING"] {
            var fields: [String: String] = [:]
            for part in text.split(separator: ";") {
                // A key ends in `=` itself.
                let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                if pair.count == 2 { fields[pair[0]] = pair[1] }
            }
            let name = fields["AccountName"] ?? account
            let suffix = fields["EndpointSuffix"] ?? "core.windows.net"
            let endpoint = fields["BlobEndpoint"] ?? "https://\(name).blob.\(suffix)"
            if let key = fields["AccountKey"], !name.isEmpty {
                remote.parameters["account"] = .plain(name)
                remote.parameters["key"] = .secret(Secret(key))
                remote.parameters["endpoint"] = .plain(endpoint)
            } else if let signature = fields["SharedAccessSignature"] {
                remote.parameters["sas_url"] = .secret(Secret("\(endpoint)/\(container)?\(signature)"))
            } else {
                throw .badCredentials(
                    name: "AZURE_STORAGE_CONNECTION_STRING", reason: "no AccountKey and no SharedAccessSignature in it")
            }
            return remote
        }
        guard !account.isEmpty else {
            throw .badCredentials(
                name: "AZURE_STORAGE_CONNECTION_STRING", reason: "it is not set, and no account named")
        }
        remote.parameters["account"] = .plain(account)
        remote.parameters["endpoint"] = .plain("https://\(host)")
        if let key = variables["AZURE_STORAGE_ACCESS_KEY"] {
            remote.parameters["key"] = .secret(Secret(key))
        } else {
            remote.parameters["env_auth"] = .plain("true")
        }
        return remote
    }

    static func sftp(_ host: RemoteLocation.Host, _ variables: StoreVariables) -> Remote {
        var remote = Remote(type: "sftp", parameters: login(host, hostName: "host"))
        // Commands for checksums need a shell there, and read each file.
        remote.parameters["shell_type"] = .plain("none")
        if host.password == nil {
            let keys = [".ssh/id_ed25519", ".ssh/id_ecdsa", ".ssh/id_rsa"].compactMap(variables.home)
            if variables["SSH_AUTH_SOCK"] != nil {
                remote.parameters["key_use_agent"] = .plain("true")
            } else if let key = keys.first {
                remote.parameters["key_file"] = .plain(key.string)
            }
        }
        if let known = variables.home(".ssh/known_hosts") {
            remote.parameters["known_hosts_file"] = .plain(known.string)
        }
        return remote
    }

    /// MLflow's client takes the user from `MLFLOW_KERBEROS_USER`.
    static func hdfs(_ host: RemoteLocation.Host, _ variables: StoreVariables) -> Remote {
        let address = "\(host.name):\(host.port ?? 8020)"
        var remote = Remote(type: "hdfs", parameters: ["namenode": .plain(address)])
        if let user = variables["MLFLOW_KERBEROS_USER"] ?? host.user { remote.parameters["username"] = .plain(user) }
        return remote
    }

    static func webDAV(_ host: RemoteLocation.Host, _ isEncrypted: Bool) -> Remote {
        var remote = Remote(type: "webdav", parameters: login(host, hostName: nil))
        remote.parameters.removeValue(forKey: "port")
        let name = host.name.contains(":") ? "[\(host.name)]" : host.name
        let port = host.port.map { ":\($0)" } ?? ""
        remote.parameters["url"] = .plain("http\(isEncrypted ? "s" : "")://\(name)\(port)")
        remote.parameters["vendor"] = .plain("other")
        // Its own 10 ms between any two requests make 33 objects a second; who is asked too often says so, and is asked again.
        remote.parameters["pacer_min_sleep"] = .plain("1ms")
        return remote
    }

    static func login(_ host: RemoteLocation.Host, hostName: String?) -> [String: Parameter] {
        var parameters: [String: Parameter] = [:]
        if let hostName { parameters[hostName] = .plain(host.name) }
        if let port = host.port { parameters["port"] = .plain("\(port)") }
        if let user = host.user { parameters["user"] = .plain(user) }
        if let password = host.password { parameters["pass"] = .secret(password) }
        return parameters
    }
}
