# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Files that change together: all are written beside what they replace before the first is renamed. Needs fail.

STAGED=() REMOVED=()

# holds FILE VALUE: whether that is what the file says.
holds() { [[ -s $1 && $(<"$1") == "$2" ]]; }

# stage_file FILE GROUP VALUE: what FILE shall hold, for root and GROUP to read. Each step is asked by itself, since `set -e` is off wherever
# a caller asks how this ended.
stage_file() {
    STAGED+=("$1")
    { printf '%s\n' "$3" >"$1.new" && chown "0:$2" "$1.new" && chmod 0440 "$1.new" && sync "$1.new"; } || {
        rm -f -- "${STAGED[@]/%/.new}" || true
        fail "无法写入 $1（磁盘已满？），没有任何改动。排除原因后再运行一次" \
            "$1 cannot be written (a full disk?), and nothing is changed. Remove the cause and run this again"
    }
}

stage_removal() { REMOVED+=("$1"); }

# commit_staged: in the order in which they were staged. A run that is cut in here is caught up by the next, which stages what is left.
commit_staged() {
    local file
    for file in ${REMOVED[@]+"${REMOVED[@]}"}; do
        rm -- "$file" || fail_midway "$file"
    done
    for file in ${STAGED[@]+"${STAGED[@]}"}; do
        mv -- "$file.new" "$file" || fail_midway "$file"
        # A rename that a power cut takes back would be missed by nobody.
        sync "${file%/*}" || fail_midway "$file"
    done
}

fail_midway() {
    fail "无法替换 $1，只完成了一部分改动。排除原因后再运行一次即可补全" \
        "$1 cannot be replaced, and a part of the change is made. Remove the cause and run this again: the rest is made up for"
}
