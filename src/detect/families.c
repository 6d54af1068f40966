/* SPDX-License-Identifier: Apache-2.0
 *
 * Who belongs to a finding, and as what: the process that met the rule, its host process,
 * their ancestors, its siblings, all below the host; and, once the second pass is done,
 * who opened, wrote to or threaded into a host, with its own ancestors. */
#include "detect/detect_internal.h"

#include <stdlib.h>

#include "util/memory.h"

enum { HEADS_SUBTREE = 1, HAS_MATCHED_CHILD = 2 };

/* All above `from`. What has the role has it above too, so all calls together are linear. */
static void mark_above(struct detector_state *s, uint32_t from, uint16_t role)
{
    uint32_t at = lineage_parent(s->lineage, from);
    while (at != PROCESS_NONE && !(s->roles[at] & role)) {
        s->roles[at] |= role;
        at = lineage_parent(s->lineage, at);
    }
}

static void mark_finding(struct detector_state *s, uint8_t *marks,
                         const struct finding *f)
{
    uint32_t parent = lineage_parent(s->lineage, f->process);
    uint32_t head = f->host_process == PROCESS_NONE ? f->process : f->host_process;
    s->roles[f->process] |= ROLE_MATCH;
    if (f->host_process != PROCESS_NONE)
        s->roles[head] |= ROLE_HOST;
    mark_above(s, f->process, ROLE_ANCESTOR); /* so the head's, too */
    marks[head] |= HEADS_SUBTREE;
    if (parent != PROCESS_NONE)
        marks[parent] |= HAS_MATCHED_CHILD;
}

/* Which nodes have a head above them: each walk up ends at a node whose answer is known and
 * then hands that answer down its path. */
static void mark_descendants(struct detector_state *s, const uint8_t *marks)
{
    const struct lineage *l = s->lineage;
    bool *known = memory_get_zeroed(s->node_count, sizeof *known);
    bool *below = memory_get_zeroed(s->node_count, sizeof *below);
    uint32_t *path = memory_get((s->node_count + 1) * sizeof *path);
    for (size_t i = 0; i < l->order_count; i++) {
        size_t steps = 0;
        uint32_t at = l->order[i];
        while (at != PROCESS_NONE && !known[at] && steps < s->node_count) {
            path[steps++] = at;
            at = lineage_parent(l, at);
        }
        bool answer = at != PROCESS_NONE && (below[at] || marks[at] & HEADS_SUBTREE);
        while (steps-- > 0) {
            below[path[steps]] = answer;
            known[path[steps]] = true;
            s->roles[path[steps]] |= answer ? ROLE_DESCENDANT : 0;
            answer = answer || marks[path[steps]] & HEADS_SUBTREE;
        }
    }
    free(path);
    free(below);
    free(known);
}

void families_find(struct detector *d)
{
    struct detector_state *s = d->state;
    uint8_t *marks = memory_get_zeroed(s->node_count, sizeof *marks);
    s->in_family = memory_get_zeroed(s->node_count, sizeof *s->in_family);
    s->joined = memory_get_zeroed(s->node_count, sizeof *s->joined);
    s->roles = memory_get_zeroed(s->node_count, sizeof *s->roles);
    for (size_t i = 0; i < d->finding_count; i++)
        mark_finding(s, marks, &d->findings[i]);
    if (d->finding_count)
        mark_descendants(s, marks);
    for (uint32_t i = 0; d->finding_count && i < s->node_count; i++) {
        uint32_t parent = lineage_parent(s->lineage, i);
        if (parent != PROCESS_NONE && marks[parent] & HAS_MATCHED_CHILD &&
            !(s->roles[i] & ROLE_MATCH))
            s->roles[i] |= ROLE_SIBLING;
        s->in_family[i] = s->roles[i] != 0;
    }
    for (size_t i = 0; i < s->host_count; i++)
        if (!s->hosts[i].has_finding)
            s->roles[s->hosts[i].process] |= ROLE_LOOKED_AT;
    free(marks);
}

/* --- who had its hands in a host process */

static bool leads_to_source(const struct corroboration *c)
{
    return c->follows_source && c->strength != STRENGTH_NEUTRAL &&
           c->source != PROCESS_NONE && c->source != c->process;
}

static size_t join(struct detector_state *s, uint32_t from)
{
    size_t count = 0;
    for (uint32_t at = from; at != PROCESS_NONE && !s->in_family[at];
         at = lineage_parent(s->lineage, at)) {
        s->in_family[at] = s->joined[at] = true;
        count++;
    }
    return count;
}

size_t detector_follow_sources(struct detector *d)
{
    struct detector_state *s = d->state;
    size_t joined = 0;
    for (size_t i = 0; i < d->corroboration_count; i++) {
        const struct corroboration *c = &d->corroborations[i];
        if (!leads_to_source(c))
            continue;
        s->roles[c->source] |= ROLE_SOURCE;
        mark_above(s, c->source, ROLE_SOURCE_ANCESTOR);
        if (s->hosts[s->host_number[c->process] - 1].has_finding)
            joined += join(s, c->source);
    }
    return joined;
}

size_t detector_sources_of(const struct detector *d, uint32_t host,
                           struct injection_source *sources, size_t max)
{
    struct corroboration_range range = detector_corroborations_of(d, host);
    size_t count = 0;
    for (size_t i = 0; i < range.count; i++) {
        const struct corroboration *c = &range.first[i];
        size_t k = 0;
        if (!leads_to_source(c))
            continue;
        while (k < count && sources[k].process != c->source)
            k++;
        if (k == max)
            continue;
        if (k == count)
            sources[count++] = (struct injection_source){c->source, c, 0};
        sources[k].records++;
    }
    return count;
}

void detector_add_codes(const struct detector *d, uint32_t host, uint32_t source,
                        struct buffer *out)
{
    struct corroboration_range range = detector_corroborations_of(d, host);
    bool said[INDICATORS_MAX] = {0}; /* by the first indicator of the code */
    size_t start = out->len;
    for (size_t i = 0; i < range.count; i++) {
        const struct corroboration *c = &range.first[i];
        bool *was_said = &said[d->rules->indicators->items[c->rank].code_first];
        if (c->strength == STRENGTH_NEUTRAL || *was_said ||
            (source != PROCESS_NONE && !(c->source == source && leads_to_source(c))))
            continue;
        *was_said = true;
        if (out->len > start)
            buffer_add_char(out, ' ');
        buffer_add_text(out, c->code);
    }
}

/* --- asking */

static bool is_node(const struct detector *d, uint32_t process)
{
    return d->state->lineage && process < d->state->node_count;
}

bool detector_in_family(const struct detector *d, uint32_t process)
{
    return is_node(d, process) &&
           d->state->in_family[lineage_node(d->state->lineage, process)];
}

bool detector_joined_family(const struct detector *d, uint32_t process)
{
    return is_node(d, process) &&
           d->state->joined[lineage_node(d->state->lineage, process)];
}

void detector_add_roles(const struct detector *d, uint32_t process, struct buffer *out)
{
    static const struct {
        uint16_t role, unless;
        const char *name;
    } names[] = {
        {ROLE_HOST,            0,                                     "host process"                 },
        {ROLE_MATCH,           0,                                     "match"                        },
        {ROLE_SOURCE,          0,                                     "possible source of code"      },
        {ROLE_ANCESTOR,        ROLE_HOST,                             "ancestor"                     },
        {ROLE_SIBLING,         0,                                     "sibling"                      },
        {ROLE_DESCENDANT,      ROLE_MATCH | ROLE_SIBLING | ROLE_HOST, "descendant"                   },
        {ROLE_SOURCE_ANCESTOR, ROLE_ANCESTOR,                         "ancestor of a possible source"},
        {ROLE_LOOKED_AT,       0,                                     "msra.exe without a finding"   },
    };
    uint16_t roles = 0;
    size_t start = out->len;
    if (is_node(d, process))
        roles = d->state->roles[lineage_node(d->state->lineage, process)];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (roles & names[i].role && !(roles & names[i].unless))
            buffer_printf(out, "%s%s", out->len > start ? "; " : "", names[i].name);
}
