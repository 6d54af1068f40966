# SPDX-License-Identifier: Apache-2.0
"""What `forebear report` makes of records that are not live; TAP on standard output.

usage: recovered.py FOREBEAR SAMPLES WORK SHARED_DATA

One sample log is damaged in chunk 2 (counted from 0), in ways that leave records behind the
damage, without a chunk header, or torn; its report is compared with that of the whole log."""
import csv
import os
import struct
import subprocess
import sys

forebear, samples, work, shared = sys.argv[1:5]
HEADER, CHUNK = 4096, 65536
CHUNK_2 = HEADER + 2 * CHUNK
SLACK_LOG = "de_PsScriptBlockLogging_disabled_sysmon12_13.evtx"
number = 0


def check(name, holds, told=""):
    global number
    number += 1
    print(f"{'ok' if holds else 'not ok'} {number} - {name}")
    if not holds:
        print("#", str(told)[:2000])


def skip(name, why):
    global number
    number += 1
    print(f"ok {number} - {name} # SKIP {why}")


class Report:
    def __init__(self, name, evidence, *options):
        self.folder = os.path.join(work, name)
        done = subprocess.run([forebear, "report", "-q", "--reader=native", *options,
                               "-o", self.folder, *evidence],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.status, self.said = done.returncode, done.stdout

    def rows(self, table):
        with open(os.path.join(self.folder, table + ".csv"), newline="",
                  encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def logged(self):
        return {row["process"]: row for row in self.rows("processes")
                if row["kind"] == "logged"}

    def page(self):
        with open(os.path.join(self.folder, "report.html"), encoding="utf-8") as file:
            return file.read()


def log_file(name, content):
    path = os.path.join(work, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    return path


def zeroed(content, at, size):
    return content[:at] + bytes(size) + content[at + size:]


with open(os.path.join(samples, "WKS-01-Sysmon.evtx"), "rb") as file:
    whole = file.read()
base = Report("whole", [log_file("whole/Sysmon.evtx", whole)])
log = base.rows("evidence")[0]
all_logged = base.logged()
check("a whole log has live records alone",
      base.status == 0 and {row["state"] for row in all_logged.values()} == {"live"}
      and log["recovered_states"] == "" and log["sysmon_recovered"] == "0", log)


def in_chunk_2(row):
    return CHUNK_2 <= int(row["offset"]) < CHUNK_2 + CHUNK


of_chunk = sorted((row for row in all_logged.values() if in_chunk_2(row)),
                  key=lambda row: int(row["offset"]))
victim = next(row for row in of_chunk if int(row["findings"]))
at = int(victim["offset"])


def expected(state_of):
    return {key: state_of(row) for key, row in all_logged.items() if state_of(row)}


def behind(row, lost):
    if not in_chunk_2(row) or int(row["offset"]) < at:
        return "live"
    return lost if row is victim else "behind damage"


def compare(name, report, state_of):
    """Every process is there with its state, and says what it says in the whole log."""
    got = report.logged()
    wanted = expected(state_of)
    states = {key: row["state"] for key, row in got.items()}
    check(f"{name}: the states of all processes", states == wanted,
          set(states.items()) ^ set(wanted.items()))
    columns = ("offset", "image", "command_line", "start_utc", "recorded_parent_guid")
    check(f"{name}: and what they say",
          all(got[key][column] == all_logged[key][column]
              for key in got for column in columns
              if key in all_logged and got[key]["state"] != "torn"))
    timeline = report.rows("timeline")
    check(f"{name}: the timeline gives the same states",
          {row["state"] for row in timeline} - {"torn"} == set(wanted.values()) - {"torn"}
          and all(row["state"] == states[row["process"]] for row in timeline
                  if row["event_id"] == "1"))
    now, then = report.rows("evidence")[0], log
    live = sum(state == "live" for state in states.values())
    check(f"{name}: only live records are counted as live",
          int(now["process_creations"]) == live
          and int(now["process_creations_recovered"]) == len(states) - live
          and int(now["sysmon_records"]) + int(now["sysmon_recovered"])
          >= int(then["sysmon_records"]) - 1
          and int(now["sysmon_records"]) < int(then["sysmon_records"])
          and int(now["missing_record_ids"]) > 0, now)
    gaps = [row["message"] for row in report.rows("problems") if row["code"] == "RID_GAP"]
    check(f"{name}: the gap says what of it was recovered",
          any(" of them recovered, not live" in gap for gap in gaps), gaps)
    check(f"{name}: findings carry the state of their record",
          all(row["state"] == states[row["process"]] for row in report.rows("findings"))
          and any(row["state"] != "live" for row in report.rows("findings")))
    check(f"{name}: the summary and the sections say so",
          "rest on a recovered record" in report.said
          and "on a record that is not live" in report.page(), report.said)
    check(f"{name}: the run ends with 3", report.status == 3, report.said)


damaged = zeroed(whole, at, 64)
report = Report("behind", [log_file("behind/Sysmon.evtx", damaged)])
compare("a record overwritten", report, lambda row: behind(row, None))

report = Report("orphan", [log_file("orphan/Sysmon.evtx", zeroed(whole, CHUNK_2, 512))])
compare("a chunk header gone", report,
        lambda row: "orphan chunk" if in_chunk_2(row) else "live")
check("a chunk header gone: the findings are those of the whole log",
      [row["process"] for row in report.rows("findings")]
      == [row["process"] for row in base.rows("findings")])

size = struct.unpack_from("<I", whole, at + 4)[0]
torn = zeroed(whole, at + size - size // 10, size // 10)
report = Report("torn", [log_file("torn/Sysmon.evtx", torn)])
compare("a record torn", report, lambda row: behind(row, "torn"))
row = report.logged()[victim["process"]]
check("a record torn: its first values are there, nothing stands for the others",
      row["image"] == victim["image"] and row["recorded_parent_command_line"] == ""
      and row["grade_reason"].startswith("the record is torn"), row)

# The same records twice: damaged in one log, live in another, whichever comes first.
for first, second in ((torn, whole), (whole, torn)):
    name = "live-last" if first is torn else "live-first"
    report = Report(name, [log_file(name + "/a.evtx", first), log_file(name + "/b.evtx", second)])
    got = report.logged()
    check(f"{name}: a live record of the same process wins",
          {key: row["state"] for key, row in got.items()}
          == {key: "live" for key in all_logged}, got.keys() ^ all_logged.keys())
    check(f"{name}: and nothing conflicts",
          not any(row["code"] in ("GUID_CONFLICT", "RID_CONFLICT")
                  for row in report.rows("problems")))
    check(f"{name}: the findings are those of the whole log",
          [row["finding"] for row in report.rows("findings")]
          == [row["finding"] for row in base.rows("findings")])

report = Report("without", [os.path.join(work, "behind/Sysmon.evtx")], "--no-recovered")
check("--no-recovered: they are counted only",
      {row["state"] for row in report.logged().values()} == {"live"}
      and int(report.rows("evidence")[0]["records_recovered"]) > 0
      and report.rows("evidence")[0]["recovered_states"] == ""
      and any(row["code"] == "RECORDS_NOT_READ" for row in report.rows("problems"))
      and "content is not reported" in report.said, report.said)

report = Report("jobs1", [os.path.join(work, "torn/Sysmon.evtx")], "--jobs=1")
again = Report("jobs5", [os.path.join(work, "torn/Sysmon.evtx")], "--jobs=5")
check("--jobs does not change what is recovered",
      all(report.rows(table) == again.rows(table)
          for table in ("processes", "timeline", "findings", "evidence", "problems")))

# Slack of an export: 22 complete event 1 whose template is in another log of the folder.
attack = os.path.join(shared, "evtx", "attack")
if not os.path.exists(os.path.join(attack, SLACK_LOG)):
    skip("slack", "no shared data here")
else:
    alone = Report("alone", [os.path.join(attack, SLACK_LOG)])
    log = alone.rows("evidence")[0]
    check("slack: without the template the records are counted, none is used by position",
          log["recovered_states"] == "slack:29; positional:22"
          and log["process_creations_recovered"] == "0" and log["sysmon_records"] == "2"
          and not alone.logged() and "22 recovered records" in alone.said, log)
    case = Report("case", [attack])
    log = next(row for row in case.rows("evidence") if row["log"] == SLACK_LOG)
    check("slack: with the logs that have it, all are read",
          log["recovered_states"] == "slack:51" and log["sysmon_records"] == "2"
          and log["process_creations"] == "0"
          and log["process_creations_recovered"] == "22", log)
    mine = [row for row in case.logged().values() if row["log"] == SLACK_LOG]
    check("slack: 22 processes, each with its state",
          len(mine) == 22 and {row["state"] for row in mine} == {"slack"}, mine)
    check("slack: with the right names",
          any(row["offset"] == "8688" and row["command_line"].startswith("reg  add HKLM")
              for row in mine)
          and any(row["command_line"].endswith("calc.sct scrobj.dll") for row in mine))
    sources = [row["message"] for row in case.rows("problems")
               if row["log"] == SLACK_LOG and row["offset"] == "8688"]
    check("slack: and where the template is from", len(sources) == 1
          and "another log of this run" in sources[0], sources)
    total = sum(int(row["process_creations"]) for row in case.rows("evidence"))
    check("slack: no count of live records knows of them",
          f"and {total} process creations, on" in case.said
          and "clearing" in case.said, case.said)
print(f"1..{number}")
