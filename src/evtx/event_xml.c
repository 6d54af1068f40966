/* SPDX-License-Identifier: Apache-2.0
 * XML as EvtRender gives it: single quotes, one line, no blanks between elements. What XML
 * 1.0 cannot carry (controls, U+FFFE, U+FFFF, lone surrogates) becomes U+FFFD; a name that
 * is none becomes one by underscores. */
#include "evtx/event.h"

#include "util/utf.h"

static bool xml_may_hold(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' ||
           (c >= 0x20 && c != 0xfffe && c != 0xffff);
}

static void add_character(struct buffer *out, uint32_t c, bool in_attribute)
{
    switch (c) {
    case '&': buffer_add_string(out, "&amp;"); break;
    case '<': buffer_add_string(out, "&lt;"); break;
    case '>': buffer_add_string(out, "&gt;"); break;
    case '\'': buffer_add_string(out, in_attribute ? "&apos;" : "'"); break;
    case '\r': buffer_add_string(out, "&#13;"); break; /* else a parser makes it LF */
    case '\n': buffer_add_string(out, in_attribute ? "&#10;" : "\n"); break;
    case '\t': buffer_add_string(out, in_attribute ? "&#9;" : "\t"); break;
    default: utf_add_code_point(out, xml_may_hold(c) ? c : 0xfffd);
    }
}

static void add_escaped(struct buffer *out, struct text t, bool in_attribute)
{
    for (size_t i = 0; i < t.len;) {
        struct text rest = text_slice(t, i, SIZE_MAX);
        size_t n = utf_sequence_length(rest);
        add_character(out, n ? utf_code_point(rest) : 0xfffd, in_attribute);
        i += n ? n : 1;
    }
}

static bool may_start_name(uint32_t c)
{
    return (c | 0x20) - 'a' < 26 || c == '_' ||
           (c >= 0xc0 && c != 0xd7 && c != 0xf7 && c < 0x2000) ||
           (c >= 0x3001 && c < 0xd800) || (c >= 0xf900 && c <= 0xfdcf) ||
           (c >= 0x10000 && c < 0xf0000);
}

static bool may_stand_in_name(uint32_t c)
{
    return (may_start_name(c) && c != 0x37e) || c - '0' < 10 || c == '-' || c == '.' ||
           c == 0xb7;
}

/* A colon stands only between two names, as in xmlns:x and x:y; no prefix needs a
 * declaration to be well-formed XML 1.0. */
static void add_name(struct buffer *out, struct text t)
{
    bool at_start = true, had_colon = false;
    for (size_t i = 0; i < t.len;) {
        struct text rest = text_slice(t, i, SIZE_MAX);
        size_t n = utf_sequence_length(rest);
        uint32_t c = n ? utf_code_point(rest) : 0;
        bool is_colon = c == ':' && !at_start && !had_colon && i + 1 < t.len;
        bool good = at_start ? may_start_name(c) : may_stand_in_name(c);
        if (good || is_colon)
            utf_add_code_point(out, c);
        else
            buffer_add_char(out, '_');
        had_colon |= is_colon;
        at_start = is_colon;
        i += n ? n : 1;
    }
    if (t.len == 0)
        buffer_add_char(out, '_');
}

/* Two attributes of one element cannot have the same name; evidence can have them, and names
 * that become the same. */
static void add_attribute_name(struct buffer *out, struct event_names *names,
                               struct text name)
{
    size_t from = out->len;
    add_name(out, name);
    uint32_t ordinal = event_names_claim(
        names, arena_copy(&names->arena, text_slice(buffer_text(out), from, SIZE_MAX)));
    if (ordinal)
        buffer_printf(out, "_%u", (unsigned)ordinal);
}

static void add_start(struct buffer *out, const struct event_node *node)
{
    struct event_names names = {.arena = {0}};
    bool is_one = node->attributes && !node->attributes->next;
    buffer_add_char(out, '<');
    add_name(out, node->name);
    for (const struct event_attribute *a = node->attributes; a; a = a->next) {
        buffer_add_char(out, ' ');
        if (is_one)
            add_name(out, a->name);
        else
            add_attribute_name(out, &names, a->name);
        buffer_add_string(out, "='");
        add_escaped(out, a->text, true);
        buffer_add_char(out, '\'');
    }
    event_names_release(&names);
    buffer_add_string(out, node->first ? ">" : "/>");
}

static void add_end(struct buffer *out, const struct event_node *node)
{
    if (!node->first)
        return;
    buffer_add_string(out, "</");
    add_name(out, node->name);
    buffer_add_char(out, '>');
}

static void add_piece(struct buffer *out, const struct value *v)
{
    struct buffer text = {0};
    value_add_text(&text, v);
    add_escaped(out, buffer_text(&text), false);
    buffer_release(&text);
}

void event_write_xml(struct buffer *out, struct event_tree *tree, struct text *close)
{
    const struct event_node *event = tree->root.first, *n = event;
    static const struct value nothing = {(const uint8_t *)"", 0, TYPE_STRING, 0};
    /* An empty Event is written open, so that there is an end tag to stand before. */
    struct event_node filler = {.value = nothing};
    if (!event->first)
        tree->root.first->first = tree->root.first->last = &filler;
    while (true) {
        if (event_is_element(n))
            add_start(out, n);
        else
            add_piece(out, &n->value);
        if (n->first) {
            n = n->first;
            continue;
        }
        while (n != event && !n->next && n != &filler) {
            n = n->parent;
            if (n != event)
                add_end(out, n);
        }
        if (n == event || n == &filler)
            break;
        n = n->next;
    }
    struct buffer end = {0};
    add_end(&end, event);
    *close = arena_copy(tree->arena, buffer_text(&end));
    buffer_release(&end);
}
