// SPDX-License-Identifier: Apache-2.0

/// One of the five fields of a cron line, as crontab(5) has it.
enum CronField: Int, Sendable, CaseIterable {
    case minute, hour, dayOfMonth, month, dayOfWeek

    var range: ClosedRange<Int> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        // 7 is Sunday too.
        case .dayOfWeek: 0...7
        }
    }

    private var names: [String] {
        switch self {
        case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
        case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
        case .minute, .hour, .dayOfMonth: []
        }
    }

    /// The values that a field lists: `*`, `5`, `1-5`, `*/15`, `10-30/5`, `MON,WED`. As in Vixie cron, `5/15` counts on
    /// to the end of the range.
    func values(_ text: String) throws(CronError) -> Set<Int> {
        var values: Set<Int> = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            values.formUnion(try items(String(item)))
        }
        if self == .dayOfWeek, values.remove(7) != nil { values.insert(0) }
        return values
    }

    private func items(_ text: String) throws(CronError) -> [Int] {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var step = 1
        if parts.count == 2 {
            guard let count = Self.number(parts[1]), count > 0 else { throw .badField(self, text) }
            step = count
        }
        let bounds: ClosedRange<Int>
        if parts[0] == "*" {
            // The second Sunday is left out, or `*/7` would hit the day twice.
            bounds = self == .dayOfWeek ? 0...6 : range
        } else {
            let ends = parts[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let first = try value(ends[0], in: text)
            let last = ends.count == 2 ? try value(ends[1], in: text) : parts.count == 2 ? range.upperBound : first
            guard first <= last else { throw .badField(self, text) }
            bounds = first...last
        }
        return Array(stride(from: bounds.lowerBound, through: bounds.upperBound, by: step))
    }

    private func value(_ text: String, in item: String) throws(CronError) -> Int {
        if let index = names.firstIndex(of: text.uppercased()) { return index + (self == .month ? 1 : 0) }
        guard let number = Self.number(text), range.contains(number) else { throw .badField(self, item) }
        return number
    }

    /// Digits only: `Int` would read `+5` and `-5` as well.
    private static func number(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.count < 6, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}
