/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "lineage/lineage_internal.h"
#include "util/ranges.h"

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
    uint64_t start_filetime;
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

/* Of one host. */
static int compare_keys(const void *a, const void *b, void *context)
{
    const struct lineage *l = context;
    const struct order_key *x = a, *y = b;
    if (x->start_filetime != y->start_filetime)
        return x->start_filetime < y->start_filetime ? -1 : 1;
    uint32_t left = child_of_unknown(l, x->node), right = child_of_unknown(l, y->node);
    uint64_t id = l->processes[left].record_id, other = l->processes[right].record_id;
    if (id != other)
        return id < other ? -1 : 1;
    if (left == right) /* an unknown parent and its child */
        return x->node == left ? 1 : -1;
    return compare_details(l, left, right);
}

static struct order_key key_of(const struct lineage *l, uint32_t node)
{
    const struct process *p = &l->processes[child_of_unknown(l, node)];
    return (struct order_key){p->start_filetime, p->scope, node};
}

/* Keys, host after host. */
struct ordering {
    struct lineage *lineage;
    struct order_key *keys;
    size_t *first; /* by host; one more than there are hosts */
};

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, PLACES = 6, FEW = 64 };

/* Starts as distances from the first, what has none behind all others. */
struct span {
    uint64_t first, last;
};

static struct span span_of(const struct order_key *keys, size_t count)
{
    struct span s = {FILETIME_NONE, 0};
    for (size_t i = 0; i < count; i++) {
        uint64_t start = keys[i].start_filetime;
        if (start == FILETIME_NONE)
            continue;
        s.first = start < s.first ? start : s.first;
        s.last = start > s.last ? start : s.last;
    }
    return s;
}

static uint64_t distance(const struct span *s, const struct order_key *key)
{
    return key->start_filetime == FILETIME_NONE ? s->last - s->first + 1
                                                : key->start_filetime - s->first;
}

/* For each digit, the lowest first, how many keys have each of its values; then where the
 * first of them goes. Returns how many digits there are. */
static unsigned count_digits(uint32_t next[PLACES][DIGITS],
                             const struct order_key *keys, size_t count,
                             const struct span *s)
{
    unsigned places = 0;
    while (places < PLACES && (s->last - s->first + 1) >> places * DIGIT_BITS)
        places++;
    memset(next, 0, places * sizeof *next);
    for (size_t i = 0; i < count; i++)
        for (unsigned p = 0; p < places; p++)
            next[p][distance(s, &keys[i]) >> p * DIGIT_BITS & (DIGITS - 1)]++;
    for (unsigned p = 0; p < places; p++) {
        uint32_t before = 0;
        for (size_t d = 0; d < DIGITS; d++) {
            uint32_t here = next[p][d];
            next[p][d] = before;
            before += here;
        }
    }
    return places;
}

static void sort_by_digit(const struct order_key *keys, struct order_key *into,
                          size_t count, const struct span *s, unsigned shift,
                          uint32_t next[DIGITS])
{
    for (size_t i = 0; i < count; i++)
        into[next[distance(s, &keys[i]) >> shift & (DIGITS - 1)]++] = keys[i];
}

/* By start, digit by digit from the lowest; those of one start keep their order. */
static void sort_by_start(struct order_key *keys, size_t count)
{
    uint32_t next[PLACES][DIGITS];
    struct span s = span_of(keys, count);
    if (s.first == FILETIME_NONE)
        return;
    unsigned places = count_digits(next, keys, count, &s);
    struct order_key *spare = memory_get(count * sizeof *spare);
    struct order_key *from = keys, *into = spare;
    for (unsigned p = 0; p < places; p++) {
        sort_by_digit(from, into, count, &s, p * DIGIT_BITS, next[p]);
        struct order_key *sorted = into;
        into = from;
        from = sorted;
    }
    if (from != keys)
        memcpy(keys, from, count * sizeof *keys);
    free(spare);
}

static void sort_host(struct lineage *l, struct order_key *keys, size_t count)
{
    if (count <= FEW) {
        qsort_r(keys, count, sizeof *keys, compare_keys, l);
        return;
    }
    sort_by_start(keys, count);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1;
             to < count && keys[to].start_filetime == keys[from].start_filetime; to++)
            ;
        if (to - from > 1)
            qsort_r(keys + from, to - from, sizeof *keys, compare_keys, l);
    }
}

static void sort_hosts(void *context, struct range range)
{
    const struct ordering *o = context;
    for (size_t h = range.from; h < range.to; h++) {
        struct order_key *keys = o->keys + o->first[h];
        size_t count = o->first[h + 1] - o->first[h], sorted = 1;
        while (sorted < count &&
               compare_keys(&keys[sorted - 1], &keys[sorted], o->lineage) < 0)
            sorted++;
        if (sorted < count)
            sort_host(o->lineage, keys, count);
    }
}

/* Keys of the nodes that are no alias: by range, from the place of its first node on. */
struct listed_range {
    size_t from, to; /* in `keys` */
    uint64_t logged_live, audited_alone;
};

struct listing {
    const struct lineage *lineage;
    struct order_key *keys;
    struct listed_range *ranges;
};

static void list_keys(void *context, struct range range)
{
    const struct listing *k = context;
    struct listed_range listed = {range.from, range.from, 0, 0};
    for (size_t n = range.from; n < range.to; n++) {
        const struct process *p = &k->lineage->processes[n];
        if (p->flags & PROCESS_IS_ALIAS)
            continue;
        listed.logged_live +=
            p->kind == PROCESS_LOGGED && record_state_is_live(p->state);
        listed.audited_alone += p->kind == PROCESS_AUDITED;
        k->keys[listed.to++] = key_of(k->lineage, (uint32_t)n);
    }
    k->ranges[range.number] = listed;
}

/* The keys of all ranges, as if they stood one behind the other. */
static size_t join_ranges(const struct listing *k, size_t ranges, struct lineage *l)
{
    size_t count = 0;
    for (size_t r = 0; r < ranges; r++) {
        const struct listed_range *listed = &k->ranges[r];
        memmove(k->keys + count, k->keys + listed->from,
                (listed->to - listed->from) * sizeof *k->keys);
        count += listed->to - listed->from;
        l->logged_live += listed->logged_live;
        l->audited_alone += listed->audited_alone;
    }
    return count;
}

static void part_by_host(struct ordering *o, const struct order_key *keys, size_t count)
{
    size_t hosts = o->lineage->host_count;
    size_t *next = memory_get_zeroed(hosts + 2, sizeof *next);
    for (size_t i = 0; i < count; i++)
        next[keys[i].host + 2]++;
    for (size_t h = 2; h < hosts + 2; h++)
        next[h] += next[h - 1];
    for (size_t i = 0; i < count; i++)
        o->keys[next[keys[i].host + 1]++] = keys[i];
    o->first = next; /* each entry has moved on to where the next host begins */
}

void order_nodes(struct lineage *l, struct workers *workers)
{
    size_t ranges = ranges_count(workers, l->count);
    struct listing k = {l, memory_get(l->count * sizeof *k.keys),
                        memory_get(ranges * sizeof *k.ranges)};
    ranges_do(workers, l->count, list_keys, &k);
    size_t count = join_ranges(&k, ranges, l);
    struct ordering o = {.lineage = l, .keys = memory_get(count * sizeof *o.keys)};
    part_by_host(&o, k.keys, count);
    free(k.keys);
    free(k.ranges);
    ranges_do(workers, l->host_count, sort_hosts, &o);
    l->order = memory_get(count * sizeof *l->order);
    l->order_count = count;
    for (size_t i = 0; i < count; i++)
        l->order[i] = o.keys[i].node;
    free(o.keys);
    free(o.first);
}
