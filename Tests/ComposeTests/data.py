# SPDX-License-Identifier: Apache-2.0
"""Run inside the mlflow-server container: `log N MIB` writes an experiment of N runs, `digest` prints what is there."""
import hashlib
import json
import os
import pathlib
import sys
import tempfile

from mlflow import MlflowClient
from mlflow.entities import Metric

client = MlflowClient(os.environ.get("URI", "http://mlflow-server:5000"))


def log(runs, mebibytes):
    identifier = client.create_experiment(f"experiment {len(client.search_experiments())}")
    for number in range(runs):
        run = client.create_run(identifier).info.run_id
        client.log_param(run, "数", number)
        client.log_batch(run, metrics=[Metric("loss", 1 / (step + 1), step, step) for step in range(1000)])
        with tempfile.NamedTemporaryFile(suffix=".bin") as file:
            for _ in range(mebibytes):
                file.write(os.urandom(1 << 20))
            file.flush()
            client.log_artifact(run, file.name)
        client.set_terminated(run)


def digest():
    found = hashlib.sha256()
    for experiment in sorted(client.search_experiments(), key=lambda e: e.experiment_id):
        for run in sorted(client.search_runs([experiment.experiment_id]), key=lambda r: r.info.run_id):
            history = [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "loss")]
            found.update(json.dumps([experiment.name, run.info.run_id, run.data.params, history]).encode())
            for item in client.list_artifacts(run.info.run_id):
                with tempfile.TemporaryDirectory() as folder:
                    path = client.download_artifacts(run.info.run_id, item.path, folder)
                    found.update(hashlib.sha256(pathlib.Path(path).read_bytes()).digest())
    print(found.hexdigest())


log(int(sys.argv[2]), int(sys.argv[3])) if sys.argv[1] == "log" else digest()
