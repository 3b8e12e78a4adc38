# SPDX-License-Identifier: Apache-2.0
"""Starts MLflow's server as `mlflow server` does, without importing MLflow twice, one after the other.

`mlflow server` imports all of MLflow (3 s of the processor) to look at the database and then starts uvicorn, whose
workers import it again. What it starts is recorded while the image is built (`record`). A database that already has
this MLflow's schema needs no more than that; any other one is made or refused by MLflow's own words first.
"""
import json
import os
import subprocess
import sys
import uuid

RECORD = os.environ.get("MLFLOW_LAUNCH_RECORD", "/opt/mlflow/launch.json")
APP = "mlflow.server.fastapi_app:app"


def record(path):
    """What `mlflow server` would execute, with the schema that it wants. Needs no database."""
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    import mlflow.cli
    import mlflow.server
    from click.testing import CliRunner
    from mlflow.server import handlers
    from mlflow.store.db import utils
    from mlflow.tracing import trace_rollup_service

    seen = {}

    class Started(Exception):
        pass

    def stand_in(command, extra_env=None, **_):
        seen.update(command=command, environment=extra_env)
        raise Started

    before = dict(os.environ)
    mlflow.server._exec_cmd = stand_in
    handlers.initialize_backend_stores = trace_rollup_service.validate_sql_trace_rollup_startup = lambda *_, **__: None
    arguments = ["server", "--backend-store-uri", "postgresql://STORE", "--host", "0.0.0.0", "--port", "5000"]
    arguments += ["--workers", "99", "--allowed-hosts", "HOSTS"]
    arguments += ["--artifacts-destination", "/ARTIFACTS", "--serve-artifacts"]
    result = CliRunner().invoke(mlflow.cli.cli, arguments)
    assert isinstance(result.exception, Started), (result.output, result.exception)
    # What the command sets in its own environment belongs to it.
    own = {k: v for k, v in os.environ.items() if before.get(k) != v}
    assert seen["command"][-1] == APP and "99" in seen["command"], seen
    seen["environment"] = {**own, **seen["environment"]}
    seen["schema"] = utils._get_latest_schema_revision()
    with open(path, "w") as file:
        json.dump(seen, file, indent=1)


def has_schema(schema):
    """Whether the database is this MLflow's, and in use."""
    import psycopg

    try:
        with psycopg.connect(
            host=os.environ.get("POSTGRES_HOST", "postgres"),
            port=os.environ.get("POSTGRES_PORT", "5432"),
            dbname=os.environ["POSTGRES_DB"],
            user=os.environ["POSTGRES_USER"],
            passfile=os.environ["MLFLOW_PASSFILE"],
            connect_timeout=5,
        ) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
            return found == [(schema,)] and connection.execute("SELECT EXISTS (SELECT FROM experiments)").fetchone()[0]
    except psycopg.Error:
        return False


def initialize(store):
    """As `mlflow server` does, in a process of its own; its words and its failure are MLflow's."""
    code = (
        "import sys; from mlflow.server.handlers import initialize_backend_stores as begin\n"
        "from mlflow.exceptions import MlflowException\n"
        "try: begin(sys.argv[1], sys.argv[1], 'mlflow-artifacts:/')\n"
        "except MlflowException as error: sys.exit(str(error))"
    )
    return subprocess.run([sys.executable, "-c", code, store], check=False).returncode


def main(artifacts, hosts, workers):
    with open(RECORD) as file:
        recorded = json.load(file)
    store = os.environ["MLFLOW_BACKEND_STORE_URI"]
    if not has_schema(recorded["schema"]) and initialize(store) != 0:
        sys.exit(1)
    places = {"postgresql://STORE": store, "/ARTIFACTS": artifacts, "HOSTS": hosts}
    for name, value in recorded["environment"].items():
        os.environ[name] = places.get(value, value)
    os.environ["_MLFLOW_SERVER_BOOT_ID"] = uuid.uuid4().hex
    command = [{"99": workers, APP: "mlflow_stack:app"}.get(word, word) for word in recorded["command"]]
    # uvicorn writes INFO to its log like MLflow's command; the module of the app lies beside this file.
    os.environ["PYTHONPATH"] = os.path.dirname(os.path.abspath(__file__))
    os.execv(command[0], command)


if __name__ == "__main__":
    record(sys.argv[2]) if sys.argv[1] == "record" else main(*sys.argv[1:])
