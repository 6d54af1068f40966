#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Security 4688 and 4689 as a second source of processes: scenario 20 as a user meets it, in
# both orders of the logs, without Sysmon, beside a copy, as text, and on public logs.
. "${srcdir:-.}/tests/tap.sh"
export SOURCE_DATE_EPOCH=1700000000

report() { # FOLDER EVIDENCE...
    folder=$1
    shift
    rm -rf "$work/out.$folder"
    "$forebear" report -q -o "$work/out.$folder" "$@"
}

# rows FOLDER: what is told of each process, one a line
rows() {
    python3 - "$work/out.$1/processes.csv" <<'PY'
import csv, sys
def name(row):
    return row["image"].rpartition("\\")[2].lower() if row else ""
rows = list(csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8")))
by_key = {row["process"]: row for row in rows}
for r in sorted(rows, key=lambda r: int(r["process_id"] or 0)):
    print(name(r), r["process_id"], r["kind"], "grade=" + r["grade"],
          "parent=" + name(by_key.get(r["parent"])), "candidate=" + name(by_key.get(r["candidate_parent"])),
          "end=" + r["end_utc"][11:19], "by=" + r["recorded_by"], "audit=" + r["audit_record_id"],
          "user=" + r["user"], r["token_elevation"], r["mandatory_label"])
PY
}

mkdir "$work/logs" "$work/turned" "$work/alone" "$work/twice" "$work/text"
check "the scenario is written" "$build/tests/make_evtx" "$top/tests/scenarios/20-audit.scenario" "$work/logs"
cp "$work/logs/Security.evtx" "$work/turned/A.evtx"
cp "$work/logs/Microsoft-Windows-Sysmon%4Operational.evtx" "$work/turned/B.evtx"
cp "$work/logs/Security.evtx" "$work/alone/"
cp "$work/logs/"* "$work/twice/"
cp "$work/logs/Security.evtx" "$work/twice/copy.evtx"
cp "$work/logs/Microsoft-Windows-Sysmon%4Operational.evtx" "$work/text/"
"$forebear" records -q --format=xml "$work/logs/Security.evtx" >"$work/text/security.xml"

check "the report is written" report both "$work/logs"
said "and says what the audit adds" '4688\) logged 6 process creations: 1 that Sysmon logged too.* 5 that it did not'
rows both >"$work/rows"
cat >"$work/wanted" <<'END'
 0 unknown grade= parent= candidate= end= by= audit= user=  
explorer.exe 16 logged grade= parent= candidate= end= by=Sysmon 1 + Security 4688 audit=7001 user=CORP\anna %%1938 S-1-16-8192
regsvr32.exe 32 logged (4688) grade=P parent=explorer.exe candidate= end= by=Security 4688 audit=7002 user=CORP\anna %%1938 S-1-16-8192
msra.exe 48 logged grade=B parent=regsvr32.exe candidate= end= by=Sysmon 1 audit= user=CORP\anna  
cmd.exe 64 logged (4688) grade=P parent=msra.exe candidate= end=00:00:40 by=Security 4688 audit=7003 user=CORP\anna %%1938 S-1-16-8192
whoami.exe 80 logged grade=A parent=msra.exe candidate= end= by=Sysmon 1 audit= user=CORP\anna  
net.exe 96 logged (4688) grade=C parent= candidate=cmd.exe end= by=Security 4688 audit=7004 user=CORP\anna %%1938 
tool.exe 112 logged (4688) grade= parent= candidate= end= by=Security 4688 audit=7005 user=CORP\anna %%1938 S-1-16-8192
late.exe 144 logged (4688) grade= parent= candidate= end= by=Security 4688 audit=7007 user=CORP\anna %%1938 S-1-16-8192
END
same "nodes, grades, parents, ends, both records" "$work/wanted" "$work/rows"
has_row() { check "$1" sh -c 'grep -E -- "$2" "$1/processes.csv" | grep -qE -- "$3"' - "$work/out.$2" "$3" "$4"; }
has_row "a parent by its id says whether it had ended" both ',32,' 'the newest recorded process of that id has that image; no end of it is recorded'

# --- a process id of before a start of Windows is no parent's: by System, by GUIDs
for told in system guids; do
    mkdir "$work/$told"
    {
        cat <<'END'
t0 2026-01-01T00:00:00Z
host PC-17.corp.example machine 0x00000001 boot 7 user CORP\anna
log Microsoft-Windows-Sysmon%4Operational.evtx
process explorer pid 16 at +0s guid startkey image C:\Windows\explorer.exe command C:\Windows\Explorer.EXE parent -
END
        [ $told = guids ] && cat <<'END'
host PC-17.corp.example machine 0x00000001 boot 8 user CORP\anna
process z pid 99 at +2d guid startkey image C:\Windows\System32\svchost.exe parent -
END
        [ $told = system ] && cat <<'END'
log System.evtx ids 100
record 12 at +1d1h provider Microsoft-Windows-Kernel-General channel System StartTime=x
END
        cat <<'END'
log Security.evtx ids 7001
record 4688 at +3d version 2 provider Microsoft-Windows-Security-Auditing channel Security provider-guid {54849625-5478-4994-A5BA-3E3B0328C30D} SubjectUserSid:sid=S-1-5-18 SubjectUserName=anna SubjectDomainName=CORP SubjectLogonId:hex64=0x1234 NewProcessId:hex64=0x40 NewProcessName=C:\Windows\System32\cmd.exe TokenElevationType=%%1938 ProcessId:hex64=0x10 CommandLine="cmd" TargetUserSid:sid=S-1-0-0 TargetUserName=- TargetDomainName=- TargetLogonId:hex64=0x0 ParentProcessName=C:\Windows\explorer.exe MandatoryLabel:sid=S-1-16-8192
END
    } >"$work/$told.scenario"
    "$build/tests/make_evtx" "$work/$told.scenario" "$work/$told" >/dev/null
    check "$told: the report is written" report $told "$work/$told"
    rows $told | grep '^cmd.exe' >"$work/rows.$told"
    check "$told: no parent from before a start of Windows" \
        grep -q 'grade= parent= candidate= ' "$work/rows.$told"
done

mkdir "$work/nobody"
sed '/tool\.exe/s/ ProcessId:hex64=0x40 / ProcessId= /' "$top/tests/scenarios/20-audit.scenario" >"$work/nobody.scenario"
"$build/tests/make_evtx" "$work/nobody.scenario" "$work/nobody" >/dev/null
check "a record without a creator's id is read" report nobody "$work/nobody"
has_row "and no id is made up" nobody 'tool\.exe' ',event 4688 records no process id of the creator,'
check "nowhere" sh -c '! grep -r 4294967295 "$1"' - "$work/out.nobody"

# The numbers of two logs say nothing of each other's order: the times do.
mkdir "$work/order"
cat >"$work/order.scenario" <<'END'
t0 2026-01-01T00:00:00Z
host PC-17.corp.example machine 0x00000001 user CORP\anna
log Microsoft-Windows-Sysmon%4Operational.evtx
process explorer pid 16 at +0s image C:\Windows\explorer.exe parent -
process late pid 32 at +60s image C:\late.exe parent explorer
log Security.evtx ids 7001
record 4689 at +40s version 0 provider Microsoft-Windows-Security-Auditing channel Security provider-guid {54849625-5478-4994-A5BA-3E3B0328C30D} SubjectUserSid:sid=S-1-5-18 SubjectUserName=anna SubjectDomainName=CORP SubjectLogonId:hex64=0x1234 Status:hex32=0x0 ProcessId:hex64=0x10 ProcessName=C:\Windows\explorer.exe
END
"$build/tests/make_evtx" "$work/order.scenario" "$work/order" >/dev/null
report order "$work/order"
check "an end that the audit recorded before the child's start is told" grep -q '^PARENT_ENDED_FIRST' "$work/out.order/problems.csv"

# What is said of children says "Sysmon recorded": the audit's are no such.
mkdir "$work/tasks"
sed 's/^\(process whoami .*\)whoami.exe command "whoami .all"/\1schtasks.exe command "schtasks -create"/
    /NewProcessId:hex64=0x40/{s/cmd.exe/schtasks.exe/;s/cmd .c set/schtasks -create/;}' \
    "$top/tests/scenarios/20-audit.scenario" >"$work/tasks.scenario"
"$build/tests/make_evtx" "$work/tasks.scenario" "$work/tasks" >/dev/null
report tasks "$work/tasks"
check "both are children of msra.exe" test "$(grep -c 'schtasks.exe.*schtasks -create' "$work/out.tasks/processes.csv")" = 2
check "Sysmon's alone is told as what Sysmon recorded" test "$(grep -c ',MSRA_TASK,' "$work/out.tasks/corroboration.csv")" = 1

# told FOLDER ID: the timeline's rows of that event
told() {
    python3 - "$work/out.$1/timeline.csv" "$2" <<'PY'
import csv, sys
for r in csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8")):
    if r["event_id"] == sys.argv[2]:
        print(r["log"], r["event_record_id"], r["process_id"], r["why"], r["clock"],
              "findings" if r["finding"] else "-", r["state"], r["message"])
PY
}
told both 4688 >"$work/told"
cat >"$work/wanted" <<'END'
Security.evtx 7001 16 family TimeCreated - live Windows' audit recorded userinit.exe (8) as the creator of explorer.exe (16): (no command line recorded)
Security.evtx 7002 32 family TimeCreated - live Windows' audit recorded explorer.exe (16) as the creator of regsvr32.exe (32): regsvr32.exe -s x.html
Security.evtx 7003 64 family TimeCreated findings live Windows' audit recorded MSRA.EXE (48) as the creator of cmd.exe (64): cmd /c set
END
same "the timeline has the audit's records of the family" "$work/wanted" "$work/told"
echo "Security.evtx 7006 64 family TimeCreated - live Windows' audit recorded the end of cmd.exe (64), exit status 0x0" >"$work/end.wanted"
told both 4689 >"$work/end"
same "and the end that it recorded" "$work/end.wanted" "$work/end"
check "as what it is" grep -q ',Process Terminated,.*,4689,' "$work/out.both/timeline.csv"
check "so has the page" grep -q "audit recorded MSRA.EXE (48) as the creator of cmd.exe (64): cmd /c set" "$work/out.both/report.html"
report bare --findings-only "$work/logs"
check "which are left out where findings alone are asked for" sh -c '! grep -q ",4688," "$1"' - "$work/out.bare/timeline.csv"
report none --event-id=1 "$work/logs"
check "or other events" sh -c '! grep -q ",4688," "$1"' - "$work/out.none/timeline.csv"
check "nor is the end" sh -c '! grep -q ",4689," "$1"' - "$work/out.none/timeline.csv"
report told --event-id=4688 --channel=Security "$work/logs"
check "and told where they are" test "$(grep -c ',4688,' "$work/out.told/timeline.csv")" = 3
check "by their ids: no end" sh -c '! grep -q ",4689," "$1"' - "$work/out.told/timeline.csv"
report channel --channel=Security "$work/logs"
check "a channel alone has its own events alone" sh -c '! grep -q "Sysmon.4Operational.evtx" "$1" && grep -q Security.evtx "$1"' - "$work/out.channel/timeline.csv"
report edge --after=2026-01-01T00:00:20.0100000Z --before=2026-01-01T00:00:25Z "$work/logs"
check "a creation is told by its start, not by when it was logged" sh -c '! grep whoami "$1"' - "$work/out.edge/findings.csv"
count() { tail -n +2 "$work/out.$1/timeline.csv" | grep -c .; }
for part in none told channel edge; do
    left_out=$(sed -n 's/.*"timeline_events_left_out": \([0-9]*\).*/\1/p' "$work/out.$part/manifest.json")
    check "$part: what is not told is counted" test $(($(count $part) + left_out)) = "$(count both)"
done
report ends --event-id=4689 "$work/logs"
check "and the end alone" test "$(grep -c 'Windows. audit' "$work/out.ends/timeline.csv")" = 1
python3 - "$work/out.both/findings.csv" >"$work/found" <<'PY'
import csv, sys
for r in csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8")):
    if r["rule_source"] != "forebear":
        print(r["rule_source"], r["image"].rpartition("\\")[2], r["recorded_by"], r["lineage_grade"], r["verified"])
PY
cat >"$work/wanted" <<'END'
asim whoami.exe Sysmon 1 A yes
sigma whoami.exe Sysmon 1 A yes
splunk-v1 cmd.exe Security 4688 P yes
splunk-v4 cmd.exe Security 4688 P yes
END
sort "$work/found" >"$work/sorted"
same "Splunk fires on 4688, Sigma cannot; each finding says its source" "$work/wanted" "$work/sorted"
sed -e 's/<[^>]*>//g' "$work/out.both/report.html" >"$work/both.page"
check "the page does not say that Sysmon recorded its parent" sh -c '! grep -q "Sysmon recorded MSRA.EXE" "$1"' - "$work/both.page"
check "but that the audit did" grep -q "Windows' audit (Security event 4688) recorded MSRA.EXE (48) as the creator of cmd.exe (64)" "$work/both.page"
check "the page names the second source" grep -q "logged by Windows' audit" "$work/out.both/report.html"

python3 - "$work/out.both/processes.csv" >"$work/ends" <<'PY'
import csv, sys
for r in csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8")):
    if r["end_utc"]:
        print(r["process_id"], r["log"], r["end_event_record_id"], r["end_recorded_by"], r["end_log"] or "-")
PY
echo "64 Security.evtx 7006 Security 4689 by process id -" >"$work/wanted"
same "an end by 4689 is told as one" "$work/wanted" "$work/ends"
mkdir "$work/ended"
"$build/tests/make_evtx" "$top/tests/scenarios/audited-end.scenario" "$work/ended" >/dev/null
check "a report on an end that 4689 alone tells" report ended "$work/ended"
has_row "names the log of that record" ended ',20,' ',Security 4689 by process id,Security.evtx'

check "in the other order of logs" report turned "$work/turned"
rows turned >"$work/rows.turned"
same "nothing changes" "$work/rows" "$work/rows.turned"
check "with a copy of the Security log" report twice "$work/twice"
rows twice >"$work/rows.twice"
same "nothing comes twice" "$work/rows" "$work/rows.twice"
told twice 4689 | sed 's/^copy/Security/' >"$work/end"
same "nor does the end" "$work/end.wanted" "$work/end"
check "with the Security log as XML" report text "$work/text"
rows text >"$work/rows.text"
same "nothing changes either" "$work/rows" "$work/rows.text"
check "--reader=libevtx" report libevtx --reader=libevtx "$work/logs"
rows libevtx >"$work/rows.libevtx"
same "gives the same" "$work/rows" "$work/rows.libevtx"

# --- an end that Sysmon and the audit recorded; one of a pid whose process had long ended
mkdir "$work/ended"
sed -e 's/^log Security.*/end whoami at +45s\nend msra at +50s ProcessGuid={00000000-0000-0000-0000-000000000000}\n&/' \
    -e '/^record 4689/{p;s/+40s/+45.1s/;s/0x40/0x50/;s/cmd.exe/whoami.exe/;p;s/+45.1s/+49s/;s/0x50/0x30/;s/whoami/msra/;p;s/+49s/+90s/;s/0x30/0x50/;s/msra/whoami/}' \
    "$top/tests/scenarios/20-audit.scenario" >"$work/ended.scenario"
check "ends that both logged" "$build/tests/make_evtx" "$work/ended.scenario" "$work/ended"
report ended "$work/ended"
told ended 4689 | cut -d ' ' -f 3,10- >"$work/end"
cat >"$work/wanted" <<'END'
64 recorded the end of cmd.exe (64), exit status 0x0
80 recorded the end of whoami.exe (80), exit status 0x0
48 recorded the end of msra.exe (48), exit status 0x0
END
same "have a row of the audit's, too" "$work/wanted" "$work/end"
told ended 5 | cut -d ' ' -f 3,8- >"$work/end"
printf '%s\n' '80 whoami.exe (80) ended' '48 msra.exe (48) ended' >"$work/wanted"
same "beside Sysmon's, with a GUID or without" "$work/wanted" "$work/end"
rows ended | grep -E '^(whoami|msra)' | grep -oE '^[a-z]+|end=[0-9:]+' | xargs >"$work/end"
echo 'msra end=00:00:50 whoami end=00:00:45' >"$work/wanted"
same "whose time is the process's" "$work/wanted" "$work/end"

# --- Forebear's own indicators and near misses on what the audit alone logged
created() { # AT VERSION PID IMAGE CREATOR-PID [CREATOR]
    printf 'record 4688 at %s version %s provider Microsoft-Windows-Security-Auditing channel Security SubjectUserSid:sid=S-1-5-18 SubjectUserName=anna SubjectDomainName=CORP SubjectLogonId:hex64=0x1234 NewProcessId:hex64=%s NewProcessName=%s TokenElevationType=%%%%1938 ProcessId:hex64=%s CommandLine=""' "$1" "$2" "$3" "$4" "$5"
    [ -z "${6-}" ] || printf ' TargetUserSid:sid=S-1-0-0 TargetUserName=- TargetDomainName=- TargetLogonId:hex64=0x0 ParentProcessName=%s MandatoryLabel:sid=S-1-16-8192' "$6"
    echo
}
system='C:\Windows\System32'
{
    cat <<'END'
t0 2026-01-01T00:00:00Z
host PC-17.corp.example machine 0x00000001 user CORP\anna
log Microsoft-Windows-Sysmon%4Operational.evtx
process explorer pid 16 at +0s image C:\Windows\explorer.exe command C:\Windows\Explorer.EXE parent -
process copy pid 48 at +10s image C:\Temp\update.exe parent explorer OriginalFileName=msra.exe
log Security.evtx ids 7001
END
    created +20s 2 0x50 "$system\find.exe" 0x30 'C:\Temp\update.exe'
    created +30s 2 0x60 "$system\msra.exe" 0x10 'C:\Windows\explorer.exe'
    created +31s 2 0x61 "$system\arp.exe" 0x60 "$system\msra.exe"
    created +32s 2 0x62 "$system\net.exe" 0x60 "$system\msra.exe"
    created +33s 2 0x63 "$system\whoami.exe" 0x60 "$system\msra.exe"
    created +34s 1 0x64 "$system\route.exe" 0x60
    created +40s 2 0x70 'C:\Temp\msra.exe' 0x10 'C:\Windows\explorer.exe'
    created +50s 2 0x80 "$system\a.exe" 0x999 'D:\x\msra.exe'
    created +51s 2 0x81 "$system\b.exe" 0x999 'D:\x\msra.exe'
    created +52s 2 0x82 "$system\c.exe" 0x998 'D:\x\msra.exe'
} >"$work/own.scenario"
mkdir "$work/own"
"$build/tests/make_evtx" "$work/own.scenario" "$work/own" >/dev/null
check "what the audit alone logged is judged by the own indicators" report own "$work/own"
python3 - "$work/out.own" >"$work/found" <<'PY'
import csv, sys
def rows(name):
    return csv.DictReader(open(sys.argv[1] + "/" + name, newline="", encoding="utf-8"))
says = "This creation was recorded by Windows' audit (Security 4688), not by Sysmon."
for r in rows("findings.csv"):
    print(r["code"], r["image"].rpartition("\\")[2], r["recorded_by"], says in r["message"])
for r in rows("near_misses.csv"):
    print(r["rule_source"] or "any", r["image"].rpartition("\\")[2], r["recorded_by"], says in r["why"])
PY
cat >"$work/wanted" <<'END'
MSRA_CHILD_TOOL find.exe Security 4688 True
MSRA_RENAMED find.exe Security 4688 True
MSRA_CHILD_TOOL arp.exe Security 4688 True
MSRA_CHILD_TOOL net.exe Security 4688 True
MSRA_CHILD_TOOL whoami.exe Security 4688 True
MSRA_RECON_BURST whoami.exe Security 4688 True
MSRA_ODD_PATH msra.exe Security 4688 True
MSRA_CHILD_TOOL a.exe Security 4688 True
MSRA_ODD_PATH a.exe Security 4688 True
MSRA_CHILD_TOOL b.exe Security 4688 True
MSRA_CHILD_TOOL c.exe Security 4688 True
MSRA_ODD_PATH c.exe Security 4688 True
any find.exe Security 4688 True
splunk-v4 arp.exe Security 4688 True
splunk-v4 net.exe Security 4688 True
splunk-v4 whoami.exe Security 4688 True
any route.exe Security 4688 True
splunk-v4 a.exe Security 4688 True
splunk-v4 b.exe Security 4688 True
splunk-v4 c.exe Security 4688 True
END
same "each finding and near miss says which log recorded it" "$work/wanted" "$work/found"

# --- the page's filter by event id goes by what logged a creation
{
    cat <<'END'
t0 2026-01-01T00:00:00Z
host PC-17.corp.example machine 0x00000001 user CORP\anna
log Microsoft-Windows-Sysmon%4Operational.evtx
process msra pid 48 at +10s image C:\Windows\System32\msra.exe parent -
process both pid 80 at +20s image C:\Windows\System32\whoami.exe parent msra
process alone pid 81 at +25s image C:\Windows\System32\net.exe parent msra
log Security.evtx ids 7001
END
    created +20s 2 0x50 "$system\whoami.exe" 0x30 "$system\msra.exe"
    created +30s 2 0x60 "$system\arp.exe" 0x30 "$system\msra.exe"
} >"$work/filter.scenario"
mkdir "$work/filter"
"$build/tests/make_evtx" "$work/filter.scenario" "$work/filter" >/dev/null
check "creations of either source are matched" report filter "$work/filter"
grep -A 1 '^<article class="creation' "$work/out.filter/report.html" |
    sed -nE 's/.* data-event="([^"]*)".*/\1/p; s/^<h5>([a-z]*)\.exe.*/\1/p' | paste - - >"$work/found"
printf '1 4688\twhoami\n1\tnet\n4688\tarp\n' >"$work/wanted"
same "each says the events that it was recorded by" "$work/wanted" "$work/found"

status_is 3 "without Sysmon the run says that it is incomplete" report alone "$work/alone"
said "and what it rests on" 'Examined without Sysmon: no Sysmon record'
rows alone >"$work/rows"
check "a creator that is not recorded is no parent" grep -q '^cmd.exe 64 logged (4688) grade= parent= ' "$work/rows"
check "its end is known without Sysmon too" grep -q '^cmd.exe 64 logged .* end=00:00:40 by=Security 4688 ' "$work/rows"
python3 - "$work/out.alone/findings.csv" >"$work/.out" <<'PY'
import csv, sys
print(*sorted(r["rule_source"] for r in csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8"))))
PY
said "Splunk and the own indicator fire all the same: they need the name alone" '^forebear splunk-v1 splunk-v4$'

if [ -d "$SHARED_DATA/evtx" ]; then
    report public "$SHARED_DATA/evtx" >/dev/null 2>&1
    python3 - "$work/out.public/processes.csv" >"$work/.out" <<'PY'
import csv, sys
audited = [r for r in csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8")) if "4688" in r["recorded_by"]]
records = {(r["computer"], r["audit_record_id"]) for r in audited}
print(len(audited), "processes,", len(records), "records")
assert len(audited) == len(records) and audited
assert all(not r["parent"] or r["grade"] == "P" for r in audited if r["kind"] == "logged (4688)" and not r["process_guid"])
PY
    tap_result $? "public logs: each 4688 is one process ($(head -n 1 "$work/.out"))"
else
    skip "public logs" "no shared data here"
fi
finish
