/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "tests/test.h"

#include "sysmon/across.h"
#include "sysmon/coverage.h"
#include "sysmon/reach.h"
#include "sysmon/story.h"

#define CHANNEL "Microsoft-Windows-Sysmon/Operational"

struct told { /* one record of a small log */
    uint64_t header_id, id;
    char value; /* its content */
    const char *computer;
};

struct fixture {
    struct arena arena;
    struct problems problems;
    struct evidence_log log;
    struct evtx_log_facts facts;
    struct coverage coverage;
};

static void start(struct fixture *f, const char *path, bool is_winevt)
{
    *f = (struct fixture){0};
    f->log.path = text_from(path);
    f->log.evidence = TEXT_LITERAL("e");
    f->log.path_is_winevt = is_winevt;
    problems_init(&f->problems, &f->arena);
    coverage_init(&f->coverage, &f->arena, &f->log);
}

static void add(struct fixture *f, const struct told *t, bool again)
{
    char value[2] = {t->value ? t->value : 'x', 0};
    struct evtx_field field = {
        TEXT_LITERAL("Image"), {value, 1}
    };
    struct evtx_record record = {
        .header_id = t->header_id,
        .system = {.provider = TEXT_LITERAL("Microsoft-Windows-Sysmon"),
                   .channel = TEXT_LITERAL(CHANNEL),
                   .computer = text_from(t->computer ? t->computer : "PC"),
                   .event_id = 5,
                   .record_id = t->id,
                   .time_created_filetime = FILETIME_UNIX + t->id},
        .fields = &field,
        .field_count = 1
    };
    struct sysmon_event event;
    if (again) {
        coverage_compare(&f->coverage, &record);
        return;
    }
    assert_true(sysmon_event_from_record(&event, &record, &f->log));
    f->facts.header_id_same += t->header_id == t->id;
    f->facts.header_id_differs += t->header_id != t->id;
    coverage_add(&f->coverage, &record, &event);
}

static void add_at(struct fixture *f, uint64_t id, uint64_t filetime)
{
    struct evtx_record record = {
        .header_id = id,
        .system = {.provider = TEXT_LITERAL("Microsoft-Windows-Sysmon"),
                   .channel = TEXT_LITERAL(CHANNEL),
                   .computer = TEXT_LITERAL("PC"),
                   .event_id = 5,
                   .record_id = id,
                   .time_created_filetime = filetime}
    };
    struct sysmon_event event;
    assert_true(sysmon_event_from_record(&event, &record, &f->log));
    coverage_add(&f->coverage, &record, &event);
}

static void add_all(struct fixture *f, const struct told *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(f, &rows[i], false);
    if (coverage_has_overlaps(&f->coverage))
        for (size_t i = 0; i < count; i++)
            add(f, &rows[i], true);
    coverage_finish(&f->coverage, &f->facts, &f->problems);
}

static void end(struct fixture *f)
{
    coverage_release(&f->coverage);
    problems_release(&f->problems);
    arena_release(&f->arena);
}

#define ID(header, id)                                                                 \
 {                                                                                     \
  header, id, 0, NULL                                                                  \
 }
#define VALUE(header, id, value)                                                       \
 {                                                                                     \
  header, id, value, NULL                                                              \
 }
#define FROM(header, id, computer)                                                     \
 {                                                                                     \
  header, id, 0, computer                                                              \
 }
#define ROWS(...)                                                                      \
 (const struct told[]){__VA_ARGS__},                                                   \
     sizeof((const struct told[]){__VA_ARGS__}) / sizeof(struct told)

static void finds_gaps_whatever_the_order(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, "a.evtx", false);
    add_all(&f, ROWS(ID(9, 9), ID(10, 10), ID(3, 3), ID(4, 4), ID(5, 5), ID(7, 7)));
    assert_int_equal(f.coverage.missing_record_ids, 2);
    assert_int_equal(f.coverage.series[0].gap_count, 2);
    assert_int_equal(f.coverage.series[0].gaps[0].first, 6);
    assert_int_equal(f.coverage.series[0].gaps[1].first, 8);
    assert_int_equal(f.coverage.series[0].gaps[1].before_filetime, FILETIME_UNIX + 7);
    assert_int_equal(f.coverage.series[0].gaps[1].after_filetime, FILETIME_UNIX + 9);
    assert_int_equal(f.problems.per_code[PROBLEM_RID_GAP], 2);
    assert_int_equal(f.coverage.first_record_id, 3);
    assert_int_equal(f.coverage.last_record_id, 10);
    end(&f);
}

static void tells_copies_from_conflicts(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, "a.evtx", false);
    add_all(&f, ROWS(ID(1, 1), ID(2, 2), ID(3, 3), ID(4, 4), ID(2, 2), VALUE(3, 3, 'y'),
                     ID(4, 4)));
    assert_int_equal(f.problems.per_code[PROBLEM_RID_DUP], 2);
    assert_int_equal(f.problems.per_code[PROBLEM_RID_CONFLICT], 1);
    assert_int_equal(f.problems.per_code[PROBLEM_RID_GAP], 0);
    for (size_t i = 0; i < f.problems.count; i++)
        if (f.problems.rows[i].code == PROBLEM_RID_CONFLICT)
            assert_int_equal(f.problems.rows[i].place.record_id, 3);
    end(&f);
}

static void a_record_id_that_comes_twice_running(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, "a.evtx", false);
    add_all(&f, ROWS(ID(1, 1), ID(2, 2), VALUE(2, 2, 'y'), ID(3, 3)));
    assert_int_equal(f.problems.per_code[PROBLEM_RID_CONFLICT], 1);
    end(&f);
    start(&f, "a.evtx", false);
    add_all(&f, ROWS(ID(1, 1), ID(2, 2), ID(2, 2), ID(3, 3)));
    assert_int_equal(f.problems.per_code[PROBLEM_RID_DUP], 1);
    end(&f);
}

static void a_short_copy_hides_no_long_run(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, "a.evtx", false);
    add_all(&f, ROWS(ID(1, 1), ID(2, 2), ID(3, 3), ID(4, 4), ID(5, 5), ID(6, 6),
                     ID(2, 2), ID(3, 3), ID(5, 5), ID(6, 6), ID(6, 6)));
    assert_int_equal(f.problems.per_code[PROBLEM_RID_GAP], 0);
    assert_int_equal(f.problems.per_code[PROBLEM_RID_DUP], 3);
    end(&f);
}

static void keeps_computers_apart(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, "a.evtx", false);
    add_all(&f, ROWS(FROM(1, 50, "A"), FROM(2, 90, "B"), FROM(3, 51, "A"),
                     FROM(4, 91, "B")));
    assert_int_equal(f.coverage.series_count, 2);
    assert_int_equal(f.coverage.missing_record_ids, 0);
    assert_int_equal(f.problems.count, 0);
    assert_int_equal(f.coverage.origin, ORIGIN_FORWARDED);
    assert_int_equal(f.coverage.last_record_id, 91);
    end(&f);
}

static void tells_where_a_log_comes_from(void **state)
{
    static const struct {
        const char *path;
        bool is_winevt;
        struct told rows[3];
        enum log_origin origin;
    } logs[] = {
        {"a.evtx",                      false, {ID(1, 1), ID(2, 2), ID(3, 3)}, ORIGIN_UNDETERMINED},
        {"a.evtx",                      false, {ID(1, 1), ID(2, 2), ID(9, 9)}, ORIGIN_RAW         },
        {"a.evtx",                      false, {ID(7, 7), ID(8, 8), ID(9, 9)}, ORIGIN_RAW         },
        {"a.evtx",                      false, {ID(1, 7), ID(2, 8), ID(3, 9)}, ORIGIN_EXPORT      },
        {"a.evtx",                      false, {ID(1, 7), ID(8, 8), ID(9, 9)}, ORIGIN_RAW         },
        {"w/Logs/a.evtx",               true,  {ID(1, 1), ID(2, 2), ID(3, 3)}, ORIGIN_RAW         },
        {"w/Logs/ForwardedEvents.evtx",
         true,                                 {ID(1, 7), ID(2, 8), ID(3, 9)},
         ORIGIN_FORWARDED                                                                         },
        {"forwardedevents.evtx",
         false,                                {ID(1, 7), ID(2, 8), ID(3, 9)},
         ORIGIN_FORWARDED                                                                         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        struct fixture f;
        start(&f, logs[i].path, logs[i].is_winevt);
        add_all(&f, logs[i].rows, 3);
        assert_string_equal(log_origin_name(f.coverage.origin),
                            log_origin_name(logs[i].origin));
        assert_false(text_is_empty(f.coverage.origin_basis));
        end(&f);
    }
}

static void lists_a_bounded_number_of_gaps(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, "a.evtx", false);
    for (uint64_t i = 0; i < 2000; i++)
        add(&f, &(struct told)ID(i + 1, i * 2 + 1), false);
    coverage_finish(&f.coverage, &f.facts, &f.problems);
    assert_int_equal(f.coverage.missing_record_ids, 1999);
    assert_int_equal(f.coverage.series[0].gap_count, 1999);
    assert_true(f.problems.count < 1000);
    struct text last = f.problems.rows[f.problems.count - 1].message;
    assert_true(text_contains_fold(last, TEXT_LITERAL("1499 more rows")));
    end(&f);
}

static void counts_only_what_is_live(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, "a.evtx", false);
    struct evtx_record record = {.state = RECORD_SLACK, .system = {.record_id = 900}};
    coverage_add(&f.coverage, &record, NULL);
    coverage_finish(&f.coverage, &f.facts, &f.problems);
    assert_int_equal(f.coverage.records, 0);
    assert_int_equal(f.coverage.first_record_id, NO_RECORD);
    assert_int_equal(f.coverage.origin, ORIGIN_UNDETERMINED);
    end(&f);
}

static void says_what_of_a_gap_was_recovered(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, "a.evtx", false);
    add(&f, &(struct told)ID(1, 1), false);
    for (uint64_t id = 0; id < 12; id++) {
        struct evtx_record record = {
            .state = RECORD_SLACK,
            .system = {.channel = TEXT_LITERAL(CHANNEL),
                       .computer = text_from(id == 11 ? "OTHER" : "PC"),
                       .record_id = 5 + id / 2}
        };
        coverage_add(&f.coverage, &record, NULL);
    }
    add(&f, &(struct told)ID(8, 8), false);
    coverage_finish(&f.coverage, &f.facts, &f.problems);
    assert_int_equal(f.coverage.missing_record_ids, 6);
    assert_int_equal(f.coverage.series_count, 1);
    assert_non_null(strstr(f.problems.rows[0].message.ptr, "; 3 of them recovered"));
    end(&f);
}

static void add_fields(struct fixture *f, uint16_t id, const char *const *names)
{
    struct evtx_field fields[8];
    size_t count = 0;
    for (; names[count]; count++)
        fields[count] =
            (struct evtx_field){text_from(names[count]), TEXT_LITERAL("not a time")};
    struct evtx_record record = {
        .system = {.provider = TEXT_LITERAL("Microsoft-Windows-Sysmon"),
                   .channel = TEXT_LITERAL(CHANNEL),
                   .event_id = id,
                   .record_id = NO_RECORD},
        .fields = fields,
        .field_count = count
    };
    struct sysmon_event event;
    assert_true(sysmon_event_from_record(&event, &record, &f->log));
    coverage_add(&f->coverage, &record, &event);
}

/* One event 5 of the log, by both of its clocks. */
static void add_event_at(struct fixture *f, uint64_t id, uint64_t created,
                         const char *utc)
{
    struct evtx_field field = {TEXT_LITERAL("UtcTime"), text_from(utc)};
    struct evtx_record record = {
        .system = {.provider = TEXT_LITERAL("Microsoft-Windows-Sysmon"),
                   .channel = TEXT_LITERAL(CHANNEL),
                   .computer = TEXT_LITERAL("PC"),
                   .event_id = 5,
                   .record_id = id,
                   .time_created_filetime = created},
        .fields = &field,
        .field_count = 1
    };
    struct sysmon_event event;
    assert_true(sysmon_event_from_record(&event, &record, &f->log));
    coverage_add(&f->coverage, &record, &event);
}

static void add_state(struct fixture *f, uint64_t id, uint64_t created,
                      const char *version)
{
    struct evtx_field fields[] = {
        {TEXT_LITERAL("Version"),       text_from(version)},
        {TEXT_LITERAL("SchemaVersion"), text_from(version)}
    };
    struct evtx_record record = {
        .system = {.provider = TEXT_LITERAL("Microsoft-Windows-Sysmon"),
                   .channel = TEXT_LITERAL(CHANNEL),
                   .computer = TEXT_LITERAL("PC"),
                   .event_id = 4,
                   .record_id = id,
                   .time_created_filetime = created},
        .fields = fields,
        .field_count = 2
    };
    struct sysmon_event event;
    assert_true(sysmon_event_from_record(&event, &record, &f->log));
    coverage_add(&f->coverage, &record, &event);
}

/* In a log that wrapped the newest event 4 is not the last. */
static void the_newest_state_counts(void **state)
{
    static const struct {
        uint64_t second;
        const char *version;
    } rows[] = {
        {20, "4.90"},
        {30, "5.00"},
        {10, "4.50"},
        {25, "4.80"},
        {30, ""    },
    };
    struct fixture f;
    (void)state;
    start(&f, "a.evtx", false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        add_state(&f, i + 1, FILETIME_UNIX + rows[i].second * FILETIME_SECOND,
                  rows[i].version);
    assert_int_equal(f.coverage.tracks.count, 1);
    assert_true(text_equal(f.coverage.tracks.items[0].version, TEXT_LITERAL("5.00")));
    assert_true(text_equal(f.coverage.tracks.items[0].schema, TEXT_LITERAL("5.00")));
    end(&f);
}

/* Distances at both ends of 64 bits are as far from each other as can be. */
static void hostile_clocks_agree_on_nothing(void **state)
{
    const char *utc = "2026-01-01 00:00:00.000";
    struct fixture f;
    uint64_t at, id = 1;
    (void)state;
    start(&f, "a.evtx", false);
    assert_true(filetime_parse(text_from(utc), &at));
    for (int i = 0; i < 16; i++) /* TimeCreated - UtcTime: the greatest, the least */
        add_event_at(&f, id++,
                     at + (i % 2 ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX), utc);
    for (int i = 0; i < 16; i++)
        add_event_at(&f, id++, at, utc);
    coverage_finish(&f.coverage, &f.facts, &f.problems);
    assert_int_equal(f.problems.per_code[PROBLEM_CLOCK_JUMP], 0);
    end(&f);
}

/* A log of more stretches than are kept, whose ids then fall. */
static void add_many_stretches(struct fixture *f)
{
    uint64_t at = FILETIME_UNIX, id = 1000000;
    start(f, "a.evtx", false);
    for (unsigned i = 0; i < STRETCHES_MAX; i++, at += 2 * SILENCE_100NS)
        add_event_at(f, id++, at, "-");
    add_event_at(f, 900, at, "-");
    add_event_at(f, 500, at + SILENCE_100NS, "-");
    coverage_finish(&f->coverage, &f->facts, &f->problems);
}

static void shared_ids_beyond_the_stretches_are_compared(void **state)
{
    struct fixture one, two;
    struct across across;
    (void)state;
    add_many_stretches(&one);
    add_many_stretches(&two);
    const struct coverage *const both[] = {&one.coverage, &two.coverage};
    const struct track *t = &one.coverage.tracks.items[0];
    assert_int_equal(t->stretches_more, 2);
    assert_int_equal(t->stretches[t->count - 1].last.record_id, 500);
    assert_int_equal(t->stretches[t->count - 1].first.record_id, 900);
    assert_true(across_open(&across, both, 2, &one.arena));
    assert_int_equal(across.not_compared, 0);
    assert_int_equal(across.slot_count, STRETCHES_MAX + 401); /* and 500 to 900 */
    across_close(&across);
    end(&one);
    end(&two);
}

/* What is told without a look at each span is what a look at each tells. */
static void reach_agrees_with_a_look_at_each(void **state)
{
    enum { SPANS = 1000, ASKED = 2000, TIMES = 500 };
    (void)state;
    uint64_t ends[SPANS], random = 1;
    struct reach reach;
    reach_open(&reach, SPANS);
    for (size_t i = 0; i < SPANS; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        ends[i] = random >> 33 & 1 ? i % TIMES : (random >> 40) % TIMES;
        reach_add(&reach, ends[i]);
    }
    reach_ready(&reach);
    for (size_t asked = 0; asked < ASKED; asked++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        size_t from = (random >> 33) % SPANS, to = (random >> 20) % (SPANS + 1);
        uint64_t time = (random >> 45) % (TIMES + 2), last = UINT64_MAX;
        size_t next = from;
        while (next < to && ends[next] < time)
            next++;
        assert_int_equal(reach_next(&reach, from, to, time), from < to ? next : to);
        for (size_t i = 0; i < SPANS; i++)
            if (ends[i] < time && (last == UINT64_MAX || ends[i] > last))
                last = ends[i];
        assert_int_equal(reach_last_before(&reach, time), last);
    }
    reach_close(&reach);
}

/* Crafted evidence: every record of another computer, and each id with other content in a
 * second log. With a search through all hosts or pairs for each this takes minutes. */
static void many_hosts_take_no_longer_each(void **state)
{
    enum { HOSTS = 100000, SECONDS = 45 }; /* of the processor; 1 s is used */
    struct itimerval limit = {
        .it_value = {SECONDS, 0}
    };
    (void)state;
    struct fixture one, two;
    struct across across;
    struct story story;
    char name[32];
    struct evtx_record record = {
        .system = {.provider = TEXT_LITERAL("Microsoft-Windows-Sysmon"),
                   .channel = TEXT_LITERAL(CHANNEL),
                   .time_created_filetime = FILETIME_UNIX}
    };
    setitimer(ITIMER_PROF, &limit, NULL);
    start(&one, "one.evtx", false);
    start(&two, "two.evtx", false);
    const struct coverage *both[] = {&one.coverage, &two.coverage};
    for (unsigned i = 1; i <= HOSTS; i++) {
        snprintf(name, sizeof name, "A-NAME-OF-A-COMPUTER-%u", i);
        add(&one, &(struct told){i, i, 'x', name}, false);
        add(&two, &(struct told){i, i, 'y', name}, false);
    }
    assert_true(across_open(&across, both, 2, &one.arena));
    story_make(&story, both, 2, NULL, 0, &one.arena, &one.problems);
    assert_int_equal(story.host_count, HOSTS);
    for (uint32_t log = 0; log < 2; log++)
        for (unsigned i = 1; i <= HOSTS; i++) {
            snprintf(name, sizeof name, "a-name-of-a-computer-%u", i);
            record.system.computer = text_from(name);
            record.system.record_id = i;
            across_add(&across, log, &record, log + 1);
            const struct story_host *host = story_host_of(&story, text_from(name));
            assert_true(host && text_equal_fold(host->computer, text_from(name)));
        }
    assert_null(story_host_of(&story, TEXT_LITERAL("a-name")));
    assert_int_equal(across.pair_count, HOSTS);
    limit.it_value.tv_sec = 0;
    setitimer(ITIMER_PROF, &limit, NULL);
    story_release(&story);
    across_close(&across);
    end(&two);
    end(&one);
}

static void infers_the_schema_from_fields(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, "a.evtx", false);
    assert_true(text_is_absent(coverage_schema_floor(&f.coverage)));
    add_fields(&f, 1, (const char *const[]){"RuleName", NULL});
    assert_true(text_equal(coverage_schema_floor(&f.coverage), TEXT_LITERAL("4.1")));
    add_fields(&f, 1, (const char *const[]){"ParentUser", "OriginalFileName", NULL});
    assert_true(text_equal(coverage_schema_floor(&f.coverage), TEXT_LITERAL("4.80")));
    add_fields(&f, 27, (const char *const[]){"User", NULL});
    assert_true(text_equal(coverage_schema_floor(&f.coverage), TEXT_LITERAL("4.82")));
    end(&f);
}

static void names_fields_and_times_that_are_not_known(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, "a.evtx", false);
    add_fields(&f, 5, (const char *const[]){"UtcTime", "Novelty", NULL});
    add_fields(&f, 5, (const char *const[]){"Novelty", NULL});
    coverage_finish(&f.coverage, &f.facts, &f.problems);
    assert_int_equal(f.problems.per_code[PROBLEM_TIME_UNREADABLE], 1);
    assert_int_equal(f.problems.per_code[PROBLEM_FIELD_UNKNOWN], 1);
    assert_true(text_contains_fold(f.problems.rows[1].message,
                                   TEXT_LITERAL("\"Novelty\" (in 2 records;")));
    end(&f);
}

/* A hundred rows are listed; that there were more is not kept back. */
static void counts_what_it_does_not_list(void **state)
{
    enum { TIMES = 130, LISTED = 100 };
    struct fixture f;
    (void)state;
    start(&f, "a.evtx", false);
    for (uint64_t i = 0; i <= TIMES; i++)
        add_at(&f, i + 1, FILETIME_UNIX + (10000 - i * 30) * FILETIME_SECOND);
    coverage_finish(&f.coverage, &f.facts, &f.problems);
    assert_int_equal(f.problems.per_code[PROBLEM_CLOCK_BACK], LISTED + 1);
    assert_int_equal(problems_met(&f.problems, PROBLEM_CLOCK_BACK), TIMES);
    assert_int_equal(problems_met(&f.problems, PROBLEM_RID_BACK), 0);
    assert_true(text_contains_fold(
        f.problems.rows[0].message,
        TEXT_LITERAL("record 2 was logged at 1970-01-01T02:46:10.0000000Z, the earlier "
                     "record 1 at 1970-01-01T02:46:40.0000000Z: the clock went back by "
                     "30 s")));
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_gaps_whatever_the_order),
        cmocka_unit_test(tells_copies_from_conflicts),
        cmocka_unit_test(a_record_id_that_comes_twice_running),
        cmocka_unit_test(a_short_copy_hides_no_long_run),
        cmocka_unit_test(keeps_computers_apart),
        cmocka_unit_test(tells_where_a_log_comes_from),
        cmocka_unit_test(lists_a_bounded_number_of_gaps),
        cmocka_unit_test(counts_only_what_is_live),
        cmocka_unit_test(says_what_of_a_gap_was_recovered),
        cmocka_unit_test(the_newest_state_counts),
        cmocka_unit_test(hostile_clocks_agree_on_nothing),
        cmocka_unit_test(shared_ids_beyond_the_stretches_are_compared),
        cmocka_unit_test(reach_agrees_with_a_look_at_each),
        cmocka_unit_test(many_hosts_take_no_longer_each),
        cmocka_unit_test(infers_the_schema_from_fields),
        cmocka_unit_test(names_fields_and_times_that_are_not_known),
        cmocka_unit_test(counts_what_it_does_not_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
