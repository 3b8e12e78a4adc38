// SPDX-License-Identifier: Apache-2.0

import Backup
import Foundation
import SystemIO
import TestSupport
import Testing

/// Fifty thousand files, for measurements: half of them kept by inode, half written again.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["COMPARISON_BENCHMARK"] != nil))
struct LargeTreeTests {
    @Test func fiftyThousandFiles() throws {
        let root = try TemporaryFolder("large-tree")
        try Shell.sh(
            "cd '\(root.path)' && mkdir live && cd live && for f in $(seq 1 250); do mkdir -p $f/a && (cd $f/a && "
                + "seq 1 200 | split -l 1 -a 3 -); done && cd .. && cp -al live restored && "
                + "cd restored && rm -r 1?? && cp -a ../live/1?? .")
        let comparison = TreeComparison(
            live: root.path.appending("live"), restored: root.path.appending("restored"), marksIn: root.path)
        for look in ["first", "last"] {
            let start = ContinuousClock.now
            let findings = try look == "first" ? comparison.first() : comparison.last()
            print("MEASURED \(look), 50,000 files: \(ContinuousClock.now - start)")
            #expect(findings.isEmpty)
        }
    }
}
