#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make-samples.sh TOOLS SAMPLES: rebuild every file of the folder SAMPLES from the scenario
# in it, with the programs make_evtx and ntfs_image of the folder TOOLS. `make samples`
# calls it. Needs mkntfs (ntfs-3g) and ewfacquirestream (ewf-tools), neither root nor FUSE.
#
# The logs come out byte for byte the same each time. In the image the files and their
# times do; mkntfs draws a serial number, and E01 keeps the time of its making.
set -eu
tools=$1
samples=$2
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sectors=16384 # of the volume; 8 MiB
start=2048    # its first sector on the disk
logs=Windows/System32/winevt/Logs

"$tools/make_evtx" "$samples/scenarios/msra.scenario" "$samples"

truncate -s $((sectors * 512)) "$work/volume"
mkntfs -q -F -Q -L Windows -s 512 -p $start -H 16 -S 63 -c 4096 "$work/volume" 2>"$work/mkntfs.log"
"$tools/ntfs_image" "$work/volume" --time=2026-01-12T07:59:00Z \
    "--folder=Windows/System32/config" "--folder=Users/a.keller" \
    --time=2026-01-12T10:20:00Z \
    "--file=$logs/Microsoft-Windows-Sysmon%4Operational.evtx=$samples/WKS-01-Sysmon.evtx" \
    "--file=$logs/System.evtx=$samples/WKS-01-System.evtx" \
    "--file=$logs/WKS-02-Sysmon.evtx=$samples/WKS-02-Sysmon.evtx" \
    "--file=$logs/WKS-02-System.evtx=$samples/WKS-02-System.evtx" \
    "--file=$logs/WKS-03-Sysmon.evtx=$samples/WKS-03-Sysmon.evtx" \
    "--file=$logs/WKS-03-System.evtx=$samples/WKS-03-System.evtx"

# A master boot record with one entry: type 7, from sector 2048, 16384 sectors.
truncate -s $(((start + sectors) * 512)) "$work/disk"
printf '\106\102\122\061\000\000\000\040\041\000\007\106\005\001\000\010\000\000\000\100\000\000' |
    dd of="$work/disk" bs=1 seek=440 conv=notrunc status=none
printf '\125\252' | dd of="$work/disk" bs=1 seek=510 conv=notrunc status=none
dd if="$work/volume" of="$work/disk" bs=512 seek=$start conv=notrunc status=none

ewfacquirestream -q -c best -C FB-2026-001 -D "Disk of WKS-01, with the logs of two more hosts beside its own" -e "A. Examiner" \
    -E FB-2026-001-01 -N "Synthetic sample, made from a scenario file" \
    -t "$work/forebear-sample" < "$work/disk" > "$work/ewf.log" 2>&1 ||
    { cat "$work/ewf.log" >&2; exit 1; }
mv "$work/forebear-sample.E01" "$samples/forebear-sample.E01"

# The last part of the README.
readme=$samples/README.md
sed '/^## SHA-256/q' "$readme" > "$work/README.md"
{
    echo
    echo '```'
    (cd "$samples" && sha256sum forebear-sample.E01 *.evtx)
    echo '```'
} >> "$work/README.md"
cat "$work/README.md" > "$readme"
