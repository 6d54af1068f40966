/* SPDX-License-Identifier: Apache-2.0
 * table.h - a CSV file that the program wrote, read back with libcsv. */
#ifndef FOREBEAR_VALIDATE_TABLE_H
#define FOREBEAR_VALIDATE_TABLE_H

#include "util/arena.h"
#include "util/error.h"

struct table {
    struct arena arena;
    struct text *cells; /* row after row; the first row is the head */
    size_t cell_count, cell_capacity;
    size_t columns, rows; /* rows without the head */
};

/* FAILED if the file cannot be read, is no CSV, or has a row of another length. */
enum status table_read(struct table *t, const char *path, struct error *err);
/* The cell of a row (from 0) under that head; absent if there is no such column. */
struct text table_cell(const struct table *t, size_t row, const char *column);
void table_release(struct table *t);

#endif
