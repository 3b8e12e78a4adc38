// SPDX-License-Identifier: Apache-2.0

import Archive
import Backup
import SystemIO
import TestSupport
import Testing
import Wording

@Suite struct TreeComparisonTests {
    /// A live tree and what a restore unpacked beside it: `kept.bin` is the same inode, the others are copies.
    private struct Trees {
        let root: TemporaryFolder
        let live: FilePath
        let restored: FilePath

        init() throws {
            root = try TemporaryFolder("trees")
            live = root.path.appending("live")
            restored = root.path.appending("live/.mlflow-backup-restore/staging")
            try root.write("live/1/a/kept.bin", "kept")
            try root.write("live/1/a/model.pkl", "model of the run")
            try root.write("live/1/b/metrics.json", "{}")
            try root.write("live/2/notes.txt", "notes")
            try Shell.sh("ln -s model.pkl live/1/a/latest && mkdir live/3 .r && cp -a live/. .r", in: root.path)
            try Shell.sh(
                "mkdir -p live/.mlflow-backup-restore && mv .r live/.mlflow-backup-restore/staging", in: root.path)
            try Shell.sh(
                "ln -f live/1/a/kept.bin live/.mlflow-backup-restore/staging/1/a/kept.bin && touch -h -d '1 hour ago' "
                    + "live/1/a/model.pkl", in: root.path)
        }

        func change(_ script: String) throws { try Shell.sh(script, in: live) }

        var comparison: TreeComparison { TreeComparison(live: live, restored: restored) }

        func found() throws -> [String] { try comparison.first().described }
    }

    @Test func equalTreesHaveNoFindings() throws {
        let trees = try Trees()
        #expect(try trees.found() == [])
    }

    @Test(
        "A file that came with an old time is found",
        arguments: [
            "cp -p 2/notes.txt 2/copy.txt",
            "/usr/bin/python3 -c 'import shutil; shutil.copy2(\"2/notes.txt\", \"2/copy.txt\")'",
            "cp 2/notes.txt 2/copy.txt && touch -d '2001-01-01' 2/copy.txt",
        ])
    func oldTimesHideNothing(script: String) throws {
        let trees = try Trees()
        try trees.change("touch -d '2020-02-02' 2/notes.txt && " + script)
        #expect(try trees.found() == ["added 2/copy.txt"])
    }

    @Test func theContentOfARenamedFolderIsFound() throws {
        let trees = try Trees()
        try trees.change("mv 1/a 1/z")
        #expect(try trees.found() == ["added 1/z/kept.bin", "added 1/z/latest", "added 1/z/model.pkl"])
    }

    @Test func aNewLinkAndOneWithAnotherTargetAreFound() throws {
        let trees = try Trees()
        try trees.change("ln -s b 1/c && ln -sfn kept.bin 1/a/latest")
        #expect(try trees.found() == ["changed 1/a/latest", "added 1/c"])
    }

    @Test func aLinkThatLeavesTheTreeAndAPipeAreFoundForNoBackupHasThem() throws {
        let trees = try Trees()
        try trees.change("ln -s /etc/hostname 2/away && mkfifo 2/pipe")
        #expect(try trees.found() == ["outsideBackups 2/away", "outsideBackups 2/pipe"])
    }

    @Test func otherBytesOfTheSameSizeAndTimeAreFound() throws {
        let trees = try Trees()
        try trees.change(
            "touch -r 2/notes.txt /tmp/$$ && printf NOTES > 2/notes.txt && touch -r /tmp/$$ 2/notes.txt; rm /tmp/$$")
        #expect(try trees.found() == ["changed 2/notes.txt"])
    }

    @Test func aFileInThePlaceOfAFolderAndAFolderInThePlaceOfAFileAreFound() throws {
        let trees = try Trees()
        try trees.change("rm -r 1/b && echo x > 1/b && rm 2/notes.txt && mkdir 2/notes.txt && echo y > 2/notes.txt/y")
        #expect(try trees.found() == ["changed 1/b", "changed 2/notes.txt", "added 2/notes.txt/y"])
    }

    @Test func aHardLinkIsAFileOfItsOwn() throws {
        let trees = try Trees()
        try trees.change("ln 2/notes.txt 2/second.txt")
        #expect(try trees.found() == ["added 2/second.txt"])
    }

    @Test func whatWasDeletedOrIsEmptyOrHasAnotherModeIsNoFinding() throws {
        let trees = try Trees()
        try trees.change("rm -r 1/b && mkdir 4 && chmod 600 2/notes.txt && rmdir 3")
        #expect(try trees.found() == [])
    }

    @Test func aWriteIntoASharedInodeIsTheRestoredContentToo() throws {
        let trees = try Trees()
        try trees.change("echo more >> 1/a/kept.bin")
        #expect(try trees.found() == [])
    }

    @Test func anEditBetweenTheTwoLooksIsFoundByTheSecond() throws {
        let trees = try Trees()
        let comparison = trees.comparison
        #expect(try comparison.first().isEmpty)
        try trees.change(
            "touch -r 2/notes.txt /tmp/$$ && printf NOTES > 2/notes.txt && touch -r /tmp/$$ 2/notes.txt; rm /tmp/$$; "
                + "echo new > 1/b/new")
        #expect(try comparison.last().described == ["added 1/b/new", "changed 2/notes.txt"])
    }

    @Test func aWriteRightAfterTheFirstLookIsNeverMissed() throws {
        let trees = try Trees()
        let file = trees.live.appending("2/notes.txt")
        for round in 0..<60 {
            try DurableFile.replace(file, with: Array("notes".utf8))
            let comparison = trees.comparison
            #expect(try comparison.first().isEmpty)
            let open = try OpenFile(file, .readWrite(create: 0o644))
            let time = try open.status().modified
            try open.write(Array("NOTES".utf8))
            try open.setModified(time)
            #expect(try comparison.last().described == ["changed 2/notes.txt"], "round \(round)")
        }
    }

    @Test func aFindingThatIsGoneIsNotTold() throws {
        let trees = try Trees()
        try trees.change("echo new > 2/new")
        let comparison = trees.comparison
        #expect(try comparison.first().described == ["added 2/new"])
        try trees.change("rm 2/new")
        #expect(try comparison.last().isEmpty)
    }

    @Test func manyFindingsAreCountedAndAThousandKept() throws {
        let trees = try Trees()
        try trees.change("mkdir m && cd m && seq 1 1500 | xargs touch")
        let findings = try trees.comparison.first()
        #expect(findings.total == 1500)
        #expect(findings.kept.count == TreeFindings.limit)
    }

    @Test func findingsAreToldInBothLanguagesWithoutControlCharacters() throws {
        let path = try #require(EntryPath("1/a\u{1B}[2J\u{202E}b"))
        let text = TreeFinding(.added, path).text
        #expect(text.english == "artifacts/1/a\\u{1b}[2J\\u{202e}b was added")
        #expect(text.chinese == "新增了文件 artifacts/1/a\\u{1b}[2J\\u{202e}b")
    }
}

extension TreeFindings {
    fileprivate var described: [String] { kept.map { "\($0.kind) \($0.path)" } }
}

extension Shell {
    fileprivate static func sh(_ script: String, in folder: FilePath) throws { try sh("cd '\(folder)' && \(script)") }
}
