/* SPDX-License-Identifier: Apache-2.0 */
#include "util/utf.h"

#include "util/ascii.h"
#include "util/bytes.h"

enum { REPLACEMENT = 0xfffd };

static size_t write_code_point(char *to, uint32_t c)
{
    size_t n = 0;
    if (c < 0x80) {
        to[n++] = (char)c;
    } else if (c < 0x800) {
        to[n++] = (char)(0xc0 | c >> 6);
        to[n++] = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        to[n++] = (char)(0xe0 | c >> 12);
        to[n++] = (char)(0x80 | (c >> 6 & 0x3f));
        to[n++] = (char)(0x80 | (c & 0x3f));
    } else {
        to[n++] = (char)(0xf0 | c >> 18);
        to[n++] = (char)(0x80 | (c >> 12 & 0x3f));
        to[n++] = (char)(0x80 | (c >> 6 & 0x3f));
        to[n++] = (char)(0x80 | (c & 0x3f));
    }
    return n;
}

void utf_add_code_point(struct buffer *out, uint32_t c)
{
    out->len += write_code_point(buffer_reserve(out, 4), c);
    out->ptr[out->len] = '\0';
}

size_t utf_write_utf16le(char *to, struct bytes utf16, size_t *replaced)
{
    size_t n = 0, units = utf16.len / 2;
    for (size_t i = 0; i < units; i++) {
        size_t plain = ascii_units(utf16.ptr + 2 * i, units - i);
        ascii_narrow(to + n, utf16.ptr + 2 * i, plain);
        n += plain;
        i += plain;
        if (i == units)
            break;
        uint32_t c = bytes_u16(utf16, 2 * i);
        if (c >= 0xd800 && c < 0xe000) {
            uint32_t low = i + 1 < units ? bytes_u16(utf16, 2 * i + 2) : 0;
            if (c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                i++;
            } else {
                c = REPLACEMENT;
                ++*replaced;
            }
        }
        n += write_code_point(to + n, c);
    }
    return n;
}

size_t utf_add_utf16le(struct buffer *out, struct bytes utf16)
{
    size_t replaced = 0;
    char *to = buffer_reserve(out, UTF8_PER_UNIT * (utf16.len / 2));
    out->len += utf_write_utf16le(to, utf16, &replaced);
    out->ptr[out->len] = '\0';
    return replaced;
}

size_t utf_sequence_length(struct text t)
{
    const unsigned char *p = (const unsigned char *)t.ptr;
    if (t.len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || t.len < n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] > 0x9f;
    bool too_large = p[0] == 0xf4 && p[1] > 0x8f;
    return overlong || surrogate || too_large ? 0 : n;
}

uint32_t utf_code_point(struct text t)
{
    const unsigned char *p = (const unsigned char *)t.ptr;
    switch (utf_sequence_length(t)) {
    case 2: return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    case 3:
        return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 |
               (p[2] & 0x3f);
    case 4:
        return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
               (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
    default: return p[0];
    }
}

bool utf_is_valid(struct text t)
{
    for (size_t i = 0; i < t.len;) {
        size_t n = utf_sequence_length(text_slice(t, i, SIZE_MAX));
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

bool utf_is_invisible(uint32_t c)
{
    static const struct range {
        uint32_t first, last;
    } ranges[] = {
        {0x0000,  0x001f }, /* C0 */
        {0x007f,  0x009f }, /* DEL, C1 */
        {0x00ad,  0x00ad }, /* soft hyphen */
        {0x034f,  0x034f }, /* combining grapheme joiner */
        {0x061c,  0x061c }, /* Arabic letter mark */
        {0x115f,  0x1160 }, /* Hangul fillers */
        {0x17b4,  0x17b5 },
        {0x180b,  0x180f }, /* Mongolian selectors and separator */
        {0x200b,  0x200f }, /* zero width, direction marks */
        {0x2028,  0x202e }, /* separators, direction overrides */
        {0x2060,  0x206f }, /* word joiner, isolates */
        {0x3164,  0x3164 },
        {0xfe00,  0xfe0f }, /* variation selectors */
        {0xfeff,  0xfeff }, /* byte order mark */
        {0xffa0,  0xffa0 },
        {0xfff9,  0xfffb }, /* interlinear annotation */
        {0xfffe,  0xffff },
        {0xe0000, 0xe0fff}, /* tags, selectors */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

void utf_add_visible(struct buffer *out, struct text t)
{
    for (size_t i = 0; i < t.len;) {
        struct text rest = text_slice(t, i, SIZE_MAX);
        size_t n = utf_sequence_length(rest);
        uint32_t c = n ? utf_code_point(rest) : 0;
        if (n == 0)
            buffer_printf(out, "\\x%02x", (unsigned char)rest.ptr[0]);
        else if (c < 0x80 && utf_is_invisible(c))
            buffer_printf(out, "\\x%02x", (unsigned)c);
        else if (utf_is_invisible(c))
            buffer_printf(out, "\\u{%x}", (unsigned)c);
        else
            buffer_add(out, rest.ptr, n);
        i += n ? n : 1;
    }
}

void utf_add_lone_units(struct buffer *out, struct bytes utf16)
{
    size_t units = utf16.len / 2, lone = 0;
    for (size_t i = 0; i < units; i++) {
        uint16_t unit = bytes_u16(utf16, 2 * i);
        uint16_t next = i + 1 < units ? bytes_u16(utf16, 2 * i + 2) : 0;
        if (unit < 0xd800 || unit > 0xdfff)
            continue;
        if (unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff) {
            i++;
            continue;
        }
        if (lone++ < UTF_LONE_UNITS_NAMED)
            buffer_printf(out, "%sunit %zu (bytes %02X %02X)", lone > 1 ? ", " : "",
                          i + 1, unit & 0xffu, unit >> 8);
    }
    if (lone > UTF_LONE_UNITS_NAMED)
        buffer_printf(out, " and %zu more", lone - UTF_LONE_UNITS_NAMED);
}
