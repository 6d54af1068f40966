#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes doc/anomalies.md: doc/anomalies.sh src/util/anomalies.def tests/validation.tsv
set -eu
cat <<'HEAD'
# Anomalies

What is odd in what was recorded. Each is a row of `problems.csv`; none is damage, none changes the exit status, and none is
proof of anything: the last column says what else makes it so. This page is made from `src/util/anomalies.def` and
`tests/validation.tsv` by `make docs`; `forebear self-test` runs the scenarios that it names ([validation](validation.md)).

The severity is the usual one; a row can carry another where its message says why.
HEAD
awk '
FNR == NR {
    if (split($0, cell, "\t") == 4 && cell[1] == "anomaly") {
        raised[cell[2]] = cell[3]
        silent[cell[2]] = cell[4]
    }
    next
}
/^\/\* [A-Z][a-z ]* \*\/$/ {
    section = $0
    gsub(/^\/\* | \*\/$/, "", section)
    printf "\n## %s\n", section
    next
}
/^ANOMALY\(/ {
    row = $0
    while (row !~ /"\)$/ && (getline line) > 0) {
        sub(/^ */, " ", line)
        row = row line
    }
    sub(/^ANOMALY\(/, "", row)
    code = row
    sub(/,.*/, "", code)
    severity = row
    sub(/^[A-Z_0-9]*, */, "", severity)
    sub(/,.*/, "", severity)
    count = split(row, part, "\"")
    printf "\n### `%s` (%s)\n\n%s\n\n", code, tolower(severity), part[2]
    printf "- **Told where:** %s.\n", part[4]
    printf "- **Innocent reasons:** %s.\n", part[6]
    printf "- **Held by:** raised in %s; not in %s.\n", raised[code], silent[code]
}' "$2" "$1"
