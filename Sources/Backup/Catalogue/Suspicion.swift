// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// What makes a backup suspicious: it holds less than half of what was there before. An empty folder in the place of a disk
/// that is not mounted, or a database made anew, looks like that.
public struct Suspicion: Sendable, Equatable, Codable {
    public enum Measure: String, Sendable, Codable, CaseIterable { case files, bytes, runs, rows }

    public var measure: Measure
    /// What this backup has, and what the other one has.
    public var found: Int64
    public var expected: Int64
    /// The name of the other one.
    public var than: String

    public var text: BilingualText {
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
    /// What a person accepted is the measure from then on: those before it do not count.
    /// - Parameters:
    ///   - items: the catalogue without the new one, newest first.
    ///   - now: what is dated after it was made by a clock that was ahead.
    /// - Returns: `nil` where nothing is wrong, or there is nothing to compare with.
    static func of(
        _ summary: Manifest.Summary, among items: [CatalogueItem], _ ownership: Ownership, now: LocalTime = .now()
    ) -> Suspicion? {
        let good = items.filter { $0.status == .completed }
        // One that somebody put here and accepted is as good as our own.
        let ours = good.filter {
            ($0.sidecar?.adopted == false || $0.sidecar?.acceptedAt != nil) && ownership.mayReuse($0)
        }
        let measured = sinceAccepted(ours.isEmpty ? withoutOurs(items, ownership) : ours, now)
        let summaries = measured.map { ($0, $0.measuredSummary) }
        return Measure.allCases.lazy.compactMap { measure -> Suspicion? in
            guard let found = summary.amount(of: measure),
                let largest = summaries.compactMap({ item, summary in
                    summary?.amount(of: measure).map { ($0, item) }
                })
                .max(by: { $0.0 < $1.0 }), largest.0 > 0, found < (largest.0 + 1) / 2
            else { return nil }
            return Suspicion(
                measure: measure, found: found, expected: largest.0, than: largest.1.name.string)
        }.first
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

    /// What is dated in the future is after no acceptance, and an acceptance of such a one, or from the future, is none:
    /// it would let nothing be measured until that day comes.
    private static func sinceAccepted(_ items: [CatalogueItem], _ now: LocalTime) -> [CatalogueItem] {
        func accepted(_ item: CatalogueItem) -> Int64? {
            guard let moment = item.sidecar?.acceptedAt, moment <= now.epoch, item.created <= now else { return nil }
            return moment
        }
        let last = items.filter { accepted($0) != nil }
            .max { (accepted($0) ?? .min, $0.created) < (accepted($1) ?? .min, $1.created) }
        guard let last else { return items }
        return items.filter { $0.created >= last.created && $0.created <= now }
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
