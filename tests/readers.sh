#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One report, two readers: --reader=native and --reader=libevtx give the same tables, on the
# samples, on every scenario and on every log of the shared data, but for the faults that
# libevtx is known for. Each of those stands in the table below, and is looked for.
# Of live records: recovered ones are read by the native reader alone (tests/recovered.sh).
. "${srcdir:-.}/tests/tap.sh"
SOURCE_DATE_EPOCH=1767225600
export SOURCE_DATE_EPOCH
tables='findings corroboration processes timeline near_misses'

# CODE  LOG: rows of problems.csv that one of the readers alone has, and why
#   libevtx 20181227 knows no entity reference (0x49) and no text (0x05) in an attribute: it
#   gives none of these records, so their ids are a gap
#   it prints a SizeT in decimal, and the wrong number for a negative Int32
#   it takes a character along with half of a surrogate pair: both readers tell of the value,
#   each in its own words, and the change of the configuration whose hash it is is told with it
cat >"$work/known" <<'END'
RECORD_NOT_DECODED E_ShadowCopy6_windows_system32_winevt_logs_Microsoft-Windows-CAPI2%4Operational.evtx
RID_GAP E_ShadowCopy6_windows_system32_winevt_logs_Microsoft-Windows-CAPI2%4Operational.evtx
RECORD_NOT_DECODED E_Windows_system32_winevt_logs_Microsoft-Windows-CAPI2%4Operational.evtx
RID_GAP E_Windows_system32_winevt_logs_Microsoft-Windows-CAPI2%4Operational.evtx
RECORD_NOT_DECODED MSExchange_Management_wec.evtx
READER_FAULT_KNOWN Security_with_size_t.evtx
READER_FAULT_KNOWN issue_39.evtx
VALUE_NOT_UTF16 issue_43.evtx
SENSOR_STATE issue_43.evtx
END

# both NAME EVIDENCE...: the report by each reader
both() {
    name=$1
    shift
    for reader in native libevtx; do
        "$forebear" report -q --no-recovered --reader=$reader -o "$work/$name-$reader" "$@" >"$work/.out" 2>&1
        echo $? >"$work/$name-$reader/status"
    done
    same "$name: both end with the same status" "$work/$name-native/status" "$work/$name-libevtx/status"
}

equal() { # NAME TABLE...
    name=$1
    shift
    for table; do
        same "$name: $table.csv is the same" "$work/$name-native/$table.csv" "$work/$name-libevtx/$table.csv"
    done
}

# leave_out NAME PATTERN: rows that a known fault of libevtx touches, out of both
leave_out() {
    for reader in native libevtx; do
        for csv in "$work/$1-$reader"/*.csv; do
            LC_ALL=C grep -avE -- "$2" "$csv" >"$work/kept"
            mv "$work/kept" "$csv"
        done
    done
}

both image "$top/samples/forebear-sample.E01"
equal image $tables evidence coverage hosts problems
both samples "$top/samples"
equal samples $tables evidence coverage hosts problems
verified() {
    python3 -c 'import csv, sys
print(*sorted({row["verified"] for row in csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8"))}), sep="\n")' "$1"
}
[ "$(verified "$work/samples-native/findings.csv")" = yes ]
tap_result $? "samples: each finding's record is confirmed"
check "the report names the reader that confirms" \
    grep -q 'decoded again by libevtx [0-9]*, equal in \([0-9]*\) of \1 records' "$work/samples-native/report.html"
check "and the other way round" \
    grep -q 'decoded again by the native reader, equal in \([0-9]*\) of \1 records' "$work/samples-libevtx/report.html"

for scenario in "$top"/tests/scenarios/*.scenario; do
    name=$(basename "$scenario" .scenario)
    mkdir "$work/$name"
    check "$name is made" "$build/tests/make_evtx" "$scenario" "$work/$name"
    both "$name" "$work/$name"
    # half of a surrogate pair, a character beyond U+FFFF, a NUL inside: values of two records
    case $name in
    16-hostile-text) leave_out "$name" 'whoami |echo a|^(VALUE_NOT_UTF16|VALUE_EMBEDDED_NUL|READER_FAULT_KNOWN),|Operational\.evtx,69632,' ;;
    esac
    equal "$name" $tables evidence coverage hosts problems
    check "$name: nothing is confirmed to differ" \
        grep -q '"records_different": 0,' "$work/$name-native/manifest.json"
done

# --- every mode; none asks nobody
for mode in findings timeline all none; do
    status_is 0 "--verify=$mode" "$forebear" report -q --verify=$mode -o "$work/mode-$mode" "$top/samples"
    check "manifest.json says --verify=$mode" grep -q "\"mode\": \"$mode\"" "$work/mode-$mode/manifest.json"
done
for table in $tables; do
    cut_verified() {
        python3 -c 'import csv, sys
csv.writer(sys.stdout).writerows([[v for k, v in row.items() if k != "verified"] for row in
                                  csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8"))])' "$1"
    }
    cut_verified "$work/mode-all/$table.csv" >"$work/all"
    cut_verified "$work/mode-none/$table.csv" >"$work/none"
    same "--verify changes nothing else in $table.csv" "$work/all" "$work/none"
done
for wanted in 'timeline yes' 'findings -
yes' 'none -'; do
    mode=${wanted%% *}
    [ "$(verified "$work/mode-$mode/timeline.csv")" = "${wanted#* }" ]
    tap_result $? "timeline.csv says what --verify=$mode confirmed"
done
check "--verify=findings confirms what corroboration.csv rests on, as --help says" sh -c '
    "$1" report --help | tr -s " \n" "  " | grep -qF "those that findings, their ancestors and corroboration.csv rest on" &&
    cmp "$2/mode-findings/corroboration.csv" "$2/mode-all/corroboration.csv"' - "$forebear" "$work"
check "--verify=none says so" grep -q 'verify was set to none' "$work/mode-none/report.html"
check "--verify=all compares the set of records" grep -q '"records_in_the_libevtx_list_alone": 0' "$work/mode-all/manifest.json"
for jobs in 1 3; do
    "$forebear" report -q --verify=all --jobs $jobs -o "$work/jobs-$jobs" "$top/samples" >/dev/null 2>&1
    sed '/"jobs"/d; /command_line/d; /"sha256"/d; /"size"/d' "$work/jobs-$jobs/manifest.json" >"$work/jobs-$jobs.json"
done
same "--jobs does not change what is confirmed" "$work/jobs-1.json" "$work/jobs-3.json"
same "nor the timeline" "$work/jobs-1/timeline.csv" "$work/jobs-3/timeline.csv"

# --- what libevtx gets wrong is waived by name; what crashes it is not confirmed
sed '/command e/,$d' "$top/tests/scenarios/16-hostile-text.scenario" >"$work/faults.scenario"
grep -q '^process msra' "$work/faults.scenario" || echo "process msra pid 43 at +4s image C:\\Windows\\SysWOW64\\msra.exe" >>"$work/faults.scenario"
number=0
for text in 'a \u{1f600} b' 'a \u{10000}' 'a \u{d800}x b' 'a \u{d800}' '\u{feff}x' '\u{feff}' 'a\0b' 'a\u{ffff}'; do
    number=$((number + 1))
    printf 'process f%s pid 10%s at +2%ss image C:\\Windows\\SysWOW64\\whoami.exe command e"%s" parent msra\n' \
        $number $number $number "$text"
done >>"$work/faults.scenario"
mkdir "$work/faults"
check "values that libevtx gets wrong" "$build/tests/make_evtx" "$work/faults.scenario" "$work/faults"
status_is 0 "a crash of libevtx does not make the evidence incomplete" \
    "$forebear" report -q --verify=all -o "$work/faulty" "$work/faults"
manifest=$work/faulty/manifest.json
check "none of them counts as a difference" grep -q '"records_different": 0,' "$manifest"
check "characters beyond U+FFFF are waived" grep -q '"supplementary_characters": 2' "$manifest"
check "half of a surrogate pair is waived" grep -q '"lone_surrogate": 1' "$manifest"
check "a byte order mark is waived" grep -q '"byte_order_mark": [12]' "$manifest"
check "a NUL is waived" grep -q '"embedded_nul": 1' "$manifest"
check "a record that libevtx cannot decode is not confirmed" \
    grep -aq '^VERIFY_NOT_CONFIRMED,notice,.*libevtx could not decode it: ' "$work/faulty/problems.csv"
check "the report counts what was waived" grep -q 'waived: .* characters beyond U+FFFF' "$work/faulty/report.html"
grep -aE 'VERIFY_NOT_CONFIRMED.*libevtx crashed: its process was ended by signal 11' "$work/faulty/problems.csv" >"$work/.out"
if [ -s "$work/.out" ] || ! grep -q '"byte_order_mark": 2' "$manifest"; then
    [ -s "$work/.out" ]
    tap_result $? "a record that crashes libevtx is not confirmed"
    LC_ALL=C grep -a 'whoami.exe' "$work/faulty/findings.csv" | tr -d '\r' | grep -qE ',-,[0-9a-f]*(,[^,]*){0,8}$'
    tap_result $? "and its row says so"
else
    skip "a record that crashes libevtx is not confirmed" "this libevtx does not crash on it"
fi

# --- a log whose header counts fewer chunks than there are: libevtx believes it
log=$(ls "$top"/samples/WKS-01-Sysmon.evtx)
mkdir "$work/lie"
cp "$log" "$work/lie/lie.evtx"
printf '\001\000' | dd of="$work/lie/lie.evtx" bs=1 seek=42 conv=notrunc status=none
"$forebear" report -q --verify=all -o "$work/lied" "$work/lie" >"$work/.out" 2>&1
check "records that only one of the two lists has are told" grep -q '^VERIFY_RECORD_SET,notice' "$work/lied/problems.csv"
check "and every value is confirmed all the same" grep -q '"records_different": 0,' "$work/lied/manifest.json"
check "and every record" grep -q '"records_not_confirmed": 0,' "$work/lied/manifest.json"

# --- every log of the shared data
known_rows() { # NAME: what the table accounts for is taken away
    sed 's/ /,[^,]*,[^,]*,[^,]*/; s/^/^/; s/[.]/[.]/g; s/$/,/' "$work/known" >"$work/patterns"
    grep -vE -f "$work/patterns" "$work/$1/problems.csv" | grep -v '^VERIFY_' >"$work/$1/problems.known"
    sed 's/^[A-Z_0-9]* //; s/[.]/[.]/g; s/^/,[^,]*/; s/$/,/' "$work/known" | sort -u >"$work/patterns"
    grep -vE -f "$work/patterns" "$work/$1/evidence.csv" >"$work/$1/evidence.known"
}
corpus=$SHARED_DATA/evtx
if [ -d "$corpus" ]; then
    "$forebear" report -q --no-recovered --verify=all -o "$work/corpus-native" "$corpus" >"$work/.out" 2>&1
    tap_result $(($? != 3)) "corpus: read natively"
    "$forebear" report -q --reader=libevtx --verify=none -o "$work/corpus-libevtx" "$corpus" >"$work/.out" 2>&1
    tap_result $(($? != 3)) "corpus: read with libevtx"
    equal corpus $tables
    known_rows corpus-native
    known_rows corpus-libevtx
    same "corpus: the problems are the same but for known faults" \
        "$work/corpus-native/problems.known" "$work/corpus-libevtx/problems.known"
    same "corpus: the evidence is the same but for known faults" \
        "$work/corpus-native/evidence.known" "$work/corpus-libevtx/evidence.known"
    while read -r code log; do
        check "corpus: $code is still known of $log" grep -q "^$code,.*$log" "$work/corpus-libevtx/problems.csv"
    done <"$work/known"
    check "corpus: no value differs" grep -q '"records_different": 0,' "$work/corpus-native/manifest.json"
    grep '^VERIFY_' "$work/corpus-native/problems.csv" | grep -vE 'CAPI2%4Operational.evtx|MSExchange_Management_wec.evtx' >"$work/.out"
    [ ! -s "$work/.out" ]
    tap_result $? "corpus: what is not confirmed is a known fault"
    grep -qE '"records_compared": [1-9][0-9]{4}' "$work/corpus-native/manifest.json"
    tap_result $? "corpus: tens of thousands of records were compared"
else
    skip "both readers give the same of every shared log" "no shared data here"
fi

finish
