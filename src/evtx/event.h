/* SPDX-License-Identifier: Apache-2.0
 * event.h - a whole record as text: one line of JSON, or XML. Only src/evtx includes this
 * file.
 *
 * Two ways to the same bytes. The general one walks the record (binxml.h) into a small tree
 * and writes that. The fast one is for JSON: a template whose elements and attributes are
 * known becomes a program once (event_plan.c), which copies what never changes and writes
 * values straight from the chunk; whatever it does not cover takes the general way.
 *
 * The shape of the JSON is the one that evtx_dump made the convention; doc/outputs.md tells
 * it, and where we differ. The XML is what Windows' EvtRender gives, on one line. */
#ifndef FOREBEAR_EVTX_EVENT_H
#define FOREBEAR_EVTX_EVENT_H

#include "evtx/binxml.h"
#include "util/map.h"

struct event_attribute {
    struct text name, text;
    struct value value; /* type EVTX_TEXT where it is more than one value */
    struct event_attribute *next;
};

/* An element, or a piece of text in one. */
struct event_node {
    struct text name; /* absent: a piece */
    struct value value;
    struct event_attribute *attributes, *last_attribute;
    struct event_node *parent, *first, *last, *next;
    uint32_t ordinal; /* its key in its parent is KEY_ORDINAL; 0: KEY */
    bool has_elements;
};

enum {
    EVENT_NODES_MAX = 128 * 1024, /* of one record; 400 is the most ever seen */
    EVENT_DEPTH_MAX = 128         /* elements in each other; 6 is the most ever seen */
};

struct event_tree {
    struct arena *arena;
    struct event_node root; /* around the event: not an element */
    struct event_node *open;
    const struct evtx_record *record;
    uint32_t nodes;
    bool is_cut;        /* it had more than EVENT_NODES_MAX: what follows is left out */
    uint32_t depth;     /* elements that are open, and ... */
    uint32_t cut_depth; /* ... those in them that are left out */
};

/* Walk the body of the record that stands at `at` in the chunk. NULL, or what is wrong, as
 * from binxml_walk(). */
const char *event_tree_build(struct event_tree *tree, struct binxml *b, uint32_t at,
                             uint32_t size, const struct evtx_record *record,
                             struct arena *arena);

/* The same of an event that is not in a chunk: its elements are told to the visitor, between
 * the two. Names, and values that are no copies, must live as long as the arena. */
struct binxml_visitor event_tree_start(struct event_tree *tree,
                                       const struct evtx_record *record,
                                       struct arena *arena);
void event_tree_finish(struct event_tree *tree);

/* What an element is called in JSON: its Name for Data, else its own. */
struct text event_key(const struct event_node *node);
bool event_is_unnamed_data(const struct event_node *node);
bool event_is_element(const struct event_node *node);
/* Names in one object or start tag, of which no two may be the same: of two equal ones a
 * reader keeps one, or refuses both. All zeros is empty; names must outlive it. */
struct event_names {
    struct map seen;
    struct arena arena;
};

/* 0: the name is new; else NAME_n is. */
uint32_t event_names_claim(struct event_names *names, struct text name);
void event_names_release(struct event_names *names);
/* Tell the children of an element what its keys are. */
void event_number_children(struct event_node *node);

/* {"Event":{...} without the last brace, which is `close`. */
void event_write_json(struct buffer *out, struct event_tree *tree, struct text *close);
/* <Event ...>... without the last end tag, which is `close`. */
void event_write_xml(struct buffer *out, struct event_tree *tree, struct text *close);

/* event_write.c: one of the two, whole, with a new line behind it. Sets the lengths of
 * record->event and record->event_close. */
void event_write_tree(struct event_tree *tree, enum evtx_form form,
                      struct evtx_record *record, struct buffer *out);
/* Once the buffer moves no more: the record's event, if it has one, stands at `at`. Returns
 * where the next one does. */
const char *evtx_record_place_event(struct evtx_record *record, const char *at);

/* buffer_reserve() without a call where there is room. */
static inline char *event_room(struct buffer *out, size_t n)
{
    return out->capacity > out->len && out->capacity - out->len > n
               ? out->ptr + out->len
               : buffer_reserve(out, n);
}

/* ---- event_json.c: a value of an event as JSON; lone surrogates are \uNNNN */
enum { JSON_VALUE_MAX_PER_BYTE = 6 };
void event_add_json_string(struct buffer *out, struct text t);
/* Numbers and booleans bare, all else in quotes; null is null. */
void event_add_json_value(struct buffer *out, const struct value *v);
/* The same without the quotes: a piece of a string. */
void event_add_json_piece(struct buffer *out, const struct value *v);

/* ---- event_plan.c */

struct event_program;

/* Programs by the serial number of their template; one for each decoder. */
struct event_programs {
    struct event_program **items;
    uint32_t count;
    struct arena arena;
};

void event_programs_release(struct event_programs *programs);
/* The program of a template, made when it is first asked for. NULL: take the other way. */
const struct event_program *event_program_of(struct event_programs *programs,
                                             const struct template *template);

/* Where the values of an instance lie. */
struct event_values {
    const uint8_t *descriptors; /* u16 length, u8 type, u8 0 each */
    const uint8_t *values;
    const uint32_t *at; /* of each, from `values`; at[count]: behind the last */
    uint32_t count;
};

/* False if a value is not one that it can write: nothing counts that was added then.
 * payload may be NULL: no inner instance. */
bool event_program_run(struct buffer *out, const struct event_program *program,
                       const struct event_values *values,
                       const struct event_program *payload,
                       const struct event_values *payload_values);

#endif
