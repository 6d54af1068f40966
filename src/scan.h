/* SPDX-License-Identifier: Apache-2.0
 * scan.h - `forebear scan`: which of many logs hold a process creation that a public rule
 * fires on? One row a hit, in file order, as it is found. Nothing is hashed, linked or
 * verified: a hit says where to look, a report says what is there.
 *
 * Speed. Most records are not process creations, and most process creations meet no rule.
 * Both are told from the record's bytes without decoding it (evtx_glancer, triage.c). That
 * holds in chunks that are as they should be; all others, and whatever the bytes leave open,
 * are decoded and judged as in a report, so that no hit is missed.
 *
 * A report merges copies of one process creation; here each record is a hit of its own, but
 * for a recovered copy of a live one in the same log. */
#ifndef FOREBEAR_SCAN_H
#define FOREBEAR_SCAN_H

#include "options.h"

/* Returns an enum exit_status. */
int run_scan(const struct options *options);

#endif
