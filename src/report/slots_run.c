/* SPDX-License-Identifier: Apache-2.0
 * slots_run.c - the run: its options, its program, its outcome, its statements. */
#include <inttypes.h>

#include "report/slots.h"
#include "util/utf.h"

#define RUN(page) (&(page)->report->run)

FIELD(run_text)
{
    put(out, *(const struct text *)((const char *)RUN(page) + field));
}

FIELD(case_text)
{
    put(out, *(const struct text *)((const char *)&page->report->case_data + field));
}

SLOT(style_hash)
{
    put(out, template_style_hash(page->template));
}
/* A string of CSS: all but letters and digits as numbers, so nothing ends it early. */
static void put_css_text(struct buffer *out, struct text t)
{
    enum { LETTERS_MAX = 60 };
    struct buffer visible = {0};
    report_visible_text(&visible, t);
    struct text rest = buffer_text(&visible);
    for (size_t letters = 0; rest.len && letters < LETTERS_MAX; letters++) {
        size_t n = utf_sequence_length(rest);
        uint32_t c = n ? utf_code_point(rest) : 0xfffd;
        bool plain =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (plain)
            buffer_add_char(out, (char)c);
        else
            buffer_printf(out, "\\%06" PRIx32, c);
        rest = text_slice(rest, n ? n : 1, SIZE_MAX);
    }
    buffer_add_string(out, rest.len ? "..." : "");
    buffer_release(&visible);
}

/* The header of each printed page: only the style sheet can put it there. In single quotes,
 * since the writer escapes the double ones. */
SLOT(print_style)
{
    const struct case_data *data = &page->report->case_data;
    const struct {
        const char *name;
        struct text value;
    } parts[] = {
        {"case ",     data->case_number    },
        {"evidence ", data->evidence_number},
        {"examiner ", data->examiner       }
    };
    buffer_add_string(out, "@page { @top-left { content: 'Process lineage report");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (text_is_empty(parts[i].value))
            continue;
        buffer_printf(out, ", %s", parts[i].name);
        put_css_text(out, parts[i].value);
    }
    buffer_add_string(out, "' } @top-right { content: 'run ");
    char started[FILETIME_TEXT_MAX]; /* UTC alone: the margin has room for one */
    put_css_text(
        out, filetime_format(started, RUN(page)->started_filetime, FILETIME_REPORT));
    buffer_add_string(out, "' } }");
}

SLOT(print_style_hash)
{
    struct arena arena = {0};
    struct buffer style = {0};
    put_print_style(page, &style);
    put(out, template_policy_hash(&arena, buffer_text(&style)));
    buffer_release(&style);
    arena_release(&arena);
}

SLOT(script_hash)
{
    put(out, template_script_hash(page->template));
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
/* Did another reader decode any record again? */
SLOT(confirmed)
{
    const struct confirmation *v = page->report->verification;
    put_number_unless(out, v ? v->counts.equal + v->counts.different : 0, 0);
}
SLOT(recovers)
{
    buffer_add_string(out, RUN(page)->recovers ? "yes" : "");
}
/* Were the logs read again for families? */
SLOT(gathered)
{
    buffer_add_string(out, page->report->elsewhere ? "yes" : "");
}
SLOT(libraries)
{
    put_list(out, &RUN(page)->libraries);
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
        {0,  "finished, and every live record could be read"             },
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

LOOP(statement)
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
