// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Times as stores write them.
enum TimeText {
    /// `2026-11-28T16:33:58.014Z`, with or without a fraction, or with an offset (RFC 3339 section 5.6).
    ///
    /// A fraction of zeros is none: S3 writes `.000Z`, and counts in seconds.
    static func internet(_ text: String) -> ObjectStamps.ModificationTime? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == dash, bytes[7] == dash, bytes[13] == colon, bytes[16] == colon,
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
            let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19])
        else { return nil }
        var rest = bytes[19...]
        var fraction: ArraySlice<UInt8> = []
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            fraction = rest.prefix { (0x30...0x39).contains($0) }.prefix(9)
            rest = rest.drop { (0x30...0x39).contains($0) }
        }
        guard let offset = offset(rest), let seconds = seconds(year, month, day, hour, minute, second) else {
            return nil
        }
        var nanoseconds: Int64 = 0
        var unit: Int64 = 1_000_000_000
        for digit in fraction {
            unit /= 10
            nanoseconds += Int64(digit - 0x30) * unit
        }
        return time(seconds - offset, nanoseconds, granularity: nanoseconds == 0 ? 1_000_000_000 : unit)
    }

    /// `Sat, 28 Nov 2026 16:37:01 GMT` (RFC 9110 section 5.6.7).
    static func http(_ text: String?) -> ObjectStamps.ModificationTime? {
        let words = (text ?? "").split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let day = Int64(words[1]), let year = Int64(words[3]),
            let month = months.firstIndex(of: String(words[2]))
        else { return nil }
        let clock = words[4].split(separator: ":").map { Int64($0) }
        guard clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2],
            let seconds = seconds(year, Int64(month) + 1, day, hour, minute, second)
        else { return nil }
        return time(seconds, 0, granularity: 1_000_000_000)
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let dash = UInt8(ascii: "-")
    private static let colon = UInt8(ascii: ":")

    private static func time(
        _ seconds: Int64, _ nanoseconds: Int64, granularity: Int64
    ) -> ObjectStamps.ModificationTime {
        ObjectStamps.ModificationTime(
            nanoseconds: seconds.multiplied(clamped: 1_000_000_000).adding(clamped: nanoseconds),
            granularity: granularity)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        digits.allSatisfy { (0x30...0x39).contains($0) } ? Int64(String(decoding: digits, as: UTF8.self)) : nil
    }

    /// Seconds east of UTC of `Z` or `+08:00`.
    private static func offset(_ text: ArraySlice<UInt8>) -> Int64? {
        if text.elementsEqual("Z".utf8) { return 0 }
        let bytes = Array(text)
        guard bytes.count == 6, bytes[3] == colon, bytes[0] == UInt8(ascii: "+") || bytes[0] == dash,
            let hours = number(bytes[1..<3]), let minutes = number(bytes[4..<6])
        else { return nil }
        return (hours * 3600 + minutes * 60) * (bytes[0] == dash ? -1 : 1)
    }

    /// Since 1970 UTC.
    private static func seconds(
        _ year: Int64, _ month: Int64, _ day: Int64, _ hour: Int64, _ minute: Int64, _ second: Int64
    ) -> Int64? {
        guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        let days = CivilDate.days(year: Int(year), month: Int(month), day: Int(day))
        return days * 86_400 + hour * 3600 + minute * 60 + second
    }
}
