// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SystemIO
import Wording

/// What a stack's database speaks of and a backup of the stack does not hold. It is made all the same, and says so.
package struct Elsewhere: Sendable, Equatable, Codable {
    /// Places with artifacts outside of the artifacts folder, that with most first.
    package var places: [ArtifactPlace]
    /// How many there are beyond these.
    package var morePlaces: Int
    /// Artifacts that should be in the artifacts folder as we see it, and are not.
    package var unseen: UnseenArtifacts?
    /// Rows that only the server's key opens (`MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY`, `MLFLOW_CRYPTO_KEK_PASSPHRASE`).
    package var webhookSecrets: Int64
    package var gatewaySecrets: Int64
    /// Whether the server asks for a login, and its users are not in this database.
    package var users: Bool

    enum CodingKeys: String, CodingKey {
        case places, unseen, users
        case morePlaces = "more_places"
        case webhookSecrets = "webhook_secrets"
        case gatewaySecrets = "gateway_secrets"
    }

    private static let mostPlaces = 20

    /// How many need it.
    func rows(of key: ServerKey) -> Int64 {
        switch key {
        case .webhooks: webhookSecrets
        case .gateway: gatewaySecrets
        }
    }

    /// - Parameter asksForLogin: of a server whose users are not in the database.
    /// - Returns: `nil` where there is nothing to say.
    init?(_ reading: PlaceReading, _ found: ArtifactPlaces, asksForLogin: Bool) {
        places = Array(found.places.prefix(Self.mostPlaces))
        morePlaces = found.places.count - places.count
        unseen = found.unseen
        webhookSecrets = reading.webhookSecrets
        gatewaySecrets = reading.gatewaySecrets
        users = asksForLogin
        if places.isEmpty, unseen == nil, webhookSecrets == 0, gatewaySecrets == 0, !users { return nil }
    }
}

extension LiveStack {
    /// Rows name places on any disk.
    private static let places = Questions<ArtifactPlaces>()

    /// - Parameters:
    ///   - isLogin: whether the server asks for a login; where nobody knows it is asked.
    ///   - seconds: for all that the database is asked.
    ///   - asksServer: whether the server is asked, too, what it serves.
    /// - Throws: `PostgresError`; `BackupError.placesSilent` where a disk that the database names does not answer: nobody waits
    ///   for it longer, and nothing of ours needs it.
    func coverage(
        asksForLogin isLogin: Bool? = nil, atMost seconds: Double = 10, asksServer: Bool = true
    ) throws -> Coverage {
        let reading = try database.places(atMost: seconds)
        let (folders, ignored, remote) = (folders, ignored, remote)
        let listed = asksServer ? try servedNames()?.filter { !Self.notArtifacts.contains(Array($0.utf8)) } : nil
        let reply = Self.places.of(artifacts).ask(atMost: seconds) { () throws(SystemError) in
            ArtifactPlaces(
                reading, in: folders, ignoring: ignored, listed: listed,
                remote: RemoteLook(remote, asks: asksServer, atMost: seconds / 2).places)
        }
        guard case .answered(let places) = reply else { throw BackupError.placesSilent }
        let elsewhere = Elsewhere(
            reading, places,
            // Nobody has to ask where the users are here.
            asksForLogin: !reading.hasUsers && (isLogin ?? asksForLogin()))
        return Coverage(elsewhere: elsewhere, lack: Lack(places))
    }
}

/// What a backup made now would not hold.
struct Coverage {
    /// In words; `nil` where there is nothing to say.
    var elsewhere: Elsewhere?
    var lack: Lack
}

extension Workspace {
    /// For the record of an operation that fails by something else, if it fails.
    func coverage() -> Coverage {
        // A backup that cannot tell what it lacks takes no other's place: it is worth a while, and a second try after a session that
        // was ended.
        for attempt in 1...2 {
            do { return try stack.coverage(atMost: 60) } catch {
                log.warning(
                    "it could not be told what is elsewhere", ["attempt": attempt, "reason": error.bilingual.english])
            }
        }
        return Coverage(elsewhere: nil, lack: .unknown)
    }
}
