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
finish
