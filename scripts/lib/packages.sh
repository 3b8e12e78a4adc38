# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Debian packages: what is missing, and its installation.
# Needs messages.sh and, where something is to be built, build.sh.

# To compile and link the service, to make the Python environment, and for these scripts.
# pkg-config tells SwiftPM where Debian keeps libpq's headers.
readonly REQUIRED_PACKAGES=(
    ca-certificates curl jq pkg-config python3-venv
    libcurl4-openssl-dev libisal-dev libmicrohttpd-dev libpq-dev libsqlite3-dev libssl-dev
)
readonly PREFERRED_POSTGRES=15

package_installed() {
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

package_available() {
    [[ -n $(apt-cache madison "$1" 2>/dev/null) ]]
}

# The major version to run: 15 where it is installed, else the newest installed, else nothing.
installed_postgres() {
    local folder version newest=
    for folder in /usr/lib/postgresql/*/bin; do
        [[ -x $folder/initdb && -x $folder/pg_dump ]] || continue
        version=${folder#/usr/lib/postgresql/}
        version=${version%/bin}
        [[ $version == "$PREFERRED_POSTGRES" ]] && newest=$version && break
        [[ -z $newest || $version -gt $newest ]] && newest=$version
    done
    printf '%s' "$newest"
}

# 15 where the distribution has it, else its newest server. Needs fresh package lists.
installable_postgres() {
    if package_available "postgresql-$PREFERRED_POSTGRES"; then
        printf '%s' "$PREFERRED_POSTGRES"
        return
    fi
    apt-cache search --names-only '^postgresql-[0-9]+$' | sed -n 's/^postgresql-\([0-9]*\) .*/\1/p' | sort -n | tail -n 1
}

# run_apt ARGUMENT…: quiet unless it fails; never asks; waits for another apt to end.
run_apt() {
    local log
    log=$(mktemp)
    if DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$log" 2>&1; then
        rm -f -- "$log"
        return 0
    fi
    show_tail "$log"
    rm -f -- "$log"
    return 1
}

install_packages() {
    say "安装软件包: $*" "installing packages: $*"
    run_apt install --no-install-recommends "$@" ||
        die "软件包安装失败,请看上面的 apt 输出" "apt could not install the packages; see its output above"
}

# without_daemons COMMAND…: Debian starts the services of packages it installs; not those that only tests use.
without_daemons() {
    local policy=/usr/sbin/policy-rc.d made=
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
        made=$policy
    fi
    "$@"
    [[ -z $made ]] || rm -f -- "$made"
}

# Installs the server without the cluster that Debian would create and start on port 5432.
install_postgres() {
    local version=$1 dropin=/etc/postgresql-common/createcluster.d/zz-mlflow-backup.conf
    package_installed postgresql-common || install_packages postgresql-common
    mkdir -p -- "${dropin%/*}"
    printf 'create_main_cluster = false\n' >"$dropin"
    # Only this installation is meant: later ones behave as Debian has them.
    # shellcheck disable=SC2064 # the path is wanted as it is now
    trap "rm -f -- '$dropin'" EXIT
    install_packages "postgresql-$version" "postgresql-client-$version"
    rm -f -- "$dropin"
    trap - EXIT
}

# Installs what is missing as root; as an ordinary user names it and exits. Sets POSTGRES_VERSION.
ensure_packages() {
    local package version missing=()
    command -v dpkg-query >/dev/null ||
        die "需要 Debian 或 Ubuntu(没有 dpkg)" "this needs Debian or Ubuntu (no dpkg here)"
    for package in "${REQUIRED_PACKAGES[@]}"; do
        package_installed "$package" || missing+=("$package")
    done
    if [[ -z ${MLFLOW_BACKUP_BINARY:-} ]]; then
        while IFS= read -r package; do missing+=("$package"); done < <(toolchain_packages)
    fi
    POSTGRES_VERSION=$(installed_postgres)
    if [[ ${#missing[@]} -eq 0 && -n $POSTGRES_VERSION ]]; then return; fi

    if [[ $EUID -ne 0 ]]; then
        [[ -n $POSTGRES_VERSION ]] || missing+=("postgresql-$PREFERRED_POSTGRES")
        die "缺少软件包: ${missing[*]}。请以 root 运行: apt-get install ${missing[*]}" \
            "missing packages: ${missing[*]}. As root: apt-get install ${missing[*]}"
    fi
    say "更新软件包列表" "updating the package lists"
    run_apt update || warn "apt-get update 失败,用已有的列表继续" "apt-get update failed; going on with the lists at hand"
    if [[ ${#missing[@]} -gt 0 ]]; then install_packages "${missing[@]}"; fi
    if [[ -z $POSTGRES_VERSION ]]; then
        version=$(installable_postgres)
        [[ -n $version ]] || die "此发行版没有 PostgreSQL 服务器软件包" "this distribution has no PostgreSQL server package"
        [[ $version == "$PREFERRED_POSTGRES" ]] ||
            say "此发行版没有 PostgreSQL $PREFERRED_POSTGRES,改用 $version" \
                "no PostgreSQL $PREFERRED_POSTGRES in this distribution; taking $version"
        install_postgres "$version"
        POSTGRES_VERSION=$(installed_postgres)
    fi
    [[ -n $POSTGRES_VERSION ]] || die "安装后仍找不到 initdb" "initdb is still not there after the installation"
}
