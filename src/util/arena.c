/* SPDX-License-Identifier: Apache-2.0 */
#include "util/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

enum { BLOCK_SIZE = 256 * 1024, ALIGNMENT = alignof(max_align_t) };

struct arena_block {
    struct arena_block *older;
    alignas(max_align_t) unsigned char data[];
};

static void free_chain(struct arena_block *block)
{
    while (block) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_release(struct arena *a)
{
    free_chain(a->block);
    *a = (struct arena){0};
}

void arena_clear(struct arena *a)
{
    if (!a->block)
        return;
    free_chain(a->block->older);
    a->block->older = NULL;
    a->used = 0;
    a->total = a->size;
}

/* Behind the block that is being filled. */
void arena_join(struct arena *a, struct arena *from)
{
    if (!a->block) {
        *a = *from;
    } else if (from->block) {
        struct arena_block *oldest = from->block;
        while (oldest->older)
            oldest = oldest->older;
        oldest->older = a->block->older;
        a->block->older = from->block;
        a->total += from->total;
    }
    *from = (struct arena){0};
}

static void add_block(struct arena *a, size_t at_least)
{
    size_t size = at_least > BLOCK_SIZE ? at_least : BLOCK_SIZE;
    struct arena_block *block = memory_get(sizeof *block + size);
    block->older = a->block;
    a->block = block;
    a->used = 0;
    a->size = size;
    a->total += size;
}

static void *take_from_new(struct arena *a, size_t size)
{
    add_block(a, size);
    a->used = size;
    return a->block->data;
}

/* Without a block nothing is less than what is left. */
static inline void *take(struct arena *a, size_t size, size_t alignment)
{
    size_t at = (a->used + alignment - 1) & ~(alignment - 1);
    if (at >= a->size || size >= a->size - at)
        return take_from_new(a, size);
    a->used = at + size;
    return a->block->data + at;
}

void *arena_take(struct arena *a, size_t size)
{
    return take(a, size, ALIGNMENT);
}

void *arena_alloc(struct arena *a, size_t size)
{
    return memset(take(a, size, ALIGNMENT), 0, size);
}

char *arena_reserve(struct arena *a, size_t size)
{
    char *room = take(a, size, 1);
    a->used -= size;
    return room;
}

void arena_commit(struct arena *a, size_t used)
{
    a->used += used;
}

struct text arena_copy(struct arena *a, struct text t)
{
    if (text_is_absent(t))
        return t;
    char *copy = take(a, t.len + 1, 1);
    memcpy(copy, t.ptr, t.len);
    copy[t.len] = '\0';
    return (struct text){copy, t.len};
}

struct text arena_copy_folded(struct arena *a, struct text t)
{
    char *kept = arena_alloc(a, t.len + 1);
    for (size_t i = 0; i < t.len; i++)
        kept[i] =
            t.ptr[i] >= 'A' && t.ptr[i] <= 'Z' ? (char)(t.ptr[i] | 0x20) : t.ptr[i];
    kept[t.len] = '\0';
    return (struct text){kept, t.len};
}

struct text arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct buffer b = {0};
    buffer_vprintf(&b, format, args);
    va_end(args);
    struct text copy = arena_copy(a, buffer_text(&b));
    buffer_release(&b);
    return copy;
}
