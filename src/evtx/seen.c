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
    uint64_t *old = seen->slots;
    size_t old_capacity = seen->capacity;
    seen->capacity = old_capacity ? 2 * old_capacity : FIRST_CAPACITY;
    seen->slots = memory_get_zeroed(seen->capacity, sizeof *seen->slots);
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i])
            seen->slots[slot_of(seen, old[i])] = old[i];
    free(old);
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

void seen_note_slot(struct seen *seen, uint64_t offset,
                    const struct evtx_record *records, size_t count)
{
    if (count == 0)
        return;
    struct seen_slot slot = {offset, UINT64_MAX, 0};
    for (size_t i = 0; i < count; i++) {
        uint64_t id = records[i].system.record_id;
        slot.first_id = id < slot.first_id ? id : slot.first_id;
        slot.last_id = id > slot.last_id ? id : slot.last_id;
    }
    ARRAY_GROW(seen->given, seen->given_count, seen->given_capacity);
    seen->given[seen->given_count++] = slot;
}

void seen_expect(struct seen *seen, const struct evtx_record *record)
{
    ARRAY_GROW(seen->ids, seen->id_count, seen->id_capacity);
    seen->ids[seen->id_count++] = record->system.record_id;
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void seen_sort_ids(struct seen *seen)
{
    if (seen->id_count)
        qsort(seen->ids, seen->id_count, sizeof *seen->ids, by_id);
}

/* Is an id from `first` to `last` asked for? */
static bool expects_between(const struct seen *seen, uint64_t first, uint64_t last)
{
    size_t low = 0, high = seen->id_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (seen->ids[middle] < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low < seen->id_count && seen->ids[low] <= last;
}

bool seen_matters(const struct seen *seen, const struct seen_slot *given)
{
    return expects_between(seen, given->first_id, given->last_id);
}

bool seen_is_expected(const struct seen *seen, const struct evtx_record *record)
{
    return expects_between(seen, record->system.record_id, record->system.record_id);
}

void seen_release(struct seen *seen)
{
    free(seen->given);
    free(seen->ids);
    free(seen->slots);
    *seen = (struct seen){0};
}
