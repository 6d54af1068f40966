/* SPDX-License-Identifier: Apache-2.0
 * The native walk over chunks and record frames, on chunks made here: a letter is a frame,
 * and what the walk says of it is compared as letters. And the wire between processes. */
#include "memory_log.h"

#include <stdlib.h>

#include "test.h"
#include "util/memory.h"

enum { FRAME = 32 }; /* bytes of each frame that is made */

static void put_u32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static void put_frame(uint8_t *to, uint64_t id)
{
    memset(to, 0x11, FRAME);
    memcpy(to, "**\0\0", 4);
    put_u32(to + 4, FRAME);
    put_u32(to + 8, (uint32_t)id);
    put_u32(to + 12, (uint32_t)(id >> 32));
    put_u32(to + FRAME - 4, FRAME);
}

/* r: the next record; z: zeros; x: noise; m: magic broken; s: size broken; t: size copy
 * broken; o: an old record, with a low id. */
static void make_chunk(uint8_t *chunk, const char *frames, uint32_t free_space,
                       uint64_t last_id)
{
    uint8_t *at = chunk + EVTX_CHUNK_HEADER_SIZE;
    uint64_t id = 100;
    memset(chunk, 0, EVTX_CHUNK_SIZE);
    memcpy(chunk, "ElfChnk\0", 8);
    put_u32(chunk + 24, 100);
    put_u32(chunk + 32, (uint32_t)last_id);
    put_u32(chunk + 48, free_space);
    for (; *frames; frames++, at += FRAME) {
        if (*frames == 'z' || *frames == 'x') {
            memset(at, *frames == 'z' ? 0 : 0x77, FRAME);
            continue;
        }
        put_frame(at, *frames == 'o' ? 7 : id++);
        if (*frames == 'm')
            at[0] = 0;
        if (*frames == 's')
            put_u32(at + 4, FRAME + 1);
        if (*frames == 't')
            put_u32(at + FRAME - 4, 0);
    }
}

static const struct walk {
    const char *name, *frames;
    uint32_t free_space; /* in frames; 9999: as is, beyond the chunk */
    uint64_t last_id;
    const char *said; /* r: a record; D: damage */
} walks[] = {
    {"plain",                                          "rrr",   3,    102, "rrr"  },
    {"empty",                                          "",      0,    99,  ""     },
    {"old records behind the free space are not live", "rrroo", 3,    102, "rrr"  },
    {"free space over zeros",                          "rrrzz", 5,    102, "rrr"  },
    {"free space lies low",                            "rrrr",  2,    103, "rrrr" },
    {"free space lies low, the last id too",           "rrrr",  2,    101, "rr"   },
    {"free space at the start",                        "rrr",   0,    102, "rrr"  },
    {"free space impossible",                          "rrro",  9999, 102, "rrr"  },
    {"magic",                                          "rmrr",  4,    103, "rDrr" },
    {"size",                                           "rsrr",  4,    103, "rDrr" },
    {"size copy",                                      "rtrr",  4,    103, "rDrr" },
    {"zeros between",                                  "rzzr",  4,    101, "rDr"  },
    {"noise first",                                    "xrr",   3,    101, "Drr"  },
    {"noise last",                                     "rrx",   3,    102, "rrD"  },
    {"two damages",                                    "rxrxr", 5,    102, "rDrDr"},
};

static void check_walk(void **state)
{
    const struct walk *w = *state;
    uint8_t *bytes = memory_get(EVTX_CHUNK_SIZE);
    char said[64] = "";
    size_t n = 0;
    uint32_t free_space = w->free_space == 9999
                              ? 0x10000000
                              : EVTX_CHUNK_HEADER_SIZE + w->free_space * FRAME;
    make_chunk(bytes, w->frames, free_space, w->last_id);
    struct evtx_chunk chunk;
    struct evtx_frame frame;
    enum status status;
    evtx_chunk_open(&chunk, (struct bytes){bytes, EVTX_CHUNK_SIZE});
    while ((status = evtx_chunk_next(&chunk, &frame)) != END && n < sizeof said - 1) {
        assert_true(frame.offset + frame.size <= EVTX_CHUNK_SIZE && frame.size > 0);
        said[n++] = status == OK ? 'r' : 'D';
    }
    assert_string_equal(said, w->said);
    free(bytes);
}

static void slack_is_counted(void **state)
{
    (void)state;
    uint8_t *bytes = memory_get(EVTX_CHUNK_SIZE);
    struct evtx_slot slot = {
        .data = {bytes, EVTX_CHUNK_SIZE},
        .frames = memory_get_zeroed(EVTX_FRAMES_MAX, sizeof *slot.frames)
    };
    make_chunk(bytes, "rrxroxo", EVTX_CHUNK_HEADER_SIZE + 4 * FRAME, 102);
    evtx_slot_survey(&slot);
    assert_int_equal(slot.kind, SLOT_CHUNK);
    assert_int_equal(slot.frame_count, 2);
    assert_int_equal(slot.damages, 1);
    assert_int_equal(slot.behind_count, 1);
    assert_int_equal(slot.slack_count, 2);
    free(slot.frames);
    free(bytes);
}

/* A frame of every size at every place near the end, valid or not: the walk stays inside
 * (the sanitizers see to it, the chunk being its own allocation). */
static void the_end_is_respected(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0,      8,       24,         28,        32,
                                     0xfff8, 0x10000, 0xfffffff8, 0xffffffff};
    uint8_t *bytes = memory_get(EVTX_CHUNK_SIZE);
    for (uint32_t back = 4; back <= 64; back += 4)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct evtx_frame frame;
            memset(bytes, 0, EVTX_CHUNK_SIZE);
            memcpy(bytes + EVTX_CHUNK_SIZE - back, "**\0\0", 4);
            if (back >= 8)
                put_u32(bytes + EVTX_CHUNK_SIZE - back + 4, sizes[i]);
            struct bytes chunk = {bytes, EVTX_CHUNK_SIZE};
            assert_false(evtx_frame_at(chunk, EVTX_CHUNK_SIZE - back, &frame));
            assert_int_equal(evtx_frames_count(chunk, 0), 0);
        }
    free(bytes);
}

static void random_chunks_end(void **state)
{
    (void)state;
    uint8_t *bytes = memory_get(EVTX_CHUNK_SIZE);
    static struct evtx_values values;
    uint32_t random = 5;
    for (int round = 0; round < 200; round++) {
        struct evtx_slot slot = {
            .data = {bytes, EVTX_CHUNK_SIZE},
            .frames = memory_get_zeroed(EVTX_FRAMES_MAX, sizeof *slot.frames)
        };
        make_chunk(bytes, "rrrrrrrrrrrrrrrrrrrr", EVTX_CHUNK_HEADER_SIZE + 20 * FRAME,
                   119);
        for (int i = 0; i < 30; i++) {
            random = random * 1664525 + 1013904223;
            bytes[(random >> 8) % 1200] = (uint8_t)(random >> 24);
        }
        evtx_slot_survey(&slot);
        for (uint32_t i = 0; i < slot.frame_count; i++)
            evtx_values_read(&values, slot.data, &slot.frames[i]);
        free(slot.frames);
    }
    free(bytes);
}

static void the_file_header_is_read(void **state)
{
    (void)state;
    uint8_t header[EVTX_HEADER_SIZE] = "ElfFile";
    header[36] = 1;
    header[38] = 3;
    header[42] = 5;
    header[120] = 7;
    header[122] = 0x97;
    struct evtx_file_header h =
        evtx_file_header_read((struct bytes){header, sizeof header});
    assert_true(h.has_magic && !h.checksum_ok);
    assert_int_equal(h.major * 100 + h.minor, 301);
    assert_int_equal(h.chunk_count, 5);
    assert_int_equal(h.flags, 7);
    h = evtx_file_header_read((struct bytes){header, 7});
    assert_false(h.has_magic || h.checksum_ok);
}

/* ---- the wire */

static void make_answer(struct evtx_answer *answer, struct evtx_field *fields)
{
    fields[0] = (struct evtx_field){TEXT_LITERAL("A"), TEXT_LITERAL("1")};
    fields[1] = (struct evtx_field){TEXT_LITERAL(""), NO_TEXT};
    *answer = (struct evtx_answer){.index = 3, .is_given = true};
    answer->reading.fields = fields;
    answer->reading.field_count = 2;
    answer->reading.system.event_id = 0x1234;
    answer->reading.system.record_id = NO_RECORD;
    answer->reading.system.channel = TEXT_LITERAL("C");
    answer->reading.is_user_data = true;
    evtx_reading_add_remark(&answer->reading, PROBLEM_VALUE_NOT_UTF16,
                            TEXT_LITERAL("why"));
}

static void answers_come_through(void **state)
{
    (void)state;
    struct buffer wire = {0};
    struct arena arena = {0};
    struct evtx_field fields[2];
    struct evtx_answer sent, got;
    make_answer(&sent, fields);
    evtx_wire_put(&wire, &sent);
    evtx_wire_put(&wire,
                  &(struct evtx_answer){.index = 4, .refusal = TEXT_LITERAL("no")});
    struct bytes in = {(const uint8_t *)wire.ptr, wire.len};
    size_t at = 0;
    assert_true(evtx_wire_take(in, &at, &got, &arena));
    assert_int_equal(got.index, 3);
    assert_true(got.is_given && got.reading.is_user_data);
    assert_int_equal(got.reading.system.event_id, 0x1234);
    assert_true(got.reading.system.record_id == NO_RECORD);
    assert_true(text_equal(got.reading.system.channel, TEXT_LITERAL("C")));
    assert_true(text_is_absent(got.reading.system.provider));
    assert_true(text_equal(got.reading.fields[0].value, TEXT_LITERAL("1")));
    assert_true(text_is_absent(got.reading.fields[1].value));
    assert_int_equal(got.reading.remarks[0].code, PROBLEM_VALUE_NOT_UTF16);
    assert_true(evtx_wire_take(in, &at, &got, &arena));
    assert_true(!got.is_given && text_equal(got.refusal, TEXT_LITERAL("no")));
    assert_false(evtx_wire_take(in, &at, &got, &arena));
    buffer_release(&wire);
    arena_release(&arena);
}

/* The child may have been taken over: cut and altered answers are refused, not believed. */
static void forged_answers_are_refused(void **state)
{
    (void)state;
    struct buffer wire = {0};
    struct arena arena = {0};
    struct evtx_field fields[2];
    struct evtx_answer sent, got;
    make_answer(&sent, fields);
    evtx_wire_put(&wire, &sent);
    for (size_t len = 0; len < wire.len; len++) {
        uint8_t *copy = memory_get(len);
        memcpy(copy, wire.ptr, len);
        size_t at = 0;
        assert_false(evtx_wire_take((struct bytes){copy, len}, &at, &got, &arena));
        assert_int_equal(at, 0);
        free(copy);
    }
    for (size_t i = 0; i < wire.len; i++) {
        uint8_t *copy = memory_get(wire.len);
        memcpy(copy, wire.ptr, wire.len);
        copy[i] = 0xff;
        size_t at = 0;
        evtx_wire_take((struct bytes){copy, wire.len}, &at, &got, &arena);
        assert_true(at <= wire.len);
        free(copy);
    }
    buffer_release(&wire);
    arena_release(&arena);
}

/* A record that was made to swallow the one behind it, wherever in it that begins. */
static void a_hidden_record_is_found_anywhere(void **state)
{
    (void)state;
    enum { HOLDER = 800, LEAST = 64, START = EVTX_CHUNK_HEADER_SIZE };
    uint8_t *chunk = memory_get(EVTX_CHUNK_SIZE);
    struct evtx_frame *frames = memory_get_zeroed(EVTX_FRAMES_MAX, sizeof *frames);
    for (uint32_t at = EVTX_ALIGNMENT; at <= HOLDER - LEAST; at += 4) {
        make_chunk(chunk, "r", 0, 100);
        put_u32(chunk + 48, START + HOLDER);
        memset(chunk + START + 24, 0x2a, HOLDER - 24);
        put_frame(chunk + START + at, 55);
        memcpy(chunk + START + at + 24, "\x0f\x01\x01\x00", 4);
        put_u32(chunk + START + at + 4, HOLDER - at);
        put_u32(chunk + START + 4, HOLDER);
        put_u32(chunk + START + HOLDER - 4, HOLDER);
        struct evtx_slot slot = {
            .data = {chunk, EVTX_CHUNK_SIZE},
            .length = EVTX_CHUNK_SIZE,
            .frames = frames
        };
        evtx_slot_survey(&slot);
        bool is_aligned = at % EVTX_ALIGNMENT == 0;
        assert_int_equal(slot.frame_count, 1);
        assert_int_equal(slot.hidden_count, is_aligned);
        if (is_aligned)
            assert_int_equal(slot.hidden[0].frame.offset, START + at);
    }
    free(frames);
    free(chunk);
}

int main(void)
{
    enum { CASES = sizeof walks / sizeof *walks };
    struct CMUnitTest tests[CASES + 7] = {
        cmocka_unit_test(slack_is_counted),
        cmocka_unit_test(the_end_is_respected),
        cmocka_unit_test(random_chunks_end),
        cmocka_unit_test(the_file_header_is_read),
        cmocka_unit_test(answers_come_through),
        cmocka_unit_test(forged_answers_are_refused),
        cmocka_unit_test(a_hidden_record_is_found_anywhere),
    };
    for (size_t i = 0; i < CASES; i++)
        tests[i + 7] = (struct CMUnitTest){.name = walks[i].name,
                                           .test_func = check_walk,
                                           .initial_state = (void *)&walks[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
