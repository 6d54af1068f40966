/* SPDX-License-Identifier: Apache-2.0
 * spelling.h - how templates stood in the chunks before, so that one that stands there again
 * in the same bytes is not translated again. Only src/evtx includes this file.
 *
 * A definition holds its names, or points to where they stand in its chunk. A spelling is
 * the offset of a definition, its bytes but for the pointer to the next one, and the names
 * elsewhere in the chunk that these lead to: what a translation depends on, and nothing
 * else. Real logs repeat two definitions in five that way: the first record of a chunk
 * always stands in the same place. */
#ifndef FOREBEAR_EVTX_SPELLING_H
#define FOREBEAR_EVTX_SPELLING_H

#include <pthread.h>

#include "util/arena.h"
#include "util/map.h"

struct chunk_bytes;
struct template;

enum {
    SPELLED_NAMES_MAX = 64, /* names elsewhere; 41 is the most ever seen */
    SPELLINGS_MAX = 8192,
    SPELLINGS_BYTES_MAX = 4 * 1024 * 1024,
    SPELLINGS_ALIKE_MAX = 4 /* with one key: how many are compared */
};

/* Where the names stand that a translation met outside its definition. */
struct spelled_names {
    uint32_t at[SPELLED_NAMES_MAX];
    uint32_t count; /* more than SPELLED_NAMES_MAX: some were left out */
};

struct spelling; /* opaque */

/* Any thread may ask and add. */
struct spellings {
    pthread_mutex_t lock;
    struct arena arena;
    struct map map; /* the newest one with a key */
    struct spelling **all;
    uint32_t count, capacity;
};

void spellings_init(struct spellings *s);
void spellings_release(struct spellings *s);
/* The template that [at, end) of the chunk was translated to before, or NULL. */
const struct template *spellings_find(struct spellings *s,
                                      const struct chunk_bytes *chunk, uint32_t at,
                                      uint32_t end);
/* Remember it. The template must live as long as the spellings. */
void spellings_add(struct spellings *s, const struct chunk_bytes *chunk, uint32_t at,
                   uint32_t end, const struct spelled_names *names,
                   const struct template *template);

#endif
