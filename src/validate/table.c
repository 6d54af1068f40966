/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/table.h"

#include <csv.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

struct filling {
    struct table *table;
    size_t in_row;
    bool is_ragged;
};

static void take_cell(void *cell, size_t len, void *context)
{
    struct filling *f = context;
    struct table *t = f->table;
    ARRAY_GROW(t->cells, t->cell_count, t->cell_capacity);
    t->cells[t->cell_count++] =
        arena_copy(&t->arena, (struct text){cell ? cell : "", len});
    f->in_row++;
}

static void take_row(int terminator, void *context)
{
    struct filling *f = context;
    (void)terminator;
    if (!f->table->columns)
        f->table->columns = f->in_row;
    else
        f->table->rows++;
    f->is_ragged |= f->in_row != f->table->columns;
    f->in_row = 0;
}

static bool parse_file(struct csv_parser *parser, FILE *file, struct filling *f)
{
    char part[65536];
    size_t n;
    while ((n = fread(part, 1, sizeof part, file)) > 0)
        if (csv_parse(parser, part, n, take_cell, take_row, f) != n)
            return false;
    return !ferror(file) && csv_fini(parser, take_cell, take_row, f) == 0 &&
           !f->is_ragged && f->table->columns;
}

enum status table_read(struct table *t, const char *path, struct error *err)
{
    struct filling f = {.table = t};
    struct csv_parser parser;
    *t = (struct table){0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return fail(err, FAILED, NOWHERE, "%s: %s", path, strerror(errno));
    csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
    bool good = parse_file(&parser, file, &f);
    csv_free(&parser);
    fclose(file);
    if (good)
        return OK;
    table_release(t);
    return fail(err, FAILED, NOWHERE, "%s: cannot be read as CSV", path);
}

struct text table_cell(const struct table *t, size_t row, const char *column)
{
    for (size_t i = 0; i < t->columns; i++)
        if (text_equal(t->cells[i], text_from(column)))
            return t->cells[(row + 1) * t->columns + i];
    return NO_TEXT;
}

void table_release(struct table *t)
{
    free(t->cells);
    arena_release(&t->arena);
    *t = (struct table){0};
}
