/* SPDX-License-Identifier: Apache-2.0
 * cell.h - what a text asks of a cell of a CSV file (RFC 4180), and the quoting of one. The
 * same bytes as libcsv's csv_write2(), sixteen at a time; tests/util_test.c holds them equal.
 *
 * A cell needs quotes that is empty (absent is a cell without any), that holds a quote, a
 * comma or a control character, or that begins or ends with a blank: readers drop blanks
 * around a cell that has no quotes (libcsv does). */
#ifndef FOREBEAR_CELL_H
#define FOREBEAR_CELL_H

#include "util/text.h"

enum { CELL_PLAIN, CELL_QUOTED = 1, CELL_NOT_ASCII = 2, CELL_HOLDS_QUOTE = 4 };

/* These or-ed. */
unsigned cell_asks(struct text value);
/* In quotes, each quote in it doubled. */
void cell_add_quoted(struct buffer *out, struct text value);
/* Take the first cell off a row that these rules wrote, with the comma behind it. Absent if
 * the cell has nothing, not even quotes; else borrowed from the row or from `unquoted`. */
struct text cell_take(struct text *row, struct buffer *unquoted);

#endif
