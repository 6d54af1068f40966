/* SPDX-License-Identifier: Apache-2.0
 * The rules and their thresholds come from measurements on public logs (doc/formats.md):
 * of 27,974 frames in slack, 28,354 of 28,376 have a header time between 1970 and 2033. */
#include "evtx/recover.h"

#include "util/filetime.h"

enum {
    SIZE_AT = 4,
    SIZE_COPY = 4,
    HEADER = 24,
    RECORD_MIN =
        64, /* a header and the smallest instance; 192 is the least ever seen */
    RECORD_MAX = EVTX_CHUNK_SIZE - EVTX_CHUNK_HEADER_SIZE,
    ZEROS_MIN = 16 /* so many at its end make a record torn; padding is 7 at most */
};

#define FILETIME_1999 UINT64_C(125596224000000000)
#define FILETIME_2100 UINT64_C(157469184000000000)

static bool size_is_possible(uint32_t size)
{
    return size >= RECORD_MIN && size <= RECORD_MAX && size % EVTX_ALIGNMENT == 0;
}

static bool header_is_possible(struct bytes chunk, uint32_t at)
{
    uint64_t time = bytes_u64(chunk, at + 16), id = bytes_u64(chunk, at + 8);
    return id > 0 && id < UINT64_C(1) << 48 &&
           (time == 0 || (time >= FILETIME_1999 && time < FILETIME_2100));
}

static bool has_magic(struct bytes chunk, uint32_t at)
{
    return bytes_equal_at(chunk, at, "**\0\0", 4);
}

static bool body_starts(struct bytes chunk, uint32_t at)
{
    return bytes_equal_at(chunk, at + HEADER, "\x0f\x01\x01\x00", 4);
}

/* The first frame behind `at`; the data's end if there is none. */
static uint32_t next_frame(struct bytes chunk, uint32_t at)
{
    struct evtx_frame unused;
    for (at += EVTX_ALIGNMENT; at < chunk.len; at += EVTX_ALIGNMENT)
        if (evtx_frame_at(chunk, at, &unused))
            return at;
    return (uint32_t)chunk.len;
}

/* Where the zeros at the end of [from, to) begin; `to` if there are too few of them. */
static uint32_t zeros_begin(struct bytes chunk, uint32_t from, uint32_t to)
{
    uint32_t at = to;
    while (at > from && chunk.ptr[at - 1] == 0)
        at--;
    return to - at >= ZEROS_MIN ? at : to;
}

static void fill(struct recovered_frame *out, struct bytes chunk, uint32_t at,
                 uint32_t size, const char *repaired)
{
    *out = (struct recovered_frame){
        .frame = {at, size, bytes_u64(chunk, at + 8), bytes_u64(chunk, at + 16)},
        .state = RECORD_BEHIND_DAMAGE,
        .intact_end = at + size,
        .repaired = repaired
    };
}

/* The size from the size copy before the next record, or before the records' end. */
static bool repair_size(const struct evtx_slot *s, uint32_t at,
                        struct recovered_frame *out)
{
    uint32_t next = next_frame(s->data, at), ends[] = {next, s->chunk.free_space};
    for (unsigned i = 0; i < 2; i++) {
        uint32_t size = ends[i] - at;
        if (ends[i] > at && ends[i] <= next && size_is_possible(size) &&
            bytes_u32(s->data, ends[i] - 4) == size) {
            fill(out, s->data, at, size,
                 "its size was damaged; its size copy is right");
            return true;
        }
    }
    return false;
}

static bool repair_magic(const struct evtx_slot *s, uint32_t at,
                         struct recovered_frame *out)
{
    uint32_t size = bytes_u32(s->data, at + SIZE_AT);
    if (!size_is_possible(size) || !bytes_has(s->data, at, size) ||
        bytes_u32(s->data, at + size - 4) != size || !header_is_possible(s->data, at) ||
        !body_starts(s->data, at))
        return false;
    fill(out, s->data, at, size, "its magic was damaged; both of its sizes are right");
    return true;
}

/* Magic and size stand, the size copy does not. */
static bool repair_copy(const struct evtx_slot *s, uint32_t at,
                        struct recovered_frame *out)
{
    struct bytes chunk = s->data;
    uint32_t size = bytes_u32(chunk, at + SIZE_AT);
    if (!size_is_possible(size) || !header_is_possible(chunk, at) ||
        !body_starts(chunk, at))
        return false;
    uint32_t next = next_frame(chunk, at), end = at + size;
    uint32_t stop = end < next ? end : next;
    bool is_followed = end == next || end == s->chunk.free_space;
    fill(out, chunk, at, stop - at, "its size copy was damaged; its size is right");
    out->intact_end = zeros_begin(chunk, at + HEADER, stop);
    if (is_followed && end <= chunk.len && out->intact_end == stop)
        return true;
    out->state = RECORD_TORN;
    out->repaired =
        end > chunk.len ? "the log ends inside it" : "its end is overwritten";
    if (out->intact_end == stop && end != stop)
        out->intact_end = stop;
    return out->intact_end > at + HEADER;
}

static bool repair(const struct evtx_slot *s, uint32_t at, struct recovered_frame *out)
{
    if (!has_magic(s->data, at))
        return repair_magic(s, at, out);
    return (header_is_possible(s->data, at) && body_starts(s->data, at) &&
            repair_size(s, at, out)) ||
           repair_copy(s, at, out);
}

bool recover_next(const struct evtx_slot *slot, uint32_t *at, uint32_t end,
                  struct recovered_frame *out)
{
    struct evtx_frame frame;
    for (; *at < end && bytes_has(slot->data, *at, HEADER); *at += EVTX_ALIGNMENT) {
        if (evtx_frame_at(slot->data, *at, &frame)) {
            fill(out, slot->data, *at, frame.size, NULL);
        } else if (!repair(slot, *at, out)) {
            continue;
        }
        *at += out->frame.size & ~(EVTX_ALIGNMENT - 1u);
        return true;
    }
    return false;
}

static const char *remark_of(const struct recovered_frame *f, const char *wrong)
{
    return f->state == RECORD_TORN || !wrong ? f->repaired : wrong;
}

/* Is what was decoded a record at all? Everything else is chance. */
static bool is_believable(const struct evtx_record *r)
{
    uint64_t time = r->system.time_created_filetime;
    return r->system.record_id != NO_RECORD && r->system.record_id > 0 &&
           time >= FILETIME_1999 && time < FILETIME_2100;
}

static void recover_one(struct native_work *w, struct decoder *d,
                        const struct recovered_frame *f)
{
    bool is_torn = f->state == RECORD_TORN;
    struct evtx_record *record = &w->records[w->count];
    const char *wrong;
    d->binxml.intact_end = f->intact_end;
    enum status status = decoder_record(
        d, f->frame.offset, f->frame.size + (is_torn ? SIZE_COPY : 0), record, &wrong);
    d->binxml.intact_end = d->binxml.chunk.len;
    bool is_slack = f->is_slack;
    if (!is_believable(record)) {
        if (!is_slack)
            native_lose(w, &f->frame, PROBLEM_RECORD_DAMAGED,
                        wrong ? wrong : "a record that cannot be believed");
        return;
    }
    record->offset = w->slot->offset + f->frame.offset;
    record->chunk_offset = w->slot->offset;
    record->raw = bytes_slice(w->slot->data, f->frame.offset, f->frame.size);
    record->size = f->frame.size;
    record->state = d->binxml.is_nameless          ? RECORD_POSITIONAL
                    : is_torn || status == DAMAGED ? RECORD_TORN
                                                   : f->state;
    const char *remark = remark_of(f, wrong);
    record->has_unread_bytes =
        !evtx_slot_is_read(w->slot, f->frame.offset, f->frame.size);
    if (record->has_unread_bytes) {
        record->state = RECORD_TORN;
        native_remark(w, PROBLEM_RECORDS_NOT_READ, EVTX_UNREAD_INSIDE);
    } else if (remark)
        native_remark(w,
                      remark == wrong && d->binxml.is_restored && status == OK
                          ? PROBLEM_TEMPLATE_RESTORED
                      : is_slack ? PROBLEM_RECOVERED_IN_PART
                                 : PROBLEM_RECORD_DAMAGED,
                      remark);
    w->needs_templates |= d->binxml.is_nameless;
    d->binxml.intact_end = f->intact_end;
    native_write_event(w, d, f->frame.offset, f->frame.size + (is_torn ? SIZE_COPY : 0),
                       record);
    d->binxml.intact_end = d->binxml.chunk.len;
    w->count++;
}

static void recover_range(struct native_work *w, struct decoder *d, uint32_t from,
                          uint32_t to, enum record_state state)
{
    struct recovered_frame f;
    for (uint32_t at = from; recover_next(w->slot, &at, to, &f);) {
        if (f.state == RECORD_BEHIND_DAMAGE)
            f.state = state;
        f.is_slack = state == RECORD_SLACK;
        if (w->count < EVTX_FRAMES_MAX)
            recover_one(w, d, &f);
    }
}

static void recover_hidden(struct native_work *w, struct decoder *d)
{
    const struct evtx_slot *s = w->slot;
    for (uint32_t i = 0; i < s->hidden_count && i < EVTX_HIDDEN_MAX; i++) {
        const struct evtx_frame *frame = &s->hidden[i].frame;
        struct recovered_frame f = {.frame = *frame,
                                    .state = RECORD_HIDDEN,
                                    .intact_end = frame->offset + frame->size};
        if (w->count < EVTX_FRAMES_MAX)
            recover_one(w, d, &f);
    }
}

void recover_records(struct native_work *w, struct decoder *d)
{
    const struct evtx_slot *s = w->slot;
    uint32_t end = (uint32_t)s->data.len, slack = s->chunk.cursor;
    if (s->kind == SLOT_ORPHAN || s->kind == SLOT_FOREIGN) {
        recover_range(w, d, 0, end, RECORD_ORPHAN_CHUNK);
        return;
    }
    recover_hidden(w, d);
    recover_range(w, d, s->live_end, slack, RECORD_BEHIND_DAMAGE);
    recover_range(w, d, slack, end, RECORD_SLACK);
}
