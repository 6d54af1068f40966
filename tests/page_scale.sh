#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The page does not grow with what was found: it leaves out, says so where it does, and names
# the CSV file that has it all. Three shapes of much, each once and once four times as large.
. "${srcdir:-.}/tests/tap.sh"
cd "$work" || exit 1

head='t0 2026-01-01T00:00:00Z
log Microsoft-Windows-Sysmon%4Operational.evtx
host PC-17.corp.example machine 0x00000001 user CORP\anna
process explorer pid 10 at +0s image C:\Windows\explorer.exe parent -'
msra='process msra pid 30 at +10s image C:\Windows\SysWOW64\msra.exe parent explorer'
child='image C:\Windows\SysWOW64\whoami.exe command "whoami /all'

events() { # N events of one family
    printf '%s\n' "$head" "$msra" "process whoami pid 40 at +20s $child\" parent msra" \
        "repeat $1 i" \
        'event 11 at ++0.01s process msra TargetFilename=C:\Users\anna\file$i.txt' 'done'
}
findings() { # N creations under one host process
    printf '%s\n' "$head" "$msra" "repeat $1 i" \
        "process w\$i pid \$(i+100) at ++0.1s $child \$i\" parent msra" 'done'
}
hosts() { # N host processes with one creation each
    printf '%s\n' "$head" "repeat $1 i" \
        'process msra$i pid $(i+30) at ++1s image C:\Windows\SysWOW64\msra.exe parent explorer' \
        "process w\$i pid \$(i+20000) at ++0.1s $child \$i\" parent msra\$i" 'done'
}
report() { # SHAPE N: the report in SHAPE-N
    mkdir "logs-$1-$2"
    "$1" "$2" >scenario
    "$build/tests/make_evtx" scenario "logs-$1-$2" >/dev/null &&
        "$forebear" report -q -o "$1-$2" "logs-$1-$2" >/dev/null 2>"$1-$2.stderr"
    check "a report on $2 $1" test -s "$1-$2/report.html"
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
