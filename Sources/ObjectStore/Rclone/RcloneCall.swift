// SPDX-License-Identifier: Apache-2.0

import Foundation
import Wording

/// JSON to and from `rclone rcd` (rclone, "Remote controlling rclone with its API").
enum RcloneCall {
    static func encoded(_ input: [String: Any]) throws -> [UInt8] {
        Array(try JSONSerialization.data(withJSONObject: input))
    }

    /// What an answer that is no success says. Its `input`, which may have secrets, is left alone.
    static func error(_ body: [UInt8]) -> String {
        struct Failure: Decodable { let error: String }
        guard let failure = try? JSONDecoder().decode(Failure.self, from: Data(body)) else { return "no reason given" }
        return failure.error.beginning(bytes: 400).shown
    }

    static func decoded<Value: Decodable>(
        _ type: Value.Type, _ body: [UInt8], place: String
    ) throws(ObjectStoreError) -> Value {
        do { return try JSONDecoder().decode(type, from: Data(body)) } catch {
            throw .badAnswer(place: place, reason: "no JSON of \(Value.self)")
        }
    }
}
