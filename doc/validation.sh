#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes doc/validation.md from what the program says: doc/validation.sh PROGRAM
set -eu
cat <<'HEAD'
# Validation

What this version does with constructed evidence, statement by statement. The tables below are what `forebear self-test`
prints; a test holds this page equal to it. A lab runs the same on its own machine, with the copy it uses, and files the output:

    forebear self-test > validation-record.md

The record names the program's version and SHA-256, the rules with theirs, every library with its version, and the platform. It needs
no source tree: scenarios, statements and truth table are compiled in. `--keep DIR` keeps the logs that were made and the
reports on them; `--reader=libevtx` tests the other reader. The status is 0 if everything held, else 4.

## How

Each scenario is a short story in plain text (`tests/scenarios/`). It is written as real `.evtx` files: templates, string tables and
checksums as Windows writes them. A report is made on them by the program itself, in a process of its own, and read back.
For each rule, indicator, corroboration and anomaly a table (`tests/validation.tsv`) names scenarios that must raise it and
scenarios that must not. A code that no line speaks of fails the test. The truth table (`tests/msra_truth.tsv`) has the verdict
of each public rule for process creations that differ in one thing each.

## What it does not show

- The scenarios are constructed. None is a field case, and no error rate can be had from them.
- The writer of the logs and the readers were written by the same people. That real logs are read as they should be is tested elsewhere: both
  readers against each other and against a third decoder on several hundred public logs ([formats.md](formats.md)).
- No image is opened: what is shown holds from the log on. How images, volumes and file systems are read is tested elsewhere
  (`tests/evidence.sh`, `tests/evidence_damage.sh`); on an image of one's own the SHA-256 of a log in `evidence.csv` can be compared with that of
  the same log as another tool exports it.
- Known sources of error lie outside the program as well: Sysmon's configuration decides what is recorded; clocks are the
  machines' own; a recorded parent can be wrong ([lineage.md](lineage.md)); a rule can match what is innocent ([detection.md](detection.md)).
HEAD
echo
"$1" self-test | sed -n '/^## Statements/,$p'
