#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the logs cover, as a user sees it: coverage.csv, hosts.csv and the places of a record,
# from small stories. A story is scenario lines; what a test says of it is a part of a row.
. "${srcdir:-.}/tests/tap.sh"
make_evtx=$build/tests/make_evtx
sysmon='Microsoft-Windows-Sysmon%4Operational.evtx'
cd "$work" || exit 1

# story NAME: the scenario on stdin becomes the logs of NAME, in the place of channel files
story() {
    { echo "t0 2026-01-01T00:00:00Z"; cat; } >"$1.scenario"
    logs=$1/Windows/System32/winevt/Logs
    mkdir -p "$logs"
    "$make_evtx" "$1.scenario" "$logs" >"$work/.out" 2>&1 || tap_result 1 "$1: the logs are made"
}

# read_story NAME [EVIDENCE...]: report in NAME.report
read_story() {
    name=$1
    shift
    [ $# -gt 0 ] || set -- "$name"
    status_is 0 "$name: the report is written" "$forebear" report -q -o "$name.report" "$@"
}

# has NAME TABLE PATTERN...: one row of the table matches all patterns
has() {
    name=$1 table=$2
    shift 2
    cp "$name.report/$table.csv" "$work/.out"
    for pattern; do
        grep -E -- "$pattern" "$work/.out" >"$work/.rows" || true
        cp "$work/.rows" "$work/.out"
    done
    [ -s "$work/.out" ]
    tap_status=$?
    cp "$name.report/$table.csv" "$work/.out"
    tap_result $tap_status "$name: $table.csv has $*"
}

lacks() {
    name=$1 table=$2 pattern=$3
    ! grep -E -- "$pattern" "$name.report/$table.csv" >"$work/.out"
    tap_result $? "$name: $table.csv lacks $pattern"
}

# Sysmon records for a minute, then from $1 on for another, in boot $2, and System's in between.
silent_until() {
    cat <<END
host PC-17.corp.example machine 0x1 user CORP\\anna boot 7
log $sysmon
process a pid 10 at +0s image C:\\Windows\\explorer.exe parent - guid startkey
process b pid 11 at +30s image C:\\Windows\\System32\\cmd.exe parent a guid startkey
process c pid 12 at +60s image C:\\Windows\\System32\\find.exe parent a guid startkey
host PC-17.corp.example machine 0x1 user CORP\\anna boot ${2:-7}
process d pid 13 at $1 image C:\\Windows\\System32\\cmd.exe parent a guid startkey
process e pid 14 at ++30s image C:\\Windows\\System32\\find.exe parent d guid startkey
log System.evtx ids 100
END
}
general='provider Microsoft-Windows-Kernel-General channel System'

{ silent_until +6h 8
  echo "record 13 at +2m $general StopTime=2026-01-01T00:02:00.0000000Z"
  echo "record 12 at +5h59m $general StartTime=2026-01-01T05:59:00.0000000Z"
  echo "record 6005 at ++5s provider EventLog channel System"; } | story off
read_story off
has off coverage ',hole,machine off,' '2026-01-01T00:01:00.0200000.*,2026-01-01T06:00:00.0200000' \
    'EventRecordID 100 of .*System.evtx; until .*EventRecordID 101 of'
has off coverage ',machine off,,' ',21420,'
has off coverage ',records,,' ',3,' 'they begin here: the first of this log'
has off coverage ',records,,' ',2,' 'they begin here: after a silence'
has off hosts '^PC-17' ',1,0,0,1,0,true,0'
has off problems '^COVERAGE_HOLE,info' 'machine off'

{ silent_until +6h
  echo "record 13 at +2m provider SomeDriver channel System StopTime=x"
  echo "record 12 at +5h59m provider SomeDriver channel System StartTime=x"; } | story foreign
read_story foreign
has foreign coverage ',hole,not explained,'
lacks foreign coverage ',(boot|shutdown|machine off),'

{ silent_until +6h 8
  echo "record 13 at +2m $general StopTime=2026-01-01T00:02:00.0000000Z"
  echo "record 12 at +1h2m $general StartTime=2026-01-01T01:02:00.0000000Z"; } | story part
read_story part
has part coverage ',hole,not explained,' 'a part of it is explained \(machine off' '17880 s are not'

{ silent_until +6h 8
  echo "record 41 at +5h59m provider Microsoft-Windows-Kernel-Power channel System BugcheckCode=0"; } | story crash
read_story crash
has crash coverage ',hole,machine off,' 'no shutdown is recorded before'
has crash coverage ',unclean boot,'

{ silent_until +6h
  echo "record 1 at +5h59m50s provider Microsoft-Windows-Power-Troubleshooter channel System SleepTime=2026-01-01T00:01:30.0000000Z WakeTime=2026-01-01T05:59:40.0000000Z"; } | story asleep
read_story asleep
has asleep coverage ',hole,asleep,'
has asleep coverage ',asleep,,' '^PC-17.corp.example,2026-01-01T00:01:30.0000000'

{ silent_until +6h
  echo "record 42 at +90s provider Microsoft-Windows-Kernel-Power channel System TargetState=4"
  echo "record 107 at +5h59m provider Microsoft-Windows-Kernel-Power channel System TargetState=4"; } | story slept
read_story slept
has slept coverage ',hole,asleep,' 'EventRecordID 100 of'

{ silent_until +6h
  echo "record 7036 at +3h provider 'Service Control Manager' channel System param1=Spooler param2=stopped"
  echo "record 6013 at +4h provider EventLog channel System"; } | story awake
read_story awake
has awake coverage ',hole,not explained,' 'it was on'
has awake problems '^COVERAGE_HOLE,notice' 'not explained'
lacks awake coverage ',sensor stopped,'

{ silent_until +6h
  echo "record 7036 at +2m provider 'Service Control Manager' channel System param1=Sysmon64 param2=stopped"
  echo "record 7036 at +5h59m provider 'Service Control Manager' channel System param1=Sysmon64 param2=running"
  echo "record 7040 at ++1s provider 'Service Control Manager' channel System param1=Sysmon64 param2='auto start' param3=disabled param4=Sysmon64"
  echo "record 7045 at ++1s provider 'Service Control Manager' channel System ServiceName=upd ImagePath=C:\\\\Windows\\\\Sysmon64.exe"; } | story service
read_story service
has service coverage ',hole,sensor stopped,' 'Sysmon64 stopped'
has service coverage ',sensor changed,' 'a service was installed: upd'
has service coverage ',sensor changed,' 'from auto start to disabled'

# Stopped and started at one moment is told.
{ silent_until +6h
  echo "record 7036 at +2m provider 'Service Control Manager' channel System param1=Sysmon64 param2=stopped"
  echo "record 7036 at +2m provider 'Service Control Manager' channel System param1=Sysmon64 param2=running"; } | story moment
read_story moment
has moment coverage ',0,sensor stopped,' '^PC-17[^,]*,2026-01-01T00:02:00[^,]*,2026-01-01T00:02:00[^,]*,' 'until .*EventRecordID 101 of'

# The event log service stopped alone, and was started again; no machine was off.
eventlog='provider EventLog channel System'
{ silent_until +6h
  echo "record 6006 at +2m $eventlog"
  echo "record 6005 at +5h58m $eventlog"; } | story unlogged
read_story unlogged
has unlogged coverage ',hole,event log stopped,' 'EventRecordID 100 of .*EventRecordID 101 of'
has unlogged coverage ',event log stopped,,' ',21360,'
has unlogged problems '^EVENT_LOG_STOPPED,warning' 'from 2026-01-01T00:02:00.0200000Z'
has unlogged hosts '^PC-17' ',1,0,0,0,0,true,0'
lacks unlogged coverage ',(boot|shutdown|machine off),'

# It stopped long before Windows did, whose end the kernel tells as it starts again.
{ silent_until +6h 8
  echo "record 6006 at +2m $eventlog"
  echo "record 12 at +5h58m $general StartTime=x"
  echo "record 6005 at ++20s $eventlog"
  echo "record 109 at +5h57m provider Microsoft-Windows-Kernel-Power channel System"
  echo "record 13 at +5h57m2s $general StopTime=x"; } | story early
read_story early
has early coverage ',hole,event log stopped,'
has early coverage ',machine off,,' ',58,'
has early problems '^EVENT_LOG_STOPPED,warning' 'until Windows is shutting down'

# It was ended by force: 6005 alone, with records before.
{ silent_until +6h
  echo "repeat 60 i"
  echo "record 7036 at +\$(i)s provider 'Service Control Manager' channel System param1=Spooler param2=stopped"
  echo "done"
  echo "record 6005 at +5h58m $eventlog"; } | story killed
read_story killed
has killed coverage ',hole,event log stopped,' 'neither a stop of it nor a start of Windows'
has killed problems '^EVENT_LOG_STOPPED,warning'
lacks killed coverage ',machine off,'

# An ordinary restart: the service stops and starts with Windows.
{ silent_until +6h 8
  echo "record 1074 at +110s provider User32 channel System param1=x.exe param2=PC-17 param4=0x0 param5=restart"
  echo "record 6006 at +2m $eventlog"
  echo "record 109 at ++1s provider Microsoft-Windows-Kernel-Power channel System"
  echo "record 13 at ++1s $general StopTime=x"
  echo "record 12 at +5h58m $general StartTime=x"
  echo "record 6009 at ++20s $eventlog"
  echo "record 6005 at ++0s $eventlog"; } | story reboot
read_story reboot
has reboot coverage ',hole,machine off,'
has reboot hosts '^PC-17' ',1,0,0,1,0,true,0'
has reboot coverage ',shutdown asked for,' 'asked for: restart, by x.exe \(User32 1074'
lacks reboot coverage ',event log stopped,,.*; until'
lacks reboot problems EVENT_LOG_STOPPED

# Twice: the service that starts belongs to the nearest start of Windows.
{ silent_until +6h 8
  for start in +2h +5h58m; do
      echo "record 12 at $start $general StartTime=x"
      echo "record 6005 at ++20s $eventlog"
      [ $start = +5h58m ] || echo "record 13 at ++10m $general StopTime=x"
  done; } | story restarts
read_story restarts
has restarts hosts '^PC-17' ',0,0,2,0,true,0'
lacks restarts problems EVENT_LOG_STOPPED

# A shutdown that was asked for and called off; Sysmon wrote for an hour after it.
{ silent_until +50m
  echo "record 1074 at +2m provider User32 channel System param1=shutdown.exe param5=restart param7=CORP"
  echo "record 1075 at +3m provider User32 channel System param1=x"
  echo "record 12 at +12h $general StartTime=x"
  echo "log $sysmon"
  echo "host PC-17.corp.example machine 0x1 boot 8"
  echo "process f pid 15 at +13h image C:\\\\Windows\\\\System32\\\\cmd.exe parent - guid startkey"; } | story asked
read_story asked
has asked coverage ',machine off,,' '^PC-17.corp.example,2026-01-01T00:50:30.0200000'
has asked coverage ',shutdown asked for,' 'called off'
lacks asked coverage 'reason CORP'

# Windows is recorded as ending, and records go on.
{ silent_until +40m
  echo "record 13 at +2m $general StopTime=x"
  echo "record 12 at +12h $general StartTime=x"
  echo "log $sysmon"
  echo "host PC-17.corp.example machine 0x1 boot 8"
  echo "process f pid 15 at +13h image C:\\\\Windows\\\\System32\\\\cmd.exe parent - guid startkey"; } | story ended
read_story ended
has ended coverage ',machine off,,' '^PC-17.corp.example,2026-01-01T00:40:30.0200000' 'records go on'

# Process GUIDs of one boot on both sides of a start of Windows.
{ silent_until +6h
  echo "record 13 at +2m $general StopTime=x"
  echo "record 12 at +5h59m $general StartTime=x"; } | story contradicted
read_story contradicted
has contradicted coverage ',hole,not explained,' 'are of one start, boot 7'
has contradicted problems '^COVERAGE_HOLE,notice'

# More records of the machine than are kept: starts and ends are.
{ silent_until +6h 8
  echo "repeat 20001 i"
  echo "record 6013 at +\$(i)ms $eventlog"
  echo "done"
  echo "record 13 at +2m $general StopTime=x"
  echo "record 12 at +5h59m $general StartTime=x"; } | story many_machine
read_story many_machine
has many_machine coverage ',hole,machine off,'
has many_machine problems '^STORY_IN_PART,notice' '1 more record of the machine itself is left out'

# Without a System log nothing is known of how Windows ended.
{ silent_until +6h 8 | sed 's/^log System.evtx/log Security.evtx/'
  echo "record 4608 at +5h58m provider Microsoft-Windows-Security-Auditing channel Security"; } | story audited
read_story audited
has audited coverage ',hole,machine off,' 'no System log of this host was read'
lacks audited coverage 'crashed'

# One record of another log soon after the silence began says nothing of its rest.
{ silent_until +12h
  echo "record 7036 at +4m provider 'Service Control Manager' channel System param1=Spooler param2=stopped"; } | story soon
read_story soon
has soon problems '^COVERAGE_HOLE,info' 'the last at 2026-01-01T00:04:00.0200000Z: it was on then'

story stopped <<END
host PC-17.corp.example machine 0x1 user CORP\\anna
log $sysmon
process a pid 10 at +0s image C:\\Windows\\explorer.exe parent -
process b pid 11 at +30s image C:\\Windows\\System32\\cmd.exe parent a
event 4 at +60s State=Stopped
event 4 at +3h State=Started
process d pid 13 at +3h1s image C:\\Windows\\System32\\cmd.exe parent a
event 4 at +4h State=Stopped
END
read_story stopped
has stopped coverage ',hole,sensor stopped,' ',10740,'
has stopped hosts '^PC-17' ',2,0,0,false,0'

story restarted <<END
host PC-17.corp.example machine 0x1 user CORP\\anna boot 7
log $sysmon
process a pid 10 at +0s image C:\\Windows\\explorer.exe parent - guid startkey
process b pid 11 at +30s image C:\\Windows\\System32\\cmd.exe parent a guid startkey
host PC-17.corp.example machine 0x1 boot 8
process d pid 13 at +3h image C:\\Windows\\System32\\cmd.exe parent - guid startkey
END
read_story restarted
has restarted coverage ',hole,restarted,' 'boot 7 before and boot 8 after'

{ silent_until +2m
  echo "record 1 at +70s $general NewTime=2026-01-01T00:01:10.0000000Z OldTime=2026-01-01T00:01:08.5000000Z Reason=1"
  echo "record 1 at +80s $general NewTime=2026-01-01T00:01:20.0000000Z OldTime=2026-01-01T02:01:20.0000000Z Reason=2"
  echo "log Security.evtx ids 7"
  echo "record 4616 at +80s provider Microsoft-Windows-Security-Auditing channel Security SubjectUserName=anna PreviousTime=2026-01-01T02:01:20.0000000Z NewTime=2026-01-01T00:01:20.0000000Z ProcessName=C:\\\\Tools\\\\settime.exe"
  echo "record 1100 at +90s provider Microsoft-Windows-Eventlog channel Security userdata ServiceShutdown"; } | story clock
read_story clock
has clock coverage ',clock set,' 'by account anna, by C:.Tools.settime.exe'
has clock coverage ',clock set,' 'Kernel-General 1'
has clock coverage ',event log,'
lacks clock coverage '00:01:08.5'
lacks clock coverage ',hole,'

# A gap of ids and a machine that was off are each a row of its own.
story gap <<END
host PC-17.corp.example machine 0x1 user CORP\\anna
log $sysmon ids 100
process a pid 10 at +0s image C:\\Windows\\explorer.exe parent -
process b pid 11 at +30s image C:\\Windows\\System32\\cmd.exe parent a id 110
END
read_story gap
has gap coverage ',records missing,' 'EventRecordID 101 to 109 are missing, 9 in all; origin raw'
has gap hosts ',9,'

# The same records in a log, its copy and its export: one event, with all of its places.
cp "$top/tests/scenarios/01-chain.scenario" live.scenario
sed 's/^\(log .*\)$/\1 export/' live.scenario >export.scenario
mkdir -p twice/Windows/System32/winevt/Logs export
"$make_evtx" live.scenario twice/Windows/System32/winevt/Logs >/dev/null
"$make_evtx" export.scenario export >/dev/null
"$forebear" report -q -o once.report twice >/dev/null 2>&1
read_story twice twice export
[ "$(wc -l <once.report/findings.csv)" = "$(wc -l <twice.report/findings.csv)" ] &&
    [ "$(wc -l <once.report/timeline.csv)" = "$(wc -l <twice.report/timeline.csv)" ] &&
    [ "$(wc -l <once.report/processes.csv)" = "$(wc -l <twice.report/processes.csv)" ]
tap_result $? "an event in two logs is one event"
for table in findings timeline processes; do
    has twice $table 'export: .*evtx: EventRecordID [0-9]+, offset [0-9]+'
    lacks once $table 'EventRecordID [0-9]+, offset'
    mv once.report/$table.csv once.report/$table.kept
    cp once.report/$table.kept once.report/$table.csv
done
lacks twice problems RID_CONFLICT

# More places than a cell lists.
for i in 1 2 3 4 5 6 7 8 9; do cp -r export "many$i"; done
read_story many twice many1 many2 many3 many4 many5 many6 many7 many8 many9
has many findings 'many8: .*; 1 more'

# The same ids with other content, in another log of that host.
sed 's/whoami/hostname/g' export.scenario >other.scenario
mkdir other
"$make_evtx" other.scenario other >/dev/null
read_story conflict twice other
has conflict problems '^RID_CONFLICT,warning' 'has other content here than under the same id in twice'
has conflict problems '^RID_CONFLICT,warning' '^RID_CONFLICT,warning,other,'

# A copy of a log leaves the same ids out, and says the same of a clearing: each counts once.
# What one log lacks and another one has is not missing.
story gap <<'END'
log Microsoft-Windows-Sysmon%4Operational.evtx ids 100
host PC-17.corp.example machine 0x00000001 user CORP\anna
process a pid 10 at +0s image C:\Windows\explorer.exe parent -
process b pid 11 at +1s image C:\Windows\System32\whoami.exe parent a
process c pid 12 at +4s image C:\Windows\System32\whoami.exe parent a id 104
log System.evtx ids 900
record 104 at +60s provider Microsoft-Windows-Eventlog channel System provider-guid {FC65DDD8-D6EF-4962-83D5-6E5CFE9CE148} userdata LogFileCleared sid S-1-5-21-1-2-3-500 SubjectUserName=anna SubjectDomainName=CORP Channel=Microsoft-Windows-Sysmon/Operational BackupPath=""
END
cp -r gap gap-copy
read_story gaps gap gap-copy
said "gaps: the summary counts ids once" 'live records: 2 event record ids\.'
said "gaps: and the clearing" '^1 clearing of a log recorded\.'
has gaps problems '^RID_DUP,notice,gap-copy' 'record of a clearing of the log .* stands in gap: .*System.evtx too; it is counted once'
check "gaps: one row of a clearing" test "$(grep -c ^LOG_CLEARED gaps.report/problems.csv)" = 1
story filled <<'END'
log Microsoft-Windows-Sysmon%4Operational.evtx ids 101
host PC-17.corp.example machine 0x00000001 user CORP\anna
process b pid 11 at +1s image C:\Windows\System32\whoami.exe parent -
process x pid 13 at +2s image C:\Windows\System32\hostname.exe parent -
END
rm filled/Windows/System32/winevt/Logs/System.evtx 2>/dev/null
read_story filling gap gap-copy filled
said "filling: what another log has is not missing" 'live records: 1 event record id\.'

# Clones, each in a folder of its own; one name in two folders; a renamed host.
mkdir -p hosts/one hosts/two
sed 's/PC01 PC04/PC01/' "$top/tests/scenarios/08-clones.scenario" >one.scenario
sed 's/PC01 PC04/PC04/' "$top/tests/scenarios/08-clones.scenario" >two.scenario
"$make_evtx" one.scenario hosts/one >/dev/null
"$make_evtx" two.scenario hosts/two >/dev/null
read_story hosts
has hosts hosts '^PC01.corp.example,365ABB72,'
has hosts hosts '^PC04.corp.example,365ABB72,'
has hosts problems '^MACHINE_ID_SHARED'
mkdir -p names/one names/two
"$make_evtx" one.scenario names/one >/dev/null
sed 's/0x365abb72/0x11111111/' one.scenario >three.scenario
"$make_evtx" three.scenario names/two >/dev/null
read_story names
has names hosts '^PC01.corp.example,11111111 365ABB72,'
has names problems '^COMPUTER_TWO_MACHINES'
has names problems '^RID_CONFLICT'
mkdir renamed
"$make_evtx" "$top/tests/scenarios/renamed.scenario" renamed >/dev/null
read_story renamed
has renamed hosts '^WIN-OLD,00000001,'
has renamed hosts '^PC-17.corp.example,00000001,'
has renamed coverage ',renamed,' 'from WIN-OLD to PC-17'
has renamed problems '^MACHINE_ID_SHARED'
mkdir fleet
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    sed "s/PC01/FLEET$i/g; s/clones.evtx/fleet$i.evtx/" one.scenario >fleet.scenario
    "$make_evtx" fleet.scenario fleet >/dev/null
done
read_story fleet
[ "$(grep -c '^FLEET' fleet.report/hosts.csv)" = 12 ]
tap_result $? "twelve hosts in one folder are twelve rows"

# A record hidden inside another: told with both places, and read.
mkdir hidden
"$make_evtx" "$top/tests/scenarios/hidden.scenario" hidden >/dev/null
read_story hidden
has hidden problems '^HIDDEN_RECORD,warning' 'header id 3, .* lies inside the record at offset [0-9]+ \(header id 2, [0-9]+ bytes\); stepping by the sizes of records passes over it"'
has hidden processes 'whoami.exe' ',hidden,'
has hidden evidence ',1.?$'
status_is 0 "hidden: libevtx tells it too" "$forebear" report -q --reader=libevtx -o hidden.libevtx hidden
grep '^HIDDEN_RECORD' hidden.report/problems.csv >native
grep '^HIDDEN_RECORD' hidden.libevtx/problems.csv >libevtx
same "hidden: both readers say the same" native libevtx
# Just short of one: another size, no BinXML, no id. Without checksums nothing else is wrong.
at=$(sed -n 's/^HIDDEN_RECORD,warning,hidden,[^,]*,\([0-9]*\),.*/\1/p' hidden.report/problems.csv)
short() { # NAME OFFSET BYTES: so many bytes of the inner record become 0x08
    rm -rf short short.report
    mkdir short
    cp "hidden/$sysmon" short
    head -c "$3" /dev/zero | tr '\0' '\010' |
        dd of="short/$sysmon" bs=1 seek=$((at + $2)) conv=notrunc status=none
    "$forebear" report -q -o short.report short >"$work/.out" 2>&1
    [ -n "$at" ] && ! grep '^HIDDEN_RECORD' short.report/problems.csv >"$work/.out"
    tap_result $? "hidden: not with $1"
}
short "another size" 4 1
short "another magic" 0 1
short "no BinXML" 24 1
short "no possible id" 8 8
if [ -e "$SHARED_DATA/evtx/parsers/post-Security.evtx" ]; then
    "$forebear" report -q -o real.report "$SHARED_DATA/evtx/parsers/post-Security.evtx" >/dev/null 2>&1
    has real problems '^HIDDEN_RECORD,warning' 'header id 105, 960 bytes.*\(header id 104, 1640 bytes'
    [ "$(grep -c '^HIDDEN_RECORD' real.report/problems.csv)" = 1 ]
    tap_result $? "real: it is the only one"
else
    skip "a record that a real tool hid" "no shared data"
fi

# What touches Sysmon: each is told, under its own name.
mkdir tampering
"$make_evtx" "$top/tests/scenarios/tampering.scenario" tampering >/dev/null
read_story tampering
has tampering problems '^SENSOR_TAMPERING,warning' 'Sysmon64a.exe -u force'
has tampering problems '^SENSOR_TAMPERING,warning' 'C:.Temp.services.exe \(pid 25\) wrote'
has tampering problems '^SENSOR_TAMPERING,warning' 'DeleteKey: HKLM.System.CurrentControlSet.Services.Sysmon;'

# What Sysmon and services.exe write there is their work; a path that only ends alike is not.
key='HKLM\System\CurrentControlSet\Services\SysmonDrv\Parameters'
cat <<END | story writers
host PC-17.corp.example machine 0x1
log $sysmon
process sysmon pid 20 at +0s image C:\Windows\Sysmon64.exe parent -
process services pid 21 at +1s image C:\Windows\System32\services.exe parent -
process other pid 22 at +2s image C:\x:\Windows\System32\services.exe parent -
event 13 at +3s process sysmon EventType=SetValue TargetObject=$key
event 13 at +4s process services EventType=SetValue TargetObject=$key
event 13 at +5s process other EventType=SetValue TargetObject=$key
END
read_story writers
grep -o '^SENSOR_TAMPERING,.*(pid [0-9]*)' writers.report/problems.csv | sed 's/.*(//' >said
echo 'pid 22)' >wanted
same "writers: whose work is told" wanted said

# A number that is not recorded is no number, and no two of them are the same.
mkdir numbers
"$forebear" records -q --format=jsonl tampering | sed 's/"ProcessId":25,//' >numbers/a.jsonl
"$make_evtx" "$top/tests/scenarios/logon-jump.scenario" numbers >/dev/null
"$forebear" records -q --format=jsonl numbers/*.evtx |
    sed 's/"TerminalSessionId":1,//; s/"User":"NT AUTHORITY[^"]*"/"User":"CORP\\\\anna"/; s/"System"}}/"High"}}/' |
    sed 's/PC-17/PC-18/; s/"IntegrityLevel":"System"/"IntegrityLevel":"High"/' >numbers/b.jsonl
rm numbers/*.evtx
read_story numbers
has numbers problems '^SENSOR_TAMPERING' 'services.exe \(pid not recorded\) wrote'
has numbers problems '^LOGON_JUMP,notice' 'session not recorded, integrity High; .*session not recorded, integrity Medium"?,'
lacks numbers problems 4294967295

# Two hosts in two logs that disagree are two rows.
for part in one two; do
    mkdir -p pairs/$part
    sed 's/^ *//' >pairs.scenario <<END
    t0 2026-01-01T00:00:00Z
    log $part.evtx
    host A.corp.example machine 0x1 user CORP\\anna
    process a pid 10 at +0s image C:\\$part.exe parent - id 5
    host B.corp.example machine 0x2 user CORP\\bert
    process b pid 11 at +30s image C:\\$part.exe parent - id 900
END
    "$make_evtx" pairs.scenario pairs/$part >"$work/.out" 2>&1 || tap_result 1 "pairs: made"
done
read_story pairs
has pairs problems '^RID_CONFLICT' '1 record of Sysmon.s channel on A.corp.example, EventRecordID 5 to 5,'
has pairs problems '^RID_CONFLICT' '1 record of Sysmon.s channel on B.corp.example, EventRecordID 900 to 900,'

# Machine ids of one name take as much room as there is: crafted logs have one a record.
mkdir machines
sed 's/^ *//' >machines.scenario <<'END'
    t0 2026-01-01T00:00:00Z
    log a.evtx
    repeat 150 i
    host PC-17.corp.example machine $(i+1)
    process p pid 10 at +$(i)s image C:\Windows\explorer.exe parent -
    done
END
"$make_evtx" machines.scenario machines >"$work/.out" 2>&1 || tap_result 1 "machines: made"
read_story machines
has machines hosts '^PC-17' '00000064 and 50 more,'

# Dropped events by kind; the account that changed the configuration.
mkdir sensor
"$make_evtx" "$top/tests/scenarios/19-sensor.scenario" sensor >/dev/null
read_story sensor
has sensor problems '^EVENTS_DROPPED,warning' 'counted 1 event that its driver dropped: ProcessCreate 1'
has sensor coverage ',sensor,' 'S-1-5-21-1-2-3-500'
status_is 0 "jobs: with one" "$forebear" report -q --jobs=1 -o jobs1 twice export off
status_is 0 "jobs: with four" "$forebear" report -q --jobs=4 -o jobs4 twice export off
for table in coverage hosts problems timeline findings processes; do
    same "jobs: the same $table.csv" "jobs1/$table.csv" "jobs4/$table.csv"
done
finish
