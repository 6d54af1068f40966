/* SPDX-License-Identifier: Apache-2.0
 * seen.h - which records were given already, so that a recovered copy of one is not given
 * again. Only src/evtx includes this file.
 *
 * A copy has the computer, channel, EventRecordID, TimeCreated (to 100 ns) and the content
 * of a record that was given: all of System, the names and the values of its fields, as the
 * report shows them. A torn one is a copy if what is left of it stands in the first record
 * of that identity. Anything else of the same identity is a record of its own. All of this
 * is told by SHA-256, so that crafted evidence neither hides a record nor slows the search.
 *
 * Of the records that are given first only the span of ids of each slot is kept: recovered
 * records are few, and mostly older than all of these. Where one has an id that a slot gave
 * too, the slot is read again for its records of such ids. */
#ifndef FOREBEAR_EVTX_SEEN_H
#define FOREBEAR_EVTX_SEEN_H

#include "evtx/evtx_internal.h"
#include "util/map.h"

/* A slot whose records were given. */
struct seen_slot {
    uint64_t offset;
    uint64_t first_id, last_id; /* NO_RECORD is the last of all */
    bool is_by_headers; /* not all of its records were decoded: these are header ids */
};

/* The first record of its identity. */
struct seen_first {
    uint64_t offset;
    uint64_t *marks; /* one a field: the start of its digest; NULL: none kept */
    size_t mark_count;
    bool is_torn;
};

/* All zeros is an empty one. */
struct seen {
    struct seen_slot *given;
    size_t given_count, given_capacity;
    uint64_t *ids; /* of recovered records; ascending after seen_sort_ids() */
    size_t id_count, id_capacity;
    bool expects_torn;
    bool headers_tell; /* a record's header has its EventRecordID */
    struct seen_first *firsts;
    size_t first_count, first_capacity;
    struct map identities; /* digest -> index of firsts */
    struct map contents;   /* digest, with the identity; the value says nothing */
    struct arena arena;
};

enum seen_verdict {
    SEEN_NEW,
    SEEN_COPY,
    SEEN_DIFFERS, /* the identity was given, with another content */
};

/* These records of the slot at that offset were given. */
void seen_note_slot(struct seen *seen, uint64_t offset,
                    const struct evtx_record *records, size_t count);
/* Records of that slot were given or passed over; what is known of all are their frames. */
void seen_note_frames(struct seen *seen, uint64_t offset,
                      const struct evtx_frame *frames, size_t count);
/* Such a record will be asked for. All of them before seen_sort_ids(). */
void seen_expect(struct seen *seen, const struct evtx_record *record);
void seen_sort_ids(struct seen *seen);
/* May, or will, a record that was given be asked for? */
bool seen_matters(const struct seen *seen, const struct seen_slot *given);
bool seen_is_expected(const struct seen *seen, const struct evtx_record *record);
/* Was it there already? It is afterwards. *first is where the first record of its identity
 * lies, this one's own offset if it is new. */
enum seen_verdict seen_add(struct seen *seen, const struct evtx_record *record,
                           uint64_t *first);
void seen_release(struct seen *seen);

#endif
