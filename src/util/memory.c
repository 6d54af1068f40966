/* SPDX-License-Identifier: Apache-2.0 */
#include "util/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *got, size_t size)
{
    if (!got) {
        fprintf(stderr, "forebear: out of memory (%zu bytes asked for)\n", size);
        abort();
    }
    return got;
}

void *memory_get(size_t size)
{
    return or_die(malloc(size ? size : 1), size);
}

void *memory_get_zeroed(size_t count, size_t size)
{
    return or_die(calloc(count ? count : 1, size ? size : 1), count * size);
}

void *memory_resize(void *old, size_t size)
{
    return or_die(realloc(old, size ? size : 1), size);
}

char *memory_copy_string(const char *string)
{
    size_t size = strlen(string) + 1;
    return memcpy(memory_get(size), string, size);
}
