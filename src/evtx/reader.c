/* SPDX-License-Identifier: Apache-2.0
 * One log, from its first byte to its last.
 *
 * Slots of 64 KiB are read and surveyed in file order; a few of them are under way in the
 * children at any time; they are handed on in file order again, each with its problems.
 * Every live record that the survey saw is then either given or named. */
#include <inttypes.h>
#include <libevtx.h>
#include <stdio.h>
#include <stdlib.h>

#include "evtx/evtx_internal.h"
#include "evtx/import.h"
#include "evtx/log_digest.h"
#include "evtx/native.h"
#include "evtx/seen.h"
#include "evtx/unread.h"
#include "util/memory.h"
#include "util/stop.h"

/* A slot is read with as much behind it as tells what follows: a chunk's header. */
enum {
    LOOKAHEAD = EVTX_CHUNK_HEADER_SIZE,
    SLOTS_AHEAD = 8, /* a job; with 2, threads slept and woke for every slot */
    BATCH = 4        /* slots that a worker gets at once, for the same reason */
};

/* A slot on its way. */
struct passage {
    uint8_t *bytes; /* EVTX_CHUNK_SIZE + LOOKAHEAD */
    struct evtx_slot slot;
    struct pool_task task;
    struct native_work native;
    struct arena arena; /* of its records */
};

struct evtx_reader {
    struct templates templates;
    struct pool *pool;     /* libevtx's children, or ... */
    struct native *native; /* ... our own workers */
    bool recovers;
    evtx_prepare *prepare; /* libevtx's children decode alone: then done here */
    void *prepare_context;
    enum evtx_form form;
    evtx_wanted *wanted;
    const void *wanted_context;
    evtx_glancer *glance;
    void *glance_context;
    struct evtx_digest *digest; /* of the log that is read next, or NULL */
    struct template_index run_templates;
    char name[64];
    struct passage *ring;
    size_t ring_size;
};

static struct evtx_reader *open_ring(unsigned jobs)
{
    struct evtx_reader *r = memory_get_zeroed(1, sizeof *r);
    templates_init(&r->templates);
    r->ring_size = SLOTS_AHEAD * (size_t)(jobs ? jobs : 1) + 1;
    r->ring = memory_get_zeroed(r->ring_size, sizeof *r->ring);
    for (size_t i = 0; i < r->ring_size; i++) {
        r->ring[i].bytes = memory_get(EVTX_CHUNK_SIZE + LOOKAHEAD);
        r->ring[i].slot.frames =
            memory_get_zeroed(EVTX_FRAMES_MAX, sizeof *r->ring[i].slot.frames);
    }
    return r;
}

struct evtx_reader *evtx_reader_open_with(unsigned jobs, unsigned deadline_milliseconds,
                                          evtx_before_record *before_record)
{
    struct evtx_reader *r = open_ring(jobs);
    r->pool = pool_open(jobs, deadline_milliseconds, before_record);
    snprintf(r->name, sizeof r->name, "libevtx %s", libevtx_get_version());
    return r;
}

static struct evtx_reader *open_native(unsigned jobs)
{
    struct evtx_reader *r = open_ring(jobs);
    r->native = native_open(&r->templates, jobs);
    snprintf(r->name, sizeof r->name, "native");
    return r;
}

struct evtx_reader *evtx_reader_open(enum evtx_reader_kind kind, unsigned jobs)
{
    return kind == EVTX_READER_NATIVE
               ? open_native(jobs)
               : evtx_reader_open_with(jobs, DEADLINE_MILLISECONDS, NULL);
}

void evtx_reader_prepare(struct evtx_reader *reader, evtx_prepare *prepare,
                         void *context)
{
    reader->prepare = prepare;
    reader->prepare_context = context;
    if (reader->native)
        native_prepare(reader->native, prepare, context);
}

void evtx_reader_recover(struct evtx_reader *reader, bool recovers)
{
    reader->recovers = recovers && reader->native;
}

void evtx_reader_write_events(struct evtx_reader *reader, enum evtx_form form,
                              evtx_wanted *wanted, const void *context)
{
    reader->form = form;
    reader->wanted = wanted;
    reader->wanted_context = context;
}

void evtx_reader_glance(struct evtx_reader *reader, evtx_glancer *glance, void *context)
{
    reader->glance = glance;
    reader->glance_context = context;
}

void evtx_reader_digest(struct evtx_reader *reader, struct evtx_digest *digest)
{
    digest->is_whole = false;
    reader->digest = reader->native ? digest : NULL;
}

void evtx_reader_close(struct evtx_reader *r)
{
    if (!r)
        return;
    if (r->pool)
        pool_close(r->pool);
    native_close(r->native);
    template_index_release(&r->run_templates);
    for (size_t i = 0; i < r->ring_size; i++) {
        struct passage *p = &r->ring[i];
        free(p->bytes);
        free(p->slot.frames);
        free(p->task.losses);
        buffer_release(&p->task.results);
        native_work_release(&p->native);
        arena_release(&p->arena);
    }
    templates_release(&r->templates);
    free(r->ring);
    free(r);
}

const char *evtx_reader_kind_name(enum evtx_reader_kind kind)
{
    static const char libevtx[] = "libevtx " LIBEVTX_VERSION_STRING;
    return kind == EVTX_READER_NATIVE ? "native" : libevtx;
}

const char *evtx_reader_name(const struct evtx_reader *reader)
{
    return reader->name;
}

const char *record_state_name(enum record_state state)
{
    static const char *const names[] = {"live",         "deleted file", "behind damage",
                                        "orphan chunk", "slack",        "hidden",
                                        "torn",         "positional"};
    return names[state];
}

/* One reading of one log. */
struct reading {
    struct evtx_reader *reader;
    const struct evidence_log *log;
    struct evidence_source source; /* of the log */
    evtx_sink *sink;
    void *context;
    struct evtx_log_facts *facts;
    struct problems *problems;
    struct progress *progress;
    struct evtx_file_header header;
    uint64_t next_offset; /* of the slot to read next */
    uint64_t end;         /* slots from here on are not read */
    size_t first, count;  /* of the ring: what is under way, oldest first */
    struct native_work *batch, **batch_end; /* to be submitted */
    size_t batch_count;
    struct evtx_digest *wanted_digest; /* or NULL */
    struct log_digest digest;          /* then */
    struct gap { /* slots without a chunk, since the last one with */
        uint64_t offset, slots, bytes;
    } zeros, foreign;
    bool is_other_header; /* `foreign` is the file header of another log */
    bool is_joined;       /* one was met */
    struct unread unread;
    bool header_is_unread; /* nothing is judged by it then */
    uint64_t unread_slots; /* whose start could not be read, as the gaps above */
    uint64_t last_id;      /* of the newest record header seen; NO_RECORD: none */
    bool is_cut;           /* the log ends inside a chunk */
    uint64_t slots;        /* up to the last one that held a chunk */
    struct template_index templates; /* of this log; filled when one is missed */
    bool has_learned;
    struct seen seen;     /* what was given, where recovered records will be */
    uint64_t *to_recover; /* offsets of slots that hold more than their live records */
    size_t to_recover_count, to_recover_capacity;
};

static struct place place_at(const struct reading *g, uint64_t offset,
                             uint64_t record_id)
{
    return evidence_log_place(g->log, offset, record_id);
}

#define tell(g, code, offset, record_id, ...)                                          \
 problems_add((g)->problems, PROBLEM_##code, place_at((g), (offset), (record_id)),     \
              __VA_ARGS__)

/* ---- reading bytes */

/* Fill `into` from offset on. False if *unread of it is zeros for want of its bytes. */
static bool read_bytes(struct reading *g, uint64_t offset, uint8_t *into, size_t len,
                       struct evtx_spans *unread)
{
    unread_read(&g->unread, &g->source, offset, into, len, unread);
    if (unread->count)
        log_digest_break(&g->digest);
    return unread->count == 0;
}

/* Read `len` bytes of a slot and, where that goes without saying, some behind it. */
static struct bytes read_ahead(struct reading *g, uint64_t offset, uint8_t *into,
                               size_t len, struct evtx_spans *unread)
{
    unread->count = 0;
    uint64_t left = g->log->size - offset - len;
    size_t got = 0, more = left < LOOKAHEAD ? (size_t)left : LOOKAHEAD;
    if (evidence_source_read(&g->source, offset, into, len + more, &got, NULL) == OK &&
        got == len + more)
        return (struct bytes){into, len + more};
    read_bytes(g, offset, into, len, unread);
    return (struct bytes){into, len};
}

/* Read the slot at `offset`. Where bytes were put in or lost, the grid of slots starts anew
 * at the next chunk; what then lacks of a chunk counts as zeros. */
static void read_slot_at(struct reading *g, uint64_t offset, struct passage *p)
{
    uint64_t left = g->log->size - offset;
    size_t len = left < EVTX_CHUNK_SIZE ? (size_t)left : EVTX_CHUNK_SIZE;
    struct bytes data = read_ahead(g, offset, p->bytes, len, &p->slot.unread);
    p->slot.offset = offset;
    evtx_slot_take(&p->slot, p->bytes, len, data.len);
}

/* Read the next slot, and survey it unless a worker will. */
static void read_slot(struct reading *g, struct passage *p)
{
    if (g->wanted_digest)
        log_digest_let_go(&g->digest, p->bytes);
    read_slot_at(g, g->next_offset, p);
    if (g->wanted_digest)
        log_digest_take(&g->digest, g->next_offset,
                        (struct bytes){p->bytes, p->slot.length});
    if (!g->reader->native)
        evtx_slot_survey(&p->slot);
    g->next_offset += p->slot.length;
    g->facts->is_off_grid |=
        p->slot.length != EVTX_CHUNK_SIZE && g->next_offset < g->log->size;
}

/* ---- what the file header says */

static void tell_version(struct reading *g)
{
    const struct evtx_file_header *h = &g->header;
    if (h->major != 3 || h->minor > 2)
        tell(g, LOG_HEADER_LIES, 36, NO_RECORD,
             "the header says version %u.%u; known are 3.0 to 3.2", h->major, h->minor);
}

static void tell_header(struct reading *g)
{
    const struct evtx_file_header *h = &g->header;
    struct evtx_log_facts *f = g->facts;
    f->major = h->major;
    f->minor = h->minor;
    f->is_dirty = h->flags & EVTX_FLAG_DIRTY;
    f->is_full = h->flags & EVTX_FLAG_FULL;
    f->has_no_checksums = h->flags & EVTX_FLAG_NO_CRC;
    if (!h->checksum_ok && !f->has_no_checksums)
        tell(g, LOG_HEADER_CHECKSUM, 124, NO_RECORD,
             "the checksum of the file header is wrong");
    if (f->is_dirty)
        tell(g, LOG_DIRTY, 120, NO_RECORD,
             "the header's dirty flag is set: its counts are not to be relied on");
    tell_version(g);
}

/* Without a signature at its start a file is a log if chunks lie in it all the same. */
static bool holds_a_chunk(struct reading *g, struct passage *p)
{
    for (uint64_t at = 0; at < g->log->size && !stop_requested();
         at += EVTX_CHUNK_SIZE) {
        uint64_t left = g->log->size - at;
        size_t got = 0, len = left < EVTX_CHUNK_SIZE ? (size_t)left : EVTX_CHUNK_SIZE;
        evidence_source_read(&g->source, at, p->bytes, len, &got, NULL);
        struct bytes data = {p->bytes, got};
        if (bytes_equal_at(data, 0, "ElfChnk\0", 8) || evtx_find_chunk(data, got) < got)
            return true;
    }
    return false;
}

static const char *what_it_starts_with(struct bytes header)
{
    for (size_t i = 0; i < 64 && i < header.len; i++) {
        uint8_t c = header.ptr[i];
        if (c != '\t' && c != '\r' && c != '\n' && (c < 0x20 || c > 0x7e))
            return evtx_all_zero(header) ? "it starts with zeros"
                                         : "it starts with other bytes";
    }
    return "it starts with text";
}

/* Where bytes of the file header are lost, the first chunk lies before its place. */
static void find_first_chunk(struct reading *g, struct passage *p)
{
    struct evtx_spans unread;
    struct bytes data = read_ahead(g, 0, p->bytes, EVTX_HEADER_SIZE, &unread);
    size_t at = evtx_find_chunk(data, EVTX_HEADER_SIZE);
    if (at == EVTX_HEADER_SIZE ||
        !evtx_chunk_header_is_right(bytes_slice(data, at, SIZE_MAX)))
        return;
    g->next_offset = at;
    tell(g, LOG_HEADER_LIES, at, NO_RECORD,
         "the first chunk begins here, %zu bytes before the end of a file header",
         EVTX_HEADER_SIZE - at);
}

/* A log cut short is one thing, a small file of another kind another. */
static void tell_too_short(struct reading *g, struct passage *p)
{
    size_t start = g->log->size < 7 ? (size_t)g->log->size : 7;
    if (!read_bytes(g, 0, p->bytes, start, &p->slot.unread))
        return;
    if (memcmp(p->bytes, "ElfFile", start) != 0)
        tell(g, LOG_NOT_EVTX, 0, NO_RECORD,
             "its %" PRIu64 " byte%s not start with ElfFile, and %s too few for a "
             "log's header of 4096",
             g->log->size, count_word(g->log->size, " does", "s do"),
             count_word(g->log->size, "is", "are"));
    else if (g->log->size == 0)
        tell(g, LOG_EMPTY_FILE, 0, NO_RECORD, "the file is empty (0 bytes)");
    else
        tell(g, LOG_EMPTY_FILE, 0, NO_RECORD,
             "%" PRIu64 " byte%s too few for a log's header of 4096", g->log->size,
             count_word(g->log->size, " is", "s are"));
}

/* Read the file header. False if this is no log, which was told. */
static bool read_header(struct reading *g, struct passage *p)
{
    if (g->log->size < EVTX_HEADER_SIZE) {
        tell_too_short(g, p);
        return false;
    }
    g->header_is_unread =
        !read_bytes(g, 0, p->bytes, EVTX_HEADER_SIZE, &p->slot.unread);
    struct bytes bytes = {p->bytes, EVTX_HEADER_SIZE};
    if (g->header_is_unread) {
        g->facts->is_evtx =
            evtx_file_header_read(bytes).has_magic || holds_a_chunk(g, p);
        return true;
    }
    g->header = evtx_file_header_read(bytes);
    if (g->header.has_magic) {
        g->facts->is_evtx = true;
        tell_header(g);
        return true;
    }
    const char *start = what_it_starts_with(bytes);
    g->facts->is_evtx = holds_a_chunk(g, p);
    tell(g, LOG_NOT_EVTX, 0, NO_RECORD,
         g->facts->is_evtx
             ? "%s instead of ElfFile; chunks were found behind it and read"
             : "%s instead of ElfFile, and no chunk was found in it",
         start);
    return g->facts->is_evtx;
}

/* ---- what a slot says */

static bool has_checksums(const struct reading *g, const struct evtx_chunk *c)
{
    return !g->facts->has_no_checksums && !(c->flags & EVTX_FLAG_NO_CRC);
}

static void tell_checksums(struct reading *g, const struct evtx_slot *s)
{
    if (!has_checksums(g, &s->chunk))
        return;
    if (!s->chunk.header_crc_ok && evtx_slot_is_read(s, 0, EVTX_CHUNK_HEADER_SIZE))
        tell(g, CHUNK_HEADER_CHECKSUM, s->offset, NO_RECORD,
             "the checksum of the chunk's header is wrong; its %" PRIu32
             " record%s read all the same",
             s->frame_count, count_word(s->frame_count, " was", "s were"));
    if (!s->chunk.data_crc_ok && s->kind == SLOT_CHUNK && !s->unread.count)
        tell(
            g, CHUNK_DATA_CHECKSUM, s->offset, NO_RECORD,
            "the checksum over the chunk's records is wrong: the values of its %" PRIu32
            " records are not verified",
            s->frame_count);
}

static void add_lie(struct buffer *lies, const char *what, uint64_t said,
                    uint64_t found)
{
    if (said != found)
        buffer_printf(lies, "%s%s %" PRIu64 " (found %" PRIu64 ")",
                      lies->len ? ", " : "", what, said, found);
}

static void tell_lies(struct reading *g, const struct evtx_slot *s)
{
    if (s->kind != SLOT_CHUNK || s->damages || s->frame_count == 0 || s->unread.count)
        return;
    const struct evtx_chunk *c = &s->chunk;
    const struct evtx_frame *last = &s->frames[s->frame_count - 1];
    struct buffer lies = {0};
    bool over_zeros = c->free_space > s->live_end && c->free_space <= EVTX_CHUNK_SIZE;
    if (!over_zeros)
        add_lie(&lies, "free space", c->free_space, s->live_end);
    add_lie(&lies, "last record's offset", c->last_record, last->offset);
    add_lie(&lies, "first record id", c->first_id, s->frames[0].id);
    add_lie(&lies, "last record id", c->last_id, last->id);
    if (lies.len)
        tell(g, CHUNK_HEADER_LIES, s->offset, NO_RECORD,
             "the chunk's header says: %.*s", TEXT(buffer_text(&lies)));
    buffer_release(&lies);
}

static void tell_unread(struct reading *g, const struct evtx_slot *s, const char *why)
{
    if (s->behind_count && !g->reader->recovers)
        tell(g, RECORDS_NOT_READ, s->offset + s->behind[0].offset, s->behind[0].id,
             "%" PRIu32 " intact record%s from here to offset %" PRIu64
             " (header ids %" PRIu64 " to %" PRIu64 ") %s and %s not read",
             s->behind_count, PLURAL(s->behind_count),
             s->offset + s->behind[1].offset + s->behind[1].size, s->behind[0].id,
             s->behind[1].id, why, count_word(s->behind_count, "was", "were"));
}

/* `found`: what was made of the record that begins there, or NULL. */
static void tell_damage(struct reading *g, const struct evtx_slot *s,
                        const struct native_remark *found)
{
    const struct evtx_frame *where = &s->first_damage;
    struct place place =
        place_at(g, s->offset + where->offset, found ? found->id : where->id);
    const char *further = s->damages > 1 ? "; nor in further places of this chunk" : "";
    if (!s->damages || !evtx_slot_is_read(s, where->offset, 1))
        return;
    if (!evtx_slot_is_read(s, where->offset, where->size))
        problems_add(g->problems, PROBLEM_RECORDS_NOT_READ, place,
                     "no whole record lies in the %" PRIu32
                     " bytes from here, some of which could not be read%s%s",
                     where->size, found ? "; the rest of a record is given" : "",
                     further);
    else
        problems_add(g->problems, PROBLEM_RECORD_DAMAGED, place,
                     "no whole record lies in the %" PRIu32 " bytes from here%s%s%s",
                     where->size, found ? ": " : "", found ? found->what : "", further);
}

/* Where records are recovered, what comes of the damaged one is told with it. */
static void count_damage(struct reading *g, const struct evtx_slot *s)
{
    g->facts->records_damaged += s->damages;
    if (!g->reader->recovers)
        tell_damage(g, s, NULL);
}

/* Those beyond EVTX_HIDDEN_MAX are counted in the last row. */
static void tell_hidden(struct reading *g, const struct evtx_slot *s)
{
    for (uint32_t i = 0; i < s->hidden_count && i < EVTX_HIDDEN_MAX; i++) {
        const struct evtx_hidden *h = &s->hidden[i];
        bool more = i + 1 == EVTX_HIDDEN_MAX && s->hidden_count > EVTX_HIDDEN_MAX;
        tell(g, HIDDEN_RECORD, s->offset + h->frame.offset, h->frame.id,
             "a whole record (header id %" PRIu64 ", %" PRIu32
             " bytes) lies inside the "
             "record at offset %" PRIu64 " (header id %" PRIu64 ", %" PRIu32
             " bytes); stepping by the sizes of records passes over it%s",
             h->frame.id, h->frame.size, s->offset + h->holder.offset, h->holder.id,
             h->holder.size, more ? "; more in this chunk are not listed" : "");
    }
}

/* Does another chunk begin inside it? */
static bool is_cut_short(const struct evtx_slot *s)
{
    return s->length < s->data.len;
}

/* The chunk that the log ends in is the last one that is there. */
static void tell_cut(struct reading *g, const struct evtx_slot *s)
{
    g->is_cut = true;
    char counted[64] = "";
    if (g->header.has_magic && g->header.chunk_count > g->slots)
        snprintf(counted, sizeof counted,
                 "; the header counts %u chunk%s, this is number %" PRIu64,
                 g->header.chunk_count, PLURAL(g->header.chunk_count), g->slots);
    tell(g, LOG_TRUNCATED, g->log->size, NO_RECORD,
         "the log ends inside the chunk at offset %" PRIu64 ", %zu bytes short%s",
         s->offset, EVTX_CHUNK_SIZE - s->data.len, counted);
}

static void tell_chunk(struct reading *g, const struct evtx_slot *s)
{
    tell_checksums(g, s);
    tell_lies(g, s);
    tell_hidden(g, s);
    if (is_cut_short(s))
        tell(g, CHUNK_DAMAGED, s->offset, NO_RECORD,
             "the chunk lacks %zu byte%s: another one begins at offset %" PRIu64,
             s->data.len - s->length, PLURAL(s->data.len - s->length),
             s->offset + s->length);
    if (s->kind == SLOT_CUT) {
        tell_cut(g, s);
        count_damage(g, s);
        tell_unread(g, s, "lie in a chunk that is cut off");
    } else {
        count_damage(g, s);
        tell_unread(g, s, "lie behind this damage");
    }
}

static void tell_orphan(struct reading *g, const struct evtx_slot *s)
{
    if (evtx_slot_is_read(s, 0, EVTX_CHUNK_HEADER_SIZE))
        tell(g, CHUNK_DAMAGED, s->offset, NO_RECORD,
             "no chunk header in %zu bytes that hold records", s->data.len);
    tell_unread(g, s, "lie in a chunk without a header");
}

/* Slots without a chunk are judged when it is known what follows them. */
static void keep_gap(struct reading *g, const struct evtx_slot *s)
{
    if (s->unread.count) {
        g->unread_slots++;
        return;
    }
    struct gap *gap = s->kind == SLOT_ZERO ? &g->zeros : &g->foreign;
    if (gap->slots++ == 0)
        gap->offset = s->offset;
    g->is_other_header = g->foreign.slots == 1 && g->foreign.offset == s->offset &&
                         s->data.len == EVTX_HEADER_SIZE &&
                         evtx_file_header_read(s->data).has_magic;
    gap->bytes += s->data.len;
}

/* With a chunk behind it, a gap is inside the log. */
static void tell_gaps_inside(struct reading *g, uint64_t next_id)
{
    char ids[96] = "";
    if (g->last_id != NO_RECORD && next_id != NO_RECORD && next_id > g->last_id + 1)
        snprintf(ids, sizeof ids,
                 "; the record header ids %" PRIu64 " to %" PRIu64 " are missing",
                 g->last_id + 1, next_id - 1);
    if (g->zeros.slots)
        tell(g, CHUNK_HOLE, g->zeros.offset, NO_RECORD,
             "only zeros where %" PRIu64 " chunk%s should be, with chunks behind %s%s",
             g->zeros.slots, PLURAL(g->zeros.slots),
             count_word(g->zeros.slots, "it", "them"), ids);
    if (g->is_other_header)
        tell(
            g, LOG_JOINED, g->foreign.offset, NO_RECORD,
            "another log's file header begins here, and its chunks behind it; they are "
            "read as chunks of this log");
    else if (g->foreign.slots)
        tell(g, CHUNK_DAMAGED, g->foreign.offset, NO_RECORD,
             "%" PRIu64 " bytes without a chunk header and without a record, with "
             "chunks behind them%s",
             g->foreign.bytes, ids);
    g->slots += g->zeros.slots + g->unread_slots;
    g->slots += g->is_other_header ? 0 : g->foreign.slots;
    g->is_joined |= g->is_other_header;
    g->is_other_header = false;
    g->unread_slots = 0;
    g->zeros = g->foreign = (struct gap){0};
}

static void tell_slot(struct reading *g, const struct evtx_slot *s)
{
    struct evtx_log_facts *f = g->facts;
    uint64_t end = s->offset + s->length;
    unread_tell(&g->unread, end < g->log->size ? end : UINT64_MAX, g->log, g->problems);
    if (s->kind == SLOT_ZERO || s->kind == SLOT_FOREIGN) {
        keep_gap(g, s);
        return;
    }
    const struct evtx_frame *first = s->frame_count ? &s->frames[0] : &s->behind[0];
    bool has_records = s->frame_count || s->behind_count;
    tell_gaps_inside(g, has_records ? first->id : NO_RECORD);
    g->slots++;
    f->chunks++;
    if (s->kind == SLOT_ORPHAN)
        tell_orphan(g, s);
    else
        tell_chunk(g, s);
    bool crc_bad = has_checksums(g, &s->chunk) &&
                   (!s->chunk.header_crc_ok || !s->chunk.data_crc_ok);
    f->chunks_damaged +=
        s->kind != SLOT_CHUNK || s->damages || crc_bad || is_cut_short(s);
    f->records_hidden += s->hidden_count;
    f->records_recovered += s->behind_count + s->slack_count;
    if (has_records)
        g->last_id =
            s->behind_count ? s->behind[1].id : s->frames[s->frame_count - 1].id;
}

/* Behind the last chunk lies space that was never used, mostly zeros. Only the header of a
 * log that was closed can say that chunks should be there. */
static void tell_missing_end(struct reading *g)
{
    uint64_t missing = g->header.chunk_count - g->slots - g->unread_slots;
    if (g->is_cut)
        return; /* told there */
    if (g->zeros.slots)
        tell(g, CHUNK_HOLE, g->zeros.offset, NO_RECORD,
             "the header counts %u chunk%s; only zeros where the last %" PRIu64
             " of them should be",
             g->header.chunk_count, PLURAL(g->header.chunk_count), missing);
    else if (g->foreign.slots)
        tell(g, CHUNK_DAMAGED, g->foreign.offset, NO_RECORD,
             "the header counts %u chunk%s; no chunk header and no record where the "
             "last "
             "%" PRIu64 " of them should be",
             g->header.chunk_count, PLURAL(g->header.chunk_count), missing);
    else
        tell(g, LOG_TRUNCATED, g->log->size, NO_RECORD,
             "the header counts %u chunk%s, the log ends after %" PRIu64,
             g->header.chunk_count, PLURAL(g->header.chunk_count), g->slots);
}

static void tell_end(struct reading *g)
{
    uint16_t said = g->header.chunk_count;
    uint64_t there = g->slots + g->unread_slots;
    if (g->header.has_magic && !g->facts->is_dirty && said > there) {
        tell_missing_end(g);
        return;
    }
    if (g->header_is_unread && there == g->unread_slots && g->foreign.slots) {
        tell(g, LOG_NOT_EVTX, 0, NO_RECORD,
             "its header could not be read, and no chunk was found in it");
        return;
    }
    if (g->facts->is_dirty && g->foreign.bytes >= EVTX_CHUNK_SIZE) {
        tell(g, CHUNK_DAMAGED, g->foreign.offset, NO_RECORD,
             "%" PRIu64
             " bytes behind the last chunk have no chunk header and no record; "
             "the log was in use, so its header cannot say whether a chunk was there",
             g->foreign.bytes);
        return;
    }
    if (g->foreign.slots)
        tell(g, LOG_TRAILING_BYTES, g->foreign.offset, NO_RECORD,
             "%" PRIu64 " byte%s behind the last chunk %s neither a chunk nor zeros; "
                        "no record lies "
             "in %s",
             g->foreign.bytes, PLURAL(g->foreign.bytes),
             count_word(g->foreign.bytes, "is", "are"),
             count_word(g->foreign.bytes, "it", "them"));
    /* The count is 16 bits wide and wraps above 4 GiB. */
    if (g->header.has_magic && !g->unread_slots && !g->is_joined &&
        (uint16_t)g->slots != said)
        tell(g, LOG_HEADER_LIES, 42, NO_RECORD,
             "the header counts %u chunk%s; the last one found is number %" PRIu64,
             said, PLURAL(said), g->slots);
}

/* ---- what the children gave */

/* A live record that is not given: told at its place. */
static void lose(struct reading *g, const struct passage *p, uint32_t index,
                 enum problem_code code, const char *what, struct text why)
{
    const struct evtx_frame *frame = &p->slot.frames[index];
    problems_add(g->problems, code,
                 place_at(g, p->slot.offset + frame->offset, frame->id), "%s%.*s", what,
                 TEXT(why));
    g->facts->records_damaged++;
}

static void tell_losses(struct reading *g, const struct passage *p, uint32_t index)
{
    for (size_t i = 0; i < p->task.loss_count; i++)
        if (p->task.losses[i].index == index)
            lose(g, p, index, PROBLEM_READER_CRASHED,
                 "libevtx could not read this record: its process ",
                 text_from(p->task.losses[i].how));
}

static bool is_lost(const struct passage *p, uint32_t index)
{
    for (size_t i = 0; i < p->task.loss_count; i++)
        if (p->task.losses[i].index == index)
            return true;
    return false;
}

/* Frames [from, to) for which no answer came. */
static void tell_unanswered(struct reading *g, const struct passage *p, uint32_t from,
                            uint32_t to)
{
    for (uint32_t i = from; i < to && i < p->task.unread_from; i++)
        if (is_lost(p, i))
            tell_losses(g, p, i);
        else
            lose(g, p, i, PROBLEM_RECORD_NOT_DECODED,
                 "libevtx's process gave no answer for this record", NO_TEXT);
}

static void tell_given_up(struct reading *g, const struct passage *p)
{
    uint32_t from = p->task.unread_from, count = p->slot.frame_count;
    if (from >= count)
        return;
    const struct evtx_frame *first = &p->slot.frames[from];
    const struct evtx_frame *last = &p->slot.frames[count - 1];
    tell(g, RECORDS_NOT_READ, p->slot.offset + first->offset, first->id,
         "%" PRIu32 " record%s from here on (header ids %" PRIu64 " to %" PRIu64
         ") %s not read: %s",
         count - from, PLURAL(count - from), first->id, last->id,
         count_word(count - from, "was", "were"), p->task.unread_reason);
    g->facts->records_damaged += count - from;
}

static void tell_remarks(struct reading *g, const struct evtx_record *record,
                         const struct evtx_reading *reading)
{
    uint64_t id = record->system.record_id != NO_RECORD ? record->system.record_id
                                                        : record->header_id;
    for (size_t i = 0; i < reading->remark_count; i++)
        problems_add(g->problems, reading->remarks[i].code,
                     place_at(g, record->offset, id), "%.*s",
                     TEXT(reading->remarks[i].message));
}

static void fill_record(struct reading *g, const struct passage *p,
                        const struct evtx_answer *answer, struct evtx_record *record)
{
    const struct evtx_frame *frame = &p->slot.frames[answer->index];
    *record = (struct evtx_record){
        .offset = p->slot.offset + frame->offset,
        .chunk_offset = p->slot.offset,
        .size = frame->size,
        .raw = bytes_slice(p->slot.data, frame->offset, frame->size),
        .state = g->log->is_deleted ? RECORD_DELETED_FILE : RECORD_LIVE,
        .header_id = frame->id,
        .header_filetime = frame->written_filetime,
        .system = answer->reading.system,
        .is_user_data = answer->reading.is_user_data,
        .fields = answer->reading.fields,
        .field_count = answer->reading.field_count,
    };
    if (record->system.record_id == frame->id)
        g->facts->header_id_same++;
    else
        g->facts->header_id_differs++;
    if (!evtx_slot_is_read(&p->slot, frame->offset, frame->size)) {
        record->state = RECORD_TORN;
        record->has_unread_bytes = true;
        tell(g, RECORDS_NOT_READ, record->offset, frame->id, EVTX_UNREAD_INSIDE);
    }
    tell_remarks(g, record, &answer->reading);
}

/* Answers stand in the order of the frames; each gap between them is told. */
static size_t collect(struct reading *g, struct passage *p, struct evtx_record *records)
{
    struct bytes in = {(const uint8_t *)p->task.results.ptr, p->task.results.len};
    struct evtx_answer answer;
    size_t at = 0, count = 0;
    uint32_t next = 0;
    while (next < p->slot.frame_count && evtx_wire_take(in, &at, &answer, &p->arena)) {
        if (answer.index < next || answer.index >= p->slot.frame_count)
            break;
        tell_unanswered(g, p, next, answer.index);
        next = answer.index + 1;
        if (answer.is_given)
            fill_record(g, p, &answer, &records[count++]);
        else
            lose(g, p, answer.index, PROBLEM_RECORD_NOT_DECODED,
                 "libevtx could not decode this record: ", answer.refusal);
    }
    tell_unanswered(g, p, next, p->slot.frame_count);
    tell_given_up(g, p);
    return count;
}

static enum status deliver(struct reading *g, struct passage *p)
{
    arena_clear(&p->arena);
    tell_slot(g, &p->slot);
    enum status status = OK;
    if (p->slot.frame_count) {
        struct evtx_record *records =
            arena_alloc(&p->arena, p->slot.frame_count * sizeof *records);
        size_t count = collect(g, p, records);
        g->facts->records += count;
        if (count && g->reader->prepare)
            g->reader->prepare(g->reader->prepare_context, 0, records, count,
                               &p->arena);
        if (count)
            status = g->sink(g->context, records, count);
    }
    progress_advance(g->progress, p->slot.length);
    return status;
}

/* ---- what our own workers gave */

/* The remark with place and id, which of a record that was given are the record's. */
static struct native_remark native_remark_placed(const struct passage *p,
                                                 const struct native_remark *remark)
{
    struct native_remark r = *remark;
    if (!r.is_lost) {
        const struct evtx_record *record = &p->native.records[r.record];
        r.place = (uint32_t)(record->offset - p->slot.offset);
        r.id = record->system.record_id != NO_RECORD ? record->system.record_id
                                                     : record->header_id;
    }
    return r;
}

static void tell_native(struct reading *g, const struct passage *p)
{
    const struct native_work *w = &p->native;
    for (size_t i = 0; i < w->remark_count; i++) {
        struct native_remark r = native_remark_placed(p, &w->remarks[i]);
        problems_add(g->problems, r.code, place_at(g, p->slot.offset + r.place, r.id),
                     "%s", r.what);
    }
}

/* Learn every template of this log, once, the first time that one is missed. */
static void learn_log(struct reading *g, struct template_index *into)
{
    struct evtx_frame *frames = memory_get_zeroed(EVTX_FRAMES_MAX, sizeof *frames);
    struct passage p = {.bytes = memory_get(EVTX_CHUNK_SIZE + LOOKAHEAD),
                        .slot.frames = frames};
    struct problems *problems = g->problems;
    g->problems = NULL; /* what is unreadable is told where it is read first */
    for (uint64_t at = EVTX_HEADER_SIZE; at < g->log->size && !stop_requested();) {
        read_slot_at(g, at, &p);
        evtx_slot_survey(&p.slot);
        native_learn(g->reader->native, &p.slot, into);
        at += p.slot.length;
    }
    g->problems = problems;
    free(p.bytes);
    free(frames);
}

static void run_with_templates(struct reading *g, struct passage *p)
{
    if (!g->has_learned)
        learn_log(g, &g->templates);
    g->has_learned = true;
    native_use_templates(g->reader->native, &g->templates, &g->reader->run_templates);
    native_run_here(g->reader->native, &p->native);
    native_use_templates(g->reader->native, NULL, NULL);
}

static void count_native(struct reading *g, const struct passage *p)
{
    struct evtx_log_facts *f = g->facts;
    for (uint32_t i = 0; i < p->native.count; i++) {
        const struct evtx_record *r = &p->native.records[i];
        bool is_live = r->state == RECORD_LIVE || r->state == RECORD_DELETED_FILE;
        f->records += is_live;
        f->records_damaged += !is_live;
        f->records_nameless += r->state == RECORD_POSITIONAL;
        if (r->system.record_id == r->header_id)
            f->header_id_same++;
        else
            f->header_id_differs++;
    }
    uint32_t passed_over = 0;
    for (unsigned i = 1; i < EVTX_GLANCE_KINDS; i++) {
        f->passed_over[i] += p->native.passed_over[i];
        passed_over += p->native.passed_over[i];
    }
    f->records += passed_over;
    f->records_damaged += p->slot.frame_count - p->native.count - passed_over;
}

static void remember(struct reading *g, const struct passage *p)
{
    const struct evtx_slot *s = &p->slot;
    if (!g->reader->recovers)
        return;
    if (p->native.count < s->frame_count && g->reader->glance)
        seen_note_frames(&g->seen, s->offset, s->frames, s->frame_count);
    else
        seen_note_slot(&g->seen, s->offset, p->native.records, p->native.count);
    if (s->kind == SLOT_ZERO ||
        s->behind_count + s->damages + s->slack_count + s->hidden_count == 0)
        return;
    ARRAY_GROW(g->to_recover, g->to_recover_count, g->to_recover_capacity);
    g->to_recover[g->to_recover_count++] = s->offset;
}

static enum status deliver_native(struct reading *g, struct passage *p)
{
    enum status status = OK;
    if (p->native.needs_templates)
        run_with_templates(g, p);
    tell_slot(g, &p->slot);
    tell_native(g, p);
    count_native(g, p);
    remember(g, p);
    if (p->native.count)
        status = g->sink(g->context, p->native.records, p->native.count);
    progress_advance(g->progress, p->slot.length);
    return status;
}

/* Is it a copy of a record that was given already? One that only has the same identity is
 * given, and told. */
static bool is_copy_of_given(struct reading *g, const struct evtx_record *record)
{
    uint64_t first;
    enum seen_verdict verdict = seen_add(&g->seen, record, &first);
    if (verdict == SEEN_DIFFERS)
        tell(g, RECOVERED_DIFFERS, record->offset, record->system.record_id,
             "this recovered record (%s) has the record id, time, computer and channel "
             "of the one at offset %" PRIu64 ", and another content; both are given",
             record_state_name(record->state), first);
    return verdict == SEEN_COPY;
}

/* A recovered copy of a record that was given already is counted, not given. */
static uint32_t drop_copies(struct reading *g, struct native_work *w)
{
    uint32_t kept = w->live_count, dropped = 0;
    for (uint32_t i = w->live_count; i < w->count; i++) {
        bool is_copy = is_copy_of_given(g, &w->records[i]);
        dropped += is_copy;
        for (size_t k = 0; k < w->remark_count; k++)
            if (w->remarks[k].record == i && !w->remarks[k].is_lost)
                w->remarks[k].record = is_copy ? UINT32_MAX : kept;
        if (!is_copy)
            w->records[kept++] = w->records[i];
    }
    w->count = kept;
    return dropped;
}

/* Only what was recovered: the live records' remarks were told already. */
static void keep_recovered_remarks(struct native_work *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->remark_count; i++) {
        const struct native_remark *r = &w->remarks[i];
        if (r->is_recovered && r->record != UINT32_MAX)
            w->remarks[kept++] = *r;
    }
    w->remark_count = kept;
}

/* Read and decode a slot once more; what could not be read was told before. */
static void decode_again(struct reading *g, uint64_t offset, bool with_recovered,
                         struct passage *p)
{
    struct problems *problems = g->problems;
    g->problems = NULL;
    read_slot_at(g, offset, p);
    g->problems = problems;
    p->native.with_recovered = with_recovered;
    native_run_here(g->reader->native, &p->native);
    if (p->native.needs_templates)
        run_with_templates(g, p);
    p->native.with_recovered = false;
}

/* Which ids the recovered records have, and of which records that were given they may be
 * copies. */
static void look_for_copies(struct reading *g, struct passage *p)
{
    struct seen *seen = &g->seen;
    uint64_t unused;
    enum evtx_form form = p->native.form;
    p->native.form = EVTX_NO_EVENTS;
    for (size_t i = 0; i < g->to_recover_count && !stop_requested(); i++) {
        decode_again(g, g->to_recover[i], true, p);
        for (uint32_t k = p->native.live_count; k < p->native.count; k++)
            seen_expect(seen, &p->native.records[k]);
    }
    seen_sort_ids(seen);
    seen->headers_tell = g->facts->header_id_same && !g->facts->header_id_differs;
    p->native.glance = NULL; /* a copy of what was passed over is one too */
    for (size_t i = 0; i < seen->given_count && !stop_requested(); i++) {
        if (!seen_matters(seen, &seen->given[i]))
            continue;
        decode_again(g, seen->given[i].offset, false, p);
        for (uint32_t k = 0; k < p->native.count; k++)
            if (seen_is_expected(seen, &p->native.records[k]))
                seen_add(seen, &p->native.records[k], &unused);
    }
    p->native.form = form;
    p->native.glance = g->reader->glance;
}

/* Where the first damage of a chunk begins, the recovered record's remark is told with it. */
static void tell_damage_again(struct reading *g, struct passage *p)
{
    struct native_work *w = &p->native;
    const struct evtx_slot *s = &p->slot;
    if (s->kind != SLOT_CHUNK && s->kind != SLOT_CUT)
        return;
    for (size_t i = 0; i < w->remark_count; i++) {
        struct native_remark r = native_remark_placed(p, &w->remarks[i]);
        if (r.place != s->first_damage.offset ||
            (r.code != PROBLEM_RECORD_DAMAGED && r.code != PROBLEM_RECORDS_NOT_READ))
            continue;
        memmove(&w->remarks[i], &w->remarks[i + 1],
                (--w->remark_count - i) * sizeof *w->remarks);
        tell_damage(g, s, &r);
        return;
    }
    tell_damage(g, s, NULL);
}

static enum status recover_slot(struct reading *g, struct passage *p, uint64_t offset)
{
    struct native_work *w = &p->native;
    decode_again(g, offset, true, p);
    g->facts->records_recovered_twice += drop_copies(g, w);
    keep_recovered_remarks(w);
    tell_damage_again(g, p);
    tell_native(g, p);
    for (uint32_t i = w->live_count; i < w->count; i++)
        g->facts->records_nameless += w->records[i].state == RECORD_POSITIONAL;
    return w->count > w->live_count ? g->sink(g->context, w->records + w->live_count,
                                              w->count - w->live_count)
                                    : OK;
}

/* Behind all live records of the log come those that were recovered, in file order. */
static enum status recover_log(struct reading *g, struct error *err)
{
    struct passage *p = &g->reader->ring[0];
    if (g->to_recover_count)
        look_for_copies(g, p);
    for (size_t i = 0; i < g->to_recover_count; i++) {
        if (stop_requested())
            return fail(err, FAILED, place_at(g, g->to_recover[i], NO_RECORD),
                        "stopped while recovering records of this log");
        enum status status = recover_slot(g, p, g->to_recover[i]);
        if (status != OK)
            return status;
    }
    return OK;
}

static void submit_batch(struct reading *g)
{
    if (g->batch)
        native_submit(g->reader->native, g->batch);
    if (g->wanted_digest)
        log_digest_go_on(&g->digest);
    g->batch = NULL;
    g->batch_count = 0;
}

static void begin_native(struct reading *g, struct passage *p)
{
    p->native.slot = &p->slot;
    p->native.arena = &p->arena;
    p->native.is_deleted = g->log->is_deleted;
    p->native.with_recovered = false;
    p->native.form = g->reader->form;
    p->native.wanted = g->reader->wanted;
    p->native.wanted_context = g->reader->wanted_context;
    p->native.glance = g->reader->glance;
    p->native.glance_context = g->reader->glance_context;
    p->native.next = NULL;
    *(g->batch ? g->batch_end : &g->batch) = &p->native;
    g->batch_end = &p->native.next;
    if (++g->batch_count == BATCH)
        submit_batch(g);
}

/* ---- the digest of the log */

static void start_digest(struct reading *g)
{
    struct evtx_reader *r = g->reader;
    g->wanted_digest = r->digest;
    r->digest = NULL;
    if (g->wanted_digest && evidence_log_is_text(g->log))
        g->wanted_digest = NULL;
    if (g->wanted_digest)
        log_digest_open(&g->digest, g->wanted_digest->kinds, native_workers(r->native),
                        r->ring_size + 1);
}

static void end_digest(struct reading *g)
{
    struct evtx_digest *wanted = g->wanted_digest;
    g->wanted_digest = NULL;
    if (wanted)
        wanted->is_whole = log_digest_close(&g->digest, g->log->size, &wanted->values);
}

static void release_reading(struct reading *g)
{
    end_digest(g);
    unread_tell(&g->unread, UINT64_MAX, g->log, g->problems);
    g->facts->bytes_unreadable = g->unread.bytes;
    unread_release(&g->unread);
    evidence_source_close(&g->source);
    template_index_release(&g->templates);
    seen_release(&g->seen);
    free(g->to_recover);
}

enum status evtx_reader_learn(struct evtx_reader *reader,
                              const struct evidence_log *log, struct error *err)
{
    struct reading g = {.reader = reader, .log = log};
    evidence_source_open(&g.source, log);
    if (reader->native && !evidence_log_is_text(log) && log->size > EVTX_HEADER_SIZE)
        learn_log(&g, &reader->run_templates);
    evidence_source_close(&g.source);
    unread_release(&g.unread);
    if (stop_requested())
        return fail(err, FAILED, evidence_log_place(log, NO_OFFSET, NO_RECORD),
                    "stopped while reading this log");
    return OK;
}

/* ---- the log */

static struct passage *passage_at(struct reading *g, size_t i)
{
    return &g->reader->ring[(g->first + i) % g->reader->ring_size];
}

static void begin_task(struct passage *p)
{
    buffer_clear(&p->task.results);
    p->task.slot = &p->slot;
    p->task.loss_count = 0;
    p->task.hangs = 0;
    p->task.unread_from = p->slot.frame_count;
    p->task.is_done = p->slot.frame_count == 0;
}

/* Keep the children busy: read slots ahead as far as the ring goes. The last one read may
 * have found no idle child; it is offered again. */
static void feed(struct reading *g, size_t *submitted)
{
    for (;;) {
        while (*submitted < g->count) {
            struct passage *p = passage_at(g, *submitted);
            if (!g->reader->native && !p->task.is_done &&
                !pool_submit(g->reader->pool, &p->task))
                return;
            ++*submitted;
        }
        if (g->next_offset >= g->end || g->count == g->reader->ring_size) {
            submit_batch(g);
            return;
        }
        struct passage *p = passage_at(g, g->count++);
        read_slot(g, p);
        if (g->reader->native)
            begin_native(g, p);
        else
            begin_task(p);
    }
}

static enum status read_slots(struct reading *g, struct error *err)
{
    size_t submitted = 0;
    for (;;) {
        if (stop_requested())
            return fail(err, FAILED, place_at(g, g->next_offset, NO_RECORD),
                        "stopped while reading this log");
        if (!g->reader->native || g->count == 0 ||
            g->reader->ring_size - g->count >= BATCH)
            feed(g, &submitted);
        if (g->count == 0)
            return OK;
        struct passage *oldest = passage_at(g, 0);
        if (g->reader->native) {
            native_wait(g->reader->native, &oldest->native);
        } else if (!oldest->task.is_done) {
            pool_wait(g->reader->pool);
            continue;
        }
        enum status status =
            g->reader->native ? deliver_native(g, oldest) : deliver(g, oldest);
        if (status != OK)
            return status;
        g->first = (g->first + 1) % g->reader->ring_size;
        g->count--;
        submitted--;
    }
}

/* Whatever is under way ends before its memory is used again. */
static void cancel(struct reading *g)
{
    if (g->reader->pool)
        pool_cancel(g->reader->pool);
    for (size_t i = 0; g->reader->native && i < g->count; i++)
        native_wait(g->reader->native, &passage_at(g, i)->native);
}

/* Events as text have no chunks, so neither of the readers: they are imported. */
static enum status read_text(const struct reading *g, uint64_t from, uint64_t to,
                             struct error *err)
{
    struct evtx_reader *r = g->reader;
    const struct import_job job = {.log = g->log,
                                   .templates = &r->templates,
                                   .from = from,
                                   .to = to,
                                   .prepare = r->prepare,
                                   .prepare_context = r->prepare_context,
                                   .form = r->form,
                                   .wanted = r->wanted,
                                   .wanted_context = r->wanted_context,
                                   .sink = g->sink,
                                   .context = g->context,
                                   .facts = g->facts,
                                   .problems = g->problems,
                                   .progress = g->progress};
    return import_read(&job, err);
}

enum status evtx_read(struct evtx_reader *reader, const struct evidence_log *log,
                      evtx_sink *sink, void *context, struct evtx_log_facts *facts,
                      struct problems *problems, struct progress *progress,
                      struct error *err)
{
    struct evtx_log_facts unwanted;
    struct reading g = {.reader = reader,
                        .log = log,
                        .sink = sink,
                        .context = context,
                        .facts = facts ? facts : &unwanted,
                        .problems = problems,
                        .progress = progress,
                        .next_offset = EVTX_HEADER_SIZE,
                        .end = log->size,
                        .last_id = NO_RECORD};
    *g.facts = (struct evtx_log_facts){0};
    start_digest(&g);
    if (evidence_log_is_text(log))
        return read_text(&g, 0, UINT64_MAX, err);
    evidence_source_open(&g.source, log);
    if (!read_header(&g, &reader->ring[0])) {
        progress_advance(progress, log->size);
        release_reading(&g);
        return OK;
    }
    find_first_chunk(&g, &reader->ring[0]);
    if (g.wanted_digest)
        log_digest_take(&g.digest, 0,
                        (struct bytes){reader->ring[0].bytes, g.next_offset});
    g.facts->first_slot = g.next_offset;
    g.facts->is_off_grid = g.next_offset != EVTX_HEADER_SIZE;
    progress_advance(progress, g.next_offset);
    enum status status = read_slots(&g, err);
    if (status != OK) {
        cancel(&g);
    } else {
        end_digest(&g);
        tell_end(&g);
        status = recover_log(&g, err);
    }
    release_reading(&g);
    return status;
}

enum status evtx_read_part(struct evtx_reader *reader, const struct evidence_log *log,
                           uint64_t from, uint64_t to, evtx_sink *sink, void *context,
                           struct problems *problems, struct error *err)
{
    struct evtx_log_facts facts = {0};
    struct reading g = {.reader = reader,
                        .log = log,
                        .sink = sink,
                        .context = context,
                        .facts = &facts,
                        .problems = problems,
                        .next_offset = from,
                        .end = to < log->size ? to : log->size,
                        .last_id = NO_RECORD};
    if (evidence_log_is_text(log))
        return read_text(&g, from, to, err);
    evidence_source_open(&g.source, log);
    enum status status = read_slots(&g, err);
    if (status != OK)
        cancel(&g);
    else
        status = recover_log(&g, err);
    release_reading(&g);
    return status;
}

struct evtx_chunk_facts evtx_chunk_look(const struct evidence_log *log, uint64_t offset)
{
    uint8_t *bytes = memory_get_zeroed(1, EVTX_CHUNK_SIZE);
    uint8_t header[EVTX_HEADER_SIZE] = {0};
    size_t got = 0, got_header = 0;
    evidence_log_read(log, offset, bytes, EVTX_CHUNK_SIZE, &got, NULL);
    evidence_log_read(log, 0, header, sizeof header, &got_header, NULL);
    struct evtx_file_header file =
        evtx_file_header_read((struct bytes){header, sizeof header});
    struct evtx_chunk chunk;
    evtx_chunk_open(&chunk, (struct bytes){bytes, got});
    free(bytes);
    return (struct evtx_chunk_facts){
        .is_chunk = chunk.has_magic,
        .has_checksums =
            !(chunk.flags & EVTX_FLAG_NO_CRC) && !(file.flags & EVTX_FLAG_NO_CRC),
        .header_ok = chunk.header_crc_ok,
        .data_ok = chunk.data_crc_ok,
        .first_id = chunk.first_id,
        .last_id = chunk.last_id,
    };
}
