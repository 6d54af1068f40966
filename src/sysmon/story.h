/* SPDX-License-Identifier: Apache-2.0
 * story.h - what of a host's time its logs cover: one list of intervals and moments for each
 * computer, over all logs, to be read from top to bottom.
 *
 *   records          Sysmon wrote, without a silence of more than an hour
 *   hole             Sysmon wrote nothing (COVERAGE_HOLE)
 *   machine off, asleep, sensor stopped, event log stopped
 *                    from one record that says so to the one that says that it ended
 *   records missing  between two records of Sysmon's channel record ids are left out
 *   boot, shutdown.. moments: records of System and Security (machine.h), events 4, 16 and
 *                    255, log clearings
 *
 * Windows is off from its kernel's own word (or, without that, from the last record of any
 * log) to its next start; a shutdown that was asked for or begun proves nothing, since it can
 * be taken back. The event log service also stops with Windows. Where it does so alone
 * nothing of the host is recorded by any sensor: EVENT_LOG_STOPPED.
 *
 * A hole is explained where what is left of it, without the intervals that say why nothing
 * was written, is nowhere longer than an ordinary silence. Otherwise it is not, and the
 * sentence says whether another log of the host shows that it was on.
 *
 * Computers are compared without case, by name alone: clones that share a machine id are
 * hosts of their own here, and two machines of one name are one.
 *
 * Invariants  rows of one host stand in order of (from, kind, log, offset).
 * Ownership   texts are in the arena that story_make() was given. */
#ifndef FOREBEAR_STORY_H
#define FOREBEAR_STORY_H

#include "sysmon/coverage.h"

enum story_kind {
    STORY_RECORDS,
    STORY_HOLE,
    STORY_OFF,
    STORY_ASLEEP,
    STORY_SENSOR_STOPPED,
    STORY_LOG_STOPPED, /* the event log service, while Windows ran */
    STORY_SENSOR,      /* event 4, 16, 255 */
    STORY_CLEARED,
    STORY_MISSING, /* record ids are missing between two records */
    STORY_MACHINE, /* a machine_event: row.machine says which */
    STORY_KINDS
};

struct story_row {
    uint64_t from_filetime, to_filetime; /* TimeCreated; equal for a moment */
    uint32_t host;                       /* index into story.hosts */
    uint32_t log;                        /* of the record that it begins with */
    uint64_t record_id, offset;          /* that record */
    uint64_t last_record_id;             /* NO_RECORD: none */
    uint64_t records;                    /* of kind records */
    struct text words;     /* the basis, with the records that it rests on */
    struct text explained; /* of a hole: "machine off", "asleep", "sensor stopped",
                              "event log stopped", "restarted", "not explained" */
    uint8_t kind, machine, state; /* enum story_kind, machine_kind, record_state */
};

struct story_host {
    struct text computer;
    size_t first_row, row_count;
    uint64_t first_filetime, last_filetime; /* of Sysmon's records, TimeCreated */
    uint64_t first_utc_filetime, last_utc_filetime; /* the same, UtcTime */
    uint64_t records, logs;                         /* Sysmon's; logs that hold them */
    uint32_t first_log, last_log;                   /* of those */
    uint64_t per_event_id[256];
    uint64_t missing_record_ids; /* each once, and none that another log has */
    uint64_t holes, holes_not_explained;
    uint64_t sensor_stops, boots, clearings;
    bool has_machine_log; /* a System log of this host was read */
    struct text
        newest_schema; /* its newest event 4 names, over all logs; may be absent */
    uint64_t schema_filetime;                                     /* private */
    struct text versions, schemas, configuration_hashes, origins; /* distinct, "; " */
};

struct story {
    struct story_row *rows; /* host after host */
    size_t count, capacity;
    struct story_host *hosts; /* by name */
    size_t host_count, host_capacity;
    struct map by_name; /* private; of hosts, folded */
};

/* A log that was cleared, as the run keeps them. */
struct story_clearing {
    uint32_t log;
    uint64_t filetime, record_id, offset;
    struct text computer, channel, account;
    uint8_t state;
};

/* coverages[i] is of log number i. Adds COVERAGE_HOLE, SENSOR_RESTARTED, EVENT_LOG_STOPPED,
 * HOST_RENAMED and STORY_IN_PART. */
void story_make(struct story *story, const struct coverage *const *coverages,
                size_t log_count, const struct story_clearing *clearings,
                size_t clearing_count, struct arena *arena, struct problems *problems);
void story_release(struct story *story);
/* Windows started then, or up to minutes later; FILETIME_NONE: the row is no start of it. */
uint64_t story_boot_filetime(const struct story_row *row);
/* "records", "hole", "machine off", .. "boot", .. as in coverage.csv */
const char *story_kind_name(const struct story_row *row);
/* The host of that name, by which computers are compared, NULL if no record of it was read. */
const struct story_host *story_host_of(const struct story *story, struct text computer);

#endif
