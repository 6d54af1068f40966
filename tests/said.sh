#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# That the report says the same of itself in all places, and no more than holds: what was
# confirmed, recovered and left out, of whom a rule or an indicator speaks.
. "${srcdir:-.}/tests/tap.sh"
make_evtx=$build/tests/make_evtx
cd "$work" || exit 1
SOURCE_DATE_EPOCH=1767225600
export SOURCE_DATE_EPOCH

# report NAME EVIDENCE [OPTION]...: the report in $work/NAME; what it said in NAME.said, the
# page without its markup in NAME.page
report() {
    name=$1
    "$forebear" report -o "$@" >"$name.said" 2>"$name.stderr"
    [ ! -f "$name/report.html" ] || sed -e 's/<[^>]*>//g' "$name/report.html" >"$name.page"
}
# scenario NAME [OPTION]...: the report on $work/NAME.scenario
scenario() {
    name=$1
    shift
    mkdir -p "logs-$name"
    "$make_evtx" "$name.scenario" "logs-$name" >/dev/null
    report "$name" "logs-$name" "$@"
}
# at_a_workstation <EVENTS: a scenario of one host and its shell, then these events
at_a_workstation() {
    cat <<'END'
t0 2026-01-01T00:00:00Z
log Microsoft-Windows-Sysmon%4Operational.evtx
host PC-17.corp.example machine 0x00000001 user CORP\anna
process explorer pid 10 at +0s image C:\Windows\explorer.exe parent -
END
    cat
}
has() { check "$1" grep -qE -- "$3" "$2"; }
lacks() { check "$1" sh -c '! grep -qE -- "$2" "$1"' - "$2" "$3"; }

mkdir cut
head -c 150000 "$top/samples/WKS-01-Sysmon.evtx" >cut/WKS-01-Sysmon.evtx
report whole "$top/samples/WKS-01-Sysmon.evtx"
report none "$top/samples/WKS-01-Sysmon.evtx" --verify=none --no-recovered
report cut-report cut

# --- what the method and the limits say is what was done
at_a_workstation </dev/null >nothing.scenario
scenario nothing
has "the method tells of the second reading" whole.page '^The logs were read a second time'
has "and of the second reader" whole.page '^Records were decoded again, from the same bytes'
has "where nothing was looked for again it tells of one reading" nothing.page '^The logs were read once:'
has "and of no second reader" nothing.page '^No record was decoded again by another reader\.$'
lacks "nor of what it was handed" nothing.page 'read a second time|from the same bytes|libevtx was handed'
has "the outcome speaks of live records" whole.page '^Outcome.*finished, and every live record could be read'
has "the limits tell of the second reader" whole.page '^A second reader decoded only the records that Method names'
lacks "and do not deny it" whole.page 'no other program has confirmed'
has "without one they say so" none.page '^One reader decoded the records; no other program has confirmed them'
has "the limits tell of recovered records" cut-report.page '^Records that are not live were looked for inside the logs, and used'
lacks "and do not deny them" cut-report.page 'outside the live ones.*not (examined|used)'
has "where none were asked for they say so" none.page '^Records outside the live ones, such as deleted ones, were not used'

# --- what could not be read
check "where all was read no problem is announced" sh -c 'grep -A 1 "What could not be read" whole.page |
    grep -q "Everything that was found could be read\.$"'
check "where not, Problems lists each" sh -c 'grep "What could not be read" cut-report.page | grep -q "Problems lists each with its place"'
mkdir recovered
"$make_evtx" "$top/tests/scenarios/hidden.scenario" recovered >/dev/null
report hidden recovered
check "records that were recovered and used were read" sh -c '
    grep "What was read" hidden.page | grep -q "others were recovered" &&
    ! grep "What could not be read" hidden.page | grep -q "recovered"'
report live "$top/samples/forebear-sample.E01" --no-recovered
check "records that were left out are not all that was found" sh -c '! grep -q "outside the live ones" live.said || ! grep -q "Everything that" live.said'

# --- what the logs cover is no clean bill where they are damaged
has "a cut one that more can be gone" cut-report.said 'Missing among the live records: .* 14 processes\. Part of the evidence is damaged'
has "and that recovered records can be some of it" cut-report.said '10 recovered records of Sysmon can be among the missing ones'

# --- the hosts that are counted
{
    cat "$top/tests/scenarios/20-audit.scenario"
    sed -n 's/^log Security.evtx.*/host PC-18.corp.example machine 0x00000002 user CORP\\ben\nlog Security-18.evtx/p; /^record 4688 at +31s/p' \
        "$top/tests/scenarios/20-audit.scenario"
} >audit.scenario
scenario audit
has "a host with events of the audit alone has no Sysmon record" audit.said '^Examined: .* process creations, on 1 host, from'
has "on the first screen neither" audit.page 'Hosts with Sysmon records: 1\.'
lacks "nor is it missed where records are drawn" audit.page 'not drawn'
has "the manifest counts it apart" audit/manifest.json '"hosts_without_sysmon_records": 1'
has "its processes are there" audit/processes.csv 'PC-18\.corp\.example'

# --- what rests on records that only one reader can decode
has "records that could not be confirmed are counted among those that findings rest on" cut-report.said \
    'equal in 10 of 10 records, of 1[0-9] that findings.* rest on; [1-9] of these are not live: the native reader alone'
check "as many as there are" python3 - cut-report <<'END'
import csv, re, sys
rows = [r for t in ("findings", "corroboration") for r in csv.DictReader(open(f"{sys.argv[1]}/{t}.csv"))]
lost = {(r["log"], r["offset"]) for r in rows if r["state"] and r["state"] != "live"}
said = re.search(r"; (\d+) of these are not live", open(f"{sys.argv[1]}.said").read())
sys.exit(not lost or not said or int(said[1]) < len(lost))
END
at_a_workstation >quiet.scenario <<'END'
process msra pid 30 at +1s image C:\Windows\System32\msra.exe parent explorer
event 25 at +2s process msra Type="Image is replaced"
END
scenario quiet
has "a whole log says that nothing is known to be missing" quiet.said 'nowhere recorded as stopped\. Record ids and process numbers show none missing\. hosts'
lacks "without a finding nothing is said to rest on one" quiet.said 'records that findings'
has "but on the signs that there are" quiet.said 'equal in ([0-9]+) of \1 records? that corroboration.csv rests on'

# --- what a filter leaves out
mkdir -p twice
cp "$top/samples/WKS-01-Sysmon.evtx" twice/a.evtx
cp "$top/samples/WKS-01-Sysmon.evtx" twice/b.evtx
families=$(($(wc -l <whole/timeline.csv) - 1))
report wide "$top/samples/WKS-01-Sysmon.evtx" --timeline=all --event-id=255
report twice-wide twice --timeline=all --event-id=255
"$forebear" report -q --timeline=all -o all "$top/samples/WKS-01-Sysmon.evtx" >/dev/null 2>&1
others=$(($(wc -l <all/timeline.csv) - 1 - families))
has "events of the families are counted apart from others" wide.said \
    " $families events of the findings' families, and $others more events of the wider timeline lie outside it"
has "a copy of a log counts its events once" twice-wide.said \
    " $families events of the findings' families, and $others more events of the wider timeline lie outside it"
has "in the manifest too" twice-wide/manifest.json "\"timeline_events_beyond_left_out\": $others"

# --- who acted on the host process
report sample "$top/samples/forebear-sample.E01"
has "a source that is the recorded parent is called that" sample.page 'The recorded parent, also recorded as acting on the host process: .*regsvr32.exe \(9552\)'
lacks "and nothing else" sample.page 'Not (a|the recorded) parent, .*regsvr32.exe \(9552\)'

has "a machine's id is spelt as in hosts.csv" sample.page 'machine id 5A3C0F11'

# --- counts in words
has "none of them is not 0 of them" whole.said 'near misses?, each with why: .*(It is|All are) of a process creation that another rule matches and stands? there\.'
has "what the grades count is named" sample.page 'Parents: [0-9]+ told by the child.s record'
"$forebear" report -q --reader=libevtx -o by-libevtx "$top/samples/WKS-01-Sysmon.evtx" >by-libevtx.said 2>&1
has "the other reader is named as one" by-libevtx.said 'decoded again by the native reader, equal'
lacks "no count stands where there is none" whole.said '(^|[^0-9.])0 (of them|are|event|time|process|Forebear)'

# --- where a part is told, each place counts that part
report part "$top/samples" --after=2026-01-12T09:30:00
python3 - part >part.counts <<'PY'
import csv, json, sys
manifest = json.load(open(sys.argv[1] + "/manifest.json"))
rows = list(csv.DictReader(open(sys.argv[1] + "/findings.csv", newline="", encoding="utf-8")))
for rule in manifest["rules"]["items"]:
    told = {r["process"] for r in rows if (r["rule_id"], r["rule_source"]) == (rule["id"], rule["source"])}
    if len(told) != rule["process_creations_matched"]:
        print(rule["source"], rule["title"], rule["process_creations_matched"], "is not", len(told))
PY
check "the manifest counts the matches of each rule as findings.csv has them" test ! -s part.counts
events_of() { python3 -c 'import csv, sys; print(len(list(csv.reader(open(sys.argv[1], newline="", encoding="utf-8")))) - 1)' "$1/timeline.csv"; }
left_out=$(sed -n 's/.*"timeline_events_left_out": \([0-9]*\).*/\1/p' part/manifest.json)
check "events of the families alone are counted as left out" test $(($(events_of part) + left_out)) = "$(events_of sample)"

# --- no GUID leads to the parent: nothing can be said to be absent on it
at_a_workstation >parentless.scenario <<'END'
process msra pid 30 at +10s image C:\Windows\System32\msra.exe parent explorer
process cmd pid 40 at +20s image C:\Windows\System32\cmd.exe parent - ParentProcessId=30 ParentImage=C:\Windows\System32\msra.exe ParentCommandLine=msra.exe
event 8 at +23s source explorer target msra
END
scenario parentless
lacks "no absence is told of a process that is not known" parentless.page 'No event 8 .* on this host process'
has "that it is not known is" parentless.page 'No GUID leads to the parent that this record names'
has "nor does the summary say that nothing was recorded on it" parentless.said 'To the parent of 1 of these process creations no GUID leads'
lacks "which is all that it says" parentless.said 'On the host processes of these findings'

# --- events at one place of two logs are two
at_a_workstation >places.scenario <<'END'
process msra pid 30 at +10s image C:\Windows\System32\msra.exe parent explorer
process cmd pid 40 at +20s image C:\Windows\System32\cmd.exe parent msra
log a.evtx
host PC-17.corp.example machine 0x00000001 user CORP\anna
event 8 at +23s source explorer target msra
log b.evtx
host PC-17.corp.example machine 0x00000001 user CORP\anna
event 8 at +24s source explorer target msra
END
scenario places
has "each is counted" places.said ' 2 events 8 \(remote thread\)'

# --- whether an event can have been collected: 4.5 is 4.50, whose schema has event 25
for schema in 4.5 4.23; do
    at_a_workstation >schema.scenario <<END
event 4 at +1s State=Started Version=15.0 SchemaVersion=$schema
event 16 at +2s Configuration=c.xml ConfigurationFileHash=-
process msra pid 30 at +10s image C:\Windows\System32\msra.exe parent explorer
process cmd pid 40 at +20s image C:\Windows\System32\cmd.exe parent msra
END
    rm -rf schema
    scenario schema
    grep 'No event 25 ' schema.page >"$schema.silence"
done
has "an event of the schema may have been" 4.5.silence 'collected: not determined \(Sysmon.s configuration was changed there 1 time, event 16\)'
has "one of a later schema was not, however it was configured" 4.23.silence 'collected: off \(the newest event 4 names schema 4\.23, which has no such event\)\.?$'
has "what injection itself leaves is answered for each id" schema.page 'No event 8 \([^)]*\), of any process'

# --- what is neutral speaks for nothing
has "there are neutral records" "$top/tests/golden/folder/corroboration.csv" ',neutral,assessed,'
check "none of them is told as a sign of injection" sh -c '! grep "Injection indicators" "$1" | grep "Assessed (neutral)"' - part/elsewhere.csv
has "others are" part/elsewhere.csv 'Injection indicators,.*Assessed \(medium\)'

# --- hosts are counted alike
cat >named.scenario <<'END'
t0 2026-01-01T00:00:00Z
log first.evtx
host PC-17.corp.example machine 0x00000001
event 4 at +0s State=Started Version=15.0 SchemaVersion=4.90
process explorer pid 10 at +1s image C:\Windows\explorer.exe parent -
log second.evtx
host PC-17.corp.example machine 0x00000002
process other pid 10 at +1d image C:\Windows\explorer.exe parent -
END
scenario named
has "events without a process make no further host" named.said 'on 2 hosts, from'
has "where hosts are told by name alone it is said" named.said 'on 1 host \(told by name: machines of one name are one here\) Sysmon'
check "the manifest counts as the summary" grep -q '"hosts": 2,' named/manifest.json

# --- what a matched process creation is to its host process
at_a_workstation >below.scenario <<'END'
process msra pid 30 at +10s image C:\Windows\System32\msra.exe parent explorer
process cmd pid 40 at +20s image C:\Windows\System32\cmd.exe parent msra
process arp pid 41 at +30s image C:\Windows\System32\arp.exe parent cmd
process whoami pid 42 at +40s image C:\Windows\System32\whoami.exe parent cmd
process copy pid 50 at +50s image C:\Users\Public\msra.exe parent msra
END
scenario below
has "children of the host process are counted as such" below.page 'this recorded parent that meet one or more rules: 2\.'
has "what a rule over several processes rests on is not among them" below.page 'farther below it that a rule over several processes rests on: 1\.'
has "nor is the host process itself" below.page 'The creation of this very process meets one or more rules'
has "which is shown as a match" below.page 'host process, and a match'
check "each is one row of the lineage" test "$(grep -cE '</b> <span class="tag">match' below/report.html)" = 3
lacks "no host process has 0 matches" below/report.html '<td class="number">0</td>'

has "where the parent is known it does" below.said 'On the host processes of these findings it recorded no event 8'
lacks "hosts of one machine each need no such word" below.said 'told by name'

# --- whose words
has "a message of a rule's authors is quoted" sample.page 'Message of the rule: An instance of msra.exe spawning'
has "that of the file is not said to be theirs" sample.page 'In words: Sysmon recorded .* as the parent of'
lacks "nowhere" sample.page 'Message of the rule: Sysmon recorded'
check "counts of matches are derived" grep -q 'On which hosts, how many <span class="label derived">' sample/report.html
has "the picture's signs are explained" sample.page '◀ it began before the picture does'

# --- a rule of the user's own, whose host process is no msra.exe
mkdir rules
cat >rules/my.yml <<'END'
title: Whoami started
id: 11111111-2222-3333-4444-555555555555
level: low
logsource:
  category: process_creation
  product: windows
detection:
  sel:
    Image|endswith: '\whoami.exe'
  condition: sel
forebear:
  message: $Image$ was started.
END
cp "$top"/rules/sigma*.yml rules
at_a_workstation >other.scenario <<'END'
process loader pid 20 at +2s image C:\Windows\SysWOW64\regsvr32.exe parent explorer
process shell pid 30 at +10s image C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe parent loader
event 8 at +11s source explorer target shell
event 3 at +12s process shell Initiated=true DestinationIp=203.0.113.9 DestinationHostname= DestinationPort=2222
event 11 at +13s process shell TargetFilename=C:\Users\anna\q.exe
process whoami pid 40 at +20s image C:\Windows\System32\whoami.exe parent shell
process msra pid 31 at +30s image C:\Windows\System32\msra.exe command C:\Windows\System32\msra.exe parent loader
event 25 at +30.5s process msra Type="Image is replaced"
event 8 at +31s source explorer target msra
event 3 at +32s process msra Initiated=true DestinationIp=203.0.113.9 DestinationHostname= DestinationPort=2222
event 22 at +33s process msra QueryName=a.example QueryStatus=0 QueryResults="::ffff:203.0.113.9;"
process net pid 41 at +40s image C:\Windows\System32\net.exe parent msra
END
scenario other --rules rules
has "a rule of the user's is no statement about msra.exe" other.said '^1 process creation matches rule "Whoami started" \(sigma\)\.$'
has "the public one still is" other.said '^1 process creation whose recorded parent is msra.exe matches rule "Potential .*, which its authors associate with injection\.$'
has "nor is it called public" other.said '; each of them a rule that is not Forebear'
grep powershell.exe,true other/corroboration.csv >other.shell
has "an event of the page has its time for the filters" other/report.html \
    '^<tr class="item match" data-host="[^"]*" data-event="1" data-time="2026-01-01T00:00:40\.0000000Z"'
has "an event that is not there is none, not 0" other.said ' 2 events 8 \(remote thread\), no event 10 \(process access\) and 1 event 25 '
has "a thread in another program is a sign" other.shell ',MSRA_REMOTE_THREAD,strong,'
lacks "what is said of msra.exe is not said of it" other.shell 'Assessed.*(msra|Remote Assistance)'
lacks "nor that what is not judged is of no interest" other.shell 'No event 3 '
grep msra.exe,true other/corroboration.csv >other.msra
has "of msra.exe it is" other.msra ',MSRA_NET,medium,.*Remote Assistance'
has "an empty value is called empty" other.msra 'host name \(empty\), port 2222'
has "one with its own full stop is quoted" other.msra 'results ""::ffff:203.0.113.9;""\.'
has "the strongest sign stands first" other/findings.csv ',MSRA_REMOTE_THREAD MSRA_TAMPER .*MSRA_DNS,'
check "in both tables" sh -c 'grep -oE "MSRA_[A-Z_]+,(strong|medium|weak)" other.msra | head -n 2 | tr "\n" " " |
    grep -q "MSRA_REMOTE_THREAD,strong MSRA_TAMPER,medium"'
has "a session is an alternative for msra.exe" other.page '^a Remote Assistance session in which'
check "and for nothing else" sh -c '[ "$(grep -c "^a Remote Assistance session in which" other.page)" = 1 ]'
has "a file that is not Windows' own clears nothing" other.page "hash is not that of Windows' own msra.exe .* It clears nothing"

# --- a host's name that is long: in two lines of the picture, its middle left out, whole in the title
mkdir "$work/long"
{
    echo 't0 2026-01-01T00:00:00Z'
    i=1
    for host in DESKTOP-W-01.MANUFACTURING.SUBSIDIARY.CORPORATION.EXAMPLE DESKTOP-0123456.corp.example.org PC-17.corp.example; do
        printf '%s\n' "host $host machine 0x$i user CORP\\anna" "log $i.evtx" \
            "process p$i pid 16 at +0s image C:\\Windows\\explorer.exe parent -"
        i=$((i + 1))
    done
    printf '%s\n' 'process a-program pid 48 at +10s image C:\Windows\System32\msra.exe parent p3'
    printf '%s\n' 'process long pid 4242 at +20s image C:\a-name-of-a-program-that-is-rather-long.exe parent a-program'
} >"$work/long.scenario"
"$build/tests/make_evtx" "$work/long.scenario" "$work/long" >/dev/null
"$forebear" report -q -o "$work/long-report" "$work/long" >/dev/null
sed -n '/<svg[^>]*class="activity"/,/<\/svg>/p' "$work/long-report/report.html" |
    grep -oE '<(text class="name"|title)[^>]*>[^<]*' | sed 's/^<text[^>]*>/- /; s/^<title>/= /' | grep -vE 'over time|^- $' | sed '/^= .*over/,$d' | head -n 8 >"$work/said.names"
cat >"$work/wanted" <<'END'
= PC-17.corp.example
- PC-17.corp.example
= DESKTOP-0123456.corp.example.org
- DESKTOP-0123456.corp.
- example.org
= DESKTOP-W-01.MANUFACTURING.SUBSIDIARY.CORPORATION.EXAMPLE
- DESKTOP-W-01.MANUFACTURI
- NG.SUBSI…ORATION.EXAMPLE
END
same "a long host name stands in two lines, whole in the title" "$work/wanted" "$work/said.names"
check "a long program's name keeps its process id" grep -qE ">a-name-of-a-[^<]*….*[(]4242[)]<" "$work/long-report/report.html"

finish
