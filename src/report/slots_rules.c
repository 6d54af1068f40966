/* SPDX-License-Identifier: Apache-2.0
 * slots_rules.c - the rules that were applied, and the user's filters. */
#include <inttypes.h>

#include "report/slots.h"

#define RULE(page) (&(page)->report->detector->rules->items[(page)->at.rule])

LOOP(rule)
{
    return step(&page->at.rule, is_first, page->report->detector->rules->count);
}

static const void *rule_member(const struct page *page, size_t field)
{
    return (const char *)RULE(page) + field;
}

FIELD(rule_text)
{
    put(out, *(const struct text *)rule_member(page, field));
}

FIELD(rule_list)
{
    put_list(out, rule_member(page, field));
}

FIELD(rule_sentences)
{
    put_sentences(out, rule_member(page, field));
}

SLOT(rule_anchor)
{
    buffer_printf(out, "rule-%zu", page->at.rule + 1);
}
SLOT(rule_hash)
{
    char hex[DIGEST_HEX_MAX];
    put(out, digest_hex(hex, &RULE(page)->digests, DIGEST_SHA256));
}
/* Short, for a list to choose from: two rules can have one title. */
SLOT(rule_label)
{
    put(out, text_is_empty(RULE(page)->code) ? RULE(page)->source : RULE(page)->code);
    buffer_add_string(out, ": ");
    put(out, RULE(page)->title);
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
SLOT(rule_risk)
{
    if (RULE(page)->has_risk)
        buffer_printf(
            out, "%" PRIu32 " = impact %" PRIu32 " x confidence %" PRIu32 " / 100",
            RULE(page)->risk_score, RULE(page)->impact, RULE(page)->confidence);
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

LOOP(reference)
{
    return step(&page->at.rule_line, is_first, RULE(page)->references.count);
}
SLOT(reference)
{
    put(out, RULE(page)->references.items[page->at.rule_line]);
}

LOOP(false_positive)
{
    return step(&page->at.rule_line, is_first, RULE(page)->false_positives.count);
}
SLOT(false_positive)
{
    put(out, RULE(page)->false_positives.items[page->at.rule_line]);
}

LOOP(explanation)
{
    return step(&page->at.rule_line, is_first, RULE(page)->innocent_explanations.count);
}
SLOT(explanation)
{
    put(out, RULE(page)->innocent_explanations.items[page->at.rule_line]);
}

/* --- the user's filters */

#define FILTER(page) (&(page)->report->detector->filters[(page)->at.filter])

LOOP(filter)
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
