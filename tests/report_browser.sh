#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The report in a real browser (headless Chromium), with harmless and with hostile values:
# the HTML parser builds the tree that the XML parser builds, no value becomes an element,
# the console stays silent, nothing is asked of the network, no foreign script runs. Then the
# sample's report and one with all hostile values are used as a reader would use them:
# searched, filtered, walked by keyboard, copied from, printed. Pictures of what was seen
# are left in browser-shots/ of the build folder.
. "${srcdir:-.}/tests/tap.sh"
render=$build/tests/report_render
for browser in chromium chromium-browser google-chrome none; do
    command -v "$browser" >/dev/null 2>&1 && break
done
if [ "$browser" = none ] || ! command -v python3 >/dev/null 2>&1 || ! command -v pdftotext >/dev/null 2>&1; then
    skip "the page in a browser" "chromium, python3 and poppler-utils are not all installed"
    finish
    exit 0
fi
shots=$build/browser-shots
rm -rf "$shots"
mkdir -p "$shots"

# axe-core is for development alone: fetched once where npm can, else left out.
axe=$build/cache/axe.min.js
if [ ! -s "$axe" ] && command -v npm >/dev/null 2>&1; then
    mkdir -p "$build/cache"
    (cd "$build/cache" && timeout 60 npm pack --silent axe-core@4.10.3 >/dev/null 2>&1 &&
        tar -xzOf axe-core-4.10.3.tgz package/axe.min.js >axe.part && mv axe.part axe.min.js)
    rm -f "$build/cache/axe.part"
fi
[ -s "$axe" ] || skip "axe-core" "npm cannot fetch it here"

cd "$work" || exit 1
"$render" plain >/dev/null || exit 1
"$render" all all >/dev/null || exit 1
"$forebear" report -q --case 2026-17 --examiner "A. Examiner" -o sample "$top/samples/forebear-sample.E01" >/dev/null 2>&1
for scenario in 11-injection 16-hostile-text; do
    mkdir "logs-$scenario"
    "$build/tests/make_evtx" "$top/tests/scenarios/$scenario.scenario" "logs-$scenario" >/dev/null
    "$forebear" report -q -o "$scenario" "logs-$scenario" >/dev/null 2>&1
done
"$forebear" report -q --language de --timezone Europe/Berlin -o zoned "$top/samples/forebear-sample.E01" >/dev/null 2>&1
set -- plain =zoned +sample +all 11-injection 16-hostile-text
"$render" values >values
for name in joined script U+202E "not UTF-8" NUL; do
    folder=$(printf %s "$name" | tr -c 'A-Za-z0-9' _)
    "$render" "$folder" "$name" >/dev/null || exit 1
    set -- "$@" "$folder"
done

# One line for each page and question: "ok what" or "not ok what", then why.
timeout 900 python3 "$top/tests/report_browser.py" "$browser" "$work/profile" "$shots" values \
    "$top/tests/words_not_used.tsv" "$axe" "$@" >answers 2>errors
status=$?
cat errors >"$work/.out"
while IFS='	' read -r verdict what why; do
    printf '%s\n' "$why" >"$work/.out"
    [ "$verdict" = ok ]
    tap_result $? "$what"
done <answers
cat errors answers >"$work/.out"
[ "$status" = 0 ] && [ -s answers ]
tap_result $? "the browser looked at every page"

if command -v tidy >/dev/null 2>&1; then
    for page in plain sample all 11-injection 16-hostile-text; do
        tidy -utf8 -quiet -errors "$page/report.html" >"$work/.out" 2>&1
        [ ! -s "$work/.out" ]
        tap_result $? "$page: a validator has nothing to say"
    done
else
    skip "a validator's word" "tidy is not installed"
fi
finish
