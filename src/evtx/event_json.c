/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/event.h"

#include <math.h>
#include <stdlib.h>

#include "util/utf.h"

/* ---- values */

static char *put_escape(char *to, uint32_t c)
{
    static const char digits[] = "0123456789abcdef";
    static const char short_form[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    *to++ = '\\';
    if (c == '"' || c == '\\') {
        *to++ = (char)c;
    } else if (c < 0x20 && short_form[c]) {
        *to++ = short_form[c];
    } else {
        *to++ = 'u';
        *to++ = digits[c >> 12 & 15];
        *to++ = digits[c >> 8 & 15];
        *to++ = digits[c >> 4 & 15];
        *to++ = digits[c & 15];
    }
    return to;
}

static bool must_escape(uint32_t c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

static char *put_multibyte(char *to, uint32_t c)
{
    if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (c & 0x3f));
    return to;
}

/* The unit at i, with its partner where it is the first of a pair. */
static char *put_unit(char *to, const uint8_t *utf16, size_t units, size_t *i)
{
    uint32_t c = (uint32_t)utf16[2 * *i] | (uint32_t)utf16[2 * *i + 1] << 8;
    ++*i;
    if (c < 0x80) {
        if (must_escape(c))
            return put_escape(to, c);
        *to++ = (char)c;
        return to;
    }
    if (c >= 0xd800 && c < 0xe000) {
        uint32_t low =
            *i < units ? (uint32_t)utf16[2 * *i] | (uint32_t)utf16[2 * *i + 1] << 8 : 0;
        if (c >= 0xdc00 || low < 0xdc00 || low >= 0xe000)
            return put_escape(to, c);
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        ++*i;
    }
    return put_multibyte(to, c);
}

#ifdef __SSE2__
/* Copy what needs no escape from 8 units on, 8 at a time; *i stands before what needs one,
 * or closer to the end than 8. */
static char *put_plain(char *to, const uint8_t *utf16, size_t units, size_t *i)
{
    const __m128i high = _mm_set1_epi16((short)0xff80), zero = _mm_setzero_si128();
    const __m128i quote = _mm_set1_epi16('"'), slash = _mm_set1_epi16('\\');
    const __m128i control = _mm_set1_epi16(0x20);
    while (*i + 8 <= units) {
        __m128i eight =
            _mm_loadu_si128((const __m128i *)(const void *)(utf16 + 2 * *i));
        __m128i bad = _mm_cmpgt_epi16(control, eight);
        bad = _mm_or_si128(bad, _mm_cmpeq_epi16(eight, quote));
        bad = _mm_or_si128(bad, _mm_cmpeq_epi16(eight, slash));
        __m128i wide = _mm_and_si128(eight, high);
        __m128i good = _mm_andnot_si128(bad, _mm_cmpeq_epi16(wide, zero));
        unsigned mask = (unsigned)_mm_movemask_epi8(good) ^ 0xffff;
        _mm_storel_epi64((__m128i *)(void *)to, _mm_packus_epi16(eight, eight));
        if (mask) {
            unsigned plain = (unsigned)__builtin_ctz(mask) / 2;
            *i += plain;
            return to + plain;
        }
        *i += 8;
        to += 8;
    }
    return to;
}
#else
static char *put_plain(char *to, const uint8_t *utf16, size_t units, size_t *i)
{
    (void)utf16;
    (void)units;
    (void)i;
    return to;
}
#endif

/* Room for six bytes a unit, and eight more, must be there. */
static char *put_utf16(char *to, const uint8_t *utf16, size_t units)
{
    for (size_t i = 0; i < units;) {
        to = put_plain(to, utf16, units, &i);
        if (i < units)
            to = put_unit(to, utf16, units, &i);
    }
    return to;
}

static void add_utf8_piece(struct buffer *out, struct text t)
{
    for (size_t i = 0; i < t.len;) {
        struct text rest = text_slice(t, i, SIZE_MAX);
        size_t n = utf_sequence_length(rest);
        uint32_t c = n ? utf_code_point(rest) : 0xfffd;
        char *to = buffer_reserve(out, JSON_VALUE_MAX_PER_BYTE);
        if (must_escape(c))
            out->len += (size_t)(put_escape(to, c) - to);
        else
            utf_add_code_point(out, c);
        i += n ? n : 1;
    }
}

void event_add_json_string(struct buffer *out, struct text t)
{
    buffer_add_char(out, '"');
    add_utf8_piece(out, t);
    buffer_add_char(out, '"');
}

void event_add_json_piece(struct buffer *out, const struct value *v)
{
    if (v->len == 0)
        return;
    if (v->type == TYPE_STRING) {
        char *to =
            buffer_reserve(out, JSON_VALUE_MAX_PER_BYTE * (size_t)(v->len / 2) + 8);
        out->len += (size_t)(put_utf16(to, v->ptr, v->len / 2) - to);
    } else if (v->type == EVTX_TEXT) {
        add_utf8_piece(out, (struct text){(const char *)v->ptr, v->len});
    } else if (v->type == TYPE_ANSI) {
        struct buffer text = {0};
        value_add_text(&text, v);
        add_utf8_piece(out, buffer_text(&text));
        buffer_release(&text);
    } else {
        value_add_text(out, v);
    }
}

/* Numbers, but for those that JSON has no form for. */
static bool is_bare(const struct value *v)
{
    if (v->len == 0)
        return false;
    if (v->type == 0x0b || v->type == 0x0c) {
        char text[64];
        text[value_write_text(text, v)] = '\0';
        return isfinite(strtod(text, NULL));
    }
    return (v->type >= 0x03 && v->type <= 0x0a) || v->type == TYPE_BOOL;
}

/* The hot path: a string goes from the chunk to the line in one step. */
static void add_utf16_value(struct buffer *out, const struct value *v)
{
    char *from = event_room(out, JSON_VALUE_MAX_PER_BYTE * (size_t)(v->len / 2) + 10);
    char *to = from;
    *to++ = '"';
    to = put_utf16(to, v->ptr, v->len / 2);
    *to++ = '"';
    out->len += (size_t)(to - from);
}

/* Process ids and ports: every second number is one. */
static void add_u32(struct buffer *out, const uint8_t *ptr)
{
    enum { DIGITS = 10 };
    uint32_t number = (uint32_t)ptr[0] | (uint32_t)ptr[1] << 8 |
                      (uint32_t)ptr[2] << 16 | (uint32_t)ptr[3] << 24;
    char digits[DIGITS];
    size_t at = DIGITS;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    char *to = event_room(out, DIGITS);
    for (size_t i = at; i < DIGITS; i++)
        *to++ = digits[i];
    out->len += DIGITS - at;
}

void event_add_json_value(struct buffer *out, const struct value *v)
{
    if (v->type == TYPE_STRING) {
        add_utf16_value(out, v);
    } else if (v->type == 0x08 && v->len == 4) {
        add_u32(out, v->ptr);
    } else if (v->type == TYPE_NULL) {
        buffer_add(out, "null", 4);
    } else if (v->type == TYPE_ANSI || v->type == EVTX_TEXT) {
        buffer_add_char(out, '"');
        event_add_json_piece(out, v);
        buffer_add_char(out, '"');
    } else {
        /* All other types print as ASCII that needs no escape. */
        bool in_quotes = !is_bare(v);
        char *to = event_room(out, value_text_max(v) + 2);
        to[0] = '"';
        size_t len = in_quotes + value_write_text(to + in_quotes, v);
        to[len] = '"';
        out->len += len + in_quotes;
    }
}

/* ---- elements */

static bool is_blank(const struct value *v)
{
    if (v->type != EVTX_TEXT)
        return v->type == TYPE_NULL;
    for (uint32_t i = 0; i < v->len; i++)
        if (v->ptr[i] != ' ' && v->ptr[i] != '\t' && v->ptr[i] != '\r' &&
            v->ptr[i] != '\n')
            return false;
    return true;
}

/* What stands in an element: its attributes but Data's Name, its text, its elements. */
struct inside {
    const struct event_node *text; /* the first piece that is not blank */
    bool has_pieces, has_several;  /* of text */
    bool has_elements, has_attributes;
};

static bool is_key(const struct event_node *node, const struct event_attribute *a)
{
    return text_equal(node->name, TEXT_LITERAL("Data")) &&
           text_equal(a->name, TEXT_LITERAL("Name"));
}

static struct inside look_inside(const struct event_node *node)
{
    struct inside in = {0};
    for (const struct event_node *n = node->first; n; n = n->next) {
        bool is_element = event_is_element(n);
        in.has_elements |= is_element;
        in.has_several |= !is_element && in.has_pieces;
        in.has_pieces |= !is_element;
        if (!is_element && !in.text && !is_blank(&n->value))
            in.text = n;
    }
    for (const struct event_attribute *a = node->attributes; a; a = a->next)
        in.has_attributes |= !is_key(node, a);
    return in;
}

/* All text of the element; one value alone keeps its type. */
static void add_text(struct buffer *out, const struct event_node *node,
                     const struct inside *in)
{
    if (!in->has_pieces) {
        buffer_add(out, "null", 4);
        return;
    }
    if (!in->has_several && !in->has_elements) {
        event_add_json_value(out, &node->first->value);
        return;
    }
    buffer_add_char(out, '"');
    for (const struct event_node *n = node->first; n; n = n->next)
        if (!event_is_element(n))
            event_add_json_piece(out, &n->value);
    buffer_add_char(out, '"');
}

static void separate(struct buffer *out)
{
    if (out->ptr[out->len - 1] != '{')
        buffer_add_char(out, ',');
}

static void add_name(struct buffer *out, struct text name, uint32_t ordinal)
{
    separate(out);
    buffer_add_char(out, '"');
    add_utf8_piece(out, name);
    if (ordinal)
        buffer_printf(out, "_%u", (unsigned)ordinal);
    buffer_add_string(out, "\":");
}

static void add_attributes(struct buffer *out, const struct event_node *node)
{
    struct event_names names = {.arena = {0}};
    bool is_one = !node->attributes->next;
    separate(out);
    buffer_add_string(out, "\"#attributes\":{");
    for (const struct event_attribute *a = node->attributes; a; a = a->next) {
        if (is_key(node, a))
            continue;
        add_name(out, a->name, is_one ? 0 : event_names_claim(&names, a->name));
        event_add_json_value(out, &a->value);
    }
    buffer_add_char(out, '}');
    event_names_release(&names);
}

static bool has_more_unnamed(const struct event_node *node)
{
    for (const struct event_node *n = node->next; n; n = n->next)
        if (event_is_unnamed_data(n))
            return true;
    return false;
}

/* All unnamed Data of an element at once, where the first of them stands. */
static void add_unnamed(struct buffer *out, const struct event_node *first)
{
    bool is_array = has_more_unnamed(first);
    separate(out);
    buffer_add_string(out, is_array ? "\"Data\":{\"#text\":[" : "\"Data\":{\"#text\":");
    for (const struct event_node *n = first; n; n = n->next) {
        if (!event_is_unnamed_data(n))
            continue;
        struct inside in = look_inside(n);
        if (n != first)
            buffer_add_char(out, ',');
        if (in.has_pieces)
            add_text(out, n, &in);
        else
            buffer_add_string(out, "\"\"");
    }
    buffer_add_string(out, is_array ? "]}" : "}");
}

/* Begin an element's value. True if its elements are to follow, and a brace behind them. */
static bool begin_value(struct buffer *out, struct event_node *node)
{
    struct inside in = look_inside(node);
    if (!in.has_attributes && !in.has_elements) {
        add_text(out, node, &in);
        return false;
    }
    buffer_add_char(out, '{');
    if (in.has_attributes)
        add_attributes(out, node);
    if (in.text) {
        separate(out);
        buffer_add_string(out, "\"#text\":");
        add_text(out, node, &in);
    }
    if (!in.has_elements)
        buffer_add_char(out, '}');
    else
        event_number_children(node);
    return in.has_elements;
}

/* The next element among n and its siblings behind it that has a line of its own. */
static struct event_node *next_member(struct event_node *n, bool *had_unnamed)
{
    for (; n; n = n->next) {
        if (!event_is_element(n))
            continue;
        if (!event_is_unnamed_data(n))
            return n;
        if (!*had_unnamed)
            return n;
    }
    return NULL;
}

void event_write_json(struct buffer *out, struct event_tree *tree, struct text *close)
{
    struct event_node *parent = &tree->root, *n = tree->root.first;
    bool had_unnamed[EVENT_DEPTH_MAX + 2] = {false};
    unsigned depth = 0;
    n->next = NULL; /* a second root is no event */
    *close = TEXT_LITERAL("}");
    buffer_add_char(out, '{');
    while (true) {
        if (n && event_is_unnamed_data(n)) {
            add_unnamed(out, n);
            had_unnamed[depth] = true;
        } else if (n) {
            add_name(out, event_key(n), n->ordinal);
            if (begin_value(out, n)) {
                parent = n;
                had_unnamed[++depth] = false;
                n = next_member(n->first, &had_unnamed[depth]);
                continue;
            }
        }
        if (n)
            n = next_member(n->next, &had_unnamed[depth]);
        while (!n && parent != &tree->root) {
            buffer_add_char(out, '}');
            n = parent;
            parent = parent->parent;
            depth--;
            n = next_member(n->next, &had_unnamed[depth]);
        }
        if (!n)
            break;
    }
}
