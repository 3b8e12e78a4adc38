// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// What makes a backup suspicious: it holds less than half of what was there before. An empty folder in the place of a disk
/// that is not mounted, or a database made anew, looks like that.
package struct Suspicion: Sendable, Equatable, Codable {
    package enum Measure: String, Sendable, Codable, CaseIterable { case files, bytes, runs, rows }

    package var measure: Measure
    /// What this backup has, and what the other one has.
    package var found: Int64
    package var expected: Int64
    /// The name of the other one.
    package var than: String
    /// The table that is empty, `schema.table`; `nil` where the backup as a whole is small.
    package var table: String?
    /// The folder of the artifacts in which a disk was mounted, and none is; `nil` as above.
    package var mount: String?
    /// The further folder of the artifacts (`ArtifactFolder.name`) that is small, or missing; `nil` as above.
    package var root: String?

    package var text: BilingualText {
        if let mount {
            return BilingualText(
                zh: "artifacts 中的 \(mount) 处没有挂载磁盘，而 \(than) 备份时有",
                en: "nothing is mounted at \(mount) in the artifacts, where a disk was when \(than) was made")
        }
        if let root {
            return BilingualText(
                zh: "artifacts 目录 \(root) 中只有 \(found) 个文件，而 \(than) 中有 \(expected) 个",
                en: "of the artifacts folder \(root) it has only \(found) files, where \(than) has \(expected)")
        }
        if let table {
            return BilingualText(
                zh: "表 \(table) 是空的，而 \(than) 中有 \(expected) 行",
                en: "\(table) is empty, where \(than) has \(expected) rows")
        }
        let (chinese, english) =
            switch measure {
            case .files: ("\(found) 个文件", "\(found) files")
            case .bytes: (HumanUnits.size(UInt64(max(found, 0))), HumanUnits.size(UInt64(max(found, 0))))
            case .runs: ("\(found) 个运行", "\(found) runs")
            case .rows: ("\(found) 行数据", "\(found) rows")
            }
        let before = measure == .bytes ? HumanUnits.size(UInt64(max(expected, 0))) : "\(expected)"
        return BilingualText(
            zh: "只有 \(chinese)，而 \(than) 有 \(before)", en: "it has only \(english), where \(than) has \(before)")
    }

    var isPlausible: Bool { PlausibleNumber.isCount(found) && PlausibleNumber.isCount(expected) }
}

extension Suspicion {
    /// Compares a new backup with the largest good one that is kept.
    ///
    /// What a person accepted is the measure from then on: those before it do not count, also when it is gone (`Acceptance`).
    /// - Parameters:
    ///   - items: the catalogue without the new one, newest first.
    ///   - now: what is dated after it was made by a clock that was ahead.
    /// - Returns: `nil` where nothing is wrong, or there is nothing to compare with.
    static func of(
        _ summary: Manifest.Summary, rows: [String: Int64] = [:], mounts: [String]? = nil, among items: [CatalogueItem],
        _ ownership: Ownership, now: LocalTime = .now()
    ) -> Suspicion? {
        of(summary, rows: rows, mounts: mounts, measuredBy: measures(among: items, ownership, now: now))
    }

    /// What a backup held that measures others.
    struct Measuring {
        let name: String
        let summary: Manifest.Summary?
        /// Read when it is asked for; `nil` where it cannot be.
        var manifest: () -> Manifest? = { nil }
    }

    /// What measures a backup beside these, newest first.
    static func measures(among items: [CatalogueItem], _ ownership: Ownership, now: LocalTime) -> [Measuring] {
        let ours = items.filter { $0.isMeasureOfOurs(ownership) }
        let good = ours.filter { $0.status == .completed }
        let others = good.isEmpty ? damaged(ours) + withoutOurs(items, ownership) : []
        let accepted = Acceptance.last(among: ours + others, now)
        let measured = (good + others).filter { item in
            accepted.map { item.created.epoch >= $0.created && item.created <= now } ?? true
        }
        if measured.isEmpty, let accepted { return [Measuring(name: accepted.name, summary: accepted.summary)] }
        // What a clock that was ahead dated is not the newest.
        let ordered = measured.filter { $0.created <= now } + measured.filter { $0.created > now }
        return ordered.map { item in
            Measuring(name: item.name.string, summary: item.measuredSummary) { try? item.quickManifest() }
        }
    }

    /// - Parameters:
    ///   - rows: of the new one, by `schema.table`.
    ///   - mounts: what was mounted in its artifacts (`Manifest.Artifacts.mounts`); `nil` where nobody looked.
    static func of(
        _ summary: Manifest.Summary, rows: [String: Int64] = [:], mounts: [String]? = nil,
        measuredBy measuring: [Measuring]
    ) -> Suspicion? {
        small(summary, measuring) ?? smallRoot(summary, measuring) ?? emptied(rows, since: measuring.first)
            ?? mounts.flatMap { unmounted($0, since: measuring.first) }
    }

    /// One experiment may be a disk of its own: what is missing without it may be less than half.
    static func unmounted(_ mounts: [String], since before: Measuring?) -> Suspicion? {
        guard let before, let gone = (before.manifest()?.allMounts ?? []).first(where: { !mounts.contains($0) })
        else { return nil }
        return Suspicion(measure: .files, found: 0, expected: 0, than: before.name, mount: gone)
    }

    private static func small(_ summary: Manifest.Summary, _ measuring: [Measuring]) -> Suspicion? {
        Measure.allCases.lazy.compactMap { measure -> Suspicion? in
            guard let found = summary.amount(of: measure),
                let largest = measuring.compactMap({ one in
                    one.summary?.amount(of: measure).map { ($0, one.name) }
                })
                .max(by: { $0.0 < $1.0 }), largest.0 > 0, found < largest.0 / 2 + largest.0 % 2
            else { return nil }
            return Suspicion(
                measure: measure, found: found, expected: largest.0, than: largest.1)
        }.first
    }

    /// A folder by itself: what is missing without it may be less than half of all.
    private static func smallRoot(_ summary: Manifest.Summary, _ measuring: [Measuring]) -> Suspicion? {
        let names = Set(measuring.flatMap { ($0.summary?.roots ?? [:]).keys })
        return names.sorted().lazy.compactMap { name -> Suspicion? in
            let found = summary.roots?[name] ?? 0
            let known = measuring.compactMap { one in one.summary?.roots?[name].map { ($0, one.name) } }
            guard let largest = known.max(by: { $0.0 < $1.0 }), largest.0 > 0, found < largest.0 / 2 + largest.0 % 2
            else { return nil }
            var suspicion = Suspicion(measure: .files, found: found, expected: largest.0, than: largest.1)
            suspicion.root = name
            return suspicion
        }.first
    }

    /// What was there when all good ones of ours turned out damaged is what their sidecars say, as long as these are sound.
    /// One that was suspicious never measured anything.
    private static func damaged(_ ours: [CatalogueItem]) -> [CatalogueItem] {
        ours.filter { $0.status == .corrupt && $0.sidecar?.summary != nil && $0.sidecar?.suspicion == nil }
    }

    /// What measures a stack that has no good ones of its own. Beside those of another it is what a lost database volume
    /// makes; where sidecars were lost, its own are listed as put here by somebody, or as not verified. Those that show
    /// another database are no measure: anybody may have put them here.
    private static func withoutOurs(_ items: [CatalogueItem], _ ownership: Ownership) -> [CatalogueItem] {
        items.filter { item in
            switch item.status {
            case .completed where item.sidecar?.adopted == false: true
            case .completed, .unverified: ownership.showsOurDatabase(item)
            case .corrupt, .suspicious: false
            }
        }
    }
}

extension CatalogueItem {
    /// Of one that was never verified it is the manifest's, whose damage shows elsewhere.
    fileprivate var measuredSummary: Manifest.Summary? { sidecar?.summary ?? (try? quickManifest())?.summary }
}

extension Manifest.Summary {
    fileprivate func amount(of measure: Suspicion.Measure) -> Int64? {
        switch measure {
        case .files: Int64(files)
        case .bytes: Int64(clamping: contentBytes)
        case .runs: runs
        case .rows: rows
        }
    }
}
