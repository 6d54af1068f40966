/* SPDX-License-Identifier: Apache-2.0
 * report_render.c - writes the report of a hand-made run, for tests that look at the page in
 * a browser, or at the workbook: report_render FOLDER [NAME [ROWS]], NAME one of the hostile
 * values; without it the recorded values are harmless. ROWS: also a workbook, with so many
 * rows in a sheet at most. "names" lists the values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/report_model.h"

int main(int argc, char **argv)
{
    static struct report_model m;
    struct error err = {0};
    struct text value = TEXT_LITERAL("plain");
    if (argc == 2 && strcmp(argv[1], "names") == 0) {
        for (const struct hostile_value *v = hostile_values; v->name; v++)
            puts(v->name);
        return 0;
    }
    if (argc < 2)
        return 2;
    for (const struct hostile_value *v = hostile_values; argc > 2 && v->name; v++)
        if (strcmp(v->name, argv[2]) == 0)
            value = v->value;
    report_model_init(&m, value, 0);
    if (argc > 3) {
        m.report.run.formats |= REPORT_XLSX;
        m.report.run.sheet_rows = (uint32_t)atoi(argv[3]);
    }
    enum status status = report_model_write(&m, argv[1], NULL, &err);
    if (status != OK)
        fprintf(stderr, "%s\n", err.what);
    report_model_release(&m);
    return status != OK;
}
