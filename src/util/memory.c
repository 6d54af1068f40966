/* SPDX-License-Identifier: Apache-2.0 */
#include "util/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    pid_t process;
    int status;
    void (*leave)(void *of);
    void *of;
} at_end;

void memory_set_end(int status, void (*leave)(void *of), void *of)
{
    at_end.process = getpid();
    at_end.status = status;
    at_end.leave = leave;
    at_end.of = of;
}

static _Noreturn void die(size_t size)
{
    fprintf(stderr, "forebear: out of memory (%zu bytes asked for)\n", size);
    if (at_end.process != getpid())
        abort();
    if (at_end.leave)
        at_end.leave(at_end.of);
    _exit(at_end.status);
}

static void *or_die(void *got, size_t size)
{
    if (!got)
        die(size);
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
