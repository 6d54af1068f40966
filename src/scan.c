/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "emit.h"
#include "util/json.h"
#include "util/memory.h"
#include "util/progress.h"

/* What a glance says of a record that need not be decoded. */
enum passed_over { NEEDED, OTHER_CHANNEL, OTHER_EVENT, CREATION_WITHOUT_HIT };

/* A record without names, for want of its template: another log may have it. */
struct nameless {
    uint64_t offset;
    size_t log;
};

struct scan {
    const struct options *options;
    struct emitter emitter;
    struct rules rules;
    struct detector detector;
    struct triage *triage;
    struct sysmon_layouts layouts;
    const struct rule **met; /* of one event; room for all rules */
    bool is_wrong_usage;
    uint64_t records, sysmon, creations, recovered, hits;
    uint64_t left_out; /* hits that the filters by time and name take away */
    enum rule_level highest;
    struct nameless *nameless; /* by log and offset */
    size_t nameless_count, nameless_capacity;
    size_t log_number;         /* of the log that is being read, and ... */
    struct text evidence, log; /* ... what it is called, as it is shown */
};

/* ---- a hit as a row: one table for both formats; the names are those of findings.csv */

enum column {
    RULE_SOURCE,
    RULE_ID,
    TITLE,
    LEVEL,
    ALERT_LEVEL,
    COMPUTER,
    UTC_TIME,
    IMAGE,
    COMMAND_LINE,
    PARENT_IMAGE,
    PARENT_COMMAND_LINE,
    PROCESS_GUID,
    RECORD_ID,
    EVIDENCE,
    LOG,
    OFFSET,
    STATE,
    COLUMNS
};

static const struct {
    const char *name;
    bool is_number;
} columns[] = {
    [RULE_SOURCE] = {"rule_source",         false},
    [RULE_ID] = {"rule_id",             false},
    [TITLE] = {"title",               false},
    [LEVEL] = {"level",               false},
    [ALERT_LEVEL] = {"alert_level",         false},
    [COMPUTER] = {"computer",            false},
    [UTC_TIME] = {"utc_time",            false},
    [IMAGE] = {"image",               false},
    [COMMAND_LINE] = {"command_line",        false},
    [PARENT_IMAGE] = {"parent_image",        false},
    [PARENT_COMMAND_LINE] = {"parent_command_line", false},
    [PROCESS_GUID] = {"process_guid",        false},
    [RECORD_ID] = {"event_record_id",     true },
    [EVIDENCE] = {"evidence",            false},
    [LOG] = {"log",                 false},
    [OFFSET] = {"offset",              true },
    [STATE] = {"state",               false},
};

static struct text number_text(struct arena *arena, uint64_t number, uint64_t none)
{
    return number == none ? NO_TEXT : arena_printf(arena, "%" PRIu64, number);
}

static struct text time_text(struct arena *arena, uint64_t filetime)
{
    char time[FILETIME_TEXT_MAX];
    return filetime == FILETIME_NONE
               ? NO_TEXT
               : arena_copy(arena, filetime_format(time, filetime, FILETIME_CSV));
}

static void fill_event(struct scan *s, const struct sysmon_event *event,
                       struct text values[COLUMNS])
{
    const struct evtx_record *record = event->record;
    static const struct {
        enum column column;
        enum sysmon_field field;
    } fields[] = {
        {IMAGE,               SYSMON_Image            },
        {COMMAND_LINE,        SYSMON_CommandLine      },
        {PARENT_IMAGE,        SYSMON_ParentImage      },
        {PARENT_COMMAND_LINE, SYSMON_ParentCommandLine},
        {PROCESS_GUID,        SYSMON_ProcessGuid      },
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        values[fields[i].column] = sysmon_value(event, fields[i].field);
    values[COMPUTER] = record->system.computer;
    values[UTC_TIME] = time_text(record->arena, event->utc_filetime);
    values[RECORD_ID] = number_text(record->arena, record->system.record_id, NO_RECORD);
    values[EVIDENCE] = s->evidence;
    values[LOG] = s->log;
    values[OFFSET] = number_text(record->arena, record->offset, NO_OFFSET);
    values[STATE] = text_from(record_state_name(record->state));
}

/* Absent where the authors state none. */
static struct text level_text(enum rule_level level)
{
    return level == LEVEL_NONE ? NO_TEXT : text_from(rule_level_name(level));
}

static void fill_rule(const struct rule *rule, struct text values[COLUMNS])
{
    values[RULE_SOURCE] = rule->source;
    values[RULE_ID] = rule->id;
    values[TITLE] = rule->title;
    values[LEVEL] = level_text(rule->level);
    values[ALERT_LEVEL] = level_text(rule->alert_level);
}

static void write_csv(struct emitter *e, const struct text values[COLUMNS])
{
    for (unsigned i = 0; i < COLUMNS; i++)
        emit_csv_cell(e, values[i]);
    emit_csv_end_row(e);
}

static void write_json(struct emitter *e, const struct text values[COLUMNS])
{
    struct json j;
    json_init(&j, &e->out);
    j.compact = true;
    json_open_object(&j);
    for (unsigned i = 0; i < COLUMNS; i++) {
        uint64_t number;
        if (columns[i].is_number && text_to_u64(values[i], &number))
            json_member_u64(&j, columns[i].name, number);
        else
            json_member_text(&j, columns[i].name, values[i]);
    }
    json_close_object(&j);
}

static void write_header(struct scan *s)
{
    struct text values[COLUMNS];
    for (unsigned i = 0; i < COLUMNS; i++)
        values[i] = text_from(columns[i].name);
    if (s->options->format == FORMAT_CSV)
        write_csv(&s->emitter, values);
}

static bool is_told(const struct selection *s, const struct sysmon_event *event)
{
    const struct evtx_system *system = &event->record->system;
    return selection_takes_time(s, sysmon_event_filetime(event)) &&
           selection_takes_name(&s->channels, system->channel) &&
           selection_takes_name(&s->computers, system->computer);
}

static void judge(struct scan *s, const struct sysmon_event *event)
{
    struct text values[COLUMNS];
    size_t count = detector_hits(&s->detector, event, s->met);
    if (count == 0)
        return;
    if (!is_told(&s->options->selection, event)) {
        s->left_out += count;
        return;
    }
    fill_event(s, event, values);
    for (size_t i = 0; i < count; i++) {
        const struct rule *rule = s->met[i];
        fill_rule(rule, values);
        (s->options->format == FORMAT_CSV ? write_csv : write_json)(&s->emitter,
                                                                    values);
        if (rule->alert_level > s->highest)
            s->highest = rule->alert_level;
    }
    s->hits += count;
}

/* ---- records */

static bool is_process_creation(const struct sysmon_event *event)
{
    return event->event_id == SYSMON_PROCESS_CREATE;
}

/* What is left of a torn record must tell which process it speaks of, as in a report. */
static bool names_a_process(const struct sysmon_event *event)
{
    struct guid unused;
    return event->record->state != RECORD_TORN ||
           sysmon_guid(event, SYSMON_ProcessGuid, &unused);
}

static unsigned glance(void *context, unsigned worker, struct evtx_glance *g)
{
    struct scan *s = context;
    uint16_t event_id = evtx_glance_event_id(g);
    if (selection_is_set(&s->options->selection))
        selection_check_note(&s->emitter.check, event_id, evtx_glance_channel(g),
                             evtx_glance_computer(g), FILETIME_NONE);
    if (!sysmon_is_source(evtx_glance_provider(g), evtx_glance_channel(g)))
        return OTHER_CHANNEL;
    if (event_id != SYSMON_PROCESS_CREATE) {
        evtx_glance_layout(g); /* damage inside it is to be told all the same */
        return OTHER_EVENT;
    }
    return triage_rules_out(s->triage, worker, g) ? CREATION_WITHOUT_HIT : NEEDED;
}

static void count(struct scan *s, const struct evtx_record *record,
                  const struct sysmon_event *event_or_null)
{
    if (!record_state_is_live(record->state)) {
        s->recovered += event_or_null && is_process_creation(event_or_null);
        return;
    }
    s->sysmon += event_or_null != NULL;
    s->creations += event_or_null && is_process_creation(event_or_null);
}

static void note_found(struct scan *s, const struct evtx_record *record,
                       const struct sysmon_event *event_or_null)
{
    selection_check_note(&s->emitter.check, record->system.event_id,
                         record->system.channel, record->system.computer,
                         event_or_null ? sysmon_event_filetime(event_or_null)
                                       : record->system.time_created_filetime);
}

static void take(struct scan *s, const struct evtx_record *record)
{
    struct sysmon_event event;
    bool is_sysmon = sysmon_event_read(&s->layouts, &event, record, s->emitter.log);
    count(s, record, is_sysmon ? &event : NULL);
    if (selection_is_set(&s->options->selection))
        note_found(s, record, is_sysmon ? &event : NULL);
    if (is_sysmon && is_process_creation(&event) && names_a_process(&event))
        judge(s, &event);
}

/* A hit leaves at once: whoever reads need not wait for the end of the evidence. */
static enum status first_pass(void *context, const struct evtx_record *records,
                              size_t count)
{
    struct scan *s = context;
    for (size_t i = 0; i < count; i++) {
        if (records[i].state == RECORD_POSITIONAL &&
            sysmon_may_be(&records[i].system)) {
            ARRAY_GROW(s->nameless, s->nameless_count, s->nameless_capacity);
            s->nameless[s->nameless_count++] =
                (struct nameless){records[i].offset, s->log_number};
        }
        take(s, &records[i]);
    }
    return emit_push(&s->emitter);
}

/* ---- records whose template was gone, once the templates of all logs are known */

static int by_log_and_offset(const void *a, const void *b)
{
    const struct nameless *x = a, *y = b;
    if (x->log != y->log)
        return x->log < y->log ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static enum status nameless_pass(void *context, const struct evtx_record *records,
                                 size_t count)
{
    struct scan *s = context;
    for (size_t i = 0; i < count; i++) {
        struct nameless wanted = {records[i].offset, s->log_number};
        if (!bsearch(&wanted, s->nameless, s->nameless_count, sizeof wanted,
                     by_log_and_offset))
            continue;
        s->records += record_state_is_live(records[i].state);
        take(s, &records[i]);
    }
    return emit_push(&s->emitter);
}

/* ---- the run */

static enum status scan_log(struct scan *s, size_t number, evtx_sink *sink,
                            struct problems *problems, struct progress *progress,
                            struct error *err)
{
    struct evtx_log_facts facts;
    struct emitter *e = &s->emitter;
    e->log = &e->evidence.logs[number];
    s->log_number = number;
    s->evidence = arena_copy(&e->arena, emit_visible(e, e->log->evidence));
    s->log = arena_copy(&e->arena, emit_visible(e, e->log->path));
    if (evtx_read(e->reader, e->log, sink, s, &facts, problems, progress, err) != OK)
        return FAILED;
    if (!problems) /* a second reading */
        return OK;
    s->records += facts.records;
    s->creations += facts.passed_over[CREATION_WITHOUT_HIT];
    s->sysmon +=
        facts.passed_over[CREATION_WITHOUT_HIT] + facts.passed_over[OTHER_EVENT];
    evidence_log_check(&e->evidence, &e->evidence.logs[number], false);
    return OK;
}

static enum status scan_nameless(struct scan *s, struct error *err)
{
    struct emitter *e = &s->emitter;
    if (s->nameless_count == 0 || e->evidence.log_count < 2)
        return OK;
    for (size_t i = 0; i < e->evidence.log_count; i++)
        if (evtx_reader_learn(e->reader, &e->evidence.logs[i], err) != OK)
            return FAILED;
    qsort(s->nameless, s->nameless_count, sizeof *s->nameless, by_log_and_offset);
    for (size_t i = 0; i < s->nameless_count; i++) {
        bool is_first = i == 0 || s->nameless[i - 1].log != s->nameless[i].log;
        if (is_first &&
            scan_log(s, s->nameless[i].log, nameless_pass, NULL, NULL, err) != OK)
            return FAILED;
    }
    return OK;
}

static enum status scan_logs(struct scan *s, struct error *err)
{
    struct emitter *e = &s->emitter;
    struct progress progress;
    uint64_t bytes = 0;
    for (size_t i = 0; i < e->evidence.log_count; i++)
        bytes += e->evidence.logs[i].size;
    progress_start(&progress, &e->journal, "scanning logs", bytes);
    if (isatty(STDOUT_FILENO)) /* the rows would stand between it */
        progress.visible = false;
    for (size_t i = 0; i < e->evidence.log_count; i++)
        if (scan_log(s, i, first_pass, &e->problems, &progress, err) != OK)
            return FAILED;
    progress_end(&progress);
    if (scan_nameless(s, err) != OK)
        return FAILED;
    if (s->sysmon == 0)
        problems_add(&e->problems, PROBLEM_NO_SYSMON_LOG, NOWHERE,
                     "of %zu log%s that %s read, none holds a live Sysmon record",
                     e->evidence.log_count, PLURAL(e->evidence.log_count),
                     count_word(e->evidence.log_count, "was", "were"));
    return OK;
}

static enum status prepare(struct scan *s, struct error *err)
{
    const struct options *o = s->options;
    struct emitter *e = &s->emitter;
    s->is_wrong_usage =
        rules_load_extended(&s->rules, o->rules, o->shells, &e->arena, err) != OK ||
        detector_init(&s->detector, &s->rules, o->filter, &e->arena, err) != OK;
    if (s->is_wrong_usage || emit_open(e, o, err) != OK)
        return FAILED;
    s->met = arena_alloc(&e->arena, (s->rules.count + 1) * sizeof *s->met);
    s->triage = triage_open(&s->rules, o->jobs + 1);
    evtx_reader_recover(e->reader, !o->no_recovered);
    evtx_reader_glance(e->reader, glance, s);
    e->check.is_answered = true; /* a glance tells no time */
    write_header(s);
    return emit_push(e);
}

static int finish(struct scan *s)
{
    struct emitter *e = &s->emitter;
    char left_out[64] = "";
    emit_problems(e);
    if (s->left_out)
        snprintf(left_out, sizeof left_out, " (%" PRIu64 " more not asked for)",
                 s->left_out);
    journal_say(&e->journal, JOURNAL_NOTE,
                "scanned %zu log%s: %" PRIu64 " record%s, %" PRIu64
                " of them Sysmon's, %" PRIu64 " process creation%s (and %" PRIu64
                " recovered), %" PRIu64 " hit%s%s, %zu problem%s",
                e->evidence.log_count, PLURAL(e->evidence.log_count), s->records,
                PLURAL(s->records), s->sysmon, s->creations, PLURAL(s->creations),
                s->recovered, s->hits, PLURAL(s->hits), left_out, e->problems.count,
                PLURAL(e->problems.count));
    if (s->detector.filtered)
        journal_say(&e->journal, JOURNAL_NOTE,
                    "%" PRIu64 " hit%s taken away by the filter", s->detector.filtered,
                    count_word(s->detector.filtered, " was", "s were"));
    emit_not_found(e);
    int status = emit_finish(e);
    bool alarms =
        s->options->fail_on != LEVEL_NONE && s->highest >= s->options->fail_on;
    return alarms ? EXIT_FINDING : status;
}

int run_scan(const struct options *options)
{
    struct scan s = {.options = options};
    struct error err = {0};
    emit_init(&s.emitter, options);
    enum status status = prepare(&s, &err);
    if (status == OK)
        status = scan_logs(&s, &err);
    int exit_status = status == OK ? finish(&s) : emit_give_up(&s.emitter, &err);
    if (s.is_wrong_usage)
        exit_status = EXIT_USAGE;
    triage_close(s.triage);
    detector_release(&s.detector);
    rules_release(&s.rules);
    sysmon_layouts_release(&s.layouts);
    free(s.nameless);
    emit_release(&s.emitter);
    return exit_status;
}
