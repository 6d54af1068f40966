/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "confirm.h"
#include "sysmon/across.h"
#include "util/map.h"
#include "util/memory.h"
#include "util/stop.h"
#include "util/utf.h"
#include "util/workers.h"
#include "versions.h"

enum {
    /* With more jobs than this, decoding takes less time than SHA-256, which one thread has
     * to make from first to last: then it need not end with the first pass. */
    JOBS_THAT_HASH = 3
};

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
static const struct problem_cap story_caps[] = {
    {PROBLEM_EVENT_LOG_STOPPED, 500},
};
static const struct problem_cap linking_caps[] = {
    {PROBLEM_PARENT_GHOST_PRE, 500},
    {PROBLEM_PARENT_NULL,      500},
    {PROBLEM_PID_REUSE,        500},
};
#define CAPS(table) (table), sizeof(table) / sizeof *(table)

/* A record that could be read only in part, and may be Sysmon's: it is taken when all logs
 * were read once. By then a whole record of the same event was taken, if there is one, and
 * a template that is gone here is learned, if another log has it. */
struct late_record {
    uint64_t offset;
    uint32_t log;
    bool is_nameless;
};

/* Everything that lives as long as the run. */
struct run {
    const struct options *options;
    bool is_wrong_usage;
    struct hashing *hashing; /* by log */
    struct workers *hashers;
    struct arena arena;
    struct problems problems;
    struct journal journal;
    struct output_dir output;
    struct evidence evidence;
    struct selection_check check; /* of options->selection */
    struct evtx_reader *reader;
    struct verifier *verifier; /* NULL: nothing is verified */
    struct lineage lineage;
    struct rules rules;
    struct detector detector;
    struct timeline timeline;
    struct elsewhere elsewhere;
    struct confirmation verification;
    struct dispositions dispositions;
    struct report report;
    struct story story;
    struct across across;
    const struct coverage **coverages; /* by log */
    size_t clearing_capacity;
    struct map clearings;     /* by what tells one from another */
    size_t problems_told;     /* rows of problems that run.log has */
    struct map gathered;      /* events of the second pass, by their content */
    uint32_t gathered_before; /* in earlier readings of it */
    uint32_t *off_channel;    /* process creations of channels that are not asked for */
    size_t off_channel_count, off_channel_capacity;
    struct map off_channel_nodes;   /* the same, by node */
    struct sysmon_layouts *layouts; /* by worker */
    struct late_record *late;       /* by log and offset */
    size_t late_count, late_capacity;
};

/* The digest of one log: of the bytes that are read to be decoded, or, where these are not
 * simply all of its bytes, of a reading of its own beside that. Until the report is written
 * nobody needs it. */
struct hashing {
    struct work work;
    struct evidence_log *log;
    struct evtx_digest by_reader; /* kinds 0: not asked of the reader */
    unsigned kinds;
    enum status status;
    struct error damage;
    bool is_submitted; /* to the hashers */
};

/* What a sink needs to know about the log that is being read. */
struct reading {
    struct run *run;
    struct log_report *log;
    uint32_t number;
    uint64_t repeats, first_repeat_id; /* second pass: what another record has too */
    bool recovered; /* second pass: take what is not live, else what is */
    bool following; /* take what only the sources of injection brought in */
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
    facts->timeline = o->timeline;
    facts->window_100ns = o->window_100ns;
    facts->recovers = o->reader == EVTX_READER_NATIVE && !o->no_recovered;
    facts->jobs = o->jobs;
    facts->verify = o->verify;
    facts->schemas = o->schemas;
    facts->rules_folder = text_from(o->rules);
    facts->templates_folder = text_from(o->templates);
    facts->filter_file = text_from(o->filter);
    facts->shells_file = text_from(o->shells);
    facts->find_signature = o->find_signature;
    facts->fail_on = o->fail_on;
    facts->formats = o->formats;
    facts->language = text_from(o->language);
    run->report.case_data = o->case_data;
    journal_say(&run->journal, JOURNAL_ACTION, "%s on %.*s", versions_program(),
                TEXT(facts->platform));
    for (size_t i = 0; i < facts->libraries.count; i++)
        journal_say(&run->journal, JOURNAL_ACTION, "with %.*s",
                    TEXT(facts->libraries.items[i]));
    journal_say(&run->journal, JOURNAL_ACTION, "command: %.*s",
                TEXT(facts->command_line));
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

/* Files that options name. What is wrong with one of them is wrong usage, as what is wrong with
 * an option is. */
static enum status read_named_files(struct run *run, struct error *err)
{
    const struct options *o = run->options;
    if (rules_load_extended(&run->rules, o->rules, o->shells, &run->arena, err) == OK &&
        detector_init(&run->detector, &run->rules, o->filter, &run->arena, err) == OK &&
        report_check_templates(o->templates, o->language, err) == OK &&
        prepare_book(run, err) == OK)
        return OK;
    run->is_wrong_usage = true;
    return FAILED;
}

/* What can be wrong with all these, and the output folder, is said before hours of reading,
 * not after. */
static enum status prepare(struct run *run, struct error *err)
{
    const struct options *o = run->options;
    if (read_named_files(run, err) != OK ||
        output_dir_open(&run->output, o->output, o->force, err) != OK ||
        journal_open(&run->journal, &run->output, err) != OK)
        return FAILED;
    /* Both fork: before the first thread, and while this process is small. */
    if (o->verify != VERIFY_NONE)
        run->verifier = verify_open(o->jobs);
    run->reader = evtx_reader_open(o->reader, o->jobs);
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
    run->report.evidence = &run->evidence;
    run->report.log_count = run->evidence.log_count;
    run->report.logs =
        memory_get_zeroed(run->evidence.log_count, sizeof *run->report.logs);
    tell_problems(run);
    return OK;
}

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

/* ---- a report that tells a part */

static bool event_is_told(const struct selection *s, const struct sysmon_event *event)
{
    const struct evtx_system *system = &event->record->system;
    return selection_takes_id(s, event->event_id) &&
           selection_takes_time(s, sysmon_event_filetime(event)) &&
           selection_takes_name(&s->channels, system->channel) &&
           selection_takes_name(&s->computers, system->computer);
}

/* Lineage does not keep the channel of a process creation. */
static void note_channel(struct run *run, const struct sysmon_event *event,
                         uint32_t process)
{
    const struct selection_names *channels = &run->options->selection.channels;
    if (event->event_id != SYSMON_PROCESS_CREATE || process == PROCESS_NONE ||
        selection_takes_name(channels, event->record->system.channel))
        return;
    ARRAY_GROW(run->off_channel, run->off_channel_count, run->off_channel_capacity);
    run->off_channel[run->off_channel_count++] = process;
}

static bool process_is_told(const void *context, uint32_t process)
{
    const struct run *run = context;
    const struct selection *s = &run->options->selection;
    const struct process *p = lineage_process(&run->lineage, process);
    uint64_t when =
        p->start_filetime != FILETIME_NONE ? p->start_filetime : p->logged_filetime;
    return map_find(&run->off_channel_nodes, MAP_KEY_OF(&process)) == MAP_NONE &&
           selection_takes_id(s, SYSMON_PROCESS_CREATE) &&
           selection_takes_time(s, when) &&
           selection_takes_name(&s->computers, lineage_computer(&run->lineage, p));
}

static void tell_a_part(struct run *run)
{
    struct told_part *told = &run->report.told;
    struct buffer words = {0};
    if (!selection_is_set(&run->options->selection))
        return;
    selection_describe(&run->options->selection, &words);
    told->filter = arena_copy(&run->arena, buffer_text(&words));
    buffer_clear(&words);
    if (selection_check_describe(&run->check, &words)) {
        told->not_found = arena_copy(&run->arena, buffer_text(&words));
        journal_say(&run->journal, JOURNAL_NOTE, "%.*s", TEXT(told->not_found));
    }
    buffer_release(&words);
    for (size_t i = 0; i < run->off_channel_count; i++) {
        run->off_channel[i] = lineage_node(&run->lineage, run->off_channel[i]);
        map_add(&run->off_channel_nodes, MAP_KEY_OF(&run->off_channel[i]), 0);
    }
    struct detector_left_out left_out =
        detector_keep(&run->detector, process_is_told, run);
    told->findings_left_out = left_out.findings;
    told->near_misses_left_out = left_out.near_misses;
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

/* A look into the tables is mostly a cache miss, which takes as long as all else that is done
 * for a record: those of the records to come are begun in time. */
static void fetch_ahead(const struct run *run, const struct evtx_record *records,
                        size_t count, size_t i)
{
    enum { FAR = 12, NEAR = 5 };
    const struct prepared *far = i + FAR < count ? records[i + FAR].prepared : NULL;
    const struct prepared *near = i + NEAR < count ? records[i + NEAR].prepared : NULL;
    if (far && far->is_sysmon)
        lineage_fetch(&run->lineage, &far->look, false);
    if (near && near->is_sysmon)
        lineage_fetch(&run->lineage, &near->look, true);
}

static enum status first_pass(void *context, const struct evtx_record *records,
                              size_t count)
{
    struct reading *reading = context;
    for (size_t i = 0; i < count; i++) {
        fetch_ahead(reading->run, records, count, i);
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

/* An event of the second pass, and the processes that it speaks of. */
struct gathered {
    struct sysmon_event event;
    struct event_processes who;
    bool is_family;   /* one of them is in the family of a finding */
    bool is_sign;     /* it speaks for or against code in a host process */
    bool has_row;     /* neither of them is, but it has a row of the timeline, or would
                         have one if it were not filtered */
    bool is_machine;  /* neither is, but it tells of persistence on a finding's host */
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

static struct digest_values digest_of_event(const struct evtx_record *record)
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
            "%" PRIu64 " event%s of the findings' families %s in another record too, "
            "with the same content (the first is EventRecordID %" PRIu64
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

static void submit_hashing(struct run *run, struct hashing *h)
{
    h->is_submitted = true;
    workers_submit(run->hashers, &h->work);
}

/* Logs of an image are hashed here and now, before any is read: where parts of an image fail
 * its checksum, what a library tells of them depends on the order in which they are read. */
static void start_hashing(struct run *run)
{
    const struct options *o = run->options;
    size_t count = run->evidence.log_count;
    bool reader_hashes = o->reader == EVTX_READER_NATIVE && o->jobs <= JOBS_THAT_HASH;
    run->hashers = workers_open(o->jobs > 1 ? 2 : 1);
    run->hashing = memory_get_zeroed(count, sizeof *run->hashing);
    for (size_t i = 0; i < count; i++) {
        struct hashing *h = &run->hashing[i];
        *h = (struct hashing){.work.run = hash_log,
                              .log = &run->evidence.logs[i],
                              .kinds = o->digest_kinds | DIGEST_BIT(DIGEST_SHA256),
                              .status = FAILED};
        if (h->log->item->kind == EVIDENCE_IMAGE)
            hash_log(&h->work, 0);
        else if (reader_hashes && !evidence_log_is_text(h->log))
            h->by_reader.kinds = h->kinds;
        else
            submit_hashing(run, h);
    }
}

static void take_digest(struct run *run, struct hashing *h)
{
    if (h->by_reader.kinds && !h->by_reader.is_whole)
        submit_hashing(run, h);
    else if (h->by_reader.kinds) {
        h->log->digests = h->by_reader.values;
        h->status = OK;
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

/* What is missing of a log was told by the reader, if it met that. */
static void tell_not_hashed(struct run *run, const struct hashing *h,
                            const struct evtx_log_facts *facts)
{
    if (!facts->bytes_unreadable)
        problems_add_error(&run->problems, PROBLEM_LOG_UNREADABLE, &h->damage);
    problems_add(&run->problems, PROBLEM_LOG_NOT_HASHED,
                 evidence_log_place(h->log, NO_OFFSET, NO_RECORD),
                 "no hash is given of the %" PRIu64
                 " bytes that the log has: not all of them could be read",
                 h->log->size);
}

/* What was wrong is told in the order of the logs. */
static void end_hashing(struct run *run)
{
    for (size_t i = 0; run->hashing && i < run->evidence.log_count; i++) {
        struct hashing *h = &run->hashing[i];
        if (h->is_submitted)
            workers_wait(run->hashers, &h->work);
        if (h->status == DAMAGED)
            tell_not_hashed(run, h, &run->report.logs[i].facts);
        if (h->status == OK)
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
    problems_cap(problems, first, CAPS(reading_caps));
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

static enum status read_logs(struct run *run, struct error *err)
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

/* One record id of one host in several logs: is it the same record? */
static enum status compare_across(struct run *run, struct error *err)
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
    problems_cap(&run->problems, before, CAPS(story_caps));
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
    problems_cap(&run->problems, before, CAPS(linking_caps));
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

static bool audit_is_told(const struct run *run, const struct process_audit *audit)
{
    const struct selection *s = &run->options->selection;
    const struct process *p = lineage_process(&run->lineage, audit->process);
    return selection_takes_id(s, AUDIT_PROCESS_CREATED) &&
           selection_takes_time(s, audit->created_filetime) &&
           selection_takes_name(&s->channels, TEXT_LITERAL("Security")) &&
           selection_takes_name(&s->computers, lineage_computer(&run->lineage, p));
}

/* What the audit says of the families is in the tables already. */
static void gather_audits(struct run *run)
{
    const struct lineage *l = &run->lineage;
    for (size_t i = 0; i < l->audit_count && !run->options->findings_only; i++) {
        const struct process_audit *audit = &l->audits[i];
        if (!detector_in_family(&run->detector, audit->process))
            continue;
        if (audit_is_told(run, audit))
            timeline_add_audit(&run->timeline, l, audit,
                               &run->evidence.logs[audit->log]);
        else
            run->report.told.events_left_out++;
    }
}

/* Without a finding there is no family, and without an msra.exe nothing else to look at. */
static enum status gather(struct run *run, struct error *err)
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
        status = report_write_html(report, &run->output, run->options->templates, err);
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
        report_remove_stale(report, &run->output);
    return output_dir_publish(&run->output, err);
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
    return run->is_wrong_usage ? EXIT_USAGE : EXIT_CANNOT;
}

static void release(struct run *run)
{
    end_hashing(run);
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
    arena_release(&run->arena);
}

int run_report(const struct options *options, int argc, char **argv)
{
    struct run run = {.options = options, .output.fd = -1};
    struct error err = {0};
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
    return status;
}
