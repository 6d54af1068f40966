/* SPDX-License-Identifier: Apache-2.0
 * timeline_csv.c - timeline.csv: the rows of the families, which are in memory, and the
 * rows beyond them, which workers make in the second pass and a sorter keeps in order.
 *
 * Timesketch reads the file with pandas: a row whose datetime it cannot read is dropped
 * there, so every row has one, all of one form. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/report_internal.h"
#include "util/cell.h"
#include "util/memory.h"
#include "util/stop.h"

static const char *const timeline_columns[] = {
    "datetime", "timestamp_desc", "message", "computer", "event_id", "process",
    "process_guid", "process_id", "image", "finding", "evidence", "log",
    "event_record_id", "offset", "state",
    /* what follows may grow */
    "logged_time", "target_process", "target_process_guid", "target_process_id",
    "target_image", "verified", "record_sha256", "role", "target_role", "why", "clock",
    "also_at"};

static void put_process(struct table *t, const struct report *r,
                        const struct timeline_process *p)
{
    table_process(t, r->lineage, p->process);
    table_guid(t, &p->guid);
    table_pid(t, p->pid);
    table_text(t, p->image);
}

/* All findings that the record met; they stand together. */
static void put_findings(struct table *t, struct buffer *b, const struct detector *d,
                         const struct timeline_event *e)
{
    for (size_t i = e->finding;
         i < d->finding_count && d->findings[i].process == e->subject.process; i++) {
        buffer_add_string(b, i == e->finding ? "" : " ");
        buffer_add_text(b, d->findings[i].id);
    }
    table_buffer(t, b);
}

static void put_event(struct table *t, struct buffer *b, const struct report *r,
                      const struct timeline_event *e)
{
    table_time(t, timeline_place_in_time(e));
    table_string(t, timeline_happened(e->event_id));
    table_text(t, e->message);
    table_text(t, e->computer);
    table_number(t, e->event_id);
    put_process(t, r, &e->subject);
    put_findings(t, b, r->detector, e);
    table_place(t, evidence_log_place(e->log, e->offset, e->record_id));
    table_word(t, record_state_name((enum record_state)e->state));
    table_time(t, e->created_filetime);
    put_process(t, r, &e->object);
    table_verified(t, b, r, e->log, e->offset);
    table_record_digest(t, e->log, e->offset);
    table_roles(t, b, r, e->subject.process);
    table_roles(t, b, r, e->object.process);
    table_string(t, timeline_why_name((enum timeline_why)e->why));
    table_string(t, timeline_clock_name((enum timeline_clock)e->clock));
    table_also_at(t, b, r, &r->timeline->also, e->number);
    table_end_row(t);
}

/* --- rows beyond the families, by workers */

struct timeline_makers {
    const struct report *report;
    struct sorter rows;
    uint64_t added,
        repeats; /* rows that came; copies of one event that were left out */
    unsigned count;
    struct maker {
        struct table table; /* its rows alone */
        struct buffer scratch, sentence;
    } makers[];
};

void timeline_wide_open(struct timeline_wide *wide, const struct report *report,
                        int folder, unsigned workers)
{
    struct timeline_makers *makers =
        memory_get_zeroed(1, sizeof *makers + workers * sizeof *makers->makers);
    makers->report = report;
    makers->count = workers;
    for (unsigned i = 0; i < workers; i++)
        makers->makers[i].table.columns =
            sizeof timeline_columns / sizeof *timeline_columns;
    sorter_init(&makers->rows, folder);
    wide->makers = makers;
}

void timeline_wide_release(struct timeline_wide *wide)
{
    struct timeline_makers *makers = wide->makers;
    if (!makers)
        return;
    for (unsigned i = 0; i < makers->count; i++) {
        struct maker *m = &makers->makers[i];
        table_release_part(&m->table);
        buffer_release(&m->scratch);
        buffer_release(&m->sentence);
    }
    sorter_release(&makers->rows);
    free(makers);
    wide->makers = NULL;
}

/* Before the row stands how many of its cells a spreadsheet takes for a formula: they are
 * counted when it is known that the row is written. A row has fewer than 256 cells. */
void timeline_wide_make(const struct timeline_wide *wide, unsigned worker,
                        const struct sysmon_event *event,
                        const struct event_processes *processes, enum timeline_why why,
                        const uint8_t tag[SORTER_TAG], struct arena *arena,
                        struct timeline_row *row)
{
    const struct report *r = wide->makers->report;
    struct maker *m = &wide->makers->makers[worker];
    buffer_clear(&m->sentence);
    buffer_clear(&m->table.rows);
    buffer_add_char(&m->table.rows, 0);
    m->table.formulas = 0;
    struct timeline_event e =
        timeline_describe(r->lineage, event, processes, why, &m->sentence);
    put_event(&m->table, &m->scratch, r, &e);
    m->table.rows.ptr[0] = (char)m->table.formulas;
    row->key =
        (struct sorter_key){.first = timeline_place_in_time(&e), .second = e.record_id};
    memcpy(row->key.tag, tag, sizeof row->key.tag);
    row->bytes = arena_copy(arena, buffer_text(&m->table.rows));
}

void timeline_wide_add(struct timeline_wide *wide, const struct timeline_row *row)
{
    sorter_add(&wide->makers->rows, &row->key, row->bytes);
    wide->makers->added++;
}

uint64_t timeline_wide_count(const struct timeline_wide *wide)
{
    return wide->makers ? wide->makers->added - wide->makers->repeats : 0;
}

/* --- both together */

struct merge {
    struct table *table;
    struct buffer scratch;
    const struct report *report;
    size_t next_event; /* of the families */
    struct sorter_key last;
    bool has_last;
    uint64_t repeats;
};

/* A row for the file goes into a sheet: what it is made of is told by the columns' names. */
static void put_sheet_cell(struct table *t, struct text column, struct text value)
{
    uint64_t number;
    if ((text_ends_with_fold(column, TEXT_LITERAL("_id")) ||
         text_equal(column, TEXT_LITERAL("offset"))) &&
        text_to_u64(value, &number))
        table_number(t, number);
    else if ((text_ends_with_fold(column, TEXT_LITERAL("_time")) ||
              text_equal(column, TEXT_LITERAL("datetime"))) &&
             filetime_parse(value, &number))
        table_time(t, number);
    else
        table_text(t, value);
}

static void put_ready_row(struct merge *m, struct text row, unsigned formulas)
{
    if (!m->table->sheet) {
        table_ready_row(m->table, row, formulas);
        return;
    }
    row = text_slice(row, 0, row.len - 2); /* without the end of the line */
    for (size_t i = 0; i < m->table->columns; i++) {
        struct text value = cell_take(&row, &m->scratch);
        put_sheet_cell(m->table, text_from(timeline_columns[i]), value);
    }
    buffer_clear(&m->scratch);
    table_end_row(m->table);
}

/* The families' rows that stand before the key, or at it. */
static void put_family_until(struct merge *m, const struct sorter_key *key_or_null)
{
    const struct timeline *t = m->report->timeline;
    for (; m->next_event < t->count && !stop_requested(); m->next_event++) {
        const struct timeline_event *e = &t->events[m->next_event];
        uint64_t when = timeline_place_in_time(e);
        if (key_or_null &&
            (when > key_or_null->first ||
             (when == key_or_null->first && e->record_id > key_or_null->second)))
            return;
        put_event(m->table, &m->scratch, m->report, e);
    }
}

static void put_wide(struct merge *m, const struct sorter_row *row)
{
    if (m->has_last && sorter_compare(&m->last, &row->key) == 0) {
        m->repeats++;
        return;
    }
    m->last = row->key;
    m->has_last = true;
    put_family_until(m, &row->key);
    put_ready_row(m, text_slice(row->bytes, 1, SIZE_MAX),
                  (unsigned char)row->bytes.ptr[0]);
}

static enum status put_all_wide(struct merge *m, struct sorter *rows, struct error *err)
{
    struct sorter_row row;
    if (sorter_finish(rows, err) != OK)
        return FAILED;
    enum status status;
    while ((status = sorter_next(rows, &row, err)) == OK && !stop_requested())
        put_wide(m, &row);
    return status == FAILED ? FAILED : OK;
}

/* All rows, into the file or its sheet. */
static enum status put_merged(struct table *table, const struct report *report,
                              struct error *err)
{
    struct merge m = {.table = table, .report = report};
    struct timeline_makers *makers = report->timeline->wide.makers;
    enum status status = makers ? put_all_wide(&m, &makers->rows, err) : OK;
    put_family_until(&m, NULL);
    buffer_release(&m.scratch);
    if (makers)
        makers->repeats = m.repeats;
    return status;
}

static void tell_repeats(const struct timeline_makers *makers,
                         struct problems *problems)
{
    if (makers->repeats)
        problems_add(problems, PROBLEM_RID_DUP, NOWHERE,
                     "%" PRIu64
                     " record%s of the wider timeline hold%s an event that another "
                     "record holds too, with the same content; it has one row",
                     makers->repeats, PLURAL(makers->repeats),
                     count_word(makers->repeats, "s", ""));
}

static enum status write_merged(const struct report *report, struct output_dir *dir,
                                struct problems *problems, struct error *err)
{
    struct table table;
    enum status status =
        table_open(&table, dir, "timeline.csv", COLUMNS(timeline_columns), err);
    if (status != OK)
        return status;
    status = put_merged(&table, report, err);
    if (status == OK && stop_requested())
        status = fail(err, FAILED, NOWHERE, "stopped while writing timeline.csv");
    if (status != OK) {
        table_abandon(&table);
        return status;
    }
    tell_repeats(report->timeline->wide.makers, problems);
    return table_close(&table, problems, err);
}

static size_t family_count(const struct report *r)
{
    return r->timeline->count;
}

static void put_family_row(struct table *t, struct buffer *b, const struct report *r,
                           size_t row)
{
    put_event(t, b, r, &r->timeline->events[row]);
}

static enum status write_timeline(const struct report *report, struct output_dir *dir,
                                  struct problems *problems, struct error *err)
{
    return report->timeline->wide.makers
               ? write_merged(report, dir, problems, err)
               : csv_file_write_rows(&timeline_file, report, dir, problems, err);
}

const struct csv_file timeline_file = {"timeline.csv",
                                       COLUMNS(timeline_columns),
                                       .is_detail = true,
                                       .row_count = family_count,
                                       .put_row = put_family_row,
                                       .write = write_timeline,
                                       .put_sheet = put_merged};
