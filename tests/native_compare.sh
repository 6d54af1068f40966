#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The native reader against a reference decoder that lies beside the shared data, value by
# value: all Sysmon logs, and every log of the parsers' own test sets.
srcdir=${srcdir:-.} builddir=${builddir:-.}
reference=${SHARED_DATA:-/nowhere}/../tools/evtx_ref.py
counts=${SHARED_DATA:-/nowhere}/evtx/counts.tsv

echo 1..2
if [ ! -r "$reference" ] || [ ! -r "$counts" ] || ! command -v python3 >/dev/null; then
    echo "ok 1 - values equal the reference decoder's # SKIP no reference decoder here"
    echo "ok 2 - the general decoder gives the same # SKIP no reference decoder here"
    exit 0
fi

list=$(mktemp) && plan=$(mktemp) && walk=$(mktemp) || exit 1
trap 'rm -f "$list" "$plan" "$walk"' EXIT
# Of a log with a chunk that is cut off the reference reads records that are not live.
awk -F '\t' 'NR > 1 && $1 !~ /System2/ && ($12 > 0 || $1 ~ /^parsers/) {
    printf "%s/evtx/%s\n", dir, $1 }' dir="$SHARED_DATA" "$counts" | tr '\n' '\0' >"$list"

# xargs gives 123 if any of the runs found a difference.
if xargs -0 -n 200 python3 "$srcdir/tests/native_compare.py" "$reference" \
    "$builddir/tests/native_dump" <"$list"; then
    echo "ok 1 - values equal the reference decoder's"
else
    echo "not ok 1 - values equal the reference decoder's"
fi

xargs -0 "$builddir/tests/native_dump" <"$list" >"$plan" 2>/dev/null
xargs -0 "$builddir/tests/native_dump" --walk <"$list" >"$walk" 2>/dev/null
if [ -s "$plan" ] && cmp "$plan" "$walk"; then
    echo "ok 2 - the general decoder gives the same"
else
    echo "not ok 2 - the general decoder gives the same"
fi
