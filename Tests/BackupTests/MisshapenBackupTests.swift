// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import TestSupport
import Testing

@testable import Backup

@Suite("A backup that lacks a part, or has something else in the place of one, is a damaged one and not none")
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
        #expect(item.status == .corrupt && item.sidecar?.status == .corrupt, sourceLocation: sourceLocation)
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
        #expect(item.status == .corrupt && item.reason?.contains(part) == true, "\(item.reason ?? "")")
        #expect(item.kind == .uncompressed)
        #expect(throws: (any Error).self) { try live.restore(names[1].string, force: true) }
        #expect(throws: BackupError.self) { try AcceptJob(live.workspace()).run(names[1].string) }
        try expectDamage(live, names[1])
        _ = try DeleteJob(live.workspace()).run(names[1].string)
        #expect(try live.names() == [names[0].string])
    }

    @Test("the next backup takes nothing from it, tells of it once, and lets no good one go for it")
    func told() throws {
        let live = try LiveStackFixture("misshapen_told")
        try live.letStampsAge()
        let names = try (0..<2).map { _ in try live.backup(.uncompressed, retention: .count(9)).name }
        try Directory.removeTree(live.folder.path.appending(names[1].string).appending("manifest.json"))
        let outcome = try live.backup(.uncompressed, retention: .count(2))
        #expect(outcome.warnings.contains { $0.english.contains("\(names[1]) is damaged") }, "\(outcome.warnings)")
        #expect(outcome.sharing.generation == 0)
        #expect(try live.item(names[1]).sidecar?.status == .corrupt, "it is recorded")
        #expect(try Set(live.names()) == Set([names[0], names[1], outcome.name].map(\.string)))
        let next = try live.backup(.uncompressed, retention: .count(9))
        #expect(!next.warnings.contains { $0.english.contains("\(names[1]) is damaged and is not used") })
    }

    @Test("one without a sidecar is known by its name, or by the parts that are left")
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
        try Directory.remove(renamed.appending("manifest.json"))
        #expect(try Catalogue(live.folder).item(named: "before-upgrade").status == .corrupt)
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
            mkdir folder.tar.gz mlflow_backup_old.tar.gz
            """)
        #expect(try live.names() == [name.string])
    }

    @Test(
        "a part of a folder that is not the kind of file it must be is damage, found by verify and before the next backup",
        arguments: [
            "index.json", "manifest.json", "database/toc.dat", "artifacts/1/run3/artifacts/model.bin", "artifacts/1",
            "database",
        ],
        Replacement.allCases)
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
