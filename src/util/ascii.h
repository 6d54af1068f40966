/* SPDX-License-Identifier: Apache-2.0
 * ascii.h - decimal numbers, and the UTF-16 that nearly all text of event logs is: units of U+0001..U+007F
 * (96 % of the strings of public Sysmon logs). Eight units at a time where the machine has
 * SSE2, four in a 64-bit word elsewhere. Nothing but NULs and surrogates can be wrong in
 * UTF-16, so a look for units that may be one suffices for a run of strings. */
#ifndef FOREBEAR_ASCII_H
#define FOREBEAR_ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
# include <emmintrin.h>
#endif

#ifdef __x86_64__
# define ASCII_HAS_WIDE
#endif

enum { ASCII_NUMBER_MAX = 20 };

/* The two digits of each number below 100. */
static inline void ascii_write_pair(char *to, unsigned value)
{
    static const char pairs[201] = "000102030405060708091011121314151617181920212223242"
                                   "52627282930313233343536373839"
                                   "404142434445464748495051525354555657585960616263646"
                                   "56667686970717273747576777879"
                                   "8081828384858687888990919293949596979899";
    memcpy(to, pairs + 2 * (value % 100), 2);
}

/* A number in decimal. Returns how many digits. */
static inline size_t ascii_write_number(char *to, uint64_t value)
{
    char digits[ASCII_NUMBER_MAX];
    size_t at = sizeof digits;
    for (; value >= 100; value /= 100)
        ascii_write_pair(digits + (at -= 2), (unsigned)(value % 100));
    if (value >= 10)
        ascii_write_pair(digits + (at -= 2), (unsigned)value);
    else
        digits[--at] = (char)('0' + value);
    memcpy(to, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

/* How many units, from the first on, are U+0001..U+007F. */
static inline size_t ascii_units(const uint8_t *utf16, size_t units)
{
    size_t i = 0;
#ifdef __SSE2__
    const __m128i high = _mm_set1_epi16((short)0xff80), zero = _mm_setzero_si128();
    for (; i + 8 <= units; i += 8) {
        __m128i eight = _mm_loadu_si128((const __m128i *)(const void *)(utf16 + 2 * i));
        __m128i low = _mm_cmpeq_epi16(_mm_and_si128(eight, high), zero);
        __m128i good = _mm_andnot_si128(_mm_cmpeq_epi16(eight, zero), low);
        if (_mm_movemask_epi8(good) != 0xffff)
            break;
    }
#else
    for (; i + 4 <= units; i += 4) {
        uint64_t four;
        memcpy(&four, utf16 + 2 * i, 8);
        uint64_t has_zero = (four - UINT64_C(0x0001000100010001)) & ~four &
                            UINT64_C(0x8000800080008000);
        if ((four & UINT64_C(0xff80ff80ff80ff80)) | has_zero)
            break;
    }
#endif
    for (; i < units; i++) {
        unsigned unit = (unsigned)utf16[2 * i] | (unsigned)utf16[2 * i + 1] << 8;
        if (unit - 1 > 0x7e)
            break;
    }
    return i;
}

#ifdef ASCII_HAS_WIDE
/* The same as units_are_plain() and ascii_try_narrow(), 32 units at a time, for processors of
 * which ascii_can_wide() is true. */
bool ascii_wide_are_plain(const uint8_t *utf16, size_t units);
bool ascii_wide_try_narrow(char *to, const uint8_t *utf16, size_t units);

static inline bool ascii_can_wide(void)
{
    return __builtin_cpu_supports("avx512bw");
}
#endif

/* Are all of them U+0001..U+D7FF: no NUL, no surrogate, and nothing above these? The last
 * step overlaps the one before it. */
static inline bool units_are_plain(const uint8_t *utf16, size_t units)
{
#ifdef ASCII_HAS_WIDE
    if (units > 16 && ascii_can_wide())
        return ascii_wide_are_plain(utf16, units);
#endif
#ifdef __SSE2__
    if (units >= 8) {
        /* Moved so that, as signed numbers, the plain ones are the lowest. */
        const __m128i move = _mm_set1_epi16(0x7fff);
        __m128i highest = _mm_set1_epi16((short)0x8000);
        for (size_t i = 0;; i += 8) {
            size_t at = i + 8 <= units ? i : units - 8;
            __m128i eight =
                _mm_loadu_si128((const __m128i *)(const void *)(utf16 + 2 * at));
            highest = _mm_max_epi16(highest, _mm_add_epi16(eight, move));
            if (at + 8 == units)
                return !_mm_movemask_epi8(
                    _mm_cmpgt_epi16(highest, _mm_set1_epi16(0xd7ff - 1 - 0x8000)));
        }
    }
#endif
    for (size_t i = 0; i < units; i++) {
        unsigned unit = (unsigned)utf16[2 * i] | (unsigned)utf16[2 * i + 1] << 8;
        if (unit - 1 > 0xd7ff - 1)
            return false;
    }
    return true;
}

/* One byte for each unit, which must all be below U+0080. */
static inline void ascii_narrow(char *to, const uint8_t *utf16, size_t units)
{
    size_t i = 0;
#ifdef __SSE2__
    for (; i + 16 <= units; i += 16) {
        const __m128i *from = (const __m128i *)(const void *)(utf16 + 2 * i);
        __m128i sixteen =
            _mm_packus_epi16(_mm_loadu_si128(from), _mm_loadu_si128(from + 1));
        _mm_storeu_si128((__m128i *)(void *)(to + i), sixteen);
    }
    for (; i < units && units >= 8; i += 8) {
        i = i + 8 <= units ? i : units - 8;
        __m128i eight = _mm_loadu_si128((const __m128i *)(const void *)(utf16 + 2 * i));
        _mm_storel_epi64((__m128i *)(void *)(to + i), _mm_packus_epi16(eight, eight));
    }
#endif
    for (; i < units; i++)
        to[i] = (char)utf16[2 * i];
}

/* The same of any units. False if one is not below U+0080: then nothing counts that was
 * written. */
static inline bool ascii_try_narrow(char *to, const uint8_t *utf16, size_t units)
{
#ifdef ASCII_HAS_WIDE
    if (units > 16 && ascii_can_wide())
        return ascii_wide_try_narrow(to, utf16, units);
#endif
    unsigned all = 0;
    size_t i = 0;
#ifdef __SSE2__
    if (units >= 8) {
        __m128i seen = _mm_setzero_si128();
        for (; i < units; i += 8) {
            i = i + 8 <= units ? i : units - 8;
            __m128i eight =
                _mm_loadu_si128((const __m128i *)(const void *)(utf16 + 2 * i));
            seen = _mm_or_si128(seen, eight);
            _mm_storel_epi64((__m128i *)(void *)(to + i),
                             _mm_packus_epi16(eight, eight));
        }
        const __m128i high = _mm_set1_epi16((short)0xff80);
        return _mm_movemask_epi8(_mm_cmpeq_epi16(_mm_and_si128(seen, high),
                                                 _mm_setzero_si128())) == 0xffff;
    }
#endif
    for (; i < units; i++) {
        unsigned unit = (unsigned)utf16[2 * i] | (unsigned)utf16[2 * i + 1] << 8;
        to[i] = (char)unit;
        all |= unit;
    }
    return all < 0x80;
}

#endif
