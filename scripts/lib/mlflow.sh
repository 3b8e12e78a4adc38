# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The MLflow server of a stack. Needs messages.sh, processes.sh, stack.sh, python.sh.

mlflow_answers() { http_answers "http://$HOST:$MLFLOW_PORT/health"; }

start_mlflow() {
    local hosts
    # `localhost` and the names the containers have in compose; a bare name is a Host header without a port.
    hosts="localhost,localhost:*,127.0.0.1,127.0.0.1:*,[[]::1]:*"
    hosts+=",mlflow,mlflow:5000,mlflow:$MLFLOW_PORT,mlflow-server,mlflow-server:5000,mlflow-server:$MLFLOW_PORT"
    say "启动 MLflow(首次会建表)" "starting MLflow (the first start creates its tables)"
    # The addresses it reads from the environment are the caller's own; they must not lead this server elsewhere.
    start_detached mlflow env \
        -u MLFLOW_TRACKING_URI -u MLFLOW_REGISTRY_URI -u MLFLOW_REGISTRY_STORE_URI -u MLFLOW_DEFAULT_ARTIFACT_ROOT \
        -u PYTHONPATH -u PYTHONHOME \
        MLFLOW_BACKEND_STORE_URI="$(backend_store_uri)" \
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION="${MLFLOW_SERVER_ENABLE_JOB_EXECUTION:-false}" \
        MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true PYTHONUNBUFFERED=1 GIT_PYTHON_REFRESH=quiet \
        "$PYTHON_ENVIRONMENT/bin/python" -m mlflow server --host "$HOST" --port "$MLFLOW_PORT" \
        --workers "${MLFLOW_WORKERS:-2}" --artifacts-destination "$DATA/artifacts" --serve-artifacts \
        --allowed-hosts "$hosts"
    wait_until mlflow 240 mlflow_answers && return
    show_tail "$DATA/logs/mlflow.log"
    die "MLflow 没有启动,见 $DATA/logs/mlflow.log" "MLflow did not start; see $DATA/logs/mlflow.log"
}

stop_mlflow() { stop_process mlflow 20 group; }
