/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "lineage/lineage_internal.h"

static bool holds_pid(const struct process *p)
{
    return p->kind != PROCESS_UNKNOWN && p->pid != PID_UNKNOWN &&
           p->start_filetime != FILETIME_NONE;
}

static uint32_t find_slot(const struct pid_table *t, const struct lineage *l,
                          uint32_t scope, uint32_t pid)
{
    struct pid_group_key key = {scope, pid};
    uint32_t mask = t->slot_count - 1;
    uint32_t at = (uint32_t)index_hash(l, &key, sizeof key) & mask;
    for (; t->slots[at]; at = (at + 1) & mask) {
        const struct pid_group_key *other = &t->keys[t->slots[at] - 1];
        if (other->scope == scope && other->pid == pid)
            break;
    }
    return at;
}

static void grow(struct pid_table *t, const struct lineage *l)
{
    free(t->slots);
    t->slot_count = t->slot_count ? t->slot_count * 2 : 1024;
    t->slots = memory_get_zeroed(t->slot_count, sizeof *t->slots);
    for (uint32_t g = 0; g < t->group_count; g++)
        t->slots[find_slot(t, l, t->keys[g].scope, t->keys[g].pid)] = g + 1;
}

static uint32_t group_of(struct pid_table *t, const struct lineage *l,
                         const struct process *p)
{
    if (t->group_count >= t->slot_count / 2)
        grow(t, l);
    uint32_t *slot = &t->slots[find_slot(t, l, p->scope, p->pid)];
    if (*slot == 0) {
        ARRAY_GROW(t->keys, t->group_count, t->group_capacity);
        t->keys[t->group_count++] = (struct pid_group_key){p->scope, p->pid};
        *slot = t->group_count;
    }
    return *slot - 1;
}

/* Groups are filled in the order of l->order, so each comes out sorted by start. */
void pid_table_init(struct pid_table *t, const struct lineage *l)
{
    *t = (struct pid_table){.lineage = l};
    t->groups = memory_get(l->count * sizeof *t->groups);
    for (size_t i = 0; i < l->order_count; i++) {
        const struct process *p = &l->processes[l->order[i]];
        t->groups[l->order[i]] = holds_pid(p) ? group_of(t, l, p) : PROCESS_NONE;
    }
    t->first = memory_get_zeroed((size_t)t->group_count + 2, sizeof *t->first);
    t->holders = memory_get(l->order_count * sizeof *t->holders);
    uint32_t *next = t->first + 1; /* becomes first[] of the next group as it fills */
    for (size_t i = 0; i < l->order_count; i++)
        if (t->groups[l->order[i]] != PROCESS_NONE)
            next[t->groups[l->order[i]] + 1]++;
    for (uint32_t g = 1; g <= t->group_count; g++)
        next[g] += next[g - 1];
    for (size_t i = 0; i < l->order_count; i++) {
        uint32_t group = t->groups[l->order[i]];
        if (group != PROCESS_NONE)
            t->holders[next[group]++] = l->order[i];
    }
}

void pid_table_release(struct pid_table *t)
{
    free(t->groups);
    free(t->first);
    free(t->holders);
    free(t->keys);
    free(t->slots);
    *t = (struct pid_table){0};
}

struct pid_holders pid_holders(const struct pid_table *t, uint32_t scope, uint32_t pid)
{
    if (t->slot_count == 0)
        return (struct pid_holders){NULL, 0};
    uint32_t slot = t->slots[find_slot(t, t->lineage, scope, pid)];
    if (slot == 0)
        return (struct pid_holders){NULL, 0};
    uint32_t from = t->first[slot - 1];
    return (struct pid_holders){t->holders + from, t->first[slot] - from};
}

size_t pid_holders_until(const struct lineage *l, struct pid_holders h,
                         uint64_t filetime)
{
    size_t low = 0, high = h.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (l->processes[h.nodes[middle]].start_filetime <= filetime)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
