/* SPDX-License-Identifier: Apache-2.0 */
#include "util/histogram.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

#define MINUTE (60 * FILETIME_SECOND)
#define DAY    (24 * 60 * MINUTE)

/* With the last one, 512 stretches reach farther than a FILETIME does. */
static const uint64_t widths[] = {
    MINUTE,  5 * MINUTE, 15 * MINUTE, 60 * MINUTE, DAY / 8,     DAY / 4,     DAY,
    7 * DAY, 28 * DAY,   364 * DAY,   3640 * DAY,  36400 * DAY, 364000 * DAY};

void histogram_release(struct histogram *h)
{
    free(h->counts);
    *h = (struct histogram){0};
}

static void add_to(uint32_t *count, uint64_t more)
{
    *count = more > UINT32_MAX - *count ? UINT32_MAX : *count + (uint32_t)more;
}

/* Join stretches to those of the next width. */
static void widen(struct histogram *h)
{
    size_t next = 0;
    while (widths[next] <= h->width)
        next++;
    uint64_t times = widths[next] / h->width, first = h->first / times;
    size_t count = (size_t)((h->first + h->count - 1) / times - first) + 1;
    for (size_t i = 0; i < h->count; i++) {
        size_t to = (size_t)((h->first + i) / times - first);
        uint32_t value = h->counts[i];
        h->counts[i] = 0; /* to <= i: it may be its own place */
        add_to(&h->counts[to], value);
    }
    h->width = widths[next];
    h->first = first;
    h->count = count;
}

/* Make room from stretch `first` up to before `end`, both at the present width. */
static void reach(struct histogram *h, uint64_t first, uint64_t end)
{
    size_t count = (size_t)(end - first), before = (size_t)(h->first - first);
    if (count == h->count)
        return;
    h->counts = memory_resize(h->counts, count * sizeof *h->counts);
    memmove(h->counts + before, h->counts, h->count * sizeof *h->counts);
    memset(h->counts, 0, before * sizeof *h->counts);
    memset(h->counts + before + h->count, 0,
           (count - before - h->count) * sizeof *h->counts);
    h->first = first;
    h->count = count;
}

static void add(struct histogram *h, uint64_t filetime, uint64_t times)
{
    if (h->width == 0) {
        h->width = widths[0];
        h->first = filetime / h->width;
        h->counts = memory_get_zeroed(1, sizeof *h->counts);
        h->count = 1;
    }
    for (;;) {
        uint64_t at = filetime / h->width, end = h->first + h->count;
        uint64_t first = at < h->first ? at : h->first;
        end = at >= end ? at + 1 : end;
        if (end - first > HISTOGRAM_MAX) {
            widen(h);
            continue;
        }
        reach(h, first, end);
        add_to(&h->counts[at - h->first], times);
        return;
    }
}

void histogram_add(struct histogram *h, uint64_t filetime)
{
    if (filetime != FILETIME_NONE)
        add(h, filetime, 1);
}

void histogram_take(struct histogram *to, struct histogram *from)
{
    while (to->width && from->width && to->width < from->width)
        widen(to);
    if (to->width == 0) {
        *to = *from;
        *from = (struct histogram){0};
        return;
    }
    for (size_t i = 0; i < from->count; i++)
        if (from->counts[i])
            add(to, (from->first + i) * from->width, from->counts[i]);
    histogram_release(from);
}
