# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the scripts say to a person: one line each, Chinese first, then English.

say() { printf '%s / %s\n' "$1" "$2"; }

warn() { printf '%s / %s\n' "$1" "$2" >&2; }

# die ZH EN [EXIT_CODE]
die() {
    warn "$1" "$2"
    exit "${3:-1}"
}

# show_tail FILE: the end of a log, on stderr, after something failed.
show_tail() {
    [[ -r $1 ]] || return 0
    printf -- '--- %s\n' "$1" >&2
    tail -n 20 -- "$1" >&2
}

# show_failures FILE: what failed in a log of tests, and its end, on stderr.
show_failures() {
    # As the runner and the sanitizers write it. None is no failure of ours.
    grep -aE -A 12 '✘ Test .* recorded an issue|(WARNING|ERROR): [A-Za-z]+Sanitizer' -- "$1" | head -n 200 >&2 || true
    show_tail "$1"
}

# For `trap … ERR`: a command that nobody expected to fail still gets a line.
unexpected_failure() {
    local code=$1 line=$2
    warn "意外失败(第 $line 行,退出码 $code)" "unexpected failure (line $line, exit code $code)"
}
