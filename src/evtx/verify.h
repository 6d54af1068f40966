/* SPDX-License-Identifier: Apache-2.0
 * verify.h - the same bytes decoded by both readers, compared value by value.
 *
 * A record that matters is decoded once more: natively and by libevtx, whichever of them
 * wrote the report. Both get the same bytes, of the record's chunk alone: libevtx, in a
 * child process, sees a file header made up for it and that one chunk. What it is known to
 * print otherwise than recorded is waived by name, and only where the difference is exactly
 * the one that the fault makes of the value's bytes (verify_compare.c).
 *
 * What it shows: that two programs written apart read the same values out of these bytes.
 * What it does not: that the records are all there, or that what they say is true.
 *
 * Invariants  1. Every record asked for has an outcome: equal, different, or not confirmed
 *                with a problem that says why.
 *             2. Only chunks that hold such a record are read and handed on.
 *             3. With `whole`, libevtx also opens the log as it lies, and which records the
 *                two list is compared by the header's id and time; the offset that
 *                libevtx 20181227 gives for a record is always 0. */
#ifndef FOREBEAR_EVTX_VERIFY_H
#define FOREBEAR_EVTX_VERIFY_H

#include "evtx/evtx.h"

enum verify_mode { VERIFY_FINDINGS, VERIFY_TIMELINE, VERIFY_ALL, VERIFY_NONE };

/* "findings", "timeline", "all", "none" */
const char *verify_mode_name(enum verify_mode mode);

/* Why a difference is not counted as one: what libevtx is known to do (doc/formats.md). */
enum verify_waiver {
    WAIVED_NOT,
    WAIVED_PADDED_HEX,
    WAIVED_FILETIME_DIGITS,
    WAIVED_NEGATIVE_INT32,
    WAIVED_SIZE,
    WAIVED_ANSI_MARKUP,
    WAIVED_LONE_SURROGATE,
    WAIVED_SUPPLEMENTARY,
    WAIVED_BYTE_ORDER_MARK,
    WAIVED_EMBEDDED_NUL,
    WAIVED_FLOAT,
    VERIFY_WAIVERS
};

/* As manifest.json names it: "padded_hexadecimal". */
const char *verify_waiver_name(enum verify_waiver waiver);
/* In words, for "waived: ...": "2 sizes (type SizeT) that libevtx prints wrongly". */
void verify_add_waived(struct buffer *out, enum verify_waiver waiver, uint64_t count);

enum verify_outcome {
    VERIFY_NOT_ASKED,
    VERIFY_EQUAL, /* but for waived values */
    VERIFY_DIFFERENT,
    VERIFY_NOT_CONFIRMED /* the other reader gave nothing to compare */
};

/* A record to be verified. */
struct verify_item {
    uint64_t offset; /* in the log */
    enum verify_outcome outcome;
    struct text field; /* the first that differs; lives in the verifier */
};

struct verify_counts {
    uint64_t records; /* equal + different + not_confirmed */
    uint64_t equal, different, not_confirmed;
    uint64_t values;                 /* compared */
    uint64_t waived[VERIFY_WAIVERS]; /* values, by fault */
    uint64_t waived_records;         /* equal ones with a waived value */
    /* with `whole` */
    uint64_t logs_listed, logs_not_listed;
    uint64_t listed_by_both, only_native, only_libevtx; /* records */
};

struct verifier; /* opaque */

/* Before the program starts its first thread (spawner.h). Children are started when the first
 * record is asked for. */
struct verifier *verify_open(unsigned jobs);
void verify_close(struct verifier *v);
/* Verify records of one log. facts: what reading it told. items: in ascending order of
 * offset. whole: every live record of the log, whatever items has, and the list of
 * records too. Differences and what could not be confirmed become problems, in file order.
 * FAILED only if the user asked to stop. */
enum status verify_log(struct verifier *v, const struct evidence_log *log,
                       const struct evtx_log_facts *facts, struct verify_item *items,
                       size_t count, bool whole, struct verify_counts *counts,
                       struct problems *problems, struct progress *progress,
                       struct error *err);

#endif
