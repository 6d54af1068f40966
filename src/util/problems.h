/* SPDX-License-Identifier: Apache-2.0
 * problems.h - everything that is wrong, missing or odd, as data: one row of problems.csv
 * each, from the tables problems.def and anomalies.def.
 *
 * A problem of class DAMAGE means that some evidence could not be read as it should be;
 * it raises the exit status to 3. One of class ANOMALY is about what was recorded (a gap
 * in record ids, a reused pid) and one of class NOTE about what was not examined or how
 * something was read; neither changes the status.
 * Rows stand in the order they were added, and the run adds them in a fixed order. */
#ifndef FOREBEAR_PROBLEMS_H
#define FOREBEAR_PROBLEMS_H

#include "util/arena.h"
#include "util/error.h"

enum problem_class { DAMAGE, ANOMALY, NOTE };
enum problem_severity {
    SEVERITY_INFO,
    SEVERITY_NOTICE,
    SEVERITY_WARNING,
    SEVERITY_ERROR
};

enum problem_code {
#define PROBLEM(code, class, severity, sentence) PROBLEM_##code,
#define ANOMALY(code, severity, sentence, trigger, innocent) PROBLEM_##code,
#include "util/problems.def"
#include "util/anomalies.def"
#undef ANOMALY
#undef PROBLEM
    PROBLEM_CODES
};

struct problem_kind {
    const char *code; /* as in problems.csv */
    enum problem_class class;
    enum problem_severity severity; /* unless the row says otherwise */
    const char *sentence;           /* what it means, for the report and the manual */
};

struct problem {
    enum problem_code code;
    enum problem_severity severity;
    struct place place;
    struct text message;
};

struct problems {
    struct arena *arena; /* of the run: messages are copied into it */
    struct problem *rows;
    size_t count, capacity;
    size_t per_code[PROBLEM_CODES];
    uint64_t unlisted[PROBLEM_CODES]; /* met and only counted, in a row of their own */
};

/* How many rows of a code one log may have. */
struct problem_cap {
    enum problem_code code;
    uint32_t most;
};
#define PROBLEM_CAPS(table) (table), sizeof(table) / sizeof *(table)

extern const struct problem_kind problem_kinds[PROBLEM_CODES];

/* "info", "notice", "warning", "error" */
const char *problem_severity_name(enum problem_severity severity);
void problems_init(struct problems *p, struct arena *arena);
void problems_release(struct problems *p);
/* place.evidence and place.log are borrowed and must live as long as the run; evidence text
 * in the message stays as it is, writers escape it. p may be NULL: then nothing happens
 * (the second pass meets the same problems again). */
void problems_add(struct problems *p, enum problem_code code, struct place place,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));
void problems_add_graded(struct problems *p, enum problem_code code,
                         enum problem_severity severity, struct place place,
                         const char *format, ...) __attribute__((format(printf, 5, 6)));
/* What a cap left out: "3 more rows like these are counted, not listed". Nothing for 0. */
void problems_add_rest(struct problems *p, enum problem_code code, struct place place,
                       uint64_t count);
/* Of the rows from `first` on, keep the first ones of each capped code and log; how many more
 * there were is a row behind all of them. Rows that are graded higher than is usual for their
 * code are kept, and not counted. */
void problems_cap(struct problems *p, size_t first, const struct problem_cap *caps,
                  size_t count);
/* How often a code was met, listed or not. */
uint64_t problems_met(const struct problems *p, enum problem_code code);
/* An error as a problem: its place and its words. */
void problems_add_error(struct problems *p, enum problem_code code,
                        const struct error *err);
/* Add the rows of `from`, and take over the arena that their messages are in. */
void problems_take(struct problems *p, struct problems *from);
/* Of the rows from `first` on, keep those that `is_kept` wants: for a place that is read
 * again, where the second reading tells what it is. */
void problems_keep(struct problems *p, size_t first,
                   bool (*is_kept)(const struct problem *problem, void *context),
                   void *context);
/* Is there one of class DAMAGE? */
bool problems_have_damage(const struct problems *p);

#endif
