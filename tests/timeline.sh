#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The timeline as somebody reads it: a sentence for each event id, what --timeline and
# --window add and why, and that each one loads into Timesketch as it is.
. "${srcdir:-.}/tests/tap.sh"
make_evtx=$build/tests/make_evtx
cd "$work" || exit 1
SOURCE_DATE_EPOCH=1767225600
export SOURCE_DATE_EPOCH

log() { # NAME SCENARIO: the logs of a scenario in a folder
    mkdir -p "$1"
    "$make_evtx" "$top/tests/scenarios/$2.scenario" "$1" >/dev/null
}
report() { # NAME EVIDENCE [OPTION]...
    report_name=$1 evidence=$2
    shift 2
    "$forebear" report -q "$@" -o "$report_name" "$evidence" >"$report_name.said" 2>"$report_name.stderr"
}
rows() { python3 "$top/tests/timeline_rows.py" "$@"; }
# has NAME FILE LINE: that very line; count_is NAME N FILE PATTERN
has() { check "$1" grep -qxF -- "$3" "$2"; }
count_is() { check "$1" test "$(grep -cE -- "$4" "$3")" = "$2"; }
loads() { check "$1 loads into Timesketch" python3 "$top/tests/timesketch.py" "$1/timeline.csv"; }

# --- a sentence for each event id, with the values that matter
log every 20-every-event
report all every --timeline=all --window=1m
rows all/timeline.csv event_id timestamp_desc message >all.said
same "each event id has its sentence" "$top/tests/every_event.txt" all.said
check "there are all of 1 to 29 and 255" test "$(cut -d'|' -f1 all.said | sort -un | wc -l)" = 30
count_is "no field that the event has is called not recorded" 0 all.said 'not recorded\)|unknown'
loads all

# --- why a row is there
rows all/timeline.csv why event_id computer datetime >all.why
count_is "rows of the family" 30 all.why '^family'
count_is "what else its host recorded around the creation that matched" 7 all.why '^window\|(4|16|6|19|20|21|255)\|PC-20'
count_is "what its host recorded beyond that" 1 all.why '^host\|1\|PC-20'
count_is "what another host recorded, though at the same time" 2 all.why '^all\|1\|PC-21'
check "and no other" test "$(wc -l <all.why)" = 40

report hosts every --timeline=hosts
rows hosts/timeline.csv why computer >hosts.why
count_is "--timeline=hosts has every event of a host with a finding" 38 hosts.why 'PC-20'
check "and none of another" test "$(wc -l <hosts.why)" = 38
loads hosts
report families every
rows families/timeline.csv why >families.why
check "without an option there are the families alone" test "$(sort -u families.why)" = family
count_is "with as many rows as before" 30 families.why family
loads families
report window every --window 3s
rows window/timeline.csv why event_id >window.why
count_is "a window ends where it says" 1 window.why '^window'
has "with what lies on its end" window.why 'window|6'
loads window

# --- the same event from several logs is one row; the order never changes
mkdir twice
cp every/*.evtx twice/a.evtx
cp every/*.evtx twice/b.evtx
report twice-1 twice --timeline=all --window=1m -j 1
report twice-4 twice --timeline=all --window=1m -j 4
check "an event that two logs hold has one row" test "$(rows twice-1/timeline.csv why | wc -l)" = 40
check "and it is said how often" grep -q 'RID_DUP.*10 records of the wider timeline' twice-1/problems.csv
same "whatever --jobs" twice-1/timeline.csv twice-4/timeline.csv
check "the manifest counts the rows" grep -q '"timeline_events_beyond": 10' twice-1/manifest.json
check "nothing else is left in the folder" test -z "$(find twice-1 -name '.*' -type f)"
report by-libevtx every --timeline=all --window=1m --reader=libevtx
same "both readers give the same timeline" all/timeline.csv by-libevtx/timeline.csv

# --- a filter holds for the wider rows too
report told every --timeline=all --event-id 6,19
rows told/timeline.csv event_id >told.ids
check "a filter takes from all rows" test "$(sort -u told.ids | tr '\n' ' ')" = "19 6 "
check "and what it leaves out is counted" grep -q '"timeline_events_left_out": 30,' told/manifest.json
check "what is beyond the families apart" grep -q '"timeline_events_beyond_left_out": 8$' told/manifest.json

# --- nothing found: still a timeline, where it is asked for
printf 'filters:\n  - title: all\n    reason: r\n    detection:\n      x:\n        Computer|contains: PC\n      condition: x\n' >none.yml
report nothing every --timeline=all --filter none.yml --computer PC-21.corp.example
check "all events are there where nothing was found" test "$(rows nothing/timeline.csv why | sort | uniq -c | tr -s ' ')" = " 2 all"
report nothing-hosts every --timeline=hosts --filter none.yml --computer PC-21.corp.example
check "and no host where none has a finding" test "$(wc -l <nothing-hosts/timeline.csv)" = 1

# --- every scenario, and real logs where there are some
for scenario in "$top"/tests/scenarios/*.scenario; do
    name=$(basename "$scenario" .scenario)
    log "log-$name" "$name"
    report "s-$name" "log-$name" --timeline=all --window=30s --verify=none
    loads "s-$name"
    rm -r "log-$name"
done
real=$(find "$SHARED_DATA"/evtx -name '*.evtx' 2>/dev/null | head -n 1)
if [ -n "$real" ]; then
    report real "$SHARED_DATA/evtx" --timeline=all --window=10m --verify=none
    loads real
else
    skip "real logs load into Timesketch" "no shared data"
fi

# --- the rules are rules: what breaks one is not taken
timesketch_refuses() { # NAME SED-EXPRESSION
    sed "$2" families/timeline.csv >broken.csv
    status_is 1 "the check knows $1" python3 "$top/tests/timesketch.py" broken.csv
}
timesketch_refuses "another header" '1s/message/Message/'
timesketch_refuses "a byte order mark" '1s/^/\xef\xbb\xbf/'
timesketch_refuses "an absent time" '3s/^[^,]*//'
timesketch_refuses "a time of another form" '3s/\.[0-9]*+/+/'
timesketch_refuses "a time that pandas cannot hold" '3s/^..../1601/'
timesketch_refuses "rows out of order" '3s/^..../2100/'

# --- wrong usage
for bad in --timeline=some --window=10 --window=0s --window=m --window=367d --window=99999999999999999999s; do
    status_is 2 "$bad is refused" "$forebear" report -o no "$bad" every
done
status_is 2 "no timeline in --findings-only" "$forebear" report -o no --findings-only --timeline=all every
status_is 2 "nor one that is verified" "$forebear" report -o no --findings-only --verify=timeline every
check "and nothing was written" test ! -e no

finish
