/* SPDX-License-Identifier: Apache-2.0 */
#include "util/strings.h"

void strings_release(struct strings *s)
{
    map_release(&s->map);
    arena_release(&s->arena);
}

uint32_t strings_find(const struct strings *s, struct text t)
{
    if (text_is_absent(t))
        return STRING_ABSENT;
    if (t.len == 0)
        return STRING_EMPTY;
    return map_find(&s->map, map_key_text(t));
}

uint32_t strings_add(struct strings *s, struct text t)
{
    return strings_add_hashed(s, t, map_hash(map_key_text(t)));
}

uint32_t strings_add_hashed(struct strings *s, struct text t, uint32_t hash)
{
    bool is_new;
    if (text_is_absent(t))
        return STRING_ABSENT;
    if (t.len == 0)
        return STRING_EMPTY;
    if (s->map.count == 0)
        map_add(&s->map, map_key_text(TEXT_LITERAL("")), STRING_EMPTY);
    struct map_entry *entry =
        map_enter_hashed(&s->map, map_key_text(t), hash, s->map.count + 1, &is_new);
    if (is_new)
        entry->key = map_key_text(arena_copy(&s->arena, t));
    return entry->value;
}
