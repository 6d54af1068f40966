/* SPDX-License-Identifier: Apache-2.0
 * Second pass: grade every link, break circles, build the trees, name the nodes. */
#include <inttypes.h>
#include <stdlib.h>

#include "lineage/lineage_internal.h"
#include "util/stop.h"

/* --- grades */

struct reasons { /* string numbers of the sentences that links share */
    uint32_t both_sides, both_sides_conflict, alias, child_only, circle, audited;
};

static struct reasons add_reasons(struct lineage *l)
{
    struct strings *s = &l->strings;
    return (struct reasons){
        strings_add(s, TEXT_LITERAL("recorded on both sides: the child names the guid "
                                    "of the parent's own creation record")),
        strings_add(s, TEXT_LITERAL("recorded on both sides, but several creation "
                                    "records carry this guid; the first is shown")),
        strings_add(s, TEXT_LITERAL("recorded, by another guid of the same process: "
                                    "machine id, start second and pid are equal")),
        strings_add(s, TEXT_LITERAL("recorded by the child alone: the parent has no "
                                    "creation record here")),
        strings_add(s, TEXT_LITERAL("the recorded parent is left out: this link would "
                                    "close a circle")),
        strings_add(s,
                    TEXT_LITERAL("recorded by the child alone: the parent's creation "
                                 "is logged by event 4688, which names no guid")),
    };
}

static void grade_link(struct lineage *l, const struct reasons *r, uint32_t child)
{
    struct process *c = &l->processes[child];
    uint32_t named = c->parent;
    const struct process *by_guid = &l->processes[named];
    c->named_parent = named;
    c->parent = l->index->extras[named].means;
    if (by_guid->kind == PROCESS_LOGGED) {
        c->grade = GRADE_A;
        c->grade_reason =
            by_guid->flags & FLAG_CONFLICT ? r->both_sides_conflict : r->both_sides;
    } else if (l->processes[c->parent].kind == PROCESS_LOGGED) {
        c->grade = GRADE_A_MINUS;
        c->grade_reason = r->alias;
    } else {
        c->grade = GRADE_B;
        c->grade_reason = l->processes[c->parent].kind == PROCESS_AUDITED
                              ? r->audited
                              : r->child_only;
    }
}

static void grade_links(struct lineage *l, const struct reasons *r,
                        const struct pid_table *pids)
{
    for (size_t i = 0; i < l->order_count; i++) {
        uint32_t n = l->order[i];
        if (l->processes[n].kind == PROCESS_AUDITED)
            audited_link(l, pids, n);
        if (l->processes[n].kind != PROCESS_LOGGED)
            continue;
        if (l->processes[n].parent == PROCESS_NONE)
            candidates_find(l, pids, n);
        else
            grade_link(l, r, n);
    }
}

/* --- circles */

static void cut_circle(struct lineage *l, const struct reasons *r, uint32_t member,
                       const uint32_t *position)
{
    uint32_t first = member;
    for (uint32_t n = l->processes[member].parent; n != member;
         n = l->processes[n].parent)
        if (position[n] < position[first])
            first = n;
    struct process *p = &l->processes[first];
    p->parent = PROCESS_NONE;
    p->grade = GRADE_NONE;
    p->grade_reason = r->circle;
    p->flags |= FLAG_CIRCLE;
}

/* Every node has one parent at most, so each connected part holds one circle at most. Walk
 * up from each node until ground that was walked before; on the own track it is a circle.
 * Its first member in l->order becomes the root, so the cut does not depend on the walk. */
static void break_circles(struct lineage *l, const struct reasons *r)
{
    uint32_t *position = memory_get_zeroed(l->count, sizeof *position);
    uint32_t *walk = memory_get_zeroed(l->count, sizeof *walk); /* 0: not walked */
    for (size_t i = 0; i < l->order_count; i++)
        position[l->order[i]] = (uint32_t)i;
    for (uint32_t start = 0; start < l->count; start++) {
        uint32_t n = start;
        while (n != PROCESS_NONE && walk[n] == 0) {
            walk[n] = start + 1;
            n = l->processes[n].parent;
        }
        if (n != PROCESS_NONE && walk[n] == start + 1)
            cut_circle(l, r, n, position);
    }
    free(position);
    free(walk);
}

/* --- trees */

static void join_children(struct lineage *l)
{
    for (size_t i = l->order_count; i-- > 0;) {
        uint32_t n = l->order[i], parent = l->processes[n].parent;
        if (parent == PROCESS_NONE)
            continue;
        l->processes[n].next_sibling = l->processes[parent].first_child;
        l->processes[parent].first_child = n;
        l->processes[parent].children++;
    }
}

/* Parents before children: pre-order through every tree. Roots have no siblings. */
static size_t list_parents_first(const struct lineage *l, uint32_t *list)
{
    size_t count = 0;
    for (size_t i = 0; i < l->order_count; i++) {
        uint32_t root = l->order[i], depth = 0;
        if (l->processes[root].parent != PROCESS_NONE)
            continue;
        for (uint32_t n = root; n != PROCESS_NONE;
             n = lineage_next_in_tree(l, root, n, &depth))
            list[count++] = n;
    }
    return count;
}

static void measure_trees(struct lineage *l)
{
    uint32_t *list = memory_get(l->order_count * sizeof *list);
    size_t count = list_parents_first(l, list);
    for (size_t i = 0; i < count; i++) {
        struct process *p = &l->processes[list[i]];
        p->root = list[i];
        if (p->parent == PROCESS_NONE)
            continue;
        p->root = l->processes[p->parent].root;
        p->depth = l->processes[p->parent].depth + 1;
    }
    for (size_t i = count; i-- > 0;) {
        const struct process *p = &l->processes[list[i]];
        if (p->parent != PROCESS_NONE)
            l->processes[p->parent].descendants += p->descendants + 1;
    }
    free(list);
}

/* --- keys: the name of a node in the report */

static void add_key(struct lineage *l, uint32_t n, struct buffer *key)
{
    uint32_t number = strings_add(&l->strings, buffer_text(key));
    l->processes[n].key = number;
}

static void nameless_key(const struct lineage *l, uint32_t n, struct buffer *key)
{
    const struct process *p = &l->processes[n];
    const struct process *recorded =
        p->kind == PROCESS_UNKNOWN ? &l->processes[l->index->extras[n].means] : p;
    buffer_add_text(key, lineage_computer(l, p));
    if (p->pid == PID_UNKNOWN)
        buffer_add_string(key, "/no pid");
    else
        buffer_printf(key, "/pid %" PRIu32, p->pid);
    buffer_printf(key,
                  p->kind == PROCESS_UNKNOWN ? "/parent in record %" PRIu64
                                             : "/record %" PRIu64,
                  recorded->record_id);
}

/* Tells keys that were given from other strings that happen to be the same. */
struct key_maker {
    struct lineage *lineage;
    struct map guids; /* how often: 1, 2 for more */
    struct map taken; /* keys made with a suffix */
    struct buffer key;
};

/* By host: has another computer the same machine id? */
static bool *find_shared_machines(const struct lineage *l)
{
    bool *shared = memory_get_zeroed(l->host_count, sizeof *shared);
    struct map first = {0};
    for (uint32_t h = 0; h < l->host_count; h++) {
        uint32_t other = map_add(&first, MAP_KEY_OF(&l->hosts[h].machine_id), h);
        if (other != h)
            shared[h] = shared[other] = true;
    }
    map_release(&first);
    return shared;
}

/* A guid begins with its machine's id, so only those of machines that stand with several
 * computers can repeat, and those that two creation records carry. */
static void count_guids(struct key_maker *k)
{
    const struct lineage *l = k->lineage;
    bool *shared = find_shared_machines(l);
    for (size_t i = 0; i < l->order_count; i++) {
        const struct process *p = &l->processes[l->order[i]];
        if (!shared[p->scope] && !(p->flags & FLAG_CONFLICT) &&
            process_guid_parts(&p->guid).machine_id != 0)
            continue;
        struct bytes guid = MAP_KEY_OF(&p->guid);
        if (map_add(&k->guids, guid, (uint32_t)i) != (uint32_t)i)
            map_set(&k->guids, guid, MAP_NONE - 1);
    }
    free(shared);
}

static bool guid_is_unique(const struct key_maker *k, const struct process *p)
{
    return k->guids.count == 0 ||
           map_find(&k->guids, MAP_KEY_OF(&p->guid)) != MAP_NONE - 1;
}

/* Make the key unique among those that are no bare guid. */
static void make_unique(struct key_maker *k)
{
    struct text base = arena_copy(&k->lineage->index->arena, buffer_text(&k->key));
    uint32_t n = map_find(&k->taken, map_key_text(base));
    if (n == MAP_NONE) {
        map_add(&k->taken, map_key_text(base), 1);
        return;
    }
    do {
        buffer_clear(&k->key);
        buffer_add_text(&k->key, base);
        buffer_printf(&k->key, "#%" PRIu32, ++n);
    } while (map_find(&k->taken, map_key_text(buffer_text(&k->key))) != MAP_NONE);
    map_set(&k->taken, map_key_text(base), n);
    struct text made = arena_copy(&k->lineage->index->arena, buffer_text(&k->key));
    map_add(&k->taken, map_key_text(made), 1);
}

static void name_nodes(struct lineage *l)
{
    struct key_maker k = {.lineage = l};
    count_guids(&k);
    for (size_t i = 0; i < l->order_count; i++) {
        const struct process *p = &l->processes[l->order[i]];
        char guid[GUID_TEXT_MAX];
        buffer_clear(&k.key);
        if (guid_is_null(&p->guid)) {
            nameless_key(l, l->order[i], &k.key);
        } else if (guid_is_unique(&k, p)) {
            continue; /* its guid is its name: 170,000 of them need no memory */
        } else {
            buffer_add_text(&k.key, guid_format(guid, &p->guid));
            buffer_add_char(&k.key, '@');
            buffer_add_text(&k.key, lineage_computer(l, p));
        }
        make_unique(&k);
        add_key(l, l->order[i], &k.key);
    }
    map_release(&k.guids);
    map_release(&k.taken);
    buffer_release(&k.key);
}

void lineage_link(struct lineage *l, const struct evidence_log *logs,
                  struct problems *problems)
{
    struct pid_table pids;
    order_add_unknown_parents(l);
    merge_settle_hosts(l);
    merge_choose_primaries(l);
    merge_give_ghosts_times(l);
    merge_aliases(l);
    audited_join(l);
    order_nodes(l);
    if (stop_requested()) /* whoever asked drops it all */
        return;
    pid_table_init(&pids, l);
    candidates_take_ends(l, &pids);
    audited_order_boots(l);
    struct reasons reasons = add_reasons(l);
    grade_links(l, &reasons, &pids);
    break_circles(l, &reasons);
    join_children(l);
    measure_trees(l);
    name_nodes(l);
    if (!stop_requested()) {
        anomalies_tell(l, &pids, logs, problems);
        sequence_tell(l, logs, problems);
    }
    pid_table_release(&pids);
}
