# SPDX-License-Identifier: Apache-2.0
# Sourced by tests/evidence*.sh: a folder to work in, TAP, and the images to test with.

PATH=$PATH:/usr/sbin:/sbin
export PATH LC_ALL=C.UTF-8
builddir=$(cd "${builddir:-.}" && pwd)
tool=$builddir/tests/evidence_tool
ntfs_image=$builddir/tests/ntfs_image
winevt=Windows/System32/winevt/Logs
work=$(mktemp -d)
trap 'chmod -R u+rwx "$work" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 99
# libewf leaks a chunk that it cannot find.
echo leak:libewf > lsan.supp
export LSAN_OPTIONS=suppressions=$work/lsan.supp:print_suppressions=0

number=0
ok() { number=$((number + 1)); echo "ok $number - $1"; }
not_ok() {
    number=$((number + 1))
    echo "not ok $number - $1"
    sed 's/^/# /' out
}
skip() { number=$((number + 1)); echo "ok $number - $1 # SKIP $2"; }
have() { for program; do command -v "$program" > /dev/null || return 1; done; }
# check NAME COMMAND...: passes if the command does
check() { name=$1; shift; if "$@"; then ok "$name"; else not_ok "$name"; fi; }
run() { "$tool" "$@" > out 2>&1; }
says() { grep -Eq -- "$1" out; }
# A log found at path $1 with the content of file $2, and no damage told
finds() { grep -q "^log $1 size=$(stat -c %s "$2") sha256=$(sha256sum < "$2" | cut -c1-64) " out; }

# Not decodable, but a log to this layer: its signature, then lines that differ.
make_log() {
    { printf 'ElfFile\0'; awk -v n="$2" -v s="$1" 'BEGIN {
        for (i = 0; i < n; i++) printf "%s %09d\n", s, i * 7919 }'; } > "$1.evtx"
}
make_log Sysmon 15000
make_log Old 9000

# make_ntfs IMAGE MIB STEP...
make_ntfs() {
    image=$1 size=$2
    shift 2
    truncate -s "${size}M" "$image" &&
        mkntfs -F -Q -q -s 512 -p 0 -H 0 -S 0 -c 4096 "$image" > /dev/null 2>&1 &&
        "$ntfs_image" "$image" "$@"
}
