// SPDX-License-Identifier: Apache-2.0

import Glibc
import MLflowStore
import Postgres
import SystemIO
import Wording

extension PostgresStore {
    /// Where somebody waits for a table of ours, or holds one that the dump needs, everything is let go and begun anew.
    package func dump(_ request: DumpRequest) throws -> DumpedDatabase {
        var attempt = 1
        while true {
            // Who holds a table for as long as this waits is named at once, and not waited for again.
            let snapshot = try ExportedSnapshot(of: settings, cancellation: request.cancellation)
            defer { snapshot.release() }
            do { return try dumpOnce(snapshot, request) } catch let error as PostgresError
                where error.metLock && attempt < 5
            {
                snapshot.release()
                request.log.warning("the dump gave way and begins anew", ["reason": error.bilingual.english])
                try Directory.removeTree(request.folder)
                attempt += 1
                // Whoever waited has its turn first.
                usleep(300_000)
            }
        }
    }

    /// Dump and counts come from one exported snapshot, so they agree whatever MLflow writes meanwhile.
    private func dumpOnce(_ snapshot: ExportedSnapshot, _ request: DumpRequest) throws -> DumpedDatabase {
        try snapshot.givingWay(cancellation: request.cancellation) { cancellation in
            let survey = try StoreSurvey(snapshot, cancellation: cancellation)
            guard survey.revision != nil else {
                throw BackupError.databaseEmpty(
                    name: name,
                    schemas: try snapshot.withSession { session throws(PostgresError) in
                        try StoreSchema(on: session).all
                    },
                    wanted: settings.schema)
            }
            let ground = try snapshot.ground()
            // pg_dump takes an empty folder, and would make one that is nobody's but its own.
            try Directory.makeInherited(request.folder, mode: 0o700)
            do {
                try tools.dump(
                    settings, snapshot: snapshot.identifier, into: request.folder,
                    jobs: try snapshot.room().jobs(atMost: min(request.threads, 4)), isStandby: ground.isReadOnly,
                    cancellation: cancellation
                ) { [progress = request.progress] step in
                    if case .table(let name) = step { progress(Progress(.dumping, fraction: 0.1, detail: name)) }
                }
            } catch PostgresError.diskFull(let reason) { throw try Self.full(request, reason) }
            let version = snapshot.serverVersion
            return DumpedDatabase(
                revision: survey.revision,
                record: Manifest.Database(
                    name: name, serverVersion: version,
                    dumpToolVersion: try tools.version(of: .dump, serverVersion: version), rows: survey.rows,
                    newest: survey.newest, oldestUnseen: snapshot.oldestUnseen, role: ground.role,
                    beyondRestore: ground.beyondRestore,
                    schema: survey.schema == StoreSchema.usual ? nil : survey.schema))
        }
    }

    /// pg_dump says the same words of the server's disk and of the one that it writes to.
    private static func full(_ request: DumpRequest, _ reason: String) throws -> any Error {
        let space = try DiskSpace.at(request.folder)
        guard space.available < littleRoom || !space.holds(1) else {
            return PostgresError.diskFull(reason: reason)
        }
        request.log.warning("pg_dump met a full disk", ["reason": reason])
        return BackupError.lackingRoom(
            path: request.backups.string, needed: space.available.adding(clamped: littleRoom),
            available: space.available)
    }

    /// Bytes: far more than one of pg_dump's writes.
    private static let littleRoom: UInt64 = 16 << 20
}
