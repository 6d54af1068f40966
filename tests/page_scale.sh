#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The page does not grow with what was found: it leaves out, says so where it does, and names
# the CSV file that has it all. Three shapes of much, each once and once four times as large.
. "${srcdir:-.}/tests/tap.sh"
cd "$work" || exit 1

. "$top/tests/page_shapes.sh"

report() { # SHAPE N [OPTION...]: the report in SHAPE-N
    of=$1-$2
    mkdir "logs-$of"
    "$1" "$2" >scenario
    check "a report on $2 $1" test -s scenario
    shift 2
    "$build/tests/make_evtx" scenario "logs-$of" >/dev/null &&
        "$forebear" report -q "$@" -o "$of" "logs-$of" >/dev/null 2>"$of.stderr"
    check "is written" test -s "$of/report.html"
}
# What four times as much may add to the page: digits, and where a picture's marks lie.
at_most_larger() { # SMALL LARGE
    small=$(wc -c <"$1/report.html") large=$(wc -c <"$2/report.html")
    echo "$1: $small bytes, $2: $large"
    [ "$large" -lt $((small + small / 33)) ] && [ "$large" -lt 20000000 ]
}
rows() { tail -n +2 "$1" | grep -c .; } # of a CSV file without line ends in its cells
links_lead_somewhere() { # PAGE: each link within the page has its target
    grep -o 'href="#[^"]*"' "$1" | cut -d'#' -f2 | tr -d '"' | LC_ALL=C sort -u >links
    grep -o ' id="[^"]*"' "$1" | cut -d'"' -f2 | LC_ALL=C sort >ids
    [ -s links ] && LC_ALL=C sort -u ids | LC_ALL=C comm -23 links - >lost
    head -n 3 lost
    LC_ALL=C uniq -d ids | head -n 3 >twice
    cat twice
    [ ! -s lost ] && [ ! -s twice ]
}
says() { # NAME FOLDER PATTERN: where the page leaves something out
    check "$1" grep -qE "class=\"left-out\">Left out here: $3" "$2/report.html"
}

for shape in 'events 6000 24000' 'findings 1100 4400' 'hosts 400 1600'; do
    set -- $shape
    report "$1" "$2"
    report "$1" "$3"
    check "four times the $1 make no larger a page" at_most_larger "$1-$2" "$1-$3"
    check "each link of the page with many $1 has its one target" \
        links_lead_somewhere "$1-$3/report.html"
    check "problems.csv tells that the page with many $1 was shortened" \
        grep -q '^REPORT_SHORTENED,' "$1-$3/problems.csv"
done

# A rule of the user's own: whoami matches it under its shell and ends a burst under msra.exe,
# so it has a card in two sections.
mkdir rules
cp "$top"/rules/*.yml rules
cat >rules/own.yml <<'END'
title: Whoami started
id: 11111111-2222-3333-4444-555555555555
level: low
logsource:
  category: process_creation
  product: windows
detection:
  sel:
    Image|endswith: '\whoami.exe'
  condition: sel
END
report nested 6 --rules rules
check "each link of a page with hosts in hosts' families has its one target" \
    links_lead_somewhere nested-6/report.html
tail -n +2 nested-6/findings.csv | cut -d, -f1 | LC_ALL=C sort >told
LC_ALL=C comm -23 told ids >lost
check "and each finding its anchor" test ! -s lost -a -s told

says "events are left out by name of timeline.csv" events-24000 \
    '19003 more events\. timeline\.csv has all of them'
check "which has them" test "$(rows events-24000/timeline.csv)" -ge 24003
says "creations are left out by name of findings.csv" findings-4400 \
    '4200 more matched process creations\. findings\.csv has all of them'
check "which has them" test "$(rows findings-4400/findings.csv)" -ge $((3 * 4400))
says "processes are left out by name of processes.csv" findings-4400 \
    '3402 more processes\. processes\.csv has all of them'
check "which has them" test "$(rows findings-4400/processes.csv)" -ge 4402
says "sections are left out by name of findings.csv" hosts-1600 \
    '1500 more host processes with findings\. findings\.csv has all of them'
says "lines of the summary, too" hosts-1600 \
    '1300 more host processes with findings\. findings\.csv has all of them'
check "which has them" test "$(rows hosts-1600/findings.csv)" -ge $((3 * 1600))
says "events on host processes are left out by name of corroboration.csv" hosts-1600 \
    '1570 more\. corroboration\.csv has all of them'
check "which has them" test "$(rows hosts-1600/corroboration.csv)" -ge 1600
finish
