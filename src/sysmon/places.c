/* SPDX-License-Identifier: Apache-2.0 */
#include "sysmon/places.h"

#include <stdlib.h>

#include "util/memory.h"

static struct seen_owner *owner_of(struct seen_places *p, uint32_t number)
{
    uint32_t found = map_find(&p->index, MAP_KEY_OF(&number));
    if (found == MAP_NONE) {
        uint32_t *key = arena_alloc(&p->keys, sizeof *key);
        *key = number;
        found = (uint32_t)p->owner_count;
        map_add(&p->index, MAP_KEY_OF(key), found);
        ARRAY_GROW(p->owners, p->owner_count, p->owner_capacity);
        p->owners[p->owner_count++] = (struct seen_owner){0};
    }
    return &p->owners[found];
}

void places_add(struct seen_places *p, uint32_t number, const struct seen_place *place)
{
    struct seen_owner *owner = owner_of(p, number);
    if (owner->count++ >= PLACES_MAX)
        return;
    ARRAY_GROW(p->items, p->count, p->capacity);
    p->items[p->count++] = *place;
    p->items[p->count - 1].next = 0;
    if (owner->last)
        p->items[owner->last - 1].next = (uint32_t)p->count;
    else
        owner->first = (uint32_t)p->count;
    owner->last = (uint32_t)p->count;
}

const struct seen_owner *places_of(const struct seen_places *p, uint32_t number)
{
    uint32_t found = map_find(&p->index, MAP_KEY_OF(&number));
    return found == MAP_NONE ? NULL : &p->owners[found];
}

void places_release(struct seen_places *p)
{
    free(p->items);
    free(p->owners);
    arena_release(&p->keys);
    map_release(&p->index);
    *p = (struct seen_places){0};
}
