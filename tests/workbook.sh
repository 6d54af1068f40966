#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The workbook holds what the CSV files hold: every cell of it, read back from its XML, over
# the sample, hostile values, long values, and tables that do not fit into a sheet.
. "${srcdir:-.}/tests/tap.sh"
sample=$top/samples/forebear-sample.E01
SOURCE_DATE_EPOCH=1767225600
export SOURCE_DATE_EPOCH
if ! command -v python3 >/dev/null; then
    skip "the workbook" "python3 is not there"
    finish
    exit 0
fi
cd "$work" || exit 1

# compared NAME FOLDER [ZONE]: every table of the report is in its workbook, cell by cell
compared() {
    tap_name=$1
    shift
    (cd "$1" && ls *.csv) >tables
    python3 "$top/tests/workbook.py" "$@" <tables >"$work/.out" 2>&1
    tap_result $? "$tap_name"
}
# counted KIND: the last comparison met such cells
counted() {
    grep -qE "$1:[1-9]" "$work/.out"
    tap_result $? "it met cells of the kind: $1"
}

status_is 0 "a report with a workbook" "$forebear" report -q --format=xlsx --schema=cim,asim,ecs -o sample "$sample"
check "has no page" test ! -e sample/report.html
compared "the sample's workbook has the cells of its CSV files" sample
for kind in text number truth absent; do counted $kind; done
check "the manifest has its hash" grep -q '"name": "report.xlsx"' sample/manifest.json
check "SHA256SUMS holds" sh -c 'cd sample && sha256sum -c --quiet SHA256SUMS'
check "nothing else lies in the folder" sh -c '! ls -A sample | grep -E "^\."'
"$forebear" report -q --format=xlsx --schema=cim,asim,ecs -o again --jobs 1 "$sample" >/dev/null
cp sample/report.xlsx one.xlsx
sed 's/-o [a-z]*//' sample/manifest.json >/dev/null
python3 - <<'END' >"$work/.out" 2>&1
import re, zipfile
a, b = (zipfile.ZipFile(f"{n}/report.xlsx") for n in ("sample", "again"))
assert a.namelist() == b.namelist()
for n in a.namelist():
    if re.search("sheet1.xml", n):  # About has the command line
        continue
    assert a.read(n) == b.read(n), n
END
tap_result $? "another number of jobs gives the same sheets"
python3 - <<'END' >"$work/.out" 2>&1
import re, zipfile
book = zipfile.ZipFile("sample/report.xlsx")
sheets = [n for n in book.namelist() if n.startswith("xl/worksheets/sheet")]
for n in sheets:
    xml = book.read(n).decode()
    assert 'orientation="landscape"' in xml and "&amp;P / &amp;N" in xml, n
about = book.read("xl/worksheets/sheet1.xml").decode()
assert "<pageSetUpPr fitToPage" in about
heights = [float(h) for h in re.findall(r'<row [^>]* ht="([0-9.]+)"', about)]
assert max(heights) > 30 and max(heights) <= 409, heights
titles = book.read("xl/workbook.xml").decode().count("_xlnm.Print_Titles")
assert titles == len(sheets) - 1, titles
END
tap_result $? "sheets print: their headings on each page, About's text in whole lines"
mkdir same && cd same && "$forebear" report -q --format=xlsx --schema=cim,asim,ecs -o sample "$sample" >/dev/null
cd ..
same "the same evidence and options give the same workbook" sample/report.xlsx same/sample/report.xlsx
status_is 0 "a report with all three forms" "$forebear" report -q --format=html,csv,xlsx -o all "$sample"
check "has all three" test -s all/report.html -a -s all/report.xlsx -a -s all/findings.csv
status_is 0 "a report of tables alone" "$forebear" report -q --force --format=csv -o all "$sample"
check "takes away what it has not" sh -c 'test ! -e all/report.xlsx -a ! -e all/report.html -a -s all/timeline.csv'
status_is 0 "findings alone, as a workbook" "$forebear" report -q --findings-only --format=html,xlsx -o few "$sample"
compared "it has the tables that there are" few
check "and no page" test ! -e few/report.html
status_is 0 "a wider timeline, with a workbook" "$forebear" report -q --format=xlsx --timeline=all -o wide "$sample"
compared "its sheet has the rows beyond the families too" wide
status_is 0 "a wider timeline, with second times" "$forebear" report -q --format=xlsx --window=10m --timezone=Europe/Berlin -o window "$sample"
compared "its sheet has them with second times" window Europe/Berlin
status_is 2 "an unknown format is wrong usage" "$forebear" report --format=pdf -o none "$sample"

for zone in Europe/Berlin America/New_York -03:30; do
    status_is 0 "a workbook with times of $zone" "$forebear" report -q --format=xlsx --timezone=$zone -o "zone${zone%/*}" "$sample"
    compared "each time has the one of $zone beside it" "zone${zone%/*}" "$zone"
    counted second
done
same "--timezone changes no CSV file" sample/timeline.csv zone-03:30/timeline.csv

# --- evidence that was made to break a spreadsheet
python3 - >hostile.scenario <<'END'
values = [
    r'=cmd|\u{20}\u{27}/C calc\u{27}!A0', r'+1+1', r'-1+1', r'@SUM(1,2)', r'\t=1', r'\r=1', r'\n=1',
    r'=HYPERLINK(\u{22}http://x\u{22})', r'http://example.invalid/x', r'mailto:a@b', r'internal:Sheet1!A1', r'1E5', r'0001',
    r'2026-01-01', r'TRUE', r'#REF!', r'_x0041_ literal', r'_x005F_x0041_', r'_X0041_', r'_x004_', r'\u{1}\u{2}\u{1f}\u{7f}\u{85}',
    r'\u{fffe}\u{ffff}', r'\u{d800}', r'\u{1f600}\u{10ffff}', r'</t></is></c><f>1</f>', r']]> &amp; <!--', r' ends blank ',
    r'\u{202e}abc', r'{=1}', r"\u{27}quoted", r'a\nb\tc', r'\u{feff}bom', r'_x000D_', r'__x0001_', r'_x0001_x0002_',
    r'\u{1}' * 5000, r'\u{1f600}' * 7000, 'A' * 11000, r'=\u{2}' * 4400, r'_x0009_' * 1700]
print('# SPDX-License-Identifier: Apache-2.0')
print('t0 2026-01-01T00:00:00Z\nlog Microsoft-Windows-Sysmon%4Operational.evtx')
print(r'host PC-17.corp.example machine 0x00000001 user CORP\anna')
print(r'process msra pid 30 at +10s image C:\Windows\SysWOW64\msra.exe parent - LogonId=0xfffffffffffffff0')
for i, v in enumerate(values):
    print(f'process p{i} pid {100 + i} at +{11 + i}s image C:\\Windows\\SysWOW64\\cmd.exe command e"{v}" parent msra')
END
mkdir hostile
"$build/tests/make_evtx" hostile.scenario hostile >"$work/.out" 2>&1
tap_result $? "hostile evidence is made"
status_is 0 "a workbook of hostile evidence" "$forebear" report -q --format=html,xlsx -o bad hostile
check "it says nothing on stderr" sh -c '! "$1" report -q --format=xlsx -o quiet hostile 2>&1 >/dev/null | grep .' - "$forebear"
compared "it has the cells of the CSV files" bad
for kind in long formula digits; do counted $kind; done
check "problems.csv points to it" grep -q '^CSV_FORMULA.*--format=xlsx' bad/problems.csv
"$build/tests/report_render" names | while IFS= read -r name; do
    timeout 300 "$build/tests/report_render" "model" "$name" 0 >"$work/.out" 2>&1 &&
        (cd model && ls *.csv) | python3 "$top/tests/workbook.py" model >>"$work/.out" 2>&1 ||
        { cat "$work/.out"; echo "with the value: $name"; }
    rm -rf model
done >faults
cp faults "$work/.out"
[ ! -s faults ]
tap_result $? "every hostile value comes back from every field"

# --- more rows than a sheet has
"$build/tests/report_render" small "script" 3 >"$work/.out" 2>&1
tap_result $? "a workbook whose sheets have three rows"
compared "goes on in further sheets" small
unzip -p small/report.xlsx xl/workbook.xml 2>/dev/null | grep -q 'processes (2)' ||
    python3 -c 'import zipfile; assert b"processes (2)" in zipfile.ZipFile("small/report.xlsx").read("xl/workbook.xml")'
tap_result $? "which are numbered"
"$build/tests/report_render" spelled "controls" 24 >"$work/.out" 2>&1
tap_result $? "a workbook of values that are spelled out, with sheets of 24 rows"
compared "has all of them" spelled
python3 - <<'END' >"$work/.out" 2>&1
import re, zipfile
book = zipfile.ZipFile("spelled/report.xlsx")
names = re.findall(r'<sheet name="([^"]*)"', book.read("xl/workbook.xml").decode())
assert "Long values (2)" in names, names
for i, name in enumerate(names[1:], 2):
    rows = book.read(f"xl/worksheets/sheet{i}.xml").count(b"<row ")
    assert rows <= 24, (name, rows)
END
tap_result $? "no sheet of which has more rows than that"

# --- disks that are full
status_is 4 "a file that cannot grow ends the run" sh -c 'ulimit -f 130; trap "" XFSZ; "$1" report -q --format=xlsx -o full "$2"' - \
    "$forebear" "$sample"
check "and nothing stays behind" test ! -e full
finish
