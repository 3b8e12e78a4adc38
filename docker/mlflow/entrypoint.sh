#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts the MLflow server of the stack; any other command is run as it is.
set -Eeuo pipefail
[[ ${1:-} == server ]] || exec "$@"
shift

# shellcheck source=docker/mlflow/backend-store-uri.sh
source /usr/local/lib/mlflow-backend-store-uri.sh

readonly ARTIFACTS=/mlflow/artifacts
[[ -w $ARTIFACTS ]] ||
    fail "$ARTIFACTS 不可写（卷来自别处？）: docker run --rm -v ${STACK_NAME:-mlflow}_artifacts_data:/a debian:bookworm-slim chown -R 3110:3110 /a" \
        "$ARTIFACTS is not writable (a volume from elsewhere?): docker run --rm -v ${STACK_NAME:-mlflow}_artifacts_data:/a debian:bookworm-slim chown -R 3110:3110 /a"
use_backend_store /tmp/pgpass
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=${MLFLOW_SERVER_ENABLE_JOB_EXECUTION:-false}

# Each worker would else make a key of its own, with which the others, and all after a restart, could read no webhook's secret. One that a
# stack has is kept; an empty passphrase is none.
key=/run/mlflow-secrets/webhook_key
if [[ -z ${MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY:-} && -r $key ]]; then
    MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY=$(<"$key")
    export MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY
fi
[[ -n ${MLFLOW_CRYPTO_KEK_PASSPHRASE:-} ]] || unset MLFLOW_CRYPTO_KEK_PASSPHRASE

# MLflow refuses other Host headers (DNS rebinding). A bare name is a Host header without a port.
hosts="localhost,localhost:*,127.0.0.1,127.0.0.1:*,[[]::1]:*,mlflow,mlflow:5000,mlflow-server,mlflow-server:5000"
[[ ${STACK_NAME:-mlflow} == mlflow ]] || hosts+=",$STACK_NAME-server,$STACK_NAME-server:5000"
IFS=', ' read -ra public <<<"${PUBLIC_HOSTS:-}"
for name in "${public[@]}"; do
    [[ $name =~ ^[A-Za-z0-9.-]+$ ]] ||
        fail "PUBLIC_HOSTS 中的 \"$name\" 不是主机名" "\"$name\" in PUBLIC_HOSTS is not a host name"
    hosts+=",$name,$name:*"
done

exec mlflow server --host 0.0.0.0 --port 5000 --workers "${MLFLOW_WORKERS:-2}" \
    --artifacts-destination "$ARTIFACTS" --serve-artifacts --allowed-hosts "$hosts" "$@"
