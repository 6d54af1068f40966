/* SPDX-License-Identifier: Apache-2.0
 * log_digest.h - the digest of a log, from the bytes that are read to be decoded.
 * Only src/evtx includes this file.
 *
 * Pieces come in the order of the log, each byte of it once, and stay where they are until
 * they are digested. A digest can only be made from first to last, so one work at most is
 * with the workers: it takes all pieces that came since the last one, and whichever worker
 * is free does it. Once a piece does not begin where the last one ended, the digest is
 * broken and stays so: then somebody else has to read the log for it. */
#ifndef FOREBEAR_EVTX_LOG_DIGEST_H
#define FOREBEAR_EVTX_LOG_DIGEST_H

#include "util/bytes.h"
#include "util/digest.h"
#include "util/workers.h"

struct log_digest {
    struct work work;
    struct workers *workers;
    struct digester digester;
    struct bytes *waiting, *given; /* pieces; those given are with a worker, or done */
    size_t waiting_count, given_count, room;
    uint64_t next; /* offset of the byte to come */
    bool is_broken;
};

/* room: how many pieces can be on their way. */
void log_digest_open(struct log_digest *d, unsigned kinds, struct workers *workers,
                     size_t room);
/* Take what the log has at `offset`, or, where it could not be read, tell that. */
void log_digest_take(struct log_digest *d, uint64_t offset, struct bytes piece);
void log_digest_break(struct log_digest *d);
/* Hand over what waits, unless a worker is still busy with what was handed over before. */
void log_digest_go_on(struct log_digest *d);
/* Returns when the bytes at `ptr` are not needed any more. */
void log_digest_let_go(struct log_digest *d, const uint8_t *ptr);
/* Returns when no piece is needed any more. True if all `size` bytes came: then *out is the
 * digest of the log. */
bool log_digest_close(struct log_digest *d, uint64_t size, struct digest_values *out);

#endif
