/* SPDX-License-Identifier: Apache-2.0
 * bytes.h - bounded little-endian reads of evidence.
 *
 * A read beyond the end gives 0 and touches nothing, so a caller that checked its bounds
 * pays one compare and one that forgot cannot read foreign memory. Use bytes_has() where
 * "0" and "not there" must differ. */
#ifndef FOREBEAR_BYTES_H
#define FOREBEAR_BYTES_H

#include <string.h>

#include "util/text.h"

static inline bool bytes_has(struct bytes b, size_t at, size_t len)
{
    return at <= b.len && len <= b.len - at;
}

/* [at, at+len) cut to what there is. */
static inline struct bytes bytes_slice(struct bytes b, size_t at, size_t len)
{
    if (at > b.len)
        at = b.len;
    if (len > b.len - at)
        len = b.len - at;
    return (struct bytes){b.ptr + at, len};
}

static inline struct bytes bytes_from(struct bytes b, size_t at)
{
    return bytes_slice(b, at, SIZE_MAX);
}

static inline uint8_t bytes_u8(struct bytes b, size_t at)
{
    return bytes_has(b, at, 1) ? b.ptr[at] : 0;
}

static inline uint16_t bytes_u16(struct bytes b, size_t at)
{
    return bytes_has(b, at, 2) ? (uint16_t)(b.ptr[at] | b.ptr[at + 1] << 8) : 0;
}

static inline uint32_t bytes_u32(struct bytes b, size_t at)
{
    return bytes_has(b, at, 4)
               ? (uint32_t)b.ptr[at] | (uint32_t)b.ptr[at + 1] << 8 |
                     (uint32_t)b.ptr[at + 2] << 16 | (uint32_t)b.ptr[at + 3] << 24
               : 0;
}

static inline uint64_t bytes_u64(struct bytes b, size_t at)
{
    return bytes_has(b, at, 8)
               ? (uint64_t)bytes_u32(b, at) | (uint64_t)bytes_u32(b, at + 4) << 32
               : 0;
}

static inline bool bytes_equal_at(struct bytes b, size_t at, const void *what,
                                  size_t len)
{
    return bytes_has(b, at, len) && memcmp(b.ptr + at, what, len) == 0;
}

#endif
