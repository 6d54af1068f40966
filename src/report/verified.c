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
            buffer_add_string(out, any ? "; " : "; waived: ");
            verify_add_waived(out, (enum verify_waiver)w, c->waived[w]);
            any = true;
        }
    buffer_add_string(out, any ? "." : "; waived: none.");
}

/* "the timeline, findings, their ancestors and corroboration.csv rest on" */
static void add_what_rests(struct buffer *out, const struct report *r)
{
    bool findings = r->detector->finding_count, signs = r->detector->corroboration_count;
    if (r->verification->mode == VERIFY_TIMELINE && findings)
        buffer_add_string(out, "the timeline, ");
    buffer_add_string(out, findings && signs
                               ? "findings, their ancestors and corroboration.csv rest on"
                           : findings ? "findings and their ancestors rest on"
                                      : "corroboration.csv rests on");
}

/* What rows rest on and only one reader can decode. */
static void add_not_decodable(struct buffer *out, const struct confirmation *v)
{
    const char *of = v->mode == VERIFY_ALL ? "more" : "of these";
    if (v->not_live)
        buffer_printf(out,
                      "; %" PRIu64 " %s %s not live: the native reader alone decoded %s",
                      v->not_live, of, v->not_live == 1 ? "is" : "are",
                      v->not_live == 1 ? "it" : "them");
    if (v->as_text)
        buffer_printf(out, "; %" PRIu64 " %s %s in an export as text", v->as_text, of,
                      v->as_text == 1 ? "stands" : "stand");
}

/* "the native reader"; libevtx goes by its name and version. */
static struct text name_of_other(const struct report *r)
{
    return text_equal(r->run.other_reader, TEXT_LITERAL("native"))
               ? TEXT_LITERAL("the native reader")
               : r->run.other_reader;
}

static void add_equal(struct buffer *out, const struct report *r)
{
    const struct confirmation *v = r->verification;
    const struct verify_counts *c = &v->counts;
    uint64_t others = v->not_live + v->as_text;
    buffer_printf(out,
                  "The same bytes decoded again by %.*s, equal in %" PRIu64
                  " of %" PRIu64,
                  TEXT(name_of_other(r)), c->equal, c->records);
    if (v->mode == VERIFY_ALL) {
        buffer_add_string(out, " live records");
    } else {
        buffer_printf(out, " record%s", PLURAL(c->records));
        if (others)
            buffer_printf(out, ", of %" PRIu64, c->records + others);
        buffer_add_string(out, " that ");
        add_what_rests(out, r);
    }
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

static void add_not_verified(struct buffer *out, const struct report *r)
{
    const struct confirmation *v = r->verification;
    buffer_add_string(out, "No record was decoded again by another reader");
    if (!v || v->mode == VERIFY_NONE) {
        buffer_add_string(out, "; --verify was set to none.");
    } else if (v->not_live + v->as_text) {
        buffer_printf(out, ", of %" PRIu64 " that ", v->not_live + v->as_text);
        add_what_rests(out, r);
        add_not_decodable(out, v);
        buffer_add_char(out, '.');
    } else {
        buffer_add_string(out, ": no finding rests on a record of a .evtx log.");
    }
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
        add_not_verified(out, r);
        return;
    }
    add_equal(out, r);
    if (c->different)
        buffer_printf(out, "; %" PRIu64 " differ%s", c->different,
                      c->different == 1 ? "s" : "");
    if (c->not_confirmed)
        buffer_printf(out, "; %" PRIu64 " not confirmed", c->not_confirmed);
    add_not_decodable(out, v);
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
