#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The command line as a user meets it: help, usage errors, exit statuses, refusals, signals.
. "${srcdir:-.}/tests/tap.sh"
sample=$top/samples/forebear-sample.E01

# --- help and usage
status_is 0 "--help is no error" "$forebear" --help
said "--help names the exit statuses" '^  3   finished'
status_is 0 "report --help" "$forebear" report --help
said "report --help names its options" '--verify-image'
status_is 0 "--version" "$forebear" --version
said "--version names the libraries" '^libevtx [0-9]+'
status_is 2 "no command is wrong usage" "$forebear"
status_is 2 "an unknown command is wrong usage" "$forebear" repport
said "and it says how to get help" '--help'
status_is 2 "an unknown option is wrong usage" "$forebear" report --nonsense -o "$work/x" "$sample"
status_is 2 "so is an unknown letter among others" "$forebear" report -xq -o "$work/x" "$sample"
said "and it is named" 'there is no such option: -x;'
status_is 2 "a value for a switch is wrong usage" "$forebear" report --quiet=3 -o "$work/x" "$sample"
said "and it is said" 'takes no value: --quiet=3;'
status_is 2 "an option without its value is wrong usage" "$forebear" report "$sample" -o
status_is 2 "report without evidence is wrong usage" "$forebear" report -o "$work/x"
status_is 2 "report without -o is wrong usage" "$forebear" report "$sample"
status_is 2 "evidence that is not there is wrong usage" "$forebear" report -o "$work/x" "$work/none.E01"
said "and it is named" 'none.E01: there is no such file'
for bad in --jobs=0 --jobs=x --hash=crc --schema=xyz --fail-on=bad --reader=none --find=where; do
    status_is 2 "$bad is wrong usage" "$forebear" report $bad -o "$work/x" "$sample"
done
echo nonsense >"$work/nonsense"
mkdir "$work/empty"
for bad in --rules --shells --filter --templates --language --case-file --dispositions; do
    for file in "$work/none" "$work/nonsense" "$work/empty"; do
        status_is 2 "$bad $(basename "$file") is wrong usage" "$forebear" report -q $bad "$file" -o "$work/x" "$sample"
    done
done
for command in "rules $work/nonsense" "self-test x" "words x"; do
    status_is 2 "'${command%% *}' takes no argument" "$forebear" $command
    said "and says which" 'there is no such argument: '
done
for command in report scan records; do
    [ $command = report ] && set -- -o "$work/x" || set --
    status_is 2 "$command: --before that is not later than --after is wrong usage" "$forebear" $command "$@" \
        --after=2026-02-01 --before=2026-02-01 "$sample"
    said "and it is said" 'before is not later than --after'
done
status_is 2 "show needs a record" "$forebear" show "$sample"
said "and says so" 'either --record N or --offset N is needed'
status_is 2 "but one alone" "$forebear" show --record 1 --offset 5 "$sample"
said "and says that, too" 'record and --offset do not go together'
printf 'extends: windows_shells_v4\ndescription: ours\nvalues:\n  - zzsh.exe\n' >"$work/shells.yml"
status_is 0 "rules --shells" "$forebear" rules --shells "$work/shells.yml"
said "tells the shells that were added" 'extended by the user: zzsh.exe'

# --- libtsk and the forty libraries behind it are loaded for an image alone
mkdir "$work/libraries"
libtsk=$(sed -n 's/#define TSK_LIBRARY "\(.*\)"/\1/p' "$builddir/config.h")
libz=$(ldd "$forebear" | awk '$1 ~ /^libz\./ { print $3 }')
cp "$libz" "$work/libraries/$libtsk" # a library without a function of libtsk's
LD_LIBRARY_PATH=$work/libraries
export LD_LIBRARY_PATH
status_is 0 "a log needs no libtsk" "$forebear" scan -q "$top/samples/WKS-01-Sysmon.evtx"
status_is 4 "an image does" "$forebear" report -q -o "$work/no-libtsk" "$sample"
said "and it is said" "images cannot be read: $libtsk has no tsk_"
check "nothing stays behind" test ! -e "$work/no-libtsk"
echo "no library" >"$work/libraries/$libtsk"
status_is 4 "nor is what is no library taken for it" "$forebear" scan -q "$sample"
said "and it is said" "images cannot be read: .*$libtsk: "
if dpkg-query -S "*/$libtsk" >/dev/null 2>&1; then
    said "with the package to install" '\(Debian package libtsk[0-9a-z]*\)'
fi
status_is 0 "--version without it" "$forebear" --version
said "claims no version of it" '^libtsk not loaded$'
said "and says why" 'images cannot be read: '
status_is 0 "a log is reported on without it" "$forebear" report -q -o "$work/no-image" "$top/samples/WKS-01-Sysmon.evtx"
check "its manifest claims no version either" grep -q '"libtsk not loaded"' "$work/no-image/manifest.json"
unset LD_LIBRARY_PATH
tsk_version=$("$forebear" --version | grep '^libtsk [0-9]')
status_is 0 "a report on an image" "$forebear" report -q -o "$work/image" "$sample"
check "its manifest has the version of the library that read it" grep -q "\"$tsk_version\"" "$work/image/manifest.json"

# --- installed, it needs neither the source tree nor what it was built with
check "make install" env -u MAKEFLAGS -u MFLAGS make -s -C "$build" install DESTDIR="$work/installed"
bin=$(cd "$work/installed" && find . -name forebear -type f) doc=$(cd "$work/installed" && find . -name README.md)
mkdir "$work/away"
cd "$work/away" || exit 1
status_is 0 "the installed program runs from another folder" \
    "$work/installed/$bin" report -q --language de --timezone Europe/Berlin --format=html,xlsx -o report "$sample"
check "the documents are installed, and what they link" sh -c '
    cd "$(dirname "$1")" && grep -oE "\]\(doc/[^)#]*" README.md | cut -c 3- | sort -u | xargs ls' - "$work/installed/$doc"
cd "$work" || exit 1
if command -v dpkg-query >/dev/null 2>&1; then
    # every library that the program asks for, and libtsk, is in a package that is named
    libraries=$(readelf -d "$forebear" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
        grep -vE '^(libc|libm|libasan|libubsan|ld-linux.*)\.so')
    "$top/setup.sh" packages run | tr ' ' '\n' | sort >"$work/named"
    for library in $libraries $libtsk; do
        dpkg-query -S "*/$library" | sed 's/:.*//' | sort -u | comm -12 - "$work/named" | grep -q . ||
            echo "$library: $(dpkg-query -S "*/$library")"
    done >"$work/.out" 2>&1
    test ! -s "$work/.out"
    tap_result $? "setup.sh names the package of each library that a copied program needs"
fi

# --- a reader that closes the pipe is no error; a full disk is
cp "$top/samples/WKS-01-Sysmon.evtx" "$work/log.evtx"
cd "$work" || exit 1
for command in --help --version "report --help" rules words "show --offset 5000 log.evtx" \
    "records log.evtx" "scan log.evtx"; do
    check "$command: a closed pipe ends it quietly" python3 -c 'import subprocess, sys
p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"LC_ALL": "C"})
p.stdout.close()
said = p.stderr.read().decode()
sys.exit(p.wait() or "roken pipe" in said)' "$forebear" $command
    status_is 4 "$command: a full disk ends it with 4" sh -c '"$@" >/dev/full' - "$forebear" $command
done

# --- help speaks of its own command
for command in show records self-test rules words; do
    check "$command --help has no status of another command" sh -c '! "$1" $2 --help | grep -qE "fail-on|problems.csv"' - "$forebear" $command
done
check "scan --help has no option that scan lacks" sh -c '! "$1" scan --help | grep -qE "reader|a report links"' - "$forebear"
status_is 2 "so it is of scan" "$forebear" scan -q --rules "$work/none" "$sample"
status_is 2 "and of rules" "$forebear" rules --rules "$work/none"
status_is 2 "and of words" "$forebear" words --language tlh
for epoch in '' x 1.5 -1 '1 ' 0x10 99999999999999; do
    status_is 2 "SOURCE_DATE_EPOCH='$epoch' is wrong usage" env SOURCE_DATE_EPOCH="$epoch" "$forebear" report -q -o "$work/x" "$sample"
    said "and is told" "SOURCE_DATE_EPOCH=$epoch: must be a number of seconds since 1970"
done
check "nothing was written by any of them" test ! -e "$work/x"
status_is 4 "help on a full disk fails" sh -c '"$1" --help >/dev/full' - "$forebear"

"$forebear" report --help | grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE '[-][-][a-z-]+' | sort >"$work/help"
sed 's/\\-/-/g; s/\\fI[A-Z]*\\fR//g' "$top/doc/forebear.1" | grep -E '^\.(BR|B) .*--' |
    grep -oE '[-][-][a-z-]+' | sort -u >"$work/man"
check "the manual page has every option" sh -c 'comm -23 "$1" "$2" | grep . && exit 1 || exit 0' - "$work/help" "$work/man"

# --- refusals
mkdir "$work/evidence"
cp "$top"/samples/*.evtx "$work/evidence"
status_is 2 "-o inside EVIDENCE is refused" "$forebear" report -o "$work/evidence/report" "$work/evidence"
status_is 2 "-o that is EVIDENCE is refused" "$forebear" report -o "$work/evidence" "$work/evidence"
check "nothing was made in EVIDENCE" test ! -e "$work/evidence/report"
status_is 0 "a report" "$forebear" report -q -o "$work/report" "$work/evidence"
status_is 4 "a folder that holds a report is refused" "$forebear" report -o "$work/report" "$work/evidence"
said "and --force is named" '--force'
status_is 0 "--force replaces it" "$forebear" report -q --force -o "$work/report" "$work/evidence"
status_is 0 "a report with another schema" "$forebear" report -q --force --schema=cim -o "$work/report" "$work/evidence"
status_is 0 "is replaced by one without" "$forebear" report -q --force -o "$work/report" "$work/evidence"
check "and no file of the old one is left" test ! -e "$work/report/findings_cim.csv"
status_is 4 "two runs do not write into one folder" flock "$work/report" "$forebear" report -q --force -o "$work/report" "$work/evidence"
said "which is said" 'another run is writing'
check "nothing unfinished lies about" sh -c '! ls -A "$1" | grep partial' - "$work/report"
check "SHA256SUMS holds" sh -c 'cd "$1" && sha256sum -c --quiet SHA256SUMS' - "$work/report"
status_is 4 "an output folder that cannot be made" "$forebear" report -o /proc/forebear "$work/evidence"
status_is 4 "an output folder that is a device" "$forebear" report -o /dev/full "$work/evidence"
status_is 4 "a limit on the size of files ends the run" sh -c 'ulimit -f 16; "$1" report -q -o "$2" "$3"' - \
    "$forebear" "$work/full" "$work/evidence"
said "and it says which file" 'cannot write'
check "and nothing half-written stays" test ! -e "$work/full"


# Just enough memory to begin.
for kib in 50000 60000 70000 80000 none; do
    (ulimit -v $kib && "$forebear" --version) >/dev/null 2>&1 && break
done
if [ $kib != none ]; then
    limited() { (ulimit -v $kib && "$forebear" "$@"); }
    status_is 4 "a run that gets no memory" limited report -q --format=html,xlsx -o "$work/small" "$work/evidence"
    said "says so" 'out of memory'
    check "and leaves nothing" test ! -e "$work/small"
    mkdir "$work/small"
    echo mine >"$work/small/mine"
    status_is 4 "nor does it" limited report -q --format=html,xlsx -o "$work/small" "$work/evidence"
    check "in a folder that was there" test "$(ls -A "$work/small")" = mine
else
    skip "a run that gets no memory" "the program does not begin with so little"
fi
mkdir "$work/killed"
echo half >"$work/killed/.report.html.partial"
status_is 0 "a run where one was killed" "$forebear" report -q --format=csv -o "$work/killed" "$work/evidence"
check "takes away what that left" test ! -e "$work/killed/.report.html.partial"

if command -v strace >/dev/null && strace -o "$work/calls" true 2>/dev/null; then
    # who is traced cannot look for leaks
    under() { ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" strace -f -o "$work/calls" -e trace=fsync "$@"; }
    under "$forebear" report -q --force --format=csv -o "$work/report" "$work/evidence" >/dev/null
    last=$(grep -c fsync "$work/calls")
    status_is 0 "a folder that cannot be synced, but holds files that can, is none the less one" \
        under -e inject=fsync:error=EINVAL:when="$last" "$forebear" report -q --force --format=csv -o "$work/report" "$work/evidence"
else
    skip "a folder that cannot be synced" "strace is absent"
fi

# A file that no report wrote may be the only copy of something, and EVIDENCE above all.
"$forebear" report -q --format=html,xlsx --schema=cim,asim,ecs -o "$work/all" "$work/evidence" >/dev/null
mkdir "$work/mine"
for file in "$work/all"/*; do
    name=${file##*/}
    echo mine >"$work/mine/$name"
    status_is 4 "somebody's $name is not replaced" "$forebear" report -q -o "$work/mine" "$work/evidence"
    said "and --force is named" "$name already; .*--force|holds a report already; .*--force"
    check "and it is all that lies there" sh -c '[ "$(ls -A "$1")" = "$2" ]' - "$work/mine" "$name"
    rm "$work/mine/$name"
done
"$forebear" records --format=xml "$work/evidence/WKS-01-Sysmon.evtx" >"$work/mine/run.log"
for force in '' --force; do
    status_is 2 "evidence is not replaced ${force:-by its name}" "$forebear" report -q $force -o "$work/mine" "$work/mine/run.log"
    said "which is said" 'EVIDENCE lies in the output folder, .*: run.log;'
done

# A file that is opened next must not get the number of a standard stream.
cp "$work/evidence/WKS-01-Sysmon.evtx" "$work/torn.evtx"
printf '\377\377\377' | dd of="$work/torn.evtx" bs=1 seek=5000 conv=notrunc 2>/dev/null
"$forebear" report -q -o "$work/with" "$work/torn.evtx" >"$work/.said" 2>&1
status_is 4 "a run without standard streams" sh -c '"$1" report -o "$2" "$3" <&- >&- 2>&-' - \
    "$forebear" "$work/streams" "$work/torn.evtx"
same "writes the same findings.csv" "$work/with/findings.csv" "$work/streams/findings.csv"
check "and a report that holds" sh -c 'cd "$1" && sha256sum -c --quiet SHA256SUMS' - "$work/streams"

# --- exit statuses and options that a script relies on
status_is 10 "--fail-on=high with a high finding" "$forebear" report -q --fail-on=high -o "$work/r1" "$work/evidence"
head -c 150000 "$top/samples/WKS-01-Sysmon.evtx" >"$work/cut.evtx"
status_is 10 "also where some evidence could not be read" "$forebear" scan -q --fail-on=low "$work/cut.evtx"
check "the report is there all the same" test -s "$work/r1/report.html"
check "--verify-image says in the summary that the image is whole" sh -c \
    '"$1" report -q --verify-image -o "$2" "$3" | grep -qF "1 image was read again as a whole: the hash over the content equals"' - \
    "$forebear" "$work/whole" "$sample"
check "and that there was nothing to compare with" sh -c \
    '"$1" report -q --verify-image -o "$2" "$3" | grep -qF "1 item of evidence stores no hash that could be recomputed"' - \
    "$forebear" "$work/hashless" "$work/evidence/WKS-01-Sysmon.evtx"
mkdir "$work/none"
status_is 3 "evidence without a Sysmon record" "$forebear" report -q -o "$work/r2" "$work/none"
check "is told in problems.csv" grep -q NO_SYSMON_LOG "$work/r2/problems.csv"
check "--quiet says nothing on stderr" sh -c '"$1" report -q -o "$2" "$3" 2>&1 >/dev/null | grep . && exit 1 || exit 0' - \
    "$forebear" "$work/r3" "$work/evidence"
SOURCE_DATE_EPOCH=1767225600 "$forebear" report -q -o "$work/a" --jobs 1 "$work/evidence" >/dev/null
for jobs in 2 7; do
    SOURCE_DATE_EPOCH=1767225600 "$forebear" report -q -o "$work/b$jobs" --jobs $jobs "$work/evidence" >/dev/null
    for file in findings processes timeline evidence problems; do
        same "--jobs $jobs gives the same $file.csv" "$work/a/$file.csv" "$work/b$jobs/$file.csv"
    done
done

# one event in several records is one event
log=$work/evidence/WKS-01-Sysmon.evtx
"$forebear" report -q -o "$work/once" "$log" >"$work/said-once"
mkdir "$work/copy"
cp "$log" "$work/copy/"
"$forebear" report -q -o "$work/twice" "$log" "$work/copy" >"$work/said-twice"
# also_at names the second place
without_places() {
    python3 -c 'import csv, sys
csv.writer(sys.stdout).writerows([[v for k, v in row.items() if k != "also_at"] for row in
                                  csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8"))])' "$1"
}
for table in timeline findings processes; do
    without_places "$work/once/$table.csv" >"$work/once.rows"
    without_places "$work/twice/$table.csv" >"$work/twice.rows"
    same "a log that is there twice gives $table.csv once" "$work/once.rows" "$work/twice.rows"
    check "and says in $table.csv where it stands too" grep -q 'evtx: EventRecordID [0-9]*, offset' "$work/twice/$table.csv"
done
for name in once twice; do
    grep -aE ',(strong|medium|weak|neutral),assessed,' "$work/$name/corroboration.csv" >"$work/signs-$name"
done
same "what speaks for a finding is there once" "$work/signs-once" "$work/signs-twice"
same "a log that is there twice gives near_misses.csv once" "$work/once/near_misses.csv" "$work/twice/near_misses.csv"
grep ' events\? 8' "$work/said-once" >"$work/events-once"
"$forebear" report -q -o "$work/same" "$log" "$work/evidence/../evidence/WKS-01-Sysmon.evtx" >/dev/null
check "a file that is named twice is told" grep -q '^EVIDENCE_TWICE,notice,.*named before: read once' "$work/same/problems.csv"
for table in findings processes timeline hosts iocs; do
    same "and read once: $table.csv" "$work/once/$table.csv" "$work/same/$table.csv"
done
# named itself and lying in a named folder; two names of one file; a folder in a folder
mkdir -p "$work/nest/sub"
ln "$work/copy/WKS-01-Sysmon.evtx" "$work/nest/sub/" && cp "$log" "$work/nest/sub/other.evtx"
ln "$work/nest/sub/other.evtx" "$work/nest/sub/third.evtx"
logs_read() { # EVIDENCE...: how many
    "$forebear" report -q -o "$work/nested" "$@" >/dev/null 2>&1
    tail -n +2 "$work/nested/evidence.csv" | wc -l
    grep -c '^EVIDENCE_TWICE,notice,.*the same file as .*: read once' "$work/nested/problems.csv"
    grep -c '^NO_LOG_FOUND' "$work/nested/problems.csv"
    rm -r "$work/nested"
}
reads() { # NAME LOGS TOLD EVIDENCE...
    tap_name=$1 tap_wanted="$2 $3 0"
    shift 3
    check "$tap_name" test "$(logs_read "$@" | xargs)" = "$tap_wanted"
}
cd "$work" || exit 1
reads "a folder, and one of its logs before it" 2 2 nest/sub/WKS-01-Sysmon.evtx nest
reads "a folder, and one of its logs after it" 2 2 nest nest/sub/WKS-01-Sysmon.evtx
reads "a folder and its folder" 2 4 nest nest/sub
reads "a log and a folder that has it under another name alone" 1 1 copy/WKS-01-Sysmon.evtx copy
reads "a copy is a log of its own" 3 0 copy evidence/WKS-01-Sysmon.evtx evidence/WKS-02-Sysmon.evtx
cd "$build" || exit 1
mkdir "$work/nameless"
ln "$work/copy/WKS-01-Sysmon.evtx" "$work/nameless/log.bin"
check "a log that its signature alone tells is read once, too" sh -c \
    '"$1" report -q --find=signature -o "$2" "$3" "$4" && grep -q "^EVIDENCE_TWICE,notice,.*nameless,log.bin" "$2/problems.csv"' - \
    "$forebear" "$work/nameless-report" "$work/copy" "$work/nameless"
grep ' events\? 8' "$work/said-twice" >"$work/events-twice"
same "and counts no event twice" "$work/events-once" "$work/events-twice"
check "which problems.csv tells" grep -q "^RID_DUP,.*events of the findings" "$work/twice/problems.csv"

mkdir "$work/odd"
odd=$(printf '%s/odd/a\033[31m\351\n.evtx' "$work")
cp "$(ls "$top"/samples/*.evtx | head -n 1)" "$odd"
check "evidence may be named by any bytes" sh -c '"$1" report -o "$2" "$3" >"$4" 2>&1' - "$forebear" "$work/r4" "$odd" "$work/said"
check "which never reach the terminal as they are" sh -c '! grep -q "$(printf "\033")" "$1"' - "$work/said"
check "nor the CSV" sh -c '! grep -q "$(printf "\033")" "$1"/*.csv' - "$work/r4"
check "the CSV is UTF-8" iconv -f UTF-8 -t UTF-8 "$work/r4/evidence.csv"

# --- what is asked for and not there is mostly a slip of the pen
for asked in 'computer=WKS-01,WKS-01.corp.example' 'channel=Sysmon' 'event-id=1,99,200-300'; do
    name=${asked%%=*}
    case $asked in
    computer*) missing='computer WKS-01' ;;
    channel*) missing='channel Sysmon' ;;
    *) missing='event id 99 or event id 200-300' ;;
    esac
    check "--$asked" "$forebear" report --force -o "$work/asked" "--$asked" "$work/evidence"
    said "and the terminal says what no record has" "^forebear: no record of the evidence has $missing\$"
    said "and so does the summary" "^What was asked for: no record of the evidence has $missing\.\$"
    check "and run.log" grep -q "note: no record of the evidence has $missing\$" "$work/asked/run.log"
    check "and the manifest" grep -q "\"not_found\": \"no record of the evidence has $missing\"" "$work/asked/manifest.json"
    check "and the page" grep -q "no record of the evidence has $missing" "$work/asked/report.html"
    check "records --$asked" sh -c '"$@" >/dev/null' - "$forebear" records "--$asked" "$work/evidence"
    said "says it, too" "^forebear: no record of the evidence has $missing\$"
    [ $name = event-id ] && continue
    check "scan --$asked" sh -c '"$@" >/dev/null' - "$forebear" scan "--$asked" "$work/evidence"
    said "says it, too" "^forebear: no record of the evidence has $missing\$"
done
check "a time when nothing happened" "$forebear" report --force -o "$work/asked" --after=2030-01-01 "$work/evidence"
said "is told" "^forebear: no record of the evidence meets all that was asked for\$"
check "what is there" "$forebear" report --force -o "$work/asked" --computer=wks-01.corp.example --event-id=1 "$work/evidence"
check "is not told" sh -c '! grep -q "no record of the evidence" "$1" "$2"/run.log "$2"/report.html' - "$work/.out" "$work/asked"

# --- signals: a FIFO as evidence would hang, so a long run is made of many copies, read by
# the slower reader; tests/stops.sh stops the other in each of its phases
i=0
while [ $i -lt 30 ]; do
    for f in "$work/evidence/"*.evtx; do cp "$f" "$work/none/$i-$(basename "$f")"; done
    i=$((i + 1))
done
for signal in INT:130 TERM:143; do
    wanted=${signal#*:} signal=${signal%:*}
    setsid "$forebear" report -q --reader=libevtx -j1 -o "$work/stopped" "$work/none" >"$work/.said" 2>&1 &
    pid=$!
    sleep 0.5
    kill -s $signal $pid 2>/dev/null
    status=0
    wait $pid || status=$?
    [ $status = "$wanted" ]
    tap_result $? "SIG$signal ends the run with its status (was $status)"
    check "and nothing stays behind" test ! -e "$work/stopped"
done

finish
