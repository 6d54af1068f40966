/* SPDX-License-Identifier: Apache-2.0
 * tampering.h - what a Sysmon log itself tells of attempts on Sysmon: command lines that
 * unload its driver, stop or change its service, clear its log, and registry writes to the
 * keys of its channel, service and driver. Administrators do all of this too. */
#ifndef FOREBEAR_TAMPERING_H
#define FOREBEAR_TAMPERING_H

#include "sysmon/sysmon.h"

enum { TAMPERING_ROWS_MAX = 200 };

struct tampering {
    struct tampering_row {
        uint64_t offset, record_id;
        struct text words;
        enum problem_severity severity;
    } * rows;
    size_t count, capacity;
    uint64_t more; /* beyond TAMPERING_ROWS_MAX */
};

/* Is it one of those? Any thread may ask. */
bool tampering_concerns(const struct sysmon_event *event);
/* Keep one that is. Texts go into the arena. */
void tampering_add(struct tampering *t, const struct sysmon_event *event,
                   struct arena *arena);
/* SENSOR_TAMPERING. */
void tampering_tell(const struct tampering *t, const struct evidence_log *log,
                    struct problems *problems);
void tampering_release(struct tampering *t);

#endif
