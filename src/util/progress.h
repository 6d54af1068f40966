/* SPDX-License-Identifier: Apache-2.0
 * progress.h - one line on a terminal: what is being done, bytes, rate, time left. Nothing
 * at all where stderr is not a terminal or --quiet is given. */
#ifndef FOREBEAR_PROGRESS_H
#define FOREBEAR_PROGRESS_H

#include "util/journal.h"

struct progress {
    struct journal *journal;
    const char *what;
    uint64_t total, done;  /* bytes */
    double started, shown; /* seconds, monotonic */
    bool visible;
};

void progress_start(struct progress *p, struct journal *journal, const char *what,
                    uint64_t total_bytes);
/* Also NULL-safe: a caller without a progress line passes NULL. */
void progress_advance(struct progress *p, uint64_t bytes);
void progress_end(struct progress *p);

#endif
