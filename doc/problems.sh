#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes doc/problems.md from the table of problems: doc/problems.sh src/util/problems.def
set -eu
cat <<'HEAD'
# Problems

Every code that the column `code` of `problems.csv` can hold, but for the anomalies, which have [a page of their own](anomalies.md). This page is made from `src/util/problems.def` by `make docs`.

*damage*: some evidence could not be read as it should be; the exit status becomes 3. *anomaly*: something odd in what was
recorded. *note*: something that was not examined, or how something was read. Neither changes the exit status. The
severity is the usual one; a row can carry another where its message says why.
HEAD
awk '
/^\/\* / { sub(/^\/\* /, ""); sub(/ *\*\/$/, ""); section = $0; next }
/^PROBLEM\(/ {
    if (section != "" && section !~ /^PROBLEM/) {
        printf "\n## %s\n\n| code | class | severity | meaning |\n|---|---|---|---|\n", section
    }
    section = ""
    row = $0
    sub(/^PROBLEM\(/, "", row)
    split(row, part, /, */)
    sentence = row
    sub(/^[^"]*"/, "", sentence)
    sub(/"\)$/, "", sentence)
    printf "| `%s` | %s | %s | %s |\n", part[1], tolower(part[2]), tolower(part[3]), sentence
}' "$1"
