/* SPDX-License-Identifier: Apache-2.0
 *
 * "No event 8 of interest is recorded" and "event 8 is not collected in this log" are
 * different statements. Which one holds is asked of all logs that have records of the
 * host's computer; neither says that nothing happened. */
#include "report/report_internal.h"

#include <inttypes.h>

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

static bool is_before(const struct coverage *coverage, uint16_t event_id)
{
    unsigned schema = schema_number(coverage->schema_version);
    for (size_t i = 0; i < sizeof since / sizeof *since; i++)
        if (since[i].event_id == event_id)
            return schema && schema < since[i].schema;
    return false;
}

static bool has_computer(const struct coverage *coverage, struct text computer)
{
    for (size_t i = 0; i < coverage->series_count; i++)
        if (text_equal_fold(coverage->series[i].computer, computer))
            return true;
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

static struct silence silence_of(const struct report *r, struct text computer,
                                 uint16_t event_id)
{
    struct silence s = {.event_id = event_id, .collected = COLLECTED_UNKNOWN};
    bool is_too_old = true;
    for (size_t i = 0; i < r->log_count; i++) {
        const struct coverage *c = &r->logs[i].coverage;
        if (c->sysmon_records == 0 || !has_computer(c, computer))
            continue;
        if (s.logs++ == 0)
            s.log = &r->logs[i];
        s.elsewhere += c->per_event_id[event_id & 0xff];
        s.config_changes += c->per_event_id[SYSMON_CONFIG_CHANGE];
        is_too_old = is_too_old && is_before(c, event_id);
    }
    if (s.elsewhere)
        s.collected = COLLECTED;
    else if (s.logs && is_too_old)
        s.collected = NOT_COLLECTED;
    return s;
}

size_t silences_of(const struct report *r, uint32_t host,
                   struct silence silences[SILENCES_MAX])
{
    struct corroboration_range range = detector_corroborations_of(r->detector, host);
    struct text computer = NO_TEXT;
    size_t count = 0;
    if (host != PROCESS_NONE)
        computer = lineage_computer(r->lineage, lineage_process(r->lineage, host));
    for (uint16_t id = 1; id < 256; id++)
        if (detector_looks_for(r->detector, id) && !is_recorded(range, id))
            silences[count++] = silence_of(r, computer, id);
    return count;
}

static void add_window(struct buffer *out, const struct silence *s)
{
    char from[FILETIME_TEXT_MAX], to[FILETIME_TEXT_MAX];
    const struct coverage *c = &s->log->coverage;
    buffer_add_string(out, " in ");
    table_add_utf8(out, s->log->log->path);
    buffer_printf(out, " between %.*s and %.*s",
                  TEXT(filetime_format(from, c->first_utc_filetime, FILETIME_REPORT)),
                  TEXT(filetime_format(to, c->last_utc_filetime, FILETIME_REPORT)));
    if (s->logs > 1)
        buffer_printf(out, " and %zu more log%s of this computer", s->logs - 1,
                      PLURAL(s->logs - 1));
}

void silence_say(struct buffer *out, const struct silence *s)
{
    if (s->collected == COLLECTED || !s->log)
        buffer_printf(out, "No event %u (%s) of interest on this host process",
                      (unsigned)s->event_id, sysmon_event_name(s->event_id));
    else
        buffer_printf(out, "Event %u (%s) is not collected: there is none, of any process,",
                      (unsigned)s->event_id, sysmon_event_name(s->event_id));
    if (!s->log) {
        buffer_add_string(
            out, " in the logs; whether it was collected: not determined");
        return;
    }
    add_window(out, s);
    if (s->collected == COLLECTED)
        buffer_printf(out,
                      "; whether it was collected: on, at least in part (%" PRIu64
                      " event%s of that id)",
                      s->elsewhere, PLURAL(s->elsewhere));
    else if (s->collected == NOT_COLLECTED)
        buffer_printf(out,
                      "; whether it was collected: off (the newest event 4 names schema "
                      "%.*s, which has no such event)",
                      TEXT(s->log->coverage.schema_version));
    else
        buffer_add_string(out, "; whether it was collected: not determined");
    if (s->collected != NOT_COLLECTED && s->config_changes)
        buffer_printf(out,
                      " (Sysmon's configuration was changed there %" PRIu64
                      " time%s, event 16)",
                      s->config_changes, PLURAL(s->config_changes));
}
