/* SPDX-License-Identifier: Apache-2.0
 * fuzz_text.h - the input is a file of events as text: found, parsed, written again in both
 * forms, twice with equal outcome. */
#ifndef FOREBEAR_FUZZ_TEXT_H
#define FOREBEAR_FUZZ_TEXT_H

#include "../memory_log.h"
#include "fuzz.h"

struct fuzz_tally {
    uint64_t records, bytes;
};

static enum status fuzz_sink(void *context, const struct evtx_record *records,
                             size_t count)
{
    struct fuzz_tally *tally = context;
    tally->records += count;
    for (size_t i = 0; i < count; i++) {
        tally->bytes += records[i].event.len + records[i].event_close.len;
        for (size_t k = 0; k < records[i].field_count; k++)
            tally->bytes += evtx_record_name(&records[i], k).len +
                            evtx_record_value(&records[i], k).len;
    }
    return OK;
}

static bool fuzz_all(const void *context, const struct evtx_record *record)
{
    (void)context;
    (void)record;
    return true;
}

static struct fuzz_tally fuzz_read(struct memory_log *m, enum evtx_form form)
{
    static struct evtx_reader *reader; /* its threads cost more than most inputs */
    struct arena arena = {0};
    struct problems problems;
    struct fuzz_tally tally = {0};
    if (!reader)
        reader = evtx_reader_open(EVTX_READER_NATIVE, 1);
    problems_init(&problems, &arena);
    evtx_reader_write_events(reader, form, fuzz_all, NULL);
    evtx_read(reader, &m->log, fuzz_sink, &tally, NULL, &problems, NULL, NULL);
    problems_release(&problems);
    arena_release(&arena);
    return tally;
}

static int fuzz_text(enum log_form form, const uint8_t *data, size_t size)
{
    struct memory_log *m = memory_log_make(data, size);
    m->log.format.form = form;
    m->log.format.is_gzip = size > 2 && data[0] == 0x1f && data[1] == 0x8b;
    if (size > 2 && ((data[0] == 0xff && data[1] == 0xfe) || data[1] == 0))
        m->log.format.encoding = ENCODING_UTF16LE;
    struct fuzz_tally as_json = fuzz_read(m, EVTX_JSON);
    if (fuzz_read(m, EVTX_XML).records != as_json.records)
        abort();
    memory_log_free(m);
    return 0;
}

#endif
