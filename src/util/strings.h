/* SPDX-License-Identifier: Apache-2.0
 * strings.h - each distinct string once, named by 32 bits.
 *
 * A log repeats its strings: the same image, user and parent in record after record. The
 * process table keeps string numbers, so its memory grows with processes and distinct
 * strings. 0 is "absent", 1 is "". Texts stay valid as long as the pool. */
#ifndef FOREBEAR_STRINGS_H
#define FOREBEAR_STRINGS_H

#include "util/arena.h"
#include "util/map.h"

enum { STRING_ABSENT = 0, STRING_EMPTY = 1 };

struct strings {
    struct arena arena;
    struct map map; /* its entries are the strings, in order: number = index + 1 */
};

void strings_release(struct strings *s);
uint32_t strings_add(struct strings *s, struct text t);
/* The same with map_hash() of the text at hand. */
uint32_t strings_add_hashed(struct strings *s, struct text t, uint32_t hash);
/* The number of t, or MAP_NONE if no such string was added. */
uint32_t strings_find(const struct strings *s, struct text t);

/* Asked so often that a call would cost more than the answer. */
static inline struct text strings_text(const struct strings *s, uint32_t number)
{
    if (number == STRING_ABSENT)
        return NO_TEXT;
    if (number == STRING_EMPTY)
        return TEXT_LITERAL("");
    struct bytes key = s->map.entries[number - 1].key;
    return (struct text){(const char *)key.ptr, key.len};
}

#endif
