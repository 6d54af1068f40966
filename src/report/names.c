/* SPDX-License-Identifier: Apache-2.0
 * names.c - how processes, places and hashes are named in rows and sentences. */
#include "report/report_internal.h"

#include <inttypes.h>

#include "util/utf.h"
#include <string.h>

/* A chain of a hundred thousand processes would make each row as long; the nearest ones
 * are named, the others counted, and processes.csv has every link. */
enum { ANCESTORS_MAX = 64 };

void name_image(struct buffer *out, struct text image, uint32_t pid)
{
    bool known = !sysmon_text_is_missing(image);
    if (known)
        buffer_add_text(out, text_basename(image));
    else
        buffer_add_string(out, "unknown");
    if (pid == PID_UNKNOWN)
        return;
    buffer_add_string(out, known ? " (" : " (pid ");
    buffer_add_number(out, pid);
    buffer_add_char(out, ')');
}

void name_process(struct buffer *out, const struct lineage *l, uint32_t process)
{
    if (process == PROCESS_NONE) {
        buffer_add_string(out, "unknown");
        return;
    }
    const struct process *p = lineage_process(l, process);
    name_image(out, lineage_text(l, p->image), p->pid);
}

void name_ancestors(struct buffer *out, const struct lineage *l, uint32_t process)
{
    uint32_t chain[ANCESTORS_MAX];
    size_t count = 0;
    uint32_t depth = lineage_process(l, process)->depth;
    uint32_t at = lineage_parent(l, process);
    for (; at != PROCESS_NONE && count < ANCESTORS_MAX; at = lineage_parent(l, at))
        chain[count++] = at;
    if (at != PROCESS_NONE)
        buffer_printf(out, "[%" PRIu32 " more] > ",
                      depth > count ? depth - (uint32_t)count : 1);
    while (count > 0) {
        name_process(out, l, chain[--count]);
        if (count)
            buffer_add_string(out, " > ");
    }
}

const struct log_report *report_log_of(const struct report *r,
                                       const struct evidence_log *log)
{
    for (size_t i = 0; i < r->log_count; i++)
        if (r->logs[i].log == log)
            return &r->logs[i];
    return NULL;
}

struct place process_place(const struct report *r, uint32_t process)
{
    if (process == PROCESS_NONE)
        return NOWHERE;
    const struct process *p = lineage_process(r->lineage, process);
    if (p->log >= r->evidence->log_count)
        return NOWHERE;
    return lineage_place(r->lineage, p, r->evidence->logs);
}

static void add_words(struct buffer *out, struct text t)
{
    buffer_add_char(out, ' ');
    buffer_add_text(out, t);
}

void name_reasons(struct buffer *out, const struct match_reason *reasons, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct match_reason *r = &reasons[i];
        buffer_add_string(out, i ? "; " : "");
        buffer_add_text(out, r->field);
        buffer_add_string(out, r->met ? "" : " not:");
        add_words(out, r->operation);
        add_words(out, r->expected);
        buffer_add_string(out, " [");
        buffer_add_text(out, text_is_absent(r->recorded) ? TEXT_LITERAL("absent")
                                                         : r->recorded);
        buffer_add_string(out, "]");
    }
}

static bool hashed_equal(const struct evidence_log *log)
{
    return log->digests.kinds & log->digests_after.kinds & DIGEST_BIT(DIGEST_SHA256) &&
           memcmp(log->digests.value[DIGEST_SHA256],
                  log->digests_after.value[DIGEST_SHA256],
                  digest_size(DIGEST_SHA256)) == 0;
}

void name_hashed(struct buffer *out, const struct evidence_log *log)
{
    if (!log->digests.kinds) {
        buffer_printf(out,
                      "none: some of the log's %" PRIu64 " bytes could not be read",
                      log->size);
        return;
    }
    buffer_printf(out, "of the log's logical content, %" PRIu64 " bytes, ", log->size);
    if (log->digests_after.kinds)
        buffer_add_string(out, hashed_equal(log)
                                   ? "while it was read and again afterwards, equal"
                                   : "while it was read; it differed afterwards");
    else
        buffer_add_string(out,
                          log->unchanged
                              ? "while it was read; size and times were the same "
                                "afterwards, the hash was not computed again"
                              : "while it was read; size or times differed afterwards");
    if (log->may_be_overwritten)
        buffer_add_string(out, "; a deleted file some of whose clusters are in use "
                               "again: it may hold other files' data");
    else if (log->is_deleted)
        buffer_add_string(out, "; a deleted file whose clusters are free");
}

const char *verification_sentence(const struct evidence_item *item)
{
    switch (item->verification) {
    case VERIFIED_EQUAL: return "recomputed, equal";
    case VERIFIED_DIFFERENT: return "recomputed, different";
    case NOTHING_TO_VERIFY: return "the image stores no hash";
    default: return "stored, not recomputed";
    }
}

uint64_t rule_creations(const struct detector *d, const struct rule *rule)
{
    uint64_t count = 0;
    uint32_t last = PROCESS_NONE;
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct finding *f = &d->findings[i];
        if (f->rule != rule || f->process == last)
            continue;
        last = f->process;
        count++;
    }
    return count;
}

void name_recovered(struct buffer *out, const struct recovered_counts *counts)
{
    size_t start = out->len;
    for (int state = 0; state < RECORD_STATES; state++)
        if (counts->given[state])
            buffer_printf(out, "%s%s:%" PRIu64, out->len > start ? "; " : "",
                          record_state_name((enum record_state)state),
                          counts->given[state]);
}

void name_also_at(struct buffer *out, const struct report *r,
                  const struct seen_places *places, uint32_t owner)
{
    const struct seen_owner *o = places_of(places, owner);
    uint64_t told = 0;
    for (uint32_t at = o ? o->first : 0; at; at = places->items[at - 1].next, told++) {
        const struct seen_place *p = &places->items[at - 1];
        if (p->log >= r->log_count)
            continue;
        const struct evidence_log *log = r->logs[p->log].log;
        buffer_add_string(out, told ? "; " : "");
        utf_add_visible(out, log->evidence);
        buffer_add_string(out, ": ");
        utf_add_visible(out, log->path);
        buffer_printf(out, ": EventRecordID %" PRIu64 ", offset %" PRIu64, p->record_id,
                      p->offset);
        name_state_unless_live(out, (enum record_state)p->state);
    }
    if (o && o->count > told)
        buffer_printf(out, "; %" PRIu64 " more", o->count - told);
}

void name_state_unless_live(struct buffer *out, enum record_state state)
{
    if (!record_state_is_live(state))
        buffer_printf(out, ", state %s", record_state_name(state));
}
