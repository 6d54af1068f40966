/* SPDX-License-Identifier: Apache-2.0
 * show_log.h - which log `forebear show --log` means.
 *
 * A log's whole name is that of its evidence, a slash and its path in there; a log that is
 * evidence itself has the evidence's. `--log` takes the whole name, the path alone (what the
 * report has), or the end of the whole name from some folder on: the first of these that any
 * log has, and then one log alone may have it. "#" and the entry behind it (mft_entry of
 * evidence.csv) part what has one path: a log and deleted ones. */
#ifndef FOREBEAR_SHOW_LOG_H
#define FOREBEAR_SHOW_LOG_H

#include "evidence/evidence.h"

/* `wanted` NULL: the only log. Where none or several are meant, NULL with an error, and
 * `choices` has a line for each that could be, with the option that picks it. */
const struct evidence_log *show_log_choose(const struct evidence *evidence,
                                           const char *wanted, struct buffer *choices,
                                           struct error *err);

#endif
