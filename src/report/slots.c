/* SPDX-License-Identifier: Apache-2.0
 * slots.c - every slot and list that a template can name; doc/templates.md is the same
 * table in words. A slot adds text; what may be shown of it, and how, is template.c's. */
#include <inttypes.h>
#include <string.h>

#include "report/page.h"

/* A slot is a function of the page. */
#define SLOT(function)                                                                 \
 static void function(const struct page *page, struct buffer *out);                    \
 static void function##_slot(void *page, struct buffer *out)                           \
 {                                                                                     \
  function(page, out);                                                                 \
 }                                                                                     \
 static void function(const struct page *page, struct buffer *out)

#define LOOP(function)                                                                 \
 static bool function(struct page *page, bool is_first);                               \
 static bool function##_loop(void *page, bool is_first)                                \
 {                                                                                     \
  return function(page, is_first);                                                     \
 }                                                                                     \
 static bool function(struct page *page, bool is_first)

/* Move a cursor to the first or next of `count` items. */
static bool step(size_t *at, bool is_first, size_t count)
{
    *at = is_first ? 0 : *at + 1;
    return *at < count;
}

static void put(struct buffer *out, struct text value)
{
    buffer_add_text(out, value);
}

/* A recorded value: absent, empty and "-" are three things. */
static void put_recorded(struct buffer *out, struct text value)
{
    if (text_is_absent(value))
        buffer_add_string(out, "(not recorded)");
    else if (text_is_empty(value))
        buffer_add_string(out, "(empty)");
    else
        buffer_add_text(out, value);
}

/* In UTC, and where that was asked for in another zone, which is named. */
static void put_time(const struct page *page, struct buffer *out, uint64_t filetime)
{
    char text[FILETIME_TEXT_MAX];
    put(out, filetime_format(text, filetime, FILETIME_REPORT));
    zone_add_beside(out, &page->report->run.zone, filetime);
}

static void put_guid(struct buffer *out, const struct guid *guid)
{
    char text[GUID_TEXT_MAX];
    if (!guid_is_null(guid))
        put(out, guid_format(text, guid));
}

static void put_number(struct buffer *out, uint64_t number)
{
    buffer_printf(out, "%" PRIu64, number);
}

static void put_number_unless(struct buffer *out, uint64_t number, uint64_t none)
{
    if (number != none)
        put_number(out, number);
}

static void put_list(struct buffer *out, const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        buffer_add_string(out, i ? ", " : "");
        put(out, list->items[i]);
    }
}

static void put_sentences(struct buffer *out, const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        buffer_add_string(out, i ? " " : "");
        put(out, list->items[i]);
    }
}

static void put_place(struct buffer *out, struct place place)
{
    if (!text_is_absent(place.log)) {
        put(out, place.log);
        buffer_add_string(out, " in ");
    }
    put(out, place.evidence);
    if (place.record_id != NO_RECORD)
        buffer_printf(out, ", record %" PRIu64, place.record_id);
    if (place.offset != NO_OFFSET)
        buffer_printf(out, ", offset %" PRIu64, place.offset);
}

static const struct lineage *lineage_of(const struct page *page)
{
    return page->report->lineage;
}

static struct text string_of(const struct page *page, uint32_t number)
{
    return lineage_text(lineage_of(page), number);
}

/* --- the run */

#define RUN(page) (&(page)->report->run)

SLOT(style_hash)
{
    put(out, template_style_hash(page->template));
}
SLOT(version)
{
    put(out, RUN(page)->version);
}
SLOT(case_number)
{
    put(out, page->report->case_data.case_number);
}
SLOT(evidence_number)
{
    put(out, page->report->case_data.evidence_number);
}
SLOT(examiner)
{
    put(out, page->report->case_data.examiner);
}
SLOT(notes)
{
    put(out, page->report->case_data.notes);
}

/* --- the cover: what the lab says of the case, and in which words */

#define CASE(page) (&(page)->report->case_data)

SLOT(laboratory)
{
    put(out, CASE(page)->laboratory);
}
SLOT(client)
{
    put(out, CASE(page)->client);
}
SLOT(case_reference)
{
    put(out, CASE(page)->reference);
}
SLOT(received)
{
    put(out, CASE(page)->received);
}
SLOT(case_file)
{
    put(out, CASE(page)->file);
}
SLOT(case_file_hash)
{
    char hex[DIGEST_HEX_MAX];
    if (!text_is_absent(CASE(page)->file))
        put(out, digest_hex(hex, &CASE(page)->digests, DIGEST_SHA256));
}
SLOT(signature)
{
    buffer_add_string(out, CASE(page)->signature ? "yes" : "");
}
/* Made by case_file.c from the bytes of a picture: nothing but base64. */
SLOT(logo)
{
    put(out, CASE(page)->logo);
}
SLOT(language)
{
    put(out, RUN(page)->language);
}
SLOT(translated)
{
    bool is_english = text_equal(RUN(page)->language, TEXT_LITERAL("en"));
    put(out, is_english ? NO_TEXT : RUN(page)->language);
}
SLOT(timezone)
{
    put(out, RUN(page)->zone.name);
}
SLOT(dispositions_file)
{
    if (page->report->dispositions)
        put(out, page->report->dispositions->file);
}
SLOT(dispositions_hash)
{
    char hex[DIGEST_HEX_MAX];
    if (page->report->dispositions)
        put(out,
            digest_hex(hex, &page->report->dispositions->digests, DIGEST_SHA256));
}
SLOT(started)
{
    put_time(page, out, RUN(page)->started_filetime);
}
SLOT(ended)
{
    put_time(page, out, RUN(page)->ended_filetime);
}
SLOT(clock_fixed)
{
    buffer_add_string(out, RUN(page)->clock_fixed ? "yes" : "");
}
SLOT(command_line)
{
    put(out, RUN(page)->command_line);
}
SLOT(platform)
{
    put(out, RUN(page)->platform);
}
SLOT(reader)
{
    put(out, RUN(page)->reader);
}
SLOT(verification)
{
    report_verification(out, page->report);
}
SLOT(verify_mode)
{
    buffer_add_string(out, verify_mode_name(RUN(page)->verify));
}
SLOT(verified_whole)
{
    buffer_add_string(out, RUN(page)->verify == VERIFY_ALL ? "yes" : "");
}
SLOT(libraries)
{
    put_list(out, &RUN(page)->libraries);
}
SLOT(rules_folder)
{
    put(out, RUN(page)->rules_folder);
}
SLOT(templates_folder)
{
    put(out, RUN(page)->templates_folder);
}
SLOT(filter_file)
{
    put(out, RUN(page)->filter_file);
}
SLOT(filter_hash)
{
    char hex[DIGEST_HEX_MAX];
    if (!text_is_absent(RUN(page)->filter_file))
        put(out,
            digest_hex(hex, &page->report->detector->filter_digests, DIGEST_SHA256));
}
SLOT(filtered)
{
    put_number(out, page->report->detector->filtered);
}
SLOT(tolerance)
{
    (void)page;
    put_number(out, LINEAGE_TOLERANCE_100NS / FILETIME_SECOND);
}

SLOT(exit_status)
{
    static const struct {
        int status;
        const char *meaning;
    } meanings[] = {
        {0,  "finished, and everything could be read"                    },
        {3,  "finished, but some evidence was damaged, unreadable or locked, or held no "
            "Sysmon record at all"                            },
        {10, "finished; a finding of the level that was asked for exists"},
    };
    buffer_printf(out, "%d", RUN(page)->exit_status);
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].status == RUN(page)->exit_status)
            buffer_printf(out, ": %s", meanings[i].meaning);
}

SLOT(rules_hash)
{
    char hex[DIGEST_HEX_MAX];
    put(out, digest_hex(hex, &page->report->detector->rules->digests, DIGEST_SHA256));
}

SLOT(rule_total)
{
    put_number(out, page->report->detector->rules->count);
}
SLOT(finding_total)
{
    put_number_unless(out, page->report->detector->finding_count, 0);
}

LOOP(next_statement)
{
    return step(&page->at.statement, is_first, page->statements.count);
}

SLOT(statement_label)
{
    enum statement_kind kind = page->statements.items[page->at.statement].kind;
    buffer_add_string(out, statement_kind_name(kind));
}

SLOT(statement_words)
{
    put(out, page->statements.items[page->at.statement].words);
}

/* --- evidence */

#define ITEM(page) (&(page)->report->evidence->items[(page)->at.item])

LOOP(next_item)
{
    return step(&page->at.item, is_first, page->report->evidence->item_count);
}

SLOT(item_path)
{
    put(out, ITEM(page)->given);
}
SLOT(item_format)
{
    put(out, ITEM(page)->examined ? ITEM(page)->format : TEXT_LITERAL("not examined"));
}
SLOT(item_size)
{
    put_number_unless(out, ITEM(page)->size, 0);
}
SLOT(item_segments)
{
    put_number_unless(out, ITEM(page)->segments, 0);
}
SLOT(item_logs)
{
    put_number(out, ITEM(page)->log_count);
}

SLOT(item_hashes)
{
    const struct acquisition *a = &ITEM(page)->acquisition;
    if (!a->present)
        return;
    if (!text_is_empty(a->stored_md5))
        buffer_printf(out, "MD5 %.*s ", TEXT(a->stored_md5));
    if (!text_is_empty(a->stored_sha1))
        buffer_printf(out, "SHA-1 %.*s ", TEXT(a->stored_sha1));
    buffer_printf(out, "(of the media inside the image: %s)",
                  verification_sentence(ITEM(page)));
}

SLOT(item_acquisition)
{
    const struct acquisition *a = &ITEM(page)->acquisition;
    const struct {
        const char *name;
        struct text value;
    } texts[] = {
        {"case number",      a->case_number     },
        {"evidence number",  a->evidence_number },
        {"examiner",         a->examiner        },
        {"description",      a->description     },
        {"notes",            a->notes           },
        {"acquired",         a->acquired        },
        {"software",         a->software        },
        {"software version", a->software_version},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (text_is_empty(texts[i].value))
            continue;
        buffer_printf(out, "%s%s: ", out->len ? "; " : "", texts[i].name);
        put(out, texts[i].value);
    }
}

#define VOLUME(page) (&ITEM(page)->volumes[(page)->at.volume])

LOOP(next_volume)
{
    return step(&page->at.volume, is_first, ITEM(page)->volume_count);
}

SLOT(volume_number)
{
    put_number(out, VOLUME(page)->number);
}
SLOT(volume_offset)
{
    put_number(out, VOLUME(page)->offset);
}
SLOT(volume_size)
{
    put_number(out, VOLUME(page)->size);
}
SLOT(volume_description)
{
    put(out, VOLUME(page)->description);
}
SLOT(volume_file_system)
{
    put(out, VOLUME(page)->file_system);
}

SLOT(volume_state)
{
    static const char *const states[] = {
        "read", "reserved, no file system expected",
        "locked (BitLocker): nothing in it was examined",
        "unknown: nothing in it was examined",
        "its file system could not be opened: nothing in it was examined"};
    buffer_add_string(out, states[VOLUME(page)->state]);
    if (VOLUME(page)->has_shadow_copies)
        buffer_add_string(out, "; shadow copies are present and were not examined");
}

#define LOG(page) (&(page)->report->logs[(page)->at.log])

LOOP(next_log)
{
    return step(&page->at.log, is_first, page->report->log_count);
}

SLOT(log_path)
{
    put(out, LOG(page)->log->path);
}
SLOT(log_evidence)
{
    put(out, LOG(page)->log->evidence);
}
SLOT(log_size)
{
    put_number(out, LOG(page)->log->size);
}

SLOT(log_hashes)
{
    char hex[DIGEST_HEX_MAX];
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        if (LOG(page)->log->digests.kinds & DIGEST_BIT(kind)) {
            digest_hex(hex, &LOG(page)->log->digests, (enum digest_kind)kind);
            buffer_printf(out, "%s%s %s", out->len ? "; " : "",
                          digest_name((enum digest_kind)kind), hex);
        }
}

SLOT(log_hashed)
{
    name_hashed(out, LOG(page)->log);
}

SLOT(log_chunks)
{
    buffer_printf(out, "%" PRIu64 ", damaged %" PRIu64, LOG(page)->facts.chunks,
                  LOG(page)->facts.chunks_damaged);
}

SLOT(log_records)
{
    const struct log_report *row = LOG(page);
    buffer_printf(out,
                  "%" PRIu64 " read, %" PRIu64 " damaged, %" PRIu64
                  " seen outside the live ones; Sysmon's: %" PRIu64
                  ", process creations: %" PRIu64,
                  row->facts.records, row->facts.records_damaged,
                  row->facts.records_recovered, row->coverage.sysmon_records,
                  row->coverage.process_creations);
    struct buffer states = {0};
    name_recovered(&states, &row->recovered);
    if (states.len)
        buffer_printf(out,
                      "; recovered, not live: %.*s, of them Sysmon's and used: %" PRIu64
                      ", process creations: %" PRIu64,
                      TEXT(buffer_text(&states)), row->recovered.sysmon,
                      row->recovered.creations);
    buffer_release(&states);
}

SLOT(log_period)
{
    const struct coverage *c = &LOG(page)->coverage;
    if (c->first_utc_filetime == FILETIME_NONE)
        return;
    put_time(page, out, c->first_utc_filetime);
    buffer_add_string(out, " to ");
    put_time(page, out, c->last_utc_filetime);
}

SLOT(log_ids)
{
    const struct coverage *c = &LOG(page)->coverage;
    if (c->records)
        buffer_printf(out, "%" PRIu64 " to %" PRIu64 ", missing between them: %" PRIu64,
                      c->first_record_id, c->last_record_id, c->missing_record_ids);
}

SLOT(log_origin)
{
    const struct coverage *c = &LOG(page)->coverage;
    buffer_add_string(out, log_origin_name(c->origin));
    if (!text_is_empty(c->origin_basis)) {
        buffer_add_string(out, ": ");
        put(out, c->origin_basis);
    }
}

SLOT(log_event_ids)
{
    for (unsigned id = 1; id < 256; id++)
        if (LOG(page)->coverage.per_event_id[id])
            buffer_printf(out, "%s%u (%" PRIu64 ")", out->len ? ", " : "", id,
                          LOG(page)->coverage.per_event_id[id]);
}

SLOT(log_absent_ids)
{
    for (unsigned id = 1; id < 256; id++)
        if (!LOG(page)->coverage.per_event_id[id] &&
            sysmon_event_category((uint16_t)id))
            buffer_printf(out, "%s%u", out->len ? ", " : "", id);
}

SLOT(log_sysmon)
{
    const struct coverage *c = &LOG(page)->coverage;
    struct text floor = coverage_schema_floor(c);
    if (!text_is_empty(c->sysmon_version))
        buffer_printf(out, "Sysmon %.*s", TEXT(c->sysmon_version));
    if (!text_is_empty(c->schema_version))
        buffer_printf(out, "%sschema %.*s", out->len ? ", " : "",
                      TEXT(c->schema_version));
    if (!text_is_empty(floor))
        buffer_printf(out, "%sfields of schema %.*s or later", out->len ? ", " : "",
                      TEXT(floor));
}

SLOT(log_problems)
{
    put_number(out, LOG(page)->problems);
}

/* --- hosts */

#define HOST(page) (&(page)->report->lineage->hosts[(page)->at.host])

LOOP(next_host)
{
    size_t count = page->report->lineage->host_count;
    return step(&page->at.host, is_first, count < HOSTS_MAX ? count : HOSTS_MAX);
}

SLOT(hosts_left_out)
{
    size_t count = page->report->lineage->host_count;
    if (count > HOSTS_MAX)
        put_number(out, count - HOSTS_MAX);
}

SLOT(host_computer)
{
    put_recorded(out, string_of(page, HOST(page)->computer));
}
SLOT(host_machine)
{
    if (HOST(page)->machine_id)
        buffer_printf(out, "%08" PRIx32, HOST(page)->machine_id);
}
SLOT(host_first)
{
    put_time(page, out, HOST(page)->first_filetime);
}
SLOT(host_last)
{
    put_time(page, out, HOST(page)->last_filetime);
}
SLOT(host_records)
{
    put_number(out, HOST(page)->records);
    if (HOST(page)->recovered)
        buffer_printf(out, ", and %" PRIu64 " recovered", HOST(page)->recovered);
}
SLOT(host_creations)
{
    put_number(out, HOST(page)->process_creations);
}
SLOT(host_guid_times)
{
    buffer_printf(out, "%" PRIu64 " of %" PRIu64, HOST(page)->guid_time_agrees,
                  HOST(page)->guid_time_checked);
}

/* --- sections: one host process and the creations that name it as their parent */

LOOP(next_section)
{
    page->at.section = is_first ? 0 : page->at.section + 1;
    if (page->at.section >= page->section_count)
        return false;
    page_enter_section(page, page->at.section);
    return true;
}

SLOT(sections_left_out)
{
    put_number_unless(out, page->section_total - page->section_count, 0);
}

SLOT(section_number)
{
    put_number(out, page->at.section + 1);
}

/* The host process, or where it is not known the creation itself. */
static uint32_t section_process(const struct page *page)
{
    const struct section *s = page_section(page);
    return s->host != PROCESS_NONE
               ? s->host
               : page->report->detector->findings[s->first_finding].process;
}

static const struct process *section_host(const struct page *page)
{
    return lineage_process(lineage_of(page), section_process(page));
}

SLOT(section_host_known)
{
    buffer_add_string(out, page_section(page)->host != PROCESS_NONE ? "yes" : "");
}

SLOT(section_name)
{
    if (page_section(page)->host == PROCESS_NONE)
        buffer_add_string(out, "recorded parent of ");
    name_process(out, lineage_of(page), section_process(page));
}

SLOT(section_computer)
{
    put_recorded(out, lineage_computer(lineage_of(page), section_host(page)));
}

SLOT(section_count)
{
    size_t n = page_section(page)->creation_count;
    buffer_printf(out, "%zu process creation%s", n, PLURAL(n));
}

/* How many of its matched creations rest on records that are not live. */
SLOT(section_recovered)
{
    size_t n = 0, total = page->creations.count;
    for (size_t i = 0; i < total; i++) {
        size_t finding = page->creations.items[i];
        uint32_t process = page->report->detector->findings[finding].process;
        n += !record_state_is_live(lineage_process(lineage_of(page), process)->state);
    }
    if (n)
        buffer_printf(out,
                      "%zu of these %zu process creation%s rest%s on a record that is "
                      "not live: it was recovered, and its state says from where.",
                      n, total, PLURAL(total), n == 1 ? "s" : "");
}

SLOT(section_creations_left_out)
{
    put_number_unless(out, page->creations.left_out, 0);
}

static void put_end(const struct page *page, struct buffer *out, const struct process *p)
{
    if (p->end_filetime != FILETIME_NONE) {
        put_time(page, out, p->end_filetime);
        if (p->flags & PROCESS_END_INFERRED)
            buffer_add_string(out, " (inferred from the process id)");
        return;
    }
    buffer_add_string(out, "not logged");
    if (p->last_seen_filetime != FILETIME_NONE) {
        buffer_add_string(out, "; last seen ");
        put_time(page, out, p->last_seen_filetime);
    }
}

static void put_start(const struct page *page, struct buffer *out, const struct process *p)
{
    if (p->start_filetime == FILETIME_NONE)
        buffer_add_string(out, "not known");
    put_time(page, out, p->start_filetime);
    if (p->kind != PROCESS_LOGGED && p->start_filetime != FILETIME_NONE)
        buffer_add_string(out, " (to the second, out of its GUID)");
}

static void put_process_state(struct buffer *out, const struct process *p)
{
    if (p->kind == PROCESS_LOGGED)
        name_state_unless_live(out, p->state);
}

static void put_kind(struct buffer *out, const struct process *p)
{
    static const char *const kinds[] = {
        "has a creation record (event 1)",
        "no creation record of its own: known from the records of others",
        "not known: the record names no parent"};
    buffer_add_string(out, kinds[p->kind]);
}

static void put_command_line(struct buffer *out, const struct page *page,
                             const struct process *p)
{
    struct text recorded = string_of(page, p->command_line);
    if (text_is_empty(recorded) || p->kind != PROCESS_LOGGED)
        put_recorded(out, recorded);
    else
        lineage_add_unescaped(out, recorded);
}

SLOT(section_kind)
{
    put_kind(out, section_host(page));
}
SLOT(section_image)
{
    put_recorded(out, string_of(page, section_host(page)->image));
}
SLOT(section_command_line)
{
    put_command_line(out, page, section_host(page));
}
SLOT(section_user)
{
    put_recorded(out, string_of(page, section_host(page)->user));
}
SLOT(section_guid)
{
    put_guid(out, &section_host(page)->guid);
}
SLOT(section_start)
{
    put_start(page, out, section_host(page));
}
SLOT(section_end)
{
    put_end(page, out, section_host(page));
}
SLOT(section_place)
{
    put_place(out, process_place(page->report, section_process(page)));
    put_process_state(out, section_host(page));
}

/* --- creations: the cards of a section */

/* Whether Sysmon matches a parent by pid alone depends on its build. */
static void add_sysmon_version(struct page *page)
{
    const struct report *r = page->report;
    uint32_t number = lineage_process(r->lineage, page_creation(page)->process)->log;
    if (page->support_count == SUPPORT_MAX || number >= r->evidence->log_count)
        return;
    const struct log_report *log = report_log_of(r, &r->evidence->logs[number]);
    struct text version = log ? log->coverage.sysmon_version : NO_TEXT;
    page->supports[page->support_count++] =
        text_is_empty(version)
            ? TEXT_LITERAL("Sysmon's version is not recorded in this log.")
            : arena_printf(
                  &page->section_arena,
                  "Sysmon's version is %.*s by the newest event 4 of this log.",
                  TEXT(version));
}

LOOP(next_creation)
{
    if (!step(&page->at.creation, is_first, page->creations.count))
        return false;
    arena_clear(&page->section_arena);
    page->support_count =
        lineage_support(page->report->lineage, page_creation(page)->process,
                        &page->section_arena, page->supports, SUPPORT_MAX);
    add_sysmon_version(page);
    return true;
}

static const struct process *creation(const struct page *page)
{
    return lineage_process(lineage_of(page), page_creation(page)->process);
}

SLOT(creation_anchor)
{
    buffer_printf(out, "p%" PRIu32, page_creation(page)->process);
}
SLOT(creation_key)
{
    char guid[GUID_TEXT_MAX];
    put(out, lineage_key(lineage_of(page), page_creation(page)->process, guid));
}
SLOT(creation_name)
{
    name_process(out, lineage_of(page), page_creation(page)->process);
}
SLOT(creation_image)
{
    put_recorded(out, string_of(page, creation(page)->image));
}
SLOT(creation_command_line)
{
    put_command_line(out, page, creation(page));
}
SLOT(creation_recorded_command_line)
{
    struct text recorded = string_of(page, creation(page)->command_line);
    if (text_contains_fold(recorded, TEXT_LITERAL("%%")))
        put(out, recorded);
}
SLOT(creation_user)
{
    put_recorded(out, string_of(page, creation(page)->user));
}
SLOT(creation_integrity)
{
    put_recorded(out, string_of(page, creation(page)->integrity_level));
}
SLOT(creation_hashes)
{
    put_recorded(out, string_of(page, creation(page)->hashes));
}
SLOT(creation_original_name)
{
    put_recorded(out, string_of(page, creation(page)->original_file_name));
}
SLOT(creation_directory)
{
    put_recorded(out, string_of(page, creation(page)->current_directory));
}
SLOT(creation_session)
{
    put_number_unless(out, creation(page)->session_id, UINT32_MAX);
}
SLOT(creation_guid)
{
    put_guid(out, &creation(page)->guid);
}
SLOT(creation_start)
{
    put_start(page, out, creation(page));
}
SLOT(creation_logged)
{
    put_time(page, out, creation(page)->logged_filetime);
}
SLOT(creation_end)
{
    put_end(page, out, creation(page));
}
SLOT(creation_parent)
{
    name_image(out, string_of(page, creation(page)->parent_image),
               creation(page)->parent_pid);
}
SLOT(creation_parent_image)
{
    put_recorded(out, string_of(page, creation(page)->parent_image));
}
SLOT(creation_parent_command_line)
{
    put_recorded(out, string_of(page, creation(page)->parent_command_line));
}
SLOT(creation_parent_guid)
{
    char guid[GUID_TEXT_MAX];
    put_recorded(out, lineage_parent_guid(lineage_of(page), creation(page), guid));
}
SLOT(creation_ancestors)
{
    name_ancestors(out, lineage_of(page), page_creation(page)->process);
}
SLOT(creation_grade)
{
    buffer_add_string(out, link_grade_name((enum link_grade)creation(page)->grade));
}
SLOT(creation_grade_reason)
{
    put(out, string_of(page, creation(page)->grade_reason));
}
SLOT(creation_place)
{
    put_place(out, process_place(page->report, page_creation(page)->process));
}
SLOT(creation_verified)
{
    const struct process *p = creation(page);
    if (p->log != UINT32_MAX)
        name_verified(out, page->report, &page->report->evidence->logs[p->log],
                      p->offset);
}
SLOT(creation_state)
{
    buffer_add_string(out, record_state_name((enum record_state)creation(page)->state));
}

LOOP(next_support)
{
    return step(&page->at.support, is_first, page->support_count);
}

SLOT(support_words)
{
    put(out, page->supports[page->at.support]);
}

/* --- verdicts: every rule on one creation */

LOOP(next_verdict)
{
    if (!step(&page->at.verdict, is_first, page->report->detector->rules->count))
        return false;
    page_enter_verdict(page);
    return true;
}

static const struct rule *verdict_rule(const struct page *page)
{
    return &page->report->detector->rules->items[page->at.verdict];
}

SLOT(verdict_title)
{
    put(out, verdict_rule(page)->title);
}
SLOT(verdict_source)
{
    put(out, verdict_rule(page)->source);
}
SLOT(verdict_level)
{
    buffer_add_string(out, rule_level_name(verdict_rule(page)->level));
}
SLOT(verdict_anchor)
{
    buffer_printf(out, "rule-%zu", page->at.verdict + 1);
}
SLOT(verdict_met)
{
    buffer_add_string(out, page->verdict_finding ? "met" : "");
}
SLOT(verdict_label)
{
    bool own = text_equal(verdict_rule(page)->source, TEXT_LITERAL("forebear"));
    buffer_add_string(out, statement_kind_name(own ? ASSESSED : DERIVED));
}
/* What an examiner decided about the finding of this verdict; NULL: nothing. */
static const struct disposition *verdict_disposition_row(const struct page *page)
{
    return page->verdict_finding ? disposition_of(page->report->dispositions,
                                                  page->verdict_finding->id)
                                 : NULL;
}

SLOT(verdict_disposition)
{
    const struct disposition *d = verdict_disposition_row(page);
    buffer_add_string(out, d ? disposition_name(d->kind) : "");
}
SLOT(verdict_disposition_by)
{
    const struct disposition *d = verdict_disposition_row(page);
    put(out, d ? d->initials : NO_TEXT);
    if (d && d->date.len)
        buffer_printf(out, ", %.*s", TEXT(d->date));
}
SLOT(verdict_disposition_reason)
{
    const struct disposition *d = verdict_disposition_row(page);
    put(out, d ? d->reason : NO_TEXT);
}

SLOT(verdict_finding)
{
    if (page->verdict_finding)
        put(out, page->verdict_finding->id);
}
SLOT(verdict_message)
{
    if (page->verdict_finding)
        put(out, page->verdict_finding->message);
}
SLOT(verdict_why)
{
    if (page->verdict_miss)
        put(out, page->verdict_miss->why);
}
SLOT(verdict_explanations)
{
    if (page->verdict_finding)
        put_sentences(out, &verdict_rule(page)->innocent_explanations);
}

static const struct match_reason *verdict_reasons(const struct page *page,
                                                  size_t *count)
{
    if (page->verdict_finding) {
        *count = page->verdict_finding->reason_count;
        return page->verdict_finding->reasons;
    }
    *count = page->verdict_miss ? page->verdict_miss->reason_count : 0;
    return page->verdict_miss ? page->verdict_miss->reasons : NULL;
}

LOOP(next_reason)
{
    size_t count;
    verdict_reasons(page, &count);
    return step(&page->at.reason, is_first, count);
}

static const struct match_reason *reason(const struct page *page)
{
    size_t count;
    return &verdict_reasons(page, &count)[page->at.reason];
}

SLOT(reason_met)
{
    buffer_add_string(out, reason(page)->met ? "met" : "not met");
}
SLOT(reason_field)
{
    put(out, reason(page)->field);
}
SLOT(reason_operation)
{
    put(out, reason(page)->operation);
}
SLOT(reason_expected)
{
    put(out, reason(page)->expected);
}
SLOT(reason_recorded)
{
    put_recorded(out, reason(page)->recorded);
}

/* --- the lineage tree */

LOOP(next_row)
{
    return step(&page->at.row, is_first, page->row_count);
}

static const struct process *row_process(const struct page *page)
{
    return lineage_process(lineage_of(page), page_row(page)->process);
}

SLOT(rows_left_out)
{
    put_number_unless(out, page->rows_left_out, 0);
}
SLOT(chain_left_out)
{
    put_number_unless(out, page->chain_left_out, 0);
}

SLOT(row_class)
{
    static const char *const relations[] = {"ancestor", "host",       "match",
                                            "sibling",  "descendant", "apart"};
    static const char *const kinds[] = {"logged", "ghost", "unknown"};
    buffer_printf(out, "%s %s", relations[page_row(page)->relation],
                  kinds[row_process(page)->kind]);
}

SLOT(row_relation)
{
    static const char *const relations[] = {
        "ancestor",   "host process",
        "match",      "sibling of a match",
        "descendant", "match; its link to the host process is not drawn"};
    buffer_add_string(out, relations[page_row(page)->relation]);
}

/* Drawn with characters, so that the tree survives being copied, printed or read without
 * a style sheet. */
SLOT(row_branch)
{
    enum { DRAWN_MAX = 24 };
    uint32_t depth = page_row(page)->depth;
    bool dashed = row_process(page)->grade == GRADE_B;
    if (depth > DRAWN_MAX)
        buffer_printf(out, "[depth %" PRIu32 "] ", depth);
    for (uint32_t i = 1; i < depth && i < DRAWN_MAX; i++)
        buffer_add_string(out, "   ");
    if (depth)
        buffer_add_string(out, dashed ? "└╌ " : "└─ ");
}

SLOT(row_name)
{
    name_process(out, lineage_of(page), page_row(page)->process);
}
SLOT(row_link_anchor)
{
    if (page_row(page)->relation == RELATION_MATCH)
        buffer_printf(out, "p%" PRIu32, page_row(page)->process);
}
SLOT(row_command_line)
{
    put_command_line(out, page, row_process(page));
}
SLOT(row_image)
{
    put_recorded(out, string_of(page, row_process(page)->image));
}
SLOT(row_user)
{
    put_recorded(out, string_of(page, row_process(page)->user));
}
SLOT(row_start)
{
    put_start(page, out, row_process(page));
}
SLOT(row_end)
{
    put_end(page, out, row_process(page));
}
SLOT(row_kind)
{
    const struct process *p = row_process(page);
    if (p->kind != PROCESS_LOGGED)
        put_kind(out, p);
    else if (!record_state_is_live(p->state))
        buffer_printf(out, "creation record recovered, state %s",
                      record_state_name(p->state));
}
SLOT(row_grade)
{
    buffer_add_string(out, link_grade_name((enum link_grade)row_process(page)->grade));
}
SLOT(row_grade_reason)
{
    put(out, string_of(page, row_process(page)->grade_reason));
}
SLOT(row_candidate)
{
    uint32_t candidate = row_process(page)->candidate;
    if (candidate == PROCESS_NONE)
        return;
    name_process(out, lineage_of(page), candidate);
    buffer_printf(out, ", grade %s",
                  link_grade_name((enum link_grade)row_process(page)->grade));
}

/* --- events 8, 10 and 25 on the host process, and their absence */

LOOP(next_corroboration)
{
    return step(&page->at.corroboration, is_first, page->corroborations.count);
}

static const struct corroboration *corroboration(const struct page *page)
{
    return &page->corroborations.first[page->at.corroboration];
}

SLOT(corroborations_left_out)
{
    put_number_unless(out, page_corroborations_left_out(page), 0);
}
SLOT(corroboration_code)
{
    put(out, corroboration(page)->code);
}
SLOT(corroboration_strength)
{
    buffer_add_string(out, strength_name(corroboration(page)->strength));
}
SLOT(corroboration_event)
{
    put_number(out, corroboration(page)->event_id);
}
SLOT(corroboration_time)
{
    put_time(page, out, corroboration(page)->utc_filetime);
}
SLOT(corroboration_words)
{
    put(out, corroboration(page)->sentence);
}
SLOT(corroboration_place)
{
    const struct corroboration *c = corroboration(page);
    if (c->log)
        put_place(out, evidence_log_place(c->log, c->offset, c->record_id));
}

static const uint16_t injection_events[] = {SYSMON_REMOTE_THREAD, SYSMON_PROCESS_ACCESS,
                                            SYSMON_PROCESS_TAMPERING};

/* A neutral event is listed and speaks for nothing: what is of interest is still not there. */
static bool has_corroboration(const struct page *page, uint16_t event_id)
{
    for (size_t i = 0; i < page->corroborations.count; i++)
        if (page->corroborations.first[i].event_id == event_id &&
            page->corroborations.first[i].strength != STRENGTH_NEUTRAL)
            return true;
    return false;
}

LOOP(next_silence)
{
    size_t count = sizeof injection_events / sizeof *injection_events;
    size_t at = is_first ? 0 : page->at.silence + 1;
    while (at < count && has_corroboration(page, injection_events[at]))
        at++;
    page->at.silence = at;
    return at < count;
}

/* The log that the section's first creation was recorded in. */
static const struct log_report *section_log(const struct page *page)
{
    const struct report *r = page->report;
    const struct finding *f = &r->detector->findings[page_section(page)->first_finding];
    uint32_t number = lineage_process(r->lineage, f->process)->log;
    return number < r->evidence->log_count
               ? report_log_of(r, &r->evidence->logs[number])
               : NULL;
}

/* Event 25 came with Sysmon 13 and its schema 4.50. Schema versions are decimal fractions:
 * 4.1 is older than 4.50. A version of another form proves nothing. */
static bool is_before_tampering(const struct coverage *coverage)
{
    struct text v = coverage->schema_version;
    bool is_version = v.len >= 3 && v.len <= 4 && v.ptr[1] == '.';
    for (size_t i = 0; i < v.len; i++)
        is_version = is_version && (i == 1 || (v.ptr[i] >= '0' && v.ptr[i] <= '9'));
    return is_version && (v.ptr[0] < '4' || (v.ptr[0] == '4' && v.ptr[2] < '5'));
}

/* "No event 8", never "none happened": and could there have been one? */
SLOT(silence_words)
{
    uint16_t id = injection_events[page->at.silence];
    const struct log_report *log = section_log(page);
    buffer_printf(out, "No event %u (%s) of interest on this host process in ",
                  (unsigned)id, sysmon_event_name(id));
    if (!log) {
        buffer_add_string(out, "the logs; whether it was collected: not determined");
        return;
    }
    put(out, log->log->path);
    buffer_add_string(out, " between ");
    put_time(page, out, log->coverage.first_utc_filetime);
    buffer_add_string(out, " and ");
    put_time(page, out, log->coverage.last_utc_filetime);
    uint64_t n = log->coverage.per_event_id[id & 0xff];
    if (n)
        buffer_printf(
            out,
            "; whether it was collected: on, at least in part (this log holds "
            "%" PRIu64 " event%s of that id)",
            n, PLURAL(n));
    else if (id == SYSMON_PROCESS_TAMPERING && is_before_tampering(&log->coverage))
        buffer_printf(
            out,
            "; whether it was collected: off (this log's newest event 4 names "
            "schema %.*s; Sysmon has event 25 since schema 4.50)",
            TEXT(log->coverage.schema_version));
    else
        buffer_add_string(out, "; whether it was collected: not determined (this log "
                               "holds no event of that id)");
}

/* --- a section's timeline */

LOOP(next_event)
{
    return step(&page->at.event, is_first, page->events.count);
}

SLOT(events_left_out)
{
    put_number_unless(out, page->events.left_out, 0);
}
SLOT(event_time)
{
    put_time(page, out, page_event(page)->utc_filetime);
}
SLOT(event_logged)
{
    if (page_event(page)->created_filetime != FILETIME_NONE)
        put_time(page, out, page_event(page)->created_filetime);
}
SLOT(event_happened)
{
    buffer_add_string(out, timeline_happened(page_event(page)->event_id));
}
SLOT(event_id)
{
    put_number(out, page_event(page)->event_id);
}
SLOT(event_words)
{
    put(out, page_event(page)->message);
}
SLOT(event_class)
{
    buffer_add_string(out, page_event(page)->finding != UINT32_MAX ? "match" : "plain");
}
SLOT(event_place)
{
    const struct timeline_event *e = page_event(page);
    put_place(out, evidence_log_place(e->log, e->offset, e->record_id));
    name_state_unless_live(out, e->state);
}

/* --- near misses, of processes without a finding */

LOOP(next_miss)
{
    return step(&page->at.miss, is_first, page->misses_apart.count);
}

static const struct process *miss_process(const struct page *page)
{
    return lineage_process(lineage_of(page), page_miss(page)->process);
}

SLOT(miss_total)
{
    put_number_unless(out, page->misses_apart.count, 0);
}
SLOT(misses_left_out)
{
    put_number_unless(out, page->misses_apart.left_out, 0);
}
SLOT(miss_name)
{
    name_process(out, lineage_of(page), page_miss(page)->process);
}
SLOT(miss_computer)
{
    put_recorded(out, lineage_computer(lineage_of(page), miss_process(page)));
}
SLOT(miss_time)
{
    put_time(page, out, miss_process(page)->start_filetime);
}
SLOT(miss_rule)
{
    if (!page_miss(page)->rule) {
        buffer_add_string(out, "a blind spot of all rules");
        return;
    }
    put(out, page_miss(page)->rule->title);
    buffer_add_string(out, " (");
    put(out, page_miss(page)->rule->source);
    buffer_add_char(out, ')');
}
SLOT(miss_why)
{
    put(out, page_miss(page)->why);
}
SLOT(miss_conditions)
{
    name_reasons(out, page_miss(page)->reasons, page_miss(page)->reason_count);
}
SLOT(miss_parent)
{
    name_image(out, string_of(page, miss_process(page)->parent_image),
               miss_process(page)->parent_pid);
}
SLOT(miss_command_line)
{
    put_command_line(out, page, miss_process(page));
}
SLOT(miss_parent_command_line)
{
    put_recorded(out, string_of(page, miss_process(page)->parent_command_line));
}
SLOT(miss_place)
{
    uint32_t process = page_miss(page)->process;
    put_place(out, process_place(page->report, process));
    put_process_state(out, lineage_process(lineage_of(page), process));
}

/* --- the user's filters */

#define FILTER(page) (&(page)->report->detector->filters[(page)->at.filter])

LOOP(next_filter)
{
    return step(&page->at.filter, is_first, page->report->detector->filter_count);
}

SLOT(filter_title)
{
    put(out, FILTER(page)->title);
}
SLOT(filter_reason)
{
    put(out, FILTER(page)->reason);
}
SLOT(filter_place)
{
    put(out, FILTER(page)->file);
    buffer_printf(out, ", line %u", FILTER(page)->line);
}
SLOT(filter_taken)
{
    put_number(out, FILTER(page)->taken);
}

/* --- rules */

#define RULE(page) (&(page)->report->detector->rules->items[(page)->at.rule])

LOOP(next_rule)
{
    return step(&page->at.rule, is_first, page->report->detector->rules->count);
}

SLOT(rule_anchor)
{
    buffer_printf(out, "rule-%zu", page->at.rule + 1);
}
SLOT(rule_title)
{
    put(out, RULE(page)->title);
}
SLOT(rule_id)
{
    put(out, RULE(page)->id);
}
SLOT(rule_source)
{
    put(out, RULE(page)->source);
}
SLOT(rule_file)
{
    put(out, RULE(page)->file);
}
SLOT(rule_hash)
{
    char hex[DIGEST_HEX_MAX];
    put(out, digest_hex(hex, &RULE(page)->digests, DIGEST_SHA256));
}
SLOT(rule_matches)
{
    uint64_t n = rule_creations(page->report->detector, RULE(page));
    buffer_printf(out, "%" PRIu64 " process creation%s", n, PLURAL(n));
}
SLOT(rule_filtered)
{
    put_number_unless(out, RULE(page)->filtered, 0);
}
SLOT(rule_level)
{
    buffer_add_string(out, rule_level_name(RULE(page)->level));
}
SLOT(rule_status)
{
    put(out, RULE(page)->status);
}
SLOT(rule_author)
{
    put(out, RULE(page)->author);
}
SLOT(rule_date)
{
    put(out, RULE(page)->date);
}
SLOT(rule_modified)
{
    put(out, RULE(page)->modified);
}
SLOT(rule_version)
{
    put(out, RULE(page)->version);
}
SLOT(rule_license)
{
    put(out, RULE(page)->license);
}
SLOT(rule_origin)
{
    put(out, RULE(page)->origin_url);
}
SLOT(rule_retrieved)
{
    put(out, RULE(page)->retrieved);
}
SLOT(rule_confidence)
{
    put(out, RULE(page)->confidence_label);
}
SLOT(rule_caveat)
{
    put(out, RULE(page)->source_caveat);
}
SLOT(rule_hypothesis)
{
    put(out, RULE(page)->hypothesis);
}
SLOT(rule_description)
{
    put(out, RULE(page)->description);
}
SLOT(rule_tactics)
{
    put_list(out, &RULE(page)->tactics);
}
SLOT(rule_techniques)
{
    put_list(out, &RULE(page)->techniques);
}
SLOT(rule_labels)
{
    put_list(out, &RULE(page)->labels);
}
SLOT(rule_platforms)
{
    put_list(out, &RULE(page)->platforms);
}
SLOT(rule_data_sources)
{
    put_list(out, &RULE(page)->data_sources);
}
SLOT(rule_kill_chain)
{
    put(out, RULE(page)->kill_chain_phase);
}
SLOT(rule_story)
{
    put(out, RULE(page)->analytic_story);
}
SLOT(rule_query)
{
    put(out, RULE(page)->query);
}
SLOT(rule_evaluated_on)
{
    put(out, RULE(page)->evaluated_on);
}
SLOT(rule_message)
{
    put(out, RULE(page)->message_template);
}
SLOT(rule_risk)
{
    if (RULE(page)->has_risk)
        buffer_printf(
            out, "%" PRIu32 " = impact %" PRIu32 " x confidence %" PRIu32 " / 100",
            RULE(page)->risk_score, RULE(page)->impact, RULE(page)->confidence);
}

SLOT(rule_type)
{
    put(out, RULE(page)->type);
}
SLOT(rule_code)
{
    put(out, RULE(page)->code);
}
SLOT(rule_taxonomy)
{
    put(out, RULE(page)->taxonomy);
}
SLOT(rule_extensions)
{
    put_list(out, &RULE(page)->extensions);
}
SLOT(rule_alert_level)
{
    const struct rule *rule = RULE(page);
    if (rule->alert_level == rule->level)
        return;
    buffer_add_string(out, rule_level_name(rule->alert_level));
    if (!text_is_empty(rule->alert_level_basis)) {
        buffer_add_string(out, ": ");
        put(out, rule->alert_level_basis);
    }
}

SLOT(rule_required)
{
    put_list(out, &RULE(page)->required_fields);
}
SLOT(rule_references)
{
    put_sentences(out, &RULE(page)->references);
}
SLOT(rule_false_positives)
{
    put_sentences(out, &RULE(page)->false_positives);
}
SLOT(rule_explanations)
{
    put_sentences(out, &RULE(page)->innocent_explanations);
}

LOOP(next_reference)
{
    return step(&page->at.rule_line, is_first, RULE(page)->references.count);
}
SLOT(reference)
{
    put(out, RULE(page)->references.items[page->at.rule_line]);
}

LOOP(next_false_positive)
{
    return step(&page->at.rule_line, is_first, RULE(page)->false_positives.count);
}
SLOT(false_positive)
{
    put(out, RULE(page)->false_positives.items[page->at.rule_line]);
}

LOOP(next_explanation)
{
    return step(&page->at.rule_line, is_first, RULE(page)->innocent_explanations.count);
}
SLOT(explanation)
{
    put(out, RULE(page)->innocent_explanations.items[page->at.rule_line]);
}

/* --- problems */

LOOP(next_kind)
{
    size_t at = is_first ? 0 : page->at.kind + 1;
    while (at < PROBLEM_CODES && !page->report->problems->per_code[at])
        at++;
    page->at.kind = at;
    return at < PROBLEM_CODES;
}

SLOT(problem_total)
{
    put_number_unless(out, page->report->problems->count, 0);
}
SLOT(kind_code)
{
    buffer_add_string(out, problem_kinds[page->at.kind].code);
}
SLOT(kind_sentence)
{
    buffer_add_string(out, problem_kinds[page->at.kind].sentence);
}
SLOT(kind_count)
{
    put_number(out, page->report->problems->per_code[page->at.kind]);
}
SLOT(kind_class)
{
    static const char *const classes[] = {"could not be read", "as recorded", "note"};
    buffer_add_string(out, classes[problem_kinds[page->at.kind].class]);
}

LOOP(next_problem)
{
    return step(&page->at.problem, is_first, page->problems.count);
}

SLOT(problems_left_out)
{
    put_number_unless(out, page->problems.left_out, 0);
}
SLOT(problem_code)
{
    buffer_add_string(out, problem_kinds[page_problem(page)->code].code);
}
SLOT(problem_severity)
{
    buffer_add_string(out, problem_severity_name(page_problem(page)->severity));
}
SLOT(problem_place)
{
    put_place(out, page_problem(page)->place);
}
SLOT(problem_words)
{
    put(out, page_problem(page)->message);
}

#define CLEARING(page) (&(page)->report->clearings[(page)->at.clearing])

LOOP(next_clearing)
{
    size_t count = page->report->clearing_count;
    return step(&page->at.clearing, is_first,
                count < PROBLEMS_MAX ? count : PROBLEMS_MAX);
}

SLOT(clearing_total)
{
    put_number_unless(out, page->report->clearing_count, 0);
}
SLOT(clearings_left_out)
{
    size_t count = page->report->clearing_count;
    put_number_unless(out, count > PROBLEMS_MAX ? count - PROBLEMS_MAX : 0, 0);
}
SLOT(clearing_time)
{
    put_time(page, out, CLEARING(page)->created_filetime);
}
SLOT(clearing_channel)
{
    put_recorded(out, CLEARING(page)->channel);
}
SLOT(clearing_computer)
{
    put_recorded(out, CLEARING(page)->computer);
}
SLOT(clearing_account)
{
    const struct clearing_report *c = CLEARING(page);
    if (!text_is_empty(c->domain)) {
        put(out, c->domain);
        buffer_add_char(out, '\\');
    }
    put_recorded(out, c->user);
    if (!text_is_empty(c->user_sid)) {
        buffer_add_string(out, ", ");
        put(out, c->user_sid);
    }
}
SLOT(clearing_place)
{
    const struct clearing_report *c = CLEARING(page);
    put_place(out, evidence_log_place(c->log, c->offset, c->record_id));
    name_state_unless_live(out, c->state);
}

/* --- the tables */

static const struct slot slots[] = {
    {"",                "style-hash",                     SLOT_TOKEN, style_hash_slot             },
    {"",                "version",                        SLOT_TEXT,  version_slot                },
    {"",                "case-number",                    SLOT_TEXT,  case_number_slot            },
    {"",                "evidence-number",                SLOT_TEXT,  evidence_number_slot        },
    {"",                "examiner",                       SLOT_TEXT,  examiner_slot               },
    {"",                "notes",                          SLOT_LINES, notes_slot                  },
    {"",                "laboratory",                     SLOT_TEXT,  laboratory_slot             },
    {"",                "client",                         SLOT_TEXT,  client_slot                 },
    {"",                "case-reference",                 SLOT_TEXT,  case_reference_slot         },
    {"",                "received",                       SLOT_TEXT,  received_slot               },
    {"",                "case-file",                      SLOT_TEXT,  case_file_slot              },
    {"",                "case-file-hash",                 SLOT_TEXT,  case_file_hash_slot         },
    {"",                "signature",                      SLOT_TEXT,  signature_slot              },
    {"",                "logo",                           SLOT_TOKEN, logo_slot                   },
    {"",                "language",                       SLOT_TOKEN, language_slot               },
    {"",                "translated",                     SLOT_TEXT,  translated_slot             },
    {"",                "timezone",                       SLOT_TEXT,  timezone_slot               },
    {"",                "dispositions-file",              SLOT_TEXT,  dispositions_file_slot      },
    {"",                "dispositions-hash",              SLOT_TEXT,  dispositions_hash_slot      },
    {"",                "started",                        SLOT_TEXT,  started_slot                },
    {"",                "ended",                          SLOT_TEXT,  ended_slot                  },
    {"",                "clock-fixed",                    SLOT_TEXT,  clock_fixed_slot            },
    {"",                "command-line",                   SLOT_TEXT,  command_line_slot           },
    {"",                "platform",                       SLOT_TEXT,  platform_slot               },
    {"",                "reader",                         SLOT_TEXT,  reader_slot                 },
    {"",                "verification",                   SLOT_TEXT,  verification_slot           },
    {"",                "verify-mode",                    SLOT_TEXT,  verify_mode_slot            },
    {"",                "verified-whole",                 SLOT_TEXT,  verified_whole_slot         },
    {"",                "libraries",                      SLOT_TEXT,  libraries_slot              },
    {"",                "rules-folder",                   SLOT_TEXT,  rules_folder_slot           },
    {"",                "templates-folder",               SLOT_TEXT,  templates_folder_slot       },
    {"",                "filter-file",                    SLOT_TEXT,  filter_file_slot            },
    {"",                "filter-hash",                    SLOT_TEXT,  filter_hash_slot            },
    {"",                "filtered",                       SLOT_TEXT,  filtered_slot               },
    {"",                "tolerance",                      SLOT_TEXT,  tolerance_slot              },
    {"",                "exit-status",                    SLOT_TEXT,  exit_status_slot            },
    {"",                "rules-hash",                     SLOT_TEXT,  rules_hash_slot             },
    {"",                "rule-total",                     SLOT_TEXT,  rule_total_slot             },
    {"",                "finding-total",                  SLOT_TEXT,  finding_total_slot          },
    {"",                "hosts-left-out",                 SLOT_TEXT,  hosts_left_out_slot         },
    {"",                "sections-left-out",              SLOT_TEXT,  sections_left_out_slot      },
    {"",                "miss-total",                     SLOT_TEXT,  miss_total_slot             },
    {"",                "misses-left-out",                SLOT_TEXT,  misses_left_out_slot        },
    {"",                "problem-total",                  SLOT_TEXT,  problem_total_slot          },
    {"",                "problems-left-out",              SLOT_TEXT,  problems_left_out_slot      },
    {"",                "clearing-total",                 SLOT_TEXT,  clearing_total_slot         },
    {"",                "clearings-left-out",             SLOT_TEXT,  clearings_left_out_slot     },
    {"statements",      "statement-label",                SLOT_TOKEN, statement_label_slot        },
    {"statements",      "statement-words",                SLOT_TEXT,  statement_words_slot        },
    {"items",           "item-path",                      SLOT_TEXT,  item_path_slot              },
    {"items",           "item-format",                    SLOT_TEXT,  item_format_slot            },
    {"items",           "item-size",                      SLOT_TEXT,  item_size_slot              },
    {"items",           "item-segments",                  SLOT_TEXT,  item_segments_slot          },
    {"items",           "item-logs",                      SLOT_TEXT,  item_logs_slot              },
    {"items",           "item-hashes",                    SLOT_TEXT,  item_hashes_slot            },
    {"items",           "item-acquisition",               SLOT_TEXT,  item_acquisition_slot       },
    {"volumes",         "volume-number",                  SLOT_TEXT,  volume_number_slot          },
    {"volumes",         "volume-offset",                  SLOT_TEXT,  volume_offset_slot          },
    {"volumes",         "volume-size",                    SLOT_TEXT,  volume_size_slot            },
    {"volumes",         "volume-description",             SLOT_TEXT,  volume_description_slot     },
    {"volumes",         "volume-file-system",             SLOT_TEXT,  volume_file_system_slot     },
    {"volumes",         "volume-state",                   SLOT_TEXT,  volume_state_slot           },
    {"logs",            "log-path",                       SLOT_TEXT,  log_path_slot               },
    {"logs",            "log-evidence",                   SLOT_TEXT,  log_evidence_slot           },
    {"logs",            "log-size",                       SLOT_TEXT,  log_size_slot               },
    {"logs",            "log-hashes",                     SLOT_TEXT,  log_hashes_slot             },
    {"logs",            "log-hashed",                     SLOT_TEXT,  log_hashed_slot             },
    {"logs",            "log-chunks",                     SLOT_TEXT,  log_chunks_slot             },
    {"logs",            "log-records",                    SLOT_TEXT,  log_records_slot            },
    {"logs",            "log-period",                     SLOT_TEXT,  log_period_slot             },
    {"logs",            "log-ids",                        SLOT_TEXT,  log_ids_slot                },
    {"logs",            "log-origin",                     SLOT_TEXT,  log_origin_slot             },
    {"logs",            "log-event-ids",                  SLOT_TEXT,  log_event_ids_slot          },
    {"logs",            "log-absent-ids",                 SLOT_TEXT,  log_absent_ids_slot         },
    {"logs",            "log-sysmon",                     SLOT_TEXT,  log_sysmon_slot             },
    {"logs",            "log-problems",                   SLOT_TEXT,  log_problems_slot           },
    {"hosts",           "host-computer",                  SLOT_TEXT,  host_computer_slot          },
    {"hosts",           "host-machine",                   SLOT_TEXT,  host_machine_slot           },
    {"hosts",           "host-first",                     SLOT_TEXT,  host_first_slot             },
    {"hosts",           "host-last",                      SLOT_TEXT,  host_last_slot              },
    {"hosts",           "host-records",                   SLOT_TEXT,  host_records_slot           },
    {"hosts",           "host-creations",                 SLOT_TEXT,  host_creations_slot         },
    {"hosts",           "host-guid-times",                SLOT_TEXT,  host_guid_times_slot        },
    {"sections",        "section-number",                 SLOT_TOKEN, section_number_slot         },
    {"sections",        "section-host-known",             SLOT_TEXT,  section_host_known_slot     },
    {"sections",        "section-name",                   SLOT_TEXT,  section_name_slot           },
    {"sections",        "section-computer",               SLOT_TEXT,  section_computer_slot       },
    {"sections",        "section-count",                  SLOT_TEXT,  section_count_slot          },
    {"sections",        "section-recovered",              SLOT_TEXT,  section_recovered_slot      },
    {"sections",        "section-creations-left-out",     SLOT_TEXT,
     section_creations_left_out_slot                                                              },
    {"sections",        "section-kind",                   SLOT_TEXT,  section_kind_slot           },
    {"sections",        "section-image",                  SLOT_TEXT,  section_image_slot          },
    {"sections",        "section-command-line",           SLOT_TEXT,  section_command_line_slot   },
    {"sections",        "section-user",                   SLOT_TEXT,  section_user_slot           },
    {"sections",        "section-guid",                   SLOT_TEXT,  section_guid_slot           },
    {"sections",        "section-start",                  SLOT_TEXT,  section_start_slot          },
    {"sections",        "section-end",                    SLOT_TEXT,  section_end_slot            },
    {"sections",        "section-place",                  SLOT_TEXT,  section_place_slot          },
    {"sections",        "rows-left-out",                  SLOT_TEXT,  rows_left_out_slot          },
    {"sections",        "chain-left-out",                 SLOT_TEXT,  chain_left_out_slot         },
    {"sections",        "corroborations-left-out",        SLOT_TEXT,  corroborations_left_out_slot},
    {"sections",        "events-left-out",                SLOT_TEXT,  events_left_out_slot        },
    {"creations",       "creation-anchor",                SLOT_TOKEN, creation_anchor_slot        },
    {"creations",       "creation-key",                   SLOT_TEXT,  creation_key_slot           },
    {"creations",       "creation-name",                  SLOT_TEXT,  creation_name_slot          },
    {"creations",       "creation-image",                 SLOT_TEXT,  creation_image_slot         },
    {"creations",       "creation-command-line",          SLOT_TEXT,  creation_command_line_slot  },
    {"creations",       "creation-recorded-command-line", SLOT_TEXT,
     creation_recorded_command_line_slot                                                          },
    {"creations",       "creation-user",                  SLOT_TEXT,  creation_user_slot          },
    {"creations",       "creation-integrity",             SLOT_TEXT,  creation_integrity_slot     },
    {"creations",       "creation-hashes",                SLOT_TEXT,  creation_hashes_slot        },
    {"creations",       "creation-original-name",         SLOT_TEXT,  creation_original_name_slot },
    {"creations",       "creation-directory",             SLOT_TEXT,  creation_directory_slot     },
    {"creations",       "creation-session",               SLOT_TEXT,  creation_session_slot       },
    {"creations",       "creation-guid",                  SLOT_TEXT,  creation_guid_slot          },
    {"creations",       "creation-start",                 SLOT_TEXT,  creation_start_slot         },
    {"creations",       "creation-logged",                SLOT_TEXT,  creation_logged_slot        },
    {"creations",       "creation-end",                   SLOT_TEXT,  creation_end_slot           },
    {"creations",       "creation-parent",                SLOT_TEXT,  creation_parent_slot        },
    {"creations",       "creation-parent-image",          SLOT_TEXT,  creation_parent_image_slot  },
    {"creations",       "creation-parent-command-line",   SLOT_TEXT,
     creation_parent_command_line_slot                                                            },
    {"creations",       "creation-parent-guid",           SLOT_TEXT,  creation_parent_guid_slot   },
    {"creations",       "creation-ancestors",             SLOT_TEXT,  creation_ancestors_slot     },
    {"creations",       "creation-grade",                 SLOT_TEXT,  creation_grade_slot         },
    {"creations",       "creation-grade-reason",          SLOT_TEXT,  creation_grade_reason_slot  },
    {"creations",       "creation-place",                 SLOT_TEXT,  creation_place_slot         },
    {"creations",       "creation-verified",              SLOT_TEXT,  creation_verified_slot      },
    {"creations",       "creation-state",                 SLOT_TEXT,  creation_state_slot         },
    {"supports",        "support-words",                  SLOT_TEXT,  support_words_slot          },
    {"verdicts",        "verdict-title",                  SLOT_TEXT,  verdict_title_slot          },
    {"verdicts",        "verdict-source",                 SLOT_TEXT,  verdict_source_slot         },
    {"verdicts",        "verdict-level",                  SLOT_TEXT,  verdict_level_slot          },
    {"verdicts",        "verdict-anchor",                 SLOT_TOKEN, verdict_anchor_slot         },
    {"verdicts",        "verdict-met",                    SLOT_TEXT,  verdict_met_slot            },
    {"verdicts",        "verdict-label",                  SLOT_TOKEN, verdict_label_slot          },
    {"verdicts",        "verdict-disposition",            SLOT_TEXT,  verdict_disposition_slot    },
    {"verdicts",        "verdict-disposition-by",         SLOT_TEXT,  verdict_disposition_by_slot },
    {"verdicts",        "verdict-disposition-reason",     SLOT_TEXT,  verdict_disposition_reason_slot},
    {"verdicts",        "verdict-finding",                SLOT_TEXT,  verdict_finding_slot        },
    {"verdicts",        "verdict-message",                SLOT_TEXT,  verdict_message_slot        },
    {"verdicts",        "verdict-why",                    SLOT_TEXT,  verdict_why_slot            },
    {"verdicts",        "verdict-explanations",           SLOT_TEXT,  verdict_explanations_slot   },
    {"reasons",         "reason-met",                     SLOT_TEXT,  reason_met_slot             },
    {"reasons",         "reason-field",                   SLOT_TEXT,  reason_field_slot           },
    {"reasons",         "reason-operation",               SLOT_TEXT,  reason_operation_slot       },
    {"reasons",         "reason-expected",                SLOT_TEXT,  reason_expected_slot        },
    {"reasons",         "reason-recorded",                SLOT_TEXT,  reason_recorded_slot        },
    {"rows",            "row-class",                      SLOT_TOKEN, row_class_slot              },
    {"rows",            "row-relation",                   SLOT_TEXT,  row_relation_slot           },
    {"rows",            "row-branch",                     SLOT_TEXT,  row_branch_slot             },
    {"rows",            "row-name",                       SLOT_TEXT,  row_name_slot               },
    {"rows",            "row-link-anchor",                SLOT_TOKEN, row_link_anchor_slot        },
    {"rows",            "row-command-line",               SLOT_TEXT,  row_command_line_slot       },
    {"rows",            "row-image",                      SLOT_TEXT,  row_image_slot              },
    {"rows",            "row-user",                       SLOT_TEXT,  row_user_slot               },
    {"rows",            "row-start",                      SLOT_TEXT,  row_start_slot              },
    {"rows",            "row-end",                        SLOT_TEXT,  row_end_slot                },
    {"rows",            "row-kind",                       SLOT_TEXT,  row_kind_slot               },
    {"rows",            "row-grade",                      SLOT_TEXT,  row_grade_slot              },
    {"rows",            "row-grade-reason",               SLOT_TEXT,  row_grade_reason_slot       },
    {"rows",            "row-candidate",                  SLOT_TEXT,  row_candidate_slot          },
    {"corroborations",  "corroboration-code",             SLOT_TEXT,  corroboration_code_slot     },
    {"corroborations",  "corroboration-strength",         SLOT_TOKEN,
     corroboration_strength_slot                                                                  },
    {"corroborations",  "corroboration-event",            SLOT_TEXT,  corroboration_event_slot    },
    {"corroborations",  "corroboration-time",             SLOT_TEXT,  corroboration_time_slot     },
    {"corroborations",  "corroboration-words",            SLOT_TEXT,  corroboration_words_slot    },
    {"corroborations",  "corroboration-place",            SLOT_TEXT,  corroboration_place_slot    },
    {"silences",        "silence-words",                  SLOT_TEXT,  silence_words_slot          },
    {"events",          "event-time",                     SLOT_TEXT,  event_time_slot             },
    {"events",          "event-logged",                   SLOT_TEXT,  event_logged_slot           },
    {"events",          "event-happened",                 SLOT_TEXT,  event_happened_slot         },
    {"events",          "event-id",                       SLOT_TEXT,  event_id_slot               },
    {"events",          "event-words",                    SLOT_TEXT,  event_words_slot            },
    {"events",          "event-class",                    SLOT_TOKEN, event_class_slot            },
    {"events",          "event-place",                    SLOT_TEXT,  event_place_slot            },
    {"near-misses",     "miss-name",                      SLOT_TEXT,  miss_name_slot              },
    {"near-misses",     "miss-computer",                  SLOT_TEXT,  miss_computer_slot          },
    {"near-misses",     "miss-time",                      SLOT_TEXT,  miss_time_slot              },
    {"near-misses",     "miss-rule",                      SLOT_TEXT,  miss_rule_slot              },
    {"near-misses",     "miss-why",                       SLOT_TEXT,  miss_why_slot               },
    {"near-misses",     "miss-conditions",                SLOT_TEXT,  miss_conditions_slot        },
    {"near-misses",     "miss-parent",                    SLOT_TEXT,  miss_parent_slot            },
    {"near-misses",     "miss-command-line",              SLOT_TEXT,  miss_command_line_slot      },
    {"near-misses",     "miss-parent-command-line",       SLOT_TEXT,
     miss_parent_command_line_slot                                                                },
    {"near-misses",     "miss-place",                     SLOT_TEXT,  miss_place_slot             },
    {"rules",           "rule-anchor",                    SLOT_TOKEN, rule_anchor_slot            },
    {"rules",           "rule-title",                     SLOT_TEXT,  rule_title_slot             },
    {"rules",           "rule-id",                        SLOT_TEXT,  rule_id_slot                },
    {"rules",           "rule-source",                    SLOT_TEXT,  rule_source_slot            },
    {"rules",           "rule-file",                      SLOT_TEXT,  rule_file_slot              },
    {"rules",           "rule-hash",                      SLOT_TEXT,  rule_hash_slot              },
    {"rules",           "rule-matches",                   SLOT_TEXT,  rule_matches_slot           },
    {"rules",           "rule-filtered",                  SLOT_TEXT,  rule_filtered_slot          },
    {"rules",           "rule-level",                     SLOT_TEXT,  rule_level_slot             },
    {"rules",           "rule-status",                    SLOT_TEXT,  rule_status_slot            },
    {"rules",           "rule-author",                    SLOT_TEXT,  rule_author_slot            },
    {"rules",           "rule-date",                      SLOT_TEXT,  rule_date_slot              },
    {"rules",           "rule-modified",                  SLOT_TEXT,  rule_modified_slot          },
    {"rules",           "rule-version",                   SLOT_TEXT,  rule_version_slot           },
    {"rules",           "rule-license",                   SLOT_TEXT,  rule_license_slot           },
    {"rules",           "rule-origin",                    SLOT_TEXT,  rule_origin_slot            },
    {"rules",           "rule-retrieved",                 SLOT_TEXT,  rule_retrieved_slot         },
    {"rules",           "rule-confidence",                SLOT_TEXT,  rule_confidence_slot        },
    {"rules",           "rule-caveat",                    SLOT_TEXT,  rule_caveat_slot            },
    {"rules",           "rule-hypothesis",                SLOT_LINES, rule_hypothesis_slot        },
    {"rules",           "rule-description",               SLOT_LINES, rule_description_slot       },
    {"rules",           "rule-tactics",                   SLOT_TEXT,  rule_tactics_slot           },
    {"rules",           "rule-techniques",                SLOT_TEXT,  rule_techniques_slot        },
    {"rules",           "rule-labels",                    SLOT_TEXT,  rule_labels_slot            },
    {"rules",           "rule-required",                  SLOT_TEXT,  rule_required_slot          },
    {"rules",           "rule-platforms",                 SLOT_TEXT,  rule_platforms_slot         },
    {"rules",           "rule-data-sources",              SLOT_TEXT,  rule_data_sources_slot      },
    {"rules",           "rule-kill-chain",                SLOT_TEXT,  rule_kill_chain_slot        },
    {"rules",           "rule-story",                     SLOT_TEXT,  rule_story_slot             },
    {"rules",           "rule-query",                     SLOT_LINES, rule_query_slot             },
    {"rules",           "rule-evaluated-on",              SLOT_TEXT,  rule_evaluated_on_slot      },
    {"rules",           "rule-message",                   SLOT_TEXT,  rule_message_slot           },
    {"rules",           "rule-risk",                      SLOT_TEXT,  rule_risk_slot              },
    {"references",      "reference",                      SLOT_TEXT,  reference_slot              },
    {"false-positives", "false-positive",                 SLOT_TEXT,  false_positive_slot         },
    {"explanations",    "explanation",                    SLOT_TEXT,  explanation_slot            },
    {"problem-kinds",   "kind-code",                      SLOT_TEXT,  kind_code_slot              },
    {"problem-kinds",   "kind-sentence",                  SLOT_TEXT,  kind_sentence_slot          },
    {"problem-kinds",   "kind-count",                     SLOT_TEXT,  kind_count_slot             },
    {"problem-kinds",   "kind-class",                     SLOT_TEXT,  kind_class_slot             },
    {"problems",        "problem-code",                   SLOT_TEXT,  problem_code_slot           },
    {"problems",        "problem-severity",               SLOT_TOKEN, problem_severity_slot       },
    {"problems",        "problem-place",                  SLOT_TEXT,  problem_place_slot          },
    {"problems",        "problem-words",                  SLOT_TEXT,  problem_words_slot          },
    {"clearings",       "clearing-time",                  SLOT_TEXT,  clearing_time_slot          },
    {"clearings",       "clearing-channel",               SLOT_TEXT,  clearing_channel_slot       },
    {"clearings",       "clearing-computer",              SLOT_TEXT,  clearing_computer_slot      },
    {"clearings",       "clearing-account",               SLOT_TEXT,  clearing_account_slot       },
    {"clearings",       "clearing-place",                 SLOT_TEXT,  clearing_place_slot         },
    {"rules",           "rule-type",                      SLOT_TEXT,  rule_type_slot              },
    {"rules",           "rule-code",                      SLOT_TEXT,  rule_code_slot              },
    {"rules",           "rule-taxonomy",                  SLOT_TEXT,  rule_taxonomy_slot          },
    {"rules",           "rule-extensions",                SLOT_TEXT,  rule_extensions_slot        },
    {"rules",           "rule-alert-level",               SLOT_TEXT,  rule_alert_level_slot       },
    {"filters",         "filter-title",                   SLOT_TEXT,  filter_title_slot           },
    {"filters",         "filter-reason",                  SLOT_TEXT,  filter_reason_slot          },
    {"filters",         "filter-place",                   SLOT_TEXT,  filter_place_slot           },
    {"filters",         "filter-taken",                   SLOT_TEXT,  filter_taken_slot           },
    {"rules",           "rule-references",                SLOT_TEXT,  rule_references_slot        },
    {"rules",           "rule-false-positives",           SLOT_TEXT,  rule_false_positives_slot   },
    {"rules",           "rule-explanations",              SLOT_TEXT,  rule_explanations_slot      },
};

static const struct loop loops[] = {
    {"",          "statements",      next_statement_loop     },
    {"",          "items",           next_item_loop          },
    {"items",     "volumes",         next_volume_loop        },
    {"",          "logs",            next_log_loop           },
    {"",          "hosts",           next_host_loop          },
    {"",          "sections",        next_section_loop       },
    {"sections",  "creations",       next_creation_loop      },
    {"creations", "supports",        next_support_loop       },
    {"creations", "verdicts",        next_verdict_loop       },
    {"verdicts",  "reasons",         next_reason_loop        },
    {"sections",  "rows",            next_row_loop           },
    {"sections",  "corroborations",  next_corroboration_loop },
    {"sections",  "silences",        next_silence_loop       },
    {"sections",  "events",          next_event_loop         },
    {"",          "near-misses",     next_miss_loop          },
    {"",          "rules",           next_rule_loop          },
    {"rules",     "references",      next_reference_loop     },
    {"rules",     "false-positives", next_false_positive_loop},
    {"rules",     "explanations",    next_explanation_loop   },
    {"",          "problem-kinds",   next_kind_loop          },
    {"",          "problems",        next_problem_loop       },
    {"",          "clearings",       next_clearing_loop      },
    {"",          "filters",         next_filter_loop        },
};

const struct template_language page_language = {slots, sizeof slots / sizeof *slots,
                                                loops, sizeof loops / sizeof *loops};
