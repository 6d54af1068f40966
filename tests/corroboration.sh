#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What speaks for a finding, as a user meets it: the tables, the page and the summary of a
# story in which a process that is no ancestor threads into msra.exe.
. "${srcdir:-.}/tests/tap.sh"
make_evtx=$build/tests/make_evtx
cd "$work" || exit 1

has() { check "$1" grep -qE -- "$3" "$2"; }
lacks() { check "$1" sh -c '! grep -qE -- "$2" "$1"' - "$2" "$3"; }

mkdir logs
"$make_evtx" "$top/tests/scenarios/20-source-followed.scenario" logs >/dev/null
status_is 0 "the report is written" "$forebear" report -q -o report logs
"$forebear" report -o report logs --force >said 2>stderr

has "a finding has its codes, strongest first" report/findings.csv \
    ',MSRA_REMOTE_THREAD MSRA_ACCESS MSRA_CHILD_TOOL,'
has "each is a row with its record, decoded twice" report/corroboration.csv \
    ',30,.*msra.exe,true,MSRA_REMOTE_THREAD,strong,assessed,.*source.exe,8,2026-01-01T00:00:21.*,live,yes,[0-9a-f]{64}'
lacks "who has no right to write is not there" report/corroboration.csv 'looks.exe'

has "the events of the source are in the timeline" report/timeline.csv '203\.0\.113\.9.*,possible source of code,'
has "and those of what is above it" report/timeline.csv '203\.0\.113\.8.*,ancestor of a possible source,'
lacks "but not those of who only looked" report/timeline.csv '203\.0\.113\.7'
has "run.log says why the logs are read once more" report/run.log 'once more for 2 processes that acted'
check "no event is there twice" sh -c '[ "$(sort report/timeline.csv | uniq -d | wc -l)" = 0 ]'
has "processes.csv names what it is to the finding" report/processes.csv 'source.exe.*,possible source of code'
has "the page draws it as no parent" report/report.html 'Not the recorded parent, but recorded as acting'
has "with its own ancestors" report/report.html 'explorer.exe \(10\) &gt; above.exe \(20\) &gt; .*source.exe \(21\)'

has "an msra.exe without a finding is looked at" report/corroboration.csv ',31,.*msra.exe,false,MSRA_TAMPER,medium,'
has "and spoken of" said "1 process that is msra.exe .* is no finding's host process; records of interest are there on 1 of them"
has "none recorded is one answer" report/corroboration.csv \
    ',31,.*,NONE_RECORDED,,recorded,.*No event 8 .* of interest .*: on, at least in part \(1 event '
has "not in the log is another" report/corroboration.csv \
    ',31,.*,NOT_IN_LOG,,recorded,.*No event 7 .*, of any process, .*: not determined \(Sysmon.s configuration was changed there 1 time'
has "and a Sysmon that had no such event a third" report/corroboration.csv \
    ',31,.*,NOT_COLLECTED,,recorded,.*No event 29 .*: off \(the newest event 4 names schema 4.60'
lacks "which does not hold of an event that it had" report/corroboration.csv 'NOT_COLLECTED.*No event 26'

# --- one log that holds several hosts: what is collected is asked of each alone
mkdir several
cat >several.scenario <<'END'
t0 2026-01-01T00:00:00Z
log ForwardedEvents.evtx
host A.corp.example machine 0x1 user CORP\anna
event 4 at +0s State=Started Version=15.0 SchemaVersion=4.90
process ra pid 9 at +0s image C:\Windows\System32\regsvr32.exe parent -
process a pid 10 at +1s image C:\Windows\System32\msra.exe parent ra
process b pid 11 at +10s image C:\Windows\System32\whoami.exe parent a
host B.corp.example machine 0x2 user CORP\bob
event 4 at +2h State=Started Version=10.0 SchemaVersion=4.20
event 16 at +2h Configuration=c ConfigurationFileHash=SHA1=1
process x pid 10 at +2h image C:\Windows\explorer.exe parent -
process y pid 11 at +2h image C:\Windows\System32\cmd.exe parent x
event 8 source x target y at +2h NewThreadId=4 StartAddress=0x1
END
"$make_evtx" several.scenario several >/dev/null
"$forebear" report -q -o several.report several >/dev/null 2>&1
has "another host's event 8 says nothing" several.report/corroboration.csv \
    ',10,.*,NOT_IN_LOG,,recorded,.*No event 8 .*between 2026-01-01T00:00:00.0000000Z and 2026-01-01T00:00:10.0000000Z; .*: not determined\.'
lacks "nor its older schema" several.report/corroboration.csv NOT_COLLECTED

# --- a host whose records stand in several logs
mkdir parts
cat >parts.scenario <<'END'
t0 2026-01-01T00:00:00Z
log Microsoft-Windows-Sysmon%4Operational.evtx
host A.corp.example machine 0x1 user CORP\anna
event 4 at +0s State=Started Version=15.0 SchemaVersion=4.90
process ra pid 9 at +0s image C:\Windows\System32\regsvr32.exe parent -
process a pid 10 at +1s image C:\Windows\System32\msra.exe parent ra
process b pid 11 at +10s image C:\Windows\System32\whoami.exe parent a
log Archive-Sysmon.evtx
host A.corp.example
event 3 at +20s process ra Initiated=true DestinationIp=192.0.2.7 DestinationPort=443
END
"$make_evtx" parts.scenario parts >/dev/null
"$forebear" report -q -o parts.report parts >/dev/null 2>&1
has "the other log is counted" parts.report/corroboration.csv \
    'No event 8 .*\.evtx and 1 more log of this computer between 2026-01-01T00:00:00\.0000000Z and 2026-01-01T00:00:20\.0000000Z'
sed -e 's/<[^>]*>//g' parts.report/report.html | grep -oE 'No events? [0-9]+' >parts.silences
check "what is collected comes before what may not have been" sh -c \
    'sed -n "/No event 3\$/,\$p" parts.silences | grep -q "No events"'

"$forebear" report -q -j 3 -o three logs >/dev/null 2>&1
same "three workers say the same" report/corroboration.csv three/corroboration.csv
same "in the timeline too" report/timeline.csv three/timeline.csv

# --- a lab's own table, and a folder of rules without one
mkdir own none
cp "$top"/rules/*.yml own
cp "$top"/rules/sigma*.yml none
sed -e '/code: MSRA_REMOTE_THREAD/,/strength:/s/strength: strong/strength: weak/' \
    "$top/rules/corroboration.yml" >own/corroboration.yml
"$forebear" report -q -o own-report --rules own logs >/dev/null 2>&1
has "a lab's own strength holds" own-report/corroboration.csv 'MSRA_REMOTE_THREAD,weak,'
"$forebear" report -q -o none-report --rules none logs >/dev/null 2>&1
has "rules without a table get the built-in one" none-report/corroboration.csv 'MSRA_REMOTE_THREAD,strong,'
has "which the manifest lists" none-report/manifest.json '"rules/corroboration.yml"'
bad() {
    printf '%s\n' "$2" >own/corroboration.yml
    status_is 2 "$1: nothing is written" "$forebear" report -q -o bad --rules own logs
    check "$1: it is said where" sh -c '"$1" report -q -o bad --rules own logs 2>&1 | grep -q "$2"' - "$forebear" "$3"
}
hosts='corroboration: x
hosts: {a: {ImageName: msra.exe}, condition: a}'
bad "an unknown key" "$hosts
indicators: [{code: A, strength: weak, assessed: x., colour: red}]" "line 3: unknown key 'colour'"
bad "an unknown strength" "$hosts
indicators: [{code: A, strength: huge, assessed: x.}]" "line 3: 'strength' does not know 'huge'"
bad "an unknown event" "$hosts
indicators: [{code: A, strength: weak, assessed: x., events: [99]}]" "'99' is no id of a Sysmon event"
bad "a field that no event has" "$hosts
indicators: [{code: A, strength: weak, assessed: x., events: [3], recorded: x, detection: {a: {Nonsense: b}, condition: a}}]" \
    "the field 'Nonsense' is not known"
bad "no detection" "$hosts
indicators: [{code: A, strength: weak, assessed: x., events: [3], recorded: x}]" 'wants detection and recorded'
found='detection: {a: {DestinationIp: b}, condition: a}'
bad "a burst of nothing" "$hosts
indicators: [{code: A, strength: weak, assessed: x., events: [3], recorded: x, $found, burst: {field: DestinationIp, window_minutes: 5, distinct: 0}}]" \
    'a burst of no distinct values'
bad "a sentence that is a list" "$hosts
indicators: [{code: A, strength: weak, assessed: x., events: [3], recorded: [x, y], $found}]" "'recorded' wants a text"
cp "$top/rules/corroboration.yml" own/corroboration.yml
cp own/corroboration.yml own/second.yml
status_is 2 "two tables are refused" "$forebear" report -q -o bad --rules own logs

finish
