/* SPDX-License-Identifier: Apache-2.0
 * unread.h - which bytes of a log could not be read. Only src/evtx includes this file.
 *
 * Such bytes count as zeros, and zeros are content: a hole, a torn record, a checksum that is
 * wrong. What reaches into them is therefore asked about before it is called damaged, and the
 * bytes are told themselves, each once, however often they are read. */
#ifndef FOREBEAR_EVTX_UNREAD_H
#define FOREBEAR_EVTX_UNREAD_H

#include "evtx/evtx_internal.h"

struct unread_range {
    uint64_t from, to;
    struct error why; /* of its first byte */
};

/* All zeros is an empty one. */
struct unread {
    struct unread_range *ranges; /* ascending; adjoining ones are one */
    size_t count, capacity, told;
    uint64_t up_to;      /* bytes before it were noted already */
    uint64_t bytes;      /* in all */
    uint64_t not_listed; /* of them, beyond the ranges that are kept */
};

/* Read `len` bytes, EVTX_CHUNK_SIZE at most; what cannot be read becomes zeros, is noted, and
 * stands in *spans. */
void unread_read(struct unread *u, const struct evidence_source *source,
                 uint64_t offset, uint8_t *into, size_t len, struct evtx_spans *spans);
/* One problem for each range that ends before `before`, once; UINT64_MAX: all of them.
 * problems may be NULL. */
void unread_tell(struct unread *u, uint64_t before, const struct evidence_log *log,
                 struct problems *problems);
void unread_release(struct unread *u);

#endif
