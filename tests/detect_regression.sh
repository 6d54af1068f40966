#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The published rules' own regression logs: each holds an event that one rule must find. A
# rule with a modifier that is refused here must be refused with its file and line.
. "${srcdir:-.}/tests/tap.sh"
sigma=$SHARED_DATA/sigma
published=$sigma/rules/rules/windows/process_creation
tab=$(printf '\t')

if [ ! -f "$sigma/regression/cases.tsv" ]; then
    skip "published rules on their own logs" "no shared data"
    finish
    exit 0
fi

# one_case ID LOG RULE
one_case() {
    rm -rf "$work/rules" "$work/report"
    mkdir "$work/rules"
    cp "$3" "$work/rules/rule.yml"
    if grep -qE '^ +(- )?[A-Za-z]+\|([a-z|]+\|)?(re|base64offset)\b' "$3"; then
        ! "$forebear" report --quiet --rules "$work/rules" -o "$work/report" "$2" >"$work/said" 2>&1 &&
            grep -q "rule.yml: line [0-9]*: the modifier" "$work/said"
        return
    fi
    "$forebear" report --quiet --rules "$work/rules" -o "$work/report" "$2" &&
        grep -q "$1" "$work/report/findings.csv"
}

sed 1d "$sigma/regression/cases.tsv" >"$work/cases"
while IFS=$tab read -r log id title; do
    rule=$(grep -l "^id: $id" "$published"/*.yml | head -n 1)
    if [ -n "$rule" ]; then
        check "$title" one_case "$id" "$sigma/regression/$log" "$rule"
    fi
done <"$work/cases"
finish
