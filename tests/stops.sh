#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whoever stops a run, and whenever: it ends soon, with the signal's status, and neither files nor
# processes stay behind. The log is large, and its processes meet the rules, so that every
# phase takes a while.
. "${srcdir:-.}/tests/tap.sh"
. "$top/tests/page_shapes.sh"
soon=1500 # milliseconds; the machine may be busy with other tests
findings 5000 >"$work/scenario"
mkdir "$work/logs"
"$build/tests/make_evtx" "$work/scenario" "$work/logs" >/dev/null

milliseconds() { # since some moment
    read -r up _ </proc/uptime
    echo "${up%.*}${up#*.}0"
}
processes_of() { # SESSION: those that run, a line each
    for stat in /proc/[0-9]*/stat; do
        sed -n "s/^\([0-9]*\) (.*) [^ZX] [0-9]* [0-9]* $1 .*/\1/p" "$stat" 2>/dev/null
    done
}
none_left() { # SESSION: within two seconds
    tries=0
    while left=$(processes_of "$1") && [ -n "$left" ]; do
        tries=$((tries + 1))
        [ $tries -gt 20 ] && echo "still there: $left" && return 1
        sleep 0.1
    done
}
has_children() { # SESSION: as soon as it has, while it runs
    while [ "$(processes_of "$1" | wc -l)" -le 2 ]; do
        kill -0 "$1" 2>/dev/null || return 1
        sleep 0.02
    done
}
# begin OPTION...: a run in a session of its own, which is $pid
begin() {
    rm -rf "$work/report"
    setsid "$forebear" report -q -o "$work/report" "$@" "$work/logs" >"$work/.said" 2>&1 &
    pid=$!
}
sleep_milliseconds() {
    sleep "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))"
}
# ends STATUS WHEN SINCE: the run ended so, soon after SINCE, and left nothing
ends() {
    status=0
    wait $pid || status=$?
    took=$(($(milliseconds) - $3))
    told="ended with status $status after $took ms: $(head -c 500 "$work/.said")"
    check "$2: no process is left" none_left $pid
    if [ $status = 0 ] && [ -s "$work/report/manifest.json" ]; then
        skip "$2" "the run was at its end already"
        return
    fi
    stopped=$((stopped + 1))
    echo "$told" >"$work/.out"
    [ $status = "$1" ] && [ $took -le $soon ]
    tap_result $? "$2: the run ends soon, with status $1"
    check "$2: no file is left" test ! -e "$work/report"
}
stopped=0

whole=$(milliseconds)
begin
wait $pid
check "a whole run leaves a report" test -s "$work/report/manifest.json"
check "and no process" none_left $pid
whole=$(($(milliseconds) - whole))
# The machine may have been busy: the shorter of two counts.
second=$(milliseconds)
begin
wait $pid
second=$(($(milliseconds) - second))
[ $second -gt $whole ] || whole=$second

for part in 5 20 35 50 65 80 90; do
    begin
    sleep_milliseconds $((whole * part / 100))
    since=$(milliseconds)
    kill -s INT $pid 2>/dev/null
    ends 130 "stopped at $part % of its time" "$since"
done

check "most signals came while the run went on" test $stopped -ge 4

# Packing the workbook is the library's work, which asks nobody whether to go on. Here it is
# made to last: who packs is halted.
for signal in INT:130 TERM:143; do
    begin --format=xlsx
    tries=0
    : >"$work/packs"
    until [ -s "$work/packs" ] || [ $tries -gt 3000 ]; do
        tries=$((tries + 1))
        sleep 0.01
        [ -d "$work/report/.report.xlsx.parts" ] && processes_of $pid | grep -v "^$pid\$" >"$work/packs"
    done
    check "another process packs the workbook" xargs kill -s STOP <"$work/packs"
    since=$(milliseconds)
    kill -s ${signal%:*} $pid
    ends ${signal#*:} "SIG${signal%:*} while the workbook is packed" "$since"
done
begin --format=xlsx
wait $pid
check "a workbook that is packed to its end leaves no folder behind" sh -c 'test -s "$1/report.xlsx" && ! ls -A "$1" | grep "^[.]"' - "$work/report"

# A terminal sends its signals to all processes of the run.
for signal in INT:130 TERM:143 HUP:129; do
    for options in --reader=libevtx --verify=all; do
        begin $options
        sleep_milliseconds $((whole / 3))
        since=$(milliseconds)
        kill -s ${signal%:*} -- -$pid
        ends ${signal#*:} "SIG${signal%:*} to all processes with $options" "$since"
    done
done

# Who says nohup means it.
begin_without_hup() {
    rm -rf "$work/report"
    setsid nohup "$forebear" report -q -o "$work/report" "$work/logs" >"$work/.said" 2>&1 &
    pid=$!
}
begin_without_hup
sleep_milliseconds $((whole / 3))
kill -s HUP $pid
wait $pid
check "a run that outlives its terminal ends as any other" test -s "$work/report/manifest.json"

# Nobody tidies up behind a run that is killed, but its children end.
for options in --reader=libevtx --verify=all; do
    begin $options
    check "$options: there are children" has_children $pid
    kill -s KILL $pid
    wait $pid 2>/dev/null
    check "$options: none is left when the run was killed" none_left $pid
done

# The report that a run replaces is there until the new one stands, whatever ends that run.
if command -v strace >/dev/null && strace -o "$work/calls" true 2>/dev/null; then
    old=$work/old
    again=$work/again
    sums='cd "$1" && sha256sum -c --quiet SHA256SUMS'
    log=$top/samples/WKS-01-Sysmon.evtx
    "$forebear" report -q --format=html,xlsx --schema=cim -o "$old" "$log" >/dev/null 2>&1
    # replaced [COMMAND...]: by a report of fewer files
    replaced() {
        rm -rf "$again"
        cp -a "$old" "$again"
        status=0
        ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" "$@" \
            "$forebear" report -q --force --format=csv -o "$again" "$log" >"$work/.out" 2>&1 || status=$?
    }
    replaced_under() { replaced strace -qq -o "$work/calls" -e "inject=$1"; }
    replaced
    check "a report of fewer files replaces one of more" sh -c "$sums"' && [ ! -e report.html ] && [ ! -e report.xlsx ]' - "$again"
    check "and nothing else is left" sh -c '! ls -A "$1" | grep "^[.]"' - "$again"
    for what in fsync:error=ENOSPC:when=2 fsync:signal=INT:when=1 renameat:error=EIO:when=3 renameat:error=EIO:when=25; do
        replaced_under "$what"
        check "$what: the run does not end well" test $status != 0
        check "$what: the earlier report is there as it was" diff -r "$old" "$again"
    done
    for when in 1 2 17 18 31; do
        replaced_under renameat:signal=KILL:when=$when
        [ $status = 137 ]
        tap_result $? "killed at renaming $when"
        mkdir -p "$again/.replaced-report"
        for file in "$old"/*; do
            name=${file##*/}
            cmp -s "$file" "$again/.replaced-report/$name" || cmp -s "$file" "$again/$name" || echo "$name"
        done >"$work/.out"
        [ ! -s "$work/.out" ]
        tap_result $? "killed at renaming $when: every file of the earlier report is there"
        status_is 4 "killed at renaming $when: it is not taken for none" "$forebear" report -q -o "$again" "$log"
        status_is 0 "killed at renaming $when: --force begins anew" "$forebear" report -q --force --format=csv -o "$again" "$log"
        check "killed at renaming $when: and leaves a report" sh -c "$sums"' && ! ls -A | grep "^[.]"' - "$again"
    done
else
    skip "reports that are replaced" "strace is absent"
fi
finish
