/* SPDX-License-Identifier: Apache-2.0
 * sorter.h - more rows than memory may hold, in the order of their keys.
 *
 * Rows are kept until SORTER_MEMORY bytes are full, then sorted and written to a temporary
 * file as one run; SORTER_FAN_IN runs of one level become one run of the next. The file has
 * no name from the moment it is made, so nothing stays behind however a run ends.
 *
 * Memory: SORTER_MEMORY, and while runs are merged SORTER_BUFFER for each open run, of
 * which a level has at most SORTER_FAN_IN - 1; a row that is longer than its buffer makes
 * that buffer as long. Sorting is stable by (key, order of adding): equal input gives equal
 * output. Write errors stick; sorter_finish() tells the first. All zeros is an empty one. */
#ifndef FOREBEAR_SORTER_H
#define FOREBEAR_SORTER_H

#include "util/error.h"

enum {
    SORTER_MEMORY = 16 << 20,
    SORTER_FAN_IN = 32,
    SORTER_BUFFER = 64 << 10,
    SORTER_TAG = 16
};

/* Rows are ordered by first, second, tag, as bytes; then as they were added. */
struct sorter_key {
    uint64_t first, second;
    uint8_t tag[SORTER_TAG];
};

struct sorter_row {
    struct sorter_key key;
    struct text bytes; /* borrowed until the next call of sorter_next() */
};

struct sorter {
    int folder; /* where the temporary file goes; a descriptor that stays the caller's */
    size_t memory;              /* 0: SORTER_MEMORY; tests choose less */
    struct sorter_state *state; /* private */
};

/* Nothing is opened before the memory is full. */
void sorter_init(struct sorter *s, int folder);
void sorter_release(struct sorter *s);
/* The bytes are copied. */
void sorter_add(struct sorter *s, const struct sorter_key *key, struct text bytes);
/* No row is added any more; the next one is the first, also when called once more. FAILED if
 * a row could not be written. */
enum status sorter_finish(struct sorter *s, struct error *err);
/* OK and a row; END behind the last; FAILED if one could not be read. */
enum status sorter_next(struct sorter *s, struct sorter_row *row, struct error *err);
int sorter_compare(const struct sorter_key *a, const struct sorter_key *b);

#endif
