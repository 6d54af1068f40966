/* SPDX-License-Identifier: Apache-2.0
 * plan.h - where in a record each wanted value stands, told once from its template.
 * Only src/evtx includes this file.
 *
 * Nearly every record is one instance of an outer template (Event, System) with an instance
 * of an inner one (EventData or UserData) as one of its values. Its plan says which
 * substitution each System value and each field is, so that a record is read as an array of
 * slices. A template that is not as simple as that has no plan; its records take the
 * general decoder (binxml.h), which must give the same. */
#ifndef FOREBEAR_EVTX_PLAN_H
#define FOREBEAR_EVTX_PLAN_H

#include "evtx/template.h"

enum system_item {
    SYSTEM_PROVIDER, /* the first four are texts, the others numbers */
    SYSTEM_CHANNEL,
    SYSTEM_COMPUTER,
    SYSTEM_USER,
    SYSTEM_EVENT_ID,
    SYSTEM_VERSION,
    SYSTEM_LEVEL,
    SYSTEM_TASK,
    SYSTEM_OPCODE,
    SYSTEM_KEYWORDS,
    SYSTEM_TIME,
    SYSTEM_RECORD_ID,
    SYSTEM_PROCESS,
    SYSTEM_THREAD,
    SYSTEM_ITEMS,
    SYSTEM_TEXTS = SYSTEM_EVENT_ID
};

enum {
    NO_SUBSTITUTION = 0xffff,
    PLAN_FIELDS_MAX = 256,
    PLAN_JOINED_MAX = 64 * 1024 /* bytes of the names of elements in elements */
};

/* A value that is one substitution, or a literal, or not there. */
struct plan_source {
    uint16_t index;      /* NO_SUBSTITUTION: the literal, if it is one */
    uint16_t dependency; /* the element is left out if that value is null */
    struct text literal; /* absent: it is not there; of a substitution: if it is null */
    uint64_t number;     /* the literal as one */
};

struct plan {
    bool is_event; /* an outer template; else EventData or UserData */
    bool is_user_data;
    bool is_straight; /* field number i is value number i, whatever else is null */
    uint16_t needed;  /* values that an instance must have */
    uint16_t payload; /* the substitution that is EventData or UserData, if any */
    bool payload_may_be_null; /* else all of Event is left out where it is */
    struct plan_source system[SYSTEM_ITEMS];
    struct plan_source *fields;
    const struct evtx_layout *layout;
};

/* NULL if the template is not simple enough. */
const struct plan *plan_compile(const struct template *template,
                                struct layouts *layouts, struct arena *arena);

/* Which System item an element's content is, or its attribute's value; SYSTEM_ITEMS if
 * none. attribute is absent for content. */
enum system_item system_item_find(struct text element, struct text attribute);
/* A literal or text as the item's number: decimal, 0x hex, or a time. */
bool system_number_from_text(enum system_item item, struct text text, uint64_t *number);
/* How many bytes a number of struct evtx_system has; one that needs more is none. */
extern const uint8_t system_number_width[SYSTEM_ITEMS];
bool system_number_fits(enum system_item item, uint64_t number);
void system_set_number(struct evtx_system *system, enum system_item item,
                       uint64_t number);
/* All at once, indexed by item. */
void system_set_numbers(struct evtx_system *system, const uint64_t *numbers);
void system_set_text(struct evtx_system *system, enum system_item item,
                     struct text text);
void system_clear(struct evtx_system *system);

#endif
