/* SPDX-License-Identifier: Apache-2.0 */
#include "util/guid.h"

#include <string.h>

#ifdef __SSE2__
# include <emmintrin.h>
#endif

/* Which byte each pair of hex digits is, in the order they are printed. */
static const uint8_t printed_order[16] = {3, 2, 1,  0,  5,  4,  7,  6,
                                          8, 9, 10, 11, 12, 13, 14, 15};

static bool dash_follows(size_t pair)
{
    return pair == 3 || pair == 5 || pair == 7 || pair == 9;
}

/* Two hex digits of each byte, in the order in which they lie. */
static inline void write_hex(char to[32], const uint8_t bytes[16])
{
#ifdef __SSE2__
    const __m128i nibble = _mm_set1_epi8(15), nine = _mm_set1_epi8(9);
    const __m128i zero = _mm_set1_epi8('0'), letters = _mm_set1_epi8('A' - '9' - 1);
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    __m128i high = _mm_and_si128(_mm_srli_epi16(b, 4), nibble);
    __m128i low = _mm_and_si128(b, nibble);
    high = _mm_add_epi8(_mm_add_epi8(high, zero),
                        _mm_and_si128(_mm_cmpgt_epi8(high, nine), letters));
    low = _mm_add_epi8(_mm_add_epi8(low, zero),
                       _mm_and_si128(_mm_cmpgt_epi8(low, nine), letters));
    _mm_storeu_si128((__m128i *)(void *)to, _mm_unpacklo_epi8(high, low));
    _mm_storeu_si128((__m128i *)(void *)(to + 16), _mm_unpackhi_epi8(high, low));
#else
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < 16; i++) {
        to[2 * i] = digits[bytes[i] >> 4];
        to[2 * i + 1] = digits[bytes[i] & 15];
    }
#endif
}

/* The first three numbers lie with their low byte first. */
struct text guid_format(char out[GUID_TEXT_MAX], const struct guid *guid)
{
    static const uint8_t place[8] = {1, 3, 5, 7, 10, 12, 15, 17};
    char hex[32];
    write_hex(hex, guid->bytes);
    memcpy(out, "{00000000-0000-0000-0000-000000000000}", GUID_TEXT_MAX);
    for (size_t i = 0; i < 8; i++)
        memcpy(out + place[i], hex + (size_t)2 * printed_order[i], 2);
    memcpy(out + 20, hex + 16, 4);
    memcpy(out + 25, hex + 20, 12);
    return (struct text){out, GUID_TEXT_MAX - 1};
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool guid_parse(struct text t, struct guid *guid)
{
    if (t.len == 38 && t.ptr[0] == '{' && t.ptr[37] == '}')
        t = text_slice(t, 1, 36);
    if (t.len != 36)
        return false;
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        int high = hex_value(t.ptr[at]), low = hex_value(t.ptr[at + 1]);
        if (high < 0 || low < 0)
            return false;
        guid->bytes[printed_order[i]] = (uint8_t)(high << 4 | low);
        at += 2;
        if (dash_follows(i) && t.ptr[at++] != '-')
            return false;
    }
    return true;
}
