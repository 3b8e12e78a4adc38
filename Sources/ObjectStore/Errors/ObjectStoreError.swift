// SPDX-License-Identifier: Apache-2.0

/// What a store did not do. Places are shown without credentials (`RemoteLocation.description`).
package enum ObjectStoreError: Error, Equatable {
    /// What was to be read as a place is none. Nothing of it is shown: there may be a password in it.
    case badLocation(reason: String)
    case unsupportedScheme(String)
    /// A variable or a file with credentials that cannot be used. - `name`: of the variable or the file.
    case badCredentials(name: String, reason: String)

    case noSuchBucket(place: String)
    case accessDenied(place: String, reason: String)
    case wrongKeys(place: String, reason: String)
    /// The clocks of this machine and of the store are too far apart for a signature.
    case clockSkew(place: String)

    case unknownHost(place: String, reason: String)
    case cannotConnect(place: String, reason: String)
    case certificate(place: String, reason: String)
    /// Nothing came for so long. - `seconds`: of one try.
    case stalled(place: String, seconds: Double)
    /// It had no time for us for so long, however often it was asked.
    case throttled(place: String, seconds: Double, reason: String)
    /// Connections break off before an answer is whole, however often it was asked.
    case brokenOff(place: String, reason: String)

    /// The object was there when it was listed, perhaps, and is not.
    case gone(key: ObjectKey)
    /// It was replaced while it was read, or before it was copied.
    case changed(key: ObjectKey)
    case tooLarge(key: ObjectKey, limit: UInt64)
    /// A key that this kind of store has no name for.
    case keyNotExpressible(key: ObjectKey)
    /// The file that was to be sent became shorter.
    case sourceShrank(path: String)

    /// An answer that is none of this protocol.
    case badAnswer(place: String, reason: String)
    /// A listing whose keys are in no order, or come again.
    case unordered(place: String)
    /// Anything else that it refused, in its own words. - `status`: of HTTP.
    case refused(place: String, status: Int, reason: String)

    case rcloneMissing(path: String)
    /// - `reason`: the end of what it logged.
    case rcloneDied(reason: String)
}
