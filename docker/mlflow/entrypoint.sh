#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts the MLflow server of the stack; any other command is run as it is.
set -Eeuo pipefail
[[ ${1:-} == server ]] || exec "$@"
shift

fail() {
    printf '错误: %s\nerror: %s\n' "$1" "$2" >&2
    exit 1
}

readonly ARTIFACTS=/mlflow/artifacts
[[ -w $ARTIFACTS ]] ||
    fail "$ARTIFACTS 不可写（卷来自别处？）: docker run --rm -v mlflow_artifacts_data:/a debian:bookworm-slim chown -R 3110:3110 /a" \
        "$ARTIFACTS is not writable (a volume from elsewhere?): docker run --rm -v mlflow_artifacts_data:/a debian:bookworm-slim chown -R 3110:3110 /a"
[[ -r ${POSTGRES_PASSWORD_FILE:?} ]] ||
    fail "读不到密码文件 $POSTGRES_PASSWORD_FILE" "the password file $POSTGRES_PASSWORD_FILE cannot be read"

# libpq's own form, so that the password is in no argument, address or log.
umask 077
PGPASSFILE_PATH=/tmp/pgpass
password=$(<"$POSTGRES_PASSWORD_FILE")
password=${password//\\/\\\\}
printf '*:*:*:*:%s\n' "${password//:/\\:}" >"$PGPASSFILE_PATH"
unset password
umask 022

encoded() { jq -rn --arg text "$1" '$text | @uri'; }
MLFLOW_BACKEND_STORE_URI="postgresql+psycopg://$(encoded "$POSTGRES_USER")@${POSTGRES_HOST:-postgres}:${POSTGRES_PORT:-5432}/$(encoded "$POSTGRES_DB")?passfile=$PGPASSFILE_PATH"
export MLFLOW_BACKEND_STORE_URI
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=${MLFLOW_SERVER_ENABLE_JOB_EXECUTION:-false}

# MLflow refuses other Host headers (DNS rebinding). A bare name is a Host header without a port.
hosts="localhost,localhost:*,127.0.0.1,127.0.0.1:*,[[]::1]:*,mlflow,mlflow:5000,mlflow-server,mlflow-server:5000"
IFS=', ' read -ra public <<<"${PUBLIC_HOSTS:-}"
for name in "${public[@]}"; do
    [[ $name =~ ^[A-Za-z0-9.-]+$ ]] ||
        fail "PUBLIC_HOSTS 中的 \"$name\" 不是主机名" "\"$name\" in PUBLIC_HOSTS is not a host name"
    hosts+=",$name,$name:*"
done

exec mlflow server --host 0.0.0.0 --port 5000 --workers "${MLFLOW_WORKERS:-2}" \
    --artifacts-destination "$ARTIFACTS" --serve-artifacts --allowed-hosts "$hosts" "$@"
