/* SPDX-License-Identifier: Apache-2.0
 * log_damage.h - one way to damage a log each, for the tests of both readers: four chunks
 * that hold 78, 72, 73 and 75 Sysmon records, header ids 1 to 298. */
#ifndef FOREBEAR_LOG_DAMAGE_H
#define FOREBEAR_LOG_DAMAGE_H

#include "base_log.h"

#include <stdlib.h>

#include "test.h"

enum {
    CHUNKS = 4,
    RECORDS = 298,
    CHUNK_1 = EVTX_HEADER_SIZE + EVTX_CHUNK_SIZE,
    CHUNK_2 = CHUNK_1 + EVTX_CHUNK_SIZE,
    CHUNK_3 = CHUNK_2 + EVTX_CHUNK_SIZE,
};

/* Where record n of a chunk lies, counted from 0. */
static inline struct evtx_frame frame_of(struct memory_log *m, size_t chunk_at,
                                         unsigned n)
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
static inline size_t victim(struct memory_log *m)
{
    return CHUNK_1 + frame_of(m, CHUNK_1, 5).offset;
}

static inline void zero(struct memory_log *m, size_t at, size_t len)
{
    memset(memory_log_at(m, at), 0, len);
}

/* Bytes that look like nothing, the same in every run. */
static inline void add_noise(struct memory_log *m, size_t at, size_t len)
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

static inline void cut(struct memory_log *m, size_t size)
{
    m->bytes.len = m->log.size = size;
}

static inline void reseal(struct memory_log *m)
{
    memory_log_seal(m);
    for (unsigned i = 0; i < CHUNKS; i++)
        memory_log_seal_chunk(m, i);
}

static inline void set_header(struct memory_log *m, size_t at, uint8_t value)
{
    *memory_log_at(m, at) = value;
    memory_log_seal(m);
}

/* ---- the cases */

static inline void file_magic_gone(struct memory_log *m)
{
    zero(m, 0, 8);
}
static inline void file_checksum(struct memory_log *m)
{
    *memory_log_at(m, 124) ^= 1;
}
static inline void count_0(struct memory_log *m)
{
    set_header(m, 42, 0);
}
static inline void count_1(struct memory_log *m)
{
    set_header(m, 42, 1);
}
static inline void count_9(struct memory_log *m)
{
    set_header(m, 42, 9);
}
static inline void version_3_9(struct memory_log *m)
{
    set_header(m, 36, 9);
}
static inline void junk_in_flags(struct memory_log *m)
{
    memory_log_u32(m, 120, 0x1b970000);
    memory_log_seal(m);
}
static inline void no_checksums(struct memory_log *m)
{
    memory_log_u32(m, 120, EVTX_FLAG_NO_CRC);
    *memory_log_at(m, 124) ^= 1;
    *memory_log_at(m, CHUNK_1 + 52) ^= 1;
}
static inline void chunk_has_no_checksums(struct memory_log *m)
{
    memory_log_u32(m, CHUNK_1 + 120, 5);
    *memory_log_at(m, CHUNK_1 + 52) ^= 1;
}
static inline void dirty_count_1(struct memory_log *m)
{
    memory_log_u32(m, 120, EVTX_FLAG_DIRTY);
    count_1(m);
}
static inline void cut_in_chunk_3(struct memory_log *m)
{
    struct evtx_frame f = frame_of(m, CHUNK_3, 31);
    cut(m, CHUNK_3 + f.offset + f.size / 2);
}
static inline void noise_10k_behind(struct memory_log *m)
{
    add_noise(m, m->bytes.len, 10240);
}
static inline void noise_64k_behind(struct memory_log *m)
{
    add_noise(m, m->bytes.len, 65536);
}
/* A log in use whose last chunk is lost, and was counted or not. */
static inline void dirty_noise_in_chunk_3(struct memory_log *m)
{
    memory_log_u32(m, 120, EVTX_FLAG_DIRTY);
    cut(m, CHUNK_3);
    add_noise(m, CHUNK_3, EVTX_CHUNK_SIZE);
    count_1(m);
}
static inline void dirty_noise_10k_behind(struct memory_log *m)
{
    memory_log_u32(m, 120, EVTX_FLAG_DIRTY);
    count_1(m);
    noise_10k_behind(m);
}
static inline void hole(struct memory_log *m)
{
    zero(m, CHUNK_1, EVTX_CHUNK_SIZE);
}
static inline void hole_at_end(struct memory_log *m)
{
    zero(m, CHUNK_3, EVTX_CHUNK_SIZE);
}
static inline void chunk_magic_gone(struct memory_log *m)
{
    zero(m, CHUNK_1, 8);
}
static inline void chunk_header_gone(struct memory_log *m)
{
    zero(m, CHUNK_1, 512);
}
static inline void chunk_header_checksum(struct memory_log *m)
{
    *memory_log_at(m, CHUNK_1 + 124) ^= 1;
}
static inline void value_bit(struct memory_log *m)
{
    struct evtx_frame f = frame_of(m, CHUNK_1, 5);
    *memory_log_at(m, CHUNK_1 + f.offset + f.size - 20) ^= 1;
}
static inline void free_space_512(struct memory_log *m)
{
    memory_log_u32(m, CHUNK_1 + 48, 512);
    reseal(m);
}
static inline void free_space_huge(struct memory_log *m)
{
    memory_log_u32(m, CHUNK_1 + 48, 0x7fffffff);
    reseal(m);
}
static inline void last_id_small(struct memory_log *m)
{
    memory_log_u32(m, CHUNK_1 + 16, 83);
    memory_log_u32(m, CHUNK_1 + 32, 83);
    reseal(m);
}
static inline void last_offset_small(struct memory_log *m)
{
    memory_log_u32(m, CHUNK_1 + 44, frame_of(m, CHUNK_1, 5).offset);
    reseal(m);
}
static inline void size_0(struct memory_log *m)
{
    memory_log_u32(m, victim(m) + 4, 0);
}
static inline void size_huge(struct memory_log *m)
{
    memory_log_u32(m, victim(m) + 4, 0xfffffff8);
}
static inline void trailer_differs(struct memory_log *m)
{
    memory_log_u32(m, victim(m) + frame_of(m, CHUNK_1, 5).size - 4, 8);
}
static inline void record_magic_gone(struct memory_log *m)
{
    zero(m, victim(m), 4);
}
static inline void first_record_gone(struct memory_log *m)
{
    struct evtx_frame f = frame_of(m, CHUNK_1, 0);
    zero(m, CHUNK_1 + f.offset, f.size);
}
static inline void last_record_torn(struct memory_log *m)
{
    struct evtx_frame f = frame_of(m, CHUNK_3, 74);
    zero(m, CHUNK_3 + f.offset + f.size / 2, f.size - f.size / 2);
}
/* Of the sixth record's outer template instance. */
static inline size_t instance(struct memory_log *m)
{
    return victim(m) + 24 + 4;
}
static inline void other_template(struct memory_log *m)
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
static inline void definition_huge(struct memory_log *m)
{
    memory_log_u32(m, CHUNK_1 + 512 + 24 + 4 + 10 + 20, 0x7ffffff0);
}
static inline void substitutions_huge(struct memory_log *m)
{
    memory_log_u32(m, instance(m) + 10, 0xffffffff);
}
static inline void descriptor_huge(struct memory_log *m)
{
    *memory_log_at(m, instance(m) + 14 + 4 * 14 + 1) = 0xff;
}
static inline void header_time_huge(struct memory_log *m)
{
    memset(memory_log_at(m, victim(m) + 16), 0xff, 8);
    reseal(m);
}
static inline void string_table_out(struct memory_log *m)
{
    memory_log_u32(m, CHUNK_1 + 128, 0x00ffff00);
    reseal(m);
}
static inline void string_chain_to_itself(struct memory_log *m)
{
    for (int i = 0; i < 64; i++) {
        struct bytes chunk = {memory_log_at(m, CHUNK_1), EVTX_CHUNK_SIZE};
        uint32_t at = bytes_u32(chunk, 128 + 4 * (size_t)i);
        if (at)
            memory_log_u32(m, CHUNK_1 + at, at);
    }
    reseal(m);
}
static inline void chunks_swapped(struct memory_log *m)
{
    char one[EVTX_CHUNK_SIZE];
    memcpy(one, memory_log_at(m, CHUNK_1), sizeof one);
    memcpy(memory_log_at(m, CHUNK_1), memory_log_at(m, CHUNK_2), sizeof one);
    memcpy(memory_log_at(m, CHUNK_2), one, sizeof one);
}
static inline void chunk_twice(struct memory_log *m)
{
    memcpy(memory_log_at(m, CHUNK_2), memory_log_at(m, CHUNK_1), EVTX_CHUNK_SIZE);
}
static inline void grid_shifted(struct memory_log *m)
{
    add_noise(m, CHUNK_1, 32768);
}
static inline void take_out(struct memory_log *m, size_t at, size_t len)
{
    memmove(m->bytes.ptr + at, m->bytes.ptr + at + len, m->bytes.len - at - len);
    cut(m, m->bytes.len - len);
}
/* Chunks 2 and 3 then lie before their places, at a multiple of 512 or at none. */
static inline void end_of_chunk_1_lost(struct memory_log *m)
{
    take_out(m, CHUNK_2 - 512, 512);
}
static inline void odd_bytes_of_chunk_1_lost(struct memory_log *m)
{
    take_out(m, CHUNK_2 - 13, 13);
}
static inline void half_a_record_lost(struct memory_log *m)
{
    take_out(m, victim(m) + 100, 512);
}
static inline void one_byte_put_in(struct memory_log *m)
{
    add_noise(m, CHUNK_1, 1);
}
static inline void part_of_file_header_lost(struct memory_log *m)
{
    take_out(m, 1000, 999);
}
static inline void header_only(struct memory_log *m)
{
    cut(m, EVTX_HEADER_SIZE);
}
static inline void one_byte(struct memory_log *m)
{
    cut(m, 1);
}
static inline void no_byte(struct memory_log *m)
{
    cut(m, 0);
}
static inline void only_zeros(struct memory_log *m)
{
    zero(m, 0, m->bytes.len);
}
static inline void only_text(struct memory_log *m)
{
    memset(m->bytes.ptr, 'x', m->bytes.len);
}
static inline void bad_sectors(struct memory_log *m)
{
    m->bad_from = CHUNK_1;
    m->bad_to = CHUNK_1 + 4096;
}
static inline void bad_sector_of_orphan(struct memory_log *m)
{
    chunk_magic_gone(m);
    m->bad_from = CHUNK_1 + 20480;
    m->bad_to = CHUNK_1 + 20480 + 512;
}
static inline void bad_end(struct memory_log *m)
{
    m->bad_from = CHUNK_3 + 60000;
    m->bad_to = m->bytes.len;
}

static inline struct memory_log *open_base(void)
{
    return base_log_open();
}

#endif
