#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# That the report says the same of itself in all places, and no more than holds: what was
# confirmed, recovered and left out, of whom a rule or an indicator speaks.
. "${srcdir:-.}/tests/tap.sh"
make_evtx=$build/tests/make_evtx
cd "$work" || exit 1
SOURCE_DATE_EPOCH=1767225600
export SOURCE_DATE_EPOCH

# report NAME EVIDENCE [OPTION]...: the report in $work/NAME; what it said in NAME.said, the
# page without its markup in NAME.page
report() {
    name=$1
    "$forebear" report -o "$@" >"$name.said" 2>"$name.stderr"
    [ ! -f "$name/report.html" ] || sed -e 's/<[^>]*>//g' "$name/report.html" >"$name.page"
}
# scenario NAME [OPTION]...: the report on $work/NAME.scenario
scenario() {
    name=$1
    shift
    mkdir -p "logs-$name"
    "$make_evtx" "$name.scenario" "logs-$name" >/dev/null
    report "$name" "logs-$name" "$@"
}
has() { check "$1" grep -qE -- "$3" "$2"; }
lacks() { check "$1" sh -c '! grep -qE -- "$2" "$1"' - "$2" "$3"; }

mkdir cut
head -c 150000 "$top/samples/WKS-01-Sysmon.evtx" >cut/WKS-01-Sysmon.evtx
report whole "$top/samples/WKS-01-Sysmon.evtx"
report none "$top/samples/WKS-01-Sysmon.evtx" --verify=none --no-recovered
report cut-report cut

# --- what the limits say is what was done
has "the limits tell of the second reader" whole.page '^A second reader decoded only the records that Method names'
lacks "and do not deny it" whole.page 'no other program has confirmed'
has "without one they say so" none.page '^One reader decoded the records; no other program has confirmed them'
has "the limits tell of recovered records" cut-report.page '^Records that are not live were looked for inside the logs, and used'
lacks "and do not deny them" cut-report.page 'outside the live ones.*not (examined|used)'
has "where none were asked for they say so" none.page '^Records outside the live ones, such as deleted ones, were not used'

# --- who acted on the host process
report sample "$top/samples/forebear-sample.E01"
has "a source that is the recorded parent is called that" sample.page 'The recorded parent, also recorded as acting on the host process: .*regsvr32.exe \(9552\)'
lacks "and nothing else" sample.page 'Not (a|the recorded) parent, .*regsvr32.exe \(9552\)'

finish
