# SPDX-License-Identifier: Apache-2.0
"""usage: delete_experiments.py URL. Marks every experiment but Default as deleted and prints their identifiers."""
import os
import sys

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from mlflow import MlflowClient

client = MlflowClient(sys.argv[1])
found = [e.experiment_id for e in client.search_experiments() if e.experiment_id != "0"]
for identifier in found:
    client.delete_experiment(identifier)
print(",".join(found))
