#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes C that holds each file named on the command line under that name (embedded.h).
# od and awk alone, so that a build needs nothing more than a compiler does.
set -eu
echo '#include "embedded.h"'
n=0
for file; do
    echo "static const unsigned char file_$n[] = {"
    od -An -v -tu1 "$file" | awk '{ for (i = 1; i <= NF; i++) printf "%s,", $i; print "" }'
    echo '0};'
    n=$((n + 1))
done
echo 'const struct embedded_file embedded_files[] = {'
n=0
for file; do
    echo "    {\"$file\", (const char *)file_$n, sizeof file_$n - 1},"
    n=$((n + 1))
done
echo '    {0, 0, 0}};'
