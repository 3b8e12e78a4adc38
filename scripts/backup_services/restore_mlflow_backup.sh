#!/bin/sh
exec "${MLFLOW_BACKUP_BINARY:-mlflow-backup}" restore "$@"
