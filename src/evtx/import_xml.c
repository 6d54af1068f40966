/* SPDX-License-Identifier: Apache-2.0
 * One event of XML, by libxml2's streaming reader. What XML has no place for (bytes that are
 * not UTF-8, control characters, also as references) stands in exports of real logs, and a
 * parser refuses the event for it: it becomes U+FFFD before. A CR is kept, which a parser
 * would drop: nothing that was exported is normalised. */
#include "evtx/import.h"

#include <stdio.h>

#include "util/utf.h"

#define FOREBEAR_NAMESPACE "urn:forebear:record"

void import_xml_release(struct import_xml *x)
{
    if (x->reader)
        xmlFreeTextReader(x->reader);
    buffer_release(&x->clean);
    *x = (struct import_xml){0};
}

/* ---- the text, made such that a parser takes it */

struct cleaning {
    struct import_event *event;
    struct buffer *out;
    bool in_tag;
    char quote; /* of the attribute value that it is in; 0: none */
    unsigned attributes;
};

static bool xml_may_hold(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' ||
           (c >= 0x20 && c < 0x110000 && (c < 0xd800 || c > 0xdfff) && c != 0xfffe &&
            c != 0xffff);
}

static void replace(struct cleaning *c)
{
    utf_add_code_point(c->out, 0xfffd);
    c->event->was_replaced = true;
}

/* The length of a character reference that stands for no character, 0 if it is none. */
static size_t bad_reference(struct text t)
{
    uint32_t value = 0;
    size_t at = 2;
    if (t.len < 4 || t.ptr[0] != '&' || t.ptr[1] != '#')
        return 0;
    unsigned base = t.ptr[at] == 'x' ? 16 : 10;
    at += base == 16;
    for (; at < t.len && t.ptr[at] != ';'; at++) {
        char c = t.ptr[at], lower = (char)(c | 0x20);
        unsigned digit = c >= '0' && c <= '9'           ? (unsigned)(c - '0')
                         : lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10
                                                        : 16;
        if (digit >= base)
            return 0;
        value = value > 0x10ffff ? value : value * base + digit;
    }
    return at < t.len && !xml_may_hold(value) ? at + 1 : 0;
}

/* Follow the tags as far as is needed to count attributes and to know what is content. */
static void follow_tag(struct cleaning *c, char byte)
{
    if (!c->in_tag) {
        c->in_tag = byte == '<';
        c->attributes = 0;
    } else if (c->quote) {
        c->quote = byte == c->quote ? 0 : c->quote;
    } else if (byte == '"' || byte == '\'') {
        c->quote = byte;
        c->attributes++;
    } else if (byte == '>') {
        c->in_tag = false;
    }
}

/* One character or reference; returns how long it was. */
static size_t clean_one(struct cleaning *c, struct text rest)
{
    size_t n = utf_sequence_length(rest);
    size_t reference = rest.ptr[0] == '&' ? bad_reference(rest) : 0;
    if (n == 0 || reference || !xml_may_hold(utf_code_point(rest))) {
        replace(c);
        return reference ? reference : n ? n : 1;
    }
    if (rest.ptr[0] == '\r' && !c->in_tag)
        buffer_add_string(c->out, "&#13;");
    else
        buffer_add(c->out, rest.ptr, n);
    follow_tag(c, rest.ptr[0]);
    return n;
}

static bool clean(struct import_xml *x, struct import_event *event)
{
    struct cleaning c = {.event = event, .out = &x->clean};
    buffer_clear(&x->clean);
    for (size_t i = 0; i < event->frame.len;) {
        i += clean_one(&c, text_slice(event->frame, i, SIZE_MAX));
        if (c.attributes > IMPORT_ATTRIBUTES_MAX) {
            snprintf(event->wrong, sizeof event->wrong,
                     "a tag has more than %d attributes", IMPORT_ATTRIBUTES_MAX);
            return false;
        }
    }
    return true;
}

/* ---- and its elements */

struct xml_walk {
    xmlTextReader *reader;
    struct import_event *event;
    const struct binxml_visitor *visitor;
    struct buffer text; /* since the last tag */
    unsigned nodes;
    int open;       /* elements that the visitor was told of */
    int skip_below; /* the element of our own that is passed over; -1: none */
    bool had_child; /* the last tag ended an element */
};

static struct text copy(struct xml_walk *w, const xmlChar *string)
{
    return arena_copy(w->event->arena, text_from((const char *)string));
}

static bool is_all_blank(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (t.ptr[i] != ' ' && t.ptr[i] != '\t' && t.ptr[i] != '\r' && t.ptr[i] != '\n')
            return false;
    return true;
}

/* Blanks between two tags of different elements are layout; those that are all of an
 * element's content are its value, and so is nothing between its own two tags. */
static void end_text(struct xml_walk *w, bool is_layout)
{
    struct text t = buffer_text(&w->text);
    if (!is_layout || !is_all_blank(t)) {
        t = t.len ? arena_copy(w->event->arena, t) : TEXT_LITERAL("");
        struct value v = {(const uint8_t *)t.ptr, (uint32_t)t.len, EVTX_TEXT, 0};
        w->visitor->content(w->visitor->context, &v);
    }
    buffer_clear(&w->text);
}

static void tell_attributes(struct xml_walk *w)
{
    while (xmlTextReaderMoveToNextAttribute(w->reader) == 1) {
        w->nodes++;
        w->visitor->attribute(w->visitor->context,
                              copy(w, xmlTextReaderConstName(w->reader)),
                              copy(w, xmlTextReaderConstValue(w->reader)), NULL);
    }
    xmlTextReaderMoveToElement(w->reader);
}

static bool is_our_own(struct xml_walk *w)
{
    const xmlChar *space = xmlTextReaderConstNamespaceUri(w->reader);
    return space && xmlStrEqual(space, BAD_CAST FOREBEAR_NAMESPACE);
}

static void take_our_own(struct xml_walk *w)
{
    xmlChar *state = xmlTextReaderGetAttribute(w->reader, BAD_CAST "state");
    if (state)
        w->event->state = copy(w, state);
    xmlFree(state);
}

static void close_element(struct xml_walk *w, bool has_end_tag)
{
    end_text(w, w->had_child || !has_end_tag);
    w->visitor->close(w->visitor->context);
    w->had_child = true;
    w->open--;
}

static void on_element(struct xml_walk *w)
{
    bool is_empty = xmlTextReaderIsEmptyElement(w->reader) == 1;
    int depth = xmlTextReaderDepth(w->reader);
    end_text(w, true);
    if (is_our_own(w)) {
        take_our_own(w);
        w->skip_below = is_empty ? -1 : depth;
        return;
    }
    w->nodes++;
    w->open++;
    w->visitor->open(w->visitor->context,
                     copy(w, xmlTextReaderConstLocalName(w->reader)));
    w->had_child = false;
    tell_attributes(w);
    if (is_empty)
        close_element(w, false);
}

static void on_node(struct xml_walk *w, int type)
{
    if (w->skip_below >= 0) {
        if (type == XML_READER_TYPE_END_ELEMENT &&
            xmlTextReaderDepth(w->reader) == w->skip_below)
            w->skip_below = -1;
        return;
    }
    switch (type) {
    case XML_READER_TYPE_ELEMENT: on_element(w); break;
    case XML_READER_TYPE_END_ELEMENT: close_element(w, true); break;
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
    case XML_READER_TYPE_WHITESPACE:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
        buffer_add_string(&w->text, (const char *)xmlTextReaderConstValue(w->reader));
        break;
    default: break;
    }
}

static void keep_error(void *context, xmlErrorPtr error)
{
    struct import_event *event = context;
    if (event->wrong[0] || !error->message)
        return;
    size_t len = strlen(error->message);
    while (len && is_all_blank(text_slice(text_from(error->message), len - 1, 1)))
        len--;
    snprintf(event->wrong, sizeof event->wrong, "%.*s (line %d of the event)",
             (int)(len < 200 ? len : 200), error->message, error->line);
}

/* No network, no DTD, no entities but XML's own five: there is nothing to declare others. */
static bool open_reader(struct import_xml *x)
{
    static const int options =
        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
    int len = (int)x->clean.len;
    if (x->reader)
        return xmlReaderNewMemory(x->reader, x->clean.ptr, len, NULL, "UTF-8",
                                  options) == 0;
    x->reader = xmlReaderForMemory(x->clean.ptr, len, NULL, "UTF-8", options);
    return x->reader != NULL;
}

enum status import_xml_event(struct import_xml *x, struct import_event *event,
                             const struct binxml_visitor *visitor)
{
    event->wrong[0] = '\0';
    if (!clean(x, event) || !open_reader(x))
        return DAMAGED;
    struct xml_walk w = {
        .reader = x->reader, .event = event, .visitor = visitor, .skip_below = -1};
    int got;
    xmlTextReaderSetStructuredErrorHandler(x->reader, keep_error, event);
    while ((got = xmlTextReaderRead(x->reader)) == 1 && w.nodes < EVENT_NODES_MAX)
        on_node(&w, xmlTextReaderNodeType(x->reader));
    buffer_release(&w.text);
    if (got == 1)
        snprintf(event->wrong, sizeof event->wrong, "more elements than any event has");
    else if (got < 0 && !event->wrong[0])
        snprintf(event->wrong, sizeof event->wrong, "it is not well-formed XML");
    return got == 0 && w.open == 0 ? OK : DAMAGED;
}
