/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_log.h"

#include <inttypes.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/memory.h"

struct evidence_stream {
    struct memory_log *log;
};

enum status evidence_log_read(const struct evidence_log *log, uint64_t offset,
                              void *into, size_t len, size_t *got, struct error *err)
{
    const struct memory_log *m = log->stream->log;
    *got = 0;
    if (offset >= m->bytes.len)
        return OK;
    size_t left = m->bytes.len - offset;
    *got = len < left ? len : left;
    memcpy(into, m->bytes.ptr + offset, *got);
    size_t from = m->bad_from > offset ? (size_t)(m->bad_from - offset) : 0;
    size_t to = m->bad_to > offset ? (size_t)(m->bad_to - offset) : 0;
    to = to < *got ? to : *got;
    if (from < to) {
        memset((uint8_t *)into + from, 0, to - from);
        return fail(err, DAMAGED, evidence_log_place(log, offset + from, NO_RECORD),
                    "bad sector");
    }
    return OK;
}

void evidence_source_open(struct evidence_source *source, const struct evidence_log *log)
{
    *source = (struct evidence_source){log, -1};
}

enum status evidence_source_read(const struct evidence_source *source, uint64_t offset,
                                 void *into, size_t len, size_t *got, struct error *err)
{
    return evidence_log_read(source->log, offset, into, len, got, err);
}

void evidence_source_close(struct evidence_source *source)
{
    (void)source;
}

struct place evidence_log_place(const struct evidence_log *log, uint64_t offset,
                                uint64_t record_id)
{
    return (struct place){log->evidence, log->path, offset, record_id};
}

struct memory_log *memory_log_make(const void *bytes, size_t len)
{
    struct memory_log *m = memory_get_zeroed(1, sizeof *m);
    buffer_add(&m->bytes, bytes, len);
    m->log.evidence = TEXT_LITERAL("memory");
    m->log.path = TEXT_LITERAL("test.evtx");
    m->log.size = len;
    m->log.stream = memory_get_zeroed(1, sizeof *m->log.stream);
    m->log.stream->log = m;
    return m;
}

struct memory_log *memory_log_open(const char *path)
{
    FILE *file = path ? fopen(path, "rb") : NULL;
    if (!file)
        return NULL;
    struct buffer content = {0};
    size_t got;
    while ((got = fread(buffer_reserve(&content, 65536), 1, 65536, file)) > 0)
        content.len += got;
    fclose(file);
    struct memory_log *m = memory_log_make(content.ptr, content.len);
    buffer_release(&content);
    return m;
}

struct memory_log *memory_log_open_start(const char *path, unsigned chunks)
{
    struct memory_log *m = memory_log_open(path);
    if (!m)
        return NULL;
    m->log.size = m->bytes.len = EVTX_HEADER_SIZE + (size_t)chunks * EVTX_CHUNK_SIZE;
    *memory_log_at(m, 42) = (uint8_t)chunks;
    *memory_log_at(m, 16) = (uint8_t)(chunks - 1);
    memory_log_u32(m, 120, 0);
    memory_log_seal(m);
    return m;
}

void memory_log_free(struct memory_log *m)
{
    if (!m)
        return;
    buffer_release(&m->bytes);
    free(m->log.stream);
    free(m);
}

uint8_t *memory_log_at(struct memory_log *m, size_t at)
{
    return (uint8_t *)m->bytes.ptr + at;
}

void memory_log_u32(struct memory_log *m, size_t at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        *memory_log_at(m, at + (size_t)i) = (uint8_t)(value >> (8 * i));
}

void memory_log_seal(struct memory_log *m)
{
    memory_log_u32(m, 124, libdeflate_crc32(0, memory_log_at(m, 0), 120));
}

void memory_log_seal_chunk(struct memory_log *m, unsigned n)
{
    size_t at = EVTX_HEADER_SIZE + (size_t)n * EVTX_CHUNK_SIZE;
    struct bytes chunk = {memory_log_at(m, at), EVTX_CHUNK_SIZE};
    uint32_t end = bytes_u32(chunk, 48);
    if (end >= EVTX_CHUNK_HEADER_SIZE && end <= EVTX_CHUNK_SIZE)
        memory_log_u32(m, at + 52,
                       libdeflate_crc32(0, chunk.ptr + EVTX_CHUNK_HEADER_SIZE,
                                        end - EVTX_CHUNK_HEADER_SIZE));
    uint32_t crc = libdeflate_crc32(0, chunk.ptr, 120);
    memory_log_u32(
        m, at + 124,
        libdeflate_crc32(crc, chunk.ptr + 128, EVTX_CHUNK_HEADER_SIZE - 128));
}

char *shared_path(const char *below)
{
    const char *shared = getenv("SHARED_DATA");
    if (!shared || !*shared)
        return NULL;
    struct buffer path = {0};
    buffer_printf(&path, "%s/%s", shared, below);
    return path.ptr;
}

static void tell_record(struct outcome *o, const struct evtx_record *r)
{
    buffer_printf(&o->told, "%" PRIu64 " %" PRIu64 " %u %.*s %.*s %" PRIu64 " %" PRIu64,
                  r->offset, r->header_id, r->system.event_id, TEXT(r->system.provider),
                  TEXT(r->system.computer), r->system.record_id,
                  r->system.time_created_filetime);
    if (r->state != RECORD_LIVE)
        buffer_printf(&o->told, " %s", record_state_name(r->state));
    for (size_t i = 0; i < r->field_count; i++)
        buffer_printf(&o->told, "|%.*s=%.*s", TEXT(evtx_record_name(r, i)),
                      TEXT(evtx_record_value(r, i)));
    buffer_add_char(&o->told, '\n');
}

static enum status keep(void *context, const struct evtx_record *records, size_t count)
{
    struct outcome *o = context;
    for (size_t i = 0; i < count; i++) {
        const struct evtx_record *r = &records[i];
        o->states[r->state]++;
        bool is_sysmon =
            text_equal(r->system.provider, TEXT_LITERAL("Microsoft-Windows-Sysmon"));
        o->sysmon += is_sysmon;
        o->creations += is_sysmon && r->system.event_id == 1;
        if (o->offset_count < 4096)
            o->offsets[o->offset_count++] = r->offset;
        tell_record(o, r);
    }
    o->records += count;
    o->chunks++;
    return OK;
}

void outcome_read(struct outcome *o, struct evtx_reader *reader, struct memory_log *m)
{
    *o = (struct outcome){0};
    problems_init(&o->problems, &o->arena);
    struct error err = {0};
    o->status =
        evtx_read(reader, &m->log, keep, o, &o->facts, &o->problems, NULL, &err);
    for (size_t i = 0; i < o->problems.count; i++) {
        const struct problem *p = &o->problems.rows[i];
        buffer_printf(&o->told, "%s %" PRIu64 " %" PRId64 " %.*s\n",
                      problem_kinds[p->code].code, p->place.offset,
                      (int64_t)p->place.record_id, TEXT(p->message));
    }
}

void outcome_release(struct outcome *o)
{
    problems_release(&o->problems);
    arena_release(&o->arena);
    buffer_release(&o->told);
}

const struct problem *outcome_problem(const struct outcome *o, enum problem_code code,
                                      size_t n)
{
    for (size_t i = 0; i < o->problems.count; i++)
        if (o->problems.rows[i].code == code && n-- == 0)
            return &o->problems.rows[i];
    return NULL;
}

bool outcome_has_record_at(const struct outcome *o, uint64_t offset)
{
    for (size_t i = 0; i < o->offset_count; i++)
        if (o->offsets[i] == offset)
            return true;
    return false;
}
