#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Damaged, incomplete, locked and unknown evidence; evidence is never changed.
. "${srcdir:-.}/tests/evidence_common.sh"
echo 1..63

# --- bad input
: > empty.bin
run empty.bin
check 'an empty file' says '^problem EVIDENCE_UNREADABLE: the file is empty'
echo 'Dear diary' > text.txt
run text.txt
check 'a text file' says '^problem EVIDENCE_UNREADABLE: neither an event log nor an export of events: a text'
run absent Sysmon.evtx
check 'a path that is not there' says '^problem EVIDENCE_UNREADABLE: cannot be opened: No such file'
check 'what stands beside it is read' finds Sysmon.evtx Sysmon.evtx
mkfifo pipe
run pipe
check 'a pipe is not opened' says '^problem EVIDENCE_UNREADABLE: neither a regular file'
cat text.txt | "$tool" /dev/stdin > out 2>&1
check 'nor one without a path' says '^problem EVIDENCE_UNREADABLE: neither a regular file.*must be written to a file first'
# magic FILE-NAME BYTES WORDS
magic() {
    { printf "$2"; head -c 8192 /dev/zero; } > "$1"
    run "$1"
    check "recognised: $3" says "^problem EVIDENCE_UNSUPPORTED: $3.*: [a-z]"
}
magic a.Ex01 'EVF2\r\n\201\000' 'Ex01 image'
magic a.aff4 'PK\003\004\024\000\000\000\000\000container.description' 'AFF4 image'
magic a.zip 'PK\003\004\024\000\000\000\000\000report.txt' 'ZIP archive'
magic a.aff 'AFF10\r\n\000' 'AFF image'
mkdir -p closed/in closed/open && cp Old.evtx closed/open/ && chmod 0 closed/in && chmod 755 "$work" closed closed/open
echo '{"Event":{}}' > closed/open/events.json && chmod 0 closed/open/events.json
closed() { # with the tool's report on it in `out`
    check 'a folder without permission' says '^problem EVIDENCE_UNREADABLE log=in: the folder cannot be read'
    check 'and a file that may be an export' says '^problem EVIDENCE_UNREADABLE log=open/events.json: the file cannot be read'
    check 'the rest of it is read' finds open/Old.evtx Old.evtx
}
if [ "$(id -u)" != 0 ]; then
    run closed
    closed
elif have setpriv && setpriv --reuid=65534 --clear-groups test -x "$tool"; then
    setpriv --reuid=65534 --clear-groups "$tool" closed > out 2>&1
    closed
else
    for what in 'a folder without permission' 'and a file that may be an export' 'the rest of it is read'; do
        skip "$what" 'run by root'
    done
fi
chmod 700 closed/in

# --- the evidence changes
cp Sysmon.evtx changing.evtx
run --change=changing.evtx changing.evtx
check 'a log that changes is told' says '^problem EVIDENCE_CHANGED'
run Sysmon.evtx
check 'one that does not is not' sh -c 'grep -q "unchanged=1" out && ! grep -q CHANGED out'

# --- output folders
mkdir -p case/sub && ln -s case alias
check 'inside the evidence' "$tool" --contains case/sub/new/report case
check 'the evidence itself' "$tool" --contains case case
check 'through a link' "$tool" --contains alias/report case
check 'with dots' "$tool" --contains case/sub/../report case
check 'a neighbour with the same beginning' sh -c "! '$tool' --contains casework case"
check 'another folder' sh -c "! '$tool' --contains out-dir case Sysmon.evtx"

if [ -x "$ntfs_image" ] && have mkntfs; then
    make_ntfs ntfs.raw 8 --file=$winevt/Sysmon.evtx=Sysmon.evtx --file=$winevt/Gone.evtx=Old.evtx \
        --file=$winevt/Zed.evtx=Old.evtx --delete=$winevt/Gone.evtx
    # an image changes, with all logs in it
    cp ntfs.raw changing.raw
    run --change=changing.raw changing.raw
    check 'an image that changes is told once' test "$(grep -c '^problem EVIDENCE_CHANGED' out)" = 1
    check 'of each of its logs' sh -c '[ "$(grep -c unchanged=0 out)" -gt 1 ] && ! grep -q unchanged=1 out'

    # nothing changes
    sha256sum ntfs.raw Sysmon.evtx > bytes_before
    touch -a -d '2001-01-01' ntfs.raw Sysmon.evtx
    stat -c '%y %z %x' ntfs.raw Sysmon.evtx > times_before
    run ntfs.raw Sysmon.evtx
    stat -c '%y %z %x' ntfs.raw Sysmon.evtx > times_after
    check 'times of the evidence stay, the access time too' cmp -s times_before times_after
    sha256sum ntfs.raw Sysmon.evtx > bytes_after
    check 'its bytes stay' cmp -s bytes_before bytes_after
    # truncated
    head -c 1600000 ntfs.raw > short.raw
    run short.raw
    check 'a truncated image is told' says '^problem IMAGE_TRUNCATED offset=1600000'
    # cut inside the content of a log: clusters are given out from the start on
    at=$(grep -abo 'Sysmon 000079190' ntfs.raw | head -1 | cut -d: -f1)
    head -c $((at / 4096 * 4096 + 8192)) ntfs.raw > cut.raw
    run cut.raw
    check 'a log that goes on behind the end is told, with the place' says \
        "^problem LOG_UNREADABLE log=$winevt/Sysmon.evtx offset=[1-9][0-9]*: cannot be read"
    check 'no hash is given of bytes that were not read' says "^log $winevt/Sysmon.evtx size=[0-9]+ sha256= "
    # damaged boot sector
    cp ntfs.raw broken.raw
    printf '\377\377\377\377\377' | dd of=broken.raw bs=1 seek=11 conv=notrunc status=none
    run broken.raw
    check 'a volume that is broken is told' says '^problem VOLUME_UNREADABLE offset=0.*NTFS'
    # A name that stays in the slack of its folder's index. Deleting the last name of an
    # index node wipes the address of its entry, which is known from the entry itself.
    # (libtsk takes what lies there for a name only if its times lie before 2020.)
    set --
    for i in $(seq 10 60); do set -- "$@" "--file=$winevt/some longer name $i.log=lsan.supp"; done
    make_ntfs slack.raw 8 --time=2019-05-06T07:08:09Z "$@" --file=$winevt/zzz-gone.evtx=Old.evtx \
        --delete=$winevt/zzz-gone.evtx
    run slack.raw
    check 'a name without its entry is found through the entry' sh -c \
        "grep -q '^log .*zzz-gone.evtx .*$(sha256sum < Old.evtx | cut -c1-64).* deleted=1' out && ! grep -q ^problem out"
    entry=$(sed -n 's/^log .* entry=\([0-9]*\)-.*/\1/p' out)
    "$ntfs_image" slack.raw --file=other.txt=Sysmon.evtx
    run slack.raw
    check 'one whose entry is not known is told' says '^problem DELETED_LOG_UNREADABLE .*gone.*not which entry'
    # The same with its address: the entry, sequence 1, now is that of another file.
    for at in $(LC_ALL=C grep -abo -P 'z\x00z\x00z\x00-\x00g\x00o\x00n\x00e' slack.raw | cut -d: -f1); do
        printf "\\$(printf %o "$entry")\\0\\0\\0\\0\\0\\1\\0" |
            dd of=slack.raw bs=1 seek=$((at - 82)) conv=notrunc status=none
    done
    run slack.raw
    check 'one whose entry was given away is told, not made up' sh -c '! grep -q "^log .*gone" out &&
        grep -q "^problem DELETED_LOG_UNREADABLE .*gone.*given to another file" out'
    # clusters given away, the entry not: the new content goes to a file that was there
    make_ntfs partly.raw 8 --file=other.txt=lsan.supp --file=$winevt/Gone.evtx=Sysmon.evtx \
        --delete=$winevt/Gone.evtx
    cp partly.raw zeroed.raw
    head -c 40000 Sysmon.evtx > same_start && head -c 40000 /dev/zero > zeros
    "$ntfs_image" partly.raw --file=other.txt=same_start
    run partly.raw
    check 'a deleted log with clusters in use is marked' says '^log .*Gone.* deleted=1 reused=1'
    check 'and told' says '^problem DELETED_LOG_REUSED log=.*Gone'
    "$ntfs_image" zeroed.raw --file=other.txt=zeros
    run zeroed.raw
    check 'one whose start is gone is told' says '^problem DELETED_LOG_UNREADABLE .*Gone.*not start as a log'
    # a gap in the numbers
    split -b 3000000 -d -a 3 ntfs.raw part.
    rm part.001
    run part.000
    check 'a missing segment of a split image' says '^problem IMAGE_SEGMENT_MISSING offset=3000000: segment .*part.001'
    run part.002
    check 'a later segment alone is no image' says '^problem EVIDENCE_UNREADABLE'
    # a number at the end of a name is not always a segment's
    mkdir years && for year in 2023 2024; do cp ntfs.raw years/HOST.$year; done
    run years/HOST.2024
    check 'an image named after a year is one beside that of another year' finds $winevt/Sysmon.evtx Sysmon.evtx
    for segment in 001 002 003; do cp ntfs.raw years/HOST.$segment; done
    run years/HOST.003
    check 'a later segment of a series is told' says 'this is a later segment of a split image'
    cp years/HOST.001 years/HOST.000
    run years/HOST.001
    check 'of one that begins at 0, too' says 'this is a later segment of a split image'
    rm -r years
else
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do skip 'NTFS' 'libntfs-3g is absent'; done
fi
if [ -f ntfs.raw ] && have ewfacquirestream; then
    ewfacquirestream -q -t cut -f encase6 -c none -S 1.5MiB -l ewf.log < ntfs.raw > /dev/null 2>&1
    # where the log's text lies in the first segment or a later one
    file=$(grep -l 'Sysmon 000079190' cut.E0? | head -1)
    at=$(grep -abo 'Sysmon 000079190' "$file" | head -1 | cut -d: -f1)
    mkdir bad && cp cut.E0? bad/
    printf 'X' | dd of="bad/$file" bs=1 seek="$at" conv=notrunc status=none
    run --verify bad/cut.E01
    check 'a bad chunk of an E01 is told' says '^problem IMAGE_CHECKSUM offset=[0-9]+: 32768 bytes'
    check 'the log that it spoils is told, with the place' says \
        "^problem LOG_UNREADABLE log=$winevt/Sysmon.evtx offset=[0-9]+: .*checksum"
    check 'other logs are whole' finds $winevt/Zed.evtx Old.evtx
    check 'the stored hash differs' says '^problem IMAGE_HASH_DIFFERS: stored MD5'
    # one beside it, and one of a log that lies behind it and is read before it
    printf 'X' | dd of="bad/$file" bs=1 seek=$((at + 32772)) conv=notrunc status=none
    other=$(grep -l 'Old 000079190' cut.E0? | head -1)
    gone=$(grep -abo 'Old 000079190' "$other" | head -1 | cut -d: -f1)
    printf 'X' | dd of="bad/$other" bs=1 seek=$((gone + 32772)) conv=notrunc status=none
    run bad/cut.E01
    check 'two bad chunks beside each other are told' says '^problem IMAGE_CHECKSUM offset=[0-9]+: 65536 bytes'
    check 'and one behind them' says '^problem IMAGE_CHECKSUM offset=[0-9]+: 32768 bytes'
    check 'with the first log that they spoil' says "^problem LOG_UNREADABLE log=$winevt/Gone.evtx offset=[0-9]+: .*checksum"
    check 'and the second' says "^problem LOG_UNREADABLE log=$winevt/Sysmon.evtx offset=[0-9]+: .*checksum"
    printf 'X' | dd of="bad/$other" bs=1 seek="$gone" conv=notrunc status=none
    run bad/cut.E01
    check 'a deleted log whose beginning is bad is one' says "^log $winevt/Gone.evtx size=[0-9]+ sha256= .* deleted=1"
    check 'of which is told what is missing' says "^problem LOG_UNREADABLE log=$winevt/Gone.evtx offset=0: .*checksum"
    sha256sum cut.E0? > bytes_before; stat -c '%y %z' cut.E0? > times_before
    run --verify cut.E01
    sha256sum cut.E0? > bytes_after; stat -c '%y %z' cut.E0? > times_after
    check 'bytes and times of an E01 stay' sh -c 'cmp -s bytes_before bytes_after && cmp -s times_before times_after'
    mkdir gap && cp cut.E0? gap/ && rm gap/cut.E03
    run gap/cut.E01
    check 'a missing segment of an E01 is told' says '^problem IMAGE_SEGMENT_MISSING offset=[1-9][0-9]*: segment .*cut.E03 is missing'
    # The search for what is missing meets the chunk at 2 MiB: a bad one is not the end.
    gap_at=$(sed -n 's/^problem IMAGE_SEGMENT_MISSING offset=\([0-9]*\):.*/\1/p' out)
    mkdir second && cp cut.E0? second/ && rm second/cut.E02
    run second/cut.E01
    second_at=$(sed -n 's/^problem IMAGE_SEGMENT_MISSING offset=\([0-9]*\):.*/\1/p' out)
    printf 'X' | dd of=gap/cut.E02 bs=1 seek=$(((64 - second_at / 32768) * 32772 + 16384)) conv=notrunc status=none
    run gap/cut.E01
    check 'a bad chunk before it does not move what is missing' says "^problem IMAGE_SEGMENT_MISSING offset=$gap_at:"
    run cut.E02
    check 'a later segment of an E01 is told' says 'this is segment 2 of an E01 image'
    mkdir cutoff && cp cut.E0? cutoff/ && truncate -s 800000 cutoff/cut.E02
    run cutoff/cut.E01
    check 'a segment cut short is told' says '^problem IMAGE_TRUNCATED offset=[1-9][0-9]*: a segment is cut short'
    check 'from the beginning of a chunk on' test $(($(sed -n 's/^problem IMAGE_TRUNCATED offset=\([0-9]*\):.*/\1/p' out) % 32768)) = 0
    mkdir end && cp cut.E0? end/ && truncate -s -20 end/cut.E06
    run end/cut.E01
    check 'one whose media is whole, too' says '^problem IMAGE_TRUNCATED offset=8388608: .*nothing of it is missing'
else
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do skip 'E01' 'ewfacquirestream is absent'; done
fi
if [ -f ntfs.raw ] && have qemu-img; then
    qemu-img convert -f raw -O vhdx ntfs.raw dirty.vhdx && cp dirty.vhdx child.vhdx
    # both headers' log GUID, at 48 of 64 KiB and of 128 KiB
    for at in 65584 131120; do printf '\1' | dd of=dirty.vhdx bs=1 seek=$at conv=notrunc status=none; done
    run dirty.vhdx
    check 'a VHDX whose log was not applied is told' says '^problem IMAGE_NOT_CLOSED'
    # "has parent" in the file parameters, where qemu-img puts them
    printf '\2' | dd of=child.vhdx bs=1 seek=3211268 conv=notrunc status=none
    run child.vhdx
    check 'a differencing VHDX is not read as if it were whole' says '^problem EVIDENCE_UNSUPPORTED: VHDX'
    qemu-img convert -f raw -O vmdk ntfs.raw parent.vmdk
    qemu-img create -q -f vmdk -b parent.vmdk -F vmdk child.vmdk
    run child.vmdk
    check 'a differencing VMDK is not read as if it were whole' says '^problem EVIDENCE_UNSUPPORTED: VMDK'
else
    for i in 1 2 3; do skip 'converted image' 'qemu-img is absent'; done
fi
loop=
[ -f ntfs.raw ] && [ "$(id -u)" = 0 ] && have losetup && loop=$(losetup -f --show -r ntfs.raw 2> /dev/null)
if [ -b "$loop" ]; then
    run "$loop"
    losetup -d "$loop"
    check 'a block device' sh -c "grep -q '^item format=block device' out && grep -q '^log $winevt/Sysmon.evtx .*$(sha256sum < Sysmon.evtx | cut -c1-64)' out"
else
    skip 'a block device' 'no loop device to be had'
fi
images=${SHARED_DATA:-/nonexistent}/images
if [ -f "$images/image-differential.vhd" ] && have qemu-img; then
    run "$images/image-differential.vhd"
    check 'a differencing VHD is not read as if it were whole' says '^problem EVIDENCE_UNSUPPORTED: VHD'
    qemu-img convert -O raw "$images/vsstest.qcow2" vss.raw
    run vss.raw
    check 'shadow copies are told' says '^problem SHADOW_COPIES_PRESENT'
else
    skip 'a differencing VHD' 'no shared data'
    skip 'shadow copies' 'no shared data'
fi
