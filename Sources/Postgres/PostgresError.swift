// SPDX-License-Identifier: Apache-2.0

import Wording

/// What can go wrong with the server, with a statement, or with PostgreSQL's own programs.
package enum PostgresError: Error, Sendable, Equatable {
    /// Nobody answers there, or the server says that it is starting or stopping.
    case unreachable(host: String, port: Int, reason: String)
    case authenticationFailed(user: String)
    /// The encrypted session that is demanded could not be had: a certificate that nobody vouches for, or is another host's, a file
    /// that is missing, a server that has none. `reason` is libpq's sentence.
    case notSecured(host: String, port: Int, reason: String)
    case databaseMissing(name: String)
    case databaseExists(name: String)
    /// SQLSTATE 53300.
    case tooManyConnections(reason: String)
    /// SQLSTATE 53100, or a program of PostgreSQL that met ENOSPC.
    case diskFull(reason: String)
    /// SQLSTATE 42501. `reason` is the server's sentence.
    case insufficientPrivilege(user: String, reason: String)
    /// The role may not create databases, which every restore needs.
    case mayNotCreateDatabases(user: String)
    /// This role has not the rights of the live database's owner, which renaming it needs.
    case databaseNotOwned(name: String, owner: String, user: String)
    /// This role may not read these tables and lock them against writing.
    case tablesNotLockable(user: String, tables: [QualifiedTable])
    /// What a dump reads and this role may not.
    case databaseNotReadable(user: String, objects: UnreadableObjects, isRestored: Bool = false)
    /// Tables of a dump depend on what takes a superuser to make.
    case needsSuperuser(user: String, tables: [String])
    /// Tables of a dump depend on extensions that this server has not or cannot make, whoever asks. Each extension is a name with
    /// what the server says.
    case extensionsUnavailable(extensions: [String], tables: [String])
    /// A standby, which takes no changes.
    case serverReadOnly(host: String, port: Int)
    /// A session that was open has ended: the server stopped, or somebody terminated it.
    case connectionLost(reason: String)
    /// Sessions that this role may not end keep a database from being renamed. Each holder is one readable line.
    case databaseInUse(name: String, holders: [String])
    /// Another service works on this database.
    case stackBusy(database: String, holder: String)
    /// A pooler that shares sessions between clients stands between us and the server.
    case pooled(host: String, port: Int)
    /// The database that holds the stack's lock cannot be used.
    case maintenanceDatabaseNotUsable(name: String, reason: BilingualText)
    /// Transactions prepared for two-phase commit keep a database from being renamed.
    case preparedTransactions(database: String, identifiers: [String])
    /// Tables could not be read or locked within that time. Each holder is one readable line; none where nobody could be
    /// named any more.
    case tablesInUse(seconds: Int, holders: [String])
    /// A statement of ours waited for that long for server processes that did not react, each a readable line;
    /// none where nobody could look.
    case processStuck(seconds: Int, processes: [String])
    /// A statement of ours was worked at for that long and cancelled, though its process waited for nobody.
    case workUnfinished(seconds: Int, process: String)
    /// Another service of this stack has its lock in another maintenance database, where ours does not count.
    case maintenanceDatabaseDiffers(database: String, ours: String, other: String, holder: String)
    /// Any other error of the server.
    case query(sqlstate: String, message: String)
    /// Text with a NUL byte, which PostgreSQL cannot hold.
    case nulByte(text: String)
    /// A column that is absent, or NULL, or of another type than the one asked for.
    case unexpectedValue(column: String, found: String)
    case toolMissing(path: String)
    /// `toolVersion` and `serverVersion` are major versions: 14, 15. `command` gets the right ones here, where somebody said how
    /// (`PostgresTools.installCommand`).
    case toolTooOld(tool: String, toolVersion: Int, serverVersion: Int, command: String? = nil)
    /// The only pg_restore there is cannot restore into a server that much older.
    case toolTooNew(tool: String, toolVersion: Int, serverVersion: Int, command: String? = nil)
    /// A dump of `dumpVersion` is in a form that no pg_restore knows that can restore into this server. `needed` is the major version of
    /// one that would; `nil` where there is none.
    case dumpTooNew(dumpVersion: Int, toolVersion: Int, serverVersion: Int, needed: Int?, command: String? = nil)
    /// A program of PostgreSQL ended with an error. `lastErrorLines` is what it wrote about it, oldest first.
    case toolFailed(tool: String, exit: String, lastErrorLines: [String])
    /// A password with a line break, which a password file cannot hold.
    case passwordNotExpressible
}
