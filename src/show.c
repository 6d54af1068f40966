/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "show_log.h"
#include "util/memory.h"
#include "util/utf.h"

enum {
    NAME_WIDTH = 24,
    VALUE_WIDTH = 44,
    BYTES_PER_LINE = 16,
    MATCHES_SHOWN = 20,
};

/* One value as one reader gives it. */
struct shown_value {
    struct text name, value;
};

/* A record copied out of its chunk. */
struct shown_record {
    bool is_found;
    uint64_t offset, chunk_offset, header_id, header_filetime, record_id;
    enum record_state state;
    struct bytes raw;
    bool has_unread_bytes;
    struct shown_value *values; /* System first */
    size_t count;
};

struct show {
    const struct options *options;
    struct arena arena;
    struct problems problems;
    struct journal journal;
    struct evidence evidence;
    const struct evidence_log *log;
    struct shown_record native, libevtx;
    uint64_t matches, match_offsets[MATCHES_SHOWN];
    unsigned shown; /* logs with such a record */
    struct buffer out, choices;
};

/* ---- copying a record */

static void add_value(struct shown_record *r, const char *name, struct text value)
{
    r->values[r->count++] = (struct shown_value){text_from(name), value};
}

static struct text number(struct arena *arena, uint64_t value, uint64_t none)
{
    return value == none ? NO_TEXT : arena_printf(arena, "%" PRIu64, value);
}

static void copy_system(struct show *s, struct shown_record *to,
                        const struct evtx_system *from)
{
    struct arena *a = &s->arena;
    char time[FILETIME_TEXT_MAX];
    add_value(to, "Provider", arena_copy(a, from->provider));
    add_value(to, "EventID", number(a, from->event_id, NO_RECORD));
    add_value(to, "Version", number(a, from->version, NO_RECORD));
    add_value(to, "Level", number(a, from->level, NO_RECORD));
    add_value(to, "Task", number(a, from->task, NO_RECORD));
    add_value(to, "Opcode", number(a, from->opcode, NO_RECORD));
    add_value(to, "Keywords", arena_printf(a, "0x%" PRIx64, from->keywords));
    add_value(to, "TimeCreated",
              arena_copy(a, filetime_format(time, from->time_created_filetime,
                                            FILETIME_REPORT)));
    add_value(to, "EventRecordID", number(a, from->record_id, NO_RECORD));
    add_value(to, "Execution ProcessID", number(a, from->process_id, NO_RECORD));
    add_value(to, "Execution ThreadID", number(a, from->thread_id, NO_RECORD));
    add_value(to, "Channel", arena_copy(a, from->channel));
    add_value(to, "Computer", arena_copy(a, from->computer));
    add_value(to, "Security UserID", arena_copy(a, from->user_sid));
}

enum { SYSTEM_VALUES = 14 };

static void copy_record(struct show *s, struct shown_record *to,
                        const struct evtx_record *from)
{
    uint8_t *raw = arena_alloc(&s->arena, from->raw.len + 1);
    memcpy(raw, from->raw.ptr, from->raw.len);
    *to = (struct shown_record){
        .is_found = true,
        .offset = from->offset,
        .chunk_offset = from->chunk_offset,
        .header_id = from->header_id,
        .header_filetime = from->header_filetime,
        .record_id = from->system.record_id,
        .state = from->state,
        .raw = {raw, from->raw.len},
        .has_unread_bytes = from->has_unread_bytes,
        .values = arena_alloc(&s->arena, (SYSTEM_VALUES + from->field_count) *
                                             sizeof *to->values)
    };
    copy_system(s, to, &from->system);
    for (size_t i = 0; i < from->field_count; i++)
        to->values[to->count++] =
            (struct shown_value){arena_copy(&s->arena, evtx_record_name(from, i)),
                                 arena_copy(&s->arena, evtx_record_value(from, i))};
}

/* ---- finding it */

static bool is_asked_for(const struct options *o, const struct evtx_record *record)
{
    if (o->record_offset != NO_OFFSET)
        return o->record_offset >= record->offset &&
               o->record_offset < record->offset + record->size;
    return record->system.record_id == o->record_id ||
           (record->system.record_id == NO_RECORD && record->header_id == o->record_id);
}

static enum status native_sink(void *context, const struct evtx_record *records,
                               size_t count)
{
    struct show *s = context;
    for (size_t i = 0; i < count; i++) {
        if (!is_asked_for(s->options, &records[i]))
            continue;
        if (s->matches < MATCHES_SHOWN)
            s->match_offsets[s->matches] = records[i].offset;
        if (s->matches++ == 0)
            copy_record(s, &s->native, &records[i]);
    }
    return OK;
}

static enum status libevtx_sink(void *context, const struct evtx_record *records,
                                size_t count)
{
    struct show *s = context;
    for (size_t i = 0; i < count; i++)
        if (records[i].offset == s->native.offset)
            copy_record(s, &s->libevtx, &records[i]);
    return OK;
}

static enum status read_native(struct show *s, struct error *err)
{
    struct evtx_reader *reader = evtx_reader_open(EVTX_READER_NATIVE, s->options->jobs);
    evtx_reader_recover(reader, true);
    enum status status = OK;
    for (size_t i = 0; s->evidence.log_count > 1 && i < s->evidence.log_count; i++)
        if (status == OK)
            status = evtx_reader_learn(reader, &s->evidence.logs[i], err);
    if (status == OK)
        status = evtx_read(reader, s->log, native_sink, s, NULL, NULL, NULL, err);
    evtx_reader_close(reader);
    return status;
}

/* Only the chunk that the record lies in. */
static enum status read_libevtx(struct show *s, const char **name, struct error *err)
{
    struct evtx_reader *reader = evtx_reader_open(EVTX_READER_LIBEVTX, 1);
    *name = arena_copy(&s->arena, text_from(evtx_reader_name(reader))).ptr;
    uint64_t from = s->native.chunk_offset;
    enum status status = evtx_read_part(reader, s->log, from, from + 1, libevtx_sink, s,
                                        &s->problems, err);
    evtx_reader_close(reader);
    return status;
}

/* ---- showing it */

static void add_line(struct show *s, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add_line(struct show *s, const char *name, const char *format, ...)
{
    struct buffer raw = {0};
    va_list args;
    va_start(args, format);
    buffer_vprintf(&raw, format, args);
    va_end(args);
    buffer_printf(&s->out, "%-14s", name);
    utf_add_visible(&s->out, buffer_text(&raw));
    buffer_add_char(&s->out, '\n');
    buffer_release(&raw);
}

static const char *judge(bool has, bool good)
{
    return !has ? "not kept by this log" : good ? "right" : "WRONG";
}

/* Chunks are counted where they lie in the places that are meant for them. */
static const char *chunk_name(struct show *s, uint64_t offset)
{
    if (offset < EVTX_HEADER_SIZE || (offset - EVTX_HEADER_SIZE) % EVTX_CHUNK_SIZE)
        return "not in the place of one";
    return arena_printf(&s->arena, "number %" PRIu64,
                        (offset - EVTX_HEADER_SIZE) / EVTX_CHUNK_SIZE)
        .ptr;
}

static void show_place(struct show *s)
{
    const struct shown_record *r = &s->native;
    struct evtx_chunk_facts chunk = evtx_chunk_look(s->log, r->chunk_offset);
    char time[FILETIME_TEXT_MAX];
    add_line(s, "evidence", "%.*s", TEXT(s->log->evidence));
    add_line(s, "log", "%.*s%s", TEXT(s->log->path),
             s->log->is_deleted ? " (deleted file)" : "");
    add_line(s, "state", "%s", record_state_name(r->state));
    add_line(s, "offset", "%" PRIu64 " (0x%" PRIx64 ") in the log, %zu bytes",
             r->offset, r->offset, r->raw.len);
    if (evidence_log_is_text(s->log)) {
        add_line(
            s, "format",
            "%s: an export as text, with neither chunk nor record header; the offset "
            "is in the text as it unpacks, the size that of the text in UTF-8",
            log_format_name(&s->log->format));
        return;
    }
    if (chunk.is_chunk)
        add_line(s, "chunk",
                 "%s, at offset %" PRIu64 "; the record at %" PRIu64
                 " in it; checksum of its header: %s, of its records: %s",
                 chunk_name(s, r->chunk_offset), r->chunk_offset,
                 r->offset - r->chunk_offset,
                 judge(chunk.has_checksums, chunk.header_ok),
                 judge(chunk.has_checksums, chunk.data_ok));
    else
        add_line(s, "chunk",
                 "no chunk header at offset %" PRIu64 "; the record at %" PRIu64
                 " behind it",
                 r->chunk_offset, r->offset - r->chunk_offset);
    add_line(s, "record header", "id %" PRIu64 ", written %.*s", r->header_id,
             TEXT(filetime_format(time, r->header_filetime, FILETIME_REPORT)));
}

static void show_digest(struct show *s)
{
    char hex[DIGEST_HEX_MAX];
    struct digester digester;
    struct digest_values digests;
    if (s->native.has_unread_bytes) {
        add_line(s, "record_sha256",
                 "- (some of its bytes could not be read and are shown as zeros)");
        return;
    }
    digester_init(&digester, DIGEST_BIT(DIGEST_SHA256));
    digester_add(&digester, s->native.raw.ptr, s->native.raw.len);
    digester_finish(&digester, &digests);
    add_line(s, "record_sha256", "%.*s",
             TEXT(digest_hex(hex, &digests, DIGEST_SHA256)));
}

static void show_in_image(struct show *s)
{
    struct evidence_location *where = memory_get_zeroed(1, sizeof *where);
    const struct shown_record *r = &s->native;
    bool is_in_image = evidence_log_locate(s->log, r->offset, r->raw.len, where);
    if (is_in_image)
        add_line(s, "volume", "at byte %" PRIu64 " of the image; entry %" PRIu64,
                 s->log->volume_offset, s->log->metadata_address);
    if (is_in_image && where->reason)
        add_line(s, "image", "not direct: %s", where->reason);
    for (size_t i = 0; i < where->count; i++) {
        const struct evidence_extent *e = &where->extents[i];
        if (e->kind == EXTENT_SPARSE)
            add_line(s, "image",
                     "%" PRIu64 " bytes from byte %" PRIu64
                     " of the record on are sparse: not in the image",
                     e->size, e->log_offset - r->offset);
        else
            add_line(s, "image",
                     "byte %" PRIu64 " (0x%" PRIx64 "), %" PRIu64 " bytes%s",
                     e->image_offset, e->image_offset, e->size,
                     where->count > 1 ? " of the record" : "");
    }
    if (where->is_cut)
        add_line(s, "image", "and further pieces");
    free(where);
}

/* The next piece of a value that fits its column; *at moves on. Returns its width. */
static size_t take_width(struct text t, size_t *at, struct text *piece)
{
    size_t from = *at, width = 0;
    while (*at < t.len && width < VALUE_WIDTH) {
        size_t n = utf_sequence_length(text_slice(t, *at, SIZE_MAX));
        *at += n ? n : 1;
        width++;
    }
    *piece = text_slice(t, from, *at - from);
    return width;
}

static struct text shown_text(struct show *s, struct text value)
{
    struct buffer b = {0};
    if (text_is_absent(value))
        return TEXT_LITERAL("(absent)");
    utf_add_visible(&b, value);
    struct text t = arena_copy(&s->arena, buffer_text(&b));
    buffer_release(&b);
    return t;
}

static void show_pair(struct show *s, struct text name, struct text left,
                      struct text right, bool has_right)
{
    bool differs = has_right && !text_equal(left, right);
    struct text a = shown_text(s, left), b = has_right ? shown_text(s, right) : NO_TEXT;
    struct text label = shown_text(s, name), piece;
    size_t at = 0, bt = 0;
    bool is_first = true;
    do {
        buffer_printf(&s->out, "%c %-*.*s ", differs && is_first ? '*' : ' ',
                      NAME_WIDTH, is_first ? (int)label.len : 0, label.ptr);
        size_t width = take_width(a, &at, &piece);
        buffer_add_text(&s->out, piece);
        take_width(b, &bt, &piece);
        if (piece.len)
            buffer_printf(&s->out, "%*s | %.*s", (int)(VALUE_WIDTH - width), "",
                          TEXT(piece));
        else if (has_right)
            buffer_printf(&s->out, "%*s |", (int)(VALUE_WIDTH - width), "");
        buffer_add_char(&s->out, '\n');
        is_first = false;
    } while (at < a.len || bt < b.len);
}

static size_t show_values(struct show *s)
{
    const struct shown_record *a = &s->native, *b = &s->libevtx;
    size_t differences = 0, rows = a->count > b->count ? a->count : b->count;
    for (size_t i = 0; i < rows; i++) {
        const struct shown_value none = {NO_TEXT, NO_TEXT};
        const struct shown_value *x = i < a->count ? &a->values[i] : &none;
        const struct shown_value *y = i < b->count ? &b->values[i] : &none;
        struct text name = text_is_absent(x->name) ? y->name : x->name;
        if (b->is_found && !text_equal(x->name, y->name) && i < a->count &&
            i < b->count)
            name = arena_printf(&s->arena, "%.*s | %.*s", TEXT(x->name), TEXT(y->name));
        show_pair(s, name, x->value, y->value, b->is_found);
        differences += b->is_found && (!text_equal(x->value, y->value) ||
                                       !text_equal(x->name, y->name));
    }
    return differences;
}

static void show_readers(struct show *s, const char *libevtx)
{
    buffer_printf(&s->out, "\n  %-*s %-*s%s%s\n", NAME_WIDTH, "", VALUE_WIDTH, "native",
                  s->libevtx.is_found ? " | " : "", s->libevtx.is_found ? libevtx : "");
    size_t differences = show_values(s);
    if (s->libevtx.is_found)
        buffer_printf(&s->out,
                      differences ? "\n%zu value%s; each is marked with *\n"
                                  : "\nboth readers give the same values\n",
                      differences, count_word(differences, " differs", "s differ"));
    else
        buffer_printf(
            &s->out, "\n%s does not give this record%s\n", libevtx,
            s->native.state == RECORD_LIVE ? "" : ": it is asked for live ones alone");
    for (size_t i = 0; i < s->problems.count; i++)
        if (s->problems.rows[i].place.offset == s->native.offset)
            add_line(s, "remark", "%.*s", TEXT(s->problems.rows[i].message));
}

static void show_bytes(struct show *s)
{
    struct bytes raw = s->native.raw;
    buffer_add_char(&s->out, '\n');
    for (size_t at = 0; at < raw.len; at += BYTES_PER_LINE) {
        buffer_printf(&s->out, "%010" PRIx64 " ", s->native.offset + at);
        for (size_t i = at; i < at + BYTES_PER_LINE; i++)
            if (i < raw.len)
                buffer_printf(&s->out, " %02x", raw.ptr[i]);
            else
                buffer_add_string(&s->out, "   ");
        buffer_add_string(&s->out, "  |");
        for (size_t i = at; i < at + BYTES_PER_LINE && i < raw.len; i++)
            buffer_add_char(&s->out, raw.ptr[i] >= 0x20 && raw.ptr[i] < 0x7f
                                         ? (char)raw.ptr[i]
                                         : '.');
        buffer_add_string(&s->out, "|\n");
    }
}

static void show_other_matches(struct show *s)
{
    if (s->matches < 2)
        return;
    struct buffer offsets = {0};
    for (uint64_t i = 1; i < s->matches && i < MATCHES_SHOWN; i++)
        buffer_printf(&offsets, " %" PRIu64, s->match_offsets[i]);
    add_line(s, "also", "%" PRIu64 " more with this id, at offset%.*s", s->matches - 1,
             TEXT(buffer_text(&offsets)));
    buffer_release(&offsets);
}

/* An event of an export: there is nothing that a second reader could decode. */
static void show_text(struct show *s)
{
    show_place(s);
    add_line(s, "record_sha256", "-: it holds no record's bytes");
    show_other_matches(s);
    buffer_printf(&s->out, "\n  %-*s as the export has it\n", NAME_WIDTH, "");
    show_values(s);
    show_bytes(s);
}

static enum status show_evtx(struct show *s, struct error *err)
{
    const char *libevtx;
    if (read_libevtx(s, &libevtx, err) != OK)
        return FAILED;
    show_place(s);
    show_in_image(s);
    show_digest(s);
    show_other_matches(s);
    show_readers(s, libevtx);
    show_bytes(s);
    return OK;
}

static enum status show_log(struct show *s, struct error *err)
{
    s->native = s->libevtx = (struct shown_record){.is_found = false};
    s->matches = 0;
    if (read_native(s, err) != OK)
        return FAILED;
    if (!s->native.is_found)
        return OK;
    if (s->shown++)
        buffer_add_char(&s->out, '\n');
    if (!evidence_log_is_text(s->log))
        return show_evtx(s, err);
    show_text(s);
    return OK;
}

/* A log and deleted ones may have one path, as may those of several images: all of them that
 * hold such a record are shown. */
static enum status show_record(struct show *s, struct error *err)
{
    const struct options *o = s->options;
    const struct evidence_log **logs =
        arena_alloc(&s->arena, (s->evidence.log_count + 1) * sizeof *logs);
    size_t count = show_log_choose(&s->evidence, o->log, logs, &s->choices, err);
    if (count == 0)
        return FAILED;
    const struct evidence_log *first = logs[0];
    for (size_t i = 0; i < count; i++) {
        s->log = logs[i];
        if (show_log(s, err) != OK)
            return FAILED;
    }
    if (count > 1)
        journal_say(&s->journal, JOURNAL_WARNING,
                    "%s: %zu logs have that name, shown where they hold such a record; "
                    "each of these options picks one:",
                    o->log, count);
    bool by_offset = o->record_offset != NO_OFFSET;
    return s->shown ? OK
                    : fail(err, FAILED, evidence_log_place(first, NO_OFFSET, NO_RECORD),
                           by_offset ? "no record holds byte %" PRIu64
                                     : "there is no record with id %" PRIu64,
                           by_offset ? o->record_offset : o->record_id);
}

static enum status open_evidence(struct show *s, struct error *err)
{
    const struct options *o = s->options;
    struct evidence_options how = {.find_signature = o->find_signature,
                                   .digest_kinds = DIGEST_BIT(DIGEST_SHA256)};
    return evidence_open(&s->evidence, o->evidence, o->evidence_count, &how, &s->arena,
                         &s->problems, &s->journal, err);
}

/* What could not be opened may be what is asked for. */
static enum status open_and_tell(struct show *s, struct error *err)
{
    enum status status = open_evidence(s, err);
    emit_damage(&s->journal, &s->problems);
    problems_release(&s->problems);
    problems_init(&s->problems, &s->arena);
    return status;
}

/* The logs that there are to choose from stand in lines of their own, with -q too. */
static void say_choices(const struct show *s)
{
    struct text choices = buffer_text(&s->choices);
    fwrite(choices.ptr, 1, choices.len, stderr);
}

int run_show(const struct options *options)
{
    struct show s = {.options = options};
    struct error err = {0};
    journal_init(&s.journal, options->quiet);
    problems_init(&s.problems, &s.arena);
    int exit_status = EXIT_CANNOT;
    if (open_and_tell(&s, &err) == OK && show_record(&s, &err) == OK)
        exit_status = emit_text(buffer_text(&s.out));
    else
        journal_say_error(&s.journal, JOURNAL_ERROR, &err);
    say_choices(&s);
    evidence_close(&s.evidence);
    problems_release(&s.problems);
    journal_abandon(&s.journal);
    buffer_release(&s.out);
    buffer_release(&s.choices);
    arena_release(&s.arena);
    return exit_status;
}
