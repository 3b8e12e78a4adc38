// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import SystemIO

@Suite("Numbers from outside")
struct NumberTests {
    @Test("sums, differences and products stop at the ends of what a type holds")
    func clamped() {
        #expect(UInt64.max.adding(clamped: 1) == .max)
        #expect(UInt64(3).subtracting(clamped: 4) == 0)
        #expect(UInt64(1 << 40).multiplied(clamped: 1 << 40) == .max)
        #expect(Int64.max.adding(clamped: 1) == .max)
        #expect(Int64.min.adding(clamped: -1) == .min)
        #expect(Int64.max.subtracting(clamped: -1) == .max)
        #expect(Int64.min.subtracting(clamped: 1) == .min)
        #expect(Int64(0).subtracting(clamped: .min) == .max)
        #expect(Int64.min.multiplied(clamped: 2) == .min)
        #expect(Int64.min.multiplied(clamped: -2) == .max)
        #expect(Int64(40).adding(clamped: 2) == 42)
    }

    @Test("a fraction becomes the nearest whole number, also where it is none")
    func nearest() {
        #expect(Int(nearest: 2.5) == 3)
        #expect(Int(nearest: .nan) == 0)
        #expect(Int(nearest: 1e308) == .max)
        #expect(Int(nearest: -.infinity) == .min)
        #expect(UInt64(nearest: -1) == 0)
        #expect(UInt64(nearest: 0x1p64) == .max)
    }

    @Test("a sign and digits become a number, the smallest one too")
    func magnitude() {
        #expect(Int64(magnitude: 1 << 63, isNegative: true) == .min)
        #expect(Int64(magnitude: 1 << 63, isNegative: false) == nil)
        #expect(Int64(magnitude: (1 << 63) + 1, isNegative: true) == nil)
        #expect(Int64(magnitude: 7, isNegative: true) == -7)
    }

    @Test(
        "an offset that no file has is an error, and no other offset", arguments: [1 << 63, .max - 1, .max] as [UInt64])
    func offset(_ offset: UInt64) throws {
        let scratch = try Scratch()
        let file = try OpenFile(try scratch.file("f", "content"), .readWrite(create: 0o600))
        let buffer = PageBuffer(count: 4096)
        func expectOverflow(_ body: () throws -> Void) {
            #expect { try body() } throws: { ($0 as? SystemError)?.code == EOVERFLOW }
        }
        expectOverflow { _ = try file.read(into: buffer.bytes, at: offset) }
        expectOverflow { try file.write(UnsafeRawBufferPointer(buffer.bytes), at: offset) }
        expectOverflow { try file.truncate(to: offset) }
        expectOverflow { try file.seek(to: offset) }
        expectOverflow { try file.copy(from: file, at: offset, length: 10, to: 0) }
        #expect(try scratch.text("f") == "content")
    }

    @Test("a time beyond the calendar is shown as its end", arguments: [Int64.min, -1 << 53, 1 << 53, Int64.max])
    func calendar(_ epoch: Int64) {
        let time = LocalTime(epoch: epoch)
        #expect(time.epoch == epoch)
        #expect(epoch < 0 ? time.iso.hasSuffix("1-01-02T00:00:00") : time.iso.hasPrefix("9999-12-3"), "\(time.iso)")
        #expect(epoch < 0 ? time.fields.year == 1 : time.fields.year == 9999)
    }
}
