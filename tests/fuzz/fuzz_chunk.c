/* SPDX-License-Identifier: Apache-2.0
 * The chunk decoder: the input is a chunk. Every frame in it, at its place or found again,
 * is decoded with and without plans; both must say the same, value by value. */
#include <stdlib.h>

#include "evtx/decode.h"
#include "evtx/evtx_internal.h"
#include "fuzz.h"

static struct templates templates;
static struct decoder by_plan, by_walk;
static struct arena plan_arena, walk_arena;

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void same_text(struct text a, struct text b)
{
    must(text_is_absent(a) == text_is_absent(b) && text_equal(a, b));
}

static void compare(const struct evtx_record *a, const struct evtx_record *b)
{
    same_text(a->system.provider, b->system.provider);
    same_text(a->system.channel, b->system.channel);
    same_text(a->system.computer, b->system.computer);
    same_text(a->system.user_sid, b->system.user_sid);
    must(a->system.event_id == b->system.event_id);
    must(a->system.record_id == b->system.record_id);
    must(a->system.time_created_filetime == b->system.time_created_filetime);
    must(a->system.keywords == b->system.keywords);
    must(a->system.version == b->system.version && a->system.level == b->system.level);
    must(a->system.task == b->system.task && a->system.opcode == b->system.opcode);
    must(a->system.process_id == b->system.process_id);
    must(a->system.thread_id == b->system.thread_id);
    must(a->field_count == b->field_count && a->is_user_data == b->is_user_data);
    for (size_t i = 0; i < a->field_count; i++) {
        must(text_equal(evtx_record_name(a, i), evtx_record_name(b, i)));
        must(a->cells[i].flags == b->cells[i].flags);
        must(text_equal(evtx_record_value(a, i), evtx_record_value(b, i)));
        must(a->layout->id == b->layout->id || !a->layout->id || !b->layout->id);
    }
}

static void decode(uint32_t at, uint32_t size)
{
    struct evtx_record plan, walk;
    const char *wrong, *walk_wrong;
    uint64_t before = by_plan.counts.by_plan;
    decoder_record(&by_plan, at, size, &plan, &wrong);
    enum status status = decoder_record(&by_walk, at, size, &walk, &walk_wrong);
    bool was_by_plan = by_plan.counts.by_plan != before;
    if (was_by_plan && status == OK && !walk_wrong)
        compare(&plan, &walk);
    for (size_t i = 0; i < plan.field_count; i++)
        evtx_record_value(&plan, i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!by_plan.binxml.templates) {
        templates_init(&templates);
        by_plan.binxml.templates = by_walk.binxml.templates = &templates;
        by_walk.never_by_plan = true;
    }
    size = size < EVTX_CHUNK_SIZE ? size : EVTX_CHUNK_SIZE;
    uint8_t *copy = malloc(size ? size : 1); /* so that one byte too far is seen */
    if (size)
        memcpy(copy, data, size);
    struct chunk_bytes chunk = {copy, (uint32_t)size};
    arena_clear(&plan_arena);
    arena_clear(&walk_arena);
    decoder_start_chunk(&by_plan, chunk, &plan_arena);
    decoder_start_chunk(&by_walk, chunk, &walk_arena);
    struct evtx_frame frame;
    for (uint32_t at = 0; at < size; at += EVTX_ALIGNMENT)
        if (evtx_frame_at((struct bytes){copy, size}, at, &frame))
            decode(frame.offset, frame.size);
    free(copy);
    return 0;
}
