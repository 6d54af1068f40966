/* SPDX-License-Identifier: Apache-2.0
 * tables.c - all tables of a report, two at a time.
 *
 * The SHA-256 of processes.csv, which mostly is longer than all others together, takes one
 * processor as long as its rows take another; so the thread that runs the program writes
 * that one, while a second writes the rest, one after another. Each leaves its file and its
 * problems in a place of its own, and these are joined in the order of the tables: what is
 * written does not depend on who was faster.
 *
 * problems.csv is the last, since the others still have problems to tell. The rows that are
 * known before are written with the rest, those that came at the end. */
#include <stdlib.h>

#include "report/report_internal.h"
#include "util/memory.h"
#include "util/stop.h"
#include "util/workers.h"

struct left_by_table {
    struct output_dir dir;
    struct problems problems;
    struct arena arena;
};

struct tables {
    struct work work; /* all but the first */
    const struct report *report;
    const struct csv_file **files; /* without problems_file */
    struct left_by_table *left;    /* the same, and that of problems_file behind them */
    size_t count, first;           /* files; index of the one that does not wait */
    struct table problems;
    bool problems_begun;
    size_t problems_known;
    enum status status; /* of the work */
    struct error err;
};

static void begin(struct tables *t, const struct report *report,
                  const struct output_dir *dir)
{
    *t = (struct tables){.report = report, .problems_known = report->problems->count};
    while (report_table(report, t->count) != &problems_file)
        t->count++;
    t->files = memory_get((t->count + 1) * sizeof *t->files);
    t->left = memory_get_zeroed(t->count + 1, sizeof *t->left);
    t->first = t->count;
    for (size_t i = 0; i <= t->count; i++) {
        t->files[i] = report_table(report, i);
        if (t->files[i] == &processes_file)
            t->first = i;
        t->left[i].dir = output_dir_part(dir);
        problems_init(&t->left[i].problems, &t->left[i].arena);
    }
}

static enum status write_table(struct tables *t, size_t i, struct error *err)
{
    struct left_by_table *left = &t->left[i];
    return csv_file_write(t->files[i], t->report, &left->dir, &left->problems, err);
}

static enum status begin_problems(struct tables *t, struct error *err)
{
    const struct csv_file *file = &problems_file;
    if (table_open(&t->problems, &t->left[t->count].dir, file->name, file->columns,
                   file->column_count, err) != OK)
        return FAILED;
    t->problems_begun = true;
    csv_file_put_rows(file, t->report, &t->problems, 0, t->problems_known);
    return OK;
}

static void write_others(struct work *work, unsigned worker)
{
    struct tables *t = (struct tables *)(void *)work;
    (void)worker;
    for (size_t i = 0; i < t->count && t->status == OK; i++)
        if (i != t->first)
            t->status = write_table(t, i, &t->err);
    if (t->status == OK)
        t->status = begin_problems(t, &t->err);
}

static enum status write_tables(struct tables *t, struct error *err)
{
    struct workers *second = workers_open(t->report->run.jobs > 1 ? 2 : 1);
    enum status status = OK;
    t->work.run = write_others;
    workers_submit(second, &t->work);
    if (t->first < t->count)
        status = write_table(t, t->first, err);
    workers_wait(second, &t->work);
    workers_close(second);
    if (status == OK && t->status != OK && err)
        *err = t->err;
    return status == OK ? t->status : status;
}

static enum status end_problems(struct tables *t, struct error *err)
{
    csv_file_put_rows(&problems_file, t->report, &t->problems, t->problems_known,
                      t->report->problems->count);
    if (stop_requested())
        return fail(err, FAILED, NOWHERE, "stopped while writing problems.csv");
    t->problems_begun = false; /* whatever comes of it */
    return table_close(&t->problems, NULL, err);
}

static void join(struct tables *t, struct output_dir *dir)
{
    for (size_t i = 0; i < t->count; i++) {
        output_dir_join(dir, &t->left[i].dir);
        problems_take(t->report->problems, &t->left[i].problems);
    }
}

static void end(struct tables *t, struct output_dir *dir)
{
    if (t->problems_begun)
        table_abandon(&t->problems);
    output_dir_join(dir, &t->left[t->count].dir);
    for (size_t i = 0; i <= t->count; i++) {
        problems_release(&t->left[i].problems);
        arena_release(&t->left[i].arena);
    }
    free(t->left);
    free(t->files);
}

enum status report_write_csv(const struct report *report, struct output_dir *dir,
                             struct error *err)
{
    struct tables tables;
    begin(&tables, report, dir);
    enum status status = write_tables(&tables, err);
    join(&tables, dir);
    if (status == OK) {
        if (report->run.formats & REPORT_HTML)
            page_add_problems(report);
        count_problem_formulas(report);
        status = end_problems(&tables, err);
    }
    end(&tables, dir);
    return status;
}
