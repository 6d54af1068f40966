/* SPDX-License-Identifier: Apache-2.0
 * arena.h - memory that is released all at once.
 *
 * Three lifetimes, three arenas: a chunk of a log (a worker's), the process tables of a
 * run (lineage), and the run itself (options, rules, findings, problems). What crosses
 * from a shorter to a longer one is copied where one can see it: arena_copy(run, text).
 * All zeros is an empty arena. Allocation cannot fail (memory.h). */
#ifndef FOREBEAR_ARENA_H
#define FOREBEAR_ARENA_H

#include <stddef.h>

#include "util/text.h"

struct arena {
    struct arena_block *block; /* the one being filled; older ones hang behind it */
    size_t used, size;         /* of that block */
    size_t total;              /* bytes held by all blocks */
};

void arena_release(struct arena *a);
/* Forget everything, keep the newest block for reuse. */
void arena_clear(struct arena *a);
/* Take over all that `from` holds; it is empty afterwards. */
void arena_join(struct arena *a, struct arena *from);
/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);
/* The same, not zeroed. */
void *arena_take(struct arena *a, size_t size);
/* Room for size bytes, not zeroed and not taken yet: write to it, then say how many were
 * used. Nothing may be allocated in between. */
char *arena_reserve(struct arena *a, size_t size);
void arena_commit(struct arena *a, size_t used);
/* A copy with a NUL behind it (not counted in len); an absent text stays absent. */
struct text arena_copy(struct arena *a, struct text t);
/* The same with ASCII capitals made small: a key for names that compare without case. */
struct text arena_copy_folded(struct arena *a, struct text t);
struct text arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
