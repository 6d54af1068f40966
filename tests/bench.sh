#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench.sh - how fast and how large: ratios measured in one run. `make bench` calls it.
#
# It needs about 3 GB in $TMPDIR (/tmp): logs of 64, 128, 256 and 512 MiB made of the full
# Sysmon chunks of $SHARED_DATA/evtx, or of samples/ without it, and the reports on them.
# BENCH_ROUNDS says how often each thing is done (default 8); the fastest counts. Nothing
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
python3 "$srcdir/tests/bench.py" "$builddir/forebear" "$folder" "${BENCH_ROUNDS:-8}"

# How long a page takes to open that has as much as it can have.
for browser in chromium chromium-browser google-chrome none; do
    command -v "$browser" >/dev/null 2>&1 && break
done
if [ "$browser" = none ]; then
    echo "bench: no Chromium: the page is not measured" >&2
    exit 0
fi
. "$srcdir/tests/page_shapes.sh"
page() { # SHAPE N
    mkdir "$folder/logs-$1"
    "$1" "$2" >"$folder/scenario"
    "$builddir/tests/make_evtx" "$folder/scenario" "$folder/logs-$1" >/dev/null
    "$builddir/forebear" report -q -o "$folder/$1" "$folder/logs-$1" >/dev/null
}
page events 200000
page findings 25000
page hosts 12500
page mixed 100
"$builddir/forebear" report -q -o "$folder/sample" "$srcdir/samples/forebear-sample.E01" >/dev/null
python3 "$srcdir/tests/page_bench.py" "$browser" "$folder/profile" "$folder/sample" \
    "$folder/events" "$folder/findings" "$folder/hosts" "$folder/mixed"
