#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# forebear records and forebear show: the three formats against golden files, JSON and XML
# as other programs read them, counts, order, filters, a closed pipe, bytes in an image.
# UPDATE_GOLDEN=1 writes the golden files anew.
. "${srcdir:-.}/tests/tap.sh"
golden=$top/tests/golden/records
samples=$top/samples
log=$samples/WKS-01-System.evtx
sysmon=$samples/WKS-01-Sysmon.evtx

golden() { # NAME FILE
    if [ -n "${UPDATE_GOLDEN-}" ]; then
        mkdir -p "$golden"
        cp "$work/$2" "$golden/$2"
    fi
    same "$1" "$golden/$2" "$work/$2"
}

# --- the formats
"$forebear" records -q "$log" >"$work/system.jsonl"
"$forebear" records -q --format=xml "$log" >"$work/system.xml"
(cd "$samples" && "$forebear" records -q --provenance WKS-01-System.evtx) >"$work/provenance.jsonl"
(cd "$samples" && "$forebear" records -q --provenance --format=xml WKS-01-System.evtx) >"$work/provenance.xml"
"$forebear" records -q --event-id 1,8 --format=csv "$sysmon" | head -n 6 >"$work/sysmon.csv"
"$forebear" records -q "$sysmon" | head -n 8 >"$work/sysmon.jsonl"
for file in system.jsonl system.xml provenance.jsonl provenance.xml sysmon.csv sysmon.jsonl; do
    golden "$file is as it should be" $file
done
check "--reader=libevtx gives the same CSV" sh -c '
    "$1" records -q --format=csv "$2" >"$3/native.csv" &&
    "$1" records -q --format=csv --reader=libevtx "$2" >"$3/libevtx.csv" &&
    cmp "$3/native.csv" "$3/libevtx.csv"' - "$forebear" "$sysmon" "$work"
status_is 2 "--reader=libevtx has no whole events" "$forebear" records --reader=libevtx "$log"
status_is 2 "records without evidence is wrong usage" "$forebear" records
for bad in --format=yaml --after=now --before=12 --event-id=x --event-id=5-1 --event-id=70000 \
    --event-id= --channel= --computer=a,; do
    status_is 2 "$bad is wrong usage" "$forebear" records $bad "$log"
done
status_is 3 "a folder without a log is told" "$forebear" records "$top/doc"

# --- order and counts
for jobs in 1 2 7; do
    "$forebear" records -q -j $jobs "$samples" >"$work/all.$jobs"
done
same "two jobs give the same bytes as one" "$work/all.1" "$work/all.2"
same "seven jobs give the same bytes as one" "$work/all.1" "$work/all.7"
"$forebear" records -q --format=xml -j 7 "$samples" >"$work/all.xml"
"$forebear" records -q --recovered "$samples" >"$work/recovered"
same "where all records are live, --recovered adds none" "$work/all.1" "$work/recovered"

# --- a closed pipe
status_is 0 "a closed pipe ends it quietly" bash -c '
    set -o pipefail
    "$1" records "$2" | head -n 1 >/dev/null; test "${PIPESTATUS[0]}" = 0' - "$forebear" "$samples"
check "and without a word" sh -c '! "$1" records "$2" 2>&1 >/dev/null | grep .' - "$forebear" "$sysmon"
status_is 4 "a full disk does not" sh -c '"$1" records "$2" >/dev/full' - "$forebear" "$samples"

# --- filters
count() { # NAME WANTED OPTION...
    name=$1 wanted=$2
    shift 2
    "$forebear" records -q "$@" "$samples" | wc -l | tr -d ' ' >"$work/.count"
    check "$name" test "$(cat "$work/.count")" = "$wanted"
}
all=$(wc -l <"$work/all.1")
of_id() { grep -cE "\"EventID\":($1)," "$work/all.1"; }
count "--event-id takes a list and ranges" "$(of_id '1|3|11|12|13')" --event-id 1,3 --event-id 11-13
count "--computer is compared without case" "$(grep -c '"Computer":"WKS-01.corp.example"' "$work/all.1")" \
    --computer wks-01.CORP.example
count "--computer twice takes either" "$(grep -cE '"Computer":"WKS-0[12].corp.example"' "$work/all.1")" \
    --computer wks-01.corp.example --computer WKS-02.corp.example
count "--channel takes one channel" "$(grep -c '"Channel":"System"' "$work/all.1")" --channel system
time=2026-01-12T08:00:06.0140000
exactly=$(grep -c "\"SystemTime\":\"${time}Z\"" "$work/all.1")
check "a record has the time that is asked for" test "$exactly" -gt 0
before=$("$forebear" records -q --before $time "$samples" | wc -l)
after=$("$forebear" records -q --after $time "$samples" | wc -l)
check "--after and --before part the records" test $((before + after)) = "$all"
count "--after takes its own moment, with an offset too" "$after" --after 2026-01-12T10:00:06.014+02:00
check "--before does not" sh -c '! "$1" records -q --before "$2" "$3" | grep -F "\"SystemTime\":\"$2"' - \
    "$forebear" $time "$samples"
check "a date alone is its midnight in UTC" test \
    "$("$forebear" records -q --after 2026-01-12 "$samples" | wc -l)" = \
    "$("$forebear" records -q --after 2026-01-12T00:00:00Z "$samples" | wc -l)"

# --- filters of a report: what is told, not what is linked
"$forebear" report -q -o "$work/whole" "$sysmon" >/dev/null
"$forebear" report -q --after 2026-01-12T09:30:00 -o "$work/part" "$sysmon" >"$work/part.txt"
same "a filter leaves processes.csv as it is" "$work/whole/processes.csv" "$work/part/processes.csv"
check "and takes timeline rows away" sh -c 'test "$(wc -l <"$1")" -gt "$(wc -l <"$2")"' - \
    "$work/whole/timeline.csv" "$work/part/timeline.csv"
check "no earlier event is told" sh -c '! tail -n +2 "$1" | cut -c 1-19 | grep -E "T0[0-8]|T09:[0-2]"' - \
    "$work/part/timeline.csv"
check "the terminal says that a part is told" grep -q 'tells a part only' "$work/part.txt"
check "so does the report" grep -q 'tells a part only' "$work/part/report.html"
check "and the manifest" grep -q '"timeline_events_left_out": [1-9]' "$work/part/manifest.json"
"$forebear" report -q --channel System -o "$work/none" "$sysmon" >/dev/null
check "a channel that holds no finding leaves none" test "$(wc -l <"$work/none/findings.csv")" = 1
check "but counts them" grep -q '"findings_left_out": [1-9]' "$work/none/manifest.json"

# --- what others make of it
python=$(command -v python3 || true)
if [ -n "$python" ]; then
    check "what is cited can be found: offset, size and SHA-256" "$python" - "$sysmon" "$forebear" \
        "$work/whole" <<'EOF'
import csv, hashlib, json, subprocess, sys
log, forebear, report = sys.argv[1:]
data = open(log, "rb").read()
lines = subprocess.run([forebear, "records", "-q", "--provenance", log], stdout=subprocess.PIPE).stdout
seen = {}
for line in lines.splitlines():
    record = json.loads(line)
    f = record["Forebear"]
    raw = data[f["offset"]:f["offset"] + f["size"]]
    assert raw[:4] == b"**\0\0" and int.from_bytes(raw[-4:], "little") == len(raw)
    assert hashlib.sha256(raw).hexdigest() == f["record_sha256"], f
    assert f["state"] == "live"
    seen[f["offset"]] = f["record_sha256"]
for name in ("findings", "timeline", "problems"):
    cited = 0
    for row in csv.DictReader(open(f"{report}/{name}.csv", encoding="utf-8", newline="")):
        if row["record_sha256"]:
            assert seen[int(row["offset"])] == row["record_sha256"], row
            cited += 1
        else:
            assert name == "problems", row
    assert cited, name
EOF
    check "each line is JSON of the known shape" "$python" - "$work/all.1" <<'EOF'
import json, sys
n = 0
for line in open(sys.argv[1], encoding="utf-8"):
    event = json.loads(line)["Event"]
    system = event["System"]
    assert event["#attributes"]["xmlns"].endswith("/event")
    assert isinstance(system["EventID"], int) and isinstance(system["EventRecordID"], int)
    assert system["TimeCreated"]["#attributes"]["SystemTime"].endswith("Z")
    assert isinstance(system["Execution"]["#attributes"]["ProcessID"], int)
    n += 1
assert n > 100
EOF
else
    skip "what is cited can be found" "no python3"
    skip "each line is JSON of the known shape" "no python3"
fi
if command -v xmllint >/dev/null; then
    check "XML is well-formed" xmllint --noout "$work/all.xml" "$work/provenance.xml"
else
    skip "XML is well-formed" "no xmllint"
fi

# --- a record of many odd values takes a few rows of problems, not one for each
{
    printf 't0 2026-01-01T00:00:00Z\nlog odd.evtx\nhost PC\nrecord 1 provider X channel Y'
    i=0
    while [ $i -lt 50 ]; do
        printf ' F%d=e"\\u{d800}a"' $i
        i=$((i + 1))
    done
    echo
} >"$work/odd.scenario"
mkdir "$work/odd"
"$build/tests/make_evtx" "$work/odd.scenario" "$work/odd" >/dev/null
status_is 0 "a record of 50 values that are not UTF-16" "$forebear" records "$work/odd"
said "takes five rows" '^forebear: 5 x VALUE_NOT_UTF16'
"$forebear" report -q --format=csv -o "$work/odd-report" "$work/odd" >/dev/null 2>&1
grep VALUE_NOT_UTF16 "$work/odd-report/problems.csv" >"$work/.out"
said "the last of which counts the others" "46 more values of the event's data are so too"
status_is 0 "libevtx gives them, too" "$forebear" records --reader=libevtx --format=csv "$work/odd"
said "in as many rows" '^forebear: 5 x VALUE_NOT_UTF16'
"$forebear" report -q --format=csv --reader=libevtx -o "$work/odd-libevtx" "$work/odd" >/dev/null 2>&1
grep VALUE_NOT_UTF16 "$work/odd-libevtx/problems.csv" >"$work/.out"
said "of which the fourth names its value" 'value 4 of the event.s data has half .*: unit 1 \(bytes 00 D8\)'
said "and the last counts the others" "46 more values of the event's data are so too"

# --- no value is left out of CSV
mkdir "$work/more"
printf '%s\n' 't0 2026-01-01T00:00:00Z' 'log more.evtx' 'host PC' \
    'record 11 provider Microsoft-Windows-Sysmon channel Microsoft-Windows-Sysmon/Operational Image=one Image=two Own=mine Image=three User=u' >"$work/more.scenario"
"$build/tests/make_evtx" "$work/more.scenario" "$work/more" >/dev/null
for reader in native libevtx; do
    "$forebear" records -q --format=csv --reader=$reader "$work/more" >"$work/.out"
    said "$reader: what its column has no room for stands behind" '^11,.*,one,.*,u,.*,Image=two; Own=mine; Image=three.?$'
done

# --- show
record=$(sed -n 's/.*"EventID":1,.*"EventRecordID":\([0-9]*\),.*/\1/p' "$work/all.1" | head -n 1)
status_is 0 "show finds a record by its id" "$forebear" show --record "$record" "$sysmon"
said "both readers agree" '^both readers give the same values'
said "the checksums are judged" 'checksum of its header: right, of its records: right'
offset=$(sed -n 's/^offset *\([0-9]*\) .*/\1/p' "$work/.out")
grep -vE '^evidence' "$work/.out" >"$work/by-id"
"$forebear" show --offset $((offset + 9)) "$sysmon" | grep -vE '^evidence' >"$work/by-offset"
echo "ended with status 0, wanted 0" >>"$work/by-offset"
same "and by a byte of it" "$work/by-id" "$work/by-offset"
status_is 4 "a record that is not there" "$forebear" show --record 999999 "$sysmon"
status_is 4 "several logs need --log" "$forebear" show --record 1 "$samples"
said "which are named" 'WKS-02-Sysmon.evtx'

# Logs of one name in two folders: the end of the name with the evidence picks one.
mkdir -p "$work/A/Logs" "$work/B/Logs"
cp "$sysmon" "$work/A/Logs/S.evtx"
cp "$samples/WKS-02-Sysmon.evtx" "$work/B/Logs/S.evtx"
cp "$sysmon" "$work/B/It's.evtx"
cd "$work" || exit 1
status_is 0 "a name that two logs have shows both" "$forebear" show -q --record 5 --log S.evtx A B
said "and says how many" 'S.evtx: 2 logs have that name'
said "and what picks the one" '^  --log=A/Logs/S.evtx$'
said "and the other" '^  --log=B/Logs/S.evtx$'
check "and no third" sh -c '! grep -q "It.*s" "$1"' - "$work/.out"
status_is 0 "the path alone is as ambiguous" "$forebear" show -q --record 5 --log Logs/S.evtx A B
for picked in A/Logs/S.evtx B/Logs/S.evtx; do
    status_is 0 "$picked picks one" "$forebear" show -q --record 5 --log $picked A B
    said "which is it" "^evidence *${picked%%/*}\$"
    status_is 0 "also where the logs are the evidence" "$forebear" show -q --record 5 --log $picked A/Logs/S.evtx B/Logs/S.evtx
    said "which is it" "^evidence *$picked\$"
done
status_is 0 "the end of a path picks it from a folder on" "$forebear" show -q --record 5 --log "It's.evtx" A B
status_is 4 "but not from within a name" "$forebear" show -q --record 5 --log "t's.evtx" A B
said "where there is none all are named, as a shell takes them" "^  --log='It'\\\\''s.evtx'\$"
cd "$build" || exit 1
if command -v mkfs.fat >/dev/null && command -v mcopy >/dev/null; then
    truncate -s 8M "$work/fat.raw"
    {
        mkfs.fat "$work/fat.raw"
        mmd -i "$work/fat.raw" ::Logs
        mcopy -i "$work/fat.raw" "$log" ::Logs/Makes-Room.evtx
        mcopy -i "$work/fat.raw" "$sysmon" ::Logs/Long-Name-1.evtx
        mdel -i "$work/fat.raw" ::Logs/Long-Name-1.evtx ::Logs/Makes-Room.evtx
        mcopy -i "$work/fat.raw" "$log" ::Logs/Long-Name-1.evtx
    } >/dev/null 2>&1
    status_is 0 "a log and a deleted one of its path" "$forebear" show --record 5 --log Long-Name-1.evtx "$work/fat.raw"
    gone=$(sed -n "s/^  --log='\(.*\)' (deleted file)\$/\1/p" "$work/.out")
    status_is 0 "are parted by their entries" "$forebear" show --record 5 --log "$gone" "$work/fat.raw"
    said "which is it" '^log .*[(]deleted file[)]$'
else
    skip "a log and a deleted one of its path" "no mtools or dosfstools"
fi
echo text >"$work/text.txt"
status_is 4 "evidence that is no log" "$forebear" show --record 1 "$work/text.txt"
said "is told with the reason" 'text.txt: EVIDENCE_UNREADABLE: neither an event log nor an export'
{ head -c 512 "$sysmon" && tail -c +4097 "$sysmon"; } >"$work/short-header.evtx"
status_is 0 "show where the file header is short" "$forebear" show --offset 1100 "$work/short-header.evtx"
said "counts no chunk" '^chunk +not in the place of one, at offset 512; the record at 512 in it; '
mkdir "$work/copy"
cp "$sysmon" "$work/copy"
status_is 0 "show where several logs have one path" "$forebear" show --log WKS-01-Sysmon.evtx --record "$record" "$sysmon" "$work/copy"
said "shows it in one" '^evidence .*/WKS-01-Sysmon.evtx$'
said "and in the other" '^evidence .*/copy$'
status_is 2 "show needs a record" "$forebear" show "$sysmon"
status_is 2 "and only one way to name it" "$forebear" show --record 1 --offset 1 "$sysmon"

# In the image: the bytes at the byte that is told are the record's.
image=$samples/forebear-sample.E01
inside=$("$forebear" records -q --provenance --event-id 1 "$image" |
    sed -n 's/.*"log":"\([^"]*\)","offset":\([0-9]*\),.*/\1 \2/p' | head -n 1)
status_is 0 "show finds a record in an image" "$forebear" show --log "${inside% *}" --offset "${inside##* }" "$image"
said "both readers agree there" '^both readers give the same values'
place=$(sed -n 's/^image *byte \([0-9]*\) .*/\1/p' "$work/.out" | head -n 1)
size=$(sed -n 's/^image .* \([0-9]*\) bytes.*/\1/p' "$work/.out" | head -n 1)
digest=$(sed -n 's/^record_sha256 *//p' "$work/.out")
check "the image's bytes are told" test -n "$place" -a -n "$size" -a -n "$digest"
if command -v ewfexport >/dev/null; then
    ewfexport -q -u -f raw -t "$work/raw" "$image" >/dev/null 2>&1
    tail -c +$((${place:-0} + 1)) "$work/raw.raw" | head -c "${size:-0}" | sha256sum | cut -d ' ' -f 1 >"$work/.digest"
    check "the raw image has the record at that byte" test "$(cat "$work/.digest")" = "$digest"
else
    skip "the raw image has the record at that byte" "no ewfexport"
fi

# --- every shared log
shared=$SHARED_DATA/evtx
if [ -f "$shared/counts.tsv" ] && [ -n "$python" ]; then
    "$forebear" records -q --provenance "$shared" >"$work/live.jsonl" 2>/dev/null
    "$forebear" records -q --provenance --recovered "$shared" >"$work/more.jsonl" 2>/dev/null
    "$forebear" records -q --recovered --format=xml "$shared" >"$work/shared.xml" 2>/dev/null
    check "every shared log gives its live records, as JSON" "$python" - "$shared/counts.tsv" "$work/live.jsonl" <<'EOF'
import csv, json, sys
wanted = {r["file"]: int(r["records_live"]) for r in csv.DictReader(open(sys.argv[1]), delimiter="\t")}
found = dict.fromkeys(wanted, 0)
def pairs(items):
    assert len({k for k, _ in items}) == len(items), items
    return dict(items)
for line in open(sys.argv[2], encoding="utf-8"):
    found[json.loads(line, object_pairs_hook=pairs)["Forebear"]["log"]] += 1
wrong = {f: (found[f], wanted[f]) for f in wanted if found[f] != wanted[f]}
assert not wrong, wrong
EOF
    check "--recovered only adds to them, each with its state" "$python" - "$work/live.jsonl" "$work/more.jsonl" <<'EOF'
import json, sys
live, more = (open(f, encoding="utf-8").read().split("\n")[:-1] for f in sys.argv[1:])
nameless = 0
states = {}
kept = []
for line in more:
    record = json.loads(line)
    state = record["Forebear"]["state"]
    states[state] = states.get(state, 0) + 1
    if state == "live":
        kept.append(line)
    if state == "positional":
        assert isinstance(record["Forebear"]["values"], list)
        nameless += record["Event"].get("EventData", 0) is None
assert kept == live and nameless > 1000
assert all(states.get(s, 0) > 0 for s in ("behind damage", "orphan chunk", "slack", "torn", "positional")), states
EOF
    if command -v xmllint >/dev/null; then
        check "every shared log is well-formed XML" xmllint --noout --huge "$work/shared.xml"
    else
        skip "every shared log is well-formed XML" "no xmllint"
    fi
else
    skip "every shared log" "no shared data, or no python3"
fi
# --- what damage keeps from being read, an option gives
head -c 150000 "$top/samples/WKS-01-Sysmon.evtx" >"$work/cut.evtx"
status_is 3 "records of a log that is cut off" "$forebear" records "$work/cut.evtx"
said "those that were not read are told, with the option that gives them" '^forebear: --recovered writes records that were not read'
status_is 3 "with it they are written" "$forebear" records --recovered "$work/cut.evtx"
! grep -qE 'were not read|--recovered' "$work/.out"
tap_result $? "and nothing more is said of it"

finish
