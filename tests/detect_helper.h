/* SPDX-License-Identifier: Apache-2.0
 * detect_helper.h - a process creation by hand: its fields, one record, one event. */
#ifndef FOREBEAR_DETECT_HELPER_H
#define FOREBEAR_DETECT_HELPER_H

#include "detect/detect_internal.h"

enum { MADE_FIELDS_MAX = 16 };

struct made_event {
    struct evtx_field fields[MADE_FIELDS_MAX];
    struct evtx_record record;
    struct evidence_log log;
    struct sysmon_event event;
};

/* name, value, name, value, ...; a NULL value is left out. */
static inline void make_event(struct made_event *m, size_t count,
                              const char *const pairs[][2])
{
    *m = (struct made_event){.record = {.fields = m->fields}};
    m->record.system = (struct evtx_system){
        .provider = TEXT_LITERAL("Microsoft-Windows-Sysmon"),
        .channel = TEXT_LITERAL("Microsoft-Windows-Sysmon/Operational"),
        .computer = TEXT_LITERAL("PC-17"),
        .event_id = 1,
        .time_created_filetime = FILETIME_UNIX,
        .record_id = 7};
    for (size_t i = 0; i < count; i++)
        if (pairs[i][1])
            m->fields[m->record.field_count++] =
                (struct evtx_field){text_from(pairs[i][0]), text_from(pairs[i][1])};
    assert_true(sysmon_event_from_record(&m->event, &m->record, &m->log));
}

static inline void make_creation(struct made_event *m, const char *parent_image,
                                 const char *parent_command_line, const char *image)
{
    const char *const pairs[][2] = {
        {"Image",             image              },
        {"ParentImage",       parent_image       },
        {"ParentCommandLine", parent_command_line}
    };
    make_event(m, 3, pairs);
}

#endif
