#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tests of damage on the log that is made where no public one is at hand: none of them
# is skipped there, and both readers give on it what they give on the public one.
. "${srcdir:-.}/tests/tap.sh"
SHARED_DATA=$work/none
CMOCKA_MESSAGE_OUTPUT=STDOUT
export SHARED_DATA CMOCKA_MESSAGE_OUTPUT
for program in native_damage_test evtx_damage_test evtx_crash_test; do
    check "$program" "$build/tests/$program"
    ! grep -q SKIPPED "$work/.out"
    tap_result $? "$program: none is skipped"
done
finish
