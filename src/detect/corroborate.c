/* SPDX-License-Identifier: Apache-2.0
 *
 * What else was recorded about every msra.exe and every host process of a finding: the
 * indicators of rules/corroboration.yml over events, over processes and their children, and
 * over findings. Sentences state what is recorded and name the innocent explanations; a
 * strength is an assessment, never a fact. Absence clears nothing: hollowing by the creator
 * needs none of these events, and each can be off in Sysmon's configuration. */
#include "detect/detect_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

const char *strength_name(enum strength strength)
{
    static const char *const names[] = {
        [STRENGTH_NEUTRAL] = "neutral",
        [STRENGTH_WEAK] = "weak",
        [STRENGTH_MEDIUM] = "medium",
        [STRENGTH_STRONG] = "strong",
    };
    return names[strength];
}

/* --- keeping */

static struct text sentence_of(const struct indicator *indicator,
                               const struct corroboration *c, struct text recorded,
                               struct arena *arena)
{
    struct buffer words = {0};
    buffer_printf(&words, "Recorded: %.*s Assessed (%s): %.*s", TEXT(recorded),
                  strength_name(indicator->strength), TEXT(indicator->assessed));
    if (!text_is_empty(indicator->explanations))
        buffer_printf(&words, " Innocent explanations: %.*s.",
                      TEXT(indicator->explanations));
    if (!record_state_is_live(c->state))
        buffer_printf(&words, " This record is not live, it was recovered (%s).",
                      record_state_name((enum record_state)c->state));
    struct text sentence = arena_copy(arena, buffer_text(&words));
    buffer_release(&words);
    return sentence;
}

static uint32_t number_of(const struct detector *d, const struct indicator *indicator)
{
    return (uint32_t)(indicator - d->rules->indicators->items);
}

static bool is_at_cap(struct detector *d, struct host_record *host,
                      const struct indicator *indicator)
{
    if (host->kept[number_of(d, indicator)] < CORROBORATION_CAP)
        return false;
    host->left_out++;
    d->corroborations_left_out++;
    return true;
}

void corroborate_keep(struct detector *d, struct host_record *host,
                      const struct indicator *indicator, const struct corroboration *c,
                      struct text recorded)
{
    if (is_at_cap(d, host, indicator))
        return;
    uint32_t number = number_of(d, indicator);
    host->kept[number]++;
    const struct corroboration *last =
        d->corroboration_count ? &d->corroborations[d->corroboration_count - 1] : NULL;
    bool again = last && last->process == host->process && last->log == c->log &&
                 last->offset == c->offset;
    ARRAY_GROW(d->corroborations, d->corroboration_count,
               d->state->corroboration_capacity);
    struct corroboration *kept = &d->corroborations[d->corroboration_count++];
    *kept = *c;
    kept->code = indicator->code;
    kept->strength = indicator->strength;
    kept->rank = number;
    kept->process = host->process;
    kept->follows_source = indicator->follows_source;
    kept->same_record_again = again;
    kept->sentence = sentence_of(indicator, c, recorded, d->arena);
}

/* --- events */

static struct host_record *find_host(const struct detector *d, uint32_t process)
{
    const struct detector_state *s = d->state;
    if (process == PROCESS_NONE || process >= s->node_count)
        return NULL;
    uint32_t number = s->host_number[lineage_node(s->lineage, process)];
    return number ? &s->hosts[number - 1] : NULL;
}

static bool is_second_half(const struct indicator *indicator, uint16_t id)
{
    return event_set_has(&indicator->events, id);
}

static bool holds(const struct indicator *indicator, const struct touch *t)
{
    struct column_view view = {.event = t->event, .touch = t};
    uint16_t id = t->event->event_id;
    if (is_second_half(indicator, id))
        return condition_holds(indicator->condition, &view);
    return indicator->has_after && event_set_has(&indicator->after, id);
}

/* The host that this indicator sees in the event, and what touches it. */
static struct host_record *touched(struct touch *t, const struct detector *d,
                                   const struct indicator *indicator,
                                   const struct sysmon_event *event,
                                   const struct event_processes *who)
{
    bool by_target = indicator->host_is_object;
    struct host_record *host = find_host(d, by_target ? who->object : who->subject);
    uint32_t source = by_target ? who->subject : PROCESS_NONE;
    if (!host)
        return NULL;
    if (source != PROCESS_NONE)
        source = lineage_node(d->state->lineage, source);
    touch_init(t, d->state->lineage, event, host->process, source);
    return host;
}

/* Of the indicators of one code the first that holds is taken; one that needs several
 * events stands beside the others. */
static bool is_alternative(const struct indicator *indicator)
{
    return !indicator->distinct && !indicator->has_after;
}

bool detector_may_corroborate(const struct detector *d,
                              const struct sysmon_event *event,
                              const struct event_processes *who)
{
    const struct indicators *set = d->rules->indicators;
    if (!find_host(d, who->subject) && !find_host(d, who->object))
        return false;
    for (size_t i = 0; i < set->count; i++) {
        struct touch t;
        const struct indicator *indicator = &set->items[i];
        if (indicator->about == ABOUT_EVENT && touched(&t, d, indicator, event, who) &&
            holds(indicator, &t))
            return true;
    }
    return false;
}

static struct corroboration about_event(const struct touch *t)
{
    const struct evtx_record *record = t->event->record;
    return (struct corroboration){.process = t->host_number,
                                  .source = t->source_number,
                                  .event_id = t->event->event_id,
                                  .utc_filetime = sysmon_event_filetime(t->event),
                                  .created_filetime = t->event->created_filetime,
                                  .record_id = record->system.record_id,
                                  .offset = record->offset,
                                  .log = t->event->log,
                                  .state = (uint8_t)record->state};
}

static struct text lower(struct text value, struct arena *arena)
{
    char *copy = arena_alloc(arena, value.len + 1);
    for (size_t i = 0; i < value.len; i++)
        copy[i] = value.ptr[i] >= 'A' && value.ptr[i] <= 'Z' ? value.ptr[i] + 32
                                                             : value.ptr[i];
    return (struct text){copy, value.len};
}

static void take_note(struct detector *d, struct host_record *host,
                      const struct indicator *indicator, const struct touch *t)
{
    struct column_view view = {.event = t->event, .touch = t};
    uint32_t number = number_of(d, indicator);
    struct text value = column_value(
        &view, indicator->has_after ? indicator->same : indicator->distinct_column);
    if (text_is_empty(value))
        return;
    if (host->noted[number] == NOTES_CAP) {
        host->left_out++;
        d->corroborations_left_out++;
        return;
    }
    host->noted[number]++;
    struct detector_state *s = d->state;
    ARRAY_GROW(s->notes, s->note_count, s->note_capacity);
    struct note *note = &s->notes[s->note_count];
    *note =
        (struct note){.host = (uint32_t)(host - s->hosts),
                      .indicator = number,
                      .is_first_half = !is_second_half(indicator, t->event->event_id),
                      .value = lower(value, d->arena),
                      .about = about_event(t),
                      .given = s->note_count};
    note->about.sentence = message_fill(&indicator->recorded, &view, d->arena);
    s->note_count++;
}

static void look_at(struct detector *d, struct host_record *host,
                    const struct indicator *indicator, struct touch *t)
{
    struct column_view view = {.event = t->event, .touch = t};
    t->arena = d->arena;
    if (!is_alternative(indicator)) {
        take_note(d, host, indicator, t);
        return;
    }
    if (host->kept[number_of(d, indicator)] == CORROBORATION_CAP) {
        is_at_cap(d, host, indicator);
        return;
    }
    struct corroboration c = about_event(t);
    corroborate_keep(d, host, indicator, &c,
                     message_fill(&indicator->recorded, &view, d->arena));
}

void detector_corroborate(struct detector *d, const struct lineage *l,
                          const struct sysmon_event *event,
                          const struct event_processes *who)
{
    const struct indicators *set = d->rules->indicators;
    bool taken[INDICATORS_MAX] = {0};
    (void)l;
    for (size_t i = 0; i < set->count; i++) {
        struct touch t;
        const struct indicator *indicator = &set->items[i];
        if (indicator->about != ABOUT_EVENT ||
            (is_alternative(indicator) && taken[indicator->code_first]))
            continue;
        struct host_record *host = touched(&t, d, indicator, event, who);
        if (!host || !holds(indicator, &t))
            continue;
        if (is_alternative(indicator))
            taken[indicator->code_first] = true;
        look_at(d, host, indicator, &t);
    }
}

/* --- processes, their children, findings */

static struct corroboration about_creation(const struct detector *d,
                                           const struct evidence_log *logs,
                                           uint32_t number)
{
    const struct process *p = lineage_process(d->state->lineage, number);
    return (struct corroboration){.source = PROCESS_NONE,
                                  .event_id = SYSMON_PROCESS_CREATE,
                                  .utc_filetime = p->start_filetime,
                                  .created_filetime = p->logged_filetime,
                                  .record_id = p->record_id,
                                  .offset = p->offset,
                                  .log = logs && p->log != UINT32_MAX ? &logs[p->log]
                                                                      : NULL,
                                  .state = p->state};
}

static void judge_creation(struct detector *d, const struct evidence_log *logs,
                           struct host_record *host, uint32_t number,
                           enum indicator_about about)
{
    const struct indicators *set = d->rules->indicators;
    struct column_view view = node_view(d->state->lineage, number);
    if (view.process->kind != PROCESS_LOGGED)
        return;
    for (size_t i = 0; i < set->count; i++) {
        const struct indicator *indicator = &set->items[i];
        if (indicator->about != about || !condition_holds(indicator->condition, &view))
            continue;
        struct corroboration c = about_creation(d, logs, number);
        corroborate_keep(d, host, indicator, &c,
                         message_fill(&indicator->recorded, &view, d->arena));
    }
}

/* One row for all findings of one code on one host: it rests on the first of them. */
static void judge_finding(struct detector *d, const struct evidence_log *logs,
                          struct host_record *host, const struct indicator *indicator,
                          const struct finding *f)
{
    uint32_t number = number_of(d, indicator), more = host->noted[number] - 1;
    if (host->kept[number])
        return;
    struct text recorded =
        more ? arena_printf(d->arena,
                            "%.*s %" PRIu32 " more process creation%s like this.",
                            TEXT(f->message), more, more == 1 ? "" : "s")
             : f->message;
    struct corroboration c = about_creation(d, logs, f->process);
    corroborate_keep(d, host, indicator, &c, recorded);
}

/* First counted, then told. */
static void judge_findings(struct detector *d, const struct evidence_log *logs)
{
    const struct indicators *set = d->rules->indicators;
    for (int telling = 0; telling < 2; telling++)
        for (size_t i = 0; i < set->count; i++)
            for (size_t k = 0;
                 set->items[i].about == ABOUT_FINDING && k < d->finding_count; k++) {
                const struct finding *f = &d->findings[k];
                struct host_record *host = find_host(d, f->host_process);
                if (!host || !text_equal(f->code, set->items[i].code))
                    continue;
                if (telling)
                    judge_finding(d, logs, host, &set->items[i], f);
                else
                    host->noted[i]++;
            }
}

void corroborate_processes(struct detector *d, const struct evidence_log *logs)
{
    struct detector_state *s = d->state;
    for (size_t i = 0; i < s->host_count; i++)
        judge_creation(d, logs, &s->hosts[i], s->hosts[i].process, ABOUT_PROCESS);
    for (size_t i = 0; s->host_count && i < s->lineage->order_count; i++) {
        uint32_t number = s->lineage->order[i];
        struct host_record *host = find_host(d, lineage_parent(s->lineage, number));
        if (host)
            judge_creation(d, logs, host, number, ABOUT_CHILD);
    }
    judge_findings(d, logs);
}

/* --- in the end */

struct ranked {
    struct corroboration item;
    uint32_t host;
    size_t given;
};

static int order_of(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Strongest first: by rank, what is neutral after all else. */
static int by_rank(const void *a_, const void *b_)
{
    const struct ranked *a = a_, *b = b_;
    const struct corroboration *x = &a->item, *y = &b->item;
    int order = order_of(a->host, b->host);
    if (!order)
        order =
            order_of(x->strength == STRENGTH_NEUTRAL, y->strength == STRENGTH_NEUTRAL);
    if (!order)
        order = order_of(x->rank, y->rank);
    if (!order)
        order = order_of(x->utc_filetime, y->utc_filetime);
    if (!order)
        order = order_of(x->record_id, y->record_id);
    return order ? order : order_of(a->given, b->given);
}

static void order_corroborations(struct detector *d)
{
    struct detector_state *s = d->state;
    struct ranked *all = memory_get((d->corroboration_count + 1) * sizeof *all);
    for (size_t i = 0; i < d->corroboration_count; i++)
        all[i] = (struct ranked){d->corroborations[i],
                                 s->host_number[d->corroborations[i].process], i};
    qsort(all, d->corroboration_count, sizeof *all, by_rank);
    for (size_t i = 0; i < d->corroboration_count; i++) {
        struct host_record *host = &s->hosts[all[i].host - 1];
        d->corroborations[i] = all[i].item;
        if (host->count++ == 0)
            host->first = i;
    }
    free(all);
}

/* A host can have any number of findings, and each row of them names its codes. */
static void keep_codes(struct detector *d)
{
    struct buffer codes = {0};
    for (size_t i = 0; i < d->state->host_count; i++) {
        struct host_record *host = &d->state->hosts[i];
        buffer_clear(&codes);
        detector_add_codes(d, host->process, PROCESS_NONE, &codes);
        host->codes = arena_copy(d->arena, buffer_text(&codes));
    }
    buffer_release(&codes);
}

void detector_end(struct detector *d)
{
    notes_judge(d);
    order_corroborations(d);
    keep_codes(d);
}

struct text detector_codes_of(const struct detector *d, uint32_t process)
{
    const struct host_record *host = d->state->lineage ? find_host(d, process) : NULL;
    return host ? host->codes : NO_TEXT;
}

uint64_t detector_corroborations_left_out(const struct detector *d, uint32_t process)
{
    const struct host_record *host = d->state->lineage ? find_host(d, process) : NULL;
    return host ? host->left_out : 0;
}

struct corroboration_range detector_corroborations_of(const struct detector *d,
                                                      uint32_t process)
{
    const struct host_record *host = d->state->lineage ? find_host(d, process) : NULL;
    return host && host->count
               ? (struct corroboration_range){d->corroborations + host->first,
                                              host->count}
               : (struct corroboration_range){0};
}

size_t detector_host_count(const struct detector *d)
{
    return d->state->host_count;
}

uint32_t detector_host(const struct detector *d, size_t number)
{
    return d->state->hosts[number].process;
}

bool detector_host_has_finding(const struct detector *d, size_t number)
{
    return d->state->hosts[number].has_finding;
}

bool detector_looks_for(const struct detector *d, uint16_t event_id)
{
    return event_set_has(&d->rules->indicators->events, event_id);
}
