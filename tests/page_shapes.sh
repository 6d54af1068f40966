# SPDX-License-Identifier: Apache-2.0
# page_shapes.sh - scenarios of much: what tests/page_scale.sh and tests/bench.sh make pages of.
head='t0 2026-01-01T00:00:00Z
log Microsoft-Windows-Sysmon%4Operational.evtx
host PC-17.corp.example machine 0x00000001 user CORP\anna
process explorer pid 10 at +0s image C:\Windows\explorer.exe parent -'
msra='process msra pid 30 at +10s image C:\Windows\SysWOW64\msra.exe parent explorer'
child='image C:\Windows\SysWOW64\whoami.exe command "whoami /all'

events() { # N events of one family
    printf '%s\n' "$head" "$msra" "process whoami pid 40 at +20s $child\" parent msra" \
        "repeat $1 i" \
        'event 11 at ++0.01s process msra TargetFilename=C:\Users\anna\file$i.txt' 'done'
}
findings() { # N creations under one host process
    printf '%s\n' "$head" "$msra" "repeat $1 i" \
        "process w\$i pid \$(i+100) at ++0.1s $child \$i\" parent msra" 'done'
}
hosts() { # N host processes with one creation each
    printf '%s\n' "$head" "repeat $1 i" \
        'process msra$i pid $(i+30) at ++1s image C:\Windows\SysWOW64\msra.exe parent explorer' \
        "process w\$i pid \$(i+20000) at ++0.1s $child \$i\" parent msra\$i" 'done'
}
# N host processes, each below a creation of the one before, by a clock that goes back; and a
# burst of tools below a shell of msra.exe.
nested() {
    printf '%s\n' "$head" 'process w0 pid 20 at +1h image C:\Windows\System32\cmd.exe parent explorer' \
        "repeat $1 i" \
        'process msra$i pid $(20*i+30) at +$(0-2*i+3600)s image C:\Windows\SysWOW64\msra.exe parent w$i' \
        "process w\$(i+1) pid \$(20*i+31) at +\$(0-2*i+3599)s $child \$i\" parent msra\$i" 'done' \
        'process cmd pid 1 at +2h image C:\Windows\System32\cmd.exe parent msra0'
    for tool in arp whoami; do
        printf '%s\n' "process $tool pid 2 at ++1s image C:\\Windows\\System32\\$tool.exe parent cmd"
    done
}
mixed() { # N events of each of 100 host processes with five creations each
    printf '%s\n' "$head" 'repeat 100 i' \
        'process msra$i pid $(10*i+30) at ++1s image C:\Windows\SysWOW64\msra.exe parent explorer'
    for k in 1 2 3 4 5; do
        printf '%s\n' "process w\$i-$k pid \$(10*i+30+$k) at ++0.1s $child \$i\" parent msra\$i"
    done
    k=0
    while [ $((k += 1)) -le "$1" ]; do
        printf '%s\n' "event 11 at ++0.01s process msra\$i TargetFilename=C:\\Users\\anna\\file$k.txt"
    done
    echo done
}
