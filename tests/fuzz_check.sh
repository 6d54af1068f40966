#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make fuzz-check: every harness of tests/fuzz for a bounded time, FUZZ_SECONDS in all
# (default 30), from the samples and from every input that once failed. With clang and its
# libFuzzer the inputs are mutated, under ASan and UBSan; without, they are run as they are.
# A new failing input is kept in FUZZ_FOUND (default: fuzz-found in the build folder).
. "${srcdir:-.}/tests/tap.sh"
: "${FUZZ_SECONDS:=30}" "${FUZZ_FOUND:=$build/fuzz-found}" "${FUZZ_CC:=clang}"
harnesses='chunk record template log xml json'
jobs=$(nproc 2>/dev/null || echo 1)
seconds=$((FUZZ_SECONDS * (jobs < 2 ? 1 : 2) / 6))
[ "$seconds" -gt 0 ] || seconds=1
cd "$top" || exit 1

# seeds HARNESS FOLDER: whole logs, or their parts, made by the program of the build
seeds() {
    mkdir -p "$2"
    "$build/tests/fuzz/seeds" "$1" "$2" samples/*.evtx
    if [ -d "tests/fuzz/found/$1" ]; then
        cp "tests/fuzz/found/$1"/* "$2"
    fi
}

# can_fuzz: clang links a program with libFuzzer
can_fuzz() {
    echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n);
          int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return d && n ? 0 : 0; }' \
        >"$work/empty.c"
    "$FUZZ_CC" -fsanitize=fuzzer,address,undefined "$work/empty.c" -o "$work/empty"
}

# make_library: what the harnesses rest on, compiled once for all of them
flags="-g -O1 -std=c17 -D_GNU_SOURCE -Isrc -Itests -Itests/fuzz ${FUZZ_CFLAGS:--I/usr/include/libxml2} -fno-omit-frame-pointer
    -fsanitize=address,undefined -fno-sanitize-recover=all"
compile() { # SOURCE FLAG...: its object stands in $work
    source=$1
    shift
    # shellcheck disable=SC2086
    "$FUZZ_CC" $flags "$@" -c "$source" -o "$work/$(echo "$source" | tr / _).o"
}
make_library() {
    export FUZZ_CC flags work
    for source in src/evtx/*.c src/util/*.c tests/memory_log.c; do echo "$source"; done |
        xargs -P "$jobs" -I SOURCE sh -c '"$FUZZ_CC" $flags -fsanitize=fuzzer-no-link -c "$1" \
            -o "$work/$(echo "$1" | tr / _).o"' - SOURCE
}
make_harness() {
    compile "tests/fuzz/fuzz_$1.c" -fsanitize=fuzzer-no-link &&
        "$FUZZ_CC" -fsanitize=fuzzer,address,undefined "$work/tests_fuzz_fuzz_$1.c.o" "$work"/src_*.o \
            "$work/tests_memory_log.c.o" ${FUZZ_LIBS:--ldeflate -lz -lxml2 -ljson-c -lcrypto -l:libevtx.a -l:libbfio.a -lpthread} \
            -o "$work/fuzz_$1"
}

# fuzz HARNESS: mutate for its share of the time
fuzz() {
    mkdir -p "$FUZZ_FOUND" "$work/corpus.$1"
    "$work/fuzz_$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=266240 \
        -artifact_prefix="$FUZZ_FOUND/$1-" "$work/corpus.$1" "$work/seeds.$1"
}

for harness in $harnesses; do
    check "$harness: seeds of the samples" seeds "$harness" "$work/seeds.$harness"
    [ -n "$(ls -A "$work/seeds.$harness")" ]
    tap_result $? "$harness: there are seeds"
    check "$harness: the seeds as they are" sh -c '"$1" "$2"/*' - "$build/tests/fuzz/fuzz_$harness" "$work/seeds.$harness"
done
if ! can_fuzz >"$work/.out" 2>&1; then
    skip "the fuzzers" "$FUZZ_CC with libFuzzer is not installed"
    finish
    exit 0
fi
check "the library of the fuzzers is built" make_library
for harness in $harnesses; do
    check "$harness: the fuzzer is built" make_harness "$harness"
done
if [ "$jobs" -gt 1 ]; then
    for pair in 'chunk record' 'template log' 'xml json'; do
        for harness in $pair; do
            (
                fuzz "$harness" >"$work/$harness.said" 2>&1
                echo $? >"$work/$harness.status"
            ) &
        done
        wait
    done
fi
for harness in $harnesses; do
    if [ "$jobs" -gt 1 ]; then
        check "$harness: no input fails in $seconds s" \
            sh -c 'tail -n 25 "$1.said"; exit "$(cat "$1.status")"' - "$work/$harness"
    else
        check "$harness: no input fails in $seconds s" fuzz "$harness"
    fi
    sed -n 's/^stat::number_of_executed_units: */# runs: /p; s/^Done \(.*\)/# \1/p' "$work/.out" | tail -n 1
done
finish
