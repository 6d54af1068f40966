/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/import.h"

#include <inttypes.h>
#include <stdlib.h>

#include "util/map.h"
#include "util/memory.h"
#include "util/stop.h"

enum {
    BATCH_RECORDS = 512,
    BATCH_BYTES = 4 << 20, /* of event text */
    ROWS_TOLD = 200        /* of one kind for one file; the rest is counted */
};

/* Of one kind, how many there were, and where the last one lies. */
struct told {
    uint64_t count, last_offset;
};

/* One reading of one file. */
struct import {
    const struct import_job *job;
    struct import_text text;
    struct import_xml xml;
    struct decoder decoder;
    struct arena arena; /* of a batch */
    struct evtx_record records[BATCH_RECORDS];
    size_t count, bytes;
    struct buffer events;   /* of the batch, as text */
    struct event_tree tree; /* of one event */
    struct arena tree_arena;
    struct told lost, replaced, repeated;
};

static struct place place_of(const struct import *m, uint64_t offset,
                             uint64_t record_id)
{
    return evidence_log_place(m->job->log, offset, record_id);
}

/* ---- damage */

/* Is this one to have a row of its own? */
static bool has_row(struct told *told, const struct import_frame *frame)
{
    told->last_offset = frame->offset;
    return told->count++ < ROWS_TOLD;
}

static void tell_rest(struct import *m, const struct told *told, enum problem_code code)
{
    if (told->count > ROWS_TOLD)
        problems_add_rest(m->job->problems, code,
                          place_of(m, told->last_offset, NO_RECORD),
                          told->count - ROWS_TOLD);
}

static void tell_lost(struct import *m, const struct import_frame *frame,
                      const char *why)
{
    m->job->facts->records_damaged++;
    if (has_row(&m->lost, frame))
        problems_add(m->job->problems, PROBLEM_RECORD_NOT_DECODED,
                     place_of(m, frame->offset, NO_RECORD),
                     "the event at byte %" PRIu64 ", line %" PRIu64
                     " of the text could not be read: %s",
                     frame->offset, frame->line, why);
}

static void tell_replaced(struct import *m, const struct import_frame *frame,
                          const struct evtx_record *record)
{
    if (has_row(&m->replaced, frame))
        problems_add(m->job->problems, PROBLEM_TEXT_REPLACED,
                     place_of(m, frame->offset, record->system.record_id),
                     "characters of the event at byte %" PRIu64 ", line %" PRIu64
                     " of the text became U+FFFD",
                     frame->offset, frame->line);
}

/* A name that XML gives twice in EventData: the first one counts. Values without a name are
 * told by their order. */
static struct text repeated_field(const struct evtx_record *record)
{
    struct map seen = {0};
    struct text found = NO_TEXT;
    for (size_t i = 0; i < record->field_count && text_is_absent(found); i++) {
        struct text name = evtx_record_name(record, i);
        uint32_t number = seen.count;
        if (name.len && map_add(&seen, map_key_text(name), number) != number)
            found = name;
    }
    map_release(&seen);
    return found;
}

/* A second value may be there to hide the first: of two only one is used. */
static void tell_repeated(struct import *m, const struct import_frame *frame,
                          const struct evtx_record *record, struct text name,
                          const char *which)
{
    if (has_row(&m->repeated, frame))
        problems_add(m->job->problems, PROBLEM_NAME_REPEATED,
                     place_of(m, frame->offset, record->system.record_id),
                     "the event at byte %" PRIu64 ", line %" PRIu64
                     " of the text gives %.*s%s more than once; the %s value counts",
                     frame->offset, frame->line, TEXT(name), name.len ? "" : "a name",
                     which);
}

/* ---- one event */

static enum status parse(struct import *m, struct import_event *event,
                         const struct binxml_visitor *visitor)
{
    return m->job->log->format.form == LOG_XML
               ? import_xml_event(&m->xml, event, visitor)
               : import_json_event(event, visitor);
}

/* An export can hold records that were recovered: what it says of them stays. */
static enum record_state state_named(struct text name)
{
    for (int state = 0; state < RECORD_STATES; state++)
        if (text_equal(name, text_from(record_state_name((enum record_state)state))))
            return (enum record_state)state;
    return RECORD_LIVE;
}

static bool says_something(const struct evtx_record *record)
{
    return !text_is_empty(record->system.provider) ||
           record->system.record_id != NO_RECORD;
}

/* The record's text is made from a tree, which the same visitor interface builds: so XML
 * becomes JSON and JSON XML. */
static void write_event(struct import *m, struct import_event *event,
                        struct evtx_record *record)
{
    const struct import_job *job = m->job;
    if (job->form == EVTX_NO_EVENTS || !job->wanted(job->wanted_context, record))
        return;
    arena_clear(&m->tree_arena);
    struct binxml_visitor visitor = event_tree_start(&m->tree, record, &m->tree_arena);
    if (parse(m, event, &visitor) != OK)
        return;
    event_tree_finish(&m->tree);
    event_write_tree(&m->tree, job->form, record, &m->events);
}

static void count_record(struct import *m, const struct evtx_record *record)
{
    struct evtx_log_facts *f = m->job->facts;
    if (record_state_is_live(record->state))
        f->records++;
    else
        f->records_recovered++;
    f->records_nameless += record->state == RECORD_POSITIONAL;
}

static void take_frame(struct import *m, const struct import_frame *frame)
{
    struct evtx_record *record = &m->records[m->count];
    struct import_event event = {.arena = &m->arena,
                                 .names = frame->names,
                                 .has_long_number = frame->has_long_number};
    event.frame = arena_copy(&m->arena, frame->text);
    *record = (struct evtx_record){
        .offset = frame->offset,
        .chunk_offset = frame->offset,
        .size = (uint32_t)import_text_size(&m->text, frame->text.len),
        .raw = {(const uint8_t *)event.frame.ptr, event.frame.len},
        .header_id = NO_RECORD,
        .header_filetime = FILETIME_NONE,
        .arena = &m->arena,
    };
    struct binxml_visitor visitor = decoder_collect(&m->decoder, &m->arena, record);
    enum status status = parse(m, &event, &visitor);
    const char *odd = decoder_collected(&m->decoder);
    if (status != OK || !says_something(record)) {
        tell_lost(m, frame,
                  status == OK ? "it names no provider and no record id" : event.wrong);
        return;
    }
    record->state = state_named(event.state);
    if (odd)
        problems_add(m->job->problems, PROBLEM_RECORD_DAMAGED,
                     place_of(m, frame->offset, record->system.record_id), "%s", odd);
    if (!text_is_absent(event.repeated))
        tell_repeated(m, frame, record, event.repeated, "last");
    else if (m->job->log->format.form == LOG_XML && !record->is_user_data &&
             !text_is_absent(event.repeated = repeated_field(record)))
        tell_repeated(m, frame, record, event.repeated, "first");
    if (event.was_replaced)
        tell_replaced(m, frame, record);
    write_event(m, &event, record);
    count_record(m, record);
    m->bytes += frame->text.len;
    m->count++;
}

/* ---- batches */

/* Where the events stand, now that their buffer moves no more. */
static void place_events(struct import *m)
{
    const char *at = m->events.ptr;
    for (size_t i = 0; i < m->count; i++)
        at = evtx_record_place_event(&m->records[i], at);
}

static enum status give_batch(struct import *m)
{
    const struct import_job *job = m->job;
    enum status status = OK;
    place_events(m);
    if (m->count && job->prepare)
        job->prepare(job->prepare_context, 0, m->records, m->count, &m->arena);
    if (m->count)
        status = job->sink(job->context, m->records, m->count);
    m->count = m->bytes = 0;
    buffer_clear(&m->events);
    arena_clear(&m->arena);
    return status;
}

static enum status next_frame(struct import *m, struct import_frame *frame)
{
    return m->job->log->format.form == LOG_XML ? import_next_xml(&m->text, frame)
                                               : import_next_json(&m->text, frame);
}

static enum status read_events(struct import *m, struct error *err)
{
    struct import_frame frame;
    while (next_frame(m, &frame) == OK && frame.offset < m->job->to) {
        if (stop_requested())
            return fail(err, FAILED, place_of(m, frame.offset, NO_RECORD),
                        "stopped while reading this log");
        if (frame.offset >= m->job->from) {
            if (frame.wrong)
                tell_lost(m, &frame, frame.wrong);
            else
                take_frame(m, &frame);
        }
        import_text_skip(&m->text, frame.text.len);
        enum status status = OK;
        if (m->count == BATCH_RECORDS || m->bytes > BATCH_BYTES)
            status = give_batch(m);
        if (status != OK)
            return status;
    }
    return give_batch(m);
}

enum status import_read(const struct import_job *job, struct error *err)
{
    struct import *m = memory_get_zeroed(1, sizeof *m);
    m->job = job;
    m->decoder.binxml.templates = job->templates;
    import_text_open(&m->text, job->log, job->problems, job->progress);
    enum status status = read_events(m, err);
    if (status == OK) {
        tell_rest(m, &m->lost, PROBLEM_RECORD_NOT_DECODED);
        tell_rest(m, &m->replaced, PROBLEM_TEXT_REPLACED);
        tell_rest(m, &m->repeated, PROBLEM_NAME_REPEATED);
    }
    job->facts->bytes_unreadable = m->text.unread.bytes;
    import_text_close(&m->text);
    import_xml_release(&m->xml);
    decoder_release(&m->decoder);
    buffer_release(&m->events);
    arena_release(&m->arena);
    arena_release(&m->tree_arena);
    free(m);
    return status;
}
