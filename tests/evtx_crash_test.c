/* SPDX-License-Identifier: Apache-2.0
 * A record that crashes or hangs the child costs that record, by name, and nothing else;
 * and the same log gives the same bytes with any number of children. */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base_log.h"
#include "test.h"

enum { DEADLINE = 300, CHUNKS = 4, RECORDS = 298 };

/* Of the base log: the first record, one in the middle, the last of chunk 0 and its
 * neighbour, the first of chunk 1. */
static const uint64_t bad_records[] = {4608, 16416, 68864, 70144};
enum { BAD_RECORDS = sizeof bad_records / sizeof *bad_records };

static bool is_bad(uint64_t offset)
{
    for (size_t i = 0; i < BAD_RECORDS; i++)
        if (bad_records[i] == offset)
            return true;
    return false;
}

static void crash_there(uint64_t offset)
{
    if (is_bad(offset))
        raise(SIGKILL);
}

static void exit_there(uint64_t offset)
{
    if (is_bad(offset))
        _exit(7);
}

static void hang_there(uint64_t offset)
{
    while (is_bad(offset))
        pause();
}

/* In chunk 0: each of its 78 records. */
static void hang_in_first_chunk(uint64_t offset)
{
    while (offset < EVTX_HEADER_SIZE + EVTX_CHUNK_SIZE)
        pause();
}

static void crash_everywhere(uint64_t offset)
{
    (void)offset;
    _exit(1);
}

static void read_with(struct outcome *o, struct memory_log *m, unsigned jobs,
                      evtx_before_record *hook)
{
    struct evtx_reader *reader = evtx_reader_open_with(jobs, DEADLINE, hook);
    outcome_read(o, reader, m);
    evtx_reader_close(reader);
    assert_int_equal(o->status, OK);
}

/* A process whose parent is that one, dead or alive; 0: none. */
static pid_t only_child_of(pid_t parent)
{
    char path[64], line[32];
    int found = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *file = fopen(path, "r");
    if (!file)
        skip();
    if (fgets(line, sizeof line, file))
        found = atoi(line);
    fclose(file);
    return found;
}

static void exactly_the_bad_ones_are_lost(evtx_before_record *hook, const char *how)
{
    struct memory_log *m = base_log_open();
    struct outcome o;
    read_with(&o, m, 2, hook);
    assert_int_equal(o.records, RECORDS - BAD_RECORDS);
    assert_int_equal(o.problems.per_code[PROBLEM_READER_CRASHED], BAD_RECORDS);
    assert_int_equal(o.facts.records_damaged, BAD_RECORDS);
    for (size_t i = 0; i < BAD_RECORDS; i++) {
        const struct problem *p = outcome_problem(&o, PROBLEM_READER_CRASHED, i);
        assert_int_equal(p->place.offset, bad_records[i]);
        assert_true(text_contains_fold(p->message, text_from(how)));
        assert_false(outcome_has_record_at(&o, bad_records[i]));
    }
    assert_int_equal(outcome_problem(&o, PROBLEM_READER_CRASHED, 0)->place.record_id,
                     1);
    outcome_release(&o);
    memory_log_free(m);
}

static void a_crash_costs_that_record(void **state)
{
    (void)state;
    exactly_the_bad_ones_are_lost(crash_there, "signal 9");
}

static void an_exit_costs_that_record(void **state)
{
    (void)state;
    exactly_the_bad_ones_are_lost(exit_there, "status 7");
}

static void a_hang_costs_that_record(void **state)
{
    (void)state;
    exactly_the_bad_ones_are_lost(hang_there, "did not answer within 1 s, twice");
}

/* What a child sees of the program: a copy from the moment when it was forked. */
static bool has_threads;

static void crash_and_look(uint64_t offset)
{
    if (has_threads)
        _exit(98);
    crash_there(offset);
}

/* Those that replace a crashed one too are copies of a process that had no thread yet. */
static void no_child_is_forked_beside_threads(void **state)
{
    (void)state;
    struct memory_log *m = base_log_open();
    struct outcome o;
    struct evtx_reader *reader = evtx_reader_open_with(2, DEADLINE, crash_and_look);
    has_threads = true;
    outcome_read(&o, reader, m);
    has_threads = false;
    assert_int_equal(o.records, RECORDS - BAD_RECORDS);
    assert_int_equal(o.problems.per_code[PROBLEM_READER_CRASHED], BAD_RECORDS);
    assert_true(
        text_contains_fold(outcome_problem(&o, PROBLEM_READER_CRASHED, 0)->message,
                           TEXT_LITERAL("signal 9")));
    outcome_release(&o);
    evtx_reader_close(reader);
    memory_log_free(m);
}

/* With nobody left to start a child, what was not read is named. */
static void a_spawner_that_is_gone_is_told(void **state)
{
    (void)state;
    struct memory_log *m = base_log_open();
    struct outcome o;
    struct evtx_reader *reader = evtx_reader_open_with(2, DEADLINE, NULL);
    kill(only_child_of(getpid()), SIGKILL);
    outcome_read(&o, reader, m);
    assert_int_equal(o.status, OK);
    assert_int_equal(o.records, 0);
    assert_int_equal(o.facts.records_damaged, RECORDS);
    assert_int_equal(o.problems.per_code[PROBLEM_RECORDS_NOT_READ], CHUNKS);
    assert_true(
        text_contains_fold(outcome_problem(&o, PROBLEM_RECORDS_NOT_READ, 0)->message,
                           TEXT_LITERAL("no process could be started")));
    outcome_release(&o);
    evtx_reader_close(reader);
    memory_log_free(m);
}

/* Nothing runs, and nothing waits to be reaped, when a reader is closed. */
static void no_process_is_left(void **state)
{
    (void)state;
    struct memory_log *m = base_log_open();
    struct outcome o;
    read_with(&o, m, 4, crash_there);
    assert_int_equal(only_child_of(getpid()), 0);
    outcome_release(&o);
    memory_log_free(m);
}

/* Seen by every child: has one of them hung already? */
static atomic_bool *has_hung;

static void hang_there_once(uint64_t offset)
{
    while (offset == bad_records[1] && !atomic_exchange(has_hung, true))
        for (;;)
            pause();
}

static void a_hang_is_not_believed_once(void **state)
{
    (void)state;
    struct memory_log *m = base_log_open();
    struct outcome o;
    has_hung = mmap(NULL, sizeof *has_hung, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(has_hung, MAP_FAILED);
    read_with(&o, m, 2, hang_there_once);
    assert_true(atomic_load(has_hung));
    assert_int_equal(o.records, RECORDS);
    assert_int_equal(o.problems.count, 0);
    munmap(has_hung, sizeof *has_hung);
    outcome_release(&o);
    memory_log_free(m);
}

/* Waiting ten seconds for each of two thousand records would be a hang of its own. */
static void many_hangs_give_up_the_chunk(void **state)
{
    (void)state;
    struct memory_log *m = base_log_open();
    struct outcome o;
    read_with(&o, m, 1, hang_in_first_chunk);
    assert_int_equal(o.records, RECORDS - 78);
    assert_int_equal(o.problems.per_code[PROBLEM_READER_CRASHED], 5);
    const struct problem *p = outcome_problem(&o, PROBLEM_RECORDS_NOT_READ, 0);
    assert_int_equal(strtoul(p->message.ptr, NULL, 10), 73);
    assert_int_equal(o.facts.records_damaged, 78);
    outcome_release(&o);
    memory_log_free(m);
}

static void every_crash_is_named(void **state)
{
    (void)state;
    struct memory_log *m = base_log_open();
    struct outcome o;
    read_with(&o, m, 2, crash_everywhere);
    assert_int_equal(o.records, 0);
    assert_int_equal(o.problems.per_code[PROBLEM_READER_CRASHED], RECORDS);
    outcome_release(&o);
    memory_log_free(m);
}

static void same_bytes_for_any_jobs(void **state)
{
    (void)state;
    struct memory_log *m = base_log_open();
    static const unsigned jobs[] = {1, 2, 7};
    struct outcome o[3];
    for (int i = 0; i < 3; i++)
        read_with(&o[i], m, jobs[i], exit_there);
    assert_true(o[0].told.len > 10000);
    for (int i = 1; i < 3; i++)
        assert_true(text_equal(buffer_text(&o[0].told), buffer_text(&o[i].told)));
    for (int i = 0; i < 3; i++)
        outcome_release(&o[i]);
    memory_log_free(m);
}

/* Make the first value of one character in the log's first chunk a U+FEFF. Returns the
 * offset of its record. */
static uint64_t plant_mark(struct memory_log *m)
{
    static struct evtx_values values;
    struct bytes data = {memory_log_at(m, EVTX_HEADER_SIZE), EVTX_CHUNK_SIZE};
    struct evtx_chunk chunk;
    struct evtx_frame frame;
    evtx_chunk_open(&chunk, data);
    while (evtx_chunk_next(&chunk, &frame) == OK) {
        evtx_values_read(&values, data, &frame);
        for (size_t i = 0; i < values.count; i++) {
            struct evtx_value v = values.value[i];
            size_t at = (size_t)(v.raw.ptr - data.ptr);
            bool is_one =
                v.raw.len == 2 || (v.raw.len == 4 && bytes_u16(v.raw, 2) == 0);
            if (v.type != EVTX_VALUE_STRING || !is_one)
                continue;
            memcpy(memory_log_at(m, EVTX_HEADER_SIZE + at), "\xff\xfe", 2);
            return EVTX_HEADER_SIZE + frame.offset;
        }
    }
    assert_true(false);
    return 0;
}

/* The real thing: libevtx 20181227 reads beyond its memory where a value is U+FEFF alone.
 * A version that does not must give the record. */
static void a_byte_order_mark_alone(void **state)
{
    (void)state;
    char *path =
        shared_path("evtx/attack/4624_LT3_AnonymousLogon_Localhost_-_JuicyPotato.evtx");
    struct memory_log *m = memory_log_open(path);
    free(path);
    size_t records = m ? 3 : RECORDS;
    if (!m)
        m = base_log_open();
    uint64_t offset = plant_mark(m);
    struct outcome o;
    read_with(&o, m, 1, NULL);
    size_t crashed = o.problems.per_code[PROBLEM_READER_CRASHED];
    assert_int_equal(o.records + crashed, records);
    if (crashed)
        assert_int_equal(outcome_problem(&o, PROBLEM_READER_CRASHED, 0)->place.offset,
                         offset);
    else
        assert_int_equal(o.problems.per_code[PROBLEM_READER_FAULT_KNOWN], 1);
    outcome_release(&o);
    memory_log_free(m);
}

/* In the child: no file can be opened, no process started, no socket made. */
static void try_to_get_out(uint64_t offset)
{
    if (offset != bad_records[0])
        return;
    bool is_out = open("/etc/hostname", O_RDONLY) >= 0 || fork() >= 0 ||
                  socket(AF_INET, SOCK_STREAM, 0) >= 0;
#ifndef __SANITIZE_ADDRESS__ /* the sanitizers need calls that are refused otherwise */
    is_out |= kill(getppid(), 0) == 0 || chdir("/") == 0;
#endif
    if (is_out)
        _exit(99);
}

static void the_child_is_confined(void **state)
{
    (void)state;
    struct memory_log *m = base_log_open();
    struct outcome o;
    read_with(&o, m, 1, try_to_get_out);
    assert_int_equal(o.records, RECORDS);
    assert_int_equal(o.problems.count, 0);
    outcome_release(&o);
    memory_log_free(m);
}

static enum status refuse_second(void *context, const struct evtx_record *records,
                                 size_t count)
{
    (void)records;
    (void)count;
    return ++*(int *)context == 2 ? FAILED : OK;
}

/* The sink may end the reading; the reader can then be used again. */
static void a_sink_that_fails_ends_the_read(void **state)
{
    (void)state;
    struct memory_log *m = base_log_open();
    struct evtx_reader *reader = evtx_reader_open(EVTX_READER_LIBEVTX, 2);
    int calls = 0;
    struct error err;
    assert_int_equal(
        evtx_read(reader, &m->log, refuse_second, &calls, NULL, NULL, NULL, &err),
        FAILED);
    assert_int_equal(calls, 2);
    struct outcome o;
    outcome_read(&o, reader, m);
    assert_int_equal(o.records, RECORDS);
    outcome_release(&o);
    evtx_reader_close(reader);
    memory_log_free(m);
}

/* ---- a chunk of small records that libevtx makes much of */

enum { ELEMENTS = 600, NAME_UNITS = 1000, SMALL_RECORD = 56 };

static void put_number(struct buffer *out, uint64_t number, size_t len)
{
    buffer_add(out, &number, len);
}

/* An element's name at `at` of the chunk, or a reference to where it was put. */
static void put_name(struct buffer *out, uint32_t at, uint16_t unit, unsigned units)
{
    uint32_t hash = 0;
    put_number(out, at, 4);
    if (at != out->len)
        return;
    for (unsigned i = 0; i < units; i++)
        hash = hash * 65599 + unit;
    put_number(out, 0, 4);
    put_number(out, hash & 0xffff, 2);
    put_number(out, units, 2);
    for (unsigned i = 0; i <= units; i++)
        put_number(out, i < units ? unit : 0, 2);
}

/* The u32 at `at` becomes how many bytes follow it. */
static void set_length(struct buffer *out, size_t at)
{
    uint32_t len = (uint32_t)(out->len - at - 4);
    memcpy(out->ptr + at, &len, 4);
}

/* <A><A><LONG/><LONG/>...</A></A>, names written once each. */
static void put_elements(struct buffer *out)
{
    uint32_t names[2] = {0, 0};
    size_t sizes[3];
    for (unsigned i = 0; i < 2 + ELEMENTS; i++) {
        unsigned level = i < 2 ? i : 2;
        uint32_t *name = &names[i >= 2];
        buffer_add(out, "\x01\xff\xff\0\0\0\0", 7);
        sizes[level] = out->len - 4;
        if (!*name)
            *name = (uint32_t)out->len + 4;
        put_name(out, *name, i < 2 ? 'A' : 0x4e00, i < 2 ? 1 : NAME_UNITS);
        put_number(out, i < 2 ? 0x02 : 0x03, 1);
        if (level == 2)
            set_length(out, sizes[level]);
    }
    for (unsigned level = 2; level-- > 0; set_length(out, sizes[level]))
        put_number(out, 0x04, 1);
}

static void put_definition(struct buffer *out)
{
    put_number(out, 0, 4);
    put_number(out, 0x0101010101010101, 8);
    put_number(out, 0x0101010101010101, 8);
    size_t size_at = out->len;
    put_number(out, 0, 4);
    buffer_add(out, "\x0f\x01\x01\x00", 4);
    put_elements(out);
    put_number(out, 0, 1);
    set_length(out, size_at);
}

static void put_record(struct buffer *out, uint64_t id, uint32_t *definition)
{
    size_t from = out->len;
    buffer_add(out, "**\0\0\0\0\0\0", 8);
    put_number(out, id, 8);
    put_number(out, 0x01d5000000000000, 8);
    buffer_add(out, "\x0f\x01\x01\x00\x0c\x01\x01\x01\x01\x01", 10);
    bool is_first = *definition == 0;
    if (is_first)
        *definition = (uint32_t)out->len + 4;
    put_number(out, *definition, 4);
    if (is_first)
        put_definition(out);
    put_number(out, 0, 5); /* no values; the fragment's end */
    while ((out->len + 4 - from) % EVTX_ALIGNMENT)
        put_number(out, 0, 1);
    uint32_t size = (uint32_t)(out->len + 4 - from);
    put_number(out, size, 4);
    memcpy(out->ptr + from + 4, &size, 4);
}

static struct memory_log *make_log_of_long_names(size_t *count)
{
    struct buffer chunk = {0};
    struct memory_log *m = base_log_open();
    uint32_t definition = 0, last = 0;
    buffer_add(&chunk, m->bytes.ptr + EVTX_HEADER_SIZE, EVTX_CHUNK_HEADER_SIZE);
    for (*count = 0; chunk.len + SMALL_RECORD < EVTX_CHUNK_SIZE; ++*count) {
        last = (uint32_t)chunk.len;
        put_record(&chunk, *count + 1, &definition);
    }
    uint32_t end = (uint32_t)chunk.len;
    memcpy(chunk.ptr + 44, &last, 4);
    memcpy(chunk.ptr + 48, &end, 4);
    memset(chunk.ptr + 128, 0, EVTX_CHUNK_HEADER_SIZE - 128);
    while (chunk.len < EVTX_CHUNK_SIZE)
        put_number(&chunk, 0, 1);
    memcpy(memory_log_at(m, EVTX_HEADER_SIZE), chunk.ptr, EVTX_CHUNK_SIZE);
    memory_log_seal_chunk(m, 0);
    buffer_release(&chunk);
    return m;
}

/* What the children answer is kept until a chunk is done: a gigabyte of one is too much. */
static void long_answers_give_up_the_chunk(void **state)
{
    (void)state;
    size_t count;
    struct memory_log *m = make_log_of_long_names(&count);
    struct outcome o;
    struct evtx_reader *reader = evtx_reader_open(EVTX_READER_LIBEVTX, 1);
    outcome_read(&o, reader, m);
    const struct problem *p = outcome_problem(&o, PROBLEM_RECORDS_NOT_READ, 0);
    assert_non_null(p);
    assert_true(text_contains_fold(p->message, TEXT_LITERAL("makes more than")));
    assert_true(count > 500);
    assert_true(o.facts.records_damaged > count / 2);
    assert_true(o.facts.records_damaged < count);
    outcome_release(&o);
    evtx_reader_close(reader);
    memory_log_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_costs_that_record),
        cmocka_unit_test(an_exit_costs_that_record),
        cmocka_unit_test(a_hang_costs_that_record),
        cmocka_unit_test(a_hang_is_not_believed_once),
        cmocka_unit_test(no_child_is_forked_beside_threads),
        cmocka_unit_test(a_spawner_that_is_gone_is_told),
        cmocka_unit_test(no_process_is_left),
        cmocka_unit_test(many_hangs_give_up_the_chunk),
        cmocka_unit_test(every_crash_is_named),
        cmocka_unit_test(a_byte_order_mark_alone),
        cmocka_unit_test(the_child_is_confined),
        cmocka_unit_test(same_bytes_for_any_jobs),
        cmocka_unit_test(a_sink_that_fails_ends_the_read),
        cmocka_unit_test(long_answers_give_up_the_chunk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
