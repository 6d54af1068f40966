/* SPDX-License-Identifier: Apache-2.0
 * zone.h - a time zone, for a second time beside each UTC time.
 *
 * The rules come from the system's table of zones (TZif, RFC 8536), read here with bounds
 * checks: the C library has one zone for the whole process. After the last change that a
 * table lists, the rule in its footer holds ("CET-1CEST,M3.5.0,M10.5.0/3"). */
#ifndef FOREBEAR_ZONE_H
#define FOREBEAR_ZONE_H

#include "util/arena.h"
#include "util/error.h"
#include "util/filetime.h"

/* The day of a year on which a zone changes its offset. */
struct zone_day {
    enum { ZONE_MONTH_DAY, ZONE_JULIAN_DAY, ZONE_YEAR_DAY } kind;
    int32_t month, week,
        day;    /* week and day alone: day, 0 is Sunday; the others: day */
    int32_t at; /* seconds after midnight, local time */
};

struct zone_rule {
    int32_t standard, summer; /* seconds east of UTC */
    bool has_summer;
    struct zone_day from, to; /* when summer time begins and ends */
};

struct zone_change {
    int64_t from; /* Unix time */
    int32_t offset;
};

struct zone {
    struct text name; /* as the user gave it; absent: no second time is wanted */
    int32_t first;    /* before the first change */
    struct zone_change *changes;
    size_t count;
    struct zone_rule rule; /* after the last one */
    bool has_rule;
};

enum { ZONE_TEXT_MAX = 96 };

/* "Europe/Berlin", "UTC", "+02:00", "-0330". folder: of the tables; NULL: the system's.
 * FAILED with a sentence if there is no such zone, or its table is damaged. */
enum status zone_open(struct zone *zone, struct text name, const char *folder,
                      struct arena *arena, struct error *err);
bool zone_is_set(const struct zone *zone);
/* Seconds east of UTC at that moment. */
int32_t zone_offset(const struct zone *zone, uint64_t filetime);
/* "2026-01-12T09:00:00.1234567+01:00"; "" for FILETIME_NONE. Borrowed from out. */
struct text zone_format(char out[ZONE_TEXT_MAX], const struct zone *zone,
                        uint64_t filetime);
/* " (2026-01-12T09:00:00.1234567+01:00 Europe/Berlin)" behind a UTC time, without a name
 * where the zone is an offset; nothing where no zone is set or there is no time. zone may be
 * NULL. */
void zone_add_beside(struct buffer *out, const struct zone *zone, uint64_t filetime);

#endif
