#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that are missing and builds Forebear.
#
#   ./setup.sh build              what a build needs; builds in build/
#   ./setup.sh test               also what the tests need; builds in build/
#   ./setup.sh in FOLDER ARG...   builds for tests in FOLDER, with arguments for configure
#   ./setup.sh packages           prints what a build needs, installs nothing; with "test"
#                                 what the tests need; with "run" what a machine needs to
#                                 which the built program is copied
#
# Used by samples/run and tests/run. Needs root or sudo only where a package is missing.
set -eu
cd "$(dirname "$0")"

build_packages="gcc make autoconf automake pkg-config libc6-dev
    libevtx-dev libbfio-dev libewf-dev libtsk-dev libxml2-dev libcsv-dev libyaml-dev
    libssl-dev libdeflate-dev zlib1g-dev libjson-c-dev libxlsxwriter-dev tzdata"
test_packages="$build_packages libcmocka-dev clang clang-format
    ntfs-3g-dev ntfs-3g dosfstools mtools e2fsprogs exfatprogs fdisk
    qemu-utils ewf-tools sleuthkit libevtx-utils libxml2-utils libclang-rt-14-dev chromium python3 tidy poppler-utils man-db strace"

run_packages="libewf2 libtsk19 libxml2 libcsv3 libyaml-0-2 libssl3 libdeflate0 zlib1g
    libjson-c5 libxlsxwriter4 tzdata"

missing_of() {
    for package; do
        dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null |
            grep -qx installed || printf '%s ' "$package"
    done
}

install_missing() {
    command -v dpkg-query >/dev/null || {
        echo "setup.sh: this is no Debian system; install these, or what has their content: $*" >&2
        return 0
    }
    missing=$(missing_of "$@")
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            echo "setup.sh: packages are missing; as root:" \
                "apt-get update && apt-get install --no-install-recommends $missing" >&2
            exit 1
        }
        as_root=sudo
    fi
    echo "installing: $missing"
    # shellcheck disable=SC2086 # the list is meant to be split
    {
        $as_root apt-get update -q &&
            $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -q -y \
                --no-install-recommends $missing
    } >setup.log 2>&1 || {
        tail -n 20 setup.log >&2
        echo "setup.sh: apt-get failed; setup.log has all of it" >&2
        exit 1
    }
    rm -f setup.log
}

# build_in FOLDER WHAT [configure argument]...: what was configured for a build alone is
# configured again for the tests, whose packages may have come since
build_in() {
    folder=$1 what=$2
    shift 2
    [ -w . ] || { echo "setup.sh: $PWD cannot be written to; build in a copy of your own" >&2; exit 1; }
    if [ ! -x configure ] || [ configure.ac -nt configure ] || [ ! -f Makefile.in ] ||
        [ Makefile.am -nt Makefile.in ]; then
        ./autogen.sh >autogen.log 2>&1 || { cat autogen.log >&2; exit 1; }
        rm -f autogen.log
    fi
    mkdir -p "$folder"
    # a relative path: configure takes no absolute one that has a space
    configure=$(echo "$folder" | sed 's#[^/][^/]*#..#g')/configure
    (
        cd "$folder"
        if [ ! -f Makefile ] || { [ "$what" = test ] && [ ! -f for-tests ]; }; then
            "$configure" -q "$@"
            [ "$what" != test ] || : >for-tests
        fi
        make -s -j"$(nproc)" 2>make.err || { cat make.err >&2; exit 1; }
    )
}

case ${1-build} in
build)
    # shellcheck disable=SC2086
    install_missing $build_packages
    build_in build build
    ;;
test)
    # shellcheck disable=SC2086
    install_missing $test_packages
    build_in build test
    ;;
in)
    folder=$2
    shift 2
    build_in "$folder" test "$@"
    ;;
packages)
    case ${2-build} in
    build) echo $build_packages ;;
    test) echo $test_packages ;;
    run) echo $run_packages ;;
    esac
    ;;
*)
    sed -n '3,12p' "$0" >&2
    exit 2
    ;;
esac
