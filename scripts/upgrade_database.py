# SPDX-License-Identifier: Apache-2.0
"""Brings one database to the schema of the MLflow of this Python, as `mlflow db upgrade` does.

It is the one that libpq's variables name (PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSFILE, PGOPTIONS), else that of
DATABASE_UPGRADE_URI: an argument would be seen by others. A database that has no tables of MLflow's where the search
path leads is left alone, where `mlflow db upgrade` would make some.
Exit codes: 0 done, also where nothing was to be done; 1 failed; 3 no tables of MLflow's.
"""

import importlib.util
import os
import sys

os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", GIT_PYTHON_REFRESH="quiet")

import sqlalchemy
from mlflow.store.db import utils


def main() -> int:
    driver = "psycopg" if importlib.util.find_spec("psycopg") else "psycopg2"
    address = os.environ.pop("DATABASE_UPGRADE_URI", "") or f"postgresql+{driver}://"
    engine = sqlalchemy.create_engine(address, poolclass=sqlalchemy.pool.NullPool)
    before = utils._get_schema_version(engine)
    if before is None:
        print("no tables of MLflow's where the search path leads", file=sys.stderr)
        return 3
    utils._upgrade_db(engine)
    print(f"{before} -> {utils._get_schema_version(engine)}")
    return 0


sys.exit(main())
