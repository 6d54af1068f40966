/* SPDX-License-Identifier: Apache-2.0
 * Damage, case by case: the first four chunks of a public log (78, 72, 73 and 75 Sysmon
 * records, header ids 1 to 298), one thing broken in each. What can be read is read, and
 * what cannot is told with its place and its count. */
#include "memory_log.h"

#include <stdlib.h>

#include "test.h"
#include "util/map.h"

enum {
    CHUNKS = 4,
    RECORDS = 298,
    CHUNK_1 = EVTX_HEADER_SIZE + EVTX_CHUNK_SIZE,
    CHUNK_2 = CHUNK_1 + EVTX_CHUNK_SIZE,
    CHUNK_3 = CHUNK_2 + EVTX_CHUNK_SIZE,
};

static struct evtx_reader *reader;

/* Where record n of a chunk lies, counted from 0. */
static struct evtx_frame frame_of(struct memory_log *m, size_t chunk_at, unsigned n)
{
    struct evtx_chunk chunk;
    struct evtx_frame frame = {0};
    evtx_chunk_open(&chunk,
                    (struct bytes){memory_log_at(m, chunk_at), EVTX_CHUNK_SIZE});
    for (unsigned i = 0; i <= n; i++)
        assert_int_equal(evtx_chunk_next(&chunk, &frame), OK);
    return frame;
}

/* The sixth record of chunk 1: five intact ones before it, 66 behind. */
static size_t victim(struct memory_log *m)
{
    return CHUNK_1 + frame_of(m, CHUNK_1, 5).offset;
}

static void zero(struct memory_log *m, size_t at, size_t len)
{
    memset(memory_log_at(m, at), 0, len);
}

/* Bytes that look like nothing, the same in every run. */
static void add_noise(struct memory_log *m, size_t at, size_t len)
{
    struct buffer bytes = {0};
    uint32_t state = 1;
    buffer_add(&bytes, m->bytes.ptr, at);
    for (size_t i = 0; i < len; i++) {
        state = state * 1664525 + 1013904223;
        buffer_add_char(&bytes, (char)(state >> 24));
    }
    buffer_add(&bytes, m->bytes.ptr + at, m->bytes.len - at);
    buffer_release(&m->bytes);
    m->bytes = bytes;
    m->log.size = bytes.len;
}

static void cut(struct memory_log *m, size_t size)
{
    m->bytes.len = m->log.size = size;
}

static void reseal(struct memory_log *m)
{
    memory_log_seal(m);
    for (unsigned i = 0; i < CHUNKS; i++)
        memory_log_seal_chunk(m, i);
}

static void set_header(struct memory_log *m, size_t at, uint8_t value)
{
    *memory_log_at(m, at) = value;
    memory_log_seal(m);
}

/* ---- the cases */

static void file_magic_gone(struct memory_log *m)
{
    zero(m, 0, 8);
}
static void file_checksum(struct memory_log *m)
{
    *memory_log_at(m, 124) ^= 1;
}
static void count_0(struct memory_log *m)
{
    set_header(m, 42, 0);
}
static void count_1(struct memory_log *m)
{
    set_header(m, 42, 1);
}
static void count_9(struct memory_log *m)
{
    set_header(m, 42, 9);
}
static void version_3_9(struct memory_log *m)
{
    set_header(m, 36, 9);
}
static void junk_in_flags(struct memory_log *m)
{
    memory_log_u32(m, 120, 0x1b970000);
    memory_log_seal(m);
}
static void no_checksums(struct memory_log *m)
{
    memory_log_u32(m, 120, EVTX_FLAG_NO_CRC);
    *memory_log_at(m, 124) ^= 1;
    *memory_log_at(m, CHUNK_1 + 52) ^= 1;
}
static void chunk_has_no_checksums(struct memory_log *m)
{
    memory_log_u32(m, CHUNK_1 + 120, 5);
    *memory_log_at(m, CHUNK_1 + 52) ^= 1;
}
static void dirty_count_1(struct memory_log *m)
{
    memory_log_u32(m, 120, EVTX_FLAG_DIRTY);
    count_1(m);
}
static void cut_in_chunk_3(struct memory_log *m)
{
    struct evtx_frame f = frame_of(m, CHUNK_3, 31);
    cut(m, CHUNK_3 + f.offset + f.size / 2);
}
static void noise_10k_behind(struct memory_log *m)
{
    add_noise(m, m->bytes.len, 10240);
}
static void noise_64k_behind(struct memory_log *m)
{
    add_noise(m, m->bytes.len, 65536);
}
static void hole(struct memory_log *m)
{
    zero(m, CHUNK_1, EVTX_CHUNK_SIZE);
}
static void hole_at_end(struct memory_log *m)
{
    zero(m, CHUNK_3, EVTX_CHUNK_SIZE);
}
static void chunk_magic_gone(struct memory_log *m)
{
    zero(m, CHUNK_1, 8);
}
static void chunk_header_gone(struct memory_log *m)
{
    zero(m, CHUNK_1, 512);
}
static void chunk_header_checksum(struct memory_log *m)
{
    *memory_log_at(m, CHUNK_1 + 124) ^= 1;
}
static void value_bit(struct memory_log *m)
{
    struct evtx_frame f = frame_of(m, CHUNK_1, 5);
    *memory_log_at(m, CHUNK_1 + f.offset + f.size - 20) ^= 1;
}
static void free_space_512(struct memory_log *m)
{
    memory_log_u32(m, CHUNK_1 + 48, 512);
    reseal(m);
}
static void free_space_huge(struct memory_log *m)
{
    memory_log_u32(m, CHUNK_1 + 48, 0x7fffffff);
    reseal(m);
}
static void last_id_small(struct memory_log *m)
{
    memory_log_u32(m, CHUNK_1 + 16, 83);
    memory_log_u32(m, CHUNK_1 + 32, 83);
    reseal(m);
}
static void last_offset_small(struct memory_log *m)
{
    memory_log_u32(m, CHUNK_1 + 44, frame_of(m, CHUNK_1, 5).offset);
    reseal(m);
}
static void size_0(struct memory_log *m)
{
    memory_log_u32(m, victim(m) + 4, 0);
}
static void size_huge(struct memory_log *m)
{
    memory_log_u32(m, victim(m) + 4, 0xfffffff8);
}
static void trailer_differs(struct memory_log *m)
{
    memory_log_u32(m, victim(m) + frame_of(m, CHUNK_1, 5).size - 4, 8);
}
static void record_magic_gone(struct memory_log *m)
{
    zero(m, victim(m), 4);
}
static void first_record_gone(struct memory_log *m)
{
    struct evtx_frame f = frame_of(m, CHUNK_1, 0);
    zero(m, CHUNK_1 + f.offset, f.size);
}
static void last_record_torn(struct memory_log *m)
{
    struct evtx_frame f = frame_of(m, CHUNK_3, 74);
    zero(m, CHUNK_3 + f.offset + f.size / 2, f.size - f.size / 2);
}
/* Of the sixth record's outer template instance. */
static size_t instance(struct memory_log *m)
{
    return victim(m) + 24 + 4;
}
static void other_template(struct memory_log *m)
{
    static struct evtx_values values;
    struct evtx_frame f = frame_of(m, CHUNK_1, 5);
    struct bytes chunk = {memory_log_at(m, CHUNK_1), EVTX_CHUNK_SIZE};
    evtx_values_read(&values, chunk, &f);
    assert_true(values.is_complete && !values.is_mistemplated);
    for (size_t i = 0; i < values.count; i++)
        if (values.value[i].type == EVTX_VALUE_BINXML)
            memory_log_u32(m, instance(m) + 6, bytes_u32(values.value[i].raw, 10));
}
static void definition_huge(struct memory_log *m)
{
    memory_log_u32(m, CHUNK_1 + 512 + 24 + 4 + 10 + 20, 0x7ffffff0);
}
static void substitutions_huge(struct memory_log *m)
{
    memory_log_u32(m, instance(m) + 10, 0xffffffff);
}
static void descriptor_huge(struct memory_log *m)
{
    *memory_log_at(m, instance(m) + 14 + 4 * 14 + 1) = 0xff;
}
static void header_time_huge(struct memory_log *m)
{
    memset(memory_log_at(m, victim(m) + 16), 0xff, 8);
    reseal(m);
}
static void string_table_out(struct memory_log *m)
{
    memory_log_u32(m, CHUNK_1 + 128, 0x00ffff00);
    reseal(m);
}
static void string_chain_to_itself(struct memory_log *m)
{
    for (int i = 0; i < 64; i++) {
        struct bytes chunk = {memory_log_at(m, CHUNK_1), EVTX_CHUNK_SIZE};
        uint32_t at = bytes_u32(chunk, 128 + 4 * (size_t)i);
        if (at)
            memory_log_u32(m, CHUNK_1 + at, at);
    }
    reseal(m);
}
static void chunks_swapped(struct memory_log *m)
{
    char one[EVTX_CHUNK_SIZE];
    memcpy(one, memory_log_at(m, CHUNK_1), sizeof one);
    memcpy(memory_log_at(m, CHUNK_1), memory_log_at(m, CHUNK_2), sizeof one);
    memcpy(memory_log_at(m, CHUNK_2), one, sizeof one);
}
static void chunk_twice(struct memory_log *m)
{
    memcpy(memory_log_at(m, CHUNK_2), memory_log_at(m, CHUNK_1), EVTX_CHUNK_SIZE);
}
static void grid_shifted(struct memory_log *m)
{
    add_noise(m, CHUNK_1, 32768);
}
static void header_only(struct memory_log *m)
{
    cut(m, EVTX_HEADER_SIZE);
}
static void one_byte(struct memory_log *m)
{
    cut(m, 1);
}
static void no_byte(struct memory_log *m)
{
    cut(m, 0);
}
static void only_zeros(struct memory_log *m)
{
    zero(m, 0, m->bytes.len);
}
static void only_text(struct memory_log *m)
{
    memset(m->bytes.ptr, 'x', m->bytes.len);
}
static void bad_sectors(struct memory_log *m)
{
    m->bad_from = CHUNK_1;
    m->bad_to = CHUNK_1 + 4096;
}
static void bad_end(struct memory_log *m)
{
    m->bad_from = CHUNK_3 + 60000;
    m->bad_to = m->bytes.len;
}

#define NONE  PROBLEM_CODES
#define AT(n) (uint64_t)(n)

static const struct damage {
    const char *name;
    void (*make)(struct memory_log *m);
    size_t records;
    enum problem_code code; /* the first problem; NONE: there must be none at all */
    uint64_t offset;
    size_t not_read; /* intact records that are told as not read */
    size_t lost;     /* single records told as damaged or not decoded */
} damages[] = {
    {"nothing",                         NULL,                   298, NONE,                          0,          0,  0},
    {"file magic zeroed",               file_magic_gone,        298, PROBLEM_LOG_NOT_EVTX,          0,          0,  0},
    {"file header checksum",            file_checksum,          298, PROBLEM_LOG_HEADER_CHECKSUM,   124,        0,
     0                                                                                                               },
    {"count 0",                         count_0,                298, PROBLEM_LOG_HEADER_LIES,       42,         0,  0},
    {"count 1",                         count_1,                298, PROBLEM_LOG_HEADER_LIES,       42,         0,  0},
    {"count 9, log ends after 4",       count_9,                298, PROBLEM_LOG_TRUNCATED,         AT(266240), 0,
     0                                                                                                               },
    {"count 1, dirty",                  dirty_count_1,          298, PROBLEM_LOG_DIRTY,             120,        0,  0},
    {"version 3.9",                     version_3_9,            298, PROBLEM_LOG_HEADER_LIES,       36,         0,  0},
    {"junk in the flags",               junk_in_flags,          298, NONE,                          0,          0,  0},
    {"no checksums, says the file",     no_checksums,           298, NONE,                          0,          0,  0},
    {"no checksums, says a chunk",      chunk_has_no_checksums, 298, NONE,                          0,          0,  0},
    {"cut inside chunk 3",              cut_in_chunk_3,         223, PROBLEM_LOG_TRUNCATED,         0,          31, 1},
    {"10 KiB of noise behind",          noise_10k_behind,       298, PROBLEM_LOG_TRAILING_BYTES,
     AT(266240),                                                                                                0,  0},
    {"64 KiB of noise behind",          noise_64k_behind,       298, PROBLEM_LOG_TRAILING_BYTES,
     AT(266240),                                                                                                0,  0},
    {"chunk 1 all zero",                hole,                   226, PROBLEM_CHUNK_HOLE,            CHUNK_1,    0,  0},
    {"chunk 3 all zero",                hole_at_end,            223, PROBLEM_CHUNK_HOLE,            CHUNK_3,    0,  0},
    {"chunk magic zeroed",              chunk_magic_gone,       226, PROBLEM_CHUNK_DAMAGED,         CHUNK_1,    72,
     0                                                                                                               },
    {"chunk header zeroed",             chunk_header_gone,      226, PROBLEM_CHUNK_DAMAGED,         CHUNK_1,    72,
     0                                                                                                               },
    {"chunk header checksum",           chunk_header_checksum,  298, PROBLEM_CHUNK_HEADER_CHECKSUM,
     CHUNK_1,                                                                                                   0,  0},
    {"one bit of a value",              value_bit,              298, PROBLEM_CHUNK_DATA_CHECKSUM,   CHUNK_1,    0,  0},
    {"free space 512",                  free_space_512,         298, PROBLEM_CHUNK_HEADER_LIES,     CHUNK_1,    0,  0},
    {"free space huge",                 free_space_huge,        298, PROBLEM_CHUNK_DATA_CHECKSUM,   CHUNK_1,    0,
     0                                                                                                               },
    {"last id too small",               last_id_small,          298, PROBLEM_CHUNK_HEADER_LIES,     CHUNK_1,    0,  0},
    {"last offset too small",           last_offset_small,      298, PROBLEM_CHUNK_HEADER_LIES,
     CHUNK_1,                                                                                                   0,  0},
    {"record size 0",                   size_0,                 231, PROBLEM_CHUNK_DATA_CHECKSUM,   CHUNK_1,    66, 1},
    {"record size huge",                size_huge,              231, PROBLEM_CHUNK_DATA_CHECKSUM,   CHUNK_1,    66, 1},
    {"size copy differs",               trailer_differs,        231, PROBLEM_CHUNK_DATA_CHECKSUM,   CHUNK_1,
     66,                                                                                                            1},
    {"record magic zeroed",             record_magic_gone,      231, PROBLEM_CHUNK_DATA_CHECKSUM,
     CHUNK_1,                                                                                                   66, 1},
    {"first record zeroed",             first_record_gone,      226, PROBLEM_CHUNK_DATA_CHECKSUM,
     CHUNK_1,                                                                                                   71, 1},
    {"last record half zero",           last_record_torn,       297, PROBLEM_CHUNK_DATA_CHECKSUM,
     CHUNK_3,                                                                                                   0,  1},
    {"another template's offset",       other_template,         297, PROBLEM_CHUNK_DATA_CHECKSUM,
     CHUNK_1,                                                                                                   0,  1},
    {"definition size huge",            definition_huge,        297, PROBLEM_CHUNK_DATA_CHECKSUM,   CHUNK_1,
     0,                                                                                                             1},
    {"substitution count huge",         substitutions_huge,     297, PROBLEM_CHUNK_DATA_CHECKSUM,
     CHUNK_1,                                                                                                   0,  1},
    {"descriptor beyond the record",    descriptor_huge,        297, PROBLEM_CHUNK_DATA_CHECKSUM,
     CHUNK_1,                                                                                                   0,  1},
    {"header time huge",                header_time_huge,       298, NONE,                          0,          0,  0},
    {"string table out of the chunk",   string_table_out,       298, NONE,                          0,          0,  0},
    {"string chain to itself",          string_chain_to_itself, 298, NONE,                          0,          0,  0},
    {"chunks out of order",             chunks_swapped,         298, NONE,                          0,          0,  0},
    {"a chunk stored twice",            chunk_twice,            297, NONE,                          0,          0,  0},
    {"grid shifted by 32 KiB",          grid_shifted,           298, PROBLEM_CHUNK_DAMAGED,         CHUNK_1,    0,  0},
    {"header alone",                    header_only,            0,   PROBLEM_LOG_TRUNCATED,         4096,       0,  0},
    {"one byte",                        one_byte,               0,   PROBLEM_LOG_EMPTY_FILE,        0,          0,  0},
    {"no byte",                         no_byte,                0,   PROBLEM_LOG_EMPTY_FILE,        0,          0,  0},
    {"zeros",                           only_zeros,             0,   PROBLEM_LOG_NOT_EVTX,          0,          0,  0},
    {"text",                            only_text,              0,   PROBLEM_LOG_NOT_EVTX,          0,          0,  0},
    {"a chunk's header cannot be read", bad_sectors,            226, PROBLEM_LOG_UNREADABLE,
     CHUNK_1,                                                                                                   71, 0},
    {"the end cannot be read",          bad_end,                290, PROBLEM_LOG_UNREADABLE,
     AT(CHUNK_3 + 60000),                                                                                       0,  1},
};

static struct memory_log *open_base(void)
{
    char *path = shared_path("evtx/parsers/issue_43.evtx");
    struct memory_log *m = memory_log_open_start(path, CHUNKS);
    free(path);
    if (!m)
        skip();
    return m;
}

static size_t told_as_not_read(const struct outcome *o)
{
    size_t count = 0;
    const struct problem *p;
    for (size_t i = 0; (p = outcome_problem(o, PROBLEM_RECORDS_NOT_READ, i)); i++)
        count += strtoul(p->message.ptr, NULL, 10);
    return count;
}

/* The lines that tell records, without their offset. */
static void add_lines(struct map *lines, const struct outcome *o)
{
    struct text told = buffer_text(&o->told);
    for (size_t at = 0, line = 0; line < o->records; line++) {
        const char *end = memchr(told.ptr + at, '\n', told.len - at);
        const char *from = memchr(told.ptr + at, ' ', told.len - at);
        map_add(lines, (struct bytes){(const uint8_t *)from, (size_t)(end - from)}, 0);
        at = (size_t)(end - told.ptr) + 1;
    }
}

/* Damage may take records away, but what is given must be what was recorded. */
static void records_are_true(const struct outcome *o, size_t may_differ)
{
    struct memory_log *m = open_base();
    struct outcome base;
    struct map recorded = {0}, given = {0};
    outcome_read(&base, reader, m);
    add_lines(&recorded, &base);
    add_lines(&given, o);
    size_t differ = 0;
    for (uint32_t i = 0; i < given.count; i++)
        differ += map_find(&recorded, given.entries[i].key) == MAP_NONE;
    assert_int_equal(recorded.count, RECORDS);
    assert_int_equal(differ, may_differ);
    map_release(&recorded);
    map_release(&given);
    outcome_release(&base);
    memory_log_free(m);
}

static void check_damage(void **state)
{
    const struct damage *d = *state;
    struct memory_log *m = open_base();
    if (d->make)
        d->make(m);
    struct outcome o;
    outcome_read(&o, reader, m);
    const size_t *codes = o.problems.per_code;
    if (o.records != d->records)
        print_message("%.*s", TEXT(buffer_text(&o.told)));
    assert_int_equal(o.status, OK);
    assert_int_equal(o.records, d->records);
    assert_int_equal(o.facts.records, d->records);
    assert_int_equal(told_as_not_read(&o), d->not_read);
    assert_int_equal(codes[PROBLEM_RECORD_DAMAGED] + codes[PROBLEM_RECORD_NOT_DECODED] +
                         codes[PROBLEM_READER_CRASHED],
                     d->lost);
    if (d->code == NONE) {
        assert_int_equal(o.problems.count, 0);
    } else {
        assert_true(o.problems.count > 0);
        assert_string_equal(problem_kinds[o.problems.rows[0].code].code,
                            problem_kinds[d->code].code);
        if (d->offset)
            assert_int_equal(o.problems.rows[0].place.offset, d->offset);
    }
    records_are_true(&o, d->make == value_bit);
    outcome_release(&o);
    memory_log_free(m);
}

/* A damaged record is told at its own byte and under its own id. */
static void a_damaged_record_is_named(void **state)
{
    (void)state;
    struct memory_log *m = open_base();
    size_t at = victim(m);
    size_0(m);
    struct outcome o;
    outcome_read(&o, reader, m);
    const struct problem *p = outcome_problem(&o, PROBLEM_RECORD_DAMAGED, 0);
    assert_int_equal(p->place.offset, at);
    assert_int_equal(p->place.record_id, 84);
    p = outcome_problem(&o, PROBLEM_RECORDS_NOT_READ, 0);
    assert_int_equal(p->place.record_id, 85);
    assert_true(text_contains_fold(p->message, TEXT_LITERAL("header ids 85 to 150")));
    outcome_release(&o);
    memory_log_free(m);
}

static void a_hole_names_the_ids(void **state)
{
    (void)state;
    struct memory_log *m = open_base();
    hole(m);
    struct outcome o;
    outcome_read(&o, reader, m);
    assert_true(text_contains_fold(outcome_problem(&o, PROBLEM_CHUNK_HOLE, 0)->message,
                                   TEXT_LITERAL("ids 79 to 150 are missing")));
    outcome_release(&o);
    memory_log_free(m);
}

/* Wherever bytes of a chunk are overwritten, the others are read and the damage is told. */
static void any_byte_may_be_wrong(void **state)
{
    (void)state;
    uint32_t random = 7;
    for (int round = 0; round < 60; round++) {
        struct memory_log *m = open_base();
        for (int i = 0; i < 40; i++) {
            random = random * 1664525 + 1013904223;
            *memory_log_at(m, CHUNK_1 + (random >> 8) % EVTX_CHUNK_SIZE) ^=
                (uint8_t)(1 + (random & 0x7f));
        }
        struct outcome o;
        outcome_read(&o, reader, m);
        assert_int_equal(o.status, OK);
        assert_true(o.records >= RECORDS - 72);
        assert_true(o.problems.count > 0);
        outcome_release(&o);
        memory_log_free(m);
    }
}

int main(void)
{
    enum { CASES = sizeof damages / sizeof *damages };
    struct CMUnitTest tests[CASES + 3] = {
        cmocka_unit_test(a_damaged_record_is_named),
        cmocka_unit_test(a_hole_names_the_ids),
        cmocka_unit_test(any_byte_may_be_wrong),
    };
    for (size_t i = 0; i < CASES; i++)
        tests[i + 3] = (struct CMUnitTest){.name = damages[i].name,
                                           .test_func = check_damage,
                                           .initial_state = (void *)&damages[i]};
    reader = evtx_reader_open(EVTX_READER_LIBEVTX, 2);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    evtx_reader_close(reader);
    return failed;
}
