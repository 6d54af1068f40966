/* SPDX-License-Identifier: Apache-2.0 */
#include "util/cell.h"

#include <string.h>

#ifdef __SSE2__
# include <emmintrin.h>

enum { STEP = 16 };

/* What sixteen bytes ask of their cell: a quote, a comma, a control character, or one that
 * is not ASCII. */
static inline unsigned bytes_ask(const char *at)
{
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(b, _mm_set1_epi8(0x1f)), b);
    __m128i quote = _mm_cmpeq_epi8(b, _mm_set1_epi8('"'));
    __m128i mark = _mm_or_si128(control, _mm_cmpeq_epi8(b, _mm_set1_epi8(',')));
    return (_mm_movemask_epi8(mark) ? CELL_QUOTED : CELL_PLAIN) |
           (_mm_movemask_epi8(quote) ? CELL_QUOTED | CELL_HOLDS_QUOTE : CELL_PLAIN) |
           (_mm_movemask_epi8(b) ? CELL_NOT_ASCII : CELL_PLAIN);
}

/* Copies sixteen bytes; returns where the first quote in them is, 16 for none. */
static inline unsigned copy_step(char *to, const char *from)
{
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)from);
    _mm_storeu_si128((__m128i *)(void *)to, b);
    unsigned quotes =
        (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(b, _mm_set1_epi8('"')));
    return (unsigned)__builtin_ctz(quotes | 1u << STEP);
}
#else
enum { STEP = 8 };

/* Does one of the eight bytes have its high bit set in `found`? */
# define EACH_BYTE(c) ((c)*UINT64_C(0x0101010101010101))

static uint64_t zero_bytes(uint64_t word)
{
    return (word - EACH_BYTE(1)) & ~word & EACH_BYTE(0x80);
}

/* What eight bytes ask of their cell: a quote, a comma, a control character, or one that is
 * not ASCII. */
static unsigned bytes_ask(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t mark = zero_bytes(word ^ EACH_BYTE(',')) |
                    ((word - EACH_BYTE(0x20)) & ~word & EACH_BYTE(0x80));
    uint64_t quote = zero_bytes(word ^ EACH_BYTE('"'));
    return (mark ? CELL_QUOTED : CELL_PLAIN) |
           (quote ? CELL_QUOTED | CELL_HOLDS_QUOTE : CELL_PLAIN) |
           (word & EACH_BYTE(0x80) ? CELL_NOT_ASCII : CELL_PLAIN);
}

/* Copies eight bytes; returns where the first quote in them is, 8 for none. */
static unsigned copy_step(char *to, const char *from)
{
    memcpy(to, from, STEP);
    const char *quote = memchr(from, '"', STEP);
    return quote ? (unsigned)(quote - from) : STEP;
}
#endif

unsigned cell_asks(struct text t)
{
    unsigned asks = CELL_PLAIN;
    char rest[STEP];
    size_t at = 0;
    for (; t.len - at >= STEP; at += STEP)
        asks |= bytes_ask(t.ptr + at);
    if (t.len > at) {
        memset(rest, '.', STEP);
        memcpy(rest, t.ptr + at, t.len - at);
        asks |= bytes_ask(rest);
    }
    if (t.len == 0 || t.ptr[0] == ' ' || t.ptr[t.len - 1] == ' ')
        asks |= CELL_QUOTED;
    return asks;
}

/* A step writes beyond what it takes, up to its whole width: there is room for it. */
void cell_add_quoted(struct buffer *out, struct text t)
{
    char *to = buffer_reserve(out, 2 * t.len + 2 + STEP);
    size_t at = 0;
    *to++ = '"';
    while (t.len - at >= STEP) {
        unsigned plain = copy_step(to, t.ptr + at);
        at += plain;
        to += plain;
        if (plain == STEP)
            continue;
        at++;
        *to++ = '"';
        *to++ = '"';
    }
    for (; at < t.len; at++) {
        *to++ = t.ptr[at];
        if (t.ptr[at] == '"')
            *to++ = '"';
    }
    *to++ = '"';
    out->len = (size_t)(to - out->ptr);
}

static struct text take_quoted(struct text *row, struct buffer *unquoted)
{
    size_t at = 1;
    buffer_clear(unquoted);
    buffer_reserve(unquoted, 1); /* an empty cell is not an absent one */
    while (at < row->len) {
        struct text rest = text_slice(*row, at, SIZE_MAX);
        const char *quote = memchr(rest.ptr, '"', rest.len);
        size_t plain = quote ? (size_t)(quote - rest.ptr) : rest.len;
        buffer_add(unquoted, rest.ptr, plain);
        at += plain + 1;
        if (at >= row->len || row->ptr[at] != '"')
            break;
        buffer_add_char(unquoted, '"');
        at++;
    }
    *row = text_slice(*row, at + 1, SIZE_MAX);
    return buffer_text(unquoted);
}

struct text cell_take(struct text *row, struct buffer *unquoted)
{
    if (row->len && row->ptr[0] == '"')
        return take_quoted(row, unquoted);
    const char *comma = row->len ? memchr(row->ptr, ',', row->len) : NULL;
    struct text cell =
        text_slice(*row, 0, comma ? (size_t)(comma - row->ptr) : row->len);
    *row = text_slice(*row, cell.len + 1, SIZE_MAX);
    return cell.len ? cell : NO_TEXT;
}
