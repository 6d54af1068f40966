/* SPDX-License-Identifier: Apache-2.0
 * seen.h - which records were given already, so that a recovered copy of one is not given
 * again. Only src/evtx includes this file.
 *
 * A record is told by computer, channel, EventRecordID and TimeCreated to 100 ns. Of the
 * records that are given first only the span of ids of each slot is kept: recovered records
 * are few, and mostly older than all of these. Where one has an id that a slot gave too,
 * the slot is read again for its records of such ids, of which 64 bits of hash are kept. */
#ifndef FOREBEAR_EVTX_SEEN_H
#define FOREBEAR_EVTX_SEEN_H

#include "evtx/evtx.h"

/* A slot whose records were given. */
struct seen_slot {
    uint64_t offset;
    uint64_t first_id, last_id; /* NO_RECORD is the last of all */
};

/* All zeros is an empty one. */
struct seen {
    struct seen_slot *given;
    size_t given_count, given_capacity;
    uint64_t *ids; /* of recovered records; ascending after seen_sort_ids() */
    size_t id_count, id_capacity;
    uint64_t *slots; /* hashes; 0: free */
    size_t count, capacity;
};

/* These records of the slot at that offset were given. */
void seen_note_slot(struct seen *seen, uint64_t offset,
                    const struct evtx_record *records, size_t count);
/* Records of this id will be asked for. All of them before seen_sort_ids(). */
void seen_expect(struct seen *seen, const struct evtx_record *record);
void seen_sort_ids(struct seen *seen);
/* May, or will, a record that was given be asked for? */
bool seen_matters(const struct seen *seen, const struct seen_slot *given);
bool seen_is_expected(const struct seen *seen, const struct evtx_record *record);
/* Was it there already? It is afterwards. */
bool seen_add(struct seen *seen, const struct evtx_record *record);
void seen_release(struct seen *seen);

#endif
