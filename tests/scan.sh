#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# forebear scan: its rows, order, filters, statuses; and (tests/scan.py) that it finds what a
# report finds. SCAN_ROUNDS=N: so many damaged logs of each kind.
. "${srcdir:-.}/tests/tap.sh"
samples=$top/samples
sysmon=$samples/WKS-01-Sysmon.evtx

"$forebear" scan "$samples" >"$work/hits.csv" 2>"$work/said"
check "the first line names the columns" sh -c 'head -n 1 "$1" | tr -d "\r" | grep -x "rule_source,rule_id,title,level,alert_level,computer,utc_time,image,command_line,parent_image,parent_command_line,process_guid,event_record_id,evidence,log,offset,state"' - "$work/hits.csv"
check "standard error has one summary" sh -c '[ "$(grep -c "scanned [0-9]* logs: .* hits" "$1")" = 1 ]' - "$work/said"
check "-q leaves it out" sh -c '! "$1" scan -q "$2" 2>&1 >/dev/null | grep .' - "$forebear" "$samples"
for jobs in 1 2 7; do
    "$forebear" scan -q -j $jobs "$samples" >"$work/hits.$jobs"
    same "--jobs $jobs changes nothing" "$work/hits.csv" "$work/hits.$jobs"
done
"$forebear" scan -q --format=jsonl "$samples" >"$work/hits.jsonl"
check "a line of JSON for each row" test "$(wc -l <"$work/hits.jsonl")" = "$(($(wc -l <"$work/hits.csv") - 1))"
check "there are hits" test -s "$work/hits.jsonl"
check "a cited offset is a record" sh -c '
    offset=$(sed -n "s/.*\"log\":\"WKS-01-Sysmon.evtx\",\"offset\":\([0-9]*\),.*/\1/p" "$1" | head -n 1)
    "$2" show --offset "$offset" "$3"' - "$work/hits.jsonl" "$forebear" "$sysmon"

# --- filters
check "--computer" sh -c '[ "$("$1" scan -q --format=jsonl --computer wks-02.CORP.example "$2" | wc -l)" = "$(grep -c "\"computer\":\"WKS-02" "$3")" ]' - \
    "$forebear" "$samples" "$work/hits.jsonl"
moment=$(sed -n 's/.*"utc_time":"\([^"]*\)".*/\1/p' "$work/hits.jsonl" | sort | sed -n 3p)
before=$("$forebear" scan -q --format=jsonl --before "$moment" "$samples" | wc -l)
after=$("$forebear" scan -q --format=jsonl --after "$moment" "$samples" | wc -l)
check "--after and --before part the hits" test $((before + after)) = "$(wc -l <"$work/hits.jsonl")"
check "both have some" test "$before" -gt 0 -a "$after" -gt 0
check "a channel without hits has none" sh -c '! "$1" scan -q --format=jsonl --channel System "$2" | grep .' - "$forebear" "$samples"
check "what was not asked for is counted" sh -c '"$1" scan --channel System "$2" 2>&1 >/dev/null | grep -q "0 hits ([1-9][0-9]* more not asked for)"' - \
    "$forebear" "$samples"
cat >"$work/filter.yml" <<'END'
filters:
  - title: known
    reason: a test
    detection:
      known:
        Image|endswith: '\whoami.exe'
      condition: known
END
"$forebear" scan --format=jsonl --filter "$work/filter.yml" "$samples" >"$work/kept.jsonl" 2>"$work/said"
check "--filter takes hits away" sh -c '! grep -i "whoami.exe\"" "$1" && grep -q "taken away by the filter" "$2"' - "$work/kept.jsonl" "$work/said"
echo 'not a rule' >"$work/bad.yml"

# --- statuses
status_is 0 "hits are no failure" "$forebear" scan -q "$samples"
status_is 10 "--fail-on" "$forebear" scan -q --fail-on high "$samples"
status_is 0 "--fail-on a level that no hit has" "$forebear" scan -q --fail-on critical "$samples"
status_is 2 "no evidence is wrong usage" "$forebear" scan
for bad in --format=xml --event-id=1 --reader=libevtx --after=now; do
    status_is 2 "$bad is wrong usage" "$forebear" scan $bad "$samples"
done
status_is 2 "a filter that cannot be understood" "$forebear" scan --filter "$work/bad.yml" "$samples"
status_is 3 "no Sysmon record at all" "$forebear" scan "$samples/WKS-01-System.evtx"
said "is told" 'NO_SYSMON_LOG'
status_is 3 "a folder without a log" "$forebear" scan "$top/doc"
cp "$sysmon" "$work/damaged.evtx"
printf 'x' | dd of="$work/damaged.evtx" bs=1 seek=70300 conv=notrunc 2>/dev/null
status_is 3 "a wrong checksum" "$forebear" scan "$work/damaged.evtx"
said "is told with its place" 'CHUNK_DATA_CHECKSUM'
status_is 4 "a full disk" sh -c '"$1" scan "$2" >/dev/full' - "$forebear" "$samples"
status_is 0 "a closed pipe ends it quietly" bash -c '
    set -o pipefail
    "$1" scan -q "$2" | head -n 1 >/dev/null; test "${PIPESTATUS[0]}" = 0' - "$forebear" "$samples"
check "--help says what it is not" sh -c '"$1" scan --help | grep -q "What may be cited is a report"' - "$forebear"

# --- the same hits as a report
if command -v python3 >/dev/null 2>&1; then
    mkdir "$work/scenarios" "$work/compare"
    for scenario in "$top"/tests/scenarios/*.scenario; do
        mkdir "$work/scenarios/$(basename "$scenario" .scenario)"
        "$build/tests/make_evtx" "$scenario" "$work/scenarios/$(basename "$scenario" .scenario)"
    done
    PYTHONDONTWRITEBYTECODE=1 python3 "$top/tests/scan.py" "$forebear" "$work/compare" "$samples" \
        "$work/scenarios" "$SHARED_DATA" >"$work/compared" || echo "not ok 1 - scan.py ended early" >>"$work/compared"
    while IFS= read -r line; do
        case $line in
        ok* | 'not ok'*)
            tap_count=$((tap_count + 1))
            echo "$line" | sed "s/ok [0-9]*/ok $tap_count/"
            ;;
        *) echo "$line" ;;
        esac
    done <"$work/compared"
else
    skip "the same hits as a report" "python3 is not installed"
fi
finish
