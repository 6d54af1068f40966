/* SPDX-License-Identifier: Apache-2.0
 * Every public log in $SHARED_DATA/evtx against counts.tsv: as many records as libevtx can
 * give, and each that it cannot in the problems. One test per log. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "memory_log.h"
#include "test.h"
#include "util/memory.h"

enum column {
    FILE_NAME,
    LIVE = 3,
    BEHIND_DAMAGE,
    IN_SLACK,
    ORPHAN,
    BY_LIBEVTX = 9,
    SYSMON = 11,
    CREATIONS,
    COLUMNS
};

struct row {
    char name[256];
    uint64_t number[COLUMNS];
};

static struct evtx_reader *reader;

static size_t count_code(const struct outcome *o, enum problem_code code)
{
    return o->problems.per_code[code];
}

/* Damaged places hold no intact record, so counts.tsv does not count them as live. */
static void records_are_given_or_named(const struct outcome *o, const struct row *row)
{
    const uint64_t *n = row->number;
    assert_int_equal(o->records, n[BY_LIBEVTX]);
    assert_int_equal(o->facts.records, o->records);
    assert_int_equal(count_code(o, PROBLEM_RECORD_NOT_DECODED) +
                         count_code(o, PROBLEM_READER_CRASHED),
                     n[LIVE] - n[BY_LIBEVTX]);
    assert_true(o->facts.records_damaged >= n[LIVE] - n[BY_LIBEVTX]);
    assert_int_equal(o->facts.records_damaged - (n[LIVE] - n[BY_LIBEVTX]),
                     count_code(o, PROBLEM_RECORD_DAMAGED));
    assert_int_equal(o->facts.records_recovered,
                     n[BEHIND_DAMAGE] + n[IN_SLACK] + n[ORPHAN]);
}

/* The leading numbers of RECORDS_NOT_READ's messages. */
static void places_add_up(const struct outcome *o, const struct row *row)
{
    uint64_t told = 0;
    const struct problem *p;
    for (size_t i = 0; (p = outcome_problem(o, PROBLEM_RECORDS_NOT_READ, i)); i++)
        told += strtoull(p->message.ptr, NULL, 10);
    assert_int_equal(told, row->number[BEHIND_DAMAGE] + row->number[ORPHAN]);
}

static void check_log(void **state)
{
    const struct row *row = *state;
    char *path = shared_path(row->name);
    struct memory_log *m = memory_log_open(path);
    free(path);
    assert_non_null(m);
    struct outcome o;
    outcome_read(&o, reader, m);
    assert_int_equal(o.status, OK);
    assert_true(o.facts.is_evtx);
    records_are_given_or_named(&o, row);
    places_add_up(&o, row);
    assert_int_equal(o.sysmon, row->number[SYSMON]);
    assert_int_equal(o.creations, row->number[CREATIONS]);
    assert_int_equal(count_code(&o, PROBLEM_VALUE_DISAGREES), 0);
    outcome_release(&o);
    memory_log_free(m);
}

static void no_logs_here(void **state)
{
    (void)state;
    skip();
}

static bool parse_row(char *line, struct row *row)
{
    char *rest = line, *cell;
    for (int i = 0; (cell = strsep(&rest, "\t")) && i < COLUMNS; i++)
        if (i == FILE_NAME)
            snprintf(row->name, sizeof row->name, "evtx/%s", cell);
        else
            row->number[i] = strtoull(cell, NULL, 10);
    return row->number[LIVE] > 0 || cell;
}

static size_t read_table(struct row **rows)
{
    size_t count = 0, capacity = 0;
    char *path = shared_path("evtx/counts.tsv");
    FILE *file = path ? fopen(path, "r") : NULL;
    free(path);
    if (!file)
        return 0;
    char line[2048];
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "file\t", 5) == 0)
            continue;
        ARRAY_GROW(*rows, count, capacity);
        (*rows)[count] = (struct row){0};
        count += parse_row(line, &(*rows)[count]);
    }
    fclose(file);
    return count;
}

int main(void)
{
    struct row *rows = NULL;
    size_t count = read_table(&rows);
    if (count == 0) {
        const struct CMUnitTest none[] = {cmocka_unit_test(no_logs_here)};
        return cmocka_run_group_tests(none, NULL, NULL);
    }
    struct CMUnitTest *tests = memory_get_zeroed(count, sizeof *tests);
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){
            .name = rows[i].name, .test_func = check_log, .initial_state = &rows[i]};
    reader = evtx_reader_open(EVTX_READER_LIBEVTX, 2);
    int failed =
        _cmocka_run_group_tests("counts of public logs", tests, count, NULL, NULL);
    evtx_reader_close(reader);
    free(tests);
    free(rows);
    return failed;
}
