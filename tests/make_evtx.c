/* SPDX-License-Identifier: Apache-2.0
 * make_evtx SCENARIO FOLDER - write the logs of a scenario into the folder.
 * make_evtx --list SCENARIO - print every event, its log and its fields: what a reader of
 * the logs has to find. A line is the log, then a tab, then name=value; values are escaped
 * as for a terminal. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "validate/evtx_writer.h"
#include "util/filetime.h"
#include "util/utf.h"

static enum status write_file(const char *folder, struct text name,
                              const struct buffer *content, struct error *err)
{
    struct buffer path = {0};
    buffer_printf(&path, "%s/%.*s", folder, TEXT(name));
    struct place place = NOWHERE;
    place.evidence = buffer_text(&path);
    FILE *file = fopen(path.ptr, "wb");
    bool good = file && fwrite(content->ptr, 1, content->len, file) == content->len;
    good = file && fclose(file) == 0 && good;
    enum status status =
        good ? OK : fail(err, FAILED, place, "%s: cannot be written", path.ptr);
    buffer_release(&path);
    return status;
}

static enum status write_logs(const struct scenario *scenario, const char *folder,
                              struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; i < scenario->count && status == OK; i++) {
        struct buffer content = {0};
        struct text log = scenario->events[i].log;
        if (!evtx_writer_is_first_of_log(scenario, i))
            continue;
        status = evtx_write_log(scenario, log, 0, &content, err);
        if (status == OK)
            status = write_file(folder, log, &content, err);
        buffer_release(&content);
    }
    return status;
}

static void list_member(struct buffer *out, struct text log, struct text name,
                        struct text value)
{
    utf_add_visible(out, log);
    buffer_add_char(out, '\t');
    utf_add_visible(out, name);
    buffer_add_char(out, '=');
    utf_add_visible(out, value);
    buffer_add_char(out, '\n');
}

static void list_number(struct buffer *out, struct text log, const char *name,
                        uint64_t value)
{
    buffer_printf(out, "%.*s\t%s=%" PRIu64 "\n", TEXT(log), name, value);
}

static void list_events(struct scenario *scenario)
{
    struct buffer out = {0};
    for (size_t i = 0; i < scenario->count; i++) {
        struct evtx_record record = scenario_record(scenario, i);
        struct text log = scenario->events[i].log;
        char time[FILETIME_TEXT_MAX];
        list_number(&out, log, "EventRecordID", record.system.record_id);
        list_number(&out, log, "(header id)", record.header_id);
        list_number(&out, log, "EventID", record.system.event_id);
        list_member(&out, log, TEXT_LITERAL("TimeCreated"),
                    filetime_format(time, record.system.time_created_filetime,
                                    FILETIME_REPORT));
        list_member(&out, log, TEXT_LITERAL("Computer"), record.system.computer);
        list_member(&out, log, TEXT_LITERAL("Channel"), record.system.channel);
        for (size_t k = 0; k < record.field_count; k++)
            list_member(&out, log, record.fields[k].name, record.fields[k].value);
        fwrite(out.ptr, 1, out.len, stdout);
        buffer_clear(&out);
    }
    buffer_release(&out);
}

int main(int argc, char **argv)
{
    bool list = argc == 3 && strcmp(argv[1], "--list") == 0;
    if (argc != 3) {
        fprintf(stderr, "usage: make_evtx SCENARIO FOLDER\n"
                        "       make_evtx --list SCENARIO\n");
        return 2;
    }
    struct scenario scenario;
    struct error err = {0};
    enum status status = scenario_read(&scenario, list ? argv[2] : argv[1], &err);
    if (status == OK && list)
        list_events(&scenario);
    else if (status == OK)
        status = write_logs(&scenario, argv[2], &err);
    if (status != OK)
        fprintf(stderr, "%s: %s\n", list ? argv[2] : argv[1], err.what);
    if (status == OK)
        scenario_release(&scenario);
    return status == OK ? 0 : 1;
}
