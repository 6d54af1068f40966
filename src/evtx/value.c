/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "evtx/evtx.h"
#include "util/ascii.h"
#include "util/filetime.h"
#include "util/guid.h"
#include "util/utf.h"

enum { SID_MIN = 8, SID_PARTS_MAX = 255, NUMBER_TEXT_MAX = 40 };

const uint8_t value_fixed_length[TYPE_HEX64 + 1] = {
    [0x03] = 1, [0x04] = 1,  [0x05] = 2, [0x06] = 2, [0x07] = 4, [0x08] = 4,
    [0x09] = 8, [0x0a] = 8,  [0x0b] = 4, [0x0c] = 8, [0x0d] = 4, [0x0f] = 16,
    [0x11] = 8, [0x12] = 16, [0x14] = 4, [0x15] = 8,
};

bool value_is_sound_otherwise(uint8_t type, const uint8_t *ptr, uint32_t len)
{
    if (type & TYPE_ARRAY)
        return (type & 0x7f) <= TYPE_HEX64 && (type & 0x7f) != TYPE_NULL;
    switch (type) {
    case TYPE_SID: return len >= SID_MIN && len == SID_MIN + 4u * ptr[1];
    case TYPE_SIZE: return len == 4 || len == 8;
    case TYPE_HANDLE: return len <= 8;
    default:
        return type <= TYPE_HEX64 ? !value_fixed_length[type] : type == TYPE_BINXML;
    }
}

static uint16_t unit_at(const struct value *v, uint32_t at)
{
    return (uint16_t)(v->ptr[at] | v->ptr[at + 1] << 8);
}

uint8_t value_odd_units(const uint8_t *ptr, uint32_t len)
{
    const struct value v = {ptr, len, TYPE_STRING, 0};
    uint8_t flags = 0;
    for (uint32_t i = 0; i + 1 < len; i += 2) {
        uint16_t unit = unit_at(&v, i);
        if (unit == 0)
            flags |= VALUE_EMBEDDED_NUL;
        if (unit < 0xd800 || unit > 0xdfff)
            continue;
        uint16_t next = i + 3 < len ? unit_at(&v, i + 2) : 0;
        if (unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff)
            i += 2;
        else
            flags |= VALUE_NOT_UTF16;
    }
    return flags;
}

void value_prepare_ansi(struct value *v)
{
    while (v->len && v->ptr[v->len - 1] == 0)
        v->len--;
    if (v->len && memchr(v->ptr, 0, v->len))
        v->flags = VALUE_EMBEDDED_NUL;
}

static uint64_t little_endian(const uint8_t *ptr, uint32_t len)
{
    uint64_t number = 0;
    for (uint32_t i = len < 8 ? len : 8; i-- > 0;)
        number = number << 8 | ptr[i];
    return number;
}

/* ---- text; each writer returns how many bytes it wrote */

static size_t write_string(char *to, const char *string)
{
    size_t len = strlen(string);
    memcpy(to, string, len);
    return len;
}

static size_t write_signed(char *to, uint64_t bits, uint32_t len)
{
    unsigned shift = 64 - 8 * len;
    int64_t number = (int64_t)(bits << shift) >> shift;
    if (number >= 0)
        return ascii_write_number(to, (uint64_t)number);
    to[0] = '-';
    return 1 + ascii_write_number(to + 1, -(uint64_t)number);
}

static size_t write_hex_number(char *to, uint64_t number)
{
    char digits[16];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[number & 15];
        number >>= 4;
    } while (number);
    to[0] = '0';
    to[1] = 'x';
    memcpy(to + 2, digits + at, sizeof digits - at);
    return 2 + sizeof digits - at;
}

/* The fewest digits that give the same number back. */
static size_t write_real(char *to, const struct value *v)
{
    char text[NUMBER_TEXT_MAX];
    double number = 0;
    float narrow = 0;
    bool is_double = v->len == 8;
    if (is_double)
        memcpy(&number, v->ptr, 8);
    else {
        memcpy(&narrow, v->ptr, 4);
        number = (double)narrow;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (is_double ? strtod(text, NULL) == number : strtof(text, NULL) == narrow)
            break;
    }
    return write_string(to, text);
}

static size_t write_binary(char *to, const struct value *v)
{
    static const char digits[] = "0123456789ABCDEF";
    for (uint32_t i = 0; i < v->len; i++) {
        to[2 * i] = digits[v->ptr[i] >> 4];
        to[2 * i + 1] = digits[v->ptr[i] & 15];
    }
    return 2 * (size_t)v->len;
}

static size_t write_sid(char *to, const struct value *v)
{
    uint64_t authority = 0;
    for (unsigned i = 2; i < 8; i++)
        authority = authority << 8 | v->ptr[i];
    size_t n = write_string(to, "S-");
    n += ascii_write_number(to + n, v->ptr[0]);
    to[n++] = '-';
    if (authority >> 32)
        n += (size_t)snprintf(to + n, 15, "0x%012" PRIx64, authority);
    else
        n += ascii_write_number(to + n, authority);
    for (uint32_t at = SID_MIN; at + 4 <= v->len; at += 4) {
        to[n++] = '-';
        n += ascii_write_number(to + n, little_endian(v->ptr + at, 4));
    }
    return n;
}

static size_t write_filetime(char *to, const struct value *v)
{
    char text[FILETIME_TEXT_MAX];
    struct text t = filetime_format(text, little_endian(v->ptr, 8), FILETIME_REPORT);
    memcpy(to, t.ptr, t.len);
    return t.len;
}

static size_t write_systemtime(char *to, const struct value *v)
{
    char text[64];
    unsigned part[8];
    for (unsigned i = 0; i < 8; i++)
        part[i] = unit_at(v, 2 * i);
    snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", part[0], part[1],
             part[3], part[4], part[5], part[6], part[7]);
    return write_string(to, text);
}

static size_t write_guid(char *to, const struct value *v)
{
    struct guid guid;
    char text[GUID_TEXT_MAX];
    memcpy(guid.bytes, v->ptr, sizeof guid.bytes);
    struct text t = guid_format(text, &guid);
    memcpy(to, t.ptr, t.len);
    return t.len;
}

/* What Windows-1252 has at 80..9f; its five holes become U+FFFD. Source: the WHATWG
 * encoding standard's index, without its C1 controls. */
static const uint16_t windows_1252_high[32] = {
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
    0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
};

static size_t write_ansi(char *to, const struct value *v)
{
    size_t n = 0, replaced = 0;
    for (uint32_t i = 0; i < v->len; i++) {
        uint16_t c = v->ptr[i];
        if (c >= 0x80 && c < 0xa0)
            c = windows_1252_high[c - 0x80];
        uint8_t unit[2] = {(uint8_t)c, (uint8_t)(c >> 8)};
        n += utf_write_utf16le(to + n, (struct bytes){unit, 2}, &replaced);
    }
    return n;
}

static size_t write_utf16(char *to, const struct value *v)
{
    size_t replaced = 0;
    if (ascii_try_narrow(to, v->ptr, v->len / 2))
        return v->len / 2;
    return utf_write_utf16le(to, (struct bytes){v->ptr, v->len}, &replaced);
}

size_t value_write_text(char *to, const struct value *v)
{
    if (v->len == 0)
        return 0;
    switch (v->type) {
    case EVTX_TEXT: memcpy(to, v->ptr, v->len); return v->len;
    case TYPE_STRING: return write_utf16(to, v);
    case TYPE_ANSI: return write_ansi(to, v);
    case 0x03:
    case 0x05:
    case 0x07:
    case 0x09: return write_signed(to, little_endian(v->ptr, v->len), v->len);
    case 0x04:
    case 0x06:
    case 0x08:
    case 0x0a: return ascii_write_number(to, little_endian(v->ptr, v->len));
    case 0x0b:
    case 0x0c: return write_real(to, v);
    case TYPE_BOOL:
        return write_string(to, little_endian(v->ptr, v->len) ? "true" : "false");
    case TYPE_BINARY: return write_binary(to, v);
    case TYPE_GUID: return write_guid(to, v);
    case TYPE_FILETIME: return write_filetime(to, v);
    case TYPE_SYSTEMTIME: return write_systemtime(to, v);
    case TYPE_SID: return write_sid(to, v);
    case TYPE_SIZE:
    case TYPE_HEX32:
    case TYPE_HEX64:
    case TYPE_HANDLE: return write_hex_number(to, little_endian(v->ptr, v->len));
    default: return 0;
    }
}

size_t value_text_max(const struct value *v)
{
    switch (v->type) {
    case EVTX_TEXT: return v->len;
    case TYPE_STRING: return UTF8_PER_UNIT * (size_t)(v->len / 2);
    case TYPE_ANSI: return UTF8_PER_UNIT * (size_t)v->len;
    case TYPE_BINARY: return 2 * (size_t)v->len;
    case TYPE_SID: return 32 + 11 * (size_t)(v->len / 4);
    default: return 64;
    }
}

void value_add_text(struct buffer *out, const struct value *v)
{
    out->len += value_write_text(buffer_reserve(out, value_text_max(v)), v);
    out->ptr[out->len] = '\0';
}

bool value_number(const struct value *v, uint64_t *number)
{
    bool unsigned_integer = v->type >= 0x04 && v->type <= 0x0a && !(v->type & 1);
    if (v->len == 0 ||
        !(unsigned_integer || v->type == TYPE_BOOL || v->type == TYPE_FILETIME ||
          v->type == TYPE_HEX32 || v->type == TYPE_HEX64 || v->type == TYPE_SIZE))
        return false;
    *number = little_endian(v->ptr, v->len);
    return true;
}

/* Where the item that starts at `at` ends, behind its NUL if it has one. */
static uint32_t string_item_end(const struct value *array, uint32_t at, uint32_t width)
{
    for (; at + width <= array->len; at += width)
        if (array->ptr[at] == 0 && (width == 1 || array->ptr[at + 1] == 0))
            return at + width;
    return array->len;
}

bool value_item(const struct value *array, uint32_t *at, struct value *item)
{
    uint8_t type = array->type & 0x7f;
    if (*at >= array->len)
        return false;
    uint32_t left = array->len - *at,
             len = value_fixed_length[type <= TYPE_HEX64 ? type : 0];
    if (type == TYPE_STRING || type == TYPE_ANSI)
        len = string_item_end(array, *at, type == TYPE_STRING ? 2 : 1) - *at;
    else if (type == TYPE_SID)
        len = left >= SID_MIN ? SID_MIN + 4u * array->ptr[*at + 1] : 0;
    if (len == 0 || len > left) {
        *at = array->len;
        return false;
    }
    *item = (struct value){array->ptr + *at, len, type, 0};
    value_prepare(item);
    *at += len;
    return true;
}
