/* SPDX-License-Identifier: Apache-2.0
 *
 * Forebear's own indicators: rules of the taxonomy `forebear`, judged over the linked
 * lineage. Their words, lists and numbers are in rules/forebear_*.yml. */
#include "detect/detect_internal.h"

#include <stdlib.h>
#include <string.h>

#include "util/map.h"
#include "util/memory.h"

struct column_view node_view(const struct lineage *l, uint32_t number)
{
    uint32_t parent = lineage_parent(l, number);
    return (struct column_view){
        .lineage = l,
        .process = lineage_process(l, number),
        .host = parent == PROCESS_NONE ? NULL : lineage_process(l, parent)};
}

/* Parents that a finding of the rule has been told for. One that is no process of the table
 * is told by what 4688 records of it: an id and an image. */
struct hosts_told {
    struct map map;
    struct arena keys;
};

struct unlinked_host {
    uint32_t scope, pid, image, node;
};

static struct unlinked_host host_of(const struct lineage *l, uint32_t number)
{
    const struct process *p = lineage_process(l, number);
    return p->parent == PROCESS_NONE
               ? (struct unlinked_host){p->scope, p->parent_pid, p->parent_image,
                                        p->kind == PROCESS_AUDITED ? PROCESS_NONE
                                                                   : number}
               : (struct unlinked_host){.node = p->parent};
}

static bool is_told(const struct hosts_told *told, const struct unlinked_host *host)
{
    return map_find(&told->map, MAP_KEY_OF(host)) != MAP_NONE;
}

static void note_told(struct hosts_told *told, const struct unlinked_host *host)
{
    struct unlinked_host *key = arena_alloc(&told->keys, sizeof *key);
    *key = *host;
    map_add(&told->map, MAP_KEY_OF(key), 0);
}

static void judge_all(struct detector *d, struct rule *rule, const struct lineage *l,
                      struct node_list met)
{
    struct hosts_told told = {0};
    for (size_t i = 0; i < met.count; i++) {
        uint32_t number = met.nodes[i];
        struct unlinked_host host = host_of(l, number);
        if (rule->condition->once_per_host && is_told(&told, &host))
            continue;
        struct column_view view = node_view(l, number);
        struct finding *finding = detector_add_finding(d, rule, &view, number);
        if (!finding)
            continue;
        finding->host_process =
            rule->condition->about_process ? number : lineage_parent(l, number);
        if (rule->condition->once_per_host)
            note_told(&told, &host);
    }
    map_release(&told.map);
    arena_release(&told.keys);
}

/* --- MSRA_RECON_BURST: several listed tools under one host within the window */

/* For each node the nearest process above it that is a host: one whose child meets the
 * rule's condition. A walk up, which has no circles, ends at a node that is known, then
 * fills in its path, so all walks together are linear. */
static uint32_t *nearest_hosts(struct detector *d, const struct lineage *l,
                               struct node_list met)
{
    enum { NOT_KNOWN = PROCESS_NONE - 1 };
    uint32_t *host = memory_get((d->state->node_count + 1) * sizeof *host);
    uint32_t *path = memory_get((d->state->node_count + 1) * sizeof *path);
    bool *is_met = memory_get_zeroed(d->state->node_count, sizeof *is_met);
    for (size_t i = 0; i < met.count; i++)
        is_met[met.nodes[i]] = true;
    for (size_t i = 0; i < d->state->node_count; i++)
        host[i] = NOT_KNOWN;
    for (size_t i = 0; i < l->order_count; i++) {
        size_t steps = 0;
        uint32_t at = l->order[i];
        while (at != PROCESS_NONE && host[at] == NOT_KNOWN) {
            path[steps++] = at;
            at = lineage_parent(l, at);
        }
        while (steps-- > 0) {
            uint32_t parent = lineage_parent(l, path[steps]);
            bool has_other = parent != PROCESS_NONE && !is_met[path[steps]];
            host[path[steps]] = has_other ? host[parent] : parent;
        }
    }
    free(is_met);
    free(path);
    return host;
}

struct tool_use {
    uint32_t host, process;
    uint32_t tool;  /* index into the rule's list */
    uint32_t rank;  /* of the process */
    uint64_t start; /* FILETIME */
};

static int by_host_and_time(const void *a_, const void *b_)
{
    const struct tool_use *a = a_, *b = b_;
    if (a->host != b->host)
        return a->host < b->host ? -1 : 1;
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

/* The list's number of this file name, PROCESS_NONE if it is not listed. */
static uint32_t tool_number(const struct burst *burst, struct text name)
{
    for (size_t i = 0; i < burst->aliases.count; i++)
        if (text_equal_fold(name, burst->aliases.items[i]))
            name = burst->alias_of.items[i];
    for (size_t i = 0; i < burst->tools.count; i++)
        if (text_equal_fold(name, burst->tools.items[i]))
            return (uint32_t)i;
    return PROCESS_NONE;
}

static size_t collect_uses(struct detector *d, const struct rule *rule,
                           const struct lineage *l, const uint32_t *host,
                           struct tool_use *uses)
{
    size_t count = 0;
    for (size_t i = 0; i < l->order_count; i++) {
        uint32_t number = l->order[i];
        const struct process *p = lineage_process(l, number);
        bool counts = p->kind == PROCESS_LOGGED ||
                      (p->kind == PROCESS_AUDITED && audited_can_fire(rule));
        if (host[number] == PROCESS_NONE || !counts ||
            p->start_filetime == FILETIME_NONE)
            continue;
        uint32_t tool = tool_number(&rule->condition->burst,
                                    text_basename(lineage_text(l, p->image)));
        if (tool != PROCESS_NONE)
            uses[count++] = (struct tool_use){
                host[number], number, tool, d->state->rank[number], p->start_filetime};
    }
    qsort(uses, count, sizeof *uses, by_host_and_time);
    return count;
}

/* One reason a distinct tool in the window, each with the time of its first use. */
static void explain_burst(struct detector *d, struct finding *finding,
                          const struct rule *rule, const struct lineage *l,
                          const struct tool_use *first, const struct tool_use *last)
{
    const struct burst *burst = &rule->condition->burst;
    bool *told = memory_get_zeroed(burst->tools.count, sizeof *told);
    struct match_reason *reasons =
        arena_alloc(d->arena, (burst->count + 1) * sizeof *reasons);
    struct buffer names = {0};
    size_t count = 0;
    for (const struct tool_use *use = first; use <= last && count < burst->count;
         use++) {
        if (told[use->tool])
            continue;
        told[use->tool] = true;
        char time[FILETIME_TEXT_MAX];
        struct text image = lineage_text(l, lineage_process(l, use->process)->image);
        reasons[count++] = (struct match_reason){
            .field = TEXT_LITERAL("Image"),
            .operation = TEXT_LITERAL("is a listed tool under this host"),
            .expected = burst->tools.items[use->tool],
            .recorded =
                arena_printf(d->arena, "%.*s at %.*s", TEXT(image),
                             TEXT(filetime_format(time, use->start, FILETIME_REPORT))),
            .met = true};
        buffer_printf(&names, "%s%.*s", names.len ? ", " : "",
                      TEXT(burst->tools.items[use->tool]));
    }
    finding->reasons = reasons;
    finding->reason_count = count;
    finding->message = arena_printf(
        d->arena, "%.*s Distinct tools within %u minutes: %.*s.",
        TEXT(finding->message), burst->window_minutes, TEXT(buffer_text(&names)));
    buffer_release(&names);
    free(told);
}

/* A window that slides over the uses of one host: `in_window` counts each tool in it. The
 * finding stands on the creation by which the number was first reached. */
static void find_burst(struct detector *d, struct rule *rule, const struct lineage *l,
                       const struct tool_use *uses, size_t count, uint32_t *in_window)
{
    const struct burst *burst = &rule->condition->burst;
    uint64_t window = burst->window_minutes * 60 * FILETIME_SECOND;
    memset(in_window, 0, burst->tools.count * sizeof *in_window);
    size_t first = 0, distinct = 0;
    for (size_t i = 0; i < count; i++) {
        distinct += in_window[uses[i].tool]++ == 0;
        for (; uses[i].start - uses[first].start > window; first++)
            distinct -= --in_window[uses[first].tool] == 0;
        if (distinct < burst->count)
            continue;
        struct column_view view = node_view(l, uses[i].process);
        struct finding *finding = detector_add_finding(d, rule, &view, uses[i].process);
        if (!finding)
            return;
        finding->host_process = uses[i].host;
        explain_burst(d, finding, rule, l, &uses[first], &uses[i]);
        return;
    }
}

static void find_bursts(struct detector *d, struct rule *rule, const struct lineage *l,
                        struct node_list met)
{
    if (met.count == 0)
        return;
    uint32_t *host = nearest_hosts(d, l, met);
    struct tool_use *uses = memory_get((l->order_count + 1) * sizeof *uses);
    uint32_t *in_window =
        memory_get_zeroed(rule->condition->burst.tools.count, sizeof *in_window);
    size_t count = collect_uses(d, rule, l, host, uses);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && uses[to].host == uses[from].host;)
            to++;
        find_burst(d, rule, l, uses + from, to - from, in_window);
    }
    free(in_window);
    free(uses);
    free(host);
}

void indicator_find(struct detector *d, struct rule *rule, const struct lineage *l,
                    struct node_list met)
{
    if (rule->condition->burst.count)
        find_bursts(d, rule, l, met);
    else
        judge_all(d, rule, l, met);
}
