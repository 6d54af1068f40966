/* SPDX-License-Identifier: Apache-2.0
 * seen.h - which records were given already, so that a recovered copy of one is not given
 * again. Only src/evtx includes this file.
 *
 * A record is told by computer, channel, EventRecordID and TimeCreated to 100 ns; 64 bits
 * of hash are kept of them, 16 bytes a record at most. */
#ifndef FOREBEAR_EVTX_SEEN_H
#define FOREBEAR_EVTX_SEEN_H

#include "evtx/evtx.h"

/* All zeros is an empty one. */
struct seen {
    uint64_t *slots; /* 0: free */
    size_t count, capacity;
};

/* Was it there already? It is afterwards. */
bool seen_add(struct seen *seen, const struct evtx_record *record);
void seen_release(struct seen *seen);

#endif
