/* SPDX-License-Identifier: Apache-2.0
 * log_digest.h - the digest of a log, from the bytes that are read to be decoded.
 * Only src/evtx includes this file.
 *
 * Pieces come in the order of the log, each byte of it once, and stay where they are until
 * they are digested. A digest can only be made from first to last, so at most one worker is
 * at it, whichever is free: it goes on as long as pieces come. Once a piece does not begin
 * where the last one ended, the digest is broken and stays so: then somebody else has to
 * read the log for it. */
#ifndef FOREBEAR_EVTX_LOG_DIGEST_H
#define FOREBEAR_EVTX_LOG_DIGEST_H

#include <pthread.h>

#include "util/bytes.h"
#include "util/digest.h"
#include "util/workers.h"

struct log_digest {
    struct work work;
    struct workers *workers;
    struct digester digester;
    uint64_t next; /* offset of the byte to come */
    bool is_broken;
    pthread_mutex_t
        lock; /* of the rest: a ring of pieces, counted from the first ever */
    struct bytes *pieces;
    size_t room, taken, done;
    bool is_under_way;
};

/* room: how many pieces can be on their way. */
void log_digest_open(struct log_digest *d, unsigned kinds, struct workers *workers,
                     size_t room);
/* Take what the log has at `offset`, or, where it could not be read, tell that. */
void log_digest_take(struct log_digest *d, uint64_t offset, struct bytes piece);
void log_digest_break(struct log_digest *d);
/* Have a worker go on with what was taken. */
void log_digest_go_on(struct log_digest *d);
/* Returns when the bytes at `ptr` are not needed any more. */
void log_digest_let_go(struct log_digest *d, const uint8_t *ptr);
/* Returns when no piece is needed any more. True if all `size` bytes came: then *out is the
 * digest of the log. */
bool log_digest_close(struct log_digest *d, uint64_t size, struct digest_values *out);

#endif
