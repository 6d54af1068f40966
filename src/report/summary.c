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
    s->items[s->count++] =
        (struct statement){kind, arena_copy(arena, buffer_text(&words))};
    buffer_release(&words);
}

void statements_release(struct statements *s)
{
    free(s->items);
    *s = (struct statements){0};
}

struct totals {
    uint64_t logs, records, sysmon_records, creations, recovered, damaged;
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

static bool is_own(const struct rule *rule)
{
    return text_equal(rule->source, TEXT_LITERAL("forebear"));
}

static uint64_t matched_by_public_rules(const struct detector *d)
{
    uint64_t count = 0;
    uint32_t last = PROCESS_NONE;
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct finding *f = &d->findings[i];
        if (is_own(f->rule) || f->process == last)
            continue;
        last = f->process;
        count++;
    }
    return count;
}

static void say_what_was_examined(const struct report *r, const struct totals *sum,
                                  struct arena *arena, struct statements *out)
{
    char from[FILETIME_TEXT_MAX], to[FILETIME_TEXT_MAX];
    if (sum->sysmon_records == 0) {
        statements_add(out, arena, RECORDED,
                       "Nothing to examine: no Sysmon record was found (%" PRIu64
                       " event log%s, %" PRIu64 " record%s read). This says nothing "
                       "about what happened on the machine.",
                       sum->logs, PLURAL(sum->logs), sum->records,
                       PLURAL(sum->records));
        return;
    }
    filetime_format(from, sum->first_filetime, FILETIME_REPORT);
    filetime_format(to, sum->last_filetime, FILETIME_REPORT);
    statements_add(out, arena, RECORDED,
                   "Examined: %" PRIu64 " record%s in %" PRIu64
                   " log%s, of them %" PRIu64 " Sysmon record%s and %" PRIu64
                   " process creation%s, on %zu host%s, "
                   "from %s to %s by the machines' own clocks.",
                   sum->records, PLURAL(sum->records), sum->logs, PLURAL(sum->logs),
                   sum->sysmon_records, PLURAL(sum->sysmon_records), sum->creations,
                   PLURAL(sum->creations), r->lineage->host_count,
                   PLURAL(r->lineage->host_count), from, to);
}

static void say_rule(const struct report *r, const struct rule *rule,
                     struct arena *arena, struct statements *out)
{
    uint64_t n = rule_creations(r->detector, rule);
    if (n == 0)
        return;
    if (is_own(rule))
        statements_add(out, arena, ASSESSED,
                       "%" PRIu64 " process creation%s meet%s Forebear's own indicator "
                       "\"%.*s\" (level %s).",
                       n, PLURAL(n), n == 1 ? "s" : "", TEXT(rule->title),
                       rule_level_name(rule->alert_level));
    else
        statements_add(
            out, arena, DERIVED,
            "%" PRIu64 " process creation%s whose recorded parent is msra.exe "
            "match%s rule \"%.*s\" (%.*s), which its authors associate with "
            "injection.",
            n, PLURAL(n), n == 1 ? "es" : "", TEXT(rule->title), TEXT(rule->source));
}

static void say_corroborations(const struct detector *d, struct arena *arena,
                               struct statements *out)
{
    uint64_t count[256] = {0}, neutral = 0;
    for (size_t i = 0; i < d->corroboration_count; i++)
        if (d->corroborations[i].strength == STRENGTH_NEUTRAL)
            neutral++;
        else
            count[d->corroborations[i].event_id & 0xff]++;
    struct text aside =
        neutral ? arena_printf(arena,
                               " %" PRIu64 " more %s listed as neutral: what a creator "
                               "does with the process that it has just started.",
                               neutral, neutral == 1 ? "is" : "are")
                : TEXT_LITERAL("");
    statements_add(
        out, arena, DERIVED,
        "No record here shows code being written into a process: Sysmon has no "
        "event for it. On the host processes of these findings it recorded "
        "%" PRIu64 " event%s 8 (remote thread), %" PRIu64 " event%s 10 "
        "(process access) and %" PRIu64 " event%s 25 (tampering) of interest; "
        "each is listed with its innocent explanations.%.*s",
        count[8], PLURAL(count[8]), count[10], PLURAL(count[10]), count[25],
        PLURAL(count[25]), TEXT(aside));
}

static void say_findings(const struct report *r, const struct totals *sum,
                         struct arena *arena, struct statements *out)
{
    const struct detector *d = r->detector;
    uint64_t n = d->matched_creations, hosts = hosts_with_findings(r);
    if (sum->sysmon_records == 0)
        return;
    if (d->finding_count == 0) {
        statements_add(
            out, arena, DERIVED,
            "No process creation that was examined matches any of the %zu rule%s "
            "applied. That says nothing about records that are not there.",
            d->rules->count, PLURAL(d->rules->count));
        return;
    }
    uint64_t public = matched_by_public_rules(d);
    statements_add(
        out, arena, DERIVED,
        "%" PRIu64 " process creation%s on %" PRIu64 " host%s match%s one or "
        "more of the %zu rules applied; %" PRIu64 " of them match%s a public "
        "rule, the others Forebear's own indicators alone.",
        n, PLURAL(n), hosts, PLURAL(hosts), n == 1 ? "es" : "", d->rules->count, public,
        public == 1 ? "es" : "");
    for (size_t i = 0; i < d->rules->count; i++)
        say_rule(r, &d->rules->items[i], arena, out);
    say_corroborations(d, arena, out);
}

static size_t near_misses_apart(const struct detector *d)
{
    size_t count = 0;
    for (size_t i = 0; i < d->near_miss_count; i++)
        count += detector_findings_of(d, d->near_misses[i].process) == 0;
    return count;
}

static void say_apart(const struct report *r, struct arena *arena,
                      struct statements *out)
{
    const struct detector *d = r->detector;
    size_t apart = near_misses_apart(d);
    if (d->near_miss_count)
        statements_add(out, arena, DERIVED,
                       "%zu near miss%s, each with why: a rule stayed silent by one "
                       "condition, or a known blind spot applies. %zu %s of a process "
                       "creation that another rule matches and stand%s there; %zu %s "
                       "listed apart.",
                       d->near_miss_count, d->near_miss_count == 1 ? "" : "es",
                       d->near_miss_count - apart,
                       d->near_miss_count - apart == 1 ? "is" : "are",
                       d->near_miss_count - apart == 1 ? "s" : "", apart,
                       apart == 1 ? "is" : "are");
    if (!text_is_absent(r->run.filter_file))
        statements_add(out, arena, DERIVED,
                       "The user's filter took away %" PRIu64
                       " result%s as known good.",
                       d->filtered, PLURAL(d->filtered));
    if (r->clearing_count)
        statements_add(out, arena, RECORDED, "%zu clearing%s of a log recorded.",
                       r->clearing_count, PLURAL(r->clearing_count));
}

/* What was not read or not examined, one sentence for each kind. */
static void say_problems(const struct report *r, const struct totals *sum,
                         struct arena *arena, struct statements *out)
{
    const struct problems *p = r->problems;
    size_t told = 0;
    for (int code = 0; code < PROBLEM_CODES; code++) {
        const struct problem_kind *kind = &problem_kinds[code];
        bool not_examined =
            code == PROBLEM_VOLUME_UNKNOWN || code == PROBLEM_SHADOW_COPIES_PRESENT ||
            code == PROBLEM_NO_LOG_FOUND || code == PROBLEM_DELETED_LOG_UNREADABLE;
        if (!p->per_code[code] || (kind->class != DAMAGE && !not_examined))
            continue;
        statements_add(out, arena, RECORDED, "%s %zu x %s: %s",
                       kind->class == DAMAGE ? "Not read as it should be:"
                                             : "Not examined:",
                       p->per_code[code], kind->code, kind->sentence);
        told++;
    }
    if (sum->recovered)
        statements_add(out, arena, RECORDED,
                       "%" PRIu64 " record%s outside the live ones %s counted; their "
                       "content is not reported.",
                       sum->recovered, PLURAL(sum->recovered),
                       sum->recovered == 1 ? "was" : "were");
    if (!told)
        statements_add(out, arena, RECORDED,
                       "Everything that was found could be read.");
}

void report_statements(const struct report *r, struct arena *arena,
                       struct statements *out)
{
    struct totals sum = add_up(r);
    say_what_was_examined(r, &sum, arena, out);
    say_findings(r, &sum, arena, out);
    say_apart(r, arena, out);
    say_problems(r, &sum, arena, out);
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
    buffer_add_string(out, report->run.findings_only ? "/findings.csv\n"
                                                     : "/report.html\n");
    statements_release(&statements);
    arena_release(&arena);
}
