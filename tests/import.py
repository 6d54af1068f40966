# SPDX-License-Identifier: Apache-2.0
"""Events as text in the shapes that other programs give them, and reports compared.

    import.py make FOLDER XML JSONL   writes variants of both files into FOLDER
    import.py same REPORT REPORT      0 if both say the same but for where records lie
"""
import csv
import gzip
import json
import pathlib
import re
import sys

EVENT = re.compile(r"<Event .*?</Event>", re.S)
# Where a record lies, and what only the bytes of a .evtx can give.
PROVENANCE = {"evidence", "log", "offset", "record_sha256", "verified"}


def pretty(event):
    """Each element on a line of its own, with CR LF and indentation."""
    return re.sub(r">(?=<(?!/Data|/\w+>))", ">\r\n    ", event)


def splunk(n, event):
    """As Splunk's XmlWinEventLog gives it: a time stamp before, several lines."""
    event = event.replace('"', "&quot;").replace("<System>", "<System>\n")
    return f"2026-01-12 08:00:{n % 60:02d} source=XmlWinEventLog:Sysmon\n{event}\n"


def seven_to_nine(event):
    return re.sub(r"(SystemTime='[^'.]*\.\d{7})Z", r"\g<1>00Z", event)


def double_quotes(event):
    return re.sub(r"(<[^<>]*>)", lambda m: m[1].replace("'", '"') if '"' not in m[1] else m[1], event)


def no_braces(line):
    """evtx_dump prints GUIDs without braces."""
    return re.sub(r'"\{([0-9A-F-]{36})\}"', r'"\1"', line)


def separate(line):
    """evtx_dump --separate-json-attributes."""
    root = json.loads(line)
    system = root["Event"]["System"]
    for name in list(system):
        if isinstance(system[name], dict):
            system[name + "_attributes"] = system[name].pop("#attributes", {})
            system[name] = system[name].get("#text")
    return json.dumps(root)


def make(folder, xml_path, json_path):
    folder = pathlib.Path(folder)
    xml = pathlib.Path(xml_path).read_bytes().decode()
    events = EVENT.findall(xml)
    lines = pathlib.Path(json_path).read_text(encoding="utf-8").splitlines()
    numbered = list(enumerate(lines, 1))
    texts = {
        "root.xml": xml,
        "bare.xml": "\n".join(events),
        "oneline.xml": "".join(events),
        "pretty.xml": "<Events>\r\n" + "\r\n".join(map(pretty, events)) + "\r\n</Events>\r\n",
        "splunk.log": "".join(splunk(n, e) for n, e in enumerate(events)),
        "nine.xml": "\n".join(map(seven_to_nine, events)),
        "double.xml": "\n".join(map(double_quotes, events)),
        "dump.txt": "".join(f"Record {n}\n<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{pretty(e)}\n\n"
                            for n, e in enumerate(events, 1)),
        "lines.jsonl": "\n".join(lines) + "\n",
        "dump.json": "".join(f"Record {n}\n{json.dumps(json.loads(l), indent=2)}\n" for n, l in numbered),
        "array.json": "[" + ",\n".join(lines) + "]",
        "ascii.ndjson": "\n".join(json.dumps(json.loads(l)) for l in lines),
        "braces.jsonl": "\n".join(map(no_braces, lines)),
        "separate.jsonl": "\n".join(map(separate, lines)),
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
    for name in "bare.xml", "lines.jsonl":
        text = texts[name]
        stem = name.split(".")[0]
        (folder / f"{stem}.mark.txt").write_bytes(b"\xef\xbb\xbf" + text.encode())
        (folder / f"{stem}.le.txt").write_bytes(text.encode("utf-16"))
        (folder / f"{stem}.nomark.txt").write_bytes(text.encode("utf-16-le"))
        (folder / f"{stem}.be.txt").write_bytes(b"\xfe\xff" + text.encode("utf-16-be"))
        (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
        half = len(text) // 2
        (folder / f"{stem}.two.gz").write_bytes(gzip.compress(text[:half].encode()) +
                                                gzip.compress(text[half:].encode()))


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return [{k: v for k, v in row.items() if k not in PROVENANCE} for row in csv.DictReader(file)]


def same(left, right):
    differing = 0
    for name in "findings.csv", "processes.csv", "timeline.csv", "near_misses.csv":
        a, b = rows(f"{left}/{name}"), rows(f"{right}/{name}")
        for x, y in zip(a, b):
            if x != y:
                print(name, {k: (v, y[k]) for k, v in x.items() if v != y[k]})
        differing |= a != b
        if name == "findings.csv" and not a:
            print("no findings to compare")
            differing = 1
    return differing


if __name__ == "__main__":
    sys.exit(make(*sys.argv[2:]) if sys.argv[1] == "make" else same(*sys.argv[2:]))
