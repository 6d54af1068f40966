#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A log of thousands of events, made of the samples' chunks over and over as `make bench`
# does it: both readers and any number of jobs give the same tables, and the lineage of each
# round is that of the first, moved on (tests/rounds.py).
. "${srcdir:-.}/tests/tap.sh"
SOURCE_DATE_EPOCH=1767225600
export SOURCE_DATE_EPOCH
log=$work/rounds.evtx
check "a log of 4 MiB is made" "$build/tests/bench_log" "$log" 4 "$top"/samples/*Sysmon.evtx
chunks=$(sed -n 's/.* made of \([0-9]*\) chunks .*/\1/p' "$work/.out")

report() { # NAME OPTION...
    name=$1
    shift
    check "$name: a report is made" "$forebear" report -q -o "$work/$name" "$@" "$log"
}
report native --reader=native -j2
report libevtx --reader=libevtx -j2 --no-recovered
report one --reader=native -j1
report seven --reader=native -j7
for other in libevtx one seven; do
    for table in findings processes timeline near_misses evidence problems; do
        same "$other: $table.csv is the same" "$work/native/$table.csv" "$work/$other/$table.csv"
    done
done
if command -v python3 >/dev/null 2>&1; then
    check "each round's lineage is that of the first" \
        python3 "$top/tests/rounds.py" "$work/native/processes.csv" "$chunks"
else
    skip "each round's lineage is that of the first" "python3 is not installed"
fi
finish
