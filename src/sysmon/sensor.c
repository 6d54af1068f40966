/* SPDX-License-Identifier: Apache-2.0
 *
 * What bears on whether Sysmon was there to record, and when: its service's state (event 4),
 * changes of its configuration (16), its own errors (255), and events that were logged long
 * after their time.
 * Events 3 and 22 are left out of the last: they are written when a connection or an answer
 * is complete, seconds to days later, and are so in ordinary logs. */
#include "sysmon/coverage.h"

#include <inttypes.h>

#include "util/memory.h"

#define SKEW_TOLD_100NS ((int64_t)(60 * FILETIME_SECOND))

static struct text shown(const struct sysmon_event *event, enum sysmon_field field)
{
    struct text value = sysmon_value(event, field);
    return sysmon_text_is_missing(value) ? TEXT_LITERAL("(not recorded)") : value;
}

static struct text words_of(struct arena *arena, const struct sysmon_event *event)
{
    char time[FILETIME_TEXT_MAX];
    struct text sid = event->record->system.user_sid;
    filetime_format(time, sysmon_event_filetime(event), FILETIME_REPORT);
    switch (event->event_id) {
    case SYSMON_STATE_CHANGE:
        return arena_printf(
            arena,
            "the Sysmon service's state became %.*s at %s (version %.*s, "
            "schema %.*s)",
            TEXT(shown(event, SYSMON_State)), time, TEXT(shown(event, SYSMON_Version)),
            TEXT(shown(event, SYSMON_SchemaVersion)));
    case SYSMON_CONFIG_CHANGE:
        return arena_printf(
            arena,
            "Sysmon's configuration was changed at %s: %.*s, hash %.*s, by "
            "the account with the SID %.*s",
            time, TEXT(shown(event, SYSMON_Configuration)),
            TEXT(shown(event, SYSMON_ConfigurationFileHash)),
            TEXT(text_is_empty(sid) ? TEXT_LITERAL("(not recorded)") : sid));
    default:
        return arena_printf(arena, "Sysmon reported an error at %s: %.*s, %.*s", time,
                            TEXT(shown(event, SYSMON_ID)),
                            TEXT(shown(event, SYSMON_Description)));
    }
}

static void add_row(struct coverage *c, const struct sysmon_event *event)
{
    if (c->sensor_count == SENSOR_ROWS_MAX) {
        c->sensor_more++;
        return;
    }
    ARRAY_GROW(c->sensor, c->sensor_count, c->sensor_capacity);
    c->sensor[c->sensor_count++] =
        (struct sensor_row){.event_id = event->event_id,
                            .offset = event->record->offset,
                            .record_id = event->record->system.record_id,
                            .words = words_of(c->arena, event)};
}

static void add_skew(struct coverage *c, const struct sysmon_event *event)
{
    uint64_t utc = event->utc_filetime,
             created = event->record->system.time_created_filetime;
    if (utc == FILETIME_NONE || created == FILETIME_NONE)
        return;
    int64_t apart = (int64_t)(created - utc);
    if (apart >= -SKEW_TOLD_100NS && apart <= SKEW_TOLD_100NS)
        return;
    if (c->skew.count++ == 0) {
        c->skew.offset = event->record->offset;
        c->skew.record_id = event->record->system.record_id;
        c->skew.least_100ns = c->skew.most_100ns = apart;
    }
    if (apart < c->skew.least_100ns)
        c->skew.least_100ns = apart;
    if (apart > c->skew.most_100ns)
        c->skew.most_100ns = apart;
}

void sensor_add(struct coverage *c, const struct sysmon_event *event)
{
    switch (event->event_id) {
    case SYSMON_STATE_CHANGE:
    case SYSMON_CONFIG_CHANGE:
    case SYSMON_ERROR: add_row(c, event); break;
    case SYSMON_NETWORK:
    case SYSMON_DNS_QUERY: return;
    default: break;
    }
    add_skew(c, event);
}

static enum problem_severity severity_of(uint16_t event_id)
{
    return event_id == SYSMON_ERROR           ? SEVERITY_WARNING
           : event_id == SYSMON_CONFIG_CHANGE ? SEVERITY_NOTICE
                                              : SEVERITY_INFO;
}

void sensor_tell(const struct coverage *c, struct problems *problems)
{
    for (size_t i = 0; i < c->sensor_count; i++) {
        const struct sensor_row *row = &c->sensor[i];
        problems_add_graded(problems, PROBLEM_SENSOR_STATE, severity_of(row->event_id),
                            evidence_log_place(c->log, row->offset, row->record_id),
                            "%.*s", TEXT(row->words));
    }
    if (c->sensor_more)
        problems_add(problems, PROBLEM_SENSOR_STATE,
                     evidence_log_place(c->log, NO_OFFSET, NO_RECORD),
                     "%" PRIu64 " more events 4, 16 and 255 are not listed one by one",
                     c->sensor_more);
    if (c->skew.count)
        problems_add(problems, PROBLEM_TIME_SKEW,
                     evidence_log_place(c->log, c->skew.offset, c->skew.record_id),
                     "%" PRIu64
                     " event(s) other than 3 and 22 were logged more than 60 s "
                     "from their UtcTime: TimeCreated - UtcTime is between %" PRId64
                     " s and %" PRId64 " s; this is the first",
                     c->skew.count, c->skew.least_100ns / (int64_t)FILETIME_SECOND,
                     c->skew.most_100ns / (int64_t)FILETIME_SECOND);
}
