/* SPDX-License-Identifier: Apache-2.0
 *
 * Can a public rule hold of this event 1? Asked of the bytes of the record, before anything
 * of it is decoded: literals of a rule are compared with UTF-16 where it lies. What cannot
 * be told that way is left open, and so is the whole condition if it turns on it; such an
 * event is decoded and judged as in a report. "No" is therefore certain, "maybe" is not. */
#include "detect/detect_internal.h"

#include <stdlib.h>

#include "util/memory.h"

/* Kleene's three values, in an order in which `and` is the least and `or` the greatest. */
enum answer { NO, MAYBE, YES };

struct triage {
    const struct rules *rules;
    struct sysmon_layouts *layouts; /* by worker */
    unsigned workers;
};

struct triage *triage_open(const struct rules *rules, unsigned workers)
{
    struct triage *t = memory_get_zeroed(1, sizeof *t);
    *t = (struct triage){.rules = rules, .workers = workers};
    t->layouts = memory_get_zeroed(workers, sizeof *t->layouts);
    return t;
}

void triage_close(struct triage *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < t->workers; i++)
        sysmon_layouts_release(&t->layouts[i]);
    free(t->layouts);
    free(t);
}

/* ---- literals against UTF-16 */

static unsigned unit_at(struct bytes utf16, size_t i)
{
    return (unsigned)utf16.ptr[2 * i] | (unsigned)utf16.ptr[2 * i + 1] << 8;
}

static unsigned fold(unsigned unit)
{
    return unit - 'A' <= 'Z' - 'A' ? unit | 0x20 : unit;
}

/* From the end, where texts that differ mostly do. */
static bool stands_at(struct bytes utf16, size_t at, struct text literal, bool cased)
{
    for (size_t i = literal.len; i-- > 0;) {
        unsigned unit = unit_at(utf16, at + i), wanted = (unsigned char)literal.ptr[i];
        if (unit != wanted && (cased || fold(unit) != fold(wanted)))
            return false;
    }
    return true;
}

static bool stands_anywhere(struct bytes utf16, struct text literal, bool cased)
{
    size_t units = utf16.len / 2;
    for (size_t at = 0; at + literal.len <= units; at++)
        if (stands_at(utf16, at, literal, cased))
            return true;
    return false;
}

static bool is_ascii(struct text t)
{
    unsigned char all = 0;
    for (size_t i = 0; i < t.len; i++)
        all |= (unsigned char)t.ptr[i];
    return all < 0x80;
}

static enum answer yes_if(bool holds)
{
    return holds ? YES : NO;
}

static enum answer literal_answer(enum value_test test, struct bytes utf16,
                                  struct text literal, bool cased)
{
    size_t units = utf16.len / 2;
    bool fits = literal.len <= units;
    if (test == TEST_EXISTS)
        return YES;
    if (test == TEST_NULL || test == TEST_EXISTS_NOT)
        return NO;
    if (test == TEST_PATTERN || !is_ascii(literal))
        return MAYBE;
    switch (test) {
    case TEST_EQUALS:
        return yes_if(literal.len == units && stands_at(utf16, 0, literal, cased));
    case TEST_STARTS_WITH: return yes_if(fits && stands_at(utf16, 0, literal, cased));
    case TEST_ENDS_WITH:
        return yes_if(fits && stands_at(utf16, units - literal.len, literal, cased));
    case TEST_CONTAINS: return yes_if(stands_anywhere(utf16, literal, cased));
    default: return MAYBE;
    }
}

/* ---- values of the event */

struct look {
    struct evtx_glance *glance;
    const uint8_t *slot; /* of each field: index + 1; 0: absent */
};

/* What follows the last '\', as text_basename() has it. */
static struct bytes basename_utf16(struct bytes utf16)
{
    for (size_t i = utf16.len / 2; i-- > 0;)
        if (unit_at(utf16, i) == '\\')
            return (struct bytes){utf16.ptr + 2 * (i + 1), utf16.len - 2 * (i + 1)};
    return utf16;
}

/* A column's value: as UTF-16, or as text where it is one already. False: not known yet. */
static bool find_value(const struct look *look, struct column column,
                       struct bytes *utf16, struct text *text)
{
    *utf16 = (struct bytes){NULL, 0};
    *text = NO_TEXT;
    switch (column.source) {
    case COLUMN_NOT_FILLED: return true;
    case COLUMN_COMPUTER: *text = evtx_glance_computer(look->glance); return true;
    case COLUMN_PROVIDER: *text = evtx_glance_provider(look->glance); return true;
    case COLUMN_FIELD:
    case COLUMN_FIELD_NAME:
        if (!look->slot[column.field])
            return true;
        if (!evtx_glance_utf16(look->glance, look->slot[column.field] - 1u, utf16))
            return false;
        if (column.source == COLUMN_FIELD_NAME)
            *utf16 = basename_utf16(*utf16);
        return true;
    default: return false;
    }
}

static enum answer value_answer(const struct leaf *leaf, const struct leaf_value *value,
                                struct bytes utf16, struct text text)
{
    return utf16.ptr ? literal_answer(value->test, utf16, value->literal, leaf->cased)
                     : yes_if(leaf_value_holds(value, leaf->cased, text));
}

static enum answer leaf_answer(const struct leaf *leaf, const struct look *look)
{
    struct bytes utf16;
    struct text text;
    if (leaf->is_reference || !find_value(look, leaf->column, &utf16, &text))
        return MAYBE;
    enum answer sum = leaf->all ? YES : NO;
    for (size_t i = 0; i < leaf->value_count; i++) {
        enum answer answer = value_answer(leaf, &leaf->values[i], utf16, text);
        if (leaf->all ? answer < sum : answer > sum)
            sum = answer;
        if (sum == (leaf->all ? NO : YES))
            break;
    }
    return sum;
}

static enum answer alternative_answer(const struct alternative *alternative,
                                      const struct look *look)
{
    enum answer least = YES;
    for (size_t i = 0; i < alternative->count && least != NO; i++) {
        enum answer answer = leaf_answer(&alternative->leaves[i], look);
        least = answer < least ? answer : least;
    }
    return least;
}

static enum answer selection_answer(const struct selection *selection,
                                    const struct look *look)
{
    enum answer greatest = NO;
    for (size_t i = 0; i < selection->count && greatest != YES; i++) {
        enum answer answer = alternative_answer(&selection->alternatives[i], look);
        greatest = answer > greatest ? answer : greatest;
    }
    return greatest;
}

static enum answer node_answer(const struct rule_condition *c, size_t i,
                               const struct look *look, const uint8_t *answers)
{
    const struct condition_node *n = &c->nodes[i];
    enum answer a, b;
    if (n->kind == CONDITION_SELECTION)
        return selection_answer(&c->selections[n->a], look);
    a = (enum answer)answers[n->a];
    b = (enum answer)answers[n->b];
    switch (n->kind) {
    case CONDITION_AND: return a < b ? a : b;
    case CONDITION_OR: return a > b ? a : b;
    case CONDITION_NOT: return (enum answer)(YES - a);
    default: return MAYBE;
    }
}

/* As condition_holds(), which jumps over what is decided. */
static enum answer condition_answer(const struct rule_condition *c,
                                    const struct look *look)
{
    uint8_t answers[CONDITION_NODES_MAX];
    for (size_t i = 0; i < c->node_count; i++) {
        answers[i] = (uint8_t)node_answer(c, i, look, answers);
        for (uint32_t decided;
             (decided = answers[i] == YES  ? c->nodes[i].decided_by_true
                        : answers[i] == NO ? c->nodes[i].decided_by_false
                                           : 0);) {
            answers[decided] = answers[i];
            i = decided;
        }
    }
    return (enum answer)answers[c->node_count - 1];
}

bool triage_rules_out(struct triage *t, unsigned worker, struct evtx_glance *glance)
{
    const struct evtx_layout *layout = evtx_glance_layout(glance);
    struct look look = {glance, sysmon_layout_slots(&t->layouts[worker],
                                                    SYSMON_PROCESS_CREATE, layout)};
    if (!look.slot)
        return false;
    for (size_t i = 0; i < t->rules->count; i++) {
        const struct rule_condition *c = t->rules->items[i].condition;
        if (c->taxonomy != TAXONOMY_FOREBEAR && condition_answer(c, &look) != NO)
            return false;
    }
    return true;
}
