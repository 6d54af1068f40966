/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/native.h"

#include <stdlib.h>

#include "evtx/recover.h"
#include "util/memory.h"
#include "util/utf.h"

struct native {
    struct workers *workers;
    struct decoder *decoders; /* one a worker, and one for the calling thread */
    evtx_prepare *prepare;
    void *prepare_context;
};

struct native *native_open(struct templates *templates, unsigned jobs)
{
    struct native *n = memory_get_zeroed(1, sizeof *n);
    n->workers = workers_open(jobs);
    n->decoders = memory_get_zeroed(workers_count(n->workers) + 1, sizeof *n->decoders);
    for (unsigned i = 0; i <= workers_count(n->workers); i++)
        n->decoders[i].binxml.templates = templates;
    return n;
}

void native_close(struct native *n)
{
    if (!n)
        return;
    for (unsigned i = 0; i <= workers_count(n->workers); i++)
        decoder_release(&n->decoders[i]);
    workers_close(n->workers);
    free(n->decoders);
    free(n);
}

struct workers *native_workers(struct native *n)
{
    return n->workers;
}

struct decoder_counts native_counts(const struct native *n)
{
    struct decoder_counts sum = {0};
    for (unsigned i = 0; i <= workers_count(n->workers); i++) {
        sum.by_plan += n->decoders[i].counts.by_plan;
        sum.by_walk += n->decoders[i].counts.by_walk;
        sum.damaged += n->decoders[i].counts.damaged;
    }
    return sum;
}

static struct native_remark *add_remark(struct native_work *w, enum problem_code code,
                                        const char *what)
{
    ARRAY_GROW(w->remarks, w->remark_count, w->remark_capacity);
    struct native_remark *remark = &w->remarks[w->remark_count++];
    *remark = (struct native_remark){.record = w->count,
                                     .is_recovered = w->is_recovering,
                                     .code = code,
                                     .what = what};
    return remark;
}

void native_remark(struct native_work *w, enum problem_code code, const char *what)
{
    add_remark(w, code, what);
}

/* The report shows U+FFFD; the bytes that stand there are told here and nowhere else. */
static void add_lone_units(struct buffer *out, const struct evtx_cell *cell)
{
    if (cell->type == EVTX_TEXT)
        return;
    buffer_add_string(out, ": ");
    utf_add_lone_units(out, (struct bytes){(const uint8_t *)cell->ptr, cell->len});
}

static void remark_value(struct native_work *w, const struct evtx_record *record,
                         size_t i, enum problem_code code, const char *what)
{
    struct buffer raw = {0};
    if (code == PROBLEM_VALUE_NOT_UTF16)
        add_lone_units(&raw, &record->cells[i]);
    struct text message =
        arena_printf(w->arena, "value %zu of the event's data (%.*s) %s%.*s", i + 1,
                     TEXT(record->layout->names[i]), what, TEXT(buffer_text(&raw)));
    buffer_release(&raw);
    add_remark(w, code, message.ptr);
}

/* A record can hold a thousand values: only so many of one have a row each. */
static void remark_flag(struct native_work *w, const struct evtx_record *record,
                        uint8_t flag, enum problem_code code, const char *what)
{
    size_t count = 0;
    for (size_t i = 0; i < record->field_count; i++)
        if (record->cells[i].flags & flag && count++ < EVTX_VALUES_TOLD)
            remark_value(w, record, i, code, what);
    if (count > EVTX_VALUES_TOLD)
        add_remark(w, code, evtx_more_values(w->arena, count - EVTX_VALUES_TOLD).ptr);
}

static void remark_values(struct native_work *w, const struct evtx_record *record)
{
    uint8_t flags = 0;
    for (size_t i = 0; i < record->field_count; i++)
        flags |= record->cells[i].flags;
    if (!(flags & (VALUE_NOT_UTF16 | VALUE_EMBEDDED_NUL)))
        return;
    remark_flag(w, record, VALUE_NOT_UTF16, PROBLEM_VALUE_NOT_UTF16,
                "holds units that are not UTF-16; each became U+FFFD");
    remark_flag(w, record, VALUE_EMBEDDED_NUL, PROBLEM_VALUE_EMBEDDED_NUL,
                "has a NUL inside; all of it is given");
}

/* A record without a provider and an id says nothing: only its header was readable. */
static bool says_something(const struct evtx_record *record)
{
    return !text_is_empty(record->system.provider) ||
           record->system.record_id != NO_RECORD;
}

void native_lose(struct native_work *w, const struct evtx_frame *frame,
                 enum problem_code code, const char *what)
{
    struct native_remark *remark = add_remark(w, code, what);
    remark->is_lost = true;
    remark->place = frame->offset;
    remark->id = frame->id;
}

void native_write_event(struct native_work *w, struct decoder *d, uint32_t at,
                        uint32_t size, struct evtx_record *record)
{
    if (w->form == EVTX_NO_EVENTS || !w->wanted(w->wanted_context, record))
        return;
    if (!decoder_write_event(d, w->form, at, size, record, &w->events))
        add_remark(w, PROBLEM_RECORD_DAMAGED,
                   "more elements than any record can hold; the rest was left out");
}

/* Where the events stand, now that their buffer moves no more. */
static void place_events(struct native_work *w)
{
    const char *at = w->events.ptr;
    for (uint32_t i = 0; i < w->count; i++)
        at = evtx_record_place_event(&w->records[i], at);
}

static void decode_live(struct native_work *w, struct decoder *d,
                        const struct evtx_frame *frame)
{
    struct evtx_record *record = &w->records[w->count];
    const char *wrong;
    enum status status = decoder_record(d, frame->offset, frame->size, record, &wrong);
    record->offset = w->slot->offset + frame->offset;
    record->chunk_offset = w->slot->offset;
    record->raw = bytes_slice(w->slot->data, frame->offset, frame->size);
    record->state = w->is_deleted ? RECORD_DELETED_FILE : RECORD_LIVE;
    if (status == DAMAGED && !says_something(record)) {
        native_lose(w, frame, PROBLEM_RECORD_NOT_DECODED, wrong);
        return;
    }
    if (wrong)
        add_remark(w,
                   d->binxml.is_restored && status == OK ? PROBLEM_TEMPLATE_RESTORED
                                                         : PROBLEM_RECORD_DAMAGED,
                   wrong);
    if (d->binxml.is_nameless)
        record->state = RECORD_POSITIONAL;
    else if (status == DAMAGED)
        record->state = RECORD_TORN;
    if (!evtx_slot_is_read(w->slot, frame->offset, frame->size)) {
        add_remark(w, PROBLEM_RECORDS_NOT_READ, EVTX_UNREAD_INSIDE);
        record->state = RECORD_TORN;
        record->has_unread_bytes = true;
    } else {
        remark_values(w, record);
    }
    w->needs_templates |= d->binxml.is_nameless;
    native_write_event(w, d, frame->offset, frame->size, record);
    w->count++;
}

/* Nothing about the chunk may be left to be told by who decodes it. */
static bool is_ordinary(const struct evtx_slot *s)
{
    return s->kind == SLOT_CHUNK && s->length == EVTX_CHUNK_SIZE && s->damages == 0 &&
           s->chunk.header_crc_ok && s->chunk.data_crc_ok;
}

static bool is_passed_over(struct native_work *w, struct decoder *d,
                           const struct evtx_frame *frame, unsigned worker)
{
    unsigned kind = decoder_glance(d, frame->offset, frame->size, w->glance,
                                   w->glance_context, worker);
    w->passed_over[kind % EVTX_GLANCE_KINDS] += kind != 0;
    return kind != 0;
}

static void run(struct native_work *w, unsigned worker)
{
    struct decoder *d = &w->native->decoders[worker];
    struct evtx_slot *slot = w->slot;
    evtx_slot_survey(slot);
    arena_clear(w->arena);
    w->count = w->live_count = 0;
    w->remark_count = 0;
    memset(w->passed_over, 0, sizeof w->passed_over);
    buffer_clear(&w->events);
    w->needs_templates = w->is_recovering = false;
    bool recovers =
        w->with_recovered && slot->kind != SLOT_ZERO &&
        slot->behind_count + slot->damages + slot->slack_count + slot->hidden_count > 0;
    uint32_t room = recovers ? EVTX_FRAMES_MAX : slot->frame_count;
    if (room == 0)
        return;
    w->records = arena_alloc(w->arena, room * sizeof *w->records);
    struct chunk_bytes chunk = {slot->data.ptr, (uint32_t)slot->data.len};
    decoder_start_chunk(d, chunk, w->arena);
    bool glances = w->glance && is_ordinary(slot);
    for (uint32_t i = 0; i < slot->frame_count; i++)
        if (!glances || !is_passed_over(w, d, &slot->frames[i], worker))
            decode_live(w, d, &slot->frames[i]);
    w->live_count = w->count;
    w->is_recovering = true;
    if (recovers)
        recover_records(w, d);
    place_events(w);
    if (w->native->prepare && w->count)
        w->native->prepare(w->native->prepare_context, worker, w->records, w->count,
                           w->arena);
}

void native_prepare(struct native *native, evtx_prepare *prepare, void *context)
{
    native->prepare = prepare;
    native->prepare_context = context;
}

static void run_batch(struct work *work, unsigned worker)
{
    struct native_work *w = (struct native_work *)(void *)work;
    for (; w; w = w->next)
        run(w, worker);
}

void native_submit(struct native *native, struct native_work *first)
{
    for (struct native_work *w = first; w; w = w->next) {
        w->native = native;
        w->first = first;
    }
    first->work.run = run_batch;
    workers_submit(native->workers, &first->work);
}

void native_run_here(struct native *native, struct native_work *work)
{
    work->native = native;
    run(work, workers_count(native->workers));
}

static int by_offset(const void *a, const void *b)
{
    const struct definition *const *x = a, *const *y = b;
    return ((*x)->offset > (*y)->offset) - ((*x)->offset < (*y)->offset);
}

void native_learn(struct native *native, const struct evtx_slot *slot,
                  struct template_index *into)
{
    if (!slot->chunk.has_magic || !slot->chunk.data_crc_ok)
        return;
    struct arena arena = {0};
    struct binxml *b = &native->decoders[workers_count(native->workers)].binxml;
    struct chunk_bytes chunk = {slot->data.ptr, (uint32_t)slot->data.len};
    binxml_start_chunk(b, chunk, &arena);
    binxml_search_chunk(b);
    const struct definition *found[DEFINITION_SLOTS];
    size_t count = 0;
    for (unsigned i = 0; i < DEFINITION_SLOTS; i++)
        if (b->definitions[i].template && b->definitions[i].offset < slot->live_end)
            found[count++] = &b->definitions[i];
    qsort(found, count, sizeof *found, by_offset);
    for (size_t i = 0; i < count; i++)
        template_index_add(into, found[i]->template);
    binxml_start_chunk(b, (struct chunk_bytes){NULL, 0}, NULL);
    arena_release(&arena);
}

void native_use_templates(struct native *native, const struct template_index *of_log,
                          const struct template_index *of_run)
{
    struct binxml *b = &native->decoders[workers_count(native->workers)].binxml;
    b->of_log = of_log;
    b->of_run = of_run;
}

void native_wait(struct native *native, struct native_work *work)
{
    workers_wait(native->workers, &work->first->work);
}

void native_work_release(struct native_work *work)
{
    free(work->remarks);
    buffer_release(&work->events);
}
