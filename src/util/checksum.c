/* SPDX-License-Identifier: Apache-2.0
 * Folding: Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
 * Instruction", Intel 2009. Bytes that lie n bits before others are multiplied by x^n modulo
 * the polynomial and added to these, which leaves the checksum of what follows the same. */
#include "util/checksum.h"

#include <libdeflate.h>

#ifdef __x86_64__
# include <immintrin.h>

enum { LANES = 4, LANE = 64, BLOCK = LANES * LANE, WORTH_IT = 2 * BLOCK };

/* x^(2048+32) and x^(2048-32) modulo x^32+x^26+...+1, bits reflected, moved left by one. */
# define FOLD_LOW  0x11542778a
# define FOLD_HIGH 0x1322d1430

__attribute__((target("avx512f,vpclmulqdq"))) static size_t
fold_blocks(const uint8_t *from, size_t len, uint8_t state[BLOCK])
{
    const __m512i by = _mm512_broadcast_i32x4(_mm_set_epi64x(FOLD_HIGH, FOLD_LOW));
    __m512i lane[LANES];
    for (int i = 0; i < LANES; i++)
        lane[i] = _mm512_loadu_si512(from + LANE * i);
    /* A checksum begins with all bits set: added to the first 32 of them. */
    lane[0] = _mm512_xor_si512(lane[0], _mm512_zextsi128_si512(_mm_cvtsi32_si128(-1)));
    size_t at = BLOCK;
    for (; at + BLOCK <= len; at += BLOCK)
        for (int i = 0; i < LANES; i++) {
            __m512i low = _mm512_clmulepi64_epi128(lane[i], by, 0x00);
            __m512i high = _mm512_clmulepi64_epi128(lane[i], by, 0x11);
            __m512i next = _mm512_loadu_si512(from + at + LANE * i);
            lane[i] = _mm512_xor_si512(_mm512_xor_si512(low, high), next);
        }
    for (int i = 0; i < LANES; i++)
        _mm512_storeu_si512(state + LANE * i, lane[i]);
    return at;
}

uint32_t checksum_crc32(const uint8_t *bytes, size_t len)
{
    enum { NO_BITS_SET = -1 }; /* to libdeflate, whose checksums are inverted */
    if (len < WORTH_IT || !__builtin_cpu_supports("avx512f") ||
        !__builtin_cpu_supports("vpclmulqdq"))
        return libdeflate_crc32(0, bytes, len);
    uint8_t state[BLOCK];
    size_t folded = fold_blocks(bytes, len, state);
    uint32_t crc = libdeflate_crc32((uint32_t)NO_BITS_SET, state, sizeof state);
    return libdeflate_crc32(crc, bytes + folded, len - folded);
}

#else

uint32_t checksum_crc32(const uint8_t *bytes, size_t len)
{
    return libdeflate_crc32(0, bytes, len);
}

#endif
