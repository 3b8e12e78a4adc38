// SPDX-License-Identifier: Apache-2.0

import Postgres

extension PlaceReading {
    /// Looked for on the disk, each: of two thousand experiments and more the newest.
    static let mostExpected = 10_000
    /// Of one kind at most; each experiment may have a location of its own.
    static let mostGroups = 200_000

    /// What `mlflow-artifacts:` serves, which is nearly all of most stacks, is left out: nothing in the database says where
    /// that is (`expected`).
    static func groups(_ session: BoundedSession, _ columns: StoreColumns) throws -> (groups: [Group], isCut: Bool) {
        var groups: [Group] = []
        var isCut = false
        for source in PlaceSource.all(in: columns) {
            let rows = try session.rows(
                """
                select location, min(whole) as first, max(whole) as last, count(*) as total,
                       count(*) filter (where deleted) as deleted, 
                       case when not bool_or(experiment is null) then min(experiment) end as experiment
                from (
                  select whole, deleted, experiment,
                         case when tail <> '' and right(whole, length(tail)) = tail
                              then left(whole, length(whole) - length(tail)) else whole end as location
                  from (select (\(source.location))::text as whole, (\(source.tail ?? modelTail(of: source.location)))::text as tail,
                               coalesce(\(source.isDeleted), false) as deleted,
                               (\(source.experiment))::bigint as experiment
                        from \(columns.named(source.table)) where \(source.condition)) stored
                  where whole <> '' and whole not like 'mlflow-artifacts:%'
                ) named group by location order by total desc, location limit \(number: mostGroups)
                """)
            isCut = isCut || rows.count == mostGroups
            for row in rows {
                groups.append(
                    Group(
                        things: source.things, location: try row.string("location"),
                        examples: [try row.string("first"), try row.string("last")], total: try row.int64("total"),
                        deleted: try row.int64("deleted"), experiment: try row.optional("experiment", as: Int64.self)))
            }
        }
        return (groups, isCut)
    }

    /// The newest five of each experiment that cannot be without files: logged models that are ready, and runs that logged a model
    /// or a table. A run that logged numbers alone has no folder, and is none of these.
    static func expected(_ session: BoundedSession, _ columns: StoreColumns) throws -> [Expected] {
        var expected: [Expected] = []
        for query in PlaceSource.expected(in: columns) {
            let rows = try session.rows(
                """
                select experiment::text as experiment, location from (
                  select experiment, location, moment,
                         row_number() over (partition by experiment order by moment desc nulls last) as place
                  from (\(query)) things
                ) newest where place <= 5 and location <> '' order by moment desc nulls last limit \(number: mostExpected)
                """)
            for row in rows {
                expected.append(
                    Expected(experiment: try row.string("experiment"), location: try row.string("location")))
            }
        }
        return expected
    }

    private static func modelTail(of location: SQL) -> SQL {
        "coalesce(substring(\(location) from '(?:/[0-9a-f]{32}|/models/m-[0-9a-f]{32})/artifacts.*$'), '')"
    }
}

extension StoreColumns: StoreTables {
    func named(_ table: String) -> SQL { "\(identifier: self.table(table))" }
}
