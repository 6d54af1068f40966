/* SPDX-License-Identifier: Apache-2.0
 * bench_native FILE [MODE]: how fast one core decodes a log natively, in MB of log a second, the
 * file in memory. Not a test: it prints figures for doc/performance.md. */
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "evtx/decode.h"
#include "evtx/evtx_internal.h"
#include "memory_log.h"
#include "util/digest.h"

enum { ROUNDS = 15 }; /* the fastest counts */

enum mode { WALK_ONLY, PLANS, ONE_EVENT_ID, ALL_TEXT, GENERAL, MODES };

static const char *const mode_names[MODES] = {
    "frames and checksums alone", "plans, no text made", "text of event id 1 alone",
    "text of all fields", "general decoder alone"};

struct bench {
    struct templates templates;
    struct decoder decoder;
    struct arena arena;
    struct evtx_frame *frames;
    struct evtx_record *records;
    uint64_t count, bytes_of_text;
};

/* Processor time of this thread: other programs on the machine do not count. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void make_texts(struct bench *b, const struct evtx_record *r, enum mode mode)
{
    if (mode == PLANS || (mode == ONE_EVENT_ID && r->system.event_id != 1))
        return;
    for (size_t i = 0; i < r->field_count; i++)
        b->bytes_of_text += evtx_record_value(r, i).len;
}

static void run_chunk(struct bench *b, struct bytes data, enum mode mode)
{
    struct evtx_slot slot = {.data = data, .frames = b->frames};
    evtx_slot_survey(&slot);
    b->count += slot.frame_count;
    if (mode == WALK_ONLY)
        return;
    arena_clear(&b->arena);
    decoder_start_chunk(&b->decoder, (struct chunk_bytes){data.ptr, (uint32_t)data.len},
                        &b->arena);
    for (uint32_t i = 0; i < slot.frame_count; i++) {
        const char *wrong;
        decoder_record(&b->decoder, slot.frames[i].offset, slot.frames[i].size,
                       &b->records[i], &wrong);
    }
    for (uint32_t i = 0; i < slot.frame_count; i++)
        make_texts(b, &b->records[i], mode);
}

static void run(struct bench *b, struct bytes log, enum mode mode)
{
    double seconds = 1e9;
    b->decoder.never_by_plan = mode == GENERAL;
    for (int round = 0; round < ROUNDS; round++) {
        b->count = b->bytes_of_text = 0;
        b->decoder.counts = (struct decoder_counts){0};
        double from = now();
        for (size_t at = EVTX_HEADER_SIZE; at < log.len; at += EVTX_CHUNK_SIZE)
            run_chunk(b, bytes_slice(log, at, EVTX_CHUNK_SIZE), mode);
        double took = now() - from;
        seconds = took < seconds ? took : seconds;
    }
    printf("%-28s %7.0f MB/s  %4.0f ns/record  %llu records, %llu not by plan, %.0f MB "
           "of text\n",
           mode_names[mode], (double)log.len / 1e6 / seconds,
           seconds * 1e9 / (double)(b->count ? b->count : 1),
           (unsigned long long)b->count, (unsigned long long)b->decoder.counts.by_walk,
           (double)b->bytes_of_text / 1e6);
}

struct reading {
    uint64_t records, bytes_of_text;
    bool wants_text;
};

static enum status take(void *context, const struct evtx_record *records, size_t count)
{
    struct reading *r = context;
    r->records += count;
    for (size_t i = 0; r->wants_text && i < count; i++)
        for (size_t k = 0; k < records[i].field_count; k++)
            r->bytes_of_text += evtx_record_value(&records[i], k).len;
    return OK;
}

/* The whole reader, as a run calls it: wall time. */
static void run_reader(struct memory_log *m, unsigned jobs, bool wants_text)
{
    double best = 1e9;
    struct reading r;
    struct evtx_reader *reader = evtx_reader_open(EVTX_READER_NATIVE, jobs);
    for (int round = 0; round < ROUNDS; round++) {
        struct timespec from, to;
        r = (struct reading){.wants_text = wants_text};
        clock_gettime(CLOCK_MONOTONIC, &from);
        evtx_read(reader, &m->log, take, &r, NULL, NULL, NULL, NULL);
        clock_gettime(CLOCK_MONOTONIC, &to);
        double took = (double)(to.tv_sec - from.tv_sec) +
                      (double)(to.tv_nsec - from.tv_nsec) * 1e-9;
        best = took < best ? took : best;
    }
    evtx_reader_close(reader);
    printf("evtx_read, %u jobs%s %7.0f MB/s wall, %llu records\n", jobs,
           wants_text ? ", all text" : "          ", (double)m->log.size / 1e6 / best,
           (unsigned long long)r.records);
}

static void run_digest(struct bytes log)
{
    struct digester d;
    struct digest_values values;
    double from = now();
    digester_init(&d, DIGEST_BIT(DIGEST_SHA256));
    digester_add(&d, log.ptr, log.len);
    digester_finish(&d, &values);
    printf("%-28s %7.0f MB/s\n", "SHA-256", (double)log.len / 1e6 / (now() - from));
}

int main(int argc, char **argv)
{
    struct memory_log *m = argc > 1 ? memory_log_open(argv[1]) : NULL;
    if (!m) {
        fprintf(stderr, "usage: bench_native FILE [MODE]\n");
        return 2;
    }
    struct bytes log = {memory_log_at(m, 0), m->bytes.len};
    struct bench b = {0};
    templates_init(&b.templates);
    b.decoder.binxml.templates = &b.templates;
    b.frames = calloc(EVTX_FRAMES_MAX, sizeof *b.frames);
    b.records = calloc(EVTX_FRAMES_MAX, sizeof *b.records);
    int only = argc > 2 ? atoi(argv[2]) : -1;
    for (int mode = 0; mode < MODES; mode++)
        if (only < 0 || only == mode)
            run(&b, log, (enum mode)mode);
    for (unsigned jobs = 1; only < 0 && jobs <= 2; jobs++) {
        run_reader(m, jobs, false);
        run_reader(m, jobs, true);
    }
    if (only < 0)
        run_digest(log);
    decoder_release(&b.decoder);
    arena_release(&b.arena);
    templates_release(&b.templates);
    free(b.frames);
    free(b.records);
    memory_log_free(m);
    return 0;
}
