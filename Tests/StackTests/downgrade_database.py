# SPDX-License-Identifier: Apache-2.0
"""Takes the database at an address back by one schema revision, as a restored backup of an older MLflow leaves it."""

import sys

import alembic.command
import sqlalchemy
from mlflow.store.db.utils import _get_alembic_config, _get_schema_version

address = sys.argv[1]
engine = sqlalchemy.create_engine(address)
config = _get_alembic_config(address.replace("%", "%%"))
with engine.begin() as connection:
    config.attributes["connection"] = connection
    alembic.command.downgrade(config, "-1")
print(_get_schema_version(engine))
