/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/unread.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

enum { LISTED_MAX = 100 };

/* Readings go forward; one that goes back meets what is known. */
static void note(struct unread *u, uint64_t from, uint64_t to, const struct error *why)
{
    from = from < u->up_to ? u->up_to : from;
    if (from >= to)
        return;
    u->bytes += to - from;
    u->up_to = to;
    if (u->count && u->ranges[u->count - 1].to == from) {
        u->ranges[u->count - 1].to = to;
        return;
    }
    if (u->count == LISTED_MAX) {
        u->not_listed += to - from;
        return;
    }
    ARRAY_GROW(u->ranges, u->count, u->capacity);
    u->ranges[u->count++] = (struct unread_range){from, to, *why};
}

/* One block. Returns how many bytes of it could be read. */
static size_t read_block(const struct evidence_source *source, uint64_t offset,
                         uint8_t *into, size_t len, struct error *err)
{
    size_t got = 0;
    enum status status = evidence_source_read(source, offset, into, len, &got, err);
    if (status == OK && got == len)
        return len;
    if (status == OK)
        fail(err, DAMAGED, evidence_log_place(source->log, offset + got, NO_RECORD),
             "lies behind the end of the file");
    if (got < len)
        memset(into + got, 0, len - got);
    uint64_t bad = err->place.offset - offset;
    return bad < len ? (size_t)bad : 0;
}

void unread_read(struct unread *u, const struct evidence_source *source,
                 uint64_t offset, uint8_t *into, size_t len, struct evtx_spans *spans)
{
    size_t got = 0;
    struct error err = {0};
    spans->count = 0;
    if (evidence_source_read(source, offset, into, len, &got, NULL) == OK && got == len)
        return;
    for (size_t at = 0, block; at < len; at += block) {
        block = EVTX_RETRY_BLOCK - (offset + at) % EVTX_RETRY_BLOCK;
        block = block < len - at ? block : len - at;
        size_t read = read_block(source, offset + at, into + at, block, &err);
        if (read == block)
            continue;
        note(u, offset + at + read, offset + at + block, &err);
        spans->spans[spans->count].from = (uint32_t)(at + read);
        spans->spans[spans->count++].to = (uint32_t)(at + block);
    }
}

void unread_tell(struct unread *u, uint64_t before, const struct evidence_log *log,
                 struct problems *problems)
{
    for (; u->told < u->count && u->ranges[u->told].to < before; u->told++) {
        const struct unread_range *r = &u->ranges[u->told];
        problems_add(problems, PROBLEM_LOG_UNREADABLE,
                     evidence_log_place(log, r->from, NO_RECORD),
                     "%" PRIu64 " bytes from here on are missing and count as zeros; "
                     "the first of them %s",
                     r->to - r->from, r->why.what);
    }
    if (!u->not_listed || before < UINT64_MAX)
        return;
    problems_add(problems, PROBLEM_LOG_UNREADABLE,
                 evidence_log_place(log, u->ranges[u->count - 1].to, NO_RECORD),
                 "%" PRIu64 " more bytes behind this place are missing and count as "
                 "zeros",
                 u->not_listed);
    u->not_listed = 0;
}

void unread_release(struct unread *u)
{
    free(u->ranges);
    *u = (struct unread){0};
}
