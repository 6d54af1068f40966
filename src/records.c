/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include <csv.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/json.h"
#include "util/stop.h"
#include "util/utf.h"

enum { OUTPUT_BLOCK = 1 << 20, SPAN_MIN = 1 << 13 };

struct records {
    const struct options *options;
    struct arena arena;
    struct problems problems;
    struct journal journal;
    struct evidence evidence;
    struct evtx_reader *reader;
    const struct evidence_log *log; /* being read */
    struct buffer out, cell;
    int write_error; /* errno of the first failure; EPIPE: nobody reads any more */
    uint64_t not_sysmon;
};

/* ---- output */

static enum status write_all(struct records *r, const char *at, size_t left)
{
    while (left && !r->write_error) {
        ssize_t n = write(STDOUT_FILENO, at, left);
        if (n < 0 && errno != EINTR)
            r->write_error = errno;
        if (n > 0) {
            at += n;
            left -= (size_t)n;
        }
        if (n < 0 && stop_requested())
            return FAILED;
    }
    return r->write_error ? FAILED : OK;
}

static enum status push(struct records *r)
{
    enum status status = write_all(r, r->out.ptr, r->out.len);
    buffer_clear(&r->out);
    return status;
}

static enum status push_if_full(struct records *r)
{
    return r->out.len >= OUTPUT_BLOCK ? push(r) : OK;
}

/* ---- where a record comes from */

static struct text record_digest(const struct evtx_record *record,
                                 char hex[DIGEST_HEX_MAX])
{
    struct digester digester;
    struct digest_values digests;
    if (record->header_id == NO_RECORD) /* of an export as text: no record's bytes */
        return TEXT_LITERAL("-");
    digester_init(&digester, DIGEST_BIT(DIGEST_SHA256));
    digester_add(&digester, record->raw.ptr, record->raw.len);
    digester_finish(&digester, &digests);
    return digest_hex(hex, &digests, DIGEST_SHA256);
}

static bool needs_forebear(const struct records *r, const struct evtx_record *record)
{
    return r->options->provenance || record->state != RECORD_LIVE;
}

static struct text visible(struct buffer *into, struct text t)
{
    buffer_clear(into);
    utf_add_visible(into, t);
    return buffer_text(into);
}

/* Paths are any bytes: what cannot be seen in them is escaped, as in the report. */
static void add_provenance(struct records *r, struct json *j,
                           const struct evtx_record *record)
{
    char hex[DIGEST_HEX_MAX];
    json_member_text(j, "evidence", visible(&r->cell, r->log->evidence));
    json_member_text(j, "log", visible(&r->cell, r->log->path));
    json_member_u64(j, "offset", record->offset);
    json_member_u64(j, "size", record->size);
    json_member_text(j, "record_sha256", record_digest(record, hex));
}

static void add_json_forebear(struct records *r, const struct evtx_record *record)
{
    struct json j;
    buffer_add_string(&r->out, ",\"Forebear\":");
    json_init(&j, &r->out);
    j.compact = true;
    json_open_object(&j);
    json_member_string(&j, "state", record_state_name(record->state));
    if (r->options->provenance)
        add_provenance(r, &j, record);
    if (record->state == RECORD_POSITIONAL) {
        json_name(&j, "values");
        json_open_array(&j);
        for (size_t i = 0; i < record->field_count; i++)
            json_text(&j, evtx_record_value(record, i));
        json_close_array(&j);
    }
    json_close_object(&j);
    r->out.len--; /* the new line that ends a document */
}

static void add_xml_text(struct buffer *out, struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.ptr[i];
        switch (c) {
        case '&': buffer_add_string(out, "&amp;"); break;
        case '<': buffer_add_string(out, "&lt;"); break;
        case '>': buffer_add_string(out, "&gt;"); break;
        case '\'': buffer_add_string(out, "&apos;"); break;
        default: buffer_add_char(out, (char)c);
        }
    }
}

/* What XML cannot carry is shown as the visible symbol that the report's page shows. */
static void add_xml_value(struct records *r, struct text value)
{
    buffer_clear(&r->cell);
    report_visible_text(&r->cell, value);
    add_xml_text(&r->out, buffer_text(&r->cell));
}

static void add_xml_attribute(struct records *r, const char *name, struct text value)
{
    buffer_printf(&r->out, " %s='", name);
    add_xml_text(&r->out, value);
    buffer_add_char(&r->out, '\'');
}

/* An element of a namespace of our own: the schema of events lets such stand at the end of
 * Event, and a reader of the events alone passes over it. */
static void add_xml_forebear(struct records *r, const struct evtx_record *record)
{
    char hex[DIGEST_HEX_MAX];
    bool has_values = record->state == RECORD_POSITIONAL;
    buffer_add_string(&r->out, "<Forebear xmlns='urn:forebear:record'");
    add_xml_attribute(r, "state", text_from(record_state_name(record->state)));
    if (r->options->provenance) {
        add_xml_attribute(r, "evidence", visible(&r->cell, r->log->evidence));
        add_xml_attribute(r, "log", visible(&r->cell, r->log->path));
        buffer_printf(&r->out, " offset='%" PRIu64 "' size='%" PRIu32 "'",
                      record->offset, record->size);
        add_xml_attribute(r, "record_sha256", record_digest(record, hex));
    }
    buffer_add_string(&r->out, has_values ? ">" : "/>");
    for (size_t i = 0; has_values && i < record->field_count; i++) {
        buffer_add_string(&r->out, "<Value>");
        add_xml_value(r, evtx_record_value(record, i));
        buffer_add_string(&r->out, "</Value>");
    }
    if (has_values)
        buffer_add_string(&r->out, "</Forebear>");
}

/* ---- JSON lines and XML: the workers wrote the events */

/* Events that stand behind each other go out as they are, if they are many. */
static enum status add_span(struct records *r, const char *ptr, size_t len)
{
    if (len < SPAN_MIN) {
        buffer_add(&r->out, ptr, len);
        return push_if_full(r);
    }
    if (push(r) != OK)
        return FAILED;
    return write_all(r, ptr, len);
}

static enum status event_sink(void *context, const struct evtx_record *records,
                              size_t count)
{
    struct records *r = context;
    bool is_json = r->options->format == FORMAT_JSONL;
    const char *span = "", *end = span;
    for (size_t i = 0; i < count; i++) {
        const struct evtx_record *record = &records[i];
        if (text_is_absent(record->event))
            continue;
        bool is_plain = !needs_forebear(r, record);
        if (!is_plain || record->event.ptr != end) {
            if (add_span(r, span, (size_t)(end - span)) != OK)
                return FAILED;
            span = end = record->event.ptr;
        }
        end = record->event_close.ptr + record->event_close.len + 1;
        if (is_plain)
            continue;
        buffer_add_text(&r->out, record->event);
        (is_json ? add_json_forebear : add_xml_forebear)(r, record);
        buffer_add(&r->out, record->event_close.ptr, record->event_close.len + 1);
        span = end;
    }
    return add_span(r, span, (size_t)(end - span));
}

/* ---- CSV: Sysmon's records, a column for each field that any of them can have */

static const char *const csv_system[] = {"EventID",  "Version",       "TimeCreated",
                                         "Computer", "Channel",       "EventRecordID",
                                         "UserID",   "ProviderProcessID"};
static const char *const csv_provenance[] = {"evidence", "log",   "offset",
                                             "size",     "state", "record_sha256"};

static void csv_cell(struct records *r, struct text value)
{
    bool plain = value.len > 0 && value.ptr[0] != ' ' && value.ptr[value.len - 1] != ' ';
    if (r->out.len && r->out.ptr[r->out.len - 1] != '\n')
        buffer_add_char(&r->out, ',');
    if (text_is_absent(value))
        return;
    for (size_t i = 0; i < value.len && plain; i++)
        plain = value.ptr[i] != '"' && value.ptr[i] != ',' &&
                (unsigned char)value.ptr[i] >= 0x20;
    if (plain) {
        buffer_add_text(&r->out, value);
        return;
    }
    size_t room = 2 * value.len + 2;
    char *to = buffer_reserve(&r->out, room);
    r->out.len += csv_write2(to, room, value.ptr, value.len, '"');
}

static void csv_number(struct records *r, uint64_t value, uint64_t none)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, value);
    csv_cell(r, value == none ? NO_TEXT : (struct text){digits, (size_t)n});
}

static void csv_end_row(struct records *r)
{
    buffer_add_string(&r->out, "\r\n");
}

static void csv_header(struct records *r)
{
    for (size_t i = 0; i < sizeof csv_system / sizeof *csv_system; i++)
        csv_cell(r, text_from(csv_system[i]));
    for (unsigned f = 0; f < SYSMON_FIELDS; f++)
        csv_cell(r, text_from(sysmon_field_name((enum sysmon_field)f)));
    csv_cell(r, TEXT_LITERAL("OtherFields"));
    for (size_t i = 0;
         r->options->provenance && i < sizeof csv_provenance / sizeof *csv_provenance; i++)
        csv_cell(r, text_from(csv_provenance[i]));
    if (r->options->recovered && !r->options->provenance)
        csv_cell(r, TEXT_LITERAL("state"));
    csv_end_row(r);
}

/* Fields that the table does not know, and values without a name. */
static struct text other_fields(struct records *r, const struct sysmon_event *event)
{
    buffer_clear(&r->cell);
    for (size_t i = 0; event->unknown_fields && i < event->record->field_count; i++) {
        struct text name = evtx_record_name(event->record, i);
        if (sysmon_field_find(name) == SYSMON_FIELDS)
            buffer_printf(&r->cell, "%s%.*s=%.*s", r->cell.len ? "; " : "", TEXT(name),
                          TEXT(evtx_record_value(event->record, i)));
    }
    return event->unknown_fields ? buffer_text(&r->cell) : NO_TEXT;
}

static void csv_place(struct records *r, const struct evtx_record *record)
{
    char hex[DIGEST_HEX_MAX];
    if (r->options->provenance) {
        csv_cell(r, visible(&r->cell, r->log->evidence));
        csv_cell(r, visible(&r->cell, r->log->path));
        csv_number(r, record->offset, NO_OFFSET);
        csv_number(r, record->size, NO_OFFSET);
    }
    if (r->options->provenance || r->options->recovered)
        csv_cell(r, text_from(record_state_name(record->state)));
    if (r->options->provenance)
        csv_cell(r, record_digest(record, hex));
}

static void csv_row(struct records *r, const struct sysmon_event *event)
{
    const struct evtx_record *record = event->record;
    const struct evtx_system *s = &record->system;
    char time[FILETIME_TEXT_MAX];
    csv_number(r, s->event_id, NO_RECORD);
    csv_number(r, s->version, NO_RECORD);
    csv_cell(r, s->time_created_filetime == FILETIME_NONE
                    ? NO_TEXT
                    : filetime_format(time, s->time_created_filetime, FILETIME_CSV));
    csv_cell(r, s->computer);
    csv_cell(r, s->channel);
    csv_number(r, s->record_id, NO_RECORD);
    csv_cell(r, s->user_sid);
    csv_number(r, s->process_id, NO_RECORD);
    for (unsigned f = 0; f < SYSMON_FIELDS; f++)
        csv_cell(r, sysmon_value(event, (enum sysmon_field)f));
    csv_cell(r, other_fields(r, event));
    csv_place(r, record);
    csv_end_row(r);
}

/* ---- which records */

static bool is_wanted(const void *context, const struct evtx_record *record)
{
    const struct options *o = context;
    const struct selection *s = &o->selection;
    bool is_live = record->state == RECORD_LIVE || record->state == RECORD_DELETED_FILE;
    return (is_live || o->recovered) &&
           selection_takes_id(s, record->system.event_id) &&
           selection_takes_time(s, record->system.time_created_filetime) &&
           selection_takes_name(&s->channels, record->system.channel) &&
           selection_takes_name(&s->computers, record->system.computer);
}

static enum status csv_sink(void *context, const struct evtx_record *records,
                            size_t count)
{
    struct records *r = context;
    for (size_t i = 0; i < count; i++) {
        struct sysmon_event event;
        if (!is_wanted(r->options, &records[i]))
            continue;
        if (!sysmon_event_from_record(&event, &records[i], r->log)) {
            r->not_sysmon++;
            continue;
        }
        csv_row(r, &event);
    }
    return push_if_full(r);
}

/* ---- the run */

static void begin_output(struct records *r)
{
    if (r->options->format == FORMAT_CSV)
        csv_header(r);
    else if (r->options->format == FORMAT_XML)
        buffer_add_string(&r->out,
                          "<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n"
                          "<Events>\n");
}

static enum status end_output(struct records *r)
{
    if (r->options->format == FORMAT_XML)
        buffer_add_string(&r->out, "</Events>\n");
    return push(r);
}

/* Templates of one log name the fields of another's recovered records. */
static enum status learn(struct records *r, struct error *err)
{
    if (!r->options->recovered || r->evidence.log_count < 2)
        return OK;
    for (size_t i = 0; i < r->evidence.log_count; i++)
        if (evtx_reader_learn(r->reader, &r->evidence.logs[i], err) != OK)
            return FAILED;
    return OK;
}

static enum status read_logs(struct records *r, struct error *err)
{
    evtx_sink *sink = r->options->format == FORMAT_CSV ? csv_sink : event_sink;
    if (learn(r, err) != OK)
        return FAILED;
    for (size_t i = 0; i < r->evidence.log_count; i++) {
        struct evtx_log_facts facts;
        r->log = &r->evidence.logs[i];
        if (evtx_read(r->reader, r->log, sink, r, &facts, &r->problems, NULL, err) != OK)
            return FAILED;
        evidence_log_check(&r->evidence, &r->evidence.logs[i], false);
    }
    return OK;
}

static enum status open_all(struct records *r, struct error *err)
{
    const struct options *o = r->options;
    struct evidence_options how = {.find_signature = o->find_signature,
                                   .digest_kinds = DIGEST_BIT(DIGEST_SHA256)};
    if (evidence_open(&r->evidence, o->evidence, o->evidence_count, &how, &r->arena,
                      &r->problems, &r->journal, err) != OK)
        return FAILED;
    r->reader = evtx_reader_open(o->reader, o->jobs);
    evtx_reader_recover(r->reader, o->recovered);
    if (o->format != FORMAT_CSV)
        evtx_reader_write_events(
            r->reader, o->format == FORMAT_XML ? EVTX_XML : EVTX_JSON, is_wanted, o);
    return OK;
}

/* Each damage by itself; of what is only odd, how often it was met. */
static void say_problems(struct records *r)
{
    for (size_t i = 0; i < r->problems.count; i++) {
        const struct problem *p = &r->problems.rows[i];
        struct error err = {.place = p->place};
        if (problem_kinds[p->code].class != DAMAGE)
            continue;
        error_set(&err, DAMAGED, p->place, NULL, "%s: %.*s", problem_kinds[p->code].code,
                  TEXT(p->message));
        journal_say_error(&r->journal, JOURNAL_WARNING, &err);
    }
    for (int code = 0; code < PROBLEM_CODES; code++)
        if (problem_kinds[code].class != DAMAGE && r->problems.per_code[code])
            journal_say(&r->journal, JOURNAL_NOTE, "%zu x %s: %s",
                        r->problems.per_code[code], problem_kinds[code].code,
                        problem_kinds[code].sentence);
}

static int give_up(struct records *r, struct error *err)
{
    if (r->write_error == EPIPE)
        return EXIT_DONE;
    if (stop_requested())
        fail(err, FAILED, NOWHERE, "stopped");
    if (r->write_error)
        fail(err, FAILED, NOWHERE, "cannot write to standard output: %s",
             strerror(r->write_error));
    journal_say_error(&r->journal, JOURNAL_ERROR, err);
    return EXIT_CANNOT;
}

static int finish(struct records *r)
{
    say_problems(r);
    if (r->not_sysmon)
        journal_say(&r->journal, JOURNAL_NOTE,
                    "%" PRIu64 " records of other channels have no columns in CSV and "
                    "were left out",
                    r->not_sysmon);
    if (r->evidence.log_count == 0)
        journal_say(&r->journal, JOURNAL_WARNING, "no event log was found");
    return r->evidence.log_count == 0 || problems_have_damage(&r->problems)
               ? EXIT_INCOMPLETE
               : EXIT_DONE;
}

int run_records(const struct options *options)
{
    struct records r = {.options = options};
    struct error err = {0};
    journal_init(&r.journal, options->quiet);
    problems_init(&r.problems, &r.arena);
    begin_output(&r);
    enum status status = open_all(&r, &err);
    if (status == OK)
        status = read_logs(&r, &err);
    if (status == OK)
        status = end_output(&r);
    int exit_status = status == OK ? finish(&r) : give_up(&r, &err);
    evtx_reader_close(r.reader);
    evidence_close(&r.evidence);
    problems_release(&r.problems);
    journal_abandon(&r.journal);
    buffer_release(&r.out);
    buffer_release(&r.cell);
    arena_release(&r.arena);
    return exit_status;
}
