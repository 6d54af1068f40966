/* SPDX-License-Identifier: Apache-2.0
 * The template planner: the input is a template definition behind a chunk header of zeros.
 * What comes out must be code that can be read to its end. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buffer scratch;
    struct templates templates;
    struct arena arena = {0};
    size_t max = EVTX_CHUNK_SIZE - EVTX_CHUNK_HEADER_SIZE;
    size = size < max ? size : max;
    uint32_t all = (uint32_t)(EVTX_CHUNK_HEADER_SIZE + size);
    uint8_t *chunk = calloc(all, 1);
    if (size)
        memcpy(chunk + EVTX_CHUNK_HEADER_SIZE, data, size);
    templates_init(&templates);
    const struct template *template;
    const struct chunk_bytes bytes = {chunk, all};
    if (!template_read(&templates, &bytes, EVTX_CHUNK_HEADER_SIZE, &arena, &scratch,
                       &template))
        read_code(template);
    templates_release(&templates);
    arena_release(&arena);
    free(chunk);
    return 0;
}
