/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/detect_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

enum status detector_init(struct detector *d, struct rules *rules,
                          const char *filter_file, struct arena *arena,
                          struct error *err)
{
    *d = (struct detector){.arena = arena, .rules = rules};
    d->state = memory_get_zeroed(1, sizeof *d->state);
    if (!filter_file)
        return OK;
    if (filters_read(&d->state->filters, filter_file, arena, err) != OK) {
        detector_release(d);
        return FAILED;
    }
    d->filters = d->state->filters.items;
    d->filter_count = d->state->filters.count;
    d->filter_digests = d->state->filters.digests;
    return OK;
}

void detector_release(struct detector *d)
{
    if (d->state) {
        free(d->state->findings_of);
        free(d->state->in_family);
        free(d->state->joined);
        free(d->state->roles);
        free(d->state->notes);
        free(d->state->host_number);
        free(d->state->rank);
        free(d->state->hosts);
        free(d->state);
    }
    free(d->findings);
    free(d->near_misses);
    free(d->corroborations);
    *d = (struct detector){0};
}

struct finding *detector_new_finding(struct detector *d)
{
    ARRAY_GROW(d->findings, d->finding_count, d->state->finding_capacity);
    return &d->findings[d->finding_count++];
}

struct near_miss *detector_new_near_miss(struct detector *d)
{
    ARRAY_GROW(d->near_misses, d->near_miss_count, d->state->near_miss_capacity);
    return &d->near_misses[d->near_miss_count++];
}

struct finding *detector_add_finding(struct detector *d, struct rule *rule,
                                     const struct column_view *view, uint32_t process)
{
    if (filters_take(&d->state->filters, rule, view)) {
        rule->filtered++;
        d->filtered++;
        return NULL;
    }
    rule->matches++;
    struct finding *finding = detector_new_finding(d);
    *finding = (struct finding){
        .rule = rule,
        .code = rule->code,
        .process = process,
        .host_process = PROCESS_NONE,
        .message = message_fill(&rule->condition->message, view, d->arena)};
    if (rule->condition->taxonomy == TAXONOMY_FOREBEAR)
        finding->message = audited_say(finding->message, view->process, d->arena);
    condition_explain(rule->condition, view, d->arena, &finding->reasons,
                      &finding->reason_count);
    return finding;
}

void detector_judge(struct detector *d, struct rule *rule,
                    const struct column_view *view, uint32_t process)
{
    if (condition_holds(rule->condition, view))
        detector_add_finding(d, rule, view, process);
    else if (rule->condition->near_miss.wanted)
        near_miss_add(d, rule, view, process);
}

bool detector_wants(const struct detector *d, const struct sysmon_event *event)
{
    struct column_view view = {.event = event};
    for (size_t i = 0; i < d->rules->count; i++) {
        const struct rule *rule = &d->rules->items[i];
        if (rule->condition->taxonomy != TAXONOMY_FOREBEAR &&
            near_miss_or_match(rule, &view))
            return true;
    }
    return false;
}

size_t detector_hits(struct detector *d, const struct sysmon_event *event,
                     const struct rule **hits)
{
    struct column_view view = {.event = event};
    size_t count = 0;
    for (size_t i = 0; i < d->rules->count; i++) {
        struct rule *rule = &d->rules->items[i];
        if (rule->condition->taxonomy == TAXONOMY_FOREBEAR ||
            !condition_holds(rule->condition, &view))
            continue;
        bool is_taken = filters_take(&d->state->filters, rule, &view) != NULL;
        d->filtered += is_taken;
        rule->filtered += is_taken;
        rule->matches += !is_taken;
        if (!is_taken)
            hits[count++] = rule;
    }
    return count;
}

void detector_add_creation(struct detector *d, const struct sysmon_event *event,
                           uint32_t process)
{
    struct column_view view = {.event = event};
    for (size_t i = 0; i < d->rules->count; i++) {
        struct rule *rule = &d->rules->items[i];
        if (rule->condition->taxonomy != TAXONOMY_FOREBEAR)
            detector_judge(d, rule, &view, process);
    }
}

/* --- after linking */

static void rank_nodes(struct detector_state *s, const struct lineage *l)
{
    s->node_count = l->count;
    s->rank = memory_get_zeroed(l->count, sizeof *s->rank);
    for (size_t i = 0; i < l->order_count; i++)
        s->rank[l->order[i]] = (uint32_t)i;
}

/* Length before each part, so that no two different lists of parts hash alike. */
static void digest_part(struct digester *d, struct text part)
{
    char length[24];
    int len = snprintf(length, sizeof length, "%zu:", part.len);
    digester_add(d, length, (size_t)len);
    digester_add(d, part.ptr, part.len);
}

static struct text lower(struct text t, struct arena *arena)
{
    char *copy = arena_alloc(arena, t.len + 1);
    for (size_t i = 0; i < t.len; i++)
        copy[i] = t.ptr[i] >= 'A' && t.ptr[i] <= 'Z' ? t.ptr[i] + 32 : t.ptr[i];
    return (struct text){copy, t.len};
}

/* From what names the match in the evidence, so that it is the same in every run: the rule
 * and its source (two sources can state one rule), computer, process, record. */
static struct text finding_id(const struct finding *f, const struct lineage *l,
                              struct arena *arena)
{
    const struct process *p = lineage_process(l, f->process);
    char guid[GUID_TEXT_MAX], hex[DIGEST_HEX_MAX];
    struct digester digester;
    struct digest_values value;
    digester_init(&digester, DIGEST_BIT(DIGEST_SHA256));
    digest_part(&digester, f->rule->id);
    digest_part(&digester, f->rule->source);
    digest_part(&digester, lower(lineage_computer(l, p), arena));
    digest_part(&digester, guid_format(guid, &p->guid));
    digest_part(&digester, arena_printf(arena, "%" PRIu32 " %" PRIu64 " %" PRIu64,
                                        p->pid, p->start_filetime, p->record_id));
    digester_finish(&digester, &value);
    return arena_printf(arena, "F-%.12s", digest_hex(hex, &value, DIGEST_SHA256).ptr);
}

struct ranked_finding {
    struct finding finding;
    uint32_t rank;
    size_t rule, given;
};

static int by_rank(const void *a_, const void *b_)
{
    const struct ranked_finding *a = a_, *b = b_;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->rule != b->rule)
        return a->rule < b->rule ? -1 : 1;
    return a->given < b->given ? -1 : a->given > b->given;
}

/* lineage->order is (host, start, record id, guid). */
static void order_findings(struct detector *d)
{
    struct ranked_finding *all = memory_get((d->finding_count + 1) * sizeof *all);
    for (size_t i = 0; i < d->finding_count; i++)
        all[i] = (struct ranked_finding){
            d->findings[i], d->state->rank[d->findings[i].process],
            (size_t)(d->findings[i].rule - d->rules->items), i};
    qsort(all, d->finding_count, sizeof *all, by_rank);
    for (size_t i = 0; i < d->finding_count; i++)
        d->findings[i] = all[i].finding;
    free(all);
}

static void count_findings(struct detector *d)
{
    d->state->findings_of =
        memory_get_zeroed(d->state->node_count, sizeof *d->state->findings_of);
    for (size_t i = 0; i < d->finding_count; i++)
        if (d->state->findings_of[d->findings[i].process]++ == 0)
            d->matched_creations++;
}

/* --- families */

/* In the order of the lineage. `looked_at`: by name or OriginalFileName an msra.exe, whether
 * or not a rule speaks of it. */
static void find_hosts(struct detector *d, const struct lineage *l,
                       struct node_list looked_at)
{
    struct detector_state *s = d->state;
    size_t indicators = d->rules->indicators->count;
    bool *has_finding = memory_get_zeroed(s->node_count, sizeof *has_finding);
    bool *is_named = memory_get_zeroed(s->node_count, sizeof *is_named);
    s->host_number = memory_get_zeroed(s->node_count, sizeof *s->host_number);
    for (size_t i = 0; i < looked_at.count; i++)
        is_named[looked_at.nodes[i]] = true;
    for (size_t i = 0; i < d->finding_count; i++)
        if (d->findings[i].host_process != PROCESS_NONE)
            has_finding[d->findings[i].host_process] = true;
    for (size_t i = 0; i < l->order_count; i++) {
        uint32_t host = l->order[i];
        if (!is_named[host] && !has_finding[host])
            continue;
        ARRAY_GROW(s->hosts, s->host_count, s->host_capacity);
        s->hosts[s->host_count++] = (struct host_record){
            .process = host,
            .has_finding = has_finding[host],
            .is_named = is_named[host],
            .kept = arena_alloc(d->arena, indicators * sizeof(uint32_t)),
            .noted = arena_alloc(d->arena, indicators * sizeof(uint32_t))};
        s->host_number[host] = (uint32_t)s->host_count;
    }
    free(is_named);
    free(has_finding);
}

/* --- what is asked of every process */

/* The questions: own rules first, by their number in the set, then these. */
enum { ASK_LOOKED_AT, ASK_BLIND_SPOT, OTHER_QUESTIONS };

static void find_verdicts(struct verdicts *v, const struct detector *d,
                          const struct lineage *l, struct workers *workers)
{
    size_t rules = d->rules->count;
    struct question *all = memory_get_zeroed(rules + OTHER_QUESTIONS, sizeof *all);
    for (size_t i = 0; i < rules; i++) {
        const struct rule_condition *c = d->rules->items[i].condition;
        if (c->taxonomy == TAXONOMY_FOREBEAR)
            all[i] = (struct question){.condition = c,
                                       .is_about_audited =
                                           audited_can_fire(&d->rules->items[i]),
                                       .sees_host = true};
    }
    all[rules + ASK_LOOKED_AT] = (struct question){
        .condition = d->rules->indicators->hosts, .is_about_any = true};
    all[rules + ASK_BLIND_SPOT] = (struct question){.asks = near_miss_may_be_blind};
    verdicts_find(v, all, rules + OTHER_QUESTIONS, l, workers);
    free(all);
}

static void judge_processes(struct detector *d, const struct lineage *l,
                            const struct verdicts *v)
{
    for (size_t i = 0; i < d->rules->count; i++)
        if (d->rules->items[i].condition->taxonomy == TAXONOMY_FOREBEAR)
            indicator_find(d, &d->rules->items[i], l, verdicts_of(v, i));
}

void detector_finish(struct detector *d, struct lineage *l,
                     const struct evidence_log *logs, struct workers *workers)
{
    size_t rules = d->rules->count;
    struct verdicts verdicts;
    d->state->lineage = l;
    rank_nodes(d->state, l);
    audited_judge(d, l);
    for (size_t i = 0; i < d->finding_count; i++) {
        struct finding *f = &d->findings[i];
        f->process = lineage_node(l, f->process);
        f->host_process = lineage_parent(l, f->process);
    }
    find_verdicts(&verdicts, d, l, workers);
    judge_processes(d, l, &verdicts);
    for (size_t i = 0; i < d->finding_count; i++)
        d->findings[i].id = finding_id(&d->findings[i], l, d->arena);
    order_findings(d);
    count_findings(d);
    near_misses_finish(d, l, verdicts_of(&verdicts, rules + ASK_BLIND_SPOT));
    find_hosts(d, l, verdicts_of(&verdicts, rules + ASK_LOOKED_AT));
    verdicts_release(&verdicts);
    families_find(d);
    corroborate_processes(d, logs);
}

struct detector_left_out detector_keep(struct detector *d,
                                       bool (*is_told)(const void *context,
                                                       uint32_t process),
                                       const void *context)
{
    struct detector_left_out left_out = {d->finding_count, d->near_miss_count};
    size_t kept = 0;
    d->matched_creations = 0;
    for (size_t i = 0; i < left_out.findings; i++) {
        uint32_t process = d->findings[i].process;
        if (!is_told(context, process))
            continue;
        /* Findings of one process stand together. */
        d->matched_creations += !kept || d->findings[kept - 1].process != process;
        d->findings[kept++] = d->findings[i];
    }
    d->finding_count = kept;
    kept = 0;
    for (size_t i = 0; i < left_out.near_misses; i++)
        if (is_told(context, d->near_misses[i].process))
            d->near_misses[kept++] = d->near_misses[i];
    d->near_miss_count = kept;
    left_out.findings -= d->finding_count;
    left_out.near_misses -= d->near_miss_count;
    return left_out;
}

size_t detector_findings_of(const struct detector *d, uint32_t process)
{
    if (!d->state->lineage || process >= d->state->node_count)
        return 0;
    return d->state->findings_of[lineage_node(d->state->lineage, process)];
}

enum rule_level detector_highest_level(const struct detector *d)
{
    enum rule_level highest = LEVEL_NONE;
    for (size_t i = 0; i < d->finding_count; i++)
        if (d->findings[i].rule->alert_level > highest)
            highest = d->findings[i].rule->alert_level;
    return highest;
}
