/* SPDX-License-Identifier: Apache-2.0
 * Public logs, read natively: every live record of each is given, none is damaged, and the
 * counts are those of a strict decoder (counts.tsv beside the logs). */
#include "memory_log.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"
#include "util/memory.h"

enum { COLUMN_MAX = 16 };

/* What counts.tsv says of one log. */
struct counts {
    char *path;
    size_t live, sysmon, creations;
};

static struct counts *all;
static size_t count, capacity;

static size_t split(char *line, char *columns[COLUMN_MAX])
{
    size_t n = 0;
    for (char *at = line; at && n < COLUMN_MAX; n++) {
        columns[n] = at;
        at = strpbrk(at, "\t\n");
        if (at)
            *at++ = '\0';
    }
    return n;
}

static void load_counts(void)
{
    char *path = shared_path("evtx/counts.tsv"), line[4096], *columns[COLUMN_MAX];
    FILE *file = path ? fopen(path, "r") : NULL;
    free(path);
    if (!file)
        return;
    while (fgets(line, sizeof line, file))
        if (split(line, columns) > 12 && strcmp(columns[0], "file") != 0) {
            ARRAY_GROW(all, count, capacity);
            char below[4096];
            snprintf(below, sizeof below, "evtx/%s", columns[0]);
            all[count++] = (struct counts){
                shared_path(below), strtoul(columns[3], NULL, 10),
                strtoul(columns[11], NULL, 10), strtoul(columns[12], NULL, 10)};
        }
    fclose(file);
}

static void read_log(struct outcome *o, const char *path, unsigned jobs, bool recovers)
{
    struct memory_log *m = memory_log_open(path);
    struct evtx_reader *reader = evtx_reader_open(EVTX_READER_NATIVE, jobs);
    assert_non_null(m);
    evtx_reader_recover(reader, recovers);
    outcome_read(o, reader, m);
    evtx_reader_close(reader);
    memory_log_free(m);
}

static void every_live_record_is_given(void **state)
{
    (void)state;
    size_t live = 0;
    if (count == 0)
        skip();
    for (size_t i = 0; i < count; i++) {
        struct outcome o;
        read_log(&o, all[i].path, 1, false);
        if (o.records != all[i].live || o.sysmon != all[i].sysmon)
            print_message("%s\n", all[i].path);
        assert_int_equal(o.status, OK);
        assert_int_equal(o.records, all[i].live);
        assert_int_equal(o.states[RECORD_LIVE], all[i].live);
        assert_int_equal(o.sysmon, all[i].sysmon);
        assert_int_equal(o.creations, all[i].creations);
        assert_int_equal(o.problems.per_code[PROBLEM_RECORD_NOT_DECODED], 0);
        assert_int_equal(o.problems.per_code[PROBLEM_TEMPLATE_RESTORED], 0);
        live += o.records;
        outcome_release(&o);
    }
    print_message("%zu records of %zu logs\n", live, count);
    assert_true(live > 0);
}

/* With recovery the live ones stay the same, and the bytes do not depend on the workers. */
static void recovery_adds_and_changes_nothing(void **state)
{
    (void)state;
    size_t states[RECORD_POSITIONAL + 1] = {0}, copies = 0;
    if (count == 0)
        skip();
    for (size_t i = 0; i < count; i++) {
        struct outcome o, again;
        read_log(&o, all[i].path, 1, true);
        read_log(&again, all[i].path, 3, true);
        assert_int_equal(o.states[RECORD_LIVE], all[i].live);
        assert_int_equal(o.facts.records, all[i].live);
        assert_string_equal(o.told.ptr ? o.told.ptr : "",
                            again.told.ptr ? again.told.ptr : "");
        for (size_t s = 0; s <= RECORD_POSITIONAL; s++)
            states[s] += o.states[s];
        copies += o.facts.records_recovered_twice;
        outcome_release(&o);
        outcome_release(&again);
    }
    print_message("live %zu, behind damage %zu, orphan chunk %zu, slack %zu, torn %zu, "
                  "positional %zu, copies dropped %zu\n",
                  states[RECORD_LIVE], states[RECORD_BEHIND_DAMAGE],
                  states[RECORD_ORPHAN_CHUNK], states[RECORD_SLACK],
                  states[RECORD_TORN], states[RECORD_POSITIONAL], copies);
    assert_true(states[RECORD_BEHIND_DAMAGE] > 0 && states[RECORD_SLACK] > 0 &&
                states[RECORD_ORPHAN_CHUNK] > 0 && states[RECORD_POSITIONAL] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_live_record_is_given),
        cmocka_unit_test(recovery_adds_and_changes_nothing),
    };
    load_counts();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < count; i++)
        free(all[i].path);
    free(all);
    return failed;
}
