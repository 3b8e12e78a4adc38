// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemIO

/// A small value of the service's own in a file of the state folder: nothing depends on it that is not made good by its loss.
enum StateRecord {
    /// - Parameter limit: bytes of one at most.
    /// - Returns: `nil` where there is none, and for what cannot be read.
    static func read<Value: Decodable>(_ type: Value.Type, at path: FilePath, limit: Int = 1 << 20) -> Value? {
        guard let bytes = try? OpenFile(path, .readNoFollow).readAll(limit: limit) else { return nil }
        return try? JSONDecoder().decode(type, from: Data(bytes))
    }

    static func write(_ value: some Encodable, to path: FilePath, mode: UInt32 = 0o600) throws {
        try DurableFile.replace(path, with: Array(try JSONEncoder().encode(value)), mode: mode)
    }
}
