// SPDX-License-Identifier: Apache-2.0

import Foundation
import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

/// C35 and its kind. Records are sealed anew after the edit, so that the number is tried and not the seal. What is tried runs in
/// the program itself: an operator that overflows ends a process with a signal.
@Suite("Numbers that anybody may have written into the backup folder")
struct NumberFuzzTests {
    @Test("in sidecars: each is damaged or counts as what it is, and nothing ends the process (C35)")
    func sidecars() throws {
        let live = try LiveStackFixture("fuzz_sidecar")
        let made = try live.backup(.compressed).name.string
        let folder = try OpenFile(live.folder.path, .directory)
        // A shape that an accepted suspicious one has: all numbers that a sidecar can hold are in it.
        var full = try live.sidecar(try #require(BackupName(made)))
        full.suspicion = Suspicion(measure: .bytes, found: 1, expected: 9, than: made)
        full.acceptance = Acceptance(
            name: made, created: full.createdAt, acceptedAt: full.createdAt, summary: full.summary)
        (full.acceptedAt, full.generation, full.clonedBytes, full.copiedBytes) = (full.createdAt, 2, 3, 4)
        try full.write(in: live.folder)
        let text = try OpenFile(live.folder.path.appending("\(made).json"), .read).readAll()
        let places = NumberPlaces(text).all
        #expect(Set(places.map(\.key)).count > 18, "\(places.map(\.key))")
        var count = 0
        for place in places {
            for value in NumberPlaces.edges {
                count += 1
                let other = "mlflow_backup_\(LocalTime(epoch: 1_600_000_000 + Int64(count) * 60).stamp).tar.gz"
                let edited = String(decoding: NumberPlaces.replacing(place.range, of: text, with: value), as: UTF8.self)
                    .replacingOccurrences(of: "\"name\" : \"\(made)\"", with: "\"name\" : \"\(other)\"")
                try folder.makeHardLink(Array(made.utf8), to: folder, as: Array(other.utf8))
                try DurableFile.replace(
                    live.folder.path.appending("\(other).json"), with: RecordSeal.sealed(Array(edited.utf8)))
            }
        }
        #expect(try live.names().count == count + 1)
        for arguments in [
            ["list"], ["list", "--json"], ["prune", "--dry-run"], ["schedule", "--missed"], ["doctor"],
        ] { try expectNoSignal(arguments, live) }
        // Those of which one of the sizes was edited are read, too.
        for name in try live.names().sorted().dropFirst(24).dropLast() {
            for suffix in ["", ".json"] { try Directory.remove(live.folder.path.appending(name + suffix)) }
        }
        for arguments in [["scrub", "--rate", "0"], ["backup", "--max-backups", "3"], ["list", "--json"]] {
            try expectNoSignal(arguments, live)
        }
    }

    @Test("in manifests and indices of folders")
    func folders() throws {
        let live = try LiveStackFixture("fuzz_folder")
        let made = try live.backup(.uncompressed).name.string
        let path = live.folder.path.appending(made)
        var edits: [(file: String, text: [UInt8])] = []
        for file in ["manifest.json", "index.json"] {
            let text = try OpenFile(path.appending(file), .read).readAll()
            var seen: Set<String> = []
            for place in NumberPlaces(text).all where seen.insert(place.key).inserted {
                for value in ["-1", "9223372036854775807", "18446744073709551615"] {
                    edits.append((file, NumberPlaces.replacing(place.range, of: text, with: value)))
                }
            }
            let sizes = NumberPlaces(text).all.filter { ["size", "bytes"].contains($0.key) }
            edits.append(
                (
                    file,
                    sizes.reversed().reduce(text) {
                        NumberPlaces.replacing($1.range, of: $0, with: "18446744073709551615")
                    }
                ))
        }
        try Shell.sh("cd '\(live.folder.path)' && for i in $(seq 1 \(edits.count)); do cp -al \(made) edited-$i; done")
        for (number, edit) in edits.enumerated() {
            try DurableFile.replace(
                live.folder.path.appending("edited-\(number + 1)").appending(edit.file), with: edit.text)
        }
        // In the last one all sizes are more than any sum of them can hold.
        let last = "edited-\(edits.count)"
        let some = stride(from: 1, through: edits.count, by: 11).map { "edited-\($0)" }
        for arguments in [
            ["list", "--json"], ["doctor"], ["list", last], ["diff", made, last], ["diff", last, made],
            ["restore", last], ["restore", "--artifacts", "--force", "--no-backup", last],
            ["verify"] + some + [last],
        ] { try expectNoSignal(arguments, live) }
    }

    @Test("in records of what restores have kept")
    func keptParts() throws {
        let live = try LiveStackFixture("fuzz_kept")
        let made = try live.backup().name.string
        try live.restore(made, force: true)
        let part = try #require(try KeptParts(live.stack, live.folder).all().first)
        var full = part
        (full.checkedAt, full.bytes, full.arrived) = (1, 2, [3])
        (full.missing, full.obstacle, full.mark) = (
            NewerData(files: ["a"]), NewerData(files: ["b"]), FileTime(seconds: 4)
        )
        try full.write(in: live.folder)
        let text = try OpenFile(KeptPart.path(of: part.id, in: live.folder), .read).readAll()
        let places = NumberPlaces(text).all
        #expect(places.count > 10, "\(places.map(\.key))")
        var count = 0
        for place in places {
            for value in NumberPlaces.edges {
                count += 1
                let id = "20200101_" + String(format: "%06d", count)
                let edited = String(decoding: NumberPlaces.replacing(place.range, of: text, with: value), as: UTF8.self)
                    .replacingOccurrences(of: "\"id\" : \"\(part.id)\"", with: "\"id\" : \"\(id)\"")
                try DurableFile.replace(
                    KeptPart.path(of: id, in: live.folder), with: RecordSeal.sealed(Array(edited.utf8)), mode: 0o600)
            }
        }
        for arguments in [["kept", "--json"], ["doctor"], ["restore", "--undo"]] {
            try expectNoSignal(arguments, live)
        }
        // Those that cannot be decoded stop the rest by being named; the others are looked at without them.
        for id in try KeptPart.ids(in: live.folder) where (try? KeptPart.read(id, in: live.folder)) == nil {
            try Directory.remove(KeptPart.path(of: id, in: live.folder))
        }
        for arguments in [["kept", "--json"], ["backup"], ["restore", "--undo", "--force"]] {
            try expectNoSignal(arguments, live, "UNDO_KEEP_SIZE=1K")
        }
    }

    @Test("in journals, claims, and what the night's readings noted")
    func journals() throws {
        let live = try LiveStackFixture("fuzz_journal")
        let made = try live.backup().name.string
        let journal = try live.interruptRestore(of: made)
        let items = try Catalogue(live.folder).items()
        let identity = try StackIdentity(of: live.stack, on: Databases(live.database))
        let other = StackIdentity(system: identity.system, database: "other", artifacts: nil)
        var claims = Claims()
        claims.claims = [Claim(on: other, by: identity, .person, among: items)]
        try claims.write(in: live.folder)
        var postponed = PostponedReadings(in: live.folder, among: items)
        postponed.add(items[0].name)
        try postponed.write()
        let records = try [
            journal.path(in: live.workspace().state), Claims.path(in: live.folder),
            live.folder.state.appending(PostponedReadings.fileName),
        ].map { ($0, try OpenFile($0, .read).readAll()) }
        for value in NumberPlaces.edges {
            for (path, text) in records {
                try DurableFile.replace(
                    path, with: RecordSeal.sealed(NumberPlaces.replacingAll(of: text, with: value)), mode: 0o600)
            }
            for arguments in [["doctor"], ["recover"], ["prune", "--dry-run"]] { try expectNoSignal(arguments, live) }
        }
    }

    private func expectNoSignal(
        _ arguments: [String], _ live: LiveStackFixture, _ setting: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var environment = live.environment()
        if let parts = setting?.split(separator: "="), parts.count == 2 {
            environment[String(parts[0])] = String(parts[1])
        }
        let program = FilePath(String(#filePath)).parent.parent.parent.appending(".build/debug/mlflow-backup")
        let outcome = try ChildProcess(program, arguments, environment: environment).run()
        guard case .code = outcome.exit else {
            Issue.record(
                "\(arguments.joined(separator: " ")): \(outcome.exit)\n\(outcome.errors.suffix(2000))",
                sourceLocation: sourceLocation)
            return
        }
    }
}
