/* SPDX-License-Identifier: Apache-2.0
 *
 * Images repeat, and with them what conditions look at: two processes that have the same
 * strings in all columns that any condition reads get the same answers. So each range of the
 * table keeps the answers of the last strings that it met, by the numbers of these. */
#include "detect/detect_internal.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/ranges.h"

enum { REMEMBERED = 1024 };

struct yes {
    uint32_t node, question;
};

struct asking {
    const struct question *questions;
    size_t count;
    const struct lineage *lineage;
    struct column *columns; /* that any condition reads, each once */
    size_t column_count;
    struct range_answers {
        struct yes *items;
        size_t count, capacity;
    } * ranges;
};

/* --- the columns */

static void add_column(struct asking *a, struct column column)
{
    for (size_t i = 0; i < a->column_count; i++)
        if (a->columns[i].source == column.source &&
            a->columns[i].field == column.field)
            return;
    a->columns[a->column_count++] = column;
}

static size_t count_leaves(const struct rule_condition *c)
{
    size_t count = 0;
    for (size_t s = 0; s < c->selection_count; s++)
        for (size_t i = 0; i < c->selections[s].count; i++)
            count += c->selections[s].alternatives[i].count;
    return count;
}

static void add_columns(struct asking *a, const struct rule_condition *c)
{
    for (size_t s = 0; s < c->selection_count; s++)
        for (size_t i = 0; i < c->selections[s].count; i++) {
            const struct alternative *alternative = &c->selections[s].alternatives[i];
            for (size_t k = 0; k < alternative->count; k++) {
                add_column(a, alternative->leaves[k].column);
                if (alternative->leaves[k].is_reference)
                    add_column(a, alternative->leaves[k].other);
            }
        }
}

static void find_columns(struct asking *a)
{
    size_t most = 0;
    for (size_t i = 0; i < a->count; i++)
        if (a->questions[i].condition)
            most += 2 * count_leaves(a->questions[i].condition);
    a->columns = memory_get_zeroed(most, sizeof *a->columns);
    for (size_t i = 0; i < a->count; i++)
        if (a->questions[i].condition)
            add_columns(a, a->questions[i].condition);
}

/* --- one range */

/* The answers of one set of strings, in the slot that these lead to. */
struct memory {
    uint32_t
        *keys; /* slot after slot: kind + 1 (0: free), then a string for each column */
    bool *answers;
};

static void ask(const struct asking *a, const struct column_view *view, bool *answers)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct question *q = &a->questions[i];
        struct column_view seen = *view;
        if (!q->sees_host)
            seen.host = NULL;
        bool is_asked = q->is_about_any || view->process->kind == PROCESS_LOGGED ||
                        (q->is_about_audited && view->process->kind == PROCESS_AUDITED);
        answers[i] = q->condition && is_asked && condition_holds(q->condition, &seen);
    }
}

static const bool *answers_of(const struct asking *a, struct memory *m,
                              const struct column_view *view, uint32_t *key)
{
    size_t len = a->column_count + 1;
    uint64_t hash = 0;
    key[0] = (uint32_t)view->process->kind + 1;
    for (size_t i = 1; i < len; i++)
        key[i] = column_string(view, a->columns[i - 1]);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ key[i]) * UINT64_C(0x9e3779b97f4a7c15);
    size_t slot = hash >> 32 & (REMEMBERED - 1);
    uint32_t *known = m->keys + slot * len;
    bool *answers = m->answers + slot * a->count;
    if (memcmp(known, key, len * sizeof *key) != 0) {
        memcpy(known, key, len * sizeof *key);
        ask(a, view, answers);
    }
    return answers;
}

static void take_yes(struct range_answers *into, uint32_t node, size_t question)
{
    ARRAY_GROW(into->items, into->count, into->capacity);
    into->items[into->count++] = (struct yes){node, (uint32_t)question};
}

static void ask_range(void *context, struct range range)
{
    const struct asking *a = context;
    const struct lineage *l = a->lineage;
    size_t len = a->column_count + 1;
    struct memory m = {memory_get_zeroed(REMEMBERED * len, sizeof *m.keys),
                       memory_get_zeroed(REMEMBERED * a->count, sizeof *m.answers)};
    uint32_t *key = memory_get(len * sizeof *key);
    for (size_t i = range.from; i < range.to; i++) {
        uint32_t node = l->order[i];
        struct column_view view = node_view(l, node);
        if (view.process->kind == PROCESS_UNKNOWN)
            continue;
        const bool *answers = answers_of(a, &m, &view, key);
        for (size_t q = 0; q < a->count; q++)
            if (answers[q] ||
                (a->questions[q].asks && process_has_record(view.process) &&
                 a->questions[q].asks(l, node)))
                take_yes(&a->ranges[range.number], node, q);
    }
    free(key);
    free(m.keys);
    free(m.answers);
}

/* --- all of them */

/* Ranges are in order, so each question's processes are too. */
static void join_ranges(struct verdicts *v, struct asking *a, size_t ranges)
{
    size_t total = 0;
    v->first = memory_get_zeroed(a->count + 2, sizeof *v->first);
    for (size_t r = 0; r < ranges; r++)
        for (size_t i = 0; i < a->ranges[r].count; i++, total++)
            v->first[a->ranges[r].items[i].question + 2]++;
    for (size_t q = 2; q < a->count + 2; q++)
        v->first[q] += v->first[q - 1];
    v->nodes = memory_get(total * sizeof *v->nodes);
    for (size_t r = 0; r < ranges; r++) {
        for (size_t i = 0; i < a->ranges[r].count; i++) {
            const struct yes *yes = &a->ranges[r].items[i];
            v->nodes[v->first[yes->question + 1]++] = yes->node;
        }
        free(a->ranges[r].items);
    }
}

void verdicts_find(struct verdicts *v, const struct question *questions, size_t count,
                   const struct lineage *lineage, struct workers *workers)
{
    struct asking a = {.questions = questions, .count = count, .lineage = lineage};
    size_t ranges = ranges_count(workers, lineage->order_count);
    find_columns(&a);
    a.ranges = memory_get_zeroed(ranges, sizeof *a.ranges);
    ranges_do(workers, lineage->order_count, ask_range, &a);
    join_ranges(v, &a, ranges);
    free(a.ranges);
    free(a.columns);
}

void verdicts_release(struct verdicts *v)
{
    free(v->nodes);
    free(v->first);
    *v = (struct verdicts){0};
}
