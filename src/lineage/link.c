/* SPDX-License-Identifier: Apache-2.0
 * Second pass: grade every link, build the trees, name the nodes. */
#include <inttypes.h>
#include <stdlib.h>

#include "lineage/lineage_internal.h"
#include "util/ranges.h"
#include "util/stop.h"
#include "util/workers.h"

/* --- grades */

struct reasons { /* string numbers of the sentences that links share */
    uint32_t own_record, own_record_conflict, alias, child_only, circle, audited;
};

static struct reasons add_reasons(struct lineage *l)
{
    struct strings *s = &l->strings;
    return (struct reasons){
        strings_add(s, TEXT_LITERAL("recorded by the child: it names the guid of the "
                                    "parent's own creation record")),
        strings_add(s,
                    TEXT_LITERAL("recorded by the child: it names a guid that several "
                                 "creation records carry; the first is shown")),
        strings_add(s,
                    TEXT_LITERAL("recorded by the child: it names another guid of the "
                                 "same process; machine id, start second and pid are "
                                 "equal")),
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
            by_guid->flags & FLAG_CONFLICT ? r->own_record_conflict : r->own_record;
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

/* Of parents that are recorded by guid: most, and without a look at who held a pid. The
 * others are put into `others`. Returns how many. */
static size_t grade_by_guid(struct lineage *l, const struct reasons *r,
                            uint32_t *others)
{
    size_t count = 0;
    for (size_t i = 0; i < l->order_count; i++) {
        uint32_t n = l->order[i];
        const struct process *p = &l->processes[n];
        if (p->kind == PROCESS_LOGGED && p->parent != PROCESS_NONE)
            grade_link(l, r, n);
        else if (p->kind == PROCESS_LOGGED || p->kind == PROCESS_AUDITED)
            others[count++] = n;
    }
    return count;
}

static void grade_by_pid(struct lineage *l, const struct pid_table *pids,
                         const uint32_t *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (l->processes[nodes[i]].kind == PROCESS_AUDITED)
            audited_link(l, pids, nodes[i]);
        else
            candidates_find(l, pids, nodes[i]);
}

struct pids_work { /* the table of pids, by another thread */
    struct work work;
    const struct lineage *lineage;
    struct pid_table *pids;
};

static void fill_pids(struct work *work, unsigned worker)
{
    struct pids_work *p = (struct pids_work *)(void *)work;
    (void)worker;
    pid_table_init(p->pids, p->lineage);
}

static void grade_links(struct lineage *l, const struct reasons *r,
                        struct pid_table *pids, struct workers *workers)
{
    uint32_t *others = memory_get(l->order_count * sizeof *others);
    struct pids_work filling = {{.run = fill_pids}, l, pids};
    workers_submit(workers, &filling.work);
    size_t count = grade_by_guid(l, r, others);
    workers_wait(workers, &filling.work);
    candidates_take_ends(l, pids);
    audited_order_boots(l);
    grade_by_pid(l, pids, others, count);
    free(others);
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
    bool *is_shared;  /* by host: another computer has the same machine id */
    struct buffer key;
};

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
static bool may_repeat(const struct key_maker *k, const struct process *p)
{
    return k->is_shared[p->scope] || (p->flags & FLAG_CONFLICT) ||
           process_guid_parts(&p->guid).machine_id == 0;
}

/* Nodes whose guid may not be their name: by range, from the place of its first one on. */
struct to_name {
    const struct key_maker *maker;
    uint32_t *nodes;
    struct range *ranges; /* of `nodes` */
};

static void list_to_name(void *context, struct range range)
{
    const struct to_name *t = context;
    const struct lineage *l = t->maker->lineage;
    struct range *found = &t->ranges[range.number];
    *found = (struct range){range.number, range.from, range.from};
    for (size_t i = range.from; i < range.to; i++) {
        const struct process *p = &l->processes[l->order[i]];
        if (guid_is_null(&p->guid) || may_repeat(t->maker, p))
            t->nodes[found->to++] = l->order[i];
    }
}

/* In order. Returns how many. */
static size_t nodes_to_name(const struct key_maker *k, uint32_t *nodes,
                            struct workers *workers)
{
    size_t all = k->lineage->order_count, ranges = ranges_count(workers, all);
    struct to_name t = {k, nodes, memory_get(ranges * sizeof *t.ranges)};
    size_t count = 0;
    ranges_do(workers, all, list_to_name, &t);
    for (size_t r = 0; r < ranges; r++)
        for (size_t i = t.ranges[r].from; i < t.ranges[r].to; i++)
            nodes[count++] = nodes[i];
    free(t.ranges);
    return count;
}

static void count_guids(struct key_maker *k, const uint32_t *nodes, size_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct bytes guid = MAP_KEY_OF(&k->lineage->processes[nodes[i]].guid);
        if (map_add(&k->guids, guid, i) != i)
            map_set(&k->guids, guid, MAP_NONE - 1);
    }
}

static bool guid_is_unique(const struct key_maker *k, const struct process *p)
{
    return map_find(&k->guids, MAP_KEY_OF(&p->guid)) != MAP_NONE - 1;
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

static void name_node(struct key_maker *k, uint32_t node)
{
    const struct process *p = &k->lineage->processes[node];
    char guid[GUID_TEXT_MAX];
    buffer_clear(&k->key);
    if (guid_is_null(&p->guid)) {
        nameless_key(k->lineage, node, &k->key);
    } else if (guid_is_unique(k, p)) {
        return;
    } else {
        buffer_add_text(&k->key, guid_format(guid, &p->guid));
        buffer_add_char(&k->key, '@');
        buffer_add_text(&k->key, lineage_computer(k->lineage, p));
    }
    make_unique(k);
    add_key(k->lineage, node, &k->key);
}

/* By another thread, beside the trees: it reads nothing that these change, and no one else
 * adds strings meanwhile. Of all other nodes the guid is the name: 170,000 of them need no
 * memory. */
struct naming_work {
    struct work work;
    struct key_maker maker;
    uint32_t *nodes;
    size_t count;
};

static void name_nodes(struct work *work, unsigned worker)
{
    struct naming_work *n = (struct naming_work *)(void *)work;
    (void)worker;
    count_guids(&n->maker, n->nodes, n->count);
    for (size_t i = 0; i < n->count; i++)
        name_node(&n->maker, n->nodes[i]);
}

static void begin_naming(struct naming_work *n, struct lineage *l,
                         struct workers *workers)
{
    *n = (struct naming_work){.work.run = name_nodes,
                              .maker.lineage = l,
                              .maker.is_shared = find_shared_machines(l),
                              .nodes = memory_get(l->order_count * sizeof *n->nodes)};
    n->count = nodes_to_name(&n->maker, n->nodes, workers);
    workers_submit(workers, &n->work);
}

static void end_naming(struct naming_work *n, struct workers *workers)
{
    workers_wait(workers, &n->work);
    free(n->nodes);
    free(n->maker.is_shared);
    map_release(&n->maker.guids);
    map_release(&n->maker.taken);
    buffer_release(&n->maker.key);
}

/* --- what is odd */

struct sequence_work { /* the gaps of process numbers, by another thread */
    struct work work;
    struct lineage *lineage;
    const struct evidence_log *logs;
    struct problems problems;
    struct arena arena;
};

static void tell_sequence(struct work *work, unsigned worker)
{
    struct sequence_work *s = (struct sequence_work *)(void *)work;
    (void)worker;
    sequence_tell(s->lineage, s->logs, &s->problems);
}

static void tell_odd(struct lineage *l, const struct pid_table *pids,
                     const struct evidence_log *logs, struct problems *problems,
                     struct workers *workers)
{
    struct sequence_work sequence = {
        .work.run = tell_sequence, .lineage = l, .logs = logs};
    problems_init(&sequence.problems, &sequence.arena);
    workers_submit(workers, &sequence.work);
    anomalies_tell(l, pids, logs, problems, workers);
    workers_wait(workers, &sequence.work);
    problems_take(problems, &sequence.problems);
}

void lineage_link(struct lineage *l, const struct evidence_log *logs,
                  struct problems *problems, struct workers *workers)
{
    struct pid_table pids;
    struct naming_work naming;
    order_add_unknown_parents(l);
    merge_settle_hosts(l, workers);
    merge_choose_primaries(l);
    merge_give_ghosts_times(l, workers);
    merge_aliases(l, workers);
    audited_join(l);
    order_nodes(l, workers);
    if (stop_requested()) /* whoever asked drops it all */
        return;
    struct reasons reasons = add_reasons(l);
    grade_links(l, &reasons, &pids, workers);
    begin_naming(&naming, l, workers);
    trees_build(l, reasons.circle, workers);
    end_naming(&naming, workers);
    if (!stop_requested())
        tell_odd(l, &pids, logs, problems, workers);
    pid_table_release(&pids);
}
