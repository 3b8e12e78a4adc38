// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite(
    "Among artifacts of another user's, and of another stack's",
    .enabled(if: geteuid() == 0, "becoming others needs root"),
    .onItsOwnThread)
struct AmongAnothersTests {
    private static let (service, mlflow): (UInt32, UInt32) = (4321, 4322)

    @Test("What root's killed restore made ready can be removed by what is advised, which gives no live file away")
    func killed() throws {
        let live = try LiveStackFixture("among_killed")
        let work = ArtifactSwap(root: live.artifacts, id: "1").work
        let file = "1/run2/artifacts/model.bin"
        try Shell.sh(
            """
            chmod 755 '\(live.root.path)' && cd '\(live.artifacts)' && mkdir -p '\(work)/new/1/run2/artifacts' && ln \(file) '\(work)/new/\(file)'
            chown -R \(Self.mlflow):\(Self.service) . && chown \(Self.service) '\(work.parent)'
            """)
        let (error, user) = try OrdinaryUser.run(Self.service) {
            let error = #expect(throws: SystemError.self) { try Directory.removeTree(work) }
            return (error, geteuid())
        }
        let denied = try #require(error)
        #expect(denied.path.contains("/new/1/"), "\(denied)")
        let words = try OrdinaryUser.run(user) { BackupError.unusable(denied, in: live.folder).explanation.english }
        let command = words.components(separatedBy: "As root run: ").last ?? "false"
        #expect(command.contains("'\(work)' -type d -execdir chown -h"), "\(words)")
        try Shell.sh(command)
        #expect(try FileStatus.of(live.artifacts.appending(file)).owner == Self.mlflow)
        try OrdinaryUser.run(Self.service) { try Directory.removeTree(work) }
    }

    @Test("Nor does what is advised of the folder itself that such a restore worked in")
    func workFolder() throws {
        let live = try LiveStackFixture("among_work")
        let work = ArtifactSwap(root: live.artifacts, id: "1").work
        try Shell.sh(
            """
            chmod 755 '\(live.root.path)' && cd '\(live.artifacts)' && touch top && mkdir -p '\(work)/new/1' && ln top '\(work)/new/top'
            ln 1/run2/artifacts/model.bin '\(work)/new/1/model.bin' && chown -R \(Self.mlflow):\(Self.mlflow) .
            chown \(Self.service) '\(work.parent)' && chown -R 0:0 '\(work)' && chmod 700 '\(work)'
            chown \(Self.mlflow) top 1/run2/artifacts/model.bin
            """)
        let denied = SystemError("open", path: work.string, code: EACCES)
        let words = try OrdinaryUser.run(Self.service) {
            BackupError.unusable(denied, in: live.folder).explanation.english
        }
        try Shell.sh(words.components(separatedBy: "As root run: ").last ?? "false")
        for name in ["top", "1/run2/artifacts/model.bin"] {
            #expect(try FileStatus.of(live.artifacts.appending(name)).owner == Self.mlflow, "\(words)")
        }
        try OrdinaryUser.run(Self.service) { try Directory.removeTree(work) }
    }

    @Test(
        "Root restores one stack's backup into another: what is kept there is that one's service's, and not the first's"
    )
    func intoAnother() throws {
        let (one, other) = try (LiveStackFixture("among_one"), LiveStackFixture("among_other"))
        for (live, user) in [(one, Self.mlflow), (other, Self.service)] {
            try Shell.sh("chmod 755 '\(live.root.path)' && chown -hR \(user):\(user) '\(live.root.path)'")
        }
        let name = try OrdinaryUser.run(Self.mlflow) { try one.backup().name.string }
        try OrdinaryUser.run(Self.service) { _ = try other.backup() }
        let kept = try RestoreJob(
            other.workspace(folder: one.folder), options: .init(mode: .artifacts, force: true)
        ).run(name).kept
        let own = ArtifactSwap(root: other.artifacts, id: nil).folder
        #expect(try FileStatus.of(own).owner == Self.service)
        try OrdinaryUser.run(Self.service) {
            try other.backup()
            #expect(RecoverJob(other.workspace()).unsettled() == nil)
        }
        #expect(kept != nil)
    }
}
