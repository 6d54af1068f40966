/* SPDX-License-Identifier: Apache-2.0
 * Security 4688 and 4689. Versions of 4688 differ by fields: 0 names the new process and its
 * creator's id; 1 adds CommandLine (recorded where a policy asks for it, else ""); 2 adds
 * the target account, ParentProcessName and MandatoryLabel. Found by name, as Sysmon's are.
 * Source: Microsoft, "4688(S): A new process has been created"; 53 public records. */
#include "sysmon/audit.h"

static bool is_audit(const struct evtx_system *system)
{
    return (system->event_id == AUDIT_PROCESS_CREATED ||
            system->event_id == AUDIT_PROCESS_EXITED) &&
           text_equal_fold(system->provider,
                           TEXT_LITERAL("Microsoft-Windows-Security-Auditing")) &&
           (text_equal_fold(system->channel, TEXT_LITERAL("Security")) ||
            text_equal_fold(system->channel, TEXT_LITERAL("ForwardedEvents")));
}

static struct text field(const struct audit_event *a, const char *name)
{
    return evtx_record_field(a->record, text_from(name));
}

static uint32_t pid_of(struct text t)
{
    uint64_t value;
    return text_to_number(t, &value) && value < PID_UNKNOWN ? (uint32_t)value
                                                            : PID_UNKNOWN;
}

static uint64_t logon_of(struct text t)
{
    uint64_t value;
    return text_to_number(t, &value) ? value : 0;
}

/* The account that the new process runs as: the target's where there is one, else that of
 * its creator. */
static void read_account(struct audit_event *a)
{
    struct text target = field(a, "TargetUserName");
    bool has_target = !sysmon_text_is_missing(target);
    a->user = has_target ? target : field(a, "SubjectUserName");
    a->domain = field(a, has_target ? "TargetDomainName" : "SubjectDomainName");
    a->logon_id = logon_of(field(a, has_target ? "TargetLogonId" : "SubjectLogonId"));
}

bool audit_event_read(struct audit_event *a, const struct evtx_record *record,
                      const struct evidence_log *log)
{
    if (!is_audit(&record->system) || record->state == RECORD_POSITIONAL)
        return false;
    *a = (struct audit_event){.record = record, .log = log};
    a->is_end = record->system.event_id == AUDIT_PROCESS_EXITED;
    if (a->is_end) {
        a->pid = pid_of(field(a, "ProcessId"));
        a->image = field(a, "ProcessName");
        a->exit_status = field(a, "Status");
        return a->pid != PID_UNKNOWN;
    }
    a->pid = pid_of(field(a, "NewProcessId"));
    a->creator_pid = pid_of(field(a, "ProcessId"));
    a->image = field(a, "NewProcessName");
    a->creator_image = field(a, "ParentProcessName");
    a->command_line = field(a, "CommandLine");
    a->elevation = field(a, "TokenElevationType");
    a->label = field(a, "MandatoryLabel");
    read_account(a);
    return a->pid != PID_UNKNOWN;
}
