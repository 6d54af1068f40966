/* SPDX-License-Identifier: Apache-2.0
 * visible.c - evidence text as a page may carry it. */
#include "report/report.h"

#include "util/utf.h"

/* Blanks that look like U+0020 and are not it. */
static bool is_odd_blank(uint32_t c)
{
    return c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f ||
           c == 0x205f || c == 0x2800 || c == 0x3000;
}

/* Marks that are drawn on the letter before: piled up they cover the lines around. */
static bool is_combining(uint32_t c)
{
    return (c >= 0x300 && c <= 0x36f) || (c >= 0x483 && c <= 0x489) ||
           (c >= 0x1ab0 && c <= 0x1aff) || (c >= 0x1dc0 && c <= 0x1dff) ||
           (c >= 0x20d0 && c <= 0x20ff) || (c >= 0xfe20 && c <= 0xfe2f);
}

/* Letters of other alphabets, and forms of letters, that can be taken for Latin ones. */
static bool is_look_alike(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x17f,   0x17f  }, /* long s */
        {0x370,   0x3ff  }, /* Greek */
        {0x400,   0x58f  }, /* Cyrillic, Armenian */
        {0x13a0,  0x13ff }, /* Cherokee */
        {0x212a,  0x212a }, /* the sign of kelvins */
        {0xff21,  0xff5a }, /* full width */
        {0x1d400, 0x1d7ff}, /* of mathematics */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

static bool is_latin(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* A stretch of letters, Latin ones or such as look like them. */
struct word_seen {
    size_t end;
    bool is_mixed;
};

/* The rest of the word from t[at] on, a look-alike. */
static struct word_seen look_at_word(struct text t, size_t at)
{
    struct word_seen w = {at, at > 0 && is_latin(t.ptr[at - 1])};
    while (w.end < t.len) {
        struct text rest = text_slice(t, w.end, SIZE_MAX);
        size_t n = utf_sequence_length(rest);
        if (is_latin(rest.ptr[0]))
            w.is_mixed = true;
        else if (n < 2 || !is_look_alike(utf_code_point(rest)))
            break;
        w.end += n;
    }
    return w;
}

static bool is_plain(uint32_t c)
{
    bool noncharacter = (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
    return !utf_is_invisible(c) && !is_odd_blank(c) && !noncharacter;
}

static void add_symbol(struct buffer *out, uint32_t c)
{
    if (c < 0x20)
        utf_add_code_point(out, 0x2400 + c);
    else if (c == 0x7f)
        utf_add_code_point(out, 0x2421);
    else
        buffer_printf(out, "[U+%04X]", (unsigned)c);
}

static size_t blanks_before(struct text t)
{
    size_t n = 0;
    while (n < t.len && t.ptr[n] == ' ')
        n++;
    return n;
}

static size_t blanks_behind(struct text t)
{
    size_t n = 0;
    while (n < t.len && t.ptr[t.len - 1 - n] == ' ')
        n++;
    return n;
}

static void add_blanks(struct buffer *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        utf_add_code_point(out, 0x2420);
}

void report_visible_value(struct buffer *out, struct text t)
{
    size_t before = blanks_before(t);
    size_t behind = before < t.len ? blanks_behind(t) : 0;
    add_blanks(out, before);
    report_visible_text(out, text_slice(t, before, t.len - before - behind));
    add_blanks(out, behind);
}

void report_visible_text(struct buffer *out, struct text t)
{
    if (t.len && blanks_before(t) == t.len) {
        add_blanks(out, t.len);
        return;
    }
    enum { PILE_MAX = 2 };
    unsigned pile = 0; /* of combining marks, up to here */
    struct word_seen word = {0};
    for (size_t i = 0; i < t.len;) {
        size_t plain = i;
        while (plain < t.len && t.ptr[plain] >= 0x20 && t.ptr[plain] < 0x7f)
            plain++;
        buffer_add(out, t.ptr + i, plain - i);
        pile = plain > i ? 0 : pile;
        i = plain;
        if (i == t.len)
            return;
        struct text rest = text_slice(t, i, SIZE_MAX);
        size_t n = utf_sequence_length(rest);
        pile = n && is_combining(utf_code_point(rest)) ? pile + 1 : 0;
        bool deceives = n && is_look_alike(utf_code_point(rest));
        if (deceives && i >= word.end)
            word = look_at_word(t, i);
        if (n == 0)
            buffer_printf(out, "\\x%02x", (unsigned char)rest.ptr[0]);
        else if (is_plain(utf_code_point(rest)) && pile <= PILE_MAX &&
                 !(deceives && word.is_mixed))
            buffer_add(out, rest.ptr, n);
        else
            add_symbol(out, utf_code_point(rest));
        i += n ? n : 1;
    }
}
