/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/value.h"

#include <stdio.h>
#include <stdlib.h>

#include "evtx/evtx.h"
#include "util/ascii.h"
#include "util/filetime.h"
#include "util/guid.h"
#include "util/utf.h"

enum { SID_MIN = 8, SID_PARTS_MAX = 255, NUMBER_TEXT_MAX = 40 };

/* How long a value of each scalar type is; 0: any length. */
static const uint8_t fixed_length[] = {
    [0x03] = 1,  [0x04] = 1, [0x05] = 2,  [0x06] = 2, [0x07] = 4,
    [0x08] = 4,  [0x09] = 8, [0x0a] = 8,  [0x0b] = 4, [0x0c] = 8,
    [0x0d] = 4,  [0x0f] = 16, [0x11] = 8, [0x12] = 16, [0x14] = 4,
    [0x15] = 8,
};

static bool type_is_scalar(uint8_t type)
{
    return type <= TYPE_HEX64 || type == TYPE_HANDLE || type == TYPE_BINXML;
}

static bool sid_is_sound(const uint8_t *ptr, uint32_t len)
{
    return len >= SID_MIN && len == SID_MIN + 4u * ptr[1];
}

bool value_is_sound(uint8_t type, const uint8_t *ptr, uint32_t len)
{
    if (type & TYPE_ARRAY)
        return (type & 0x7f) <= TYPE_HEX64 && (type & 0x7f) != TYPE_NULL;
    if (!type_is_scalar(type))
        return false;
    if (len == 0)
        return true;
    switch (type) {
    case TYPE_SID: return sid_is_sound(ptr, len);
    case TYPE_SIZE: return len == 4 || len == 8;
    case TYPE_HANDLE: return len <= 8;
    default: return type > TYPE_HEX64 || !fixed_length[type] || fixed_length[type] == len;
    }
}

static uint16_t unit_at(const struct value *v, uint32_t at)
{
    return (uint16_t)(v->ptr[at] | v->ptr[at + 1] << 8);
}

static void find_odd_units(struct value *v)
{
    for (uint32_t i = 0; i + 1 < v->len; i += 2) {
        uint16_t unit = unit_at(v, i);
        if (unit == 0)
            v->flags |= VALUE_EMBEDDED_NUL;
        if (unit < 0xd800 || unit > 0xdfff)
            continue;
        uint16_t next = i + 3 < v->len ? unit_at(v, i + 2) : 0;
        if (unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff)
            i += 2;
        else
            v->flags |= VALUE_NOT_UTF16;
    }
}

void value_prepare(struct value *v)
{
    v->flags = 0;
    if (v->type == TYPE_STRING) {
        v->len &= ~1u;
        while (v->len >= 2 && unit_at(v, v->len - 2) == 0)
            v->len -= 2;
        if (ascii_units(v->ptr, v->len / 2) == v->len / 2)
            v->flags = VALUE_IS_ASCII;
        else
            find_odd_units(v);
    } else if (v->type == TYPE_ANSI) {
        while (v->len && v->ptr[v->len - 1] == 0)
            v->len--;
        if (v->len && memchr(v->ptr, 0, v->len))
            v->flags = VALUE_EMBEDDED_NUL;
    }
}

static uint64_t little_endian(const uint8_t *ptr, uint32_t len)
{
    uint64_t number = 0;
    for (uint32_t i = len < 8 ? len : 8; i-- > 0;)
        number = number << 8 | ptr[i];
    return number;
}

static void add_decimal(struct buffer *out, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    buffer_add(out, digits + at, sizeof digits - at);
}

static void add_signed(struct buffer *out, uint64_t bits, uint32_t len)
{
    unsigned shift = 64 - 8 * len;
    int64_t number = (int64_t)(bits << shift) >> shift;
    if (number < 0)
        buffer_add_char(out, '-');
    add_decimal(out, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

static void add_hex_number(struct buffer *out, uint64_t number)
{
    char digits[18];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[number & 15];
        number >>= 4;
    } while (number);
    digits[--at] = 'x';
    digits[--at] = '0';
    buffer_add(out, digits + at, sizeof digits - at);
}

/* The fewest digits that give the same number back. */
static void add_real(struct buffer *out, const struct value *v)
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
    buffer_add_string(out, text);
}

static void add_binary(struct buffer *out, const struct value *v)
{
    static const char digits[] = "0123456789ABCDEF";
    char *to = buffer_reserve(out, 2 * (size_t)v->len);
    for (uint32_t i = 0; i < v->len; i++) {
        to[2 * i] = digits[v->ptr[i] >> 4];
        to[2 * i + 1] = digits[v->ptr[i] & 15];
    }
    out->len += 2 * (size_t)v->len;
    out->ptr[out->len] = '\0';
}

static void add_sid(struct buffer *out, const struct value *v)
{
    uint64_t authority = 0;
    for (unsigned i = 2; i < 8; i++)
        authority = authority << 8 | v->ptr[i];
    buffer_add(out, "S-", 2);
    add_decimal(out, v->ptr[0]);
    buffer_add_char(out, '-');
    add_decimal(out, authority);
    for (uint32_t at = SID_MIN; at + 4 <= v->len; at += 4) {
        buffer_add_char(out, '-');
        add_decimal(out, little_endian(v->ptr + at, 4));
    }
}

static void add_filetime(struct buffer *out, const struct value *v)
{
    char text[FILETIME_TEXT_MAX];
    buffer_add_text(out, filetime_format(text, little_endian(v->ptr, 8), FILETIME_REPORT));
}

static void add_systemtime(struct buffer *out, const struct value *v)
{
    unsigned part[8];
    for (unsigned i = 0; i < 8; i++)
        part[i] = unit_at(v, 2 * i);
    buffer_printf(out, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", part[0], part[1], part[3],
                  part[4], part[5], part[6], part[7]);
}

static void add_guid(struct buffer *out, const struct value *v)
{
    struct guid guid;
    char text[GUID_TEXT_MAX];
    memcpy(guid.bytes, v->ptr, sizeof guid.bytes);
    buffer_add_text(out, guid_format(text, &guid));
}

/* What Windows-1252 has at 80..9f; its five holes become U+FFFD. Source: the WHATWG
 * encoding standard's index, without its C1 controls. */
static const uint16_t windows_1252_high[32] = {
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
    0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
};

static void add_ansi(struct buffer *out, const struct value *v)
{
    for (uint32_t i = 0; i < v->len; i++) {
        uint8_t c = v->ptr[i];
        utf_add_code_point(out, c >= 0x80 && c < 0xa0 ? windows_1252_high[c - 0x80] : c);
    }
}

static void add_ascii_units(struct buffer *out, const struct value *v)
{
    ascii_narrow(buffer_reserve(out, v->len / 2), v->ptr, v->len / 2);
    out->len += v->len / 2;
    out->ptr[out->len] = '\0';
}

void value_add_text(struct buffer *out, const struct value *v)
{
    if (v->len == 0)
        return;
    switch (v->type) {
    case EVTX_TEXT: buffer_add(out, v->ptr, v->len); break;
    case TYPE_STRING:
        if (v->flags & VALUE_IS_ASCII)
            add_ascii_units(out, v);
        else
            utf_add_utf16le(out, (struct bytes){v->ptr, v->len});
        break;
    case TYPE_ANSI: add_ansi(out, v); break;
    case 0x03:
    case 0x05:
    case 0x07:
    case 0x09: add_signed(out, little_endian(v->ptr, v->len), v->len); break;
    case 0x04:
    case 0x06:
    case 0x08:
    case 0x0a: add_decimal(out, little_endian(v->ptr, v->len)); break;
    case 0x0b:
    case 0x0c: add_real(out, v); break;
    case TYPE_BOOL:
        buffer_add_string(out, little_endian(v->ptr, v->len) ? "true" : "false");
        break;
    case TYPE_BINARY: add_binary(out, v); break;
    case TYPE_GUID: add_guid(out, v); break;
    case TYPE_FILETIME: add_filetime(out, v); break;
    case TYPE_SYSTEMTIME: add_systemtime(out, v); break;
    case TYPE_SID: add_sid(out, v); break;
    case TYPE_SIZE:
    case TYPE_HEX32:
    case TYPE_HEX64:
    case TYPE_HANDLE: add_hex_number(out, little_endian(v->ptr, v->len)); break;
    default: break;
    }
}

size_t value_text_max(const struct value *v)
{
    switch (v->type) {
    case EVTX_TEXT: return v->len;
    case TYPE_STRING:
        return v->flags & VALUE_IS_ASCII ? v->len / 2 : 3 * (size_t)(v->len / 2);
    case TYPE_ANSI: return 3 * (size_t)v->len;
    case TYPE_BINARY: return 2 * (size_t)v->len;
    case TYPE_SID: return 32 + 11 * (size_t)(v->len / 4);
    default: return 64;
    }
}

bool value_number(const struct value *v, uint64_t *number)
{
    bool unsigned_integer = v->type >= 0x04 && v->type <= 0x0a && !(v->type & 1);
    if (v->len == 0 || !(unsigned_integer || v->type == TYPE_BOOL ||
                         v->type == TYPE_FILETIME || v->type == TYPE_HEX32 ||
                         v->type == TYPE_HEX64 || v->type == TYPE_SIZE))
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
    uint32_t left = array->len - *at, len = fixed_length[type <= TYPE_HEX64 ? type : 0];
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
