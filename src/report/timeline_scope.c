/* SPDX-License-Identifier: Apache-2.0
 * timeline_scope.c - which events beyond the families get a row: those of the hosts that
 * have a finding, those around a finding's process creation, or all.
 *
 * A host is known by its computer's name here, without regard to case: events without a
 * process (4, 6, 16, 19 to 21, 255) name no machine. */
#include <stdlib.h>

#include "report/report_internal.h"
#include "util/map.h"
#include "util/memory.h"

struct span { /* both ends belong to it */
    uint64_t from, to;
};

struct scope_host {
    struct span *spans; /* in order, none touches the next */
    size_t count, capacity;
};

struct timeline_scope_state {
    struct arena arena;
    struct map by_name; /* in lower case */
    struct scope_host *hosts;
    size_t count, capacity;
};

const char *timeline_extent_name(enum timeline_extent extent)
{
    static const char *const names[] = {"findings", "hosts", "all"};
    return names[extent];
}

/* Names of computers are short; one that is not costs a copy of itself. */
static struct text lower_case(struct buffer *out, struct text name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        buffer_add_char(out, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
    }
    return buffer_text(out);
}

static struct scope_host *find_host(const struct timeline_scope_state *state,
                                    struct text computer)
{
    struct buffer lower = {0};
    uint32_t number =
        map_find(&state->by_name, map_key_text(lower_case(&lower, computer)));
    buffer_release(&lower);
    return number == MAP_NONE ? NULL : &state->hosts[number];
}

static struct scope_host *add_host(struct timeline_scope_state *state,
                                   struct text computer)
{
    struct scope_host *host = find_host(state, computer);
    if (host)
        return host;
    struct buffer lower = {0};
    struct text name = arena_copy(&state->arena, lower_case(&lower, computer));
    buffer_release(&lower);
    map_add(&state->by_name, map_key_text(name), (uint32_t)state->count);
    ARRAY_GROW(state->hosts, state->count, state->capacity);
    state->hosts[state->count] = (struct scope_host){0};
    return &state->hosts[state->count++];
}

static void add_span(struct scope_host *host, uint64_t around, uint64_t window_100ns)
{
    if (around == FILETIME_NONE)
        return;
    ARRAY_GROW(host->spans, host->count, host->capacity);
    host->spans[host->count++] = (struct span){
        around > window_100ns ? around - window_100ns : 0,
        around < FILETIME_NONE - window_100ns ? around + window_100ns : FILETIME_NONE};
}

static int compare_spans(const void *left, const void *right)
{
    const struct span *a = left, *b = right;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    return (a->to > b->to) - (a->to < b->to);
}

static void join_spans(struct scope_host *host)
{
    size_t kept = 0;
    if (host->count)
        qsort(host->spans, host->count, sizeof *host->spans, compare_spans);
    for (size_t i = 0; i < host->count; i++) {
        struct span *last = kept ? &host->spans[kept - 1] : NULL;
        if (!last || host->spans[i].from > last->to)
            host->spans[kept++] = host->spans[i];
        else if (host->spans[i].to > last->to)
            last->to = host->spans[i].to;
    }
    host->count = kept;
}

bool timeline_scope_is_wide(const struct timeline_scope *scope)
{
    return scope->extent != TIMELINE_FINDINGS || scope->window_100ns;
}

void timeline_scope_open(struct timeline_scope *scope, const struct detector *detector,
                         const struct lineage *lineage)
{
    struct timeline_scope_state *state = memory_get_zeroed(1, sizeof *state);
    scope->state = state;
    for (size_t i = 0; i < detector->finding_count; i++) {
        const struct process *p =
            lineage_process(lineage, detector->findings[i].process);
        struct scope_host *host = add_host(state, lineage_computer(lineage, p));
        if (scope->window_100ns)
            add_span(host,
                     p->start_filetime != FILETIME_NONE ? p->start_filetime
                                                        : p->logged_filetime,
                     scope->window_100ns);
    }
    for (size_t i = 0; i < state->count; i++)
        join_spans(&state->hosts[i]);
}

void timeline_scope_close(struct timeline_scope *scope)
{
    struct timeline_scope_state *state = scope->state;
    if (!state)
        return;
    for (size_t i = 0; i < state->count; i++)
        free(state->hosts[i].spans);
    free(state->hosts);
    map_release(&state->by_name);
    arena_release(&state->arena);
    free(state);
    scope->state = NULL;
}

static bool in_window(const struct scope_host *host, uint64_t filetime)
{
    size_t low = 0, high = host->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (host->spans[middle].to < filetime)
            low = middle + 1;
        else
            high = middle;
    }
    return filetime != FILETIME_NONE && low < host->count &&
           host->spans[low].from <= filetime;
}

bool timeline_scope_has_host(const struct timeline_scope *scope, struct text computer)
{
    return scope->state && find_host(scope->state, computer);
}

enum timeline_why timeline_scope_takes(const struct timeline_scope *scope,
                                       const struct sysmon_event *event)
{
    if (!scope->state || !timeline_scope_is_wide(scope))
        return WHY_NOT;
    const struct scope_host *host =
        find_host(scope->state, event->record->system.computer);
    if (host && in_window(host, sysmon_event_filetime(event)))
        return WHY_WINDOW;
    if (host && scope->extent != TIMELINE_FINDINGS)
        return WHY_HOST;
    return scope->extent == TIMELINE_ALL ? WHY_ALL : WHY_NOT;
}
