/* SPDX-License-Identifier: Apache-2.0
 * The first pass: every record is looked at once, and all that links need goes into compact tables. */
#include "run_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/stop.h"
#include "util/workers.h"

/* Rows of one log that would drown everything else: leftovers of other channels, and the
 * records of a chunk whose template is gone, are many and all alike; of values that are shown
 * otherwise than they are recorded, and of processes, processes.csv and forebear show have
 * what a row would say. A row that alone says something has no place here (doc/outputs.md). */
static const struct problem_cap reading_caps[] = {
    {PROBLEM_RECOVERED_IN_PART,  20 },
    {PROBLEM_TEMPLATE_RESTORED,  20 },
    {PROBLEM_VALUE_NOT_UTF16,    500},
    {PROBLEM_VALUE_EMBEDDED_NUL, 500},
    {PROBLEM_READER_FAULT_KNOWN, 500},
};

static struct clearing_report clearing_of(const struct reading *reading,
                                          const struct log_clearing *found)
{
    struct arena *arena = &reading->run->arena;
    const struct evtx_record *record = found->record;
    return (struct clearing_report){
        .log = reading->log->log,
        .record_id = record->system.record_id,
        .offset = record->offset,
        .created_filetime = found->created_filetime,
        .channel = arena_copy(arena, found->channel),
        .user = arena_copy(arena, found->user),
        .domain = arena_copy(arena, found->domain),
        .user_sid = arena_copy(arena, found->user_sid),
        .computer = arena_copy(arena, record->system.computer),
        .state = (uint8_t)record->state,
    };
}

/* What two records of one clearing have in common. */
static struct bytes clearing_key(struct arena *arena, const struct log_clearing *found)
{
    const struct evtx_system *s = &found->record->system;
    return map_key_text(arena_printf(
        arena, "%" PRIu64 " %" PRIu64 " %u\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s",
        s->record_id, found->created_filetime, (unsigned)s->event_id, TEXT(s->computer),
        TEXT(s->channel), TEXT(found->channel), TEXT(found->user), TEXT(found->domain),
        TEXT(found->user_sid)));
}

/* A log and its copy hold the same record: one clearing, for which a live record stands. */
static void tell_again(struct reading *reading, const struct log_clearing *found,
                       struct clearing_report *known)
{
    const struct evtx_record *record = found->record;
    problems_add(
        &reading->run->problems, PROBLEM_RID_DUP,
        evidence_log_place(reading->log->log, record->offset, record->system.record_id),
        "the record of a clearing of the log %.*s stands in %.*s: %.*s too; it is "
        "counted once",
        TEXT(found->channel), TEXT(known->log->evidence), TEXT(known->log->path));
    if (record_state_is_live(record->state) && !record_state_is_live(known->state))
        *known = clearing_of(reading, found);
}

static void add_clearing(struct reading *reading, const struct log_clearing *found)
{
    struct run *run = reading->run;
    struct report *report = &run->report;
    struct bytes key = clearing_key(&run->arena, found);
    uint32_t at = map_add(&run->clearings, key, (uint32_t)report->clearing_count);
    if (at < report->clearing_count) {
        tell_again(reading, found, &report->clearings[at]);
        return;
    }
    ARRAY_GROW(report->clearings, report->clearing_count, run->clearing_capacity);
    report->clearings[report->clearing_count++] = clearing_of(reading, found);
    log_clearing_add_problem(found, reading->log->log, &run->problems);
}

static void count_recovered(struct recovered_counts *counts,
                            const struct evtx_record *record,
                            const struct sysmon_event *event_or_null)
{
    if (record_state_is_live(record->state))
        return;
    counts->given[record->state]++;
    if (event_or_null) {
        counts->sysmon++;
        counts->creations += event_or_null->event_id == SYSMON_PROCESS_CREATE;
    } else {
        counts->sysmon_positional +=
            record->state == RECORD_POSITIONAL && sysmon_may_be(&record->system);
    }
}

/* What is known of a record from itself alone. */
struct prepared {
    struct sysmon_event event;
    struct lineage_look look;
    bool is_sysmon, may_match, is_tampering;
};

/* By a worker, chunk by chunk: all that needs no table of the run. */
static void prepare_chunk(void *context, unsigned worker, struct evtx_record *records,
                          size_t count, struct arena *arena)
{
    const struct reading *reading = context;
    struct run *run = reading->run;
    struct prepared *prepared = arena_alloc(arena, count * sizeof *prepared);
    struct lineage_texts *texts = arena_alloc(arena, sizeof *texts);
    texts->arena = arena;
    for (size_t i = 0; i < count; i++) {
        struct prepared *p = &prepared[i];
        records[i].prepared = p;
        p->is_sysmon = sysmon_event_read(&run->layouts[worker], &p->event, &records[i],
                                         reading->log->log);
        if (p->is_sysmon)
            lineage_look_at(&run->lineage, &p->event, texts, &p->look);
        p->may_match = p->is_sysmon && p->event.event_id == SYSMON_PROCESS_CREATE &&
                       detector_wants(&run->detector, &p->event);
        p->is_tampering = p->is_sysmon && tampering_concerns(&p->event);
    }
}

static void take_record(struct reading *reading, const struct evtx_record *record)
{
    struct run *run = reading->run;
    struct prepared *p = record->prepared;
    struct sysmon_event *event = p->is_sysmon ? &p->event : NULL;
    struct log_clearing clearing;
    struct audit_event audit;
    if (selection_is_set(&run->options->selection))
        selection_check_note(&run->check, record->system.event_id,
                             record->system.channel, record->system.computer,
                             event ? sysmon_event_filetime(event)
                                   : record->system.time_created_filetime);
    coverage_add(&reading->log->coverage, record, event);
    count_recovered(&reading->log->recovered, record, event);
    if (!event)
        machine_events_add(&reading->log->coverage.machine, record, &run->arena);
    if (event) {
        event->record = record; /* recovered ones may have moved */
        if (p->is_tampering)
            tampering_add(&reading->log->coverage.tampering, event, &run->arena);
        struct event_processes who =
            lineage_add_seen(&run->lineage, event, &p->look, reading->number);
        note_channel(run, event, who.subject);
        if (who.is_new_creation && p->may_match)
            detector_add_creation(&run->detector, event, who.subject);
    } else if (log_clearing_from_record(&clearing, record)) {
        add_clearing(reading, &clearing);
    } else if (audit_event_read(&audit, record, reading->log->log)) {
        lineage_add_audit(&run->lineage, &audit, reading->number);
    }
}

static bool comes_late(const struct evtx_record *record)
{
    return (record->state == RECORD_TORN || record->state == RECORD_POSITIONAL) &&
           sysmon_may_be(&record->system);
}

static void add_late(struct reading *reading, const struct evtx_record *record)
{
    struct run *run = reading->run;
    ARRAY_GROW(run->late, run->late_count, run->late_capacity);
    run->late[run->late_count++] = (struct late_record){
        record->offset, reading->number, record->state == RECORD_POSITIONAL};
}

struct span_of_records {
    const struct evtx_record *records;
    size_t count;
};

static void fetch(const struct run *run, struct span_of_records chunk, size_t from,
                  size_t to, bool near)
{
    for (size_t i = from; i < to && i < chunk.count; i++) {
        const struct prepared *p = chunk.records[i].prepared;
        if (p->is_sysmon)
            lineage_fetch(&run->lineage, &p->look, near);
    }
}

/* A look into the tables is mostly a cache miss, which takes as long as all else that is done
 * for a record: those of the records to come are begun in time. Places are guessed for the
 * computer of the record before, so a chunk begins with its second. */
static void fetch_ahead(const struct run *run, struct span_of_records chunk, size_t i)
{
    enum { FAR = 12, NEAR = 5 };
    if (i == 1) {
        fetch(run, chunk, i, i + FAR, false);
        fetch(run, chunk, i, i + NEAR, true);
    }
    fetch(run, chunk, i + FAR, i + FAR + 1, false);
    fetch(run, chunk, i + NEAR, i + NEAR + 1, true);
}

static enum status first_pass(void *context, const struct evtx_record *records,
                              size_t count)
{
    struct reading *reading = context;
    for (size_t i = 0; i < count; i++) {
        fetch_ahead(reading->run, (struct span_of_records){records, count}, i);
        if (comes_late(&records[i]))
            add_late(reading, &records[i]);
        else
            take_record(reading, &records[i]);
    }
    return OK;
}

static enum status compare_pass(void *context, const struct evtx_record *records,
                                size_t count)
{
    struct reading *reading = context;
    for (size_t i = 0; i < count; i++)
        coverage_compare(&reading->log->coverage, &records[i]);
    return OK;
}

static int compare_late(const void *a, const void *b)
{
    const struct late_record *x = a, *y = b;
    if (x->log != y->log)
        return x->log < y->log ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static bool is_late(const struct run *run, uint32_t log, uint64_t offset)
{
    struct late_record wanted = {.log = log, .offset = offset};
    return run->late_count && bsearch(&wanted, run->late, run->late_count,
                                      sizeof *run->late, compare_late);
}

static enum status late_pass(void *context, const struct evtx_record *records,
                             size_t count)
{
    struct reading *reading = context;
    for (size_t i = 0; i < count; i++)
        if (is_late(reading->run, reading->number, records[i].offset))
            take_record(reading, &records[i]);
    return OK;
}

uint64_t bytes_of_logs(const struct run *run)
{
    uint64_t total = 0;
    for (size_t i = 0; i < run->evidence.log_count; i++)
        total += run->evidence.logs[i].size;
    return total;
}

enum status read_prepared(struct reading *reading, evtx_prepare *by_worker,
                          evtx_sink *sink, struct evtx_log_facts *facts,
                          struct problems *problems, struct progress *progress,
                          struct error *err)
{
    struct evtx_reader *reader = reading->run->reader;
    const struct evidence_log *log = &reading->run->evidence.logs[reading->number];
    evtx_reader_prepare(reader, by_worker, reading);
    enum status status =
        evtx_read(reader, log, sink, reading, facts, problems, progress, err);
    evtx_reader_prepare(reader, NULL, NULL);
    return status;
}

/* Which of the problems of one reading are kept: those of late records when these are
 * taken, all others before. */
struct keeping {
    const struct reading *reading;
    bool is_late;
};

static bool is_kept(const struct problem *problem, void *context)
{
    const struct keeping *k = context;
    const struct reading *r = k->reading;
    return is_late(r->run, r->number, problem->place.offset) == k->is_late;
}

static void keep_problems(const struct reading *reading, size_t first, bool is_late)
{
    struct problems *problems = &reading->run->problems;
    struct keeping k = {.reading = reading, .is_late = is_late};
    problems_keep(problems, first, is_kept, &k);
    problems_cap(problems, first, PROBLEM_CAPS(reading_caps));
}

/* Where ids stand in several records of a log, their content is compared. */
static enum status compare_repeated(struct reading *reading, struct error *err)
{
    struct run *run = reading->run;
    struct evtx_log_facts again;
    if (!coverage_has_overlaps(&reading->log->coverage))
        return OK;
    evtx_reader_recover(run->reader, false);
    enum status status =
        read_prepared(reading, NULL, compare_pass, &again, NULL, NULL, err);
    evtx_reader_recover(run->reader, run->report.run.recovers);
    return status;
}

static enum status read_log(struct run *run, uint32_t number, struct progress *progress,
                            struct error *err)
{
    struct evidence_log *log = &run->evidence.logs[number];
    struct log_report *report = &run->report.logs[number];
    struct hashing *hashing = &run->hashing[number];
    struct reading reading = {run, report, number, .first_repeat_id = NO_RECORD};
    size_t problems_before = run->problems.count, late_before = run->late_count;
    report->log = log;
    coverage_init(&report->coverage, &run->arena, log);
    if (hashing->by_reader.kinds)
        evtx_reader_digest(run->reader, &hashing->by_reader);
    if (read_prepared(&reading, prepare_chunk, first_pass, &report->facts,
                      &run->problems, progress, err) != OK ||
        compare_repeated(&reading, err) != OK)
        return FAILED;
    take_digest(run, hashing);
    bool has_late = run->late_count > late_before;
    if (has_late)
        qsort(run->late + late_before, run->late_count - late_before, sizeof *run->late,
              compare_late);
    keep_problems(&reading, problems_before, false);
    if (!has_late)
        coverage_finish(&report->coverage, &report->facts, &run->problems);
    journal_say(&run->journal, JOURNAL_ACTION,
                "read %.*s: %.*s: %" PRIu64 " record%s, %" PRIu64 " of them Sysmon's",
                TEXT(log->evidence), TEXT(log->path), report->facts.records,
                PLURAL(report->facts.records), report->coverage.sysmon_records);
    tell_problems(run);
    return OK;
}

static enum status learn_templates(struct run *run, struct error *err)
{
    bool is_wanted = false;
    for (size_t i = 0; i < run->late_count; i++)
        is_wanted |= run->late[i].is_nameless;
    if (!is_wanted || run->evidence.log_count < 2)
        return OK;
    journal_say(&run->journal, JOURNAL_ACTION,
                "learning the templates of all logs for records whose own are gone");
    for (size_t i = 0; i < run->evidence.log_count; i++)
        if (evtx_reader_learn(run->reader, &run->evidence.logs[i], err) != OK)
            return FAILED;
    return OK;
}

static enum status read_late_of(struct run *run, uint32_t number, struct error *err)
{
    struct log_report *report = &run->report.logs[number];
    struct reading reading = {run, report, number, .first_repeat_id = NO_RECORD};
    size_t before = run->problems.count;
    journal_say(&run->journal, JOURNAL_ACTION,
                "reading %.*s: %.*s again for records that are there only in part",
                TEXT(report->log->evidence), TEXT(report->log->path));
    if (read_prepared(&reading, prepare_chunk, late_pass, &report->facts,
                      &run->problems, NULL, err) != OK)
        return FAILED;
    keep_problems(&reading, before, true);
    coverage_finish(&report->coverage, &report->facts, &run->problems);
    tell_problems(run);
    return OK;
}

static enum status read_late(struct run *run, struct error *err)
{
    if (learn_templates(run, err) != OK)
        return FAILED;
    for (size_t i = 0; i < run->late_count; i++) {
        bool is_first = i == 0 || run->late[i - 1].log != run->late[i].log;
        if (is_first && read_late_of(run, run->late[i].log, err) != OK)
            return FAILED;
    }
    return OK;
}

enum status read_logs(struct run *run, struct error *err)
{
    struct progress progress;
    uint64_t sysmon_records = 0, recovered = 0;
    start_hashing(run);
    progress_start(&progress, &run->journal, "reading logs", bytes_of_logs(run));
    for (uint32_t i = 0; i < run->evidence.log_count; i++)
        if (read_log(run, i, &progress, err) != OK)
            return FAILED;
    progress_end(&progress);
    if (read_late(run, err) != OK)
        return FAILED;
    for (uint32_t i = 0; i < run->evidence.log_count; i++) {
        sysmon_records += run->report.logs[i].coverage.sysmon_records;
        recovered += run->report.logs[i].recovered.sysmon;
    }
    if (recovered)
        journal_say(&run->journal, JOURNAL_ACTION,
                    "%" PRIu64 " Sysmon record%s not live %s recovered", recovered,
                    count_word(recovered, " that is", "s that are"),
                    count_word(recovered, "was", "were"));
    if (sysmon_records == 0)
        problems_add(&run->problems, PROBLEM_NO_SYSMON_LOG, NOWHERE,
                     recovered
                         ? "of %zu log%s that %s read, none holds a live Sysmon "
                           "record"
                         : "of %zu log%s that %s read, none holds a Sysmon record",
                     run->evidence.log_count, PLURAL(run->evidence.log_count),
                     count_word(run->evidence.log_count, "was", "were"));
    tell_problems(run);
    return OK;
}

/* By a worker: a fingerprint of each record whose id stands in several logs. */
static void fingerprint_shared(void *context, unsigned worker,
                               struct evtx_record *records, size_t count,
                               struct arena *arena)
{
    const struct reading *reading = context;
    (void)worker;
    for (size_t i = 0; i < count; i++) {
        if (!across_wants(&reading->run->across, &records[i]))
            continue;
        uint32_t *fingerprint = arena_alloc(arena, sizeof *fingerprint);
        struct digest_values values = digest_of_event(&records[i]);
        memcpy(fingerprint, values.value[DIGEST_SHA256], sizeof *fingerprint);
        records[i].prepared = fingerprint;
    }
}

static enum status across_pass(void *context, const struct evtx_record *records,
                               size_t count)
{
    struct reading *reading = context;
    for (size_t i = 0; i < count; i++)
        if (records[i].prepared)
            across_add(&reading->run->across, reading->number, &records[i],
                       *(const uint32_t *)records[i].prepared);
    return OK;
}

enum status compare_across(struct run *run, struct error *err)
{
    enum status status = OK;
    if (!across_open(&run->across, run->coverages, run->report.log_count, &run->arena))
        return OK;
    journal_say(&run->journal, JOURNAL_ACTION,
                "reading logs again whose record ids stand in several of them");
    evtx_reader_recover(run->reader, false);
    for (uint32_t i = 0; i < run->report.log_count && status == OK; i++) {
        struct reading reading = {run, &run->report.logs[i], i,
                                  .first_repeat_id = NO_RECORD};
        struct evtx_log_facts again = {0};
        if (run->across.is_concerned[i])
            status = read_prepared(&reading, fingerprint_shared, across_pass, &again,
                                   NULL, NULL, err);
    }
    evtx_reader_recover(run->reader, run->report.run.recovers);
    across_tell(&run->across, &run->problems);
    return status;
}
