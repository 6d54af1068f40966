/* SPDX-License-Identifier: Apache-2.0
 * slots_findings.c - the sections of findings: a host process, the creations that name it
 * as their parent, the verdict of each rule, what speaks for injection and what is absent. */
#include <inttypes.h>

#include "report/slots.h"

LOOP(section)
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

SLOT(section_host_known)
{
    buffer_add_string(out, page_section(page)->host != PROCESS_NONE ? "yes" : "");
}

SLOT(section_corroborated)
{
    put_number_unless(out, page->corroborations.count, 0);
}

SLOT(section_silent)
{
    put_number_unless(out, page->silence_count, 0);
}

/* Of a parent that no GUID leads to, the child's record has the name. */
SLOT(section_is_msra)
{
    const struct section *s = page_section(page);
    const struct process *child =
        lineage_process(lineage_of(page), page_finding(page, s, 0)->process);
    bool is_msra = s->host != PROCESS_NONE
                       ? detector_host_is_named(page->report->detector, s->host)
                       : report_names_msra_as_parent(page->report, child);
    buffer_add_string(out, is_msra ? "yes" : "");
}

SLOT(section_count)
{
    size_t n = page_section(page)->creation_count;
    buffer_printf(out, "%zu process creation%s", n, PLURAL(n));
}

/* Of its matched creations, those of children of the host process. */
SLOT(section_children)
{
    put_number_unless(out, page_section(page)->child_count, 0);
}

SLOT(section_is_matched)
{
    buffer_add_string(out, page_section(page)->is_matched ? "yes" : "");
}

SLOT(section_below)
{
    const struct section *s = page_section(page);
    put_number_unless(out, s->creation_count - s->child_count - s->is_matched, 0);
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

void put_anchor_of_section(const struct page *page, const struct section *section,
                           struct buffer *out)
{
    struct buffer anchor = {0};
    put_process_value(page, page_section_process(page, section), PROCESS_ANCHOR,
                      &anchor);
    buffer_add_string(out, section->host != PROCESS_NONE ? "S-" : "U-");
    buffer_add(out, anchor.ptr + 2, anchor.len - 2);
    buffer_release(&anchor);
}

SLOT(section_anchor)
{
    put_anchor_of_section(page, page_section(page), out);
}

FIELD(section_value)
{
    if (field == PROCESS_NAME && page_section(page)->host == PROCESS_NONE)
        buffer_add_string(out, "recorded parent of ");
    put_process_value(page, page_section_process(page, page_section(page)), field, out);
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

LOOP(creation)
{
    if (!step(&page->at.creation, is_first, page->creations.count))
        return false;
    bool *anchored = &page->process_anchored[page_creation(page)->process];
    page->creation_has_anchor = !*anchored;
    *anchored = true;
    arena_clear(&page->section_arena);
    page->support_count =
        lineage_support(page->report->lineage, page_creation(page)->process,
                        &page->section_arena, page->supports, SUPPORT_MAX);
    add_sysmon_version(page);
    return true;
}

/* "rule-1 rule-4": the rules that it met, as the filter names them. */
SLOT(creation_rules)
{
    const struct detector *d = page->report->detector;
    const struct finding *f = page_creation(page);
    for (const struct finding *at = f;
         at < d->findings + d->finding_count && at->process == f->process; at++)
        buffer_printf(out, "%srule-%zu", at > f ? " " : "",
                      (size_t)(at->rule - d->rules->items) + 1);
}

SLOT(creation_rule_count)
{
    const struct detector *d = page->report->detector;
    const struct finding *f = page_creation(page), *at = f;
    while (at < d->findings + d->finding_count && at->process == f->process)
        at++;
    put_number(out, (uint64_t)(at - f));
}

SLOT(creation_levels)
{
    const struct detector *d = page->report->detector;
    const struct finding *f = page_creation(page);
    for (const struct finding *at = f;
         at < d->findings + d->finding_count && at->process == f->process; at++) {
        const char *level = rule_level_name(at->rule->alert_level);
        buffer_printf(out, "%s%s", at > f ? " " : "", *level ? level : "none");
    }
}

SLOT(creation_stamp)
{
    put_time(page, out,
             lineage_process(lineage_of(page), page_creation(page)->process)
                 ->start_filetime);
}

SLOT(creation_own_anchor)
{
    if (page->creation_has_anchor)
        put_process_value(page, page_creation(page)->process, PROCESS_ANCHOR, out);
}

/* Windows' audit alone logged it: what is said of its parent is not Sysmon's. */
SLOT(creation_audited)
{
    const struct process *p =
        lineage_process(lineage_of(page), page_creation(page)->process);
    buffer_add_string(out, p->kind == PROCESS_AUDITED ? "yes" : "");
}

/* The ids of the events that logged it, for the page's filter. */
SLOT(creation_event)
{
    uint32_t n = page_creation(page)->process;
    bool is_audited = lineage_audit(lineage_of(page), n);
    bool is_logged = lineage_process(lineage_of(page), n)->kind == PROCESS_LOGGED;
    buffer_printf(out, "%s%s%s", is_logged ? "1" : "",
                  is_logged && is_audited ? " " : "", is_audited ? "4688" : "");
}

FIELD(creation_value)
{
    put_process_value(page, page_creation(page)->process, field, out);
}

LOOP(support)
{
    return step(&page->at.support, is_first, page->support_count);
}

SLOT(support_words)
{
    put(out, page->supports[page->at.support]);
}

/* --- verdicts: every rule on one creation */

LOOP(verdict)
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
    bool own = rule_is_forebears(verdict_rule(page));
    buffer_add_string(out, statement_kind_name(own ? ASSESSED : DERIVED));
}
SLOT(verdict_level_token)
{
    const char *level = rule_level_name(verdict_rule(page)->alert_level);
    buffer_add_string(out, *level ? level : "none");
}

/* The finding's own id is its anchor. */
SLOT(verdict_own_anchor)
{
    if (page->verdict_finding && page->creation_has_anchor)
        put(out, page->verdict_finding->id);
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
/* Most rules have no message: then it is the words of who made the rule's file here. */
SLOT(verdict_message_quoted)
{
    buffer_add_string(out, verdict_rule(page)->message_is_authors ? "yes" : "");
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

SLOT(verdict_conditions)
{
    size_t count;
    verdict_reasons(page, &count);
    put_number_unless(out, count, 0);
}

LOOP(reason)
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

/* --- what was recorded about the host process, and what was not */

LOOP(corroboration)
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
SLOT(corroboration_source)
{
    if (corroboration(page)->source != PROCESS_NONE)
        name_process(out, lineage_of(page), corroboration(page)->source);
}
SLOT(corroboration_stamp)
{
    put_time(page, out, corroboration(page)->utc_filetime);
}
SLOT(corroboration_target)
{
    name_process(out, lineage_of(page), corroboration(page)->process);
}
/* Where it has a card, or the page has come to it: a row that follows may not be written. */
SLOT(corroboration_source_anchor)
{
    uint32_t source = corroboration(page)->source;
    if (source != PROCESS_NONE &&
        (page->creation_shown[source] || page->process_anchored[source]))
        put_process_value(page, source, PROCESS_ANCHOR, out);
}
SLOT(corroboration_anchor)
{
    const struct corroboration *c = corroboration(page);
    if (c->log)
        put_record_anchor(out, c->log, c->offset);
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

static size_t silences_here(const struct page *page)
{
    return silences_of_group(&page->silences[page->at.silence],
                             page->silence_count - page->at.silence);
}

LOOP(silence)
{
    page->at.silence = is_first ? 0 : page->at.silence + silences_here(page);
    return page->at.silence < page->silence_count;
}

SLOT(silence_words)
{
    struct buffer words = {0};
    silence_say(&words, &page->silences[page->at.silence], silences_here(page));
    put(out, buffer_text(&words));
    buffer_release(&words);
}

/* --- who acted on the host process: edges that make no parent */

LOOP(source)
{
    return step(&page->at.source, is_first, page->source_count);
}

static uint32_t source_process(const struct page *page)
{
    return page->sources[page->at.source].process;
}

SLOT(source_name)
{
    name_process(out, lineage_of(page), source_process(page));
}
/* The creator can act on what it created, too. */
SLOT(source_is_parent)
{
    uint32_t parent = lineage_parent(lineage_of(page), page_section(page)->host);
    buffer_add_string(out, source_process(page) == parent ? "yes" : "");
}
SLOT(source_ancestors)
{
    name_ancestors(out, lineage_of(page), source_process(page));
}
SLOT(source_codes)
{
    detector_add_codes(page->report->detector, page_section(page)->host,
                       source_process(page), out);
}
SLOT(source_records)
{
    put_number(out, page->sources[page->at.source].records);
}
SLOT(source_strength)
{
    buffer_add_string(
        out, strength_name(page->sources[page->at.source].strongest->strength));
}

/* --- a section's timeline */

LOOP(event)
{
    if (!step(&page->at.event, is_first, page->events.count))
        return false;
    bool *anchored = &page->event_anchored[page->events.items[page->at.event]];
    page->event_has_anchor = !*anchored;
    *anchored = true;
    return true;
}

SLOT(event_own_anchor)
{
    const struct timeline_event *e = page_event(page);
    if (page->event_has_anchor)
        put_record_anchor(out, e->log, e->offset);
}

SLOT(event_stamp)
{
    put_time(page, out, page_event(page)->utc_filetime);
}

SLOT(event_host)
{
    const struct timeline_event *e = page_event(page);
    uint32_t process =
        e->subject.process != PROCESS_NONE ? e->subject.process : e->object.process;
    if (process != PROCESS_NONE)
        put_process_value(page, process, PROCESS_HOST, out);
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

LOOP(miss)
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
    put_process_value(page, page_miss(page)->process, PROCESS_COMMAND_LINE, out);
}
SLOT(miss_parent_command_line)
{
    put_recorded(out, string_of(page, miss_process(page)->parent_command_line));
}
SLOT(miss_host)
{
    put_process_value(page, page_miss(page)->process, PROCESS_HOST, out);
}
SLOT(miss_stamp)
{
    put_time(page, out, miss_process(page)->start_filetime);
}
SLOT(miss_place)
{
    put_process_value(page, page_miss(page)->process, PROCESS_PLACE, out);
}
