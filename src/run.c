/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/stop.h"
#include "util/utf.h"
#include "util/workers.h"
#include "versions.h"

/* Everything that lives as long as the run. */
struct run {
    const struct options *options;
    struct hashing *hashing; /* by log */
    struct workers *hashers;
    struct arena arena;
    struct problems problems;
    struct journal journal;
    struct output_dir output;
    struct evidence evidence;
    struct evtx_reader *reader;
    struct lineage lineage;
    struct rules rules;
    struct detector detector;
    struct timeline timeline;
    struct report report;
    size_t clearing_capacity;
    size_t problems_told; /* rows of problems that run.log has */
};

/* The digest of one log, computed beside the reading: until the report is written nobody
 * needs it. */
struct hashing {
    struct work work;
    struct evidence_log *log;
    unsigned kinds;
    enum status status;
    struct error damage;
};

/* What a sink needs to know about the log that is being read. */
struct reading {
    struct run *run;
    struct log_report *log;
    uint32_t number;
};

/* What could not be read, or was not examined, is said when it is met. What is odd in what
 * was recorded is left to the report. */
static void tell_problems(struct run *run)
{
    static const enum journal_level levels[] = {JOURNAL_NOTE, JOURNAL_NOTE,
                                                JOURNAL_WARNING, JOURNAL_ERROR};
    for (; run->problems_told < run->problems.count; run->problems_told++) {
        const struct problem *p = &run->problems.rows[run->problems_told];
        const struct problem_kind *kind = &problem_kinds[p->code];
        if (kind->class == DAMAGE)
            journal_say_problem(&run->journal, levels[p->severity], &p->place,
                                kind->code, p->message);
        else if (kind->class == NOTE)
            journal_say_problem(&run->journal, JOURNAL_NOTE, &p->place, kind->code,
                                p->message);
    }
}

static void add_quoted(struct buffer *out, const char *word)
{
    struct text shown = text_from(word);
    bool plain = shown.len > 0;
    for (size_t i = 0; i < shown.len; i++)
        plain = plain &&
                (strchr("-_=./,:+%@", word[i]) || (word[i] >= '0' && word[i] <= '9') ||
                 ((word[i] | 0x20) >= 'a' && (word[i] | 0x20) <= 'z'));
    if (!plain)
        buffer_add_char(out, '\'');
    for (size_t i = 0; i < shown.len; i++)
        if (word[i] == '\'')
            buffer_add_string(out, "'\\''");
        else
            buffer_add_char(out, word[i]);
    if (!plain)
        buffer_add_char(out, '\'');
}

static struct text quoted_command_line(struct arena *arena, int argc, char **argv)
{
    struct buffer raw = {0}, shown = {0};
    for (int i = 0; i < argc; i++) {
        if (i)
            buffer_add_char(&raw, ' ');
        add_quoted(&raw, i ? argv[i] : "forebear");
    }
    utf_add_visible(&shown, buffer_text(&raw));
    struct text line = arena_copy(arena, buffer_text(&shown));
    buffer_release(&raw);
    buffer_release(&shown);
    return line;
}

static void describe_run(struct run *run, int argc, char **argv)
{
    const struct options *o = run->options;
    struct run_facts *facts = &run->report.run;
    facts->version = text_from(versions_program());
    facts->command_line = quoted_command_line(&run->arena, argc, argv);
    facts->libraries = versions_libraries(&run->arena);
    facts->platform = versions_platform(&run->arena);
    facts->started_filetime = journal_now_filetime(&run->journal);
    facts->clock_fixed = run->journal.clock_fixed;
    facts->digest_kinds = o->digest_kinds;
    facts->rehash = o->rehash;
    facts->verify_image = o->verify_image;
    facts->findings_only = o->findings_only;
    facts->jobs = o->jobs;
    facts->schemas = o->schemas;
    facts->rules_folder = text_from(o->rules);
    facts->templates_folder = text_from(o->templates);
    facts->filter_file = text_from(o->filter);
    run->report.case_data = o->case_data;
    journal_say(&run->journal, JOURNAL_ACTION, "%s on %.*s", versions_program(),
                TEXT(facts->platform));
    for (size_t i = 0; i < facts->libraries.count; i++)
        journal_say(&run->journal, JOURNAL_ACTION, "with %.*s",
                    TEXT(facts->libraries.items[i]));
    journal_say(&run->journal, JOURNAL_ACTION, "command: %.*s",
                TEXT(facts->command_line));
}

/* Rules, filter, templates and the output folder: what can be wrong with them is said before
 * hours of reading, not after. */
static enum status prepare(struct run *run, struct error *err)
{
    const struct options *o = run->options;
    if (rules_load_extended(&run->rules, o->rules, o->shells, &run->arena, err) != OK ||
        detector_init(&run->detector, &run->rules, o->filter, &run->arena, err) != OK ||
        report_check_templates(o->templates, err) != OK ||
        output_dir_open(&run->output, o->output, o->force, err) != OK ||
        journal_open(&run->journal, &run->output, err) != OK)
        return FAILED;
    run->reader = evtx_reader_open(o->reader, o->jobs);
    run->report.run.reader = text_from(evtx_reader_name(run->reader));
    return OK;
}

static enum status discover(struct run *run, struct error *err)
{
    const struct options *o = run->options;
    struct evidence_options how = {.find_signature = o->find_signature,
                                   .verify_image = o->verify_image,
                                   .digest_kinds = o->digest_kinds};
    if (evidence_open(&run->evidence, o->evidence, o->evidence_count, &how, &run->arena,
                      &run->problems, &run->journal, err) != OK)
        return FAILED;
    run->report.evidence = &run->evidence;
    run->report.log_count = run->evidence.log_count;
    run->report.logs =
        memory_get_zeroed(run->evidence.log_count, sizeof *run->report.logs);
    tell_problems(run);
    return OK;
}

static void add_clearing(struct reading *reading, const struct log_clearing *found)
{
    struct run *run = reading->run;
    struct report *report = &run->report;
    const struct evtx_record *record = found->record;
    ARRAY_GROW(report->clearings, report->clearing_count, run->clearing_capacity);
    struct clearing_report *clearing = &report->clearings[report->clearing_count++];
    *clearing = (struct clearing_report){
        .log = reading->log->log,
        .record_id = record->system.record_id,
        .offset = record->offset,
        .created_filetime = found->created_filetime,
        .channel = arena_copy(&run->arena, found->channel),
        .user = arena_copy(&run->arena, found->user),
        .domain = arena_copy(&run->arena, found->domain),
        .user_sid = arena_copy(&run->arena, found->user_sid),
        .computer = arena_copy(&run->arena, record->system.computer),
    };
    log_clearing_add_problem(found, reading->log->log, &run->problems);
}

/* What is known of a record from itself alone. */
struct prepared {
    struct sysmon_event event;
    uint32_t fingerprint;
    bool is_sysmon, may_match;
};

enum { KINDS = 32 }; /* Sysmon has 30 event ids */

/* By a worker, chunk by chunk: all that needs no table of the run. */
static void prepare_chunk(void *context, struct evtx_record *records, size_t count,
                          struct arena *arena)
{
    const struct reading *reading = context;
    struct prepared *prepared = arena_alloc(arena, count * sizeof *prepared);
    const struct sysmon_event *like[KINDS] = {NULL}; /* the last of each event id */
    for (size_t i = 0; i < count; i++) {
        struct prepared *p = &prepared[i];
        const struct sysmon_event **other = &like[records[i].system.event_id % KINDS];
        records[i].prepared = p;
        p->is_sysmon =
            sysmon_event_like(&p->event, &records[i], reading->log->log, *other);
        if (p->is_sysmon)
            *other = &p->event;
        p->fingerprint = coverage_fingerprint(&records[i]);
        p->may_match = p->is_sysmon && p->event.event_id == SYSMON_PROCESS_CREATE &&
                       detector_wants(&reading->run->detector, &p->event);
    }
}

static enum status first_pass(void *context, const struct evtx_record *records,
                              size_t count)
{
    struct reading *reading = context;
    struct run *run = reading->run;
    for (size_t i = 0; i < count; i++) {
        struct prepared *p = records[i].prepared;
        struct sysmon_event *event = p->is_sysmon ? &p->event : NULL;
        struct log_clearing clearing;
        coverage_add_known(&reading->log->coverage, &records[i], event, p->fingerprint);
        if (event) {
            event->record = &records[i]; /* recovered ones may have moved */
            struct event_processes who =
                lineage_add(&run->lineage, event, reading->number);
            if (who.is_new_creation && p->may_match)
                detector_add_creation(&run->detector, event, who.subject);
        } else if (log_clearing_from_record(&clearing, &records[i])) {
            add_clearing(reading, &clearing);
        }
    }
    return OK;
}

/* An event of the second pass, and the processes that it speaks of. */
struct gathered {
    struct sysmon_event event;
    struct event_processes who;
    bool is_wanted; /* one of them is in the family of a finding */
};

static bool in_family(const struct run *run, uint32_t process)
{
    return process != PROCESS_NONE && detector_in_family(&run->detector, process);
}

/* By a worker: after linking, lineage and families are only read. */
static void look_for_families(void *context, struct evtx_record *records, size_t count,
                              struct arena *arena)
{
    const struct reading *reading = context;
    const struct run *run = reading->run;
    struct gathered *gathered = arena_alloc(arena, count * sizeof *gathered);
    for (size_t i = 0; i < count; i++) {
        struct gathered *g = &gathered[i];
        records[i].prepared = g;
        if (!sysmon_event_from_record(&g->event, &records[i], reading->log->log))
            continue;
        g->who = lineage_find(&run->lineage, &g->event);
        g->is_wanted = in_family(run, g->who.subject) || in_family(run, g->who.object);
    }
}

static enum status second_pass(void *context, const struct evtx_record *records,
                               size_t count)
{
    struct reading *reading = context;
    struct run *run = reading->run;
    for (size_t i = 0; i < count; i++) {
        struct gathered *g = records[i].prepared;
        if (!g->is_wanted)
            continue;
        g->event.record = &records[i];
        detector_corroborate(&run->detector, &run->lineage, &g->event, &g->who);
        if (!run->options->findings_only)
            timeline_add(&run->timeline, &run->detector, &run->lineage, &g->event,
                         &g->who);
    }
    return OK;
}

static uint64_t bytes_of_logs(const struct run *run)
{
    uint64_t total = 0;
    for (size_t i = 0; i < run->evidence.log_count; i++)
        total += run->evidence.logs[i].size;
    return total;
}

static void hash_log(struct work *work, unsigned worker)
{
    struct hashing *h = (struct hashing *)(void *)work;
    (void)worker;
    h->status = evidence_log_digest(h->log, h->kinds, NULL, &h->damage);
}

/* With one job each log is hashed here and now. */
static void start_hashing(struct run *run)
{
    size_t count = run->evidence.log_count;
    run->hashers = workers_open(run->options->jobs > 1 ? 2 : 1);
    run->hashing = memory_get_zeroed(count, sizeof *run->hashing);
    for (size_t i = 0; i < count; i++) {
        struct hashing *h = &run->hashing[i];
        *h = (struct hashing){.work.run = hash_log,
                              .log = &run->evidence.logs[i],
                              .kinds = run->options->digest_kinds};
        workers_submit(run->hashers, &h->work);
    }
}

static void say_hash(struct run *run, const struct evidence_log *log)
{
    char hex[DIGEST_HEX_MAX];
    journal_say(&run->journal, JOURNAL_ACTION,
                "hashed %.*s: %.*s: %" PRIu64 " bytes, SHA-256 %.*s",
                TEXT(log->evidence), TEXT(log->path), log->size,
                TEXT(digest_hex(hex, &log->digests, DIGEST_SHA256)));
}

/* What was wrong is told in the order of the logs. */
static void end_hashing(struct run *run)
{
    for (size_t i = 0; run->hashing && i < run->evidence.log_count; i++) {
        struct hashing *h = &run->hashing[i];
        workers_wait(run->hashers, &h->work);
        if (h->status == DAMAGED)
            problems_add_error(&run->problems, PROBLEM_LOG_UNREADABLE, &h->damage);
        if (h->status != FAILED)
            say_hash(run, h->log);
    }
    workers_close(run->hashers);
    free(run->hashing);
    run->hashing = NULL;
    run->hashers = NULL;
}

/* One pass over one log: `by_worker` for each chunk, then `sink` in the order of the file. */
static enum status read_prepared(struct reading *reading, evtx_prepare *by_worker,
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

static enum status read_log(struct run *run, uint32_t number, struct progress *progress,
                            struct error *err)
{
    struct evidence_log *log = &run->evidence.logs[number];
    struct log_report *report = &run->report.logs[number];
    struct reading reading = {run, report, number};
    report->log = log;
    coverage_init(&report->coverage, &run->arena, log);
    if (read_prepared(&reading, prepare_chunk, first_pass, &report->facts,
                      &run->problems, progress, err) != OK)
        return FAILED;
    coverage_finish(&report->coverage, &report->facts, &run->problems);
    journal_say(&run->journal, JOURNAL_ACTION,
                "read %.*s: %.*s: %" PRIu64 " records, %" PRIu64 " of them Sysmon's",
                TEXT(log->evidence), TEXT(log->path), report->facts.records,
                report->coverage.sysmon_records);
    tell_problems(run);
    return OK;
}

static enum status read_logs(struct run *run, struct error *err)
{
    struct progress progress;
    uint64_t sysmon_records = 0;
    start_hashing(run);
    progress_start(&progress, &run->journal, "reading logs", bytes_of_logs(run));
    for (uint32_t i = 0; i < run->evidence.log_count; i++) {
        if (read_log(run, i, &progress, err) != OK)
            return FAILED;
        sysmon_records += run->report.logs[i].coverage.sysmon_records;
    }
    progress_end(&progress);
    if (sysmon_records == 0)
        problems_add(&run->problems, PROBLEM_NO_SYSMON_LOG, NOWHERE,
                     "none of the %zu logs that were read holds a Sysmon record",
                     run->evidence.log_count);
    tell_problems(run);
    return OK;
}

static void link_and_judge(struct run *run)
{
    lineage_link(&run->lineage, run->evidence.logs, &run->problems);
    detector_finish(&run->detector, &run->lineage, run->evidence.logs);
    journal_say(&run->journal, JOURNAL_ACTION,
                "linked %zu processes; %" PRIu64 " process creations meet a rule",
                run->lineage.order_count, run->detector.matched_creations);
}

/* Without a finding there is no family, and nothing to gather. */
static enum status gather(struct run *run, struct error *err)
{
    if (run->detector.finding_count == 0)
        return OK;
    struct progress progress;
    journal_say(&run->journal, JOURNAL_ACTION,
                "reading the logs again for the events of the findings' families");
    progress_start(&progress, &run->journal, "gathering events", bytes_of_logs(run));
    for (uint32_t i = 0; i < run->evidence.log_count; i++) {
        struct reading reading = {run, &run->report.logs[i], i};
        struct evtx_log_facts again = {0};
        if (run->report.logs[i].coverage.sysmon_records == 0)
            continue;
        if (read_prepared(&reading, look_for_families, second_pass, &again, NULL,
                          &progress, err) != OK)
            return FAILED;
    }
    progress_end(&progress);
    return OK;
}

static void check_evidence(struct run *run)
{
    for (size_t i = 0; i < run->evidence.log_count; i++)
        evidence_log_check(&run->evidence, &run->evidence.logs[i],
                           run->options->rehash);
    journal_say(&run->journal, JOURNAL_ACTION, "compared %s of %zu logs with before",
                run->options->rehash ? "size, times and hash" : "size and times",
                run->evidence.log_count);
    tell_problems(run);
}

static void count_problems_per_log(struct run *run)
{
    for (size_t i = 0; i < run->report.log_count; i++)
        for (size_t k = 0; k < run->problems.count; k++) {
            const struct place *place = &run->problems.rows[k].place;
            if (place->log.ptr == run->report.logs[i].log->path.ptr &&
                place->evidence.ptr == run->report.logs[i].log->evidence.ptr)
                run->report.logs[i].problems++;
        }
}

static int exit_status_of(const struct run *run)
{
    if (run->options->fail_on != LEVEL_NONE &&
        detector_highest_level(&run->detector) >= run->options->fail_on)
        return EXIT_FINDING;
    return problems_have_damage(&run->problems) ? EXIT_INCOMPLETE : EXIT_DONE;
}

static enum status write_report(struct run *run, struct error *err)
{
    struct report *report = &run->report;
    timeline_finish(&run->timeline, &run->detector);
    detector_end(&run->detector);
    end_hashing(run);
    check_evidence(run);
    count_problems_per_log(run);
    report->lineage = &run->lineage;
    report->detector = &run->detector;
    report->timeline = &run->timeline;
    report->problems = &run->problems;
    report->run.exit_status = exit_status_of(run);
    report->run.ended_filetime = journal_now_filetime(&run->journal);
    enum status status = report_write_csv(report, &run->output, err);
    tell_problems(run);
    if (status == OK && !run->options->findings_only)
        status =
            report_write_html(report, &run->output, run->options->templates, err);
    if (status != OK)
        return FAILED;
    journal_say(&run->journal, JOURNAL_ACTION, "report written; exit status %d",
                report->run.exit_status);
    if (journal_close(&run->journal, err) != OK ||
        report_write_manifest(report, &run->output, err) != OK || stop_requested())
        return FAILED;
    return output_dir_publish(&run->output, err);
}

static enum status run_steps(struct run *run, struct error *err)
{
    if (prepare(run, err) != OK || discover(run, err) != OK ||
        read_logs(run, err) != OK)
        return FAILED;
    link_and_judge(run);
    if (gather(run, err) != OK)
        return FAILED;
    return write_report(run, err);
}

/* The report is whole and in its place by now; a summary that does not get out is a failure
 * all the same, since whoever reads it would not notice what is missing. */
static int show_summary(struct run *run, int status)
{
    struct buffer summary = {0};
    report_summary(&run->report, run->options->output, &summary);
    size_t written = fwrite(summary.ptr, 1, summary.len, stdout);
    bool good = written == summary.len && fflush(stdout) == 0;
    buffer_release(&summary);
    if (good)
        return status;
    journal_say(&run->journal, JOURNAL_ERROR,
                "cannot write the summary to standard output: %s; the report in %s is "
                "complete",
                strerror(errno), run->options->output);
    return EXIT_CANNOT;
}

static int give_up(struct run *run, struct error *err)
{
    if (stop_requested())
        fail(err, FAILED, NOWHERE, "stopped; nothing was kept");
    journal_say_error(&run->journal, JOURNAL_ERROR, err);
    journal_abandon(&run->journal);
    output_dir_abandon(&run->output);
    return EXIT_CANNOT;
}

static void release(struct run *run)
{
    end_hashing(run);
    for (size_t i = 0; i < run->report.log_count; i++)
        coverage_release(&run->report.logs[i].coverage);
    free(run->report.logs);
    free(run->report.clearings);
    timeline_release(&run->timeline);
    detector_release(&run->detector);
    rules_release(&run->rules);
    lineage_release(&run->lineage);
    evtx_reader_close(run->reader);
    evidence_close(&run->evidence);
    output_dir_close(&run->output);
    journal_abandon(&run->journal);
    problems_release(&run->problems);
    arena_release(&run->arena);
}

int run_report(const struct options *options, int argc, char **argv)
{
    struct run run = {.options = options, .output.fd = -1};
    struct error err = {0};
    journal_init(&run.journal, options->quiet);
    problems_init(&run.problems, &run.arena);
    lineage_init(&run.lineage);
    timeline_init(&run.timeline);
    describe_run(&run, argc, argv);
    int status =
        run_steps(&run, &err) == OK ? run.report.run.exit_status : give_up(&run, &err);
    if (status != EXIT_CANNOT)
        status = show_summary(&run, status);
    release(&run);
    return status;
}
