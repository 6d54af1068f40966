/* SPDX-License-Identifier: Apache-2.0
 * 32 units at a time, where the processor can; what is left behind the last of them is one more
 * step, of which only so many units count. */
#include "util/ascii.h"

#ifdef ASCII_HAS_WIDE
# include <immintrin.h>

# define WIDE __attribute__((target("avx512f,avx512bw")))

enum { STEP = 32 };

static inline uint32_t first_units(size_t count)
{
    return (UINT32_C(1) << count) - 1;
}

WIDE bool ascii_wide_are_plain(const uint8_t *utf16, size_t units)
{
    const __m512i one = _mm512_set1_epi16(1),
                  last = _mm512_set1_epi16((short)(0xd7ff - 1));
    __mmask32 wrong = 0;
    size_t i = 0;
    for (; i + STEP <= units; i += STEP) {
        __m512i step = _mm512_sub_epi16(_mm512_loadu_si512(utf16 + 2 * i), one);
        wrong |= _mm512_cmpgt_epu16_mask(step, last);
    }
    __mmask32 left = first_units(units - i);
    __m512i step = _mm512_sub_epi16(_mm512_maskz_loadu_epi16(left, utf16 + 2 * i), one);
    return (wrong | _mm512_mask_cmpgt_epu16_mask(left, step, last)) == 0;
}

WIDE bool ascii_wide_try_narrow(char *to, const uint8_t *utf16, size_t units)
{
    __m512i seen = _mm512_setzero_si512();
    size_t i = 0;
    for (; i + STEP <= units; i += STEP) {
        __m512i step = _mm512_loadu_si512(utf16 + 2 * i);
        seen = _mm512_or_si512(seen, step);
        _mm256_storeu_si256((__m256i *)(void *)(to + i), _mm512_cvtepi16_epi8(step));
    }
    __mmask32 left = first_units(units - i);
    __m512i step = _mm512_maskz_loadu_epi16(left, utf16 + 2 * i);
    _mm512_mask_cvtepi16_storeu_epi8(to + i, left, step);
    seen = _mm512_or_si512(seen, step);
    return _mm512_test_epi16_mask(seen, _mm512_set1_epi16((short)0xff80)) == 0;
}

#endif
