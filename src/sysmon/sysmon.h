/* SPDX-License-Identifier: Apache-2.0
 * sysmon.h - from records with named fields to Sysmon events.
 *
 * A Sysmon event is a view of one record: which known field stands where in it, and the few
 * values that everybody needs, parsed once. Selection is by Provider and Channel inside the
 * record, never by file name: a forwarded or "saved as" log mixes channels.
 *
 * Invariants  1. Values are exactly as recorded; nothing is trimmed.
 *             2. absent (field not in the record) != "" != "-" != "?".
 *             3. "-", "?" and "" in a parent field mean "missing" to lineage, never a name.
 * Ownership   An event borrows from its record and lives as long.
 * Facts       Two clocks: UtcTime is when it happened (for event 1 the kernel's creation
 *             time), TimeCreated when it was logged. They differ by up to days (events 3
 *             and 22 after a VM resumes), so both are kept and neither replaces the other. */
#ifndef FOREBEAR_SYSMON_H
#define FOREBEAR_SYSMON_H

#include "evtx/evtx.h"
#include "util/guid.h"

enum sysmon_field {
#define SYSMON_FIELD(name) SYSMON_##name,
#include "sysmon/fields.def"
#undef SYSMON_FIELD
    SYSMON_FIELDS
};

enum {
    SYSMON_PROCESS_CREATE = 1,
    SYSMON_NETWORK = 3,
    SYSMON_STATE_CHANGE = 4,
    SYSMON_PROCESS_TERMINATE = 5,
    SYSMON_REMOTE_THREAD = 8,
    SYSMON_PROCESS_ACCESS = 10,
    SYSMON_REGISTRY_FIRST = 12,
    SYSMON_REGISTRY_LAST = 14,
    SYSMON_CONFIG_CHANGE = 16,
    SYSMON_DNS_QUERY = 22,
    SYSMON_PROCESS_TAMPERING = 25,
    SYSMON_ERROR = 255
};

#define PID_UNKNOWN UINT32_MAX
enum { PID_TEXT_MAX = 16 };
/* "12", or "not recorded", of a process id or a session. */
struct text pid_text(char out[PID_TEXT_MAX], uint32_t number);

struct sysmon_event {
    const struct evtx_record *record;
    const struct evidence_log *log;
    uint16_t event_id;
    uint64_t utc_filetime;     /* UtcTime; FILETIME_NONE if absent or not a time */
    uint64_t created_filetime; /* System/TimeCreated; FILETIME_NONE if absent */
    uint16_t unknown_fields;   /* fields that the table lacks; by evtx_record_name() */
    uint8_t slot[SYSMON_FIELDS]; /* index of the field + 1; 0: absent */
};

/* Fill in *event if the record is Sysmon's (Provider Microsoft-Windows-Sysmon; Channel
 * Microsoft-Windows-Sysmon/Operational, or ForwardedEvents as some collectors rewrite it).
 * False if not, and for a record whose fields have no names (RECORD_POSITIONAL). Fields
 * beyond the 255th are kept in the record but count as unknown. */
bool sysmon_event_from_record(struct sysmon_event *event,
                              const struct evtx_record *record,
                              const struct evidence_log *log);

/* Where the fields stand in records of one layout, found once each. All zeros is an empty
 * one; it is good for the records of one reader, in one thread. */
struct sysmon_layouts {
    struct sysmon_layout *items; /* private; by evtx_layout.id */
    size_t count;
    struct filetime_day day; /* of the event before */
};

/* The same as sysmon_event_from_record(), remembering layouts. */
bool sysmon_event_read(struct sysmon_layouts *layouts, struct sysmon_event *event,
                       const struct evtx_record *record,
                       const struct evidence_log *log);
void sysmon_layouts_release(struct sysmon_layouts *layouts);
/* Where each field of such an event stands in records of that layout: its index + 1, 0 if
 * it is not there. NULL for a layout that is not to be remembered. */
const uint8_t *sysmon_layout_slots(struct sysmon_layouts *layouts, uint16_t event_id,
                                   const struct evtx_layout *layout);
/* Is it Sysmon's, by Provider and Channel? */
bool sysmon_is_source(struct text provider, struct text channel);
/* Could the record be Sysmon's, as far as can be told? True where its provider is Sysmon,
 * or is not known because the template that names it is gone. */
bool sysmon_may_be(const struct evtx_system *system);
/* The value as recorded; NO_TEXT if the record has no such field. */
struct text sysmon_value(const struct sysmon_event *event, enum sysmon_field field);
/* False (and the null GUID) if absent, not a GUID, or null. */
bool sysmon_guid(const struct sysmon_event *event, enum sysmon_field field,
                 struct guid *guid);
/* Decimal or 0x hex; false if absent or neither. */
bool sysmon_number(const struct sysmon_event *event, enum sysmon_field field,
                   uint64_t *value);
/* The same of a text. */
bool text_to_number(struct text t, uint64_t *value);
/* A process id, or PID_UNKNOWN. */
uint32_t sysmon_pid(const struct sysmon_event *event, enum sysmon_field field);
/* UtcTime, or TimeCreated where there is none. */
uint64_t sysmon_event_filetime(const struct sysmon_event *event);
struct place sysmon_event_place(const struct sysmon_event *event);

/* "Process creation"; "Sysmon event" for an id that the table lacks. */
const char *sysmon_event_name(uint16_t event_id);
/* "process_creation"; NULL for an id that the table lacks. */
const char *sysmon_event_category(uint16_t event_id);
const char *sysmon_field_name(enum sysmon_field field);
/* By name in any of its spellings; SYSMON_FIELDS if the table lacks it. Case matters. */
enum sysmon_field sysmon_field_find(struct text name);
bool sysmon_event_has_field(uint16_t event_id, enum sysmon_field field);
/* Absent, "", "-" or "?": what Sysmon writes where it does not know. */
bool sysmon_text_is_missing(struct text t);

/* What a process GUID says. Layout, 16 bytes little-endian: u32 machine id, u32 start in
 * Unix seconds, u64 key. Undocumented by Microsoft; it held in 4,271 of 4,271 public event 1
 * records, and each run checks it again on its own (lineage.h). */
struct process_guid_parts {
    uint32_t machine_id;
    uint32_t start_unix;
    uint64_t key;
};

struct process_guid_parts process_guid_parts(const struct guid *guid);
/* The boot inside: the last eight bytes are boot << 48 | sequence in newer Sysmons, a token id
 * with 0x10000000 below it, or a token id alone, whose upper 16 bits are zero. 0: none. */
uint16_t process_guid_boot(const struct guid *guid);

/* System 104 and Security 1102 (provider Microsoft-Windows-Eventlog only: others use the
 * same ids): who cleared which log, when. Texts are borrowed from the record. */
struct log_clearing {
    const struct evtx_record *record;
    struct text channel; /* of the cleared log; "Security" for 1102 */
    struct text user, domain, user_sid;
    uint64_t created_filetime;
};

bool log_clearing_from_record(struct log_clearing *clearing,
                              const struct evtx_record *record);
/* The problem LOG_CLEARED: which log, when, by which account. */
void log_clearing_add_problem(const struct log_clearing *clearing,
                              const struct evidence_log *log,
                              struct problems *problems);

/* "Microsoft-Windows-Sysmon/Operational", compared without case. */
bool sysmon_is_channel(struct text channel);

#endif
