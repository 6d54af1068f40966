#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench.sh - how fast and how large: ratios measured in one run. `make bench` calls it.
#
# It needs about 3 GB in $TMPDIR (/tmp): logs of 64, 128, 256 and 512 MiB made of the full
# Sysmon chunks of $SHARED_DATA/evtx, or of samples/ without it, and the reports on them.
# BENCH_ROUNDS says how often each thing is done (default 5); the fastest counts. Nothing
# here is a test: a figure says as much as the machine was idle.
set -eu
: "${srcdir:=.}" "${builddir:=.}" "${SHARED_DATA=$srcdir/../shared/data}"
folder=$(mktemp -d "${TMPDIR:-/tmp}/forebear-bench.XXXXXX")
trap 'rm -rf "$folder"' EXIT INT TERM

sources=$folder/sources
find "$SHARED_DATA/evtx" -name '*.evtx' 2>/dev/null | LC_ALL=C sort > "$sources" || :
[ -s "$sources" ] || ls "$srcdir"/samples/*Sysmon.evtx > "$sources"

need=3000000
have=$(df -Pk "$folder" | awk 'NR == 2 { print $4 }')
if [ "$have" -lt "$need" ]; then
    echo "bench: $folder has $have KiB free, $need are needed" >&2
    exit 1
fi
make_log() { # MIB
    tr '\n' '\0' < "$sources" |
        xargs -0 "$builddir/tests/bench_log" "$folder/$1.evtx" "$1"
}
for mebibytes in 16 64 128 256 512; do
    printf '%4d MiB: ' "$mebibytes"
    make_log "$mebibytes"
done
python3 "$srcdir/tests/bench.py" "$builddir/forebear" "$folder" "${BENCH_ROUNDS:-5}"
