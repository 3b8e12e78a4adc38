// SPDX-License-Identifier: Apache-2.0

import SystemIO

extension ArtifactSwap {
    /// What shall happen to each name, written down before anything happens.
    struct Plan: Sendable, Equatable, Codable {
        /// A child of either side; it is what the plan means as long as it has this inode.
        struct Child: Sendable, Equatable, Codable {
            let name: [UInt8]
            let inode: UInt64
            /// Of a subvolume of btrfs, of which each has the same inode; `nil` for all else, and in older journals.
            var volume: UInt64?

            /// No file system uses it.
            static let unknown: UInt64 = 0

            init(name: [UInt8], inode: UInt64, volume: UInt64? = nil) {
                (self.name, self.inode, self.volume) = (name, inode, volume)
            }

            /// - Parameter parent: the folder that it is in.
            /// - Returns: `nil` where nothing has the name.
            init?(_ name: [UInt8], in folder: FilePath, _ parent: FileStatus) throws {
                let path = folder.appending(name)
                guard let status = try FileStatus.ifPresent(path) else { return nil }
                let isSubvolume = Subvolume.isRoot(status, in: parent)
                self.init(name: name, inode: status.inode, volume: isSubvolume ? try Subvolume.number(of: path) : nil)
            }

            /// Whether it is what has a name now.
            func isAt(_ path: FilePath) throws -> Bool {
                guard let status = try FileStatus.ifPresent(path), status.inode == inode else { return false }
                return try volume == nil || Subvolume.number(of: path) == volume
            }

            /// Whether both are one thing, whatever its names are.
            func isSame(as other: Child) -> Bool {
                inode == other.inode && (volume == nil || other.volume == nil || volume == other.volume)
            }
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
