/* SPDX-License-Identifier: Apache-2.0 */
#include "util/ranges.h"

#include <stdlib.h>

#include "util/memory.h"
#include "util/workers.h"

/* More than one for each, so that nobody waits long for who has the hardest. */
enum { RANGES_PER_WORKER = 4 };

struct piece {
    struct work work;
    range_work *run;
    void *context;
    struct range range;
};

static void run_piece(struct work *work, unsigned worker)
{
    const struct piece *piece = (const struct piece *)(void *)work;
    (void)worker;
    piece->run(piece->context, piece->range);
}

size_t ranges_count(const struct workers *w, size_t count)
{
    size_t workers = w ? workers_count(w) : 1;
    size_t most = workers > 1 ? workers * RANGES_PER_WORKER : 1;
    return count < most ? count : most;
}

void ranges_do(struct workers *w, size_t count, range_work *work, void *context)
{
    size_t ranges = ranges_count(w, count);
    struct piece *pieces = memory_get_zeroed(ranges, sizeof *pieces);
    for (size_t i = 0; i < ranges; i++) {
        struct range range = {i, count / ranges * i + count % ranges * i / ranges,
                              count / ranges * (i + 1) +
                                  count % ranges * (i + 1) / ranges};
        pieces[i] = (struct piece){{.run = run_piece}, work, context, range};
        workers_submit(w, &pieces[i].work);
    }
    for (size_t i = 0; i < ranges; i++)
        workers_wait(w, &pieces[i].work);
    free(pieces);
}
