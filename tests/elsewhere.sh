#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who and where else: what the findings' families leave that can be searched for, in
# iocs.csv, elsewhere.csv and the page.
. "${srcdir:-.}/tests/tap.sh"
make_evtx=$build/tests/make_evtx
cd "$work" || exit 1
SOURCE_DATE_EPOCH=1767225600
export SOURCE_DATE_EPOCH

# report NAME SCENARIO [OPTION]...: the report in $work/NAME
report() {
    report_name=$1 scenario=$2
    shift 2
    mkdir -p "log-$scenario"
    "$make_evtx" "$top/tests/scenarios/$scenario.scenario" "log-$scenario" >/dev/null
    "$forebear" report -q "$@" -o "$report_name" "log-$scenario" >"$report_name.said" 2>&1
    rows "$report_name"
}
rows() { # NAME: NAME.iocs, a line for each value
    python3 "$top/tests/timeline_rows.py" "$1/iocs.csv" type value role count likely_benign \
        benign_reason remark event_id >"$1.iocs"
}
# has NAME FILE LINE: that very line; like NAME FILE PATTERN: a line like that; lacks: none
has() { check "$1" grep -qxF -- "$3" "$2"; }
like() { check "$1" grep -qE -- "$3" "$2"; }
lacks() { check "$1" sh -c '! grep -qE -- "$2" "$1"' - "$2" "$3"; }

report every 20-every-event
has "the account" every.iocs 'account|CORP\anna|matched|7|false|||1'
has "the logon session" every.iocs 'logon_id|0x3e7f1|matched|4|false|||1'
has "a remote address" every.iocs 'ipv4|203.0.113.9|host|1|false||an address for examples, which no network has (RFC 5737, RFC 3849)|3'
has "with its name" every.iocs 'domain|c2.example.com|host|1|false|||3'
has "who came in from outside" every.iocs 'ipv4|192.168.7.7|host|1|true|a private address (RFC 1918)||3'
has "and to which port" every.iocs 'port|4444/tcp|host|1|false||a port of this machine, connected to from outside|3'
lacks "but not the machine's own address" every.iocs '10\.0\.0\.20'
has "a name that was asked for" every.iocs 'domain|a.example.com|host|1|false|||22'
has "a name in the answer" every.iocs 'domain|b.example.com|host|1|false|||22'
has "an address in the answer" every.iocs 'ipv4|198.51.100.7|host|1|false||an address for examples, which no network has (RFC 5737, RFC 3849)|22'
has "one of IPv6" every.iocs 'ipv6|2001:db8::1|host|1|false||an address for examples, which no network has (RFC 5737, RFC 3849)|22'
has "loopback is marked, not dropped" every.iocs 'ipv4|127.0.0.1|host|1|true|the machine itself (loopback)||22'
for id in 27:b.exe 28:c.exe 29:d.exe 23:gone.exe 26:gone.txt 2:old.txt; do
    has "the file of event ${id%:*}" every.iocs "file_path|C:\\t\\${id#*:}|host|1|false|||${id%:*}"
done
has "a file in the scheduler's folder" every.iocs 'file_path|C:\Windows\System32\Tasks\evil|host|1|false||where the task scheduler keeps its tasks|11'
has "is a task" every.iocs 'scheduled_task|evil|host|1|false|||11'
has "where a download came from" every.iocs 'url|https://dl.example.com/a.zip|host|1|false|||15'
has "a library without a valid signature" every.iocs 'module_path|C:\Users\anna\o.dll|host|1|false||loaded without a valid signature|7'
has "a hash in lower case" every.iocs 'md5|000000000000000000000000000000cc|host|1|false|||7'
lacks "no hash of zeros" every.iocs 'imphash\|0000'
has "a registry key" every.iocs 'registry_key|HKU\S-1-5-21\Software\Run|host|1|false|||12'
has "a registry value, as recorded" every.iocs 'registry_value|HKLM\System\CurrentControlSet\Services\hxm\ImagePath|host|1|false||where services are set up|13'
has "and its service" every.iocs 'service|hxm|host|1|false|||13'
has "both names of what was renamed" every.iocs 'registry_key|HKLM\Software\B|host|1|false|||14'
has "a pipe" every.iocs 'pipe|\evil_pipe|host|1|false|||17'
has "a pipe of Windows" every.iocs 'pipe|\lsass|host|1|true|a pipe that Windows makes itself||18'
has "a WMI subscription, which names no process" every.iocs \
    'wmi_subscription|cmd.exe /c x|machine|1|false||part of a WMI subscription, which starts programs when something happens|20'
has "a program of Windows is marked" every.iocs \
    "image_path|C:\\Windows\\SysWOW64\\msra.exe|host|1|true|in Windows' own folder; what lay there is not known||1"
# A computer whose name is written in two cases is one host.
sed 's/^ *//' >case.scenario <<'END'
    t0 2026-01-01T00:00:00Z
    log Sysmon.evtx
    host A.corp.example machine 0x1 user CORP\anna
    process a pid 10 at +1s image C:\Windows\System32\msra.exe parent -
    process b pid 11 at +10s image C:\Users\x\whoami.exe parent a
    host A.CORP.example machine 0x1 user CORP\anna
    process c pid 12 at +20s image C:\Users\x\whoami.exe parent a
END
mkdir log-case
"$make_evtx" case.scenario log-case >/dev/null
"$forebear" report -q -o case log-case >case.said 2>&1
lacks "a name in two cases is one host" case/elsewhere.csv '\(all hosts\)|A\.corp'
like "with what is on it" case/elsewhere.csv '^A.CORP.example,Programs,C:.Users.x.whoami.exe,image_path,matched,.*,2,1,0,0,'

lacks "nothing of a host without a finding" every.iocs 'calc.exe|bert|notepad'

# --- each with where it was, and as STIX
like "a pattern for a hash" every/iocs.csv "\\[file:hashes.MD5 = '000000000000000000000000000000cc'\\]"
like "a pattern for a path has its backslashes escaped" every/iocs.csv \
    "\\[file:parent_directory_ref.path = 'C:\\\\\\\\t' AND file:name = 'b.exe'\\]"
like "a pattern for a port" every/iocs.csv "\\[network-traffic:dst_port = 4444 AND network-traffic:protocols\\[\\*\\] = 'tcp'\\]"
check "every value has its record" test "$(python3 "$top/tests/timeline_rows.py" every/iocs.csv \
    log offset record_sha256 | grep -cvE '^Microsoft.*\|[0-9]+\|[0-9a-f]{64}$')" = 0
check "the record that is cited is the event" sh -c '"$1" show --offset "$3" "$2" | grep -q 203.0.113.9' - "$forebear" \
    log-20-every-event "$(python3 "$top/tests/timeline_rows.py" every/iocs.csv value offset | sed -n 's/^203.0.113.9|//p')"

# --- the same program and hash on another host, outside the families
python3 "$top/tests/timeline_rows.py" every/elsewhere.csv scope what value hosts outside_processes outside_hosts >every.where
has "a hash that another host has too" every.where \
    '(all hosts)|Hashes|00000000000000000000000000000000000000000000000000000000000000aa|1|1|1'
lacks "what nobody shares is no row over all hosts" every.where 'all hosts.*c2.example'
has "each host" every.where 'PC-21.corp.example|host|PC-21.corp.example|||'
like "each sign of injection, with its host" every.where '^PC-20.corp.example\|Injection indicators\|MSRA_REMOTE_THREAD'
like "the page has the section" every/report.html '<h2>Who and where else</h2>'
like "with what else is known of a value" every/report.html '1 process creation outside the families, on 1 host'

# --- who wrote into the host process was of no family before; its own record tells of it
report injection 11-injection
has "the source of a remote thread" injection.iocs 'command_line|rundll32.exe C:\Users\anna\a.dll,Start|source|1|false|||1'

# --- a parent without a record of its own
report ghost 03-ghost-inside-the-log
like "is known from its child's" ghost.iocs '^image_path\|C:\\Windows\\SysWOW64\\msra.exe\|host\|'

# --- bounds, roles, order
report many 21-many-values
has "the closest process of a value is named" many.iocs 'ipv4|203.0.113.9|host|3|false||an address for examples, which no network has (RFC 5737, RFC 3849)|3'
like "with the first record of that process" many/iocs.csv '^ipv4,203.0.113.9,host,.*msra.exe \(30\), initiated by it'
check "one role lists so many" test "$(grep -c '^file_path.*|host|' many.iocs)" = 9994
has "which takes nothing from a closer one" many.iocs 'file_path|C:\t\last.txt|matched|1|false|||11'
like "and is said" many/problems.csv 'INDICATORS_LEFT_OUT,notice,.*the role .host. .*: 56 sights'
report many-4 21-many-values -j 4
same "whatever --jobs" many/iocs.csv many-4/iocs.csv
mkdir long
{
    sed '/^repeat/,$d' "$top/tests/scenarios/21-many-values.scenario"
    echo "process whoami pid 40 at +15s image C:\\Windows\\SysWOW64\\whoami.exe parent msra"
    echo "repeat 300 i"
    echo "event 22 at +20s process msra QueryName=$(head -c 20000 /dev/zero | tr '\0' a)\$i.example QueryStatus=0"
    echo "done"
} >long.scenario
"$make_evtx" long.scenario long >/dev/null
"$forebear" report -q -o long.report long >long.said 2>&1
rows long.report
listed=$(grep -c '^domain|.*|host|' long.report.iocs)
check "long values are listed up to 4 MiB ($listed of 300)" test $((listed * 20000)) -gt 2000000 -a $((listed * 20000)) -lt 4194304
like "and the others are counted" long.report/problems.csv "INDICATORS_LEFT_OUT,notice,.*the role .host. .*: $((300 - listed)) sights"
report by-libevtx 20-every-event --reader=libevtx
same "both readers give the same" every.iocs by-libevtx.iocs

# --- values that are not as one expects them
report odd 22-odd-connections
mkdir export
"$forebear" records --format=xml log-22-odd-connections | sed -E "s/>4711</>1] OR [file:name = 'calc.exe'</
    /far.example.com/s/<Data Name=.Initiated.>true<.Data>//" >export/odd.xml
"$forebear" report -q -o export-odd export >/dev/null 2>&1
rows export-odd
end='an end of a connection; which end is this machine is not recorded'
has "without a direction the far end is listed" export-odd.iocs "ipv4|8.8.4.4|host|1|false||$end|3"
has "and so is the other" export-odd.iocs "ipv4|10.0.0.20|host|1|true|a private address (RFC 1918)|$end|3"
has "each with its name" export-odd.iocs "domain|far.example.com|host|1|false||$end|3"
lacks "and nobody is said to have come in" export-odd.iocs 'connected to from outside'
like "a port that is no number is listed" export-odd.iocs "^port\\|1\\] OR \\[file:name = 'calc.exe'/tcp\\|"
lacks "but never becomes part of a pattern" export-odd/iocs.csv 'dst_port = 1\] OR'
has "a provider's own network" odd.iocs "ipv4|100.64.0.9|host|1|true|an address of a provider's own network (RFC 6598)||3"
has "an IPv4 address that is written as IPv6" odd.iocs 'ipv4|192.168.1.5|host|1|true|a private address (RFC 1918)||3'
has "a reserved address" odd.iocs 'ipv4|240.0.0.1|host|1|true|a reserved address||3'
lacks "which is public nowhere" odd/corroboration.csv '240\.0\.0\.1.*address public'
check "all answers of one query are listed" test "$(grep -c '^ipv4|8\.9\.' odd.iocs)" = 199
has "a service of Windows is marked" odd.iocs 'service|bam|host|1|true|a service of Windows itself||13'
has "not where it is told what to load" odd.iocs 'service|W32Time|host|1|false|||13'

# --- three hosts: what two families share
"$forebear" report -q -o three "$top"/samples/WKS-0?-Sysmon.evtx >/dev/null 2>&1
python3 "$top/tests/timeline_rows.py" three/elsewhere.csv scope value hosts >three.where
has "a value of two families" three.where '(all hosts)|0badf00d0badf00d0badf00d0badf00d|2'
rows three
has "a task that a command line names" three.iocs 'scheduled_task|ikvbrqxms|matched|2|false|||1'

report none 20-every-event --computer PC-21.corp.example
check "what a filter leaves out is no value" test "$(wc -l <none.iocs)" = 0
"$forebear" report -q --findings-only -o only log-20-every-event >/dev/null 2>&1
check "--findings-only writes neither file" test ! -e only/iocs.csv -a ! -e only/elsewhere.csv
finish
