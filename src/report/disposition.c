/* SPDX-License-Identifier: Apache-2.0
 * disposition.c - what examiners decided about findings, read from CSV with libcsv. A
 * finding's id is made of rule, computer, process and record, so a row holds for every run
 * on that evidence, in whatever form. */
#include "report/report_internal.h"

#include <csv.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sysmon/selection.h"
#include "util/memory.h"
#include "util/small_file.h"

enum { FILE_MAX = 64 * 1024 * 1024 };

enum column {
    COLUMN_FINDING,
    COLUMN_DISPOSITION,
    COLUMN_INITIALS,
    COLUMN_DATE,
    COLUMN_REASON,
    COLUMN_COUNT
};

static const char *const column_names[COLUMN_COUNT] = {"finding", "disposition",
                                                       "initials", "date", "reason"};

struct disposition_reader {
    struct dispositions *d;
    struct arena *arena;
    struct text content;
    size_t line; /* on which the row began */
    struct text cells[COLUMN_COUNT];
    size_t cell, rows;
    struct error *err;
    enum status status;
};

const char *disposition_name(enum disposition_kind kind)
{
    static const char *const names[] = {"", "open", "benign", "confirmed"};
    return names[kind];
}

static void refuse(struct disposition_reader *r, const char *what, struct text which)
{
    if (r->status == OK)
        r->status = fail(r->err, FAILED, NOWHERE, "%.*s, line %zu: %s%.*s",
                         TEXT(r->d->file), r->line, what, TEXT(which));
}

static void take_cell(void *data, size_t len, void *context)
{
    struct disposition_reader *r = context;
    if (r->cell < COLUMN_COUNT)
        r->cells[r->cell] =
            arena_copy(r->arena, text_trim((struct text){data ? data : "", len}));
    r->cell++;
}

static void check_header(struct disposition_reader *r)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (!text_equal_fold(r->cells[i], text_from(column_names[i])))
            refuse(r,
                   "the first line is finding,disposition,initials,date,reason; this "
                   "column is: ",
                   r->cells[i]);
}

/* "F-" and 12 hex digits */
static bool is_finding(struct text t)
{
    bool good = t.len == 14 && t.ptr[0] == 'F' && t.ptr[1] == '-';
    for (size_t i = 2; good && i < t.len; i++)
        good = strchr("0123456789abcdef", t.ptr[i]) && t.ptr[i];
    return good;
}

static enum disposition_kind kind_of(struct text t)
{
    for (int k = DISPOSED_OPEN; k <= DISPOSED_CONFIRMED; k++)
        if (text_equal_fold(t, text_from(disposition_name((enum disposition_kind)k))))
            return (enum disposition_kind)k;
    return DISPOSED_NOT;
}

/* A day that exists, or a time; the examiner's own, so it needs no zone. */
static bool is_date(struct text t)
{
    uint64_t unused;
    return selection_parse_time(t, &unused);
}

static bool is_the_same(const struct disposition *a, const struct disposition *b)
{
    return a->kind == b->kind && text_equal(a->initials, b->initials) &&
           text_equal(a->date, b->date) && text_equal(a->reason, b->reason);
}

static void add(struct disposition_reader *r, const struct disposition *row)
{
    struct dispositions *d = r->d;
    uint32_t known =
        map_add(&d->by_finding, map_key_text(row->finding), (uint32_t)d->count);
    if (known < d->count) {
        if (!is_the_same(&d->items[known], row))
            refuse(r, "another row about this finding says otherwise: ",
                   arena_printf(r->arena, "%.*s, line %zu", TEXT(row->finding),
                                d->items[known].line));
        return;
    }
    ARRAY_GROW(d->items, d->count, d->capacity);
    d->items[d->count++] = *row;
}

static void take_content_row(struct disposition_reader *r)
{
    const struct text *cells = r->cells;
    struct disposition row = {.kind = kind_of(cells[COLUMN_DISPOSITION]),
                              .finding = cells[COLUMN_FINDING],
                              .initials = cells[COLUMN_INITIALS],
                              .date = cells[COLUMN_DATE],
                              .reason = cells[COLUMN_REASON],
                              .line = r->line};
    if (!is_finding(row.finding))
        refuse(r, "this is no finding's name (F- and 12 digits): ", row.finding);
    else if (row.kind == DISPOSED_NOT)
        refuse(r, "a disposition is open, benign or confirmed, not: ",
               cells[COLUMN_DISPOSITION]);
    else if (row.initials.len == 0 || row.reason.len == 0)
        refuse(r, "a disposition needs initials and a reason: ", row.finding);
    else if (row.date.len && !is_date(row.date))
        refuse(r, "a date is a day as 2026-01-16 or a time, not: ", row.date);
    else
        add(r, &row);
}

static void take_row(int end, void *context)
{
    struct disposition_reader *r = context;
    (void)end;
    bool is_blank = r->cell == 1 && r->cells[0].len == 0;
    if (is_blank && r->rows)
        ;
    else if (r->cell != COLUMN_COUNT)
        refuse(r, "a row has five cells: finding,disposition,initials,date,reason",
               NO_TEXT);
    else if (r->rows++ == 0)
        check_header(r);
    else
        take_content_row(r);
    r->cell = 0;
    memset(r->cells, 0, sizeof r->cells);
}

/* libcsv gives rows, not lines: it is fed line by line, and a row counts as of the line on
 * which it began. */
static void parse(struct disposition_reader *r)
{
    struct csv_parser parser;
    size_t line = 0;
    csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL);
    for (size_t at = 0; at < r->content.len && r->status == OK;) {
        const char *from = r->content.ptr + at;
        const char *end = memchr(from, '\n', r->content.len - at);
        size_t len = end ? (size_t)(end + 1 - from) : r->content.len - at;
        line++;
        if (r->cell == 0)
            r->line = line;
        if (csv_parse(&parser, from, len, take_cell, take_row, r) != len)
            refuse(r, "this is no CSV: ", text_from(csv_strerror(csv_error(&parser))));
        at += len;
    }
    if (r->status == OK && csv_fini(&parser, take_cell, take_row, r) != 0)
        refuse(r, "a quoted cell has no end", NO_TEXT);
    csv_free(&parser);
    if (r->rows == 0)
        refuse(r, "the first line is finding,disposition,initials,date,reason",
               NO_TEXT);
}

enum status dispositions_read(struct dispositions *d, const char *path,
                              struct arena *arena, struct error *err)
{
    struct disposition_reader r = {
        .d = d, .arena = arena, .line = 1, .err = err, .status = OK};
    *d = (struct dispositions){.file = arena_copy(arena, text_from(path))};
    if (small_file_read_text(&r.content, path, FILE_MAX, arena, err) != OK)
        return FAILED;
    small_file_digest(&d->digests, r.content);
    parse(&r);
    return r.status;
}

void dispositions_release(struct dispositions *d)
{
    free(d->items);
    map_release(&d->by_finding);
    *d = (struct dispositions){0};
}

const struct disposition *disposition_of(const struct dispositions *d,
                                         struct text finding)
{
    uint32_t found = d ? map_find(&d->by_finding, map_key_text(finding)) : MAP_NONE;
    return found == MAP_NONE ? NULL : &d->items[found];
}

void dispositions_match(struct dispositions *d, const struct detector *detector,
                        struct problems *problems)
{
    for (size_t i = 0; i < detector->finding_count; i++) {
        uint32_t found =
            map_find(&d->by_finding, map_key_text(detector->findings[i].id));
        if (found != MAP_NONE)
            d->items[found].is_matched = true;
    }
    for (size_t i = 0; i < d->count; i++)
        if (!d->items[i].is_matched)
            problems_add(problems, PROBLEM_DISPOSITION_UNMATCHED, NOWHERE,
                         "%.*s, line %zu: this report has no finding %.*s (%s)",
                         TEXT(d->file), d->items[i].line, TEXT(d->items[i].finding),
                         disposition_name(d->items[i].kind));
}
