/* SPDX-License-Identifier: Apache-2.0
 * histogram.h - how many events fall into each stretch of time, in bounded memory.
 *
 * Stretches begin at a minute and have all the same width, the least of a fixed row of
 * widths (a minute, five, fifteen, an hour, ...) with which HISTOGRAM_MAX of them reach from
 * the first event to the last. Each width is a multiple of the one before and stretches are
 * counted from 1601-01-01 (a Monday), so what comes out does not depend on the order of the
 * events. All zeros is an empty one. */
#ifndef FOREBEAR_HISTOGRAM_H
#define FOREBEAR_HISTOGRAM_H

#include "util/filetime.h"

enum { HISTOGRAM_MAX = 512 };

struct histogram {
    uint64_t width;   /* of a stretch, in 100 ns; 0: nothing was added */
    uint64_t first;   /* number of the first stretch: its begin is first * width */
    uint32_t *counts; /* the first and the last are above 0 */
    size_t count;
};

void histogram_release(struct histogram *h);
/* FILETIME_NONE is not counted. */
void histogram_add(struct histogram *h, uint64_t filetime);
/* Add what `from` counted, and release it. */
void histogram_take(struct histogram *to, struct histogram *from);

#endif
