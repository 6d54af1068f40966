#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a lab says of its case: case file, logo, dispositions, time zone, in every output.
. "${srcdir:-.}/tests/tap.sh"
sample=$top/samples/forebear-sample.E01
SOURCE_DATE_EPOCH=1767225600
export SOURCE_DATE_EPOCH
cd "$work" || exit 1

# --- the case file
mkdir lab
printf '\211PNG\r\n\032\n\0\0\0\rIHDR\0\0\0\001\0\0\0\001\010\006\0\0\0\037\025\304\211\0\0\0\rIDATx\234c\0\001\0\0\005\0\001\r\n-\264\0\0\0\0IEND\256B`\202' >lab/logo.png
cat >case.txt <<'END'
# cover
Case number: 2026-0007
Evidence number: A-1
Evidence number: A-2
Examiner: Á. Sample <b>
Laboratory: Lab of Examples
Client: Public <prosecutor>
Reference: 3 Js 1/26
Received: 2026-01-15
Signature: yes
Logo: lab/logo.png

Notes:
Line one & more.
  Line two: {case-number}
END
status_is 0 "a report with a case file" "$forebear" report -q --case-file case.txt --examiner "B. Other" -o r "$sample"
for words in '2026-0007' 'A-1, A-2' 'B. Other' 'Lab of Examples' 'Public &lt;prosecutor&gt;' '3 Js 1/26' '2026-01-15' \
    'Line one &amp; more.' '  Line two: {case-number}' 'src="data:image/png;base64,iVBORw0KGgo' '<caption>Signature'; do
    check "the page has: $words" grep -qF "$words" r/report.html
done
check "the command line overrides" sh -c '! grep -q "Á. Sample" r/report.html'
check "the manifest has the file's hash" grep -q "$(sha256sum <case.txt | cut -c 1-64)" r/manifest.json
check "and its values" grep -q '"laboratory": "Lab of Examples"' r/manifest.json
printf 'Case number: 1\nCase-number: 2\n' >bad.txt
status_is 2 "an unknown key is refused" "$forebear" report -q --case-file bad.txt -o bad "$sample"
said "with file and line" 'bad.txt, line 2: there is no such key: Case-number'
check "and nothing is written" test ! -e bad
status_is 0 "the logo of the templates' folder is taken" "$forebear" report -q --templates lab -o logo "$sample"
check "as data" grep -qF 'src="data:image/png;base64,' logo/report.html
printf 'GIF89a' >lab/logo.png
status_is 2 "what is no picture is refused" "$forebear" report -q --templates lab -o bad "$sample"
said "by name" 'lab/logo.png: a logo is a PNG or JPEG'

# --- dispositions
"$forebear" report -q -o plain "$sample" >/dev/null
one=$(sed -n 2p plain/findings.csv | cut -d , -f 1) two=$(sed -n 3p plain/findings.csv | cut -d , -f 1)
printf 'finding,disposition,initials,date,reason\n%s,benign,AS,2026-01-16,"help desk, <b>ticket</b> 7"\n%s,confirmed,AS,,=see notes\nF-000000000000,open,AS,,other case\n' \
    "$one" "$two" >d.csv
status_is 0 "a report with dispositions" "$forebear" report -q --dispositions d.csv -o d "$sample"
said "tells how many" '1 finding confirmed, 1 benign, 0 open; [0-9]+ without one'
check "findings.csv has them" sh -c 'sed -n 2p d/findings.csv | grep -q ",benign,AS,2026-01-16,\"help desk, <b>ticket</b> 7\"" '
check "at their findings alone" sh -c '[ $(grep -c ",benign,AS," d/findings.csv) = 1 ]'
check "the page has them" grep -qF 'help desk, &lt;b&gt;ticket&lt;/b&gt; 7' d/report.html
check "one for no finding is told" grep -q '^DISPOSITION_UNMATCHED.*line 4.*F-000000000000' d/problems.csv
check "the manifest has the file's hash" grep -q "$(sha256sum <d.csv | cut -c 1-64)" d/manifest.json
cut -d , -f 1 plain/findings.csv >ids
cut -d , -f 1 d/findings.csv >ids.d
same "no finding is taken away" ids ids.d
status_is 10 "nor does --fail-on look at them" "$forebear" report -q --fail-on low --dispositions d.csv -o d10 "$sample"
printf '%s,open,AS,,r\n' "$one" >>d.csv
status_is 2 "two rows that disagree are refused" "$forebear" report -q --dispositions d.csv -o bad "$sample"
said "with both lines" "d.csv, line 5: another row about this finding says otherwise: $one, line 2"
check "and nothing is written" test ! -e bad

for date in 16.1.2026 2026-02-30 yesterday 2026-1-6; do
    printf 'finding,disposition,initials,date,reason\n%s,open,AS,%s,r\n' "$one" "$date" >when.csv
    status_is 2 "the date $date is refused" "$forebear" report -q --dispositions when.csv -o bad "$sample"
    said "with its line" "when.csv, line 2: a date is a day as 2026-01-16 or a time, not: $date"
done
for date in 2026-02-28 2026-02-28T08:00:00 2026-02-28T08:00:00+02:00; do
    printf 'finding,disposition,initials,date,reason\n%s,open,AS,%s,r\n' "$one" "$date" >when.csv
    check "the date $date is taken" "$forebear" report -q --force --dispositions when.csv -o when "$sample"
done

# A disposition finds its finding in every form of the evidence and with every reader.
mkdir logs
cp "$top"/samples/*.evtx logs
"$forebear" report -q -o evtx --jobs 3 logs >/dev/null
"$forebear" report -q -o libevtx --reader=libevtx "$sample" >/dev/null
for form in plain evtx libevtx; do cut -d , -f 1 $form/findings.csv | grep ^F- | sort >$form.ids; done
same "the findings have the same names in plain logs" plain.ids evtx.ids
same "the findings have the same names with libevtx" plain.ids libevtx.ids
mkdir rules
for f in "$top"/rules/*.yml; do sed 's/^modified: .*/modified: 2031-01-01/' "$f" >"rules/$(basename "$f")"; done
"$forebear" report -q -o newer --rules rules "$sample" >/dev/null
cut -d , -f 1 newer/findings.csv | grep ^F- | sort >newer.ids
same "the findings have the same names with newer rules" plain.ids newer.ids

# --- time zone
for zone in Europe/Berlin +05:30; do
    name=zone${zone%/*}
    case $zone in
    +*) shown=$zone ;; # an offset is its own name
    *) shown="+01:00 $zone" ;;
    esac
    status_is 0 "a report with times of $zone" "$forebear" report -q --timezone $zone -o "$name" "$sample"
    for table in findings processes timeline evidence problems; do
        same "$zone changes nothing in $table.csv" plain/$table.csv "$name/$table.csv"
    done
    check "the page names the zone" grep -q "in the time zone $zone" "$name/report.html"
    # each recorded time of the page's text is followed by the second one (values are evidence)
    sed -n 's/.*<td class="time">\(2026[^<]*\)<.*/\1/p' "$name/report.html" | grep -v "^2026-[-0-9T:.]*Z (2026-[-0-9T:.]*$shown)" >"$work/.out"
    [ ! -s "$work/.out" ] && grep -q '<td class="time">2026' "$name/report.html"
    tap_result $? "each time of a table has a second one"
done
check "summer and winter differ" sh -c 'grep -q "T09:00:04.0000000+01:00 Europe/Berlin" zoneEurope/report.html'
for zone in Mars/Olympus ../etc 2:00 CEST; do
    status_is 2 "--timezone=$zone is wrong usage" "$forebear" report -q --timezone=$zone -o bad "$sample"
done
check "and nothing is written" test ! -e bad
finish
