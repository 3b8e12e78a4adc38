// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What the last exchange of a database left in it, in the transaction that made it: which operation it was, and which of the two
/// contents is there. After a crash it says what became of the exchange.
package struct ExchangeRecord: Sendable, Equatable {
    package enum Side: String, Sendable {
        /// What was there when the operation began.
        case old
        /// What it restored.
        case new
    }

    package let operation: String
    package let side: Side

    package init(operation: String, side: Side) {
        (self.operation, self.side) = (operation, side)
    }

    /// A table of ours among MLflow's. It is in no survey and no comparison, and no exchange carries it.
    package static let table = "mlflow_backup_exchange"

    /// Which of the operation's two contents a database holds: the old one as long as nothing says otherwise.
    package static func side(of operation: String, in database: LiveDatabase) throws(SQLiteError) -> Side {
        guard let record = try read(database.connection), record.operation == operation else { return .old }
        return record.side
    }

    /// - Returns: `nil` where no exchange left one.
    package static func read(_ connection: SQLiteConnection) throws(SQLiteError) -> ExchangeRecord? {
        let known = try connection.run(
            "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?", [.text(table)])
        guard !known.isEmpty else { return nil }
        let row = try connection.run("SELECT operation, side FROM main.\(table)").first
        guard let row, let operation = row["operation"].text, let side = row["side"].text.flatMap(Side.init) else {
            return nil
        }
        return ExchangeRecord(operation: operation, side: side)
    }

    /// Takes the table away, once nobody will ask any more.
    package static func remove(from database: LiveDatabase) throws {
        try database.waiting("DROP TABLE IF EXISTS main.\(table)", atMost: 10, Cancellation())
    }

    /// In the transaction that is under way.
    func write(_ connection: SQLiteConnection) throws(SQLiteError) {
        try connection.run("DROP TABLE IF EXISTS main.\(Self.table)")
        try connection.run("CREATE TABLE main.\(Self.table) (operation TEXT NOT NULL, side TEXT NOT NULL)")
        try connection.run(
            "INSERT INTO main.\(Self.table) VALUES (?, ?)", [.text(operation), .text(side.rawValue)])
    }
}
