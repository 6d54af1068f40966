#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the documents show is true: every command in a ```sh block of README.md and of the
# guides, and every line of EXAMPLES in the manual page, is run in the order of the page,
# with the sample in the place of the reader's evidence and the files that the page shows
# under the names that it gives them. README's table is what a run writes; links lead
# somewhere.
. "${srcdir:-.}/tests/tap.sh"
sample=$top/samples/forebear-sample.E01
PATH=$build:$PATH
export PATH

# blocks PAGE LANGUAGE: each fenced block of it, to $work/block.N; says the last N
blocks() {
    rm -f "$work"/block.*
    awk -v out="$work/block." -v language="$2" '
        /^ *```/ && inside { inside = 0; next }
        /^ *```/ { sub(/^ */, ""); inside = $0 == "```" language ? 1 : 2; n += inside == 1; next }
        inside == 1 { print >(out n) }
        END { print n + 0 }' "$1"
}

# shown PAGE LANGUAGE N FILE: block N of the page becomes FILE
shown() {
    blocks "$1" "$2" >/dev/null
    mkdir -p "$(dirname "$4")"
    cp "$work/block.$3" "$4"
}

# What a block that builds, installs or tests needs is a machine to change, not a sample:
# tests/run and `make distcheck` do the same. Here only its programs have to be there.
is_setup() { grep -qE '(^|[ &])(samples/run|tests/run|\./autogen\.sh|make)( |$)' "$1"; }
programs_are_there() {
    for program in $(grep -oE '(samples|tests)/run|\./[a-z]+\.sh' "$1"); do
        [ -x "$top/$program" ] || { echo "$program is not there"; return 1; }
    done
}

# run_block FILE: as the reader would; 10 is what --fail-on promises of the sample
run_block() {
    sed -e "s#/cases/#cases/#g" -e "s#/mnt/image#mnt/image#g" "$1" >"$1.run"
    wanted=0 status=0 flags=-eu
    if grep -q '\$?' "$1"; then
        flags=-u # it looks at each status itself
    elif grep -q -- '--fail-on' "$1"; then
        wanted=10
    fi
    sh $flags "$1.run" >"$1.said" 2>&1 || status=$?
    cat "$1.run" "$1.said"
    echo "ended with status $status, wanted $wanted"
    [ $status = $wanted ]
}

# page NAME PATH: every command of a page
page() {
    name=$1 path=$2
    mkdir "$work/$name"
    cd "$work/$name" || exit 1
    cp -R "$work/evidence/." .
    last=$(blocks "$path" sh)
    [ "$last" -gt 0 ]
    tap_result $? "$name shows commands"
    block=1
    while [ $block -le "$last" ]; do
        first=$(head -n 1 "$work/block.$block" | cut -c 1-60)
        if is_setup "$work/block.$block"; then
            check "$name names programs that are there: $first" programs_are_there "$work/block.$block"
        else
            check "$name: $first" run_block "$work/block.$block"
        fi
        block=$((block + 1))
    done
    # a command outside a block would not be run
    awk '/^ *```/ { inside = !inside } !inside' "$path" |
        grep -nE '^( {4,}|	)(\$ |forebear |samples/|tests/|make |sudo |sha256sum )' >"$work/.out"
    [ ! -s "$work/.out" ]
    tap_result $? "$name shows no command that is not run"
    cd "$work" || exit 1
}

# --- the reader's folder
mkdir -p "$work/evidence/cases/1" "$work/evidence/mnt/image/Windows/System32/winevt/Logs"
cp "$sample" "$work/evidence/disk.E01"
cp "$sample" "$work/evidence/cases/1"
cp "$top"/samples/*.evtx "$work/evidence/mnt/image/Windows/System32/winevt/Logs"
mkdir "$work/evidence/rules"
cp "$top"/rules/*.yml "$work/evidence/rules"
cp "$top/setup.sh" "$work/evidence"
shown "$top/doc/templates.md" html 1 "$work/evidence/lab/rule.html"
shown "$top/doc/templates.md" po 1 "$work/evidence/lab/en-lab.po"
shown "$top/doc/user-guide.md" text 1 "$work/evidence/case.txt"
shown "$top/doc/user-guide.md" csv 1 "$work/evidence/decided.csv"
shown "$top/doc/detection.md" yaml 2 "$work/evidence/shells.yml"
shown "$top/doc/detection.md" yaml 3 "$work/evidence/known-good.yml"
if command -v qemu-img >/dev/null && command -v ewfexport >/dev/null; then
    ewfexport -q -u -f raw -t "$work/disk" "$sample" >/dev/null 2>&1
    qemu-img convert -f raw -O vhdx "$work"/disk* "$work/evidence/collection.vhdx"
fi

# --- the pages
page README.md "$top/README.md"
page user-guide.md "$top/doc/user-guide.md"
grep -qE '^cases/1/forebear-sample.E01: 10$' "$work"/block.*.said
tap_result $? "the batch says the status of each image"
case_report=$work/user-guide.md/case-2026-0007
grep -q 'Laboratory of Examples' "$case_report/report.html" && grep -q 'ticket 7' "$case_report/report.html" &&
    grep -q 'Europe/Berlin' "$case_report/report.html" && [ -s "$case_report/report.xlsx" ] &&
    ! grep -q DISPOSITION_UNMATCHED "$case_report/problems.csv"
tap_result $? "the report has the case file, the disposition and the zone of the guide"
page detection.md "$top/doc/detection.md"
[ "$(cat "$work"/block.*.said | grep -oE '^[0-9a-f]{64}')" = \
    "$(sed -n '/"rules": {/,/"sha256"/s/.*"sha256": "\(.*\)".*/\1/p' "$work/README.md/report/manifest.json")" ]
tap_result $? "the hash of the rules is the manifest's"
grep -q 'extended by the user: ksh.exe (shells.yml)' "$work/detection.md/report-shells/report.html"
tap_result $? "the report tells the shells that were added"
grep -q 'Help desk shells' "$work/detection.md/report-filtered/report.html"
tap_result $? "the report tells the filter"
page libraries.md "$top/doc/libraries.md"
page templates.md "$top/doc/templates.md"
grep -q 'Report of the Laboratory of Examples</h1>' "$work/templates.md/case-8/report.html"
tap_result $? "the report has the words of the worked example"
grep -q 'False positives' "$work/README.md/report/report.html" &&
    ! grep -q 'False positives' "$work/templates.md/case-7/report.html"
tap_result $? "the card of the worked example is the short one"

# --- EXAMPLES of the manual page, one command a line
mkdir "$work/man"
cd "$work/man" || exit 1
cp -R "$work/evidence/." .
sed -n '/^\.SH EXAMPLES/,/^\.fi/{/^\./d; s/\\-/-/g; p;}' "$top/doc/forebear.1" >"$work/examples"
[ -s "$work/examples" ]
tap_result $? "the manual page has examples"
while IFS= read -r example; do
    case $example in
    *collection.vhdx*)
        [ -f collection.vhdx ] || {
            skip "forebear.1: $example" "qemu-img or ewfexport is not there"
            continue
        } ;;
    esac
    printf '%s\n' "$example" >"$work/example"
    check "forebear.1: $example" run_block "$work/example"
done <"$work/examples"
if command -v man >/dev/null; then
    LC_ALL=C.UTF-8 MANROFFSEQ='' man --warnings -E UTF-8 -l -Tutf8 -Z "$top/doc/forebear.1" >/dev/null 2>"$work/.out"
    [ ! -s "$work/.out" ]
    tap_result $? "the manual page has no fault"
else
    skip "the manual page has no fault" "man is not there"
fi

# --- tables and links
sed -n '/^## The main job/,/^## /p' "$top/README.md" | grep '^| `' | cut -d '|' -f 2 |
    grep -oE '[A-Za-z0-9_]+(\.[a-z]+)?' | sort >"$work/table"
(cd "$work/README.md/report" && ls) | sort >"$work/written"
same "README's table is what a run writes" "$work/table" "$work/written"
(cd "$top" && grep -oE '\]\([^)#: ]+' README.md doc/*.md samples/README.md) | sed 's/\](/ /' |
    while IFS=': ' read -r page link; do
        [ -e "$top/$(dirname "$page")/$link" ] || echo "$page leads to $link, which is not there"
    done >"$work/.out"
[ ! -s "$work/.out" ]
tap_result $? "every link leads somewhere"

finish
