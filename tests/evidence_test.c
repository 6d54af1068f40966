/* SPDX-License-Identifier: Apache-2.0
 * Reading logs of src/evidence: bounds, a file that shrinks, threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* util/error.h has its own */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evidence/evidence.h"
#include "evidence/evidence_internal.h"
#include "util/memory.h"

enum { LOG_SIZE = 300000, THREADS = 4 };

struct fixture {
    char folder[64];
    char path[96];
    struct arena arena;
    struct problems problems;
    struct journal journal;
    struct evidence evidence;
};

static uint8_t byte_at(uint64_t offset)
{
    return offset < 8 ? (uint8_t) "ElfFile"[offset]
                      : (uint8_t)(offset * 31 + offset / 251);
}

static void open_evidence(struct fixture *f, const char *path)
{
    const char *paths[] = {path};
    struct evidence_options options = {0};
    struct error err;
    problems_init(&f->problems, &f->arena);
    journal_init(&f->journal, true);
    assert_int_equal(evidence_open(&f->evidence, paths, 1, &options, &f->arena,
                                   &f->problems, &f->journal, &err),
                     OK);
}

static int set_up(void **state)
{
    struct fixture *f = memory_get_zeroed(1, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "/tmp/evidence_test.XXXXXX");
    if (!mkdtemp(f->folder))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/x.evtx", f->folder);
    FILE *out = fopen(f->path, "wb");
    for (uint64_t i = 0; i < LOG_SIZE; i++)
        fputc(byte_at(i), out);
    fclose(out);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    evidence_close(&f->evidence);
    problems_release(&f->problems);
    journal_abandon(&f->journal);
    arena_release(&f->arena);
    unlink(f->path);
    rmdir(f->folder);
    free(f);
    return 0;
}

static void reads_stay_in_bounds(void **state)
{
    static const struct {
        uint64_t offset;
        size_t len, got;
    } rows[] = {
        {0,            8,     8    },
        {4096,         65536, 65536},
        {LOG_SIZE - 1, 10,    1    },
        {LOG_SIZE,     10,    0    },
        {UINT64_MAX,   10,    0    },
        {100,          0,     0    },
    };
    struct fixture *f = *state;
    static uint8_t into[65536];
    open_evidence(f, f->folder);
    assert_int_equal(f->evidence.log_count, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t got = 99;
        struct error err;
        assert_int_equal(evidence_log_read(&f->evidence.logs[0], rows[i].offset, into,
                                           rows[i].len, &got, &err),
                         OK);
        assert_int_equal(got, rows[i].got);
        for (size_t k = 0; k < got; k++)
            assert_int_equal(into[k], byte_at(rows[i].offset + k));
    }
}

/* What is gone reads as zeros, with the place of its first byte; the change is told. */
static void a_file_that_shrinks_is_damaged(void **state)
{
    struct fixture *f = *state;
    static uint8_t into[LOG_SIZE];
    size_t got;
    struct error err;
    open_evidence(f, f->path);
    assert_int_equal(truncate(f->path, 100001), 0);
    struct evidence_log *log = &f->evidence.logs[0];
    assert_int_equal(evidence_log_read(log, 0, into, sizeof into, &got, &err), DAMAGED);
    assert_int_equal(got, LOG_SIZE);
    assert_int_equal(err.place.offset, 100001);
    assert_int_equal(into[100000], byte_at(100000));
    assert_int_equal(into[100001], 0);
    assert_int_equal(into[LOG_SIZE - 1], 0);
    evidence_log_check(&f->evidence, log, false);
    assert_false(log->unchanged);
    assert_int_equal(f->problems.per_code[PROBLEM_EVIDENCE_CHANGED], 1);
}

static void a_file_that_goes_is_damaged(void **state)
{
    struct fixture *f = *state;
    uint8_t into[16];
    size_t got = 99;
    struct error err;
    open_evidence(f, f->path);
    unlink(f->path);
    assert_int_equal(
        evidence_log_read(&f->evidence.logs[0], 32, into, sizeof into, &got, &err),
        DAMAGED);
    assert_int_equal(got, 0);
    assert_int_equal(err.place.offset, 32);
}

/* A link that takes the place of a log after it was found is not followed. */
static void a_link_in_place_of_a_log_is_not_followed(void **state)
{
    struct fixture *f = *state;
    uint8_t into[16];
    size_t got;
    struct error err;
    char elsewhere[sizeof f->path + 8];
    open_evidence(f, f->folder);
    snprintf(elsewhere, sizeof elsewhere, "%s.moved", f->path);
    assert_int_equal(rename(f->path, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, f->path), 0);
    assert_int_equal(
        evidence_log_read(&f->evidence.logs[0], 0, into, sizeof into, &got, &err),
        DAMAGED);
    unlink(elsewhere);
}

static void *read_all(void *argument)
{
    const struct evidence_log *log = argument;
    static _Thread_local uint8_t into[777];
    for (uint64_t at = 0; at < log->size;) {
        size_t got;
        if (evidence_log_read(log, at, into, sizeof into, &got, NULL) != OK || !got)
            return argument;
        for (size_t k = 0; k < got; k++)
            if (into[k] != byte_at(at + k))
                return argument;
        at += got;
    }
    return NULL;
}

static void threads_read_the_same(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[THREADS];
    open_evidence(f, f->path);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, read_all, &f->evidence.logs[0]);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

static void digests_of_every_kind(void **state)
{
    struct fixture *f = *state;
    struct error err;
    char hex[DIGEST_HEX_MAX];
    open_evidence(f, f->path);
    struct evidence_log *log = &f->evidence.logs[0];
    assert_int_equal(evidence_log_digest(log, DIGEST_BIT(DIGEST_MD5), NULL, &err), OK);
    assert_int_equal(log->digests.kinds,
                     DIGEST_BIT(DIGEST_MD5) | DIGEST_BIT(DIGEST_SHA256));
    evidence_log_check(&f->evidence, log, true);
    assert_true(log->unchanged);
    assert_memory_equal(log->digests.value, log->digests_after.value,
                        sizeof log->digests.value);
    assert_int_equal(digest_hex(hex, &log->digests, DIGEST_MD5).len, 32);
}

/* The same size, but other bytes: a hash made after reading tells, if one is asked for. */
static void a_changed_byte_shows_in_the_hash(void **state)
{
    struct fixture *f = *state;
    struct error err;
    open_evidence(f, f->path);
    struct evidence_log *log = &f->evidence.logs[0];
    assert_int_equal(evidence_log_digest(log, DIGEST_BIT(DIGEST_MD5), NULL, &err), OK);
    FILE *out = fopen(f->path, "r+b");
    fseek(out, LOG_SIZE - 1, SEEK_SET);
    fputc(byte_at(LOG_SIZE - 1) ^ 1, out);
    fclose(out);
    evidence_log_check(&f->evidence, log, false);
    assert_false(log->unchanged); /* by its times */
    assert_int_equal(log->digests_after.kinds, 0);
    assert_int_equal(f->problems.per_code[PROBLEM_EVIDENCE_CHANGED], 1);
    evidence_log_check(&f->evidence, log, true);
    assert_false(log->unchanged);
    assert_int_equal(log->digests_after.kinds, log->digests.kinds);
    assert_memory_not_equal(log->digests.value[DIGEST_SHA256],
                            log->digests_after.value[DIGEST_SHA256],
                            digest_size(DIGEST_SHA256));
    assert_int_equal(f->problems.per_code[PROBLEM_EVIDENCE_CHANGED], 3);
    struct text said = f->problems.rows[f->problems.count - 1].message;
    assert_true(text_contains_fold(said, TEXT_LITERAL("the hash of the content")));
}

/* What is bad is what was added, whatever the order: ascending, apart or told otherwise, and
 * found from any byte. */
static void bad_ranges_are_what_was_added(void **state)
{
    enum { BYTES = 300, ROUNDS = 300 };
    struct evidence_image image = {0};
    char wanted[BYTES] = {0};
    (void)state;
    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = (uint64_t)rand() % BYTES, size = (uint64_t)rand() % 9;
        bool told = round % 3 == 0;
        if (start + size > BYTES)
            size = BYTES - start;
        if (round % 50 == 49) { /* all of it is known by and by */
            image.bad_count = 0;
            memset(wanted, 0, sizeof wanted);
        }
        image_add_bad_range(&image, start, size, told);
        for (uint64_t at = start; at < start + size; at++)
            if (!wanted[at])
                wanted[at] = told ? 't' : 'n';
        char found[BYTES] = {0};
        for (size_t i = 0; i < image.bad_count; i++) {
            const struct media_range *bad = &image.bad[i];
            assert_true(bad->start < bad->end && bad->end <= BYTES);
            assert_true(!i || bad[-1].end < bad->start ||
                        (bad[-1].end == bad->start && bad[-1].told != bad->told));
            memset(found + bad->start, bad->told ? 't' : 'n', bad->end - bad->start);
        }
        assert_memory_equal(found, wanted, BYTES);
        for (uint64_t at = 0; at < BYTES; at++) {
            size_t i = image_bad_behind(&image, at);
            assert_true(i == image.bad_count || image.bad[i].end > at);
            assert_true(i == 0 || image.bad[i - 1].end <= at);
        }
    }
    free(image.bad);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(reads_stay_in_bounds),
        TEST(a_file_that_shrinks_is_damaged),
        TEST(a_file_that_goes_is_damaged),
        TEST(a_link_in_place_of_a_log_is_not_followed),
        TEST(threads_read_the_same),
        TEST(digests_of_every_kind),
        TEST(a_changed_byte_shows_in_the_hash),
        cmocka_unit_test(bad_ranges_are_what_was_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
