/* SPDX-License-Identifier: Apache-2.0
 * slots_evidence.c - what was examined: evidence, logs, hosts, clearings, problems. */
#include <inttypes.h>

#include "report/slots.h"

#define ITEM(page) (&(page)->report->evidence->items[(page)->at.item])

LOOP(item)
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

LOOP(volume)
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

LOOP(log)
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

LOOP(host)
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
        buffer_printf(out, "%08" PRIX32, HOST(page)->machine_id);
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
#define MATCHES(page) (&(page)->host_matches[(page)->at.host])

SLOT(host_token)
{
    buffer_printf(out, "h%zu", page->at.host + 1);
}
SLOT(host_matches)
{
    put_number(out, MATCHES(page)->creations);
}
SLOT(host_first_match)
{
    put_time(page, out, MATCHES(page)->first_filetime);
}
SLOT(host_last_match)
{
    put_time(page, out, MATCHES(page)->last_filetime);
}
SLOT(host_level)
{
    buffer_add_string(out, rule_level_name(MATCHES(page)->level));
}

SLOT(host_guid_times)
{
    buffer_printf(out, "%" PRIu64 " of %" PRIu64, HOST(page)->guid_time_agrees,
                  HOST(page)->guid_time_checked);
}

/* --- problems */

LOOP(kind)
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
    put_number(out, problems_met(page->report->problems, page->at.kind));
}
SLOT(kind_class)
{
    static const char *const classes[] = {"could not be read", "as recorded", "note"};
    buffer_add_string(out, classes[problem_kinds[page->at.kind].class]);
}

LOOP(problem)
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

LOOP(clearing)
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

/* --- what the logs cover */

#define COVERED(page) (&(page)->report->story->rows[(page)->at.coverage])

static size_t coverage_count(const struct page *page)
{
    return page->report->story ? page->report->story->count : 0;
}

LOOP(coverage)
{
    size_t count = coverage_count(page);
    return step(&page->at.coverage, is_first,
                count < PROBLEMS_MAX ? count : PROBLEMS_MAX);
}

SLOT(coverage_total)
{
    put_number_unless(out, coverage_count(page), 0);
}
SLOT(coverage_left_out)
{
    size_t count = coverage_count(page);
    put_number_unless(out, count > PROBLEMS_MAX ? count - PROBLEMS_MAX : 0, 0);
}
SLOT(coverage_host)
{
    put_recorded(out, page->report->story->hosts[COVERED(page)->host].computer);
}
SLOT(coverage_from)
{
    put_time(page, out, COVERED(page)->from_filetime);
}
SLOT(coverage_to)
{
    if (COVERED(page)->to_filetime != COVERED(page)->from_filetime)
        put_time(page, out, COVERED(page)->to_filetime);
}
SLOT(coverage_kind)
{
    buffer_add_string(out, story_kind_name(COVERED(page)));
}
SLOT(coverage_explained)
{
    put(out, COVERED(page)->explained);
}
SLOT(coverage_words)
{
    put(out, COVERED(page)->words);
}
SLOT(coverage_place)
{
    const struct story_row *row = COVERED(page);
    put_place(out, evidence_log_place(page->report->logs[row->log].log, row->offset,
                                      row->record_id));
    name_state_unless_live(out, row->state);
}

/* The filter takes an interval by its begin. */
SLOT(coverage_stamp)
{
    put_time(page, out, COVERED(page)->from_filetime);
}
