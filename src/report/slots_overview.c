/* SPDX-License-Identifier: Apache-2.0
 * slots_overview.c - what one screen answers: what was found, where, when, how sure, what was
 * read and what was not; and one line for each host process. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/slots.h"

/* --- the answers */

static bool is_first_of_creation(const struct detector *d, size_t i)
{
    return i == 0 || d->findings[i].process != d->findings[i - 1].process;
}

SLOT(answer_what)
{
    const struct detector *d = page->report->detector;
    uint64_t n = d->matched_creations;
    struct arena arena = {0};
    if (d->finding_count == 0)
        put(out, report_no_finding(page->report, &arena));
    else
        buffer_printf(
            out,
            "%" PRIu64 " process creation%s, with %zu host process%s, match%s one or "
            "more of the %zu rule%s applied: %.*s. No record here shows code being "
            "written into a process: Sysmon has no event for it.",
            n, PLURAL(n), page->section_total, page->section_total == 1 ? "" : "es",
            n == 1 ? "es" : "", d->rules->count, PLURAL(d->rules->count),
            TEXT(report_whose_rules(page->report, &arena)));
    arena_release(&arena);
}

SLOT(answer_hosts)
{
    enum { NAMED_MAX = 6 };
    const struct lineage *l = lineage_of(page);
    size_t with = 0;
    for (size_t h = 0; h < l->host_count; h++) {
        if (page->host_matches[h].creations == 0 || with++ >= NAMED_MAX)
            continue;
        buffer_add_string(out, with > 1 ? "; " : "");
        put_recorded(out, string_of(page, l->hosts[h].computer));
        buffer_printf(out, ": %" PRIu64, page->host_matches[h].creations);
    }
    if (with > NAMED_MAX)
        buffer_printf(out, "; and %zu more", with - NAMED_MAX);
    if (with)
        buffer_printf(out, ". Hosts with Sysmon records: %zu.",
                      report_sysmon_hosts(page->report));
}

static void put_span(const struct page *page, struct buffer *out, uint64_t first,
                     uint64_t last)
{
    if (first == FILETIME_NONE)
        return;
    put_time(page, out, first);
    if (last != first) {
        buffer_add_string(out, " to ");
        put_time(page, out, last);
    }
}

SLOT(answer_when)
{
    uint64_t first = FILETIME_NONE, last = FILETIME_NONE;
    for (size_t h = 0; h < lineage_of(page)->host_count; h++) {
        const struct host_matches *m = &page->host_matches[h];
        if (m->first_filetime < first)
            first = m->first_filetime;
        if (m->last_filetime != FILETIME_NONE &&
            (last == FILETIME_NONE || m->last_filetime > last))
            last = m->last_filetime;
    }
    put_span(page, out, first, last);
}

/* Of the matched creations, how many links to the parent have which grade. */
SLOT(answer_links)
{
    static const struct {
        enum link_grade grade;
        const char *words;
    } grades[] = {
        {GRADE_A,
         "told by the child's record, with the parent's own record at hand (grade A)"},
        {GRADE_A_MINUS, "the same, by a second GUID of the parent (grade A-)"        },
        {GRADE_B,       "told by the child's record alone (grade B)"                 },
        {GRADE_P,       "told by Windows' audit by process id (grade P)"             },
        {GRADE_C,       "not recorded, one candidate (grade C)"                      },
        {GRADE_D,       "not recorded, several candidates (grade D)"                 },
        {GRADE_NONE,    "not recorded, no candidate"                                 },
    };
    const struct detector *d = page->report->detector;
    uint64_t counts[GRADE_P + 1] = {0};
    for (size_t i = 0; i < d->finding_count; i++)
        if (is_first_of_creation(d, i))
            counts[lineage_process(lineage_of(page), d->findings[i].process)->grade]++;
    for (size_t i = 0; i < sizeof grades / sizeof *grades; i++)
        if (counts[grades[i].grade])
            buffer_printf(out, "%s%" PRIu64 " %s",
                          out->len ? "; " : "Parents: ", counts[grades[i].grade],
                          grades[i].words);
}

/* How many records have which strength; one that speaks twice counts once. */
struct strengths {
    uint64_t counts[STRENGTH_STRONG + 1];
};

static void count_strengths(struct strengths *s, struct corroboration_range range)
{
    for (size_t i = 0; i < range.count; i++)
        if (!range.first[i].same_record_again)
            s->counts[range.first[i].strength]++;
}

/* "2 strong, 1 medium, 2 neutral" */
static void put_strengths(struct buffer *out, const struct strengths *s)
{
    size_t before = out->len;
    for (int i = STRENGTH_STRONG; i >= STRENGTH_NEUTRAL; i--)
        if (s->counts[i])
            buffer_printf(out, "%s%" PRIu64 " %s", out->len > before ? ", " : "",
                          s->counts[i], strength_name((enum strength)i));
}

SLOT(answer_indicators)
{
    const struct detector *d = page->report->detector;
    struct strengths s = {{0}};
    bool *told = report_told_hosts(page->report);
    for (size_t h = 0; h < detector_host_count(d); h++)
        if (told[detector_host(d, h)])
            count_strengths(&s, detector_corroborations_of(d, detector_host(d, h)));
    free(told);
    put_strengths(out, &s);
}

SLOT(answer_unknown_hosts)
{
    put_number_unless(out, report_creations_of_unknown(page->report->detector), 0);
}

static void put_topic(const struct page *page, enum statement_topic topic, size_t max,
                      struct buffer *out)
{
    size_t count = 0;
    for (size_t i = 0; i < page->statements.count; i++) {
        if (page->statements.items[i].topic != topic || count++ >= max)
            continue;
        buffer_add_string(out, count > 1 ? " " : "");
        put(out, page->statements.items[i].words);
    }
    if (count > max)
        buffer_printf(out, " And %zu more, in the statements below.", count - max);
}

SLOT(answer_read)
{
    put_topic(page, ABOUT_WHAT_WAS_READ, 2, out);
}

SLOT(unread_total)
{
    put_number_unless(out, report_unread_problems(page->report), 0);
}

SLOT(answer_unread)
{
    put_topic(page, ABOUT_WHAT_WAS_NOT_READ, 3, out);
}

/* --- one line for each section of findings */

static const struct section *outline(const struct page *page)
{
    return &page->sections[page->at.outline];
}

static const struct finding *outline_finding(const struct page *page, size_t i)
{
    return page_finding(page, outline(page), i);
}

LOOP(outline)
{
    return step(&page->at.outline, is_first, page->outline_count);
}

FIELD(outline_value)
{
    if (field == PROCESS_NAME && outline(page)->host == PROCESS_NONE)
        buffer_add_string(out, "recorded parent of ");
    put_process_value(page, page_section_process(page, outline(page)), field, out);
}

SLOT(outline_number)
{
    put_number(out, page->at.outline + 1);
}

SLOT(outlines_left_out)
{
    put_number_unless(out, page->section_total - page->outline_count, 0);
}

/* Empty where the host process has no section of its own. */
SLOT(outline_target)
{
    if (page->at.outline < page->section_count)
        put_anchor_of_section(page, outline(page), out);
}

SLOT(outline_count)
{
    put_number(out, outline(page)->creation_count);
}

/* The first and the last start among its matched creations. */
static uint64_t outline_start(const struct page *page, bool is_last)
{
    uint64_t found = FILETIME_NONE;
    for (size_t i = 0; i < outline(page)->finding_count; i++) {
        uint64_t t =
            lineage_process(lineage_of(page), outline_finding(page, i)->process)
                ->start_filetime;
        if (t == FILETIME_NONE)
            continue;
        if (found == FILETIME_NONE || (is_last ? t > found : t < found))
            found = t;
    }
    return found;
}

SLOT(outline_first)
{
    put_time(page, out, outline_start(page, false));
}

SLOT(outline_last)
{
    put_time(page, out, outline_start(page, true));
}

SLOT(outline_stamp)
{
    put_time(page, out, outline_start(page, false));
}

SLOT(outline_level)
{
    enum rule_level level = LEVEL_NONE;
    for (size_t i = 0; i < outline(page)->finding_count; i++)
        if (outline_finding(page, i)->rule->alert_level > level)
            level = outline_finding(page, i)->rule->alert_level;
    buffer_add_string(out, rule_level_name(level));
}

/* "sigma 12, splunk-v1 1, MSRA_CHILD_TOOL 12": process creations of each rule. */
SLOT(outline_rules)
{
    const struct rules *rules = page->report->detector->rules;
    for (size_t r = 0; r < rules->count; r++) {
        const struct rule *rule = &rules->items[r];
        uint64_t count = 0;
        for (size_t i = 0; i < outline(page)->finding_count; i++)
            count += outline_finding(page, i)->rule == rule;
        if (!count)
            continue;
        buffer_add_string(out, out->len ? ", " : "");
        put(out, text_is_empty(rule->code) ? rule->source : rule->code);
        buffer_printf(out, " %" PRIu64, count);
    }
}

SLOT(outline_indicators)
{
    const struct detector *d = page->report->detector;
    struct strengths s = {{0}};
    if (outline(page)->host == PROCESS_NONE)
        return;
    count_strengths(&s, detector_corroborations_of(d, outline(page)->host));
    put_strengths(out, &s);
}

/* "MSRA_REMOTE_THREAD MSRA_ACCESS": which, strongest first. */
SLOT(outline_codes)
{
    if (outline(page)->host != PROCESS_NONE)
        put(out, detector_codes_of(page->report->detector, outline(page)->host));
}
