/* SPDX-License-Identifier: Apache-2.0
 * One event of JSON, by json-c, in the shape that evtx_dump made the convention
 * (doc/outputs.md): an element is a member, its attributes are "#attributes", its text
 * "#text"; EventData's Data are members by their Name. evtx_dump's other shape, with
 * "System_attributes" beside "System", is read too. */
#include "evtx/import.h"

#include <json-c/json.h>
#include <json-c/json_visit.h>
#include <stdio.h>

#include "util/map.h"
#include "util/utf.h"

enum { JSON_DEPTH_MAX = 64 };

struct json_level {
    struct lh_entry *next; /* member to go on with */
    bool is_data;          /* EventData: its members are Data by Name */
    /* Or several elements of one name: */
    json_object *items; /* NULL: an element's members */
    size_t item;        /* to go on with */
    const char *key;
};

struct json_walk {
    struct import_event *event;
    const struct binxml_visitor *visitor;
    struct json_level levels[JSON_DEPTH_MAX];
    unsigned depth, nodes;
};

static struct text copy(struct json_walk *w, const char *string)
{
    return arena_copy(w->event->arena, text_from(string));
}

static bool is_key(const char *key, const char *wanted)
{
    return strcmp(key, wanted) == 0;
}

/* ---- values */

static struct value text_value(struct text t)
{
    return (struct value){(const uint8_t *)t.ptr, (uint32_t)t.len, EVTX_TEXT, 0};
}

/* BinXML's types: a number stays one, so that it is written as one again. */
enum { JSON_INT64 = 0x09, JSON_UINT64 = 0x0a, BOOL_SIZE = 4, INT64_SIZE = 8 };

static struct value number_value(struct json_walk *w, uint64_t number, uint8_t type,
                                 uint32_t size)
{
    uint8_t *bytes = arena_alloc(w->event->arena, INT64_SIZE);
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    return (struct value){bytes, size, type, 0};
}

static struct value int_value(struct json_walk *w, json_object *o)
{
    return json_object_get_int64(o) < 0
               ? number_value(w, (uint64_t)json_object_get_int64(o), JSON_INT64,
                              INT64_SIZE)
               : number_value(w, json_object_get_uint64(o), JSON_UINT64, INT64_SIZE);
}

static struct value value_of(struct json_walk *w, json_object *o)
{
    switch (json_object_get_type(o)) {
    case json_type_int: return int_value(w, o);
    case json_type_boolean:
        return number_value(w, json_object_get_boolean(o) != 0, TYPE_BOOL, BOOL_SIZE);
    case json_type_string:
        return text_value(arena_copy(
            w->event->arena, (struct text){json_object_get_string(o),
                                           (size_t)json_object_get_string_len(o)}));
    case json_type_null: return text_value(TEXT_LITERAL(""));
    default: /* fractions as they are written, whatever else too */
        return text_value(copy(w, json_object_get_string(o)));
    }
}

static void tell_content(struct json_walk *w, json_object *o)
{
    if (!o)
        return;
    struct value v = value_of(w, o);
    w->visitor->content(w->visitor->context, &v);
}

static void tell_attribute(struct json_walk *w, struct text name, json_object *o)
{
    struct value v = value_of(w, o);
    struct buffer text = {0};
    buffer_reserve(&text, 1);
    value_add_text(&text, &v);
    w->nodes++;
    w->visitor->attribute(w->visitor->context, name, buffer_text(&text),
                          v.type == EVTX_TEXT ? NULL : &v);
    buffer_release(&text);
}

/* ---- elements */

static void tell_attributes(struct json_walk *w, json_object *attributes)
{
    if (json_object_get_type(attributes) != json_type_object)
        return;
    json_object_object_foreach(attributes, name, value)
        tell_attribute(w, copy(w, name), value);
}

static bool has_elements(json_object *o)
{
    if (json_object_get_type(o) != json_type_object)
        return false;
    json_object_object_foreach(o, name, value)
    {
        (void)value;
        if (name[0] != '#')
            return true;
    }
    return false;
}

/* An attribute Name of its own says that the element is no Data. */
static bool has_name(json_object *o)
{
    json_object *attributes;
    return json_object_get_type(o) == json_type_object &&
           json_object_object_get_ex(o, "#attributes", &attributes) &&
           json_object_object_get_ex(attributes, "Name", NULL);
}

/* Open an element of that key; `as_data`: where Data are named by their keys. */
static void open_element(struct json_walk *w, const char *key, bool as_data,
                         json_object *value)
{
    bool is_named = as_data && !is_key(key, "Data") && !is_key(key, "Binary") &&
                    !has_elements(value) && !has_name(value);
    w->nodes++;
    w->visitor->open(w->visitor->context,
                     is_named ? TEXT_LITERAL("Data") : copy(w, key));
    if (is_named)
        w->visitor->attribute(w->visitor->context, TEXT_LITERAL("Name"), copy(w, key),
                              NULL);
}

static void close_element(struct json_walk *w)
{
    w->visitor->close(w->visitor->context);
}

static bool in_data(const struct json_walk *w)
{
    return w->depth && w->levels[w->depth - 1].is_data;
}

/* An element whole, or its beginning: then its members are to follow. */
static void tell_element(struct json_walk *w, const char *key, json_object *value)
{
    bool as_data = in_data(w), is_object;
    json_object *part = NULL;
    open_element(w, key, as_data, value);
    is_object = json_object_get_type(value) == json_type_object;
    if (is_object && json_object_object_get_ex(value, "#attributes", &part))
        tell_attributes(w, part);
    if (is_object && json_object_object_get_ex(value, "#text", &part))
        tell_content(w, part);
    if (!is_object)
        tell_content(w, value);
    if (!is_object || !has_elements(value) || w->depth == JSON_DEPTH_MAX) {
        close_element(w);
        return;
    }
    w->levels[w->depth++] =
        (struct json_level){.next = json_object_get_object(value)->head,
                            .is_data = is_key(key, "EventData")};
}

/* "Data": {"#text": ["a", "b"]} is two elements, and so is "Data": ["a", "b"]. */
static json_object *array_of(json_object *value)
{
    json_object *text = NULL;
    if (json_object_get_type(value) == json_type_object)
        json_object_object_get_ex(value, "#text", &text);
    else
        text = value;
    return json_object_get_type(text) == json_type_array ? text : NULL;
}

/* Items that are objects are elements like any other: attributes, text and members. */
static void tell_item(struct json_walk *w, const char *key, json_object *item)
{
    if (json_object_get_type(item) == json_type_object) {
        tell_element(w, key, item);
        return;
    }
    open_element(w, key, in_data(w), item);
    tell_content(w, item);
    close_element(w);
}

/* "TimeCreated_attributes": {...}, beside the element or in its place. */
static bool tell_separate_attributes(struct json_walk *w, const char *key,
                                     json_object *value)
{
    static const char ending[] = "_attributes";
    struct text whole = text_from(key);
    if (!text_ends_with_fold(whole, text_from(ending)) ||
        json_object_get_type(value) != json_type_object)
        return false;
    w->nodes++;
    w->visitor->open(w->visitor->context,
                     arena_copy(w->event->arena,
                                text_slice(whole, 0, whole.len - (sizeof ending - 1))));
    tell_attributes(w, value);
    close_element(w);
    return true;
}

static void tell_member(struct json_walk *w, const char *key, json_object *value)
{
    json_object *items = array_of(value);
    if (key[0] == '#' || tell_separate_attributes(w, key, value))
        return;
    if (!items) {
        tell_element(w, key, value);
        return;
    }
    if (w->depth < JSON_DEPTH_MAX)
        w->levels[w->depth++] =
            (struct json_level){.is_data = in_data(w), .items = items, .key = key};
}

/* The next of several elements of one name. */
static void go_on_with_items(struct json_walk *w, struct json_level *level)
{
    if (level->item < json_object_array_length(level->items))
        tell_item(w, level->key,
                  json_object_array_get_idx(level->items, level->item++));
    else
        w->depth--;
}

static void walk(struct json_walk *w, json_object *event)
{
    tell_element(w, "Event", event);
    while (w->depth && w->nodes < EVENT_NODES_MAX) {
        struct json_level *level = &w->levels[w->depth - 1];
        struct lh_entry *member = level->next;
        if (level->items) {
            go_on_with_items(w, level);
            continue;
        }
        if (!member) {
            w->depth--;
            close_element(w);
            continue;
        }
        level->next = member->next;
        tell_member(w, lh_entry_k(member), (json_object *)lh_entry_v(member));
    }
}

/* ---- the object */

/* What `forebear records` says beside the event. */
static void take_our_own(struct import_event *event, json_object *root)
{
    json_object *ours, *state;
    if (json_object_object_get_ex(root, "Forebear", &ours) &&
        json_object_object_get_ex(ours, "state", &state))
        event->state =
            arena_copy(event->arena, text_from(json_object_get_string(state)));
}

static enum status take_root(struct import_event *event, json_object *root,
                             const struct binxml_visitor *visitor)
{
    json_object *inner = NULL;
    struct json_walk w = {.event = event, .visitor = visitor};
    if (!json_object_object_get_ex(root, "Event", &inner) ||
        json_object_get_type(inner) != json_type_object) {
        snprintf(event->wrong, sizeof event->wrong, "the object holds no \"Event\"");
        return DAMAGED;
    }
    take_our_own(event, root);
    walk(&w, inner);
    if (w.nodes < EVENT_NODES_MAX)
        return OK;
    snprintf(event->wrong, sizeof event->wrong, "more elements than any event has");
    return DAMAGED;
}

static struct text make_utf8(struct import_event *event, struct buffer *clean)
{
    if (utf_is_valid(event->frame))
        return event->frame;
    event->was_replaced = true;
    for (size_t i = 0; i < event->frame.len;) {
        struct text rest = text_slice(event->frame, i, SIZE_MAX);
        size_t n = utf_sequence_length(rest);
        utf_add_code_point(clean, n ? utf_code_point(rest) : 0xfffd);
        i += n ? n : 1;
    }
    return buffer_text(clean);
}

/* ---- what json-c would lose without a word */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The number at `from`, sign and digits, does not fit 64 bits: json-c would give the nearest
 * one that does. */
static bool is_too_large(struct text number)
{
    bool is_negative = number.len && number.ptr[0] == '-';
    uint64_t value;
    return !text_to_u64(text_slice(number, is_negative, SIZE_MAX), &value) ||
           (is_negative && value > (uint64_t)INT64_MAX + 1);
}

/* How far a number goes that begins at `at`; 0: none does. */
static size_t integer_at(struct text t, size_t at)
{
    size_t end = at + (t.ptr[at] == '-');
    while (end < t.len && is_digit(t.ptr[end]))
        end++;
    bool goes_on = end < t.len && (t.ptr[end] == '.' || (t.ptr[end] | 0x20) == 'e');
    return goes_on ? 0 : end - at;
}

/* Numbers that do not fit become texts, which stay as they were written. */
static struct text quote_numbers(struct text t, struct buffer *out)
{
    bool in_string = false;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i], before = i ? t.ptr[i - 1] : ' ';
        size_t len = !in_string && (is_digit(c) || c == '-') && !is_digit(before) &&
                             before != '.' && before != '+' && (before | 0x20) != 'e'
                         ? integer_at(t, i)
                         : 0;
        if (len > 1 && is_too_large(text_slice(t, i, len))) {
            buffer_printf(out, "\"%.*s\"", (int)len, t.ptr + i);
            i += len - 1;
            continue;
        }
        buffer_add_char(out, c);
        if (in_string && c == '\\' && i + 1 < t.len)
            buffer_add_char(out, t.ptr[++i]);
        else if (c == '"')
            in_string = !in_string;
    }
    return buffer_text(out);
}

static int count_name(json_object *o, int flags, json_object *parent, const char *key,
                      size_t *index, void *context)
{
    uint32_t *names = context;
    (void)o, (void)parent, (void)index;
    *names += key && !(flags & JSON_C_VISIT_SECOND);
    return JSON_C_VISIT_RETURN_CONTINUE;
}

/* Behind the string that begins at `at`. */
static size_t string_end(struct text t, size_t at)
{
    for (at++; at < t.len && t.ptr[at] != '"'; at++)
        at += t.ptr[at] == '\\';
    return at + 1;
}

/* The first name that an object has twice, as the text writes it; "" if none is written the
 * same way twice. */
static struct text repeated_name(struct arena *arena, struct text t)
{
    uint32_t objects[JSON_DEPTH_MAX + 1] = {0}, depth = 0, count = 0;
    struct map seen = {0};
    struct text found = TEXT_LITERAL(""), last = NO_TEXT;
    for (size_t i = 0; i < t.len && found.len == 0; i++) {
        if (t.ptr[i] == '{' && depth < JSON_DEPTH_MAX)
            objects[++depth] = ++count;
        else if (t.ptr[i] == '}' && depth)
            depth--;
        if (t.ptr[i] == '"') {
            size_t end = string_end(t, i);
            last = text_slice(t, i + 1, end - i - 2);
            i = end - 1;
        } else if (t.ptr[i] == ':') {
            struct text key =
                arena_printf(arena, "%u %.*s", objects[depth], TEXT(last));
            uint32_t number = seen.count;
            if (map_add(&seen, map_key_text(key), number) != number)
                found = last;
        }
    }
    map_release(&seen);
    return found;
}

/* json-c keeps the last of several members of one name, so it has fewer than the text. */
static void look_for_repeated(struct import_event *event, json_object *root,
                              struct text text)
{
    uint32_t names = 0;
    json_c_visit(root, 0, count_name, &names);
    if (names < event->names)
        event->repeated = arena_copy(event->arena, repeated_name(event->arena, text));
}

enum status import_json_event(struct import_event *event,
                              const struct binxml_visitor *visitor)
{
    struct buffer clean = {0}, quoted = {0};
    struct text text = make_utf8(event, &clean);
    if (event->has_long_number)
        text = quote_numbers(text, &quoted);
    enum status status = DAMAGED;
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
    event->wrong[0] = '\0';
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    json_object *root = json_tokener_parse_ex(tokener, text.ptr, (int)text.len);
    if (root) {
        status = take_root(event, root, visitor);
        look_for_repeated(event, root, text);
    } else {
        snprintf(event->wrong, sizeof event->wrong, "%s (byte %zu of the event)",
                 json_tokener_error_desc(json_tokener_get_error(tokener)),
                 json_tokener_get_parse_end(tokener));
    }
    json_object_put(root);
    json_tokener_free(tokener);
    buffer_release(&clean);
    buffer_release(&quoted);
    return status;
}
