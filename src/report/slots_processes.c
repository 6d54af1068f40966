/* SPDX-License-Identifier: Apache-2.0
 * slots_processes.c - what is shown of a process, and the lineage tree. */
#include <inttypes.h>

#include "report/slots.h"

static void put_end(const struct page *page, struct buffer *out,
                    const struct process *p)
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

static void put_start(const struct page *page, struct buffer *out,
                      const struct process *p)
{
    if (p->start_filetime == FILETIME_NONE)
        buffer_add_string(out, "not known");
    put_time(page, out, p->start_filetime);
    if (!process_has_record(p) && p->start_filetime != FILETIME_NONE)
        buffer_add_string(out, " (to the second, out of its GUID)");
}

static void put_kind(struct buffer *out, const struct process *p)
{
    static const char *const kinds[] = {
        "has a creation record (event 1)",
        "no creation record of its own: known from the records of others",
        "not known: the record names no parent",
        "no creation record of Sysmon's: logged by Windows' audit (event 4688)"};
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

static void put_note(struct buffer *out, const struct process *p)
{
    if (p->kind != PROCESS_LOGGED)
        put_kind(out, p);
    else if (!record_state_is_live(p->state))
        buffer_printf(out, "creation record recovered, state %s",
                      record_state_name(p->state));
}

/* A stamp of an end runs up to 0.25 s early (lineage.h), so a length below 0 is none. */
static void put_duration(struct buffer *out, const struct process *p)
{
    if (!process_has_record(p) || p->end_filetime == FILETIME_NONE ||
        p->start_filetime == FILETIME_NONE)
        return;
    uint64_t length =
        p->end_filetime > p->start_filetime ? p->end_filetime - p->start_filetime : 0;
    uint64_t seconds = length / FILETIME_SECOND;
    if (seconds < 1)
        buffer_add_string(out, "less than 1 s");
    else if (seconds < 120)
        buffer_printf(out, "%" PRIu64 ".%" PRIu64 " s", seconds,
                      length % FILETIME_SECOND / (FILETIME_SECOND / 10));
    else if (seconds < 7200)
        buffer_printf(out, "%" PRIu64 " min %" PRIu64 " s", seconds / 60, seconds % 60);
    else
        buffer_printf(out, "%" PRIu64 " h %" PRIu64 " min", seconds / 3600,
                      seconds / 60 % 60);
}

static void put_anchor(const struct page *page, uint32_t process, struct buffer *out)
{
    char guid[GUID_TEXT_MAX];
    const struct lineage *l = lineage_of(page);
    struct text parts[] = {lineage_computer(l, lineage_process(l, process)),
                           lineage_key(l, process, guid)};
    put_anchor_of(out, "P-", parts, sizeof parts / sizeof *parts);
}

/* What the record says, by the member that holds it. */
static const struct {
    enum process_value value;
    size_t string; /* of struct process: the number of a string */
} recorded_texts[] = {
    {PROCESS_IMAGE,               offsetof(struct process, image)              },
    {PROCESS_USER,                offsetof(struct process, user)               },
    {PROCESS_INTEGRITY,           offsetof(struct process, integrity_level)    },
    {PROCESS_HASHES,              offsetof(struct process, hashes)             },
    {PROCESS_ORIGINAL_NAME,       offsetof(struct process, original_file_name) },
    {PROCESS_DIRECTORY,           offsetof(struct process, current_directory)  },
    {PROCESS_PARENT_IMAGE,        offsetof(struct process, parent_image)       },
    {PROCESS_PARENT_COMMAND_LINE, offsetof(struct process, parent_command_line)},
};

static bool put_recorded_text(const struct page *page, const struct process *p,
                              enum process_value value, struct buffer *out)
{
    for (size_t i = 0; i < sizeof recorded_texts / sizeof *recorded_texts; i++)
        if (recorded_texts[i].value == value) {
            const char *member = (const char *)p + recorded_texts[i].string;
            put_recorded(out, string_of(page, *(const uint32_t *)member));
            return true;
        }
    return false;
}

static void put_command_line_as_recorded(const struct page *page,
                                         const struct process *p, struct buffer *out)
{
    struct text recorded = string_of(page, p->command_line);
    if (text_contains_fold(recorded, TEXT_LITERAL("%%")))
        put(out, recorded);
}

static void put_process_place(const struct page *page, uint32_t process,
                              const struct process *p, struct buffer *out)
{
    put_place(out, process_place(page->report, process));
    if (process_has_record(p))
        name_state_unless_live(out, p->state);
}

static void put_verified(const struct page *page, const struct process *p,
                         struct buffer *out)
{
    const struct report *r = page->report;
    if (p->log != UINT32_MAX)
        name_verified(out, r, &r->evidence->logs[p->log], p->offset);
}

void put_process_value(const struct page *page, uint32_t process,
                       enum process_value value, struct buffer *out)
{
    char guid[GUID_TEXT_MAX];
    const struct lineage *l = lineage_of(page);
    const struct process *p = lineage_process(l, process);
    if (put_recorded_text(page, p, value, out))
        return;
    switch (value) {
    case PROCESS_NAME: name_process(out, l, process); return;
    case PROCESS_PID: put_number_unless(out, p->pid, PID_UNKNOWN); return;
    case PROCESS_COMMAND_LINE: put_command_line(out, page, p); return;
    case PROCESS_RECORDED_COMMAND_LINE:
        put_command_line_as_recorded(page, p, out);
        return;
    case PROCESS_SESSION: put_number_unless(out, p->session_id, UINT32_MAX); return;
    case PROCESS_GUID: put_guid(out, &p->guid); return;
    case PROCESS_KEY: put(out, lineage_key(l, process, guid)); return;
    case PROCESS_START: put_start(page, out, p); return;
    case PROCESS_LOGGED_AT: put_time(page, out, p->logged_filetime); return;
    case PROCESS_END: put_end(page, out, p); return;
    case PROCESS_DURATION: put_duration(out, p); return;
    case PROCESS_KIND: put_kind(out, p); return;
    case PROCESS_NOTE: put_note(out, p); return;
    case PROCESS_PARENT:
        name_image(out, string_of(page, p->parent_image), p->parent_pid);
        return;
    case PROCESS_PARENT_GUID:
        put_recorded(out, lineage_parent_guid(l, p, guid));
        return;
    case PROCESS_ANCESTORS: name_ancestors(out, l, process); return;
    case PROCESS_GRADE:
        buffer_add_string(out, link_grade_name((enum link_grade)p->grade));
        return;
    case PROCESS_GRADE_REASON: put(out, string_of(page, p->grade_reason)); return;
    case PROCESS_PLACE: put_process_place(page, process, p, out); return;
    case PROCESS_VERIFIED: put_verified(page, p, out); return;
    case PROCESS_STATE:
        buffer_add_string(out, record_state_name((enum record_state)p->state));
        return;
    case PROCESS_COMPUTER: put_recorded(out, lineage_computer(l, p)); return;
    case PROCESS_HOST: buffer_printf(out, "h%" PRIu32, p->scope + 1); return;
    case PROCESS_ANCHOR: put_anchor(page, process, out); return;
    default: return; /* a recorded text */
    }
}

/* --- the lineage tree */

/* A match that has a card has its anchor there, wherever else it stands. */
LOOP(row)
{
    if (!step(&page->at.row, is_first, page->row_count))
        return false;
    bool *anchored = &page->process_anchored[page_row(page)->process];
    page->row_has_anchor = !*anchored && !page->creation_shown[page_row(page)->process];
    *anchored |= page->row_has_anchor;
    return true;
}

SLOT(row_own_anchor)
{
    if (page->row_has_anchor)
        put_anchor(page, page_row(page)->process, out);
}

/* Where the program indents no further; the depth is said. */
SLOT(row_indent)
{
    enum { INDENTED_MAX = 24 };
    uint32_t depth = page_row(page)->depth;
    buffer_printf(out, "d%" PRIu32, depth < INDENTED_MAX ? depth : INDENTED_MAX);
}

SLOT(row_level)
{
    put_number(out, (uint64_t)page_row(page)->depth + 1);
}

/* How many rows of the tree are below this one. */
SLOT(row_below)
{
    size_t at = page->at.row, end = at + 1;
    while (end < page->row_count && page->rows[end].depth > page->rows[at].depth)
        end++;
    put_number_unless(out, end - at - 1, 0);
}

static const struct process *row_process(const struct page *page)
{
    return lineage_process(lineage_of(page), page_row(page)->process);
}

FIELD(row_value)
{
    put_process_value(page, page_row(page)->process, field, out);
}

SLOT(rows_left_out)
{
    put_number_unless(out, page->rows_left_out, 0);
}
SLOT(chain_left_out)
{
    put_number_unless(out, page->chain_left_out, 0);
}

/* A link that rests on one record alone. */
static bool is_dashed(const struct process *child)
{
    return child->grade == GRADE_B || child->grade == GRADE_P;
}

SLOT(row_class)
{
    static const char *const relations[] = {"ancestor", "host", "match", "sibling",
                                            "descendant"};
    static const char *const kinds[] = {"logged", "ghost", "unknown", "audited"};
    buffer_printf(out, "%s %s%s", relations[page_row(page)->relation],
                  kinds[row_process(page)->kind],
                  is_dashed(row_process(page)) ? " dashed" : "");
}

SLOT(row_relation)
{
    static const char *const relations[] = {"ancestor", "host process", "match",
                                            "sibling of a match", "descendant"};
    enum relation relation = page_row(page)->relation;
    buffer_add_string(out, relations[relation]);
    if (relation != RELATION_MATCH && page->creation_matched[page_row(page)->process])
        buffer_add_string(out, ", and a match");
}

/* Drawn with a character, so that the kind of the link survives being copied, printed or
 * read without a style sheet; the style sheet indents. */
SLOT(row_branch)
{
    enum { INDENTED_MAX = 24 };
    uint32_t depth = page_row(page)->depth;
    if (depth > INDENTED_MAX)
        buffer_printf(out, "[depth %" PRIu32 "] ", depth);
    if (depth)
        buffer_add_string(out, is_dashed(row_process(page)) ? "└╌ " : "└─ ");
}

/* How far the link can be trusted, in words beside the letter. */
SLOT(row_link)
{
    static const char *const words[] = {
        [GRADE_A] = "the child's record tells it, the parent has its own",
        [GRADE_A_MINUS] = "the same, by a second GUID of the parent",
        [GRADE_B] = "the child's record alone tells it",
        [GRADE_C] = "not recorded; one candidate",
        [GRADE_D] = "not recorded; several candidates",
        [GRADE_P] = "Windows' audit tells it, by process id"};
    const char *said = words[row_process(page)->grade];
    if (said)
        buffer_printf(out, "%s: %s",
                      link_grade_name((enum link_grade)row_process(page)->grade), said);
}
SLOT(row_link_anchor)
{
    if (page->creation_shown[page_row(page)->process])
        put_anchor(page, page_row(page)->process, out);
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
