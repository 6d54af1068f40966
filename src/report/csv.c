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
    "verified", "record_sha256", "recorded_by", "also_at", "disposition",
    "disposition_initials", "disposition_date", "disposition_reason"};

static void put_disposition(struct table *t, const struct disposition *d)
{
    table_string(t, d ? disposition_name(d->kind) : NULL);
    table_text(t, d ? d->initials : NO_TEXT);
    table_text(t, d ? d->date : NO_TEXT);
    table_text(t, d ? d->reason : NO_TEXT);
}

static void put_creation(struct table *t, const struct report *r, uint32_t process)
{
    const struct lineage *l = r->lineage;
    const struct process *p = lineage_process(l, process);
    table_kept(t, l, l->hosts[p->scope].computer);
    table_time(t, p->start_filetime);
    table_time(t, p->logged_filetime);
    table_guid(t, &p->guid);
    table_pid(t, p->pid);
    table_kept(t, l, p->image);
    table_kept(t, l, p->command_line);
    table_kept(t, l, p->user);
}

static void put_recorded_parent(struct table *t, const struct report *r,
                                const struct process *p)
{
    char guid[GUID_TEXT_MAX];
    table_plain(t, lineage_parent_guid(r->lineage, p, guid));
    table_pid(t, p->parent_pid);
    table_kept(t, r->lineage, p->parent_image);
    table_kept(t, r->lineage, p->parent_command_line);
}

static void put_creation_details(struct table *t, const struct report *r,
                                 const struct process *p)
{
    const struct lineage *l = r->lineage;
    table_kept(t, l, p->original_file_name);
    table_kept(t, l, p->current_directory);
    table_kept(t, l, p->integrity_level);
    table_kept(t, l, p->hashes);
    table_kept(t, l, p->parent_user);
    table_guid(t, &p->logon_guid);
    table_number_unless(t, p->logon_id, 0);
    table_number_unless(t, p->session_id, UINT32_MAX);
}

static const struct evidence_log *log_of_process(const struct report *r,
                                                 const struct process *p)
{
    return p->log < r->evidence->log_count ? &r->evidence->logs[p->log] : NULL;
}

/* Which source logged the creation. */
static const char *recorded_by(const struct lineage *l, uint32_t number)
{
    const struct process *p = lineage_process(l, number);
    if (p->kind == PROCESS_AUDITED)
        return "Security 4688";
    if (p->kind != PROCESS_LOGGED)
        return NULL;
    return lineage_audit(l, number) ? "Sysmon 1 + Security 4688" : "Sysmon 1";
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
    table_word(t, rule_level_name(rule->level));
    table_number_unless(t, rule->has_risk ? rule->risk_score : UINT64_MAX, UINT64_MAX);
    put_creation(t, r, f->process);
    put_recorded_parent(t, r, p);
    table_ancestors(t, b, r->lineage, f->process);
    table_word(t, link_grade_name((enum link_grade)p->grade));
    name_reasons(b, f->reasons, f->reason_count);
    table_buffer(t, b);
    table_place(t, process_place(r, f->process));
    table_word(t, record_state_name((enum record_state)p->state));
    table_process(t, r->lineage, f->process);
    table_process(t, r->lineage, f->host_process);
    table_text(t, f->code);
    table_text(t, f->message);
    table_text(t, detector_codes_of(r->detector, f->host_process));
    put_list(t, b, &rule->techniques);
    put_list(t, b, &rule->tactics);
    table_digest(t, &rule->digests, DIGEST_SHA256);
    table_word(t, rule_level_name(rule->alert_level));
    put_creation_details(t, r, p);
    table_verified(t, b, r, log_of_process(r, p), p->offset);
    table_record_digest(t, log_of_process(r, p), p->offset);
    table_word(t, recorded_by(r->lineage, f->process));
    table_also_at(t, b, r, &r->lineage->also, lineage_node(r->lineage, f->process));
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
                                                "findings",
                                                /* what follows may grow */
                                                "recorded_by"};

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
        table_word(t, record_state_name((enum record_state)p->state));
        table_process(t, r->lineage, miss->process);
        table_number(t, detector_findings_of(r->detector, miss->process));
        table_word(t, recorded_by(r->lineage, miss->process));
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
    "parent_user", "logon_guid", "logon_id", "session_id", "role", "recorded_by",
    "audit_log", "audit_record_id", "audit_offset", "token_elevation",
    "mandatory_label", "also_at", "end_recorded_by", "end_log"};

static void put_audit(struct table *t, const struct report *r, uint32_t number)
{
    const struct process_audit *a = lineage_audit(r->lineage, number);
    table_word(t, recorded_by(r->lineage, number));
    table_path(t, a ? r->evidence->logs[a->log].path : NO_TEXT);
    table_number_unless(t, a ? a->record_id : NO_RECORD, NO_RECORD);
    table_number_unless(t, a ? a->offset : NO_OFFSET, NO_OFFSET);
    table_text(t, a ? lineage_text(r->lineage, a->elevation) : NO_TEXT);
    table_text(t, a ? lineage_text(r->lineage, a->label) : NO_TEXT);
}

static void put_link(struct table *t, struct buffer *b, const struct report *r,
                     uint32_t number)
{
    const struct lineage *l = r->lineage;
    const struct process *p = lineage_process(l, number);
    table_word(t, process_kind_name((enum process_kind)p->kind));
    uint32_t parent = lineage_parent(l, number);
    table_process(t, l, parent == PROCESS_NONE ? p->unknown_parent : parent);
    table_process(t, l, p->candidate);
    table_word(t, link_grade_name((enum link_grade)p->grade));
    table_kept(t, l, p->grade_reason);
    table_number(t, p->depth);
    table_process(t, l, p->root);
    table_ancestors(t, b, l, number);
    table_number(t, p->children);
    table_number(t, p->descendants);
    table_number(t, detector_findings_of(r->detector, number));
}

/* Its log only where it is not the one that the row names. */
static void put_end(struct table *t, const struct report *r, const struct process *p)
{
    const char *source = p->end_is_audited ? "Security 4689 by process id"
                         : p->flags & PROCESS_END_INFERRED ? "Sysmon 5 by process id"
                                                           : "Sysmon 5";
    table_word(t, p->end_filetime != FILETIME_NONE ? source : NULL);
    bool is_told = p->end_log != p->log && p->end_log < r->evidence->log_count;
    table_path(t, is_told ? r->evidence->logs[p->end_log].path : NO_TEXT);
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
    table_process(t, l, number);
    table_kept(t, l, l->hosts[p->scope].computer);
    table_guid(t, &p->guid);
    table_pid(t, p->pid);
    table_kept(t, l, p->image);
    table_kept(t, l, p->command_line);
    table_kept(t, l, p->user);
    table_time(t, p->start_filetime);
    table_time(t, p->end_filetime);
    put_link(t, b, r, number);
    table_place(t, place);
    table_word(t, has_record ? record_state_name((enum record_state)p->state) : NULL);
    table_time(t, has_record ? p->logged_filetime : FILETIME_NONE);
    table_time(t, p->last_seen_filetime);
    table_number_unless(t, p->end_record_id, NO_RECORD);
    put_recorded_parent(t, r, p);
    put_creation_details(t, r, p);
    table_roles(t, b, r, number);
    put_audit(t, r, number);
    table_also_at(t, b, r, &l->also, number);
    put_end(t, r, p);
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
    "sysmon_recovered", "process_creations_recovered", "log_format", "first_logged",
    "last_logged", "configuration_hash", "stretches", "hidden_records"};

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
    put_event_ids(t, b, c->per_event_id, true);
    put_event_ids(t, b, c->per_event_id, false);
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

/* When Sysmon's records of this log were written, and in how many stretches. */
static void put_tracks(struct table *t, struct buffer *b, const struct coverage *c)
{
    uint64_t first = FILETIME_NONE, last = FILETIME_NONE, stretches = 0;
    for (size_t i = 0; i < c->tracks.count; i++) {
        const struct track *track = &c->tracks.items[i];
        for (size_t k = 0; track->is_sysmons && k < track->count; k++) {
            const struct stretch *s = &track->stretches[k];
            if (first == FILETIME_NONE || s->first.filetime < first)
                first = s->first.filetime;
            if (last == FILETIME_NONE || s->last.filetime > last)
                last = s->last.filetime;
            stretches++;
        }
        if (!text_is_absent(track->configuration_hash)) {
            buffer_add_string(b, b->len ? "; " : "");
            buffer_add_text(b, track->configuration_hash);
        }
    }
    table_time(t, first);
    table_time(t, last);
    table_buffer(t, b);
    table_number(t, stretches);
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
    table_string(t, log_format_name(&log->format));
    put_tracks(t, b, c);
    table_number(t, row->facts.records_hidden);
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

static size_t problem_count(const struct report *r)
{
    return r->problems->count;
}

static void put_problem_row(struct table *t, struct buffer *b, const struct report *r,
                            size_t row)
{
    const struct problem *p = &r->problems->rows[row];
    (void)b;
    table_word(t, problem_kinds[p->code].code);
    table_word(t, problem_severity_name(p->severity));
    table_path(t, p->place.evidence);
    table_path(t, p->place.log);
    table_number_unless(t, p->place.offset, NO_OFFSET);
    table_number_unless(t, p->place.record_id, NO_RECORD);
    table_text(t, p->message);
    table_record_digest(t, log_of_problem(r, &p->place), p->place.offset);
    table_end_row(t);
}

void count_problem_formulas(const struct report *r)
{
    uint64_t count = 0;
    for (size_t i = 0; i < r->problems->count; i++) {
        const struct problem *p = &r->problems->rows[i];
        count += table_is_formula(p->place.evidence) + table_is_formula(p->place.log) +
                 table_is_formula(p->message);
    }
    if (count)
        problems_add(
            r->problems, PROBLEM_CSV_FORMULA, NOWHERE,
            "problems.csv: %" PRIu64
            " cell%s begin%s with = + - @, a tab or a carriage return; a "
            "spreadsheet may run such a cell as a formula, which the workbook of "
            "--format=xlsx keeps as text",
            count, PLURAL(count), count == 1 ? "s" : "");
}

static const struct csv_file findings_file = {"findings.csv", COLUMNS(finding_columns),
                                              .put_rows = put_findings};
static const struct csv_file near_misses_file = {
    "near_misses.csv", COLUMNS(near_miss_columns), .put_rows = put_near_misses};
const struct csv_file processes_file = {"processes.csv", COLUMNS(process_columns),
                                        .is_detail = true, .row_count = process_count,
                                        .put_row = put_process_row};
static const struct csv_file evidence_file = {"evidence.csv", COLUMNS(evidence_columns),
                                              .put_rows = put_evidence};

static const struct csv_file *const csv_files[] = {
    &findings_file,        &near_misses_file, &corroboration_file,
    &processes_file,       &timeline_file,    &iocs_file,
    &elsewhere_file,       &evidence_file,    &csv_coverage_files[0],
    &csv_coverage_files[1]};

const struct csv_file problems_file = {"problems.csv", COLUMNS(problem_columns),
                                       .row_count = problem_count,
                                       .put_row = put_problem_row};

const struct csv_file *report_table(const struct report *report, size_t index)
{
    const struct csv_file *schema;
    for (size_t i = 0; i < sizeof csv_files / sizeof *csv_files; i++)
        if ((!csv_files[i]->is_detail || !report->run.findings_only) && index-- == 0)
            return csv_files[i];
    size_t schemas = 0;
    for (; (schema = schema_table(report, schemas)) != NULL; schemas++)
        if (index-- == 0)
            return schema;
    return index == 0 ? &problems_file : NULL;
}
