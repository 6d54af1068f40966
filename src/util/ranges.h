/* SPDX-License-Identifier: Apache-2.0
 * ranges.h - one loop over many items, cut into ranges that several threads work on.
 *
 * Each range writes to a place of its own, told by its number, and whoever asked joins these
 * places in the order of the numbers. So the result is the same however many workers there
 * are, and however the items were cut. */
#ifndef FOREBEAR_RANGES_H
#define FOREBEAR_RANGES_H

#include <stddef.h>

struct workers;

struct range {
    size_t number;   /* 0.. */
    size_t from, to; /* items [from, to) */
};

typedef void range_work(void *context, struct range range);

/* Into how many ranges `count` items are cut; w: NULL for the caller alone. */
size_t ranges_count(const struct workers *w, size_t count);
/* Do them all; returns when the last is done. */
void ranges_do(struct workers *w, size_t count, range_work *work, void *context);

#endif
