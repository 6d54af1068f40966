#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The whole program on samples that are damaged in seeded ways (tests/seeded_damage.py says
# which, and what has to hold), for ten seconds each. For a long run: DAMAGE_SECONDS=N and
# DAMAGE_ROUNDS=N; DAMAGE_FIRST=N: from seed N on; DAMAGE_KIND=log, disk.raw, volume.raw or
# E01: that alone; DAMAGE_FOLDER=DIR: keep the evidence of failures there.
. "${srcdir:-.}/tests/tap.sh"
if ! command -v python3 >/dev/null 2>&1; then
    skip "seeded damage" "python3 is not installed"
    finish
    exit 0
fi
PATH=$PATH:/usr/sbin:/sbin
folder=${DAMAGE_FOLDER:-$work}
mkdir -p "$folder"
cd "$folder" || exit 1

if command -v ewfexport >/dev/null && command -v mmls >/dev/null; then
    ewfexport -q -u -f raw -t disk "$top/samples/forebear-sample.E01" >/dev/null 2>&1
    [ -f disk.raw ] || mv disk disk.raw 2>/dev/null
    start=$(mmls disk.raw | awk '/NTFS|Basic data/ { print $3 + 0; exit }')
    dd if=disk.raw of=volume.raw bs=512 skip="$start" status=none
fi
python3 "$top/tests/seeded_damage.py" "$forebear" "$top/samples" "$folder" \
    "${DAMAGE_ROUNDS:-100}" "${DAMAGE_SECONDS:-10}" "${DAMAGE_FIRST:-0}" ${DAMAGE_KIND:+"$DAMAGE_KIND"}
