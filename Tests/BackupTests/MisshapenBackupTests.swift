// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite(
    "A backup that lacks a part, or has something else in the place of one, is a damaged one and not none",
    .besideThePool)
struct MisshapenBackupTests {
    /// Puts something else in the place of a file or folder, whose own bytes are kept outside the backup folder.
    enum Replacement: String, CaseIterable {
        case link, pipe, socket, folder, file

        func put(_ path: FilePath, keeping away: FilePath) throws {
            try Directory.rename(path, to: away)
            switch self {
            case .link: try Shell.sh("ln -s '\(away)' '\(path)'")
            case .pipe: try Shell.sh("mkfifo '\(path)'")
            case .socket:
                try Shell.sh(
                    "cd '\(path.parent)' && python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' '\(String(decoding: path.lastComponent, as: UTF8.self))'"
                )
            case .folder: try Directory.make(path)
            case .file: try DurableFile.replace(path, with: [1, 2, 3])
            }
        }
    }

    private func expectDamage(
        _ live: LiveStackFixture, _ name: BackupName, sourceLocation: SourceLocation = #_sourceLocation
    )
        throws
    {
        let error = #expect(throws: (any Error).self, sourceLocation: sourceLocation) {
            try VerifyJob(live.workspace()).run(name.string)
        }
        #expect(error?.isDamage == true, "\(String(describing: error))", sourceLocation: sourceLocation)
        let item = try live.item(name)
        // What shows by itself is not written down.
        #expect(item.status == .corrupt, sourceLocation: sourceLocation)
        #expect((item.sidecar?.status == .corrupt) == (item.shapeFault == nil), sourceLocation: sourceLocation)
    }

    @Test(
        "a folder that lost a part is listed with what it lacks",
        arguments: ["manifest.json", "database", "index.json"])
    func lacking(part: String) throws {
        let live = try LiveStackFixture("misshapen_lacking_\(part.prefix(4))")
        try live.letStampsAge()
        let names = try (0..<2).map { _ in try live.backup(.uncompressed, retention: .count(9)).name }
        try Directory.removeTree(live.folder.path.appending(names[1].string).appending(part))
        let item = try live.item(names[1])
        #expect(item.status == .corrupt && item.reason?.english.contains(part) == true, "\(item.reason?.english ?? "")")
        #expect(item.kind == .uncompressed)
        #expect(throws: (any Error).self) { try live.restore(names[1].string, force: true) }
        #expect(throws: BackupError.self) { try AcceptJob(live.workspace()).run(names[1].string) }
        try expectDamage(live, names[1])
        _ = try DeleteJob(live.workspace()).run(names[1].string)
        #expect(try live.names() == [names[0].string])
    }

    @Test("the next backup takes nothing from it, tells of it each time, and lets no good one go for it")
    func told() throws {
        let live = try LiveStackFixture("misshapen_told")
        try live.letStampsAge()
        let names = try (0..<2).map { _ in try live.backup(.uncompressed, retention: .count(9)).name }
        try Directory.removeTree(live.folder.path.appending(names[1].string).appending("manifest.json"))
        let outcome = try live.backup(.uncompressed, retention: .count(2))
        #expect(outcome.warnings.contains { $0.english.contains("\(names[1]) is damaged") }, "\(outcome.warnings)")
        #expect(outcome.sharing.generation == 0)
        #expect(try live.item(names[1]).sidecar?.status == .completed, "it shows by itself")
        #expect(try Set(live.names()) == Set([names[0], names[1], outcome.name].map(\.string)))
        let next = try live.backup(.uncompressed, retention: .count(9))
        #expect(next.warnings.contains { $0.english.contains("\(names[1]) is damaged") })
    }

    @Test("one without a sidecar is known by its name, or by a manifest of ours beside its database")
    func withoutSidecar() throws {
        let live = try LiveStackFixture("misshapen_alone")
        let name = try live.backup(.uncompressed).name
        let path = live.folder.path.appending(name.string)
        try Directory.remove(live.folder.path.appending(name.sidecar))
        try Directory.remove(path.appending("manifest.json"))
        try Directory.remove(path.appending("index.json"))
        #expect(try live.item(name).status == .corrupt)
        try Directory.removeTree(path.appending("database"))
        #expect(try live.item(name).status == .corrupt)
        try expectDamage(live, name)
        let other = try live.backup(.uncompressed).name
        try Directory.remove(live.folder.path.appending(other.sidecar))
        let renamed = live.folder.path.appending("before-upgrade")
        try Directory.rename(live.folder.path.appending(other.string), to: renamed)
        #expect(try Catalogue(live.folder).item(named: "before-upgrade").status == .unverified)
        try Directory.remove(renamed.appending("index.json"))
        #expect(try Catalogue(live.folder).item(named: "before-upgrade").status == .corrupt)
        try DurableFile.replace(renamed.appending("manifest.json"), with: Array("{\"name\":\"app\"}".utf8))
        #expect(try !live.names().contains("before-upgrade"))
    }

    @Test(
        "what lies in the place of an archive is listed as damage; deleting it removes a link and not what it names",
        arguments: [Replacement.link, .pipe, .socket, .folder], [true, false])
    func archive(replacement: Replacement, hasSidecar: Bool) throws {
        let live = try LiveStackFixture("misshapen_archive_\(replacement)_\(hasSidecar)")
        let name = try live.backup().name
        let (path, away) = (live.folder.path.appending(name.string), live.root.path.appending("away"))
        if !hasSidecar { try Directory.remove(live.folder.path.appending(name.sidecar)) }
        try replacement.put(path, keeping: away)
        let item = try live.item(name)
        #expect(item.status == .corrupt && item.kind == .compressed && item.reason != nil)
        let outcome = try live.backup(retention: .count(9))
        #expect(outcome.warnings.contains { $0.english.contains("\(name) is damaged") }, "\(outcome.warnings)")
        try expectDamage(live, name)
        #expect(throws: (any Error).self) { try live.restore(name.string, force: true) }
        _ = try DeleteJob(live.workspace()).run(name.string)
        #expect(try FileStatus.ifPresent(path) == nil && FileStatus.of(away).kind == .file)
        #expect(try live.names() == [outcome.name.string])
    }

    @Test(
        "what lies in the place of an uncompressed backup is listed as damage, too",
        arguments: [Replacement.link, .pipe, .socket, .file])
    func folder(replacement: Replacement) throws {
        let live = try LiveStackFixture("misshapen_folder_\(replacement)")
        let name = try live.backup(.uncompressed).name
        let (path, away) = (live.folder.path.appending(name.string), live.root.path.appending("away"))
        try replacement.put(path, keeping: away)
        #expect(try live.item(name).status == .corrupt && live.item(name).kind == .uncompressed)
        try expectDamage(live, name)
        _ = try DeleteJob(live.workspace()).run(name.string)
        #expect(try FileStatus.ifPresent(path) == nil)
        #expect(try FileStatus.ifPresent(away.appending("manifest.json")) != nil)
    }

    /// How often each name was read and found good.
    private func readings(_ live: LiveStackFixture) throws -> [String: Int] {
        let path = live.root.path.appending("log")
        let file = try OpenFile(path, .createNew(mode: 0o600))
        try file.withDescriptor { descriptor in
            let workspace = Workspace(live.stack, live.folder, log: Log(format: .text, descriptor: descriptor))
            _ = try BackupJob(workspace, options: .init(retention: .count(99)), version: "test").run()
        }
        var readings: [String: Int] = [:]
        for line in try Shell.sh("cat '\(path)'").split(separator: "\n") where line.contains(" verified") {
            let name = line.firstMatch(of: #/mlflow_backup_\d{8}_\d{6}\.tar\.gz/#).map { String($0.output) } ?? ""
            readings[name, default: 0] += 1
        }
        try Directory.remove(path)
        return readings
    }

    private func withoutSidecars(_ live: LiveStackFixture, _ count: Int) throws -> [BackupName] {
        let names = try (0..<count).map { number in
            try live.add(runs: (60 + number)...(60 + number))
            return try live.backup(retention: .count(99)).name
        }
        for name in names { try Directory.remove(live.folder.path.appending(name.sidecar)) }
        return names
    }

    @Test("what lies in the place of an archive says nothing of the bytes of others: none is read again for it")
    func reach() throws {
        let live = try LiveStackFixture("misshapen_reach")
        let names = try withoutSidecars(live, 3)
        let first = try readings(live)
        #expect(names.allSatisfy { first[$0.string] == 1 }, "\(first)")
        try Shell.sh(
            "cd '\(live.folder.path)' && for i in 1 2 3; do mkdir mlflow_backup_2026112${i}_000000.tar.gz; done")
        let second = try readings(live)
        #expect(names.allSatisfy { second[$0.string] == nil }, "\(second)")
    }

    @Test("what was just read is not read again for a further damaged one")
    func memory() throws {
        let live = try LiveStackFixture("misshapen_memory")
        let names = try withoutSidecars(live, 4)
        try live.damage(names[0])
        try live.damage(names[3])
        let readings = try readings(live)
        #expect(readings[names[1].string] == 1 && readings[names[2].string] == 1, "\(readings)")
        for name in [names[0], names[3]] { #expect(try live.item(name).status == .corrupt) }
    }

    @Test("the other things of a person in the folder are no backups")
    func others() throws {
        let live = try LiveStackFixture("misshapen_others")
        let name = try live.backup().name
        try Shell.sh(
            """
            cd '\(live.folder.path)'
            mkdir -p lost+found notes/sub mlflow_backup_old empty site/database conf
            echo a > notes/a; echo b > mlflow_backup_old/x.tar; echo '{}' > notes.json; echo c > conf/manifest.json
            ln -s '\(name)' latest.tar.gz; ln -s notes link; mkfifo pipe.tar.gz queue; echo d > mlflow_backup_old.txt
            mkdir -p folder.tar.gz mlflow_backup_old.tar.gz pwa app/database site/database pipe/database
            echo '{"name":"pwa"}' | tee pwa/manifest.json > app/manifest.json; echo '{}' | tee pwa/index.json > site/index.json
            mkfifo pipe/manifest.json
            """)
        #expect(try live.names() == [name.string])
    }

    @Test(
        "a part of a folder that is not the kind of file it must be is damage, found by verify and before the next backup",
        arguments: TestForm.oneIn(
            4,
            of: [
                "index.json", "manifest.json", "database/toc.dat", "artifacts/1/run3/artifacts/model.bin",
                "artifacts/1", "database",
            ], with: Replacement.allCases))
    func parts(part: String, replacement: Replacement) throws {
        // The same kind again is another fault.
        let isFolder = part == "artifacts/1" || part == "database"
        if replacement == .file && !isFolder || replacement == .folder && isFolder { return }
        let place = part.filter { $0.isLetter || $0.isNumber }.suffix(12)
        let live = try LiveStackFixture("misshapen_\(place)_\(replacement)")
        try live.letStampsAge()
        let name = try live.backup(.uncompressed, retention: .count(9)).name
        try replacement.put(
            live.folder.path.appending(name.string).appending(part), keeping: live.root.path.appending("away"))
        let next = try live.backup(.uncompressed, retention: .count(9)).name
        #expect(try live.item(next).status == .completed)
        try expectDamage(live, name)
        _ = try VerifyJob(live.workspace()).run(next.string)
    }
}
