#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The fuzz harnesses over files: inputs that once failed (tests/fuzz/found/HARNESS/), and
# public logs as they are, which for all harnesses but that of logs are damaged input.
srcdir=${srcdir:-.} builddir=${builddir:-.}

echo 1..12
n=0
for harness in chunk record template log xml json; do
    n=$((n + 1))
    found=$(find "$srcdir/tests/fuzz/found/$harness" -type f 2>/dev/null | sort)
    # shellcheck disable=SC2086
    if "$builddir/tests/fuzz/fuzz_$harness" $found; then
        echo "ok $n - $harness: what once failed"
    else
        echo "not ok $n - $harness: what once failed"
    fi
    n=$((n + 1))
    if [ ! -d "${SHARED_DATA:-/nowhere}/evtx" ]; then
        echo "ok $n - $harness: public logs # SKIP no shared data here"
    elif find "$SHARED_DATA/evtx" -name '*.evtx' -print0 |
        xargs -0 "$builddir/tests/fuzz/fuzz_$harness"; then
        echo "ok $n - $harness: public logs"
    else
        echo "not ok $n - $harness: public logs"
    fi
done
