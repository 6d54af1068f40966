/* SPDX-License-Identifier: Apache-2.0
 * native.h - the slots of a log, decoded by workers. Only src/evtx includes this file.
 *
 * A slot's bytes, its survey and its records stay with whoever handed it in; a worker
 * surveys it, decodes its live records, and, where that is wanted, what can be recovered
 * besides (recover.h). What was wrong is kept beside each record, to be told when the slot's
 * turn comes, so that problems stand in file order too. */
#ifndef FOREBEAR_EVTX_NATIVE_H
#define FOREBEAR_EVTX_NATIVE_H

#include "evtx/decode.h"
#include "evtx/evtx_internal.h"
#include "util/workers.h"

struct native; /* the workers and the decoder of each; opaque */

/* Something to tell about a record. */
struct native_remark {
    uint32_t record; /* index into records, or of a frame that gave none */
    bool is_recovered;
    bool is_lost;   /* a frame that gave none: `place` and `id` tell which */
    uint32_t place; /* in the slot */
    uint64_t id;
    enum problem_code code;
    const char *what; /* static, or in the arena */
};

struct native_work {
    struct work work; /* of the first of a batch */
    struct native *native;
    struct native_work *first,
        *next;              /* of the batch, which one worker does in one go */
    struct evtx_slot *slot; /* its data is filled in; frames has its room */
    struct arena *arena;    /* cleared by the worker */
    bool is_deleted;        /* of a deleted file */
    bool with_recovered;
    enum evtx_form form; /* what to write of the records that are wanted */
    evtx_wanted *wanted;
    const void *wanted_context;
    evtx_glancer *glance; /* or NULL */
    void *glance_context;
    /* out */
    uint32_t passed_over[EVTX_GLANCE_KINDS];
    struct buffer events;
    struct evtx_record *records; /* offsets are in the log already */
    uint32_t count;              /* of records, live ones first */
    uint32_t live_count;
    bool is_recovering; /* the worker is behind the live ones */
    bool
        needs_templates; /* some template is neither where it should be nor in the chunk */
    struct native_remark *remarks;
    size_t remark_count, remark_capacity;
};

struct native *native_open(struct templates *templates, unsigned jobs);
void native_close(struct native *native);
struct workers *native_workers(struct native *native);
void native_prepare(struct native *native, evtx_prepare *prepare, void *context);
/* `first` and what hangs on its `next`. */
void native_submit(struct native *native, struct native_work *first);
/* The same in the calling thread, while none of the workers has it: with the templates of
 * the whole log at hand. */
void native_run_here(struct native *native, struct native_work *work);
/* Add what a surveyed slot defines, if its checksum is right. */
void native_learn(struct native *native, const struct evtx_slot *slot,
                  struct template_index *into);
/* Where native_run_here() looks for templates that are gone; either may be NULL. */
void native_use_templates(struct native *native, const struct template_index *of_log,
                          const struct template_index *of_run);
void native_wait(struct native *native, struct native_work *work);
/* For recover.c: a remark about the record that is being made, or about none. */
void native_remark(struct native_work *work, enum problem_code code, const char *what);
/* Write the record that was just decoded, if that is wanted. */
void native_write_event(struct native_work *work, struct decoder *d, uint32_t at,
                        uint32_t size, struct evtx_record *record);
void native_lose(struct native_work *work, const struct evtx_frame *frame,
                 enum problem_code code, const char *what);
void native_work_release(struct native_work *work);
/* How many records went which way so far. Only while no work is under way. */
struct decoder_counts native_counts(const struct native *native);

#endif
