/* SPDX-License-Identifier: Apache-2.0
 * The corners of linking that no acceptance scenario has, each also told backwards. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

#include "tests/lineage_helper.h"
#include "util/workers.h"

#define NULL_GUID "{00000000-0000-0000-0000-000000000000}"

enum { FIELDS_MAX = 24, EVENTS_MAX = 256 };

/* 2026-01-01T00:00:00Z, from which seconds below count. */
static const int64_t t0_unix = 1767225600;

struct event { /* what a test says of one event; what it leaves out is absent */
    uint16_t id;
    double at; /* seconds after t0: UtcTime */
    const char *guid, *pid, *image, *command_line, *user;
    const char *parent_guid, *parent_pid, *parent_image, *parent_command_line,
        *parent_user;
    const char *target_guid, *target_pid, *target_image, *access;
    const char *logon_id, *integrity;
    const char *computer;
    uint64_t record_id; /* 0: its place in the story */
    uint32_t log;
    enum record_state state;
};

struct table {
    struct arena arena;
    struct lineage lineage;
    struct problems problems;
    struct evidence_log logs[2];
    struct evtx_record records[EVENTS_MAX];
    struct event_processes found[EVENTS_MAX];
    size_t count;
};

/* Machine 1, started `second` after t0, with that key; a few live at once in a test. */
static const char *guid_of(unsigned machine, int second, uint64_t key)
{
    static char texts[64][GUID_TEXT_MAX];
    static unsigned next;
    uint8_t raw[16];
    uint32_t unix_time = (uint32_t)(t0_unix + second);
    for (int i = 0; i < 4; i++) {
        raw[i] = (uint8_t)(machine >> 8 * i);
        raw[4 + i] = (uint8_t)(unix_time >> 8 * i);
    }
    for (int i = 0; i < 8; i++)
        raw[8 + i] = (uint8_t)(key >> 8 * i);
    struct guid guid;
    memcpy(guid.bytes, raw, sizeof raw);
    char *text = texts[next++ % 64];
    guid_format(text, &guid);
    return text;
}

static void put(struct table *t, struct evtx_field *fields, size_t *count,
                const char *name, const char *value)
{
    if (value)
        fields[(*count)++] = (struct evtx_field){
            text_from(name), arena_copy(&t->arena, text_from(value))};
}

static void build(struct table *t, const struct event *e)
{
    struct evtx_field *f = arena_alloc(&t->arena, FIELDS_MAX * sizeof *f);
    size_t n = 0;
    char time[FILETIME_TEXT_MAX];
    uint64_t filetime = filetime_from_unix(t0_unix, 0) +
                        (uint64_t)(int64_t)(e->at * (double)FILETIME_SECOND);
    bool two = e->id == 8 || e->id == 10;
    filetime_format(time, filetime, FILETIME_SPACED);
    put(t, f, &n, "UtcTime", time);
    put(t, f, &n, two ? "SourceProcessGuid" : "ProcessGuid", e->guid);
    put(t, f, &n, two ? "SourceProcessId" : "ProcessId", e->pid);
    put(t, f, &n, two ? "SourceImage" : "Image", e->image);
    put(t, f, &n, "CommandLine", e->command_line);
    put(t, f, &n, "User", e->user);
    put(t, f, &n, "ParentProcessGuid", e->parent_guid);
    put(t, f, &n, "ParentProcessId", e->parent_pid);
    put(t, f, &n, "ParentImage", e->parent_image);
    put(t, f, &n, "ParentCommandLine", e->parent_command_line);
    put(t, f, &n, "ParentUser", e->parent_user);
    put(t, f, &n, "TargetProcessGuid", e->target_guid);
    put(t, f, &n, "TargetProcessId", e->target_pid);
    put(t, f, &n, "TargetImage", e->target_image);
    put(t, f, &n, "GrantedAccess", e->access);
    put(t, f, &n, "LogonId", e->logon_id);
    put(t, f, &n, "IntegrityLevel", e->integrity);
    size_t i = t->count++;
    t->records[i] = (struct evtx_record){
        .offset = 4608 + 512 * i,
        .state = e->state,
        .system = {.provider = TEXT_LITERAL("Microsoft-Windows-Sysmon"),
                   .channel = TEXT_LITERAL("Microsoft-Windows-Sysmon/Operational"),
                   .computer = text_from(e->computer ? e->computer : "PC"),
                   .event_id = e->id,
                   .record_id = e->record_id ? e->record_id : i + 1,
                   .time_created_filetime = filetime + FILETIME_SECOND / 50},
        .fields = f,
        .field_count = n
    };
}

static void tell(struct table *t, const struct event *events, size_t count,
                 bool backwards)
{
    *t = (struct table){0};
    t->logs[0].path = TEXT_LITERAL("one.evtx");
    t->logs[1].path = TEXT_LITERAL("two.evtx");
    problems_init(&t->problems, &t->arena);
    lineage_init(&t->lineage);
    assert_true(count <= EVENTS_MAX);
    for (size_t i = 0; i < count; i++)
        build(t, &events[i]);
    for (size_t i = 0; i < count; i++) {
        size_t n = backwards ? count - 1 - i : i;
        struct sysmon_event event;
        assert_true(
            sysmon_event_from_record(&event, &t->records[n], &t->logs[events[n].log]));
        t->found[n] = lineage_add(&t->lineage, &event, events[n].log);
    }
    struct workers *workers = workers_open(3); /* ranges of a few processes each */
    lineage_link(&t->lineage, t->logs, &t->problems, backwards ? workers : NULL);
    workers_close(workers);
}

static void end(struct table *t)
{
    lineage_release(&t->lineage);
    problems_release(&t->problems);
    arena_release(&t->arena);
}

static const struct process *node(const struct table *t, uint32_t pid,
                                  enum process_kind kind)
{
    for (size_t i = 0; i < t->lineage.order_count; i++) {
        const struct process *p = &t->lineage.processes[t->lineage.order[i]];
        if (p->pid == pid && p->kind == kind)
            return p;
    }
    fail_msg("no process with pid %" PRIu32, pid);
    return NULL;
}

static const struct process *logged(const struct table *t, uint32_t pid)
{
    return node(t, pid, PROCESS_LOGGED);
}

static uint32_t number_of(const struct table *t, const struct process *p)
{
    return (uint32_t)(p - t->lineage.processes);
}

static size_t count_of(const struct table *t, enum problem_code code)
{
    return t->problems.per_code[code];
}

static bool text_is(const struct table *t, uint32_t number, const char *expected)
{
    return text_equal(lineage_text(&t->lineage, number), text_from(expected));
}

static bool reason_has(const struct table *t, const struct process *p, const char *part)
{
    return text_contains_fold(lineage_text(&t->lineage, p->grade_reason),
                              text_from(part));
}

#define STORY(...)                                                                     \
 const struct event events[] = {__VA_ARGS__};                                          \
 struct table t;                                                                       \
 (void)state;                                                                          \
 for (int backwards = 0; backwards < 2; backwards++, end(&t))                          \
  if (tell(&t, events, sizeof events / sizeof *events, backwards), true)

static void one_guid_two_creations(void **state)
{
    const char *g = guid_of(1, 10, 5), *c = guid_of(1, 20, 6);
    STORY({.id = 1, .at = 10.5, .guid = g, .pid = "50", .image = "b.exe"},
          {.id = 1, .at = 10.1, .guid = g, .pid = "51", .image = "a.exe"},
          {.id = 1,
           .at = 20,
           .guid = c,
           .pid = "60",
           .image = "c.exe",
           .parent_guid = g,
           .parent_pid = "51",
           .parent_image = "a.exe"},
          {.id = 5, .at = 30, .guid = g, .pid = "51", .image = "a.exe"})
    {
        const struct process *first = logged(&t, 51), *second = logged(&t, 50);
        assert_int_equal(count_of(&t, PROBLEM_GUID_CONFLICT), 1);
        assert_int_equal(logged(&t, 60)->parent, number_of(&t, first));
        assert_int_equal(logged(&t, 60)->grade, GRADE_A);
        assert_true(reason_has(&t, logged(&t, 60), "several creation records"));
        assert_int_not_equal(first->end_filetime, FILETIME_NONE);
        assert_int_equal(second->end_filetime, FILETIME_NONE);
        assert_int_equal(first->last_seen_filetime, first->end_filetime);
        assert_int_equal(second->last_seen_filetime, second->start_filetime);
        char key[GUID_TEXT_MAX + 8];
        snprintf(key, sizeof key, "%s@PC", g);
        assert_true(text_is(&t, first->key, key));
        snprintf(key, sizeof key, "%s@PC#2", g);
        assert_true(text_is(&t, second->key, key));
        assert_true(t.found[0].is_new_creation && t.found[1].is_new_creation);
        for (size_t i = 0; i < 2; i++) {
            struct sysmon_event event;
            sysmon_event_from_record(&event, &t.records[i], &t.logs[0]);
            assert_int_equal(lineage_find(&t.lineage, &event).subject,
                             t.found[i].subject);
        }
    }
}

static void a_record_in_two_logs_counts_once(void **state)
{
    const char *g = guid_of(1, 10, 5);
    /* The record of the second log lies first in it: still the log named first counts. */
    STORY({.id = 1,
           .at = 10,
           .guid = g,
           .pid = "50",
           .image = "a",
           .record_id = 77,
           .log = 1},
          {.id = 1, .at = 10, .guid = g, .pid = "50", .image = "a", .record_id = 77})
    {
        const struct process *p = logged(&t, 50);
        assert_int_equal(t.lineage.hosts[0].process_creations, 1);
        assert_true(t.found[0].is_new_creation != t.found[1].is_new_creation);
        assert_true(p->flags & PROCESS_CREATION_SEEN_TWICE);
        assert_int_equal(p->log, 0);
        assert_int_equal(count_of(&t, PROBLEM_RID_DUP), 1);
        assert_int_equal(count_of(&t, PROBLEM_GUID_CONFLICT), 0);
        assert_true(text_equal(t.problems.rows[t.problems.count - 2].place.log,
                               TEXT_LITERAL("two.evtx")) ||
                    text_equal(t.problems.rows[0].place.log, TEXT_LITERAL("two.evtx")));
    }
}

static void a_live_record_wins_over_a_recovered_one(void **state)
{
    const char *g = guid_of(1, 10, 5), *h = guid_of(1, 20, 6);
    STORY({.id = 1,
           .at = 10,
           .guid = g,
           .pid = "50",
           .image = "a",
           .record_id = 77,
           .state = RECORD_SLACK},
          {.id = 1,
           .at = 10,
           .guid = g,
           .pid = "50",
           .image = "a",
           .record_id = 77,
           .log = 1},
          {.id = 1,
           .at = 20,
           .guid = h,
           .pid = "51",
           .image = "b",
           .record_id = 9,
           .state = RECORD_ORPHAN_CHUNK})
    {
        const struct host *host = &t.lineage.hosts[0];
        assert_int_equal(logged(&t, 50)->state, RECORD_LIVE);
        assert_int_equal(logged(&t, 50)->log, 1);
        assert_int_equal(logged(&t, 51)->state, RECORD_ORPHAN_CHUNK);
        assert_int_equal(host->process_creations, 1);
        assert_int_equal(host->guid_time_checked, 1);
        assert_int_equal(host->records, 1);
        assert_int_equal(host->recovered, 2);
        assert_int_equal(host->first_filetime, host->last_filetime);
        assert_int_equal(count_of(&t, PROBLEM_RID_DUP), 0);
        assert_int_equal(count_of(&t, PROBLEM_GUID_CONFLICT), 0);
    }
}

static void a_torn_record_is_no_second_creation(void **state)
{
    const char *g = guid_of(1, 10, 5), *h = guid_of(1, 20, 6);
    const struct event events[] = {
        {.id = 1,
         .at = 10,
         .guid = g,
         .pid = "50",
         .image = "a",
         .command_line = "a b",
         .state = RECORD_SLACK},
        {.id = 1, .at = 10,           .guid = g,                                 .pid = "50",                                                           .state = RECORD_TORN},
        {.id = 1,            .at = 20,.guid = h,.pid = "51",.state = RECORD_TORN},
        {.id = 1,  .at = 30,   .pid = "52",                                              .state = RECORD_TORN                                                                                                                   },
    };
    struct table t;
    (void)state;
    tell(&t, events, sizeof events / sizeof *events, false);
    assert_false(t.found[1].is_new_creation);
    assert_true(text_is(&t, logged(&t, 50)->command_line, "a b"));
    assert_int_equal(logged(&t, 50)->state, RECORD_SLACK);
    assert_true(t.found[2].is_new_creation);
    assert_int_equal(logged(&t, 51)->state, RECORD_TORN);
    assert_true(reason_has(&t, logged(&t, 51), "torn"));
    assert_int_equal(t.found[3].subject, PROCESS_NONE);
    assert_int_equal(count_of(&t, PROBLEM_GUID_CONFLICT), 0);
    end(&t);
}

static void a_creation_without_a_guid(void **state)
{
    const char *c = guid_of(1, 20, 6);
    STORY({.id = 1, .at = 10.25, .guid = NULL_GUID, .pid = "50", .image = "a.exe"},
          {.id = 1,
           .at = 20,
           .guid = c,
           .pid = "60",
           .image = "b.exe",
           .parent_guid = NULL_GUID,
           .parent_pid = "50",
           .parent_image = "-"},
          {.id = 1, .at = 21, .image = "n.exe"})
    {
        const struct process *a = logged(&t, 50);
        assert_true(text_is(&t, logged(&t, PID_UNKNOWN)->key, "PC/no pid/record 3"));
        assert_int_equal(t.lineage.host_count, 1);
        assert_int_equal(logged(&t, 60)->candidate, number_of(&t, a));
        assert_int_equal(logged(&t, 60)->grade, GRADE_C);
        assert_true(text_is(&t, a->key, "PC/pid 50/record 1"));
        struct sysmon_event event;
        sysmon_event_from_record(&event, &t.records[0], &t.logs[0]);
        assert_int_equal(lineage_find(&t.lineage, &event).subject, number_of(&t, a));
    }
}

static void an_end_without_a_guid(void **state)
{
    const char *a = guid_of(1, 10, 5), *b = guid_of(1, 40, 6);
    STORY({.id = 1, .at = 10, .guid = a, .pid = "50", .image = "a.exe"},
          {.id = 5, .at = 30, .guid = NULL_GUID, .pid = "50", .image = "A.EXE"},
          {.id = 1, .at = 40, .guid = b, .pid = "50", .image = "b.exe"},
          {.id = 5, .at = 60, .guid = NULL_GUID, .pid = "50", .image = "other.exe"},
          {.id = 5, .at = 5, .guid = NULL_GUID, .pid = "50", .image = "a.exe"})
    {
        const struct process *first = &t.lineage.processes[t.found[0].subject],
                             *second = &t.lineage.processes[t.found[2].subject];
        assert_int_equal(first->end_record_id, 2);
        assert_true(first->flags & PROCESS_END_INFERRED);
        assert_int_equal(second->end_filetime, FILETIME_NONE);
        struct sysmon_event event;
        sysmon_event_from_record(&event, &t.records[1], &t.logs[0]);
        assert_int_equal(lineage_find(&t.lineage, &event).subject, t.found[0].subject);
    }
}

static const struct event end_without_guid = {.id = 5,
                                              .at = 30,
                                              .guid = NULL_GUID,
                                              .pid = "50",
                                              .image = "a.exe",
                                              .record_id = 7};

/* A log and its copies: whichever copy is asked of, it is the end of that process. */
static void copies_of_an_end_without_a_guid(void **state)
{
    const char *a = guid_of(1, 10, 5);
    struct event copy = end_without_guid;
    copy.log = 1;
    STORY({.id = 1, .at = 10, .guid = a, .pid = "50", .image = "a.exe"}, copy,
          end_without_guid, copy)
    {
        assert_int_equal(t.lineage.processes[t.found[0].subject].end_log, 0);
        for (int i = 1; i < 4; i++) {
            struct sysmon_event event;
            sysmon_event_from_record(&event, &t.records[i], &t.logs[0]);
            assert_int_equal(lineage_find(&t.lineage, &event).subject,
                             t.found[0].subject);
        }
    }
}

/* Records of one number and time that are no copies: each is the end of its own process. */
static void ends_alike_but_for_the_process(void **state)
{
    struct event other = end_without_guid;
    other.pid = "51";
    other.log = 1;
    STORY({.id = 1, .at = 10, .guid = guid_of(1, 10, 5), .pid = "50", .image = "a.exe"},
          {.id = 1, .at = 11, .guid = guid_of(1, 11, 6), .pid = "51", .image = "a.exe"},
          end_without_guid, other)
    {
        for (uint32_t n = 0; n < 2; n++) {
            struct sysmon_event event;
            sysmon_event_from_record(&event, &t.records[2 + n], &t.logs[n]);
            assert_int_equal(t.lineage.processes[t.found[n].subject].end_log, n);
            assert_int_equal(lineage_find(&t.lineage, &event).subject,
                             t.found[n].subject);
        }
    }
}

/* The first one cannot be its end, which says nothing against the other. */
static void ends_alike_but_for_the_image(void **state)
{
    struct event ended = end_without_guid;
    ended.image = "b.exe";
    struct event other = end_without_guid;
    other.log = 1;
    STORY({.id = 1, .at = 10, .guid = guid_of(1, 10, 5), .pid = "50", .image = "a.exe"},
          ended, other)
    {
        assert_int_equal(logged(&t, 50)->end_log, 1);
    }
}

static void two_candidates_are_ambiguous(void **state)
{
    const char *a = guid_of(1, 10, 5), *b = guid_of(1, 19, 6), *c = guid_of(1, 20, 7);
    STORY({.id = 1, .at = 10, .guid = a, .pid = "50", .image = "C:\\a.exe"},
          {.id = 1, .at = 19, .guid = b, .pid = "50", .image = "C:\\b.exe"},
          {.id = 1,
           .at = 20,
           .guid = c,
           .pid = "60",
           .image = "c.exe",
           .parent_guid = NULL_GUID,
           .parent_pid = "50",
           .parent_image = "?"},
          {.id = 1,
           .at = 20,
           .guid = guid_of(1, 20, 8),
           .pid = "61",
           .image = "d.exe",
           .parent_guid = NULL_GUID,
           .parent_pid = "50",
           .parent_image = "c:\\A.EXE"})
    {
        const struct process *p = logged(&t, 60), *named = logged(&t, 61);
        assert_int_equal(p->grade, GRADE_D);
        assert_int_equal(p->parent, PROCESS_NONE);
        assert_true(reason_has(&t, p, "C:\\a.exe") && reason_has(&t, p, "C:\\b.exe"));
        assert_int_equal(named->grade, GRADE_C); /* the recorded image decides */
        assert_true(reason_has(&t, named, "C:\\a.exe"));
        assert_int_equal(count_of(&t, PROBLEM_PARENT_NULL), 4);
    }
}

/* Two seconds are within what clocks and delivery allow; more is not. */
static void times_may_be_two_seconds_apart(void **state)
{
    const char *g = guid_of(1, 10, 5);
    static const struct {
        double parent, parent_end, child;
        size_t ended_first, child_first;
        enum link_grade of_pid; /* where the parent is told by its pid alone */
    } rows[] = {
        {10, 18,   20,  0, 0, GRADE_C   },
        {10, 17.9, 20,  1, 0, GRADE_NONE},
        {10, 30,   8,   0, 0, GRADE_NONE},
        {10, 30,   7.9, 0, 1, GRADE_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct event child = {.id = 1,
                                    .at = rows[i].child,
                                    .guid = guid_of(1, 20, 6),
                                    .pid = "60",
                                    .image = "c",
                                    .parent_guid = g,
                                    .parent_pid = "50",
                                    .record_id = 7};
        struct event by_pid = child;
        by_pid.guid = guid_of(1, 20, 7);
        by_pid.pid = "61";
        by_pid.parent_guid = NULL_GUID;
        by_pid.record_id = 8;
        STORY({.id = 1, .at = rows[i].parent, .guid = g, .pid = "50", .image = "a"},
              {.id = 5, .at = rows[i].parent_end, .guid = g, .pid = "50", .image = "a"},
              child, by_pid)
        {
            assert_int_equal(count_of(&t, PROBLEM_PARENT_ENDED_FIRST),
                             rows[i].ended_first);
            assert_int_equal(count_of(&t, PROBLEM_CHILD_BEFORE_PARENT),
                             rows[i].child_first);
            assert_int_equal(logged(&t, 61)->grade, rows[i].of_pid);
        }
    }
}

/* Who started before another boot of Windows is no parent; guids need not tell the boot. */
static void candidates_are_of_one_boot(void **state)
{
    static const struct {
        uint64_t parent, child; /* boots; 0: not told */
        enum link_grade grade;
    } rows[] = {
        {7, 7, GRADE_C   },
        {7, 8, GRADE_NONE},
        {0, 8, GRADE_C   },
        {7, 0, GRADE_C   },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *a = guid_of(1, 10, (rows[i].parent << 48) + 5),
                   *b = guid_of(1, 20, (rows[i].child << 48) + 6);
        STORY({.id = 1, .at = 10, .guid = a, .pid = "50", .image = "a"},
              {.id = 1,
               .at = 20,
               .guid = b,
               .pid = "60",
               .image = "b",
               .parent_guid = NULL_GUID,
               .parent_pid = "50"})
        {
            assert_int_equal(logged(&t, 60)->grade, rows[i].grade);
        }
    }
}

static void nobody_is_a_candidate_for_itself(void **state)
{
    STORY({.id = 1,
           .at = 20,
           .guid = guid_of(1, 20, 6),
           .pid = "60",
           .image = "b",
           .parent_guid = NULL_GUID,
           .parent_pid = "60"})
    {
        assert_int_equal(logged(&t, 60)->grade, GRADE_NONE);
        assert_int_equal(logged(&t, 60)->candidate, PROCESS_NONE);
    }
}

/* Half a second from the start, on either side. */
static void a_creator_opens_at_the_start(void **state)
{
    static const struct {
        double at;
        enum link_grade grade;
    } rows[] = {
        {19.5,  GRADE_C   },
        {19.25, GRADE_NONE},
        {20.5,  GRADE_C   },
        {20.75, GRADE_NONE},
    };
    const char *s = guid_of(1, 1, 5), *c = guid_of(1, 20, 6);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        STORY({.id = 1, .at = 1, .guid = s, .pid = "50", .image = "s.exe"},
              {.id = 1,
               .at = 20,
               .guid = c,
               .pid = "60",
               .image = "c.exe",
               .parent_guid = NULL_GUID,
               .parent_pid = "999"},
              {.id = 10,
               .at = rows[i].at,
               .guid = s,
               .pid = "50",
               .image = "s.exe",
               .target_guid = c,
               .target_pid = "60",
               .access = "0x1FFFFF"})
        {
            assert_int_equal(logged(&t, 60)->grade, rows[i].grade);
        }
    }
}

/* Nothing but their places tells which is first. */
static void alike_records_keep_their_order(void **state)
{
    STORY({.id = 1, .at = 10, .pid = "50", .image = "a", .record_id = 7},
          {.id = 1, .at = 10, .pid = "50", .image = "b", .record_id = 7})
    {
        const struct lineage *l = &t.lineage;
        const struct process *first = NULL;
        for (size_t i = 0; i < l->order_count && !first; i++)
            if (l->processes[l->order[i]].kind == PROCESS_LOGGED)
                first = &l->processes[l->order[i]];
        assert_non_null(first);
        assert_true(text_is(&t, first->image, "a"));
    }
}

static void the_creator_shows_in_event_10(void **state)
{
    const char *s = guid_of(1, 1, 5), *c = guid_of(1, 20, 6), *x = guid_of(1, 2, 7);
    STORY({.id = 1, .at = 1, .guid = s, .pid = "50", .image = "C:\\services.exe"},
          {.id = 1,
           .at = 20.6,
           .guid = c,
           .pid = "60",
           .image = "c.exe",
           .parent_guid = NULL_GUID,
           .parent_pid = "999",
           .parent_image = "-"},
          {.id = 10,
           .at = 20.7,
           .guid = s,
           .pid = "50",
           .image = "C:\\services.exe",
           .target_guid = c,
           .target_pid = "60",
           .access = "0x1FFFFF"},
          {.id = 10,
           .at = 20.7,
           .guid = guid_of(1, 0, 9),
           .pid = "4",
           .image = "C:\\Windows\\System32\\csrss.exe",
           .target_guid = c,
           .target_pid = "60",
           .access = "0x1FFFFF"},
          {.id = 10,
           .at = 20.7,
           .guid = x,
           .pid = "5",
           .image = "C:\\x.exe",
           .target_guid = c,
           .target_pid = "60",
           .access = "0x1400"},
          {.id = 10,
           .at = 21.3,
           .guid = x,
           .pid = "5",
           .image = "C:\\x.exe",
           .target_guid = c,
           .target_pid = "60",
           .access = "0x1FFFFF"})
    {
        const struct process *p = logged(&t, 60);
        assert_int_equal(p->grade, GRADE_C);
        assert_int_equal(p->candidate, number_of(&t, logged(&t, 50)));
        assert_true(reason_has(&t, p, "event 10"));
        assert_int_equal(p->parent, PROCESS_NONE);
    }
}

static void parents_that_disagree_are_told(void **state)
{
    const char *a = guid_of(1, 10, 5);
    STORY({.id = 1,
           .at = 10,
           .guid = a,
           .pid = "50",
           .image = "C:\\a.exe",
           .command_line = "a %%b%% tail",
           .user = "PC\\u"},
          {.id = 1,
           .at = 11,
           .guid = guid_of(1, 11, 6),
           .pid = "60",
           .image = "c",
           .parent_guid = a,
           .parent_pid = "50",
           .parent_image = "C:\\other.exe",
           .parent_command_line = "a %b% tail",
           .parent_user = "PC\\U"},
          {.id = 1,
           .at = 12,
           .guid = guid_of(1, 12, 7),
           .pid = "61",
           .image = "c",
           .parent_guid = a,
           .parent_pid = "50",
           .parent_image = "-",
           .parent_command_line = "a %b%...",
           .parent_user = "PC\\v"},
          {.id = 1,
           .at = 13,
           .guid = guid_of(1, 13, 8),
           .pid = "62",
           .image = "c",
           .parent_guid = a,
           .parent_pid = "51",
           .parent_image = "c:\\A.exe",
           .parent_command_line = "A %b% tail"},
          {.id = 1,
           .at = 7,
           .guid = guid_of(1, 7, 9),
           .pid = "63",
           .image = "c",
           .parent_guid = a,
           .parent_pid = "50"})
    {
        /* image of 60; pid and command line of 62 */
        assert_int_equal(count_of(&t, PROBLEM_PARENT_TEXT_MISMATCH), 3);
        assert_int_equal(count_of(&t, PROBLEM_PARENT_USER_MISMATCH), 1);
        assert_int_equal(count_of(&t, PROBLEM_CHILD_BEFORE_PARENT), 1);
        assert_int_equal(logged(&t, 62)->grade, GRADE_A);
        struct text said[16];
        size_t count = lineage_support(&t.lineage, number_of(&t, logged(&t, 60)),
                                       &t.arena, said, 16);
        bool differs = false, recorded = false;
        for (size_t i = 0; i < count; i++) {
            differs |= text_contains_fold(said[i], TEXT_LITERAL("image differs"));
            recorded |= text_starts_with_fold(said[i], TEXT_LITERAL("Sysmon recorded"));
        }
        assert_true(differs && recorded);
        assert_int_equal(lineage_support(&t.lineage, number_of(&t, logged(&t, 60)),
                                         &t.arena, said, 2),
                         2);
    }
}

static void a_changed_image_is_told_once(void **state)
{
    const char *a = guid_of(1, 10, 5), *b = guid_of(1, 11, 6);
    STORY({.id = 3, .at = 12, .guid = a, .pid = "50", .image = "C:\\explorer.exe"},
          {.id = 1, .at = 10, .guid = a, .pid = "50", .image = "C:\\uacme.exe"},
          {.id = 7, .at = 13, .guid = a, .pid = "50", .image = "C:\\third.exe"},
          {.id = 7, .at = 14, .guid = a, .pid = "50", .image = "c:\\UACME.exe"},
          {.id = 8,
           .at = 14,
           .guid = b,
           .pid = "51",
           .target_guid = a,
           .target_pid = "50",
           .target_image = "<unknown process>"},
          {.id = 1, .at = 11, .guid = b, .pid = "51", .image = "Z:\\s.exe"},
          {.id = 7, .at = 15, .guid = b, .pid = "51", .image = "\\\\Box\\s.exe"},
          {.id = 10,
           .at = 15,
           .guid = b,
           .pid = "51",
           .image = "garbage",
           .target_guid = a,
           .target_pid = "50"})
    {
        assert_int_equal(count_of(&t, PROBLEM_IMAGE_DISAGREES), 2);
        for (size_t i = 0; i < t.problems.count; i++) {
            const struct problem *row = &t.problems.rows[i];
            if (row->code == PROBLEM_IMAGE_DISAGREES)
                assert_int_equal(row->severity, row->place.record_id == 2
                                                    ? SEVERITY_NOTICE
                                                    : SEVERITY_INFO);
        }
        assert_true(text_is(&t, logged(&t, 50)->image, "C:\\uacme.exe"));
    }
}

static void ghosts_have_no_start_where_the_layout_fails(void **state)
{
    const char *ghost = guid_of(1, 1, 5);
    STORY({.id = 1,
           .at = 10,
           .guid = guid_of(1, 10, 6),
           .pid = "50",
           .image = "a",
           .parent_guid = ghost,
           .parent_pid = "40",
           .parent_image = "g"},
          {.id = 1,
           .at = 25,
           .guid = guid_of(1, 20, 7),
           .pid = "51",
           .image = "b",
           .parent_guid = ghost,
           .parent_pid = "40",
           .parent_image = "g"})
    {
        assert_int_equal(node(&t, 40, PROCESS_GHOST)->start_filetime, FILETIME_NONE);
        assert_int_equal(count_of(&t, PROBLEM_GUID_TIME_DISAGREES), 1);
        assert_int_equal(t.lineage.hosts[0].guid_time_agrees, 1);
        assert_int_equal(t.lineage.hosts[0].guid_time_checked, 2);
        assert_int_equal(node(&t, 40, PROCESS_GHOST)->children, 2);
    }
}

/* In one logon: what rises is told, but for what leaves an AppContainer. */
static void integrity_that_rises_is_told(void **state)
{
    static const struct {
        const char *parent, *child;
        size_t told;
    } rows[] = {
        {"Medium",       "High",   1},
        {"Medium",       "Medium", 0},
        {"High",         "Medium", 0},
        {"Low",          "Medium", 1},
        {"AppContainer", "Low",    0},
    };
    const char *a = guid_of(1, 10, 5), *b = guid_of(1, 11, 6);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        STORY({.id = 1,
               .at = 10,
               .guid = a,
               .pid = "50",
               .image = "a",
               .logon_id = "0x1234",
               .integrity = rows[i].parent},
              {.id = 1,
               .at = 11,
               .guid = b,
               .pid = "51",
               .image = "b",
               .parent_guid = a,
               .parent_pid = "50",
               .logon_id = "0x1234",
               .integrity = rows[i].child})
        {
            assert_int_equal(count_of(&t, PROBLEM_LOGON_JUMP), rows[i].told);
        }
    }
}

static void one_computer_with_two_machines(void **state)
{
    const char *a = guid_of(1, 10, 5), *b = guid_of(2, 10, 5);
    STORY({.id = 1, .at = 10, .guid = a, .pid = "50", .image = "a", .computer = "pc"},
          {.id = 1, .at = 10, .guid = b, .pid = "50", .image = "b", .computer = "PC"},
          {.id = 255, .at = 11, .computer = "Pc"},
          {.id = 1,
           .at = 12,
           .guid = guid_of(1, 12, 6),
           .pid = "51",
           .image = "a",
           .computer = "pc"})
    {
        assert_int_equal(count_of(&t, PROBLEM_COMPUTER_TWO_MACHINES), 1);
        for (size_t i = 0; i < t.problems.count; i++)
            if (t.problems.rows[i].code == PROBLEM_COMPUTER_TWO_MACHINES)
                assert_int_equal(t.problems.rows[i].place.record_id, 1);
        assert_int_equal(count_of(&t, PROBLEM_PID_REUSE), 0);
        assert_int_not_equal(t.lineage.processes[t.found[0].subject].scope,
                             t.lineage.processes[t.found[1].subject].scope);
        assert_true(text_is(&t, t.lineage.hosts[0].computer, "PC"));
    }
}

static void two_ghosts_with_one_identity_are_one(void **state)
{
    const char *plain = guid_of(1, 1, 77), *startkey = guid_of(1, 1, (7ull << 48) + 3);
    STORY({.id = 1,
           .at = 10,
           .guid = guid_of(1, 10, 6),
           .pid = "50",
           .image = "a",
           .parent_guid = plain,
           .parent_pid = "40",
           .parent_image = "C:\\g.exe",
           .parent_command_line = "g.exe with argu..."},
          {.id = 1,
           .at = 11,
           .guid = guid_of(1, 11, 7),
           .pid = "51",
           .image = "b",
           .parent_guid = startkey,
           .parent_pid = "40",
           .parent_image = "C:\\g.exe",
           .parent_command_line = "g.exe with arguments"})
    {
        const struct process *ghost = node(&t, 40, PROCESS_GHOST);
        assert_int_equal(ghost->children, 2);
        assert_int_equal(logged(&t, 50)->grade, GRADE_B);
        assert_int_equal(logged(&t, 51)->grade, GRADE_B);
        assert_int_equal(count_of(&t, PROBLEM_GUID_ALIAS), 1);
        assert_true(text_is(&t, ghost->command_line, "g.exe with arguments"));
        assert_int_equal(count_of(&t, PROBLEM_PARENT_GHOST_PRE), 1);
    }
}

/* Which of the two the parent of the third is cannot be told: it stays by itself. */
static void a_ghost_beside_two_creations_of_its_identity(void **state)
{
    const char *a = guid_of(1, 10, 5), *b = guid_of(1, 10, 6), *g = guid_of(1, 10, 7);
    STORY({.id = 1, .at = 10.1, .guid = a, .pid = "40", .image = "a.exe"},
          {.id = 1, .at = 10.2, .guid = b, .pid = "40", .image = "b.exe"},
          {.id = 1,
           .at = 20,
           .guid = guid_of(1, 20, 8),
           .pid = "50",
           .image = "c.exe",
           .parent_guid = g,
           .parent_pid = "40",
           .parent_image = "p.exe"})
    {
        const struct process *ghost = node(&t, 40, PROCESS_GHOST);
        assert_int_equal(logged(&t, 50)->parent, number_of(&t, ghost));
        assert_int_equal(ghost->children, 1);
        assert_int_equal(t.lineage.alias_count, 0);
        assert_int_equal(count_of(&t, PROBLEM_GUID_ALIAS), 0);
    }
}

/* What a second guid of a process says is said of the process. */
static void an_end_by_a_second_guid(void **state)
{
    STORY({.id = 1, .at = 10, .guid = guid_of(1, 10, 5), .pid = "50", .image = "a.exe"},
          {.id = 5, .at = 30, .guid = guid_of(1, 10, 7), .pid = "50", .image = "a.exe"})
    {
        const struct process *p = logged(&t, 50);
        assert_int_equal(p->end_record_id, 2);
        assert_int_equal(p->last_seen_filetime, p->end_filetime);
        assert_true(p->flags & PROCESS_HAS_ALIAS);
    }
}

/* A machine that is only named in records of another has none of its own. */
static void a_machine_that_is_only_named(void **state)
{
    STORY({.id = 1,
           .at = 10,
           .guid = guid_of(1, 10, 5),
           .pid = "50",
           .image = "a",
           .parent_guid = guid_of(2, 9, 5),
           .parent_pid = "40"},
          {.id = 255, .at = 11})
    {
        assert_int_equal(t.lineage.host_count, 2);
        assert_int_equal(t.lineage.hosts[logged(&t, 50)->scope].records, 2);
        assert_int_equal(count_of(&t, PROBLEM_COMPUTER_TWO_MACHINES), 0);
    }
}

/* By its GUID, to the second: a ghost that started with the first record is in its window. */
static void a_ghost_at_the_first_record(void **state)
{
    static const struct {
        int second;
        size_t before;
    } rows[] = {
        {9,  1},
        {10, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        STORY({.id = 1,
               .at = 9.98, /* logged 0.02 s later */
               .guid = guid_of(1, 9, 5),
               .pid = "50",
               .image = "a",
               .parent_guid = guid_of(1, rows[i].second, 6),
               .parent_pid = "40"})
        {
            assert_int_equal(count_of(&t, PROBLEM_PARENT_GHOST_PRE), rows[i].before);
            assert_int_equal(count_of(&t, PROBLEM_PARENT_GHOST_IN_WINDOW),
                             1 - rows[i].before);
        }
    }
}

static enum problem_severity severity_of(const struct table *t, enum problem_code code)
{
    assert_int_equal(count_of(t, code), 1);
    for (size_t i = 0; i < t->problems.count; i++)
        if (t->problems.rows[i].code == code)
            return t->problems.rows[i].severity;
    return SEVERITY_INFO;
}

/* Where msra.exe may be part of it, a parent that is not known matters. */
static void an_unknown_parent_near_msra(void **state)
{
    static const struct {
        const char *holder, *image, *parent_image;
        enum problem_severity severity;
    } rows[] = {
        {"C:\\a.exe",    "C:\\b.exe",    "-",            SEVERITY_INFO  },
        {"C:\\msra.exe", "C:\\b.exe",    "-",            SEVERITY_NOTICE},
        {"C:\\a.exe",    "C:\\MSRA.exe", "-",            SEVERITY_NOTICE},
        {"C:\\a.exe",    "C:\\b.exe",    "D:\\msra.EXE", SEVERITY_NOTICE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        STORY({.id = 1,
               .at = 10,
               .guid = guid_of(1, 10, 5),
               .pid = "50",
               .image = rows[i].holder,
               .parent_guid = guid_of(1, 1, 1),
               .parent_pid = "1"},
              {.id = 1,
               .at = 20,
               .guid = guid_of(1, 20, 6),
               .pid = "60",
               .image = rows[i].image,
               .parent_guid = NULL_GUID,
               .parent_pid = "50",
               .parent_image = rows[i].parent_image})
        {
            /* the first has a parent by guid */
            assert_int_equal(severity_of(&t, PROBLEM_PARENT_NULL), rows[i].severity);
        }
    }
}

/* Services start what is elevated; a process that opens itself says nothing. */
static void who_opens_a_process_at_its_start(void **state)
{
    enum { NOT_TOLD = 99 };
    const char *p = guid_of(1, 10, 5), *o = guid_of(1, 11, 6), *c = guid_of(1, 20, 7),
               *again = guid_of(1, 20, 9); /* another guid of c */
    const struct {
        const char *opener, *pid, *image;
        unsigned severity;
    } rows[] = {
        {o,     "51", "C:\\o.exe",                          SEVERITY_NOTICE},
        {o,     "51", "C:\\Windows\\System32\\svchost.exe", SEVERITY_INFO  },
        {c,     "60", "C:\\c.exe",                          NOT_TOLD       },
        {again, "60", "C:\\c.exe",                          NOT_TOLD       },
        {p,     "50", "C:\\p.exe",                          NOT_TOLD       },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        STORY({.id = 1, .at = 10, .guid = p, .pid = "50", .image = "C:\\p.exe"},
              {.id = 1,
               .at = 20,
               .guid = c,
               .pid = "60",
               .image = "C:\\c.exe",
               .parent_guid = p,
               .parent_pid = "50"},
              {.id = 10,
               .at = 20.25,
               .guid = rows[i].opener,
               .pid = rows[i].pid,
               .image = rows[i].image,
               .target_guid = c,
               .target_pid = "60",
               .access = "0x1FFFFF"})
        {
            if (rows[i].severity == NOT_TOLD)
                assert_int_equal(count_of(&t, PROBLEM_CREATOR_NE_PARENT), 0);
            else
                assert_int_equal(severity_of(&t, PROBLEM_CREATOR_NE_PARENT),
                                 rows[i].severity);
        }
    }
}

/* A parent whose end is recorded behind the child's creation lived then, whatever the clock
 * said; and an end is not before the start by what clocks and delivery allow. */
static void ends_and_the_order_of_records(void **state)
{
    static const struct {
        double end;
        uint64_t record_id; /* of the end; the child's is 7 */
        size_t ended_first, before_start;
    } rows[] = {
        {12, 6, 1, 0},
        {12, 8, 0, 0},
        {8,  8, 0, 0},
        {7,  8, 0, 1},
    };
    const char *g = guid_of(1, 10, 5);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        STORY({.id = 1, .at = 10, .guid = g, .pid = "50", .image = "a", .record_id = 1},
              {.id = 1,
               .at = 20,
               .guid = guid_of(1, 20, 6),
               .pid = "60",
               .image = "c",
               .parent_guid = g,
               .parent_pid = "50",
               .record_id = 7},
              {.id = 5,
               .at = rows[i].end,
               .guid = g,
               .pid = "50",
               .image = "a",
               .record_id = rows[i].record_id})
        {
            assert_int_equal(count_of(&t, PROBLEM_PARENT_ENDED_FIRST),
                             rows[i].ended_first);
            assert_int_equal(count_of(&t, PROBLEM_END_BEFORE_START),
                             rows[i].before_start);
        }
    }
}

/* Whoever has only records behind damage, or none of processes, is a host all the same;
 * whoever is a name in a record of another, none. */
static void hosts_without_records_or_processes(void **state)
{
    STORY({.id = 1,
           .at = 10,
           .guid = guid_of(1, 10, 5),
           .pid = "50",
           .image = "a",
           .computer = "RECOVERED",
           .state = RECORD_SLACK},
          {.id = 255, .at = 11, .computer = "EMPTY"},
          {.id = 255, .at = 11, .computer = "GONE", .state = RECORD_SLACK})
    {
        const struct lineage *l = &t.lineage;
        assert_int_equal(l->host_count, 2);
        assert_true(text_is(&t, l->hosts[0].computer, "EMPTY"));
        assert_true(text_is(&t, l->hosts[1].computer, "RECOVERED"));
        assert_int_equal(l->hosts[1].records, 0);
        assert_int_equal(logged(&t, 50)->scope, 1);
    }
}

static void a_process_that_is_its_own_parent(void **state)
{
    const char *a = guid_of(1, 10, 5);
    STORY({.id = 1,
           .at = 10,
           .guid = a,
           .pid = "50",
           .image = "a",
           .parent_guid = a,
           .parent_pid = "50"})
    {
        assert_int_equal(count_of(&t, PROBLEM_DATA_CYCLE), 1);
        assert_int_equal(logged(&t, 50)->parent, PROCESS_NONE);
        assert_int_equal(logged(&t, 50)->children, 0);
    }
}

static void nothing_at_all(void **state)
{
    struct table t;
    (void)state;
    tell(&t, NULL, 0, false);
    assert_int_equal(t.lineage.order_count, 0);
    assert_int_equal(t.problems.count, 0);
    end(&t);
}

/* Enough of one host for starts to be sorted digit by digit: two processes a second, each
 * pair with one start, so that the record id decides; every ninth has a ghost for a parent,
 * the others one that can have started later. */
enum { MANY = 240 };

static void add_many(struct event *events, char guids[MANY][GUID_TEXT_MAX],
                     char ghosts[MANY][GUID_TEXT_MAX])
{
    for (unsigned i = 0; i < MANY; i++) {
        int second = (int)(i / 2 * 77 % (MANY / 2));
        memcpy(guids[i], guid_of(1, second, 100 + i), GUID_TEXT_MAX);
        memcpy(ghosts[i], guid_of(1, second / 2, 1000 + i), GUID_TEXT_MAX);
        events[i] =
            (struct event){.id = 1,
                           .at = second,
                           .guid = guids[i],
                           .pid = "100",
                           .image = "C:\\a.exe",
                           .record_id = MANY - i,
                           .parent_guid = i % 9 == 0 ? ghosts[i] : guids[i * 5 / 7]};
    }
}

static uint32_t top_of(const struct lineage *l, uint32_t n, uint32_t *steps)
{
    *steps = 0;
    for (; l->processes[n].parent != PROCESS_NONE; n = l->processes[n].parent)
        ++*steps;
    return n;
}

static void add_problems(struct buffer *out, const struct problems *p)
{
    for (size_t i = 0; i < p->count; i++)
        buffer_printf(out, "%s %" PRIu64 " %.*s\n", problem_kinds[p->rows[i].code].code,
                      p->rows[i].place.record_id, TEXT(p->rows[i].message));
}

/* `layout_holds`: else the ghosts have no start, and stand behind all others. */
static void order_and_count_many(bool layout_holds)
{
    static struct event events[MANY];
    static char guids[MANY][GUID_TEXT_MAX], ghosts[MANY][GUID_TEXT_MAX];
    struct buffer said[2] = {0}; /* by one thread, and by several */
    add_many(events, guids, ghosts);
    if (!layout_holds)
        events[7].at += 5, events[100].at += 5;
    for (int backwards = 0; backwards < 2; backwards++) {
        struct table *t = calloc(1, sizeof *t);
        tell(t, events, MANY, backwards);
        const struct lineage *l = &t->lineage;
        assert_int_equal(l->order_count, MANY + (MANY + 8) / 9);
        for (size_t i = 0; i < l->order_count; i++) {
            uint32_t n = l->order[i], depth, below = 0, children = 0, other;
            const struct process *p = &l->processes[n];
            const struct process *before = i ? &l->processes[l->order[i - 1]] : p;
            assert_true(before->start_filetime <= p->start_filetime);
            if (i && before->start_filetime == p->start_filetime)
                assert_true(before->record_id < p->record_id ||
                            p->record_id == NO_RECORD);
            assert_int_equal(p->root, top_of(l, n, &depth));
            assert_int_equal(p->depth, depth);
            for (size_t k = 0; k < l->order_count; k++) {
                children += l->processes[l->order[k]].parent == n;
                for (other = l->order[k]; other != PROCESS_NONE && other != n;)
                    other = l->processes[other].parent;
                below += other == n && l->order[k] != n;
            }
            assert_int_equal(p->children, children);
            assert_int_equal(p->descendants, below);
        }
        const struct process *last = &l->processes[l->order[l->order_count - 1]];
        assert_int_equal(last->start_filetime == FILETIME_NONE, !layout_holds);
        add_problems(&said[backwards], &t->problems);
        end(t);
        free(t);
    }
    assert_true(said[0].len > 0);
    assert_string_equal(said[0].ptr, said[1].ptr);
    buffer_release(&said[0]);
    buffer_release(&said[1]);
}

static void many_are_ordered_and_counted(void **state)
{
    (void)state;
    order_and_count_many(true);
    order_and_count_many(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_guid_two_creations),
        cmocka_unit_test(a_record_in_two_logs_counts_once),
        cmocka_unit_test(a_live_record_wins_over_a_recovered_one),
        cmocka_unit_test(a_torn_record_is_no_second_creation),
        cmocka_unit_test(a_creation_without_a_guid),
        cmocka_unit_test(an_end_without_a_guid),
        cmocka_unit_test(copies_of_an_end_without_a_guid),
        cmocka_unit_test(ends_alike_but_for_the_process),
        cmocka_unit_test(ends_alike_but_for_the_image),
        cmocka_unit_test(two_candidates_are_ambiguous),
        cmocka_unit_test(times_may_be_two_seconds_apart),
        cmocka_unit_test(candidates_are_of_one_boot),
        cmocka_unit_test(nobody_is_a_candidate_for_itself),
        cmocka_unit_test(a_creator_opens_at_the_start),
        cmocka_unit_test(alike_records_keep_their_order),
        cmocka_unit_test(the_creator_shows_in_event_10),
        cmocka_unit_test(parents_that_disagree_are_told),
        cmocka_unit_test(a_changed_image_is_told_once),
        cmocka_unit_test(ghosts_have_no_start_where_the_layout_fails),
        cmocka_unit_test(integrity_that_rises_is_told),
        cmocka_unit_test(one_computer_with_two_machines),
        cmocka_unit_test(two_ghosts_with_one_identity_are_one),
        cmocka_unit_test(a_ghost_beside_two_creations_of_its_identity),
        cmocka_unit_test(an_end_by_a_second_guid),
        cmocka_unit_test(a_machine_that_is_only_named),
        cmocka_unit_test(a_ghost_at_the_first_record),
        cmocka_unit_test(an_unknown_parent_near_msra),
        cmocka_unit_test(who_opens_a_process_at_its_start),
        cmocka_unit_test(ends_and_the_order_of_records),
        cmocka_unit_test(hosts_without_records_or_processes),
        cmocka_unit_test(a_process_that_is_its_own_parent),
        cmocka_unit_test(nothing_at_all),
        cmocka_unit_test(many_are_ordered_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
