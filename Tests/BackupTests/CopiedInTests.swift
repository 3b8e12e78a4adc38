// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("Misshapen while it is copied here: a backup becomes good by itself once it is whole", .besideThePool)
struct CopiedInTests {
    private struct Copy {
        let live: LiveStackFixture
        let name: BackupName
        let source: FilePath
        var target: FilePath { live.folder.path.appending(name.string) }
        var sidecar: FilePath { live.folder.path.appending(name.sidecar) }

        /// A backup that lies elsewhere, and its sidecar here where that was copied first.
        init(_ live: LiveStackFixture, _ kind: BackupName.Kind, sidecarFirst: Bool) throws {
            self.live = live
            try live.letStampsAge()
            name = try live.backup(kind, retention: .count(9)).name
            let away = live.root.path.appending("away")
            try Directory.make(away)
            source = away.appending(name.string)
            try Shell.sh("mv '\(live.folder.path)/\(name)' '\(live.folder.path)/\(name.sidecar)' '\(away)'")
            if sidecarFirst { try Shell.sh("cp -a '\(source).json' '\(live.folder.path)'") }
        }

        func sidecarBytes() throws -> [UInt8]? {
            try FileStatus.ifPresent(sidecar) == nil ? nil : OpenFile(sidecar, .readNoFollow).readAll()
        }

        /// Backups meanwhile tell of it each time.
        func expectToldTwice(sourceLocation: SourceLocation = #_sourceLocation) throws {
            for _ in 0..<2 {
                let told = try live.backup(retention: .count(9)).warnings
                #expect(
                    told.contains { $0.english.contains("\(name) is damaged") }, "\(told)",
                    sourceLocation: sourceLocation)
                #expect(try live.item(name).status == .corrupt, sourceLocation: sourceLocation)
            }
            let error = #expect(throws: (any Error).self, sourceLocation: sourceLocation) {
                try VerifyJob(live.workspace()).run(name.string)
            }
            #expect(error?.isDamage == true, sourceLocation: sourceLocation)
        }
    }

    @Test("a folder of which a part is here", arguments: [true, false])
    func folder(sidecarFirst: Bool) throws {
        let live = try LiveStackFixture("copied_folder_\(sidecarFirst)")
        let copy = try Copy(live, .uncompressed, sidecarFirst: sidecarFirst)
        let noted = try copy.sidecarBytes()
        try Shell.sh("mkdir '\(copy.target)' && cp -a '\(copy.source)/database' '\(copy.target)'")
        try copy.expectToldTwice()
        #expect(try copy.sidecarBytes() == noted, "nothing is written down")
        try Shell.sh("cp -a '\(copy.source)/.' '\(copy.target)'")
        let item = try live.item(copy.name)
        #expect(item.status == (sidecarFirst ? .completed : .unverified) && item.reason == nil)
        let told = try live.backup(retention: .count(9)).warnings
        #expect(!told.contains { $0.english.contains("is damaged") }, "\(told)")
        #expect(try live.item(copy.name).status == .completed)
    }

    @Test("an archive whose sidecar came first: read again once it was changed")
    func archive() throws {
        let live = try LiveStackFixture("copied_archive")
        let copy = try Copy(live, .compressed, sidecarFirst: true)
        try Shell.sh("head -c 3000 '\(copy.source)' > '\(copy.target)'")
        try copy.expectToldTwice()
        // What a reading found is not forgotten because the size is right again: zeros have it, too.
        try Shell.sh("truncate -s $(stat -c %s '\(copy.source)') '\(copy.target)'")
        let item = try live.item(copy.name)
        #expect(
            item.status == .corrupt && item.reason?.english.contains("changed since") == true,
            "\(item.reason?.english ?? "")")
        _ = try live.backup(retention: .count(9))
        #expect(try live.item(copy.name).status == .corrupt)
        try Shell.sh("cat '\(copy.source)' > '\(copy.target)'")
        _ = try live.backup(retention: .count(9))
        #expect(try live.item(copy.name).status == .completed)
    }

    @Test("what only a reading found wanting is read again once it changed, and not before", arguments: [true, false])
    func read(isFolder: Bool) throws {
        for sidecarFirst in isFolder ? [true, false] : [false] {
            let live = try LiveStackFixture("copied_read_\(isFolder)_\(sidecarFirst)")
            let copy = try Copy(live, isFolder ? .uncompressed : .compressed, sidecarFirst: sidecarFirst)
            if isFolder {
                try Shell.sh("cp -a '\(copy.source)' '\(copy.target)' && rm -rf '\(copy.target)/artifacts/1/run3'")
            } else {
                try Shell.sh("head -c 3000 '\(copy.source)' > '\(copy.target)'")
            }
            let told = try live.backup(retention: .count(9)).warnings
            #expect(told.contains { $0.english.contains("\(copy.name) is damaged and is not used") }, "\(told)")
            #expect(try live.item(copy.name).status == .corrupt)
            let again = try live.backup(retention: .count(9)).warnings
            #expect(!again.contains { $0.english.contains("\(copy.name) is damaged and is not used") }, "\(again)")
            if isFolder {
                try Shell.sh("cp -a '\(copy.source)/artifacts/1/run3' '\(copy.target)/artifacts/1'")
            } else {
                try Shell.sh("tail -c +3001 '\(copy.source)' >> '\(copy.target)'")
                #expect(try live.item(copy.name).reason?.english.contains("changed since") == true)
            }
            _ = try live.backup(retention: .count(9))
            let item = try live.item(copy.name)
            #expect(item.status == .completed, "\(item.reason?.english ?? "")")
        }
    }
}
