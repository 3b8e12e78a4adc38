# SPDX-License-Identifier: Apache-2.0
"""Databases of real MLflow and of SQLite's further features, and what is in one, as Python's own SQLite reads it.

content.py mlflow PATH NAME RUNS    fills a database as MLflow does
content.py odd PATH NUMBER          makes one with what MLflow does not use
content.py digest PATH              prints one line that tells everything in it, but for our own table
content.py urls                     prints where SQLAlchemy finds each of the URLs on standard input
"""

import hashlib
import json
import sqlite3
import sys

OURS = "mlflow_backup_content"


def mlflow(path, name, runs):
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore("sqlite:///" + path, "/tmp/nowhere")
    experiment = store.create_experiment(name)
    for number in range(int(runs)):
        run = store.create_run(experiment, "ann", 1_790_000_000_000, [RunTag("team", name)], f"{name} {number}")
        store.log_batch(
            run.info.run_id,
            [Metric(f"loss{k}", 1 / (n + 1), 1_790_000_000_000 + n, n) for k in range(4) for n in range(50)],
            [Param(f"p{k}", f"{name} {k} " + "x" * 300) for k in range(20)],
            [RunTag("note", "中文 é e\u0301 🙂")],
        )
    registry = Registry("sqlite:///" + path)
    registry.create_registered_model(name)
    registry.create_model_version(name, "runs:/x/model", None)


def odd(path, number):
    n = int(number)
    db = sqlite3.connect(path, isolation_level=None)
    db.text_factory = bytes
    db.executescript(
        f"""
        CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, word TEXT);
        CREATE TABLE plain (word, other DEFAULT "x");
        CREATE TABLE keyed (a TEXT, b INTEGER, c BLOB, PRIMARY KEY (a, b)) WITHOUT ROWID;
        CREATE TABLE made (a INTEGER, b INTEGER AS (a * 2) STORED, c TEXT AS (a || '!') VIRTUAL);
        CREATE TABLE hidden (rowid TEXT, oid TEXT, _rowid_ TEXT);
        CREATE TABLE "odd ""name'é" ("a b" TEXT COLLATE NOCASE PRIMARY KEY, "select" REAL CHECK ("select" < 1e9));
        CREATE TABLE strict (a ANY, b INT) STRICT;
        CREATE TABLE log (line TEXT);
        CREATE TABLE pointing (id INTEGER PRIMARY KEY, at INTEGER REFERENCES counted (id) ON DELETE CASCADE);
        CREATE UNIQUE INDEX words ON plain (word) WHERE word IS NOT NULL;
        CREATE INDEX lowered ON counted (lower(word), id DESC);
        CREATE VIEW both AS SELECT word FROM counted UNION ALL SELECT word FROM plain;
        CREATE TRIGGER logged AFTER INSERT ON counted BEGIN INSERT INTO log VALUES ('added ' || NEW.word); END;
        CREATE TRIGGER through INSTEAD OF INSERT ON both BEGIN INSERT INTO counted (word) VALUES (NEW.word); END;
        INSERT INTO counted (word) SELECT 'w' || value FROM (WITH RECURSIVE c(value) AS (SELECT 1 UNION ALL SELECT
            value + 1 FROM c WHERE value < {200 + n}) SELECT value FROM c);
        DELETE FROM counted WHERE id > {150 + n};
        INSERT INTO plain (rowid, word) VALUES (5, 'five'), (-7, 'minus'), (9000000000 + {n}, NULL);
        INSERT INTO keyed VALUES ('k', {n}, x'00ff'), ('k', -1, zeroblob(100000)), ('', 0, NULL);
        INSERT INTO made (a) VALUES ({n}), (NULL);
        INSERT INTO hidden VALUES ('r', 'o', '{n}');
        INSERT INTO "odd ""name'é" VALUES ('K', 1.5), ('é', -0.0);
        INSERT INTO strict VALUES (1.5, {n}), ('1', NULL), (x'31', 2);
        INSERT INTO log (rowid, line) VALUES (1000, CAST(x'ff00fe' AS TEXT)), (2000, 'a' || char(0) || 'b');
        INSERT INTO pointing VALUES (1, 1), (2, 99999);
        ANALYZE;
        PRAGMA user_version = {100 + n};
        PRAGMA application_id = {-5 - n};
        """
    )


def digest(path):
    db = sqlite3.connect(path, timeout=30)
    db.text_factory = bytes
    lines = []
    schema = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").fetchall()
    for kind, name, table, sql in schema:
        if table.decode() == OURS:
            continue
        # Once there, it stays there.
        if name == b"sqlite_sequence" and not db.execute("SELECT 1 FROM sqlite_sequence").fetchall():
            continue
        lines.append(repr((kind, name, table, sql)))
        if kind == b"table":
            quoted = '"' + name.decode().replace('"', '""') + '"'
            info = db.execute(f"PRAGMA table_xinfo({quoted})").fetchall()
            names = ['"' + c[1].decode().replace('"', '""') + '"' for c in info]
            read = [f"typeof({c}), CASE typeof({c}) WHEN 'text' THEN CAST({c} AS BLOB) ELSE {c} END" for c in names]
            lists = db.execute("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", (name.decode(),))
            if not lists.fetchone()[0] and not name.startswith(b"sqlite_"):
                free = next((x for x in ("rowid", "_rowid_", "oid") if f'"{x}"' not in names), None)
                read = ([free] if free else []) + read
            rows = sorted(repr(r) for r in db.execute(f"SELECT {', '.join(read)} FROM {quoted}"))
            lines += rows
    for pragma in ("user_version", "application_id", "encoding", "integrity_check"):
        lines.append(pragma + repr(db.execute(f"PRAGMA {pragma}").fetchall()))
    print(hashlib.sha256("\n".join(lines).encode()).hexdigest())


def urls():
    from sqlalchemy.engine import make_url

    for line in sys.stdin:
        url = make_url(line.rstrip("\n"))
        print(json.dumps(url.get_dialect()().create_connect_args(url)[0][0]))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
