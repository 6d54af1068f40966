/* SPDX-License-Identifier: Apache-2.0
 * selection.h - which events are wanted: by time, id, channel, computer.
 *
 * `forebear records` writes the records that it takes, by TimeCreated. In a report it
 * chooses only what is told, by the event's own time, after everything was linked: lineage
 * and verdicts never change with it.
 *
 * Times: `after` is the first moment that is taken, `before` the first that is not. A record
 * whose time cannot be read is not taken where a time is asked for. Names are compared
 * without ASCII case, the whole name. Values of one kind are alternatives. */
#ifndef FOREBEAR_SELECTION_H
#define FOREBEAR_SELECTION_H

#include <stdatomic.h>

#include "util/filetime.h"

struct selection_ids {
    uint16_t first, last;
};

struct selection_names {
    struct text *items; /* borrowed */
    size_t count, capacity;
};

struct selection {
    uint64_t after, before; /* FILETIME_NONE: not asked for */
    struct selection_ids *ids;
    size_t id_count, id_capacity;
    struct selection_names channels, computers;
};

void selection_init(struct selection *s);
void selection_release(struct selection *s);
/* Is anything asked for at all? */
bool selection_is_set(const struct selection *s);
/* "2026-01-12", "2026-01-12T08:00:00", "... 08:00:00.5+02:00": UTC without a zone. */
bool selection_parse_time(struct text t, uint64_t *filetime);
/* "1", "1,5,8-10"; adds to what is there. False if it is no such list. */
bool selection_add_ids(struct selection *s, struct text list);
/* "name" or "name,name"; adds to what is there. False for an empty name. */
bool selection_add_names(struct selection_names *names, struct text list);

bool selection_takes_time(const struct selection *s, uint64_t filetime);
bool selection_takes_id(const struct selection *s, uint16_t event_id);
/* An absent or unwanted kind takes all. */
bool selection_takes_name(const struct selection_names *names, struct text name);
/* What is asked for, in words: "after 2026-...; event ids 1, 8-10". */
void selection_describe(const struct selection *s, struct buffer *out);

/* What of all that is asked for no record had: mostly a slip of the pen. */
struct selection_check {
    const struct selection *selection;
    atomic_bool *found;      /* ids, channels, computers, one behind the other */
    atomic_size_t left;      /* of these not found */
    atomic_bool is_answered; /* by a record that is taken */
};

/* The selection must outlive it. */
void selection_check_open(struct selection_check *c, const struct selection *s);
void selection_check_release(struct selection_check *c);
/* A record of the evidence, recovered ones too. Called by any thread. */
void selection_check_note(struct selection_check *c, uint16_t event_id,
                          struct text channel, struct text computer, uint64_t filetime);
/* "no record of the evidence has event id 7 or computer WKS-99", or that none meets all of it.
 * False if there is nothing to tell. */
bool selection_check_describe(const struct selection_check *c, struct buffer *out);

#endif
