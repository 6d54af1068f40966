/* SPDX-License-Identifier: Apache-2.0
 * cases.h - what forebear self-test holds the program against: statements and a truth table.
 *
 * A statement says which constructed scenarios must raise a code and which must not
 * (tests/validation.tsv). The truth table (tests/msra_truth.tsv) gives the verdict of each
 * public rule for a process creation. Both, and the scenarios, are compiled in, so that an
 * installed copy can be tested without its source tree.
 *
 * What this shows: that this build, on this machine, says of constructed records what its
 * authors mean it to say. It says nothing about how often real evidence is like them. */
#ifndef FOREBEAR_VALIDATE_CASES_H
#define FOREBEAR_VALIDATE_CASES_H

#include "detect/detect.h"

enum validation_kind {
    STATEMENT_RULE,          /* findings.csv, rule_source */
    STATEMENT_INDICATOR,     /* findings.csv, code */
    STATEMENT_CORROBORATION, /* corroboration.csv, code */
    STATEMENT_ANOMALY,       /* problems.csv, code */
    STATEMENT_KINDS
};

/* "rule", "indicator", "corroboration", "anomaly" */
const char *validation_kind_name(enum validation_kind kind);

struct validation_statement {
    enum validation_kind kind;
    struct text code;
    struct text_list raised_by, not_raised_by; /* names of scenarios */
};

struct validation {
    struct validation_statement *items;
    size_t count, capacity;
};

/* Of the table that is compiled in, in its order. FAILED with the line if it is not one. */
enum status validation_load(struct validation *s, struct arena *arena,
                            struct error *err);
void validation_release(struct validation *s);
/* The text of a scenario that is compiled in; absent if there is none of that name. */
struct text validation_scenario(struct text name);

enum { TRUTH_RULES = 4 };

struct truth_row {
    struct text number, parent_image, parent_command_line, image;
    bool fires[TRUTH_RULES];
};

struct truth_table {
    struct text rules[TRUTH_RULES]; /* rule sources: "sigma", ... */
    struct truth_row *rows;
    size_t count, capacity;
};

enum { TRUTH_FIRST_PID = 1000 }; /* of row 0, then one more a row */

enum status truth_load(struct truth_table *t, struct arena *arena, struct error *err);
void truth_release(struct truth_table *t);
/* The rows as the process creations of one scenario, in the scenario language. */
void truth_add_scenario(const struct truth_table *t, struct buffer *out);

#endif
