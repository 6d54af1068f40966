#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# forebear self-test: holds on an installed copy without its source tree, with both readers,
# and notices a program that does not do what it should.
. "${srcdir:-.}/tests/tap.sh"

mkdir "$work/elsewhere" "$work/tmp"
cp "$build/forebear" "$work/elsewhere/forebear"
cd "$work/elsewhere" || exit 1
TMPDIR=$work/tmp
export TMPDIR

statements() { sed -n '/^## Statements/,$p' "$1"; }

check "every statement holds, without the source tree" sh -c './forebear self-test > native.md'
[ -z "$(ls "$work/tmp")" ]
tap_result $? "nothing is left behind"
setsid ./forebear self-test >stopped.md 2>"$work/.out" &
pid=$!
sleep 0.3
kill -s TERM $pid
wait $pid 2>/dev/null
check "one that is stopped says nothing" test ! -s stopped.md
check "and leaves neither files" test -z "$(ls "$work/tmp")"
check "nor processes" sh -c 'sleep 0.2; ! cat /proc/[0-9]*/stat 2>/dev/null | grep -E "^[0-9]+ \(forebear\) [^ZX] [0-9]+ [0-9]+ $1 "' - $pid
status_is 4 "a full disk ends it with 4" sh -c './forebear self-test >/dev/full'
said "which is said" 'cannot write to standard output'
head -n 9 native.md >"$work/.out"
said "the record names the program and its digest" "^- Program: Forebear .*, SHA-256 $(sha256sum forebear | cut -c1-64)\$"
said "the record names the rules" '^- Rules: [0-9]+, SHA-256 over their files [0-9a-f]{64}$'
said "the record names the libraries" '^- Libraries: libevtx .*libdeflate '
check "the record says that images are not tested" grep -q 'No image was opened\.$' native.md
check "with the other reader too" sh -c './forebear self-test --reader=libevtx > libevtx.md'
statements native.md >native.statements
statements libevtx.md >libevtx.statements
same "both say the same" native.statements libevtx.statements
cd "$top" || exit 1
sh doc/validation.sh "$build/forebear" >"$work/validation.md"
same "doc/validation.md is what the program says" doc/validation.md "$work/validation.md"
cd "$work/elsewhere" || exit 1

check "--keep keeps" sh -c './forebear self-test --keep kept > kept.md'
[ -s kept/01-chain/report/report.html ] && [ -s kept/truth-table/logs/Microsoft-Windows-Sysmon%4Operational.evtx ]
tap_result $? "logs and reports are there"
./forebear self-test --keep kept >"$work/.out" 2>&1
[ $? = 4 ]
tap_result $? "a folder that is there already is refused"
TMPDIR=$work/nowhere ./forebear self-test >"$work/.out" 2>&1
[ $? = 4 ]
tap_result $? "without a place for its logs nothing is claimed"

# A program whose rule was changed, in place, to look for another name.
LC_ALL=C sed 's/\\whoami\.exe/\\whoamx.exe/g' forebear >changed
chmod +x changed
! cmp -s forebear changed
tap_result $? "the program can be changed for the test"
./changed self-test >changed.md 2>"$work/.out"
[ $? = 4 ] && grep -q 'NOT HELD' changed.md
tap_result $? "a changed rule is noticed"
finish
