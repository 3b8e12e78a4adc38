#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what lets MLflow's append-only `metrics` table re-use its head in the next backup's archive.

usage: measure.py [--rows 10000000] [--work DIR] [--json FILE] [--markdown FILE] [--all-formats]

Starts a PostgreSQL 15 of its own below --work (local socket only), loads MLflow 3.17.2's schema
(schema_pre.sql, schema_post.sql beside this file), fills it, and plays a row of days. After each day it
dumps in several formats and compares every dump with the previous day's, chunk by chunk.
Needs /usr/bin/igzip (Debian: isal); a C compiler makes the content-defined cut fast (without one it is skipped).
"""
import argparse
import concurrent.futures
import ctypes
import hashlib
import itertools
import json
import mmap
import os
import pathlib
import pwd
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
MIB = 1 << 20
CHUNKS = (1 * MIB, 4 * MIB, 16 * MIB)
FORMATS = {
    "-Fd -Z0": ["-Fd", "-Z0", "-j2"],
    "-Fd -Z1": ["-Fd", "-Z1", "-j2"],
    "-Fd": ["-Fd", "-j2"],
    "-Fc": ["-Fc"],
}

# The gear cut touches every byte, which Python cannot do at 1 GB; so a few lines of C, compiled at start.
GEAR_C = r"""
#include <stdint.h>
#include <stddef.h>
size_t cuts(const uint8_t *p, size_t n, const uint64_t *gear, uint64_t below, size_t min, size_t max,
            uint64_t *out) {
    size_t start = 0, count = 0;
    while (start < n) {
        size_t end = n - start > max ? start + max : n, i = start + min;
        uint64_t h = 0;
        /* 64 bytes before the earliest cut fill the window: a cut depends on content alone, not on the start */
        if (i < end) {
            for (size_t k = i - 64; k < i; k++) h = (h << 1) + gear[p[k]];
            for (; i < end; i++) { h = (h << 1) + gear[p[i]]; if (h < below) { i++; break; } }
        } else i = end;
        out[count++] = start = i;
    }
    return count;
}
"""


def say(text):
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


# ---------------------------------------------------------------------------------------------- PostgreSQL
class Server:
    def __init__(self, work, bin_dir, port):
        self.bin, self.port, self.pid = pathlib.Path(bin_dir), port, None
        self.data, self.sock = work / "pg", work
        # PostgreSQL refuses to run as root
        self.prefix = []
        if os.geteuid() == 0:
            self.prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
            owner = pwd.getpwnam("postgres")
            os.chown(work, owner.pw_uid, owner.pw_gid)

    def run(self, *args, **kw):
        return subprocess.run([*self.prefix, *map(str, args)], check=True, cwd=self.sock, **kw)

    def start(self):
        self.run(self.bin / "initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "--locale=C.UTF-8",
                 stdout=subprocess.DEVNULL)
        # fsync off: the data is thrown away, and loading is not what is measured.
        # autovacuum off: each case says itself when the table is vacuumed, or the result would be a matter of luck.
        settings = {"listen_addresses": "", "unix_socket_directories": self.sock, "port": self.port, "fsync": "off",
                    "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal",
                    "max_wal_senders": 0, "max_wal_size": "8GB", "shared_buffers": "1GB",
                    "maintenance_work_mem": "512MB", "autovacuum": "off"}
        with open(self.data / "postgresql.auto.conf", "a") as conf:
            conf.writelines(f"{k} = '{v}'\n" for k, v in settings.items())
        self.run(self.bin / "pg_ctl", "-w", "-D", self.data, "-l", self.sock / "server.log", "start",
                 stdout=subprocess.DEVNULL)
        self.pid = int((self.data / "postmaster.pid").read_text().split()[0])

    def stop(self):
        if self.pid is None:
            return
        os.kill(self.pid, signal.SIGINT)  # "fast" shutdown of this very postmaster
        for _ in range(600):
            if not (self.data / "postmaster.pid").exists():
                break
            time.sleep(0.1)

    def psql_args(self):
        return [*self.prefix, str(self.bin / "psql"), "-qXAt", "-v", "ON_ERROR_STOP=1", "-h", str(self.sock),
                "-p", str(self.port), "-U", "postgres", "mlflow"]

    def sql(self, text):
        return subprocess.run(self.psql_args(), input=text, text=True, check=True, cwd=self.sock,
                              stdout=subprocess.PIPE).stdout.strip()

    def pipe(self):
        return subprocess.Popen(self.psql_args(), stdin=subprocess.PIPE, text=True, cwd=self.sock,
                                stdout=subprocess.DEVNULL)

    def backend_cpu(self):
        """CPU seconds of all ended backends: the postmaster reaps them, so its own stat holds the sum."""
        time.sleep(0.3)
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


# ---------------------------------------------------------------------------------------------- the load
TRAIN = ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "learning_rate")
SYSTEM = ("system/cpu_utilization_percentage", "system/system_memory_usage_megabytes",
          "system/system_memory_usage_percentage", "system/disk_usage_percentage",
          "system/network_receive_megabytes", "system/gpu_0_utilization_percentage",
          "system/gpu_0_memory_usage_percentage", "system/gpu_0_power_usage_watts")


class Load:
    """Eight runs log at the same time, by turns, in small batches, as clients do: rows of runs are interleaved
    in the heap and a run is spread over many pages. Values have all 17 digits where a computation made them."""

    def __init__(self, rows):
        self.rng = random.Random(20240730)
        self.now = 1_780_000_000_000
        self.tick = int(86_400_000 / max(1, rows * 0.02 / 95))  # 2 % of the rows make one day
        self.active, self.runs, self.new_runs = [], [], []
        self.latest = {}

    def begin(self):
        run = {"id": f"{self.rng.getrandbits(128):032x}", "step": 0, "sys": 0, "start": self.now,
               "steps": int(self.rng.lognormvariate(5.3, 0.9)) + 20, "loss": 1 + self.rng.random() * 3}
        self.runs.append(run)
        self.new_runs.append(run)
        return run

    def batches(self, rows):
        """Yields (rows, latest rows) until that many rows are made; a row is a tuple of text in column order."""
        rnd, made = self.rng.random, 0
        while made < rows:
            while len(self.active) < 8:
                self.active.append(self.begin())
            run = self.active[int(rnd() * 8)]
            rid, out = run["id"], []
            self.now += self.tick
            if rnd() < 0.2:
                for i in range(12):
                    ts, step = self.now + i * 10_000, run["sys"]
                    for k in SYSTEM:
                        out.append((k, repr(round(rnd() * 100, 1)), ts, rid, step, "f"))
                    run["sys"] += 1
                width = len(SYSTEM)
            else:
                for i in range(20):
                    ts, step = self.now + int((i + rnd()) * 900), run["step"]
                    loss = run["loss"] * (1 / (1 + step / 40) + 0.05 * rnd())
                    values = (loss, loss * (1 + 0.1 * rnd()), 1 - loss / 5 + 0.01 * rnd(),
                              1 - loss / 4.5 + 0.01 * rnd(), 0.001 * 0.98 ** (step // 10))
                    for k, v in zip(TRAIN, values, strict=True):
                        # MLflow stores NaN as 0 with the flag set
                        out.append((k, repr(v), ts, rid, step, "f") if rnd() > 1e-4 else (k, "0", ts, rid, step, "t"))
                    run["step"] += 1
                width = len(TRAIN)
                if run["step"] >= run["steps"]:
                    self.active.remove(run)
            made += len(out)
            yield out, out[-width:]

    def runs_sql(self):
        rows, self.new_runs = self.new_runs, []
        return "COPY runs (run_uuid, name, source_type, user_id, status, start_time, lifecycle_stage, artifact_uri, " \
               "experiment_id) FROM stdin;\n" + "".join(
                   f"{r['id']}\trun-{r['id'][:6]}\tLOCAL\tbench\tFINISHED\t{r['start']}\tactive\t"
                   f"mlflow-artifacts:/1/{r['id']}/artifacts\t1\n" for r in rows) + "\\.\n"

    def fill(self, server, rows):
        """The history: one COPY before the indices exist. The heap's order is the same as by single inserts."""
        psql = server.pipe()
        psql.stdin.write("COPY metrics FROM stdin;\n")
        for out, last in self.batches(rows):
            psql.stdin.write("".join([f"{k}\t{v}\t{ts}\t{r}\t{s}\t{n}\n" for k, v, ts, r, s, n in out]))
            for row in last:
                self.latest[row[0], row[3]] = row
        psql.stdin.write("\\.\n" + self.runs_sql() + "COPY latest_metrics FROM stdin;\n")
        for k, v, ts, r, s, n in self.latest.values():
            psql.stdin.write(f"{k}\t{v}\t{ts}\t{s}\t{n}\t{r}\n")
        psql.stdin.write("\\.\n")
        psql.stdin.close()
        if psql.wait():
            raise SystemExit("the load failed")
        self.latest = None

    def day(self, server, rows, rolled_back=0):
        """A day: INSERT per batch with all indices in place, latest_metrics updated as MLflow does. `rolled_back`
        batches are inserted twice, the first time rolled back: what a client's retry leaves behind (dead rows)."""
        todo = list(self.batches(rows))
        every = len(todo) // rolled_back if rolled_back else 0
        psql = server.pipe()
        psql.stdin.write(self.runs_sql())
        for i, (out, last) in enumerate(todo):
            text = "INSERT INTO metrics VALUES " + ",".join(
                [f"('{k}',{v},{ts},'{r}',{s},'{n}')" for k, v, ts, r, s, n in out]) + ";\n"
            if every and i % every == 0:
                psql.stdin.write("BEGIN;\n" + text + "ROLLBACK;\n")
            psql.stdin.write(text + "INSERT INTO latest_metrics VALUES " + ",".join(
                [f"('{k}',{v},{ts},{s},'{n}','{r}')" for k, v, ts, r, s, n in last]) +
                " ON CONFLICT (key, run_uuid) DO UPDATE SET value=EXCLUDED.value, timestamp=EXCLUDED.timestamp,"
                " step=EXCLUDED.step, is_nan=EXCLUDED.is_nan;\n")
        psql.stdin.close()
        if psql.wait():
            raise SystemExit("the day's inserts failed")


# ---------------------------------------------------------------------------------------------- chunks
class Chunker:
    def __init__(self, work):
        self.sizes = {}  # SHA-256 -> compressed size; equal chunks compress to equal bytes, so once is enough
        self.pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
        self.gear = None
        compiler = shutil.which("cc") or shutil.which("clang")
        if compiler:
            (work / "gear.c").write_text(GEAR_C)
            subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", work / "gear.so", work / "gear.c"], check=True)
            self.gear = ctypes.CDLL(str(work / "gear.so")).cuts
            self.gear.restype = ctypes.c_size_t
            rng = random.Random(1)
            self.table = (ctypes.c_uint64 * 256)(*[rng.getrandbits(64) for _ in range(256)])

    def one(self, fd, offset, length):
        data = os.pread(fd, length, offset)
        key = hashlib.sha256(data).digest()
        if key not in self.sizes:
            packed = len(subprocess.run(["igzip", "-1", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout)
            # the archive's own rule: a chunk that gains less than 10 % is emitted stored
            self.sizes[key] = packed if packed < 0.9 * length else length + 5 * (length // 65535 + 1) + 18
        return key, length

    def cut(self, path, size, average):
        if average > 0:
            return [*range(0, size, average), size]
        average = -average
        if size <= average // 4:
            return [0, size]
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as view:
            buffer = (ctypes.c_char * size).from_buffer(view)
            out = (ctypes.c_uint64 * (size // (average // 4) + 2))()
            # after `min` bytes every byte cuts with 1 in 0.75 average: together the average that is asked for
            count = self.gear(buffer, ctypes.c_size_t(size), self.table, ctypes.c_uint64(2**64 // (average * 3 // 4)),
                              ctypes.c_size_t(average // 4), ctypes.c_size_t(average * 4), out)
            del buffer
            return [0, *out[:count]]

    def files(self, root, average):
        """{relative path: [(sha, length), ...]}; a negative average asks for the content-defined cut."""
        result = {}
        for path in ([root] if root.is_file() else sorted(root.iterdir())):
            size = path.stat().st_size
            if size == 0:
                continue
            edges = self.cut(path, size, average)
            fd = os.open(path, os.O_RDONLY)
            try:
                result[path.name] = list(self.pool.map(
                    lambda pair, fd=fd: self.one(fd, pair[0], pair[1] - pair[0]), itertools.pairwise(edges)))
            finally:
                os.close(fd)
        return result

    def compare(self, now, before, anywhere):
        """Sums over one dump: anywhere = a chunk may come from any place (content-defined), else same path and i."""
        r = dict.fromkeys(("bytes", "packed", "chunks", "same_chunks", "same_bytes", "same_packed"), 0)
        known = {c for chunks in before.values() for c in chunks} if anywhere else None
        for name, chunks in now.items():
            old = before.get(name, [])
            for i, chunk in enumerate(chunks):
                packed = self.sizes[chunk[0]]
                same = chunk in known if anywhere else i < len(old) and old[i] == chunk
                r["bytes"] += chunk[1]
                r["packed"] += packed
                r["chunks"] += 1
                if same:
                    r["same_chunks"] += 1
                    r["same_bytes"] += chunk[1]
                    r["same_packed"] += packed
        r["new_packed"] = r["packed"] - r["same_packed"]
        return r


# ---------------------------------------------------------------------------------------------- one state
class Bench:
    def __init__(self, server, chunker, work):
        self.server, self.chunker, self.work = server, chunker, work
        self.before, self.results = {}, []

    def dump(self, case, label):
        s, target = self.server, self.work / "dump"
        cpu0, srv0, t0 = resource.getrusage(resource.RUSAGE_CHILDREN), s.backend_cpu(), time.monotonic()
        s.run(s.bin / "pg_dump", "-h", s.sock, "-p", s.port, "-U", "postgres", *FORMATS[label], "-f", target, "mlflow")
        wall = time.monotonic() - t0
        cpu1 = resource.getrusage(resource.RUSAGE_CHILDREN)
        client = cpu1.ru_utime + cpu1.ru_stime - cpu0.ru_utime - cpu0.ru_stime
        server_cpu = s.backend_cpu() - srv0
        toc = s.run(s.bin / "pg_restore", "-l", target, stdout=subprocess.PIPE, text=True).stdout
        ids = {m[2]: m[1] for m in re.finditer(r"^(\d+); \d+ \d+ TABLE DATA \S+ (\S+)", toc, re.M)}
        row = {"case": case, "format": label, "wall": wall, "cpu_client": client, "cpu_server": server_cpu,
               "toc_entries": len(re.findall(r"^\d+; ", toc, re.M)), "metrics_id": ids["metrics"]}
        if label == "-Fd -Z0":  # a plain file can be counted: the dump holds every row
            with open(target / f"{ids['metrics']}.dat", "rb") as f:
                lines = sum(b.count(b"\n") for b in iter(lambda: f.read(MIB), b""))
            row["rows"] = lines - 3  # "\\.", two empty lines
            want = int(s.sql("SELECT count(*) FROM metrics"))
            if row["rows"] != want:
                raise SystemExit(f"{case}: {row['rows']} rows in the dump, {want} in the table")
        names = {f"{number}.dat{z}": f"{table}.dat{z}" for table, number in ids.items() for z in ("", ".gz")}
        state = {}
        for average in [*CHUNKS, *((-MIB, -4 * MIB) if self.chunker.gear and label == "-Fd -Z0" else ())]:
            a = resource.getrusage(resource.RUSAGE_CHILDREN)
            files = self.chunker.files(target, average)
            b = resource.getrusage(resource.RUSAGE_CHILDREN)
            state[average] = files
            old = self.before.get(label, {}).get(average, {})
            r = self.chunker.compare(files, old, average < 0)
            # the same dump if members were named after the table and not after pg_dump's number
            old_names = self.before.get(label, {}).get("names", {})
            by_table = self.chunker.compare({names.get(name, name): found for name, found in files.items()},
                                            {old_names.get(name, name): found for name, found in old.items()},
                                            average < 0)
            r["same_bytes_by_table"] = by_table["same_bytes"]
            r["new_packed_by_table"] = by_table["new_packed"]
            # only chunks never seen before are compressed, so this is zero where old ones come back under a new name
            r["pack_cpu"] = max(0.0, b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime)
            row[str(average)] = r
        state["names"] = names
        self.before[label] = state
        shutil.rmtree(target) if target.is_dir() else target.unlink()
        r = row[str(4 * MIB)]
        say(f"{case} {label}: {r['bytes'] / 1e6:.0f} MB, same {r['same_bytes'] / r['bytes']:.1%}, wall {wall:.1f}")
        self.results.append(row)

    def dumps(self, case, labels):
        for label in labels:
            self.dump(case, label)


def play(bench, load, rows, formats):
    s, day = bench.server, rows // 50
    every, some = list(FORMATS), formats
    bench.dumps("first", every)

    s.sql("VACUUM")
    load.day(s, day)
    bench.dumps("append", every)

    old = load.runs[: int(len(load.runs) * 0.8)]

    def purge(runs):
        s.sql("BEGIN;" + "".join(
            f"DELETE FROM {t} WHERE run_uuid IN ({','.join(repr(r['id']) for r in runs)});"
            for t in ("latest_metrics", "metrics", "params", "tags", "runs")) + "COMMIT;")

    # a mid-sized run of the table's first third: most of the table lies behind it
    victim = sorted(old[len(old) // 4: len(old) // 3], key=lambda r: r["steps"])[len(old) // 24]
    old.remove(victim)
    purge([victim])
    s.sql("VACUUM")
    load.day(s, day)
    bench.dumps("purge 1 run", some)

    purge(load.rng.sample(old, max(1, len(old) // 80)))
    s.sql("VACUUM")
    load.day(s, day)
    bench.dumps("purge 1 % of runs", some)

    s.sql("SELECT setseed(0.5); DELETE FROM metrics WHERE random() < 0.01;")
    s.sql("VACUUM")
    load.day(s, day)
    bench.dumps("delete 1 % of rows", some)

    # the day after: do the holes still cost?
    s.sql("VACUUM")
    load.day(s, day, rolled_back=20)
    bench.dumps("append again", some)

    # that day also held 20 rolled-back batches; vacuumed now, their room is filled by today's rows
    s.sql("VACUUM")
    load.day(s, day)
    bench.dumps("append after retries", some)

    s.sql("VACUUM FULL")
    bench.dumps("VACUUM FULL", some)

    # one more table anywhere renumbers pg_dump's files (an MLflow upgrade does this)
    s.sql("CREATE TABLE public.a_new_table (id integer PRIMARY KEY); INSERT INTO a_new_table VALUES (1);")
    bench.dumps("new table", some)


# ---------------------------------------------------------------------------------------------- tables
def mb(n):
    return f"{n / 1e6:,.1f}"


def markdown(results):
    out = ["### Formats, 4 MiB fixed chunks", "",
           "| case | format | dump MB | in archive MB | chunks same / all | bytes same | new in archive MB | "
           "wall s | CPU s: pg_dump + server | igzip CPU s |", "|" + " --- |" * 10]
    for row in results:
        r = row[str(4 * MIB)]
        out.append(f"| {row['case']} | `{row['format']}` | {mb(r['bytes'])} | {mb(r['packed'])} | "
                   f"{r['same_chunks']} / {r['chunks']} | {r['same_bytes'] / r['bytes']:.1%} | {mb(r['new_packed'])} | "
                   f"{row['wall']:.1f} | {row['cpu_client']:.1f} + {row['cpu_server']:.1f} | {r['pack_cpu']:.1f} |")
    kinds = [str(c) for c in CHUNKS] + [str(-MIB), str(-4 * MIB)]
    title = {str(MIB): "fixed 1 MiB", str(4 * MIB): "fixed 4 MiB", str(16 * MIB): "fixed 16 MiB",
             str(-MIB): "by content 1 MiB", str(-4 * MIB): "by content 4 MiB"}
    out += ["", "### Cuts, `-Fd -Z0`: share of bytes re-used / new MB in the archive", "",
            "| case | " + " | ".join(title[k] for k in kinds) + " |", "|" + " --- |" * (len(kinds) + 1)]
    for row in results:
        if row["format"] == "-Fd -Z0" and row["case"] != "first":
            out.append(f"| {row['case']} | " + " | ".join(
                f"{row[k]['same_bytes'] / row[k]['bytes']:.1%} / {mb(row[k]['new_packed'])}" if k in row else ""
                for k in kinds) + " |")
    out += ["", "### Whole size in the archive, `-Fd -Z0`, first dump (MB)", "",
            "| " + " | ".join(title[k] for k in kinds) + " |", "|" + " --- |" * len(kinds)]
    row = results[0]
    out.append("| " + " | ".join(mb(row[k]["packed"]) if k in row else "" for k in kinds) + " |")
    out += ["", "### Named by table instead of by pg_dump's number (4 MiB fixed)", "",
            "| case | format | file of metrics | same, by path | same, by table |", "|" + " --- |" * 5]
    for row in results:
        r = row[str(4 * MIB)]
        if row["format"] != "-Fc" and row["case"] != "first":
            out.append(f"| {row['case']} | `{row['format']}` | {row['metrics_id']}.dat | "
                       f"{r['same_bytes'] / r['bytes']:.1%} | {r['same_bytes_by_table'] / r['bytes']:.1%} |")
    return "\n".join(out) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--rows", type=int, default=10_000_000)
    p.add_argument("--work", type=pathlib.Path, help="an empty or new folder; default: a new one below /var/tmp")
    p.add_argument("--bin", default="/usr/lib/postgresql/15/bin")
    p.add_argument("--port", type=int, default=55432 + os.getpid() % 1000)
    p.add_argument("--json", type=pathlib.Path)
    p.add_argument("--markdown", type=pathlib.Path)
    p.add_argument("--all-formats", action="store_true", help="every format in every case, not only -Z0 and -Fd")
    a = p.parse_args()
    if a.work is None:
        work = pathlib.Path(tempfile.mkdtemp(prefix="mlb-db-", dir="/var/tmp"))
    else:
        work = a.work.resolve()
        work.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(work.iterdir()):
            raise SystemExit(f"{work} is not empty")
    # a kill by TERM must still stop the server
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    server, bench = Server(work, a.bin, a.port), None
    try:
        server.start()
        server.run(server.bin / "createdb", "-h", server.sock, "-p", server.port, "-U", "postgres", "mlflow")
        load, chunker = Load(a.rows), Chunker(work)
        bench = Bench(server, chunker, work)
        server.sql((HERE / "schema_pre.sql").read_text())
        server.sql("INSERT INTO alembic_version VALUES ('dc11669786a5');"
                   "INSERT INTO workspaces (name) VALUES ('default');"
                   "INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES (1, 'bench', 'active');")
        say("filling")
        load.fill(server, a.rows)
        say(f"{len(load.runs)} runs; indices")
        server.sql((HERE / "schema_post.sql").read_text())
        server.sql("VACUUM ANALYZE")
        say("table, indices: " + server.sql("SELECT pg_size_pretty(pg_table_size('metrics')), "
                                            "pg_size_pretty(pg_indexes_size('metrics'))"))
        play(bench, load, a.rows, list(FORMATS) if a.all_formats else ["-Fd -Z0", "-Fd"])
    finally:
        server.stop()
        if bench and bench.results:
            if a.json:
                a.json.write_text(json.dumps(bench.results, indent=1))
            text = markdown(bench.results)
            a.markdown.write_text(text) if a.markdown else print(text)
        # only what this run made: the folder was new or empty
        for entry in work.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        if a.work is None:
            work.rmdir()


if __name__ == "__main__":
    main()
