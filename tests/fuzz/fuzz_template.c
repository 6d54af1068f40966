/* SPDX-License-Identifier: Apache-2.0
 * The template planner: the input is a template definition behind a chunk header of zeros.
 * What comes out must be code that can be read to its end, and the same from a store that
 * met nearly the same definition before. */
#include <stdlib.h>

#include "evtx/plan.h"
#include "fuzz.h"

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void read_code(const struct template *t)
{
    struct code_token token = {.kind = 0};
    const uint8_t *at = t->code, *end = t->code + t->code_len;
    while (token.kind != '.') {
        must(at < end);
        at = code_read(at, &token);
    }
    must(at == end);
    if (t->plan)
        must(t->plan->needed <= SUBSTITUTIONS_MAX &&
             t->plan->layout->count <= PLAN_FIELDS_MAX);
}

static const struct template *read(struct templates *templates,
                                   struct chunk_bytes chunk, struct arena *arena)
{
    static struct buffer scratch;
    const struct template *t = NULL;
    return template_read(templates, &chunk, EVTX_CHUNK_HEADER_SIZE, arena, &scratch, &t)
               ? NULL
               : t;
}

static void must_be_alike(const struct template *a, const struct template *b)
{
    must(!a == !b);
    must(!a ||
         (memcmp(a->guid, b->guid, sizeof a->guid) == 0 && a->code_len == b->code_len &&
          memcmp(a->code, b->code, a->code_len) == 0));
}

/* Behind the first reading, one byte of the chunk is another. */
static void read_changed(struct templates *used, struct chunk_bytes chunk,
                         uint8_t *changed, struct arena *arena)
{
    struct templates fresh;
    templates_init(&fresh);
    *changed ^= 1;
    must_be_alike(read(used, chunk, arena), read(&fresh, chunk, arena));
    *changed ^= 1;
    must_be_alike(read(used, chunk, arena), read(used, chunk, arena));
    templates_release(&fresh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct templates templates;
    struct arena arena = {0};
    size_t max = EVTX_CHUNK_SIZE - EVTX_CHUNK_HEADER_SIZE;
    size = size < max ? size : max;
    uint32_t all = (uint32_t)(EVTX_CHUNK_HEADER_SIZE + size);
    uint8_t *chunk = calloc(all, 1);
    if (size)
        memcpy(chunk + EVTX_CHUNK_HEADER_SIZE, data, size);
    templates_init(&templates);
    const struct chunk_bytes bytes = {chunk, all};
    const struct template *template = read(&templates, bytes, &arena);
    if (template)
        read_code(template);
    if (size)
        read_changed(&templates, bytes,
                     chunk + EVTX_CHUNK_HEADER_SIZE + data[size - 1] * 7 % size,
                     &arena);
    templates_release(&templates);
    arena_release(&arena);
    free(chunk);
    return 0;
}
