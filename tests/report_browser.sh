#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The report in a real browser (headless Chromium), with harmless and with hostile values:
# the HTML parser builds the tree that the XML parser builds, no value becomes an element,
# the console stays silent, nothing is asked of the network, no script runs.
. "${srcdir:-.}/tests/tap.sh"
render=$build/tests/report_render
for browser in chromium chromium-browser google-chrome none; do
    command -v "$browser" >/dev/null 2>&1 && break
done
if [ "$browser" = none ] || ! command -v python3 >/dev/null 2>&1; then
    skip "the page in a browser" "chromium and python3 are not both installed"
    finish
    exit 0
fi
cd "$work" || exit 1

"$render" plain >/dev/null || exit 1
set -- plain
"$render" names >names
while IFS= read -r name; do
    case $name in leading*) continue ;; esac # a matter of CSV alone
    folder=$(printf %s "$name" | tr -c 'A-Za-z0-9' _)
    "$render" "$folder" "$name" >/dev/null || exit 1
    set -- "$@" "$folder"
done <names

# One line for each page and question: "ok what" or "not ok what", then why.
timeout 300 python3 "$top/tests/report_browser.py" "$browser" "$work/profile" "$@" >answers 2>errors
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
finish
