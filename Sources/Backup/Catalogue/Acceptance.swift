// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// That a person took a backup for right, so that it is the measure for those after it. Every sidecar of the stack carries
/// the last one: it outlives the accepted backup, and needs no state of ours.
struct Acceptance: Sendable, Equatable, Codable {
    /// The accepted backup, and when it was made, in seconds since 1970 UTC.
    var name: String
    var created: Int64
    /// When it was accepted, in seconds since 1970 UTC.
    var acceptedAt: Int64
    /// What it held: the measure where nothing else is left of it and after it.
    var summary: Manifest.Summary?

    enum CodingKeys: String, CodingKey {
        case name, created, summary
        case acceptedAt = "accepted_at"
    }

    /// The one that counts. What is dated in the future is after no acceptance, and an acceptance of such a one, or from
    /// the future, is none: it would let nothing be measured until that day comes.
    static func last(among items: [CatalogueItem], _ now: LocalTime) -> Acceptance? {
        items.flatMap { [$0.acceptance, $0.sidecar?.acceptance].compactMap { $0 } }
            .filter { $0.acceptedAt <= now.epoch && $0.created <= now.epoch }
            .max { ($0.acceptedAt, $0.created) < ($1.acceptedAt, $1.created) }
    }

    /// What the sidecar of a new backup carries on.
    /// - Parameter items: the catalogue without it.
    static func carried(among items: [CatalogueItem], _ ownership: Ownership, now: LocalTime = .now()) -> Acceptance? {
        last(among: items.filter { $0.isMeasureOfOurs(ownership) }, now)
    }
}

extension CatalogueItem {
    /// That it was itself accepted, whatever has become of it since.
    var acceptance: Acceptance? {
        sidecar?.acceptedAt.map {
            Acceptance(name: name.string, created: created.epoch, acceptedAt: $0, summary: sidecar?.summary)
        }
    }

    /// One that somebody put here and accepted is as good as our own.
    func isMeasureOfOurs(_ ownership: Ownership) -> Bool {
        (sidecar?.adopted == false || sidecar?.acceptedAt != nil) && ownership.mayReuse(self)
    }
}
