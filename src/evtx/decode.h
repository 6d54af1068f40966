/* SPDX-License-Identifier: Apache-2.0
 * decode.h - one record frame of a chunk becomes a struct evtx_record.
 * Only src/evtx includes this file.
 *
 * Fast path: both of the record's templates have plans and its values are of the types that
 * the plans expect: then its cells point into the chunk and nothing is converted. All other
 * records take the general decoder, whose cells are text; both give the same. A record is
 * DAMAGED if the walk over it ended early: then it holds what stands before the damage. */
#ifndef FOREBEAR_EVTX_DECODE_H
#define FOREBEAR_EVTX_DECODE_H

#include "evtx/binxml.h"
#include "evtx/event.h"
#include "evtx/plan.h"

struct decoder_counts {
    uint64_t by_plan, by_walk, damaged;
};

/* A field being collected by the general decoder. */
struct decoded_field {
    struct text name;
    struct evtx_cell cell;
};

/* An instance whose values all lie inside its record. */
struct fitted {
    const struct plan *plan;
    struct definition *definition;
    const uint8_t *descriptors, *values, *end;
    uint32_t count;
    const uint32_t *at; /* of each value, from `values`; at[count]: behind the last */
    uint32_t own[SUBSTITUTIONS_MAX + 1]; /* what that points to, or a shape's */
};

enum {
    DECODER_PATH_MAX = 32,
    SHAPE_VALUES_MAX = 24 /* 20 is the most that Event's template has */
};

/* How the values of the last instance of Event's template lay, and what System was: in the
 * next record most of it is the same, but for numbers and the length of the last value. */
struct shape {
    uint32_t count;
    uint8_t descriptors[4 * SHAPE_VALUES_MAX];
    uint32_t at[SHAPE_VALUES_MAX + 1];
    bool has_system; /* then what follows is filled in */
    struct evtx_system system;
    uint64_t numbers[SYSTEM_ITEMS]; /* those that are values among them are read anew */
    uint8_t number_items[SYSTEM_ITEMS];
    uint16_t text_indexes[SYSTEM_TEXTS]; /* which values they are, and these values */
    struct value texts[SYSTEM_TEXTS];
    uint32_t number_count, text_count;
};

struct decoder_level {
    struct text path; /* of a field */
    size_t text_at;   /* where its text begins in decoder->text */
    uint8_t flags;
    bool has_children, is_lost;
};

/* All zeros but for binxml.templates before the first chunk. */
struct decoder {
    struct binxml binxml;
    struct arena *arena;
    bool never_by_plan; /* a test asks for the general decoder alone */
    struct decoder_counts counts;
    /* The last record's instances, if its plans fitted: what event_write.c writes from. */
    bool was_by_plan, has_inner;
    struct fitted outer, inner;
    struct event_programs programs;
    struct arena tree; /* of one event */
    /* the rest is the general decoder's, for one record */
    struct evtx_record *record;
    struct decoder_level levels[DECODER_PATH_MAX];
    unsigned depth;
    struct text section, element; /* at depths 2 and 3 */
    struct text provider_source;
    struct buffer text;
    struct decoded_field *fields;
    struct text *names;
    size_t field_count, field_capacity, name_capacity;
    size_t joined; /* bytes of names made of several */
    const char *odd;
};

void decoder_release(struct decoder *d);
/* ---- event_write.c: the record that decoder_record() gave last, as text and a new line
 * behind it. Sets the lengths of record->event and record->event_close. NULL, or what of the
 * event could not be given that decoder_record() did not tell: a plan looks at no value that
 * no field is made of. */
const char *decoder_write_event(struct decoder *d, enum evtx_form form, uint32_t at,
                                uint32_t size, struct evtx_record *record,
                                struct buffer *out);

/* ---- a record from elsewhere than a chunk: its elements are told to the visitor, between
 * the two. Names must live as long as the arena. decoder_collected() returns what is odd, or
 * NULL. */
struct binxml_visitor decoder_collect(struct decoder *d, struct arena *arena,
                                      struct evtx_record *record);
const char *decoder_collected(struct decoder *d);

/* Records that come out live as long as chunk and arena. */
void decoder_start_chunk(struct decoder *d, struct chunk_bytes chunk,
                         struct arena *arena);
/* Ask whether the frame at `at`, which fits the chunk, is wanted at all: 0 if it is, or if
 * its plans do not tell; else the number that `glance` gave. Nothing is converted. */
unsigned decoder_glance(struct decoder *d, uint32_t at, uint32_t size,
                        evtx_glancer *glance, void *context, unsigned worker);
/* Decode the frame at `at`, which fits the chunk. Fills in all of the record but offset and
 * state. DAMAGED: *wrong says why, and the record holds what could be read; OK with *wrong
 * set: all of it was read, something is odd. */
/* Set d->binxml.intact_end before for a torn record: what stands behind is not given. */
enum status decoder_record(struct decoder *d, uint32_t at, uint32_t size,
                           struct evtx_record *record, const char **wrong);

#endif
