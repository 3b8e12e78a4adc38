// SPDX-License-Identifier: Apache-2.0

import Archive
import FoundationEssentials
import MLflowStore
import Postgres
import SystemIO
import Wording

/// `manifest.json`: what a backup holds and what it was taken from.
package struct Manifest: Sendable, Equatable, Codable {
    package static let currentFormat = 3
    /// Of a backup of one database of PostgreSQL and one folder, which every version can restore, and of one of several folders.
    private static let (plainFormat, foldersFormat) = (1, 2)

    package struct MLflow: Sendable, Equatable, Codable {
        /// As the server tells it; `nil` where it did not answer.
        package var version: String?
        /// `alembic_version.version_num`.
        package var alembicRevision: String?

        enum CodingKeys: String, CodingKey {
            case version
            case alembicRevision = "alembic_revision"
        }
    }

    package struct Database: Sendable, Equatable, Codable {
        package enum Kind: String, Sendable, Codable { case postgres, sqlite }

        package var name: String
        /// `nil` for PostgreSQL, as in backups of before.
        private var storedKind: Kind?
        /// `server_version_num`, 150018 for 15.18; of SQLite the library's, 3040001 for 3.40.1.
        package var serverVersion: Int
        /// The major version of the pg_dump that was used; zero for SQLite.
        package var dumpToolVersion: Int
        /// Rows by `schema.table`, counted in the dump's own snapshot.
        package var rows: [String: Int64]
        /// The newest moment of each table, in the unit MLflow stores (ms since 1970), in the same snapshot.
        package var newest: [String: Int64]
        /// `ExportedSnapshot.oldestUnseen` of the dump; `nil` in backups of 0.1.0.
        package var oldestUnseen: String?
        /// The role that made the dump: what was its own is the restoring role's. `nil` in older backups.
        package var role: String?
        /// What a restore by that role into that server would leave out, or bring back otherwise; `nil` in older backups.
        package var beyondRestore: [BeyondRestore]?
        /// Where MLflow's tables are; `nil` for `public`, and in older backups.
        package var schema: String?

        package init(
            name: String, kind: Kind = .postgres, serverVersion: Int, dumpToolVersion: Int, rows: [String: Int64],
            newest: [String: Int64], oldestUnseen: String? = nil, role: String? = nil,
            beyondRestore: [BeyondRestore]? = nil, schema: String? = nil
        ) {
            self.name = name
            storedKind = kind == .postgres ? nil : kind
            (self.serverVersion, self.dumpToolVersion) = (serverVersion, dumpToolVersion)
            (self.rows, self.newest, self.oldestUnseen) = (rows, newest, oldestUnseen)
            (self.role, self.beyondRestore, self.schema) = (role, beyondRestore, schema)
        }

        /// Rows of one of MLflow's tables; `nil` where there is no such table.
        func rows(of table: String) -> Int64? {
            rows[QualifiedTable(schema: schema ?? StoreSchema.usual, name: table).description]
        }

        package var kind: Kind { storedKind ?? .postgres }

        enum CodingKeys: String, CodingKey {
            case name
            case storedKind = "kind"
            case serverVersion = "server_version"
            case dumpToolVersion = "pg_dump_version"
            case rows, newest
            case oldestUnseen = "oldest_unseen_transaction"
            case role, schema
            case beyondRestore = "beyond_restore"
        }
    }

    package struct Artifacts: Sendable, Equatable, Codable {
        package var files: Int
        package var folders: Int
        package var bytes: UInt64
        /// When the walk began, seconds since 1970 UTC by this machine's clock.
        package var walkStarted: Int64
        /// Folders below the artifacts folder in which something was mounted; `nil` for none, and in backups of 0.1.0.
        package var mounts: [String]?

        enum CodingKeys: String, CodingKey {
            case files, folders, bytes, mounts
            case walkStarted = "walk_started"
        }
    }

    /// A folder with artifacts beside the first one, or a store.
    package struct Root: Sendable, Equatable, Codable {
        /// As a person calls it (`ArtifactFolder.name`).
        package var name: String
        /// What lies in it (`ArtifactsMark`); `nil` where it could not be read or made.
        package var mark: String?
        package var artifacts: Artifacts
        /// What it is a part of, where it is no folder.
        package var store: Store?

        package struct Store: Sendable, Equatable, Codable {
            /// As a location's scheme: `s3`, `gs`, `sftp`, `rclone`.
            package var kind: String
            /// Where it was, without what lets anybody in.
            package var location: String
            /// Objects whose keys are no paths: they are among the files, and lie in a folder of their own (`keys-NAME`).
            package var strangeKeys: Int
            /// Whether it may have objects that whoever listed them leaves out; `nil` for no.
            package var mayLackKeys: Bool?

            enum CodingKeys: String, CodingKey {
                case kind, location
                case strangeKeys = "strange_keys"
                case mayLackKeys = "may_lack_keys"
            }
        }
    }

    package struct Skipped: Sendable, Equatable, Codable {
        package var path: String
        package var reason: String

        package init(path: String, reason: String) {
            self.path = path
            self.reason = reason
        }
    }

    package var format = Manifest.plainFormat
    package var name: String
    /// Seconds since 1970 UTC, and the same in the zone of the service.
    package var created: Int64
    package var createdAt: String
    package var host: String
    /// Whose it is; `nil` in backups of 0.1.0.
    package var stack: StackIdentity?
    package var serviceVersion: String
    package var mlflow: MLflow
    package var database: Database
    package var artifacts: Artifacts
    /// Folders with artifacts beside that one, in the order of their names; `nil` for none.
    package var roots: [Root]?
    /// Entries that no backup takes; the first thousand by name, as with the next.
    package var skipped: [Skipped]
    /// Files that were written to while they were read.
    package var changedWhileRead: [String]
    /// How many there are of both beyond those that are named; `nil` for none, and in backups that name all.
    package var skippedBeyond: Int?
    package var changedBeyond: Int?
    /// What the database speaks of and the backup does not hold; `nil` for nothing, and in backups of 0.1.0.
    package var elsewhere: Elsewhere?
    /// Artifacts that the database names and the backup does not hold, by place; `nil` in backups of 0.1.0, which do not say.
    package var lack: Lack?

    enum CodingKeys: String, CodingKey {
        case format, name, created
        case createdAt = "created_at"
        case host, stack
        case serviceVersion = "service_version"
        case mlflow, database, artifacts, roots, skipped, elsewhere, lack
        case changedWhileRead = "changed_while_read"
        case skippedBeyond = "skipped_beyond"
        case changedBeyond = "changed_beyond"
    }

    /// A list without bound would make a manifest that no reader takes for one.
    private static let mostNamed = 1000

    var skippedCount: Int { skipped.count.adding(clamped: max(skippedBeyond ?? 0, 0)) }
    var changedCount: Int { changedWhileRead.count.adding(clamped: max(changedBeyond ?? 0, 0)) }

    /// The few numbers a listing shows.
    package struct Summary: Sendable, Equatable, Codable {
        package var mlflowVersion: String?
        package var alembicRevision: String?
        package var experiments: Int64?
        package var runs: Int64?
        package var registeredModels: Int64?
        /// Of all tables together; `nil` in sidecars of 0.1.0.
        package var rows: Int64?
        package var files: Int
        package var contentBytes: UInt64
        package var skipped: Int
        package var lack: Lack?
        /// Files of each further folder, by its name; `nil` for none.
        package var roots: [String: Int64]?
        /// The marks of those that have one.
        package var rootMarks: [String: String]?

        enum CodingKeys: String, CodingKey {
            case mlflowVersion = "mlflow_version"
            case alembicRevision = "alembic_revision"
            case experiments, runs, rows
            case registeredModels = "registered_models"
            case files
            case contentBytes = "content_bytes"
            case skipped, lack, roots
            case rootMarks = "root_marks"
        }
    }

    package var summary: Summary {
        Summary(
            mlflowVersion: mlflow.version, alembicRevision: mlflow.alembicRevision,
            experiments: database.rows(of: "experiments"), runs: database.rows(of: "runs"),
            registeredModels: database.rows(of: "registered_models"), rows: totalRows, files: content.files,
            contentBytes: content.bytes, skipped: skippedCount, lack: lack,
            roots: roots.map { Dictionary($0.map { ($0.name, Int64($0.artifacts.files)) }) { first, _ in first } },
            rootMarks: roots.map { roots in
                Dictionary(roots.compactMap { root in root.mark.map { (root.name, $0) } }) { first, _ in first }
            })
    }

    /// Files and bytes of each folder.
    var content: ContentCount {
        ContentCount(
            first: artifacts.count,
            further: Dictionary((roots ?? []).map { ($0.name, $0.artifacts.count) }) { first, _ in first })
    }

    /// Rows that would not fit into a number are more than any database has.
    private var totalRows: Int64 {
        database.rows.values.reduce(0) { $0.adding(clamped: $1) }
    }

    package func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }

    /// - Throws: `BackupError.manifestUnreadable`, also for a format newer than this program.
    package init(decoding bytes: [UInt8], backup: String) throws {
        do {
            self = try JSONDecoder().decode(Manifest.self, from: Data(bytes))
        } catch {
            throw BackupError.manifestUnreadable(backup: backup, reason: .init(zh: "\(error)", en: "\(error)"))
        }
        guard format <= Self.currentFormat else {
            throw BackupError.manifestUnreadable(
                backup: backup,
                reason: .init(
                    zh: "格式为 \(format)，本程序最高能读 \(Self.currentFormat)",
                    en: "format \(format); this program reads up to \(Self.currentFormat)"))
        }
        guard isPlausible else {
            throw BackupError.manifestUnreadable(
                backup: backup, reason: .init(zh: "其中的数字不合理", en: "it has numbers that no backup has"))
        }
    }
}

extension Manifest {
    package init(
        name: String, created: LocalTime, host: String, stack: StackIdentity?, serviceVersion: String, mlflow: MLflow,
        database: Database,
        artifacts: Artifacts, roots: [Root] = [], skipped: [Skipped], changedWhileRead: [String]
    ) {
        // A program that does not know of further folders would bring back the first alone, and say that all is well; one that knows
        // PostgreSQL alone would hand pg_restore what is none of its dumps.
        let isPlain = database.kind == .postgres && roots.allSatisfy { $0.store == nil }
        format = !isPlain ? Self.currentFormat : roots.isEmpty ? Self.plainFormat : Self.foldersFormat
        self.roots = roots.isEmpty ? nil : roots
        self.name = name
        self.created = created.epoch
        createdAt = created.iso
        self.host = host
        self.stack = stack
        self.serviceVersion = serviceVersion
        self.mlflow = mlflow
        self.database = database
        self.artifacts = artifacts
        self.skipped = Array(skipped.prefix(Self.mostNamed))
        self.changedWhileRead = Array(changedWhileRead.prefix(Self.mostNamed))
        skippedBeyond = skipped.count > Self.mostNamed ? skipped.count - Self.mostNamed : nil
        changedBeyond = changedWhileRead.count > Self.mostNamed ? changedWhileRead.count - Self.mostNamed : nil
    }
}

extension Manifest {
    private var isPlausible: Bool {
        ([artifacts] + (roots ?? []).map(\.artifacts)).allSatisfy(\.isPlausible) && hasPlausibleNames
            && PlausibleNumber.isCount(totalRows) && PlausibleNumber.isDate(created)
            && database.rows.values.allSatisfy { PlausibleNumber.isCount($0) } && (lack?.isPlausible ?? true)
    }
}

extension Manifest {
    private static let mostRoots = 64

    /// They become parts of paths.
    private var hasPlausibleNames: Bool {
        let names = (roots ?? []).map(\.name)
        return names.count <= Self.mostRoots && names.allSatisfy(ArtifactFolder.isName)
            && Set(names).count == names.count
            && (roots ?? []).compactMap(\.store).allSatisfy { store in
                PlausibleNumber.isCount(Int64(store.strangeKeys)) && store.kind.utf8.count <= 32
                    && store.location.utf8.count <= 4096
            }
    }

    /// Where something was mounted in the folders; of a further one with its name before it.
    var allMounts: [String] {
        (roots ?? []).reduce(artifacts.mounts ?? []) { all, root in
            all + (root.artifacts.mounts ?? []).map { "\(root.name):\($0)" }
        }
    }

    /// The same as if one folder were all that the backup has (`Workspace.viewed(at:)`).
    /// - Returns: `nil` where it does not have that one.
    func viewed(at name: String) -> Manifest? {
        guard let root = roots?.first(where: { $0.name == name }) else { return nil }
        var view = self
        view.artifacts = root.artifacts
        view.roots = nil
        return view
    }
}

extension Manifest.Artifacts {
    fileprivate var count: ContentCount.Folder { .init(files: files, bytes: bytes) }

    fileprivate var isPlausible: Bool {
        PlausibleNumber.isCount(bytes) && PlausibleNumber.isCount(Int64(files))
            && PlausibleNumber.isCount(Int64(folders)) && PlausibleNumber.isDate(walkStarted)
    }
}
