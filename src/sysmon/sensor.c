/* SPDX-License-Identifier: Apache-2.0
 *
 * What Sysmon says of itself: its service's state (event 4), changes of its configuration
 * (16, with the SID of the account that made them) and its own errors (255). Since 15.10 an
 * error counts the events that were dropped from the driver's queue, by kind. */
#include "sysmon/coverage.h"

#include <inttypes.h>
#include <string.h>

#include "util/memory.h"

enum { KINDS_NAMED = 40 };

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

static bool is_state(const struct sysmon_event *event, const char *state)
{
    return event->event_id == SYSMON_STATE_CHANGE &&
           text_equal_fold(sysmon_value(event, SYSMON_State), text_from(state));
}

static bool is_pair_end(char c)
{
    return c == ' ' || c == ',' || c == ';' || c == '\r' || c == '\n';
}

/* "Name:16" at *at, which moves behind it. */
static bool next_pair(struct text t, size_t *at, struct text *name, uint64_t *count)
{
    while (*at < t.len) {
        size_t from = *at;
        while (*at < t.len && !is_pair_end(t.ptr[*at]))
            ++*at;
        struct text word = text_slice(t, from, *at - from);
        ++*at;
        const char *colon = word.len ? memchr(word.ptr, ':', word.len) : NULL;
        size_t len = colon ? (size_t)(colon - word.ptr) : 0;
        *name = text_slice(word, 0, len);
        if (len && text_to_u64(text_slice(word, len + 1, SIZE_MAX), count))
            return true;
    }
    return false;
}

/* "Events dropped from driver queue: ProcessAccess:16 ProcessCreate:1": what was dropped, or
 * NO_TEXT if this error speaks of something else. */
static struct text dropped_words(struct arena *arena, const struct sysmon_event *event)
{
    struct text description = sysmon_value(event, SYSMON_Description), name;
    uint64_t count, total = 0;
    struct buffer kinds = {0};
    size_t at = 0, pairs = 0;
    if (event->event_id != SYSMON_ERROR ||
        !text_contains_fold(description, TEXT_LITERAL("dropped")))
        return NO_TEXT;
    while (next_pair(description, &at, &name, &count) && pairs < KINDS_NAMED) {
        buffer_printf(&kinds, "%s%.*s %" PRIu64, pairs++ ? ", " : "", TEXT(name),
                      count);
        total = count > UINT64_MAX - total ? UINT64_MAX : total + count;
    }
    char time[FILETIME_TEXT_MAX];
    filetime_format(time, sysmon_event_filetime(event), FILETIME_REPORT);
    struct text words =
        pairs ? arena_printf(arena,
                             "at %s Sysmon counted %" PRIu64
                             " event%s that its driver dropped: %.*s",
                             time, total, PLURAL(total), TEXT(buffer_text(&kinds)))
              : arena_printf(arena, "at %s Sysmon reported dropped events: %.*s", time,
                             TEXT(description));
    buffer_release(&kinds);
    return words;
}

static void add_row(struct coverage *c, const struct sysmon_event *event)
{
    struct text dropped = dropped_words(c->arena, event);
    bool is_dropped = !text_is_absent(dropped);
    if (c->sensor_count == SENSOR_ROWS_MAX) {
        c->sensor_more++;
        return;
    }
    ARRAY_GROW(c->sensor, c->sensor_count, c->sensor_capacity);
    c->sensor[c->sensor_count++] = (struct sensor_row){
        .event_id = event->event_id,
        .offset = event->record->offset,
        .record_id = event->record->system.record_id,
        .created_filetime = event->created_filetime,
        .is_start = is_state(event, "Started"),
        .is_stop = is_state(event, "Stopped"),
        .computer = arena_copy(c->arena, event->record->system.computer),
        .code = is_dropped ? PROBLEM_EVENTS_DROPPED : PROBLEM_SENSOR_STATE,
        .words = is_dropped ? dropped : words_of(c->arena, event)};
}

void sensor_add(struct coverage *c, const struct sysmon_event *event)
{
    switch (event->event_id) {
    case SYSMON_STATE_CHANGE:
    case SYSMON_CONFIG_CHANGE:
    case SYSMON_ERROR: add_row(c, event); break;
    default: break;
    }
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
        problems_add_graded(problems, row->code, severity_of(row->event_id),
                            evidence_log_place(c->log, row->offset, row->record_id),
                            "%.*s", TEXT(row->words));
    }
    problems_add_rest(problems, PROBLEM_SENSOR_STATE,
                      evidence_log_place(c->log, NO_OFFSET, NO_RECORD), c->sensor_more);
}
