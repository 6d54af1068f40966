/* SPDX-License-Identifier: Apache-2.0
 * verified.c - what a second decoding of the records said, in a cell and in sentences. It
 * speaks of decoding alone: not of what is missing, nor of what a record means. */
#include "report/report_internal.h"

#include <inttypes.h>

static const struct verify_item *
item_of(const struct report *r, const struct evidence_log *log, uint64_t offset)
{
    const struct confirmation *v = r->verification;
    size_t number = log ? (size_t)(log - r->evidence->logs) : SIZE_MAX;
    if (!v || !v->first_of_log || number >= v->log_count)
        return NULL;
    size_t low = v->first_of_log[number], high = v->first_of_log[number + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (v->items[middle].offset == offset)
            return &v->items[middle];
        if (v->items[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void name_verified(struct buffer *out, const struct report *r,
                   const struct evidence_log *log, uint64_t offset)
{
    const struct verify_item *item = item_of(r, log, offset);
    enum verify_outcome outcome = item ? item->outcome : VERIFY_NOT_ASKED;
    if (outcome == VERIFY_EQUAL) {
        buffer_add_string(out, "yes");
    } else if (outcome == VERIFY_DIFFERENT) {
        buffer_add_string(out, "no: ");
        buffer_add_text(out, item->field);
    } else {
        buffer_add_char(out, '-');
    }
}

static void add_waivers(struct buffer *out, const struct verify_counts *c)
{
    bool any = false;
    for (int w = WAIVED_NOT + 1; w < VERIFY_WAIVERS; w++)
        if (c->waived[w]) {
            buffer_printf(out, "%s%" PRIu64 " %s",
                          any ? "; " : "; waived: ", c->waived[w],
                          verify_waiver_words((enum verify_waiver)w));
            any = true;
        }
    buffer_add_string(out, any ? "." : "; waived: none.");
}

static const char *which_records(enum verify_mode mode)
{
    static const char *const which[] = {
        "records that findings and their ancestors rest on",
        "records of findings, their ancestors and the timeline", "live records", ""};
    return which[mode];
}

static void add_set(struct buffer *out, const struct verify_counts *c)
{
    buffer_printf(out,
                  " libevtx also opened %" PRIu64 " log%s whole: %" PRIu64
                  " record%s in both lists, %" PRIu64 " in the native reader's alone, "
                  "%" PRIu64 " in libevtx's alone",
                  c->logs_listed, PLURAL(c->logs_listed), c->listed_by_both,
                  PLURAL(c->listed_by_both), c->only_native, c->only_libevtx);
    if (c->logs_not_listed)
        buffer_printf(out, "; %" PRIu64 " log%s it could not list", c->logs_not_listed,
                      PLURAL(c->logs_not_listed));
    buffer_add_char(out, '.');
}

static void add_not_verified(struct buffer *out, const struct confirmation *v)
{
    buffer_add_string(out, !v || v->mode == VERIFY_NONE
                               ? "No record was decoded again by another reader; "
                                 "--verify was set to none."
                               : "No record was decoded again by another reader: no "
                                 "finding rests on a record of a .evtx log.");
}

/* Of exports as text nothing can be decoded again, and that is said wherever there is one. */
static void add_exports(struct buffer *out, const struct report *r)
{
    uint64_t exports = 0;
    for (size_t i = 0; i < r->log_count; i++)
        exports += r->logs[i].log && evidence_log_is_text(r->logs[i].log);
    if (exports)
        buffer_printf(out,
                      " %" PRIu64
                      " log%s an export as text: it holds no record's bytes "
                      "that another reader could decode.",
                      exports, exports == 1 ? " is" : "s are each");
}

static void add_verification(struct buffer *out, const struct report *r)
{
    const struct confirmation *v = r->verification;
    const struct verify_counts *c = v ? &v->counts : NULL;
    if (!c || (c->records == 0 && v->mode != VERIFY_ALL)) {
        add_not_verified(out, v);
        return;
    }
    buffer_printf(
        out,
        "The same bytes decoded again by %.*s, equal in %" PRIu64 " of %" PRIu64 " %s",
        TEXT(r->run.other_reader), c->equal, c->records, which_records(v->mode));
    if (c->different)
        buffer_printf(out, "; %" PRIu64 " differ%s", c->different,
                      c->different == 1 ? "s" : "");
    if (c->not_confirmed)
        buffer_printf(out, "; %" PRIu64 " not confirmed", c->not_confirmed);
    add_waivers(out, c);
    if (v->mode == VERIFY_ALL)
        add_set(out, c);
    buffer_add_string(out, " This tests decoding, not completeness or meaning.");
}

void report_verification(struct buffer *out, const struct report *r)
{
    add_verification(out, r);
    add_exports(out, r);
}
