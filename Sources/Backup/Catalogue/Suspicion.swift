// SPDX-License-Identifier: Apache-2.0

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
    /// - Returns: `nil` where nothing is wrong, or there is nothing to compare with.
    static func of(_ summary: Manifest.Summary, among items: [CatalogueItem], _ ownership: Ownership) -> Suspicion? {
        let good = items.filter { $0.status == .completed && $0.sidecar?.adopted == false }
        let ours = good.filter { ownership.mayReuse($0) }
        // A stack that has none of its own beside those of another is what a lost database volume makes.
        let measured = sinceAccepted(ours.isEmpty ? good : ours)
        return Measure.allCases.lazy.compactMap { measure -> Suspicion? in
            guard let found = summary.amount(of: measure),
                let largest = measured.compactMap({ item in
                    item.sidecar?.summary?.amount(of: measure).map { ($0, item) }
                })
                .max(by: { $0.0 < $1.0 }), largest.0 > 0, found < (largest.0 + 1) / 2
            else { return nil }
            return Suspicion(
                measure: measure, found: found, expected: largest.0, than: largest.1.name.string)
        }.first
    }

    private static func sinceAccepted(_ items: [CatalogueItem]) -> [CatalogueItem] {
        guard let accepted = items.first(where: { $0.sidecar?.acceptedAt != nil }) else { return items }
        return items.filter { $0.created >= accepted.created }
    }
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
