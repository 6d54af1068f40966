/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/spelling.h"

#include <stdlib.h>

#include "evtx/template.h"
#include "util/memory.h"

enum {
    NEXT_POINTER = 4, /* before a definition, and before a name: not what it says */
    NAME_START = 4,   /* the name's hash, and behind it the count of units */
    NAME_HEADER = 8,
    NAME_NUL = 2,
    SAMPLE = 32
};

struct spelled_name {
    uint32_t at;
    struct bytes bytes; /* hash, count and units */
};

struct spelling {
    const struct template *template;
    struct bytes definition;
    struct spelled_name *names;
    uint32_t name_count;
    uint32_t older; /* index + 1 of the one with the same key before; 0: none */
};

/* What few spellings share: all of it is compared where this is the same. */
struct spelling_key {
    uint32_t at, end;
    uint8_t first[SAMPLE], last[SAMPLE];
};

static struct bytes definition_bytes(const struct chunk_bytes *chunk, uint32_t at,
                                     uint32_t end)
{
    return (struct bytes){chunk->data + at + NEXT_POINTER, end - at - NEXT_POINTER};
}

static struct spelling_key key_of(const struct chunk_bytes *chunk, uint32_t at,
                                  uint32_t end)
{
    struct spelling_key key = {.at = at, .end = end};
    struct bytes all = definition_bytes(chunk, at, end);
    size_t sample = all.len < SAMPLE ? all.len : SAMPLE;
    memcpy(key.first, all.ptr, sample);
    memcpy(key.last, all.ptr + all.len - sample, sample);
    return key;
}

/* The part of a name that makes it what it is; empty if it does not lie in the chunk. */
static struct bytes name_bytes(const struct chunk_bytes *chunk, uint32_t at)
{
    struct bytes all = {chunk->data, chunk->len};
    size_t units = 2 * (size_t)bytes_u16(all, (size_t)at + NAME_START + 2);
    if (!bytes_has(all, at, NAME_HEADER + units + NAME_NUL))
        return (struct bytes){NULL, 0};
    return bytes_slice(all, (size_t)at + NAME_START, NAME_HEADER - NAME_START + units);
}

static bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static bool is_spelled(const struct spelling *s, const struct chunk_bytes *chunk,
                       uint32_t at, uint32_t end)
{
    if (!bytes_equal(s->definition, definition_bytes(chunk, at, end)))
        return false;
    for (uint32_t i = 0; i < s->name_count; i++) {
        struct bytes name = name_bytes(chunk, s->names[i].at);
        if (name.len == 0 || !bytes_equal(s->names[i].bytes, name))
            return false;
    }
    return true;
}

void spellings_init(struct spellings *s)
{
    *s = (struct spellings){0};
    pthread_mutex_init(&s->lock, NULL);
}

void spellings_release(struct spellings *s)
{
    map_release(&s->map);
    arena_release(&s->arena);
    free(s->all);
    pthread_mutex_destroy(&s->lock);
}

/* What stands in the store never changes, so it is compared without the lock. */
static unsigned find_alike(struct spellings *s, const struct spelling_key *key,
                           const struct spelling *alike[SPELLINGS_ALIKE_MAX])
{
    unsigned count = 0;
    pthread_mutex_lock(&s->lock);
    uint32_t index = map_find(&s->map, MAP_KEY_OF(key));
    while (index != MAP_NONE && count < SPELLINGS_ALIKE_MAX) {
        alike[count] = s->all[index];
        index = alike[count++]->older - 1; /* MAP_NONE for none */
    }
    pthread_mutex_unlock(&s->lock);
    return count;
}

const struct template *spellings_find(struct spellings *s,
                                      const struct chunk_bytes *chunk, uint32_t at,
                                      uint32_t end)
{
    const struct spelling *alike[SPELLINGS_ALIKE_MAX];
    struct spelling_key key = key_of(chunk, at, end);
    unsigned count = find_alike(s, &key, alike);
    for (unsigned i = 0; i < count; i++)
        if (is_spelled(alike[i], chunk, at, end))
            return alike[i]->template;
    return NULL;
}

static struct bytes keep(struct arena *arena, struct bytes bytes)
{
    struct text copy =
        arena_copy(arena, (struct text){(const char *)bytes.ptr, bytes.len});
    return (struct bytes){(const uint8_t *)copy.ptr, copy.len};
}

static struct spelling *make(struct arena *arena, const struct chunk_bytes *chunk,
                             uint32_t at, uint32_t end,
                             const struct spelled_names *names)
{
    struct spelling *made = arena_alloc(arena, sizeof *made);
    made->definition = keep(arena, definition_bytes(chunk, at, end));
    made->name_count = names->count;
    made->names = arena_alloc(arena, names->count * sizeof *made->names);
    for (uint32_t i = 0; i < names->count; i++)
        made->names[i] = (struct spelled_name){
            names->at[i], keep(arena, name_bytes(chunk, names->at[i]))};
    return made;
}

void spellings_add(struct spellings *s, const struct chunk_bytes *chunk, uint32_t at,
                   uint32_t end, const struct spelled_names *names,
                   const struct template *template)
{
    struct spelling_key key = key_of(chunk, at, end);
    if (names->count > SPELLED_NAMES_MAX)
        return;
    pthread_mutex_lock(&s->lock);
    if (s->count < SPELLINGS_MAX && s->arena.total < SPELLINGS_BYTES_MAX) {
        struct spelling *made = make(&s->arena, chunk, at, end, names);
        struct spelling_key *kept = arena_alloc(&s->arena, sizeof *kept);
        *kept = key;
        made->template = template;
        made->older = map_find(&s->map, MAP_KEY_OF(kept)) + 1;
        ARRAY_GROW(s->all, s->count, s->capacity);
        s->all[s->count] = made;
        map_set(&s->map, MAP_KEY_OF(kept), s->count++);
    }
    pthread_mutex_unlock(&s->lock);
}
