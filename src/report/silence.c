/* SPDX-License-Identifier: Apache-2.0
 *
 * "No event 8 of interest is recorded" and "event 8 is not collected in this log" are
 * different statements. Which one holds is asked of the records of the host's computer, in
 * all logs that have some; neither says that nothing happened. */
#include "report/report_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "util/utf.h"

/* Which schema an event id came with, where that is after the oldest that is read; Sysmon
 * has written it in none before.
 * Source: Microsoft's Sysmon manifests, schemas 3.30 to 4.91. */
static const struct {
    uint16_t event_id, schema; /* 4.50 is 450 */
} since[] = {
    {17, 340},
    {18, 340},
    {22, 421},
    {23, 430},
    {25, 450},
    {26, 460},
    {27, 482},
    {28, 483},
    {29, 490},
};

/* Schema versions are decimal fractions: 4.1 is 4.10. 0: of another form, proves nothing. */
static unsigned schema_number(struct text v)
{
    unsigned number = 0;
    if (v.len < 3 || v.len > 4 || v.ptr[1] != '.')
        return 0;
    for (size_t i = 0; i < v.len; i++) {
        if (i == 1)
            continue;
        if (v.ptr[i] < '0' || v.ptr[i] > '9')
            return 0;
        number = 10 * number + (unsigned)(v.ptr[i] - '0');
    }
    return v.len == 3 ? 10 * number : number;
}

static bool is_before(struct text schema_version, uint16_t event_id)
{
    unsigned schema = schema_number(schema_version);
    for (size_t i = 0; i < sizeof since / sizeof *since; i++)
        if (since[i].event_id == event_id)
            return schema && schema < since[i].schema;
    return false;
}

static bool is_recorded(struct corroboration_range range, uint16_t event_id)
{
    for (size_t i = 0; i < range.count; i++)
        if (range.first[i].event_id == event_id &&
            range.first[i].strength != STRENGTH_NEUTRAL)
            return true;
    return false;
}

/* Of that computer alone: one log can hold many. NULL: no record of it was read. */
static struct silence silence_of(const struct report *r, const struct story_host *h,
                                 uint16_t event_id)
{
    struct silence s = {.event_id = event_id,
                        .collected = COLLECTED_UNKNOWN,
                        .first_filetime = FILETIME_NONE,
                        .last_filetime = FILETIME_NONE};
    if (!h || h->logs == 0)
        return s;
    s.log = &r->logs[h->first_log];
    s.logs = h->logs;
    s.first_filetime = h->first_utc_filetime;
    s.last_filetime = h->last_utc_filetime;
    s.elsewhere = h->per_event_id[event_id & 0xff];
    s.config_changes = h->per_event_id[SYSMON_CONFIG_CHANGE];
    s.schema = h->newest_schema;
    if (s.elsewhere)
        s.collected = COLLECTED;
    else if (is_before(s.schema, event_id))
        s.collected = NOT_COLLECTED;
    return s;
}

size_t silences_of(const struct report *r, uint32_t host,
                   struct silence silences[SILENCES_MAX])
{
    struct corroboration_range range = detector_corroborations_of(r->detector, host);
    const struct story_host *at = NULL;
    size_t count = 0;
    if (host ==
        PROCESS_NONE) /* nothing can be told to be on a process that is not known */
        return 0;
    if (r->story)
        at = story_host_of(
            r->story, lineage_computer(r->lineage, lineage_process(r->lineage, host)));
    for (uint16_t id = 1; id < 256; id++)
        if (detector_looks_for(r->detector, host, id) && !is_recorded(range, id))
            silences[count++] = silence_of(r, at, id);
    return count;
}

static void add_window(struct buffer *out, const struct silence *s)
{
    char from[FILETIME_TEXT_MAX], to[FILETIME_TEXT_MAX];
    buffer_add_string(out, " in ");
    utf_add_visible(out, s->log->log->path);
    if (s->logs > 1)
        buffer_printf(out, " and %zu more log%s of this computer", s->logs - 1,
                      PLURAL(s->logs - 1));
    buffer_printf(out, " between %.*s and %.*s",
                  TEXT(filetime_format(from, s->first_filetime, FILETIME_REPORT)),
                  TEXT(filetime_format(to, s->last_filetime, FILETIME_REPORT)));
}

static void add_ids(struct buffer *out, const struct silence *silences, size_t count)
{
    buffer_printf(out, "No event%s ", PLURAL(count));
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "%s%u (%s)",
                      i == 0           ? ""
                      : i + 1 == count ? " or "
                                       : ", ",
                      (unsigned)silences[i].event_id,
                      sysmon_event_name(silences[i].event_id));
}

static void add_answer(struct buffer *out, const struct silence *s, uint64_t elsewhere)
{
    buffer_add_string(out, "; whether it was collected: ");
    if (s->collected == COLLECTED)
        buffer_printf(out,
                      "on, at least in part (%" PRIu64
                      " event%s of that kind of other processes, or of no interest)",
                      elsewhere, PLURAL(elsewhere));
    else if (s->collected == NOT_COLLECTED)
        buffer_printf(out,
                      "off (the newest event 4 names schema %.*s, which has no such "
                      "event)",
                      TEXT(s->schema));
    else
        buffer_add_string(out, "not determined");
    if (s->collected != NOT_COLLECTED && s->config_changes)
        buffer_printf(out,
                      " (Sysmon's configuration was changed there %" PRIu64
                      " time%s, event 16)",
                      s->config_changes, PLURAL(s->config_changes));
}

void silence_say(struct buffer *out, const struct silence *silences, size_t count)
{
    const struct silence *s = &silences[0];
    uint64_t elsewhere = 0;
    for (size_t i = 0; i < count; i++)
        elsewhere += silences[i].elsewhere;
    add_ids(out, silences, count);
    buffer_add_string(out, s->collected == COLLECTED || !s->log
                               ? " of interest on this host process"
                               : ", of any process,");
    if (s->log) {
        add_window(out, s);
        add_answer(out, s, elsewhere);
    } else {
        buffer_add_string(out,
                          " in the logs; whether it was collected: not determined");
    }
}

static int by_group(const void *a_, const void *b_)
{
    const struct silence *a = a_, *b = b_;
    bool a_stands = silence_stands_alone(a), b_stands = silence_stands_alone(b);
    if (a_stands != b_stands)
        return a_stands ? -1 : 1;
    if (!a_stands && a->collected != b->collected)
        return a->collected < b->collected ? -1 : 1;
    return (a->event_id > b->event_id) - (a->event_id < b->event_id);
}

/* What injection itself leaves is answered for each id; the others together. */
bool silence_stands_alone(const struct silence *s)
{
    return s->event_id == SYSMON_REMOTE_THREAD ||
           s->event_id == SYSMON_PROCESS_ACCESS ||
           s->event_id == SYSMON_PROCESS_TAMPERING;
}

void silences_group(struct silence *silences, size_t count)
{
    if (count)
        qsort(silences, count, sizeof *silences, by_group);
}

size_t silences_of_group(const struct silence *silences, size_t count)
{
    size_t n = 1;
    while (n < count && !silence_stands_alone(&silences[0]) &&
           silences[n].collected == silences[0].collected)
        n++;
    return n;
}
