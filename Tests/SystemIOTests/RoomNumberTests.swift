// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import Wording

@testable import SystemIO

@Suite("What a file system says of its room is not believed, and what is told of it hides no lack")
struct RoomNumberTests {
    @Test("C44: what does not fit never reads as if it did")
    func rounding() {
        #expect(HumanUnits.sizes(needed: 53_687_091_201, available: 53_687_091_200) == ("50.1GB", "50.0GB"))
        #expect(HumanUnits.sizes(needed: 1024, available: 1023) == ("1.0KB", "1023B"))
        #expect(HumanUnits.sizes(needed: 1_048_575, available: 1_048_574) == ("1.0MB", "1023.9KB"))
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let available =
                UInt64.random(in: 0 ..< .max, using: &generator) >> UInt64.random(in: 0..<64, using: &generator)
            let needed = available.adding(clamped: 1 + UInt64.random(in: 0..<8, using: &generator))
            let texts = HumanUnits.sizes(needed: needed, available: available)
            #expect(texts.needed != texts.available || needed < 1024, "\(needed) \(available)")
        }
    }

    @Test("a file system that talks nonsense is believed nothing, and ends nothing")
    func nonsense() {
        var status = statvfs()
        status.f_frsize = 1 << 40
        status.f_blocks = 10
        status.f_bfree = .max
        status.f_bavail = .max
        status.f_files = 3
        status.f_ffree = .max
        let space = DiskSpace(status)
        #expect(space.available == .max && space.used == 0 && space.usedFiles == 0)
        #expect(space.usePercentage == 0)
        status.f_bfree = 0
        status.f_blocks = .max
        #expect(DiskSpace(status).usePercentage == 100)
        #expect(DiskSpace(statvfs()).availableFiles == nil, "btrfs counts none")
    }
}
