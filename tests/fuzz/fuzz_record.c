/* SPDX-License-Identifier: Apache-2.0
 * The general decoder, without the frame around a record: the input is a record's body
 * behind a chunk header of zeros. */
#include <stdlib.h>

#include "evtx/decode.h"
#include "fuzz.h"

static struct templates templates;
static struct decoder decoder;
static struct arena arena;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { FRAME = EVTX_RECORD_OVERHEAD };
    if (!decoder.binxml.templates) {
        templates_init(&templates);
        decoder.binxml.templates = &templates;
    }
    size_t max = EVTX_CHUNK_SIZE - EVTX_CHUNK_HEADER_SIZE - FRAME;
    size = size < max ? size : max;
    uint32_t all = (uint32_t)(EVTX_CHUNK_HEADER_SIZE + FRAME + size);
    uint8_t *chunk = calloc(all, 1);
    if (size)
        memcpy(chunk + EVTX_CHUNK_HEADER_SIZE + 24, data, size);
    arena_clear(&arena);
    decoder_start_chunk(&decoder, (struct chunk_bytes){chunk, all}, &arena);
    for (unsigned round = 0; round < 3; round++) {
        struct evtx_record record;
        const char *wrong;
        decoder.never_by_plan = round > 0;
        decoder.binxml.intact_end = round == 2 ? all - (uint32_t)size / 2 : all;
        decoder_record(&decoder, EVTX_CHUNK_HEADER_SIZE, (uint32_t)size + FRAME,
                       &record, &wrong);
        for (size_t i = 0; i < record.field_count; i++)
            evtx_record_value(&record, i);
    }
    free(chunk);
    return 0;
}
