# SPDX-License-Identifier: Apache-2.0
"""usage: fingerprint.py URL. Prints one digest of all that an MLflow client can read there."""
import hashlib
import json
import os
import sys
import tempfile

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ["TQDM_DISABLE"] = "1"

import mlflow
from mlflow import MlflowClient

mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient()
digest = hashlib.sha256()
models = 0


def note(*values):
    digest.update(json.dumps(values, sort_keys=True).encode())


def note_tree(folder, ignored=()):
    for root, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if name in ignored:
                continue
            path = os.path.join(root, name)
            note(os.path.relpath(path, folder))
            with open(path, "rb") as content:
                digest.update(content.read())


for experiment in sorted(client.search_experiments(), key=lambda e: e.name):
    note("experiment", experiment.name, experiment.experiment_id)
    for run in sorted(client.search_runs([experiment.experiment_id]), key=lambda r: r.info.run_id):
        note("run", run.info.run_id, run.info.status, run.data.params, run.data.metrics)
        for key in sorted(run.data.metrics):
            note(key, [(m.step, m.value, m.timestamp) for m in client.get_metric_history(run.info.run_id, key)])
        with tempfile.TemporaryDirectory() as folder:
            mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="", dst_path=folder)
            note_tree(folder)
for model in sorted(client.search_registered_models(), key=lambda m: m.name):
    for version in client.search_model_versions(f"name='{model.name}'"):
        note("model", model.name, version.version, version.run_id)
        with tempfile.TemporaryDirectory() as folder:
            uri = f"models:/{model.name}/{version.version}"
            # The client writes registered_model_meta itself, with the time of the download.
            note_tree(mlflow.artifacts.download_artifacts(uri, dst_path=folder), {"registered_model_meta"})
            mlflow.sklearn.load_model(uri).predict([[5.1, 3.5, 1.4, 0.2]])
            models += 1
print(digest.hexdigest(), models)
