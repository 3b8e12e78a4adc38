// SPDX-License-Identifier: Apache-2.0

/// Indices and extended statistics over expressions, of tables that a superuser keeps for an owner who is away: ANALYZE, which the server does
/// by itself too, computes them with the rights of the table's owner (`vacuum.c`, `analyze_rel`). Whose the function is that one calls can replace
/// it at any time, and would have all rights.
extension RestoreAfterwards {
    mutating func dropExpressions() throws {
        if strangers.analyzed.isEmpty { return }
        let found = try session.rows(
            """
            with kept as (
                select pg_catalog.to_regclass(name)::oid as oid from pg_catalog.unnest(\(strangers.analyzed)::text[]) name),
              others as (
                select f.oid from pg_catalog.pg_proc f join pg_catalog.pg_roles r on r.oid = f.proowner where not r.rolsuper),
              calling as (
                select d.classid, d.objid from pg_catalog.pg_depend d
                where d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.refobjid in (select oid from others)
                union
                select d.classid, d.objid
                from pg_catalog.pg_depend d join pg_catalog.pg_operator o on o.oid = d.refobjid
                where d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
                  and o.oprcode::oid in (select oid from others))
            select 'index' as kind, pg_catalog.format('%I.%I', n.nspname, i.relname) as name, i.relkind <> 'I' as of_part,
              case when k.oid is null then pg_catalog.format('DROP INDEX IF EXISTS %I.%I;', n.nspname, i.relname)
              else pg_catalog.format('ALTER TABLE %I.%I DROP CONSTRAINT IF EXISTS %I;', n.nspname, c.relname, k.conname)
              end as statement
            from calling join pg_catalog.pg_class i
                on calling.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and i.oid = calling.objid
              join pg_catalog.pg_namespace n on n.oid = i.relnamespace
              join pg_catalog.pg_index x on x.indexrelid = i.oid join kept on kept.oid = x.indrelid
              join pg_catalog.pg_class c on c.oid = x.indrelid
              left join pg_catalog.pg_constraint k on k.conindid = i.oid and k.contype in ('p', 'u', 'x')
            union all
            select 'statistics', pg_catalog.format('%I.%I', n.nspname, s.stxname), true,
              pg_catalog.format('DROP STATISTICS IF EXISTS %I.%I;', n.nspname, s.stxname)
            from calling join pg_catalog.pg_statistic_ext s
                on calling.classid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass and s.oid = calling.objid
              join pg_catalog.pg_namespace n on n.oid = s.stxnamespace join kept on kept.oid = s.stxrelid
            order by 3, 1, 2
            """
        ).map { row in
            (
                BeyondRestore(kind: try row.string("kind"), name: try row.string("name"), fate: .leftOut),
                try row.string("statement").serverBytes
            )
        }
        try inParts(found) {
            for (object, statement) in $1 {
                // One of a partition goes with that of the whole table, if that is kept, too.
                let refusal = try $0.attempt(statement)
                $0.refused.append(object.because(refusal.map { "KEPT: \($0.refusal ?? "")" }))
            }
        }
    }
}
