/* SPDX-License-Identifier: Apache-2.0
 * run.h - one run of `forebear report`, as a table of contents:
 *
 *   discover   every argument becomes logs with an identity
 *   read       first pass: process creations and all that links need go into compact tables
 *   link       parents are joined to children, rules judged, families marked
 *   gather     second pass: every event of those families, and what corroborates
 *   verify     the records that the report rests on, decoded again by the other reader
 *   write      CSV, HTML, run.log, manifest; all get their names together, or none does */
#ifndef FOREBEAR_RUN_H
#define FOREBEAR_RUN_H

#include "options.h"

/* argv is only quoted in the report. Returns an enum exit_status. */
int run_report(const struct options *options, int argc, char **argv);

#endif
