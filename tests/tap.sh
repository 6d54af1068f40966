# SPDX-License-Identifier: Apache-2.0
# tap.sh - what every test script sources: TAP lines, a folder of its own, and where things are.
#
#   check NAME COMMAND...      ok if the command succeeds; its output is shown if not
#   status_is N NAME COMMAND... ok if it ends with exactly that status
#   same NAME FILE FILE        ok if two files are equal, byte for byte
#   skip NAME WHY              neither
#   finish                     the plan; the last line of a script
# $work is an empty folder that goes away with the script; $top the source tree.
set -u
srcdir=${srcdir:-.}
builddir=${builddir:-.}
top=$(cd "$srcdir" && pwd)
build=$(cd "$builddir" && pwd)
srcdir=$top builddir=$build # programs that a script runs in its own folder find them, too
export srcdir builddir
forebear=$build/forebear
: "${SHARED_DATA:=$top/../shared/data}"
work=$(mktemp -d "${TMPDIR:-/tmp}/forebear-test.XXXXXX")
trap 'chmod -R u+rwx "$work" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
tap_count=0
# What the libraries of image formats leave behind on damaged images.
printf 'leak:libewf\nleak:libtsk\nleak:libvhdi\n' >"$work/.lsan"
LSAN_OPTIONS="suppressions=$work/.lsan:print_suppressions=0"
export LSAN_OPTIONS

tap_result() { # STATUS NAME
    tap_count=$((tap_count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $tap_count - $2"
    else
        echo "not ok $tap_count - $2"
        sed 's/^/# /' "$work/.out" | tail -n 30
    fi
}

check() {
    tap_name=$1
    shift
    tap_status=0
    "$@" >"$work/.out" 2>&1 || tap_status=$?
    tap_result "$tap_status" "$tap_name"
}

status_is() {
    tap_wanted=$1 tap_name=$2
    shift 2
    tap_status=0
    "$@" >"$work/.out" 2>&1 || tap_status=$?
    echo "ended with status $tap_status, wanted $tap_wanted" >>"$work/.out"
    [ "$tap_status" = "$tap_wanted" ]
    tap_result $? "$tap_name"
}

# said NAME PATTERN: the last command's output (stdout and stderr) has a line like that
said() {
    grep -qE -- "$2" "$work/.out"
    tap_result $? "$1"
}

same() {
    tap_status=0
    cmp "$2" "$3" >"$work/.out" 2>&1 || tap_status=$?
    [ "$tap_status" = 0 ] || diff "$2" "$3" 2>&1 | cut -c 1-300 | head -n 20 >>"$work/.out"
    tap_result "$tap_status" "$1"
}

skip() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

finish() { echo "1..$tap_count"; }
