/* SPDX-License-Identifier: Apache-2.0
 * Damage, case by case: four chunks (78, 72, 73 and 75 Sysmon records, header ids 1 to
 * 298), one thing broken in each. What can be read is read, and
 * what cannot is told with its place and its count. */
#include "log_damage.h"
#include "util/map.h"

static struct evtx_reader *reader;

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
    {"the end of a chunk lost",         end_of_chunk_1_lost,    297, PROBLEM_CHUNK_DATA_CHECKSUM,   CHUNK_1,    0,  1},
    {"13 bytes of a chunk lost",        odd_bytes_of_chunk_1_lost, 298, PROBLEM_CHUNK_DAMAGED,      CHUNK_1,    0,  0},
    {"half a record lost",              half_a_record_lost,     231, PROBLEM_CHUNK_DATA_CHECKSUM,   CHUNK_1,    66, 1},
    {"one byte put in",                 one_byte_put_in,        298, PROBLEM_CHUNK_DAMAGED,         CHUNK_1,    0,  0},
    {"part of the file header lost",    part_of_file_header_lost, 298, PROBLEM_LOG_HEADER_LIES,     3097,       0,  0},
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

static size_t told_as_not_read(const struct outcome *o)
{
    size_t count = 0;
    const struct problem *p;
    for (size_t i = 0; (p = outcome_problem(o, PROBLEM_RECORDS_NOT_READ, i)); i++)
        count += strtoul(p->message.ptr, NULL, 10);
    return count;
}

/* Those that reach into bytes that could not be read: told one by one. */
static size_t told_as_unreadable(const struct outcome *o)
{
    size_t count = 0;
    const struct problem *p;
    for (size_t i = 0; (p = outcome_problem(o, PROBLEM_RECORDS_NOT_READ, i)); i++)
        count += strtoul(p->message.ptr, NULL, 10) == 0;
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
                         codes[PROBLEM_READER_CRASHED] + told_as_unreadable(&o),
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
