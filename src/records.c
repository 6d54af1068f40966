/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "emit.h"
#include "util/json.h"

struct records {
    const struct options *options;
    struct emitter emitter;
    uint64_t not_sysmon;
};

/* ---- where a record comes from */

static struct text record_digest(const struct evtx_record *record,
                                 char hex[DIGEST_HEX_MAX])
{
    struct digester digester;
    struct digest_values digests;
    /* Of an export as text there are no record's bytes; some may not be readable. */
    if (record->header_id == NO_RECORD || record->has_unread_bytes)
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

static void add_provenance(struct records *r, struct json *j,
                           const struct evtx_record *record)
{
    char hex[DIGEST_HEX_MAX];
    json_member_text(j, "evidence",
                     emit_visible(&r->emitter, r->emitter.log->evidence));
    json_member_text(j, "log", emit_visible(&r->emitter, r->emitter.log->path));
    json_member_u64(j, "offset", record->offset);
    json_member_u64(j, "size", record->size);
    json_member_text(j, "record_sha256", record_digest(record, hex));
}

static void add_json_forebear(struct records *r, const struct evtx_record *record)
{
    struct json j;
    buffer_add_string(&r->emitter.out, ",\"Forebear\":");
    json_init(&j, &r->emitter.out);
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
    r->emitter.out.len--; /* the new line that ends a document */
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
    buffer_clear(&r->emitter.cell);
    report_visible_text(&r->emitter.cell, value);
    add_xml_text(&r->emitter.out, buffer_text(&r->emitter.cell));
}

static void add_xml_attribute(struct records *r, const char *name, struct text value)
{
    buffer_printf(&r->emitter.out, " %s='", name);
    add_xml_text(&r->emitter.out, value);
    buffer_add_char(&r->emitter.out, '\'');
}

/* An element of a namespace of our own: the schema of events lets such stand at the end of
 * Event, and a reader of the events alone passes over it. */
static void add_xml_forebear(struct records *r, const struct evtx_record *record)
{
    char hex[DIGEST_HEX_MAX];
    bool has_values = record->state == RECORD_POSITIONAL;
    buffer_add_string(&r->emitter.out, "<Forebear xmlns='urn:forebear:record'");
    add_xml_attribute(r, "state", text_from(record_state_name(record->state)));
    if (r->options->provenance) {
        add_xml_attribute(r, "evidence",
                          emit_visible(&r->emitter, r->emitter.log->evidence));
        add_xml_attribute(r, "log", emit_visible(&r->emitter, r->emitter.log->path));
        buffer_printf(&r->emitter.out, " offset='%" PRIu64 "' size='%" PRIu32 "'",
                      record->offset, record->size);
        add_xml_attribute(r, "record_sha256", record_digest(record, hex));
    }
    buffer_add_string(&r->emitter.out, has_values ? ">" : "/>");
    for (size_t i = 0; has_values && i < record->field_count; i++) {
        buffer_add_string(&r->emitter.out, "<Value>");
        add_xml_value(r, evtx_record_value(record, i));
        buffer_add_string(&r->emitter.out, "</Value>");
    }
    if (has_values)
        buffer_add_string(&r->emitter.out, "</Forebear>");
}

/* ---- which records */

static void note_found(struct records *r, const struct evtx_record *records,
                       size_t count)
{
    for (size_t i = 0; i < count && selection_is_set(&r->options->selection); i++) {
        const struct evtx_system *s = &records[i].system;
        selection_check_note(&r->emitter.check, s->event_id, s->channel, s->computer,
                             s->time_created_filetime);
    }
}

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

/* ---- JSON lines and XML: the workers wrote the events */

static enum status event_sink(void *context, const struct evtx_record *records,
                              size_t count)
{
    struct records *r = context;
    note_found(r, records, count);
    bool is_json = r->options->format == FORMAT_JSONL;
    const char *span = "", *end = span; /* events that stand behind each other */
    for (size_t i = 0; i < count; i++) {
        const struct evtx_record *record = &records[i];
        if (text_is_absent(record->event))
            continue;
        bool is_plain = !needs_forebear(r, record);
        if (!is_plain || record->event.ptr != end) {
            if (emit_span(&r->emitter, span, (size_t)(end - span)) != OK)
                return FAILED;
            span = end = record->event.ptr;
        }
        end = record->event_close.ptr + record->event_close.len + 1;
        if (is_plain)
            continue;
        buffer_add_text(&r->emitter.out, record->event);
        (is_json ? add_json_forebear : add_xml_forebear)(r, record);
        buffer_add(&r->emitter.out, record->event_close.ptr,
                   record->event_close.len + 1);
        span = end;
    }
    return emit_span(&r->emitter, span, (size_t)(end - span));
}

/* ---- CSV: Sysmon's records, a column for each field that any of them can have */

static const char *const csv_system[] = {
    "EventID", "Version",       "TimeCreated", "Computer",
    "Channel", "EventRecordID", "UserID",      "ProviderProcessID"};
static const char *const csv_provenance[] = {"evidence", "log",   "offset",
                                             "size",     "state", "record_sha256"};

static void csv_header(struct records *r)
{
    for (size_t i = 0; i < sizeof csv_system / sizeof *csv_system; i++)
        emit_csv_cell(&r->emitter, text_from(csv_system[i]));
    for (unsigned f = 0; f < SYSMON_FIELDS; f++)
        emit_csv_cell(&r->emitter, text_from(sysmon_field_name((enum sysmon_field)f)));
    emit_csv_cell(&r->emitter, TEXT_LITERAL("OtherFields"));
    for (size_t i = 0;
         r->options->provenance && i < sizeof csv_provenance / sizeof *csv_provenance;
         i++)
        emit_csv_cell(&r->emitter, text_from(csv_provenance[i]));
    if (r->options->recovered && !r->options->provenance)
        emit_csv_cell(&r->emitter, TEXT_LITERAL("state"));
    emit_csv_end_row(&r->emitter);
}

static bool has_column(const struct sysmon_event *event, size_t i)
{
    return i < UINT8_MAX && memchr(event->slot, (int)i + 1, sizeof event->slot);
}

static size_t columns_filled(const struct sysmon_event *event)
{
    size_t count = 0;
    for (unsigned f = 0; f < SYSMON_FIELDS; f++)
        count += event->slot[f] != 0;
    return count;
}

/* Fields that the table does not know, values without a name, and further values of a name
 * that has one already. */
static struct text other_fields(struct records *r, const struct sysmon_event *event)
{
    size_t count = event->record->field_count;
    if (count == columns_filled(event))
        return NO_TEXT;
    buffer_clear(&r->emitter.cell);
    for (size_t i = 0; i < count; i++)
        if (!has_column(event, i))
            buffer_printf(&r->emitter.cell, "%s%.*s=%.*s",
                          r->emitter.cell.len ? "; " : "",
                          TEXT(evtx_record_name(event->record, i)),
                          TEXT(evtx_record_value(event->record, i)));
    return buffer_text(&r->emitter.cell);
}

static void csv_place(struct records *r, const struct evtx_record *record)
{
    char hex[DIGEST_HEX_MAX];
    if (r->options->provenance) {
        emit_csv_cell(&r->emitter, emit_visible(&r->emitter, r->emitter.log->evidence));
        emit_csv_cell(&r->emitter, emit_visible(&r->emitter, r->emitter.log->path));
        emit_csv_number(&r->emitter, record->offset, NO_OFFSET);
        emit_csv_number(&r->emitter, record->size, NO_OFFSET);
    }
    if (r->options->provenance || r->options->recovered)
        emit_csv_cell(&r->emitter, text_from(record_state_name(record->state)));
    if (r->options->provenance)
        emit_csv_cell(&r->emitter, record_digest(record, hex));
}

static void csv_row(struct records *r, const struct sysmon_event *event)
{
    const struct evtx_record *record = event->record;
    const struct evtx_system *s = &record->system;
    emit_csv_number(&r->emitter, s->event_id, NO_RECORD);
    emit_csv_number(&r->emitter, s->version, NO_RECORD);
    emit_csv_time(&r->emitter, s->time_created_filetime);
    emit_csv_cell(&r->emitter, s->computer);
    emit_csv_cell(&r->emitter, s->channel);
    emit_csv_number(&r->emitter, s->record_id, NO_RECORD);
    emit_csv_cell(&r->emitter, s->user_sid);
    emit_csv_number(&r->emitter, s->process_id, NO_RECORD);
    for (unsigned f = 0; f < SYSMON_FIELDS; f++)
        emit_csv_cell(&r->emitter, sysmon_value(event, (enum sysmon_field)f));
    emit_csv_cell(&r->emitter, other_fields(r, event));
    csv_place(r, record);
    emit_csv_end_row(&r->emitter);
}

static enum status csv_sink(void *context, const struct evtx_record *records,
                            size_t count)
{
    struct records *r = context;
    note_found(r, records, count);
    for (size_t i = 0; i < count; i++) {
        struct sysmon_event event;
        if (!is_wanted(r->options, &records[i]))
            continue;
        if (!sysmon_event_from_record(&event, &records[i], r->emitter.log)) {
            r->not_sysmon++;
            continue;
        }
        csv_row(r, &event);
    }
    return emit_push_if_full(&r->emitter);
}

/* ---- the run */

static void begin_output(struct records *r)
{
    if (r->options->format == FORMAT_CSV)
        csv_header(r);
    else if (r->options->format == FORMAT_XML)
        buffer_add_string(&r->emitter.out,
                          "<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n"
                          "<Events>\n");
}

static enum status end_output(struct records *r)
{
    if (r->options->format == FORMAT_XML)
        buffer_add_string(&r->emitter.out, "</Events>\n");
    return emit_push(&r->emitter);
}

/* Templates of one log name the fields of another's recovered records. */
static enum status learn(struct records *r, struct error *err)
{
    if (!r->options->recovered || r->emitter.evidence.log_count < 2)
        return OK;
    for (size_t i = 0; i < r->emitter.evidence.log_count; i++)
        if (evtx_reader_learn(r->emitter.reader, &r->emitter.evidence.logs[i], err) !=
            OK)
            return FAILED;
    return OK;
}

static enum status read_logs(struct records *r, struct error *err)
{
    evtx_sink *sink = r->options->format == FORMAT_CSV ? csv_sink : event_sink;
    if (learn(r, err) != OK)
        return FAILED;
    for (size_t i = 0; i < r->emitter.evidence.log_count; i++) {
        struct evtx_log_facts facts;
        r->emitter.log = &r->emitter.evidence.logs[i];
        if (evtx_read(r->emitter.reader, r->emitter.log, sink, r, &facts,
                      &r->emitter.problems, NULL, err) != OK)
            return FAILED;
        evidence_log_check(&r->emitter.evidence, &r->emitter.evidence.logs[i], false);
    }
    return OK;
}

static enum status open_all(struct records *r, struct error *err)
{
    const struct options *o = r->options;
    if (emit_open(&r->emitter, o, err) != OK)
        return FAILED;
    evtx_reader_recover(r->emitter.reader, o->recovered);
    if (o->format != FORMAT_CSV)
        evtx_reader_write_events(r->emitter.reader,
                                 o->format == FORMAT_XML ? EVTX_XML : EVTX_JSON,
                                 is_wanted, o);
    return OK;
}

static int finish(struct records *r)
{
    const struct options *o = r->options;
    emit_problems(&r->emitter);
    emit_not_found(&r->emitter);
    if (!o->recovered && o->reader == EVTX_READER_NATIVE &&
        r->emitter.problems.per_code[PROBLEM_RECORDS_NOT_READ])
        journal_say(&r->emitter.journal, JOURNAL_NOTE,
                    "--recovered writes records that were not read, too, each with its "
                    "state");
    if (r->not_sysmon)
        journal_say(&r->emitter.journal, JOURNAL_NOTE,
                    "%" PRIu64 " record%s of other channels %s no columns in CSV and "
                    "%s left out",
                    r->not_sysmon, PLURAL(r->not_sysmon),
                    count_word(r->not_sysmon, "has", "have"),
                    count_word(r->not_sysmon, "was", "were"));
    return emit_finish(&r->emitter);
}

int run_records(const struct options *options)
{
    struct records r = {.options = options};
    struct error err = {0};
    emit_init(&r.emitter, options);
    begin_output(&r);
    enum status status = open_all(&r, &err);
    if (status == OK)
        status = read_logs(&r, &err);
    if (status == OK)
        status = end_output(&r);
    int exit_status = status == OK ? finish(&r) : emit_give_up(&r.emitter, &err);
    emit_release(&r.emitter);
    return exit_status;
}
