/* SPDX-License-Identifier: Apache-2.0
 * workers.h - a few threads that take pieces of work in the order they are handed in.
 *
 * Whoever hands work in keeps it, in a ring of his own, and waits for the oldest piece: so
 * results leave in the order the work entered, however many threads there are, and no more
 * is under way than the ring holds. Whoever waits works meanwhile: he is the last of the
 * workers. With one worker there is no thread at all: work is done when it is handed in. */
#ifndef FOREBEAR_WORKERS_H
#define FOREBEAR_WORKERS_H

#include <stdbool.h>

struct work {
    /* worker: 0 .. workers_count()-1, one thread each: for what a worker keeps for itself */
    void (*run)(struct work *work, unsigned worker);
    struct work *next; /* the pool's */
    bool is_done;      /* ask through workers_wait() */
};

struct workers; /* opaque */

/* The caller is one of them; count 0 counts as 1. Fewer threads are made where the system
 * refuses more. */
struct workers *workers_open(unsigned count);
unsigned workers_count(const struct workers *w);
/* One thread at a time hands in and waits. w: NULL for the caller alone. */
void workers_submit(struct workers *w, struct work *work);
/* Returns when that piece is done; until then works on what nobody has taken yet. */
void workers_wait(struct workers *w, struct work *work);
/* All work must be done. */
void workers_close(struct workers *w);

#endif
