/* SPDX-License-Identifier: Apache-2.0
 * The file walk, recovery and all behind them: the input is a log. */
#include "../memory_log.h"
#include "fuzz.h"

static enum status ask_for_all(void *context, const struct evtx_record *records,
                               size_t count)
{
    size_t *bytes = context;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < records[i].field_count; k++)
            *bytes += evtx_record_value(&records[i], k).len;
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct evtx_reader *reader;
    if (!reader) {
        reader = evtx_reader_open(EVTX_READER_NATIVE, 1);
        evtx_reader_recover(reader, true);
    }
    struct memory_log *m = memory_log_make(data, size);
    struct arena arena = {0};
    struct problems problems;
    size_t bytes = 0;
    problems_init(&problems, &arena);
    evtx_read(reader, &m->log, ask_for_all, &bytes, NULL, &problems, NULL, NULL);
    problems_release(&problems);
    arena_release(&arena);
    memory_log_free(m);
    return 0;
}
