/* SPDX-License-Identifier: Apache-2.0
 * places.h - where else a record stands: in an export, a backup, a copy of the log, another
 * item of the evidence. One event is one row of a report, with the list of its places.
 *
 * An owner is a number of the caller's: a process, an event of the timeline. Its first
 * PLACES_MAX other places are kept in the order in which they are met, the rest is counted. */
#ifndef FOREBEAR_PLACES_H
#define FOREBEAR_PLACES_H

#include "evtx/evtx.h"
#include "util/map.h"

enum { PLACES_MAX = 8 };

struct seen_place {
    uint64_t offset, record_id;
    uint32_t log;  /* its number */
    uint32_t next; /* index + 1; 0: the last */
    uint8_t state;
};

struct seen_owner {
    uint32_t first, last; /* index + 1 of places */
    uint64_t count;       /* may be more than are kept */
};

struct seen_places { /* all zeros is an empty one */
    struct seen_place *items;
    size_t count, capacity;
    struct seen_owner *owners;
    size_t owner_count, owner_capacity;
    struct arena keys;
    struct map index; /* owner's number -> owners */
};

void places_add(struct seen_places *p, uint32_t owner, const struct seen_place *place);
/* NULL if it stands nowhere else. */
const struct seen_owner *places_of(const struct seen_places *p, uint32_t owner);
void places_release(struct seen_places *p);

#endif
