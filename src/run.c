/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/memory.h"
#include "util/stop.h"
#include "util/workers.h"
#include "versions.h"

/* As reading_caps: what the story of the machines and linking tell. */
static const struct problem_cap story_caps[] = {
    {PROBLEM_EVENT_LOG_STOPPED, 500},
};
static const struct problem_cap linking_caps[] = {
    {PROBLEM_PARENT_GHOST_PRE, 500},
    {PROBLEM_PARENT_NULL,      500},
    {PROBLEM_PID_REUSE,        500},
};

void tell_problems(struct run *run)
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

/* What goes onto the report beside what the evidence says. */
static enum status prepare_book(struct run *run, struct error *err)
{
    const struct options *o = run->options;
    struct case_data *c = &run->report.case_data;
    if ((o->timezone && zone_open(&run->report.run.zone, text_from(o->timezone), NULL,
                                  &run->arena, err) != OK) ||
        (o->case_file && case_file_read(c, o->case_file, &run->arena, err) != OK) ||
        case_logo_find(c, o->templates, &run->arena, err) != OK)
        return FAILED;
    if (!o->dispositions)
        return OK;
    run->report.dispositions = &run->dispositions;
    return dispositions_read(&run->dispositions, o->dispositions, &run->arena, err);
}

static void open_page(struct work *work, unsigned worker)
{
    struct opening *p = (struct opening *)(void *)work;
    (void)worker;
    p->status = report_open_page(&p->page, p->options->templates, p->options->language,
                                 &p->err);
}

/* The templates are read by another thread while rules and other files are. */
static void begin_page(struct run *run)
{
    run->opening = (struct opening){.work.run = open_page, .options = run->options};
    workers_submit(run->beside, &run->opening.work);
}

static enum status end_page(struct run *run, struct error *err)
{
    workers_wait(run->beside, &run->opening.work);
    if (run->opening.status != OK && err)
        *err = run->opening.err;
    return run->opening.status;
}

static enum status read_rules(struct run *run, struct error *err)
{
    const struct options *o = run->options;
    if (rules_load_extended(&run->rules, o->rules, o->shells, &run->arena, err) != OK)
        return FAILED;
    return detector_init(&run->detector, &run->rules, o->filter, &run->arena, err);
}

/* Files that options name. What is wrong with one of them is wrong usage, as what is wrong with
 * an option is. */
static enum status read_named_files(struct run *run, struct error *err)
{
    enum status status = read_rules(run, err);
    if (status == OK)
        status = prepare_book(run, err);
    if (status == OK)
        status = end_page(run, err);
    run->is_wrong_usage = status != OK;
    return status;
}

/* A file that is no report's may be the only copy of something. */
static enum status spare_other_files(const struct run *run, struct error *err)
{
    const char *name;
    for (size_t i = 0; !run->options->force && (name = report_file_name(i)); i++)
        if (output_dir_holds(&run->output, name)) {
            struct place place = NOWHERE;
            place.evidence = text_from(run->output.path);
            return fail(err, FAILED, place,
                        "holds a file %s already; choose another folder, or --force to "
                        "replace it",
                        name);
        }
    return OK;
}

/* Of a run that was killed, or of this one where it cannot go on. Asks for no memory. */
static void wipe_outputs(const struct output_dir *dir)
{
    const char *name;
    for (size_t i = 0; (name = report_file_name(i)); i++)
        output_dir_wipe(dir, name);
}

static void leave_nothing(void *of)
{
    const struct output_dir *dir = of;
    wipe_outputs(dir);
    if (dir->made_here)
        rmdir(dir->path);
}

/* What can be wrong with all these, and the output folder, is said before hours of reading,
 * not after. */
static enum status prepare(struct run *run, struct error *err)
{
    const struct options *o = run->options;
    /* Both fork: before the first thread, and while this process is small. */
    if (o->verify != VERIFY_NONE)
        run->verifier = verify_open(o->jobs);
    run->reader = evtx_reader_open(o->reader, o->jobs);
    run->beside = workers_open(o->jobs > 1 ? 2 : 1);
    begin_page(run);
    if (read_named_files(run, err) != OK ||
        output_dir_open(&run->output, o->output, o->force, err) != OK ||
        spare_other_files(run, err) != OK)
        return FAILED;
    wipe_outputs(&run->output);
    if (journal_open(&run->journal, &run->output, err) != OK)
        return FAILED;
    run->layouts = memory_get_zeroed((size_t)o->jobs + 1, sizeof *run->layouts);
    evtx_reader_recover(run->reader, run->report.run.recovers);
    run->report.run.reader = text_from(evtx_reader_name(run->reader));
    run->report.run.other_reader = text_from(evtx_reader_kind_name(
        o->reader == EVTX_READER_NATIVE ? EVTX_READER_LIBEVTX : EVTX_READER_NATIVE));
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
    /* only now libtsk is loaded, if an image is there */
    run->report.run.libraries = versions_libraries(&run->arena);
    run->report.evidence = &run->evidence;
    run->report.log_count = run->evidence.log_count;
    run->report.logs =
        memory_get_zeroed(run->evidence.log_count, sizeof *run->report.logs);
    tell_problems(run);
    return OK;
}

/* What the logs cover, and what they tell of the machine. */
static enum status make_story(struct run *run, struct error *err)
{
    const struct report *r = &run->report;
    const struct coverage **coverages =
        memory_get((r->log_count + 1) * sizeof *coverages);
    struct story_clearing *clearings =
        memory_get((r->clearing_count + 1) * sizeof *clearings);
    for (size_t i = 0; i < r->log_count; i++)
        coverages[i] = &r->logs[i].coverage;
    for (size_t i = 0; i < r->clearing_count; i++) {
        const struct clearing_report *c = &r->clearings[i];
        clearings[i] = (struct story_clearing){
            .log = (uint32_t)(c->log - run->evidence.logs),
            .filetime = c->created_filetime,
            .record_id = c->record_id,
            .offset = c->offset,
            .computer = c->computer,
            .channel = c->channel,
            .account =
                arena_printf(&run->arena, "%.*s\\%.*s", TEXT(c->domain), TEXT(c->user)),
            .state = c->state};
    }
    size_t before = run->problems.count;
    story_make(&run->story, coverages, r->log_count, clearings, r->clearing_count,
               &run->arena, &run->problems);
    problems_cap(&run->problems, before, PROBLEM_CAPS(story_caps));
    free(clearings);
    run->coverages = coverages;
    return compare_across(run, err);
}

static enum status link_and_judge(struct run *run, struct error *err)
{
    run->report.lineage = &run->lineage;
    run->report.detector = &run->detector;
    run->report.timeline = &run->timeline;
    for (size_t i = 0; i < run->story.count; i++) {
        const struct story_row *row = &run->story.rows[i];
        uint64_t boot = story_boot_filetime(row);
        if (boot != FILETIME_NONE)
            lineage_add_boot(&run->lineage, run->story.hosts[row->host].computer, boot,
                             row->from_filetime);
    }
    size_t before = run->problems.count;
    struct workers *workers = workers_open(run->options->jobs);
    lineage_link(&run->lineage, run->evidence.logs, &run->problems, workers);
    problems_cap(&run->problems, before, PROBLEM_CAPS(linking_caps));
    bool is_stopped = stop_requested();
    if (!is_stopped)
        detector_finish(&run->detector, &run->lineage, run->evidence.logs, workers);
    workers_close(workers);
    if (is_stopped)
        return fail(err, FAILED, NOWHERE, "stopped while linking processes");
    journal_say(&run->journal, JOURNAL_ACTION,
                "linked %zu process%s; %" PRIu64 " process creation%s a rule",
                run->lineage.order_count,
                count_word(run->lineage.order_count, "", "es"),
                run->detector.matched_creations,
                count_word(run->detector.matched_creations, " meets", "s meet"));
    return OK;
}

/* The records that the report rests on, decoded again by the other reader. */
static enum status verify(struct run *run, struct error *err)
{
    const struct options *o = run->options;
    const struct verify_counts *c = &run->verification.counts;
    struct progress progress;
    bool whole = o->verify == VERIFY_ALL;
    progress_start(&progress, &run->journal, "verifying records",
                   whole ? bytes_of_logs(run) : 0);
    enum status status = confirm_records(
        &run->verification, o->verify, &run->report, &run->lineage, &run->detector,
        &run->timeline, run->verifier, &run->arena, &run->problems, &progress, err);
    progress_end(&progress);
    verify_close(run->verifier);
    run->verifier = NULL;
    if (status == OK && o->verify != VERIFY_NONE)
        journal_say(&run->journal, JOURNAL_ACTION,
                    "verified %" PRIu64
                    " record%s with the other reader, %.*s: %" PRIu64 " equal, %" PRIu64
                    " different, %" PRIu64 " not confirmed",
                    c->records, PLURAL(c->records), TEXT(run->report.run.other_reader),
                    c->equal, c->different, c->not_confirmed);
    return status;
}

static void check_evidence(struct run *run)
{
    for (size_t i = 0; i < run->evidence.log_count; i++)
        evidence_log_check(&run->evidence, &run->evidence.logs[i],
                           run->options->rehash);
    journal_say(&run->journal, JOURNAL_ACTION, "compared %s of %zu log%s with before",
                run->options->rehash ? "size, times and hash" : "size and times",
                run->evidence.log_count, PLURAL(run->evidence.log_count));
    tell_problems(run);
}

/* The text of a log's path is the log's own: its address tells it. */
static void count_problems_per_log(struct run *run)
{
    struct report *report = &run->report;
    struct map by_path = {0};
    for (size_t i = 0; i < report->log_count; i++)
        map_add(&by_path, MAP_KEY_OF(&report->logs[i].log->path.ptr), (uint32_t)i);
    for (size_t k = 0; k < run->problems.count; k++) {
        uint32_t log =
            map_find(&by_path, MAP_KEY_OF(&run->problems.rows[k].place.log.ptr));
        if (log != MAP_NONE)
            report->logs[log].problems++;
    }
    map_release(&by_path);
}

static int exit_status_of(const struct run *run)
{
    if (run->options->fail_on != LEVEL_NONE &&
        detector_highest_level(&run->detector) >= run->options->fail_on)
        return EXIT_FINDING;
    return problems_have_damage(&run->problems) ? EXIT_INCOMPLETE : EXIT_DONE;
}

static void tell_outputs(struct run *run)
{
    for (size_t i = 0; i < run->output.count; i++) {
        char hex[DIGEST_HEX_MAX];
        const struct output_file *file = &run->output.files[i];
        journal_say(&run->journal, JOURNAL_ACTION,
                    "wrote %s: %" PRIu64 " bytes, SHA-256 %.*s", file->name, file->size,
                    TEXT(digest_hex(hex, &file->digests, DIGEST_SHA256)));
    }
}

struct forgetting {
    struct work work;
    struct lineage *lineage;
};

static void forget_processes(struct work *work, unsigned worker)
{
    struct forgetting *f = (struct forgetting *)(void *)work;
    (void)worker;
    lineage_release(f->lineage);
}

/* The disk is waited for: meanwhile memory is given back, most of which is the process
 * table's. */
static enum status publish(struct run *run, struct error *err)
{
    struct forgetting forgetting = {.work.run = forget_processes,
                                    .lineage = &run->lineage};
    report_summary(&run->report, run->options->output, &run->summary);
    workers_submit(run->beside, &forgetting.work);
    enum status status = output_dir_publish(&run->output, err);
    workers_wait(run->beside, &forgetting.work);
    return status;
}

static enum status write_report(struct run *run, struct error *err)
{
    struct report *report = &run->report;
    tell_a_part(run);
    timeline_finish(&run->timeline, &run->detector);
    elsewhere_finish(&run->elsewhere);
    end_hashing(run);
    check_evidence(run);
    count_problems_per_log(run);
    report->story = &run->story;
    report->elsewhere = run->elsewhere.state ? &run->elsewhere : NULL;
    report->verification = &run->verification;
    report->problems = &run->problems;
    report->run.exit_status = exit_status_of(run);
    report->run.ended_filetime = journal_now_filetime(&run->journal);
    dispositions_match(&run->dispositions, &run->detector, &run->problems);
    enum status status = report_write_csv(report, &run->output, err);
    tell_problems(run);
    if (status == OK && (report->run.formats & REPORT_HTML))
        status = report_write_html(report, &run->output, run->opening.page, err);
    if (status == OK && (report->run.formats & REPORT_XLSX))
        status = report_write_workbook(report, &run->output, err);
    if (status != OK)
        return FAILED;
    tell_outputs(run);
    journal_say(&run->journal, JOURNAL_ACTION, "report written; exit status %d",
                report->run.exit_status);
    if (journal_close(&run->journal, err) != OK ||
        report_write_manifest(report, &run->output, err) != OK || stop_requested())
        return FAILED;
    if (run->options->force)
        report_name_stale(report, &run->output);
    return publish(run, err);
}

static enum status run_steps(struct run *run, struct error *err)
{
    if (prepare(run, err) != OK || discover(run, err) != OK ||
        read_logs(run, err) != OK || make_story(run, err) != OK ||
        link_and_judge(run, err) != OK)
        return FAILED;
    if (gather(run, err) != OK || verify(run, err) != OK)
        return FAILED;
    return write_report(run, err);
}

/* The report is whole and in its place by now; a summary that does not get out is a failure
 * all the same, since whoever reads it would not notice what is missing. */
static int show_summary(struct run *run, int status)
{
    struct text summary = buffer_text(&run->summary);
    size_t written = fwrite(summary.ptr, 1, summary.len, stdout);
    if (written == summary.len && fflush(stdout) == 0)
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
    return run->is_wrong_usage ? EXIT_USAGE : EXIT_CANNOT;
}

static void release(struct run *run)
{
    end_page(run, NULL);
    report_close_page(run->opening.page);
    end_hashing(run);
    workers_close(run->beside);
    for (size_t i = 0; i < run->report.log_count; i++)
        coverage_release(&run->report.logs[i].coverage);
    story_release(&run->story);
    across_close(&run->across);
    free(run->coverages);
    free(run->report.logs);
    free(run->report.clearings);
    map_release(&run->clearings);
    free(run->off_channel);
    map_release(&run->off_channel_nodes);
    free(run->late);
    for (unsigned i = 0; run->layouts && i <= run->options->jobs; i++)
        sysmon_layouts_release(&run->layouts[i]);
    free(run->layouts);
    confirmation_release(&run->verification);
    elsewhere_release(&run->elsewhere);
    timeline_release(&run->timeline);
    dispositions_release(&run->dispositions);
    detector_release(&run->detector);
    rules_release(&run->rules);
    lineage_release(&run->lineage);
    selection_check_release(&run->check);
    verify_close(run->verifier);
    evtx_reader_close(run->reader);
    evidence_close(&run->evidence);
    output_dir_close(&run->output);
    journal_abandon(&run->journal);
    problems_release(&run->problems);
    map_release(&run->gathered);
    buffer_release(&run->summary);
    arena_release(&run->arena);
}

int run_report(const struct options *options, int argc, char **argv)
{
    struct run run = {.options = options, .output.fd = -1};
    struct error err = {0};
    memory_set_end(EXIT_CANNOT, leave_nothing, &run.output);
    journal_init(&run.journal, options->quiet);
    selection_check_open(&run.check, &options->selection);
    problems_init(&run.problems, &run.arena);
    lineage_init(&run.lineage);
    timeline_init(&run.timeline);
    describe_run(&run, argc, argv);
    int status = run_steps(&run, &err) == OK
                     ? show_summary(&run, run.report.run.exit_status)
                     : give_up(&run, &err);
    release(&run);
    memory_set_end(EXIT_CANNOT, NULL, NULL);
    return status;
}
