/* SPDX-License-Identifier: Apache-2.0
 * journal.h - what the run did and said: messages to stderr, and every action and message
 * with its time into run.log.
 *
 * Messages name evidence, and evidence is hostile: all text is made visible (utf.h) before
 * it goes to the terminal or the log. Until a folder is open, lines for run.log are kept. */
#ifndef FOREBEAR_JOURNAL_H
#define FOREBEAR_JOURNAL_H

#include "util/error.h"
#include "util/output.h"

struct journal {
    bool
        quiet; /* actions and notes stay off the terminal; warnings and errors do not */
    bool
        progress_shown; /* a progress line stands on the terminal and must be wiped first */
    bool clock_fixed; /* SOURCE_DATE_EPOCH: every line carries that time */
    uint64_t fixed_filetime;
    unsigned problems_shown; /* on the terminal */
    struct buffer early;     /* lines from before the log was open */
    struct output log;
    bool log_open;
};

/* What the terminal is told of problems; run.log and problems.csv have all of them. */
#define JOURNAL_PROBLEMS_SHOWN 20

enum journal_level { JOURNAL_ACTION, JOURNAL_NOTE, JOURNAL_WARNING, JOURNAL_ERROR };

/* Is SOURCE_DATE_EPOCH, where it is set, seconds since 1970 in decimal? Its specification
 * wants a run that meets anything else to fail. */
enum status journal_check_clock(struct error *err);
/* Reads SOURCE_DATE_EPOCH; anything but a number counts as not set. */
void journal_init(struct journal *j, bool quiet);
enum status journal_open(struct journal *j, struct output_dir *dir, struct error *err);
/* ACTION: run.log alone. NOTE: also the terminal unless quiet. WARNING, ERROR: both. */
void journal_say(struct journal *j, enum journal_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void journal_say_error(struct journal *j, enum journal_level level,
                       const struct error *err);
/* A problem of the evidence, as an error or a note says it: into run.log, and the first
 * JOURNAL_PROBLEMS_SHOWN on the terminal as well. */
void journal_say_problem(struct journal *j, enum journal_level level,
                         const struct place *place, const char *code,
                         struct text message);
/* Finish run.log; later lines go to the terminal alone. */
enum status journal_close(struct journal *j, struct error *err);
void journal_abandon(struct journal *j);
/* The time of the run: the clock's, or SOURCE_DATE_EPOCH. */
uint64_t journal_now_filetime(const struct journal *j);

#endif
