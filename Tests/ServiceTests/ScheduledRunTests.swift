// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

@testable import Service

@Suite("A scheduled run is made once, by whoever looks first")
struct ScheduledRunTests {
    /// The newest good backup, as tests make it.
    private let made = Monitor<LocalTime>(LocalTime(epoch: 0))
    private let folder: ScratchFolder

    init() throws {
        folder = try ScratchFolder()
        try makeOne("20240729_020000")
    }

    private func time(_ stamp: String) throws -> LocalTime { try #require(LocalTime(stamp: stamp)) }
    private func makeOne(_ stamp: String) throws {
        let new = try time(stamp)
        made.withLock { $0 = new }
    }

    /// As another process sees it, which knows nothing but the file.
    private func run(
        _ cron: String = "0 2 * * *", zone: String = "", stack: String = "", isKept: Bool = true
    ) throws -> ScheduledRun {
        ScheduledRun(try CronExpression(cron), zone: zone, stack: stack, in: isKept ? folder.path : nil, log: .silent) {
            [made] _ in
            made.withLock { $0 }
        }
    }

    @Test("of cron and the service the second one finds that it is under way, then that it is made")
    func once() throws {
        let (cron, service) = (try run(), try run())
        let due = try time("20240730_020000")
        #expect(service.begin(now: due, delay: 60) == .notBefore(due), "a minute of cron's own")
        #expect(cron.begin(now: due) == .due(due))
        #expect(try service.begin(now: time("20240730_020100"), delay: 60) == .underWay)
        try makeOne("20240730_020001")
        cron.end(isDealtWith: true)
        #expect(try service.begin(now: time("20240730_020130"), delay: 60) == .notBefore(time("20240731_020000")))
    }

    @Test("a run of another container, whose process cannot be seen, is told from a dead one by the folder's lock")
    func otherContainer() throws {
        let due = try time("20240730_020000")
        let boot = ProcessIdentity.current().boot
        let elsewhere = try JSONDecoder().decode(
            ProcessIdentity.self, from: Data(#"{"pid":4000000,"startTicks":1,"boot":"\#(boot)","namespace":1}"#.utf8))
        try ScheduleRecord(schedule: "0 2 * * *", begun: due.epoch, attempt: 1, owner: elsewhere, outcome: .running)
            .write(in: folder.path)
        let isBusy = Monitor(true)
        let here = ScheduledRun(
            try CronExpression("0 2 * * *"), in: folder.path, log: .silent, isFolderBusy: { isBusy.read { $0 } },
            since: { [made] _ in made.withLock { $0 } })
        #expect(try here.begin(now: time("20240730_020030")) == .underWay)
        isBusy.withLock { $0 = false }
        #expect(try here.begin(now: time("20240730_020040")) == .due(due))
    }

    @Test("two stacks that share a backup folder have a run each")
    func twoStacks() throws {
        let due = try time("20240730_020000")
        let (first, second) = (try run(stack: "a:5432/mlflow"), try run(stack: "b:5432/mlflow"))
        #expect(first.begin(now: due) == .due(due))
        #expect(second.begin(now: due) == .due(due))
        first.end(isDealtWith: true)
        #expect(try run(stack: "b:5432/mlflow").begin(now: due) == .underWay)
        #expect(try run(stack: "a:5432/mlflow").begin(now: due) == .notBefore(time("20240731_020000")))
    }

    @Test("what cron did not begin the service makes a minute later")
    func withoutCron() throws {
        #expect(try run().begin(now: time("20240730_020100"), delay: 60) == .due(time("20240730_020000")))
    }

    @Test("one that failed is tried again each hour, four times in all; the next due time is another")
    func failed() throws {
        var told: [String] = []
        for minute in stride(from: Int64(0), to: 3 * 1440, by: 10) {
            let now = LocalTime(epoch: try time("20240730_020000").epoch + minute * 60)
            // A process each, as cron starts them.
            let run = try run()
            guard case .due = run.begin(now: now) else { continue }
            told.append(String(now.stamp.dropFirst(6).dropLast(2)))
            run.end(isDealtWith: false)
        }
        #expect(
            told == ["30_0200", "30_0300", "30_0400", "30_0500", "31_0200", "31_0300", "31_0400", "31_0500"]
                + ["01_0200", "01_0300", "01_0400", "01_0500"])
    }

    @Test("a backup that somebody made meanwhile has dealt with one that failed")
    func madeByHand() throws {
        let run = try run()
        #expect(try run.begin(now: time("20240730_020000")) == .due(time("20240730_020000")))
        run.end(isDealtWith: false)
        try makeOne("20240730_021500")
        #expect(try run.begin(now: time("20240730_030100")) == .notBefore(time("20240731_020000")))
    }

    @Test("one whose process was killed is made at once by the next, four times in all")
    func killed() throws {
        for attempt in 1...4 {
            let run = try run()
            #expect(try run.begin(now: time("20240730_02000\(attempt)")) == .due(time("20240730_020000")))
            var record = try #require(ScheduleRecord.read(in: folder.path))
            #expect(record.attempt == attempt)
            record.owner = try ended()
            try record.write(in: folder.path)
        }
        #expect(try run().begin(now: time("20240730_020009")) == .notBefore(time("20240731_020000")))
    }

    /// A process that is not there any more: of this machine, begun at its start.
    private func ended() throws -> ProcessIdentity {
        var fields = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(ProcessIdentity.current())) as? [String: Any])
        fields["startTicks"] = 1
        return try JSONDecoder().decode(ProcessIdentity.self, from: JSONSerialization.data(withJSONObject: fields))
    }

    @Test("what was dealt with without a good backup, as a suspicious or a cancelled one, is dealt with")
    func suspicious() throws {
        let first = try run()
        #expect(try first.begin(now: time("20240730_020000")) == .due(time("20240730_020000")))
        first.end(isDealtWith: true)
        #expect(try run().begin(now: time("20240730_030100")) == .notBefore(time("20240731_020000")))
    }

    @Test("where nothing can be written one run is made, not one at each look")
    func unwritable() throws {
        let run = try run(isKept: false)
        let due = try time("20240730_020000")
        #expect(run.begin(now: due) == .due(due))
        #expect(run.begin(now: due) == .underWay)
        run.end(isDealtWith: false)
        #expect(try run.begin(now: time("20240730_020030")) == .notBefore(time("20240730_030000")))
    }

    @Test("the end of a run that can no longer be written down counts all the same")
    func unwritableEnd() throws {
        let run = try run()
        let due = try time("20240730_020000")
        #expect(run.begin(now: due) == .due(due))
        let written = try #require(ScheduleRecord.read(in: folder.path))
        run.end(isDealtWith: true)
        // As it is where the disk is full by then.
        try written.write(in: folder.path)
        #expect(try run.begin(now: time("20240730_020030")) == .notBefore(time("20240731_020000")))
    }

    @Test("a record of another schedule, of another zone, or of a clock that was ahead, is as none")
    func void() throws {
        let first = try run()
        #expect(try first.begin(now: time("20240805_020000")) == .due(time("20240730_020000")))
        first.end(isDealtWith: true)
        let now = try time("20240730_120000")
        #expect(try run().preview(now: now) == .due(time("20240730_020000")), "written six days ahead")
        let later = try time("20240805_120000")
        #expect(try run().preview(now: later) == .notBefore(time("20240806_020000")))
        #expect(try run("0 3 * * *").preview(now: later) == .due(time("20240729_030000")))
        #expect(try run(zone: "Asia/Shanghai").preview(now: later) == .due(time("20240730_020000")))
        _ = try folder.write("schedule.json", "{\"begun\": 1e400}")
        #expect(try run().preview(now: later) == .due(time("20240730_020000")))
    }

    @Test("over a change of daylight saving each night has one run")
    func daylightSaving() throws {
        // Europe/Berlin, 2026: forward on 29 March at 01:00 UTC, back on 25 October at 01:00 UTC.
        let wall = WallClock { epoch in
            let summer = epoch >= 1_774_746_000 && epoch < 1_792_890_000
            let local = epoch + (summer ? 7200 : 3600)
            let day = Int64((Double(local) / 86_400).rounded(.down))
            var face = CivilTime(days: day)
            let second = Int(local - day * 86_400)
            (face.hour, face.minute, face.second) = (second / 3600, second / 60 % 60, second % 60)
            return face
        }
        for change in [Int64(1_774_746_000), 1_792_890_000] {
            let last = Monitor(LocalTime(epoch: change - 86_400))
            let run = ScheduledRun(try CronExpression("30 2 * * *"), on: wall, in: nil, log: .silent) { _ in
                last.withLock { $0 }
            }
            var nights: [Int] = []
            for epoch in stride(from: change - 86_400, to: change + 3 * 86_400, by: 60) {
                let now = LocalTime(epoch: epoch)
                guard case .due = run.begin(now: now) else { continue }
                nights.append(wall.face(epoch).day)
                last.withLock { $0 = now }
                run.end(isDealtWith: true)
            }
            #expect(Set(nights).count == nights.count && nights.count >= 3, "\(nights)")
        }
    }
}
