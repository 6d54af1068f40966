/* SPDX-License-Identifier: Apache-2.0
 * coverage.h - what one log covers: from when to when, which records, which event ids, and
 * whether it is the channel's own file, an export or a forwarded log.
 *
 * Gaps are looked for in System/EventRecordID, per (channel, computer): an export renumbers
 * the record headers from 1 and keeps the original in System. A gap in an export means
 * selection (info), in a raw file that records are gone (warning). Header numbers alone
 * never raise a gap. A header id that differs from EventRecordID in most records marks an
 * export or forwarded log; equal ids say nothing where they start at 1 without a gap, since
 * an export of the first records looks the same. Inside an image or a collection the path
 * decides: winevt\Logs is raw.
 *
 * File order is nearly id order, so ids are kept as runs (40 bytes each) and a record in one
 * costs nothing. Runs that overlap at the end are duplicates: then the log is read again and
 * the records of those runs get a fingerprint each, of their content. Equal ones say
 * RID_DUP, different ones RID_CONFLICT. Only live records and those
 * of deleted files count: what is carved out of slack repeats live records by nature. Of
 * a recovered record the id alone is kept, for the sentence about the gap that it lies in. */
#ifndef FOREBEAR_COVERAGE_H
#define FOREBEAR_COVERAGE_H

#include "sysmon/machine.h"
#include "sysmon/sysmon.h"
#include "sysmon/tampering.h"
#include "sysmon/track.h"
#include "util/strings.h"

enum log_origin { ORIGIN_RAW, ORIGIN_EXPORT, ORIGIN_FORWARDED, ORIGIN_UNDETERMINED };

/* "raw", "export", "forwarded", "undetermined" */
const char *log_origin_name(enum log_origin origin);

struct coverage_range { /* ids first..last are missing between two records */
    uint64_t first, last;
    uint64_t before_filetime, after_filetime; /* TimeCreated of the records around it */
};

struct coverage_run; /* private: consecutive ids in file order */

struct coverage_series { /* one (channel, computer) of a log */
    struct text channel, computer;
    struct coverage_run *runs; /* private */
    size_t run_count, run_capacity;
    uint32_t *fingerprints; /* private; of the records of runs that overlap */
    size_t fingerprint_count;
    size_t again_run; /* private; where the second reading is: run, records of it */
    uint64_t again_count;
    uint64_t first_id, last_id; /* NO_RECORD if no record has an id */
    uint64_t missing;
    uint64_t first_filetime, last_filetime; /* TimeCreated; FILETIME_NONE */
    struct coverage_range *gaps;
    size_t gap_count, gap_capacity;
    uint64_t *recovered_ids; /* private; of records that are not live */
    size_t recovered_count, recovered_capacity;
};

enum { COVERAGE_UNKNOWN_FIELDS_MAX = 32 };

/* What Sysmon says of itself: events 4, 16 and 255. */
struct sensor_row {
    uint16_t event_id;
    bool is_start, is_stop; /* event 4 */
    uint64_t offset, record_id;
    uint64_t created_filetime;
    struct text computer, words;
    enum problem_code code;
};

enum { SENSOR_ROWS_MAX = 500 };

struct coverage {
    struct arena *arena;
    const struct evidence_log *log;
    struct coverage_series *series;
    size_t series_count, series_capacity;
    uint64_t records, sysmon_records, process_creations;
    uint64_t per_event_id[256]; /* Sysmon's */
    uint64_t first_utc_filetime,
        last_utc_filetime; /* Sysmon UtcTime; FILETIME_NONE: none */
    uint64_t first_record_id, last_record_id,
        missing_record_ids; /* over Sysmon's series; over all if there is none */
    uint64_t
        forwarded_records; /* channel of the record differs from where it was found (ForwardedEvents) */
    uint64_t
        sysmon_field_sets; /* schema features seen, or-ed: see coverage_schema_floor() */
    enum log_origin origin;
    struct text origin_basis;                   /* a sentence */
    struct text sysmon_version, schema_version; /* newest event 4; absent if none */
    /* private */
    struct map series_index;
    size_t last_series;
    bool collects_others; /* by its name */
    uint64_t version_filetime;
    uint64_t lowest_header_id; /* of those that equal EventRecordID */
    uint64_t times_unreadable, first_unreadable_offset, first_unreadable_id;
    struct {
        struct text name;
        uint16_t event_id;
        uint64_t offset, record_id, count;
    } unknown_fields[COVERAGE_UNKNOWN_FIELDS_MAX];
    size_t unknown_field_count;
    uint64_t unknown_fields_more; /* occurrences of names beyond those */
    struct sensor_row *sensor;
    size_t sensor_count, sensor_capacity;
    uint64_t sensor_more; /* beyond SENSOR_ROWS_MAX */
    struct tracks tracks; /* when records were written, by channel and computer */
    struct machine_events machine; /* what its other records tell of the machine */
    struct tampering tampering;
};

void coverage_init(struct coverage *c, struct arena *arena,
                   const struct evidence_log *log);
void coverage_add(struct coverage *c, const struct evtx_record *record,
                  const struct sysmon_event *event_or_null);
/* Does an id stand in several records? Then the log is to be read again for their content
 * before coverage_finish(): coverage_compare() gets each record, in the same order. */
bool coverage_has_overlaps(struct coverage *c);
void coverage_compare(struct coverage *c, const struct evtx_record *record);
/* Find gaps, decide the origin; add RID_GAP, RID_DUP, RID_CONFLICT, RID_BACK, RID_FIRST_GT1,
 * FIELD_UNKNOWN, TIME_UNREADABLE, SENSOR_STATE, SENSOR_TAMPERING, EVENTS_DROPPED, TIME_SKEW,
 * CLOCK_BACK and CLOCK_JUMP problems. */
void coverage_finish(struct coverage *c, const struct evtx_log_facts *facts,
                     struct problems *problems);
/* "4.80": the oldest schema that has every field that was seen; absent if nothing tells. */
struct text coverage_schema_floor(const struct coverage *c);
void coverage_release(struct coverage *c);

/* sensor.c: only coverage.c calls these. */
void sensor_add(struct coverage *c, const struct sysmon_event *event);
void sensor_tell(const struct coverage *c, struct problems *problems);

#endif
