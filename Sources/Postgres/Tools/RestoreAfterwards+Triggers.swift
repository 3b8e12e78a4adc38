// SPDX-License-Identifier: Apache-2.0

/// Triggers of others' tables and functions: what one does for its owner it would do for this role, or for whoever sets it off, who would
/// then be refused what he may do. A key that cascades sets them off with the rights of the table's owner (PostgreSQL manual, CREATE TRIGGER).
extension RestoreAfterwards {
    /// Those to be turned off. Before 15 a partition's is a copy that counts as the server's own, and is not off with the one above it.
    var triggers: SQL {
        """
        select pg_catalog.format('%I on %I.%I', t.tgname, n.nspname, c.relname) as name, 'trigger' as kind,
          pg_catalog.format('ALTER TABLE ONLY %I.%I DISABLE TRIGGER %I;', n.nspname, c.relname, t.tgname) as statement
        from pg_catalog.pg_trigger t
          join pg_catalog.pg_class c on c.oid = t.tgrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where (not t.tgisinternal or t.tgconstraint = 0 and exists (
            select from pg_catalog.pg_trigger above
            where above.tgfoid = t.tgfoid and above.tgname = t.tgname and not above.tgisinternal))
          and t.tgenabled <> 'D' and c.relkind in ('r', 'p', 'f')
          and (t.tgfoid in (select pg_catalog.to_regprocedure(f) from pg_catalog.unnest(\(strangers.functions)::text[]) f)
            or t.tgrelid in (select pg_catalog.to_regclass(name) from pg_catalog.unnest(\(strangers.tables)::text[]) name))
        order by 1
        """
    }

    /// They come last: each statement that makes or changes something would set them off.
    var eventTriggers: SQL {
        """
        select pg_catalog.quote_ident(evtname) as name, 'event trigger' as kind,
          pg_catalog.format('ALTER EVENT TRIGGER %I DISABLE;', evtname) as statement
        from pg_catalog.pg_event_trigger
        where evtenabled <> 'D'
          and evtfoid in (select pg_catalog.to_regprocedure(f) from pg_catalog.unnest(\(strangers.functions)::text[]) f)
        order by 1
        """
    }

    mutating func turnOff(_ triggers: SQL) throws {
        let found = try session.rows(triggers).map { row in
            (
                BeyondRestore(kind: try row.string("kind"), name: try row.string("name"), fate: .leftOut),
                try row.string("statement").serverBytes
            )
        }
        try inParts(found) {
            for (trigger, statement) in $1 {
                // Of a table that is its owner's already, who need not let this role: there it does what that one may.
                let refusal = try $0.attempt(statement)
                let state = refusal.map { ["ENABLED", $0.refusal].compactMap(\.self).joined(separator: ": ") }
                $0.refused.append(trigger.because(state ?? "DISABLED"))
            }
        }
    }

    /// Nobody makes a new one there either, who could by a grant: it would do what this role may, or whoever has the table now.
    mutating func takeTriggerRights() throws {
        let found = try session.rows(
            """
            select pg_catalog.format('TRIGGER ON %I.%I TO %s', n.nspname, c.relname, who.name) as name,
              pg_catalog.format('REVOKE TRIGGER ON TABLE %I.%I FROM %s CASCADE;', n.nspname, c.relname, who.name) as statement
            from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
              cross join lateral pg_catalog.aclexplode(c.relacl) a
              cross join lateral (
                select case a.grantee when 0 then 'PUBLIC' else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end) who(name)
            where a.privilege_type = 'TRIGGER' and a.grantee <> c.relowner
              and c.oid in (select pg_catalog.to_regclass(name) from pg_catalog.unnest(\(strangers.tables)::text[]) name)
            order by 1
            """
        ).map { row in
            (
                BeyondRestore(kind: "grant", name: try row.string("name"), fate: .leftOut),
                try row.string("statement").serverBytes
            )
        }
        try inParts(found) {
            for (grant, statement) in $1 {
                guard try $0.attempt(statement) == nil else { continue }
                $0.refused.append(grant)
            }
        }
    }
}
