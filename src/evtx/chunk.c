/* SPDX-License-Identifier: Apache-2.0 */
#include <libdeflate.h>

#ifdef __x86_64__
# include <immintrin.h>
#endif

#include "evtx/evtx_internal.h"
#include "util/checksum.h"

static bool header_crc_is_right(struct bytes d)
{
    if (!bytes_has(d, 0, EVTX_CHUNK_HEADER_SIZE))
        return false;
    uint32_t crc = libdeflate_crc32(0, d.ptr, 120);
    crc = libdeflate_crc32(crc, d.ptr + 128, EVTX_CHUNK_HEADER_SIZE - 128);
    return crc == bytes_u32(d, 124);
}

bool evtx_chunk_header_is_right(struct bytes data)
{
    return bytes_equal_at(data, 0, "ElfChnk\0", 8) && header_crc_is_right(data);
}

static bool free_space_is_possible(const struct evtx_chunk *c)
{
    return c->free_space >= EVTX_CHUNK_HEADER_SIZE && c->free_space <= EVTX_CHUNK_SIZE;
}

static bool data_crc_is_right(const struct evtx_chunk *c)
{
    return free_space_is_possible(c) && c->free_space <= c->data.len &&
           checksum_crc32(c->data.ptr + EVTX_CHUNK_HEADER_SIZE,
                          c->free_space - EVTX_CHUNK_HEADER_SIZE) ==
               bytes_u32(c->data, 52);
}

void evtx_chunk_open(struct evtx_chunk *c, struct bytes data)
{
    *c = (struct evtx_chunk){
        .data = data,
        .has_magic = bytes_equal_at(data, 0, "ElfChnk\0", 8),
        .first_number = bytes_u64(data, 8),
        .last_number = bytes_u64(data, 16),
        .first_id = bytes_u64(data, 24),
        .last_id = bytes_u64(data, 32),
        .last_record = bytes_u32(data, 44),
        .free_space = bytes_u32(data, 48),
        .flags = bytes_u32(data, 120) & 7,
        .cursor = EVTX_CHUNK_HEADER_SIZE,
        .previous_id = NO_RECORD,
    };
    c->header_crc_ok = header_crc_is_right(data);
    c->data_crc_ok = data_crc_is_right(c);
    if (!c->has_magic) {
        c->cursor = 0;
        c->records_end = (uint32_t)data.len;
    } else if (free_space_is_possible(c))
        c->records_end = c->free_space < data.len ? c->free_space : (uint32_t)data.len;
    else
        c->records_end = EVTX_CHUNK_HEADER_SIZE;
}

bool evtx_frame_at(struct bytes chunk, uint32_t at, struct evtx_frame *frame)
{
    if (!bytes_equal_at(chunk, at, "**\0\0", 4))
        return false;
    uint32_t size = bytes_u32(chunk, at + 4);
    if (size < EVTX_RECORD_OVERHEAD || size % EVTX_ALIGNMENT != 0 ||
        size > EVTX_CHUNK_SIZE - EVTX_CHUNK_HEADER_SIZE ||
        !bytes_has(chunk, at, size) || bytes_u32(chunk, at + size - 4) != size)
        return false;
    *frame = (struct evtx_frame){.offset = at,
                                 .size = size,
                                 .id = bytes_u64(chunk, at + 8),
                                 .written_filetime = bytes_u64(chunk, at + 16)};
    return true;
}

bool evtx_all_zero(struct bytes b)
{
    return b.len == 0 || (b.ptr[0] == 0 && memcmp(b.ptr, b.ptr + 1, b.len - 1) == 0);
}

/* Behind the header's end of the records there may still be live ones if that end lies.
 * They are believed where their ids go on without a gap up to the header's last id, which
 * no record left over from an earlier use of the chunk does. */
static bool continues_records(const struct evtx_chunk *c,
                              const struct evtx_frame *frame)
{
    uint64_t last = c->last_id > c->last_number ? c->last_id : c->last_number;
    bool follows = c->previous_id == NO_RECORD
                       ? frame->id == c->first_id || frame->id == c->first_number
                       : frame->id == c->previous_id + 1;
    return c->has_magic && follows && frame->id <= last;
}

static uint32_t next_frame_from(const struct evtx_chunk *c, uint32_t at)
{
    struct evtx_frame unused;
    for (; at < c->records_end; at += EVTX_ALIGNMENT)
        if (evtx_frame_at(c->data, at, &unused))
            return at;
    return c->records_end;
}

enum status evtx_chunk_next(struct evtx_chunk *c, struct evtx_frame *frame)
{
    bool fits = evtx_frame_at(c->data, c->cursor, frame);
    if (c->cursor >= c->records_end && !(fits && continues_records(c, frame)))
        return END;
    if (fits) {
        c->cursor += frame->size;
        c->previous_id = frame->id;
        return OK;
    }
    /* A chunk in use may claim space that was not written yet. */
    struct bytes rest = bytes_slice(c->data, c->cursor, c->records_end - c->cursor);
    if (evtx_all_zero(rest)) {
        c->cursor = c->records_end;
        return END;
    }
    uint32_t next = next_frame_from(c, c->cursor + EVTX_ALIGNMENT);
    *frame =
        (struct evtx_frame){.offset = c->cursor,
                            .size = next - c->cursor,
                            .id = bytes_u64(c->data, c->cursor + 8),
                            .written_filetime = bytes_u64(c->data, c->cursor + 16)};
    if (!bytes_equal_at(c->data, c->cursor, "**\0\0", 4))
        frame->id = NO_RECORD;
    c->cursor = next;
    return DAMAGED;
}

/* Four words of four bytes, the first and third of which stand where a record could begin. */
typedef uint32_t words __attribute__((vector_size(16)));
_Static_assert(EVTX_ALIGNMENT == 8, "two words");

static inline words words_at(const uint8_t *at)
{
    words four;
    memcpy(&four, at, sizeof four);
    return four;
}

#ifdef __x86_64__
/* How far no 64 bytes hold it, as a whole step, where the processor can look at them at once. */
__attribute__((target("avx512f"))) static uint32_t
pass_over(const uint8_t *chunk, uint32_t at, uint32_t end, uint32_t magic)
{
    const __mmask16 may_begin = 0x5555;
    const __m512i wanted = _mm512_set1_epi32((int)magic);
    while (at + 64 <= end && !_mm512_mask_cmpeq_epi32_mask(
                                 may_begin, _mm512_loadu_si512(chunk + at), wanted))
        at += 64;
    return at;
}
#endif

/* Every live byte is looked at, so these are comparisons of four bytes and no more. */
uint32_t evtx_next_magic(const uint8_t *chunk, uint32_t at, uint32_t end)
{
    uint32_t magic;
    memcpy(&magic, "**\0\0", sizeof magic);
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f"))
        at = pass_over(chunk, at, end, magic);
#endif
    const words wanted = {magic, magic, magic, magic};
    for (; at + 4 * sizeof wanted <= end; at += 4 * sizeof wanted) {
        const uint8_t *from = chunk + at;
        words met =
            (words)((words_at(from) == wanted) | (words_at(from + 16) == wanted) |
                    (words_at(from + 32) == wanted) | (words_at(from + 48) == wanted));
        if (met[0] | met[2])
            break;
    }
    while (at < end && memcmp(chunk + at, &magic, sizeof magic) != 0)
        at += EVTX_ALIGNMENT;
    return at;
}

uint32_t evtx_frames_count(struct bytes chunk, uint32_t from)
{
    uint32_t count = 0;
    struct evtx_frame frame;
    if (chunk.len < EVTX_RECORD_OVERHEAD)
        return 0;
    uint32_t end = (uint32_t)chunk.len - EVTX_RECORD_OVERHEAD + 1;
    for (uint32_t at = from; (at = evtx_next_magic(chunk.ptr, at, end)) < end;) {
        bool fits = evtx_frame_at(chunk, at, &frame);
        count += fits;
        at += fits ? frame.size : EVTX_ALIGNMENT;
    }
    return count;
}
