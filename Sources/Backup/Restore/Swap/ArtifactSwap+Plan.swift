// SPDX-License-Identifier: Apache-2.0

import SystemIO

extension ArtifactSwap {
    /// What shall happen to each name, written down before anything happens.
    struct Plan: Sendable, Equatable, Codable {
        /// A child of either side; it is what the plan means as long as it has this inode.
        struct Child: Sendable, Equatable, Codable {
            let name: [UInt8]
            let inode: UInt64

            /// No file system uses it.
            static let unknown: UInt64 = 0
        }

        let arrivals: [Child]
        /// Live children that the backup does not have.
        let departures: [Child]

        init(arrivals: [Child], departures: [Child]) {
            self.arrivals = arrivals
            self.departures = departures
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            arrivals = try container.decode([Child].self, forKey: .arrivals)
            do { departures = try container.decode([Child].self, forKey: .departures) } catch {
                // 0.1.0 knew departures by name only.
                departures = try container.decode([[UInt8]].self, forKey: .departures).map {
                    Child(name: $0, inode: Child.unknown)
                }
            }
        }
    }

    /// Something directly in the artifacts folder, before the swap gave it another time.
    struct Present: Sendable, Equatable, Codable {
        let inode: UInt64
        let size: UInt64
        let modified: FileTime
    }
}
