/* SPDX-License-Identifier: Apache-2.0 */
#include "util/map.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/memory.h"

/* Whoever comes first sets it; all threads use that one. */
static uint64_t seed(void)
{
    static _Atomic uint64_t shared;
    uint64_t value = atomic_load_explicit(&shared, memory_order_relaxed), made;
    if (value)
        return value;
    if (getrandom(&made, sizeof made, GRND_NONBLOCK) != sizeof made)
        made = UINT64_C(0x9e3779b97f4a7c15);
    made |= 1;
    return atomic_compare_exchange_strong(&shared, &value, made) ? made : value;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The bytes behind the last whole step, of which there are fewer than sixteen: with those
 * before them where there are any, since a copy of unknown length is a call. */
static inline void take_rest(uint64_t word[2], struct bytes key, size_t at)
{
    size_t rest = key.len - at;
    word[0] = word[1] = 0;
    if (at)
        memcpy(word, key.ptr + key.len - 16, 16);
    else if (rest >= 8) {
        memcpy(&word[0], key.ptr, 8);
        memcpy(&word[1], key.ptr + rest - 8, 8);
    } else {
        for (size_t i = 0; i < rest; i++)
            word[0] = word[0] << 8 | key.ptr[i];
    }
}

/* Sixteen bytes a step. What a key can hold meets the seed in both factors, so that none can
 * make a product 0. */
uint32_t map_hash(struct bytes key)
{
    const uint64_t first = seed(), second = first * UINT64_C(0xa0761d6478bd642f);
    uint64_t h = first ^ key.len, word[2] = {0, 0};
    size_t at = 0;
    for (; key.len - at >= sizeof word; at += sizeof word) {
        memcpy(word, key.ptr + at, sizeof word);
        h = mix(word[0] ^ h, word[1] ^ second);
    }
    take_rest(word, key, at);
    h = mix(word[0] ^ h, word[1] ^ second);
    h = mix(h, UINT64_C(0xe7037ed1a0b428db));
    return (uint32_t)(h ^ h >> 32);
}

void map_release(struct map *m)
{
    free(m->entries);
    free(m->slots);
    *m = (struct map){0};
}

/* The slot that holds key, or the free one where it belongs. Needs a free slot. */
static uint32_t slot_of(const struct map *m, struct bytes key, uint32_t hash)
{
    uint32_t mask = m->slot_count - 1;
    for (uint32_t slot = hash & mask;; slot = (slot + 1) & mask) {
        if (m->slots[slot].entry_1 == 0)
            return slot;
        if (m->slots[slot].hash != hash)
            continue;
        const struct map_entry *entry = &m->entries[m->slots[slot].entry_1 - 1];
        if (entry->key.len == key.len &&
            (key.len == 0 || memcmp(entry->key.ptr, key.ptr, key.len) == 0))
            return slot;
    }
}

static void grow_slots(struct map *m)
{
    struct map_slot *old = m->slots;
    uint32_t old_count = m->slot_count;
    m->slot_count = old_count ? old_count * 2 : 32;
    m->slots = memory_get_zeroed(m->slot_count, sizeof *m->slots);
    for (uint32_t i = 0; i < old_count; i++) {
        if (old[i].entry_1 == 0)
            continue;
        uint32_t slot = old[i].hash & (m->slot_count - 1);
        while (m->slots[slot].entry_1)
            slot = (slot + 1) & (m->slot_count - 1);
        m->slots[slot] = old[i];
    }
    free(old);
}

uint32_t map_find(const struct map *m, struct bytes key)
{
    if (m->slot_count == 0)
        return MAP_NONE;
    uint32_t entry_1 = m->slots[slot_of(m, key, map_hash(key))].entry_1;
    return entry_1 ? m->entries[entry_1 - 1].value : MAP_NONE;
}

struct map_entry *map_enter(struct map *m, struct bytes key, uint32_t value,
                            bool *is_new)
{
    return map_enter_hashed(m, key, map_hash(key), value, is_new);
}

struct map_entry *map_enter_hashed(struct map *m, struct bytes key, uint32_t hash,
                                   uint32_t value, bool *is_new)
{
    if (m->count >= m->slot_count / 4 * 3)
        grow_slots(m);
    uint32_t slot = slot_of(m, key, hash);
    *is_new = m->slots[slot].entry_1 == 0;
    if (*is_new) {
        ARRAY_GROW(m->entries, m->count, m->capacity);
        m->entries[m->count++] = (struct map_entry){key, value};
        m->slots[slot] = (struct map_slot){m->count, hash};
    }
    return &m->entries[m->slots[slot].entry_1 - 1];
}

uint32_t map_add(struct map *m, struct bytes key, uint32_t value)
{
    bool is_new;
    return map_enter(m, key, value, &is_new)->value;
}

void map_set(struct map *m, struct bytes key, uint32_t value)
{
    bool is_new;
    map_enter(m, key, value, &is_new)->value = value;
}
