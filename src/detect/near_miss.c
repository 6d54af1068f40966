/* SPDX-License-Identifier: Apache-2.0
 *
 * Process creations that a rule just did not match, and why, in words that can be checked
 * against the record. A near miss is no finding: it tells a reader what the public rules
 * are blind to. */
#include "detect/detect_internal.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

static bool is_unknown(struct text t)
{
    return sysmon_text_is_missing(t);
}

static size_t blanks_at_end(struct text t)
{
    size_t n = 0;
    while (n < t.len && (t.ptr[t.len - 1 - n] == ' ' || t.ptr[t.len - 1 - n] == '\t'))
        n++;
    return n;
}

/* Where `part` last occurs in t, without case; SIZE_MAX if nowhere. */
static size_t last_occurrence(struct text t, struct text part)
{
    for (size_t at = t.len + 1; at-- > 0;)
        if (text_starts_with_fold(text_slice(t, at, SIZE_MAX), part))
            return at;
    return SIZE_MAX;
}

static struct text blanks_words(size_t n, struct arena *arena)
{
    return n == 1 ? TEXT_LITERAL("a blank") : arena_printf(arena, "%zu blanks", n);
}

/* The recorded text goes on after what it should end with: with what? */
static struct text why_it_goes_on(struct text field, struct text end, struct text rest,
                                  struct arena *arena)
{
    size_t blanks = blanks_at_end(rest);
    struct text inner = text_slice(rest, 0, rest.len - blanks);
    bool quote = inner.len && inner.ptr[0] == '"';
    if (inner.len == 0)
        return arena_printf(arena,
                            "%.*s has %.*s after \"%.*s\", so it does not end with it.",
                            TEXT(field), TEXT(blanks_words(blanks, arena)), TEXT(end));
    if (inner.len == 1 && quote && blanks)
        return arena_printf(arena,
                            "%.*s has a quotation mark and %.*s after \"%.*s\", so it "
                            "does not end with it.",
                            TEXT(field), TEXT(blanks_words(blanks, arena)), TEXT(end));
    if (inner.len == 1 && quote)
        return arena_printf(
            arena,
            "%.*s has a quotation mark after \"%.*s\", so it does not end with it.",
            TEXT(field), TEXT(end));
    struct text arguments = quote ? text_slice(inner, 1, SIZE_MAX) : inner;
    if (arguments.len && (arguments.ptr[0] == ' ' || arguments.ptr[0] == '\t'))
        return arena_printf(
            arena, "%.*s has arguments after \"%.*s\", so it does not end with it:%.*s",
            TEXT(field), TEXT(end), TEXT(arguments));
    return arena_printf(arena, "%.*s goes on after \"%.*s\" with: %.*s", TEXT(field),
                        TEXT(end), TEXT(rest));
}

static struct text why_not_end(const struct leaf *leaf, struct text recorded,
                               struct arena *arena)
{
    struct text end = leaf->values[0].literal;
    size_t at = last_occurrence(recorded, end);
    if (at != SIZE_MAX)
        return why_it_goes_on(leaf->field, leaf->values[0].shown,
                              text_slice(recorded, at + end.len, SIZE_MAX), arena);
    if (text_ends_with_fold(recorded, TEXT_LITERAL("...")))
        return arena_printf(arena,
                            "%.*s ends in three dots: Sysmon may have cut it short.",
                            TEXT(leaf->field));
    return arena_printf(arena, "%.*s does not contain \"%.*s\".", TEXT(leaf->field),
                        TEXT(leaf->values[0].shown));
}

/* A value of the rule starts with '\' and the record holds a bare file name. */
static bool is_bare_name_of(const struct leaf *leaf, struct text recorded)
{
    for (size_t i = 0; i < leaf->value_count; i++) {
        struct text literal = leaf->values[i].literal;
        if (leaf->values[i].test == TEST_ENDS_WITH && literal.len > 1 &&
            literal.ptr[0] == '\\' &&
            text_equal_fold(recorded, text_slice(literal, 1, SIZE_MAX)))
            return true;
    }
    return false;
}

static struct text values_shown(const struct leaf *leaf, struct arena *arena)
{
    struct buffer words = {0};
    for (size_t i = 0; i < leaf->value_count; i++) {
        struct text shown = leaf->values[i].shown;
        if (shown.len > 1 && shown.ptr[0] == '\\')
            shown = text_slice(shown, 1, SIZE_MAX);
        buffer_printf(&words, "%s%.*s", i ? ", " : "", TEXT(shown));
    }
    struct text joined = arena_copy(arena, buffer_text(&words));
    buffer_release(&words);
    return joined;
}

struct text near_miss_why(const struct leaf *leaf, struct text recorded,
                          struct arena *arena)
{
    if (text_is_absent(recorded))
        return arena_printf(arena, "The record has no %.*s.", TEXT(leaf->field));
    if (is_unknown(recorded))
        return arena_printf(arena,
                            "%.*s is recorded as \"%.*s\", which stands for a value "
                            "that is not known.",
                            TEXT(leaf->field), TEXT(recorded));
    if (is_bare_name_of(leaf, recorded))
        return arena_printf(
            arena,
            "%.*s is recorded as the bare name \"%.*s\"; the rule wants "
            "a backslash before it.",
            TEXT(leaf->field), TEXT(recorded));
    bool one_plain_end =
        leaf->value_count == 1 && leaf->values[0].test == TEST_ENDS_WITH &&
        leaf->values[0].literal.len && leaf->values[0].literal.ptr[0] != '\\';
    if (one_plain_end)
        return why_not_end(leaf, recorded, arena);
    struct text name = text_basename(recorded);
    return leaf->value_count == 1
               ? arena_printf(arena, "%.*s names %.*s, not %.*s.", TEXT(leaf->field),
                              TEXT(name), TEXT(values_shown(leaf, arena)))
               : arena_printf(
                     arena, "%.*s names %.*s, which is not in the rule's list (%.*s).",
                     TEXT(leaf->field), TEXT(name), TEXT(values_shown(leaf, arena)));
}

/* --- first pass */

static bool is_excepted(const struct near_miss_plan *plan,
                        const struct column_view *view)
{
    struct text image = column_value(view, (struct column){COLUMN_FIELD, SYSMON_Image});
    for (size_t i = 0; i < plan->excepted_count; i++)
        if (leaf_value_holds(&plan->excepted[i], false, image))
            return true;
    return false;
}

/* The one condition that keeps the rule from matching, where that is worth telling. */
static const struct leaf *telling_leaf(const struct rule_condition *c,
                                       const struct column_view *view)
{
    const struct leaf *unmet;
    return condition_nearness(c, view, &unmet) == ALL_BUT_ONE_MET &&
                   !is_excepted(&c->near_miss, view)
               ? unmet
               : NULL;
}

bool near_miss_or_match(const struct rule *rule, const struct column_view *view)
{
    const struct rule_condition *c = rule->condition;
    const struct leaf *unmet;
    if (!c->near_miss.wanted)
        return condition_holds(c, view);
    enum nearness nearness = condition_nearness(c, view, &unmet);
    return nearness == MET ||
           (nearness == ALL_BUT_ONE_MET && !is_excepted(&c->near_miss, view));
}

void near_miss_add(struct detector *d, const struct rule *rule,
                   const struct column_view *view, uint32_t process)
{
    const struct rule_condition *c = rule->condition;
    const struct leaf *unmet = telling_leaf(c, view);
    if (!unmet)
        return;
    struct near_miss *miss = detector_new_near_miss(d);
    *miss = (struct near_miss){.rule = rule, .process = process};
    condition_all_reasons(c, view, d->arena, &miss->reasons, &miss->reason_count);
    miss->why =
        audited_say(near_miss_why(unmet, column_value(view, unmet->column), d->arena),
                    view->process, d->arena);
}

/* --- after linking */

static void add_blind_spot(struct detector *d, uint32_t process,
                           struct match_reason reason, struct text why)
{
    struct near_miss *miss = detector_new_near_miss(d);
    *miss = (struct near_miss){
        .process = process,
        .why = audited_say(why, lineage_process(d->state->lineage, process), d->arena),
        .reason_count = 1};
    miss->reasons = arena_alloc(d->arena, sizeof *miss->reasons);
    miss->reasons[0] = reason;
}

static const struct text msra = {"msra.exe", 8};

static bool is_named_msra(struct text image)
{
    return text_equal_fold(text_basename(image), msra);
}

/* A parent whose OriginalFileName, which its own record alone has, is msra.exe and whose file
 * is called otherwise: each public rule goes by the file's name. */
static void look_for_renamed(struct detector *d, const struct lineage *l,
                             uint32_t process, const struct process *parent)
{
    struct text original = lineage_text(l, parent->original_file_name);
    struct text image = lineage_text(l, parent->image);
    if (!text_equal_fold(original, msra) || sysmon_text_is_missing(image) ||
        is_named_msra(image))
        return;
    struct match_reason reason = {
        TEXT_LITERAL("OriginalFileName of the parent's own record"),
        TEXT_LITERAL("equals"), msra, arena_copy(d->arena, original), true};
    add_blind_spot(
        d, process, reason,
        arena_printf(
            d->arena,
            "The parent's file is %.*s while its own record gives "
            "OriginalFileName %.*s, as a renamed copy does. The public rules look at "
            "the file's name alone.",
            TEXT(image), TEXT(original)));
}

/* The record names no parent, and the candidate by pid and time is msra.exe. */
static void look_for_null_parent(struct detector *d, const struct lineage *l,
                                 uint32_t process, const struct process *p)
{
    struct text recorded = lineage_text(l, p->parent_image);
    if (!sysmon_text_is_missing(recorded) || p->candidate == PROCESS_NONE)
        return;
    const struct process *candidate = lineage_process(l, p->candidate);
    struct text image = lineage_text(l, candidate->image);
    if (!is_named_msra(image))
        return;
    struct match_reason reason = {TEXT_LITERAL("Image of the candidate parent"),
                                  TEXT_LITERAL("equals"), msra,
                                  arena_copy(d->arena, image), true};
    add_blind_spot(
        d, process, reason,
        arena_printf(
            d->arena,
            "The record names %s, so no rule can match. A candidate by "
            "process id and time (grade %s) is %.*s; that is no recorded link.",
            p->kind == PROCESS_AUDITED ? "the creator's process id alone" : "no parent",
            link_grade_name(p->grade), TEXT(image)));
}

/* What look_for_renamed() and look_for_null_parent() ask that is rare. */
bool near_miss_may_be_blind(const struct lineage *l, uint32_t number)
{
    const struct process *p = lineage_process(l, number);
    return p->candidate != PROCESS_NONE ||
           (p->parent != PROCESS_NONE &&
            text_equal_fold(
                lineage_text(l, lineage_process(l, p->parent)->original_file_name),
                msra));
}

static void find_blind_spots(struct detector *d, const struct lineage *l,
                             struct node_list may_be_blind)
{
    for (size_t i = 0; i < may_be_blind.count; i++) {
        uint32_t number = may_be_blind.nodes[i];
        uint32_t parent = lineage_parent(l, number);
        if (parent != PROCESS_NONE)
            look_for_renamed(d, l, number, lineage_process(l, parent));
        look_for_null_parent(d, l, number, lineage_process(l, number));
    }
}

struct ranked {
    struct near_miss miss;
    uint32_t rank, rule; /* a blind spot of all rules comes last */
    size_t given;
};

static int by_rank(const void *a_, const void *b_)
{
    const struct ranked *a = a_, *b = b_;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->rule != b->rule)
        return a->rule < b->rule ? -1 : 1;
    return a->given < b->given ? -1 : a->given > b->given;
}

static bool same_statement(const struct ranked *a, const struct ranked *b)
{
    return a->miss.process == b->miss.process && a->miss.rule && b->miss.rule &&
           text_equal_fold(a->miss.rule->id, b->miss.rule->id);
}

/* One statement can stand in the set in several forms under one id (Sigma's and ASIM's
 * words for one rule; two versions of one macro). Where several nearly matched, the last
 * in order of file name speaks for them. */
static void order_near_misses(struct detector *d)
{
    struct ranked *all = memory_get((d->near_miss_count + 1) * sizeof *all);
    for (size_t i = 0; i < d->near_miss_count; i++) {
        struct near_miss *miss = &d->near_misses[i];
        all[i] = (struct ranked){
            *miss, d->state->rank[miss->process],
            miss->rule ? (uint32_t)(miss->rule - d->rules->items) : UINT32_MAX, i};
    }
    qsort(all, d->near_miss_count, sizeof *all, by_rank);
    size_t kept = 0;
    for (size_t i = 0; i < d->near_miss_count; i++) {
        bool superseded = false;
        for (size_t j = i + 1;
             j < d->near_miss_count && all[j].rank == all[i].rank && !superseded; j++)
            superseded = same_statement(&all[i], &all[j]);
        if (!superseded)
            d->near_misses[kept++] = all[i].miss;
    }
    d->near_miss_count = kept;
    free(all);
}

void near_misses_finish(struct detector *d, const struct lineage *l,
                        struct node_list may_be_blind)
{
    for (size_t i = 0; i < d->near_miss_count; i++)
        d->near_misses[i].process = lineage_node(l, d->near_misses[i].process);
    find_blind_spots(d, l, may_be_blind);
    order_near_misses(d);
}
