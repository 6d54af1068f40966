#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the built program says, read as an examiner and an opposing expert would read it: the
# sentences of the summary, the report, run.log and the manifest on logs made from scenarios.
. "${srcdir:-.}/tests/tap.sh"
make_evtx=$build/tests/make_evtx
cd "$work" || exit 1

# report NAME SCENARIO [OPTION]...: the report in $work/NAME; what it said in NAME.said
report() {
    name=$1 scenario=$2
    shift 2
    mkdir -p "logs-$name"
    "$make_evtx" "$top/tests/scenarios/$scenario.scenario" "logs-$name" >/dev/null
    "$forebear" report "$@" -o "$name" "logs-$name" >"$name.said" 2>"$name.stderr"
}
# has NAME FILE PATTERN, lacks NAME FILE PATTERN: a line like that, or none
has() { check "$1" grep -qE -- "$3" "$2"; }
lacks() { check "$1" sh -c '! grep -qE -- "$2" "$1"' - "$2" "$3"; }

# --- a creator's own access to the process that it has just started is no sign of anything
report injection 11-injection
has "a neutral access is not counted as of interest" injection.said \
    '1 event 8 .*, 1 event 10 .* and 1 event 25 .* of interest;'
has "it is named as neutral" injection.said '1 more is listed as neutral'
has "and stands in the list" injection/report.html 'event 10, neutral'
report ghost 03-ghost-inside-the-log
has "no event is a statement about a log and a time" ghost/report.html \
    'No event 8 .* between 2026-[^ ]* and 2026-.*; whether it was collected: not determined'

has "none of them is not the same as none listed" ghost.said 'no event 8 .* or 25 .* of interest'

has "where no event 4 tells Sysmon's version, it is said" ghost/report.html "Sysmon's version is not recorded in this log"

# --- a parent that the record does not name
report null 06-null-parent
has "a null parent is a row of its own that the child leads to" null/processes.csv \
    ',logged,PC-17.corp.example/pid 628/parent in record 2,\{00000001-B900-6955-0101-000000000700\},C,'
has "which is there, and no part of a tree" null/processes.csv \
    '^PC-17.corp.example/pid 628/parent in record 2,PC-17.corp.example,,628,.*,unknown,,,,,0,'
lacks "nobody is made a parent by the timeline" injection/timeline.csv 'recorded unknown'
has "it says that the record names none" injection/timeline.csv \
    'Sysmon recorded no name, but pid 0, for the parent of explorer.exe \(10\)'

# --- units that are not UTF-16: the only place that has their bytes is problems.csv
report hostile 16-hostile-text
has "a lone surrogate's bytes are told" hostile/problems.csv \
    'VALUE_NOT_UTF16.*unit 8 \(bytes 00 D8\), unit 11 \(bytes FF DF\)'
if "$forebear" report --help | grep -q 'native'; then
    report hostile-native 16-hostile-text --reader=native
    has "by the other reader too" hostile-native/problems.csv \
        'VALUE_NOT_UTF16.*\(CommandLine\).*unit 8 \(bytes 00 D8\), unit 11 \(bytes FF DF\)'
fi

has "the summary does not claim that all is as recorded" hostile.said 'not given as recorded: . x VALUE_NOT_UTF16'

# --- was Sysmon there to record?
report sensor 19-sensor
has "a stop and a start are told" sensor/problems.csv 'SENSOR_STATE,info,.*became Stopped at 2026-01-01T00:00:00'
has "a change of configuration, with who did it" sensor/problems.csv \
    'SENSOR_STATE,notice,.*SHA256=00, by the account with the SID S-1-5-21-1-2-3-500'
has "dropped events" sensor/problems.csv 'EVENTS_DROPPED,warning,.*counted 1 event that its driver dropped: ProcessCreate 1'
has "events that were logged late, without those that always are" sensor/problems.csv \
    'TIME_SKEW,notice,.*1 event in a row of .* other .* was logged .* UtcTime is 120 s;'
has "an event that this Sysmon does not have was off" sensor/report.html 'No event 25 .*: off \(.* schema 4.40'
has "none of it is damage" sensor.said 'Everything that was found could be read'

# --- the user's filter
cat >known.yml <<'END'
filters:
  - title: Our scripts
    reason: ticket 17
    rules: [sigma]
    detection:
      known:
        ImageName: whoami.exe
      condition: known
END
report filtered 01-chain --filter known.yml
sum=$(sha256sum known.yml | cut -c 1-64)
has "the manifest has the filter's hash" filtered/manifest.json "\"sha256\": \"$sum\""
has "what each filter took" filtered/manifest.json '"taken": 1'
has "its reason" filtered/manifest.json '"reason": "ticket 17"'
has "the report has the hash too" filtered/report.html "$sum"
has "and what was taken" filtered/report.html 'Our scripts</b>: took away 1'

# --- rules of the user's own shells
printf 'extends: windows_shells_v4\ndescription: ours\nvalues:\n  - ksh.exe\n' >shells.yml
report shells 01-chain --shells shells.yml
has "a card says which list was made longer" shells/report.html 'Made longer by the user.*ksh.exe'
has "a card has the fields that a rule needs" shells/report.html \
    'Fields it needs</dt><dd>ParentProcessName, ActingProcessName'
has "an option that was given is in the manifest" shells/manifest.json '"shells_file": "shells.yml"'
has "and one that was left at its default" shells/manifest.json '"find": "path"'
has "the file is in the manifest" shells/manifest.json "\"$(sha256sum shells.yml | cut -c 1-64)\""

# --- bad input: the place, on the terminal, in run.log and in problems.csv; the rest is read
mkdir bad
: >bad/empty.evtx
head -c 70000 /dev/zero >bad/zeros.evtx
echo "no log" >bad/text.evtx
cp "$(ls "$top"/samples/*.evtx | head -n 1)" bad/good.evtx
status_is 3 "bad files beside a good one" "$forebear" report -o bad-report bad
cp "$work/.out" bad.said
for line in 'empty.evtx: offset 0: LOG_EMPTY_FILE: the file is empty' 'zeros.evtx: offset 0: LOG_NOT_EVTX: it starts with zeros' \
    'text.evtx: offset 0: LOG_NOT_EVTX: its 7 bytes do not start with ElfFile'; do
    has "terminal: $line" bad.said "^forebear: error: bad: $line"
    has "run.log: $line" bad-report/run.log "Z error: bad: $line"
done
has "the good one was read" bad-report/run.log 'read bad: good.evtx: [1-9][0-9]* records'
has "its hash is in run.log" bad-report/run.log \
    "hashed bad: good.evtx: .*SHA-256 $(sha256sum bad/good.evtx | cut -c 1-64)"
head -c 100000 "$top/samples/forebear-sample.E01" >cut.E01
status_is 3 "an E01 image that is cut" "$forebear" report -q -o cut-report cut.E01
said "is known to be cut, with the place" 'cut.E01: offset [0-9]+: IMAGE_TRUNCATED'
lacks "and is not taken for something else" cut-report/problems.csv 'name it .evtx'
mkdir twice
cp bad/good.evtx twice/a.evtx
cp bad/good.evtx twice/b.evtx
mkfifo twice/pipe.evtx
status_is 3 "a log that is there twice, and a pipe that is named as one" "$forebear" report -q -o twice-report twice
said "a process creation is counted once" ' 72 process creations \(in 144 records; a repeated one counts once\)'
said "the pipe is named, not opened" 'twice: pipe.evtx: EVIDENCE_UNREADABLE: named as an event log'
has "run.log has each file that was written" bad-report/run.log \
    "action: wrote findings.csv: [0-9]+ bytes, SHA-256 $(sha256sum bad-report/findings.csv | cut -c 1-64)"
mkdir many
i=0
while [ $i -lt 30 ]; do
    : >many/$i.evtx
    i=$((i + 1))
done
"$forebear" report -o many-report many >many.said 2>&1
check "a flood of problems does not flood the terminal" \
    sh -c 'test "$(grep -c "^forebear: error" many.said)" = 20 && grep -q "more problems" many.said'
check "run.log has all of them" sh -c 'test "$(grep -c LOG_EMPTY_FILE many-report/run.log)" = 30'
status_is 4 "a summary that cannot be written is a failure" sh -c '"$1" report -q -o "$2" "$3" >/dev/full' - \
    "$forebear" full-report bad
said "that says so" 'cannot write the summary'
check "of a report that is whole" sh -c 'cd full-report && sha256sum -c --quiet SHA256SUMS'

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
    chmod 755 "$work"
    mkdir open closed
    chmod 777 open
    cp bad/good.evtx closed
    mkdir closed/inner
    chmod 000 closed/inner
    chmod 755 closed
else
    as_nobody() { "$@"; }
    mkdir -p open closed/inner
    cp bad/good.evtx closed
    chmod 000 closed/inner
fi
if as_nobody test -x "$forebear" && as_nobody test -r closed/good.evtx; then
    status_is 3 "a folder without permission" as_nobody "$forebear" report -q -o open/report closed
    said "is named with the cause" 'closed: inner: .*Permission denied'
    has "and the rest is read" open/report/run.log 'read closed: good.evtx: [1-9][0-9]* records'
    chmod 555 open
    status_is 4 "an output folder that cannot be written" as_nobody "$forebear" report -q -o open/second closed
    said "is named with the cause" 'open/second: .*Permission denied'
else
    skip "a folder without permission" "the program cannot be run by another user here"
fi
chmod 755 closed/inner

# --- reading leaves no trace in the evidence, not even when it was read
mkdir traces
cp "$top"/samples/*.evtx traces
mkdir traces/split
ewfexport -q -u -f raw -t traces/disk "$top/samples/forebear-sample.E01" >/dev/null 2>&1
mv traces/disk.raw traces/disk 2>/dev/null
split -b 3M -d -a 3 --numeric-suffixes=1 traces/disk traces/split/disk.
mkdir images
cp "$top/samples/forebear-sample.E01" images/image.E01
for form in vmdk vpc vhdx; do
    qemu-img convert -f raw -O $form traces/disk images/image.$form >/dev/null 2>&1
done
rm -f traces/disk traces/disk.*
sha256sum images/* traces/*.evtx traces/split/* >sums
state_of() {
    stat -c '%n %s %x %y %z' traces traces/split traces/WKS-01-Sysmon.evtx traces/split/disk.001 traces/split/disk.002 images/*
}
find traces images -depth -exec touch -d 2020-01-01T00:00:00Z {} +
state_of >before
status_is 0 "evidence of every kind" "$forebear" report -q --rehash --verify-image -o traces-report traces \
    traces/split/disk.001 images/*
state_of >after
if [ "$(id -u)" = 0 ] || [ -O traces ]; then
    same "size, atime, mtime and ctime of the evidence stay" before after
else
    skip "size, atime, mtime and ctime of the evidence stay" "O_NOATIME is not allowed here"
fi
check "and its bytes" sha256sum -c --quiet sums
check "an image's own hash was recomputed" grep -q 'stored hash recomputed: equal' traces-report/run.log
has "the report says so" traces-report/report.html 'recomputed, equal'

# --- progress is for a terminal
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    script -qec "'$forebear' report --verify-image -o tty-report '$top/samples/forebear-sample.E01'" /dev/null \
        >tty.said 2>&1 </dev/null
    check "a run on a terminal ends well" test -s tty-report/report.html
else
    skip "a run on a terminal ends well" "there is no pseudo-terminal"
fi
lacks "no progress where there is no terminal" injection.stderr 'left|%'

# What the first screen counts is what the lines under it count.
"$forebear" report -q -o "$work/counted" "$top/samples/forebear-sample.E01" >"$work/.out"
python3 - "$work/counted/report.html" >"$work/.out" 2>&1 <<'END'
import re, sys
page = open(sys.argv[1], encoding="utf-8").read()
strengths = ("strong", "medium", "weak", "neutral")
whole, *lines = re.findall(r"(?:\d+ (?:strong|medium|weak|neutral)(?:, )?)+", page.split('id="findings"')[0])
count = lambda text: [sum(int(n) for n, w in re.findall(r"(\d+) (\w+)", text) if w == s) for s in strengths]
total = [sum(c) for c in zip(*map(count, lines))]
print(whole, lines)
sys.exit(not lines or count(whole) != total)
END
tap_result $? "the first screen's counts are the sums of its lines"
# What is left out was found all the same.
"$forebear" report -q -o "$work/outside" --computer=NOBODY "$top/samples" >"$work/.out"
! grep -q 'No process creation that was examined matches' "$work/.out" && grep -qE '[0-9]+ findings lie outside it' "$work/.out"
tap_result $? "findings that are not told are not denied"
! grep -q 'No process creation that was examined matches' "$work/outside/report.html"
tap_result $? "nor does the page deny them"
mkfifo "$work/fifo"
"$forebear" report -q -o "$work/fifo-report" --filter="$work/fifo" "$top/samples" >"$work/.out" 2>&1
[ $? = 2 ] && grep -q 'is no file' "$work/.out"
tap_result $? "a pipe as a filter is refused"
# --- one is not many: "1 logs", "2 record(s)", in all that any command says of small evidence
mkdir grammar
for log in "$top"/samples/*.evtx; do
    "$forebear" report --force --format=csv,html,xlsx --timeline=all -o grammar/report "$log" >>grammar/said 2>&1
    cat grammar/report/*.csv grammar/report/run.log grammar/report/report.html >>grammar/said
    for words in scan 'records --format=csv' 'records --recovered'; do
        "$forebear" $words "$log" 2>>grammar/said >/dev/null
    done
done
cat >grammar/one.scenario <<'END'
t0 2026-01-01T00:00:00Z
host PC-17.corp.example machine 0x00000001 user CORP\anna
log Sysmon.evtx
known msra pid 30 at +1s image C:\Windows\System32\msra.exe parent -
process whoami pid 40 at +20s image C:\Windows\System32\whoami.exe parent msra
END
mkdir grammar/logs
"$make_evtx" grammar/one.scenario grammar/logs >/dev/null
"$forebear" report --force -o grammar/report grammar/logs >>grammar/said 2>&1
cat grammar/report/*.csv grammar/report/report.html >>grammar/said
printf x >grammar/one.evtx
"$forebear" report --force -o grammar/report grammar/one.evtx >>grammar/said 2>&1
cat grammar/report/*.csv >>grammar/said
one_is_not_many() {
    ! grep -aoE "(^|[^0-9.,:+/-])1 ([a-z]+ )?(byte|chunk|creation|event|file|finding|gap|hit|host|id|interval|log|number|problem|record|row|rule|second|text|time|value)s\\b[^-].{0,40}|.{40}[a-z]\\((s|es|ies)\\)" "$1"
}
check "there is a lot to look at" test "$(wc -l <grammar/said)" -gt 1000
check "one is not many" one_is_not_many grammar/said

finish
