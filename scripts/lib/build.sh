# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The Swift toolchain and the release binary. Needs messages.sh and REPO.

# Twice: before anything is installed, and (`strict`) when the libraries a toolchain may lack are there.
check_swift() {
    local said version
    command -v swift >/dev/null ||
        die "找不到 swift。请安装 Swift 6.0 或更新并加入 PATH" "swift not found: install Swift 6.0 or later and put it on PATH"
    if ! said=$(swift --version 2>&1); then
        [[ ${1:-} == strict ]] || return 0
        die "swift 不能运行: $said" "swift does not run; install what its toolchain needs"
    fi
    version=$(sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' <<<"$said" | head -n 1)
    [[ -n $version ]] || die "swift --version 没有回答版本号" "swift --version did not answer with a version"
    [[ ${version%%.*} -ge 6 ]] ||
        die "Swift 版本是 $version,需要 6.0 或更新" "Swift is $version; 6.0 or later is needed"
}

# What an unpacked toolchain still needs of the distribution to run and to link, where it is not there.
toolchain_packages() {
    local start_files=(/usr/lib/gcc/*/*/crtbegin.o)
    if ! ldconfig_lists libncurses.so.6; then printf 'libncurses6\n'; fi
    if [[ ! -e ${start_files[0]} ]] || ! command -v ld >/dev/null; then printf 'g++\n'; fi
}

# An ordinary user's PATH has no sbin.
ldconfig_lists() { /sbin/ldconfig -p | grep -F -- "$1" >/dev/null; }

# Builds when a source, or a folder that lost one, is newer than the last build. Sets BINARY.
# MLFLOW_BACKUP_BINARY=FILE uses that file and builds nothing.
ensure_binary() {
    local stamp=$REPO/.build/.scripts-up-built started
    if [[ -n ${MLFLOW_BACKUP_BINARY:-} ]]; then
        BINARY=$MLFLOW_BACKUP_BINARY
        [[ -f $BINARY && -x $BINARY ]] ||
            die "MLFLOW_BACKUP_BINARY 不是可执行文件: $BINARY" "MLFLOW_BACKUP_BINARY is no executable: $BINARY"
        return
    fi
    BINARY=$REPO/.build/release/mlflow-backup
    if [[ -x $BINARY && -e $stamp ]] && sources_older_than "$stamp"; then return; fi

    say "编译 mlflow-backup(首次需几分钟)" "building mlflow-backup (minutes the first time)"
    mkdir -p -- "$REPO/.build"
    # The stamp bears the time before the build: what changes while it runs is built the next time.
    started=$(mktemp "$REPO/.build/.scripts-up-XXXXXX")
    # Swift's libraries in the program, as in the image: it needs no toolchain to run, and 3 MiB less of memory.
    if ! swift build --package-path "$REPO" -c release --product mlflow-backup --static-swift-stdlib >"$REPO/.build/scripts-up.log" 2>&1; then
        rm -f -- "$started"
        show_tail "$REPO/.build/scripts-up.log"
        die "编译失败,请看上面的输出" "the build failed; see its output above"
    fi
    mv -- "$started" "$stamp"
    [[ -x $BINARY ]] || die "编译后没有 $BINARY" "the build made no $BINARY"
}

sources_older_than() {
    [[ -z $(find "$REPO/Package.swift" "$REPO/Sources" "$REPO/docs/errors.md" -newer "$1" -print -quit) ]]
}
