/* SPDX-License-Identifier: Apache-2.0
 * reach.h - of many spans of time that stand in order of their begins, which of them reach to
 * a moment: told without a look at each. Crafted logs can have thousands of stretches and as
 * many starts of Windows, and each of the latter asks. */
#ifndef FOREBEAR_REACH_H
#define FOREBEAR_REACH_H

#include <stddef.h>
#include <stdint.h>

enum { REACH_BLOCK = 64 };

struct reach {
    uint64_t *ends;   /* by span */
    uint64_t *latest; /* of each REACH_BLOCK of them */
    uint64_t *sorted; /* the ends in order of time */
    size_t count, added;
};

/* Room for `count` spans, whose ends reach_add() gives in order of their begins. */
void reach_open(struct reach *r, size_t count);
void reach_add(struct reach *r, uint64_t end);
/* After the last. */
void reach_ready(struct reach *r);
void reach_close(struct reach *r);
/* The first span from number `from` on and before `to` that ends then or later; `to` if there
 * is none. */
size_t reach_next(const struct reach *r, size_t from, size_t to, uint64_t end);
/* The last end before that time; UINT64_MAX: none. */
uint64_t reach_last_before(const struct reach *r, uint64_t time);

#endif
