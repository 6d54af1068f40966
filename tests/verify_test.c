/* SPDX-License-Identifier: Apache-2.0
 * What the second decoding of records finds, and what it does not let pass: a value that
 * differs, a fault of libevtx that is not quite the known one, a crash, a hang, a list of
 * records that is not the same.
 *
 * The program is linked with evtx_wire_take() wrapped: a test can change what libevtx said. */
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "evtx/verify_internal.h"
#include "memory_log.h"
#include "test.h"

enum { DEADLINE = 300 };

/* ---- one value */

static struct evtx_field native_fields[] = {
    {TEXT_LITERAL("Image"),   TEXT_LITERAL("C:\\a.exe")},
    {TEXT_LITERAL("LogonId"), TEXT_LITERAL("0x3e7")    },
};

static struct evtx_record native_record(void)
{
    return (struct evtx_record){
        .fields = native_fields,
        .field_count = 2,
        .system = {.channel = TEXT_LITERAL("Sysmon"),
                   .event_id = 1,
                   .record_id = 7,
                   .time_created_filetime = 100}
    };
}

/* Compares native_fields with values that differ in one place. */
static struct verify_comparison compare(struct arena *arena, struct evtx_field *others,
                                        size_t count, const struct evtx_system *system,
                                        const struct evtx_values *values)
{
    struct evtx_record native = native_record();
    struct evtx_reading other = {.system = system ? *system : native.system,
                                 .fields = others,
                                 .field_count = count};
    struct verify_comparison c = {.arena = arena};
    static const struct evtx_values none;
    verify_compare(&c, &native, &other, values ? values : &none);
    return c;
}

static void assert_text(struct text t, const char *expected)
{
    assert_int_equal(t.len, strlen(expected));
    assert_memory_equal(t.ptr, expected, t.len);
}

static void a_value_that_differs_is_named(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct evtx_field others[] = {native_fields[0], native_fields[1]};
    struct verify_comparison c = compare(&arena, others, 2, NULL, NULL);
    assert_int_equal(c.count, 0);
    assert_int_equal(c.values, 14 + 1 + 2);
    others[0].value = TEXT_LITERAL("C:\\b.exe");
    c = compare(&arena, others, 2, NULL, NULL);
    assert_int_equal(c.count, 1);
    assert_text(c.differences[0].field, "Image");
    assert_text(c.differences[0].native, "C:\\a.exe");
    assert_text(c.differences[0].libevtx, "C:\\b.exe");
    assert_int_equal(c.differences[0].waiver, WAIVED_NOT);
    verify_comparison_release(&c);
    others[0] = (struct evtx_field){TEXT_LITERAL("Imagine"), native_fields[0].value};
    c = compare(&arena, others, 2, NULL, NULL);
    assert_int_equal(c.count, 1);
    assert_text(c.differences[0].field, "name of field 1");
    verify_comparison_release(&c);
    c = compare(&arena, native_fields, 1, NULL, NULL);
    assert_int_equal(c.count, 1);
    assert_text(c.differences[0].field, "number of fields");
    verify_comparison_release(&c);
    arena_release(&arena);
}

static void every_system_value_counts(void **state)
{
    (void)state;
    struct arena arena = {0};
    static const char *const names[] = {"Provider",
                                        "EventID",
                                        "Version",
                                        "Level",
                                        "Task",
                                        "Opcode",
                                        "Keywords",
                                        "TimeCreated",
                                        "Channel",
                                        "EventRecordID",
                                        "Computer",
                                        "Security/UserID",
                                        "Execution/ProcessID",
                                        "Execution/ThreadID"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct evtx_system s = native_record().system;
        const struct text x = TEXT_LITERAL("x");
        switch (i) {
        case 0: s.provider = x; break;
        case 1: s.event_id++; break;
        case 2: s.version++; break;
        case 3: s.level++; break;
        case 4: s.task++; break;
        case 5: s.opcode++; break;
        case 6: s.keywords++; break;
        case 7: s.time_created_filetime++; break;
        case 8: s.channel = x; break;
        case 9: s.record_id++; break;
        case 10: s.computer = x; break;
        case 11: s.user_sid = x; break;
        case 12: s.process_id++; break;
        default: s.thread_id++; break;
        }
        struct verify_comparison c = compare(&arena, native_fields, 2, &s, NULL);
        assert_int_equal(c.count, 1);
        assert_text(c.differences[0].field, names[i]);
        verify_comparison_release(&c);
    }
    arena_release(&arena);
}

/* ---- known faults, and what only looks like one */

struct waiver_case {
    uint8_t type;
    const char *bytes;
    size_t len;
    struct text native, libevtx;
    enum verify_waiver waiver;
};

#define T(literal)                                                                     \
 {                                                                                     \
  literal, sizeof(literal) - 1                                                         \
 }
static const struct waiver_case waiver_cases[] = {
    {0x15, "\xe7\3\0\0\0\0\0\0",           8, T("0x3e7"),                        T("0x00000000000003e7"),
     WAIVED_PADDED_HEX                                                                                                          },
    {0x15, "\xe7\3\0\0\0\0\0\0",           8, T("0x3e7"),                        T("0x00000000000003e8"), WAIVED_NOT            },
    {0x15, "\xe6\3\0\0\0\0\0\0",           8, T("0x3e7"),                        T("0x00000000000003e7"), WAIVED_NOT            },
    {0x01, "x\0",                          2, T("0x3e7"),                        T("0x00000000000003e7"), WAIVED_NOT            },
    {0x14, "\xe7\3\0\0",                   4, T("0x3e7"),                        T("0x000003e7"),         WAIVED_PADDED_HEX     },
    {0x14, "\xe7\3\0\0",                   4, T("0x3e7"),                        T("0x00003e7"),          WAIVED_NOT            },
    {0x07, "\x5f\x80\x04\x80",             4, T("-2147188641"),                  T("-295007"),
     WAIVED_NEGATIVE_INT32                                                                                                      },
    {0x07, "\x5f\x80\x04\x80",             4, T("-2147188641"),                  T("-295008"),            WAIVED_NOT            },
    {0x10, "\4\0\0\0",                     4, T("0x4"),                          T("4"),                  WAIVED_SIZE           },
    {0x10, "\4\0\0\0",                     4, T("0x4"),                          T("0x00000000"),         WAIVED_SIZE           },
    {0x10, "\4\0\0\0",                     4, T("0x4"),                          T("5"),                  WAIVED_NOT            },
    {0x01, "\x3d\xd8\0\xde",               4, T("\xf0\x9f\x98\x80"),             T("\xf0\x9f\x88\x81"),
     WAIVED_SUPPLEMENTARY                                                                                                       },
    {0x01, "\x3d\xd8\0\xde",               4, T("\xf0\x9f\x98\x80"),             T("\xf0\x9f\x88\x82"),
     WAIVED_NOT                                                                                                                 },
    {0x01, "\0\xd8x\0y\0",                 6, T("\xef\xbf\xbdxy"),               T("\xef\xbf\xbdy"),
     WAIVED_LONE_SURROGATE                                                                                                      },
    {0x01, "\0\xd8x\0y\0",                 6, T("\xef\xbf\xbdxy"),               T("\xef\xbf\xbd"),       WAIVED_NOT            },
    {0x01, "\0\xdcx\0y\0",                 6, T("\xef\xbf\xbdxy"),               T("\xef\xbf\xbdy"),      WAIVED_NOT            },
    {0x01,
     "\xff\xfe"
     "x\0",                                4, T("\xef\xbb\xbfx"),                T("x"),                  WAIVED_BYTE_ORDER_MARK},
    {0x01,
     "\xff\xfe"
     "x\0",                                4, T("\xef\xbb\xbfx"),                T("y"),                  WAIVED_NOT            },
    {0x01, "a\0\0\0b\0",                   6, T("a"),                            T("b"),                  WAIVED_NOT            },
    {0x11, "\0\x80\x3e\xd5\xde\xb1\x9d\1", 8, T("1970-01-01T00:00:00.0000000Z"),
     T("1970-01-01T00:00:00.000000000Z"),                                                                 WAIVED_FILETIME_DIGITS},
    {0x11, "\0\x80\x3e\xd5\xde\xb1\x9d\1", 8, T("1970-01-01T00:00:00.0000000Z"),
     T("1970-01-01T00:00:01.000000000Z"),                                                                 WAIVED_NOT            },
    {0x01, "a\0\0\0b\0",                   6, T("a\0b"),                         T("a"),                  WAIVED_EMBEDDED_NUL   },
    {0x01, "a\0\0\0b\0",                   6, T("a\0b"),                         T("b"),                  WAIVED_NOT            },
    {0x01, "a\0\0\0b\0",                   6, T("a\0b"),                         T("a\0c"),               WAIVED_NOT            },
    {0x02, "<b>",                          3, T("<b>"),                          T(""),                   WAIVED_ANSI_MARKUP    },
    {0x02, "a&b",                          3, T("a&b"),                          T("a"),                  WAIVED_ANSI_MARKUP    },
    {0x02, "abc",                          3, T("abc"),                          T("a"),                  WAIVED_NOT            },
    {0x0b, "\xcd\xcc\xcc\x3d",             4, T("0.1"),                          T("1.000000e-01"),       WAIVED_FLOAT          },
    {0x0b, "\xcd\xcc\xcc\xbd",             4, T("-0.1"),                         T("-1.000000e-01"),      WAIVED_FLOAT          },
    {0x0b, "\xcd\xcc\xcc\x3d",             4, T("0.1"),                          T("1.000001e-01"),       WAIVED_FLOAT          },
    {0x0b, "\xcd\xcc\xcc\x3d",             4, T("0.1"),                          T("1.000010e-01"),       WAIVED_NOT            },
    {0x0b, "\xcd\xcc\xcc\x3d",             4, T("0.1"),                          T("9.999900e-02"),       WAIVED_NOT            },
    {0x0b, "\xcd\xcc\xcc\x3d",             4, T("0.1"),                          T("-1.000000e-01"),      WAIVED_NOT            },
    {0x0b, "\xcd\xcc\xcc\x3d",             4, T("0.1"),                          T("1.000000e-01x"),      WAIVED_NOT            },
    {0x0b, "\0\0\0\0",                     4, T("0"),                            T("0.000000e+00"),       WAIVED_FLOAT          },
    {0x0b, "\0\0\0\0",                     4, T("0"),                            T("none"),               WAIVED_NOT            },
    {0x0b, "\0\0\0\0",                     4, T("0"),                            T(""),                   WAIVED_NOT            },
};

static void faults_are_waived_to_the_letter(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof waiver_cases / sizeof *waiver_cases; i++) {
        const struct waiver_case *w = &waiver_cases[i];
        struct arena arena = {0};
        struct evtx_field before = native_fields[1];
        struct evtx_values *values = calloc(1, sizeof *values);
        values->count = 1;
        values->value[0] = (struct evtx_value){
            w->type, true, {(const uint8_t *)w->bytes, w->len}
        };
        native_fields[1].value = w->native;
        struct evtx_field others[] = {native_fields[0], native_fields[1]};
        others[1].value = w->libevtx;
        struct verify_comparison c = compare(&arena, others, 2, NULL, values);
        assert_int_equal(c.count, 1);
        if (c.differences[0].waiver != w->waiver)
            print_error("case %zu\n", i);
        assert_int_equal(c.differences[0].waiver, w->waiver);
        native_fields[1] = before;
        verify_comparison_release(&c);
        arena_release(&arena);
        free(values);
    }
}

/* Markup that is not escaped makes elements: what the fields are is not told then. What
 * System holds is. */
static void markup_waives_what_it_tears(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        const char *bytes;
        enum verify_waiver of_fields;
    } rows[] = {
        {0x02, "<b>", WAIVED_ANSI_MARKUP},
        {0x02, "bbb", WAIVED_NOT        },
        {0x01, "<b>", WAIVED_NOT        },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        struct evtx_system s = native_record().system;
        struct evtx_values *values = calloc(1, sizeof *values);
        values->count = 1;
        values->value[0] = (struct evtx_value){
            rows[i].type, true, {(const uint8_t *)rows[i].bytes, 3}
        };
        s.task++;
        struct verify_comparison c = compare(&arena, native_fields, 1, &s, values);
        assert_int_equal(c.count, 2);
        assert_text(c.differences[0].field, "Task");
        assert_int_equal(c.differences[0].waiver, WAIVED_NOT);
        assert_text(c.differences[1].field, "number of fields");
        assert_int_equal(c.differences[1].waiver, rows[i].of_fields);
        verify_comparison_release(&c);
        arena_release(&arena);
        free(values);
    }
}

/* ---- whole logs */

bool __real_evtx_wire_take(struct bytes in, size_t *at, struct evtx_answer *answer,
                           struct arena *arena);
bool __wrap_evtx_wire_take(struct bytes in, size_t *at, struct evtx_answer *answer,
                           struct arena *arena);

static uint32_t change_index = UINT32_MAX; /* of the frame whose answer is changed */
static const char *change_more; /* which value of System; NULL: the second field */

static void change_system(struct evtx_reading *r)
{
    for (size_t i = 0; i < r->more_count; i++)
        if (text_equal(r->more[i].name, text_from(change_more)))
            r->more[i].value = TEXT_LITERAL("changed");
}

bool __wrap_evtx_wire_take(struct bytes in, size_t *at, struct evtx_answer *answer,
                           struct arena *arena)
{
    if (!__real_evtx_wire_take(in, at, answer, arena))
        return false;
    if (answer->index != change_index || !answer->is_given)
        return true;
    if (change_more)
        change_system(&answer->reading);
    else
        answer->reading.fields[1].value = TEXT_LITERAL("changed");
    return true;
}

struct fixture {
    struct memory_log *m;
    struct outcome o; /* of a native reading: which records there are */
    struct arena arena;
    struct problems problems;
    struct verify_counts counts;
    struct verify_item items[4096];
};

static struct fixture *open_fixture(void)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct buffer path = {0};
    const char *source = getenv("srcdir");
    buffer_printf(&path, "%s/samples/WKS-01-Sysmon.evtx", source ? source : ".");
    f->m = memory_log_open(path.ptr);
    assert_non_null(f->m);
    buffer_release(&path);
    struct evtx_reader *reader = evtx_reader_open(EVTX_READER_NATIVE, 1);
    outcome_read(&f->o, reader, f->m);
    evtx_reader_close(reader);
    assert_true(f->o.offset_count > 100);
    problems_init(&f->problems, &f->arena);
    return f;
}

static void close_fixture(struct fixture *f)
{
    problems_release(&f->problems);
    arena_release(&f->arena);
    outcome_release(&f->o);
    memory_log_free(f->m);
    free(f);
}

/* Ask for every `step`th record. */
static size_t ask(struct fixture *f, struct verifier *v, size_t step, bool whole)
{
    struct error err = {0};
    size_t count = 0;
    for (size_t i = 0; i < f->o.offset_count; i += step)
        f->items[count++] = (struct verify_item){.offset = f->o.offsets[i]};
    assert_int_equal(verify_log(v, &f->m->log, &f->o.facts, f->items, count, whole,
                                &f->counts, &f->problems, NULL, &err),
                     OK);
    return count;
}

static void equal_records_are_confirmed(void **state)
{
    (void)state;
    struct fixture *f = open_fixture();
    struct verifier *v = verify_open(2);
    size_t count = ask(f, v, 1, false);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(f->items[i].outcome, VERIFY_EQUAL);
    assert_int_equal(f->counts.equal, count);
    assert_int_equal(f->counts.records, count);
    assert_true(f->counts.waived[WAIVED_PADDED_HEX] > 0);
    assert_int_equal(f->problems.count, 0);
    verify_close(v);
    close_fixture(f);
}

static _Atomic unsigned *calls; /* shared with the children */

static void count_call(uint64_t offset)
{
    (void)offset;
    atomic_fetch_add(calls, 1);
}

static void only_what_is_asked_for_is_decoded(void **state)
{
    (void)state;
    struct fixture *f = open_fixture();
    calls = mmap(NULL, sizeof *calls, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(calls != MAP_FAILED);
    struct verifier *v = verify_open_with(2, DEADLINE, count_call);
    size_t count = ask(f, v, 40, false);
    assert_int_equal(atomic_load(calls), count);
    assert_int_equal(f->counts.equal, count);
    verify_close(v);
    munmap((void *)calls, sizeof *calls);
    close_fixture(f);
}

static void a_difference_is_told_with_both_values(void **state)
{
    (void)state;
    struct fixture *f = open_fixture();
    struct verifier *v = verify_open(1);
    change_index = 0;
    size_t count = ask(f, v, 1, false);
    change_index = UINT32_MAX;
    assert_int_equal(f->items[0].outcome, VERIFY_DIFFERENT);
    assert_true(f->items[0].field.len > 0);
    assert_true(f->counts.different >= 1); /* the first record of each chunk */
    assert_int_equal(f->counts.equal + f->counts.different, count);
    assert_int_equal(f->problems.per_code[PROBLEM_VERIFY_DISAGREES],
                     f->counts.different);
    const struct problem *p = &f->problems.rows[0];
    assert_int_equal(p->code, PROBLEM_VERIFY_DISAGREES);
    assert_int_equal(p->place.offset, f->o.offsets[0]);
    assert_true(text_contains_fold(p->message, TEXT_LITERAL("libevtx has [changed]")));
    assert_true(
        text_contains_fold(p->message, TEXT_LITERAL("the native reader has [")));
    assert_true(problems_have_damage(&f->problems));
    verify_close(v);
    close_fixture(f);
}

/* What struct evtx_system has no place for is compared too. */
static void the_provider_guid_counts(void **state)
{
    (void)state;
    struct fixture *f = open_fixture();
    struct verifier *v = verify_open(1);
    change_index = 0;
    change_more = "Provider/Guid";
    ask(f, v, 1, false);
    change_index = UINT32_MAX;
    change_more = NULL;
    assert_int_equal(f->items[0].outcome, VERIFY_DIFFERENT);
    assert_true(text_equal(f->items[0].field, TEXT_LITERAL("Provider/Guid")));
    verify_close(v);
    close_fixture(f);
}

static uint64_t bad_offset;

static void crash_there(uint64_t offset)
{
    if (offset == bad_offset)
        raise(SIGKILL);
}

static void hang_there(uint64_t offset)
{
    while (offset == bad_offset)
        pause();
}

static void one_is_not_confirmed(evtx_before_record *hook, const char *why)
{
    struct fixture *f = open_fixture();
    bad_offset = f->o.offsets[30];
    struct verifier *v = verify_open_with(2, DEADLINE, hook);
    size_t count = ask(f, v, 1, false);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(f->items[i].outcome,
                         i == 30 ? VERIFY_NOT_CONFIRMED : VERIFY_EQUAL);
    assert_int_equal(f->counts.not_confirmed, 1);
    assert_int_equal(f->counts.different, 0);
    assert_int_equal(f->problems.count, 1);
    const struct problem *p = &f->problems.rows[0];
    assert_int_equal(p->code, PROBLEM_VERIFY_NOT_CONFIRMED);
    assert_int_equal(p->place.offset, bad_offset);
    assert_true(text_contains_fold(p->message, TEXT_LITERAL("libevtx crashed")));
    assert_true(text_contains_fold(p->message, text_from(why)));
    assert_false(problems_have_damage(&f->problems));
    verify_close(v);
    close_fixture(f);
}

static void a_crash_costs_that_record(void **state)
{
    (void)state;
    one_is_not_confirmed(crash_there, "signal 9");
}

static void a_hang_costs_that_record(void **state)
{
    (void)state;
    one_is_not_confirmed(hang_there, "did not answer");
}

static void the_set_of_records_is_compared(void **state)
{
    (void)state;
    struct fixture *f = open_fixture();
    struct verifier *v = verify_open(2);
    ask(f, v, 1, true);
    assert_int_equal(f->counts.logs_listed, 1);
    assert_int_equal(f->counts.listed_by_both, f->o.offset_count);
    assert_int_equal(f->counts.only_native + f->counts.only_libevtx, 0);
    assert_int_equal(f->problems.count, 0);
    verify_close(v);
    close_fixture(f);
}

/* libevtx takes the header's count of chunks at its word; the records behind are ours. */
static void records_that_one_list_lacks_are_told(void **state)
{
    (void)state;
    struct fixture *f = open_fixture();
    struct verifier *v = verify_open(2);
    memory_log_at(f->m, 0)[42] = 1;
    memory_log_seal(f->m);
    ask(f, v, 1, true);
    assert_true(f->counts.only_native > 0);
    assert_int_equal(f->counts.only_native + f->counts.listed_by_both,
                     f->o.offset_count);
    assert_int_equal(f->problems.per_code[PROBLEM_VERIFY_RECORD_SET], 1);
    assert_int_equal(f->counts.equal, f->o.offset_count);
    verify_close(v);
    close_fixture(f);
}

static void a_log_that_cannot_be_opened_whole_is_told(void **state)
{
    (void)state;
    struct fixture *f = open_fixture();
    struct verifier *v = verify_open(1);
    memory_log_u32(f->m, 0, 0);
    ask(f, v, 1, true);
    assert_int_equal(f->counts.logs_not_listed, 1);
    assert_int_equal(f->problems.per_code[PROBLEM_VERIFY_RECORD_SET], 1);
    assert_int_equal(f->counts.equal, f->o.offset_count);
    verify_close(v);
    close_fixture(f);
}

/* Bytes put in before the second chunk: the grid is shifted from there on. */
static void chunks_off_the_grid_are_found(void **state)
{
    (void)state;
    struct fixture *f = open_fixture();
    struct buffer shifted = {0};
    size_t at = EVTX_HEADER_SIZE + EVTX_CHUNK_SIZE;
    char gap[512] = {0};
    buffer_add(&shifted, memory_log_at(f->m, 0), at);
    buffer_add(&shifted, gap, sizeof gap);
    buffer_add(&shifted, memory_log_at(f->m, at), f->m->bytes.len - at);
    memory_log_free(f->m);
    f->m = memory_log_make(shifted.ptr, shifted.len);
    buffer_release(&shifted);
    outcome_release(&f->o);
    struct evtx_reader *reader = evtx_reader_open(EVTX_READER_NATIVE, 1);
    outcome_read(&f->o, reader, f->m);
    evtx_reader_close(reader);
    assert_true(f->o.facts.is_off_grid);
    struct verifier *v = verify_open(1);
    size_t count = ask(f, v, 7, false);
    assert_int_equal(f->counts.equal, count);
    verify_close(v);
    close_fixture(f);
}

static void a_place_without_a_record_is_not_confirmed(void **state)
{
    (void)state;
    struct fixture *f = open_fixture();
    struct verifier *v = verify_open(1);
    struct error err = {0};
    f->items[0].offset = 12;
    f->items[1].offset = f->o.offsets[3] + 8;
    f->items[2].offset = UINT64_MAX - 7;
    assert_int_equal(verify_log(v, &f->m->log, &f->o.facts, f->items, 3, false,
                                &f->counts, &f->problems, NULL, &err),
                     OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(f->items[i].outcome, VERIFY_NOT_CONFIRMED);
    assert_int_equal(f->problems.per_code[PROBLEM_VERIFY_NOT_CONFIRMED], 3);
    verify_close(v);
    close_fixture(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_that_differs_is_named),
        cmocka_unit_test(every_system_value_counts),
        cmocka_unit_test(faults_are_waived_to_the_letter),
        cmocka_unit_test(markup_waives_what_it_tears),
        cmocka_unit_test(equal_records_are_confirmed),
        cmocka_unit_test(only_what_is_asked_for_is_decoded),
        cmocka_unit_test(a_difference_is_told_with_both_values),
        cmocka_unit_test(the_provider_guid_counts),
        cmocka_unit_test(a_crash_costs_that_record),
        cmocka_unit_test(a_hang_costs_that_record),
        cmocka_unit_test(the_set_of_records_is_compared),
        cmocka_unit_test(records_that_one_list_lacks_are_told),
        cmocka_unit_test(a_log_that_cannot_be_opened_whole_is_told),
        cmocka_unit_test(chunks_off_the_grid_are_found),
        cmocka_unit_test(a_place_without_a_record_is_not_confirmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
