// SPDX-License-Identifier: Apache-2.0

import Archive
import Foundation
import SystemIO
import TestSupport
import Testing

@testable import Backup

/// What is listed as what, and what retention lets go.
@Suite(.besideThePool) struct CatalogueTests {
    private func folder() throws -> (TemporaryFolder, BackupFolder) {
        let root = try TemporaryFolder("catalogue")
        let folder = BackupFolder(root.path)
        try folder.prepare()
        return (root, folder)
    }

    static let stack = StackIdentity(system: "1", database: "mlflow", artifacts: nil)

    private func place(
        _ name: String, in folder: BackupFolder, epoch: Int64, status: Sidecar.Status = .completed,
        adopted: Bool = false
    ) throws {
        try DurableFile.replace(folder.path.appending(name), with: [1, 2, 3])
        var sidecar = Sidecar(
            name: name, type: .compressed, status: status, reason: nil, size: 3,
            sha256: String(repeating: "0", count: 64),
            indexOffset: 0, createdAt: epoch, verifiedAt: LocalTime.now().epoch, adopted: adopted, durationSeconds: nil,
            summary: nil)
        sidecar.readFile = try FileMark.whole(folder.path.appending(name))
        try sidecar.write(in: folder)
    }

    @Test func onlyBackupsAreListedAndEachForWhatItIs() throws {
        let (root, folder) = try folder()
        try place("good.tar.gz", in: folder, epoch: 100)
        try place("shorter.tar.gz", in: folder, epoch: 90)
        try root.write("shorter.tar.gz", "x")
        try root.write("dropped.tar.gz", "something")
        try root.write("notes.txt", "not a backup")
        try root.write(".hidden.tar.gz", "x")
        try root.write("broken.tar.gz", "x")
        try root.write("broken.tar.gz.json", "{ not json")
        try root.write("half.tar.gz.partial", "x")
        try Shell.sh(
            "cd '\(root.path)' && ln -s /etc/passwd link.tar.gz && mkdir folder && mkdir -p whole/database lacking/database && touch whole/manifest.json whole/index.json lacking/manifest.json"
        )
        try Shell.run(
            "/bin/bash", ["-c", "touch '\(root.path)/'$'bad\\xff.tar.gz' '\(root.path)/'$'line\\nbreak.tar.gz'"])
        let items = try Catalogue(folder).items()
        let statuses = Dictionary(uniqueKeysWithValues: items.map { ($0.name.string, $0.status) })
        #expect(
            statuses == [
                "good.tar.gz": .completed, "shorter.tar.gz": .corrupt, "dropped.tar.gz": .unverified,
                "broken.tar.gz": .unverified, "whole": .unverified,
            ])
        for name in [
            "../\(root.path.lastComponent)/good.tar.gz", "./good.tar.gz", "good.tar.gz/", "", "..", "link.tar.gz",
            "good.tar.gz\u{0}",
        ] {
            #expect(throws: BackupError.self, "\(name)") { try Catalogue(folder).item(named: name) }
        }
    }

    @Test func daysKeepEveryBackupOfTheNewestDaysAndCountsKeepTheNewest() throws {
        let (root, folder) = try folder()
        defer { withExtendedLifetime(root) {} }
        let day: Int64 = 86_400
        let noon = (LocalTime.now().epoch / day - 1) * day + day / 2
        for number in 0..<10 {
            for hour in 0..<2 {
                let epoch = noon - Int64(number) * 3 * day + Int64(hour) * 3600
                try place("mlflow_backup_\(LocalTime(epoch: epoch).stamp).tar.gz", in: folder, epoch: epoch)
            }
        }
        let retention = Retention(folder, of: Self.stack, log: .silent)
        #expect(
            try retention.expired(by: .days(7)).count == 6, "three days of two backups, however far apart the days are")
        #expect(try retention.expired(by: .count(5)).count == 15)
        #expect(try retention.expired(by: .count(0)).count == 19, "the last good one always stays")
        #expect(try retention.expired(by: .days(0)).count == 18)
        #expect(try retention.apply(.days(7)).removed.count == 6)
        #expect(try Catalogue(folder).items().count == 14)
        #expect(try Directory.names(in: folder.path).count == 14 * 2 + 1, "sidecars go with their archives")
    }

    @Test func whatIsNotOursOrNotGoodIsNeverRemovedAndNeverCounts() throws {
        let (root, folder) = try folder()
        defer { withExtendedLifetime(root) {} }
        try place("mlflow_backup_20260105_020000.tar.gz", in: folder, epoch: 500, status: .corrupt)
        try place("mlflow_backup_20260104_020000.tar.gz", in: folder, epoch: 400, adopted: true)
        try DurableFile.replace(folder.path.appending("mlflow_backup_20260103_020000.tar.gz"), with: [1])
        try place("mlflow_backup_20260102_020000.tar.gz", in: folder, epoch: 200)
        try place("mlflow_backup_20260101_020000.tar.gz", in: folder, epoch: 100)
        let removed = try Retention(folder, of: Self.stack, log: .silent).apply(.count(1), since: LocalTime(epoch: 0))
            .removed
        #expect(removed.map(\.string) == ["mlflow_backup_20260101_020000.tar.gz"])
        #expect(try Catalogue(folder).items().count == 4)
    }

    @Test func aSecondOperationWaitsAndADeadHoldersLockIsFree() throws {
        let (root, folder) = try folder()
        defer { withExtendedLifetime(root) {} }
        var held: OperationLock? = try OperationLock.take(in: folder, for: "test", atMost: 0)
        #expect {
            _ = try OperationLock.take(in: folder, for: "second", atMost: 0.3)
        } throws: { error in
            if case .busy(let holder) = error as? BackupError { holder.contains("test") } else { false }
        }
        #expect(held != nil)
        held = nil
        try Shell.sh(
            "flock -o -x '\(folder.lock)' sleep 5 >/dev/null 2>&1 & child=$!; sleep 0.3; kill -9 $child; pkill -9 -P $child || true"
        )
        _ = try OperationLock.take(in: folder, for: "after a kill", atMost: 5)
    }

    @Test func twoBackupsInOneSecondHaveTwoNames() throws {
        let live = try LiveStackFixture("twice")
        let both = Monitor<[String]>([])
        let threads = try (0..<2).map { number in
            try WorkerThread("backup-\(number)") {
                do {
                    let name = try live.backup().name.string
                    both.withLock { $0.append(name) }
                } catch { Issue.record(error) }
            }
        }
        threads.forEach { $0.join() }
        #expect(Set(both.withLock { $0 }).count == 2)
        #expect(try live.names().count == 2)
    }
}
