/* SPDX-License-Identifier: Apache-2.0
 * Chunks with records that matter pass by in file order: each is decoded natively at once
 * and by a child with libevtx, a few chunks at a time, and compared when its turn comes. */
#include "evtx/verify.h"

#include <inttypes.h>
#include <libevtx.h>
#include <stdio.h>
#include <stdlib.h>

#include "evtx/native.h"
#include "evtx/verify_internal.h"
#include "util/memory.h"
#include "util/stop.h"

/* A slot is read with as much behind it as tells what follows: a chunk's header. */
enum { SLOT_ROOM = EVTX_CHUNK_SIZE + EVTX_CHUNK_HEADER_SIZE };

struct run;

/* A chunk on its way. */
struct passage {
    uint8_t *bytes; /* SLOT_ROOM */
    struct evtx_slot slot;
    bool *skipped; /* EVTX_FRAMES_MAX: frames that nobody asks for */
    struct pool_task task;
    struct native_work native;
    struct arena arena; /* of what the readers gave */
    struct run *run;
    size_t first_item, items; /* of this chunk */
};

struct verifier {
    struct templates templates;
    struct native *native; /* without threads: chunks are few */
    struct pool *pool;
    unsigned deadline_milliseconds;
    struct evtx_values *values;
    struct arena arena; /* texts of outcomes */
    struct passage *ring;
    size_t ring_size;
};

struct verifier *verify_open_with(unsigned jobs, unsigned deadline_milliseconds,
                                  evtx_before_record *before_record)
{
    struct verifier *v = memory_get_zeroed(1, sizeof *v);
    templates_init(&v->templates);
    v->native = native_open(&v->templates, 1);
    v->pool = pool_open(jobs, deadline_milliseconds, before_record);
    v->deadline_milliseconds = deadline_milliseconds;
    v->values = memory_get_zeroed(1, sizeof *v->values);
    v->ring_size = 2 * (size_t)(jobs ? jobs : 1);
    v->ring = memory_get_zeroed(v->ring_size, sizeof *v->ring);
    for (size_t i = 0; i < v->ring_size; i++) {
        struct passage *p = &v->ring[i];
        p->bytes = memory_get(SLOT_ROOM);
        p->slot.frames = memory_get_zeroed(EVTX_FRAMES_MAX, sizeof *p->slot.frames);
        p->skipped = memory_get_zeroed(EVTX_FRAMES_MAX, sizeof *p->skipped);
    }
    return v;
}

struct verifier *verify_open(unsigned jobs)
{
    return verify_open_with(jobs, DEADLINE_MILLISECONDS, NULL);
}

void verify_close(struct verifier *v)
{
    if (!v)
        return;
    pool_close(v->pool);
    native_close(v->native);
    for (size_t i = 0; i < v->ring_size; i++) {
        struct passage *p = &v->ring[i];
        free(p->bytes);
        free(p->slot.frames);
        free(p->skipped);
        free(p->task.losses);
        buffer_release(&p->task.results);
        native_work_release(&p->native);
        arena_release(&p->arena);
    }
    templates_release(&v->templates);
    arena_release(&v->arena);
    free(v->values);
    free(v->ring);
    free(v);
}

/* One verification of one log. */
struct run {
    struct verifier *v;
    const struct evidence_log *log;
    struct verify_item *items;
    size_t item_count, next_item;
    bool is_off_grid, whole;
    struct verify_counts *counts;
    struct problems *problems;
    struct progress *progress;
    uint64_t next_offset; /* of the slot to read next */
    size_t first, count;  /* of the ring: what is under way, oldest first */
    struct header_ids {   /* with `whole`: what the walk saw, in file order */
        struct evtx_listed *records;
        size_t count, capacity;
    } seen;
};

static struct passage *passage_at(struct run *r, size_t i)
{
    return &r->v->ring[(r->first + i) % r->v->ring_size];
}

static struct place place_at(const struct run *r, uint64_t offset, uint64_t id)
{
    return evidence_log_place(r->log, offset, id);
}

/* ---- which chunks, and which records of them */

/* What cannot be read counts as zeros, as it did when the report was made. */
static void read_slot(struct run *r, struct passage *p)
{
    uint64_t left = r->log->size - r->next_offset;
    size_t len = left < EVTX_CHUNK_SIZE ? (size_t)left : EVTX_CHUNK_SIZE;
    size_t both = left < SLOT_ROOM ? (size_t)left : SLOT_ROOM, got = 0;
    memset(p->bytes, 0, SLOT_ROOM);
    enum status status =
        evidence_log_read(r->log, r->next_offset, p->bytes, both, &got, NULL);
    p->slot.offset = r->next_offset;
    evtx_slot_take(&p->slot, p->bytes, len, status == OK && got == both ? both : len);
    r->next_offset += p->slot.length;
}

/* A log whose chunks all lie on the grid is not read where nobody asks for a record. */
static void skip_slots(struct run *r)
{
    if (r->whole || r->is_off_grid)
        return;
    uint64_t wanted =
        r->next_item < r->item_count ? r->items[r->next_item].offset : UINT64_MAX;
    if (wanted >= r->log->size) {
        r->next_offset = r->log->size;
        return;
    }
    if (wanted >= EVTX_HEADER_SIZE)
        r->next_offset = wanted - (wanted - EVTX_HEADER_SIZE) % EVTX_CHUNK_SIZE;
}

/* An item that lies where no live record does: it has no outcome to come. */
static void give_up_item(struct run *r, struct verify_item *item)
{
    if (item->outcome != VERIFY_NOT_ASKED)
        return;
    item->outcome = VERIFY_NOT_CONFIRMED;
    r->counts->records++;
    r->counts->not_confirmed++;
    problems_add(r->problems, PROBLEM_VERIFY_NOT_CONFIRMED,
                 place_at(r, item->offset, NO_RECORD),
                 "the record was not confirmed: it is no live record of a chunk that "
                 "both readers can be given");
}

static struct verify_item *item_at(const struct run *r, const struct passage *p,
                                   uint64_t offset)
{
    for (size_t i = p->first_item; i < p->first_item + p->items; i++)
        if (r->items[i].offset == offset)
            return &r->items[i];
    return NULL;
}

/* The items of a chunk: all up to its end. Those before it lie between chunks. */
static void take_items(struct run *r, struct passage *p)
{
    uint64_t end = p->slot.offset + p->slot.length;
    p->first_item = r->next_item;
    while (r->next_item < r->item_count && r->items[r->next_item].offset < end)
        r->next_item++;
    p->items = r->next_item - p->first_item;
}

static bool is_asked_for(const struct run *r, const struct passage *p, uint64_t offset)
{
    return r->whole || item_at(r, p, offset);
}

/* Whose XML is needed: that of records that will be compared. */
static bool is_compared(const void *context, const struct evtx_record *record)
{
    const struct passage *p = context;
    return is_asked_for(p->run, p, record->offset);
}

/* True if a child has something to do. */
static bool choose_frames(struct run *r, struct passage *p)
{
    bool any = false;
    for (uint32_t i = 0; i < p->slot.frame_count; i++) {
        uint64_t offset = p->slot.offset + p->slot.frames[i].offset;
        p->skipped[i] = !is_asked_for(r, p, offset);
        any |= !p->skipped[i];
    }
    return any;
}

static void note_header_ids(struct run *r, const struct passage *p)
{
    if (!r->whole)
        return;
    for (uint32_t i = 0; i < p->slot.frame_count; i++) {
        const struct evtx_frame *frame = &p->slot.frames[i];
        ARRAY_GROW(r->seen.records, r->seen.count, r->seen.capacity);
        r->seen.records[r->seen.count++] =
            (struct evtx_listed){frame->id, frame->written_filetime};
    }
}

static void begin(struct run *r, struct passage *p)
{
    read_slot(r, p);
    take_items(r, p);
    p->native.slot = &p->slot;
    p->native.arena = &p->arena;
    p->native.is_deleted = r->log->is_deleted;
    p->native.with_recovered = false;
    p->run = r;
    p->native.form = EVTX_XML;
    p->native.wanted = is_compared;
    p->native.wanted_context = p;
    native_run_here(r->v->native, &p->native);
    note_header_ids(r, p);
    buffer_clear(&p->task.results);
    p->task.slot = &p->slot;
    p->task.skipped = p->skipped;
    p->task.as_printed = true;
    p->task.loss_count = 0;
    p->task.hangs = 0;
    p->task.unread_from = p->slot.frame_count;
    p->task.is_done = !choose_frames(r, p);
}

/* ---- outcomes */

static void set_outcome(struct run *r, const struct passage *p, uint64_t offset,
                        enum verify_outcome outcome, struct text field)
{
    struct verify_item *item = item_at(r, p, offset);
    if (!item)
        return;
    item->outcome = outcome;
    item->field = arena_copy(&r->v->arena, field);
}

static void not_confirmed(struct run *r, const struct passage *p, uint32_t frame,
                          const char *why, struct text detail)
{
    uint64_t offset = p->slot.offset + p->slot.frames[frame].offset;
    r->counts->records++;
    r->counts->not_confirmed++;
    set_outcome(r, p, offset, VERIFY_NOT_CONFIRMED, NO_TEXT);
    problems_add(r->problems, PROBLEM_VERIFY_NOT_CONFIRMED,
                 place_at(r, offset, p->slot.frames[frame].id),
                 "the record was not confirmed: %s%.*s", why, TEXT(detail));
}

/* One problem for each value that differs. */
static void tell_differences(struct run *r, const struct evtx_record *record,
                             const struct verify_comparison *c)
{
    uint64_t id = record->system.record_id != NO_RECORD ? record->system.record_id
                                                        : record->header_id;
    for (size_t i = 0; i < c->count; i++) {
        const struct verify_difference *d = &c->differences[i];
        if (d->waiver == WAIVED_NOT)
            problems_add(r->problems, PROBLEM_VERIFY_DISAGREES,
                         place_at(r, record->offset, id),
                         "%.*s: the native reader has [%.*s], libevtx has [%.*s]",
                         TEXT(d->field), TEXT(d->native), TEXT(d->libevtx));
    }
}

static void compare_record(struct run *r, struct passage *p, uint32_t frame,
                           const struct evtx_record *record,
                           const struct evtx_reading *other)
{
    struct verify_comparison c = {.arena = &p->arena};
    evtx_values_read(r->v->values, p->slot.data, &p->slot.frames[frame]);
    verify_compare(&c, record, other, r->v->values);
    const struct verify_difference *first = NULL;
    uint64_t waived = 0;
    for (size_t i = 0; i < c.count; i++) {
        r->counts->waived[c.differences[i].waiver]++;
        if (c.differences[i].waiver != WAIVED_NOT)
            waived++;
        else if (!first)
            first = &c.differences[i];
    }
    r->counts->records++;
    r->counts->values += c.values;
    r->counts->equal += !first;
    r->counts->different += first != NULL;
    r->counts->waived_records += !first && waived;
    tell_differences(r, record, &c);
    set_outcome(r, p, record->offset, first ? VERIFY_DIFFERENT : VERIFY_EQUAL,
                first ? first->field : NO_TEXT);
    verify_comparison_release(&c);
}

static void judge(struct run *r, struct passage *p, uint32_t frame,
                  const struct evtx_record *record, const struct evtx_answer *answer)
{
    if (!answer->is_given)
        not_confirmed(r, p, frame, "libevtx could not decode it: ", answer->refusal);
    else if (!record)
        not_confirmed(r, p, frame, "the native reader could not decode it", NO_TEXT);
    else if (record->state != RECORD_LIVE && record->state != RECORD_DELETED_FILE)
        not_confirmed(r, p, frame, "it is given in part: ",
                      text_from(record_state_name(record->state)));
    else
        compare_record(r, p, frame, record, &answer->reading);
}

static void judge_unanswered(struct run *r, struct passage *p, uint32_t frame)
{
    const struct pool_task *t = &p->task;
    if (frame >= t->unread_from) {
        not_confirmed(r, p, frame, t->unread_reason, NO_TEXT);
        return;
    }
    for (size_t i = 0; i < t->loss_count; i++)
        if (t->losses[i].index == frame) {
            not_confirmed(r, p, frame, "libevtx crashed: its process ",
                          text_from(t->losses[i].how));
            return;
        }
    not_confirmed(r, p, frame, "libevtx's process gave no answer for it", NO_TEXT);
}

/* Native records and libevtx's answers both stand in the order of the frames. */
static void finish(struct run *r, struct passage *p)
{
    struct bytes in = {(const uint8_t *)p->task.results.ptr, p->task.results.len};
    struct evtx_answer answer = {0};
    size_t at = 0;
    uint32_t record = 0;
    bool has_answer = evtx_wire_take(in, &at, &answer, &p->arena);
    for (uint32_t i = 0; i < p->slot.frame_count; i++) {
        uint64_t offset = p->slot.offset + p->slot.frames[i].offset;
        while (record < p->native.count && p->native.records[record].offset < offset)
            record++;
        if (p->skipped[i])
            continue;
        bool is_native =
            record < p->native.count && p->native.records[record].offset == offset;
        while (has_answer && answer.index < i)
            has_answer = evtx_wire_take(in, &at, &answer, &p->arena);
        if (has_answer && answer.index == i)
            judge(r, p, i, is_native ? &p->native.records[record] : NULL, &answer);
        else
            judge_unanswered(r, p, i);
    }
    for (size_t i = 0; i < p->items; i++)
        give_up_item(r, &r->items[p->first_item + i]);
    progress_advance(r->progress, p->slot.length);
}

/* ---- the log */

static void feed(struct run *r, size_t *submitted)
{
    for (;;) {
        for (; *submitted < r->count; ++*submitted) {
            struct passage *p = passage_at(r, *submitted);
            if (!p->task.is_done && !pool_submit(r->v->pool, &p->task))
                return;
        }
        skip_slots(r);
        if (r->next_offset >= r->log->size || r->count == r->v->ring_size)
            return;
        begin(r, passage_at(r, r->count++));
    }
}

static enum status read_slots(struct run *r, struct error *err)
{
    size_t submitted = 0;
    for (;;) {
        if (stop_requested()) {
            pool_cancel(r->v->pool);
            return fail(err, FAILED, place_at(r, r->next_offset, NO_RECORD),
                        "stopped while verifying records of this log");
        }
        feed(r, &submitted);
        if (r->count == 0)
            return OK;
        if (!passage_at(r, 0)->task.is_done) {
            pool_wait(r->v->pool);
            continue;
        }
        finish(r, passage_at(r, 0));
        r->first = (r->first + 1) % r->v->ring_size;
        r->count--;
        submitted--;
    }
}

/* ---- the set of records */

static int by_id(const void *a_, const void *b_)
{
    const struct evtx_listed *a = a_, *b = b_;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return (a->written_filetime > b->written_filetime) -
           (a->written_filetime < b->written_filetime);
}

/* Records that one side alone has. */
struct only {
    uint64_t count, first_id, last_id;
};

static void note_only(struct only *only, const struct evtx_listed *record)
{
    if (only->count++ == 0)
        only->first_id = record->id;
    only->last_id = record->id;
}

static void tell_only(struct run *r, const struct only *only, const char *who)
{
    if (only->count)
        problems_add(r->problems, PROBLEM_VERIFY_RECORD_SET,
                     place_at(r, NO_OFFSET, NO_RECORD),
                     "%" PRIu64 " of this log's records (header ids %" PRIu64
                     " to %" PRIu64 ") %s",
                     only->count, only->first_id, only->last_id, who);
}

static void sort_records(struct evtx_listed *records, size_t count)
{
    if (count)
        qsort(records, count, sizeof *records, by_id);
}

static void compare_sets(struct run *r, struct evtx_listing *theirs)
{
    struct only native = {0}, libevtx = {0};
    size_t i = 0, k = 0;
    sort_records(r->seen.records, r->seen.count);
    sort_records(theirs->records, theirs->count);
    while (i < r->seen.count || k < theirs->count) {
        int order = i == r->seen.count ? 1
                    : k == theirs->count
                        ? -1
                        : by_id(&r->seen.records[i], &theirs->records[k]);
        if (order < 0)
            note_only(&native, &r->seen.records[i]);
        else if (order > 0)
            note_only(&libevtx, &theirs->records[k]);
        else
            r->counts->listed_by_both++;
        i += order <= 0;
        k += order >= 0;
    }
    r->counts->only_native += native.count;
    r->counts->only_libevtx += libevtx.count;
    tell_only(r, &native,
              "are read here, but libevtx does not give them when it opens "
              "the whole log");
    tell_only(r, &libevtx,
              "are given by libevtx when it opens the whole log, but are no "
              "live records here");
}

static void verify_set(struct run *r)
{
    struct evtx_listing theirs;
    libevtx_list(&theirs, r->v->pool, r->log, r->v->deadline_milliseconds);
    if (theirs.failure[0]) {
        r->counts->logs_not_listed++;
        problems_add(
            r->problems, PROBLEM_VERIFY_RECORD_SET, place_at(r, NO_OFFSET, NO_RECORD),
            "libevtx could not list the records of the whole log, so their set "
            "was not compared: %s",
            theirs.failure);
    } else {
        r->counts->logs_listed++;
        compare_sets(r, &theirs);
    }
    free(theirs.records);
}

enum status verify_log(struct verifier *v, const struct evidence_log *log,
                       const struct evtx_log_facts *facts, struct verify_item *items,
                       size_t count, bool whole, struct verify_counts *counts,
                       struct problems *problems, struct progress *progress,
                       struct error *err)
{
    struct run r = {.v = v,
                    .log = log,
                    .items = items,
                    .item_count = count,
                    .is_off_grid = facts->is_off_grid,
                    .whole = whole,
                    .counts = counts,
                    .problems = problems,
                    .progress = progress,
                    .next_offset = facts->first_slot};
    enum status status = read_slots(&r, err);
    for (size_t i = r.next_item; status == OK && i < count; i++)
        give_up_item(&r, &items[i]);
    if (status == OK && whole)
        verify_set(&r);
    free(r.seen.records);
    return status;
}
