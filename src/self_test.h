/* SPDX-License-Identifier: Apache-2.0
 * self_test.h - `forebear self-test`: this build, on this machine, against constructed
 * scenarios and a truth table that are compiled in (validate/cases.h). A validation record
 * in Markdown goes to standard output. */
#ifndef FOREBEAR_SELF_TEST_H
#define FOREBEAR_SELF_TEST_H

#include "options.h"

/* EXIT_DONE if every statement held; EXIT_CANNOT if one did not or nothing could be
 * tested. */
int run_self_test(const struct options *options);

#endif
