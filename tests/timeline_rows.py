#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""timeline_rows.py FILE COLUMN...: these columns of a CSV, a line for each row, with a bar
between two and line ends shown."""
import csv
import sys

for row in csv.DictReader(open(sys.argv[1], encoding="utf-8", newline="")):
    print("|".join(row[c].replace("\r", "\\r").replace("\n", "\\n") for c in sys.argv[2:]))
