/* SPDX-License-Identifier: Apache-2.0
 * summary.c - what the run says of itself: counts of process creations, never of finding
 * rows, what was read, and what was not. doc/outputs.md has the rules for the wording. */
#include "report/report_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "util/memory.h"
#include "util/utf.h"

const char *statement_kind_name(enum statement_kind kind)
{
    static const char *const names[] = {"recorded", "derived", "assessed"};
    return names[kind];
}

void statements_add(struct statements *s, struct arena *arena, enum statement_kind kind,
                    const char *format, ...)
{
    struct buffer words = {0};
    va_list args;
    va_start(args, format);
    buffer_vprintf(&words, format, args);
    va_end(args);
    ARRAY_GROW(s->items, s->count, s->capacity);
    s->items[s->count++] = (struct statement){kind, ABOUT_FINDINGS,
                                              arena_copy(arena, buffer_text(&words))};
    buffer_release(&words);
}

void statements_release(struct statements *s)
{
    free(s->items);
    *s = (struct statements){0};
}

struct totals {
    uint64_t logs, records, sysmon_records, creations, recovered, damaged;
    uint64_t copies, positional, used, used_creations;
    struct recovered_counts states; /* all logs together */
    uint64_t first_filetime, last_filetime;
};

static struct totals add_up(const struct report *r)
{
    struct totals sum = {.first_filetime = FILETIME_NONE,
                         .last_filetime = FILETIME_NONE};
    for (size_t i = 0; i < r->log_count; i++) {
        const struct log_report *log = &r->logs[i];
        const struct coverage *c = &log->coverage;
        sum.logs++;
        sum.records += log->facts.records;
        sum.recovered += log->facts.records_recovered;
        sum.copies += log->facts.records_recovered_twice;
        sum.positional += log->recovered.sysmon_positional;
        sum.used += log->recovered.sysmon;
        sum.used_creations += log->recovered.creations;
        for (int state = 0; state < RECORD_STATES; state++)
            sum.states.given[state] += log->recovered.given[state];
        sum.damaged += log->facts.records_damaged;
        sum.sysmon_records += c->sysmon_records;
        sum.creations += c->process_creations;
        if (c->first_utc_filetime < sum.first_filetime)
            sum.first_filetime = c->first_utc_filetime;
        if (c->last_utc_filetime != FILETIME_NONE &&
            (sum.last_filetime == FILETIME_NONE ||
             c->last_utc_filetime > sum.last_filetime))
            sum.last_filetime = c->last_utc_filetime;
    }
    return sum;
}

static uint64_t hosts_with_findings(const struct report *r)
{
    struct map hosts = {0};
    for (size_t i = 0; i < r->detector->finding_count; i++) {
        const struct process *p =
            lineage_process(r->lineage, r->detector->findings[i].process);
        map_add(&hosts, MAP_KEY_OF(&p->scope), 1);
    }
    uint64_t count = hosts.count;
    map_release(&hosts);
    return count;
}

bool rule_is_forebears(const struct rule *rule)
{
    return text_equal(rule->source, TEXT_LITERAL("forebear"));
}

struct text report_whose_rules(const struct report *r, struct arena *arena)
{
    /* of a folder of the user's it is not known whose rules it has */
    static const char own[] = "Forebear's own indicators alone";
    const char *other = text_is_absent(r->run.rules_folder)
                            ? "a public rule"
                            : "a rule that is not Forebear's own";
    uint64_t all = r->detector->matched_creations,
             others = report_creations_of_others(r->detector);
    if (others && others < all)
        return arena_printf(arena, "%" PRIu64 " of them %s, %" PRIu64 " %s", others,
                            other, all - others, own);
    return arena_printf(arena, "%s %s", all == 1 ? "that is" : "each of them",
                        others ? other : own);
}

bool report_names_msra_as_parent(const struct report *r, const struct process *p)
{
    return text_equal_fold(text_basename(lineage_text(r->lineage, p->parent_image)),
                           TEXT_LITERAL("msra.exe"));
}

uint64_t report_creations_of_others(const struct detector *d)
{
    uint64_t count = 0;
    uint32_t last = PROCESS_NONE;
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct finding *f = &d->findings[i];
        if (rule_is_forebears(f->rule) || f->process == last)
            continue;
        last = f->process;
        count++;
    }
    return count;
}

static uint64_t matched_recovered(const struct report *r)
{
    const struct detector *d = r->detector;
    uint64_t count = 0;
    for (size_t i = 0; i < d->finding_count; i++) {
        uint32_t process = d->findings[i].process;
        if (i == 0 || d->findings[i - 1].process != process)
            count += !record_state_is_live(lineage_process(r->lineage, process)->state);
    }
    return count;
}

/* Events that name no process stand apart where their computer has several machines, which
 * follow it: they tell of no further one. */
static bool is_of_another_host(const struct lineage *l, size_t host)
{
    const struct host *h = &l->hosts[host];
    for (size_t i = host + 1;
         h->machine_id == 0 && i < l->host_count && l->hosts[i].computer == h->computer;
         i++)
        if (l->hosts[i].records)
            return true;
    return false;
}

size_t report_sysmon_hosts(const struct report *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->lineage->host_count; i++)
        count += r->lineage->hosts[i].records > 0 && !is_of_another_host(r->lineage, i);
    return count;
}

size_t report_hosts_without_sysmon(const struct report *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->lineage->host_count; i++)
        count += r->lineage->hosts[i].records == 0;
    return count;
}

static void say_no_live_sysmon(const struct report *r, const struct totals *sum,
                               struct arena *arena, struct statements *out)
{
    struct text read =
        arena_printf(arena, "(%" PRIu64 " event log%s, %" PRIu64 " record%s read)",
                     sum->logs, PLURAL(sum->logs), sum->records, PLURAL(sum->records));
    if (sum->used)
        statements_add(out, arena, RECORDED,
                       "No live Sysmon record was found %.*s. What follows rests on "
                       "recovered records alone.",
                       TEXT(read));
    else
        statements_add(out, arena, RECORDED,
                       "%s no Sysmon record was found %.*s. This says nothing about "
                       "what happened on the machine.",
                       r->lineage->audit_count ? "Examined without Sysmon:"
                                               : "Nothing to examine:",
                       TEXT(read));
}

static void add_moment(struct buffer *out, const struct report *r, uint64_t filetime)
{
    char text[FILETIME_TEXT_MAX];
    buffer_add_text(out, filetime_format(text, filetime, FILETIME_REPORT));
    zone_add_beside(out, &r->run.zone, filetime);
}

static void say_what_was_examined(const struct report *r, const struct totals *sum,
                                  struct arena *arena, struct statements *out)
{
    if (sum->sysmon_records == 0) {
        say_no_live_sysmon(r, sum, arena, out);
        return;
    }
    struct buffer period = {0};
    add_moment(&period, r, sum->first_filetime);
    buffer_add_string(&period, " to ");
    add_moment(&period, r, sum->last_filetime);
    size_t hosts = report_sysmon_hosts(r);
    /* each once, in however many live records and logs it stands */
    uint64_t distinct = r->lineage->logged_live;
    struct text repeated =
        distinct == sum->creations
            ? TEXT_LITERAL("")
            : arena_printf(arena,
                           " (in %" PRIu64 " records; a repeated one counts once)",
                           sum->creations);
    statements_add(
        out, arena, RECORDED,
        "Examined: %" PRIu64 " record%s in %" PRIu64 " log%s, of them %" PRIu64
        " Sysmon record%s and %" PRIu64 " process creation%s%.*s, on %zu host%s, "
        "from %.*s by the machines' own clocks.",
        sum->records, PLURAL(sum->records), sum->logs, PLURAL(sum->logs),
        sum->sysmon_records, PLURAL(sum->sysmon_records), distinct, PLURAL(distinct),
        TEXT(repeated), hosts, PLURAL(hosts), TEXT(buffer_text(&period)));
    buffer_release(&period);
}

/* Does every process creation that it matched name msra.exe as its parent? */
static bool is_under_msra_alone(const struct report *r, const struct rule *rule)
{
    const struct detector *d = r->detector;
    for (size_t i = 0; i < d->finding_count; i++)
        if (d->findings[i].rule == rule &&
            !report_names_msra_as_parent(
                r, lineage_process(r->lineage, d->findings[i].process)))
            return false;
    return true;
}

/* ATT&CK's T1055 is process injection. */
static bool is_filed_under_injection(const struct rule *rule)
{
    for (size_t i = 0; i < rule->techniques.count; i++)
        if (text_starts_with_fold(rule->techniques.items[i], TEXT_LITERAL("T1055")))
            return true;
    return false;
}

/* A rule can be of anything: what it is about is said only where it holds. */
static void say_rule(const struct report *r, const struct rule *rule,
                     struct arena *arena, struct statements *out)
{
    uint64_t n = rule_creations(r->detector, rule);
    if (n == 0)
        return;
    if (rule_is_forebears(rule))
        statements_add(out, arena, ASSESSED,
                       "%" PRIu64 " process creation%s meet%s Forebear's own indicator "
                       "\"%.*s\" (level %s).",
                       n, PLURAL(n), n == 1 ? "s" : "", TEXT(rule->title),
                       rule_level_name(rule->alert_level));
    else
        statements_add(
            out, arena, DERIVED,
            "%" PRIu64 " process creation%s%s match%s rule \"%.*s\" (%.*s)%s.", n,
            PLURAL(n),
            is_under_msra_alone(r, rule) ? " whose recorded parent is msra.exe" : "",
            n == 1 ? "es" : "", TEXT(rule->title), TEXT(rule->source),
            is_filed_under_injection(rule)
                ? ", which its authors associate with injection"
                : "");
}

bool *report_told_hosts(const struct report *r)
{
    const struct detector *d = r->detector;
    bool *told = memory_get_zeroed(r->lineage->count + 1, sizeof *told);
    for (size_t i = 0; i < d->finding_count; i++)
        if (d->findings[i].host_process != PROCESS_NONE)
            told[d->findings[i].host_process] = true;
    return told;
}

/* What was recorded on the host processes of findings; a record counts once. */
struct signs {
    uint64_t by_event[256], neutral, others;
};

static struct signs count_signs(const struct report *r)
{
    const struct detector *d = r->detector;
    struct signs n = {0};
    bool *told = report_told_hosts(r);
    for (size_t h = 0; h < detector_host_count(d); h++) {
        struct corroboration_range range =
            detector_corroborations_of(d, detector_host(d, h));
        for (size_t i = 0; told[detector_host(d, h)] && i < range.count; i++) {
            const struct corroboration *c = &range.first[i];
            if (c->strength == STRENGTH_NEUTRAL)
                n.neutral++;
            else if (!c->same_record_again)
                n.by_event[c->event_id & 0xff]++;
        }
    }
    free(told);
    for (size_t id = 2; id < 256; id++)
        if (id != SYSMON_REMOTE_THREAD && id != SYSMON_PROCESS_ACCESS &&
            id != SYSMON_PROCESS_TAMPERING)
            n.others += n.by_event[id];
    return n;
}

/* "no event 8 (remote thread), 3 events 10 (process access) and .." */
static struct text words_of_events(const uint64_t by_event[256], struct arena *arena)
{
    static const struct {
        uint16_t id;
        const char *before, *name;
    } kinds[] = {
        {SYSMON_REMOTE_THREAD,     "",      "remote thread" },
        {SYSMON_PROCESS_ACCESS,    ", ",    "process access"},
        {SYSMON_PROCESS_TAMPERING, " and ", "tampering"     },
    };
    struct buffer words = {0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        uint64_t n = by_event[kinds[i].id];
        buffer_add_string(&words, kinds[i].before);
        if (n)
            buffer_printf(&words, "%" PRIu64, n);
        else
            buffer_add_string(&words, "no");
        buffer_printf(&words, " event%s %u (%s)", n > 1 ? "s" : "",
                      (unsigned)kinds[i].id, kinds[i].name);
    }
    struct text kept = arena_copy(arena, buffer_text(&words));
    buffer_release(&words);
    return kept;
}

uint64_t report_creations_of_unknown(const struct detector *d)
{
    uint64_t count = 0;
    uint32_t last = PROCESS_NONE;
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct finding *f = &d->findings[i];
        if (f->host_process != PROCESS_NONE || f->process == last)
            continue;
        last = f->process;
        count++;
    }
    return count;
}

/* Of a parent that no GUID leads to nothing was looked for, which is not nothing found. */
static void say_unknown_hosts(const struct report *r, struct arena *arena,
                              struct statements *out)
{
    uint64_t n = report_creations_of_unknown(r->detector);
    if (n)
        statements_add(
            out, arena, DERIVED,
            "To the parent of %" PRIu64 " of these process creations no GUID "
            "leads: whether an event 8, 10 or 25 is recorded on it cannot be "
            "told.",
            n);
}

static bool has_known_host(const struct detector *d)
{
    for (size_t i = 0; i < d->finding_count; i++)
        if (d->findings[i].host_process != PROCESS_NONE)
            return true;
    return false;
}

static void say_corroborations(const struct report *r, struct arena *arena,
                               struct statements *out)
{
    static const char no_proof[] =
        "No record here shows code being written into a process: Sysmon has no event "
        "for it. On the host processes of these findings it recorded";
    say_unknown_hosts(r, arena, out);
    if (!has_known_host(r->detector)) {
        statements_add(out, arena, DERIVED,
                       "No record here shows code being written into a process: Sysmon "
                       "has no event for it.");
        return;
    }
    struct signs n = count_signs(r);
    const uint64_t *count = n.by_event;
    struct text aside =
        n.neutral
            ? arena_printf(arena,
                           " %" PRIu64 " more %s listed as neutral: what a healthy "
                           "process has, or its creator does, too.",
                           n.neutral, n.neutral == 1 ? "is" : "are")
            : TEXT_LITERAL("");
    struct text others =
        n.others
            ? arena_printf(arena,
                           " %" PRIu64 " record%s of other kinds (network, files, "
                           "registry, images, pipes) %s of interest too.",
                           n.others, PLURAL(n.others), n.others == 1 ? "is" : "are")
            : TEXT_LITERAL("");
    if (count[8] + count[10] + count[25] == 0)
        statements_add(out, arena, DERIVED,
                       "%s no event 8 (remote thread), 10 (process access) or 25 "
                       "(tampering) of interest; each finding tells whether they were "
                       "collected.%.*s%.*s",
                       no_proof, TEXT(others), TEXT(aside));
    else
        statements_add(out, arena, DERIVED,
                       "%s %.*s of interest; each is listed with its innocent "
                       "explanations.%.*s%.*s",
                       no_proof, TEXT(words_of_events(count, arena)), TEXT(others),
                       TEXT(aside));
}

static bool has_sign(const struct detector *d, size_t host)
{
    struct corroboration_range range =
        detector_corroborations_of(d, detector_host(d, host));
    return range.count && range.first[0].strength != STRENGTH_NEUTRAL;
}

/* An msra.exe that no rule speaks of is no finding, and not silence either. */
static void say_hosts_apart(const struct detector *d, struct arena *arena,
                            struct statements *out)
{
    uint64_t count = 0, with_signs = 0;
    for (size_t i = 0; i < detector_host_count(d); i++)
        if (!detector_host_has_finding(d, i)) {
            count++;
            with_signs += has_sign(d, i);
        }
    struct text signs =
        with_signs ? arena_printf(
                         arena, "records of interest are there on %" PRIu64 " of them",
                         with_signs)
                   : TEXT_LITERAL("no record of interest is there on any of them");
    if (count)
        statements_add(out, arena, with_signs ? ASSESSED : DERIVED,
                       "%" PRIu64 " process%s that %s msra.exe by name or by "
                       "OriginalFileName %s no finding's host process; %.*s. "
                       "corroboration.csv lists each with its innocent "
                       "explanations.",
                       count, count == 1 ? "" : "es", count == 1 ? "is" : "are",
                       count == 1 ? "is" : "are", TEXT(signs));
}

/* What Windows' own audit adds to Sysmon. */
static void say_audited(const struct report *r, struct arena *arena,
                        struct statements *out)
{
    const struct lineage *l = r->lineage;
    uint64_t alone = l->audited_alone, all = l->audit_count;
    if (all)
        statements_add(out, arena, DERIVED,
                       "Windows' audit (Security event 4688) logged %" PRIu64
                       " process creation%s: %" PRIu64
                       " that Sysmon logged too, joined by "
                       "host, process id, time (within 2 s) and image, and %" PRIu64
                       " that it did not.",
                       all, PLURAL(all), all - alone, alone);
}

struct text report_no_finding(const struct report *r, struct arena *arena)
{
    const struct detector *d = r->detector;
    size_t left_out = r->told.findings_left_out;
    if (left_out)
        return arena_printf(arena,
                            "No finding lies in what this report was asked to tell; "
                            "%zu finding%s lie%s outside it.",
                            left_out, PLURAL(left_out), left_out == 1 ? "s" : "");
    if (d->filtered)
        return arena_printf(arena,
                            "No finding is left: the user's filter took away %" PRIu64
                            " result%s as known good.",
                            d->filtered, PLURAL(d->filtered));
    return arena_printf(arena,
                        "No process creation that was examined matches any of the %zu "
                        "rule%s applied. That says nothing about records that are not "
                        "there.",
                        d->rules->count, PLURAL(d->rules->count));
}

static void say_findings(const struct report *r, const struct totals *sum,
                         struct arena *arena, struct statements *out)
{
    const struct detector *d = r->detector;
    uint64_t n = d->matched_creations, hosts = hosts_with_findings(r);
    if (sum->sysmon_records + sum->used + r->lineage->audit_count == 0)
        return;
    if (d->finding_count == 0) {
        statements_add(out, arena, DERIVED, "%.*s", TEXT(report_no_finding(r, arena)));
        return;
    }
    statements_add(out, arena, DERIVED,
                   "%" PRIu64 " process creation%s on %" PRIu64
                   " host%s match%s one or more of the %zu rule%s applied; %.*s.",
                   n, PLURAL(n), hosts, PLURAL(hosts), n == 1 ? "es" : "",
                   d->rules->count, PLURAL(d->rules->count),
                   TEXT(report_whose_rules(r, arena)));
    uint64_t recovered = matched_recovered(r);
    if (recovered)
        statements_add(out, arena, RECORDED,
                       "%" PRIu64 " of the process creations that match rest%s on a "
                       "recovered record, which is not live and was decoded by the "
                       "native reader alone.",
                       recovered, recovered == 1 ? "s" : "");
    for (size_t i = 0; i < d->rules->count; i++)
        say_rule(r, &d->rules->items[i], arena, out);
    say_corroborations(r, arena, out);
}

static void say_told_part(const struct report *r, struct arena *arena,
                          struct statements *out)
{
    const struct told_part *told = &r->told;
    uint64_t beyond = timeline_wide_left_out(&r->timeline->wide);
    if (text_is_absent(told->filter))
        return;
    struct text wider =
        beyond ? arena_printf(arena,
                              ", and %" PRIu64 " more event%s of the wider timeline",
                              beyond, PLURAL(beyond))
               : TEXT_LITERAL("");
    statements_add(out, arena, DERIVED,
                   "This report tells a part only (%.*s): %" PRIu64
                   " finding%s, %" PRIu64 " near miss%s and %" PRIu64
                   " event%s of the findings' families%.*s lie outside it and "
                   "are not told. Everything was read, linked and judged; "
                   "processes.csv holds every "
                   "process.",
                   TEXT(told->filter), told->findings_left_out,
                   PLURAL(told->findings_left_out), told->near_misses_left_out,
                   told->near_misses_left_out == 1 ? "" : "es", told->events_left_out,
                   PLURAL(told->events_left_out), TEXT(wider));
    if (!text_is_absent(told->not_found))
        statements_add(out, arena, DERIVED, "What was asked for: %.*s.",
                       TEXT(told->not_found));
}

static void say_verification(const struct report *r, const struct totals *sum,
                             struct arena *arena, struct statements *out)
{
    struct buffer words = {0};
    if (sum->sysmon_records == 0 && r->detector->finding_count == 0 &&
        (!r->verification || r->verification->counts.records == 0))
        return;
    report_verification(&words, r);
    statements_add(out, arena, DERIVED, "%.*s", TEXT(buffer_text(&words)));
    buffer_release(&words);
}

static size_t near_misses_apart(const struct detector *d)
{
    size_t count = 0;
    for (size_t i = 0; i < d->near_miss_count; i++)
        count += detector_findings_of(d, d->near_misses[i].process) == 0;
    return count;
}

static void say_clearings(const struct report *r, struct arena *arena,
                          struct statements *out)
{
    size_t recovered = 0;
    for (size_t i = 0; i < r->clearing_count; i++)
        recovered += !record_state_is_live(r->clearings[i].state);
    struct text aside =
        recovered ? arena_printf(arena, ", %zu of them by a record that is not live",
                                 recovered)
                  : TEXT_LITERAL("");
    statements_add(out, arena, RECORDED, "%zu clearing%s of a log recorded%.*s.",
                   r->clearing_count, PLURAL(r->clearing_count), TEXT(aside));
}

static void say_near_misses(const struct detector *d, struct arena *arena,
                            struct statements *out)
{
    static const char beside[] = "of a process creation that another rule matches and";
    size_t all = d->near_miss_count, apart = near_misses_apart(d), with = all - apart;
    struct text where =
        apart == 0
            ? arena_printf(arena, "%s %s stand%s there", all == 1 ? "It is" : "All are",
                           beside, count_word(all, "s", ""))
        : with == 0
            ? arena_printf(arena, "%s listed apart", all == 1 ? "It is" : "All are")
            : arena_printf(arena, "%zu %s %s stand%s there; %zu %s listed apart", with,
                           count_word(with, "is", "are"), beside,
                           count_word(with, "s", ""), apart,
                           count_word(apart, "is", "are"));
    if (all)
        statements_add(out, arena, DERIVED,
                       "%zu near miss%s, each with why: a rule stayed silent by one "
                       "condition, or a known blind spot applies. %.*s.",
                       all, count_word(all, "", "es"), TEXT(where));
}

static void say_apart(const struct report *r, struct arena *arena,
                      struct statements *out)
{
    const struct detector *d = r->detector;
    say_near_misses(d, arena, out);
    if (!text_is_absent(r->run.filter_file))
        statements_add(out, arena, DERIVED,
                       "The user's filter took away %" PRIu64
                       " result%s as known good.",
                       d->filtered, PLURAL(d->filtered));
    if (r->clearing_count)
        say_clearings(r, arena, out);
}

/* All hosts together. */
struct covered {
    uint64_t hosts, silent, holes, holes_not_explained, stops, ids, numbers;
};

static struct covered add_up_coverage(const struct report *r)
{
    struct covered sum = {0};
    for (size_t i = 0; r->story && i < r->story->host_count; i++) {
        const struct story_host *h = &r->story->hosts[i];
        sum.hosts += h->records > 0;
        sum.silent += h->holes > 0;
        sum.holes += h->holes;
        sum.holes_not_explained += h->holes_not_explained;
        sum.stops += h->sensor_stops;
        sum.ids += h->missing_record_ids;
    }
    for (size_t i = 0; i < r->lineage->host_count; i++)
        sum.numbers += r->lineage->hosts[i].sequence_missing;
    return sum;
}

/* Coverage knows hosts by name alone. */
static void add_silences(struct buffer *out, const struct report *r,
                         const struct covered *c)
{
    bool is_by_name = c->hosts != report_sysmon_hosts(r);
    buffer_printf(out, "What these logs cover: on %" PRIu64 " host%s%s Sysmon ",
                  c->hosts, PLURAL(c->hosts),
                  is_by_name ? " (told by name: machines of one name are one here)"
                             : "");
    if (c->holes)
        buffer_printf(out,
                      "recorded, and was silent for longer than is ordinary on %" PRIu64
                      " of them, %" PRIu64 " time%s in all, %" PRIu64
                      " without a recorded reason",
                      c->silent, c->holes, PLURAL(c->holes), c->holes_not_explained);
    else
        buffer_add_string(out, "was never silent for longer than is ordinary");
    if (c->stops)
        buffer_printf(out, ", and is recorded as stopped %" PRIu64 " time%s.", c->stops,
                      PLURAL(c->stops));
    else
        buffer_add_string(out, ", and is nowhere recorded as stopped.");
}

static void add_missing(struct buffer *out, const struct covered *c)
{
    if (c->ids + c->numbers == 0) {
        buffer_add_string(out, " Record ids and process numbers show none missing.");
        return;
    }
    buffer_add_string(out, " Missing among the live records: ");
    if (c->ids)
        buffer_printf(out, "%" PRIu64 " event record id%s", c->ids, PLURAL(c->ids));
    if (c->numbers)
        buffer_printf(out, "%sthe creation records of at least %" PRIu64 " process%s",
                      c->ids ? "; " : "", c->numbers, c->numbers == 1 ? "" : "es");
    buffer_add_char(out, '.');
}

/* What is gone at the end of a log, or all of it, leaves no gap that could be counted. */
static void add_damage(struct buffer *out, const struct report *r,
                       const struct totals *sum, const struct covered *c)
{
    size_t damage = 0;
    for (int code = 0; code < PROBLEM_CODES; code++)
        if (problem_kinds[code].class == DAMAGE)
            damage += r->problems->per_code[code];
    if (damage)
        buffer_add_string(out, " Part of the evidence is damaged or could not be read: "
                               "of what that took only gaps between live records are "
                               "known here.");
    if (sum->used && c->ids + c->numbers)
        buffer_printf(out,
                      " %" PRIu64 " recovered record%s of Sysmon can be among the "
                      "missing ones.",
                      sum->used, PLURAL(sum->used));
}

/* So that "no finding" is never read as "it did not happen". */
static void say_coverage(const struct report *r, const struct totals *sum,
                         struct arena *arena, struct statements *out)
{
    struct covered covered = add_up_coverage(r);
    struct buffer words = {0};
    if (covered.hosts == 0)
        return;
    add_silences(&words, r, &covered);
    add_missing(&words, &covered);
    add_damage(&words, r, sum, &covered);
    statements_add(out, arena, DERIVED,
                   "%.*s hosts.csv names the event ids without a record, coverage.csv "
                   "each interval. Where there is no record, the absence of a finding "
                   "says nothing about what happened.",
                   TEXT(buffer_text(&words)));
    buffer_release(&words);
}

static struct text words_of_used(const struct totals *sum, struct arena *arena)
{
    if (sum->used == 0)
        return TEXT_LITERAL("None of them is Sysmon's, so none was used.");
    struct text creations =
        sum->used_creations
            ? arena_printf(arena, " (%" PRIu64 " process creation%s)",
                           sum->used_creations, PLURAL(sum->used_creations))
            : TEXT_LITERAL("");
    return arena_printf(arena,
                        "%" PRIu64 " of them %s Sysmon's and %s used%.*s; each row "
                        "that rests on one says its state, and none is counted as "
                        "live.",
                        sum->used, sum->used == 1 ? "is" : "are",
                        sum->used == 1 ? "was" : "were", TEXT(creations));
}

/* Leftovers are of any channel and any computer: only what says that it is Sysmon's is used. */
static void say_recovered(const struct totals *sum, struct arena *arena,
                          struct statements *out)
{
    struct buffer states = {0};
    name_recovered(&states, &sum->states);
    if (states.len)
        statements_add(
            out, arena, RECORDED,
            "Besides the live records others were recovered, of any channel (%.*s). "
            "%.*s",
            TEXT(buffer_text(&states)), TEXT(words_of_used(sum, arena)));
    if (sum->copies)
        statements_add(out, arena, RECORDED,
                       "%" PRIu64 " recovered cop%s of records that were read %s "
                       "dropped.",
                       sum->copies, sum->copies == 1 ? "y" : "ies",
                       sum->copies == 1 ? "was" : "were");
    buffer_release(&states);
}

/* Of the findings of this report; what is decided changes nothing else in it. */
static void say_dispositions(const struct report *r, struct arena *arena,
                             struct statements *out)
{
    size_t count[DISPOSED_CONFIRMED + 1] = {0};
    if (!r->dispositions)
        return;
    for (size_t i = 0; i < r->detector->finding_count; i++) {
        const struct disposition *d =
            disposition_of(r->dispositions, r->detector->findings[i].id);
        count[d ? d->kind : DISPOSED_NOT]++;
    }
    statements_add(
        out, arena, ASSESSED,
        "Dispositions by examiners, from %.*s: %zu finding%s confirmed, %zu "
        "benign, %zu open; %zu without one. They are quoted, not checked, and "
        "take no finding away.",
        TEXT(r->dispositions->file), count[DISPOSED_CONFIRMED],
        PLURAL(count[DISPOSED_CONFIRMED]), count[DISPOSED_BENIGN], count[DISPOSED_OPEN],
        count[DISPOSED_NOT]);
}

/* Of what lies outside the live records. Returns how many statements. */
static size_t say_not_used(const struct report *r, const struct totals *sum,
                           struct arena *arena, struct statements *out)
{
    size_t before = out->count;
    if (!r->run.recovers && sum->recovered)
        statements_add(out, arena, RECORDED,
                       "%" PRIu64 " record%s outside the live ones %s counted; their "
                       "content is not reported.",
                       sum->recovered, PLURAL(sum->recovered),
                       sum->recovered == 1 ? "was" : "were");
    if (r->run.recovers && sum->positional)
        statements_add(out, arena, RECORDED,
                       "%" PRIu64 " recovered record%s of Sysmon, or of no known "
                       "provider, %s not used: the template with the names of the "
                       "fields is gone.",
                       sum->positional, PLURAL(sum->positional),
                       sum->positional == 1 ? "was" : "were");
    return out->count - before;
}

enum telling { UNTOLD, NOT_READ, NOT_EXAMINED, NOT_AS_RECORDED };

/* Anomalies of what was recorded are no matter of reading, so they stay UNTOLD here. */
static enum telling telling_of(enum problem_code code)
{
    if (problem_kinds[code].class == DAMAGE)
        return NOT_READ;
    switch (code) {
    case PROBLEM_VOLUME_UNKNOWN:
    case PROBLEM_SHADOW_COPIES_PRESENT:
    case PROBLEM_NO_LOG_FOUND:
    case PROBLEM_DELETED_LOG_UNREADABLE:
    case PROBLEM_IMAGE_IN_FOLDER: return NOT_EXAMINED;
    case PROBLEM_VALUE_NOT_UTF16:
    case PROBLEM_VALUE_EMBEDDED_NUL:
    case PROBLEM_VALUE_DISAGREES:
    case PROBLEM_READER_FAULT_KNOWN: return NOT_AS_RECORDED;
    default: return UNTOLD;
    }
}

size_t report_unread_problems(const struct report *r)
{
    size_t count = 0;
    for (int code = 0; code < PROBLEM_CODES; code++)
        if (telling_of((enum problem_code)code) != UNTOLD)
            count += r->problems->per_code[code];
    return count;
}

/* What was not read or not examined, one sentence for each kind. */
static void say_problems(const struct report *r, const struct totals *sum,
                         struct arena *arena, struct statements *out)
{
    const struct problems *p = r->problems;
    static const char *const names[] = {"",
                                        "Not read as it should be:", "Not examined:",
                                        "Read, but not given as recorded:"};
    size_t told = 0;
    for (int code = 0; code < PROBLEM_CODES; code++) {
        enum telling telling = telling_of((enum problem_code)code);
        if (!p->per_code[code] || telling == UNTOLD)
            continue;
        statements_add(out, arena, RECORDED, "%s %" PRIu64 " x %s: %s", names[telling],
                       problems_met(p, (enum problem_code)code),
                       problem_kinds[code].code, problem_kinds[code].sentence);
        told++;
    }
    told += say_not_used(r, sum, arena, out);
    if (!told)
        statements_add(out, arena, RECORDED,
                       "Everything that was found could be read.");
}

static void give_topic(struct statements *s, size_t first, enum statement_topic topic)
{
    for (size_t i = first; i < s->count; i++)
        s->items[i].topic = topic;
}

/* What --verify-image came to, also where there was nothing to compare with. */
static void say_images(const struct report *r, struct arena *arena,
                       struct statements *out)
{
    size_t equal = 0, without = 0;
    for (size_t i = 0; r->run.verify_image && i < r->evidence->item_count; i++) {
        equal += r->evidence->items[i].verification == VERIFIED_EQUAL;
        without += r->evidence->items[i].verification == NOTHING_TO_VERIFY;
    }
    if (equal)
        statements_add(out, arena, DERIVED,
                       "%zu image%s read again as a whole: the hash over the content "
                       "equals the one that the image stores.",
                       equal, count_word(equal, " was", "s were"));
    if (without)
        statements_add(out, arena, RECORDED,
                       "%zu item%s of evidence store%s no hash that could be "
                       "recomputed: --verify-image compared nothing there.",
                       without, PLURAL(without), count_word(without, "s", ""));
}

void report_statements(const struct report *r, struct arena *arena,
                       struct statements *out)
{
    struct totals sum = add_up(r);
    size_t first = out->count;
    say_what_was_examined(r, &sum, arena, out);
    if (r->run.recovers)
        say_recovered(&sum, arena, out);
    give_topic(out, first, ABOUT_WHAT_WAS_READ);
    say_told_part(r, arena, out);
    say_audited(r, arena, out);
    say_coverage(r, &sum, arena, out);
    say_findings(r, &sum, arena, out);
    say_hosts_apart(r->detector, arena, out);
    say_dispositions(r, arena, out);
    say_verification(r, &sum, arena, out);
    say_images(r, arena, out);
    say_apart(r, arena, out);
    first = out->count;
    say_problems(r, &sum, arena, out);
    give_topic(out, first, ABOUT_WHAT_WAS_NOT_READ);
}

void report_summary(const struct report *report, const char *path, struct buffer *out)
{
    struct arena arena = {0};
    struct statements statements = {0};
    report_statements(report, &arena, &statements);
    for (size_t i = 0; i < statements.count; i++) {
        utf_add_visible(out, statements.items[i].words);
        buffer_add_char(out, '\n');
    }
    buffer_add_string(out, "Report: ");
    utf_add_visible(out, text_from(path));
    buffer_add_string(out, report->run.formats & REPORT_HTML   ? "/report.html\n"
                           : report->run.formats & REPORT_XLSX ? "/report.xlsx\n"
                                                               : "/findings.csv\n");
    statements_release(&statements);
    arena_release(&arena);
}
