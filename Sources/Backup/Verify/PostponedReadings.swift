// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemIO

/// When the nightly reading of a copy was tried and did not come to its end: others go first then, or one that takes
/// longer than a night would keep them from ever being read. Losing it loses only that order.
struct PostponedReadings {
    static let fileName = "readings-postponed.json"

    private let path: FilePath
    /// Seconds since 1970 UTC, by name.
    private var tried: [String: Int64]
    private let before: [String: Int64]

    /// - Parameter items: what there is. Of others nothing is known any more.
    init(in folder: BackupFolder, among items: [CatalogueItem]) {
        path = folder.state.appending(Self.fileName)
        let bytes = try? OpenFile(path, .readNoFollow).readAll(limit: 4 << 20)
        before = bytes.flatMap { try? JSONDecoder().decode([String: Int64].self, from: Data($0)) } ?? [:]
        let names = Set(items.map(\.name.string))
        tried = before.filter { names.contains($0.key) }
    }

    /// - Returns: `nil` where it was not tried, or in the future.
    func tried(_ name: BackupName, _ now: LocalTime) -> Int64? {
        tried[name.string].flatMap { $0 <= now.epoch ? $0 : nil }
    }

    mutating func add(_ name: BackupName, _ now: LocalTime = .now()) { tried[name.string] = now.epoch }

    mutating func remove(_ name: BackupName) { tried[name.string] = nil }

    /// Where anything changed.
    func write() throws {
        guard tried != before else { return }
        if tried.isEmpty { return try Directory.remove(path) }
        try DurableFile.replace(path, with: Array(JSONEncoder().encode(tried)), mode: 0o640)
    }
}
