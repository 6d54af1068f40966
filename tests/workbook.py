# SPDX-License-Identifier: Apache-2.0
"""Reads report.xlsx back from its XML and compares every cell with the CSV files.

    workbook.py FOLDER [ZONE]    FOLDER: a report; ZONE: what --timezone was

Says what differs and ends with 1. Says how many cells of each kind were compared."""
import collections
import csv
import datetime
import io
import re
import sys
import xml.etree.ElementTree as ET
import zipfile
import zoneinfo

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
folder, zone = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
faults, counts = [], collections.Counter()


def fault(*words):
    faults.append(" ".join(str(w) for w in words))


def csv_rows(name):
    """Cells as (value, quoted): an empty cell is absent, a quoted empty one is empty."""
    text = open(f"{folder}/{name}", encoding="utf-8", newline="").read()
    assert text.endswith("\r\n")
    rows, row, at = [], [], 0
    while at < len(text):
        if text[at] == '"':
            end = at + 1
            while True:
                end = text.index('"', end)
                if text[end:end + 2] != '""':
                    break
                end += 2
            row.append((text[at + 1:end].replace('""', '"'), True))
            at = end + 1
        else:
            end = min(i for i in (text.find(",", at), text.find("\r\n", at)) if i >= 0)
            row.append((text[at:end], False))
            at = end
        if text[at] == ",":
            at += 1
        else:
            rows.append(row)
            row, at = [], at + 2
    return rows


def unescape(text):
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text)


def column_of(reference):
    n = 0
    for c in re.match("[A-Z]+", reference)[0]:
        n = n * 26 + ord(c) - 64
    return n - 1


Cell = collections.namedtuple("Cell", "kind value style")


def sheet_rows(book, part):
    rows, root = {}, ET.fromstring(book.read(part))
    for bad in ("f", "hyperlink", "hyperlinks"):
        if next(root.iter(MAIN + bad), None) is not None:
            fault(part, "holds an element", bad)
    for row in root.iter(MAIN + "row"):
        cells = rows[int(row.get("r"))] = {}
        for c in row.iter(MAIN + "c"):
            kind, value = c.get("t", "n"), c.find(MAIN + "v")
            style = int(c.get("s", 0))
            if kind == "inlineStr":
                raw = "".join(t.text or "" for t in c.iter(MAIN + "t"))
                if len(raw.encode("utf-16-le")) // 2 > 32767:
                    fault(part, c.get("r"), "is longer than a cell can be")
                cells[column_of(c.get("r"))] = Cell("text", unescape(raw), style)
            elif kind in ("n", "b") and value is not None:
                cells[column_of(c.get("r"))] = Cell(kind, value.text, style)
            elif kind == "n":
                cells[column_of(c.get("r"))] = Cell("blank", "", style)
            else:
                fault(part, c.get("r"), "has the type", kind)
    return rows, root


book = zipfile.ZipFile(f"{folder}/report.xlsx")
if book.testzip():
    fault("the zip file is damaged")
if {i.date_time for i in book.infolist()} != {(1980, 1, 1, 0, 0, 0)}:
    fault("parts of the zip file carry times")
for i in book.infolist():
    ET.fromstring(book.read(i)) if i.filename.endswith((".xml", ".rels")) else None
    if b"TargetMode" in book.read(i):
        fault(i.filename, "leads out of the workbook")
targets = {r.get("Id"): r.get("Target")
           for r in ET.fromstring(book.read("xl/_rels/workbook.xml.rels"))}
sheets = {s.get("name"): sheet_rows(book, "xl/" + targets[s.get(REL + "id")])
          for s in ET.fromstring(book.read("xl/workbook.xml")).iter(MAIN + "sheet")}
formats = {}
style_root = ET.fromstring(book.read("xl/styles.xml"))
for i, xf in enumerate(style_root.find(MAIN + "cellXfs")):
    formats[i] = int(xf.get("numFmtId"))
if next(iter(sheets)) != "About":
    fault("the first sheet is", next(iter(sheets)))

long_values = collections.defaultdict(str)
for number, cells in sorted(sheets.get("Long values", ({}, None))[0].items()):
    if number > 1:
        key = cells[0].value, cells[1].value
        if int(cells[3].value) != 1 + counts[key]:
            fault("Long values: part", cells[3].value, "of", key)
        counts[key] += 1
        long_values[key] += cells[4].value


def whole(sheet, row, column, cell):
    name = ""
    n = column + 1
    while n:
        n, rest = divmod(n - 1, 26)
        name = chr(65 + rest) + name
    return long_values.get((sheet, f"{name}{row}"), cell.value)


def local(utc):
    m = re.fullmatch(r"(.{19})\.(\d{7})\+00:00", utc)
    t = datetime.datetime.fromisoformat(m[1] + "+00:00")
    if re.match("[+-]", zone):
        there = datetime.datetime.strptime("+0000", "%z").tzinfo
        there = datetime.datetime.strptime(zone.replace(":", ""), "%z").tzinfo
    else:
        there = zoneinfo.ZoneInfo(zone)
    l = t.astimezone(there).isoformat()
    return f"{l[:19]}.{m[2]}{l[19:]}"


def check_widths(part, rows, root, widths):
    """As wide as the longest text of the heading and of 200 rows, from 8 to 60 digits, and no
    narrower than in the part before; the heading has room for the filter's button."""
    for row in range(1, 202):
        for column, cell in rows.get(row, {}).items():
            width = len(cell.value.encode()) + (3 if row == 1 else 0)
            if cell.kind == "text":
                widths[column] = min(max(widths.get(column, 8), width), 60)
    if root.find(MAIN + "cols") is None:
        return fault(part, "has no widths")
    found = {i: int(float(c.get("width"))) for c in root.find(MAIN + "cols")
             for i in range(int(c.get("min")) - 1, int(c.get("max")))}
    if found != widths:
        fault(part, "has the widths", found, "and not", widths)


def compare(name):
    base = name[:-4]
    wanted = csv_rows(name)
    header = [c for c, _ in wanted[0]]
    parts = [base] + [f"{base} ({n})" for n in range(2, 1000) if f"{base} ({n})" in sheets]
    if base not in sheets:
        return fault("there is no sheet", base)
    got, widths = [], {}
    for part in parts:
        rows, root = sheets[part]
        pane = next(root.iter(MAIN + "pane"), None)
        if pane is None or pane.get("ySplit") != "1" or pane.get("state") != "frozen":
            fault(part, "has no frozen header")
        filter_ = root.find(MAIN + "autoFilter")
        last = max(rows)
        if filter_ is None or not re.fullmatch(r"A1:[A-Z]+%d|A1" % max(last, 1), filter_.get("ref")):
            fault(part, "has no filter over all rows:", None if filter_ is None else filter_.get("ref"), last)
        check_widths(part, rows, root, widths)
        heads = rows[1]
        places, at = [], 0
        for title in header:
            if heads.get(at, Cell("", None, 0)).value != title:
                fault(part, "column", at, "is not", title)
            second = zone and heads.get(at + 1) and heads[at + 1].value == f"{title} ({zone})"
            places.append((at, at + 1 if second else None))
            at += 2 if second else 1
        if at != len(heads):
            fault(part, "has more columns than the CSV")
        got += [(part, r, rows.get(r, {}), places) for r in range(2, last + 1)]
    while got and not got[-1][2]:
        got.pop()
    if len(got) != len(wanted) - 1:
        return fault(name, "has", len(wanted) - 1, "rows, the sheet", len(got))
    for (part, number, cells, places), row in zip(got, wanted[1:]):
        for (value, quoted), title, (at, second) in zip(row, header, places):
            cell = cells.get(at)
            where = f"{part}, row {number}, {title}:"
            if cell is None or cell.kind == "blank":
                if value or (cell is not None) != quoted:
                    fault(where, "is empty in the sheet,", repr(value), "in the CSV")
                counts["empty" if cell else "absent"] += 1
            elif cell.kind == "n":
                if value != cell.value or len(value) > 15:
                    fault(where, cell.value, "instead of", value)
                counts["number"] += 1
            elif cell.kind == "b":
                if value != {"1": "true", "0": "false"}[cell.value]:
                    fault(where, cell.value, "instead of", value)
                counts["truth"] += 1
            else:
                found = whole(part, number, at, cell)
                if found != value:
                    fault(where, repr(found[:80]), "instead of", repr(value[:80]))
                if len(value) > 1 and value[0] in "=+-@\t\r":
                    counts["formula"] += 1
                    if found == cell.value and formats[cell.style] != 49:
                        fault(where, "begins like a formula and has no text format")
                counts["long" if found != cell.value else "text"] += 1
                if value.isdigit() and len(value) > 15:
                    counts["digits"] += 1
            is_time = cell is not None and re.fullmatch(r"\d{4}-..-..T..:..:..\.\d{7}\+00:00", value)
            if zone and is_time and second is None and not name.startswith("findings_"):
                fault(where, "has no second time")
            if second is not None:
                other = cells.get(second)
                if (other.value if other else "") != (local(value) if value else ""):
                    fault(where, "second time", other, "of", value)
                counts["second"] += bool(value)


names = sys.stdin.read().split()
for n in names:
    compare(n)
extra = set(sheets) - {"About", "Long values"}
extra -= {s for s in extra for n in names if s == n[:-4] or s.startswith(n[:-4] + " (")}
if extra:
    fault("sheets without a CSV file:", extra)
print(*faults[:20], sep="\n")
print(" ".join(f"{k}:{counts[k]}" for k in ("text", "number", "truth", "absent", "empty", "long",
                                            "formula", "digits", "second")))
sys.exit(bool(faults))
