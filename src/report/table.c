/* SPDX-License-Identifier: Apache-2.0
 * table.c - one CSV file. Most cells need no quotes and go straight to the output's
 * buffer; libcsv quotes the others. */
#include "report/report_internal.h"

#include <assert.h>
#include <csv.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/stop.h"
#include "util/utf.h"
#include "util/workers.h"

#ifdef __SSE2__
# include <emmintrin.h>
#endif

enum { PLAIN, QUOTED = 1, NOT_ASCII = 2, FORMULA = 4, NOT_UTF8 = 8, IS_KNOWN = 16 };
enum {
    FLUSH_AT = 256 * 1024,
    ROWS_PER_PART = 256, /* of a process, 0.25 MB */
    PARTS_AHEAD = 3 /* a job, in the making; as many more on their way to the disk */
};

#ifdef __SSE2__
enum { STEP = 16 };

/* What sixteen bytes ask of their cell: a quote, a comma, a control character, or one that
 * is not ASCII. */
static inline unsigned bytes_ask(const char *at)
{
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(b, _mm_set1_epi8(0x1f)), b);
    __m128i mark = _mm_or_si128(_mm_cmpeq_epi8(b, _mm_set1_epi8('"')),
                                _mm_cmpeq_epi8(b, _mm_set1_epi8(',')));
    return (_mm_movemask_epi8(_mm_or_si128(control, mark)) ? QUOTED : PLAIN) |
           (_mm_movemask_epi8(b) ? NOT_ASCII : PLAIN);
}
#else
enum { STEP = 8 };

/* Does one of the eight bytes have its high bit set in `found`? */
# define EACH_BYTE(c) ((c)*UINT64_C(0x0101010101010101))

static uint64_t zero_bytes(uint64_t word)
{
    return (word - EACH_BYTE(1)) & ~word & EACH_BYTE(0x80);
}

/* What eight bytes ask of their cell: a quote, a comma, a control character, or one that is
 * not ASCII. */
static unsigned bytes_ask(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t quoted = zero_bytes(word ^ EACH_BYTE('"')) |
                      zero_bytes(word ^ EACH_BYTE(',')) |
                      ((word - EACH_BYTE(0x20)) & ~word & EACH_BYTE(0x80));
    return (quoted ? QUOTED : PLAIN) | (word & EACH_BYTE(0x80) ? NOT_ASCII : PLAIN);
}
#endif

/* Readers drop blanks around a cell that has no quotes (libcsv does), so the ends are
 * looked at apart. */
static unsigned text_asks(struct text t)
{
    unsigned asks = PLAIN;
    char rest[STEP] = "................";
    size_t at = 0;
    for (; t.len - at >= STEP; at += STEP)
        asks |= bytes_ask(t.ptr + at);
    memcpy(rest, t.ptr + at, t.len - at);
    asks |= bytes_ask(rest);
    if (t.len == 0 || t.ptr[0] == ' ' || t.ptr[t.len - 1] == ' ')
        asks |= QUOTED;
    return asks;
}

/* A sign alone is no formula: "-" is what Sysmon writes where it does not know. */
bool table_is_formula(struct text t)
{
    if (t.len < 2)
        return false;
    char c = t.ptr[0];
    return c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' || c == '\r';
}

void table_add_utf8(struct buffer *out, struct text t)
{
    for (size_t i = 0; i < t.len;) {
        struct text rest = text_slice(t, i, SIZE_MAX);
        size_t n = utf_sequence_length(rest);
        if (n)
            buffer_add(out, rest.ptr, n);
        else
            buffer_printf(out, "\\x%02x", (unsigned char)rest.ptr[0]);
        i += n ? n : 1;
    }
}

/* buffer_reserve() without a call where there is room. */
static inline char *room_for(struct buffer *out, size_t n)
{
    return out->capacity > out->len && out->capacity - out->len > n
               ? out->ptr + out->len
               : buffer_reserve(out, n);
}

static inline void put(struct table *t, const char *data, size_t len)
{
    if (len == 0)
        return;
    char *to = room_for(&t->rows, len);
    memcpy(to, data, len);
    t->rows.len += len;
}

static void put_text(struct table *t, struct text value)
{
    put(t, value.ptr, value.len);
}

static void put_quoted(struct table *t, struct text value)
{
    if (memchr(value.ptr, '"', value.len) == NULL) {
        char *to = buffer_reserve(&t->rows, value.len + 2);
        to[0] = to[value.len + 1] = '"';
        memcpy(to + 1, value.ptr, value.len);
        t->rows.len += value.len + 2;
        return;
    }
    size_t room = 2 * value.len + 2;
    char *to = buffer_reserve(&t->rows, room);
    t->rows.len += csv_write2(to, room, value.ptr, value.len, '"');
}

static inline void separate(struct table *t)
{
    if (t->cells++)
        put(t, ",", 1);
}

static unsigned all_asks(struct text value)
{
    unsigned asks = text_asks(value);
    if ((asks & NOT_ASCII) && !utf_is_valid(value))
        asks |= NOT_UTF8;
    return asks | (table_is_formula(value) ? FORMULA : PLAIN);
}

static void put_cell(struct table *t, struct text value, unsigned asks)
{
    t->formulas += (asks & FORMULA) != 0;
    if (asks & NOT_UTF8) {
        buffer_clear(&t->scratch);
        table_add_utf8(&t->scratch, value);
        value = buffer_text(&t->scratch);
    }
    if (asks & QUOTED)
        put_quoted(t, value);
    else
        put_text(t, value);
}

void table_text(struct table *t, struct text value)
{
    if (t->sheet) {
        t->cells++;
        sheet_text(t->sheet, value);
        return;
    }
    separate(t);
    if (!text_is_absent(value))
        put_cell(t, value, all_asks(value));
}

void table_kept(struct table *t, const struct lineage *l, uint32_t string_number)
{
    struct text value = lineage_text(l, string_number);
    if (!t->known || text_is_absent(value)) {
        table_text(t, value);
        return;
    }
    _Atomic uint8_t *known = &t->known[string_number];
    unsigned asks = atomic_load_explicit(known, memory_order_relaxed);
    if (!asks) {
        asks = all_asks(value) | IS_KNOWN;
        atomic_store_explicit(known, (uint8_t)asks, memory_order_relaxed);
    }
    separate(t);
    put_cell(t, value, asks);
}

void table_path(struct table *t, struct text path)
{
    bool plain = path.ptr == t->last_path.ptr && path.len == t->last_path.len;
    if (!plain) {
        plain = true;
        for (size_t i = 0; i < path.len && plain; i++)
            plain = path.ptr[i] >= 0x20 && path.ptr[i] < 0x7f;
    }
    if (plain) {
        t->last_path = path;
        table_text(t, path);
        return;
    }
    struct buffer shown = {0};
    utf_add_visible(&shown, path);
    table_text(t, buffer_text(&shown));
    buffer_release(&shown);
}

void table_string(struct table *t, const char *value)
{
    table_text(t, text_from(value && *value ? value : NULL));
}

void table_buffer(struct table *t, struct buffer *value)
{
    table_text(t, value->len ? buffer_text(value) : NO_TEXT);
    buffer_clear(value);
}

/* A cell of the program's own making: it needs no quotes; nothing is an absent value. */
static void put_plain(struct table *t, struct text value)
{
    if (t->sheet) {
        table_text(t, value.len ? value : NO_TEXT);
        return;
    }
    separate(t);
    put_text(t, value);
}

void table_number(struct table *t, uint64_t value)
{
    if (t->sheet) {
        t->cells++;
        sheet_number(t->sheet, value);
        return;
    }
    separate(t);
    buffer_add_number(&t->rows, value);
}

void table_number_unless(struct table *t, uint64_t value, uint64_t none)
{
    if (value == none)
        put_plain(t, NO_TEXT);
    else
        table_number(t, value);
}

void table_bool(struct table *t, bool value)
{
    if (t->sheet) {
        t->cells++;
        sheet_bool(t->sheet, value);
        return;
    }
    put_plain(t, value ? TEXT_LITERAL("true") : TEXT_LITERAL("false"));
}

void table_time(struct table *t, uint64_t filetime)
{
    char text[FILETIME_TEXT_MAX];
    if (t->sheet) {
        t->cells++;
        sheet_time(t->sheet, filetime);
        return;
    }
    put_plain(t, filetime_format(text, filetime, FILETIME_CSV));
}

void table_guid(struct table *t, const struct guid *guid)
{
    char text[GUID_TEXT_MAX];
    put_plain(t, guid_is_null(guid) ? NO_TEXT : guid_format(text, guid));
}

void table_digest(struct table *t, const struct digest_values *d, enum digest_kind kind)
{
    char hex[DIGEST_HEX_MAX];
    put_plain(t, digest_hex(hex, d, kind));
}

void table_record_digest(struct table *t, const struct evidence_log *log,
                         uint64_t offset)
{
    struct digest_values digests;
    if (record_digest(&t->window, log, offset, &digests))
        table_digest(t, &digests, DIGEST_SHA256);
    else /* an export as text holds no record's bytes */
        table_text(t, log && evidence_log_is_text(log) && offset != NO_OFFSET
                          ? TEXT_LITERAL("-")
                          : NO_TEXT);
}

void table_place(struct table *t, struct place place)
{
    table_path(t, place.evidence);
    table_path(t, place.log);
    table_number_unless(t, place.record_id, NO_RECORD);
    table_number_unless(t, place.offset, NO_OFFSET);
}

void table_pid(struct table *t, uint32_t pid)
{
    table_number_unless(t, pid, PID_UNKNOWN);
}

void table_process(struct table *t, const struct lineage *l, uint32_t process)
{
    char guid[GUID_TEXT_MAX];
    table_text(t, lineage_key(l, process, guid));
}

void table_verified(struct table *t, struct buffer *scratch, const struct report *r,
                    const struct evidence_log *log, uint64_t offset)
{
    name_verified(scratch, r, log, offset);
    table_buffer(t, scratch);
}

void table_also_at(struct table *t, struct buffer *scratch, const struct report *r,
                   const struct seen_places *places, uint32_t owner)
{
    name_also_at(scratch, r, places, owner);
    table_buffer(t, scratch);
}

void table_roles(struct table *t, struct buffer *scratch, const struct report *r,
                 uint32_t process)
{
    detector_add_roles(r->detector, process, scratch);
    table_buffer(t, scratch);
}

/* The rows of `part`, which may be t itself, go to the file. */
static void hand_over(struct table *t, struct table *part)
{
    output_add(&t->out, part->rows.ptr, part->rows.len);
    buffer_clear(&part->rows);
}

void table_end_row(struct table *t)
{
    assert(t->cells == t->columns);
    t->cells = 0;
    if (t->sheet) {
        sheet_end_row(t->sheet);
        return;
    }
    put(t, "\r\n", 2);
    if (t->rows.len >= FLUSH_AT && t->out.dir)
        hand_over(t, t);
}

void table_ready_row(struct table *t, struct text row, unsigned formulas)
{
    put_text(t, row);
    t->formulas += formulas;
    if (t->rows.len >= FLUSH_AT)
        hand_over(t, t);
}

static void release(struct table *t)
{
    record_window_release(&t->window);
    buffer_release(&t->scratch);
    buffer_release(&t->rows);
}

void table_abandon(struct table *t)
{
    release(t);
    output_abandon(&t->out);
}

enum status table_open(struct table *t, struct output_dir *dir, const char *name,
                       const char *const *columns, size_t count, struct error *err)
{
    *t = (struct table){.name = name, .columns = count};
    enum status status = output_open(&t->out, dir, name, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < count; i++)
        table_string(t, columns[i]);
    table_end_row(t);
    t->formulas = 0; /* ECS's "@timestamp" is a name, no cell */
    return OK;
}

enum status table_close(struct table *t, struct problems *problems, struct error *err)
{
    hand_over(t, t);
    release(t);
    if (t->formulas && problems)
        problems_add(
            problems, PROBLEM_CSV_FORMULA, NOWHERE,
            "%s: %" PRIu64 " cell%s begin%s with = + - @, a tab or a carriage "
            "return; a spreadsheet may run such a cell as a formula; the workbook "
            "(--format=xlsx) keeps it as text",
            t->name, t->formulas, PLURAL(t->formulas), t->formulas == 1 ? "s" : "");
    return output_finish(&t->out, err);
}

/* --- rows by several workers, parts of them in the order of the file */

struct part {
    struct work work;
    const struct csv_file *file;
    const struct report *report;
    size_t from, to;
    struct table table;
    struct buffer scratch;
    struct output_piece piece;
    bool is_written; /* or will be */
};

static void make_part(struct work *work, unsigned worker)
{
    struct part *p = (struct part *)(void *)work;
    (void)worker;
    for (size_t row = p->from; row < p->to && !stop_requested(); row++)
        p->file->put_row(&p->table, &p->scratch, p->report, row);
}

static void write_part(struct work *work, unsigned worker)
{
    struct part *p = (struct part *)(void *)work;
    (void)worker;
    output_piece_write(&p->piece);
}

/* The next part of the file is made: somebody writes it while it is hashed here. */
static void take_part(struct table *t, struct workers *workers, struct part *p)
{
    workers_wait(workers, &p->work);
    t->formulas += p->table.formulas;
    p->table.formulas = 0;
    output_piece_begin(&p->piece, &t->out, p->table.rows.ptr, p->table.rows.len);
    p->is_written = true;
    p->work.run = write_part;
    workers_submit(workers, &p->work);
    output_piece_hash(&p->piece);
}

static void end_part(struct workers *workers, struct part *p)
{
    if (!p->is_written)
        return;
    workers_wait(workers, &p->work);
    output_piece_end(&p->piece);
    buffer_clear(&p->table.rows);
    p->is_written = false;
}

static void release_part(struct part *p)
{
    buffer_release(&p->table.rows);
    record_window_release(&p->table.window);
    buffer_release(&p->table.scratch);
    buffer_release(&p->scratch);
}

static void put_parts(struct table *t, const struct csv_file *file,
                      const struct report *report)
{
    size_t rows = file->row_count(report), parts = 0, taken = 0;
    size_t ahead = PARTS_AHEAD * (report->run.jobs ? report->run.jobs : 1);
    size_t ring_size = 2 * ahead;
    struct workers *workers = workers_open(report->run.jobs);
    struct part *ring = memory_get_zeroed(ring_size, sizeof *ring);
    _Atomic uint8_t *known = memory_get_zeroed(
        (size_t)report->lineage->strings.map.count + 2, sizeof *known);
    hand_over(t, t);
    for (size_t from = 0; from < rows; from += ROWS_PER_PART, parts++) {
        struct part *p = &ring[parts % ring_size];
        if (parts - taken == ahead)
            take_part(t, workers, &ring[taken++ % ring_size]);
        end_part(workers, p);
        p->work.run = make_part;
        p->file = file;
        p->report = report;
        p->from = from;
        p->to = rows - from < ROWS_PER_PART ? rows : from + ROWS_PER_PART;
        p->table.columns = t->columns;
        p->table.known = known;
        workers_submit(workers, &p->work);
    }
    while (taken < parts)
        take_part(t, workers, &ring[taken++ % ring_size]);
    for (size_t i = 0; i < ring_size; i++) {
        end_part(workers, &ring[i]);
        release_part(&ring[i]);
    }
    workers_close(workers);
    free(ring);
    free((void *)known);
}

enum status csv_file_write(const struct csv_file *file, const struct report *report,
                           struct output_dir *dir, struct problems *problems,
                           struct error *err)
{
    return file->write ? file->write(report, dir, problems, err)
                       : csv_file_write_rows(file, report, dir, problems, err);
}

enum status csv_file_write_rows(const struct csv_file *file,
                                const struct report *report, struct output_dir *dir,
                                struct problems *problems, struct error *err)
{
    struct table table;
    struct buffer scratch = {0};
    enum status status =
        table_open(&table, dir, file->name, file->columns, file->column_count, err);
    if (status != OK)
        return status;
    if (file->put_row)
        put_parts(&table, file, report);
    else
        file->put_rows(&table, &scratch, report);
    buffer_release(&scratch);
    if (stop_requested()) {
        table_abandon(&table);
        return fail(err, FAILED, NOWHERE, "stopped while writing %s", file->name);
    }
    return table_close(&table, problems, err);
}

static void put_what_is_beyond(struct table *t, const struct csv_file *file,
                               const struct report *report)
{
    uint64_t count = file->beyond ? file->beyond(report) : 0;
    struct buffer words = {0};
    if (count == 0)
        return;
    buffer_printf(&words, "%" PRIu64 " more row%s in %s alone", count,
                  count_word(count, " stands", "s stand"), file->name);
    table_buffer(t, &words);
    while (t->cells < t->columns)
        table_text(t, NO_TEXT);
    table_end_row(t);
    buffer_release(&words);
}

enum status csv_file_write_sheet(const struct csv_file *file,
                                 const struct report *report, struct sheet *sheet,
                                 struct error *err)
{
    struct table table = {
        .name = file->name, .columns = file->column_count, .sheet = sheet};
    struct buffer scratch = {0};
    if (file->put_row) {
        size_t count = file->row_count(report);
        for (size_t row = 0; row < count && !stop_requested(); row++)
            file->put_row(&table, &scratch, report, row);
    } else {
        file->put_rows(&table, &scratch, report);
    }
    put_what_is_beyond(&table, file, report);
    buffer_release(&scratch);
    record_window_release(&table.window);
    return stop_requested() ? fail(err, FAILED, NOWHERE,
                                   "stopped while writing %s as a sheet", file->name)
                            : OK;
}
