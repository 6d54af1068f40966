# SPDX-License-Identifier: Apache-2.0
"""rounds.py PROCESSES.CSV CHUNKS - is each round's lineage that of the first, moved on?

A log of tests/bench_log repeats CHUNKS chunks, each round moved on by the same time in all
that is told of it. Process creations of a round are told by their place in the log; what is
above them is compared by the places of those records, and by name where there is none.
"""
import csv
import re
import sys
from datetime import datetime, timedelta

ROUND = timedelta(days=30, seconds=11)
HEADER, CHUNK = 4096, 65536
SAME = ("computer process_id image command_line user kind grade grade_reason depth ancestors "
        "children descendants state recorded_parent_id recorded_parent_image "
        "recorded_parent_command_line original_file_name current_directory integrity_level "
        "hashes parent_user logon_id session_id").split()
MOVED = "start_utc end_utc logged_time last_seen_utc".split()


def moved_back(text, rounds):
    """A time to 100 ns, the fraction kept as text: Python knows none so fine."""
    if not text:
        return text
    second, fraction = text[:19], text[19:]
    return (datetime.fromisoformat(second) - rounds * ROUND).isoformat() + fraction


def main():
    path, chunks = sys.argv[1], int(sys.argv[2])
    rows = list(csv.DictReader(open(path, encoding="utf-8", newline="")))
    by_key = {row["process"]: row for row in rows}

    def place(row):
        """Round, and chunk and offset in it; None where there is no record."""
        if not row or not row["offset"]:
            return None
        chunk, at = divmod(int(row["offset"]) - HEADER, CHUNK)
        return chunk // chunks, (chunk % chunks, at)

    def above(key):
        """Who that is, the same in every round."""
        row = by_key.get(key)
        return place(row)[1] if place(row) else row and (row["kind"], row["image"])

    def told(row, rounds):
        values = {name: row[name] for name in SAME}
        values.update({name: moved_back(row[name], rounds) for name in MOVED})
        values.update({name: above(row[name]) for name in ("parent", "root")})
        # A candidate that is not the parent is named by its pid and times, in words too.
        for name in ("grade_reason", "ancestors"):
            values[name] = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z|\{[0-9A-F-]{36}\}", "", values[name])
        return values

    rounds = {}
    for row in rows:
        if place(row):
            number, at = place(row)
            rounds.setdefault(number, {})[at] = told(row, number)
    first, wrong, compared = rounds[0], [], 0
    rounds.pop(max(rounds))  # the log ends inside it
    for number in sorted(rounds):
        for at, values in rounds[number].items():
            compared += number > 0
            for name, value in values.items():
                if at not in first or first[at][name] != value:
                    wrong.append(f"round {number}, chunk {at[0]}, offset {at[1]}: {name} is "
                                 f"{value!r}, in the first round "
                                 f"{first.get(at, {}).get(name)!r}")
        if rounds[number].keys() != first.keys():
            wrong.append(f"round {number} has {len(rounds[number])} process creations, the "
                         f"first {len(first)}")
    print(f"{len(rounds)} whole rounds, {len(first)} process creations in the first, "
          f"{compared} compared with it")
    for line in wrong[:20]:
        print(line)
    return 1 if wrong or compared < len(first) else 0


sys.exit(main())
