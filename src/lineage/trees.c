/* SPDX-License-Identifier: Apache-2.0
 * The forest of the links. It is walked in arrays of four bytes a node, which the processor's
 * cache holds, and written into the table at last: a row of that is fifty times as long. */
#include <stdlib.h>

#include "lineage/lineage_internal.h"
#include "util/ranges.h"

struct forest {
    struct lineage *lineage;
    uint32_t *parent;   /* all by node */
    uint32_t *position; /* in lineage->order; NULL until there is a circle */
    uint32_t *first_child, *next_sibling, *children;
    uint32_t *root, *depth, *descendants;
};

static uint32_t *fill(size_t count, uint32_t value)
{
    uint32_t *array = memory_get(count * sizeof *array);
    for (size_t i = 0; i < count; i++)
        array[i] = value;
    return array;
}

static void read_parents(void *context, struct range range)
{
    const struct forest *f = context;
    for (size_t n = range.from; n < range.to; n++)
        f->parent[n] = f->lineage->processes[n].parent;
}

/* --- circles */

static void find_positions(struct forest *f)
{
    const struct lineage *l = f->lineage;
    f->position = memory_get_zeroed(l->count, sizeof *f->position);
    for (size_t i = 0; i < l->order_count; i++)
        f->position[l->order[i]] = (uint32_t)i;
}

static void cut_circle(struct forest *f, uint32_t member, uint32_t reason)
{
    uint32_t first = member;
    if (!f->position)
        find_positions(f);
    for (uint32_t n = f->parent[member]; n != member; n = f->parent[n])
        if (f->position[n] < f->position[first])
            first = n;
    struct process *p = &f->lineage->processes[first];
    f->parent[first] = p->parent = PROCESS_NONE;
    p->grade = GRADE_NONE;
    p->grade_reason = reason;
    p->flags |= FLAG_CIRCLE;
}

/* Every node has one parent at most, so each connected part holds one circle at most. Walk
 * up from each node until ground that was walked before; on the own track it is a circle.
 * Its first member in lineage->order becomes the root, so the cut does not depend on the
 * walk. */
static void break_circles(struct forest *f, uint32_t reason)
{
    const struct lineage *l = f->lineage;
    uint32_t *walk = memory_get_zeroed(l->count, sizeof *walk); /* 0: not walked */
    for (uint32_t start = 0; start < l->count; start++) {
        uint32_t n = start;
        while (n != PROCESS_NONE && walk[n] == 0) {
            walk[n] = start + 1;
            n = f->parent[n];
        }
        if (n != PROCESS_NONE && walk[n] == start + 1)
            cut_circle(f, n, reason);
    }
    free(walk);
}

/* --- trees */

static void join_children(struct forest *f)
{
    const struct lineage *l = f->lineage;
    for (size_t i = l->order_count; i-- > 0;) {
        uint32_t n = l->order[i], parent = f->parent[n];
        if (parent == PROCESS_NONE)
            continue;
        f->next_sibling[n] = f->first_child[parent];
        f->first_child[parent] = n;
        f->children[parent]++;
    }
}

/* Up to a node whose root is known, or to a root, then down the same path again. Returns the
 * greatest depth. */
static uint32_t find_depths(struct forest *f)
{
    const struct lineage *l = f->lineage;
    uint32_t *path = memory_get((l->count + 1) * sizeof *path), deepest = 0;
    for (size_t i = 0; i < l->order_count; i++) {
        size_t steps = 0;
        uint32_t n = l->order[i];
        for (; f->root[n] == PROCESS_NONE && f->parent[n] != PROCESS_NONE;
             n = f->parent[n])
            path[steps++] = n;
        if (f->root[n] == PROCESS_NONE)
            f->root[n] = n;
        for (; steps-- > 0; n = path[steps]) {
            f->root[path[steps]] = f->root[n];
            f->depth[path[steps]] = f->depth[n] + 1;
        }
        deepest = f->depth[l->order[i]] > deepest ? f->depth[l->order[i]] : deepest;
    }
    free(path);
    return deepest;
}

/* The deepest first, so that each node's sum is complete when it is added to its parent's. */
static void count_descendants(struct forest *f, uint32_t deepest)
{
    const struct lineage *l = f->lineage;
    size_t *next = memory_get_zeroed((size_t)deepest + 2, sizeof *next);
    uint32_t *by_depth = memory_get(l->order_count * sizeof *by_depth);
    for (size_t i = 0; i < l->order_count; i++)
        next[f->depth[l->order[i]] + 1]++;
    for (size_t d = 1; d <= deepest; d++)
        next[d] += next[d - 1];
    for (size_t i = 0; i < l->order_count; i++)
        by_depth[next[f->depth[l->order[i]]]++] = l->order[i];
    for (size_t i = l->order_count; i-- > 0;) {
        uint32_t n = by_depth[i];
        if (f->parent[n] != PROCESS_NONE)
            f->descendants[f->parent[n]] += f->descendants[n] + 1;
    }
    free(by_depth);
    free(next);
}

static void write_table(void *context, struct range range)
{
    const struct forest *f = context;
    for (size_t n = range.from; n < range.to; n++) {
        struct process *p = &f->lineage->processes[n];
        p->first_child = f->first_child[n];
        p->next_sibling = f->next_sibling[n];
        p->children = f->children[n];
        p->descendants = f->descendants[n];
        p->depth = f->depth[n];
        p->root = f->root[n] == PROCESS_NONE ? (uint32_t)n : f->root[n];
    }
}

void trees_build(struct lineage *l, uint32_t circle_reason, struct workers *workers)
{
    struct forest f = {
        .lineage = l,
        .parent = memory_get(l->count * sizeof *f.parent),
        .first_child = fill(l->count, PROCESS_NONE),
        .next_sibling = fill(l->count, PROCESS_NONE),
        .children = fill(l->count, 0),
        .root = fill(l->count, PROCESS_NONE),
        .depth = fill(l->count, 0),
        .descendants = fill(l->count, 0),
    };
    ranges_do(workers, l->count, read_parents, &f);
    break_circles(&f, circle_reason);
    join_children(&f);
    count_descendants(&f, find_depths(&f));
    ranges_do(workers, l->count, write_table, &f);
    free(f.parent);
    free(f.position);
    free(f.first_child);
    free(f.next_sibling);
    free(f.children);
    free(f.root);
    free(f.depth);
    free(f.descendants);
}
