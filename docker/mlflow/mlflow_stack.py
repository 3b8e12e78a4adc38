# SPDX-License-Identifier: Apache-2.0
"""MLflow's app as each worker of the stack's server loads it.

MLflow takes its keys from its environment. Set here, in the process that uses them, they stand in no process's
environment as the kernel shows it (/proc/PID/environ), and in no container's.
"""
import logging
import os

KEYS = {"MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": "webhook_key", "MLFLOW_CRYPTO_KEK_PASSPHRASE": "kek_passphrase"}


def take_keys(folder="/run/mlflow-secrets"):
    for name, file in KEYS.items():
        # An empty one is none.
        if os.environ.get(name):
            continue
        os.environ.pop(name, None)
        try:
            with open(os.path.join(folder, file), encoding="utf-8") as opened:
                os.environ[name] = opened.read().rstrip("\n")
        except FileNotFoundError:
            pass


class WithoutHealthChecks(logging.Filter):
    """The container's own question, each few seconds, would be most of the log."""

    def filter(self, record):
        # uvicorn's: client, method, path, version, status.
        arguments = record.args
        return not (
            isinstance(arguments, tuple) and len(arguments) == 5 and arguments[2] == "/health" and arguments[4] == 200
            and str(arguments[0]).startswith("127.0.0.1:")
        )


take_keys()
logging.getLogger("uvicorn.access").addFilter(WithoutHealthChecks())

from mlflow.server.fastapi_app import app  # noqa: E402,F401
