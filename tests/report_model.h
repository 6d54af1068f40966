/* SPDX-License-Identifier: Apache-2.0
 * report_model.h - a run made by hand, whose every recorded value is one text of the
 * caller's: what the writers make of that text is what their tests look at. Test code. */
#ifndef FOREBEAR_REPORT_MODEL_H
#define FOREBEAR_REPORT_MODEL_H

#include "report/report.h"

struct report_model {
    struct arena arena;
    struct problems problems;
    struct evidence evidence;
    struct evidence_item item;
    struct evidence_volume volume;
    struct evidence_log log;
    struct log_report log_report;
    struct clearing_report clearing;
    struct rules rules;
    struct detector detector;
    struct lineage lineage;
    struct timeline timeline;
    struct elsewhere elsewhere;
    struct report report;
    struct text computer; /* of every record; absent: the value */
};

struct hostile_value {
    const char *name;
    struct text value;
};

/* Those of tests/hostile_values.tsv; ends with one without a name. */
const struct hostile_value *hostile_values(void);

/* All but the long ones, one behind the other. */
struct text hostile_value_joined(struct arena *arena);

/* A chain explorer (ghost), regsvr32, msra, cmd, with an event of every id on msra; each
 * recorded text is `value`, or ends in what a rule needs. extra_children: more children of
 * msra, which meet no rule. */
void report_model_init(struct report_model *m, struct text value,
                       unsigned extra_children);
/* The same, harmless, with a child of msra for each hostile value, which is all that its
 * records hold; they meet rules. */
void report_model_init_all(struct report_model *m);
void report_model_release(struct report_model *m);
/* All files of a report into `path`; FAILED as the writers do. */
enum status report_model_write(struct report_model *m, const char *path,
                               const char *templates, struct error *err);

#endif
