/* SPDX-License-Identifier: Apache-2.0
 * cases.c - reads the tables that are compiled in. */
#include "validate/cases.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "embedded.h"
#include "util/memory.h"

#define STATEMENTS_FILE "tests/validation.tsv"
#define TRUTH_FILE      "tests/msra_truth.tsv"
#define SCENARIO_FOLDER "tests/scenarios/"
#define SCENARIO_SUFFIX ".scenario"

enum { CELLS_MAX = 8 };

static const char *const kind_names[STATEMENT_KINDS] = {
    [STATEMENT_RULE] = "rule",
    [STATEMENT_INDICATOR] = "indicator",
    [STATEMENT_CORROBORATION] = "corroboration",
    [STATEMENT_ANOMALY] = "anomaly",
};

const char *validation_kind_name(enum validation_kind kind)
{
    return kind_names[kind];
}

static struct text embedded_text(struct text path)
{
    for (const struct embedded_file *f = embedded_files; f->path; f++)
        if (text_equal(text_from(f->path), path))
            return (struct text){f->ptr, f->len};
    return NO_TEXT;
}

/* --- lines of cells */

struct lines {
    const char *file;
    struct text rest;
    unsigned number;
    struct text cells[CELLS_MAX];
    size_t count;
};

/* What stands before the separator; *rest is what follows it. */
static struct text take_until(struct text *rest, char separator)
{
    const char *end = memchr(rest->ptr, separator, rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    struct text part = text_slice(*rest, 0, len);
    *rest = text_slice(*rest, len + (end != NULL), SIZE_MAX);
    return part;
}

static bool next_line(struct lines *l)
{
    while (l->rest.len) {
        struct text line = take_until(&l->rest, '\n');
        l->number++;
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        l->count = 0;
        do
            l->cells[l->count++] = take_until(&line, '\t');
        while (line.len && l->count < CELLS_MAX);
        return true;
    }
    return false;
}

static enum status bad_line(const struct lines *l, struct error *err, const char *what)
{
    return fail(err, FAILED, NOWHERE, "%s, line %u: %s", l->file, l->number, what);
}

/* --- statements */

static struct text_list list_of(struct text words, struct arena *arena)
{
    struct text_list list = {arena_alloc(arena, (words.len + 1) * sizeof *list.items),
                             0};
    while (words.len) {
        struct text word = take_until(&words, ' ');
        if (word.len)
            list.items[list.count++] = word;
    }
    return list;
}

static bool are_scenarios(const struct text_list *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (text_is_absent(validation_scenario(names->items[i])))
            return false;
    return names->count > 0;
}

static enum status statement_read(struct validation_statement *s, const struct lines *l,
                                  struct arena *arena, struct error *err)
{
    if (l->count != 4)
        return bad_line(l, err, "a statement has four cells");
    for (s->kind = 0; s->kind < STATEMENT_KINDS; s->kind++)
        if (text_equal(l->cells[0], text_from(kind_names[s->kind])))
            break;
    s->code = l->cells[1];
    s->raised_by = list_of(l->cells[2], arena);
    s->not_raised_by = list_of(l->cells[3], arena);
    if (s->kind == STATEMENT_KINDS)
        return bad_line(l, err, "no such kind of statement");
    if (!are_scenarios(&s->raised_by) || !are_scenarios(&s->not_raised_by))
        return bad_line(l, err, "no scenario, or one that does not exist, is named");
    return OK;
}

enum status validation_load(struct validation *s, struct arena *arena,
                            struct error *err)
{
    struct lines l = {.file = STATEMENTS_FILE,
                      .rest = embedded_text(TEXT_LITERAL(STATEMENTS_FILE))};
    *s = (struct validation){0};
    while (next_line(&l)) {
        ARRAY_GROW(s->items, s->count, s->capacity);
        if (statement_read(&s->items[s->count], &l, arena, err) != OK)
            return FAILED;
        s->count++;
    }
    return s->count ? OK : bad_line(&l, err, "no statement");
}

void validation_release(struct validation *s)
{
    free(s->items);
    *s = (struct validation){0};
}

struct text validation_scenario(struct text name)
{
    struct buffer path = {0};
    buffer_printf(&path, SCENARIO_FOLDER "%.*s" SCENARIO_SUFFIX, TEXT(name));
    struct text content = embedded_text(buffer_text(&path));
    buffer_release(&path);
    return content;
}

/* --- the truth table */

/* The columns write _ where the names of rule sources have -. */
static struct text source_name(struct text column, struct arena *arena)
{
    struct text name = arena_copy(arena, column);
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == '_')
            ((char *)name.ptr)[i] = '-';
    return name;
}

static enum status truth_row_read(struct truth_row *row, const struct lines *l,
                                  struct error *err)
{
    if (l->count != 4 + TRUTH_RULES)
        return bad_line(l, err, "a row has eight cells");
    *row = (struct truth_row){l->cells[0], l->cells[1], l->cells[2], l->cells[3], {0}};
    for (size_t i = 0; i < TRUTH_RULES; i++) {
        row->fires[i] = text_equal(l->cells[4 + i], TEXT_LITERAL("yes"));
        if (!row->fires[i] && !text_equal(l->cells[4 + i], TEXT_LITERAL("no")))
            return bad_line(l, err, "a verdict is yes or no");
    }
    return OK;
}

enum status truth_load(struct truth_table *t, struct arena *arena, struct error *err)
{
    struct lines l = {.file = TRUTH_FILE,
                      .rest = embedded_text(TEXT_LITERAL(TRUTH_FILE))};
    *t = (struct truth_table){0};
    if (!next_line(&l) || l.count != 4 + TRUTH_RULES)
        return bad_line(&l, err, "the head has eight cells");
    for (size_t i = 0; i < TRUTH_RULES; i++)
        t->rules[i] = source_name(l.cells[4 + i], arena);
    while (next_line(&l)) {
        ARRAY_GROW(t->rows, t->count, t->capacity);
        if (truth_row_read(&t->rows[t->count], &l, err) != OK)
            return FAILED;
        t->count++;
    }
    return t->count ? OK : bad_line(&l, err, "no row");
}

void truth_release(struct truth_table *t)
{
    free(t->rows);
    *t = (struct truth_table){0};
}

static void add_quoted(struct buffer *out, const char *field, struct text value)
{
    buffer_printf(out, " %s=e\"", field);
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\\' || value.ptr[i] == '"')
            buffer_add_char(out, '\\');
        buffer_add_char(out, value.ptr[i]);
    }
    buffer_add_char(out, '"');
}

void truth_add_scenario(const struct truth_table *t, struct buffer *out)
{
    buffer_add_string(out, "t0 2026-01-01T00:00:00Z\n"
                           "log Microsoft-Windows-Sysmon%4Operational.evtx\n"
                           "host TRUTH machine 0x00000001\n");
    for (size_t i = 0; i < t->count; i++) {
        buffer_printf(out, "process row%zu pid %zu at +%zus image x parent -", i,
                      TRUTH_FIRST_PID + i, i);
        add_quoted(out, "Image", t->rows[i].image);
        add_quoted(out, "ParentImage", t->rows[i].parent_image);
        add_quoted(out, "ParentCommandLine", t->rows[i].parent_command_line);
        buffer_add_char(out, '\n');
    }
}
