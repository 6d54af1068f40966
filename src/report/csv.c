/* SPDX-License-Identifier: Apache-2.0
 * csv.c - the CSV files of a report. doc/outputs.md says what each column holds; the list
 * of names and the function that writes a row stand together and count alike. */
#include "report/report_internal.h"

#include <inttypes.h>

#include "util/map.h"
#include "util/stop.h"

static void put_list(struct table *t, struct buffer *b, const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        buffer_add_string(b, i ? "; " : "");
        buffer_add_text(b, list->items[i]);
    }
    table_buffer(t, b);
}

static void put_process(struct table *t, const struct lineage *l, uint32_t process)
{
    char guid[GUID_TEXT_MAX];
    table_text(t, lineage_key(l, process, guid));
}

static void put_pid(struct table *t, uint32_t pid)
{
    table_number_unless(t, pid, PID_UNKNOWN);
}

/* --- findings.csv */

static const char *const finding_columns[] = {
    "finding", "rule_id", "rule_source", "title", "level", "risk_score", "computer",
    "utc_time", "logged_time", "process_guid", "process_id", "image", "command_line",
    "user", "parent_process_guid", "parent_process_id", "parent_image",
    "parent_command_line", "ancestors", "lineage_grade", "matched", "evidence", "log",
    "event_record_id", "offset", "state",
    /* what follows may grow */
    "process", "host_process", "code", "message", "corroboration", "techniques",
    "tactics", "rule_sha256", "alert_level", "original_file_name", "current_directory",
    "integrity_level", "hashes", "parent_user", "logon_guid", "logon_id", "session_id",
    "verified", "record_sha256", "disposition", "disposition_initials",
    "disposition_date", "disposition_reason"};

static void put_disposition(struct table *t, const struct disposition *d)
{
    table_string(t, d ? disposition_name(d->kind) : NULL);
    table_text(t, d ? d->initials : NO_TEXT);
    table_text(t, d ? d->date : NO_TEXT);
    table_text(t, d ? d->reason : NO_TEXT);
}

static void put_verified(struct table *t, struct buffer *b, const struct report *r,
                         const struct evidence_log *log, uint64_t offset)
{
    name_verified(b, r, log, offset);
    table_buffer(t, b);
}

/* What events 8, 10 and 25 on the host process speak for injection, by strength. */
static void put_corroboration(struct table *t, struct buffer *b,
                              const struct detector *d, uint32_t host)
{
    size_t count[STRENGTH_STRONG + 1] = {0};
    struct corroboration_range range = corroborations_of(d, host);
    for (size_t i = 0; i < range.count; i++)
        count[range.first[i].strength]++;
    for (int s = STRENGTH_STRONG; s >= STRENGTH_NEUTRAL; s--)
        if (count[s])
            buffer_printf(b, "%s%s %zu", b->len ? "; " : "",
                          strength_name((enum strength)s), count[s]);
    table_buffer(t, b);
}

static void put_creation(struct table *t, const struct report *r, uint32_t process)
{
    const struct lineage *l = r->lineage;
    const struct process *p = lineage_process(l, process);
    table_text(t, lineage_computer(l, p));
    table_time(t, p->start_filetime);
    table_time(t, p->logged_filetime);
    table_guid(t, &p->guid);
    put_pid(t, p->pid);
    table_text(t, lineage_text(l, p->image));
    table_text(t, lineage_text(l, p->command_line));
    table_text(t, lineage_text(l, p->user));
}

static void put_recorded_parent(struct table *t, const struct report *r,
                                const struct process *p)
{
    char guid[GUID_TEXT_MAX];
    table_text(t, lineage_parent_guid(r->lineage, p, guid));
    put_pid(t, p->parent_pid);
    table_text(t, lineage_text(r->lineage, p->parent_image));
    table_text(t, lineage_text(r->lineage, p->parent_command_line));
}

static void put_creation_details(struct table *t, const struct report *r,
                                 const struct process *p)
{
    const struct lineage *l = r->lineage;
    table_text(t, lineage_text(l, p->original_file_name));
    table_text(t, lineage_text(l, p->current_directory));
    table_text(t, lineage_text(l, p->integrity_level));
    table_text(t, lineage_text(l, p->hashes));
    table_text(t, lineage_text(l, p->parent_user));
    table_guid(t, &p->logon_guid);
    table_number_unless(t, p->logon_id, 0);
    table_number_unless(t, p->session_id, UINT32_MAX);
}

static const struct evidence_log *log_of_process(const struct report *r,
                                                 const struct process *p)
{
    return p->log < r->evidence->log_count ? &r->evidence->logs[p->log] : NULL;
}

static void put_finding(struct table *t, struct buffer *b, const struct report *r,
                        const struct finding *f)
{
    const struct process *p = lineage_process(r->lineage, f->process);
    const struct rule *rule = f->rule;
    table_text(t, f->id);
    table_text(t, rule->id);
    table_text(t, rule->source);
    table_text(t, rule->title);
    table_string(t, rule_level_name(rule->level));
    table_number_unless(t, rule->has_risk ? rule->risk_score : UINT64_MAX, UINT64_MAX);
    put_creation(t, r, f->process);
    put_recorded_parent(t, r, p);
    name_ancestors(b, r->lineage, f->process);
    table_buffer(t, b);
    table_string(t, link_grade_name((enum link_grade)p->grade));
    name_reasons(b, f->reasons, f->reason_count);
    table_buffer(t, b);
    table_place(t, process_place(r, f->process));
    table_string(t, record_state_name((enum record_state)p->state));
    put_process(t, r->lineage, f->process);
    put_process(t, r->lineage, f->host_process);
    table_text(t, f->code);
    table_text(t, f->message);
    put_corroboration(t, b, r->detector, f->host_process);
    put_list(t, b, &rule->techniques);
    put_list(t, b, &rule->tactics);
    table_digest(t, &rule->digests, DIGEST_SHA256);
    table_string(t, rule_level_name(rule->alert_level));
    put_creation_details(t, r, p);
    put_verified(t, b, r, p->log == UINT32_MAX ? NULL : &r->evidence->logs[p->log],
                 p->offset);
    table_record_digest(t, log_of_process(r, p), p->offset);
    put_disposition(t, disposition_of(r->dispositions, f->id));
    table_end_row(t);
}

static void put_findings(struct table *t, struct buffer *b, const struct report *r)
{
    for (size_t i = 0; i < r->detector->finding_count && !stop_requested(); i++)
        put_finding(t, b, r, &r->detector->findings[i]);
}

/* --- near_misses.csv */

static const char *const near_miss_columns[] = {"rule_id",
                                                "rule_source",
                                                "title",
                                                "computer",
                                                "utc_time",
                                                "logged_time",
                                                "process_guid",
                                                "process_id",
                                                "image",
                                                "command_line",
                                                "user",
                                                "parent_process_guid",
                                                "parent_process_id",
                                                "parent_image",
                                                "parent_command_line",
                                                "why",
                                                "conditions",
                                                "evidence",
                                                "log",
                                                "event_record_id",
                                                "offset",
                                                "state",
                                                "process",
                                                "findings"};

static void put_near_misses(struct table *t, struct buffer *b, const struct report *r)
{
    for (size_t i = 0; i < r->detector->near_miss_count && !stop_requested(); i++) {
        const struct near_miss *miss = &r->detector->near_misses[i];
        const struct process *p = lineage_process(r->lineage, miss->process);
        table_text(t, miss->rule ? miss->rule->id : NO_TEXT);
        table_text(t, miss->rule ? miss->rule->source : NO_TEXT);
        table_text(t, miss->rule ? miss->rule->title : NO_TEXT);
        put_creation(t, r, miss->process);
        put_recorded_parent(t, r, p);
        table_text(t, miss->why);
        name_reasons(b, miss->reasons, miss->reason_count);
        table_buffer(t, b);
        table_place(t, process_place(r, miss->process));
        table_string(t, record_state_name((enum record_state)p->state));
        put_process(t, r->lineage, miss->process);
        table_number(t, detector_findings_of(r->detector, miss->process));
        table_end_row(t);
    }
}

/* --- processes.csv */

static const char *const process_columns[] = {
    "process", "computer", "process_guid", "process_id", "image", "command_line",
    "user", "start_utc", "end_utc", "kind", "parent", "candidate_parent", "grade",
    "grade_reason", "depth", "root", "ancestors", "children", "descendants", "findings",
    "evidence", "log", "event_record_id", "offset", "state",
    /* what follows may grow */
    "logged_time", "last_seen_utc", "end_event_record_id", "recorded_parent_guid",
    "recorded_parent_id", "recorded_parent_image", "recorded_parent_command_line",
    "original_file_name", "current_directory", "integrity_level", "hashes",
    "parent_user", "logon_guid", "logon_id", "session_id"};

static void put_link(struct table *t, struct buffer *b, const struct report *r,
                     uint32_t number)
{
    const struct lineage *l = r->lineage;
    const struct process *p = lineage_process(l, number);
    table_string(t, process_kind_name((enum process_kind)p->kind));
    uint32_t parent = lineage_parent(l, number);
    put_process(t, l, parent == PROCESS_NONE ? p->unknown_parent : parent);
    put_process(t, l, p->candidate);
    table_string(t, link_grade_name((enum link_grade)p->grade));
    table_text(t, lineage_text(l, p->grade_reason));
    table_number(t, p->depth);
    put_process(t, l, p->root);
    name_ancestors(b, l, number);
    table_buffer(t, b);
    table_number(t, p->children);
    table_number(t, p->descendants);
    table_number(t, detector_findings_of(r->detector, number));
}

static size_t process_count(const struct report *r)
{
    return r->lineage->order_count;
}

static void put_process_row(struct table *t, struct buffer *b, const struct report *r,
                            size_t row)
{
    const struct lineage *l = r->lineage;
    uint32_t number = l->order[row];
    const struct process *p = lineage_process(l, number);
    struct place place = process_place(r, number);
    bool has_record = !text_is_absent(place.log);
    put_process(t, l, number);
    table_text(t, lineage_computer(l, p));
    table_guid(t, &p->guid);
    put_pid(t, p->pid);
    table_text(t, lineage_text(l, p->image));
    table_text(t, lineage_text(l, p->command_line));
    table_text(t, lineage_text(l, p->user));
    table_time(t, p->start_filetime);
    table_time(t, p->end_filetime);
    put_link(t, b, r, number);
    table_place(t, place);
    table_string(t, has_record ? record_state_name((enum record_state)p->state) : NULL);
    table_time(t, has_record ? p->logged_filetime : FILETIME_NONE);
    table_time(t, p->last_seen_filetime);
    table_number_unless(t, p->end_record_id, NO_RECORD);
    put_recorded_parent(t, r, p);
    put_creation_details(t, r, p);
    table_end_row(t);
}

/* --- timeline.csv */

static const char *const timeline_columns[] = {
    "datetime", "timestamp_desc", "message", "computer", "event_id", "process",
    "process_guid", "process_id", "image", "finding", "evidence", "log",
    "event_record_id", "offset", "state",
    /* what follows may grow */
    "logged_time", "target_process", "target_process_guid", "target_process_id",
    "target_image", "verified", "record_sha256"};

static void put_timeline_process(struct table *t, const struct report *r,
                                 const struct timeline_process *p)
{
    put_process(t, r->lineage, p->process);
    table_guid(t, &p->guid);
    put_pid(t, p->pid);
    table_text(t, p->image);
}

/* All findings that the record met; they stand together. */
static void put_findings_of_event(struct table *t, struct buffer *b,
                                  const struct detector *d,
                                  const struct timeline_event *e)
{
    for (size_t i = e->finding;
         i < d->finding_count && d->findings[i].process == e->subject.process; i++) {
        buffer_add_string(b, i == e->finding ? "" : " ");
        buffer_add_text(b, d->findings[i].id);
    }
    table_buffer(t, b);
}

static size_t timeline_count(const struct report *r)
{
    return r->timeline->count;
}

static void put_timeline_row(struct table *t, struct buffer *b, const struct report *r,
                             size_t row)
{
    const struct timeline_event *e = &r->timeline->events[row];
    table_time(t, e->utc_filetime);
    table_string(t, timeline_happened(e->event_id));
    table_text(t, e->message);
    table_text(t, e->computer);
    table_number(t, e->event_id);
    put_timeline_process(t, r, &e->subject);
    put_findings_of_event(t, b, r->detector, e);
    table_place(t, evidence_log_place(e->log, e->offset, e->record_id));
    table_string(t, record_state_name((enum record_state)e->state));
    table_time(t, e->created_filetime);
    put_timeline_process(t, r, &e->object);
    put_verified(t, b, r, e->log, e->offset);
    table_record_digest(t, e->log, e->offset);
    table_end_row(t);
}

/* --- evidence.csv */

static const char *const evidence_columns[] = {
    "evidence", "log", "size", "sha256", "chunks", "chunks_damaged", "records",
    "records_recovered", "records_damaged", "sysmon_records", "first_utc", "last_utc",
    "first_record_id", "last_record_id", "missing_record_ids", "origin", "problems",
    /* what follows may grow */
    "origin_basis", "sha1", "md5", "sha256_after", "unchanged", "format", "volume",
    "volume_offset", "file_system", "mft_entry", "mft_sequence", "allocation",
    "si_created", "si_modified", "si_changed", "si_accessed", "fn_created",
    "fn_modified", "fn_changed", "fn_accessed", "log_dirty", "process_creations",
    "event_ids_seen", "event_ids_absent", "sysmon_version", "schema_version",
    "schema_at_least", "computers", "recovered_states", "recovered_copies",
    "sysmon_recovered", "process_creations_recovered"};

static void put_file_times(struct table *t, const struct file_times *times)
{
    table_time(t, times->created);
    table_time(t, times->modified);
    table_time(t, times->changed);
    table_time(t, times->accessed);
}

static const char *allocation_of(const struct evidence_log *log)
{
    if (!log->is_deleted)
        return "allocated";
    return log->may_be_overwritten ? "deleted, clusters in use again" : "deleted";
}

static void put_identity(struct table *t, struct buffer *b,
                         const struct evidence_log *log)
{
    const struct evidence_volume *volume = log->volume;
    table_digest(t, &log->digests, DIGEST_SHA1);
    table_digest(t, &log->digests, DIGEST_MD5);
    table_digest(t, &log->digests_after, DIGEST_SHA256);
    table_bool(t, log->unchanged);
    table_text(t, log->item->format);
    if (volume)
        buffer_printf(b, "%u", volume->number);
    table_buffer(t, b);
    table_number_unless(t, volume ? log->volume_offset : UINT64_MAX, UINT64_MAX);
    table_text(t, volume ? volume->file_system : NO_TEXT);
    table_number_unless(t, volume ? log->metadata_address : UINT64_MAX, UINT64_MAX);
    table_number_unless(t, volume ? log->sequence : UINT64_MAX, UINT64_MAX);
    table_string(t, allocation_of(log));
    put_file_times(t, &log->standard);
    put_file_times(t, &log->name);
}

/* Sysmon's event ids with a record in the log, or without one. */
static void put_event_ids(struct table *t, struct buffer *b, const struct coverage *c,
                          bool seen)
{
    for (unsigned id = 1; id < 256; id++) {
        bool known = sysmon_event_category((uint16_t)id) != NULL;
        if ((c->per_event_id[id] > 0) != seen || (!seen && !known))
            continue;
        buffer_printf(b, "%s%u", b->len ? " " : "", id);
        if (seen)
            buffer_printf(b, ":%" PRIu64, c->per_event_id[id]);
    }
    table_buffer(t, b);
}

static void put_computers(struct table *t, struct buffer *b, const struct coverage *c)
{
    struct map seen = {0};
    for (size_t i = 0; i < c->series_count; i++) {
        struct text computer = c->series[i].computer;
        uint32_t number = (uint32_t)i;
        if (map_add(&seen, map_key_text(computer), number) != number)
            continue;
        buffer_add_string(b, b->len ? "; " : "");
        buffer_add_text(b, computer);
    }
    map_release(&seen);
    table_buffer(t, b);
}

static void put_coverage(struct table *t, struct buffer *b, const struct coverage *c)
{
    table_number(t, c->process_creations);
    put_event_ids(t, b, c, true);
    put_event_ids(t, b, c, false);
    table_text(t, c->sysmon_version);
    table_text(t, c->schema_version);
    table_text(t, coverage_schema_floor(c));
    put_computers(t, b, c);
}

static void put_recovered(struct table *t, struct buffer *b,
                          const struct log_report *row)
{
    name_recovered(b, &row->recovered);
    table_buffer(t, b);
    table_number(t, row->facts.records_recovered_twice);
    table_number(t, row->recovered.sysmon);
    table_number(t, row->recovered.creations);
}

static void put_log(struct table *t, struct buffer *b, const struct log_report *row)
{
    const struct evidence_log *log = row->log;
    const struct coverage *c = &row->coverage;
    bool has_ids = c->records > 0;
    table_path(t, log->evidence);
    table_path(t, log->path);
    table_number(t, log->size);
    table_digest(t, &log->digests, DIGEST_SHA256);
    table_number(t, row->facts.chunks);
    table_number(t, row->facts.chunks_damaged);
    table_number(t, row->facts.records);
    table_number(t, row->facts.records_recovered);
    table_number(t, row->facts.records_damaged);
    table_number(t, c->sysmon_records);
    table_time(t, c->first_utc_filetime);
    table_time(t, c->last_utc_filetime);
    table_number_unless(t, has_ids ? c->first_record_id : NO_RECORD, NO_RECORD);
    table_number_unless(t, has_ids ? c->last_record_id : NO_RECORD, NO_RECORD);
    table_number_unless(t, has_ids ? c->missing_record_ids : NO_RECORD, NO_RECORD);
    table_string(t, log_origin_name(c->origin));
    table_number(t, row->problems);
    table_text(t, c->origin_basis);
    put_identity(t, b, log);
    table_bool(t, row->facts.is_dirty);
    put_coverage(t, b, c);
    put_recovered(t, b, row);
    table_end_row(t);
}

static void put_evidence(struct table *t, struct buffer *b, const struct report *r)
{
    for (size_t i = 0; i < r->log_count && !stop_requested(); i++)
        put_log(t, b, &r->logs[i]);
}

/* --- problems.csv */

static const char *const problem_columns[] = {"code",    "severity",     "evidence",
                                              "log",     "offset",       "record_id",
                                              "message", "record_sha256"};

/* The log of a problem that cites a record. */
static const struct evidence_log *log_of_problem(const struct report *r,
                                                 const struct place *place)
{
    for (size_t i = 0; place->record_id != NO_RECORD && i < r->log_count; i++) {
        const struct evidence_log *log = r->logs[i].log;
        if (log && place->log.ptr == log->path.ptr &&
            place->evidence.ptr == log->evidence.ptr)
            return log;
    }
    return NULL;
}

static void put_problems(struct table *t, struct buffer *b, const struct report *r)
{
    (void)b;
    for (size_t i = 0; i < r->problems->count && !stop_requested(); i++) {
        const struct problem *p = &r->problems->rows[i];
        table_string(t, problem_kinds[p->code].code);
        table_string(t, problem_severity_name(p->severity));
        table_path(t, p->place.evidence);
        table_path(t, p->place.log);
        table_number_unless(t, p->place.offset, NO_OFFSET);
        table_number_unless(t, p->place.record_id, NO_RECORD);
        table_text(t, p->message);
        table_record_digest(t, log_of_problem(r, &p->place), p->place.offset);
        table_end_row(t);
    }
}

/* problems.csv is the last of them and still has to tell of its own formula cells. */
static void count_problem_formulas(const struct report *r)
{
    uint64_t count = 0;
    for (size_t i = 0; i < r->problems->count; i++) {
        const struct problem *p = &r->problems->rows[i];
        count += table_is_formula(p->place.evidence) + table_is_formula(p->place.log) +
                 table_is_formula(p->message);
    }
    if (count)
        problems_add(r->problems, PROBLEM_CSV_FORMULA, NOWHERE,
                     "problems.csv: %" PRIu64
                     " cell%s begin%s with = + - @, a tab or a carriage return; a "
                     "spreadsheet may run such a cell as a formula, which the workbook of "
                     "--format=xlsx keeps as text",
                     count, PLURAL(count), count == 1 ? "s" : "");
}

static const struct csv_file csv_files[] = {
    {"findings.csv",              COLUMNS(finding_columns),   .put_rows = put_findings   },
    {"near_misses.csv",           COLUMNS(near_miss_columns), .put_rows = put_near_misses},
    {"processes.csv",             COLUMNS(process_columns),   .is_detail = true,
     .row_count = process_count, .put_row = put_process_row},
    {"timeline.csv", COLUMNS(timeline_columns),                           .is_detail = true,
     .row_count = timeline_count, .put_row = put_timeline_row},
    {"evidence.csv",          COLUMNS(evidence_columns),                             .put_rows = put_evidence                            },
};

static const struct csv_file problems_file = {"problems.csv", COLUMNS(problem_columns),
                                              .put_rows = put_problems};

const struct csv_file *report_table(const struct report *report, size_t index)
{
    const struct csv_file *schema;
    for (size_t i = 0; i < sizeof csv_files / sizeof *csv_files; i++)
        if ((!csv_files[i].is_detail || !report->run.findings_only) && index-- == 0)
            return &csv_files[i];
    size_t schemas = 0;
    for (; (schema = schema_table(report, schemas)) != NULL; schemas++)
        if (index-- == 0)
            return schema;
    return index == 0 ? &problems_file : NULL;
}

enum status report_write_csv(const struct report *report, struct output_dir *dir,
                             struct error *err)
{
    const struct csv_file *file;
    for (size_t i = 0; (file = report_table(report, i)) != &problems_file; i++)
        if (csv_file_write(file, report, dir, report->problems, err) != OK)
            return FAILED;
    if (report->run.formats & REPORT_HTML)
        page_add_problems(report);
    count_problem_formulas(report);
    return csv_file_write(&problems_file, report, dir, NULL, err);
}
