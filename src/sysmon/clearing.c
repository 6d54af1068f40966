/* SPDX-License-Identifier: Apache-2.0 */
#include "sysmon/sysmon.h"

/* What says that a log was cleared. Sysmon's own log never does: the record stands in
 * System (104) or, for the Security log itself, in Security (1102).
 * Remote Desktop's provider uses 104 for something else, so the provider counts. */
static const struct {
    uint16_t event_id;
    const char *logged_in;
} clearings[] = {
    {104,  "System"  },
    {1102, "Security"}
};

static bool is_clearing(const struct evtx_system *system)
{
    if (!text_equal_fold(system->provider, TEXT_LITERAL("Microsoft-Windows-Eventlog")))
        return false;
    for (size_t i = 0; i < sizeof clearings / sizeof *clearings; i++)
        if (system->event_id == clearings[i].event_id)
            return text_equal_fold(system->channel,
                                   text_from(clearings[i].logged_in)) ||
                   text_equal_fold(system->channel, TEXT_LITERAL("ForwardedEvents"));
    return false;
}

bool log_clearing_from_record(struct log_clearing *clearing,
                              const struct evtx_record *record)
{
    if (!is_clearing(&record->system))
        return false;
    *clearing = (struct log_clearing){
        .record = record,
        .channel = record->system.event_id == 1102
                       ? TEXT_LITERAL("Security")
                       : evtx_record_field(record, TEXT_LITERAL("Channel")),
        .user = evtx_record_field(record, TEXT_LITERAL("SubjectUserName")),
        .domain = evtx_record_field(record, TEXT_LITERAL("SubjectDomainName")),
        .user_sid = evtx_record_field(record, TEXT_LITERAL("SubjectUserSid")),
        .created_filetime = record->system.time_created_filetime};
    if (text_is_absent(clearing->user_sid))
        clearing->user_sid = record->system.user_sid;
    return true;
}

void log_clearing_add_problem(const struct log_clearing *clearing,
                              const struct evidence_log *log, struct problems *problems)
{
    char time[FILETIME_TEXT_MAX];
    const struct evtx_record *record = clearing->record;
    struct place place =
        evidence_log_place(log, record->offset, record->system.record_id);
    filetime_format(time, clearing->created_filetime, FILETIME_REPORT);
    problems_add(
        problems, PROBLEM_LOG_CLEARED, place,
        "the log %.*s of %.*s was cleared at %s; recorded account: %.*s\\%.*s "
        "(%.*s)%s%s",
        TEXT(clearing->channel), TEXT(record->system.computer), time,
        TEXT(clearing->domain), TEXT(clearing->user), TEXT(clearing->user_sid),
        record_state_is_live(record->state) ? "" : "; record recovered: ",
        record_state_is_live(record->state) ? "" : record_state_name(record->state));
}
