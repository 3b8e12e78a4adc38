// SPDX-License-Identifier: Apache-2.0

import Foundation
import ObjectStore
import SystemIO
import TestSupport

extension RequestPatience {
    /// Of tests: pauses are short, and a machine that does much else is waited for.
    static let short = RequestPatience(
        connecting: 20, stall: 20, retrying: 30, firstContact: 20, pause: 0.01, longestPause: 0.1)

    /// Where something is to be seen to fail.
    static let impatient = RequestPatience(
        connecting: 20, stall: 20, retrying: 30, firstContact: 0.5, pause: 0.01, longestPause: 0.1)
}

extension ObjectServer {
    /// The variables that MLflow would have for it.
    var variables: StoreVariables { StoreVariables(environment) }

    /// - Parameters:
    ///   - port: of a proxy before it.
    ///   - change: what differs from what MLflow would have.
    func s3(
        _ uri: String = "s3://bucket", port: Int? = nil, patience: RequestPatience = .short,
        cancellation: Cancellation = Cancellation(), change: (inout S3Settings) -> Void = { _ in }
    ) throws -> S3Store {
        var environment = environment
        if let port { environment["MLFLOW_S3_ENDPOINT_URL"] = "http://127.0.0.1:\(port)" }
        return try S3Store(uri, environment, patience: patience, cancellation: cancellation, change: change)
    }
}

extension S3Store {
    init(
        _ uri: String, _ environment: [String: String], patience: RequestPatience = .short,
        cancellation: Cancellation = Cancellation(), change: (inout S3Settings) -> Void = { _ in }
    ) throws {
        let location = try RemoteLocation(uri)
        guard var settings = try S3Settings(location, StoreVariables(environment)) else { throw NoKeys() }
        change(&settings)
        self.init(settings, place: location.description, patience: patience, cancellation: cancellation)
    }
}

struct NoKeys: Error {}

extension RemoteStore {
    func keys() throws -> [String] { try objects().map(\.key.description) }

    func objects() throws -> [ListedObject] {
        let listing = try list()
        var found: [ListedObject] = []
        while let object = try listing.next() { found.append(object) }
        return found
    }
}

extension StoreConnection {
    func put(_ text: String, as key: ObjectKey, mark: String? = nil) throws {
        try put(.bytes(Array(text.utf8)), as: key, mark: mark)
    }

    func text(_ key: ObjectKey) throws -> String {
        String(decoding: try read(key, limit: 64 << 20).content, as: UTF8.self)
    }
}

/// The error that something ends with; `nil` where it does not.
func failure(_ body: () throws -> Void) -> ObjectStoreError? {
    do { try body() } catch let error as ObjectStoreError { return error } catch {}
    return nil
}

/// Bytes that no compression shortens and no two offsets share.
func noise(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count { withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) } }
    return Array(bytes.prefix(count))
}
