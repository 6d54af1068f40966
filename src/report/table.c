/* SPDX-License-Identifier: Apache-2.0
 * table.c - one CSV file. Most cells are of a form that needs no quotes, or known to need
 * none, and go straight to the rows that are in the making. */
#include "report/report_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "util/ascii.h"
#include "util/cell.h"
#include "util/memory.h"
#include "util/stop.h"
#include "util/utf.h"
#include "util/workers.h"

enum { /* beside what cell_asks() tells */
       FORMULA = 8,
       NOT_UTF8 = 16,
       IS_KNOWN = 32
};
enum {
    FLUSH_AT = 256 * 1024,
    ROWS_PER_PART = 256, /* of a process, 0.25 MB */
    PARTS_AHEAD = 3 /* a job, in the making; as many more on their way to the disk */
};

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

/* Where the next cell goes, behind its comma, with room for so many bytes; then where it
 * ended. */
static inline char *begin_cell(struct table *t, size_t room)
{
    char *to = room_for(&t->rows, room + 1);
    if (t->cells++)
        *to++ = ',';
    return to;
}

static inline void end_cell(struct table *t, const char *end)
{
    t->rows.len = (size_t)(end - t->rows.ptr);
}

/* Absent: nothing. */
static inline void put_unquoted(struct table *t, struct text value)
{
    char *to = begin_cell(t, value.len);
    if (value.len)
        memcpy(to, value.ptr, value.len);
    end_cell(t, to + value.len);
}

/* asks: whether there are quotes in it to be doubled. */
static void put_quoted(struct table *t, struct text value, unsigned asks)
{
    if (asks & CELL_HOLDS_QUOTE) {
        end_cell(t, begin_cell(t, 0));
        cell_add_quoted(&t->rows, value);
        return;
    }
    char *to = begin_cell(t, value.len + 2);
    *to++ = '"';
    if (value.len)
        memcpy(to, value.ptr, value.len);
    to += value.len;
    *to++ = '"';
    end_cell(t, to);
}

static unsigned all_asks(struct text value)
{
    unsigned asks = cell_asks(value);
    if ((asks & CELL_NOT_ASCII) && !utf_is_valid(value))
        asks |= NOT_UTF8;
    return asks | (table_is_formula(value) ? FORMULA : CELL_PLAIN);
}

static void put_cell(struct table *t, struct text value, unsigned asks)
{
    t->formulas += (asks & FORMULA) != 0;
    if (asks & NOT_UTF8) {
        buffer_clear(&t->scratch);
        table_add_utf8(&t->scratch, value);
        value = buffer_text(&t->scratch);
    }
    if (asks & CELL_QUOTED)
        put_quoted(t, value, asks);
    else
        put_unquoted(t, value);
}

void table_text(struct table *t, struct text value)
{
    if (t->sheet) {
        t->cells++;
        sheet_text(t->sheet, value);
    } else if (text_is_absent(value)) {
        put_unquoted(t, NO_TEXT);
    } else {
        put_cell(t, value, all_asks(value));
    }
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
    put_cell(t, value, asks);
}

/* --- cells that stand in row after row: the file that rows come from, the ancestors of
 * siblings. Of the last ones the bytes are kept, by the address of what they were made of,
 * which stays as long as the table. */

enum { READY_CELLS = 64, READY_BYTES = 228 };

struct ready_cell {
    const void *made_of; /* NULL: none */
    size_t made_of_len;
    uint32_t formulas, len;
    char bytes[READY_BYTES];
};

static struct ready_cell *ready_cell_of(struct table *t, const void *made_of)
{
    if (!t->ready)
        t->ready = memory_get_zeroed(READY_CELLS, sizeof *t->ready);
    uint64_t spread = (uint64_t)(uintptr_t)made_of * UINT64_C(0x9e3779b97f4a7c15);
    return &t->ready[spread >> 58];
}

static bool put_ready(struct table *t, const void *made_of, size_t len)
{
    const struct ready_cell *ready = ready_cell_of(t, made_of);
    if (ready->made_of != made_of || ready->made_of_len != len)
        return false;
    put_unquoted(t, (struct text){ready->bytes, ready->len});
    t->formulas += ready->formulas;
    return true;
}

/* Makes the cell of a text, and keeps it. */
static void put_and_keep(struct table *t, const void *made_of, size_t made_of_len,
                         struct text value)
{
    size_t start = t->rows.len + (t->cells ? 1 : 0);
    uint64_t formulas = t->formulas;
    table_text(t, value);
    size_t len = t->rows.len - start;
    if (len > READY_BYTES)
        return;
    struct ready_cell *ready = ready_cell_of(t, made_of);
    *ready = (struct ready_cell){.made_of = made_of,
                                 .made_of_len = made_of_len,
                                 .formulas = (uint32_t)(t->formulas - formulas),
                                 .len = (uint32_t)len};
    memcpy(ready->bytes, t->rows.ptr + start, len);
}

void table_path(struct table *t, struct text path)
{
    struct buffer shown = {0};
    if (text_is_absent(path)) {
        table_text(t, path);
        return;
    }
    if (!t->sheet && put_ready(t, path.ptr, path.len))
        return;
    utf_add_visible(&shown, path);
    if (t->sheet)
        table_text(t, buffer_text(&shown));
    else
        put_and_keep(t, path.ptr, path.len, buffer_text(&shown));
    buffer_release(&shown);
}

/* Of the children of one process the same. */
void table_ancestors(struct table *t, struct buffer *scratch, const struct lineage *l,
                     uint32_t process)
{
    uint32_t parent = lineage_parent(l, process);
    if (parent == PROCESS_NONE) {
        table_text(t, NO_TEXT);
        return;
    }
    const struct process *made_of = lineage_process(l, parent);
    if (!t->sheet && put_ready(t, made_of, 0))
        return;
    name_ancestors(scratch, l, process);
    if (t->sheet)
        table_buffer(t, scratch);
    else
        put_and_keep(t, made_of, 0, scratch->len ? buffer_text(scratch) : NO_TEXT);
    buffer_clear(scratch);
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

void table_plain(struct table *t, struct text value)
{
    if (t->sheet)
        table_text(t, value.len ? value : NO_TEXT);
    else
        put_unquoted(t, value);
}

void table_word(struct table *t, const char *value)
{
    table_plain(t, text_from(value));
}

void table_number(struct table *t, uint64_t value)
{
    if (t->sheet) {
        t->cells++;
        sheet_number(t->sheet, value);
        return;
    }
    char *to = begin_cell(t, ASCII_NUMBER_MAX);
    end_cell(t, to + ascii_write_number(to, value));
}

void table_number_unless(struct table *t, uint64_t value, uint64_t none)
{
    if (value == none)
        table_plain(t, NO_TEXT);
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
    put_unquoted(t, value ? TEXT_LITERAL("true") : TEXT_LITERAL("false"));
}

void table_time(struct table *t, uint64_t filetime)
{
    if (t->sheet) {
        t->cells++;
        sheet_time(t->sheet, filetime);
        return;
    }
    char *to = begin_cell(t, FILETIME_TEXT_MAX);
    end_cell(t, to + filetime_format_on(&t->day, to, filetime, FILETIME_CSV).len);
}

void table_guid(struct table *t, const struct guid *guid)
{
    char text[GUID_TEXT_MAX];
    if (guid_is_null(guid)) {
        table_plain(t, NO_TEXT);
    } else if (t->sheet) {
        table_text(t, guid_format(text, guid));
    } else {
        char *to = begin_cell(t, GUID_TEXT_MAX);
        end_cell(t, to + guid_format(to, guid).len);
    }
}

void table_digest(struct table *t, const struct digest_values *d, enum digest_kind kind)
{
    char hex[DIGEST_HEX_MAX];
    table_plain(t, digest_hex(hex, d, kind));
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
    const struct process *p =
        process == PROCESS_NONE ? NULL : lineage_process(l, process);
    if (p && p->key == STRING_ABSENT) /* as lineage_key() has it */
        table_guid(t, &p->guid);
    else
        table_kept(t, l, p ? p->key : STRING_ABSENT);
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
    memcpy(room_for(&t->rows, 2), "\r\n", 2);
    t->rows.len += 2;
    if (t->rows.len >= FLUSH_AT && t->out.dir)
        hand_over(t, t);
}

void table_ready_row(struct table *t, struct text row, unsigned formulas)
{
    buffer_add_text(&t->rows, row);
    t->formulas += formulas;
    if (t->rows.len >= FLUSH_AT)
        hand_over(t, t);
}

void table_release_part(struct table *t)
{
    record_window_release(&t->window);
    buffer_release(&t->scratch);
    buffer_release(&t->rows);
    free(t->ready);
    t->ready = NULL;
}

void table_abandon(struct table *t)
{
    table_release_part(t);
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
    table_release_part(t);
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
    table_release_part(&p->table);
    buffer_release(&p->scratch);
}

void csv_file_put_rows(const struct csv_file *file, const struct report *report,
                       struct table *t, size_t from, size_t to)
{
    size_t count = to > from ? (to - from + ROWS_PER_PART - 1) / ROWS_PER_PART : 0;
    unsigned jobs = count > 1 && report->run.jobs ? report->run.jobs : 1;
    size_t parts = 0, taken = 0, ahead = PARTS_AHEAD * jobs, ring_size = 2 * ahead;
    struct workers *workers = workers_open(jobs);
    struct part *ring = memory_get_zeroed(ring_size, sizeof *ring);
    _Atomic uint8_t *known = memory_get_zeroed(
        (size_t)report->lineage->strings.map.count + 2, sizeof *known);
    hand_over(t, t);
    for (; parts < count; parts++, from += ROWS_PER_PART) {
        struct part *p = &ring[parts % ring_size];
        if (parts - taken == ahead)
            take_part(t, workers, &ring[taken++ % ring_size]);
        end_part(workers, p);
        p->work.run = make_part;
        p->file = file;
        p->report = report;
        p->from = from;
        p->to = to - from < ROWS_PER_PART ? to : from + ROWS_PER_PART;
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
        csv_file_put_rows(file, report, &table, 0, file->row_count(report));
    else
        file->put_rows(&table, &scratch, report);
    buffer_release(&scratch);
    if (stop_requested()) {
        table_abandon(&table);
        return fail(err, FAILED, NOWHERE, "stopped while writing %s", file->name);
    }
    return table_close(&table, problems, err);
}

enum status csv_file_write_sheet(const struct csv_file *file,
                                 const struct report *report, struct sheet *sheet,
                                 struct error *err)
{
    struct table table = {
        .name = file->name, .columns = file->column_count, .sheet = sheet};
    struct buffer scratch = {0};
    enum status status = OK;
    if (file->put_sheet) {
        status = file->put_sheet(&table, report, err);
    } else if (file->put_row) {
        size_t count = file->row_count(report);
        for (size_t row = 0; row < count && !stop_requested(); row++)
            file->put_row(&table, &scratch, report, row);
    } else {
        file->put_rows(&table, &scratch, report);
    }
    buffer_release(&scratch);
    table_release_part(&table);
    if (status == OK && stop_requested())
        status = fail(err, FAILED, NOWHERE, "stopped while writing %s as a sheet",
                      file->name);
    return status;
}
