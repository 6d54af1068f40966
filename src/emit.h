/* SPDX-License-Identifier: Apache-2.0
 * emit.h - what `records` and `scan` share: rows leave on standard output as they are made,
 * what was wrong is told on standard error. A reader that closes the pipe ends it quietly. */
#ifndef FOREBEAR_EMIT_H
#define FOREBEAR_EMIT_H

#include "options.h"

struct emitter {
    struct arena arena;
    struct problems problems;
    struct journal journal;
    struct evidence evidence;
    struct evtx_reader *reader;
    struct selection_check check; /* of options->selection */
    const struct evidence_log *log; /* being read */
    struct buffer out, cell;
    int write_error; /* errno of the first failure; EPIPE: nobody reads any more */
};

void emit_init(struct emitter *e, const struct options *options);
/* Find the logs and start a reader. FAILED only if the user asked to stop. */
enum status emit_open(struct emitter *e, const struct options *options,
                      struct error *err);
void emit_release(struct emitter *e);

/* Write what stands in `out`; FAILED if it cannot be written. */
enum status emit_push(struct emitter *e);
enum status emit_push_if_full(struct emitter *e);
/* Write these bytes behind it: many of them without a copy. */
enum status emit_span(struct emitter *e, const char *ptr, size_t len);

/* A whole text on standard output; the exit status. On a full disk it is a failure, where
 * nobody reads any more it is not. */
int emit_text(struct text text);

/* ---- CSV, RFC 4180: values as they are, absent ones empty without quotes */
void emit_csv_cell(struct emitter *e, struct text value);
void emit_csv_number(struct emitter *e, uint64_t value, uint64_t none);
void emit_csv_time(struct emitter *e, uint64_t filetime);
void emit_csv_end_row(struct emitter *e);
/* Paths are any bytes: what cannot be seen in them is escaped, as in the report. Lives until
 * the next call. */
struct text emit_visible(struct emitter *e, struct text t);

/* What of the options' filters no record had. */
void emit_not_found(struct emitter *e);
/* Each damage by itself, as a warning. */
void emit_damage(struct journal *journal, const struct problems *problems);
/* Each damage by itself; of what is only odd, how often it was met. */
void emit_problems(struct emitter *e);
/* The exit status of a run that came to its end, or did not. */
int emit_finish(struct emitter *e);
int emit_give_up(struct emitter *e, struct error *err);

#endif
