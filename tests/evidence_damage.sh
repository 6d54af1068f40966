#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Damaged, incomplete, locked and unknown evidence; evidence is never changed.
. "${srcdir:-.}/tests/evidence_common.sh"
echo 1..39

# --- bad input
: > empty.bin
run empty.bin
check 'an empty file' says '^problem EVIDENCE_UNREADABLE: the file is empty'
echo 'Dear diary' > text.txt
run text.txt
check 'a text file' says '^problem EVIDENCE_UNREADABLE: neither an event log nor'
run absent Sysmon.evtx
check 'a path that is not there' says '^problem EVIDENCE_UNREADABLE: cannot be opened: No such file'
check 'what stands beside it is read' finds Sysmon.evtx Sysmon.evtx
mkfifo pipe
run pipe
check 'a pipe is not opened' says '^problem EVIDENCE_UNREADABLE: neither a regular file'
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
if [ "$(id -u)" != 0 ]; then
    run closed
    check 'a folder without permission' says '^problem EVIDENCE_UNREADABLE log=in: the folder cannot be read'
    check 'the rest of it is read' finds open/Old.evtx Old.evtx
elif have setpriv && setpriv --reuid=65534 --clear-groups test -x "$tool"; then
    setpriv --reuid=65534 --clear-groups "$tool" closed > out 2>&1
    check 'a folder without permission' says '^problem EVIDENCE_UNREADABLE log=in: the folder cannot be read'
    check 'the rest of it is read' finds open/Old.evtx Old.evtx
else
    skip 'a folder without permission' 'run by root'
    skip 'the rest of it is read' 'run by root'
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
    # damaged boot sector
    cp ntfs.raw broken.raw
    printf '\377\377\377\377\377' | dd of=broken.raw bs=1 seek=11 conv=notrunc status=none
    run broken.raw
    check 'a volume that is broken is told' says '^problem VOLUME_UNREADABLE offset=0.*NTFS'
    # an entry given away: a new session takes the first free one
    make_ntfs reused.raw 8 --file=$winevt/Gone.evtx=Old.evtx --delete=$winevt/Gone.evtx
    "$ntfs_image" reused.raw --file=other.txt=Sysmon.evtx
    run reused.raw
    check 'a deleted log whose entry was given away is not made up' sh -c '! grep -q "^log .*Gone" out'
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
else
    for i in 1 2 3 4 5 6 7 8 9 10; do skip 'NTFS' 'libntfs-3g is absent'; done
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
    sha256sum cut.E0? > bytes_before; stat -c '%y %z' cut.E0? > times_before
    run --verify cut.E01
    sha256sum cut.E0? > bytes_after; stat -c '%y %z' cut.E0? > times_after
    check 'bytes and times of an E01 stay' sh -c 'cmp -s bytes_before bytes_after && cmp -s times_before times_after'
    mkdir gap && cp cut.E0? gap/ && rm gap/cut.E03
    run gap/cut.E01
    check 'a missing segment of an E01 is told' says '^problem IMAGE_SEGMENT_MISSING offset=[1-9][0-9]*: segment .*cut.E03 is missing'
    run cut.E02
    check 'a later segment of an E01 is told' says 'this is segment 2 of an E01 image'
    mkdir cutoff && cp cut.E0? cutoff/ && truncate -s 800000 cutoff/cut.E02
    run cutoff/cut.E01
    check 'a segment cut short is told' says '^problem IMAGE_TRUNCATED offset=[1-9][0-9]*: a segment is cut short'
else
    for i in 1 2 3 4 5 6 7 8; do skip 'E01' 'ewfacquirestream is absent'; done
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
