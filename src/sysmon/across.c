/* SPDX-License-Identifier: Apache-2.0 */
#include "sysmon/across.h"

#include <inttypes.h>
#include <stdlib.h>

#include "util/memory.h"

enum { COMPUTER_MAX = 512 };

/* A stretch of ids, while shared ones are looked for. */
struct id_span {
    uint64_t first, last;
    uint32_t host, log;
};

struct spans {
    struct id_span *items;
    size_t count, capacity;
};

/* Computer names are compared without case; a longer one than any machine has is no host's. */
static struct bytes folded_key(char out[COMPUTER_MAX], struct text name)
{
    size_t len = name.len < COMPUTER_MAX ? name.len : COMPUTER_MAX;
    for (size_t i = 0; i < len; i++) {
        char c = name.ptr[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return (struct bytes){(const uint8_t *)out, len};
}

static uint32_t host_of(struct across *a, struct text computer)
{
    char name[COMPUTER_MAX];
    struct bytes key = folded_key(name, computer);
    uint32_t found = map_find(&a->hosts, key);
    if (found != MAP_NONE)
        return found;
    struct text kept = arena_copy(a->arena, (struct text){name, key.len});
    map_add(&a->hosts, map_key_text(kept), a->host_count);
    return a->host_count++;
}

static void add_span(struct spans *spans, uint64_t first, uint64_t last, uint32_t host,
                     uint32_t log)
{
    ARRAY_GROW(spans->items, spans->count, spans->capacity);
    spans->items[spans->count++] = (struct id_span){first, last, host, log};
}

static void gather_track(struct across *a, struct spans *spans, const struct track *t,
                         uint32_t log)
{
    uint32_t host = host_of(a, t->computer);
    for (size_t k = 0; k < track_ordered_stretches(t); k++)
        add_span(spans, t->stretches[k].first.record_id, t->stretches[k].last.record_id,
                 host, log);
    if (t->stretches_more)
        add_span(spans, t->more_lowest_id, t->more_highest_id, host, log);
}

static void gather_spans(struct across *a, struct spans *spans)
{
    for (uint32_t log = 0; log < a->log_count; log++) {
        const struct tracks *tracks = &a->coverages[log]->tracks;
        for (size_t i = 0; i < tracks->count; i++)
            if (tracks->items[i].is_sysmons)
                gather_track(a, spans, &tracks->items[i], log);
    }
}

static int compare_spans(const void *x, const void *y)
{
    const struct id_span *a = x, *b = y;
    if (a->host != b->host)
        return a->host < b->host ? -1 : 1;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return (a->log > b->log) - (a->log < b->log);
}

/* Ranges come by (host, first); of one that reaches into the last, what goes beyond it. */
static void add_range(struct across *a, uint32_t host, uint64_t first, uint64_t last)
{
    struct across_range *before =
        a->range_count ? &a->ranges[a->range_count - 1] : NULL;
    if (before && before->host == host && first <= before->last) {
        if (last <= before->last)
            return;
        first = before->last + 1;
    }
    ARRAY_GROW(a->ranges, a->range_count, a->range_capacity);
    a->ranges[a->range_count++] = (struct across_range){first, last, host, 0, 0};
}

static int compare_lengths(const void *x, const void *y)
{
    const struct across_range *a = *(struct across_range *const *)x,
                              *b = *(struct across_range *const *)y;
    uint64_t la = a->last - a->first, lb = b->last - b->first;
    if (la != lb)
        return la < lb ? -1 : 1;
    return (a > b) - (a < b);
}

/* The short ones first, so that a long one, which may hold few records, takes the room of no
 * other. */
static void give_slots(struct across *a)
{
    struct across_range **by_length =
        memory_get((a->range_count + 1) * sizeof *by_length);
    for (size_t i = 0; i < a->range_count; i++)
        by_length[i] = &a->ranges[i];
    if (a->range_count)
        qsort(by_length, a->range_count, sizeof *by_length, compare_lengths);
    for (size_t i = 0; i < a->range_count; i++) {
        struct across_range *r = by_length[i];
        uint64_t room = ACROSS_IDS_MAX - a->slot_count,
                 beyond_first = r->last - r->first;
        r->slot = a->slot_count;
        r->compared = beyond_first < room ? (size_t)beyond_first + 1 : (size_t)room;
        a->not_compared += beyond_first - r->compared + 1;
        a->slot_count += r->compared;
    }
    free(by_length);
}

static void find_shared(struct across *a, struct spans *spans)
{
    if (spans->count)
        qsort(spans->items, spans->count, sizeof *spans->items, compare_spans);
    const struct id_span *far = NULL; /* reaches farthest so far */
    for (size_t i = 0; i < spans->count; i++) {
        const struct id_span *s = &spans->items[i];
        if (far && far->host == s->host && s->first <= far->last &&
            s->log != far->log) {
            add_range(a, s->host, s->first, s->last < far->last ? s->last : far->last);
            a->is_concerned[s->log] = a->is_concerned[far->log] = true;
        }
        if (!far || far->host != s->host || s->last > far->last)
            far = s;
    }
}

bool across_open(struct across *a, const struct coverage *const *coverages,
                 size_t log_count, struct arena *arena)
{
    struct spans spans = {0};
    *a =
        (struct across){.coverages = coverages, .log_count = log_count, .arena = arena};
    a->is_concerned = memory_get_zeroed(log_count + 1, sizeof *a->is_concerned);
    gather_spans(a, &spans);
    find_shared(a, &spans);
    free(spans.items);
    give_slots(a);
    a->fingerprints = memory_get_zeroed(a->slot_count + 1, sizeof *a->fingerprints);
    a->logs = memory_get_zeroed(a->slot_count + 1, sizeof *a->logs);
    return a->slot_count > 0;
}

/* Its slot, or SIZE_MAX, and the number of its host. */
static size_t slot_of(const struct across *a, const struct evtx_record *record,
                      uint32_t *host_number)
{
    char name[COMPUTER_MAX];
    const struct evtx_system *s = &record->system;
    if (!record_state_is_live(record->state) || s->record_id == NO_RECORD ||
        !sysmon_is_channel(s->channel))
        return SIZE_MAX;
    uint32_t host = *host_number = map_find(&a->hosts, folded_key(name, s->computer));
    size_t from = 0, to = a->range_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct across_range *r = &a->ranges[middle];
        if (r->host < host || (r->host == host && r->last < s->record_id))
            from = middle + 1;
        else
            to = middle;
    }
    const struct across_range *r = &a->ranges[from];
    if (from == a->range_count || r->host != host || r->first > s->record_id ||
        s->record_id - r->first >= r->compared)
        return SIZE_MAX;
    return r->slot + (size_t)(s->record_id - r->first);
}

bool across_wants(const struct across *a, const struct evtx_record *record)
{
    uint32_t host;
    return slot_of(a, record, &host) != SIZE_MAX;
}

static struct across_pair *pair_of(struct across *a, const struct across_key *key,
                                   const struct evtx_record *record)
{
    uint32_t found = map_find(&a->pair_index, MAP_KEY_OF(key));
    if (found != MAP_NONE)
        return &a->pairs[found];
    struct across_key *kept = arena_alloc(a->arena, sizeof *kept);
    *kept = *key;
    map_add(&a->pair_index, MAP_KEY_OF(kept), (uint32_t)a->pair_count);
    ARRAY_GROW(a->pairs, a->pair_count, a->pair_capacity);
    a->pairs[a->pair_count] =
        (struct across_pair){key->log,
                             key->other,
                             0,
                             record->system.record_id,
                             record->system.record_id,
                             record->offset,
                             arena_copy(a->arena, record->system.computer)};
    return &a->pairs[a->pair_count++];
}

static void note_conflict(struct across *a, const struct across_key *key,
                          const struct evtx_record *record)
{
    uint64_t id = record->system.record_id;
    struct across_pair *pair = pair_of(a, key, record);
    pair->count++;
    pair->first_id = id < pair->first_id ? id : pair->first_id;
    pair->last_id = id > pair->last_id ? id : pair->last_id;
}

void across_add(struct across *a, uint32_t log, const struct evtx_record *record,
                uint32_t fingerprint)
{
    uint32_t host;
    size_t slot = slot_of(a, record, &host);
    if (slot == SIZE_MAX)
        return;
    fingerprint = fingerprint ? fingerprint : 1;
    if (!a->fingerprints[slot]) {
        a->fingerprints[slot] = fingerprint;
        a->logs[slot] = log;
    } else if (a->fingerprints[slot] != fingerprint && a->logs[slot] != log) {
        note_conflict(a, &(struct across_key){log, a->logs[slot], host}, record);
    }
}

void across_tell(const struct across *a, struct problems *problems)
{
    for (size_t i = 0; i < a->pair_count; i++) {
        const struct across_pair *p = &a->pairs[i];
        const struct evidence_log *log = a->coverages[p->log]->log,
                                  *other = a->coverages[p->other]->log;
        problems_add(problems, PROBLEM_RID_CONFLICT,
                     evidence_log_place(log, p->offset, p->first_id),
                     "%" PRIu64 " record%s of Sysmon's channel on %.*s, EventRecordID "
                     "%" PRIu64 " to %" PRIu64
                     ", %s other content here than under the same id in %.*s: %.*s",
                     p->count, PLURAL(p->count), TEXT(p->computer), p->first_id,
                     p->last_id, count_word(p->count, "has", "have"),
                     TEXT(other->evidence), TEXT(other->path));
    }
    if (a->not_compared)
        problems_add_graded(problems, PROBLEM_RID_CONFLICT, SEVERITY_INFO, NOWHERE,
                            "up to %" PRIu64
                            " record ids that stand in several logs were not compared: "
                            "more than %d are not",
                            a->not_compared, ACROSS_IDS_MAX);
}

void across_close(struct across *a)
{
    free(a->ranges);
    free(a->fingerprints);
    free(a->logs);
    free(a->is_concerned);
    free(a->pairs);
    map_release(&a->hosts);
    map_release(&a->pair_index);
    *a = (struct across){0};
}
