/* SPDX-License-Identifier: Apache-2.0
 * Damage, case by case, read natively with recovery on: what is undamaged is given as it was
 * recorded, live or with its state; what is lost is told at its place. */
#include "log_damage.h"
#include <stdio.h>

#include "util/filetime.h"
#include "util/map.h"

/* A page of zeros in the middle of chunk 1. */
static void page_of_zeros(struct memory_log *m)
{
    zero(m, CHUNK_1 + 5 * 4096, 4096);
}

/* No definition has the id of the instances that point to it. */
static void every_definition_gone(struct memory_log *m)
{
    for (unsigned n = 0; n < CHUNKS; n++) {
        size_t at = EVTX_HEADER_SIZE + n * (size_t)EVTX_CHUNK_SIZE;
        struct chunk_bytes {
            const uint8_t *p;
        } chunk = {memory_log_at(m, at)};
        for (uint32_t i = 512; i + 34 < EVTX_CHUNK_SIZE; i++)
            if (chunk.p[i] == 0x0c && chunk.p[i + 1] == 0x01 &&
                memcmp(chunk.p + i + 2, chunk.p + i + 14, 4) == 0)
                memory_log_u32(m, at + i + 14, 0xdeadbeef);
    }
    reseal(m);
}

/* The end of the last record: half of its last value, Image, and the size copy. */
static void last_value_torn(struct memory_log *m)
{
    struct evtx_frame f = frame_of(m, CHUNK_3, 74);
    zero(m, CHUNK_3 + f.offset + f.size - 40, 40);
}

/* Where a name, or a text of a template, stands in a chunk: UTF-16 behind its length. */
static size_t name_at(struct memory_log *m, size_t chunk_at, const char *name)
{
    uint8_t utf16[64] = {0};
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        utf16[2 * i] = (uint8_t)name[i];
    for (size_t at = chunk_at + 512; at + 64 < chunk_at + EVTX_CHUNK_SIZE; at++)
        if (memcmp(memory_log_at(m, at), utf16, 2 * len) == 0 &&
            *memory_log_at(m, at - 2) == len)
            return at;
    fail_msg("no name %s in the chunk", name);
    return 0;
}

/* One letter of a name is overwritten. */
static void name_changed(struct memory_log *m)
{
    *memory_log_at(m, name_at(m, CHUNK_1, "Provider")) = 'X';
}

/* A chunk that lost its header holds the same records as another. */
static void orphan_is_a_copy(struct memory_log *m)
{
    chunk_twice(m);
    zero(m, CHUNK_2, 8);
}

/* The same, and one of its records has another letter in a value. */
static void orphan_copy_differs(struct memory_log *m)
{
    chunk_twice(m);
    struct evtx_frame f = frame_of(m, CHUNK_2, 5);
    *memory_log_at(m, CHUNK_2 + f.offset + f.size - 20) ^= 1;
    zero(m, CHUNK_2, 8);
}

/* The same, and one of its records lost its end: what is left of it says nothing new. */
static void orphan_copy_is_torn(struct memory_log *m)
{
    chunk_twice(m);
    struct evtx_frame f = frame_of(m, CHUNK_2, 71);
    zero(m, CHUNK_2 + f.offset + f.size - 40, 40);
    zero(m, CHUNK_2, 8);
}

/* The same, and its process id is another. */
static void torn_copy_differs(struct memory_log *m)
{
    orphan_copy_is_torn(m);
    struct evtx_frame f = frame_of(m, CHUNK_1, 71);
    static struct evtx_values values;
    evtx_values_read(&values,
                     (struct bytes){memory_log_at(m, CHUNK_1), EVTX_CHUNK_SIZE}, &f);
    for (size_t i = values.count; i-- > 0;)
        if (values.value[i].is_data && values.value[i].raw.len == 4) {
            size_t at = (size_t)(values.value[i].raw.ptr - memory_log_at(m, CHUNK_1));
            *memory_log_at(m, CHUNK_2 + at) ^= 4;
            return;
        }
    fail_msg("no process id in the record");
}

/* Two logs, one behind the other. */
static void joined(struct memory_log *m)
{
    size_t len = m->bytes.len;
    buffer_reserve(&m->bytes, len);
    buffer_add(&m->bytes, m->bytes.ptr, len);
    m->log.size = m->bytes.len;
}

struct expected {
    size_t live, behind, orphan, torn, positional, copies;
};

#define NONE PROBLEM_CODES

static const struct damage {
    const char *name;
    void (*make)(struct memory_log *m);
    struct expected given;
    size_t lost;            /* records that are told as not given */
    enum problem_code code; /* the first problem; NONE: there must be none at all */
    uint64_t offset;        /* its place; 0: any */
} damages[] = {
#define LIVE(n) {(n), 0, 0, 0, 0, 0}
    /* clang-format off: one row a line */
    {"nothing", NULL, LIVE(298), 0, NONE, 0},
    {"01 file magic zeroed", file_magic_gone, LIVE(298), 0, PROBLEM_LOG_NOT_EVTX, 0},
    {"02 file header checksum", file_checksum, LIVE(298), 0, PROBLEM_LOG_HEADER_CHECKSUM, 124},
    {"03 count 0", count_0, LIVE(298), 0, PROBLEM_LOG_HEADER_LIES, 42},
    {"04 count 1 of 4", count_1, LIVE(298), 0, PROBLEM_LOG_HEADER_LIES, 42},
    {"05 count 1 of 4, dirty", dirty_count_1, LIVE(298), 0, PROBLEM_LOG_DIRTY, 120},
    {"06 version 3.9", version_3_9, LIVE(298), 0, PROBLEM_LOG_HEADER_LIES, 36},
    {"07 cut inside chunk 3", cut_in_chunk_3, {223, 31, 0, 1, 0, 0}, 0, PROBLEM_LOG_TRUNCATED, 0},
    {"08 10 KiB of noise behind", noise_10k_behind, LIVE(298), 0, PROBLEM_LOG_TRAILING_BYTES, 266240},
    {"09 64 KiB of noise behind", noise_64k_behind, LIVE(298), 0, PROBLEM_LOG_TRAILING_BYTES, 266240},
    {"10 chunk 1 all zero", hole, LIVE(226), 0, PROBLEM_CHUNK_HOLE, CHUNK_1},
    {"chunk 3 all zero", hole_at_end, LIVE(223), 0, PROBLEM_CHUNK_HOLE, CHUNK_3},
    {"11 chunk magic zeroed", chunk_magic_gone, {226, 0, 72, 0, 0, 0}, 0, PROBLEM_CHUNK_DAMAGED, CHUNK_1},
    {"12 chunk header zeroed", chunk_header_gone, {226, 0, 72, 0, 0, 0}, 0, PROBLEM_CHUNK_DAMAGED, CHUNK_1},
    {"13 chunk header checksum", chunk_header_checksum, LIVE(298), 0, PROBLEM_CHUNK_HEADER_CHECKSUM, CHUNK_1},
    {"14 one bit of a value", value_bit, LIVE(298), 0, PROBLEM_CHUNK_DATA_CHECKSUM, CHUNK_1},
    {"15 free space 512", free_space_512, LIVE(298), 0, PROBLEM_CHUNK_HEADER_LIES, CHUNK_1},
    {"16 free space huge", free_space_huge, LIVE(298), 0, PROBLEM_CHUNK_DATA_CHECKSUM, CHUNK_1},
    {"17 last id too small", last_id_small, LIVE(298), 0, PROBLEM_CHUNK_HEADER_LIES, CHUNK_1},
    {"18 last offset too small", last_offset_small, LIVE(298), 0, PROBLEM_CHUNK_HEADER_LIES, CHUNK_1},
    {"19 record size 0", size_0, {231, 67, 0, 0, 0, 0}, 0, PROBLEM_CHUNK_DATA_CHECKSUM, CHUNK_1},
    {"20 record size huge", size_huge, {231, 67, 0, 0, 0, 0}, 0, PROBLEM_CHUNK_DATA_CHECKSUM, CHUNK_1},
    {"21 size copy differs", trailer_differs, {231, 67, 0, 0, 0, 0}, 0, PROBLEM_CHUNK_DATA_CHECKSUM, CHUNK_1},
    {"22 record magic zeroed", record_magic_gone, {231, 67, 0, 0, 0, 0}, 0, PROBLEM_CHUNK_DATA_CHECKSUM, CHUNK_1},
    {"23 page of zeros", page_of_zeros, {243, 48, 0, 1, 0, 0}, 0, PROBLEM_CHUNK_DATA_CHECKSUM, CHUNK_1},
    {"24 first record zeroed", first_record_gone, {226, 71, 0, 0, 0, 0}, 0, PROBLEM_CHUNK_DATA_CHECKSUM, CHUNK_1},
    {"25 another template's offset", other_template, LIVE(298), 0, PROBLEM_CHUNK_DATA_CHECKSUM, CHUNK_1},
    {"26 definition size huge", definition_huge, LIVE(298), 0, PROBLEM_CHUNK_DATA_CHECKSUM, CHUNK_1},
    {"27 substitution count huge", substitutions_huge, LIVE(297), 1, PROBLEM_CHUNK_DATA_CHECKSUM, CHUNK_1},
    {"28 descriptor beyond record", descriptor_huge, {297, 0, 0, 1, 0, 0}, 0, PROBLEM_CHUNK_DATA_CHECKSUM, CHUNK_1},
    {"29 header time huge", header_time_huge, LIVE(298), 0, NONE, 0},
    {"30 string chain to itself", string_chain_to_itself, LIVE(298), 0, NONE, 0},
    {"31 string table out of chunk", string_table_out, LIVE(298), 0, NONE, 0},
    {"32 chunks out of order", chunks_swapped, LIVE(298), 0, NONE, 0},
    {"33 a chunk stored twice", chunk_twice, LIVE(297), 0, NONE, 0},
    {"35 last record half zero", last_record_torn, {297, 0, 0, 1, 0, 0}, 0, PROBLEM_CHUNK_DATA_CHECKSUM, CHUNK_3},
    {"36 13 bytes of a chunk lost", odd_bytes_of_chunk_1_lost, LIVE(298), 0, PROBLEM_CHUNK_DAMAGED, CHUNK_1},
    {"36 one byte put in", one_byte_put_in, LIVE(298), 0, PROBLEM_CHUNK_DAMAGED, CHUNK_1},
    {"36 part of the header lost", part_of_file_header_lost, LIVE(298), 0, PROBLEM_LOG_HEADER_LIES, 3097},
    {"36 grid shifted by 32 KiB", grid_shifted, LIVE(298), 0, PROBLEM_CHUNK_DAMAGED, CHUNK_1},
    {"37 one byte", one_byte, LIVE(0), 0, PROBLEM_LOG_EMPTY_FILE, 0},
    {"38 header alone", header_only, LIVE(0), 0, PROBLEM_LOG_TRUNCATED, 4096},
    {"no byte", no_byte, LIVE(0), 0, PROBLEM_LOG_EMPTY_FILE, 0},
    {"zeros", only_zeros, LIVE(0), 0, PROBLEM_LOG_NOT_EVTX, 0},
    {"text", only_text, LIVE(0), 0, PROBLEM_LOG_NOT_EVTX, 0},
    {"two logs joined", joined, LIVE(596), 0, PROBLEM_LOG_JOINED, 266240},
    {"count 9, log ends after 4", count_9, LIVE(298), 0, PROBLEM_LOG_TRUNCATED, 266240},
    {"junk in the flags", junk_in_flags, LIVE(298), 0, NONE, 0},
    {"no checksums, says the file", no_checksums, LIVE(298), 0, NONE, 0},
    {"no checksums, says a chunk", chunk_has_no_checksums, LIVE(298), 0, NONE, 0},
    {"a chunk's header unreadable", bad_sectors, {226, 0, 71, 0, 0, 0}, 0, PROBLEM_LOG_UNREADABLE, CHUNK_1},
    {"a sector of an orphan unreadable", bad_sector_of_orphan, {226, 0, 65, 6, 0, 0}, 1, PROBLEM_LOG_UNREADABLE, CHUNK_1 + 20480},
    {"the end unreadable", bad_end, {290, 0, 0, 0, 0, 0}, 1, PROBLEM_LOG_UNREADABLE, CHUNK_3 + 60000},
    {"a letter of a name overwritten", name_changed, LIVE(298), 0, PROBLEM_CHUNK_DATA_CHECKSUM, CHUNK_1},
    {"an orphan chunk is a copy", orphan_is_a_copy, {225, 0, 0, 0, 0, 72}, 0, PROBLEM_CHUNK_DAMAGED, CHUNK_2},
    {"an orphan copy with another value", orphan_copy_differs, {225, 0, 1, 0, 0, 71}, 0, PROBLEM_CHUNK_DAMAGED, CHUNK_2},
    {"an orphan copy that is torn", orphan_copy_is_torn, {225, 0, 0, 0, 0, 72}, 0, PROBLEM_CHUNK_DAMAGED, CHUNK_2},
    {"a torn orphan copy with another value", torn_copy_differs, {225, 0, 0, 1, 0, 71}, 0, PROBLEM_CHUNK_DAMAGED, CHUNK_2},
    {"every definition gone", every_definition_gone, {0, 0, 0, 0, 298, 0}, 0, PROBLEM_RECORD_DAMAGED, 0},
    /* clang-format on */
};

/* The digest is that of all bytes of the log, whatever is wrong with them, or there is none:
 * where bytes cannot be read, and of what is no log. */
static void check_digest(const struct evtx_digest *digest, const struct memory_log *m,
                         const struct evtx_log_facts *facts)
{
    struct digest_values wanted;
    struct digester d;
    bool is_expected = facts->is_evtx || m->bytes.len == 0;
    assert_int_equal(digest->is_whole, is_expected && m->bad_from == m->bad_to);
    if (!digest->is_whole)
        return;
    digester_init(&d, digest->kinds);
    digester_add(&d, m->bytes.ptr, m->bytes.len);
    digester_finish(&d, &wanted);
    assert_memory_equal(&digest->values, &wanted, sizeof wanted);
}

static void read_with(struct outcome *o, struct memory_log *m, unsigned jobs)
{
    struct evtx_reader *reader = evtx_reader_open(EVTX_READER_NATIVE, jobs);
    struct evtx_digest digest = {.kinds = DIGEST_BIT(DIGEST_SHA256) |
                                          DIGEST_BIT(DIGEST_MD5)};
    evtx_reader_recover(reader, true);
    evtx_reader_digest(reader, &digest);
    outcome_read(o, reader, m);
    check_digest(&digest, m, &o->facts);
    evtx_reader_close(reader);
}

static struct text next_line(struct text told, size_t *at)
{
    const char *end = memchr(told.ptr + *at, '\n', told.len - *at);
    struct text line = {told.ptr + *at, (size_t)(end - (told.ptr + *at))};
    *at = (size_t)(end - told.ptr) + 1;
    return line;
}

/* A line without its offset, and without the state before its first field. */
static struct text plain_line(struct arena *arena, struct text line)
{
    static const char *const states[] = {" behind damage|", " orphan chunk|"};
    size_t blank = (size_t)((const char *)memchr(line.ptr, ' ', line.len) - line.ptr);
    line = text_slice(line, blank, SIZE_MAX);
    for (size_t s = 0; s < 2; s++) {
        const char *found = memmem(line.ptr, line.len, states[s], strlen(states[s]));
        if (!found)
            continue;
        struct text before = {line.ptr, (size_t)(found - line.ptr)};
        struct text behind =
            text_slice(line, before.len + strlen(states[s]) - 1, SIZE_MAX);
        return arena_printf(arena, "%.*s%.*s", TEXT(before), TEXT(behind));
    }
    return line;
}

/* Every record that is given whole must be one that was recorded. */
static size_t count_untrue(const struct outcome *o)
{
    struct memory_log *m = open_base();
    struct outcome base;
    struct map recorded = {0};
    struct arena arena = {0};
    read_with(&base, m, 1);
    size_t untrue = 0, at = 0;
    for (size_t i = 0; i < base.records; i++) {
        struct text line = next_line(buffer_text(&base.told), &at);
        map_add(&recorded, map_key_text(plain_line(&arena, line)), 0);
    }
    at = 0;
    for (size_t i = 0; i < o->records; i++) {
        struct text line = next_line(buffer_text(&o->told), &at);
        bool is_partial = text_contains_fold(line, TEXT_LITERAL(" torn|")) ||
                          text_contains_fold(line, TEXT_LITERAL(" torn\n")) ||
                          text_ends_with_fold(line, TEXT_LITERAL(" torn")) ||
                          text_contains_fold(line, TEXT_LITERAL(" positional|"));
        untrue +=
            !is_partial &&
            map_find(&recorded, map_key_text(plain_line(&arena, line))) == MAP_NONE;
    }
    map_release(&recorded);
    arena_release(&arena);
    outcome_release(&base);
    memory_log_free(m);
    return untrue;
}

static size_t damages_with(void (*make)(struct memory_log *), size_t *live)
{
    struct memory_log *m = open_base();
    struct outcome o;
    size_t found = 0;
    make(m);
    read_with(&o, m, 1);
    *live = o.states[RECORD_LIVE];
    for (size_t i = 0; i < o.problems.count; i++)
        found += problem_kinds[o.problems.rows[i].code].class == DAMAGE;
    if (found) {
        const struct problem *p = outcome_problem(&o, PROBLEM_CHUNK_DAMAGED, 0);
        assert_int_equal(p->place.offset, CHUNK_3);
    }
    outcome_release(&o);
    memory_log_free(m);
    return found;
}

/* The header of a log in use says nothing about its last chunks: a place for a chunk that
 * holds something else may have been one, and "everything could be read" (exit status 0) is
 * not claimed. What is no place for a chunk, or lies behind all that a closed log counts, was
 * none. */
static void noise_where_a_chunk_may_have_been(void **state)
{
    size_t live;
    (void)state;
    assert_int_equal(damages_with(dirty_noise_in_chunk_3, &live), 1);
    assert_int_equal(live, 223);
    assert_int_equal(damages_with(dirty_noise_10k_behind, &live), 0);
    assert_int_equal(live, RECORDS);
    assert_int_equal(damages_with(noise_64k_behind, &live), 0);
    assert_int_equal(live, RECORDS);
}

static void check_damage(void **state)
{
    const struct damage *d = *state;
    struct memory_log *m = open_base();
    if (d->make)
        d->make(m);
    struct outcome o, again;
    read_with(&o, m, 1);
    read_with(&again, m, 4);
    const struct expected got = {
        o.states[RECORD_LIVE],         o.states[RECORD_BEHIND_DAMAGE],
        o.states[RECORD_ORPHAN_CHUNK], o.states[RECORD_TORN],
        o.states[RECORD_POSITIONAL],   o.facts.records_recovered_twice};
    if (memcmp(&got, &d->given, sizeof got) != 0)
        print_message("live %zu, behind %zu, orphan %zu, torn %zu, positional %zu, "
                      "copies %zu, slack %zu\n",
                      got.live, got.behind, got.orphan, got.torn, got.positional,
                      got.copies, o.states[RECORD_SLACK]);
    assert_int_equal(o.status, OK);
    assert_memory_equal(&got, &d->given, sizeof got);
    assert_int_equal(o.states[RECORD_SLACK], 0);
    assert_int_equal(o.facts.records, d->given.live);
    assert_true(o.problems.per_code[PROBLEM_RECORD_NOT_DECODED] +
                    o.problems.per_code[PROBLEM_RECORD_DAMAGED] +
                    o.problems.per_code[PROBLEM_RECORDS_NOT_READ] >=
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
    assert_int_equal(count_untrue(&o),
                     d->make == value_bit || d->make == orphan_copy_differs);
    assert_string_equal(o.told.ptr ? o.told.ptr : "",
                        again.told.ptr ? again.told.ptr : "");
    outcome_release(&o);
    outcome_release(&again);
    memory_log_free(m);
}

/* Bytes that cannot be read count as zeros, which must not be told as what the log holds:
 * they are told once, whole, and what reaches into them as not read. */
static void what_cannot_be_read_is_no_content(void **state)
{
    static const struct {
        const char *name;
        uint64_t from, to; /* 0: the log's end */
        size_t live;
    } cases[] = {
        {"the whole log",                 0,                0,               0  },
        {"the file header",               0,                4096,            298},
        {"all behind the file header",    4096,             0,               0  },
        {"half of the file header",       1000,             4096,            298},
        {"a chunk",                       CHUNK_1,          CHUNK_2,         226},
        {"a chunk and a half",            CHUNK_1,          CHUNK_2 + 32768, 153},
        {"the first chunk and a header",  0,                CHUNK_1,         220},
        {"a page inside a chunk",         CHUNK_1 + 8192,   CHUNK_1 + 12288, 232},
        {"the last two chunks",           CHUNK_2,          0,               150},
        {"the end of a chunk",            CHUNK_3 + 60000,  0,               290},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct memory_log *m = open_base();
        struct outcome o;
        size_t wrong = 0;
        m->bad_from = cases[i].from;
        m->bad_to = cases[i].to ? cases[i].to : m->bytes.len;
        read_with(&o, m, 4);
        const struct problem *row = outcome_problem(&o, PROBLEM_LOG_UNREADABLE, 0);
        for (size_t n = 0; n < o.problems.count; n++) {
            enum problem_code code = o.problems.rows[n].code;
            wrong += code != PROBLEM_LOG_UNREADABLE &&
                     code != PROBLEM_RECORDS_NOT_READ &&
                     code != PROBLEM_TEMPLATE_RESTORED;
        }
        if (wrong || o.states[RECORD_LIVE] != cases[i].live || !row)
            print_message("%s: %zu live, first %s %.*s\n", cases[i].name,
                          o.states[RECORD_LIVE],
                          problem_kinds[o.problems.rows[0].code].code,
                          TEXT(o.problems.rows[0].message));
        assert_int_equal(wrong, 0);
        assert_int_equal(o.states[RECORD_LIVE], cases[i].live);
        assert_int_equal(o.problems.per_code[PROBLEM_LOG_UNREADABLE], 1);
        assert_int_equal(row->place.offset, m->bad_from);
        assert_int_equal(strtoull(row->message.ptr, NULL, 10), m->bad_to - m->bad_from);
        assert_int_equal(o.facts.bytes_unreadable, m->bad_to - m->bad_from);
        assert_int_equal(count_untrue(&o), 0);
        outcome_release(&o);
        memory_log_free(m);
    }
}

static struct outcome read_damaged(void (*make)(struct memory_log *m), size_t *at)
{
    struct memory_log *m = open_base();
    struct outcome o;
    *at = victim(m);
    make(m);
    read_with(&o, m, 1);
    memory_log_free(m);
    return o;
}

/* Whatever is damaged in the sixth record of chunk 1 is told at its byte, under its id. */
static void a_damaged_record_is_named(void **state)
{
    (void)state;
    static const struct one {
        void (*make)(struct memory_log *m);
        enum problem_code code;
        const char *words;
    } ones[] = {
        {size_0,             PROBLEM_RECORD_DAMAGED,     "its size was damaged"     },
        {size_huge,          PROBLEM_RECORD_DAMAGED,     "its size was damaged"     },
        {trailer_differs,    PROBLEM_RECORD_DAMAGED,     "its size copy was damaged"},
        {record_magic_gone,  PROBLEM_RECORD_DAMAGED,     "its magic was damaged"    },
        {other_template,     PROBLEM_TEMPLATE_RESTORED,  "found by its id"          },
        {substitutions_huge, PROBLEM_RECORD_NOT_DECODED, "more values"              },
        {descriptor_huge,    PROBLEM_RECORD_DAMAGED,     "longer than its record"   },
    };
    for (size_t i = 0; i < sizeof ones / sizeof *ones; i++) {
        size_t at;
        struct outcome o = read_damaged(ones[i].make, &at);
        bool found = false;
        const struct problem *p;
        for (size_t n = 0; (p = outcome_problem(&o, ones[i].code, n)); n++)
            found |= p->place.offset == at && p->place.record_id == 84 &&
                     text_contains_fold(p->message, text_from(ones[i].words));
        if (!found)
            print_message("%s\n", ones[i].words);
        assert_true(found);
        outcome_release(&o);
    }
}

/* Neither of two records of one identity is dropped; which they are is told. */
static void another_content_is_told(void **state)
{
    (void)state;
    struct memory_log *m = open_base();
    struct outcome o;
    struct evtx_frame f = frame_of(m, CHUNK_1, 5);
    char place[64];
    snprintf(place, sizeof place, "of the one at offset %u", CHUNK_1 + f.offset);
    orphan_copy_differs(m);
    read_with(&o, m, 1);
    assert_int_equal(o.problems.per_code[PROBLEM_RECOVERED_DIFFERS], 1);
    const struct problem *p = outcome_problem(&o, PROBLEM_RECOVERED_DIFFERS, 0);
    assert_int_equal(p->place.offset, CHUNK_2 + f.offset);
    assert_int_equal(p->place.record_id, 84);
    assert_true(text_contains_fold(p->message, text_from(place)));
    outcome_release(&o);
    memory_log_free(m);
}

/* One damaged place is one problem, whatever is made of the record that begins there, and a
 * log that ends inside a chunk is cut once, whatever its header counts. */
static void damage_is_told_once(void **state)
{
    void (*const makes[])(struct memory_log *) = {
        size_0, trailer_differs, record_magic_gone, last_value_torn, cut_in_chunk_3};
    (void)state;
    for (size_t i = 0; i < sizeof makes / sizeof *makes; i++) {
        size_t at;
        struct outcome o = read_damaged(makes[i], &at);
        assert_int_equal(o.problems.per_code[PROBLEM_RECORD_DAMAGED], 1);
        assert_int_equal(o.problems.per_code[PROBLEM_LOG_TRUNCATED],
                         makes[i] == cut_in_chunk_3);
        outcome_release(&o);
    }
}

static void put_u64(struct memory_log *m, size_t at, uint64_t value)
{
    memory_log_u32(m, at, (uint32_t)value);
    memory_log_u32(m, at + 4, (uint32_t)(value >> 32));
}

/* Where System's value of that type and eight bytes lies in the sixth record of chunk 1. */
static size_t system_value_at(struct memory_log *m, uint8_t type)
{
    static struct evtx_values values;
    struct evtx_frame f = frame_of(m, CHUNK_1, 5);
    const uint8_t *chunk = memory_log_at(m, CHUNK_1);
    evtx_values_read(&values, (struct bytes){chunk, EVTX_CHUNK_SIZE}, &f);
    size_t found = 0;
    for (size_t i = 0; i < values.count; i++)
        if (!values.value[i].is_data && values.value[i].type == type &&
            values.value[i].raw.len == 8)
            found = CHUNK_1 + (size_t)(values.value[i].raw.ptr - chunk);
    assert_true(found > 0); /* the record id is the last of its type */
    return found;
}

/* A record that lost its magic or a size is taken for one where its header and what was
 * decoded of it can be a record's; bytes that others left there are none. */
static void what_can_be_a_record(void **state)
{
    static const int64_t year_1999 = 915148800, year_2100 = 4102444800;
    const uint64_t first = filetime_from_unix(year_1999, 0),
                   last = filetime_from_unix(year_2100, 0) - 1;
    enum { HEADER_ID, HEADER_TIME, RECORD_ID, RECORD_TIME };
    const struct {
        int what;
        uint64_t value;
        bool is_record;
    } rows[] = {
        {HEADER_ID,   0,                       false},
        {HEADER_ID,   1,                       true },
        {HEADER_ID,   (UINT64_C(1) << 48) - 1, true },
        {HEADER_ID,   UINT64_C(1) << 48,       false},
        {HEADER_TIME, 0,                       true },
        {HEADER_TIME, first - 1,               false},
        {HEADER_TIME, first,                   true },
        {HEADER_TIME, last,                    true },
        {HEADER_TIME, last + 1,                false},
        {RECORD_ID,   0,                       false},
        {RECORD_ID,   1,                       true },
        {RECORD_ID,   NO_RECORD,               false},
        {RECORD_TIME, 0,                       false},
        {RECORD_TIME, first - 1,               false},
        {RECORD_TIME, first,                   true },
        {RECORD_TIME, last,                    true },
        {RECORD_TIME, last + 1,                false},
    };
    void (*const makes[])(struct memory_log *) = {record_magic_gone, size_0,
                                                  trailer_differs};
    enum { ROWS = sizeof rows / sizeof *rows, MAKES = sizeof makes / sizeof *makes };
    (void)state;
    for (size_t i = 0; i < ROWS * MAKES; i++) {
        size_t row = i % ROWS;
        struct memory_log *m = open_base();
        struct outcome o;
        const size_t at[] = {victim(m) + 8, victim(m) + 16, system_value_at(m, 0x0a),
                             system_value_at(m, 0x11)};
        makes[i / ROWS](m);
        put_u64(m, at[rows[row].what], rows[row].value);
        read_with(&o, m, 1);
        if (o.states[RECORD_BEHIND_DAMAGE] != 66u + rows[row].is_record)
            fail_msg("row %zu, damage %zu: %zu behind damage", row, i / ROWS,
                     o.states[RECORD_BEHIND_DAMAGE]);
        assert_int_equal(o.states[RECORD_TORN], 0);
        outcome_release(&o);
        memory_log_free(m);
    }
}

/* Of a torn record, what stands before the tear is given, and nothing from behind it. */
static void a_torn_record_keeps_its_beginning(void **state)
{
    (void)state;
    size_t at;
    struct outcome o = read_damaged(last_value_torn, &at);
    const char *line = memmem(o.told.ptr, o.told.len, " torn", 5);
    assert_non_null(line);
    const char *end = strchr(line, '\n');
    assert_non_null(memmem(line, (size_t)(end - line), "|UtcTime=20", 11));
    assert_non_null(memmem(line, (size_t)(end - line), "|ProcessId=", 11));
    assert_null(memmem(line, (size_t)(end - line), "|Image=", 7));
    outcome_release(&o);
}

/* Without any template there are System and typed values, without names. */
static void values_without_names(void **state)
{
    (void)state;
    size_t at;
    struct outcome o = read_damaged(every_definition_gone, &at);
    assert_non_null(strstr(o.told.ptr, "Microsoft-Windows-Sysmon"));
    assert_null(strstr(o.told.ptr, "|Image="));
    assert_non_null(strstr(o.told.ptr, "|=C:\\Windows"));
    assert_int_equal(o.facts.records_nameless, RECORDS);
    outcome_release(&o);
}

/* Change a field's name in chunk 0, and take templates from chunk 1. */
static void chunk_0_lies(struct memory_log *m)
{
    *memory_log_at(m, name_at(m, EVTX_HEADER_SIZE, "CommandLine")) = 'X';
    zero(m, CHUNK_1 + 512, 16384);
}

/* A chunk whose checksum is wrong gives no names to others. */
static void only_sound_chunks_lend_templates(void **state)
{
    (void)state;
    size_t at, line_at = 0, borrowed = 0;
    struct outcome o = read_damaged(chunk_0_lies, &at);
    assert_non_null(strstr(o.told.ptr, "|XommandLine=")); /* its own records */
    for (size_t i = 0; i < o.records; i++) {
        struct text line = next_line(buffer_text(&o.told), &line_at);
        if (!text_contains_fold(line, TEXT_LITERAL(" behind damage|")))
            continue;
        borrowed += text_contains_fold(line, TEXT_LITERAL("|CommandLine="));
        assert_false(text_contains_fold(line, TEXT_LITERAL("|XommandLine=")));
    }
    assert_true(borrowed > 0);
    outcome_release(&o);
}

/* Templates of another log of the run give names back. */
static void another_log_gives_names(void **state)
{
    (void)state;
    struct memory_log *m = open_base(), *whole = open_base();
    every_definition_gone(m);
    struct evtx_reader *reader = evtx_reader_open(EVTX_READER_NATIVE, 1);
    struct outcome o;
    assert_int_equal(evtx_reader_learn(reader, &whole->log, NULL), OK);
    outcome_read(&o, reader, m);
    assert_int_equal(o.states[RECORD_LIVE], RECORDS);
    assert_int_equal(o.problems.per_code[PROBLEM_TEMPLATE_RESTORED], RECORDS);
    assert_int_equal(count_untrue(&o), 0);
    outcome_release(&o);
    evtx_reader_close(reader);
    memory_log_free(m);
    memory_log_free(whole);
}

/* More chunks than are on their way at once, by any number of workers; and a second reading
 * is asked for no digest. */
static void a_long_log_is_digested_in_order(void **state)
{
    (void)state;
    struct memory_log *m = open_base();
    size_t len = m->bytes.len - EVTX_HEADER_SIZE;
    for (int i = 0; i < 30; i++) {
        buffer_reserve(&m->bytes, len);
        buffer_add(&m->bytes, m->bytes.ptr + EVTX_HEADER_SIZE, len);
    }
    buffer_add_string(&m->bytes, "and an end that is no chunk");
    m->log.size = m->bytes.len;
    for (unsigned jobs = 1; jobs <= 4; jobs++) {
        struct evtx_reader *reader = evtx_reader_open(EVTX_READER_NATIVE, jobs);
        struct evtx_digest digest = {.kinds = DIGEST_BIT(DIGEST_SHA256)};
        for (int reading = 0; reading < 2; reading++) {
            struct outcome o;
            if (reading == 0)
                evtx_reader_digest(reader, &digest);
            else
                digest.is_whole = false;
            outcome_read(&o, reader, m);
            assert_int_equal(o.records, 31 * RECORDS);
            if (reading == 0)
                check_digest(&digest, m, &o.facts);
            else
                assert_false(digest.is_whole);
            outcome_release(&o);
        }
        evtx_reader_close(reader);
    }
    memory_log_free(m);
}

/* Wherever bytes are overwritten, nothing outside that chunk is lost or changed, and what
 * any number of workers give is the same. */
static void any_byte_may_be_wrong(void **state)
{
    (void)state;
    uint32_t random = 7;
    for (int round = 0; round < 100; round++) {
        struct memory_log *m = open_base();
        for (int i = 0; i < 1 + round; i++) {
            random = random * 1664525 + 1013904223;
            *memory_log_at(m, CHUNK_1 + (random >> 8) % EVTX_CHUNK_SIZE) ^=
                (uint8_t)(1 + (random & 0x7f));
        }
        struct outcome o, again;
        read_with(&o, m, 1);
        read_with(&again, m, 3);
        assert_int_equal(o.status, OK);
        assert_true(o.records >= RECORDS - 72);
        assert_true(o.problems.count > 0);
        assert_true(count_untrue(&o) <= 72);
        assert_string_equal(o.told.ptr, again.told.ptr);
        outcome_release(&o);
        outcome_release(&again);
        memory_log_free(m);
    }
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(a_damaged_record_is_named),
        cmocka_unit_test(what_cannot_be_read_is_no_content),
        cmocka_unit_test(damage_is_told_once),
        cmocka_unit_test(another_content_is_told),
        cmocka_unit_test(what_can_be_a_record),
        cmocka_unit_test(a_torn_record_keeps_its_beginning),
        cmocka_unit_test(values_without_names),
        cmocka_unit_test(another_log_gives_names),
        cmocka_unit_test(only_sound_chunks_lend_templates),
        cmocka_unit_test(any_byte_may_be_wrong),
        cmocka_unit_test(a_long_log_is_digested_in_order),
        cmocka_unit_test(noise_where_a_chunk_may_have_been),
    };
    enum {
        CASES = sizeof damages / sizeof *damages,
        OTHERS = sizeof others / sizeof *others
    };
    struct CMUnitTest tests[CASES + OTHERS];
    memcpy(tests, others, sizeof others);
    for (size_t i = 0; i < CASES; i++)
        tests[i + OTHERS] = (struct CMUnitTest){.name = damages[i].name,
                                                .test_func = check_damage,
                                                .initial_state = (void *)&damages[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
