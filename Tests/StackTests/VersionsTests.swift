// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO
import TestSupport
import Testing

/// Real servers and clients of MLflow from 2.9 on. `scripts/test` runs one of 2 and the newest, `--mlflow-versions` all.
@Suite(
    "Versions of MLflow", .serialized, .aheadBesideThePool,
    .enabled(if: !MLflowRelease.here.isEmpty, "MLFLOW_TEST_VERSIONS is not set: run scripts/test"))
struct VersionsTests {
    @Test(
        "what this version's client wrote comes back into an empty stack, row by row and byte by byte",
        arguments: MLflowRelease.here)
    func chain(_ release: MLflowRelease) throws {
        let stack = try VersionedStack(release, on: .shared)
        let revision = try stack.revision()
        #expect(SchemaRevisions.chain.contains(revision), "\(revision) is not among the revisions that we know")
        try stack.client("fill")
        let before = try stack.client("read")
        #expect(differences(before, try stack.client("read")).isEmpty, "two readings of the same are equal")

        let doctor = try stack.command(["doctor"])
        #expect(doctor.succeeded, "\(doctor.output)\(doctor.errors)")
        #expect(doctor.output.contains(revision), "\(doctor.output)")
        let archive = try stack.backup()

        // Another server of PostgreSQL and of MLflow, on which nobody has logged anything.
        let other = try VersionedStack(release, on: TemporaryPostgres(), "empty")
        let outcome = try other.command(["restore", archive.string])
        #expect(outcome.succeeded, "\(outcome.output)\(outcome.errors)")
        let after = try other.client("read")
        #expect(before.split(separator: "\n").count > 40 && before.contains("artifact"))
        #expect(differences(before, after) == [])

        if release.name == "3.18" {
            try other.client("skill")
            let refused = try other.command(["restore", archive.string])
            #expect(refused.errors.contains("description of skill \"reading\" was changed"), "\(refused.errors)")
            #expect(refused.errors.contains("later"), "\(refused.errors)")
        }

        // What is newer than the backup is found, and a restored stack is a stack like any other.
        try other.client("more")
        let newer = try other.client("read")
        #expect(newer != after)
        let refused = try other.command(["restore", archive.string])
        #expect(refused.exit == .code(5) && refused.errors.contains("runs"), "\(refused.errors)")
        #expect(differences(newer, try other.client("read")) == [])
        _ = try other.backup()
        let forced = try other.command(["restore", "--force", archive.string])
        #expect(forced.succeeded, "\(forced.errors)")
        #expect(differences(before, try other.client("read")) == [])
        let undone = try other.command(["restore", "--undo"])
        #expect(undone.succeeded, "\(undone.errors)")
        #expect(differences(newer, try other.client("read")) == [])
    }

    @Test(
        "its revisions are the beginning of those that we know, in their order, and its last is known as its",
        arguments: MLflowRelease.here)
    func revisions(_ release: MLflowRelease) throws {
        let code = """
            from alembic.script import ScriptDirectory
            from mlflow.store.db.utils import _get_alembic_config
            for script in reversed(list(ScriptDirectory.from_config(_get_alembic_config("")).walk_revisions())): print(script.revision)
            """
        // Some write into it.
        let home = try TemporaryFolder("home")
        let output = try Shell.run(
            release.python, ["-I", "-c", code],
            environment: ["GIT_PYTHON_REFRESH": "quiet", "HOME": home.path.string])
        let revisions = output.split(separator: "\n").map(String.init)
        #expect(revisions.count > 20 && SchemaRevisions.chain.starts(with: revisions), "\(revisions)")
        #expect(SchemaRevisions.release(ofHead: revisions.last ?? "") == release.name)
    }
}
