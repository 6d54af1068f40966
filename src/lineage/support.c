/* SPDX-License-Identifier: Apache-2.0
 * What supports a link, sentence by sentence: what Sysmon recorded on either side, and
 * nothing about who started what. */
#include <inttypes.h>

#include "lineage/lineage_internal.h"

enum sides compare_images(struct text by_parent, struct text by_child)
{
    if (sysmon_text_is_missing(by_parent) || sysmon_text_is_missing(by_child))
        return SIDES_UNKNOWN;
    if (text_equal_fold(by_parent, by_child))
        return SIDES_AGREE;
    return same_until_cut(by_parent, by_child) ? SIDES_AGREE_TO_CUT : SIDES_DIFFER;
}

enum sides compare_command_lines(struct text by_parent, struct text by_child)
{
    if (sysmon_text_is_missing(by_parent) || sysmon_text_is_missing(by_child))
        return SIDES_UNKNOWN;
    if (!same_command_line(by_parent, by_child))
        return SIDES_DIFFER;
    return same_until_cut(by_parent, by_child) ? SIDES_AGREE_TO_CUT : SIDES_AGREE;
}

struct support {
    const struct lineage *l;
    struct arena *arena;
    struct text *sentences;
    size_t count, max;
};

static void say(struct support *s, struct text sentence)
{
    if (s->count < s->max)
        s->sentences[s->count++] = sentence;
}

static void say_literal(struct support *s, const char *sentence)
{
    say(s, arena_copy(s->arena, text_from(sentence)));
}

static void say_what_is_recorded(struct support *s, const struct process *child,
                                 const struct process *parent)
{
    char guid[GUID_TEXT_MAX];
    struct text name = lineage_text(s->l, parent->image);
    if (text_is_empty(name))
        name = TEXT_LITERAL("a process without a recorded image");
    if (child->grade == GRADE_P) {
        say(s, arena_printf(s->arena,
                            "Windows' audit (event 4688) recorded process id %" PRIu32
                            ", %.*s, as the creator's (grade %s: %.*s).",
                            parent->pid, TEXT(name), link_grade_name(child->grade),
                            TEXT(lineage_text(s->l, child->grade_reason))));
        return;
    }
    say(s, arena_printf(s->arena,
                        "Sysmon recorded %.*s %.*s as the parent (grade %s: %.*s).",
                        TEXT(name), TEXT(guid_format(guid, &parent->guid)),
                        link_grade_name(child->grade),
                        TEXT(lineage_text(s->l, child->grade_reason))));
}

static void say_own_record(struct support *s, const struct process *parent)
{
    const struct host *host = &s->l->hosts[parent->scope];
    if (process_has_record(parent)) {
        say(s, arena_printf(s->arena,
                            "The parent's own creation record was found: EventRecordID "
                            "%" PRIu64 "%s.",
                            parent->record_id,
                            parent->kind == PROCESS_AUDITED ? " (event 4688)" : ""));
        return;
    }
    say_literal(s,
                "The parent's own creation record was not found: its image and command "
                "line stand in its children's records alone.");
    say(s, arena_printf(s->arena,
                        "The start inside its GUID is %s: that layout is undocumented, "
                        "and agreed with UtcTime in %" PRIu64 " of %" PRIu64
                        " creation record%s of this host.",
                        parent->start_filetime == FILETIME_NONE ? "not given" : "given",
                        host->guid_time_agrees, host->guid_time_checked,
                        PLURAL(host->guid_time_checked)));
}

static void say_end(struct support *s, const struct process *child,
                    const struct process *parent)
{
    char time[FILETIME_TEXT_MAX];
    uint64_t end = parent->end_filetime, start = child->start_filetime;
    if (end == FILETIME_NONE) {
        say_literal(s, "No end of the parent is recorded.");
        return;
    }
    filetime_format(time, end, FILETIME_REPORT);
    const char *inferred = parent->flags & PROCESS_END_INFERRED
                               ? " (by pid and time; that record names no guid)"
                               : "";
    if (start == FILETIME_NONE)
        say(s, arena_printf(s->arena, "The parent's end is recorded at %s%s.", time,
                            inferred));
    else if (end + LINEAGE_TOLERANCE_100NS < start)
        say(s,
            arena_printf(s->arena,
                         "The parent's end is recorded at %s%s, %" PRIu64
                         " s before the child's start: this speaks against the link.",
                         time, inferred, (start - end) / FILETIME_SECOND));
    else
        say(s,
            arena_printf(s->arena,
                         "The parent's end is recorded at %s%s, not earlier than the "
                         "child's start (tolerance 2 s).",
                         time, inferred));
}

static void say_sides(struct support *s, const char *what, enum sides sides)
{
    static const char *const said[] = {
        [SIDES_AGREE] = "The parent's %s is the same in both records.",
        [SIDES_AGREE_TO_CUT] =
            "The parent's %s is the same in both records up to where "
            "one of them was cut.",
        [SIDES_DIFFER] =
            "The parent's %s differs between its own record and its child's: "
            "this speaks against the link, or for a changed value.",
        [SIDES_UNKNOWN] = "The parent's %s is missing in one of the records."};
    struct text format = text_from(said[sides]);
    struct buffer b = {0};
    for (size_t i = 0; i < format.len; i++)
        if (format.ptr[i] == '%' && i + 1 < format.len && format.ptr[i + 1] == 's') {
            buffer_add_string(&b, what);
            i++;
        } else {
            buffer_add_char(&b, format.ptr[i]);
        }
    say(s, arena_copy(s->arena, buffer_text(&b)));
    buffer_release(&b);
}

static void say_agreement(struct support *s, const struct process *child,
                          const struct process *parent)
{
    const struct lineage *l = s->l;
    say_sides(s, "image",
              compare_images(lineage_text(l, parent->image),
                             lineage_text(l, child->parent_image)));
    say_sides(s, "command line",
              compare_command_lines(lineage_text(l, parent->command_line),
                                    lineage_text(l, child->parent_command_line)));
    if (child->parent_pid != parent->pid && child->parent_pid != PID_UNKNOWN)
        say_sides(s, "process id", SIDES_DIFFER);
    enum sides users = compare_images(lineage_text(l, parent->user),
                                      lineage_text(l, child->parent_user));
    if (users != SIDES_UNKNOWN)
        say_sides(s, "account", users);
}

size_t lineage_support(const struct lineage *l, uint32_t child, struct arena *arena,
                       struct text *sentences, size_t max)
{
    struct support s = {l, arena, sentences, 0, max};
    const struct process *c = lineage_process(l, child);
    if (c->parent == PROCESS_NONE) {
        if (c->grade_reason)
            say(&s, arena_printf(arena, "No parent is drawn: %.*s.",
                                 TEXT(lineage_text(l, c->grade_reason))));
        return s.count;
    }
    const struct process *parent = &l->processes[c->parent];
    say_what_is_recorded(&s, c, parent);
    say_own_record(&s, parent);
    say_end(&s, c, parent);
    if (parent->kind == PROCESS_LOGGED)
        say_agreement(&s, c, parent);
    if (c->grade == GRADE_P) {
        say_literal(
            &s, "A process id is used again and again: a process that is not recorded "
                "can have held it in between. A caller can name another parent "
                "(T1134.004).");
        return s.count;
    }
    say_literal(&s,
                "Parent values come from Sysmon's own cache; some builds look it up by "
                "pid alone, and a caller can name another parent (T1134.004).");
    return s.count;
}
