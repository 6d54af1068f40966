/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/seen.h"

#include <stdlib.h>

#include "util/memory.h"

enum { FIRST_CAPACITY = 1024 };

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9fb21c651e98df25);
    return hash ^ hash >> 32;
}

static uint64_t mix_text(uint64_t hash, struct text t)
{
    hash = mix(hash, t.len);
    for (size_t i = 0; i < t.len; i++)
        hash = mix(hash, (unsigned char)t.ptr[i]);
    return hash;
}

static uint64_t hash_of(const struct evtx_record *record)
{
    const struct evtx_system *s = &record->system;
    uint64_t hash = mix(mix(1, s->record_id), s->time_created_filetime);
    hash = mix_text(mix_text(hash, s->computer), s->channel);
    return hash ? hash : 1;
}

/* Its slot, or the free one where it belongs. */
static size_t slot_of(const struct seen *seen, uint64_t hash)
{
    size_t slot = hash & (seen->capacity - 1);
    while (seen->slots[slot] && seen->slots[slot] != hash)
        slot = (slot + 1) & (seen->capacity - 1);
    return slot;
}

static void grow(struct seen *seen)
{
    struct seen larger = {.capacity =
                              seen->capacity ? 2 * seen->capacity : FIRST_CAPACITY};
    larger.slots = memory_get_zeroed(larger.capacity, sizeof *larger.slots);
    for (size_t i = 0; i < seen->capacity; i++)
        if (seen->slots[i])
            larger.slots[slot_of(&larger, seen->slots[i])] = seen->slots[i];
    larger.count = seen->count;
    free(seen->slots);
    *seen = larger;
}

bool seen_add(struct seen *seen, const struct evtx_record *record)
{
    if (4 * seen->count >= 3 * seen->capacity)
        grow(seen);
    uint64_t hash = hash_of(record);
    size_t slot = slot_of(seen, hash);
    if (seen->slots[slot])
        return true;
    seen->slots[slot] = hash;
    seen->count++;
    return false;
}

void seen_release(struct seen *seen)
{
    free(seen->slots);
    *seen = (struct seen){0};
}
