/* SPDX-License-Identifier: Apache-2.0
 * report_render.c - writes the report of a hand-made run, for tests that look at the page in
 * a browser, or at the workbook: report_render FOLDER [NAME [ROWS]], NAME one of the hostile
 * values; without it the recorded values are harmless; with "all" there is a process for
 * each, with "joined" each is all, with "controls" each is thousands of them. ROWS: also a
 * workbook, with so many rows in a sheet at most. "names" lists the values, "values" gives
 * each as a line of JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/report_model.h"
#include "util/json.h"

/* [name, value as the model holds it, value as the page shows it] */
static void put_values(void)
{
    for (const struct hostile_value *v = hostile_values(); v->name; v++) {
        struct buffer exact = {0}, visible = {0}, shown = {0};
        report_visible_value(&visible, v->value);
        json_add_ascii(&exact, v->value);
        json_add_ascii(&shown, buffer_text(&visible));
        printf("[\"%s\", \"%.*s\", \"%.*s\"]\n", v->name, TEXT(buffer_text(&exact)),
               TEXT(buffer_text(&shown)));
        buffer_release(&exact);
        buffer_release(&visible);
        buffer_release(&shown);
    }
}

/* What a spreadsheet takes seven characters for, each. */
static struct text controls(struct arena *arena)
{
    enum { COUNT = 9000 };
    char *to = arena_alloc(arena, COUNT);
    memset(to, '\x01', COUNT);
    return (struct text){to, COUNT};
}

int main(int argc, char **argv)
{
    static struct report_model m;
    struct error err = {0};
    struct text value = TEXT_LITERAL("plain");
    if (argc == 2 && strcmp(argv[1], "names") == 0) {
        for (const struct hostile_value *v = hostile_values(); v->name; v++)
            puts(v->name);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "values") == 0) {
        put_values();
        return 0;
    }
    if (argc < 2)
        return 2;
    for (const struct hostile_value *v = hostile_values(); argc > 2 && v->name; v++)
        if (strcmp(v->name, argv[2]) == 0)
            value = v->value;
    struct arena arena = {0};
    if (argc > 2 && strcmp(argv[2], "joined") == 0)
        value = hostile_value_joined(&arena);
    if (argc > 2 && strcmp(argv[2], "controls") == 0)
        value = controls(&arena);
    if (argc > 2 && strcmp(argv[2], "all") == 0)
        report_model_init_all(&m);
    else
        report_model_init(&m, value, 0);
    if (argc > 3) {
        m.report.run.formats |= REPORT_XLSX;
        m.report.run.sheet_rows = (uint32_t)atoi(argv[3]);
    }
    enum status status = report_model_write(&m, argv[1], NULL, &err);
    if (status != OK)
        fprintf(stderr, "%s\n", err.what);
    report_model_release(&m);
    arena_release(&arena);
    return status != OK;
}
