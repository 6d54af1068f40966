/* SPDX-License-Identifier: Apache-2.0 */
#include "util/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/memory.h"

static uint64_t seed(void)
{
    static uint64_t value; /* a race sets it twice only before any map has entries */
    if (!value && getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value)
        value = UINT64_C(0x9e3779b97f4a7c15);
    value |= 1;
    return value;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t hash_of(struct bytes key)
{
    uint64_t h = seed() ^ key.len;
    size_t at = 0;
    for (; key.len - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, key.ptr + at, 8);
        h = mix(h ^ word, UINT64_C(0xa0761d6478bd642f));
    }
    uint64_t tail = 0;
    if (key.len > at)
        memcpy(&tail, key.ptr + at, key.len - at);
    h = mix(h ^ tail, UINT64_C(0xe7037ed1a0b428db));
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
        if (m->slots[slot] == 0)
            return slot;
        const struct map_entry *entry = &m->entries[m->slots[slot] - 1];
        if (entry->hash == hash && entry->key.len == key.len &&
            (key.len == 0 || memcmp(entry->key.ptr, key.ptr, key.len) == 0))
            return slot;
    }
}

static void grow_slots(struct map *m)
{
    free(m->slots);
    m->slot_count = m->slot_count ? m->slot_count * 2 : 32;
    m->slots = memory_get_zeroed(m->slot_count, sizeof *m->slots);
    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t slot = m->entries[i].hash & (m->slot_count - 1);
        while (m->slots[slot])
            slot = (slot + 1) & (m->slot_count - 1);
        m->slots[slot] = i + 1;
    }
}

uint32_t map_find(const struct map *m, struct bytes key)
{
    if (m->slot_count == 0)
        return MAP_NONE;
    uint32_t entry = m->slots[slot_of(m, key, hash_of(key))];
    return entry ? m->entries[entry - 1].value : MAP_NONE;
}

static struct map_entry *find_or_add(struct map *m, struct bytes key, uint32_t value)
{
    if (m->count >= m->slot_count / 4 * 3)
        grow_slots(m);
    uint32_t hash = hash_of(key), slot = slot_of(m, key, hash);
    if (m->slots[slot] == 0) {
        ARRAY_GROW(m->entries, m->count, m->capacity);
        m->entries[m->count++] = (struct map_entry){key, hash, value};
        m->slots[slot] = m->count;
    }
    return &m->entries[m->slots[slot] - 1];
}

uint32_t map_add(struct map *m, struct bytes key, uint32_t value)
{
    return find_or_add(m, key, value)->value;
}

void map_set(struct map *m, struct bytes key, uint32_t value)
{
    find_or_add(m, key, value)->value = value;
}
