#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Events as XML and JSON text: the same report as of the log they were made from, in every
# shape that exporters give them; places; damage; what is said of custody.
# FOREBEAR_SPLUNK_RECORDING names the recording that the Splunk detection's authors test it
# with (attack_data, T1055, msra, windows-sysmon.log), which is not ours to pass on.
. "${srcdir:-.}/tests/tap.sh"
samples=$top/samples
recording_sha256=814f426f
export SOURCE_DATE_EPOCH=1700000000

report() { # FOLDER EVIDENCE...
    folder=$1
    shift
    rm -rf "$work/$folder"
    "$forebear" report -q -o "$work/$folder" "$@"
}

# column FILE NAME: that column of all rows
column() {
    python3 -c 'import csv,sys
for row in csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8")): print(row[sys.argv[2]])' "$1" "$2"
}

# --- every shape, as a file of its own
for host in WKS-01 WKS-02 WKS-03; do
    log=$samples/$host-Sysmon.evtx
    mkdir -p "$work/$host.text"
    "$forebear" records -q --format=xml "$log" >"$work/$host.xml"
    "$forebear" records -q "$log" >"$work/$host.jsonl"
    "$forebear" records -q --provenance "$log" >"$work/$host.provenance.jsonl"
    check "$host: variants are made" python3 "$top/tests/import.py" make "$work/$host.text" \
        "$work/$host.xml" "$work/$host.jsonl"
    cp "$work/$host.provenance.jsonl" "$work/$host.text/"
    report "$host.evtx-report" "$log" >/dev/null 2>&1
    for file in "$work/$host.text"/*; do
        [ $host = WKS-01 ] || case $file in *root.xml | *lines.jsonl | *splunk.log | *.le.txt) ;; *) continue ;; esac
        name=$host/$(basename "$file")
        status_is 0 "$name is read" report text "$file"
        check "$name: the report says the same" python3 "$top/tests/import.py" same \
            "$work/$host.evtx-report" "$work/text"
    done
done

# --- what is said of it
report text "$work/WKS-01.text/bare.xml.gz" >"$work/.out" 2>&1
said "the summary says that nothing can be decoded again" '1 log is an export as text'
column "$work/text/evidence.csv" origin >"$work/.out"
said "its origin is an export" '^export$'
column "$work/text/evidence.csv" origin_basis >"$work/.out"
said "on what ground, and that custody is unknown" 'XML events, gzip: .*not recorded in it'
column "$work/text/evidence.csv" log_format >"$work/.out"
said "its format is named" '^XML events, gzip$'
column "$work/text/findings.csv" record_sha256 | sort -u >"$work/.out"
check "no hash of a record's bytes is given" test "$(cat "$work/.out")" = -
column "$work/text/findings.csv" verified | sort -u >"$work/.out"
check "none is called verified" test "$(cat "$work/.out")" = -

# --- places are bytes of the text, unpacked
python3 - "$work/text/findings.csv" "$work/WKS-01.text/bare.xml" >"$work/.out" <<'PY'
import csv, sys
text = open(sys.argv[2], "rb").read()
for row in csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8")):
    at = int(row["offset"])
    event = text[at:text.index(b"</Event>", at)]
    assert event.startswith(b"<Event "), row["offset"]
    assert f"<EventRecordID>{row['event_record_id']}</EventRecordID>".encode() in event
PY
tap_result $? "offsets of findings are where their events begin"
"$forebear" records -q --provenance "$work/WKS-01.text/bare.le.txt" >"$work/le.jsonl" 2>&1
python3 - "$work/le.jsonl" "$work/WKS-01.text/bare.le.txt" >"$work/.out" 2>&1 <<'PY'
import json, sys
text = open(sys.argv[2], "rb").read()
for line in open(sys.argv[1], encoding="utf-8"):
    ours = json.loads(line)["Forebear"]
    event = text[ours["offset"]:ours["offset"] + ours["size"]].decode("utf-16-le")
    assert event.startswith("<Event ") and event.endswith("</Event>"), ours
PY
tap_result $? "and so in UTF-16"

# --- written again
for form in xml jsonl; do
    "$forebear" records -q --format=$form "$work/WKS-01.$form" >"$work/again"
    same "$form becomes the same $form" "$work/WKS-01.$form" "$work/again"
done
"$forebear" records -q --format=xml "$work/WKS-01.jsonl" >"$work/again"
same "JSON becomes the same XML" "$work/WKS-01.xml" "$work/again"
"$forebear" records -q --format=csv "$samples/WKS-01-Sysmon.evtx" >"$work/evtx.csv"
for form in xml jsonl; do
    "$forebear" records -q --format=csv "$work/WKS-01.$form" >"$work/again"
    same "$form becomes the same CSV" "$work/evtx.csv" "$work/again"
done
check "show finds an event in text" "$forebear" show "$work/WKS-01.xml" --record 40
said "and says that there is no chunk" 'export as text'

# --- a log and its export together: one event, however often it stands there
check "a log beside its exports" report both "$samples/WKS-01-Sysmon.evtx" "$work/WKS-01.xml" "$work/WKS-01.jsonl"
for file in findings processes timeline; do
    tail -n +2 "$work/WKS-01.evtx-report/$file.csv" | wc -l >"$work/one"
    tail -n +2 "$work/both/$file.csv" | wc -l >"$work/three"
    same "$file.csv has as many lines as of the log alone" "$work/one" "$work/three"
done

# --- in a folder, by content
mkdir "$work/folder"
cp "$work/WKS-01.text/bare.xml.gz" "$work/folder/a.gz"
cp "$work/WKS-02.text/lines.jsonl" "$work/folder/b.json"
cp "$work/WKS-03.text/splunk.log" "$work/folder/c.dat"
echo '{"Events": 3}' >"$work/folder/d.json"
echo '<html><body>Event</body></html>' >"$work/folder/e.xml"
report folder-report "$work/folder" >"$work/.out" 2>&1
column "$work/folder-report/evidence.csv" log >"$work/.out"
check "a folder's text logs are found by content, those of known names" \
    test "$(tr '\n' ' ' <"$work/.out")" = "a.gz b.json "

# --- damage: told with its place, and the rest is read
python3 - "$work" <<'PY'
import gzip, pathlib, sys
work = pathlib.Path(sys.argv[1])
xml = (work / "WKS-01.text/bare.xml").read_bytes()
events = xml.split(b"\n")
bad = list(events)
bad[3] = bad[3].replace(b"</System>", b"</Sysem>")
bad[7] = bad[7][:200]
bad[11] = bad[11].replace(b"<Event ", b"<vent ")
bad[15] = bad[15].replace(b"<EventData>", b"<EventData>&lol;")
bad[19] = bad[19].replace(b"<Data Name='Image'>", b"<Data Name='Image'>\x01\xff&#2;")
bad[23] = b"<Event>" + b"<a " + b" ".join(b"a%d='1'" % i for i in range(3000)) + b"/></Event>"
bad[27] = b"<Event>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</Event>"
bad[-1] = bad[-1][:-20]
(work / "bad.xml").write_bytes(b"\n".join(bad))
lines = (work / "WKS-01.text/lines.jsonl").read_bytes().splitlines()
bad = list(lines)
bad[3] = bad[3][:-9]
bad[7] = b"no JSON at all"
bad[11] = bad[11].replace(b'"System":', b'"System"')
bad[15] = b'{"Event":' * 300 + b"1" + b"}" * 300
bad[19] = b'{"NoEvent":{}}'
bad[-1] = bad[-1][:-20]
(work / "bad.jsonl").write_bytes(b"\n".join(bad))
packed = gzip.compress(xml)
(work / "cut.gz").write_bytes(packed[:len(packed) // 2])
(work / "bomb.gz").write_bytes(gzip.compress(events[0] + b" " * (200 << 20)))
(work / "doctype.xml").write_bytes(
    b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n' +
    events[0].replace(b"</EventData>", b"<Data Name='x'>&e;</Data></EventData>") + b"\n" + events[1])
(work / "huge.xml").write_bytes(events[0] + b"<Event >" + b"a" * (3 << 20) + events[1])
PY
lost() { # NAME FILE LOST READ
    status_is 3 "$1: the run says that it is incomplete" report damage "$work/$2"
    column "$work/damage/problems.csv" code | grep -cE 'RECORD_NOT_DECODED|LOG_UNREADABLE' >"$work/.out"
    check "$1: $3 told" test "$(cat "$work/.out")" = "$3"
    column "$work/damage/evidence.csv" records >"$work/.out"
    check "$1: $4 read" test "$(cat "$work/.out")" = "$4"
}
lost "broken XML" bad.xml 7 223
column "$work/damage/problems.csv" message >"$work/.out"
said "with line and byte" 'the event at byte [0-9]+, line 4 of the text could not be read'
said "a broken start tag loses no event silently" 'line 12 .*whose start is gone'
said "attributes are bounded" 'more than 256 attributes'
column "$work/damage/problems.csv" code >"$work/.out"
said "what XML has no place for is shown as U+FFFD and told" TEXT_REPLACED
lost "broken JSON" bad.jsonl 6 224
lost "an entity" doctype.xml 1 1
check "is not resolved" sh -c '! grep -rq root: "$1"' - "$work/damage"
lost "an event without an end" huge.xml 1 2
status_is 3 "a packed file that is cut" report damage "$work/cut.gz"
column "$work/damage/problems.csv" message >"$work/.out"
said "is told" 'the packed data ends too early'
status_is 3 "a packed file that unpacks to too much" report damage "$work/bomb.gz"
column "$work/damage/problems.csv" message >"$work/.out"
said "is given up" 'unpacks to 500 times its size'

# --- what an exporter, or somebody who edits an export, can put there
python3 - "$work" <<'PY'
import gzip, pathlib, sys
work = pathlib.Path(sys.argv[1])
lines = (work / "WKS-01.text/lines.jsonl").read_bytes().splitlines()
xml = (work / "WKS-01.text/bare.xml").read_bytes().split(b"\n")
odd = work / "odd"
odd.mkdir()
(odd / "control.xml").write_bytes(xml[0].replace(b"</EventData>", b"<Data Name='x'>\x01\x00</Data></EventData>") + xml[1])
(odd / "separated.json").write_bytes(b"".join(b"\x1e" + l + b"\n" for l in lines[:3]))
(odd / "prefix.log").write_bytes(b"".join(b"Jan 12 08:00:00 host \x07" + l + b"\n" for l in lines[:3]))
(odd / "other.json").write_bytes(b'{"Event": 3}')
missing = list(lines[:50])
missing[9] = missing[9][:-1]
(work / "brace.json").write_bytes(b"[" + b", ".join(missing) + b"]")
missing[9] = lines[9].replace(b'"Channel":"', b'"Channel":', 1)
(work / "quote.json").write_bytes(b"[" + b", ".join(missing) + b"]")
(work / "zeros.gz").write_bytes(gzip.compress(b"\n".join(lines[:3])) + bytes(5000))
(work / "garbage.gz").write_bytes(gzip.compress(b"\n".join(lines[:3])) + b"xx" * 50)
system = lines[0][:lines[0].index(b'"EventData"')]
def one(name, data, head=system):
    (work / name).write_bytes(head + b'"EventData":' + data + b"}}\n")
one("twice.jsonl", b'{"ParentImage":"C:\\\\msra.exe","a":{"x":1},"b":{"x":1},"Parent\\u0049mage":"C:\\\\x.exe"}')
one("twice-plain.jsonl", b'{"ParentImage":"C:\\\\msra.exe","ParentImage":"C:\\\\x.exe"}')
one("long.jsonl", b'{"ProcessId":99999999999999999999999,"Max":18446744073709551615,"Min":-9223372036854775808,"Less":-9223372036854775809,"s":"99999999999999999999","f":123456789012345678901.5}')
one("items.jsonl", b'{"Data":[{"#attributes":{"Name":"UtcTime"},"#text":"2026-01-12 08:00:00.000"},{"#attributes":{"Name":"Image"},"#text":"C:\\\\x.exe"},"plain"]}')
(work / "twice.xml").write_bytes(xml[0].replace(b"</EventData>", b"<Data Name='Image'>x</Data><Data Name='Image'>y</Data></EventData>"))
(work / "opens.xml").write_bytes(b"<Event>" * 500000)
(work / "closes.xml").write_bytes(xml[0] + b"</Event >" * 400000)
large = b'"EventData":{"CommandLine":"' + b"x" * 1100000 + b'"}}}'
(work / "large.json").write_bytes(b"[" + b",".join([lines[0], system + large, *lines[1:9]]) + b"]")
name = b'"Computer":"'
assert name in lines[0]
(work / "replaced.jsonl").write_bytes(
    b"\n".join(line.replace(name, name + b"\xff", 1) for line in (lines * 9)[:300]) + b"\n" + b'{"Event":{}}\n' * 3)
(work / "prefixes.json").write_bytes(lines[0] + b"\n" + b'x{"Event":1}' * 300000)
PY
status_is 0 "control characters, record separators and prefixes make no log vanish" \
    report odd-report "$work/odd"
column "$work/odd-report/evidence.csv" log | tr '\n' ' ' >"$work/.out"
said "all three are found" '^control.xml prefix.log separated.json $'
column "$work/odd-report/evidence.csv" records | tr '\n' ' ' >"$work/.out"
said "and read" '^2 3 3 $'
column "$work/odd-report/problems.csv" code >"$work/.out"
said "a text that speaks of events and is none of it is told" '^TEXT_NOT_TAKEN$'

# --- what may stand before the first event, however long
mkdir "$work/filler" "$work/endless"
python3 - "$work" "$work/WKS-01.xml" "$work/WKS-01.jsonl" <<'PY'
import gzip, pathlib, sys
work = pathlib.Path(sys.argv[1])
xml = pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")
events = xml[xml.index("<Event "):]
events = events[:events.index("</Event>") + 8]
line = pathlib.Path(sys.argv[3]).read_text(encoding="utf-8").split("\n")[0]
head = '<?xml version="1.0"?>\n'
comment = "<!-- " + "exported by hand - < > & " * 400 + "-->\n"
texts = {
    "blanks.xml": "\ufeff" + "\r\n" * 4000 + events,
    "comment.xml": head + comment + "<Events>" + events + "</Events>",
    "comments.xml": head + 30 * (comment + "<!DOCTYPE Events>\n") + events,
    "stylesheet.xml": head + "<?xml-stylesheet " + "x" * 9000 + "?>" + events,
    "lines.jsonl": "\n" * 5000 + line,
    "edge.xml": "\n" * 4094 + events,
}
for name, text in texts.items():
    (work / "filler" / name).write_bytes(text.encode("utf-8"))
(work / "filler/wide.xml").write_bytes(texts["comment.xml"].encode("utf-16"))
(work / "filler/packed.xml.gz").write_bytes(gzip.compress(("\n" * 400000 + events).encode("utf-16"), mtime=0))
(work / "filler/nothing.txt").write_text("\n" * 9000)
(work / "filler/other.xml").write_text(comment + "<note/>")
for name, text in (("endless.xml", "<!--" + "x" * (1 << 20) + "-->" + events), ("cut.xml", "\n" * ((1 << 20) - 3) + events)):
    (work / "endless" / name).write_bytes(text.encode())
(work / "endless/packed.xml.gz").write_bytes(gzip.compress(("\n" * 3000000 + events).encode("utf-16"), mtime=0))
PY
status_is 0 "long blanks, comments and declarations hide no export in a folder" report filler-report "$work/filler"
column "$work/filler-report/evidence.csv" log | tr '\n' ' ' >"$work/.out"
said "each is found" '^blanks.xml comment.xml comments.xml edge.xml lines.jsonl packed.xml.gz stylesheet.xml wide.xml $'
column "$work/filler-report/evidence.csv" records | sort -u >"$work/.out"
said "and read" '^1$'
status_is 0 "nor where it is named" report filler-report "$work/filler/comments.xml"
check "what is blank, or says nothing of events, is not told" sh -c '! grep -q TEXT_NOT_TAKEN "$1"' - "$work/filler-report/problems.csv"
report endless-report "$work/endless" >/dev/null 2>&1
grep '^TEXT_NOT_TAKEN' "$work/endless-report/problems.csv" >"$work/.out"
check "what says nothing for a megabyte is told" test "$(grep -c 'its first 1048576 bytes are blanks and comments' "$work/.out")" = 3
lost "a brace that is missing in a line of many events" brace.json 1 49
lost "a quote that is missing there" quote.json 1 49
lost "an event that is too large, in a line of many" large.json 1 9
"$forebear" records "$work/replaced.jsonl" >/dev/null 2>"$work/.out"
said "what was replaced is counted beyond the rows that are told" '300 x TEXT_REPLACED'
said "and takes no row from what was lost" 'RECORD_NOT_DECODED: the event at byte [0-9]*, line 303 '
status_is 0 "zeros behind packed data are padding" report damage "$work/zeros.gz"
status_is 3 "anything else is not" report damage "$work/garbage.gz"
column "$work/damage/problems.csv" message >"$work/.out"
said "which is told with what was read" 'is damaged; the [0-9]+ bytes that come out of it before were read'
for file in twice.jsonl twice-plain.jsonl twice.xml; do
    report damage "$work/$file" >/dev/null 2>&1
    grep NAME_REPEATED "$work/damage/problems.csv" >"$work/.out"
    said "$file: a name that stands twice is told" 'more than once'
    test "$(wc -l <"$work/.out")" = 1
    tap_result $? "$file: once"
done
said "by its name" 'gives Image more than once; the first'
"$forebear" records -q "$work/long.jsonl" >"$work/.out" 2>&1
said "a number beyond 64 bits stays as it was written" '"ProcessId":"99999999999999999999999"'
said "and those that fit stay numbers" '"Max":18446744073709551615,"Min":-9223372036854775808,"Less":"-9223372036854775809"'
"$forebear" records -q "$work/items.jsonl" >"$work/.out" 2>&1
said "items with a Name are fields" '"UtcTime":"2026-01-12 08:00:00.000","Image":"C:.*x.exe"'
for file in opens.xml closes.xml prefixes.json; do
    status_is 3 "$file: crafted text takes no more time than other text" \
        timeout 20 "$forebear" records -q "$work/$file"
done

# --- an export beside its log: the log, which another reader can decode, is what is cited
mkdir "$work/beside"
cp "$top/samples/WKS-01-Sysmon.evtx" "$work/beside/zz.evtx"
"$forebear" records -q "$top/samples/WKS-01-Sysmon.evtx" >"$work/beside/aa.jsonl"
report beside-report "$work/beside" >"$work/.said" 2>&1
column "$work/beside-report/findings.csv" log | sort -u | tr '\n' ' ' >"$work/.out"
said "an export beside its log is not cited" '^zz.evtx $'
column "$work/beside-report/findings.csv" verified | sort | uniq -c | tr -s '\n ' ' ' >"$work/.out"
said "and the log's records are verified" '^ [0-9]+ yes $'

# --- the Splunk detection's own recording
recording=${FOREBEAR_SPLUNK_RECORDING-}
if [ -z "$recording" ]; then
    skip "the Splunk detection's own recording" "FOREBEAR_SPLUNK_RECORDING names no file"
elif [ "$(sha256sum "$recording" | cut -c 1-8)" != $recording_sha256 ]; then
    skip "the Splunk detection's own recording" "the file named is another one: its SHA-256 does not begin $recording_sha256"
else
    check "the Splunk detection's own recording is read" report recording "$recording"
    column "$work/recording/findings.csv" rule_source >"$work/.out"
    said "and its rule fires on it" '^splunk-v4$'
fi
finish
