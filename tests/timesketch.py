#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""timesketch.py FILE...: would Timesketch take these timelines as they are?

Its reader (timesketch/lib/utils.py, read_and_validate_csv) takes a CSV by pandas: the
columns message, datetime and timestamp_desc by these exact names, which a byte order mark
would spoil; rows whose datetime pandas cannot hold are dropped without a word to the user;
pandas chooses the form of the times by the first row, so that all must have one form.
Columns named _id, _type, _index, _source, __ts_timeline_id are taken away, one named tag
is split. This checks more strictly than it reads. Prints the number of rows of each file.
"""
import csv
import datetime
import re
import sys

NEEDED = ["datetime", "timestamp_desc", "message"]
TAKEN = {"_id", "_type", "_index", "_source", "__ts_timeline_id", "tag", "timestamp"}
FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00")
# what pandas takes for "no value" in a cell without a letter of its own to say
NOTHING = {"", "#N/A", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null", "<NA>"}
# 64 bits of nanoseconds; and nothing of Windows is older than 1970
FIRST, LAST = datetime.datetime(1970, 1, 1), datetime.datetime(2262, 4, 11)


def check(path):
    data = open(path, "rb").read()
    assert not data.startswith(b"\xef\xbb\xbf"), "a byte order mark"
    text = data.decode("utf-8")  # strictly
    assert text.endswith("\r\n"), "the last line has no end"
    csv.field_size_limit(1 << 30)
    # by line feeds alone: a cell can hold other ends of lines
    lines = (line + "\n" for line in text.split("\n")[:-1])
    rows = list(csv.reader(lines, strict=True))
    header, rows = rows[0], rows[1:]
    assert header[:3] == NEEDED, f"the first columns are {header[:3]}"
    assert len(set(header)) == len(header), "a column twice"
    assert not TAKEN & set(header), f"columns that mean something else: {TAKEN & set(header)}"
    last = None
    for number, row in enumerate(rows, 2):
        assert len(row) == len(header), f"row {number} has {len(row)} cells"
        when, what, message = row[:3]
        assert FORM.fullmatch(when), f"row {number}: datetime {when!r}"
        read = datetime.datetime.fromisoformat(when[:26])
        assert FIRST <= read < LAST, f"row {number}: datetime {when} is beyond what pandas holds"
        assert what not in NOTHING and message not in NOTHING, f"row {number}: an empty cell"
        assert last is None or last <= when, f"row {number}: {when} stands behind {last}"
        last = when
    return len(rows)


for path in sys.argv[1:]:
    try:
        print(path, check(path))
    except (AssertionError, ValueError, csv.Error) as error:
        sys.exit(f"{path}: {error}")
