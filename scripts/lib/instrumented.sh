# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Tests in builds that watch themselves: sanitizers and coverage. Needs messages.sh and REPO.
# Each build has a folder of its own below .build, so that none undoes another's.

# The targets that share memory between threads or with C, and need no program of ours.
# shellcheck disable=SC2034 # scripts/test hands it on
readonly SANITIZED_TARGETS=(SystemIOTests ArchiveTests HTTPServerTests ServiceTests)
readonly MEASURED_TARGETS=(
    SystemIOTests ArchiveTests PostgresTests SQLiteTests MLflowStoreTests ObjectStoreTests BackupTests ServiceTests HTTPServerTests APITests
)

toolchain_bin() { dirname -- "$(realpath -- "$(command -v swift)")"; }

# instrumented_build NAME OPTION...: sets INSTRUMENTED_TESTS.
instrumented_build() {
    local name=$1 folder=$REPO/.build/$1
    shift
    swift build --package-path "$REPO" --build-tests --scratch-path "$folder" "$@" >"$REPO/.build/$name.log" 2>&1 ||
        { show_tail "$REPO/.build/$name.log" && die "测试编译失败 ($name)" "the tests do not compile ($name)"; }
    INSTRUMENTED_TESTS=$folder/debug/mlflow-backupPackageTests.xctest
}

# filter_of TARGET...: all tests of these.
filter_of() {
    local IFS='|'
    printf '^(%s)\\.' "$*"
}

# run_sanitized TARGET...: ends the script at the first report of a sanitizer, and where a test fails.
run_sanitized() {
    local kind log symbolizer filter
    symbolizer=$(toolchain_bin)/llvm-symbolizer
    filter=$(filter_of "$@")
    for kind in thread address; do
        say "编译并运行 $kind sanitizer 测试" "building and running the tests under the $kind sanitizer"
        log=$REPO/.build/$kind-tests.log
        MLFLOW_TEST_TARGETS=$(IFS=,; printf '%s' "$*") instrumented_build "$kind" --sanitize="$kind"
        # Leaks are not looked for: what a process of tests keeps until its end is none.
        TSAN_OPTIONS="exitcode=66 external_symbolizer_path=$symbolizer" \
            ASAN_OPTIONS="detect_leaks=0 external_symbolizer_path=$symbolizer" \
            "$INSTRUMENTED_TESTS" --testing-library swift-testing --filter "$filter" >"$log" 2>&1 ||
            { show_failures "$log" && die "$kind sanitizer 测试失败,见 $log" "the tests under the $kind sanitizer fail; see $log"; }
        tail -n 1 -- "$log"
    done
}

# Lines of each target that the tests of the engines and of the service run. StackTests and FaultTests run the program itself.
measure_coverage() {
    local folder=$REPO/.build/coverage status=0 bin
    bin=$(toolchain_bin)
    say "编译并运行覆盖率测试" "building and running the tests for coverage"
    instrumented_build coverage --enable-code-coverage
    rm -rf -- "$folder/profiles"
    LLVM_PROFILE_FILE=$folder/profiles/%p.profraw "$INSTRUMENTED_TESTS" --testing-library swift-testing \
        --filter "$(filter_of "${MEASURED_TARGETS[@]}")" "$@" || status=$?
    "$bin/llvm-profdata" merge -sparse "$folder"/profiles/*.profraw -o "$folder/tests.profdata"
    "$bin/llvm-cov" export -summary-only "$INSTRUMENTED_TESTS" -instr-profile "$folder/tests.profdata" |
        "$PYTHON_ENVIRONMENT/bin/python" "$REPO/scripts/coverage.py" || status=1
    return "$status"
}
