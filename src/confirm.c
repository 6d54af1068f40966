/* SPDX-License-Identifier: Apache-2.0 */
#include "confirm.h"

#include <stdlib.h>

#include "util/memory.h"

/* Records by (log, offset), some of them more than once until they are sorted. */
struct record_list {
    struct record {
        size_t log;
        uint64_t offset;
    } * items;
    size_t count, capacity;
    const struct evidence_log *logs;
};

/* Of an export as text there are no bytes that another reader could decode. */
static void add(struct record_list *list, size_t log, uint64_t offset)
{
    if (evidence_log_is_text(&list->logs[log]))
        return;
    ARRAY_GROW(list->items, list->count, list->capacity);
    list->items[list->count++] = (struct record){log, offset};
}

/* ---- what is to be confirmed */

/* Of live records alone: what libevtx makes of recovered ones has foreign field names. */
static void add_process(struct record_list *list, const struct lineage *l,
                        uint32_t number)
{
    const struct process *p = lineage_process(l, number);
    if (p->log != UINT32_MAX && p->offset != NO_OFFSET &&
        record_state_is_live(p->state))
        add(list, p->log, p->offset);
}

/* `seen` ends a walk where an earlier one passed: every process once, however deep. */
static void add_ancestry(struct record_list *list, const struct lineage *l,
                         uint32_t number, bool *seen)
{
    for (; number != PROCESS_NONE && !seen[number];
         number = lineage_parent(l, number)) {
        seen[number] = true;
        add_process(list, l, number);
    }
}

/* A finding with a window of tools rests on all that stand below its host. */
static void add_burst(struct record_list *list, const struct lineage *l,
                      const struct finding *f, bool *seen)
{
    uint32_t depth = 0, at = f->host_process;
    if (!text_equal(f->code, TEXT_LITERAL("MSRA_RECON_BURST")) || at == PROCESS_NONE)
        return;
    while ((at = lineage_next_in_tree(l, f->host_process, at, &depth)) != PROCESS_NONE)
        if (!seen[at]) {
            seen[at] = true;
            add_process(list, l, at);
        }
}

static void add_findings(struct record_list *list, const struct report *report,
                         const struct lineage *l, const struct detector *d)
{
    bool *seen = memory_get_zeroed(l->count ? l->count : 1, sizeof *seen);
    for (size_t i = 0; i < d->finding_count; i++) {
        add_ancestry(list, l, d->findings[i].process, seen);
        add_ancestry(list, l, d->findings[i].host_process, seen);
    }
    for (size_t i = 0; i < d->finding_count; i++)
        add_burst(list, l, &d->findings[i], seen);
    for (size_t i = 0; i < d->corroboration_count; i++) {
        const struct corroboration *c = &d->corroborations[i];
        if (c->log && c->offset != NO_OFFSET && record_state_is_live(c->state))
            add(list, (size_t)(c->log - report->evidence->logs), c->offset);
    }
    free(seen);
}

static int by_place(const void *a_, const void *b_)
{
    const struct record *a = a_, *b = b_;
    if (a->log != b->log)
        return a->log < b->log ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

static void keep_each_once(struct record_list *list)
{
    size_t kept = 0;
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, by_place);
    for (size_t i = 0; i < list->count; i++)
        if (i == 0 || by_place(&list->items[i], &list->items[i - 1]) != 0)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

/* ---- and by log */

static void spread(struct confirmation *v, const struct record_list *list)
{
    v->items = memory_get_zeroed(list->count ? list->count : 1, sizeof *v->items);
    v->first_of_log = memory_get_zeroed(v->log_count + 1, sizeof *v->first_of_log);
    size_t at = 0;
    for (size_t log = 0; log <= v->log_count; log++) {
        v->first_of_log[log] = at;
        for (; at < list->count && list->items[at].log == log; at++)
            v->items[at].offset = list->items[at].offset;
    }
    v->asked = list->count;
}

static void choose(struct confirmation *v, const struct report *report,
                   const struct lineage *l, const struct detector *d,
                   const struct timeline *t)
{
    struct record_list list = {.logs = report->evidence->logs};
    add_findings(&list, report, l, d);
    if (v->mode != VERIFY_FINDINGS)
        for (size_t i = 0; i < t->count; i++)
            if (record_state_is_live(t->events[i].state))
                add(&list, (size_t)(t->events[i].log - report->evidence->logs),
                    t->events[i].offset);
    keep_each_once(&list);
    spread(v, &list);
    free(list.items);
}

static enum status confirm_log(struct confirmation *v, struct verifier *verifier,
                               const struct log_report *row, size_t number,
                               struct problems *problems, struct progress *progress,
                               struct error *err)
{
    size_t first = v->first_of_log[number];
    size_t count = v->first_of_log[number + 1] - first;
    bool whole = v->mode == VERIFY_ALL && row->facts.is_evtx;
    if (count == 0 && !whole)
        return OK;
    return verify_log(verifier, row->log, &row->facts, v->items + first, count, whole,
                      &v->counts, problems, progress, err);
}

static void keep_fields(struct confirmation *v, struct arena *arena)
{
    for (size_t i = 0; i < v->asked; i++)
        v->items[i].field = arena_copy(arena, v->items[i].field);
}

enum status confirm_records(struct confirmation *v, enum verify_mode mode,
                            const struct report *report, const struct lineage *lineage,
                            const struct detector *detector,
                            const struct timeline *timeline, struct verifier *verifier,
                            struct arena *arena, struct problems *problems,
                            struct progress *progress, struct error *err)
{
    enum status status = OK;
    *v = (struct confirmation){.mode = mode, .log_count = report->log_count};
    if (mode == VERIFY_NONE)
        return OK;
    choose(v, report, lineage, detector, timeline);
    if (v->asked == 0 && mode != VERIFY_ALL)
        return OK;
    for (size_t i = 0; status == OK && i < report->log_count; i++)
        status = confirm_log(v, verifier, &report->logs[i], i, problems, progress, err);
    keep_fields(v, arena);
    return status;
}

void confirmation_release(struct confirmation *v)
{
    free(v->items);
    free(v->first_of_log);
    *v = (struct confirmation){0};
}
