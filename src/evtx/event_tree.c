/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/event.h"

enum { RECORD_HEADER = 24, SIZE_COPY = 4, VALUES_WITH_PROVIDER = 18 };

bool event_is_element(const struct event_node *node)
{
    return !text_is_absent(node->name);
}

static struct event_node *add_node(struct event_tree *t, struct event_node *parent,
                                   struct text name)
{
    struct event_node *node = arena_alloc(t->arena, sizeof *node);
    node->name = name;
    node->parent = parent;
    parent->has_elements |= !text_is_absent(name);
    t->nodes++;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

static bool is_left_out(const struct event_tree *t)
{
    return t->is_cut || t->cut_depth > 0;
}

static void on_open(void *context, struct text name)
{
    struct event_tree *t = context;
    if (text_is_absent(name))
        name = TEXT_LITERAL("");
    if (t->nodes >= EVENT_NODES_MAX)
        t->is_cut = true;
    if (is_left_out(t) || t->depth == EVENT_DEPTH_MAX) {
        t->cut_depth++;
        return;
    }
    t->open = add_node(t, t->open, name);
    t->depth++;
}

static void add_attribute(struct event_tree *t, struct event_node *node,
                          struct text name, struct text text, const struct value *value)
{
    struct event_attribute *a = arena_alloc(t->arena, sizeof *a);
    t->nodes++;
    a->name = name;
    a->text = text.len ? arena_copy(t->arena, text) : TEXT_LITERAL("");
    a->value = value ? *value
                     : (struct value){(const uint8_t *)a->text.ptr,
                                      (uint32_t)a->text.len, EVTX_TEXT, 0};
    if (node->last_attribute)
        node->last_attribute->next = a;
    else
        node->attributes = a;
    node->last_attribute = a;
}

static void on_attribute(void *context, struct text name, struct text text,
                         const struct value *value)
{
    struct event_tree *t = context;
    if (t->open != &t->root && !is_left_out(t))
        add_attribute(t, t->open, name, text, value);
}

static void on_content(void *context, const struct value *value)
{
    struct event_tree *t = context;
    if (value->type != VALUE_LOST && t->open != &t->root && !is_left_out(t))
        add_node(t, t->open, NO_TEXT)->value = *value;
}

static void on_close(void *context)
{
    struct event_tree *t = context;
    if (t->cut_depth) {
        t->cut_depth--;
    } else if (t->open->parent) {
        t->open = t->open->parent;
        t->depth--;
    }
}

/* System by position, for a record whose outer template is gone. decode.c has checked that
 * the values are what they should be, and tells by a record id that they are. */
static const struct position {
    uint8_t index;
    const char *element, *attribute;
} positions[] = {
    {14, "Provider",      "Name"             },
    {15, "Provider",      "Guid"             },
    {3,  "EventID",       NULL               },
    {4,  "EventID",       "Qualifiers"       },
    {11, "Version",       NULL               },
    {0,  "Level",         NULL               },
    {2,  "Task",          NULL               },
    {1,  "Opcode",        NULL               },
    {5,  "Keywords",      NULL               },
    {6,  "TimeCreated",   "SystemTime"       },
    {10, "EventRecordID", NULL               },
    {7,  "Correlation",   "ActivityID"       },
    {13, "Correlation",   "RelatedActivityID"},
    {8,  "Execution",     "ProcessID"        },
    {9,  "Execution",     "ThreadID"         },
    {16, "Channel",       NULL               },
    {12, "Security",      "UserID"           },
};

static void take_position(struct event_tree *t, struct event_node *system,
                          const struct position *row, const struct value *value)
{
    struct value v = *value;
    struct buffer text = {0};
    if (!system->last || !text_equal(system->last->name, text_from(row->element)))
        add_node(t, system, text_from(row->element));
    if (v.type > TYPE_HEX64 || v.type == TYPE_NULL ||
        !value_is_sound(v.type, v.ptr, v.len))
        return;
    value_prepare(&v);
    if (!row->attribute) {
        add_node(t, system->last, NO_TEXT)->value = v;
        return;
    }
    value_add_text(&text, &v);
    add_attribute(t, system->last, text_from(row->attribute), buffer_text(&text), &v);
    buffer_release(&text);
}

static struct event_node *add_event(struct event_tree *t)
{
    struct event_node *event = add_node(t, &t->root, TEXT_LITERAL("Event"));
    add_attribute(t, event, TEXT_LITERAL("xmlns"),
                  TEXT_LITERAL("http://schemas.microsoft.com/win/2004/08/events/event"),
                  NULL);
    return event;
}

static uint32_t on_nameless(void *context, const struct value *values, uint32_t count)
{
    struct event_tree *t = context;
    if (t->open != &t->root || t->record->system.record_id == NO_RECORD ||
        count < VALUES_WITH_PROVIDER)
        return count;
    t->open = add_event(t);
    t->depth = 1;
    struct event_node *system = add_node(t, t->open, TEXT_LITERAL("System"));
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++)
        if (count == VALUES_WITH_PROVIDER || positions[i].index < 13)
            take_position(t, system, &positions[i], &values[positions[i].index]);
    return values[count - 1].type == TYPE_BINXML ? count - 1 : count;
}

/* What is missing is said, not left out: a reader of the lines finds System and EventData
 * in each of them. */
void event_tree_finish(struct event_tree *t)
{
    struct event_node *event = t->root.first;
    if (!event)
        event = add_event(t);
    bool has_data = false;
    for (const struct event_node *n = event->first; n; n = n->next)
        has_data |= event_is_element(n) && !text_equal(n->name, TEXT_LITERAL("System"));
    if (!has_data && t->record->state == RECORD_POSITIONAL)
        add_node(t, event, TEXT_LITERAL("EventData"));
}

struct binxml_visitor event_tree_start(struct event_tree *t,
                                       const struct evtx_record *record,
                                       struct arena *arena)
{
    *t = (struct event_tree){.arena = arena, .record = record};
    t->open = &t->root;
    return (struct binxml_visitor){t,          on_open,  on_attribute,
                                   on_content, on_close, on_nameless};
}

const char *event_tree_build(struct event_tree *t, struct binxml *b, uint32_t at,
                             uint32_t size, const struct evtx_record *record,
                             struct arena *arena)
{
    const struct binxml_visitor visitor = event_tree_start(t, record, arena);
    const char *wrong =
        binxml_walk(b, at + RECORD_HEADER, at + size - SIZE_COPY, &visitor);
    event_tree_finish(t);
    return wrong;
}

bool event_is_unnamed_data(const struct event_node *node)
{
    return text_equal(node->name, TEXT_LITERAL("Data")) && !node->attributes &&
           !node->has_elements;
}

struct text event_key(const struct event_node *node)
{
    if (text_equal(node->name, TEXT_LITERAL("Data")))
        for (const struct event_attribute *a = node->attributes; a; a = a->next)
            if (text_equal(a->name, TEXT_LITERAL("Name")))
                return a->text;
    return node->name;
}

uint32_t event_names_claim(struct event_names *names, struct text name)
{
    uint32_t ordinal = map_find(&names->seen, map_key_text(name));
    if (ordinal == MAP_NONE) {
        map_set(&names->seen, map_key_text(name), 0);
        return 0;
    }
    struct text written;
    do
        written = arena_printf(&names->arena, "%.*s_%u", TEXT(name), ++ordinal);
    while (map_find(&names->seen, map_key_text(written)) != MAP_NONE);
    map_set(&names->seen, map_key_text(name), ordinal);
    map_set(&names->seen, map_key_text(written), 0);
    return ordinal;
}

void event_names_release(struct event_names *names)
{
    map_release(&names->seen);
    arena_release(&names->arena);
}

void event_number_children(struct event_node *node)
{
    static const char *const ours[] = {"#attributes", "#text"};
    struct event_names names = {.arena = {0}};
    bool has_unnamed = false;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        event_names_claim(&names, text_from(ours[i]));
    for (const struct event_node *n = node->first; n && !has_unnamed; n = n->next)
        has_unnamed = event_is_element(n) && event_is_unnamed_data(n);
    if (has_unnamed)
        event_names_claim(&names, TEXT_LITERAL("Data"));
    for (struct event_node *n = node->first; n; n = n->next)
        if (event_is_element(n) && !event_is_unnamed_data(n))
            n->ordinal = event_names_claim(&names, event_key(n));
    event_names_release(&names);
}
