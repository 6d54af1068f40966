/* SPDX-License-Identifier: Apache-2.0
 * What is odd about the links, as problems: hosts first, then each process in order. */
#include <inttypes.h>
#include <stdlib.h>

#include "lineage/lineage_internal.h"
#include "util/ranges.h"

enum { NAMED_MAX = 10 };

struct telling {
    const struct lineage *l;
    const struct pid_table *pids;
    const struct evidence_log *logs;
    struct problems *problems;
    uint32_t *first_logged; /* by host: first creation in order; PROCESS_NONE */
    uint32_t *first_wrong;  /* by host: first whose guid tells another second */
    bool *pid_matters;      /* by group of pids: a null parent has that pid */
    uint32_t *alias_of;     /* by node: index + 1 of its first alias */
    uint32_t *alias_next;
};

static struct text time_text(char out[FILETIME_TEXT_MAX], uint64_t filetime)
{
    if (filetime == FILETIME_NONE)
        return TEXT_LITERAL("an unknown time");
    return filetime_format(out, filetime, FILETIME_REPORT);
}

struct text shown_image(const struct lineage *l, const struct process *p)
{
    struct text image = lineage_text(l, p->image);
    return text_is_empty(image) ? TEXT_LITERAL("(no image recorded)") : image;
}

static struct place place_of(const struct telling *t, uint32_t node)
{
    return node == PROCESS_NONE ? NOWHERE
                                : lineage_place(t->l, &t->l->processes[node], t->logs);
}

static bool is_real_machine(const struct host *host)
{
    return host->machine_id != 0 && host->records > 0;
}

/* --- hosts */

static void tell_two_machines(const struct telling *t)
{
    const struct lineage *l = t->l;
    for (size_t from = 0, to; from < l->host_count; from = to) {
        size_t machines = 0;
        struct buffer list = {0};
        for (to = from;
             to < l->host_count && l->hosts[to].computer == l->hosts[from].computer;
             to++)
            if (is_real_machine(&l->hosts[to]) && machines++ < NAMED_MAX)
                buffer_printf(&list, "%s%08" PRIX32, machines > 1 ? ", " : "",
                              l->hosts[to].machine_id);
        struct text computer = lineage_text(l, l->hosts[from].computer);
        if (machines > 1)
            problems_add(t->problems, PROBLEM_COMPUTER_TWO_MACHINES,
                         place_of(t, t->first_logged[from]),
                         "%.*s stands with %zu machine ids (%.*s%s); their processes "
                         "are kept apart",
                         TEXT(computer), machines, TEXT(buffer_text(&list)),
                         machines > NAMED_MAX ? ", ..." : "");
        buffer_release(&list);
    }
}

static int compare_machines(const void *a, const void *b, void *context)
{
    const struct lineage *l = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (l->hosts[x].machine_id != l->hosts[y].machine_id)
        return l->hosts[x].machine_id < l->hosts[y].machine_id ? -1 : 1;
    return x < y ? -1 : 1;
}

static void tell_sharing(const struct telling *t, const uint32_t *hosts, size_t count)
{
    const struct lineage *l = t->l;
    struct buffer list = {0};
    for (size_t i = 0; i < count && i < NAMED_MAX; i++) {
        buffer_add_string(&list, i ? ", " : "");
        buffer_add_text(&list, lineage_text(l, l->hosts[hosts[i]].computer));
    }
    problems_add(t->problems, PROBLEM_MACHINE_ID_SHARED,
                 place_of(t, t->first_logged[hosts[0]]),
                 "%zu computer names share machine id %08" PRIX32
                 ": %.*s%s; no process is joined across them",
                 count, l->hosts[hosts[0]].machine_id, TEXT(buffer_text(&list)),
                 count > NAMED_MAX ? ", ..." : "");
    buffer_release(&list);
}

static void tell_shared_machines(const struct telling *t)
{
    const struct lineage *l = t->l;
    uint32_t *hosts = memory_get(l->host_count * sizeof *hosts);
    size_t count = 0;
    for (uint32_t h = 0; h < l->host_count; h++)
        if (is_real_machine(&l->hosts[h]))
            hosts[count++] = h;
    qsort_r(hosts, count, sizeof *hosts, compare_machines, (void *)l);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && l->hosts[hosts[to]].machine_id ==
                                              l->hosts[hosts[from]].machine_id;
             to++)
            ;
        if (to - from > 1)
            tell_sharing(t, hosts + from, to - from);
    }
    free(hosts);
}

static void tell_layout(const struct telling *t)
{
    const struct lineage *l = t->l;
    for (size_t h = 0; h < l->host_count; h++) {
        const struct host *host = &l->hosts[h];
        if (host->guid_time_agrees == host->guid_time_checked)
            continue;
        problems_add(t->problems, PROBLEM_GUID_TIME_DISAGREES,
                     place_of(t, t->first_wrong[h]),
                     "on %.*s the second inside the process GUID equals UtcTime in "
                     "%" PRIu64 " of %" PRIu64 " creation record%s; this is the first "
                     "where it does not. No start is given for processes without a "
                     "creation record",
                     TEXT(lineage_text(l, host->computer)), host->guid_time_agrees,
                     host->guid_time_checked, PLURAL(host->guid_time_checked));
    }
}

static void tell_twice(const struct telling *t)
{
    const struct lineage_index *index = t->l->index;
    for (size_t log = 0; log < index->twice_count; log++) {
        const struct recorded_twice *twice = &index->twice[log];
        struct place place =
            evidence_log_place(&t->logs[log], NO_OFFSET, twice->first_record_id);
        if (twice->count)
            problems_add(t->problems, PROBLEM_RID_DUP, place,
                         "%" PRIu64 " process creation%s of this log %s in another "
                         "record too (the first is EventRecordID %" PRIu64 "); each is "
                         "counted once",
                         twice->count, PLURAL(twice->count),
                         count_word(twice->count, "stands", "stand"),
                         twice->first_record_id);
    }
}

/* --- one process */

static void tell_ghost(const struct telling *t, const struct process *p)
{
    const struct lineage *l = t->l;
    if (p->kind != PROCESS_GHOST || p->first_child == PROCESS_NONE ||
        p->start_filetime == FILETIME_NONE)
        return;
    const struct process *child = &l->processes[p->first_child];
    const struct host *host = &l->hosts[child->scope];
    bool before = p->start_filetime < host->window_first_filetime;
    char guid[GUID_TEXT_MAX], start[FILETIME_TEXT_MAX], first[FILETIME_TEXT_MAX],
        pid[PID_TEXT_MAX];
    problems_add(
        t->problems, before ? PROBLEM_PARENT_GHOST_PRE : PROBLEM_PARENT_GHOST_IN_WINDOW,
        place_of(t, p->first_child),
        "%.*s %.*s (pid %.*s) is the recorded parent of %" PRIu32
        " process%s, has no creation record and started %.*s (by its GUID, to the "
        "second), %s the first record of %.*s (%.*s); this is its first child's record",
        TEXT(shown_image(l, p)), TEXT(guid_format(guid, &p->guid)),
        TEXT(pid_text(pid, p->pid)), p->children, count_word(p->children, "", "es"),
        TEXT(filetime_format(start, p->start_filetime, FILETIME_SECONDS)),
        before ? "before" : "not before", TEXT(lineage_computer(l, child)),
        TEXT(time_text(first, host->window_first_filetime)));
}

static bool is_msra(struct text image)
{
    return text_equal_fold(text_basename(image), TEXT_LITERAL("msra.exe"));
}

static void tell_null_parent(const struct telling *t, uint32_t n)
{
    const struct lineage *l = t->l;
    const struct process *p = &l->processes[n];
    if (p->unknown_parent == PROCESS_NONE)
        return;
    bool msra = is_msra(lineage_text(l, p->image)) ||
                is_msra(lineage_text(l, p->parent_image)) ||
                (p->candidate != PROCESS_NONE &&
                 is_msra(lineage_text(l, l->processes[p->candidate].image)));
    problems_add_graded(t->problems, PROBLEM_PARENT_NULL,
                        msra ? SEVERITY_NOTICE : SEVERITY_INFO, place_of(t, n),
                        "%.*s: %.*s", TEXT(shown_image(l, p)),
                        TEXT(lineage_text(l, p->grade_reason)));
}

static void tell_order(const struct telling *t, uint32_t n,
                       const struct process *parent)
{
    const struct lineage *l = t->l;
    const struct process *p = &l->processes[n];
    char one[FILETIME_TEXT_MAX], two[FILETIME_TEXT_MAX];
    if (p->start_filetime == FILETIME_NONE)
        return;
    bool end_record_first = parent->end_record_id == NO_RECORD ||
                            p->record_id == NO_RECORD ||
                            parent->end_is_audited != (p->kind == PROCESS_AUDITED) ||
                            parent->end_record_id < p->record_id;
    if (parent->end_filetime != FILETIME_NONE && end_record_first &&
        parent->end_filetime + LINEAGE_TOLERANCE_100NS < p->start_filetime)
        problems_add(
            t->problems, PROBLEM_PARENT_ENDED_FIRST, place_of(t, n),
            "the end of the recorded parent %.*s is recorded at %.*s%s, the start "
            "of %.*s at %.*s: the pid was used again, another parent was given on "
            "purpose, or the clock was set",
            TEXT(shown_image(l, parent)), TEXT(time_text(one, parent->end_filetime)),
            parent->flags & PROCESS_END_INFERRED
                ? " (by process id and time; that record names no guid)"
                : "",
            TEXT(shown_image(l, p)), TEXT(time_text(two, p->start_filetime)));
    if (parent->start_filetime != FILETIME_NONE &&
        p->start_filetime + LINEAGE_TOLERANCE_100NS < parent->start_filetime)
        problems_add(t->problems, PROBLEM_CHILD_BEFORE_PARENT, place_of(t, n),
                     "%.*s is recorded to start at %.*s, its recorded parent %.*s at "
                     "%.*s%s",
                     TEXT(shown_image(l, p)), TEXT(time_text(one, p->start_filetime)),
                     TEXT(shown_image(l, parent)),
                     TEXT(time_text(two, parent->start_filetime)),
                     process_has_record(parent) ? "" : " (by its GUID, to the second)");
}

static void tell_mismatch(const struct telling *t, uint32_t n, const char *what,
                          struct text by_parent, struct text by_child)
{
    problems_add(t->problems, PROBLEM_PARENT_TEXT_MISMATCH, place_of(t, n),
                 "the parent's %s is \"%.*s\" in its own record and \"%.*s\" in the "
                 "record of its child",
                 what, TEXT(by_parent), TEXT(by_child));
}

/* One string number is one text. */
static void tell_texts(const struct telling *t, uint32_t n,
                       const struct process *parent)
{
    const struct lineage *l = t->l;
    const struct process *p = &l->processes[n];
    struct text own = lineage_text(l, parent->image),
                seen = lineage_text(l, p->parent_image);
    if (parent->image != p->parent_image && compare_images(own, seen) == SIDES_DIFFER)
        tell_mismatch(t, n, "image", own, seen);
    own = lineage_text(l, parent->command_line);
    seen = lineage_text(l, p->parent_command_line);
    if (parent->command_line != p->parent_command_line &&
        compare_command_lines(own, seen) == SIDES_DIFFER)
        tell_mismatch(t, n, "command line", own, seen);
    if (p->parent_pid != PID_UNKNOWN && p->parent_pid != parent->pid)
        problems_add(t->problems, PROBLEM_PARENT_TEXT_MISMATCH, place_of(t, n),
                     "the parent's process id is %" PRIu32 " in its own record and "
                     "%" PRIu32 " in the record of its child",
                     parent->pid, p->parent_pid);
    own = lineage_text(l, parent->user);
    seen = lineage_text(l, p->parent_user);
    if (parent->user != p->parent_user && compare_images(own, seen) == SIDES_DIFFER)
        problems_add(
            t->problems, PROBLEM_PARENT_USER_MISMATCH, place_of(t, n),
            "the parent's account is \"%.*s\" in its own record and \"%.*s\" in "
            "the record of its child",
            TEXT(own), TEXT(seen));
}

static void tell_parent(const struct telling *t, uint32_t n)
{
    const struct process *p = &t->l->processes[n];
    if (p->parent == PROCESS_NONE)
        return;
    const struct process *parent = &t->l->processes[p->parent];
    tell_order(t, n, parent);
    if (parent->kind == PROCESS_LOGGED)
        tell_texts(t, n, parent);
}

static void tell_lifetime(const struct telling *t, uint32_t n)
{
    const struct process *p = &t->l->processes[n];
    char start[FILETIME_TEXT_MAX], end[FILETIME_TEXT_MAX];
    if (p->end_filetime == FILETIME_NONE || p->start_filetime == FILETIME_NONE ||
        p->end_filetime + LINEAGE_TOLERANCE_100NS >= p->start_filetime)
        return;
    problems_add(t->problems, PROBLEM_END_BEFORE_START, place_of(t, n),
                 "%.*s is recorded to start at %.*s and to end at %.*s",
                 TEXT(shown_image(t->l, p)), TEXT(time_text(start, p->start_filetime)),
                 TEXT(time_text(end, p->end_filetime)));
}

/* Told at the second process of a pid, once for all of them. */
static void tell_pid_reuse(const struct telling *t, uint32_t n)
{
    const struct pid_table *pids = t->pids;
    uint32_t group = pids->groups[n];
    if (group == PROCESS_NONE)
        return;
    const uint32_t *holders = pids->holders + pids->first[group];
    uint32_t count = pids->first[group + 1] - pids->first[group];
    if (count < 2 || holders[1] != n)
        return;
    const struct process *p = &t->l->processes[n], *old = &t->l->processes[holders[0]];
    char one[FILETIME_TEXT_MAX], two[FILETIME_TEXT_MAX];
    problems_add_graded(
        t->problems, PROBLEM_PID_REUSE,
        t->pid_matters[group] ? SEVERITY_NOTICE : SEVERITY_INFO, place_of(t, n),
        "pid %" PRIu32 " of %.*s was used by %" PRIu32 " processes: first %.*s from "
        "%.*s, then %.*s from %.*s%s",
        p->pid, TEXT(lineage_computer(t->l, p)), count, TEXT(shown_image(t->l, old)),
        TEXT(time_text(one, old->start_filetime)), TEXT(shown_image(t->l, p)),
        TEXT(time_text(two, p->start_filetime)),
        t->pid_matters[group] ? "; a process creation without a parent guid names this "
                                "pid as its parent's"
                              : "");
}

static void tell_aliases(const struct telling *t, uint32_t n)
{
    const struct lineage *l = t->l;
    const struct process *p = &l->processes[n];
    if (!t->alias_of || !t->alias_of[n])
        return;
    struct buffer list = {0};
    unsigned count = 0;
    for (uint32_t at = t->alias_of[n]; at; at = t->alias_next[at - 1]) {
        char guid[GUID_TEXT_MAX];
        if (count++ < NAMED_MAX)
            buffer_printf(&list, "%s%.*s", count > 1 ? ", " : "",
                          TEXT(guid_format(guid, &l->aliases[at - 1].guid)));
    }
    char own[GUID_TEXT_MAX];
    problems_add(
        t->problems, PROBLEM_GUID_ALIAS, place_of(t, n),
        "%.*s %.*s is also recorded as %.*s%s: machine id, start second and pid "
        "are equal",
        TEXT(shown_image(l, p)), TEXT(guid_format(own, &p->guid)),
        TEXT(buffer_text(&list)), count > NAMED_MAX ? ", ..." : "");
    buffer_release(&list);
}

static void tell_conflict(const struct telling *t, uint32_t n)
{
    const struct lineage *l = t->l;
    const struct process *p = &l->processes[n];
    if (!(p->flags & FLAG_CONFLICT))
        return;
    uint32_t first = index_find_guid(l, node_computer(l, p), &p->guid);
    first = l->index->extras[first].means;
    if (n == first)
        return;
    const struct process *other = &l->processes[first];
    char guid[GUID_TEXT_MAX], pids[2][PID_TEXT_MAX];
    problems_add(t->problems, PROBLEM_GUID_CONFLICT, place_of(t, n),
                 "%.*s (pid %.*s) and %.*s (pid %.*s, EventRecordID "
                 "%" PRIu64 ") carry the same guid %.*s; both are kept, links to this "
                 "guid go to the latter",
                 TEXT(shown_image(l, p)), TEXT(pid_text(pids[0], p->pid)),
                 TEXT(shown_image(l, other)), TEXT(pid_text(pids[1], other->pid)),
                 other->record_id, TEXT(guid_format(guid, &p->guid)));
}

static void tell_image(const struct telling *t, uint32_t n)
{
    const struct lineage *l = t->l;
    const struct process *p = &l->processes[n];
    struct text own = lineage_text(l, p->image);
    if (p->kind != PROCESS_LOGGED || sysmon_text_is_missing(own))
        return;
    for (int i = 0; i < IMAGES_PER_PROCESS; i++) {
        uint32_t number = l->index->extras[n].images[i];
        struct text seen = lineage_text(l, number);
        if (number == STRING_ABSENT || number == p->image || text_equal_fold(own, seen))
            continue;
        bool same_name = text_equal_fold(text_basename(own), text_basename(seen));
        problems_add_graded(t->problems, PROBLEM_IMAGE_DISAGREES,
                            same_name ? SEVERITY_INFO : SEVERITY_NOTICE, place_of(t, n),
                            "the creation record says \"%.*s\", other events of this "
                            "process say \"%.*s\"%s",
                            TEXT(own), TEXT(seen),
                            same_name ? " (the same file name by another path)" : "");
        return;
    }
}

static void tell_circle(const struct telling *t, uint32_t n)
{
    const struct lineage *l = t->l;
    const struct process *p = &l->processes[n];
    char guid[GUID_TEXT_MAX], pid[PID_TEXT_MAX];
    if (p->flags & FLAG_CIRCLE)
        problems_add(t->problems, PROBLEM_DATA_CYCLE, place_of(t, n),
                     "%.*s (pid %.*s) is recorded as a descendant of itself: its "
                     "recorded parent %.*s is not drawn",
                     TEXT(shown_image(l, p)), TEXT(pid_text(pid, p->pid)),
                     TEXT(lineage_parent_guid(l, p, guid)));
}

/* --- all of it */

/* By range and host. */
struct firsts {
    const struct lineage *lineage;
    uint32_t *logged, *wrong;
};

static void find_firsts_of(void *context, struct range range)
{
    const struct firsts *f = context;
    const struct lineage *l = f->lineage;
    uint32_t *logged = f->logged + range.number * l->host_count;
    uint32_t *wrong = f->wrong + range.number * l->host_count;
    for (size_t h = 0; h < l->host_count; h++)
        logged[h] = wrong[h] = PROCESS_NONE;
    for (size_t i = range.to; i-- > range.from;) {
        const struct process *p = &l->processes[l->order[i]];
        if (p->kind != PROCESS_LOGGED)
            continue;
        logged[p->scope] = l->order[i];
        if (!guid_is_null(&p->guid) && p->start_filetime != FILETIME_NONE &&
            filetime_to_unix(p->start_filetime) !=
                (int64_t)process_guid_parts(&p->guid).start_unix)
            wrong[p->scope] = l->order[i];
    }
}

/* The first range's places become those of all. */
static void find_firsts(struct telling *t, struct workers *workers)
{
    const struct lineage *l = t->l;
    size_t hosts = l->host_count, ranges = ranges_count(workers, l->order_count);
    size_t places = (ranges ? ranges : 1) * hosts;
    struct firsts f = {l, memory_get(places * sizeof *f.logged),
                       memory_get(places * sizeof *f.wrong)};
    for (size_t h = 0; h < hosts; h++)
        f.logged[h] = f.wrong[h] = PROCESS_NONE;
    ranges_do(workers, l->order_count, find_firsts_of, &f);
    for (size_t i = hosts; i < places; i++) {
        if (f.logged[i % hosts] == PROCESS_NONE)
            f.logged[i % hosts] = f.logged[i];
        if (f.wrong[i % hosts] == PROCESS_NONE)
            f.wrong[i % hosts] = f.wrong[i];
    }
    t->first_logged = f.logged;
    t->first_wrong = f.wrong;
}

/* Unknown parents are the nodes that were added last. */
static void find_pids_that_matter(struct telling *t)
{
    const struct lineage *l = t->l;
    t->pid_matters = memory_get_zeroed(t->pids->group_count, sizeof *t->pid_matters);
    for (size_t n = l->count; n-- > 0 && l->processes[n].kind == PROCESS_UNKNOWN;) {
        const struct process *p = &l->processes[l->index->extras[n].means];
        struct pid_holders h = pid_holders(t->pids, p->scope, p->parent_pid);
        if (h.count)
            t->pid_matters[t->pids->groups[h.nodes[0]]] = true;
    }
}

static void chain_aliases(struct telling *t)
{
    const struct lineage *l = t->l;
    if (l->alias_count == 0)
        return;
    t->alias_of = memory_get_zeroed(l->count, sizeof *t->alias_of);
    t->alias_next = memory_get_zeroed(l->alias_count, sizeof *t->alias_next);
    for (size_t i = l->alias_count; i-- > 0;) {
        t->alias_next[i] = t->alias_of[l->aliases[i].process];
        t->alias_of[l->aliases[i].process] = (uint32_t)i + 1;
    }
}

/* Each range has problems of its own, which are joined in order. */
struct told_range {
    struct problems problems;
    struct arena arena;
};

struct ranges_told {
    const struct telling *all;
    struct told_range *ranges;
};

static void tell_process(const struct telling *t, uint32_t n)
{
    tell_ghost(t, &t->l->processes[n]);
    tell_null_parent(t, n);
    tell_circle(t, n);
    tell_parent(t, n);
    tell_lifetime(t, n);
    tell_pid_reuse(t, n);
    tell_aliases(t, n);
    tell_conflict(t, n);
    tell_image(t, n);
    oddities_tell(t->l, n, t->logs, t->problems);
}

static void tell_range(void *context, struct range range)
{
    const struct ranges_told *told = context;
    struct told_range *own = &told->ranges[range.number];
    struct telling t = *told->all;
    problems_init(&own->problems, &own->arena);
    t.problems = &own->problems;
    for (size_t i = range.from; i < range.to; i++)
        tell_process(&t, t.l->order[i]);
}

static void tell_processes(const struct telling *t, struct workers *workers)
{
    size_t count = t->l->order_count, ranges = ranges_count(workers, count);
    struct ranges_told told = {t, memory_get_zeroed(ranges, sizeof(struct told_range))};
    ranges_do(workers, count, tell_range, &told);
    for (size_t i = 0; i < ranges; i++)
        problems_take(t->problems, &told.ranges[i].problems);
    free(told.ranges);
}

void anomalies_tell(const struct lineage *l, const struct pid_table *pids,
                    const struct evidence_log *logs, struct problems *problems,
                    struct workers *workers)
{
    struct telling t = {.l = l, .pids = pids, .logs = logs, .problems = problems};
    if (!problems)
        return;
    find_firsts(&t, workers);
    find_pids_that_matter(&t);
    chain_aliases(&t);
    tell_two_machines(&t);
    tell_shared_machines(&t);
    tell_layout(&t);
    tell_twice(&t);
    tell_processes(&t, workers);
    free(t.first_logged);
    free(t.first_wrong);
    free(t.pid_matters);
    free(t.alias_of);
    free(t.alias_next);
}
