/* SPDX-License-Identifier: Apache-2.0
 * recover.h - records of a slot that are not live: behind damage, in a slot without its
 * chunk header, in the space behind the live ones. Only src/evtx includes this file.
 *
 * A record stands where magic, size and size copy agree. Where one of the three is damaged
 * and the other two, with the record behind it, agree, it is repaired:
 *   size       the next record's start, minus this one's, is the size copy before it
 *   magic      size and size copy agree, and id and time are possible
 *   size copy  the record ends where the next begins or the records end
 * A record whose end is zeros, or lies behind the end of the log, is torn: what stands
 * before the zeros is given. Nothing is accepted on its magic alone. */
#ifndef FOREBEAR_EVTX_RECOVER_H
#define FOREBEAR_EVTX_RECOVER_H

#include "evtx/native.h"

struct recovered_frame {
    struct evtx_frame frame;
    enum record_state state;
    bool is_slack;        /* stands behind the live ones */
    uint32_t intact_end;  /* of a torn record: where its zeros begin */
    const char *repaired; /* what was, or NULL */
};

/* The next one at or behind *at and before `end`; *at moves behind it. */
bool recover_next(const struct evtx_slot *slot, uint32_t *at, uint32_t end,
                  struct recovered_frame *out);
/* Decode all that the slot holds besides its live records, behind w->records[w->count]. */
void recover_records(struct native_work *w, struct decoder *d);

#endif
