/* SPDX-License-Identifier: Apache-2.0
 * Templates that stood in an earlier chunk in the same bytes are not translated again: what
 * comes out must be what a translation gives, whatever byte of the chunk is another. */
#include "memory_log.h"

#include <stdio.h>
#include <stdlib.h>

#include "evtx/template.h"
#include "test.h"
#include "util/memory.h"

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

/* Of definitions and of the names that they lead to. */
static void any_byte_of_a_chunk_counts(void **state)
{
    (void)state;
    struct memory_log *m = open_sample();
    struct chunk_bytes chunk = chunk_of(m, 0);
    struct templates used;
    uint32_t at[DEFINITIONS];
    size_t count = find_definitions(chunk, at);
    assert_true(count > 1);
    templates_init(&used);
    for (size_t i = 0; i < count; i++)
        assert_true(is_read_alike(&used, chunk, at[i]));
    for (uint32_t byte = EVTX_CHUNK_HEADER_SIZE; byte < FLIPPED; byte++) {
        uint8_t *changed = memory_log_at(m, EVTX_HEADER_SIZE + byte);
        *changed ^= 1;
        for (size_t i = 0; i < count; i++)
            if (!is_read_alike(&used, chunk, at[i]))
                fail_msg("byte %u is another, definition at %u", byte, at[i]);
        *changed ^= 1;
    }
    templates_release(&used);
    memory_log_free(m);
}

/* The chunk is cut somewhere: what stood there before is not taken from memory. */
static void what_is_cut_off_is_missed(void **state)
{
    (void)state;
    struct memory_log *m = open_sample();
    struct chunk_bytes chunk = chunk_of(m, 0);
    struct templates used;
    uint32_t at[DEFINITIONS];
    size_t count = find_definitions(chunk, at);
    templates_init(&used);
    for (size_t i = 0; i < count; i++)
        assert_true(is_read_alike(&used, chunk, at[i]));
    for (uint32_t len = EVTX_CHUNK_HEADER_SIZE; len < FLIPPED; len++) {
        uint8_t *copy = memory_get(len); /* so that a reading behind it is noticed */
        memcpy(copy, chunk.data, len);
        for (size_t i = 0; i < count && at[i] < len; i++)
            assert_true(is_read_alike(&used, (struct chunk_bytes){copy, len}, at[i]));
        free(copy);
    }
    templates_release(&used);
    memory_log_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_chunk_is_read_alike),
        cmocka_unit_test(any_byte_of_a_chunk_counts),
        cmocka_unit_test(what_is_cut_off_is_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
