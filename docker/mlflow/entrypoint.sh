#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts the MLflow server of the stack; any other command is run as it is.
set -Eeuo pipefail
[[ ${1:-} == server ]] || exec "$@"
shift

# shellcheck source=docker/mlflow/backend-store-uri.sh
source /usr/local/lib/mlflow-backend-store-uri.sh

# shellcheck source=docker/backup/lib/mounted.sh
source /usr/local/lib/mlflow-stack/mounted.sh

readonly ARTIFACTS=/mlflow/artifacts
[[ -w $ARTIFACTS ]] || refuse_unwritable "$ARTIFACTS"
export MLFLOW_PASSFILE=/run/mlflow/pgpass
use_backend_store "$MLFLOW_PASSFILE"
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=${MLFLOW_SERVER_ENABLE_JOB_EXECUTION:-false}
# What an upload that was cut short left; the volume outlives the container.
find /tmp -mindepth 1 -maxdepth 1 -exec rm -rf {} + 2>/dev/null || true

# MLflow refuses other Host headers (DNS rebinding). A bare name is a Host header without a port.
hosts="localhost,localhost:*,127.0.0.1,127.0.0.1:*,[[]::1]:*,mlflow,mlflow:5000,mlflow-server,mlflow-server:5000"
[[ ${STACK_NAME:-mlflow} == mlflow ]] || hosts+=",$STACK_NAME-server,$STACK_NAME-server:5000"
IFS=', ' read -ra public <<<"${PUBLIC_HOSTS:-}"
for name in "${public[@]}"; do
    [[ $name =~ ^[A-Za-z0-9.-]+$ ]] ||
        fail "PUBLIC_HOSTS 中的 \"$name\" 不是主机名" "\"$name\" in PUBLIC_HOSTS is not a host name"
    hosts+=",$name,$name:*"
done

# MLflow's own command where somebody asks for more than the stack does, by an argument or a variable of MLflow's. It hands the keys down in
# its environment (mlflow_stack.py).
own=no
for name in $(compgen -e MLFLOW_ || true); do
    case $name in
        MLFLOW_BACKEND_STORE_URI | MLFLOW_PASSFILE | MLFLOW_WORKERS | MLFLOW_DISABLE_TELEMETRY) ;;
        MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY | MLFLOW_CRYPTO_KEK_PASSPHRASE) ;;
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION) [[ ${!name} == false ]] || own=yes ;;
        *) own=yes ;;
    esac
done
if [[ $# -gt 0 || $own == yes ]]; then
    for pair in MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY:webhook_key MLFLOW_CRYPTO_KEK_PASSPHRASE:kek_passphrase; do
        name=${pair%%:*} key=/run/mlflow-secrets/${pair#*:}
        if [[ -z ${!name:-} && -r $key ]]; then export "$name=$(<"$key")"; fi
        [[ -n ${!name:-} ]] || unset "$name"
    done
    exec mlflow server --host 0.0.0.0 --port 5000 --workers "${MLFLOW_WORKERS:-2}" \
        --artifacts-destination "$ARTIFACTS" --serve-artifacts --allowed-hosts "$hosts" "$@"
fi
exec python3 /usr/local/lib/mlflow-stack/start.py "$ARTIFACTS" "$hosts" "${MLFLOW_WORKERS:-2}"
