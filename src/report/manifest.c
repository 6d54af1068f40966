/* SPDX-License-Identifier: Apache-2.0
 * manifest.c - what is needed to repeat the run and to check its files.
 *
 * The manifest lists every file that was finished before it, SHA256SUMS those and the
 * manifest: so SHA256SUMS alone is not in SHA256SUMS. */
#include "report/report_internal.h"

#include "util/json.h"
#include "util/utf.h"

/* Paths can be any bytes: what is not UTF-8 stands as \xNN, as in the CSV. */
static void put_text(struct json *j, const char *name, struct text value)
{
    struct buffer shown = {0};
    table_add_utf8(&shown, value);
    json_member_text(j, name, text_is_absent(value) ? NO_TEXT : buffer_text(&shown));
    buffer_release(&shown);
}

static void put_time(struct json *j, const char *name, uint64_t filetime)
{
    char text[FILETIME_TEXT_MAX];
    if (filetime == FILETIME_NONE)
        json_member_text(j, name, NO_TEXT);
    else
        json_member_text(j, name, filetime_format(text, filetime, FILETIME_REPORT));
}

static void put_digests(struct json *j, const struct digest_values *d)
{
    static const char *const names[DIGEST_KINDS] = {"sha256", "sha1", "md5"};
    char hex[DIGEST_HEX_MAX];
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        if (d->kinds & DIGEST_BIT(kind))
            json_member_text(j, names[kind],
                             digest_hex(hex, d, (enum digest_kind)kind));
}

static void put_list(struct json *j, const char *name, const struct text_list *list)
{
    json_name(j, name);
    json_open_array(j);
    for (size_t i = 0; i < list->count; i++)
        json_text(j, list->items[i]);
    json_close_array(j);
}

static void put_run(struct json *j, const struct run_facts *run)
{
    json_member_text(j, "version", run->version);
    json_member_text(j, "reader", run->reader);
    put_list(j, "libraries", &run->libraries);
    json_member_text(j, "platform", run->platform);
    put_text(j, "command_line", run->command_line);
    put_time(j, "started", run->started_filetime);
    put_time(j, "ended", run->ended_filetime);
    json_member_bool(j, "clock_fixed_by_source_date_epoch", run->clock_fixed);
    json_member_u64(j, "exit_status", (uint64_t)run->exit_status);
}

static void put_options(struct json *j, const struct run_facts *run)
{
    json_name(j, "options");
    json_open_object(j);
    json_member_u64(j, "jobs", run->jobs);
    json_member_string(j, "verify", verify_mode_name(run->verify));
    json_member_bool(j, "hash_sha1", run->digest_kinds & DIGEST_BIT(DIGEST_SHA1));
    json_member_bool(j, "hash_md5", run->digest_kinds & DIGEST_BIT(DIGEST_MD5));
    json_member_bool(j, "rehash", run->rehash);
    json_member_bool(j, "verify_image", run->verify_image);
    json_member_bool(j, "findings_only", run->findings_only);
    json_member_string(j, "timeline", timeline_extent_name(run->timeline));
    json_member_u64(j, "window_seconds", run->window_100ns / FILETIME_SECOND);
    json_member_bool(j, "html", run->formats & REPORT_HTML);
    json_member_bool(j, "xlsx", run->formats & REPORT_XLSX);
    put_text(j, "language", run->language);
    put_text(j, "timezone", run->zone.name);
    json_member_bool(j, "recovered", run->recovers);
    json_member_bool(j, "schema_cim", run->schemas & SCHEMA_CIM);
    json_member_bool(j, "schema_asim", run->schemas & SCHEMA_ASIM);
    json_member_bool(j, "schema_ecs", run->schemas & SCHEMA_ECS);
    put_text(j, "rules_folder", run->rules_folder);
    put_text(j, "templates_folder", run->templates_folder);
    put_text(j, "filter_file", run->filter_file);
    put_text(j, "shells_file", run->shells_file);
    json_member_string(j, "find", run->find_signature ? "signature" : "path");
    json_member_string(j, "fail_on", rule_level_name(run->fail_on));
    json_close_object(j);
}

static void put_case(struct json *j, const struct case_data *c)
{
    json_name(j, "case");
    json_open_object(j);
    put_text(j, "case_number", c->case_number);
    put_text(j, "evidence_number", c->evidence_number);
    put_text(j, "examiner", c->examiner);
    put_text(j, "laboratory", c->laboratory);
    put_text(j, "client", c->client);
    put_text(j, "reference", c->reference);
    put_text(j, "received", c->received);
    put_text(j, "notes", c->notes);
    if (!text_is_absent(c->file)) {
        json_name(j, "file");
        json_open_object(j);
        put_text(j, "path", c->file);
        put_digests(j, &c->digests);
        json_close_object(j);
    }
    json_close_object(j);
}

static void put_dispositions(struct json *j, const struct dispositions *d)
{
    uint64_t matched = 0;
    if (!d)
        return;
    for (size_t i = 0; i < d->count; i++)
        matched += d->items[i].is_matched;
    json_name(j, "dispositions");
    json_open_object(j);
    put_text(j, "file", d->file);
    put_digests(j, &d->digests);
    json_member_u64(j, "findings", d->count);
    json_member_u64(j, "findings_of_this_report", matched);
    json_close_object(j);
}

static void put_rules(struct json *j, const struct detector *d)
{
    const struct rules *rules = d->rules;
    json_name(j, "rules");
    json_open_object(j);
    put_digests(j, &rules->digests);
    json_name(j, "items");
    json_open_array(j);
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->items[i];
        json_open_object(j);
        put_text(j, "file", rule->file);
        put_digests(j, &rule->digests);
        put_text(j, "id", rule->id);
        put_text(j, "source", rule->source);
        put_text(j, "title", rule->title);
        put_text(j, "version", rule->version);
        put_text(j, "modified", rule->modified);
        json_member_u64(j, "process_creations_matched", rule_creations(d, rule));
        json_member_u64(j, "process_creations_filtered", rule->filtered);
        json_close_object(j);
    }
    json_close_array(j);
    json_name(j, "files");
    json_open_array(j);
    for (size_t i = 0; i < rules->file_count; i++) {
        json_open_object(j);
        put_text(j, "file", rules->files[i].file);
        put_digests(j, &rules->files[i].digests);
        json_close_object(j);
    }
    json_close_array(j);
    json_close_object(j);
}

static void put_filters(struct json *j, const struct report *r)
{
    const struct detector *d = r->detector;
    if (text_is_absent(r->run.filter_file))
        return;
    json_name(j, "filter");
    json_open_object(j);
    put_text(j, "file", r->run.filter_file);
    put_digests(j, &d->filter_digests);
    json_name(j, "items");
    json_open_array(j);
    for (size_t i = 0; i < d->filter_count; i++) {
        json_open_object(j);
        put_text(j, "title", d->filters[i].title);
        put_text(j, "reason", d->filters[i].reason);
        json_member_u64(j, "line", d->filters[i].line);
        json_member_u64(j, "taken", d->filters[i].taken);
        json_close_object(j);
    }
    json_close_array(j);
    json_close_object(j);
}

static void put_acquisition(struct json *j, const struct acquisition *a)
{
    if (!a->present)
        return;
    const struct {
        const char *name;
        struct text value;
    } texts[] = {
        {"case_number",      a->case_number     },
        {"evidence_number",  a->evidence_number },
        {"description",      a->description     },
        {"examiner",         a->examiner        },
        {"notes",            a->notes           },
        {"acquired",         a->acquired        },
        {"system_date",      a->system_date     },
        {"software",         a->software        },
        {"software_version", a->software_version},
        {"operating_system", a->operating_system},
        {"stored_md5",       a->stored_md5      },
        {"stored_sha1",      a->stored_sha1     },
    };
    json_name(j, "acquisition");
    json_open_object(j);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        put_text(j, texts[i].name, texts[i].value);
    json_member_u64(j, "media_size", a->media_size);
    json_member_u64(j, "bytes_per_sector", a->bytes_per_sector);
    json_close_object(j);
}

static const char *volume_state_name(enum volume_state state)
{
    static const char *const names[] = {"read", "reserved", "locked", "unknown",
                                        "unreadable"};
    return names[state];
}

static void put_volumes(struct json *j, const struct evidence_item *item)
{
    json_name(j, "volumes");
    json_open_array(j);
    for (size_t i = 0; i < item->volume_count; i++) {
        const struct evidence_volume *v = &item->volumes[i];
        json_open_object(j);
        json_member_u64(j, "number", v->number);
        json_member_u64(j, "offset", v->offset);
        json_member_u64(j, "size", v->size);
        put_text(j, "description", v->description);
        put_text(j, "file_system", v->file_system);
        put_text(j, "serial", v->serial);
        json_member_string(j, "state", volume_state_name(v->state));
        json_member_bool(j, "has_shadow_copies", v->has_shadow_copies);
        json_close_object(j);
    }
    json_close_array(j);
}

static void put_items(struct json *j, const struct evidence *evidence)
{
    json_name(j, "evidence");
    json_open_array(j);
    for (size_t i = 0; i < evidence->item_count; i++) {
        const struct evidence_item *item = &evidence->items[i];
        json_open_object(j);
        put_text(j, "path", item->given);
        put_text(j, "format", item->format);
        json_member_bool(j, "examined", item->examined);
        json_member_u64(j, "size", item->size);
        json_member_u64(j, "segments", item->segments);
        json_member_u64(j, "logs", item->log_count);
        put_acquisition(j, &item->acquisition);
        json_member_string(j, "stored_hash",
                           item->acquisition.present ? verification_sentence(item)
                                                     : "none");
        put_text(j, "computed_md5", item->computed_md5);
        put_text(j, "computed_sha1", item->computed_sha1);
        put_volumes(j, item);
        json_close_object(j);
    }
    json_close_array(j);
}

static void put_logs(struct json *j, const struct report *r)
{
    json_name(j, "logs");
    json_open_array(j);
    for (size_t i = 0; i < r->log_count; i++) {
        const struct log_report *row = &r->logs[i];
        json_open_object(j);
        put_text(j, "evidence", row->log->evidence);
        put_text(j, "path", row->log->path);
        json_member_u64(j, "size", row->log->size);
        put_digests(j, &row->log->digests);
        if (row->facts.bytes_unreadable)
            json_member_u64(j, "bytes_unreadable", row->facts.bytes_unreadable);
        if (row->log->digests_after.kinds) {
            json_name(j, "after");
            json_open_object(j);
            put_digests(j, &row->log->digests_after);
            json_close_object(j);
        }
        json_member_bool(j, "unchanged", row->log->unchanged);
        json_member_u64(j, "records", row->facts.records);
        json_member_u64(j, "records_recovered", row->facts.records_recovered);
        json_member_u64(j, "records_damaged", row->facts.records_damaged);
        json_member_u64(j, "sysmon_records", row->coverage.sysmon_records);
        json_member_u64(j, "sysmon_recovered", row->recovered.sysmon);
        json_close_object(j);
    }
    json_close_array(j);
}

static void put_problems(struct json *j, const struct problems *p)
{
    json_name(j, "problems");
    json_open_object(j);
    for (int code = 0; code < PROBLEM_CODES; code++)
        if (p->per_code[code])
            json_member_u64(j, problem_kinds[code].code, p->per_code[code]);
    json_close_object(j);
}

static void put_counts(struct json *j, const struct report *r)
{
    uint64_t records = 0, sysmon = 0, creations = 0, recovered = 0;
    for (size_t i = 0; i < r->log_count; i++) {
        records += r->logs[i].facts.records;
        sysmon += r->logs[i].coverage.sysmon_records;
        creations += r->logs[i].coverage.process_creations;
        recovered += r->logs[i].recovered.sysmon;
    }
    json_name(j, "counts");
    json_open_object(j);
    json_member_u64(j, "records", records);
    json_member_u64(j, "sysmon_records", sysmon);
    json_member_u64(j, "process_creations", creations);
    json_member_u64(j, "sysmon_recovered", recovered);
    json_member_u64(j, "hosts", report_sysmon_hosts(r));
    json_member_u64(j, "hosts_without_sysmon_records", report_hosts_without_sysmon(r));
    json_member_u64(j, "processes", r->lineage->order_count);
    json_member_u64(j, "process_creations_matched", r->detector->matched_creations);
    json_member_u64(j, "findings", r->detector->finding_count);
    json_member_u64(j, "near_misses", r->detector->near_miss_count);
    json_member_u64(j, "corroborations", r->detector->corroboration_count);
    json_member_u64(j, "filtered", r->detector->filtered);
    json_member_u64(j, "timeline_events", r->timeline->count);
    json_member_u64(j, "timeline_events_beyond",
                    timeline_wide_count(&r->timeline->wide));
    put_problems(j, r->problems);
    json_close_object(j);
}

/* Only where a part of the findings is told. */
static void put_told_part(struct json *j, const struct report *r)
{
    const struct told_part *told = &r->told;
    if (text_is_absent(told->filter))
        return;
    json_name(j, "told");
    json_open_object(j);
    put_text(j, "only", told->filter);
    if (!text_is_absent(told->not_found))
        put_text(j, "not_found", told->not_found);
    json_member_u64(j, "findings_left_out", told->findings_left_out);
    json_member_u64(j, "near_misses_left_out", told->near_misses_left_out);
    json_member_u64(j, "timeline_events_left_out", told->events_left_out);
    json_member_u64(j, "timeline_events_beyond_left_out",
                    timeline_wide_left_out(&r->timeline->wide));
    json_close_object(j);
}

static void put_verification(struct json *j, const struct report *r)
{
    const struct confirmation *v = r->verification;
    if (!v)
        return;
    const struct verify_counts *c = &v->counts;
    json_name(j, "verification");
    json_open_object(j);
    json_member_string(j, "mode", verify_mode_name(v->mode));
    if (v->mode != VERIFY_NONE)
        put_text(j, "reader", r->run.other_reader);
    json_member_u64(j, "records_compared", c->equal + c->different);
    json_member_u64(j, "records_equal", c->equal);
    json_member_u64(j, "records_equal_with_waived_values", c->waived_records);
    json_member_u64(j, "records_different", c->different);
    json_member_u64(j, "records_not_confirmed", c->not_confirmed);
    json_member_u64(j, "records_not_live", v->not_live);
    json_member_u64(j, "records_of_exports_as_text", v->as_text);
    json_member_u64(j, "values_compared", c->values);
    json_name(j, "values_waived");
    json_open_object(j);
    for (int w = WAIVED_NOT + 1; w < VERIFY_WAIVERS; w++)
        if (c->waived[w])
            json_member_u64(j, verify_waiver_name((enum verify_waiver)w), c->waived[w]);
    json_close_object(j);
    if (v->mode == VERIFY_ALL) {
        json_member_u64(j, "logs_opened_whole", c->logs_listed);
        json_member_u64(j, "logs_not_opened_whole", c->logs_not_listed);
        json_member_u64(j, "records_in_both_lists", c->listed_by_both);
        json_member_u64(j, "records_in_the_native_list_alone", c->only_native);
        json_member_u64(j, "records_in_the_libevtx_list_alone", c->only_libevtx);
    }
    json_close_object(j);
}

static void put_outputs(struct json *j, const struct output_dir *dir)
{
    json_name(j, "outputs");
    json_open_array(j);
    for (size_t i = 0; i < dir->count; i++) {
        json_open_object(j);
        json_member_string(j, "name", dir->files[i].name);
        json_member_u64(j, "size", dir->files[i].size);
        put_digests(j, &dir->files[i].digests);
        json_close_object(j);
    }
    json_close_array(j);
}

static void put_manifest(struct buffer *out, const struct report *r,
                         const struct output_dir *dir)
{
    struct json j;
    json_init(&j, out);
    json_open_object(&j);
    put_run(&j, &r->run);
    put_options(&j, &r->run);
    put_case(&j, &r->case_data);
    put_rules(&j, r->detector);
    put_filters(&j, r);
    put_dispositions(&j, r->dispositions);
    put_told_part(&j, r);
    put_items(&j, r->evidence);
    put_logs(&j, r);
    put_counts(&j, r);
    put_verification(&j, r);
    put_outputs(&j, dir);
    json_close_object(&j);
    buffer_add_char(out, '\n');
}

static enum status write_sums(struct output_dir *dir, struct error *err)
{
    struct output out;
    enum status status = output_open(&out, dir, "SHA256SUMS", err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < dir->count; i++) {
        char hex[DIGEST_HEX_MAX];
        digest_hex(hex, &dir->files[i].digests, DIGEST_SHA256);
        output_printf(&out, "%s  %s\n", hex, dir->files[i].name);
    }
    return output_finish(&out, err);
}

enum status report_write_manifest(const struct report *report, struct output_dir *dir,
                                  struct error *err)
{
    struct output out;
    struct buffer manifest = {0};
    put_manifest(&manifest, report, dir);
    enum status status = output_open(&out, dir, "manifest.json", err);
    if (status == OK) {
        output_add_text(&out, buffer_text(&manifest));
        status = output_finish(&out, err);
    }
    buffer_release(&manifest);
    return status == OK ? write_sums(dir, err) : status;
}
