/* SPDX-License-Identifier: Apache-2.0
 * audit.h - process creations and ends as Windows' own audit records them, in the Security
 * log: events 4688 and 4689, if the audit policy asks for them.
 *
 * They know no process GUID: a process is told by computer, process id and time. The time is
 * TimeCreated, when the event was written, some milliseconds after the start. Process ids
 * are hexadecimal there. Texts are borrowed from the record, as recorded. */
#ifndef FOREBEAR_AUDIT_H
#define FOREBEAR_AUDIT_H

#include "sysmon/sysmon.h"

enum audit_event_id { AUDIT_PROCESS_CREATED = 4688, AUDIT_PROCESS_EXITED = 4689 };

struct audit_event {
    const struct evtx_record *record;
    const struct evidence_log *log;
    bool is_end;               /* 4689: only pid, image and exit_status are filled in */
    uint32_t pid, creator_pid; /* PID_UNKNOWN */
    uint64_t logon_id;
    struct text image, command_line; /* "" where the policy does not record it */
    struct text creator_image;       /* absent before version 2 */
    struct text user, domain, elevation, label;
    struct text exit_status; /* "0x0" */
};

/* False if the record is none of the two, or names no process id. */
bool audit_event_read(struct audit_event *audit, const struct evtx_record *record,
                      const struct evidence_log *log);

#endif
