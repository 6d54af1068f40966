#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The samples are what their scenario makes, the image holds them, and README.md has the
# right hashes.
. "${srcdir:-.}/tests/tap.sh"
samples=$top/samples
make_evtx=$build/tests/make_evtx
logs=Windows/System32/winevt/Logs

mkdir "$work/logs"
check "the scenario can be read" "$make_evtx" "$samples/scenarios/msra.scenario" "$work/logs"
for log in "$samples"/*.evtx; do
    same "$(basename "$log") comes out of its scenario" "$log" "$work/logs/$(basename "$log")"
done
[ "$(cd "$work/logs" && ls)" = "$(cd "$samples" && ls -- *.evtx)" ]
tap_result $? "there is no log more and none less"

(cd "$samples" && sed -n '/^## SHA-256/,$p' README.md | grep -E '^[0-9a-f]{64}  ' |
    tee "$work/sums" | sha256sum -c) >"$work/.out" 2>&1
tap_result $? "README.md has the SHA-256 of each sample"
[ "$(wc -l <"$work/sums")" = "$(ls "$samples"/*.evtx "$samples"/*.E01 | wc -l)" ]
tap_result $? "and of all of them"

total=$(cat "$samples"/*.evtx "$samples"/*.E01 "$samples"/scenarios/* | wc -c)
[ "$total" -lt 2097152 ]
tap_result $? "together they are smaller than 2 MiB"

if command -v fls >/dev/null && command -v icat >/dev/null && command -v ewfinfo >/dev/null; then
    image=$samples/forebear-sample.E01
    fls -F -r -p -o 2048 "$image" 2>/dev/null >"$work/files"
    inode() { sed -n "s|^r/r \([0-9-]*\):.$logs/$1\$|\1|p" "$work/files"; }
    content() { # LOG SAMPLE
        icat -o 2048 "$image" "$(inode "$1")" >"$work/content" 2>"$work/.out"
        same "in the image $1 is $2" "$samples/$2" "$work/content"
    }
    content Microsoft-Windows-Sysmon%4Operational.evtx WKS-01-Sysmon.evtx
    content System.evtx WKS-01-System.evtx
    for host in WKS-02 WKS-03; do
        content $host-Sysmon.evtx $host-Sysmon.evtx
        content $host-System.evtx $host-System.evtx
    done
    [ "$(grep -c "$logs/" "$work/files")" = 6 ]
    tap_result $? "nothing else lies in its log folder"
    istat -o 2048 "$image" "$(inode System.evtx)" | grep -E '^(Created|File Modified)' >"$work/.out" 2>&1
    ! grep -qv '2026-01-12' "$work/.out" && [ -s "$work/.out" ]
    tap_result $? "its files have the times of the story"
    ewfinfo "$image" >"$work/.out" 2>&1
    said "the E01 carries its case number" 'Case number:.*FB-2026-001$'
    said "the E01 carries its examiner" 'Examiner name:.*A. Examiner$'
    check "the E01 is whole" ewfverify -q "$image"
else
    skip "the image holds the logs" "sleuthkit or ewf-tools is not there"
fi

# Nothing in the story may be anyone's: only addresses and names made for documentation.
"$make_evtx" --list "$samples/scenarios/msra.scenario" >"$work/list"
grep -oE '[^0-9.][0-9]{1,3}(\.[0-9]{1,3}){3}($|[^0-9.])' "$work/list" | tr -dc '0-9.\n' |
    grep -vE '^(192\.0\.2|198\.51\.100|203\.0\.113)\.|^127\.0\.0\.1$' |
    grep -vE '^(4\.18\.23110\.3|131\.0\.6778\.86|10\.0\.19041\.1)$' >"$work/.out"
[ ! -s "$work/.out" ]
tap_result $? "every address is one for documentation"
grep -oE '(Hostname|QueryName|Computer)=.*' "$work/list" | sed 's/^[A-Za-z]*=//' |
    grep -vE '^(-|.*\.example(\.(com|net|org))?|.*example\.(com|net|org)|WKS-[0-9]+)$' >"$work/.out"
[ ! -s "$work/.out" ]
tap_result $? "every name is one for examples"

# A strict decoder, where it is at hand, finds every value in the bytes.
reference=$SHARED_DATA/../tools/evtx_ref.py
if [ -f "$reference" ] && command -v python3 >/dev/null; then
    python3 "$reference" "$samples"/*.evtx >"$work/reference" 2>"$work/.out"
    ! grep -q '"error"' "$work/reference" &&
        [ "$(wc -l <"$work/reference")" = "$(grep -c '	EventRecordID=' "$work/list")" ]
    tap_result $? "a strict decoder reads every record"
else
    skip "a strict decoder reads every record" "it is not at hand"
fi

# and libevtx's own program
if command -v evtxexport >/dev/null; then
    for log in "$samples"/*.evtx; do evtxexport -f xml "$log"; done >"$work/xml" 2>"$work/.out"
    [ "$(grep -c '<Event ' "$work/xml")" = "$(grep -c '	EventRecordID=' "$work/list")" ]
    tap_result $? "evtxexport reads every record"
else
    skip "evtxexport reads every record" "libevtx-utils is not there"
fi

"$make_evtx" >"$work/.out" 2>&1
[ $? = 2 ]
tap_result $? "make_evtx without arguments says how it is used"
"$make_evtx" "$samples/scenarios/msra.scenario" "$work/no/such/folder" >"$work/.out" 2>&1
[ $? = 1 ]
tap_result $? "make_evtx says what it cannot write"
said "and where" 'no/such/folder'

finish
