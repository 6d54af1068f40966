#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The page in other languages: the German words are complete, a lab can add a language, and a
# file with a mistake ends the run before any evidence is read.
. "${srcdir:-.}/tests/tap.sh"
sample=$top/samples/forebear-sample.E01
cd "$work" || exit 1

status_is 0 "the words of the page are listed" "$forebear" words
"$forebear" words >en.po
check "there are many, each with its template" sh -c '[ $(grep -c "^#: [a-z]*\.html:" en.po) -gt 200 ]'
"$forebear" words --language de >de.po 2>missing
cp missing "$work/.out"
[ ! -s missing ]
tap_result $? "every text of the templates has a German one"
grep -B 1 '^msgstr ""$' de.po | sed 1,2d >"$work/.out"
[ ! -s "$work/.out" ]
tap_result $? "none of them is empty"
if command -v msgfmt >/dev/null; then
    check "gettext reads the file as well" msgfmt -c -o /dev/null "$top/report-templates/de.po"
fi

status_is 0 "a report in German" "$forebear" report -q --language de -o de "$sample"
check "says its language" grep -q '<html xmlns="http://www.w3.org/1999/xhtml" lang="de">' de/report.html
check "has German headings" grep -q '>Zusammenfassung</h2>' de/report.html
check "says what is not translated" grep -q 'ist englisch' de/report.html
check "keeps the words of the program" grep -q 'Process creations\|process creations' de/report.html
check "keeps what its script compares" grep -q '<option translate="no">critical</option>' de/report.html
check "and translates what it does not" test -z "$(grep -o 'id="find-level"><option value="">all<' de/report.html)"
check "the manifest tells it" grep -q '"language": "de"' de/manifest.json
status_is 0 "a report in English" "$forebear" report -q -o en "$sample"
check "has no note of a translation" sh -c '! grep -q "fixed words of this page are translated" en/report.html'
for table in findings processes timeline evidence; do
    same "the language changes nothing in $table.csv" en/$table.csv de/$table.csv
done
# element by element the pages are the same: a translation brings no markup
for l in en de; do
    sed 's/--language de //; s/-o [a-z]* //' $l/report.html | grep -oE '<(h[1-6]|table|tr|section|dt|figure|img|script)[ >]' | sort | uniq -c >$l.elements
done
sed '/<p /d' en.elements >en.some
sed '/<p /d' de.elements >de.some
same "both pages have the same elements" en.some de.some

# --- a lab's own
mkdir lab
sed 's/^msgid "Summary"/&/; /^msgid "Summary"$/{n; s/.*/msgstr "<b>Resum<\/b>"/}' en.po >lab/ca.po
status_is 0 "a language of the lab's own" "$forebear" report -q --templates lab --language ca -o ca "$sample"
check "is taken as text, never as markup" grep -q '&lt;b&gt;Resum&lt;/b&gt;</h2>' ca/report.html
check "what it does not have stays English" grep -q '>Findings</h2>' ca/report.html
printf 'msgid ""\nmsgstr ""\n\nmsgid "Summary"\nmsgstr "a" "b"\n' >lab/xx.po
status_is 2 "a file with a mistake is refused" "$forebear" report -q --templates lab --language xx -o xx "$sample"
said "with file and line" 'lab/xx.po, line 5: '
check "nothing was written" test ! -e xx
status_is 2 "an unknown language is refused" "$forebear" report -q --language tlh -o xx "$sample"
said "by name" 'tlh.po'
status_is 2 "a language is no path" "$forebear" report -q --language ../de -o xx "$sample"
check "nothing was written" test ! -e xx
finish
