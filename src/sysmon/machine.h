/* SPDX-License-Identifier: Apache-2.0
 * machine.h - what the records of System and Security tell of the machine itself: when it
 * was on, off or asleep, when its clock was set, what became of Sysmon's service and driver
 * and of the event log. So that a silence of Sysmon can be told from a machine that was off.
 *
 * A record is taken by its provider, channel and id together: other providers use the same
 * ids. The table in machine.c names the source of each.
 *
 * What cannot be known: event 7036 names a service by its display name alone, so the
 * stopping of a Sysmon that was installed under another name is not seen here. An
 * installation (7045) is, by its image path. */
#ifndef FOREBEAR_MACHINE_H
#define FOREBEAR_MACHINE_H

#include "evtx/evtx.h"

enum machine_kind {
    MACHINE_BOOT,       /* it started */
    MACHINE_BOOT_LATER, /* it started, up to minutes before */
    MACHINE_DIRTY_BOOT, /* it started; it had not been shut down */
    MACHINE_UNEXPECTED, /* the event log service found that it had not been */
    MACHINE_SHUTDOWN,
    MACHINE_SHUTDOWN_ASKED, /* by a user or program; it can be taken back */
    MACHINE_SHUTDOWN_BEGUN, /* by the kernel */
    MACHINE_SLEEP,
    MACHINE_WAKE,
    MACHINE_UPTIME,
    MACHINE_CLOCK_SET,
    MACHINE_SENSOR_STOPPED,
    MACHINE_SENSOR_STARTED,
    MACHINE_SENSOR_CHANGED, /* installed, its start type changed */
    MACHINE_LOG_STOPPED,    /* the event log service: with Windows, or alone */
    MACHINE_LOG_STARTED,
    MACHINE_LOG_SERVICE, /* what else is recorded of it */
    MACHINE_RENAMED,
    MACHINE_KINDS
};

/* "boot", "unclean boot", "shutdown", .. as in coverage.csv */
const char *machine_kind_name(enum machine_kind kind);

struct machine_event {
    uint64_t filetime; /* TimeCreated */
    uint64_t
        since_filetime; /* of a wake that names when sleep began; else FILETIME_NONE */
    uint64_t record_id, offset;
    struct text computer, channel,
        words; /* words: what it says, and which event it is */
    uint16_t event_id;
    uint8_t kind, state; /* enum machine_kind, record_state */
};

/* Of one log: of kinds that each tell of a moment alone, and of those that a story's intervals
 * are made from, which so many others never push out. */
enum { MACHINE_EVENTS_MAX = 20000, MACHINE_ENDS_MAX = 20000 };

struct machine_events {
    struct machine_event *items;
    size_t count, capacity;
    size_t ends;   /* of them, of kinds that intervals are made from */
    uint64_t more; /* left out */
};

/* Nothing happens where the record is none of them. Texts go into the arena. */
void machine_events_add(struct machine_events *m, const struct evtx_record *record,
                        struct arena *arena);
void machine_events_release(struct machine_events *m);
/* Sysmon's service or driver, by the names that it has unless it is given others. */
bool machine_is_sensor(struct text service);

#endif
