/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/log_digest.h"

#include <stdlib.h>

#include "util/memory.h"

static void digest_pieces(struct work *work, unsigned worker)
{
    struct log_digest *d = (struct log_digest *)(void *)work;
    (void)worker;
    pthread_mutex_lock(&d->lock);
    while (d->done < d->taken) {
        struct bytes piece = d->pieces[d->done % d->room];
        pthread_mutex_unlock(&d->lock);
        digester_add(&d->digester, piece.ptr, piece.len);
        pthread_mutex_lock(&d->lock);
        d->done++;
    }
    d->is_under_way = false;
    pthread_mutex_unlock(&d->lock);
}

void log_digest_open(struct log_digest *d, unsigned kinds, struct workers *workers,
                     size_t room)
{
    *d = (struct log_digest){
        .work = {.run = digest_pieces, .is_done = true},
        .workers = workers,
        .pieces = memory_get(room * sizeof *d->pieces),
        .room = room
    };
    pthread_mutex_init(&d->lock, NULL);
    digester_init(&d->digester, kinds);
}

void log_digest_break(struct log_digest *d)
{
    d->is_broken = true;
}

void log_digest_take(struct log_digest *d, uint64_t offset, struct bytes piece)
{
    pthread_mutex_lock(&d->lock);
    d->is_broken |= offset != d->next || d->taken - d->done == d->room;
    if (!d->is_broken) {
        d->pieces[d->taken++ % d->room] = piece;
        d->next = offset + piece.len;
    }
    pthread_mutex_unlock(&d->lock);
}

void log_digest_go_on(struct log_digest *d)
{
    pthread_mutex_lock(&d->lock);
    bool is_wanted = d->done < d->taken && !d->is_under_way;
    d->is_under_way |= is_wanted;
    pthread_mutex_unlock(&d->lock);
    if (!is_wanted)
        return;
    workers_wait(d->workers, &d->work); /* it said that it ends, and is about to */
    workers_submit(d->workers, &d->work);
}

static bool holds(struct log_digest *d, const uint8_t *ptr)
{
    bool is_held = false;
    pthread_mutex_lock(&d->lock);
    for (size_t i = d->done; i < d->taken; i++)
        is_held |= d->pieces[i % d->room].ptr == ptr;
    pthread_mutex_unlock(&d->lock);
    return is_held;
}

void log_digest_let_go(struct log_digest *d, const uint8_t *ptr)
{
    while (holds(d, ptr)) {
        log_digest_go_on(d);
        workers_wait(d->workers, &d->work);
    }
}

bool log_digest_close(struct log_digest *d, uint64_t size, struct digest_values *out)
{
    log_digest_go_on(d);
    workers_wait(d->workers, &d->work);
    bool is_whole = !d->is_broken && d->next == size;
    if (is_whole)
        digester_finish(&d->digester, out);
    else
        digester_release(&d->digester);
    pthread_mutex_destroy(&d->lock);
    free(d->pieces);
    return is_whole;
}
