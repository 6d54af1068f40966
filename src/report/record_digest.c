/* SPDX-License-Identifier: Apache-2.0
 * The SHA-256 of the bytes of a record that a row cites, read again from the evidence when
 * the row is written: few records are cited, and hashing all of them would cost as much as
 * reading them. Rows follow time, as records mostly do: where one follows close upon the last,
 * a piece of the log is read that serves several. Else the rows jump, and most records are in
 * what is read for one alone. */
#include "report/report_internal.h"

#include <stdlib.h>

#include "util/bytes.h"
#include "util/memory.h"

enum {
    WINDOW = 1 << 13,
    WINDOW_FOR_ONE = 1 << 11,
    SIZE_MIN = 28,
    SIZE_MAX_OF_RECORD = 65024
};

static void close_window(struct record_window *w)
{
    if (w->source.log)
        evidence_source_close(&w->source);
}

static bool fill_window(struct record_window *w, const struct evidence_log *log,
                        uint64_t offset, size_t len)
{
    if (w->source.log == log && offset >= w->from && offset - w->from + len <= w->len)
        return true;
    bool is_near =
        w->source.log == log && offset > w->from && offset - w->from < WINDOW;
    if (!w->bytes) {
        w->bytes = memory_get(SIZE_MAX_OF_RECORD);
        digester_init(&w->digester, DIGEST_BIT(DIGEST_SHA256));
    }
    if (w->source.log != log) {
        close_window(w);
        evidence_source_open(&w->source, log);
    }
    size_t window = is_near ? WINDOW : WINDOW_FOR_ONE;
    w->from = offset;
    size_t want = len > window ? len : window;
    if (evidence_source_read(&w->source, offset, w->bytes, want, &w->len, NULL) != OK &&
        evidence_source_read(&w->source, offset, w->bytes, len, &w->len, NULL) != OK)
        w->len = 0; /* zeros stand for bytes that no record had */
    return w->len >= len;
}

bool record_digest(struct record_window *w, const struct evidence_log *log,
                   uint64_t offset, struct digest_values *out)
{
    enum { HEAD = 8 };
    if (!log || offset == NO_OFFSET || !fill_window(w, log, offset, HEAD))
        return false;
    struct bytes head = {w->bytes + (offset - w->from), HEAD};
    uint32_t size = bytes_u32(head, 4);
    if (!bytes_equal_at(head, 0, "**\0\0", 4) || size < SIZE_MIN ||
        size > SIZE_MAX_OF_RECORD || !fill_window(w, log, offset, size))
        return false;
    digester_add(&w->digester, w->bytes + (offset - w->from), size);
    digester_finish_one(&w->digester, out);
    return true;
}

void record_window_release(struct record_window *w)
{
    close_window(w);
    free(w->bytes);
    digester_release(&w->digester);
    *w = (struct record_window){0};
}
