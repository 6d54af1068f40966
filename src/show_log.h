/* SPDX-License-Identifier: Apache-2.0
 * show_log.h - which log `forebear show --log` means.
 *
 * A log's whole name is that of its evidence, a slash and its path in there; a log that is
 * evidence itself has the evidence's. `--log` takes the whole name, the path alone (what the
 * report has), or the end of the whole name from some folder on: the first of these that any
 * log has. "#" and the entry behind it (mft_entry of
 * evidence.csv) part what has one path: a log and deleted ones. */
#ifndef FOREBEAR_SHOW_LOG_H
#define FOREBEAR_SHOW_LOG_H

#include "evidence/evidence.h"

/* The logs that are meant, in `logs`, which has room for all; `wanted` NULL: the only one.
 * Returns how many. Where that is none, with an error, or several, `choices` has a line for
 * each that could be meant, with the option that picks it. */
size_t show_log_choose(const struct evidence *evidence, const char *wanted,
                       const struct evidence_log **logs, struct buffer *choices,
                       struct error *err);

#endif
