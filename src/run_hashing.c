/* SPDX-License-Identifier: Apache-2.0
 * The digests of the logs, made beside the reading. */
#include "run_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "util/memory.h"
#include "util/workers.h"

enum {
    /* With more jobs than this, decoding takes less time than SHA-256, which one thread has
     * to make from first to last: then it need not end with the first pass. */
    JOBS_THAT_HASH = 3
};

static void hash_log(struct work *work, unsigned worker)
{
    struct hashing *h = (struct hashing *)(void *)work;
    (void)worker;
    h->status = evidence_log_digest(h->log, h->kinds, NULL, &h->damage);
}

static void submit_hashing(struct run *run, struct hashing *h)
{
    h->is_submitted = true;
    workers_submit(run->beside, &h->work);
}

void start_hashing(struct run *run)
{
    const struct options *o = run->options;
    size_t count = run->evidence.log_count;
    bool reader_hashes = o->reader == EVTX_READER_NATIVE && o->jobs <= JOBS_THAT_HASH;
    run->hashing = memory_get_zeroed(count, sizeof *run->hashing);
    for (size_t i = 0; i < count; i++) {
        struct hashing *h = &run->hashing[i];
        *h = (struct hashing){.work.run = hash_log,
                              .log = &run->evidence.logs[i],
                              .kinds = o->digest_kinds | DIGEST_BIT(DIGEST_SHA256),
                              .status = FAILED};
        if (h->log->item->kind == EVIDENCE_IMAGE)
            hash_log(&h->work, 0);
        else if (reader_hashes && !evidence_log_is_text(h->log))
            h->by_reader.kinds = h->kinds;
        else
            submit_hashing(run, h);
    }
}

void take_digest(struct run *run, struct hashing *h)
{
    if (h->by_reader.kinds && !h->by_reader.is_whole)
        submit_hashing(run, h);
    else if (h->by_reader.kinds) {
        h->log->digests = h->by_reader.values;
        h->status = OK;
    }
}

static void say_hash(struct run *run, const struct evidence_log *log)
{
    char hex[DIGEST_HEX_MAX];
    journal_say(&run->journal, JOURNAL_ACTION,
                "hashed %.*s: %.*s: %" PRIu64 " bytes, SHA-256 %.*s",
                TEXT(log->evidence), TEXT(log->path), log->size,
                TEXT(digest_hex(hex, &log->digests, DIGEST_SHA256)));
}

/* What is missing of a log was told by the reader, if it met that. */
static void tell_not_hashed(struct run *run, const struct hashing *h,
                            const struct evtx_log_facts *facts)
{
    if (!facts->bytes_unreadable)
        problems_add_error(&run->problems, PROBLEM_LOG_UNREADABLE, &h->damage);
    problems_add(&run->problems, PROBLEM_LOG_NOT_HASHED,
                 evidence_log_place(h->log, NO_OFFSET, NO_RECORD),
                 "no hash is given of the %" PRIu64
                 " bytes that the log has: not all of them could be read",
                 h->log->size);
}

void end_hashing(struct run *run)
{
    for (size_t i = 0; run->hashing && i < run->evidence.log_count; i++) {
        struct hashing *h = &run->hashing[i];
        if (h->is_submitted)
            workers_wait(run->beside, &h->work);
        if (h->status == DAMAGED)
            tell_not_hashed(run, h, &run->report.logs[i].facts);
        if (h->status == OK)
            say_hash(run, h->log);
    }
    free(run->hashing);
    run->hashing = NULL;
}
