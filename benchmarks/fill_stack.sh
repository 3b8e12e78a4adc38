#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fills a stack made by scripts/up with many runs, by SQL into MLflow's own tables and by files beside them.
# usage: benchmarks/fill_stack.sh DATA [RUNS=50000] [METRICS_PER_RUN=40] [FILES=20000]
set -euo pipefail

data=$1 runs=${2:-50000} metrics=${3:-40} files=${4:-20000}
setting() { sed -n "s/^$1=//p" "$data/stack.env"; }
export PGPASSFILE=$data/secrets/pgpass PGHOST=127.0.0.1 PGUSER=mlflow_user PGDATABASE=mlflow
PGPORT=$(setting POSTGRES_PORT)
export PGPORT
"$(setting PG_BIN_DIR)/psql" -qX -v ON_ERROR_STOP=1 -v runs="$runs" -v metrics="$metrics" <<'SQL'
INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
VALUES (900, 'scale', 'mlflow-artifacts:/900', 'active', 1790000000000, 1790000000000);
INSERT INTO runs (run_uuid, name, source_type, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id)
SELECT md5('run' || i), 'run ' || i, 'LOCAL', 'scale', 'FINISHED', 1790000000000 + i, 1790000100000 + i, 'active',
       'mlflow-artifacts:/900/' || md5('run' || i) || '/artifacts', 900
FROM generate_series(1, :runs) AS i;
INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)
SELECT 'loss', random(), 1790000000000 + i + s, md5('run' || i), s, false
FROM generate_series(1, :runs) AS i, generate_series(1, :metrics) AS s;
INSERT INTO latest_metrics (key, value, timestamp, run_uuid, step, is_nan)
SELECT 'loss', random(), 1790000000000 + i + :metrics, md5('run' || i), :metrics, false
FROM generate_series(1, :runs) AS i;
INSERT INTO params (key, value, run_uuid)
SELECT 'alpha', (i % 100)::text, md5('run' || i) FROM generate_series(1, :runs) AS i;
SQL
python3 - "$data/artifacts/900" "$files" <<'PYTHON'
import hashlib, os, random, sys
root, files = sys.argv[1], int(sys.argv[2])
source = random.Random(7)
for number in range(1, files + 1):
    run = hashlib.md5(f"run{number // 4 + 1}".encode()).hexdigest()
    folder = os.path.join(root, run, "artifacts")
    os.makedirs(folder, exist_ok=True)
    size = source.choice((300, 2_000, 12_000, 60_000))
    with open(os.path.join(folder, f"file{number % 4}.json"), "wb") as out:
        out.write((b'{"step": %d, "value": %d}\n' % (number, source.random() * 1e9)) * (size // 30) + source.randbytes(size // 4))
PYTHON
du -sh "$data/artifacts"
