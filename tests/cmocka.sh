#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cmocka.sh PROGRAM...: runs a test program so that each test counts once. cmocka 1.1 says
# "not ok N # SKIP" of a skipped test, which TAP takes for a failure; and it ends with the
# number of failed tests as its status, which the driver would count as one failure more.
# Any other status, as a crash or a leak, is passed on.
{
    status=0
    "$@" 2>&1 || status=$?
    printf '\nforebear-test-status %d\n' "$status"
} | awk '
    /^not ok [0-9]+ # SKIP/ { sub(/^not /, "") }
    /^not ok /              { failed++ }
    /^forebear-test-status / { status = $2; next }
    { print }
    END { exit status == failed + 0 ? 0 : status }'
