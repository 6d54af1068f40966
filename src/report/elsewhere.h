/* SPDX-License-Identifier: Apache-2.0
 * elsewhere.h - who and where else: what the findings' families leave that can be searched
 * for, on each host and on all of them.
 *
 * The second pass hands on every event of a family. Workers list the values that it holds
 * (an address, a hash, a file, an account); the thread that keeps the tables counts each
 * (type, value, computer) once, with the record of the closest process. Afterwards the
 * process table says which of them stand outside the families too.
 *
 * Invariants  1. Memory is bounded: of each role INDICATORS_OF_ROLE values with
 *                INDICATOR_BYTES_OF_ROLE bytes of text. What comes later is counted.
 *             2. Values are as recorded; but hashes are put in lower case, and an IPv4
 *                address inside one of IPv6 stands there by itself.
 *             3. Nothing is dropped for looking harmless: it is marked, with the reason.
 * Ownership   An elsewhere borrows lineage and detector from the run. */
#ifndef FOREBEAR_ELSEWHERE_H
#define FOREBEAR_ELSEWHERE_H

#include "detect/detect.h"

enum { INDICATORS_OF_ROLE = 10000, INDICATOR_BYTES_OF_ROLE = 4 << 20 };

/* What a process is to the findings; the closest first. */
enum indicator_role {
    ROLE_MATCHED,    /* its creation met a rule */
    ROLE_HOST,       /* the recorded parent of one that did */
    ROLE_SIBLING,    /* another child of that parent */
    ROLE_DESCENDANT, /* further below it */
    ROLE_SOURCE,     /* of an event 8 or 10 on the host process */
    ROLE_ANCESTOR,
    ROLE_MACHINE, /* an event that names no process, on a host with a finding */
    ROLES
};

enum indicator_group {
    GROUP_ACCOUNTS,
    GROUP_SESSIONS,
    GROUP_PROGRAMS,
    GROUP_REMOTE,
    GROUP_FILES,
    GROUP_HASHES,
    GROUP_PERSISTENCE,
    GROUP_PIPES,
    GROUPS
};

enum indicator_type {
#define INDICATOR(type, word, group, stix) INDICATOR_##type,
#include "report/indicators.def"
#undef INDICATOR
    INDICATOR_TYPES
};

struct indicator_kind {
    const char *word;
    enum indicator_group group;
    const char *stix; /* object paths, separated by a blank */
};

extern const struct indicator_kind indicator_kinds[INDICATOR_TYPES];

/* A value that an event holds. */
struct indicator_value {
    enum indicator_type type;
    uint32_t process; /* whose it is; PROCESS_NONE */
    struct text value;
    const char *remark; /* what kind of place it is; NULL */
    const char *benign; /* why it tells little; NULL */
};

struct indicator_values {
    struct indicator_value *items; /* in a chunk's arena */
    size_t count;
};

struct indicator {
    enum indicator_type type;
    enum indicator_role role;
    struct text value, computer, context;
    const char *remark, *benign;
    uint64_t first_filetime, last_filetime; /* FILETIME_NONE */
    uint64_t count;                         /* events that hold it */
    uint32_t process;                       /* of the record; PROCESS_NONE */
    uint32_t shared;                        /* index into elsewhere.shared */
    /* the record: the earliest of the closest role */
    const struct evidence_log *log;
    uint64_t filetime, record_id, offset;
    uint16_t event_id;
    uint8_t state;
};

/* One value over all hosts. */
struct shared_value {
    enum indicator_type type;
    struct text value;
    uint64_t hosts; /* on which a family has it */
    uint64_t first_filetime, last_filetime, count;
    uint64_t outside_processes, outside_hosts; /* process creations of no family */
    const char *benign;                        /* as of the sights */
    uint32_t last_scope;                       /* private */
};

struct elsewhere {
    const struct lineage *lineage;
    const struct detector *detector;
    struct indicator *items; /* after elsewhere_finish(): by type, value, computer */
    size_t count;
    uint32_t *by_host;           /* the same by computer, group, role, first seen */
    struct shared_value *shared; /* by type and value */
    size_t shared_count;
    uint64_t left_out[ROLES];      /* values beyond the bound, each time they came */
    struct elsewhere_state *state; /* private */
};

/* "matched", "host", "sibling", "descendant", "source", "ancestor", "machine" */
const char *indicator_role_name(enum indicator_role role);
/* "Accounts", "Logon sessions", ... */
const char *indicator_group_name(enum indicator_group group);
/* [file:hashes.MD5 = '...']; nothing where STIX has no object for it. */
void indicator_stix_pattern(struct buffer *out, const struct indicator *indicator);

/* Does another host, or a process of no family, have it too? */
bool elsewhere_is_shared(const struct shared_value *shared);

/* After detection, before the second pass. */
void elsewhere_open(struct elsewhere *e, const struct lineage *lineage,
                    const struct detector *detector);
/* After detector_follow_sources(): what joined a family by it is a source from now on. */
void elsewhere_follow_sources(struct elsewhere *e);
void elsewhere_release(struct elsewhere *e);
/* Does an event that names no process tell of persistence? Host or not is not asked. */
bool elsewhere_is_machine_event(const struct sysmon_event *event);
/* By a worker: the values of an event. They live in the arena. */
struct indicator_values elsewhere_list(const struct elsewhere *e,
                                       const struct sysmon_event *event,
                                       const struct event_processes *who,
                                       struct arena *arena);
/* In the order of the evidence. */
void elsewhere_take(struct elsewhere *e, const struct sysmon_event *event,
                    const struct event_processes *who,
                    const struct indicator_values *values);
/* After the second pass and detector_end(). */
void elsewhere_finish(struct elsewhere *e);

#endif
