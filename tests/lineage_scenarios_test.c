/* SPDX-License-Identifier: Apache-2.0
 * The 18 acceptance scenarios of the lineage, by number. Each is told by its file in
 * tests/scenarios; each is also told in other orders, and must come out the same. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/test.h"

#include "tests/lineage_helper.h"
#include "util/memory.h"
#include "util/workers.h"
#include "validate/scenario.h"

enum { SHUFFLES = 8, LOGS_MAX = 4 };

struct story {
    struct scenario scenario;
    struct evtx_record *records;
    struct arena arena;
    struct lineage lineage;
    struct problems problems;
    size_t of_coverage; /* the first of them */
    struct evidence_log logs[LOGS_MAX];
    struct coverage coverages[LOGS_MAX];
    size_t log_count;
    uint32_t *sequence; /* event numbers, in the order they are told */
};

static uint32_t log_number(struct story *s, struct text path)
{
    for (uint32_t i = 0; i < s->log_count; i++)
        if (text_equal(s->logs[i].path, path))
            return i;
    assert_true(s->log_count < LOGS_MAX);
    s->logs[s->log_count].path = path;
    s->logs[s->log_count].evidence = TEXT_LITERAL("scenario");
    return (uint32_t)s->log_count++;
}

static void open_story(struct story *s, const char *name)
{
    struct error err = {0};
    char path[512];
    const char *srcdir = getenv("srcdir");
    *s = (struct story){0};
    snprintf(path, sizeof path, "%s/tests/scenarios/%s.scenario", srcdir ? srcdir : ".",
             name);
    if (scenario_read(&s->scenario, path, &err) != OK)
        fail_msg("%s", err.what);
    s->records = memory_get(s->scenario.count * sizeof *s->records);
    s->sequence = memory_get(s->scenario.count * sizeof *s->sequence);
    for (size_t i = 0; i < s->scenario.count; i++) {
        s->records[i] = scenario_record(&s->scenario, i);
        s->sequence[i] = (uint32_t)i;
        log_number(s, s->scenario.events[i].log);
    }
}

static void cover(struct story *s, const struct evtx_record *record,
                  const struct sysmon_event *event, uint32_t log,
                  struct evtx_log_facts *facts)
{
    bool same = record->header_id == record->system.record_id;
    facts->header_id_same += same;
    facts->header_id_differs += !same;
    coverage_add(&s->coverages[log], record, event);
}

static void tell(struct story *s)
{
    struct evtx_log_facts facts[LOGS_MAX] = {0};
    problems_init(&s->problems, &s->arena);
    lineage_init(&s->lineage);
    for (size_t i = 0; i < s->log_count; i++)
        coverage_init(&s->coverages[i], &s->arena, &s->logs[i]);
    for (size_t i = 0; i < s->scenario.count; i++) {
        uint32_t n = s->sequence[i];
        uint32_t log = log_number(s, s->scenario.events[n].log);
        struct sysmon_event event;
        bool is_sysmons =
            sysmon_event_from_record(&event, &s->records[n], &s->logs[log]);
        if (is_sysmons)
            lineage_add(&s->lineage, &event, log);
        cover(s, &s->records[n], is_sysmons ? &event : NULL, log, &facts[log]);
    }
    for (size_t i = 0; i < s->log_count; i++)
        coverage_finish(&s->coverages[i], &facts[i], &s->problems);
    s->of_coverage = s->problems.count;
    struct workers *workers = workers_open(3); /* ranges of a few processes each */
    lineage_link(&s->lineage, s->logs, &s->problems, workers);
    workers_close(workers);
}

static void untell(struct story *s)
{
    for (size_t i = 0; i < s->log_count; i++)
        coverage_release(&s->coverages[i]);
    lineage_release(&s->lineage);
    problems_release(&s->problems);
    arena_clear(&s->arena);
}

static void close_story(struct story *s)
{
    untell(s);
    arena_release(&s->arena);
    scenario_release(&s->scenario);
    free(s->records);
    free(s->sequence);
}

/* --- everything that linking decided, as text */

static void add_node_name(struct buffer *b, const struct lineage *l, const char *label,
                          uint32_t n)
{
    char guid[GUID_TEXT_MAX];
    if (n != PROCESS_NONE)
        buffer_printf(b, " %s=%.*s", label, TEXT(lineage_key(l, n, guid)));
}

static void dump_process(struct buffer *b, const struct lineage *l, uint32_t n)
{
    const struct process *p = &l->processes[n];
    const uint32_t texts[] = {
        p->image,  p->command_line, p->user,        p->original_file_name,
        p->hashes, p->parent_image, p->grade_reason};
    char guid[GUID_TEXT_MAX];
    buffer_printf(b, "%.*s ", TEXT(lineage_parent_guid(l, p, guid)));
    buffer_printf(b, "%.*s %s %s pid %" PRIu32 " host %" PRIu32 " flags %d",
                  TEXT(lineage_key(l, n, guid)), process_kind_name(p->kind),
                  link_grade_name(p->grade), p->pid, p->scope, p->flags & 7);
    buffer_printf(b, " times %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64,
                  p->start_filetime, p->end_filetime, p->last_seen_filetime,
                  p->logged_filetime);
    buffer_printf(b, " at %" PRIu32 " %" PRIx64 " %" PRIx64 " %" PRIx64, p->log,
                  p->offset, p->record_id, p->end_record_id);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        buffer_printf(b, " |%.*s", TEXT(lineage_text(l, texts[i])));
    buffer_printf(b, "| %" PRIu32 " %" PRIu32 " %" PRIu32, p->children, p->descendants,
                  p->depth);
    add_node_name(b, l, "parent", p->parent);
    add_node_name(b, l, "candidate", p->candidate);
    add_node_name(b, l, "unknown", p->unknown_parent);
    add_node_name(b, l, "first", p->first_child);
    add_node_name(b, l, "next", p->next_sibling);
    add_node_name(b, l, "root", p->root);
    buffer_add_char(b, '\n');
}

static void dump(struct buffer *b, const struct story *s)
{
    const struct lineage *l = &s->lineage;
    buffer_clear(b);
    for (size_t h = 0; h < l->host_count; h++)
        buffer_printf(b,
                      "host %.*s %" PRIx32 " %" PRIx64 " %" PRIx64 " %" PRIu64
                      " %" PRIu64 " %" PRIu64 "/%" PRIu64 "\n",
                      TEXT(lineage_text(l, l->hosts[h].computer)),
                      l->hosts[h].machine_id, l->hosts[h].first_filetime,
                      l->hosts[h].last_filetime, l->hosts[h].records,
                      l->hosts[h].process_creations, l->hosts[h].guid_time_agrees,
                      l->hosts[h].guid_time_checked);
    for (size_t i = 0; i < l->order_count; i++)
        dump_process(b, l, l->order[i]);
    for (size_t i = 0; i < l->alias_count; i++) {
        char guid[GUID_TEXT_MAX];
        buffer_printf(b, "alias %.*s", TEXT(guid_format(guid, &l->aliases[i].guid)));
        add_node_name(b, l, "of", l->aliases[i].process);
        buffer_add_char(b, '\n');
    }
    for (size_t i = s->of_coverage; i < s->problems.count; i++)
        buffer_printf(
            b, "%s %d %" PRIx64 " %.*s\n", problem_kinds[s->problems.rows[i].code].code,
            (int)s->problems.rows[i].severity, s->problems.rows[i].place.record_id,
            TEXT(s->problems.rows[i].message));
}

static void shuffle(uint32_t *items, size_t count, uint64_t seed)
{
    for (size_t i = count; i > 1; i--) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        size_t other = (size_t)((seed >> 33) % i);
        uint32_t kept = items[i - 1];
        items[i - 1] = items[other];
        items[other] = kept;
    }
}

static size_t first_difference(struct text a, struct text b)
{
    size_t at = 0;
    while (at < a.len && at < b.len && a.ptr[at] == b.ptr[at])
        at++;
    while (at > 0 && a.ptr[at - 1] != '\n')
        at--;
    return at;
}

/* The coverage takes its problems from the file's order, so only lineage is compared. */
static void assert_same_in_any_order(struct story *s, int shuffles)
{
    struct buffer told = {0}, again = {0};
    dump(&told, s);
    for (int seed = 1; seed <= shuffles; seed++) {
        untell(s);
        shuffle(s->sequence, s->scenario.count, (uint64_t)seed);
        tell(s);
        dump(&again, s);
        struct text a = buffer_text(&told), b = buffer_text(&again);
        size_t at = first_difference(a, b);
        if (!text_equal(a, b))
            fail_msg("order %d differs:\n%.600s\nwas:\n%.600s", seed, b.ptr + at,
                     a.ptr + at);
    }
    buffer_release(&told);
    buffer_release(&again);
}

static void tell_story(struct story *s, const char *name)
{
    open_story(s, name);
    tell(s);
}

/* --- looking things up */

static const struct process *find(const struct story *s, const char *computer,
                                  uint32_t pid, enum process_kind kind)
{
    const struct lineage *l = &s->lineage;
    const struct process *found = NULL;
    for (size_t i = 0; i < l->order_count; i++) {
        const struct process *p = &l->processes[l->order[i]];
        if (p->pid == pid && p->kind == kind &&
            (!computer ||
             text_starts_with_fold(lineage_computer(l, p), text_from(computer)))) {
            if (found)
                fail_msg("two processes with pid %" PRIu32, pid);
            found = p;
        }
    }
    if (!found)
        fail_msg("no process with pid %" PRIu32, pid);
    return found;
}

static const struct process *logged(const struct story *s, uint32_t pid)
{
    return find(s, NULL, pid, PROCESS_LOGGED);
}

static uint32_t number_of(const struct story *s, const struct process *p)
{
    return (uint32_t)(p - s->lineage.processes);
}

static const struct process *parent_of(const struct story *s, const struct process *p)
{
    assert_int_not_equal(p->parent, PROCESS_NONE);
    return &s->lineage.processes[p->parent];
}

static void assert_link(const struct story *s, const struct process *child,
                        const struct process *parent, enum link_grade grade)
{
    assert_ptr_equal(parent_of(s, child), parent);
    assert_string_equal(link_grade_name(child->grade), link_grade_name(grade));
}

static size_t count_of(const struct story *s, enum problem_code code)
{
    return s->problems.per_code[code];
}

static const struct problem *problem_of(const struct story *s, enum problem_code code)
{
    for (size_t i = 0; i < s->problems.count; i++)
        if (s->problems.rows[i].code == code)
            return &s->problems.rows[i];
    fail_msg("no %s", problem_kinds[code].code);
    return NULL;
}

static void assert_text(const struct story *s, uint32_t number, const char *expected)
{
    struct text t = lineage_text(&s->lineage, number);
    if (!text_equal(t, text_from(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", TEXT(t), expected);
}

static void assert_start(const struct process *p, const char *expected)
{
    char time[FILETIME_TEXT_MAX];
    assert_string_equal(filetime_format(time, p->start_filetime, FILETIME_REPORT).ptr,
                        expected);
}

static uint32_t unknown_parent_pid(const struct story *s, const struct process *p)
{
    assert_int_equal(p->parent, PROCESS_NONE);
    assert_ptr_equal(&s->lineage.processes[p->root], p);
    assert_int_equal(p->depth, 0);
    assert_int_not_equal(p->unknown_parent, PROCESS_NONE);
    const struct process *unknown = &s->lineage.processes[p->unknown_parent];
    assert_int_equal(unknown->kind, PROCESS_UNKNOWN);
    return unknown->pid;
}

static bool reason_contains(const struct story *s, const struct process *p,
                            const char *part)
{
    return text_contains_fold(lineage_text(&s->lineage, p->grade_reason),
                              text_from(part));
}

static void assert_chain(const struct story *s)
{
    const struct process *explorer = logged(s, 10), *regsvr32 = logged(s, 20),
                         *msra = logged(s, 30);
    assert_link(s, regsvr32, explorer, GRADE_A);
    assert_link(s, msra, regsvr32, GRADE_A);
    assert_link(s, logged(s, 40), msra, GRADE_A);
    assert_link(s, logged(s, 41), msra, GRADE_A);
    assert_int_equal(unknown_parent_pid(s, explorer), 0);
    assert_int_equal(logged(s, 40)->depth, 3);
    assert_int_equal(logged(s, 40)->root, number_of(s, explorer));
    assert_int_equal(explorer->descendants, 4);
    assert_int_equal(msra->children, 2);
}

/* --- the scenarios */

static void scenario_1_chain(void **state)
{
    struct story s;
    (void)state;
    tell_story(&s, "01-chain");
    assert_chain(&s);
    const struct process *msra = logged(&s, 30);
    assert_int_equal(msra->first_child, number_of(&s, logged(&s, 40)));
    assert_int_equal(logged(&s, 40)->next_sibling, number_of(&s, logged(&s, 41)));
    uint32_t depth = 0, top = number_of(&s, logged(&s, 10)), n = top;
    static const uint32_t walk[] = {10, 20, 30, 40, 41};
    static const uint32_t depths[] = {0, 1, 2, 3, 3};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(s.lineage.processes[n].pid, walk[i]);
        assert_int_equal(depth, depths[i]);
        n = lineage_next_in_tree(&s.lineage, top, n, &depth);
    }
    assert_int_equal(n, PROCESS_NONE);
    assert_int_equal(count_of(&s, PROBLEM_PARENT_TEXT_MISMATCH), 0);
    assert_same_in_any_order(&s, SHUFFLES);
    close_story(&s);
}

static void scenario_2_ghost_before_the_log(void **state)
{
    struct story s;
    (void)state;
    tell_story(&s, "02-ghost-before-the-log");
    const struct process *explorer = find(&s, NULL, 10, PROCESS_GHOST);
    assert_link(&s, logged(&s, 20), explorer, GRADE_B);
    assert_text(&s, explorer->image, "C:\\Windows\\explorer.exe");
    assert_text(&s, explorer->command_line, "C:\\Windows\\Explorer.EXE");
    assert_start(explorer, "2025-12-31T00:00:00.0000000Z");
    assert_int_equal(explorer->descendants, 4);
    assert_int_equal(logged(&s, 41)->root, number_of(&s, explorer));
    assert_int_equal(count_of(&s, PROBLEM_PARENT_GHOST_PRE), 1);
    assert_int_equal(count_of(&s, PROBLEM_PARENT_GHOST_IN_WINDOW), 0);
    assert_same_in_any_order(&s, SHUFFLES);
    close_story(&s);
}

static void scenario_3_ghost_inside_the_log(void **state)
{
    struct story s;
    (void)state;
    tell_story(&s, "03-ghost-inside-the-log");
    const struct process *msra = find(&s, NULL, 30, PROCESS_GHOST);
    assert_text(&s, msra->image, "C:\\Windows\\SysWOW64\\msra.exe");
    assert_int_not_equal(msra->command_line, STRING_ABSENT);
    assert_link(&s, logged(&s, 40), msra, GRADE_B);
    assert_link(&s, logged(&s, 41), msra, GRADE_B);
    assert_int_equal(msra->parent, PROCESS_NONE);
    assert_int_equal(logged(&s, 20)->children, 0);
    assert_int_not_equal(logged(&s, 20)->root, logged(&s, 40)->root);
    assert_int_equal(problem_of(&s, PROBLEM_PARENT_GHOST_IN_WINDOW)->severity,
                     SEVERITY_NOTICE);
    assert_int_equal(count_of(&s, PROBLEM_PARENT_GHOST_IN_WINDOW), 1);
    assert_int_equal(count_of(&s, PROBLEM_PARENT_GHOST_PRE), 0);
    assert_same_in_any_order(&s, SHUFFLES);
    close_story(&s);
}

static void scenario_4_child_before_parent_in_file(void **state)
{
    struct story s;
    (void)state;
    tell_story(&s, "04-child-before-parent-in-file");
    assert_chain(&s);
    assert_int_equal(count_of(&s, PROBLEM_PARENT_GHOST_PRE), 0);
    assert_int_equal(count_of(&s, PROBLEM_PARENT_GHOST_IN_WINDOW), 0);
    assert_same_in_any_order(&s, SHUFFLES);
    close_story(&s);
}

static void scenario_5_guid_alias(void **state)
{
    struct story s;
    (void)state;
    tell_story(&s, "05-guid-alias");
    const struct process *msra = logged(&s, 30);
    assert_link(&s, logged(&s, 40), msra, GRADE_A_MINUS);
    assert_int_equal(s.lineage.alias_count, 1);
    assert_int_equal(s.lineage.aliases[0].process, number_of(&s, msra));
    assert_true(msra->flags & PROCESS_HAS_ALIAS);
    assert_int_equal(count_of(&s, PROBLEM_GUID_ALIAS), 1);
    struct sysmon_event event;
    size_t last = s.scenario.count - 1;
    assert_true(sysmon_event_from_record(&event, &s.records[last], &s.logs[0]));
    assert_int_equal(event.event_id, SYSMON_REMOTE_THREAD);
    struct event_processes found = lineage_find(&s.lineage, &event);
    assert_int_equal(found.object, number_of(&s, msra));
    assert_int_equal(found.subject, number_of(&s, logged(&s, 50)));
    assert_same_in_any_order(&s, SHUFFLES);
    close_story(&s);
}

static void scenario_6_null_parent(void **state)
{
    struct story s;
    (void)state;
    tell_story(&s, "06-null-parent");
    const struct process *svchost = find(&s, "PC-17", 700, PROCESS_LOGGED);
    assert_int_equal(unknown_parent_pid(&s, svchost), 628);
    assert_int_equal(svchost->grade, GRADE_C);
    assert_int_equal(svchost->candidate,
                     number_of(&s, find(&s, "PC-17", 628, PROCESS_LOGGED)));
    assert_true(reason_contains(&s, svchost, "parent unknown (pid 628)"));
    assert_true(reason_contains(&s, svchost, "services.exe"));
    svchost = find(&s, "PC-18", 700, PROCESS_LOGGED);
    assert_int_equal(unknown_parent_pid(&s, svchost), 628);
    assert_int_equal(svchost->grade, GRADE_NONE);
    assert_int_equal(svchost->candidate, PROCESS_NONE);
    assert_true(reason_contains(&s, svchost, "parent unknown (pid 628)"));
    assert_int_not_equal(count_of(&s, PROBLEM_PARENT_NULL), 0);
    assert_same_in_any_order(&s, SHUFFLES);
    close_story(&s);
}

static void scenario_7_pid_reuse(void **state)
{
    struct story s;
    (void)state;
    tell_story(&s, "07-pid-reuse");
    const struct process *early = logged(&s, 601), *late = logged(&s, 602);
    assert_int_equal(early->candidate, PROCESS_NONE);
    assert_int_equal(early->grade, GRADE_NONE);
    assert_int_equal(late->grade, GRADE_C);
    assert_text(&s, s.lineage.processes[late->candidate].image,
                "C:\\Windows\\System32\\PING.EXE");
    assert_int_equal(unknown_parent_pid(&s, late), 500);
    assert_int_equal(count_of(&s, PROBLEM_PID_REUSE), 1);
    assert_int_equal(problem_of(&s, PROBLEM_PID_REUSE)->severity, SEVERITY_NOTICE);
    assert_same_in_any_order(&s, SHUFFLES);
    close_story(&s);
}

static void scenario_8_clones(void **state)
{
    struct story s;
    (void)state;
    tell_story(&s, "08-clones");
    const struct process *one = find(&s, "PC01", 30, PROCESS_LOGGED),
                         *two = find(&s, "PC04", 30, PROCESS_LOGGED);
    assert_true(guid_equal(&one->guid, &two->guid));
    assert_int_not_equal(one->root, two->root);
    assert_int_not_equal(one->key, two->key);
    assert_link(&s, one, find(&s, "PC01", 10, PROCESS_LOGGED), GRADE_A);
    assert_link(&s, two, find(&s, "PC04", 10, PROCESS_LOGGED), GRADE_A);
    assert_int_equal(count_of(&s, PROBLEM_MACHINE_ID_SHARED), 1);
    assert_int_equal(problem_of(&s, PROBLEM_MACHINE_ID_SHARED)->severity,
                     SEVERITY_NOTICE);
    assert_int_equal(count_of(&s, PROBLEM_GUID_CONFLICT), 0);
    assert_same_in_any_order(&s, SHUFFLES);
    close_story(&s);
}

static void scenario_9_end_before_start(void **state)
{
    struct story s;
    (void)state;
    tell_story(&s, "09-end-before-start");
    assert_int_equal(count_of(&s, PROBLEM_END_BEFORE_START), 1);
    assert_int_equal(count_of(&s, PROBLEM_PARENT_ENDED_FIRST), 1);
    assert_true(text_contains_fold(problem_of(&s, PROBLEM_END_BEFORE_START)->message,
                                   TEXT_LITERAL("00:00:05.3")));
    const struct process *net = find(&s, "PC-17", 50, PROCESS_LOGGED);
    assert_int_not_equal(net->end_filetime, FILETIME_NONE);
    assert_link(&s, find(&s, "PC-18", 51, PROCESS_LOGGED),
                find(&s, "PC-18", 50, PROCESS_LOGGED), GRADE_A);
    assert_same_in_any_order(&s, SHUFFLES);
    close_story(&s);
}

static void scenario_10_percent(void **state)
{
    struct story s;
    (void)state;
    tell_story(&s, "10-percent");
    const struct process *cmd = logged(&s, 50), *child = logged(&s, 51);
    assert_text(&s, cmd->command_line, "cmd /c echo %%x%%");
    assert_text(&s, child->parent_command_line, "cmd /c echo %x%");
    struct buffer shown = {0};
    lineage_add_unescaped(&shown, lineage_text(&s.lineage, cmd->command_line));
    assert_string_equal(shown.ptr, "cmd /c echo %x%");
    buffer_release(&shown);
    assert_int_equal(count_of(&s, PROBLEM_PARENT_TEXT_MISMATCH), 0);
    assert_same_in_any_order(&s, SHUFFLES);
    close_story(&s);
}

static void scenario_11_injection(void **state)
{
    struct story s;
    (void)state;
    tell_story(&s, "11-injection");
    const struct process *msra = logged(&s, 30), *rundll32 = logged(&s, 21);
    size_t on_msra = 0, by_rundll32 = 0;
    for (size_t i = 0; i < s.scenario.count; i++) {
        struct sysmon_event event;
        assert_true(sysmon_event_from_record(&event, &s.records[i], &s.logs[0]));
        struct event_processes found = lineage_find(&s.lineage, &event);
        bool names_msra = found.object == number_of(&s, msra) ||
                          (event.event_id == SYSMON_PROCESS_TAMPERING &&
                           found.subject == number_of(&s, msra));
        on_msra += names_msra;
        by_rundll32 += names_msra && found.subject == number_of(&s, rundll32);
    }
    assert_int_equal(on_msra, 5);     /* 10, 10 (csrss), 10, 8, 25 */
    assert_int_equal(by_rundll32, 2); /* "<unknown process>" is joined by its guid */
    assert_text(&s, msra->image, "C:\\Windows\\SysWOW64\\msra.exe");
    assert_link(&s, msra, logged(&s, 20), GRADE_A);
    assert_int_equal(count_of(&s, PROBLEM_IMAGE_DISAGREES), 0);
    assert_same_in_any_order(&s, SHUFFLES);
    close_story(&s);
}

static void scenario_12_started_by_a_user(void **state)
{
    struct story s;
    (void)state;
    tell_story(&s, "12-started-by-a-user");
    const struct process *msra = logged(&s, 30);
    assert_text(&s, msra->command_line, "\"C:\\Windows\\system32\\msra.exe\" ");
    assert_text(&s, logged(&s, 41)->parent_command_line,
                "\"C:\\Windows\\system32\\msra.exe\" ");
    assert_link(&s, logged(&s, 41), msra, GRADE_A);
    assert_same_in_any_order(&s, SHUFFLES);
    close_story(&s);
}

static void scenario_13_renamed(void **state)
{
    struct story s;
    (void)state;
    tell_story(&s, "13-renamed");
    const struct process *svc = logged(&s, 30);
    assert_text(&s, svc->image, "C:\\ProgramData\\svc.exe");
    assert_text(&s, svc->original_file_name, "msra.exe");
    assert_link(&s, logged(&s, 40), svc, GRADE_A);
    assert_same_in_any_order(&s, SHUFFLES);
    close_story(&s);
}

static void assert_gap(const char *name, enum log_origin origin,
                       enum problem_severity severity)
{
    struct story s;
    tell_story(&s, name);
    const struct coverage *c = &s.coverages[0];
    const struct problem *gap = problem_of(&s, PROBLEM_RID_GAP);
    assert_string_equal(log_origin_name(c->origin), log_origin_name(origin));
    assert_int_equal(gap->severity, severity);
    assert_int_equal(count_of(&s, PROBLEM_RID_GAP), 1);
    assert_true(text_contains_fold(gap->message, TEXT_LITERAL("105 to 106")));
    assert_int_equal(c->missing_record_ids, 2);
    assert_int_equal(c->first_record_id, 100);
    assert_int_equal(c->last_record_id, 110);
    close_story(&s);
}

static void scenario_14_gaps(void **state)
{
    (void)state;
    assert_gap("14-gap-in-an-export", ORIGIN_EXPORT, SEVERITY_INFO);
    assert_gap("14-gap-in-a-raw-log", ORIGIN_RAW, SEVERITY_WARNING);
}

static void scenario_15_log_cleared(void **state)
{
    struct story s;
    size_t clearings = 0;
    (void)state;
    tell_story(&s, "15-log-cleared");
    for (size_t i = 0; i < s.scenario.count; i++) {
        struct log_clearing clearing;
        if (!log_clearing_from_record(&clearing, &s.records[i]))
            continue;
        clearings++;
        assert_true(sysmon_is_channel(clearing.channel));
        assert_true(text_equal(clearing.user, TEXT_LITERAL("anna")));
        assert_true(text_equal(clearing.domain, TEXT_LITERAL("CORP")));
        log_clearing_add_problem(&clearing, &s.logs[0], &s.problems);
    }
    assert_int_equal(clearings, 1); /* not RdpCoreTS's */
    assert_true(text_contains_fold(problem_of(&s, PROBLEM_LOG_CLEARED)->message,
                                   TEXT_LITERAL("CORP\\anna")));
    const struct coverage *sysmon = &s.coverages[2];
    char time[FILETIME_TEXT_MAX];
    assert_int_equal(sysmon->first_record_id, 5001);
    assert_string_equal(
        filetime_format(time, sysmon->first_utc_filetime, FILETIME_REPORT).ptr,
        "2026-01-01T00:01:02.0000000Z");
    assert_int_equal(sysmon->origin, ORIGIN_RAW);
    assert_int_equal(count_of(&s, PROBLEM_PARENT_GHOST_PRE), 2);
    assert_int_equal(count_of(&s, PROBLEM_PARENT_GHOST_IN_WINDOW), 0);
    close_story(&s);
}

static void scenario_16_hostile_text(void **state)
{
    struct story s;
    (void)state;
    tell_story(&s, "16-hostile-text");
    const struct process *msra = logged(&s, 30);
    assert_int_equal(msra->children, 4);
    assert_text(&s, logged(&s, 41)->command_line,
                "</td><script>alert(1)</script><img src=x onerror=alert(2)>");
    assert_text(&s, logged(&s, 42)->command_line,
                "=cmd|' /C calc'!A0,\"quoted\"\t-x\r\nsecond line, with comma");
    assert_same_in_any_order(&s, SHUFFLES);
    close_story(&s);
}

static void scenario_17_cycle(void **state)
{
    struct story s;
    (void)state;
    tell_story(&s, "17-cycle");
    const struct process *a = logged(&s, 60), *b = logged(&s, 61);
    assert_int_equal(count_of(&s, PROBLEM_DATA_CYCLE), 1);
    assert_int_equal(a->parent, PROCESS_NONE); /* the first of the circle is the root */
    assert_link(&s, b, a, GRADE_A);
    assert_int_equal(a->root, b->root);
    assert_int_equal(a->descendants + b->descendants, 1);
    assert_same_in_any_order(&s, SHUFFLES);
    close_story(&s);
}

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) +
           (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* Linear: quadratic work on 100,000 links would take minutes, not seconds. */
static void scenario_18_scale(void **state)
{
    struct story s;
    struct timespec start;
    (void)state;
    open_story(&s, "18-scale");
    clock_gettime(CLOCK_MONOTONIC, &start);
    tell(&s);
    assert_true(seconds_since(&start) < 20);
    const struct process *first = find(&s, "PC-17", 1000, PROCESS_LOGGED),
                         *last = find(&s, "PC-17", 101000 - 1, PROCESS_LOGGED),
                         *many = find(&s, "PC-18", 1000, PROCESS_LOGGED);
    assert_int_equal(last->depth, 99999);
    assert_int_equal(first->descendants, 99999);
    assert_int_equal(last->root, number_of(&s, first));
    assert_int_equal(many->children, 50000);
    assert_int_equal(many->descendants, 50000);
    uint32_t depth = 0, deepest = 0, seen = 0, top = number_of(&s, first);
    for (uint32_t n = top; n != PROCESS_NONE;
         n = lineage_next_in_tree(&s.lineage, top, n, &depth), seen++)
        deepest = depth > deepest ? depth : deepest;
    assert_int_equal(seen, 100000);
    assert_int_equal(deepest, 99999);
    assert_same_in_any_order(&s, 1);
    close_story(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenario_1_chain),
        cmocka_unit_test(scenario_2_ghost_before_the_log),
        cmocka_unit_test(scenario_3_ghost_inside_the_log),
        cmocka_unit_test(scenario_4_child_before_parent_in_file),
        cmocka_unit_test(scenario_5_guid_alias),
        cmocka_unit_test(scenario_6_null_parent),
        cmocka_unit_test(scenario_7_pid_reuse),
        cmocka_unit_test(scenario_8_clones),
        cmocka_unit_test(scenario_9_end_before_start),
        cmocka_unit_test(scenario_10_percent),
        cmocka_unit_test(scenario_11_injection),
        cmocka_unit_test(scenario_12_started_by_a_user),
        cmocka_unit_test(scenario_13_renamed),
        cmocka_unit_test(scenario_14_gaps),
        cmocka_unit_test(scenario_15_log_cleared),
        cmocka_unit_test(scenario_16_hostile_text),
        cmocka_unit_test(scenario_17_cycle),
        cmocka_unit_test(scenario_18_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
