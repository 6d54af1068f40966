/* SPDX-License-Identifier: Apache-2.0
 * records.h - `forebear records`: every record of every log to standard output, in file
 * order. Warnings go to standard error. A reader that closes the pipe ends it quietly. */
#ifndef FOREBEAR_RECORDS_H
#define FOREBEAR_RECORDS_H

#include "options.h"

/* Returns an enum exit_status. */
int run_records(const struct options *options);

#endif
