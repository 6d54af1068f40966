#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The whole program on every evidence form, as a user runs it; the tables are compared with
# tests/golden byte by byte. UPDATE_GOLDEN=1 writes them anew: read the difference before
# you commit it.
. "${srcdir:-.}/tests/tap.sh"
golden=$top/tests/golden
sample=$top/samples/forebear-sample.E01
tables='findings corroboration processes timeline evidence problems coverage hosts'
cd "$work" || exit 1
SOURCE_DATE_EPOCH=1767225600
export SOURCE_DATE_EPOCH

# report NAME EVIDENCE...: the report in $work/NAME
report() {
    name=$1
    shift
    status_is 0 "$name: the report is written" "$forebear" report -q --hash=sha1,md5 --rehash \
        --schema=cim,asim,ecs --case 2026-001 --examiner "A. Sample" -o "$name" "$@"
}

# golden NAME SET EVIDENCE: its tables are those of tests/golden/SET, without what differs
# from form to form or run to run: the name of the evidence, the format of an image, and
# the times at which this test made its copies of the logs
golden() {
    for table in $tables findings_cim findings_asim findings_ecs; do
        sed -E -e "s#$3#EVIDENCE#g" -e 's#,[^,"]* image[^,"]*,#,FORMAT,#' \
            -e 's#,(2026-(0[2-9]|1[0-2])|202[7-9]-..|20[3-9]..-..)-..T[^,]*#,NOW#g' \
            "$1/$table.csv" >"$1/$table.golden"
        if [ -n "${UPDATE_GOLDEN-}" ]; then
            mkdir -p "$golden/$2"
            cp "$1/$table.golden" "$golden/$2/$table.csv"
        fi
        same "$1: $table.csv" "$golden/$2/$table.csv" "$1/$table.golden"
    done
}

# the same bytes of evidence before and after, and the same times
state_of() { for f; do sha256sum "$f"; stat -c '%n %s %y %z' "$f"; done; }

ewfexport -q -u -f raw -t disk "$sample" >/dev/null 2>&1
[ -f disk.raw ] || mv disk disk.raw 2>/dev/null
cp "$sample" sample.E01
start=$(mmls disk.raw | awk '/NTFS|Basic data/ { print $3 + 0; exit }')

state_of sample.E01 >before
report e01 sample.E01
golden e01 image 'sample\.E01'
state_of sample.E01 >after
same "evidence keeps its bytes and its times" before after

report raw disk.raw
golden raw image 'disk\.raw'

split -b 3M -d -a 3 disk.raw disk.raw.
number=1
for f in disk.raw.[0-9]*; do
    mv "$f" "$(printf 'split.%03d' $number)"
    number=$((number + 1))
done
report split split.001
golden split image 'split\.001'

ewfacquirestream -q -b 64 -c fast -S 1048576 -t segments -C 2026-001 -E 7 -e "A. Sample" -N notes -D sample \
    <disk.raw >/dev/null 2>&1
[ "$(ls segments.E0* | wc -l)" -gt 0 ]
tap_result $? "an E01 image was made"
report segments segments.E01
golden segments image 'segments\.E01'

for form in vmdk vpc:vhd vhdx; do
    qemu-img convert -f raw -O "${form%%:*}" disk.raw "form.${form##*:}" >"$work/.out" 2>&1
    report "${form##*:}" "form.${form##*:}"
    golden "${form##*:}" image "form\\.${form##*:}"
done

dd if=disk.raw of=volume.raw bs=512 skip="$start" status=none
report volume volume.raw
golden volume volume 'volume\.raw'

mkdir -p collection/Windows/System32/winevt/Logs
cp "$top"/samples/*.evtx collection/Windows/System32/winevt/Logs
find collection -exec touch -d 2026-01-15T00:00:00Z {} +
report folder collection
# times of a copied file are the copy's
golden folder folder "collection"

cp "$(ls "$top"/samples/*.evtx | head -n 1)" one.evtx
touch -d 2026-01-15T00:00:00Z one.evtx
report file one.evtx
golden file file 'one\.evtx'

mkdir again
cp -p sample.E01 again
cd again || exit 1
report e01 sample.E01
cd ..
for f in $(cd e01 && ls *.csv report.html manifest.json run.log SHA256SUMS); do
    same "the same evidence and options give the same $f" "e01/$f" "again/e01/$f"
done

finish
