/* SPDX-License-Identifier: Apache-2.0
 * across.h - one record id of one host in several logs: the same record, or another one?
 *
 * A log and its export hold the same records, and each event counts once. Where two logs of
 * one host give one id of Sysmon's channel to records that differ, one of them was counted
 * from anew, was changed, or is of another machine of that name: RID_CONFLICT.
 *
 * Which ids stand in several logs is known from the stretches of their tracks. Only if there
 * are some, those logs are read again, and each shared id keeps a fingerprint of the first
 * record that has it; ids beyond ACROSS_IDS_MAX are not compared, which is told. */
#ifndef FOREBEAR_ACROSS_H
#define FOREBEAR_ACROSS_H

#include "sysmon/coverage.h"

enum { ACROSS_IDS_MAX = 4 << 20 };

struct across_range { /* ids first..last of one host stand in several logs */
    uint64_t first, last;
    uint32_t host;   /* number of a computer name */
    size_t slot;     /* of the first id */
    size_t compared; /* so many, from the first on */
};

struct across_pair { /* two logs that disagree on a host's ids */
    uint32_t log, other;
    uint64_t count, first_id, last_id, offset; /* offset: of the first one, in log */
    struct text computer;
};

struct across_key {
    uint32_t log, other, host;
};

struct across {
    const struct coverage *const *coverages;
    size_t log_count;
    struct arena *arena;
    struct map hosts; /* by folded name */
    uint32_t host_count;
    struct across_range *ranges; /* by (host, first) */
    size_t range_count, range_capacity;
    uint32_t *fingerprints; /* by slot; 0: none yet */
    uint32_t *logs;         /* by slot: the log that it is of */
    size_t slot_count;
    uint64_t not_compared;
    bool *is_concerned;    /* by log */
    struct map pair_index; /* by struct across_key */
    struct across_pair *pairs;
    size_t pair_count, pair_capacity;
};

/* Is there anything to compare? Then is_concerned says which logs are to be read again. */
bool across_open(struct across *a, const struct coverage *const *coverages,
                 size_t log_count, struct arena *arena);
/* Does this record have such an id? Any thread may ask. */
bool across_wants(const struct across *a, const struct evtx_record *record);
/* A record that is wanted, with a fingerprint of its content. */
void across_add(struct across *a, uint32_t log, const struct evtx_record *record,
                uint32_t fingerprint);
/* RID_CONFLICT, a row for each two logs and host. */
void across_tell(const struct across *a, struct problems *problems);
void across_close(struct across *a);

#endif
