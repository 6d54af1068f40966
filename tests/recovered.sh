#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Records that are not live, in the whole program (tests/recovered.py).
. "${srcdir:-.}/tests/tap.sh"
if ! command -v python3 >/dev/null 2>&1; then
    skip "recovered records" "python3 is not installed"
    finish
    exit 0
fi
python3 "$top/tests/recovered.py" "$forebear" "$top/samples" "$work" "$SHARED_DATA"
