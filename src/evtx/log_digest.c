/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/log_digest.h"

#include <stdlib.h>

#include "util/memory.h"

static void digest_pieces(struct work *work, unsigned worker)
{
    struct log_digest *d = (struct log_digest *)(void *)work;
    (void)worker;
    for (size_t i = 0; i < d->given_count; i++)
        digester_add(&d->digester, d->given[i].ptr, d->given[i].len);
}

void log_digest_open(struct log_digest *d, unsigned kinds, struct workers *workers,
                     size_t room)
{
    *d = (struct log_digest){
        .work = {.run = digest_pieces, .is_done = true},
        .workers = workers,
        .waiting = memory_get(room * sizeof *d->waiting),
        .given = memory_get(room * sizeof *d->given),
        .room = room
    };
    digester_init(&d->digester, kinds);
}

void log_digest_break(struct log_digest *d)
{
    d->is_broken = true;
}

void log_digest_take(struct log_digest *d, uint64_t offset, struct bytes piece)
{
    d->is_broken |= offset != d->next || d->waiting_count == d->room;
    if (d->is_broken)
        return;
    d->waiting[d->waiting_count++] = piece;
    d->next = offset + piece.len;
}

static void hand_over(struct log_digest *d)
{
    struct bytes *empty = d->given;
    d->given = d->waiting;
    d->given_count = d->waiting_count;
    d->waiting = empty;
    d->waiting_count = 0;
    if (d->given_count)
        workers_submit(d->workers, &d->work);
}

void log_digest_go_on(struct log_digest *d)
{
    if (workers_has_done(d->workers, &d->work))
        hand_over(d);
}

static bool holds(const struct bytes *pieces, size_t count, const uint8_t *ptr)
{
    for (size_t i = 0; i < count; i++)
        if (pieces[i].ptr == ptr)
            return true;
    return false;
}

static void await(struct log_digest *d)
{
    workers_wait(d->workers, &d->work);
    d->given_count = 0;
}

void log_digest_let_go(struct log_digest *d, const uint8_t *ptr)
{
    if (holds(d->given, d->given_count, ptr))
        await(d);
    if (!holds(d->waiting, d->waiting_count, ptr))
        return;
    await(d);
    hand_over(d);
    await(d);
}

bool log_digest_close(struct log_digest *d, uint64_t size, struct digest_values *out)
{
    await(d);
    hand_over(d);
    await(d);
    bool is_whole = !d->is_broken && d->next == size;
    if (is_whole)
        digester_finish(&d->digester, out);
    else
        digester_release(&d->digester);
    free(d->waiting);
    free(d->given);
    return is_whole;
}
