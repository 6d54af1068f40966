/* SPDX-License-Identifier: Apache-2.0
 * filetime.h - Windows time: uint64_t counts of 100 ns since 1601-01-01 00:00:00 UTC.
 *
 * Integers only: a double loses the last digits (evtx.md, class b). 0 is a valid time
 * (1601) and what an unset header field holds; a field that may be absent says so beside.
 * Source: [MS-DTYP] 2.3.3. */
#ifndef FOREBEAR_FILETIME_H
#define FOREBEAR_FILETIME_H

#include "util/text.h"

#define FILETIME_SECOND UINT64_C(10000000)
#define FILETIME_UNIX   UINT64_C(116444736000000000) /* 1970-01-01 */
#define FILETIME_NONE   UINT64_MAX

enum filetime_style {
    FILETIME_CSV,    /* 2026-01-01T00:00:00.0000000+00:00 */
    FILETIME_REPORT, /* 2026-01-01T00:00:00.0000000Z */
    FILETIME_SPACED, /* 2026-01-01 00:00:00.0000000, as libevtx and Windows print it */
    FILETIME_SECONDS /* 2026-01-01T00:00:00Z */
};

enum { FILETIME_TEXT_MAX = 48 };

/* Writes at most FILETIME_TEXT_MAX bytes with a NUL; FILETIME_NONE gives "". Years beyond
 * 9999 are printed with five digits. Returns what was written, borrowed from `out`. */
struct text filetime_format(char out[FILETIME_TEXT_MAX], uint64_t filetime,
                            enum filetime_style style);
/* The day of the last time of a series: of the next one it is mostly the same. All zeros
 * is none. */
struct filetime_day {
    uint32_t number; /* since 1601-01-01 */
    uint8_t len;     /* 0: none yet */
    char text[16];   /* YYYY-MM-DD */
};
struct text filetime_format_on(struct filetime_day *last, char out[FILETIME_TEXT_MAX],
                               uint64_t filetime, enum filetime_style style);
/* "YYYY-MM-DD hh:mm:ss" or with T, 0 to 9 digits of fraction (cut to 7), then nothing, Z,
 * or +hh:mm / -hh:mm. The whole text must be that. False for anything else. */
bool filetime_parse(struct text t, uint64_t *filetime);
bool filetime_parse_on(struct filetime_day *last, struct text t, uint64_t *filetime);
/* FILETIME_NONE for what a signed 64-bit FILETIME cannot hold: a file may have any time. */
uint64_t filetime_from_unix(int64_t seconds, uint32_t nanoseconds);
/* Seconds since 1970, rounded down. */
int64_t filetime_to_unix(uint64_t filetime);

#endif
