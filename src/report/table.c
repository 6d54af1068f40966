/* SPDX-License-Identifier: Apache-2.0
 * table.c - one CSV file. Most cells need no quotes and go straight to the output's
 * buffer; libcsv quotes the others. */
#include "report/report_internal.h"

#include <assert.h>
#include <csv.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/stop.h"
#include "util/utf.h"
#include "util/workers.h"

enum { PLAIN, QUOTED = 1, NOT_ASCII = 2 };
enum {
    FLUSH_AT = 256 * 1024,
    ROWS_PER_PART = 512, /* of a process, 0.5 MB */
    PARTS_AHEAD = 3      /* a job */
};

/* Does one of the eight bytes have its high bit set in `found`? */
#define EACH_BYTE(c) ((c)*UINT64_C(0x0101010101010101))

static uint64_t zero_bytes(uint64_t word)
{
    return (word - EACH_BYTE(1)) & ~word & EACH_BYTE(0x80);
}

/* What the bytes ask of their cell, eight at once: a quote, a comma, a control character,
 * or one that is not ASCII. */
static unsigned word_asks(uint64_t word)
{
    uint64_t quoted = zero_bytes(word ^ EACH_BYTE('"')) |
                      zero_bytes(word ^ EACH_BYTE(',')) |
                      ((word - EACH_BYTE(0x20)) & ~word & EACH_BYTE(0x80));
    return (quoted ? QUOTED : PLAIN) | (word & EACH_BYTE(0x80) ? NOT_ASCII : PLAIN);
}

/* Readers drop blanks around a cell that has no quotes (libcsv does), so the ends are
 * looked at apart. */
static unsigned text_asks(struct text t)
{
    unsigned asks = PLAIN;
    size_t at = 0;
    uint64_t word;
    for (; t.len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, t.ptr + at, sizeof word);
        asks |= word_asks(word);
    }
    word = EACH_BYTE('.');
    memcpy(&word, t.ptr + at, t.len - at);
    asks |= word_asks(word);
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

static inline void put(struct table *t, const char *data, size_t len)
{
    if (len == 0)
        return;
    char *to = buffer_reserve(&t->rows, len);
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
        put(t, "\"", 1);
        put_text(t, value);
        put(t, "\"", 1);
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

void table_text(struct table *t, struct text value)
{
    if (t->sheet) {
        t->cells++;
        sheet_text(t->sheet, value);
        return;
    }
    separate(t);
    if (text_is_absent(value))
        return;
    t->formulas += table_is_formula(value);
    unsigned asks = text_asks(value);
    if ((asks & NOT_ASCII) && !utf_is_valid(value)) {
        buffer_clear(&t->scratch);
        table_add_utf8(&t->scratch, value);
        value = buffer_text(&t->scratch);
    }
    if (asks & QUOTED)
        put_quoted(t, value);
    else
        put_text(t, value);
}

void table_path(struct table *t, struct text path)
{
    bool plain = true;
    for (size_t i = 0; i < path.len && plain; i++)
        plain = path.ptr[i] >= 0x20 && path.ptr[i] < 0x7f;
    if (plain) {
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
    else
        table_text(t, NO_TEXT);
}

void table_place(struct table *t, struct place place)
{
    table_path(t, place.evidence);
    table_path(t, place.log);
    table_number_unless(t, place.record_id, NO_RECORD);
    table_number_unless(t, place.offset, NO_OFFSET);
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
    record_window_release(&t->window);
    buffer_release(&t->scratch);
    buffer_release(&t->rows);
    if (t->formulas && problems)
        problems_add(problems, PROBLEM_CSV_FORMULA, NOWHERE,
                     "%s: %" PRIu64 " cell%s begin%s with = + - @, a tab or a carriage "
                     "return; a spreadsheet may run such a cell as a formula; the workbook "
                     "(--format=xlsx) keeps it as text",
                     t->name, t->formulas, PLURAL(t->formulas),
                     t->formulas == 1 ? "s" : "");
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
};

static void make_part(struct work *work, unsigned worker)
{
    struct part *p = (struct part *)(void *)work;
    (void)worker;
    for (size_t row = p->from; row < p->to && !stop_requested(); row++)
        p->file->put_row(&p->table, &p->scratch, p->report, row);
}

static void take_part(struct table *t, struct workers *workers, struct part *p)
{
    workers_wait(workers, &p->work);
    t->formulas += p->table.formulas;
    p->table.formulas = 0;
    hand_over(t, &p->table);
}

static void put_parts(struct table *t, const struct csv_file *file,
                      const struct report *report)
{
    size_t rows = file->row_count(report), parts = 0, taken = 0;
    size_t ring_size = PARTS_AHEAD * (report->run.jobs ? report->run.jobs : 1);
    struct workers *workers = workers_open(report->run.jobs);
    struct part *ring = memory_get_zeroed(ring_size, sizeof *ring);
    hand_over(t, t);
    for (size_t from = 0; from < rows; from += ROWS_PER_PART, parts++) {
        struct part *p = &ring[parts % ring_size];
        if (parts - taken == ring_size)
            take_part(t, workers, &ring[taken++ % ring_size]);
        p->work.run = make_part;
        p->file = file;
        p->report = report;
        p->from = from;
        p->to = rows - from < ROWS_PER_PART ? rows : from + ROWS_PER_PART;
        p->table.columns = t->columns;
        workers_submit(workers, &p->work);
    }
    while (taken < parts)
        take_part(t, workers, &ring[taken++ % ring_size]);
    workers_close(workers);
    for (size_t i = 0; i < ring_size; i++) {
        buffer_release(&ring[i].table.rows);
        record_window_release(&ring[i].table.window);
        buffer_release(&ring[i].table.scratch);
        buffer_release(&ring[i].scratch);
    }
    free(ring);
}

enum status csv_file_write(const struct csv_file *file, const struct report *report,
                           struct output_dir *dir, struct problems *problems,
                           struct error *err)
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
        buffer_release(&table.scratch);
        output_abandon(&table.out);
        return fail(err, FAILED, NOWHERE, "stopped while writing %s", file->name);
    }
    return table_close(&table, problems, err);
}

enum status csv_file_write_sheet(const struct csv_file *file, const struct report *report,
                                 struct sheet *sheet, struct error *err)
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
    buffer_release(&scratch);
    record_window_release(&table.window);
    return stop_requested() ? fail(err, FAILED, NOWHERE,
                                   "stopped while writing %s as a sheet", file->name)
                            : OK;
}
