/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "lineage/lineage_internal.h"

/* A node that stands for the parent that a creation record does not name. Its
 * node_extra.means is that creation: it has nothing else to be ordered by. */
static void add_unknown_parent(struct lineage *l, uint32_t child)
{
    static const struct guid null;
    uint32_t computer = node_computer(l, &l->processes[child]);
    uint32_t node = index_add_node(l, computer, &null, false);
    struct process *p = &l->processes[node], *c = &l->processes[child];
    p->kind = PROCESS_UNKNOWN;
    p->scope = c->scope;
    p->pid = c->parent_pid;
    ghost_learn_image(l, p, lineage_text(l, c->parent_image), IMAGE_FROM_CHILD);
    ghost_learn_text(l, &p->command_line, lineage_text(l, c->parent_command_line));
    p->flags = 0;
    l->index->extras[node].means = child;
    c->unknown_parent = node;
}

void order_add_unknown_parents(struct lineage *l)
{
    size_t count = l->count;
    for (uint32_t n = 0; n < count; n++)
        if (l->processes[n].kind == PROCESS_LOGGED &&
            l->processes[n].parent == PROCESS_NONE)
            add_unknown_parent(l, n);
}

struct order_key {
    uint64_t start_filetime, record_id;
    uint32_t host, node;
};

static int compare_details(const struct lineage *l, uint32_t a, uint32_t b)
{
    const struct process *x = &l->processes[a], *y = &l->processes[b];
    int order = memcmp(x->guid.bytes, y->guid.bytes, sizeof x->guid.bytes);
    if (order)
        return order;
    if (x->log != y->log)
        return x->log < y->log ? -1 : 1;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static uint32_t child_of_unknown(const struct lineage *l, uint32_t node)
{
    return l->processes[node].kind == PROCESS_UNKNOWN ? l->index->extras[node].means
                                                      : node;
}

static int compare_keys(const void *a, const void *b, void *context)
{
    const struct lineage *l = context;
    const struct order_key *x = a, *y = b;
    if (x->host != y->host)
        return x->host < y->host ? -1 : 1;
    if (x->start_filetime != y->start_filetime)
        return x->start_filetime < y->start_filetime ? -1 : 1;
    if (x->record_id != y->record_id)
        return x->record_id < y->record_id ? -1 : 1;
    uint32_t left = child_of_unknown(l, x->node), right = child_of_unknown(l, y->node);
    if (left == right) /* an unknown parent and its child */
        return x->node == left ? 1 : -1;
    return compare_details(l, left, right);
}

static struct order_key key_of(const struct lineage *l, uint32_t node)
{
    const struct process *p = &l->processes[child_of_unknown(l, node)];
    return (struct order_key){p->start_filetime, p->record_id, p->scope, node};
}

static void count_records(struct lineage *l, const struct process *p)
{
    l->logged_live += p->kind == PROCESS_LOGGED && record_state_is_live(p->state);
    l->audited_alone += p->kind == PROCESS_AUDITED;
}

void order_nodes(struct lineage *l)
{
    struct order_key *keys = memory_get_zeroed(l->count, sizeof *keys);
    size_t count = 0;
    bool sorted = true;
    for (uint32_t n = 0; n < l->count; n++) {
        if (l->processes[n].flags & PROCESS_IS_ALIAS)
            continue;
        count_records(l, &l->processes[n]);
        keys[count] = key_of(l, n);
        sorted = sorted &&
                 (count == 0 || compare_keys(&keys[count - 1], &keys[count], l) < 0);
        count++;
    }
    if (!sorted)
        qsort_r(keys, count, sizeof *keys, compare_keys, l);
    l->order = memory_get(count * sizeof *l->order);
    l->order_count = count;
    for (size_t i = 0; i < count; i++)
        l->order[i] = keys[i].node;
    free(keys);
}
