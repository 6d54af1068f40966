/* SPDX-License-Identifier: Apache-2.0
 * Templates that stood in an earlier chunk in the same bytes are not translated again, and
 * System is not judged again where its values lie as in the record before: what comes out
 * must be the same, whatever byte of the chunk is another. */
#include "memory_log.h"

#include <stdio.h>
#include <stdlib.h>

#include "evtx/decode.h"
#include "evtx/template.h"
#include "test.h"
#include "util/memory.h"
#include "util/utf.h"

enum { DEFINITIONS = 64, FLIPPED = 24 * 1024 };

static struct memory_log *open_sample(void)
{
    const char *top = getenv("srcdir");
    char path[4096];
    snprintf(path, sizeof path, "%s/samples/WKS-01-Sysmon.evtx", top ? top : ".");
    struct memory_log *m = memory_log_open(path);
    assert_non_null(m);
    return m;
}

static size_t find_definitions(struct chunk_bytes chunk, uint32_t at[DEFINITIONS])
{
    size_t count = 0;
    for (uint32_t i = EVTX_CHUNK_HEADER_SIZE; i < chunk.len && count < DEFINITIONS; i++)
        if (chunk.data[i] == 0x0c && instance_defines(&chunk, i))
            at[count++] = i + INSTANCE_HEADER;
    return count;
}

/* What reading a definition gave, as bytes: the reason, or GUID, code and layout. */
static void read_into(struct buffer *out, struct templates *templates,
                      struct chunk_bytes chunk, uint32_t at)
{
    struct arena arena = {0};
    struct buffer scratch = {0};
    const struct template *t = NULL;
    const char *wrong = template_read(templates, &chunk, at, &arena, &scratch, &t);
    buffer_clear(out);
    if (wrong) {
        buffer_add_string(out, wrong);
    } else {
        buffer_add(out, t->guid, sizeof t->guid);
        buffer_add(out, t->code, t->code_len);
        buffer_printf(out, "%u %u", t->id, t->has_instance);
    }
    arena_release(&arena);
    buffer_release(&scratch);
}

/* Does a store that has met much give what a new one gives? */
static bool is_read_alike(struct templates *used, struct chunk_bytes chunk, uint32_t at)
{
    struct templates fresh;
    struct buffer a = {0}, b = {0};
    templates_init(&fresh);
    read_into(&a, used, chunk, at);
    read_into(&b, &fresh, chunk, at);
    bool is_alike = a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
    buffer_release(&a);
    buffer_release(&b);
    templates_release(&fresh);
    return is_alike;
}

static struct chunk_bytes chunk_of(struct memory_log *m, size_t number)
{
    return (struct chunk_bytes){
        memory_log_at(m, EVTX_HEADER_SIZE + number * EVTX_CHUNK_SIZE), EVTX_CHUNK_SIZE};
}

static void every_chunk_is_read_alike(void **state)
{
    (void)state;
    struct memory_log *m = open_sample();
    struct templates used;
    size_t chunks = (m->bytes.len - EVTX_HEADER_SIZE) / EVTX_CHUNK_SIZE, all = 0;
    templates_init(&used);
    for (int round = 0; round < 2; round++) {
        for (size_t n = 0; n < chunks; n++) {
            uint32_t at[DEFINITIONS];
            size_t count = find_definitions(chunk_of(m, n), at);
            for (size_t i = 0; i < count; i++)
                assert_true(is_read_alike(&used, chunk_of(m, n), at[i]));
            all += count;
        }
        if (round == 0)
            assert_true(used.spellings.count > 0 && used.spellings.count <= all);
    }
    assert_true(all > 4 && used.spellings.count <= all / 2); /* none was added again */
    templates_release(&used);
    memory_log_free(m);
}

/* The first chunk of the sample, and a store that has read every definition in it. */
struct known_chunk {
    struct memory_log *log;
    struct chunk_bytes chunk;
    struct templates used;
    uint32_t at[DEFINITIONS];
    size_t count;
};

static void known_chunk_init(struct known_chunk *k)
{
    k->log = open_sample();
    k->chunk = chunk_of(k->log, 0);
    k->count = find_definitions(k->chunk, k->at);
    assert_true(k->count > 1);
    templates_init(&k->used);
    for (size_t i = 0; i < k->count; i++)
        assert_true(is_read_alike(&k->used, k->chunk, k->at[i]));
}

static void known_chunk_release(struct known_chunk *k)
{
    templates_release(&k->used);
    memory_log_free(k->log);
}

/* Of definitions and of the names that they lead to. */
static void any_byte_of_a_chunk_counts(void **state)
{
    (void)state;
    struct known_chunk k;
    known_chunk_init(&k);
    for (uint32_t byte = EVTX_CHUNK_HEADER_SIZE; byte < FLIPPED; byte++) {
        uint8_t *changed = memory_log_at(k.log, EVTX_HEADER_SIZE + byte);
        *changed ^= 1;
        for (size_t i = 0; i < k.count; i++)
            if (!is_read_alike(&k.used, k.chunk, k.at[i]))
                fail_msg("byte %u is another, definition at %u", byte, k.at[i]);
        *changed ^= 1;
    }
    known_chunk_release(&k);
}

/* The chunk is cut somewhere: what stood there before is not taken from memory. */
static void what_is_cut_off_is_missed(void **state)
{
    (void)state;
    struct known_chunk k;
    known_chunk_init(&k);
    for (uint32_t len = EVTX_CHUNK_HEADER_SIZE; len < FLIPPED; len++) {
        uint8_t *copy = memory_get(len); /* so that a reading behind it is noticed */
        memcpy(copy, k.chunk.data, len);
        for (size_t i = 0; i < k.count && k.at[i] < len; i++)
            assert_true(
                is_read_alike(&k.used, (struct chunk_bytes){copy, len}, k.at[i]));
        free(copy);
    }
    known_chunk_release(&k);
}

/* What hostile logs make up is not kept without end; it is translated all the same. */
static void memory_of_templates_is_bounded(void **state)
{
    (void)state;
    struct memory_log *m = open_sample();
    struct chunk_bytes chunk = chunk_of(m, 0);
    struct templates used;
    uint32_t at[DEFINITIONS];
    size_t count = find_definitions(chunk, at);
    templates_init(&used);
    used.spellings.arena.total = SPELLINGS_BYTES_MAX;
    for (size_t i = 0; i < count; i++)
        assert_true(is_read_alike(&used, chunk, at[i]));
    assert_int_equal(used.spellings.count, 0);
    templates_release(&used);
    memory_log_free(m);
}

/* ---- records that lie as the one before */

static uint32_t next_random(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525 + 1013904223;
    return (*state >> 8) % below;
}

/* Neighbours are changed at the same place, mostly where Event's values lie: a letter, a
 * number, a type or a length. */
static void change_neighbours(uint8_t *chunk, const struct evtx_slot *slot,
                              uint32_t *random)
{
    enum { FROM = 24, EVENT_TO = 320, TO = 1400 };
    uint32_t first = next_random(random, slot->frame_count);
    uint32_t count = 1 + next_random(random, 3);
    uint32_t to = next_random(random, 3) ? EVENT_TO : TO;
    uint32_t at = FROM + next_random(random, to - FROM);
    uint32_t bits = 1 + next_random(random, next_random(random, 3) ? 3 : 255);
    for (uint32_t i = first; i < first + count && i < slot->frame_count; i++)
        if (at < slot->frames[i].size - 4)
            chunk[slot->frames[i].offset + at] ^= (uint8_t)bits;
}

/* What a look before decoding saw, as a scan asks for it. */
struct look {
    struct buffer told;
    size_t fields;
};

static void add_cell(struct buffer *out, struct text name, struct text value)
{
    buffer_printf(out, "|%.*s=%.*s", TEXT(name), TEXT(value));
}

/* Passes every record over: what decoder_glance() gives says whether the look was clear. */
static unsigned look_at(void *context, unsigned worker, struct evtx_glance *g)
{
    struct look *look = context;
    const struct evtx_layout *layout = evtx_glance_layout(g);
    (void)worker;
    buffer_clear(&look->told);
    buffer_printf(&look->told, "%u|%.*s|%.*s|%.*s", evtx_glance_event_id(g),
                  TEXT(evtx_glance_provider(g)), TEXT(evtx_glance_channel(g)),
                  TEXT(evtx_glance_computer(g)));
    look->fields = layout->count;
    for (uint32_t i = 0; i < layout->count; i++) {
        struct buffer value = {0};
        struct bytes utf16;
        bool is_string = evtx_glance_utf16(g, i, &utf16);
        if (is_string)
            utf_add_utf16le(&value, utf16);
        add_cell(&look->told, layout->names[i],
                 is_string ? buffer_text(&value) : TEXT_LITERAL("?"));
        buffer_release(&value);
    }
    return 1;
}

/* A look must say what decoding says, wherever it says anything. */
static void compare_look(const struct look *look, const struct evtx_record *r)
{
    struct buffer wanted = {0};
    const struct evtx_system *s = &r->system;
    buffer_printf(&wanted, "%u|%.*s|%.*s|%.*s", s->event_id, TEXT(s->provider),
                  TEXT(s->channel), TEXT(s->computer));
    assert_int_equal(look->fields, r->field_count);
    for (size_t i = 0; i < r->field_count; i++)
        add_cell(&wanted, evtx_record_name(r, i),
                 r->cells[i].type == TYPE_STRING ? evtx_record_value(r, i)
                                                 : TEXT_LITERAL("?"));
    if (!text_equal(buffer_text(&look->told), buffer_text(&wanted)))
        fail_msg("%s\n%s", look->told.ptr, wanted.ptr);
    buffer_release(&wanted);
}

/* A record as text. False if something is odd in it. look: NULL for none */
static bool tell_record(struct buffer *out, struct decoder *d,
                        const struct evtx_frame *frame, bool plan_was_taken,
                        const struct look *look)
{
    struct evtx_record r;
    const char *wrong;
    enum status status = decoder_record(d, frame->offset, frame->size, &r, &wrong);
    const struct evtx_system *s = &r.system;
    if (look && status == OK && !wrong && d->was_by_plan)
        compare_look(look, &r);
    buffer_clear(out);
    buffer_printf(out, "%d|%.*s|%.*s|%.*s|%.*s|", r.is_user_data, TEXT(s->provider),
                  TEXT(s->channel), TEXT(s->computer), TEXT(s->user_sid));
    buffer_printf(out, "%u %u %u %u %u %lx %lx %lx %u %u", s->event_id, s->version,
                  s->level, s->task, s->opcode, (unsigned long)s->keywords,
                  (unsigned long)s->time_created_filetime, (unsigned long)s->record_id,
                  s->process_id, s->thread_id);
    for (size_t i = 0; i < r.field_count; i++)
        buffer_printf(out, "|%u %.*s=%.*s", r.cells[i].flags,
                      TEXT(evtx_record_name(&r, i)), TEXT(evtx_record_value(&r, i)));
    if (wrong && strcmp(wrong, "a value is longer than its record") == 0)
        assert_false(d->was_by_plan || plan_was_taken);
    return status == OK && !wrong;
}

/* What a plan does not ask for may be odd: only the general decoder sees that. */
static void compare_record(struct decoder *by_plan, struct decoder *by_walk,
                           const struct evtx_frame *frame, const struct look *look)
{
    static struct buffer plan, walk;
    tell_record(&plan, by_plan, frame, false, look);
    bool is_sound = tell_record(&walk, by_walk, frame, by_plan->was_by_plan, NULL);
    if (is_sound && !text_equal(buffer_text(&plan), buffer_text(&walk)))
        fail_msg("%s\n%s", plan.ptr, walk.ptr);
}

static void compare_chunk(struct decoder *by_plan, struct decoder *by_walk,
                          const struct evtx_slot *slot, uint32_t glances)
{
    static struct look look;
    struct arena plan_arena = {0}, walk_arena = {0};
    struct chunk_bytes chunk = {slot->data.ptr, (uint32_t)slot->data.len};
    decoder_start_chunk(by_plan, chunk, &plan_arena);
    decoder_start_chunk(by_walk, chunk, &walk_arena);
    for (uint32_t i = 0; i < slot->frame_count; i++) {
        const struct evtx_frame *frame = &slot->frames[i];
        bool is_clear =
            glances >> i % 32 & 1 &&
            decoder_glance(by_plan, frame->offset, frame->size, look_at, &look, 0);
        compare_record(by_plan, by_walk, frame, is_clear ? &look : NULL);
    }
    decoder_start_chunk(by_plan, (struct chunk_bytes){NULL, 0}, NULL);
    decoder_start_chunk(by_walk, (struct chunk_bytes){NULL, 0}, NULL);
    arena_release(&plan_arena);
    arena_release(&walk_arena);
}

static void records_in_a_row(void **state)
{
    (void)state;
    enum { ROUNDS = 3000, CHANGES = 4 };
    struct memory_log *m = open_sample();
    struct chunk_bytes original = chunk_of(m, 0);
    uint8_t *chunk = memory_get(EVTX_CHUNK_SIZE);
    struct evtx_slot slot = {
        .data = {chunk, EVTX_CHUNK_SIZE},
        .length = EVTX_CHUNK_SIZE,
        .frames = memory_get_zeroed(EVTX_FRAMES_MAX, sizeof *slot.frames)
    };
    struct templates templates;
    templates_init(&templates);
    struct decoder by_plan = {.binxml.templates = &templates},
                   by_walk = {.binxml.templates = &templates, .never_by_plan = true};
    uint32_t random = 11;
    for (int round = 0; round < ROUNDS; round++) {
        memcpy(chunk, original.data, EVTX_CHUNK_SIZE);
        evtx_slot_survey(&slot);
        assert_true(slot.frame_count > 20);
        for (int i = 0; i < CHANGES; i++)
            change_neighbours(chunk, &slot, &random);
        uint32_t glances = next_random(&random, 2) ? random : 0;
        compare_chunk(&by_plan, &by_walk, &slot, glances);
    }
    assert_true(by_plan.counts.by_plan > 10 * by_plan.counts.by_walk);
    decoder_release(&by_plan);
    decoder_release(&by_walk);
    templates_release(&templates);
    free(slot.frames);
    free(chunk);
    memory_log_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_chunk_is_read_alike),
        cmocka_unit_test(any_byte_of_a_chunk_counts),
        cmocka_unit_test(what_is_cut_off_is_missed),
        cmocka_unit_test(memory_of_templates_is_bounded),
        cmocka_unit_test(records_in_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
