/* SPDX-License-Identifier: Apache-2.0 */
#include "sysmon/reach.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

void reach_open(struct reach *r, size_t count)
{
    *r = (struct reach){
        .ends = memory_get((count + 1) * sizeof *r->ends),
        .latest = memory_get_zeroed(count / REACH_BLOCK + 1, sizeof *r->latest),
        .sorted = memory_get((count + 1) * sizeof *r->sorted),
        .count = count};
}

void reach_add(struct reach *r, uint64_t end)
{
    uint64_t *latest = &r->latest[r->added / REACH_BLOCK];
    *latest = end > *latest ? end : *latest;
    r->ends[r->added++] = end;
}

static int compare_times(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void reach_ready(struct reach *r)
{
    memcpy(r->sorted, r->ends, r->added * sizeof *r->ends);
    qsort(r->sorted, r->added, sizeof *r->sorted, compare_times);
}

void reach_close(struct reach *r)
{
    free(r->ends);
    free(r->latest);
    free(r->sorted);
    *r = (struct reach){0};
}

size_t reach_next(const struct reach *r, size_t from, size_t to, uint64_t end)
{
    for (size_t i = from; i < to;) {
        if (i % REACH_BLOCK == 0 && r->latest[i / REACH_BLOCK] < end) {
            i += REACH_BLOCK;
            continue;
        }
        if (r->ends[i] >= end)
            return i;
        i++;
    }
    return to;
}

uint64_t reach_last_before(const struct reach *r, uint64_t time)
{
    size_t low = 0, high = r->added;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->sorted[middle] < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? r->sorted[low - 1] : UINT64_MAX;
}
