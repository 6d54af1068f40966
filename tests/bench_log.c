/* SPDX-License-Identifier: Apache-2.0
 * bench_log OUT MIB SOURCE.evtx... - a large Sysmon log made of real chunks, for bench.sh.
 *
 * The full chunks of the sources (free space beyond 0xe000, checksums right, every record
 * Sysmon's) are repeated until the log has MIB mebibytes. Each round is moved on by the
 * same time everywhere: record header, TimeCreated, texts of times, the second inside each
 * process GUID. Record ids count on, those of the header over the log and EventRecordID for
 * each computer. So every record is an event of its own, and a round has the lineage of the
 * first one, moved on. Checksums are made right again. */
#include <inttypes.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>

#include "evtx/evtx_internal.h"
#include "memory_log.h"
#include "util/filetime.h"
#include "util/guid.h"
#include "util/memory.h"
#include "util/strings.h"

enum {
    FULL_CHUNK = 0xe000,
    TIME_CHARACTERS = 23,            /* 2020-01-01 00:00:00.000 */
    ROUND_SECONDS = 30 * 86400 + 11, /* longer than most of the logs */
    FIRST_RECORD_ID = 1000
};

/* One place of a chunk that each round writes anew. */
struct patch {
    enum { HEADER_ID, SYSTEM_ID, TIME, TIME_TEXT, GUID_SECOND } kind;
    uint32_t at;
    uint32_t record; /* of the chunk */
};

struct source_chunk {
    uint8_t *bytes;
    struct patch *patches;
    size_t patch_count, patch_capacity;
    uint32_t *computers; /* string number, by record */
    uint32_t record_count;
};

struct maker {
    struct source_chunk *chunks;
    size_t count, capacity;
    struct strings names;
    struct map seen; /* content of chunks that were taken */
    struct arena keys;
    uint64_t *next_id; /* by computer */
    uint64_t next_header_id;
};

/* ---- taking chunks */

static void add_patch(struct source_chunk *c, int kind, uint32_t at, uint32_t record)
{
    ARRAY_GROW(c->patches, c->patch_count, c->patch_capacity);
    c->patches[c->patch_count].kind = kind;
    c->patches[c->patch_count].at = at;
    c->patches[c->patch_count++].record = record;
}

static struct text narrow(char out[TIME_CHARACTERS], const uint8_t *utf16)
{
    for (int i = 0; i < TIME_CHARACTERS; i++)
        out[i] = utf16[2 * i + 1] ? '?' : (char)utf16[2 * i];
    return (struct text){out, TIME_CHARACTERS};
}

static bool is_time_text(struct bytes raw)
{
    char text[TIME_CHARACTERS];
    uint64_t filetime;
    return (raw.len == 2 * TIME_CHARACTERS || raw.len == 2 * TIME_CHARACTERS + 2) &&
           filetime_parse(narrow(text, raw.ptr), &filetime);
}

static bool is_process_guid(const struct evtx_value *v)
{
    static const uint8_t null[16];
    return v->is_data && v->type == 0x0f && v->raw.len == 16 &&
           memcmp(v->raw.ptr, null, sizeof null) != 0;
}

static void add_record_patches(struct source_chunk *c, const struct evtx_frame *frame,
                               uint32_t record)
{
    static struct evtx_values values;
    struct bytes chunk = {c->bytes, EVTX_CHUNK_SIZE};
    add_patch(c, HEADER_ID, frame->offset + 8, record);
    add_patch(c, TIME, frame->offset + 16, record);
    evtx_values_read(&values, chunk, frame);
    for (size_t i = 0; i < values.count; i++) {
        const struct evtx_value *v = &values.value[i];
        uint32_t at = (uint32_t)(v->raw.ptr - c->bytes);
        if (!v->is_data && v->type == 0x0a && v->raw.len == 8)
            add_patch(c, SYSTEM_ID, at, record);
        else if (v->type == 0x11 && v->raw.len == 8)
            add_patch(c, TIME, at, record);
        else if (is_process_guid(v))
            add_patch(c, GUID_SECOND, at + 4, record);
        else if (v->type == EVTX_VALUE_STRING && is_time_text(v->raw))
            add_patch(c, TIME_TEXT, at, record);
    }
}

/* Sources share records: a chunk is known by the names and ids of its first record. */
static bool is_new(struct maker *m, const struct evtx_record *first)
{
    struct text key = arena_printf(
        &m->keys, "%.*s %" PRIu64 " %" PRIu64, TEXT(first->system.computer),
        first->system.record_id, first->system.time_created_filetime);
    return map_add(&m->seen, map_key_text(key), (uint32_t)m->count) == m->count;
}

static bool is_full(struct bytes chunk)
{
    struct evtx_chunk c;
    evtx_chunk_open(&c, chunk);
    return c.has_magic && c.header_crc_ok && c.data_crc_ok && c.free_space > FULL_CHUNK;
}

struct taking {
    struct maker *maker;
    struct memory_log *log;
};

static enum status take_chunk(void *context, const struct evtx_record *records,
                              size_t count)
{
    const struct taking *t = context;
    struct maker *m = t->maker;
    uint64_t slot = (records[0].offset - EVTX_HEADER_SIZE) / EVTX_CHUNK_SIZE;
    size_t at = EVTX_HEADER_SIZE + slot * EVTX_CHUNK_SIZE;
    if (at + EVTX_CHUNK_SIZE > t->log->bytes.len)
        return OK;
    struct bytes chunk = {memory_log_at(t->log, at), EVTX_CHUNK_SIZE};
    if (!is_full(chunk))
        return OK;
    for (size_t i = 0; i < count; i++)
        if (!text_equal(records[i].system.provider,
                        TEXT_LITERAL("Microsoft-Windows-Sysmon")))
            return OK;
    if (!is_new(m, &records[0]))
        return OK;
    ARRAY_GROW(m->chunks, m->count, m->capacity);
    struct source_chunk *c = &m->chunks[m->count++];
    *c = (struct source_chunk){.bytes = memory_get(EVTX_CHUNK_SIZE),
                               .computers = memory_get(count * sizeof *c->computers),
                               .record_count = (uint32_t)count};
    memcpy(c->bytes, chunk.ptr, EVTX_CHUNK_SIZE);
    for (size_t i = 0; i < count; i++) {
        struct evtx_frame frame;
        c->computers[i] = strings_add(&m->names, records[i].system.computer);
        if (evtx_frame_at((struct bytes){c->bytes, EVTX_CHUNK_SIZE},
                          (uint32_t)(records[i].offset - at), &frame))
            add_record_patches(c, &frame, (uint32_t)i);
    }
    return OK;
}

static void take_source(struct maker *m, struct evtx_reader *reader, const char *path)
{
    struct memory_log *log = memory_log_open(path);
    struct taking taking = {m, log};
    struct error err;
    if (!log)
        return;
    evtx_read(reader, &log->log, take_chunk, &taking, NULL, NULL, NULL, &err);
    memory_log_free(log);
}

/* ---- writing rounds */

static void put(uint8_t *to, uint64_t value, int size)
{
    for (int i = 0; i < size; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static void put_time_text(uint8_t *to, uint64_t moved)
{
    char narrowed[TIME_CHARACTERS], out[FILETIME_TEXT_MAX];
    uint64_t filetime = 0;
    filetime_parse(narrow(narrowed, to), &filetime);
    filetime_format(out, filetime + moved, FILETIME_SPACED);
    for (int i = 0; i < TIME_CHARACTERS; i++)
        to[2 * i] = (uint8_t)out[i];
}

static void apply(struct maker *m, const struct source_chunk *c, const struct patch *p,
                  uint8_t *chunk, uint64_t round)
{
    struct bytes bytes = {chunk, EVTX_CHUNK_SIZE};
    uint64_t seconds = round * ROUND_SECONDS, moved = seconds * FILETIME_SECOND;
    uint8_t *to = chunk + p->at;
    switch (p->kind) {
    case HEADER_ID: put(to, m->next_header_id + p->record, 8); break;
    case SYSTEM_ID: put(to, m->next_id[c->computers[p->record]]++, 8); break;
    case TIME: put(to, bytes_u64(bytes, p->at) + moved, 8); break;
    case TIME_TEXT: put_time_text(to, moved); break;
    case GUID_SECOND: put(to, bytes_u32(bytes, p->at) + seconds, 4); break;
    }
}

static void seal(uint8_t *chunk)
{
    struct bytes b = {chunk, EVTX_CHUNK_SIZE};
    uint32_t end = bytes_u32(b, 48);
    put(chunk + 52,
        libdeflate_crc32(0, chunk + EVTX_CHUNK_HEADER_SIZE,
                         end - EVTX_CHUNK_HEADER_SIZE),
        4);
    uint32_t crc = libdeflate_crc32(0, chunk, 120);
    put(chunk + 124, libdeflate_crc32(crc, chunk + 128, EVTX_CHUNK_HEADER_SIZE - 128),
        4);
}

static void make_chunk(struct maker *m, const struct source_chunk *c, uint64_t round,
                       uint8_t *chunk)
{
    memcpy(chunk, c->bytes, EVTX_CHUNK_SIZE);
    for (size_t i = 0; i < c->patch_count; i++)
        apply(m, c, &c->patches[i], chunk, round);
    uint64_t last = m->next_header_id + c->record_count - 1;
    put(chunk + 8, m->next_header_id, 8);
    put(chunk + 16, last, 8);
    put(chunk + 24, m->next_header_id, 8);
    put(chunk + 32, last, 8);
    m->next_header_id = last + 1;
    seal(chunk);
}

static void make_header(uint8_t header[EVTX_HEADER_SIZE], uint64_t chunks,
                        uint64_t next)
{
    memset(header, 0, EVTX_HEADER_SIZE);
    memcpy(header, "ElfFile", 8);
    put(header + 16, chunks - 1, 8);
    put(header + 24, next, 8);
    put(header + 32, 128, 4);
    put(header + 36, 1, 2);
    put(header + 38, 3, 2);
    put(header + 40, EVTX_HEADER_SIZE, 2);
    put(header + 42, chunks, 2);
    put(header + 124, libdeflate_crc32(0, header, 120), 4);
}

static bool write_log(struct maker *m, FILE *out, uint64_t chunks)
{
    uint8_t header[EVTX_HEADER_SIZE], *chunk = memory_get(EVTX_CHUNK_SIZE);
    uint64_t records = 0;
    make_header(header, chunks, 0);
    bool good = fwrite(header, sizeof header, 1, out) == 1;
    for (uint64_t i = 0; i < chunks && good; i++) {
        make_chunk(m, &m->chunks[i % m->count], i / m->count, chunk);
        records += m->chunks[i % m->count].record_count;
        good = fwrite(chunk, EVTX_CHUNK_SIZE, 1, out) == 1;
    }
    make_header(header, chunks, m->next_header_id);
    good = good && fseek(out, 0, SEEK_SET) == 0 &&
           fwrite(header, sizeof header, 1, out) == 1;
    printf("%" PRIu64 " records in %" PRIu64 " chunks, made of %zu chunks in %" PRIu64
           " rounds\n",
           records, chunks, m->count, (chunks + m->count - 1) / m->count);
    free(chunk);
    return good;
}

static void release(struct maker *m)
{
    for (size_t i = 0; i < m->count; i++) {
        free(m->chunks[i].bytes);
        free(m->chunks[i].patches);
        free(m->chunks[i].computers);
    }
    free(m->chunks);
    free(m->next_id);
    strings_release(&m->names);
    map_release(&m->seen);
    arena_release(&m->keys);
}

int main(int argc, char **argv)
{
    struct maker m = {.next_header_id = FIRST_RECORD_ID};
    uint64_t mebibytes;
    if (argc < 4 || !text_to_u64(text_from(argv[2]), &mebibytes) || mebibytes == 0) {
        fprintf(stderr, "usage: bench_log OUT MIB SOURCE.evtx...\n");
        return 2;
    }
    struct evtx_reader *reader = evtx_reader_open(EVTX_READER_NATIVE, 1);
    for (int i = 3; i < argc; i++)
        take_source(&m, reader, argv[i]);
    evtx_reader_close(reader);
    if (m.count == 0) {
        fprintf(stderr, "bench_log: no full Sysmon chunk in what was given\n");
        return 1;
    }
    m.next_id = memory_get(((size_t)m.names.map.count + 2) * sizeof *m.next_id);
    for (uint32_t i = 0; i < m.names.map.count + 2; i++)
        m.next_id[i] = FIRST_RECORD_ID;
    FILE *out = fopen(argv[1], "wb");
    bool good = out && write_log(&m, out, mebibytes * 16);
    good = out && fclose(out) == 0 && good;
    if (!good)
        perror(argv[1]);
    release(&m);
    return good ? 0 : 1;
}
