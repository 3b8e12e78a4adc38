// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What a column of MLflow's says of where artifacts are (mlflow/utils/uri.py, 3.17).
enum ArtifactLocation: Equatable, Sendable {
    /// `mlflow-artifacts:`, or the route behind it: below whatever the server's `--artifacts-destination` is.
    case served(PathParts)
    /// A path on the machine, or in the container, of whoever wrote the row.
    case local(PathParts)
    /// A store elsewhere (`PlaceName` says which).
    case remote
    /// A path that hangs on the folder in which some program of MLflow's was started.
    case relative
    /// Names another row (`runs:/`, `models:/`), or nothing.
    case reference

    init(_ text: String) {
        let (named, authority, path) = Self.split(text)
        guard let scheme = named else {
            self = Self.plain(path)
            return
        }
        switch scheme {
        case "runs", "models": self = .reference
        case "mlflow-artifacts": self = .served(PathParts(encoded: path))
        case "file":
            if authority.isEmpty || authority == "localhost" {
                self = path.first == slash ? .local(PathParts(encoded: path)) : Self.plain(path)
            } else {
                self = .remote
            }
        case "http", "https":
            let parts = PathParts(encoded: path)
            self = parts.served.map { .served($0) } ?? .remote
        default: self = .remote
        }
    }

    /// - Returns: the parts of a URI; of a plain path no scheme, and all of it as the path.
    static func split(_ text: String) -> (scheme: String?, authority: String, path: [UInt8]) {
        let bytes = Array(text.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), let scheme = Self.scheme(bytes[..<colon]) else {
            return (nil, "", bytes)
        }
        // Query and fragment may hold credentials, and name no place.
        let rest = bytes[(colon + 1)...].prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        let (authority, path) = Self.split(Array(rest))
        return (scheme, authority, path)
    }

    private static func plain(_ bytes: [UInt8]) -> ArtifactLocation {
        if bytes.first == slash { return .local(PathParts(path: bytes)) }
        return PathParts(path: bytes).names.isEmpty ? .reference : .relative
    }

    private static func scheme(_ bytes: ArraySlice<UInt8>) -> String? {
        let name = String(decoding: bytes, as: UTF8.self).lowercased()
        guard let first = name.utf8.first, (0x61...0x7A).contains(first) else { return nil }
        let isScheme = name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E].contains($0)
        }
        return isScheme ? name : nil
    }

    private static func split(_ rest: [UInt8]) -> (authority: String, path: [UInt8]) {
        guard rest.starts(with: [slash, slash]) else { return ("", rest) }
        let authority = rest.dropFirst(2).prefix { $0 != slash }
        return (String(decoding: authority, as: UTF8.self), Array(rest.dropFirst(2 + authority.count)))
    }

    /// What stands before the last @ lets one in, but for Azure, where it is the container.
    static func withoutCredentials(_ scheme: String, _ authority: String) -> String {
        guard let at = authority.lastIndex(of: "@") else { return authority }
        let before = authority[..<at]
        // Lower-case letters, digits and hyphens, 63 at most.
        let isName =
            before.utf8.count <= 63
            && before.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D || $0 == 0x24
            }
        let isContainer = ["wasb", "wasbs", "abfs", "abfss"].contains(scheme) && isName
        return isContainer ? authority : String(authority[authority.index(after: at)...])
    }
}

extension PathParts {
    /// Below the route by which a server hands artifacts out (`/api/2.0/mlflow-artifacts/artifacts/…`).
    fileprivate var served: PathParts? {
        let route = [Array("mlflow-artifacts".utf8), Array("artifacts".utf8)]
        guard let start = names.indices.first(where: { names[$0...].starts(with: route) }) else { return nil }
        return PathParts(names[(start + 2)...])
    }
}

private let slash = UInt8(ascii: "/")
