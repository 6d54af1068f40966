/* SPDX-License-Identifier: Apache-2.0
 * The second pass: the events of the findings' families, and what speaks for or against them. */
#include "run_internal.h"

#include <inttypes.h>
#include <string.h>

#include "util/memory.h"
#include "util/stop.h"

/* An event of the second pass, and the processes that it speaks of. */
struct gathered {
    struct sysmon_event event;
    struct event_processes who;
    bool is_family;  /* one of them is in the family of a finding */
    bool is_sign;    /* it speaks for or against code in a host process */
    bool has_row;    /* neither of them is, but it has a row of the timeline, or would
                         have one if it were not filtered */
    bool is_machine; /* neither is, but it tells of persistence on a finding's host */
    struct timeline_row row;
    struct indicator_values values;
};

static bool was_family(const struct detector *d, uint32_t process)
{
    return detector_in_family(d, process) && !detector_joined_family(d, process);
}

static bool is_of_any_family(const struct run *run, const struct event_processes *who)
{
    return detector_in_family(&run->detector, who->subject) ||
           detector_in_family(&run->detector, who->object);
}

/* Of the family of a finding; while sources are followed, of what was no family before. */
static bool is_of_family(const struct reading *reading,
                         const struct event_processes *who)
{
    const struct detector *d = &reading->run->detector;
    if (was_family(d, who->subject) || was_family(d, who->object))
        return !reading->following;
    return reading->following && (detector_joined_family(d, who->subject) ||
                                  detector_joined_family(d, who->object));
}

static void add_part(struct digester *d, struct text t)
{
    uint64_t len = text_is_absent(t) ? UINT64_MAX : t.len;
    digester_add(d, &len, sizeof len);
    digester_add(d, t.ptr, t.len);
}

struct digest_values digest_of_event(const struct evtx_record *record)
{
    struct digest_values values;
    struct digester d;
    const uint64_t numbers[] = {record->system.event_id, record->system.record_id,
                                record->system.time_created_filetime};
    digester_init(&d, DIGEST_BIT(DIGEST_SHA256));
    digester_add(&d, numbers, sizeof numbers);
    add_part(&d, record->system.computer);
    add_part(&d, record->system.channel);
    for (size_t i = 0; i < record->field_count; i++)
        add_part(&d, evtx_record_value(record, i));
    digester_finish(&d, &values);
    return values;
}

/* An event of no family, where the timeline is to hold more than these: in the reading that
 * follows sources, when it is known which processes they brought into a family. */
static void make_wide_row(struct run *run, unsigned worker, struct gathered *g,
                          struct arena *arena)
{
    enum timeline_why why = timeline_scope_takes(&run->timeline.scope, &g->event);
    if (why == WHY_NOT)
        return;
    struct digest_values content = digest_of_event(g->event.record);
    g->has_row = true;
    if (event_is_told(&run->options->selection, &g->event))
        timeline_wide_make(&run->timeline.wide, worker, &g->event, &g->who, why,
                           content.value[DIGEST_SHA256], arena, &g->row);
    else
        timeline_wide_leave_out(&g->event, content.value[DIGEST_SHA256], &g->row);
}

/* The first reading takes what tells of persistence on a finding's host, the one that follows
 * sources leaves that out: nothing is counted twice. */
static void find_indicators(const struct reading *reading, struct gathered *g,
                            struct arena *arena)
{
    struct run *run = reading->run;
    bool is_machine =
        run->detector.finding_count && elsewhere_is_machine_event(&g->event) &&
        timeline_scope_has_host(&run->timeline.scope, g->event.record->system.computer);
    g->is_machine = is_machine && !reading->following && !g->is_family;
    if (g->is_machine || (g->is_family && !(is_machine && reading->following)))
        g->values = elsewhere_list(&run->elsewhere, &g->event, &g->who, arena);
}

/* By a worker: after linking, lineage and families are only read. */
static void look_for_families(void *context, unsigned worker,
                              struct evtx_record *records, size_t count,
                              struct arena *arena)
{
    const struct reading *reading = context;
    struct run *run = reading->run;
    struct gathered *gathered = arena_alloc(arena, count * sizeof *gathered);
    for (size_t i = 0; i < count; i++) {
        struct gathered *g = &gathered[i];
        records[i].prepared = g;
        if (record_state_is_live(records[i].state) == reading->recovered ||
            !sysmon_event_read(&run->layouts[worker], &g->event, &records[i],
                               reading->log->log))
            continue;
        g->who = lineage_find(&run->lineage, &g->event);
        g->is_family = is_of_family(reading, &g->who);
        g->is_sign = !reading->following &&
                     detector_may_corroborate(&run->detector, &g->event, &g->who);
        find_indicators(reading, g, arena);
        if (reading->following && !is_of_any_family(run, &g->who))
            make_wide_row(run, worker, g, arena);
    }
}

/* A log and its copy, an export, a deleted version of it: an event that stands in several
 * records is one event, and the first that is read stands for it. */
static bool is_repeated(struct reading *reading, const struct evtx_record *record,
                        uint32_t *number)
{
    struct run *run = reading->run;
    struct digest_values values = digest_of_event(record);
    struct bytes key = {values.value[DIGEST_SHA256], digest_size(DIGEST_SHA256)};
    *number = map_find(&run->gathered, key);
    if (*number != MAP_NONE) {
        places_add(&run->timeline.also, *number,
                   &(struct seen_place){record->offset, record->system.record_id,
                                        reading->number, 0, (uint8_t)record->state});
        if (reading->repeats++ == 0)
            reading->first_repeat_id = record->system.record_id;
        return true;
    }
    uint8_t *kept = arena_alloc(&run->arena, key.len);
    memcpy(kept, key.ptr, key.len);
    *number = run->gathered_before + run->gathered.count;
    map_add(&run->gathered, (struct bytes){kept, key.len}, *number);
    return false;
}

static void tell_repeats(const struct reading *reading)
{
    if (reading->repeats)
        problems_add(
            &reading->run->problems, PROBLEM_RID_DUP,
            evidence_log_place(reading->log->log, NO_OFFSET, reading->first_repeat_id),
            "%" PRIu64 " event%s of the findings' families or hosts %s in another record "
            "too, with the same content (the first is EventRecordID %" PRIu64
            "); each is counted once",
            reading->repeats, PLURAL(reading->repeats),
            count_word(reading->repeats, "stands", "stand"), reading->first_repeat_id);
}

static void gather_event(struct run *run, const struct gathered *g, uint32_t number)
{
    if (g->is_family)
        timeline_add(&run->timeline, &run->detector, &run->lineage, &g->event, &g->who,
                     number);
    elsewhere_take(&run->elsewhere, &g->event, &g->who, &g->values);
}

static enum status second_pass(void *context, const struct evtx_record *records,
                               size_t count)
{
    struct reading *reading = context;
    struct run *run = reading->run;
    for (size_t i = 0; i < count; i++) {
        struct gathered *g = records[i].prepared;
        uint32_t number;
        if (g->has_row)
            timeline_wide_add(&run->timeline.wide, &g->row);
        if (!(g->is_family || g->is_sign || g->is_machine) ||
            is_repeated(reading, &records[i], &number))
            continue;
        g->event.record = &records[i];
        if (g->is_sign)
            detector_corroborate(&run->detector, &run->lineage, &g->event, &g->who);
        bool is_told = event_is_told(&run->options->selection, &g->event);
        run->report.told.events_left_out += g->is_family && !is_told;
        if (is_told && !run->options->findings_only)
            gather_event(run, g, number);
    }
    return OK;
}

/* Live events first, of all logs: a recovered one that repeats one of them is left out. */
static enum status gather_log(struct reading *reading, struct progress *progress,
                              struct error *err)
{
    struct run *run = reading->run;
    const struct log_report *log = reading->log;
    bool recovered = reading->recovered;
    struct evtx_log_facts again = {0};
    if ((recovered ? log->recovered.sysmon : log->coverage.sysmon_records) == 0)
        return OK;
    evtx_reader_recover(run->reader, recovered && run->report.run.recovers);
    if (read_prepared(reading, look_for_families, second_pass, &again, NULL,
                      recovered ? NULL : progress, err) != OK)
        return FAILED;
    tell_repeats(reading);
    return OK;
}

/* What the timeline holds beyond the families is decided before the second pass. */
static void open_timeline(struct run *run)
{
    struct timeline *t = &run->timeline;
    t->scope.extent = run->options->timeline;
    t->scope.window_100ns = run->options->window_100ns;
    timeline_scope_open(&t->scope, &run->detector, &run->lineage);
    if (timeline_scope_is_wide(&t->scope))
        timeline_wide_open(&t->wide, &run->report, run->output.fd,
                           run->options->jobs + 1);
}

/* Deleted logs come last, so that a record of a live one stands for what both have. */
static enum status gather_logs(struct run *run, bool following, const char *what,
                               struct error *err)
{
    struct progress progress;
    progress_start(&progress, &run->journal, what, bytes_of_logs(run));
    for (int recovered = 0; recovered < 2; recovered++)
        for (int deleted = 0; deleted < 2; deleted++)
            for (uint32_t i = 0; i < run->evidence.log_count; i++) {
                struct reading reading = {run,
                                          &run->report.logs[i],
                                          i,
                                          .first_repeat_id = NO_RECORD,
                                          .recovered = recovered,
                                          .following = following};
                if (run->evidence.logs[i].is_deleted == (deleted != 0) &&
                    gather_log(&reading, &progress, err) != OK)
                    return FAILED;
            }
    progress_end(&progress);
    return OK;
}

/* Who had its hands in a host process is known only now. Its events, and its ancestors',
 * that no family had yet are read in a pass of their own. */
static enum status follow_sources(struct run *run, struct error *err)
{
    detector_end(&run->detector);
    size_t joined = detector_follow_sources(&run->detector);
    bool is_wide = timeline_scope_is_wide(&run->timeline.scope);
    if (joined == 0 && !is_wide)
        return OK;
    journal_say(&run->journal, JOURNAL_ACTION,
                "reading the logs once more for %zu process%s that acted on a host "
                "process, or %s above one that did%s",
                joined, count_word(joined, "", "es"), count_word(joined, "is", "are"),
                is_wide ? ", and what else the timeline is to hold" : "");
    run->gathered_before += (uint32_t)run->gathered.count;
    map_release(&run->gathered);
    elsewhere_follow_sources(&run->elsewhere);
    return gather_logs(run, true, "following sources", err);
}

static bool wants_audit(struct run *run, enum audit_event_id event_id,
                        uint64_t filetime, uint32_t process)
{
    if (process == PROCESS_NONE || !detector_in_family(&run->detector, process))
        return false;
    bool is_told = audit_is_told(run, event_id, filetime, process);
    run->report.told.events_left_out += !is_told;
    return is_told;
}

/* What the audit says of the families is in the tables already. */
static void gather_audits(struct run *run)
{
    const struct lineage *l = &run->lineage;
    size_t end_count;
    const struct nameless_end *ends = lineage_ends(l, &end_count);
    if (run->options->findings_only)
        return;
    for (size_t i = 0; i < l->audit_count; i++) {
        const struct process_audit *audit = &l->audits[i];
        if (wants_audit(run, AUDIT_PROCESS_CREATED, audit->created_filetime,
                        audit->process))
            timeline_add_audit(&run->timeline, l, audit,
                               &run->evidence.logs[audit->log]);
    }
    for (size_t i = 0; i < end_count; i++)
        if (ends[i].is_audited &&
            wants_audit(run, AUDIT_PROCESS_EXITED, ends[i].filetime, ends[i].process))
            timeline_add_audit_end(&run->timeline, l, &ends[i],
                                   &run->evidence.logs[ends[i].log]);
}

enum status gather(struct run *run, struct error *err)
{
    if (run->detector.finding_count == 0 && detector_host_count(&run->detector) == 0 &&
        run->options->timeline != TIMELINE_ALL)
        return OK;
    open_timeline(run);
    elsewhere_open(&run->elsewhere, &run->lineage, &run->detector);
    journal_say(&run->journal, JOURNAL_ACTION,
                "reading the logs again for the events of the findings' families");
    if (gather_logs(run, false, "gathering events", err) != OK ||
        follow_sources(run, err) != OK)
        return FAILED;
    gather_audits(run);
    journal_say(&run->journal, JOURNAL_ACTION,
                "gathered %zu event%s of the findings' families", run->timeline.count,
                PLURAL(run->timeline.count));
    return OK;
}
