/* SPDX-License-Identifier: Apache-2.0
 * report_render.c - writes the report of a hand-made run, for tests that look at the page in
 * a browser: report_render FOLDER [NAME], NAME one of the hostile values; without it the
 * recorded values are harmless. "names" lists the values. */
#include <stdio.h>
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
    enum status status = report_model_write(&m, argv[1], NULL, &err);
    if (status != OK)
        fprintf(stderr, "%s\n", err.what);
    report_model_release(&m);
    return status != OK;
}
