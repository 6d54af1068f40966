/* SPDX-License-Identifier: Apache-2.0 */
#include "sysmon/coverage.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

/* Rows of one kind that one series may add: a log of many small selections would drown
 * everything else. What is left out is counted in a last row. */
enum { ROWS_MAX = 500, SMALL_LOG_CHUNKS = 16 };

struct coverage_run {
    uint64_t first, last;
    uint64_t first_filetime, last_filetime;
    size_t fingerprint; /* of the first id; the others follow. Or NOT_COMPARED */
};

#define NOT_COMPARED SIZE_MAX

/* What a schema has that the ones before it lack, newest last.
 * Source: Microsoft's Sysmon manifests, schemas 4.0 to 4.90. */
static const struct {
    const char *schema;
    uint16_t event_id;       /* 0: any event */
    enum sysmon_field field; /* SYSMON_FIELDS: the event id alone tells */
} schema_features[] = {
    {"4.0",  1,  SYSMON_FileVersion     },
    {"4.1",  0,  SYSMON_RuleName        },
    {"4.21", 1,  SYSMON_OriginalFileName},
    {"4.21", 17, SYSMON_EventType       },
    {"4.21", 18, SYSMON_EventType       },
    {"4.31", 15, SYSMON_Contents        },
    {"4.80", 1,  SYSMON_ParentUser      },
    {"4.80", 8,  SYSMON_SourceUser      },
    {"4.80", 10, SYSMON_SourceUser      },
    {"4.82", 27, SYSMON_FIELDS          },
    {"4.83", 28, SYSMON_FIELDS          },
    {"4.90", 29, SYSMON_FIELDS          },
};

enum { FEATURES = sizeof schema_features / sizeof *schema_features };

const char *log_origin_name(enum log_origin origin)
{
    static const char *const names[] = {"raw", "export", "forwarded", "undetermined"};
    return names[origin];
}

static const struct text forwarded = {"ForwardedEvents", sizeof "ForwardedEvents" - 1};

/* A log that collects other hosts' events is called ForwardedEvents; its records mostly
 * keep the channel that they were written to. */
static bool collects_others(const struct evidence_log *log)
{
    size_t from = log->path.len;
    while (from > 0 && log->path.ptr[from - 1] != '/' &&
           log->path.ptr[from - 1] != '\\')
        from--;
    return text_starts_with_fold(text_slice(log->path, from, SIZE_MAX), forwarded);
}

void coverage_init(struct coverage *c, struct arena *arena,
                   const struct evidence_log *log)
{
    *c = (struct coverage){.arena = arena,
                           .log = log,
                           .first_utc_filetime = FILETIME_NONE,
                           .last_utc_filetime = FILETIME_NONE,
                           .first_record_id = NO_RECORD,
                           .last_record_id = NO_RECORD,
                           .lowest_header_id = UINT64_MAX,
                           .collects_others = collects_others(log),
                           .origin = ORIGIN_UNDETERMINED};
    tracks_init(&c->tracks, arena);
}

void coverage_release(struct coverage *c)
{
    for (size_t i = 0; i < c->series_count; i++) {
        free(c->series[i].runs);
        free(c->series[i].fingerprints);
        free(c->series[i].gaps);
        free(c->series[i].recovered_ids);
    }
    free(c->series);
    free(c->sensor);
    tracks_release(&c->tracks);
    machine_events_release(&c->machine);
    tampering_release(&c->tampering);
    map_release(&c->series_index);
    *c = (struct coverage){0};
}

/* --- first pass: one record after the other */

static bool is_series_of(const struct coverage_series *s,
                         const struct evtx_system *system)
{
    return text_equal(s->channel, system->channel) &&
           text_equal(s->computer, system->computer);
}

/* NULL if there is none and none is to be made. */
static struct coverage_series *find_series(struct coverage *c,
                                           const struct evtx_system *system, bool makes)
{
    if (c->series_count && is_series_of(&c->series[c->last_series], system))
        return &c->series[c->last_series];
    struct buffer key = {0};
    buffer_printf(&key, "%zu ", system->channel.len);
    buffer_add_text(&key, system->channel);
    buffer_add_text(&key, system->computer);
    uint32_t number = map_find(&c->series_index, map_key_text(buffer_text(&key)));
    if (number == MAP_NONE && !makes) {
        buffer_release(&key);
        return NULL;
    }
    if (number == MAP_NONE) {
        number = (uint32_t)c->series_count;
        struct text kept = arena_copy(c->arena, buffer_text(&key));
        map_add(&c->series_index, map_key_text(kept), number);
        ARRAY_GROW(c->series, c->series_count, c->series_capacity);
        c->series[c->series_count++] =
            (struct coverage_series){.channel = arena_copy(c->arena, system->channel),
                                     .computer = arena_copy(c->arena, system->computer),
                                     .first_id = NO_RECORD,
                                     .last_id = NO_RECORD,
                                     .first_filetime = FILETIME_NONE,
                                     .last_filetime = FILETIME_NONE};
    }
    buffer_release(&key);
    c->last_series = number;
    return &c->series[number];
}

static uint64_t stir(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static uint64_t stir_text(uint64_t h, struct text t)
{
    size_t at = 0;
    uint64_t word[2];
    h = stir(h, t.len + !text_is_absent(t));
    for (; t.len - at >= sizeof word; at += sizeof word) {
        memcpy(word, t.ptr + at, sizeof word);
        __uint128_t product =
            (__uint128_t)(word[0] ^ h) * (word[1] ^ UINT64_C(0xe7037ed1a0b428db));
        h = (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    word[0] = word[1] = 0;
    if (t.len > at)
        memcpy(word, t.ptr + at, t.len - at);
    return stir(stir(h, word[0]), word[1]);
}

/* Over TimeCreated, the ids of event, process and thread, and every value; not over the
 * header, which an export rewrites. 32 bits: two different records of one id look alike
 * once in 4 billion. */
static uint32_t fingerprint_of(const struct evtx_record *record)
{
    const struct evtx_system *s = &record->system;
    uint64_t h = stir(s->time_created_filetime, s->event_id);
    h = stir(h, (uint64_t)s->process_id << 32 | s->thread_id);
    for (size_t i = 0; i < record->field_count; i++)
        h = stir_text(h, evtx_record_value(record, i));
    return (uint32_t)(h ^ h >> 32);
}

static void widen(uint64_t *first, uint64_t *last, uint64_t value)
{
    if (*first == UINT64_MAX || value < *first)
        *first = value;
    if (*last == UINT64_MAX || value > *last)
        *last = value;
}

static void series_add(struct coverage_series *s, const struct evtx_record *record)
{
    uint64_t id = record->system.record_id, time = record->system.time_created_filetime;
    if (time != FILETIME_NONE)
        widen(&s->first_filetime, &s->last_filetime, time);
    if (id == NO_RECORD)
        return;
    widen(&s->first_id, &s->last_id, id);
    struct coverage_run *run = s->run_count ? &s->runs[s->run_count - 1] : NULL;
    if (!run || id != run->last + 1) {
        ARRAY_GROW(s->runs, s->run_count, s->run_capacity);
        run = &s->runs[s->run_count++];
        *run = (struct coverage_run){id, id, time, time, NOT_COMPARED};
    }
    run->last = id;
    run->last_filetime = time;
}

static void note_schema(struct coverage *c, const struct sysmon_event *event)
{
    for (unsigned i = 0; i < FEATURES; i++) {
        bool event_fits = schema_features[i].event_id == 0 ||
                          schema_features[i].event_id == event->event_id;
        if (event_fits && (schema_features[i].field == SYSMON_FIELDS ||
                           event->slot[schema_features[i].field]))
            c->sysmon_field_sets |= UINT64_C(1) << i;
    }
}

static void note_version(struct coverage *c, const struct sysmon_event *event)
{
    uint64_t time =
        event->created_filetime == FILETIME_NONE ? 0 : event->created_filetime;
    if (event->event_id != 4 || time < c->version_filetime)
        return;
    c->version_filetime = time;
    c->sysmon_version = arena_copy(c->arena, sysmon_value(event, SYSMON_Version));
    c->schema_version = arena_copy(c->arena, sysmon_value(event, SYSMON_SchemaVersion));
}

static void note_unknown_field(struct coverage *c, const struct sysmon_event *event,
                               struct text name)
{
    size_t i = 0;
    for (; i < c->unknown_field_count; i++)
        if (c->unknown_fields[i].event_id == event->event_id &&
            text_equal(c->unknown_fields[i].name, name))
            break;
    if (i == COVERAGE_UNKNOWN_FIELDS_MAX) {
        c->unknown_fields_more++;
        return;
    }
    if (i == c->unknown_field_count) {
        c->unknown_field_count++;
        c->unknown_fields[i].name = arena_copy(c->arena, name);
        c->unknown_fields[i].event_id = event->event_id;
        c->unknown_fields[i].offset = event->record->offset;
        c->unknown_fields[i].record_id = event->record->system.record_id;
    }
    c->unknown_fields[i].count++;
}

static void note_unknown_fields(struct coverage *c, const struct sysmon_event *event)
{
    for (size_t i = 0; i < event->record->field_count; i++) {
        struct text name = evtx_record_name(event->record, i);
        if (sysmon_field_find(name) == SYSMON_FIELDS)
            note_unknown_field(c, event, name);
    }
}

/* Event 255 of the first schemas has no UtcTime: only one that is there can be wrong. */
static void note_time(struct coverage *c, const struct sysmon_event *event)
{
    if (event->utc_filetime != FILETIME_NONE) {
        widen(&c->first_utc_filetime, &c->last_utc_filetime, event->utc_filetime);
    } else if (event->slot[SYSMON_UtcTime] && c->times_unreadable++ == 0) {
        c->first_unreadable_offset = event->record->offset;
        c->first_unreadable_id = event->record->system.record_id;
    }
}

static void sysmon_add(struct coverage *c, const struct sysmon_event *event)
{
    c->sysmon_records++;
    c->process_creations += event->event_id == SYSMON_PROCESS_CREATE;
    if (event->event_id < 256)
        c->per_event_id[event->event_id]++;
    note_time(c, event);
    note_schema(c, event);
    note_version(c, event);
    if (event->unknown_fields)
        note_unknown_fields(c, event);
}

static void note_recovered(struct coverage *c, const struct evtx_record *record)
{
    struct coverage_series *s = find_series(c, &record->system, false);
    if (!s || record->system.record_id == NO_RECORD)
        return;
    ARRAY_GROW(s->recovered_ids, s->recovered_count, s->recovered_capacity);
    s->recovered_ids[s->recovered_count++] = record->system.record_id;
}

void coverage_add(struct coverage *c, const struct evtx_record *record,
                  const struct sysmon_event *event_or_null)
{
    if (!record_state_is_live(record->state)) {
        note_recovered(c, record);
        return;
    }
    c->records++;
    c->forwarded_records +=
        c->collects_others || text_equal_fold(record->system.channel, forwarded);
    if (record->header_id == record->system.record_id &&
        record->header_id < c->lowest_header_id)
        c->lowest_header_id = record->header_id;
    series_add(find_series(c, &record->system, true), record);
    tracks_add(&c->tracks, record, event_or_null);
    if (event_or_null) {
        sysmon_add(c, event_or_null);
        sensor_add(c, event_or_null);
    }
}

/* --- again, where runs overlap */

static int compare_places(const void *a, const void *b)
{
    const struct coverage_run *x = *(struct coverage_run *const *)a,
                              *y = *(struct coverage_run *const *)b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x < y ? -1 : x > y;
}

static bool is_ascending(const struct coverage_series *s)
{
    for (size_t i = 1; i < s->run_count; i++)
        if (s->runs[i].first <= s->runs[i - 1].last)
            return false;
    return true;
}

/* Mark the runs that share an id with another one. */
static void mark_overlaps(struct coverage_series *s)
{
    struct coverage_run **sorted = memory_get(s->run_count * sizeof(*sorted));
    for (size_t i = 0; i < s->run_count; i++)
        sorted[i] = &s->runs[i];
    qsort(sorted, s->run_count, sizeof(*sorted), compare_places);
    struct coverage_run *holder = sorted[0]; /* reaches farthest so far */
    for (size_t i = 1; i < s->run_count; i++) {
        if (sorted[i]->first <= holder->last)
            sorted[i]->fingerprint = holder->fingerprint = 0;
        if (sorted[i]->last > holder->last)
            holder = sorted[i];
    }
    free(sorted);
}

bool coverage_has_overlaps(struct coverage *c)
{
    bool has_some = false;
    for (size_t i = 0; i < c->series_count; i++) {
        struct coverage_series *s = &c->series[i];
        if (is_ascending(s))
            continue;
        mark_overlaps(s);
        for (size_t k = 0; k < s->run_count; k++)
            if (s->runs[k].fingerprint != NOT_COMPARED) {
                s->runs[k].fingerprint = s->fingerprint_count;
                s->fingerprint_count += s->runs[k].last - s->runs[k].first + 1;
            }
        s->fingerprints = memory_get_zeroed(s->fingerprint_count, sizeof(uint32_t));
        has_some |= s->fingerprint_count > 0;
    }
    return has_some;
}

/* A log that changed meanwhile, which is told, may have other records now. */
void coverage_compare(struct coverage *c, const struct evtx_record *record)
{
    if (!record_state_is_live(record->state) || record->system.record_id == NO_RECORD)
        return;
    struct coverage_series *s = find_series(c, &record->system, false);
    if (!s || s->again_run == s->run_count)
        return;
    const struct coverage_run *run = &s->runs[s->again_run];
    if (run->fingerprint != NOT_COMPARED)
        s->fingerprints[run->fingerprint + s->again_count] = fingerprint_of(record);
    if (s->again_count++ == run->last - run->first) {
        s->again_run++;
        s->again_count = 0;
    }
}

/* --- at the end: gaps, duplicates, origin */

static int compare_runs(const void *a, const void *b)
{
    const struct coverage_run *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x->fingerprint < y->fingerprint ? -1 : x->fingerprint > y->fingerprint;
}

static void add_gap(struct coverage_series *s, const struct coverage_run *before,
                    const struct coverage_run *after)
{
    ARRAY_GROW(s->gaps, s->gap_count, s->gap_capacity);
    s->gaps[s->gap_count++] =
        (struct coverage_range){before->last + 1, after->first - 1,
                                before->last_filetime, after->first_filetime};
    s->missing += after->first - before->last - 1;
}

struct finish {
    struct coverage *c;
    const struct coverage_series *series;
    struct problems *problems;
    bool is_damaged;
    size_t rows[PROBLEM_CODES];
    uint64_t left_out[PROBLEM_CODES];
};

static struct place id_place(const struct finish *f, uint64_t id)
{
    return evidence_log_place(f->c->log, NO_OFFSET, id);
}

/* May this series add one more row of that code? */
static bool row_allowed(struct finish *f, enum problem_code code)
{
    if (f->rows[code] < ROWS_MAX) {
        f->rows[code]++;
        return true;
    }
    f->left_out[code]++;
    return false;
}

static void tell_twice(struct finish *f, uint64_t first, uint64_t last, bool same)
{
    enum problem_code code = same ? PROBLEM_RID_DUP : PROBLEM_RID_CONFLICT;
    if (!row_allowed(f, code))
        return;
    problems_add(f->problems, code, id_place(f, first),
                 "EventRecordID %" PRIu64 " to %" PRIu64 " of %.*s on %.*s: %" PRIu64
                 " record%s in this log more than once, %s",
                 first, last, TEXT(f->series->channel), TEXT(f->series->computer),
                 last - first + 1, count_word(last - first + 1, " stands", "s stand"),
                 same ? "with the same content" : "with different content");
}

static bool same_record(const struct coverage_series *s, const struct coverage_run *a,
                        const struct coverage_run *b, uint64_t id)
{
    return s->fingerprints[a->fingerprint + (size_t)(id - a->first)] ==
           s->fingerprints[b->fingerprint + (size_t)(id - b->first)];
}

/* The ids that `run` shares with `holder`, which begins before it. */
static void compare_overlap(struct finish *f, const struct coverage_run *holder,
                            const struct coverage_run *run)
{
    uint64_t last = run->last < holder->last ? run->last : holder->last;
    uint64_t from = run->first;
    assert(holder->fingerprint != NOT_COMPARED && run->fingerprint != NOT_COMPARED);
    for (uint64_t id = run->first; id <= last; id++) {
        bool same = same_record(f->series, holder, run, id);
        if (id == last || same_record(f->series, holder, run, id + 1) != same) {
            tell_twice(f, from, id, same);
            from = id + 1;
        }
    }
}

static void find_gaps(struct finish *f, struct coverage_series *s)
{
    if (s->run_count == 0)
        return;
    qsort(s->runs, s->run_count, sizeof *s->runs, compare_runs);
    const struct coverage_run *holder = &s->runs[0]; /* reaches farthest so far */
    for (size_t i = 1; i < s->run_count; i++) {
        const struct coverage_run *run = &s->runs[i];
        if (run->first > holder->last && run->first - holder->last > 1)
            add_gap(s, holder, run);
        if (run->first <= holder->last)
            compare_overlap(f, holder, run);
        if (run->last > holder->last)
            holder = run;
    }
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t recovered_within(const struct coverage_series *s,
                                 const struct coverage_range *gap)
{
    uint64_t count = 0, last = NO_RECORD;
    for (size_t i = 0; i < s->recovered_count; i++) {
        uint64_t id = s->recovered_ids[i];
        count += id >= gap->first && id <= gap->last && id != last;
        last = id;
    }
    return count;
}

static void tell_gap(struct finish *f, const struct coverage_range *gap)
{
    bool raw = f->c->origin == ORIGIN_RAW;
    char before[FILETIME_TEXT_MAX], after[FILETIME_TEXT_MAX];
    if (!row_allowed(f, PROBLEM_RID_GAP))
        return;
    uint64_t recovered = recovered_within(f->series, gap);
    struct buffer also = {0};
    if (recovered)
        buffer_printf(&also, "; %" PRIu64 " of them recovered, not live", recovered);
    filetime_format(before, gap->before_filetime, FILETIME_REPORT);
    filetime_format(after, gap->after_filetime, FILETIME_REPORT);
    problems_add_graded(
        f->problems, PROBLEM_RID_GAP, raw ? SEVERITY_WARNING : SEVERITY_INFO,
        id_place(f, gap->first),
        "EventRecordID %" PRIu64 " to %" PRIu64 " of %.*s on %.*s: %" PRIu64
        " id%s missing between the records of %s and %s%.*s; origin %s%s%s",
        gap->first, gap->last, TEXT(f->series->channel), TEXT(f->series->computer),
        gap->last - gap->first + 1, PLURAL(gap->last - gap->first + 1), before, after,
        TEXT(buffer_text(&also)), log_origin_name(f->c->origin),
        raw ? "" : ", where a gap can come from selecting records",
        f->is_damaged ? "; damaged parts of this log can explain it" : "");
    buffer_release(&also);
}

static void tell_left_out(struct finish *f, enum problem_code code)
{
    if (f->left_out[code])
        problems_add_graded(f->problems, code, SEVERITY_INFO, id_place(f, NO_RECORD),
                            "%" PRIu64 " more row%s like these for %.*s on %.*s %s "
                            "counted, not listed",
                            f->left_out[code], PLURAL(f->left_out[code]),
                            TEXT(f->series->channel), TEXT(f->series->computer),
                            count_word(f->left_out[code], "is", "are"));
}

static void finish_series(struct finish *f, struct coverage_series *s)
{
    f->series = s;
    memset(f->rows, 0, sizeof f->rows);
    memset(f->left_out, 0, sizeof f->left_out);
    find_gaps(f, s);
    tell_left_out(f, PROBLEM_RID_DUP);
    tell_left_out(f, PROBLEM_RID_CONFLICT);
}

static void tell_gaps(struct finish *f, const struct coverage_series *s)
{
    f->series = s;
    if (s->recovered_count)
        qsort(s->recovered_ids, s->recovered_count, sizeof *s->recovered_ids,
              compare_ids);
    for (size_t i = 0; i < s->gap_count; i++)
        tell_gap(f, &s->gaps[i]);
    tell_left_out(f, PROBLEM_RID_GAP);
}

static void sum_ids(struct coverage *c)
{
    bool has_sysmon = false;
    for (size_t i = 0; i < c->series_count; i++)
        has_sysmon |= sysmon_is_channel(c->series[i].channel);
    for (size_t i = 0; i < c->series_count; i++) {
        const struct coverage_series *s = &c->series[i];
        if ((has_sysmon && !sysmon_is_channel(s->channel)) || s->first_id == NO_RECORD)
            continue;
        widen(&c->first_record_id, &c->last_record_id, s->first_id);
        widen(&c->first_record_id, &c->last_record_id, s->last_id);
        c->missing_record_ids += s->missing;
    }
}

static bool has_gap(const struct coverage *c)
{
    for (size_t i = 0; i < c->series_count; i++)
        if (c->series[i].gap_count)
            return true;
    return false;
}

static bool has_several_computers(const struct coverage *c)
{
    for (size_t i = 1; i < c->series_count; i++)
        if (!text_equal_fold(c->series[i].computer, c->series[0].computer))
            return true;
    return false;
}

static void set_origin(struct coverage *c, enum log_origin origin, struct text basis)
{
    c->origin = origin;
    c->origin_basis = basis;
}

static void origin_from_ids(struct coverage *c, const struct evtx_log_facts *facts)
{
    uint64_t same = facts->header_id_same, differs = facts->header_id_differs;
    if (differs > same)
        set_origin(c, has_several_computers(c) ? ORIGIN_FORWARDED : ORIGIN_EXPORT,
                   arena_printf(c->arena,
                                "the record headers count differently from "
                                "EventRecordID in %" PRIu64 " of %" PRIu64
                                " records, as in %s",
                                differs, same + differs,
                                has_several_computers(c)
                                    ? "a log that collects several computers"
                                    : "an export, which renumbers them"));
    else if (same > differs && c->lowest_header_id > 1)
        set_origin(c, ORIGIN_RAW,
                   arena_printf(c->arena,
                                "header ids equal EventRecordID and begin at %" PRIu64
                                "; an export would begin at 1",
                                c->lowest_header_id));
    else if (same > differs && has_gap(c))
        set_origin(
            c, ORIGIN_RAW,
            TEXT_LITERAL("header ids equal EventRecordID on both sides of a gap; "
                         "an export would have closed it"));
    else
        set_origin(
            c, ORIGIN_UNDETERMINED,
            TEXT_LITERAL("header ids equal EventRecordID from 1 on, as in a young "
                         "channel file and in an export of the first records"));
}

static void decide_origin(struct coverage *c, const struct evtx_log_facts *facts)
{
    if (evidence_log_is_text(c->log))
        set_origin(c, ORIGIN_EXPORT,
                   arena_printf(c->arena,
                                "%s: text that another program made from the records; "
                                "who made it, from which log and with what selection "
                                "is not recorded in it",
                                log_format_name(&c->log->format)));
    else if (c->forwarded_records * 2 > c->records)
        set_origin(c, ORIGIN_FORWARDED,
                   arena_printf(c->arena,
                                "%" PRIu64 " of %" PRIu64
                                " records were found in a log "
                                "for forwarded events",
                                c->forwarded_records, c->records));
    else if (c->log->path_is_winevt)
        set_origin(c, ORIGIN_RAW,
                   TEXT_LITERAL("it lies where Windows keeps its channel files "
                                "(winevt\\Logs)"));
    else if (c->records == 0)
        set_origin(c, ORIGIN_UNDETERMINED, TEXT_LITERAL("no record to tell it by"));
    else
        origin_from_ids(c, facts);
}

static void tell_unreadable(const struct coverage *c, struct problems *problems)
{
    struct place place =
        evidence_log_place(c->log, c->first_unreadable_offset, c->first_unreadable_id);
    if (c->times_unreadable)
        problems_add(problems, PROBLEM_TIME_UNREADABLE, place,
                     "UtcTime of %" PRIu64
                     " Sysmon record%s is not a time; TimeCreated "
                     "stands in for it. The first of them is this one",
                     c->times_unreadable, PLURAL(c->times_unreadable));
    for (size_t i = 0; i < c->unknown_field_count; i++) {
        place.offset = c->unknown_fields[i].offset;
        place.record_id = c->unknown_fields[i].record_id;
        problems_add(problems, PROBLEM_FIELD_UNKNOWN, place,
                     "event %u has a field \"%.*s\" (in %" PRIu64
                     " record%s; the first is this one)",
                     c->unknown_fields[i].event_id, TEXT(c->unknown_fields[i].name),
                     c->unknown_fields[i].count, PLURAL(c->unknown_fields[i].count));
    }
    place.offset = NO_OFFSET;
    place.record_id = NO_RECORD;
    if (c->unknown_fields_more)
        problems_add(problems, PROBLEM_FIELD_UNKNOWN, place,
                     "%" PRIu64 " more value%s with other unknown names",
                     c->unknown_fields_more, PLURAL(c->unknown_fields_more));
}

/* A log of its usual size (64 MiB for Sysmon's) that begins above 1 has wrapped. */
static void tell_first_ids(const struct coverage *c, const struct evtx_log_facts *facts,
                           struct problems *problems)
{
    if (c->origin != ORIGIN_RAW || facts->chunks > SMALL_LOG_CHUNKS ||
        c->log->is_deleted)
        return;
    for (size_t i = 0; i < c->series_count; i++) {
        const struct coverage_series *s = &c->series[i];
        if (!sysmon_is_channel(s->channel) || s->first_id == NO_RECORD ||
            s->first_id <= 1)
            continue;
        problems_add(
            problems, PROBLEM_RID_FIRST_GT1,
            evidence_log_place(c->log, NO_OFFSET, s->first_id),
            "%.*s on %.*s begins with EventRecordID %" PRIu64 " and holds %" PRIu64
            " chunk%s of 64 KiB: too few to have wrapped at the usual size, so "
            "it was cleared, made anew or given a small size",
            TEXT(s->channel), TEXT(s->computer), s->first_id, facts->chunks,
            PLURAL(facts->chunks));
    }
}

void coverage_finish(struct coverage *c, const struct evtx_log_facts *facts,
                     struct problems *problems)
{
    struct finish f = {.c = c,
                       .problems = problems,
                       .is_damaged = facts->chunks_damaged || facts->records_damaged};
    for (size_t i = 0; i < c->series_count; i++)
        finish_series(&f, &c->series[i]);
    sum_ids(c);
    decide_origin(c, facts);
    for (size_t i = 0; i < c->series_count; i++)
        tell_gaps(&f, &c->series[i]);
    tell_first_ids(c, facts, problems);
    tell_unreadable(c, problems);
    tracks_tell(&c->tracks, c->log, problems);
    sensor_tell(c, problems);
    tampering_tell(&c->tampering, c->log, problems);
}

struct text coverage_schema_floor(const struct coverage *c)
{
    for (unsigned i = FEATURES; i-- > 0;)
        if (c->sysmon_field_sets & UINT64_C(1) << i)
            return text_from(schema_features[i].schema);
    return NO_TEXT;
}
