/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/seen.h"

#include <stdlib.h>
#include <string.h>

#include "util/arena.h"
#include "util/digest.h"
#include "util/memory.h"

/* Lengths stand before texts, so that no two records are written alike. */
static void put_number(struct buffer *out, uint64_t value)
{
    buffer_add(out, &value, sizeof value);
}

static void put_text(struct buffer *out, struct text t)
{
    put_number(out, text_is_absent(t) ? UINT64_MAX : t.len);
    buffer_add_text(out, t);
}

static void put_identity(struct buffer *out, const struct evtx_system *s)
{
    put_number(out, s->record_id);
    put_number(out, s->time_created_filetime);
    put_text(out, s->computer);
    put_text(out, s->channel);
}

static void put_system(struct buffer *out, const struct evtx_record *record)
{
    const struct evtx_system *s = &record->system;
    const uint64_t numbers[] = {s->event_id,   s->task,      s->version,
                                s->level,      s->opcode,    s->keywords,
                                s->process_id, s->thread_id, record->is_user_data};
    buffer_add(out, numbers, sizeof numbers);
    put_text(out, s->provider);
    put_text(out, s->user_sid);
}

static void put_field(struct buffer *out, const struct evtx_record *record, size_t i)
{
    put_text(out, evtx_record_name(record, i));
    put_text(out, evtx_record_value(record, i));
}

static struct digest_values digest_of(const struct buffer *bytes)
{
    struct digester digester;
    struct digest_values digest;
    digester_init(&digester, DIGEST_BIT(DIGEST_SHA256));
    digester_add(&digester, bytes->ptr, bytes->len);
    digester_finish(&digester, &digest);
    return digest;
}

/* Empties the buffer. Is the map's value of its digest new? Else *value is what is there. */
static bool enter(struct seen *seen, struct map *map, struct buffer *bytes,
                  uint32_t *value)
{
    const struct digest_values digest = digest_of(bytes);
    const struct bytes key = {digest.value[DIGEST_SHA256], digest_size(DIGEST_SHA256)};
    bool is_new;
    struct map_entry *entry = map_enter(map, key, *value, &is_new);
    if (is_new)
        entry->key.ptr = memcpy(arena_alloc(&seen->arena, key.len), key.ptr, key.len);
    *value = entry->value;
    buffer_clear(bytes);
    return is_new;
}

static uint64_t mark_of(const struct evtx_record *record, size_t field,
                        struct buffer *scratch)
{
    uint64_t mark;
    buffer_clear(scratch);
    put_field(scratch, record, field);
    const struct digest_values digest = digest_of(scratch);
    memcpy(&mark, digest.value[DIGEST_SHA256], sizeof mark);
    return mark;
}

static void add_first(struct seen *seen, const struct evtx_record *record,
                      struct buffer *scratch)
{
    struct seen_first first = {.offset = record->offset,
                               .is_torn = record->state == RECORD_TORN};
    if (seen->expects_torn) {
        first.mark_count = record->field_count;
        first.marks = arena_alloc(&seen->arena, first.mark_count * sizeof *first.marks);
        for (size_t i = 0; i < first.mark_count; i++)
            first.marks[i] = mark_of(record, i, scratch);
    }
    ARRAY_GROW(seen->firsts, seen->first_count, seen->first_capacity);
    seen->firsts[seen->first_count++] = first;
}

/* Does all that is left of a torn record stand in that one? */
static bool is_part_of(const struct evtx_record *torn, const struct seen_first *first,
                       struct buffer *scratch)
{
    for (size_t i = 0; i < torn->field_count; i++)
        if (!text_is_absent(evtx_record_value(torn, i)) &&
            (i >= first->mark_count || mark_of(torn, i, scratch) != first->marks[i]))
            return false;
    return true;
}

/* Only the first one of each identity is looked at: evidence can hold any number of them. */
static enum seen_verdict verdict_on(const struct seen_first *first,
                                    const struct evtx_record *record,
                                    struct buffer *scratch)
{
    if (record->state == RECORD_TORN && is_part_of(record, first, scratch))
        return SEEN_COPY;
    return first->is_torn ? SEEN_NEW : SEEN_DIFFERS;
}

enum seen_verdict seen_add(struct seen *seen, const struct evtx_record *record,
                           uint64_t *first)
{
    struct buffer bytes = {0};
    uint32_t at = (uint32_t)seen->first_count, unused = 0;
    enum seen_verdict verdict = SEEN_NEW;
    put_identity(&bytes, &record->system);
    bool is_first = enter(seen, &seen->identities, &bytes, &at);
    if (is_first)
        add_first(seen, record, &bytes);
    *first = seen->firsts[at].offset;
    buffer_clear(&bytes);
    put_identity(&bytes, &record->system);
    put_system(&bytes, record);
    for (size_t i = 0; i < record->field_count; i++)
        put_field(&bytes, record, i);
    if (!enter(seen, &seen->contents, &bytes, &unused))
        verdict = SEEN_COPY;
    else if (!is_first)
        verdict = verdict_on(&seen->firsts[at], record, &bytes);
    buffer_release(&bytes);
    return verdict;
}

static void widen(struct seen_slot *slot, uint64_t id)
{
    slot->first_id = id < slot->first_id ? id : slot->first_id;
    slot->last_id = id > slot->last_id ? id : slot->last_id;
}

static void add_slot(struct seen *seen, struct seen_slot slot)
{
    if (slot.first_id > slot.last_id)
        return;
    ARRAY_GROW(seen->given, seen->given_count, seen->given_capacity);
    seen->given[seen->given_count++] = slot;
}

void seen_note_slot(struct seen *seen, uint64_t offset,
                    const struct evtx_record *records, size_t count)
{
    struct seen_slot slot = {offset, UINT64_MAX, 0, false};
    for (size_t i = 0; i < count; i++)
        widen(&slot, records[i].system.record_id);
    add_slot(seen, slot);
}

void seen_note_frames(struct seen *seen, uint64_t offset,
                      const struct evtx_frame *frames, size_t count)
{
    struct seen_slot slot = {offset, UINT64_MAX, 0, true};
    for (size_t i = 0; i < count; i++)
        widen(&slot, frames[i].id);
    add_slot(seen, slot);
}

void seen_expect(struct seen *seen, const struct evtx_record *record)
{
    ARRAY_GROW(seen->ids, seen->id_count, seen->id_capacity);
    seen->ids[seen->id_count++] = record->system.record_id;
    seen->expects_torn |= record->state == RECORD_TORN;
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void seen_sort_ids(struct seen *seen)
{
    if (seen->id_count)
        qsort(seen->ids, seen->id_count, sizeof *seen->ids, by_id);
}

/* Is an id from `first` to `last` asked for? */
static bool expects_between(const struct seen *seen, uint64_t first, uint64_t last)
{
    size_t low = 0, high = seen->id_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (seen->ids[middle] < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low < seen->id_count && seen->ids[low] <= last;
}

bool seen_matters(const struct seen *seen, const struct seen_slot *given)
{
    if (given->is_by_headers && !seen->headers_tell)
        return seen->id_count > 0;
    return expects_between(seen, given->first_id, given->last_id);
}

bool seen_is_expected(const struct seen *seen, const struct evtx_record *record)
{
    return expects_between(seen, record->system.record_id, record->system.record_id);
}

void seen_release(struct seen *seen)
{
    free(seen->given);
    free(seen->ids);
    free(seen->firsts);
    map_release(&seen->identities);
    map_release(&seen->contents);
    arena_release(&seen->arena);
    *seen = (struct seen){0};
}
