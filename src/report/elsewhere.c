/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "report/elsewhere_internal.h"
#include "report/report_internal.h"
#include "util/map.h"
#include "util/memory.h"

struct elsewhere_state {
    uint8_t *roles; /* by node */
    struct strings strings;
    struct map index;        /* of items, by struct item_key */
    struct map shared_index; /* of shared values, by struct shared_key */
    struct arena arena;      /* keys, contexts */
    size_t capacity, shared_capacity;
    size_t used[ROLES], bytes[ROLES]; /* of what a role may have */
};

struct shared_key {
    uint32_t type, value;
};

struct item_key {
    uint32_t type, value, computer;
};

/* --- what a process is to the findings */

/* The ancestors of a walked process are walked: all walks together are linear. */
static void mark_ancestors(uint8_t *roles, bool *walked, const struct lineage *l,
                           uint32_t from)
{
    for (uint32_t at = from; at != PROCESS_NONE && !walked[at];
         at = lineage_parent(l, at)) {
        walked[at] = true;
        if (roles[at] == ROLES)
            roles[at] = ROLE_ANCESTOR;
    }
}

static void find_roles(struct elsewhere *e)
{
    const struct lineage *l = e->lineage;
    const struct detector *d = e->detector;
    uint8_t *roles = e->state->roles;
    bool *walked = memory_get_zeroed(l->count + 1, sizeof *walked);
    memset(roles, ROLES, l->count);
    for (size_t i = 0; i < d->finding_count; i++)
        if (d->findings[i].host_process != PROCESS_NONE)
            roles[d->findings[i].host_process] = ROLE_HOST;
    for (size_t i = 0; i < d->finding_count; i++)
        roles[d->findings[i].process] = ROLE_MATCHED;
    for (size_t i = 0; i < d->finding_count; i++)
        mark_ancestors(roles, walked, l, d->findings[i].process);
    free(walked);
    for (uint32_t i = 0; i < l->count; i++) {
        uint32_t parent = lineage_parent(l, i);
        if (roles[i] != ROLES || !detector_in_family(d, i))
            continue;
        roles[i] = parent != PROCESS_NONE && roles[parent] == ROLE_HOST
                       ? ROLE_SIBLING
                       : ROLE_DESCENDANT;
    }
}

static enum indicator_role role_of(const struct elsewhere *e, uint32_t process)
{
    uint32_t node =
        process == PROCESS_NONE ? PROCESS_NONE : lineage_node(e->lineage, process);
    return node == PROCESS_NONE || e->state->roles[node] == ROLES
               ? ROLE_MACHINE
               : (enum indicator_role)e->state->roles[node];
}

void elsewhere_open(struct elsewhere *e, const struct lineage *lineage,
                    const struct detector *detector)
{
    *e = (struct elsewhere){.lineage = lineage, .detector = detector};
    e->state = memory_get_zeroed(1, sizeof *e->state);
    e->state->roles = memory_get(lineage->count + 1);
    find_roles(e);
}

void elsewhere_follow_sources(struct elsewhere *e)
{
    for (uint32_t i = 0; i < e->lineage->count; i++)
        if (detector_joined_family(e->detector, i))
            e->state->roles[i] = ROLE_SOURCE;
}

void elsewhere_release(struct elsewhere *e)
{
    struct elsewhere_state *s = e->state;
    if (!s)
        return;
    free(s->roles);
    strings_release(&s->strings);
    map_release(&s->index);
    map_release(&s->shared_index);
    arena_release(&s->arena);
    free(s);
    free(e->items);
    free(e->by_host);
    free(e->shared);
    *e = (struct elsewhere){0};
}

/* --- taking values */

/* Where a value was seen: the record, in the words of the timeline. */
struct sight {
    struct text computer, context;
    uint64_t filetime, record_id, offset;
    const struct evidence_log *log;
    uint16_t event_id;
    uint8_t state;
};

static struct bytes keep_key(struct arena *arena, const void *key, size_t size)
{
    uint8_t *kept = arena_alloc(arena, size);
    memcpy(kept, key, size);
    return (struct bytes){kept, size};
}

static uint32_t shared_of(struct elsewhere *e, const struct indicator_value *v,
                          uint32_t value)
{
    struct elsewhere_state *s = e->state;
    struct shared_key key = {v->type, value};
    uint32_t number = map_find(&s->shared_index, MAP_KEY_OF(&key));
    if (number != MAP_NONE)
        return number;
    map_add(&s->shared_index, keep_key(&s->arena, &key, sizeof key),
            (uint32_t)e->shared_count);
    ARRAY_GROW(e->shared, e->shared_count, s->shared_capacity);
    e->shared[e->shared_count] = (struct shared_value){
        .type = v->type,
        .value = strings_text(&s->strings, value),
        .first_filetime = FILETIME_NONE,
        .last_filetime = FILETIME_NONE,
        .benign = v->benign,
        .last_scope = UINT32_MAX,
    };
    return (uint32_t)e->shared_count++;
}

static struct indicator *find_item(struct elsewhere *e, const struct indicator_value *v,
                                   struct text computer)
{
    struct elsewhere_state *s = e->state;
    uint32_t value = strings_find(&s->strings, v->value);
    uint32_t name = strings_find(&s->strings, computer);
    struct item_key key = {v->type, value, name};
    if (value == MAP_NONE || name == MAP_NONE)
        return NULL;
    uint32_t number = map_find(&s->index, MAP_KEY_OF(&key));
    return number == MAP_NONE ? NULL : &e->items[number];
}

/* NULL where its role has as much as it may have. */
static struct indicator *new_item(struct elsewhere *e, const struct indicator_value *v,
                                  enum indicator_role role, const struct sight *at)
{
    struct elsewhere_state *s = e->state;
    size_t bytes = v->value.len + at->context.len;
    if (s->used[role] == INDICATORS_OF_ROLE ||
        s->bytes[role] + bytes > INDICATOR_BYTES_OF_ROLE) {
        e->left_out[role]++;
        return NULL;
    }
    s->used[role]++;
    s->bytes[role] += bytes;
    struct item_key key = {v->type, strings_add(&s->strings, v->value),
                           strings_add(&s->strings, at->computer)};
    map_add(&s->index, keep_key(&s->arena, &key, sizeof key), (uint32_t)e->count);
    uint32_t shared = shared_of(e, v, key.value);
    ARRAY_GROW(e->items, e->count, s->capacity);
    e->items[e->count] =
        (struct indicator){.type = v->type,
                           .role = ROLES,
                           .value = strings_text(&s->strings, key.value),
                           .computer = strings_text(&s->strings, key.computer),
                           .remark = v->remark,
                           .benign = v->benign,
                           .first_filetime = FILETIME_NONE,
                           .last_filetime = FILETIME_NONE,
                           .process = PROCESS_NONE,
                           .shared = shared};
    return &e->items[e->count++];
}

/* Earlier in time; then by record, so that the order of the logs does not choose. */
static bool is_earlier(const struct sight *at, const struct indicator *item)
{
    if (at->filetime != item->filetime)
        return at->filetime < item->filetime;
    return at->record_id < item->record_id;
}

static void note_times(uint64_t *first, uint64_t *last, uint64_t filetime)
{
    if (filetime == FILETIME_NONE)
        return;
    if (*first == FILETIME_NONE || filetime < *first)
        *first = filetime;
    if (*last == FILETIME_NONE || filetime > *last)
        *last = filetime;
}

/* A context is replaced at most once a role, or by an earlier record: what is replaced stays
 * in the arena, so it counts as used; without room the first one stays. */
static void cite(struct elsewhere *e, struct indicator *item, enum indicator_role role,
                 uint32_t process, const struct sight *at)
{
    struct elsewhere_state *s = e->state;
    bool is_new = item->role == ROLES;
    if (!is_new && (role > item->role || (role == item->role && !is_earlier(at, item))))
        return;
    if (!is_new && s->bytes[role] + at->context.len > INDICATOR_BYTES_OF_ROLE)
        return;
    s->bytes[role] += is_new ? 0 : at->context.len;
    item->role = role;
    item->process = process;
    item->context = arena_copy(&s->arena, at->context);
    item->filetime = at->filetime;
    item->record_id = at->record_id;
    item->offset = at->offset;
    item->log = at->log;
    item->event_id = at->event_id;
    item->state = at->state;
}

static void take(struct elsewhere *e, const struct indicator_value *v,
                 enum indicator_role role, const struct sight *at)
{
    struct indicator *item = find_item(e, v, at->computer);
    if (!item)
        item = new_item(e, v, role, at);
    if (!item)
        return;
    cite(e, item, role, v->process, at);
    item->count++;
    note_times(&item->first_filetime, &item->last_filetime, at->filetime);
}

void elsewhere_take(struct elsewhere *e, const struct sysmon_event *event,
                    const struct event_processes *who,
                    const struct indicator_values *values)
{
    struct buffer sentence = {0};
    if (values->count == 0)
        return;
    struct timeline_event row =
        timeline_describe(e->lineage, event, who, WHY_FAMILY, &sentence);
    struct sight at = {lineage_computer_of(e->lineage, row.computer),
                       row.message,
                       row.utc_filetime,
                       row.record_id,
                       row.offset,
                       row.log,
                       row.event_id,
                       row.state};
    for (size_t i = 0; i < values->count; i++)
        take(e, &values->items[i], role_of(e, values->items[i].process), &at);
    buffer_release(&sentence);
}

/* --- afterwards */

/* The process that opened or threaded into a host process need not be of its family: what
 * its own record says of it is listed too. */
static void take_source(struct elsewhere *e, const struct corroboration *c)
{
    struct indicator_value values[PROCESS_INDICATORS];
    struct arena arena = {0};
    const struct process *p = lineage_process(e->lineage, c->source);
    struct sight at = {lineage_computer(e->lineage, p),
                       c->sentence,
                       c->utc_filetime,
                       c->record_id,
                       c->offset,
                       c->log,
                       c->event_id,
                       c->state};
    size_t count = indicators_of_process(e->lineage, c->source, &arena, values,
                                         PROCESS_INDICATORS);
    for (size_t i = 0; i < count; i++)
        take(e, &values[i], ROLE_SOURCE, &at);
    arena_release(&arena);
}

static void take_sources(struct elsewhere *e)
{
    for (size_t i = 0; i < e->detector->corroboration_count; i++) {
        const struct corroboration *c = &e->detector->corroborations[i];
        if (c->strength != STRENGTH_NEUTRAL && c->source != PROCESS_NONE &&
            !detector_in_family(e->detector, c->source))
            take_source(e, c);
    }
}

static void share(struct elsewhere *e)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct indicator *item = &e->items[i];
        struct shared_value *shared = &e->shared[item->shared];
        shared->hosts++;
        shared->count += item->count;
        note_times(&shared->first_filetime, &shared->last_filetime,
                   item->first_filetime);
        note_times(&shared->first_filetime, &shared->last_filetime,
                   item->last_filetime);
    }
}

static void count_outside(struct elsewhere *e, enum indicator_type type,
                          struct text value, uint32_t scope)
{
    struct shared_key key = {type, strings_find(&e->state->strings, value)};
    uint32_t number = key.value == MAP_NONE
                          ? MAP_NONE
                          : map_find(&e->state->shared_index, MAP_KEY_OF(&key));
    if (number == MAP_NONE)
        return;
    struct shared_value *shared = &e->shared[number];
    shared->outside_processes++;
    shared->outside_hosts += shared->last_scope != scope;
    shared->last_scope = scope;
}

/* Process creations of no family that share a program, a hash, an account with one. They
 * stand in the order of hosts. */
static void look_outside(struct elsewhere *e)
{
    struct indicator_value values[PROCESS_INDICATORS];
    struct arena arena = {0};
    for (size_t i = 0; e->shared_count && i < e->lineage->order_count; i++) {
        uint32_t number = e->lineage->order[i];
        const struct process *p = lineage_process(e->lineage, number);
        if (p->kind != PROCESS_LOGGED || detector_in_family(e->detector, number))
            continue;
        size_t count = indicators_of_process(e->lineage, number, &arena, values,
                                             PROCESS_INDICATORS);
        for (size_t k = 0; k < count; k++)
            count_outside(e, values[k].type, values[k].value, p->scope);
        arena_clear(&arena);
    }
    arena_release(&arena);
}

bool elsewhere_is_shared(const struct shared_value *shared)
{
    /* a logon id is a number of its own machine */
    return shared->type != INDICATOR_LOGON_ID &&
           (shared->hosts > 1 || shared->outside_processes);
}

static int compare_shared(const void *left, const void *right, void *context)
{
    const struct shared_value *values = context;
    const struct shared_value *a = &values[*(const uint32_t *)left];
    const struct shared_value *b = &values[*(const uint32_t *)right];
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    return text_compare(a->value, b->value);
}

/* By type and value; the items follow their values to the new places. */
static void order_shared(struct elsewhere *e)
{
    struct shared_value *sorted = memory_get((e->shared_count + 1) * sizeof *sorted);
    uint32_t *order = memory_get((e->shared_count + 1) * sizeof *order);
    uint32_t *place = memory_get((e->shared_count + 1) * sizeof *place);
    for (size_t i = 0; i < e->shared_count; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, e->shared_count, sizeof *order, compare_shared, e->shared);
    for (size_t i = 0; i < e->shared_count; i++) {
        sorted[i] = e->shared[order[i]];
        place[order[i]] = (uint32_t)i;
    }
    for (size_t i = 0; i < e->count; i++)
        e->items[i].shared = place[e->items[i].shared];
    free(e->shared);
    free(order);
    free(place);
    e->shared = sorted;
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_type(const void *left, const void *right)
{
    const struct indicator *a = left, *b = right;
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    int order = text_compare(a->value, b->value);
    return order ? order : text_compare(a->computer, b->computer);
}

static int by_host(const void *left, const void *right, void *context)
{
    const struct indicator *items = context;
    const struct indicator *a = &items[*(const uint32_t *)left];
    const struct indicator *b = &items[*(const uint32_t *)right];
    int order = text_compare(a->computer, b->computer);
    if (order)
        return order;
    const int orders[] = {
        (int)indicator_kinds[a->type].group - (int)indicator_kinds[b->type].group,
        (a->type == INDICATOR_PROCESS_GUID) - (b->type == INDICATOR_PROCESS_GUID),
        (a->benign != NULL) - (b->benign != NULL),
        (int)a->role - (int)b->role,
        compare_u64(a->first_filetime, b->first_filetime),
        (a > b) - (a < b),
    };
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (orders[i])
            return orders[i];
    return 0;
}

void elsewhere_finish(struct elsewhere *e)
{
    if (!e->state)
        return;
    take_sources(e);
    share(e);
    look_outside(e);
    order_shared(e);
    if (e->count)
        qsort(e->items, e->count, sizeof *e->items, by_type);
    e->by_host = memory_get((e->count + 1) * sizeof *e->by_host);
    for (size_t i = 0; i < e->count; i++)
        e->by_host[i] = (uint32_t)i;
    qsort_r(e->by_host, e->count, sizeof *e->by_host, by_host, e->items);
}
