/* SPDX-License-Identifier: Apache-2.0
 * value.h - the typed values of BinXML, as text. Only src/evtx includes this file.
 *
 *   type  bytes  printed as                                    ([MS-EVEN6] 2.2.12, 2.2.16)
 *   00      -    ""
 *   01     any   UTF-16LE; trailing NULs dropped
 *   02     any   Windows-1252; trailing NULs dropped
 *   03 05 07 09  signed, two's complement; 04 06 08 0a unsigned, decimal
 *   0b 0c        the shortest decimal that reads back as the same number
 *   0d      4    true or false (any other number than 0 is true: 8, 16 and 65536 occur)
 *   0e     any   upper-case hex
 *   0f     16    {UPPER-CASE} GUID
 *   10   4 or 8  0x hex: a size_t has the width of the machine that wrote it
 *   11      8    FILETIME as 2026-01-01T00:00:00.0000000Z. Windows prints seven digits here;
 *                libevtx prints nine, the last two always 0
 *   12     16    SYSTEMTIME as 2026-01-01T00:00:00.000Z: it has no more digits
 *   13   8+4n    S-1-...; an authority of 2^32 or more as 12 hex digits ([MS-DTYP] 2.4.2.1)
 *   14 15        0x hex without leading zeros
 *   20     any   handle, 0x hex
 *   81..95       arrays; value_item() gives one item at a time
 */
#ifndef FOREBEAR_EVTX_VALUE_H
#define FOREBEAR_EVTX_VALUE_H

#include "util/ascii.h"
#include "util/bytes.h"

enum {
    TYPE_NULL = 0x00,
    TYPE_STRING = 0x01,
    TYPE_ANSI = 0x02,
    TYPE_BOOL = 0x0d,
    TYPE_BINARY = 0x0e,
    TYPE_GUID = 0x0f,
    TYPE_SIZE = 0x10,
    TYPE_FILETIME = 0x11,
    TYPE_SYSTEMTIME = 0x12,
    TYPE_SID = 0x13,
    TYPE_HEX32 = 0x14,
    TYPE_HEX64 = 0x15,
    TYPE_HANDLE = 0x20,
    TYPE_BINXML = 0x21,
    TYPE_ARRAY = 0x80
};

enum value_flag {
    VALUE_NOT_UTF16 = 2,    /* has a lone surrogate, printed as U+FFFD */
    VALUE_EMBEDDED_NUL = 4, /* a NUL before its end */
};

/* A typed value where it lies: in the chunk, or UTF-8 somewhere else (type EVTX_TEXT). */
struct value {
    const uint8_t *ptr;
    uint32_t len;
    uint8_t type;
    uint8_t flags;
};

/* How long a value of each scalar type is; 0: any length, or told by what is in it. */
extern const uint8_t value_fixed_length[TYPE_HEX64 + 1];

bool value_is_sound_otherwise(uint8_t type, const uint8_t *ptr, uint32_t len);

/* Is it a type that exists, with a length that it can have? A length of 0 is always one. */
static inline bool value_is_sound(uint8_t type, const uint8_t *ptr, uint32_t len)
{
    if (type == TYPE_STRING ||
        (type <= TYPE_HEX64 && (len == 0 || value_fixed_length[type] == len)))
        return true;
    return value_is_sound_otherwise(type, ptr, len);
}

uint8_t value_odd_units(const uint8_t *ptr, uint32_t len);
void value_prepare_ansi(struct value *v);

/* Cut trailing NULs off a string and tell its flags. Other types stay as they are. */
static inline void value_prepare(struct value *v)
{
    v->flags = 0;
    if (v->type == TYPE_STRING) {
        v->len &= ~1u;
        while (v->len >= 2 && v->ptr[v->len - 2] == 0 && v->ptr[v->len - 1] == 0)
            v->len -= 2;
        if (!units_are_plain(v->ptr, v->len / 2))
            v->flags = value_odd_units(v->ptr, v->len);
    } else if (v->type == TYPE_ANSI) {
        value_prepare_ansi(v);
    }
}

/* The bytes that the text of a value can take at most. */
size_t value_text_max(const struct value *v);
/* Write the text of a sound, prepared, scalar value where value_text_max() bytes are free,
 * or add it. Returns the bytes written. */
size_t value_write_text(char *to, const struct value *v);
void value_add_text(struct buffer *out, const struct value *v);
/* As a number: unsigned integers, hex types, booleans and FILETIME; false for others. */
bool value_number(const struct value *v, uint64_t *number);
/* The next item of an array, from *at on; false at its end. *at moves on. */
bool value_item(const struct value *array, uint32_t *at, struct value *item);

#endif
