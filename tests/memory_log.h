/* SPDX-License-Identifier: Apache-2.0
 * memory_log.h - a log in memory for the tests of src/evtx, and what a reading of it gave.
 *
 * memory_log.c defines evidence_log_read() and evidence_log_place() itself, so the linker
 * takes nothing of src/evidence: a test can damage a log byte by byte without a file. */
#ifndef FOREBEAR_MEMORY_LOG_H
#define FOREBEAR_MEMORY_LOG_H

#include "evtx/evtx_internal.h"

struct memory_log {
    struct buffer bytes;
    uint64_t bad_from, bad_to; /* reading these bytes fails; equal: none */
    struct evidence_log log;
};

/* Everything that a reading gave. */
struct outcome {
    struct arena arena;
    struct problems problems;
    struct evtx_log_facts facts;
    enum status status;
    size_t records, sysmon, creations, chunks;
    size_t states[RECORD_POSITIONAL + 1];
    struct buffer told; /* every record and problem as text, in order */
    uint64_t offsets[4096];
    size_t offset_count;
};

/* NULL if there is no such file. Release with memory_log_free(). */
struct memory_log *memory_log_open(const char *path);
/* The first `chunks` chunks of it, with a file header that says so. */
struct memory_log *memory_log_open_start(const char *path, unsigned chunks);
struct memory_log *memory_log_make(const void *bytes, size_t len);
void memory_log_free(struct memory_log *m);
void memory_log_u32(struct memory_log *m, size_t at, uint32_t value);
uint8_t *memory_log_at(struct memory_log *m, size_t at);
/* Make the checksums right again: of the file header, and of chunk n. */
void memory_log_seal(struct memory_log *m);
void memory_log_seal_chunk(struct memory_log *m, unsigned n);

/* A path below $SHARED_DATA, or NULL. The caller frees it. */
char *shared_path(const char *below);

void outcome_read(struct outcome *o, struct evtx_reader *reader, struct memory_log *m);
void outcome_release(struct outcome *o);
/* The n-th problem of a code; NULL if there are fewer. */
const struct problem *outcome_problem(const struct outcome *o, enum problem_code code,
                                      size_t n);
bool outcome_has_record_at(const struct outcome *o, uint64_t offset);

#endif
