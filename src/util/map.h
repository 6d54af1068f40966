/* SPDX-License-Identifier: Apache-2.0
 * map.h - from a key of bytes to a 32-bit number (an index into somebody's array).
 *
 * Open addressing over a dense array of entries, so that walking entries[0..count) gives
 * them in the order they came: nothing that is written depends on hash order. Keys are
 * borrowed and must outlive the map; the hash is seeded once per process, so crafted
 * evidence cannot choose collisions. All zeros is an empty map. */
#ifndef FOREBEAR_MAP_H
#define FOREBEAR_MAP_H

#include "util/text.h"

#define MAP_NONE UINT32_MAX

/* The hash spares a look at an entry, which is a cache miss, for a foreign key. */
struct map_slot {
    uint32_t entry_1; /* entry index + 1; 0 is free */
    uint32_t hash;
};

struct map_entry {
    struct bytes key;
    uint32_t value;
};

struct map {
    struct map_entry *entries;
    struct map_slot *slots;
    uint32_t count, capacity, slot_count;
};

void map_release(struct map *m);
/* What the functions below make of a key first: the same in all maps of a run. Any thread can
 * make it for map_enter_hashed(). */
uint32_t map_hash(struct bytes key);
/* The value of key, or MAP_NONE. */
uint32_t map_find(const struct map *m, struct bytes key);
/* The value of key after adding (key, value) if it was not there. The key is borrowed. */
uint32_t map_add(struct map *m, struct bytes key, uint32_t value);
/* The entry of key, after adding it if it was not there: then *is_new, and entry->key may be
 * set to a longer-lived copy of the same bytes. Valid until the next change. */
struct map_entry *map_enter(struct map *m, struct bytes key, uint32_t value,
                            bool *is_new);
struct map_entry *map_enter_hashed(struct map *m, struct bytes key, uint32_t hash,
                                   uint32_t value, bool *is_new);
/* Change the value of a key that is there, or add it. */
void map_set(struct map *m, struct bytes key, uint32_t value);

static inline struct bytes map_key_text(struct text t)
{
    return (struct bytes){(const uint8_t *)t.ptr, t.len};
}

#define MAP_KEY_OF(object) ((struct bytes){(const uint8_t *)(object), sizeof *(object)})

#endif
