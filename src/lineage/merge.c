/* SPDX-License-Identifier: Apache-2.0
 * From one node per guid to one node per process: everything that can be decided only when
 * all events are known. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lineage/lineage_internal.h"
#include "util/ranges.h"

/* --- hosts */

static int compare_fold(struct text a, struct text b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        unsigned char x = (unsigned char)a.ptr[i], y = (unsigned char)b.ptr[i];
        x |= x >= 'A' && x <= 'Z' ? 0x20 : 0;
        y |= y >= 'A' && y <= 'Z' ? 0x20 : 0;
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

static int compare_hosts(const void *a, const void *b, void *context)
{
    const struct lineage *l = context;
    const struct host *x = &l->hosts[*(const uint32_t *)a],
                      *y = &l->hosts[*(const uint32_t *)b];
    int order = compare_fold(strings_text(&l->strings, x->computer),
                             strings_text(&l->strings, y->computer));
    if (order == 0)
        order = x->machine_id < y->machine_id ? -1 : x->machine_id > y->machine_id;
    return order;
}

static void add_times(struct host *to, const struct host *from)
{
    if (from->first_filetime < to->first_filetime)
        to->first_filetime = from->first_filetime;
    if (to->last_filetime == FILETIME_NONE || (from->last_filetime != FILETIME_NONE &&
                                               from->last_filetime > to->last_filetime))
        to->last_filetime = from->last_filetime;
    if (from->window_first_filetime < to->window_first_filetime)
        to->window_first_filetime = from->window_first_filetime;
    if (to->window_last_filetime == FILETIME_NONE ||
        (from->window_last_filetime != FILETIME_NONE &&
         from->window_last_filetime > to->window_last_filetime))
        to->window_last_filetime = from->window_last_filetime;
}

/* Events without a guid belong to the machine of that computer, if there is but one.
 * `only` gets, by computer, that host; PROCESS_NONE if there are none or several. */
static void find_only_machines(const struct lineage *l, uint32_t *only)
{
    const struct lineage_index *index = l->index;
    bool *several = memory_get_zeroed(index->computer_count, sizeof *several);
    for (size_t i = 0; i < index->computer_count; i++)
        only[i] = PROCESS_NONE;
    for (uint32_t h = 0; h < l->host_count; h++) {
        uint32_t computer = index->host_computer[h];
        if (l->hosts[h].machine_id == 0 || l->hosts[h].records == 0)
            continue;
        several[computer] |= only[computer] != PROCESS_NONE;
        only[computer] = h;
    }
    for (size_t i = 0; i < index->computer_count; i++)
        if (several[i])
            only[i] = PROCESS_NONE;
    free(several);
}

/* moved[h]: the host that h becomes part of, or itself. */
static void fold_nameless_hosts(struct lineage *l, uint32_t *moved)
{
    uint32_t *only = memory_get_zeroed(l->index->computer_count, sizeof *only);
    find_only_machines(l, only);
    for (uint32_t h = 0; h < l->host_count; h++) {
        uint32_t to = only[l->index->host_computer[h]];
        moved[h] = h;
        if (l->hosts[h].machine_id != 0 || to == PROCESS_NONE)
            continue;
        moved[h] = to;
        add_times(&l->hosts[to], &l->hosts[h]);
        l->hosts[to].records += l->hosts[h].records;
        l->hosts[to].process_creations += l->hosts[h].process_creations;
        l->hosts[to].recovered += l->hosts[h].recovered;
        histogram_take(&l->hosts[to].activity, &l->hosts[h].activity);
        l->hosts[to].audited += l->hosts[h].audited;
    }
    free(only);
}

struct settling { /* all by host as it was */
    struct lineage *lineage;
    const uint32_t *moved;
    atomic_bool *has_nodes;
    const uint32_t *rank;
};

static void find_hosts_with_nodes(void *context, struct range range)
{
    const struct settling *s = context;
    for (size_t n = range.from; n < range.to; n++) {
        atomic_bool *has = &s->has_nodes[s->moved[s->lineage->processes[n].scope]];
        if (!atomic_load_explicit(has, memory_order_relaxed))
            atomic_store_explicit(has, true, memory_order_relaxed);
    }
}

static void renumber_hosts(void *context, struct range range)
{
    const struct settling *s = context;
    for (size_t n = range.from; n < range.to; n++) {
        struct process *p = &s->lineage->processes[n];
        p->scope = s->rank[s->moved[p->scope]];
    }
}

void merge_settle_hosts(struct lineage *l, struct workers *workers)
{
    struct lineage_index *index = l->index;
    size_t count = l->host_count, kept = 0;
    uint32_t *moved = memory_get_zeroed(count, sizeof *moved);
    atomic_bool *has_nodes = memory_get_zeroed(count, sizeof *has_nodes);
    uint32_t *sorted = memory_get_zeroed(count, sizeof *sorted);
    uint32_t *rank = memory_get_zeroed(count, sizeof *rank);
    struct host *hosts = memory_get_zeroed(count, sizeof *hosts);
    uint32_t *computers = memory_get_zeroed(count, sizeof *computers);
    struct settling settling = {l, moved, has_nodes, rank};
    for (uint32_t h = 0; h < count; h++)
        l->hosts[h].computer = index->computer_names[index->host_computer[h]];
    fold_nameless_hosts(l, moved);
    ranges_do(workers, l->count, find_hosts_with_nodes, &settling);
    for (uint32_t h = 0; h < count; h++)
        if (moved[h] == h && (has_nodes[h] || l->hosts[h].records))
            sorted[kept++] = h;
    qsort_r(sorted, kept, sizeof *sorted, compare_hosts, l);
    for (uint32_t i = 0; i < kept; i++) {
        rank[sorted[i]] = i;
        hosts[i] = l->hosts[sorted[i]];
        computers[i] = index->host_computer[sorted[i]];
    }
    ranges_do(workers, l->count, renumber_hosts, &settling);
    free(l->hosts);
    free(index->host_computer);
    l->hosts = hosts;
    l->host_count = kept;
    l->host_capacity = count;
    index->host_computer = computers;
    index->host_computer_count = kept;
    index->host_computer_capacity = count;
    free(moved);
    free(has_nodes);
    free(sorted);
    free(rank);
}

/* --- several creations with one guid: references mean the first of them */

static bool created_before(const struct process *a, const struct process *b)
{
    if (a->start_filetime != b->start_filetime)
        return a->start_filetime < b->start_filetime;
    if (a->record_id != b->record_id)
        return a->record_id < b->record_id;
    if (a->log != b->log)
        return a->log < b->log;
    return a->offset < b->offset;
}

static void hand_over_references(struct lineage *l, uint32_t from, uint32_t to)
{
    struct process *old = &l->processes[from], *new = &l->processes[to];
    struct node_extra *extras = l->index->extras;
    uint32_t next_conflict = extras[to].next_conflict;
    extras[to] = extras[from];
    extras[to].means = to;
    extras[to].next_conflict = next_conflict;
    memset(extras[from].images, 0, sizeof extras[from].images);
    extras[from].accesses = 0;
    extras[from].means = to;
    new->end_filetime = old->end_filetime;
    new->end_record_id = old->end_record_id;
    new->end_log = old->end_log;
    old->end_filetime = FILETIME_NONE;
    old->end_record_id = NO_RECORD;
    old->end_log = UINT32_MAX;
}

static void choose_primary(struct lineage *l, uint32_t first)
{
    struct node_extra *extras = l->index->extras;
    uint32_t primary = first;
    uint64_t last_seen = l->processes[first].last_seen_filetime;
    for (uint32_t n = first; n != PROCESS_NONE; n = extras[n].next_conflict) {
        struct process *p = &l->processes[n];
        if (created_before(p, &l->processes[primary]))
            primary = n;
        if (p->last_seen_filetime != FILETIME_NONE && p->last_seen_filetime > last_seen)
            last_seen = p->last_seen_filetime;
        p->last_seen_filetime = p->start_filetime;
    }
    l->processes[primary].last_seen_filetime = last_seen;
    if (primary != first)
        hand_over_references(l, first, primary);
}

void merge_choose_primaries(struct lineage *l)
{
    const struct lineage_index *index = l->index;
    bool *done = memory_get_zeroed(l->count, sizeof *done);
    for (size_t i = 0; i < index->conflict_count; i++)
        if (!done[index->conflicts[i]]) {
            done[index->conflicts[i]] = true;
            choose_primary(l, index->conflicts[i]);
        }
    free(done);
}

/* --- start times out of guids */

bool host_layout_holds(const struct host *host)
{
    return host->guid_time_checked > 0 &&
           host->guid_time_agrees == host->guid_time_checked;
}

static void give_times(void *context, struct range range)
{
    struct lineage *l = context;
    for (size_t n = range.from; n < range.to; n++) {
        struct process *p = &l->processes[n];
        if (p->start_filetime == FILETIME_NONE && !guid_is_null(&p->guid) &&
            host_layout_holds(&l->hosts[p->scope]))
            p->start_filetime =
                filetime_from_unix(process_guid_parts(&p->guid).start_unix, 0);
    }
}

void merge_give_ghosts_times(struct lineage *l, struct workers *workers)
{
    ranges_do(workers, l->count, give_times, l);
}

/* --- two guids of one process: same computer, machine id, start second and pid */

struct identity {
    uint8_t machine_and_second[8];
    uint32_t computer, pid;
};

struct same_identity {    /* what one identity has */
    uint32_t first_ghost; /* others by node_extra.next_conflict, unused in ghosts */
    uint32_t logged;      /* a creation; PROCESS_NONE */
    bool several_logged;
};

struct identities {
    struct same_identity *items;
    size_t count, capacity;
    struct identity_slot {
        uint32_t item_1; /* item + 1; 0: free */
        uint32_t tag;    /* spares a look at a ghost of another identity */
    } * slots;
    uint32_t slot_count;
};

static bool has_identity(const struct process *p)
{
    return p->kind != PROCESS_UNKNOWN && p->pid != PID_UNKNOWN &&
           !guid_is_null(&p->guid);
}

static struct identity identity_of(const struct lineage *l, const struct process *p)
{
    struct identity id = {.computer = node_computer(l, p), .pid = p->pid};
    memcpy(id.machine_and_second, p->guid.bytes, sizeof id.machine_and_second);
    return id;
}

/* That of its identity, or the free one for it; and its tag. */
static struct identity_slot *slot_of(const struct lineage *l,
                                     const struct identities *all,
                                     const struct process *p, uint32_t *tag)
{
    struct identity id = identity_of(l, p);
    uint64_t hash = index_hash(l, &id, sizeof id);
    uint32_t mask = all->slot_count - 1, at = (uint32_t)hash & mask;
    *tag = (uint32_t)(hash >> 32);
    for (; all->slots[at].item_1; at = (at + 1) & mask) {
        if (all->slots[at].tag != *tag)
            continue;
        uint32_t ghost = all->items[all->slots[at].item_1 - 1].first_ghost;
        struct identity other = identity_of(l, &l->processes[ghost]);
        if (memcmp(&id, &other, sizeof id) == 0)
            break;
    }
    return &all->slots[at];
}

static void gather_ghosts(struct lineage *l, struct identities *all)
{
    for (uint32_t n = 0; n < l->count; n++) {
        const struct process *p = &l->processes[n];
        if (p->kind != PROCESS_GHOST || !has_identity(p))
            continue;
        uint32_t tag;
        struct identity_slot *slot = slot_of(l, all, p, &tag);
        if (slot->item_1) {
            struct same_identity *same = &all->items[slot->item_1 - 1];
            l->index->extras[n].next_conflict = same->first_ghost;
            same->first_ghost = n;
            continue;
        }
        ARRAY_GROW(all->items, all->count, all->capacity);
        all->items[all->count++] = (struct same_identity){n, PROCESS_NONE, false};
        *slot = (struct identity_slot){(uint32_t)all->count, tag};
    }
}

struct looking { /* for ghosts with the identity of a creation */
    const struct lineage *lineage;
    const struct identities *all;
    uint32_t *item_1; /* by node; 0: none */
};

static void look_for_ghosts(void *context, struct range range)
{
    const struct looking *k = context;
    uint32_t tag;
    for (size_t n = range.from; n < range.to; n++) {
        const struct process *p = &k->lineage->processes[n];
        k->item_1[n] = p->kind == PROCESS_LOGGED && has_identity(p)
                           ? slot_of(k->lineage, k->all, p, &tag)->item_1
                           : 0;
    }
}

static void gather_logged(struct lineage *l, struct identities *all,
                          struct workers *workers)
{
    struct looking looking = {l, all, memory_get(l->count * sizeof(uint32_t))};
    ranges_do(workers, l->count, look_for_ghosts, &looking);
    for (uint32_t n = 0; n < l->count; n++) {
        if (looking.item_1[n] == 0)
            continue;
        struct same_identity *same = &all->items[looking.item_1[n] - 1];
        same->several_logged |= same->logged != PROCESS_NONE;
        same->logged = n;
    }
    free(looking.item_1);
}

static void merge_accesses(struct lineage *l, uint32_t from, uint32_t to)
{
    struct lineage_index *index = l->index;
    for (uint32_t at = index->extras[from].accesses; at;) {
        struct early_access a = index->accesses[at - 1];
        note_access(l, to, a.source, a.filetime);
        at = a.next;
    }
    index->extras[from].accesses = 0;
}

static void merge_into(struct lineage *l, uint32_t alias, uint32_t to)
{
    struct process *p = &l->processes[to], *old = &l->processes[alias];
    struct node_extra *extra = &l->index->extras[alias];
    extra->means = to;
    extra->next_conflict = PROCESS_NONE;
    old->flags |= PROCESS_IS_ALIAS;
    p->flags |= PROCESS_HAS_ALIAS;
    note_later_sight(p, old->last_seen_filetime);
    note_earlier_end(p, old->end_filetime, old->end_record_id, old->end_log);
    for (int i = 0; i < IMAGES_PER_PROCESS; i++)
        note_image(l, to, strings_text(&l->strings, extra->images[i]));
    merge_accesses(l, alias, to);
    if (p->kind == PROCESS_GHOST) {
        ghost_learn_image(l, p, strings_text(&l->strings, old->image),
                          (old->flags & FLAG_IMAGE_RANK) >> FLAG_IMAGE_RANK_SHIFT);
        ghost_learn_text(l, &p->command_line,
                         strings_text(&l->strings, old->command_line));
        ghost_learn_text(l, &p->user, strings_text(&l->strings, old->user));
    }
    ARRAY_GROW(l->aliases, l->alias_count, l->alias_capacity);
    l->aliases[l->alias_count++] = (struct guid_alias){old->guid, to};
}

static uint32_t lowest_guid(const struct lineage *l, uint32_t ghost)
{
    uint32_t lowest = ghost;
    for (; ghost != PROCESS_NONE; ghost = l->index->extras[ghost].next_conflict)
        if (memcmp(l->processes[ghost].guid.bytes, l->processes[lowest].guid.bytes,
                   sizeof(struct guid)) < 0)
            lowest = ghost;
    return lowest;
}

/* Two creations with one identity cannot both be it: their ghosts stay by themselves. */
static void merge_identity(struct lineage *l, const struct same_identity *same)
{
    uint32_t to = same->logged;
    if (to == PROCESS_NONE)
        to = lowest_guid(l, same->first_ghost);
    for (uint32_t ghost = same->first_ghost, next; ghost != PROCESS_NONE;
         ghost = next) {
        next = l->index->extras[ghost].next_conflict;
        l->index->extras[ghost].next_conflict = PROCESS_NONE;
        if (ghost != to && !same->several_logged)
            merge_into(l, ghost, to);
    }
}

static int compare_aliases(const void *a, const void *b, void *context)
{
    const struct lineage *l = context;
    const struct guid_alias *x = a, *y = b;
    int order = memcmp(x->guid.bytes, y->guid.bytes, sizeof x->guid.bytes);
    if (order == 0) {
        uint32_t left = l->processes[x->process].scope,
                 right = l->processes[y->process].scope;
        order = left < right ? -1 : left > right;
    }
    return order;
}

void merge_aliases(struct lineage *l, struct workers *workers)
{
    struct identities all = {0};
    size_t ghosts = 0;
    for (size_t n = 0; n < l->count; n++)
        ghosts += l->processes[n].kind == PROCESS_GHOST;
    if (ghosts == 0)
        return;
    for (all.slot_count = 64; all.slot_count < ghosts * 2; all.slot_count *= 2)
        ;
    all.slots = memory_get_zeroed(all.slot_count, sizeof *all.slots);
    gather_ghosts(l, &all);
    gather_logged(l, &all, workers);
    for (size_t i = 0; i < all.count; i++)
        merge_identity(l, &all.items[i]);
    if (l->alias_count)
        qsort_r(l->aliases, l->alias_count, sizeof *l->aliases, compare_aliases, l);
    free(all.items);
    free(all.slots);
}
