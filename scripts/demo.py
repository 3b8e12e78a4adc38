#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Logs real runs through the MLflow client, backs them up, and says how to restore them.

scripts/up --demo runs it with the stack's Python. With --json, standard output is one JSON object
(experiment, runs, model, backup) and the lines for a person go to standard error.
Exit codes: 0 done, 1 failed, 2 wrong usage.
"""

import argparse
import json
import os
import shlex
import sys
import time
import urllib.error
import urllib.request
import warnings
from pathlib import Path

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
# The stack is on this machine; a proxy of the environment must not be asked for it.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"

EXPERIMENT = "mlflow-backup-demo"
MODEL = "demo-iris"
STRENGTHS = (0.01, 0.1, 1.0, 10.0)
STEPS = 20


class Failed(Exception):
    """A line for a person, in both languages."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mlflow-url", default="http://127.0.0.1:3111")
    parser.add_argument("--backup-url", default="http://127.0.0.1:3112")
    parser.add_argument("--command", default="mlflow-backup", help="how the command line is called, for the last lines")
    parser.add_argument("--no-backup", action="store_true", help="only log the runs")
    parser.add_argument("--wait", type=float, default=900, metavar="SECONDS", help="longest wait for the backup")
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    return parser.parse_args()


def experiment(client):
    """The demonstration's experiment; a new one beside it where that was deleted."""
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        return client.get_experiment(client.create_experiment(EXPERIMENT))
    if found.lifecycle_stage == "active":
        return found
    return client.get_experiment(client.create_experiment(f"{EXPERIMENT}-{time.strftime('%Y%m%d-%H%M%S')}"))


def log_runs(url: str) -> dict:
    """Trains a small classifier with several strengths of regularisation; registers the best."""
    import mlflow
    import sklearn
    from sklearn.datasets import load_iris
    from sklearn.model_selection import train_test_split

    mlflow.set_tracking_uri(url)
    client = mlflow.MlflowClient()
    place = experiment(client)
    mlflow.set_experiment(experiment_id=place.experiment_id)

    flowers = load_iris(as_frame=True)
    split = train_test_split(flowers.data, flowers.target, test_size=0.3, random_state=7, stratify=flowers.target)
    runs = [log_run(strength, split, list(flowers.target_names)) for strength in STRENGTHS]

    best_id, _, best_model = max(runs, key=lambda run: run[1])
    with mlflow.start_run(run_id=best_id), warnings.catch_warnings():
        # Advice on schemas with integers; there is nothing for a person to do.
        warnings.simplefilter("ignore")
        logged = mlflow.sklearn.log_model(
            best_model,
            name="model",
            registered_model_name=MODEL,
            input_example=split[1].head(3),
            # Said here, or MLflow starts an interpreter to find out.
            pip_requirements=[f"scikit-learn=={sklearn.__version__}"],
        )
    version = str(logged.registered_model_version)
    client.set_registered_model_alias(MODEL, "champion", version)
    return {
        "experiment_id": place.experiment_id,
        "experiment_name": place.name,
        "run_ids": [run_id for run_id, _, _ in runs],
        "best_run_id": best_id,
        "model_name": MODEL,
        "model_version": version,
    }


def train(strength, features, labels, steps: int):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=float(strength), max_iter=steps)).fit(features, labels)


def log_run(strength: float, split, names: list) -> tuple:
    """One run: parameters, metrics over steps, and artifacts in nested folders. Answers its id, accuracy and model."""
    import mlflow
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics import log_loss

    features, test_features, labels, test_labels = split
    with mlflow.start_run(run_name=f"iris C={strength}") as run, warnings.catch_warnings():
        # Fewer steps than it needs are the point of the curve.
        warnings.simplefilter("ignore", ConvergenceWarning)
        mlflow.set_tags({"purpose": "demo", "说明": "备份演示"})
        mlflow.log_params({"strength": strength, "steps": STEPS, "solver": "lbfgs"})
        losses = []
        for step in range(1, STEPS + 1):
            model = train(strength, features, labels, step)
            losses.append(log_loss(test_labels, model.predict_proba(test_features)))
            mlflow.log_metrics({"loss": losses[-1], "accuracy": model.score(test_features, test_labels)}, step=step)
        log_artifacts(model, losses, test_features, test_labels, names)
        return run.info.run_id, model.score(test_features, test_labels), model


def log_artifacts(model, losses, features, labels, names: list) -> None:
    import matplotlib.pyplot as plt
    import mlflow
    from sklearn.metrics import classification_report

    predictions = features.assign(label=labels, predicted=model.predict(features))
    mlflow.log_text(predictions.to_csv(index=False), "tables/test/predictions.csv")
    mlflow.log_dict(
        classification_report(labels, model.predict(features), target_names=names, output_dict=True, zero_division=0),
        "reports/classification.json",
    )
    figure, axes = plt.subplots()
    axes.plot(range(1, len(losses) + 1), losses)
    axes.set(xlabel="step", ylabel="log loss")
    mlflow.log_figure(figure, "plots/curves/loss.png")
    plt.close(figure)


def call(url: str, body=None):
    """GET, or POST with a JSON body; the service's own words when it refuses."""
    headers = {"Accept": "application/json, application/problem+json"}
    token = os.environ.get("API_TOKEN")
    if not token and os.environ.get("API_TOKEN_FILE"):
        token = Path(os.environ["API_TOKEN_FILE"]).read_text(encoding="utf-8").strip()
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        detail = error.read().decode("utf-8", "replace")
        raise Failed(f"备份服务拒绝 {url}: {error.code} {detail} / the backup service refused") from error
    except OSError as error:
        raise Failed(f"备份服务没有回答 {url}: {error} / the backup service did not answer") from error


def back_up(url: str, wait: float) -> dict:
    """Asks for a backup and follows its task. Answers the catalogue's entry of the new backup."""
    before = {entry["name"] for entry in call(f"{url}/backups")}
    task = call(f"{url}/backups", {"compress": True})
    deadline = time.monotonic() + wait
    while task["status"] in ("pending", "running"):
        if time.monotonic() > deadline:
            raise Failed(f"备份在 {wait:.0f} 秒内没有结束 / the backup did not end within {wait:.0f} s")
        time.sleep(0.3)
        task = call(f"{url}/tasks/{task['task_id']}")
    if task["status"] != "completed":
        raise Failed(f"备份失败: {task.get('message')} / the backup failed; see scripts/up --logs backup")
    # The task names its archive; the catalogue knows the rest of it.
    said = (task.get("result") or {}).get("stdout") or ""
    entries = call(f"{url}/backups")
    made = [entry for entry in entries if entry["name"] in said] or [e for e in entries if e["name"] not in before]
    if not made:
        raise Failed("备份完成但列表中没有它 / the backup completed but is not in the list")
    return made[0]


def main() -> int:
    options = arguments()
    # Whatever libraries print must not get into the JSON.
    out, sys.stdout = sys.stdout, sys.stderr if options.json else sys.stdout

    def say(zh: str, en: str) -> None:
        print(f"{zh} / {en}", flush=True)

    say("记录示例运行", "logging example runs")
    summary = log_runs(options.mlflow_url)
    say(
        f"实验 {summary['experiment_name']}: {len(summary['run_ids'])} 个运行",
        f"model {summary['model_name']} version {summary['model_version']}, {options.mlflow_url}",
    )
    if not options.no_backup:
        say("创建备份", "making a backup")
        made = back_up(options.backup_url, options.wait)
        summary["backup_name"], summary["backup_size"] = made["name"], made.get("size_bytes", made["size"])
        say(f"备份完成: {made['name']} ({made['size']})", "backed up")
        body = json.dumps({"backup_name": made["name"], "mode": "full", "force": True})
        say("恢复它", "to restore it")
        print(f"  {shlex.quote(options.command)} restore --force {made['name']}")
        print(f"  curl -X POST {options.backup_url}/restore -H 'Content-Type: application/json' -d '{body}'",
              flush=True)
    if options.json:
        print(json.dumps(summary, ensure_ascii=False), file=out)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # MLflow's own errors: their last line says it, a trace does not help a person.
        print(f"示例失败: {error} / the demonstration failed: {type(error).__name__}", file=sys.stderr)
        sys.exit(1)
