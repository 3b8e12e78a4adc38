// SPDX-License-Identifier: Apache-2.0

import Foundation
import MLflowStore
import Postgres
import SystemIO
import TestSupport
import Testing

/// Two million metrics, for measurements; takes a minute, so only where `COMPARISON_BENCHMARK` is set.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["COMPARISON_BENCHMARK"] != nil))
struct LargeStoreTests {
    @Test func twoMillionMetrics() throws {
        let server = try TemporaryPostgres.shared
        let live = try EditedStores.fresh(started: true)
        let restored = try server.freshDatabase("large")
        let session = try Connection(live)
        try session.execute(
            """
            insert into runs (run_uuid, name, status, lifecycle_stage, experiment_id, start_time)
            select md5(n::text), 'run ' || n, 'FINISHED', 'active', 0, n from generate_series(1, 2000) n
            """)
        try session.execute(
            """
            insert into metrics (key, value, timestamp, run_uuid, step, is_nan)
            select 'loss', random(), 1790000000000 + n, md5((1 + n % 2000)::text), n / 2000, false
            from generate_series(1, 2000000) n
            """)
        try EditedStores.copy(live, to: restored, server)
        try session.execute("vacuum analyze metrics")
        let comparison = try StoreComparison(live: live, restored: restored)
        defer { comparison.close() }
        try measured("first, equal", 0) { try comparison.first() }
        try measured("last, unchanged", 0) { try comparison.last() }
        try session.execute("update metrics set step = step + 1 where timestamp = 1790000000017")
        try measured("last, one metric added", 1) { try comparison.last() }
        try measured("first, one metric differs", 1) { try comparison.first() }
        try session.execute("update metrics set step = step + 100000")
        try measured("first, all differ", 2000) { try comparison.first() }
        print("MEASURED peak memory, KiB:", try Self.peakMemory())
    }

    private func measured(_ what: String, _ expected: Int, _ body: () throws -> StoreFindings) throws {
        let start = ContinuousClock.now
        let findings = try body()
        print("MEASURED \(what): \(ContinuousClock.now - start)")
        #expect(findings.total == expected)
    }

    private static func peakMemory() throws -> String {
        let status = String(decoding: try OpenFile("/proc/self/status", .read).readAll(), as: UTF8.self)
        return status.split(separator: "\n").first { $0.hasPrefix("VmHWM") }.map(String.init) ?? ""
    }
}
