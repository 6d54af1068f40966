#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A log that changes while it is read: the run is stopped in the middle of it, the file is cut
# or made longer, and the run goes on. It must end with what it could read, and say so.
. "${srcdir:-.}/tests/tap.sh"
log=$work/changing.evtx
whole=$work/whole.evtx
size=$((64 * 1024 * 1024))
"$build/tests/bench_log" "$whole" 64 "$top"/samples/*Sysmon.evtx >"$work/.out" 2>&1

# Read for its digest and to be decoded at once, or, with more jobs, by a thread of its own.
for jobs in 1 2 8; do
    "$forebear" report -q -o "$work/hashed$jobs" --jobs=$jobs --hash=sha1,md5 --findings-only \
        "$whole" >"$work/.out" 2>&1
    for sum in sha256sum sha1sum md5sum; do
        check "$jobs jobs: the $sum of the log" grep -q \
            "$($sum <"$whole" | cut -d ' ' -f 1)" "$work/hashed$jobs/evidence.csv"
    done
done

if [ ! -r /proc/self/io ]; then
    skip "a log that changes" "the system does not tell what a process has read"
    finish
    exit 0
fi

has_read() { # PID: bytes so far
    while read -r name value; do
        [ "$name" = rchar: ] && echo "$value" && return
    done <"/proc/$1/io" 2>/dev/null
}

# stop_inside OPTION...: a run that has begun to read the log and is stopped; $pid
stop_inside() {
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf "$work/report"
        cp "$whole" "$log"
        "$forebear" report -q -o "$work/report" "$@" "$log" >"$work/.summary" 2>&1 &
        pid=$!
        while got=$(has_read $pid) && [ "${got:-$size}" -lt 4000000 ]; do :; done
        kill -STOP $pid 2>/dev/null
        got=$(has_read $pid)
        [ "${got:-$size}" -lt $((size / 2)) ] && return 0
        kill -CONT $pid 2>/dev/null
        wait $pid
    done
    return 1
}

goes_on() { # STATUS: the run ends with that status
    kill -CONT $pid
    status=0
    wait $pid || status=$?
    echo "exit status $status"
    cat "$work/.summary"
    [ $status = "$1" ]
}

for reader in native libevtx; do
    name="cut while read by $reader"
    if ! stop_inside --reader=$reader --verify=none; then
        skip "$name" "the run was never met while it read"
        continue
    fi
    truncate -s 1000000 "$log"
    check "$name: the run ends as incomplete" goes_on 3
    check "$name: what is gone is told" grep -q '^LOG_UNREADABLE,' "$work/report/problems.csv"
    check "$name: no hash is given" sh -c 'grep -q "^LOG_NOT_HASHED," "$1/problems.csv" && ! grep -qE ",[0-9a-f]{64}," "$1/evidence.csv"' - "$work/report"
    check "$name: the change is told" grep -q '^EVIDENCE_CHANGED,' "$work/report/problems.csv"
    check "$name: what was there was read" grep -q ',logged,' "$work/report/processes.csv"
done
if stop_inside --verify=none; then
    head -c 3000000 "$whole" >>"$log"
    check "longer while read: the run ends as incomplete" goes_on 3
    check "longer while read: the change is told" grep -q '^EVIDENCE_CHANGED,' "$work/report/problems.csv"
else
    skip "longer while read" "the run was never met while it read"
fi
finish
