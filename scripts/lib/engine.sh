# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A Docker engine for the tests: its own data, socket and process, and base images made here, since none is pulled.
# Needs messages.sh, packages.sh, REPO. Sets ENGINE_DIR, DOCKER_HOST and IMAGES_PID.

readonly ENGINE_PACKAGES=(debootstrap docker-compose docker.io iptables)

engine_docker() { /usr/bin/docker "$@"; }

# Ends what prepare_engine began, by its id; the containers end with the engine.
stop_engine() {
    [[ -n ${ENGINE_PID:-} ]] || return 0
    local second
    if [[ -n ${IMAGES_PID:-} ]] && kill -0 "$IMAGES_PID" 2>/dev/null; then
        # Its group: debootstrap and docker-compose are its children, and unmount what they mounted.
        kill -- "-$IMAGES_PID" 2>/dev/null || true
        wait "$IMAGES_PID" 2>/dev/null || true
    fi
    kill "$ENGINE_PID" 2>/dev/null || true
    for ((second = 0; second < 60; second++)); do
        kill -0 "$ENGINE_PID" 2>/dev/null || break
        sleep 1
    done
    ENGINE_PID=
    rmdir /sys/fs/cgroup/*"$ENGINE_GROUP" 2>/dev/null || true
    # Only what is no mount point any more may be removed.
    if ! grep -qF -- "$ENGINE_DIR/" /proc/mounts; then rm -rf -- "$ENGINE_DIR"; fi
}

# Returns 1 where an engine cannot run, with the reason in ENGINE_REASON.
start_engine() {
    local package missing=()
    if [[ $EUID -ne 0 ]]; then
        ENGINE_REASON='not root'
        return 1
    fi
    for package in "${ENGINE_PACKAGES[@]}"; do package_installed "$package" || missing+=("$package"); done
    if [[ ${#missing[@]} -gt 0 ]]; then
        # Debian would start an engine of its own at once.
        without_daemons install_packages "${missing[@]}"
    fi
    ENGINE_DIR=$(mktemp -d /var/tmp/mlflow-engine-XXXXXX)
    export DOCKER_HOST=unix://$ENGINE_DIR/docker.sock
    # The kernel shares the processor among sessions (sched(7), "The autogroup feature"), of which each server of a test has one, and to it
    # all containers are one. The images are what is waited for.
    ENGINE_GROUP=/$(basename -- "$ENGINE_DIR")
    if [[ -w /sys/fs/cgroup/cpu/cpu.shares ]]; then
        mkdir "/sys/fs/cgroup/cpu$ENGINE_GROUP"
        echo 4096 >"/sys/fs/cgroup/cpu$ENGINE_GROUP/cpu.shares"
    fi
    # Debian's dockerd starts containerd itself. The bridge is made anew, apart from any other engine's.
    setsid /usr/sbin/dockerd --data-root "$ENGINE_DIR/data" --exec-root "$ENGINE_DIR/exec" \
        --cgroup-parent "$ENGINE_GROUP" --pidfile "$ENGINE_DIR/docker.pid" -H "$DOCKER_HOST" >"$ENGINE_DIR/dockerd.log" 2>&1 </dev/null &
    ENGINE_PID=$!
    local second
    for ((second = 0; second < 60; second++)); do
        if engine_docker info >/dev/null 2>&1; then return 0; fi
        kill -0 "$ENGINE_PID" 2>/dev/null || break
        sleep 1
    done
    ENGINE_REASON=$(tail -n 3 "$ENGINE_DIR/dockerd.log")
    stop_engine
    return 1
}

# The images of the stack as the compose file names them, from Debian's packages and this machine's toolchain.
make_base_images() {
    local root=$ENGINE_DIR/debian toolchain name
    debootstrap --variant=minbase bookworm "$root" http://deb.debian.org/debian >"$ENGINE_DIR/debootstrap.log" 2>&1
    printf 'deb http://deb.debian.org/debian %s main\n' bookworm bookworm-updates >"$root/etc/apt/sources.list"
    printf 'deb http://security.debian.org/debian-security bookworm-security main\n' >>"$root/etc/apt/sources.list"
    rm -rf -- "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/*
    tar -C "$root" -c . | engine_docker import - debian:bookworm-slim >/dev/null
    engine_docker build -q -t postgres:15-bookworm "$REPO/Tests/ComposeTests/images/postgres" >/dev/null

    toolchain=$(dirname -- "$(dirname -- "$(realpath -- "$(command -v swift)")")")
    # Without what no build of ours needs, which is more than a third of it.
    tar -C / -c --exclude='*/lldb*' --exclude='*/liblldb*' --exclude='*/sourcekit-lsp' --exclude='*/libsourcekitd*' \
        --exclude='*/clangd' --exclude='*/docc' --exclude='*/swift-format' --exclude='*/lib/swift/embedded' "${toolchain#/}" |
        engine_docker import - swift-toolchain:local >/dev/null
    engine_docker build -q -t swift:6.3-bookworm --build-arg TOOLCHAIN="$toolchain" \
        "$REPO/Tests/ComposeTests/images/swift" >/dev/null

    mkdir -p "$ENGINE_DIR/alpine/bin"
    cp /bin/busybox "$ENGINE_DIR/alpine/bin/"
    for name in gzip sh tar; do ln -s busybox "$ENGINE_DIR/alpine/bin/$name"; done
    tar -C "$ENGINE_DIR/alpine" -c . | engine_docker import - alpine:latest >/dev/null
}

# A copy of what is checked out, so that the .env and the certificates of the test are not the person's own.
copy_checkout() {
    COMPOSE_CHECKOUT=$ENGINE_DIR/mlflow
    mkdir -p "$COMPOSE_CHECKOUT"
    tar -C "$REPO" -c docker docker-compose.yml docker-compose.no-socket.yml .dockerignore .env.example Package.swift \
        Sources docs/errors.md python scripts | tar -C "$COMPOSE_CHECKOUT" -x
    cp /etc/ssl/certs/ca-certificates.crt "$COMPOSE_CHECKOUT/docker/extra-ca/machine.crt"
    # One worker of MLflow's is 4 s of the processor at each of many starts.
    printf 'DOCKER_SOCKET=%s\nMLFLOW_WORKERS=1\n' "${DOCKER_HOST#unix://}" >"$COMPOSE_CHECKOUT/.env"
}

# Begins the images and does not wait for them: much of that waits for downloads. Whoever needs them waits until
# $MLFLOW_COMPOSE_IMAGES holds `made` or `failed`. Exports MLFLOW_COMPOSE_CHECKOUT for the tests.
# Where no engine starts: a failure in CI, elsewhere the tests skip.
prepare_engine() {
    say "启动测试用 Docker 引擎" "starting a Docker engine for the tests"
    if ! start_engine; then
        [[ ${CI:-} != true ]] || die "Docker 引擎没有启动: $ENGINE_REASON" "no Docker engine starts: $ENGINE_REASON"
        warn "跳过 Docker 测试: $ENGINE_REASON" "the Docker tests are skipped: $ENGINE_REASON"
        unset DOCKER_HOST
        return 0
    fi
    say "在后台制作基础镜像和三个服务的镜像" "making base images and the stack's in the background"
    copy_checkout
    export MLFLOW_COMPOSE_CHECKOUT=$COMPOSE_CHECKOUT MLFLOW_COMPOSE_IMAGES=$ENGINE_DIR/images
    set -m
    make_images >"$MLFLOW_COMPOSE_IMAGES.log" 2>&1 </dev/null &
    IMAGES_PID=$!
    set +m
}

# In a process of its own, in which each failure ends it.
make_images() {
    IMAGES=failed
    # The word appears whole, and last.
    trap 'printf "%s\n" "$IMAGES" >"$MLFLOW_COMPOSE_IMAGES.partial"
        mv "$MLFLOW_COMPOSE_IMAGES.partial" "$MLFLOW_COMPOSE_IMAGES"' EXIT
    if [[ -w /sys/fs/cgroup/cpu$ENGINE_GROUP/cgroup.procs ]]; then
        echo "$BASHPID" >"/sys/fs/cgroup/cpu$ENGINE_GROUP/cgroup.procs"
    fi
    make_base_images
    (cd -- "$COMPOSE_CHECKOUT" && exec docker-compose build --parallel)
    IMAGES=made
}
