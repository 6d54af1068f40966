#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What no compiler holds: the direction of includes, calls that are not used here, one place
# for memory, a licence line in every source.
. "${srcdir:-.}/tests/tap.sh"
cd "$top" || exit 1

none() { # NAME PATTERN FILE...: no line of the files is like that
    name=$1 pattern=$2
    shift 2
    ! grep -nE -- "$pattern" "$@" >"$work/.out"
    tap_result $? "$name"
}

none "evidence includes nothing to its right" '#include "(evtx|sysmon|lineage|detect|report)/' src/evidence/*.[ch]
none "evtx includes nothing to its right" '#include "(sysmon|lineage|detect|report)/' src/evtx/*.[ch]
none "sysmon includes nothing to its right" '#include "(lineage|detect|report)/' src/sysmon/*.[ch]
none "lineage includes nothing to its right" '#include "(detect|report)/' src/lineage/*.[ch]
none "detect includes nothing to its right" '#include "report/' src/detect/*.[ch]
none "the run includes nothing of its own test" '#include "validate/' src/util/*.[ch] src/evidence/*.[ch] src/evtx/*.[ch] \
    src/sysmon/*.[ch] src/lineage/*.[ch] src/detect/*.[ch] src/report/*.[ch] src/run*.[ch]
none "util includes util alone" '#include "(evidence|evtx|sysmon|lineage|detect|report)/' src/util/*.[ch]
none "no call that cannot be bounded or is not reentrant" \
    '(^|[^a-zA-Z0-9_])(strcpy|strcat|sprintf|vsprintf|strtok|gets|gmtime|localtime|ctime|asctime|tmpnam|system|popen)\(' \
    src/*.[ch] src/*/*.[ch]
none "memory comes from util/memory.h" '(^|[^a-zA-Z0-9_])(malloc|calloc|realloc|strdup|strndup|asprintf)\(' \
    src/*.[ch] $(ls src/*/*.[ch] | grep -v '^src/util/memory\.c$')
none "no path of one machine" '/(home|work|root)/[a-z]' README.md doc/*.md src/*.[ch] src/*/*.[ch] rules/* report-templates/*
none "nothing unfinished is left in the code" '(^|[^X])(TODO|FIXME|HACK|XXX)([^X]|$)' src/*.[ch] src/*/*.[ch]

grep -LE 'SPDX-License-Identifier: Apache-2.0' src/*.[ch] src/*/*.[ch] tests/*.c tests/*.sh tests/run samples/run setup.sh >"$work/.out"
[ ! -s "$work/.out" ]
tap_result $? "every source names its licence"

grep -oE '^PROBLEM\([A-Z_0-9]+' src/util/problems.def | sed 's/PROBLEM(//' | while read -r code; do
    grep -qE "(PROBLEM_|\()$code\b|, $code\b" $(ls src/*.[ch] src/*/*.[ch] src/*/*.def | grep -v '^src/util/problems\.') ||
        echo "$code is never raised"
done >"$work/.out"
[ ! -s "$work/.out" ]
tap_result $? "every problem code is raised somewhere"
grep -oE '^ANOMALY\([A-Z_0-9]+' src/util/anomalies.def | sed 's/ANOMALY(//' | while read -r code; do
    grep -qE "PROBLEM_$code\b|tell\(g, $code\b" $(ls src/*.[ch] src/*/*.[ch] | grep -v '^src/util/problems\.') ||
        echo "$code is never raised"
    awk -F '\t' -v code="$code" '$1 == "anomaly" && $2 == code && $3 != "" && $4 != "" { held = 1 }
        END { exit !held }' tests/validation.tsv || echo "$code has no scenario that raises it, or none that must not"
done >"$work/.out"
[ ! -s "$work/.out" ]
tap_result $? "every anomaly is raised somewhere, and held by scenarios"
sh doc/anomalies.sh src/util/anomalies.def tests/validation.tsv >"$work/anomalies.md"
same "doc/anomalies.md is what its tables make" "$work/anomalies.md" doc/anomalies.md
sh doc/problems.sh src/util/problems.def >"$work/problems.md"
same "doc/problems.md is what its table makes" "$work/problems.md" doc/problems.md

finish
