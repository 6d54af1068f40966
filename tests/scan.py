# SPDX-License-Identifier: Apache-2.0
"""scan.py FOREBEAR FOLDER SAMPLES SCENARIOS SHARED_DATA - `scan` against `report`.

A scan decodes next to nothing; a report decodes everything. What they find by the public
rules must be the same: on samples, scenarios, real logs, and on logs damaged in seeded
ways, with the built-in rules and with rules that try every kind of test on many events.
Prints TAP lines; tests/scan.sh prints the plan.
"""
import csv
import json
import os
import random
import re
import shutil
import subprocess
import sys

import seeded_damage

FOREBEAR, FOLDER, SAMPLES, SCENARIOS, SHARED = sys.argv[1:6]
ROUNDS = int(os.environ.get("SCAN_ROUNDS", "6"))
PUBLIC = {"sigma", "asim", "splunk-v1", "splunk-v4", "public"}
COUNTS = re.compile(r"scanned (\d+) logs?: (\d+) records?, (\d+) of them Sysmon's, (\d+) process "
                    r"creations? \(and (\d+) recovered\), (\d+) hits?")

# Every modifier, columns of all taxonomies, absent fields, a reference, values that no raw
# comparison can decide: non-ASCII, wildcards, numbers.
RULES = {
    "ends": "Image|endswith: ['\\CMD.exe', '\\powershell.exe', '\\whoami.exe']",
    "equals": "ParentImage: 'C:\\Windows\\explorer.exe'",
    "starts": "CommandLine|startswith: ['c:\\windows\\system32', '\"c:\\program']",
    "contains": "CommandLine|contains: ['-nop', ' /c ', '127.0.0.1']",
    "all": "CommandLine|contains|all: ['exe', ' ', '\\']",
    "cased": "Image|endswith|cased: '.EXE'",
    "pattern": "CommandLine: '*\\w*t?.exe*'",
    "foreign": "CommandLine|contains: ['\u00e4', '\u2013', '\u65e5']",
    "number": "ProcessId: ['1', '2044', '4444']",
    "absent": "OriginalFileName: null",
    "exists": "ParentUser|exists: true",
    "empty": "CurrentDirectory: ''",
    "computer": "Computer|contains: '1'\n    Image|endswith: 'exe'\n    User|contains: 'SYSTEM'",
    "reference": "Image|fieldref: ParentImage",
}
CIM = {
    "name": "process_name: [cmd.exe, net.exe, whoami.exe]",
    "parent": "parent_process_name: msra.exe",
}
RULE = """title: {0}
id: 00000000-0000-4000-8000-{1:012d}
status: test
description: a test
author: tests
date: 2026-01-01
taxonomy: {2}
logsource:
  category: process_creation
  product: windows
detection:
  one:
    {3}
  other:
    Image|endswith: '\\svchost.exe'
  condition: {4}
level: {5}
forebear:
  source: public
"""
LEVELS = ["low", "medium", "high"]


# Rules that can be told from the bytes alone: most events are passed over.
PLAIN = {"ends", "equals", "contains", "cased", "name", "parent"}


def write_rules(folder, names):
    os.makedirs(folder)
    number = 0
    for taxonomy, rules in (("sigma", RULES), ("cim", CIM)):
        for name, test in rules.items():
            if name not in names:
                continue
            for condition in ("one", "not one and other", "one or other"):
                number += 1
                text = RULE.format(f"{name} {condition}", number, taxonomy, test, condition,
                                   LEVELS[number % 3])
                if taxonomy == "cim":
                    text = text.replace("Image|endswith: '\\svchost.exe'",
                                        "process_path|endswith: '\\svchost.exe'")
                with open(os.path.join(folder, f"{number}.yml"), "w", encoding="utf-8") as f:
                    f.write(text)
    return folder


done = 0


def told(good, name, why=""):
    global done
    done += 1
    print(f"{'ok' if good else 'not ok'} {done} - {name}")
    for line in str(why).splitlines()[:20] if not good else []:
        print(f"# {line}")
    sys.stdout.flush()


def run(*command):
    return subprocess.run([FOREBEAR, *command], capture_output=True, text=True,
                          errors="surrogateescape")


def key(row):
    return (row["rule_source"], row["rule_id"], row["computer"].lower(), row["process_guid"],
            str(row["event_record_id"]), row["image"], row["command_line"],
            row["parent_image"], row["parent_command_line"])


def place(row):
    return key(row) + (row["log"], str(row["offset"]), row["state"])


def compare(name, evidence, options=(), unique=False):
    """One report, one scan; unique: each event stands in one record alone."""
    out = os.path.join(FOLDER, "report")
    shutil.rmtree(out, ignore_errors=True)
    said = run("report", "-q", "--findings-only", "--verify=none", *options, "-o", out, evidence)
    scan = run("scan", "--format=jsonl", *options, evidence)
    if said.returncode not in (0, 3):
        told(False, name, said.stderr)
        return None
    with open(os.path.join(out, "findings.csv"), newline="", encoding="utf-8",
              errors="surrogateescape") as f:
        # scan reads event 1 alone, as it says
        findings = [row for row in csv.DictReader(f) if row["rule_source"] in PUBLIC
                    and row["recorded_by"] != "Security 4688"]
    with open(os.path.join(out, "evidence.csv"), newline="", encoding="utf-8",
              errors="surrogateescape") as f:
        logs = list(csv.DictReader(f))
    hits = [{k: "" if v is None else v for k, v in json.loads(line).items()}
            for line in scan.stdout.split("\n") if line]
    what = place if unique else key
    missing = {what(row) for row in findings} - {what(row) for row in hits}
    more = {what(row) for row in hits} - {what(row) for row in findings}
    counts = COUNTS.search(scan.stderr)
    wrong = [f"missing: {m}" for m in sorted(missing)] + [f"more: {m}" for m in sorted(more)]
    if len({tuple(row.items()) for row in hits}) != len(hits):
        wrong.append("a hit is told twice")
    if not counts:
        wrong.append("no summary: " + scan.stderr)
    else:
        creations = sum(int(row["process_creations"] or 0) for row in logs)
        records = sum(int(row["sysmon_records"] or 0) for row in logs)
        if int(counts[4]) != creations or int(counts[3]) != records:
            wrong.append(f"{counts[0]}: the report counts {records} records, {creations} creations")
        if int(counts[2]) != sum(int(row["records"] or 0) for row in logs):
            wrong.append(f"{counts[0]}: the report counts other records")
        recovered = sum(int(row["process_creations_recovered"] or 0) for row in logs)
        if int(counts[5]) != recovered:
            wrong.append(f"{counts[0]}: the report counts {recovered} that were recovered")
        if int(counts[6]) != len(hits):
            wrong.append(f"{counts[0]}: {len(hits)} rows")
    if scan.returncode not in (0, 3) or (said.returncode == 0 and scan.returncode != 0):
        wrong.append(f"status {scan.returncode}, the report's is {said.returncode}\n{scan.stderr}")
    if name:
        told(not wrong, f"{name}: {len(hits)} hits", "\n".join(wrong))
    return wrong


def damaged(*folders):
    with open(os.path.join(SAMPLES, "WKS-01-Sysmon.evtx"), "rb") as f:
        log = f.read()
    with open(os.path.join(SAMPLES, "WKS-02-Sysmon.evtx"), "rb") as f:
        other = f.read()
    path = os.path.join(FOLDER, "damaged.evtx")
    for how in dict.fromkeys(seeded_damage.LOG):
        wrong = []
        for seed in range(ROUNDS):
            data, r = bytearray(log), random.Random(f"{how.__name__} {seed}")
            how(r, data, other)
            with open(path, "wb") as f:
                f.write(data)
            for options in ((), *(("--rules", folder) for folder in folders)):
                wrong += [f"seed {seed} {options}: {w}" for w in compare("", path, options)]
            if wrong:
                break
        told(not wrong, f"{how.__name__}: the same hits, {ROUNDS} ways", "\n".join(wrong))


def templates_elsewhere():
    """Two logs that lost the ids of all their templates, and a third that has them."""
    folder = os.path.join(FOLDER, "elsewhere")
    os.makedirs(folder)
    with open(os.path.join(SAMPLES, "WKS-01-Sysmon.evtx"), "rb") as f:
        data = bytearray(f.read())
    head, first, second, third = (data[at:to] for at, to in
                                  ((0, 4096), (4096, 69632), (69632, 135168), (135168, None)))
    for name, part in (("a.evtx", first), ("b.evtx", second)):
        for at in range(512, len(part) - 18):
            if part[at:at + 2] == b"\x0c\x01" and part[at + 2:at + 6] == part[at + 14:at + 18]:
                part[at + 14:at + 18] = b"\xef\xbe\xad\xde"
        with open(os.path.join(folder, name), "wb") as f:
            f.write(head + part)
    compare("logs that lost their templates", folder, unique=True)
    with open(os.path.join(folder, "c.evtx"), "wb") as f:
        f.write(head + third)
    compare("logs whose templates another has", folder, unique=True)


def main():
    rules = write_rules(os.path.join(FOLDER, "rules"), {*RULES, *CIM})
    plain = write_rules(os.path.join(FOLDER, "plain"), PLAIN)
    image = os.path.join(SAMPLES, "forebear-sample.E01")
    for name, evidence in (("samples", SAMPLES), ("image", image)):
        compare(name, evidence)
        compare(f"{name}, other rules", evidence, ("--rules", rules))
        compare(f"{name}, plain rules", evidence, ("--rules", plain))
        compare(f"{name}, live records", evidence, ("--no-recovered", "--rules", rules))
    compare("one log, offsets and states too",
            os.path.join(SAMPLES, "WKS-01-Sysmon.evtx"), unique=True)
    for name in sorted(os.listdir(SCENARIOS)):
        compare(name, os.path.join(SCENARIOS, name))
        compare(f"{name}, other rules", os.path.join(SCENARIOS, name), ("--rules", rules))
        compare(f"{name}, plain rules", os.path.join(SCENARIOS, name), ("--rules", plain))
    templates_elsewhere()
    damaged(rules, plain)
    logs = os.path.join(SHARED, "evtx")
    if os.path.isdir(logs):
        compare("public logs", logs)
        compare("public logs, other rules", logs, ("--rules", rules))
        compare("public logs, plain rules", logs, ("--rules", plain))
    else:
        told(True, "public logs # SKIP the shared data is not here")
    print(f"# {done}")


main()
