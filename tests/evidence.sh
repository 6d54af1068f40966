#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same log out of every form of evidence, and what is said of what was not examined.
. "${srcdir:-.}/tests/evidence_common.sh"
echo 1..35

# --- a file
run Sysmon.evtx
check 'a log is read as a file' finds Sysmon.evtx Sysmon.evtx
cp Sysmon.evtx renamed.bin
run renamed.bin
check 'a log under another name is told by its content' finds renamed.bin Sysmon.evtx
echo hello > fake.evtx
run fake.evtx
check 'what is named .evtx is handed on as a log' says '^log fake.evtx size=6 '

# --- a folder
mkdir -p "tree/C/WINDOWS/system32/Winevt/LOGS" tree/loose outside
cp Sysmon.evtx tree/C/WINDOWS/system32/Winevt/LOGS/Sysmon.EVTX
cp Old.evtx tree/loose/old.evtx
cp Old.evtx outside/hidden.evtx
cp Old.evtx tree/loose/unnamed
ln -s ../outside tree/link
ln -s ../../outside/hidden.evtx tree/loose/link.evtx
: > tree/loose/disk.E01
run tree
check 'a folder is walked in any case' finds 'C/WINDOWS/system32/Winevt/LOGS/Sysmon.EVTX' Sysmon.evtx
check 'winevt\Logs is told by the path' says '^log C/WIN.* winevt=1 .*$'
check 'other places are not winevt\Logs' says '^log loose/old.evtx .* winevt=0 '
check 'logs stand in the order of their paths' \
    sh -c "grep '^log ' out | cut -d' ' -f2 > paths; sort -c paths && test \$(wc -l < paths) = 2"
check 'links are not followed, and told' sh -c \
    '! grep -q hidden out && test $(grep -c "^problem LINK_NOT_FOLLOWED" out) = 2'
check 'an image in a folder is told' says '^problem IMAGE_IN_FOLDER log=loose/disk.E01'
run --signature tree
check 'with --signature a log without its name is found' finds loose/unnamed Old.evtx
mkdir -p nameless/a && cp Old.evtx nameless/a/b && echo text > nameless/a/c
run nameless
check 'without any .evtx the signature decides' finds a/b Old.evtx
long=$(printf '%0200d' 0)
(
    mkdir deep && cd -P deep
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
        mkdir "$long" && cd -P "./$long" || exit 1
    done
    cat "$work/Sysmon.evtx" > deep.evtx
) 2> /dev/null
run deep
check 'a path longer than the system takes is walked' says '/deep.evtx size=.*unchanged=1'

# --- images
if [ -x "$ntfs_image" ] && have mkntfs; then
    make_ntfs ntfs.raw 8 --time=2026-03-04T05:06:07.1234567Z --file=$winevt/Sysmon.evtx=Sysmon.evtx \
        --file=$winevt/Gone.evtx=Old.evtx --file=$winevt/notes.txt=lsan.supp \
        --file=Users/x.evtx=Old.evtx --delete=$winevt/Gone.evtx
    run ntfs.raw
    check 'NTFS: by path' finds $winevt/Sysmon.evtx Sysmon.evtx
    check 'NTFS: times with seven digits' says \
        'Sysmon.evtx .*created=2026-03-04T05:06:07.1234567Z named=2026-03-04T05:06:07.1234567Z'
    check 'NTFS: a deleted log is read and marked' sh -c \
        "grep -q '^log $winevt/Gone.evtx .*$(sha256sum < Old.evtx | cut -c1-64).* deleted=1 reused=0' out"
    check 'NTFS: other folders are left alone' sh -c '! grep -q Users out'
    run --signature ntfs.raw
    check 'NTFS: --signature finds logs anywhere' finds Users/x.evtx Old.evtx
    make_ntfs odd.raw 8 --file=Temp/thing.dat=Sysmon.evtx
    run odd.raw
    check 'NTFS: the signature decides where no log is at its path' finds Temp/thing.dat Sysmon.evtx
else
    for i in 1 2 3 4 5 6; do skip 'NTFS' 'libntfs-3g is absent'; done
fi
if [ -f ntfs.raw ] && have qemu-img; then
    for form in vmdk vpc vhdx; do
        qemu-img convert -f raw -O $form ntfs.raw ntfs.$form
        run ntfs.$form
        check "a $form image" finds $winevt/Sysmon.evtx Sysmon.evtx
    done
    qemu-img convert -f raw -O qcow2 ntfs.raw ntfs.qcow2
    run ntfs.qcow2
    check 'QCOW2 is told, with the remedy' says '^problem EVIDENCE_UNSUPPORTED: QCOW2.*qemu-img convert'
else
    for i in 1 2 3 4; do skip 'converted image' 'qemu-img is absent'; done
fi
if [ -f ntfs.raw ]; then
    split -b 1500000 -d -a 3 --numeric-suffixes=1 ntfs.raw part.
    run part.001
    check 'split raw' finds $winevt/Sysmon.evtx Sysmon.evtx
else
    skip 'split raw' 'no NTFS image'
fi
if [ -f ntfs.raw ] && have ewfacquirestream; then
    ewfacquirestream -q -t cut -f encase6 -c none -S 1.5MiB -C case7 -e Someone -E EV-1 -N 'some notes' -d sha1 \
        -l ewf.log < ntfs.raw > /dev/null 2>&1
    run --verify cut.E01
    check 'E01 in segments' finds $winevt/Sysmon.evtx Sysmon.evtx
    check "E01: the acquisition's data" says \
        '^acquisition case=case7 evidence=EV-1 examiner=Someone notes=some notes .*md5=[0-9a-f]{32} sha1=[0-9a-f]{40}'
    check 'E01: the stored hash is recomputed' says '^item .*segments=6 .* equal$'
else
    for i in 1 2 3; do skip 'E01' 'ewfacquirestream is absent'; done
fi
if have mkfs.fat mcopy; then
    truncate -s 8M fat.raw && mkfs.fat fat.raw > /dev/null
    mmd -i fat.raw ::/Windows ::/Windows/System32 ::/Windows/System32/winevt ::/$winevt
    mcopy -i fat.raw Sysmon.evtx ::/$winevt/Sysmon.evtx
    run fat.raw
    check 'FAT' finds $winevt/Sysmon.evtx Sysmon.evtx
    mdel -i fat.raw ::/$winevt/Sysmon.evtx
    run fat.raw
    check 'FAT: a deleted log' says "sha256=$(sha256sum < Sysmon.evtx | cut -c1-64) .* deleted=1"
else
    skip 'FAT' 'mtools or dosfstools is absent'
    skip 'FAT: a deleted log' 'mtools or dosfstools is absent'
fi
if have mkfs.exfat; then
    truncate -s 8M exfat.raw && mkfs.exfat exfat.raw > /dev/null 2>&1
    run exfat.raw
    check 'exFAT is opened' says '^volume 0 .* read fs=exFAT'
else
    skip 'exFAT is opened' 'exfatprogs is absent'
fi
if have mke2fs; then
    mkdir -p root/$winevt && cp Sysmon.evtx root/$winevt/
    mke2fs -q -t ext4 -d root ext.raw 8M > /dev/null 2>&1
    run ext.raw
    check 'ext4' finds $winevt/Sysmon.evtx Sysmon.evtx
else
    skip 'ext4' 'e2fsprogs is absent'
fi
if [ -f ntfs.raw ] && have sfdisk; then
    truncate -s 32M gpt.raw mbr.raw
    printf 'label: gpt\nstart=2048,size=2048,type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE\nstart=4096,size=16384,type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\nstart=20480,size=2048,type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n' |
        sfdisk -q gpt.raw
    dd if=ntfs.raw of=gpt.raw bs=512 seek=4096 conv=notrunc status=none
    run gpt.raw
    check 'GPT: the log in its second volume' finds p2/$winevt/Sysmon.evtx Sysmon.evtx
    check 'GPT: a reserved volume is no problem' sh -c \
        'grep -q "^volume 1 .* reserved" out && ! grep -q "^problem.*volume 1" out'
    check 'GPT: an unknown volume is told' says '^problem VOLUME_UNKNOWN offset=10485760'
    printf 'label: dos\nstart=2048,size=16384,type=7\nstart=20480,size=20480,type=5\nstart=22528,size=16384,type=7\n' | sfdisk -q mbr.raw
    dd if=ntfs.raw of=mbr.raw bs=512 seek=22528 conv=notrunc status=none
    printf '\353\130\220-FVE-FS-' | dd of=mbr.raw bs=512 seek=2048 conv=notrunc status=none
    run mbr.raw
    check 'MBR: the log in a logical volume' says "^log p2/$winevt/Sysmon.evtx .* offset=11534336 "
    check 'MBR: BitLocker is told' says '^problem VOLUME_LOCKED offset=1048576'
else
    for i in 1 2 3 4 5; do skip 'partitions' 'no NTFS image or sfdisk'; done
fi
