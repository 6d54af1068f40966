/* SPDX-License-Identifier: Apache-2.0
 * slots_elsewhere.c - the slots of "Who and where else". Each list shows its first items;
 * the CSV files have all. */
#include <inttypes.h>

#include "report/slots.h"

enum { HOSTS_SHOWN = 50, INJECTIONS_SHOWN = 30, VALUES_SHOWN = 15, SHARED_SHOWN = 50 };

static const struct elsewhere *elsewhere(const struct page *page)
{
    return page->report->elsewhere;
}

static size_t item_count(const struct page *page)
{
    return elsewhere(page) ? elsewhere(page)->count : 0;
}

static const struct indicator *item_at(const struct page *page, size_t at)
{
    return &elsewhere(page)->items[elsewhere(page)->by_host[at]];
}

static const struct indicator *value_of(const struct page *page)
{
    return item_at(page, page->elsewhere.value);
}

/* Where the items of the same computer end, or of the same group of it. */
static size_t end_of(const struct page *page, size_t from, bool of_group)
{
    const struct indicator *first = item_at(page, from);
    size_t at = from + 1;
    while (at < item_count(page) &&
           text_equal(item_at(page, at)->computer, first->computer) &&
           (!of_group || indicator_kinds[item_at(page, at)->type].group ==
                             indicator_kinds[first->type].group))
        at++;
    return at;
}

/* --- lists */

static size_t hosts_behind(const struct page *page, size_t at)
{
    size_t count = 0;
    for (; at < item_count(page); at = end_of(page, at, false))
        count++;
    return count;
}

LOOP(elsewhere_host)
{
    size_t at = is_first ? 0 : page->elsewhere.host_end;
    page->elsewhere.shown = is_first ? 1 : page->elsewhere.shown + 1;
    if (at >= item_count(page) || page->elsewhere.shown > HOSTS_SHOWN)
        return false;
    page->elsewhere.host = at;
    page->elsewhere.host_end = end_of(page, at, false);
    return true;
}

LOOP(elsewhere_group)
{
    size_t at = is_first ? page->elsewhere.host : page->elsewhere.group_end;
    if (at >= page->elsewhere.host_end)
        return false;
    page->elsewhere.group = at;
    page->elsewhere.group_end = end_of(page, at, true);
    return true;
}

static size_t group_shown_end(const struct page *page)
{
    size_t most = page->elsewhere.group + VALUES_SHOWN;
    return most < page->elsewhere.group_end ? most : page->elsewhere.group_end;
}

LOOP(elsewhere_value)
{
    page->elsewhere.value =
        is_first ? page->elsewhere.group : page->elsewhere.value + 1;
    return page->elsewhere.value < group_shown_end(page);
}

static const struct corroboration *injection_of(const struct page *page)
{
    return &page->report->detector->corroborations[page->elsewhere.injection];
}

static bool is_injection_on(const struct page *page, const struct corroboration *c,
                            struct text computer)
{
    const struct lineage *l = page->report->lineage;
    return c->strength != STRENGTH_NEUTRAL &&
           text_equal_fold(lineage_computer(l, lineage_process(l, c->process)),
                           computer);
}

/* The first on the current host from number `from` on; how many there are where none is. */
static size_t find_injection(const struct page *page, size_t from)
{
    const struct detector *d = page->report->detector;
    struct text computer = item_at(page, page->elsewhere.host)->computer;
    while (from < d->corroboration_count &&
           !is_injection_on(page, &d->corroborations[from], computer))
        from++;
    return from;
}

LOOP(elsewhere_injection)
{
    size_t *at = &page->elsewhere.injection, *shown = &page->elsewhere.injections_shown;
    *at = find_injection(page, is_first ? 0 : *at + 1);
    *shown = is_first ? 1 : *shown + 1;
    return *shown <= INJECTIONS_SHOWN &&
           *at < page->report->detector->corroboration_count;
}

/* How many of the current host are beyond those that are shown. */
static size_t injections_beyond(const struct page *page)
{
    size_t count = 0, end = page->report->detector->corroboration_count;
    for (size_t at = find_injection(page, 0); at < end;
         at = find_injection(page, at + 1))
        count++;
    return count > INJECTIONS_SHOWN ? count - INJECTIONS_SHOWN : 0;
}

static bool is_on_hosts(const struct shared_value *shared)
{
    return shared->hosts > 1 && !shared->benign && elsewhere_is_shared(shared);
}

static size_t shared_count(const struct page *page)
{
    size_t count = 0;
    for (size_t i = 0; elsewhere(page) && i < elsewhere(page)->shared_count; i++)
        count += is_on_hosts(&elsewhere(page)->shared[i]);
    return count;
}

LOOP(elsewhere_shared)
{
    size_t at = is_first ? 0 : page->elsewhere.shared + 1;
    size_t count = elsewhere(page) ? elsewhere(page)->shared_count : 0;
    while (at < count && !is_on_hosts(&elsewhere(page)->shared[at]))
        at++;
    page->elsewhere.shared = at;
    page->elsewhere.shared_shown = is_first ? 1 : page->elsewhere.shared_shown + 1;
    return at < count && page->elsewhere.shared_shown <= SHARED_SHOWN;
}

static const struct shared_value *shared_of(const struct page *page)
{
    return &elsewhere(page)->shared[page->elsewhere.shared];
}

void page_tell_elsewhere(struct page *page)
{
    size_t shown = 0, all = item_count(page);
    for (bool host = next_elsewhere_host(page, true); host;
         host = next_elsewhere_host(page, false))
        for (bool group = next_elsewhere_group(page, true); group;
             group = next_elsewhere_group(page, false))
            shown += group_shown_end(page) - page->elsewhere.group;
    if (shown < all)
        problems_add(
            page->report->problems, PROBLEM_REPORT_SHORTENED, NOWHERE,
            "report.html shows %zu of %zu values of who and where else; iocs.csv "
            "has all of them",
            shown, all);
    for (bool host = next_elsewhere_host(page, true); host;
         host = next_elsewhere_host(page, false)) {
        size_t left_out = injections_beyond(page);
        if (left_out)
            problems_add(page->report->problems, PROBLEM_REPORT_SHORTENED, NOWHERE,
                         "report.html shows %d events on the host processes of %.*s "
                         "beside their values; %zu more are in corroboration.csv",
                         INJECTIONS_SHOWN,
                         TEXT(item_at(page, page->elsewhere.host)->computer), left_out);
    }
}

/* --- words */

static void put_number_if(struct buffer *out, size_t number)
{
    if (number)
        buffer_add_number(out, number);
}

SLOT(elsewhere_injections_left_out)
{
    put_number_if(out, injections_beyond(page));
}

static void put_times(struct buffer *out, uint64_t first, uint64_t last, uint64_t count)
{
    char text[FILETIME_TEXT_MAX];
    buffer_printf(out, "%" PRIu64 " event%s", count, PLURAL(count));
    if (first == FILETIME_NONE)
        return;
    buffer_add_string(out, ", ");
    buffer_add_text(out, filetime_format(text, first, FILETIME_REPORT));
    if (last != first) {
        buffer_add_string(out, " to ");
        buffer_add_text(out, filetime_format(text, last, FILETIME_REPORT));
    }
}

/* One computer's name can stand with several machines. */
static void put_period(const struct page *page, struct buffer *out)
{
    const struct lineage *l = page->report->lineage;
    struct text computer = item_at(page, page->elsewhere.host)->computer;
    uint64_t first = FILETIME_NONE, last = 0;
    char text[FILETIME_TEXT_MAX];
    for (size_t i = 0; i < l->host_count; i++) {
        const struct host *host = &l->hosts[i];
        if (!text_equal_fold(lineage_text(l, host->computer), computer))
            continue;
        first = host->first_filetime < first ? host->first_filetime : first;
        last = host->last_filetime > last && host->last_filetime != FILETIME_NONE
                   ? host->last_filetime
                   : last;
    }
    if (first == FILETIME_NONE) {
        buffer_add_string(out, "not known");
        return;
    }
    buffer_add_text(out, filetime_format(text, first, FILETIME_REPORT));
    buffer_add_string(out, " to ");
    buffer_add_text(out, filetime_format(text, last, FILETIME_REPORT));
}

static void put_where(const struct page *page, struct buffer *out)
{
    const struct shared_value *shared =
        &elsewhere(page)->shared[value_of(page)->shared];
    if (!elsewhere_is_shared(shared)) {
        buffer_add_char(out, '-');
        return;
    }
    if (shared->hosts > 1)
        buffer_printf(out, "in families of %" PRIu64 " hosts", shared->hosts);
    if (shared->outside_processes)
        buffer_printf(out,
                      "%s%" PRIu64
                      " process creation%s outside the families, on %" PRIu64 " host%s",
                      shared->hosts > 1 ? "; " : "", shared->outside_processes,
                      PLURAL(shared->outside_processes), shared->outside_hosts,
                      PLURAL(shared->outside_hosts));
}

/* --- slots */

SLOT(elsewhere_total)
{
    put_number_if(out, item_count(page));
}
SLOT(elsewhere_hosts_left_out)
{
    put_number_if(out, page->elsewhere.shown > HOSTS_SHOWN
                           ? hosts_behind(page, page->elsewhere.host_end)
                           : 0);
}
SLOT(shared_total)
{
    put_number_if(out, shared_count(page));
}
SLOT(shared_left_out)
{
    put_number_if(
        out, shared_count(page) > SHARED_SHOWN ? shared_count(page) - SHARED_SHOWN : 0);
}
SLOT(elsewhere_computer)
{
    buffer_add_text(out, item_at(page, page->elsewhere.host)->computer);
}
SLOT(elsewhere_period)
{
    put_period(page, out);
}
SLOT(elsewhere_injection_process)
{
    name_process(out, page->report->lineage, injection_of(page)->process);
}
SLOT(elsewhere_injection_words)
{
    buffer_add_text(out, injection_of(page)->sentence);
}
SLOT(elsewhere_injection_place)
{
    put_place(out,
              evidence_log_place(injection_of(page)->log, injection_of(page)->offset,
                                 injection_of(page)->record_id));
}
SLOT(elsewhere_group)
{
    buffer_add_string(
        out, indicator_group_name(
                 indicator_kinds[item_at(page, page->elsewhere.group)->type].group));
}
SLOT(elsewhere_values_left_out)
{
    put_number_if(out, page->elsewhere.group_end - group_shown_end(page));
}
SLOT(elsewhere_value)
{
    buffer_add_text(out, value_of(page)->value);
}
SLOT(elsewhere_type)
{
    buffer_add_string(out, indicator_kinds[value_of(page)->type].word);
}
SLOT(elsewhere_remark)
{
    buffer_add_string(out, value_of(page)->remark ? value_of(page)->remark : "");
}
SLOT(elsewhere_benign)
{
    buffer_add_string(out, value_of(page)->benign ? value_of(page)->benign : "");
}
SLOT(elsewhere_role)
{
    buffer_add_string(out, indicator_role_name(value_of(page)->role));
}
SLOT(elsewhere_process)
{
    if (value_of(page)->process != PROCESS_NONE)
        name_process(out, page->report->lineage, value_of(page)->process);
}
SLOT(elsewhere_times)
{
    put_times(out, value_of(page)->first_filetime, value_of(page)->last_filetime,
              value_of(page)->count);
}
SLOT(elsewhere_where)
{
    put_where(page, out);
}
SLOT(elsewhere_place)
{
    put_place(out, evidence_log_place(value_of(page)->log, value_of(page)->offset,
                                      value_of(page)->record_id));
}
SLOT(one_shared)
{
    buffer_add_text(out, shared_of(page)->value);
}
SLOT(shared_type)
{
    buffer_add_string(out, indicator_kinds[shared_of(page)->type].word);
}
SLOT(shared_hosts)
{
    buffer_add_number(out, shared_of(page)->hosts);
}
SLOT(shared_times)
{
    put_times(out, shared_of(page)->first_filetime, shared_of(page)->last_filetime,
              shared_of(page)->count);
}
