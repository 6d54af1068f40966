/* SPDX-License-Identifier: Apache-2.0 */
#include "util/zone.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/small_file.h"

enum {
    TABLE_MAX = 256 * 1024,
    CHANGES_MAX = 8192,
    HEADER_SIZE = 44,
    NAME_MAX_LEN = 64,
    HOUR = 3600,
    DAY = 86400,
    OFFSET_MAX = 26 * HOUR /* RFC 8536, 3.2: utoff */
};

#define SYSTEM_FOLDER "/usr/share/zoneinfo"

/* --- the footer: a rule as POSIX's TZ variable has it (RFC 8536, 3.3) */

struct reader {
    struct text text;
    size_t at;
    bool good;
};

static char peek(const struct reader *r)
{
    return r->at < r->text.len ? r->text.ptr[r->at] : '\0';
}

static bool take(struct reader *r, char c)
{
    if (peek(r) != c)
        return false;
    r->at++;
    return true;
}

static void want(struct reader *r, char c)
{
    r->good &= take(r, c);
}

static int32_t take_number(struct reader *r, int32_t from, int32_t to)
{
    int32_t value = 0, digits = 0;
    for (; peek(r) >= '0' && peek(r) <= '9' && digits < 4; digits++)
        value = value * 10 + (r->text.ptr[r->at++] - '0');
    r->good &= digits > 0 && value >= from && value <= to;
    return value;
}

/* "CET" or "<+0330>" */
static void skip_name(struct reader *r)
{
    size_t from = r->at;
    bool quoted = take(r, '<');
    for (char c = peek(r); c; c = peek(r)) {
        bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        bool is_other = (c >= '0' && c <= '9') || c == '+' || c == '-';
        if (!is_letter && !(quoted && is_other))
            break;
        r->at++;
    }
    if (quoted)
        want(r, '>');
    r->good &= r->at - from >= 3;
}

/* [+-]hh[:mm[:ss]], hours up to 167 in the time of a change. */
static int32_t take_seconds(struct reader *r)
{
    int32_t sign = 1;
    if (take(r, '-'))
        sign = -1;
    else
        take(r, '+');
    int32_t seconds = take_number(r, 0, 167) * HOUR;
    if (take(r, ':'))
        seconds += take_number(r, 0, 59) * 60;
    if (take(r, ':'))
        seconds += take_number(r, 0, 59);
    return sign * seconds;
}

static struct zone_day take_day(struct reader *r)
{
    struct zone_day d = {.at = 2 * HOUR};
    if (take(r, 'M')) {
        d.kind = ZONE_MONTH_DAY;
        d.month = take_number(r, 1, 12);
        want(r, '.');
        d.week = take_number(r, 1, 5);
        want(r, '.');
        d.day = take_number(r, 0, 6);
    } else if (take(r, 'J')) {
        d.kind = ZONE_JULIAN_DAY;
        d.day = take_number(r, 1, 365);
    } else {
        d.kind = ZONE_YEAR_DAY;
        d.day = take_number(r, 0, 365);
    }
    if (take(r, '/'))
        d.at = take_seconds(r);
    return d;
}

static bool read_rule(struct zone_rule *rule, struct text text)
{
    struct reader r = {text, 0, true};
    *rule = (struct zone_rule){0};
    skip_name(&r);
    rule->standard = rule->summer = -take_seconds(&r);
    if (r.good && r.at < text.len) {
        rule->has_summer = true;
        skip_name(&r);
        rule->summer = peek(&r) == ',' ? rule->standard + HOUR : -take_seconds(&r);
        want(&r, ',');
        rule->from = take_day(&r);
        want(&r, ',');
        rule->to = take_day(&r);
    }
    return r.good && r.at == text.len && rule->standard > -OFFSET_MAX &&
           rule->standard < OFFSET_MAX && rule->summer > -OFFSET_MAX &&
           rule->summer < OFFSET_MAX;
}

/* --- the table */

static uint32_t big_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t big_i64(const uint8_t *p)
{
    return (int64_t)((uint64_t)big_u32(p) << 32 | big_u32(p + 4));
}

/* The counts of a header, in its order. */
struct counts {
    uint64_t is_ut, is_std, leaps, times, types, letters;
};

static bool read_header(struct bytes file, size_t at, struct counts *c)
{
    if (at > file.len || file.len - at < HEADER_SIZE ||
        memcmp(file.ptr + at, "TZif", 4) != 0)
        return false;
    const uint8_t *p = file.ptr + at + 20;
    *c = (struct counts){big_u32(p),      big_u32(p + 4),  big_u32(p + 8),
                         big_u32(p + 12), big_u32(p + 16), big_u32(p + 20)};
    return true;
}

/* Counts are of 32 bits, so nothing overflows. */
static uint64_t size_of_block(const struct counts *c, uint64_t time_size)
{
    return c->times * (time_size + 1) + c->types * 6 + c->letters +
           c->leaps * (time_size + 4) + c->is_std + c->is_ut;
}

static bool read_changes(struct zone *zone, const uint8_t *block,
                         const struct counts *c, struct arena *arena)
{
    const uint8_t *indexes = block + c->times * 8, *types = indexes + c->times;
    int64_t before = INT64_MIN;
    zone->changes = arena_alloc(arena, (size_t)c->times * sizeof *zone->changes);
    zone->count = (size_t)c->times;
    zone->first = (int32_t)big_u32(types);
    for (size_t i = 0; i < zone->count; i++) {
        struct zone_change *change = &zone->changes[i];
        if (indexes[i] >= c->types)
            return false;
        *change = (struct zone_change){big_i64(block + 8 * i),
                                       (int32_t)big_u32(types + 6 * indexes[i])};
        if ((i && change->from <= before) || change->offset >= OFFSET_MAX ||
            change->offset <= -OFFSET_MAX)
            return false;
        before = change->from;
    }
    return zone->first < OFFSET_MAX && zone->first > -OFFSET_MAX;
}

/* Version 1 has times of 32 bits; what has no second block ended long ago. */
static bool read_table(struct zone *zone, struct bytes file, struct arena *arena)
{
    struct counts c;
    if (!read_header(file, 0, &c) || file.ptr[4] < '2')
        return false;
    uint64_t at = HEADER_SIZE + size_of_block(&c, 4);
    if (at > file.len || !read_header(file, (size_t)at, &c))
        return false;
    at += HEADER_SIZE;
    uint64_t size = size_of_block(&c, 8);
    if (size > file.len - at || c.types == 0 || c.times > CHANGES_MAX)
        return false;
    if (!read_changes(zone, file.ptr + at, &c, arena))
        return false;
    struct text footer = text_slice((struct text){(const char *)file.ptr, file.len},
                                    (size_t)(at + size), SIZE_MAX);
    if (footer.len < 2 || footer.ptr[0] != '\n' || footer.ptr[footer.len - 1] != '\n')
        return false;
    footer = text_slice(footer, 1, footer.len - 2);
    zone->has_rule = footer.len > 0;
    return footer.len == 0 || read_rule(&zone->rule, footer);
}

/* --- opening */

/* "+02:00", "-0330", "+05" */
static bool read_fixed(struct zone *zone, struct text name)
{
    struct text digits = text_slice(name, 1, SIZE_MAX);
    char four[5] = "0000";
    if (name.len < 3 || (name.ptr[0] != '+' && name.ptr[0] != '-'))
        return false;
    bool has_colon = digits.len == 5 && digits.ptr[2] == ':';
    if (digits.len != 2 && digits.len != 4 && !has_colon)
        return false;
    memcpy(four, digits.ptr, 2);
    if (digits.len > 2)
        memcpy(four + 2, digits.ptr + digits.len - 2, 2);
    uint64_t number;
    if (!text_to_u64(text_from(four), &number) || number / 100 > 23 ||
        number % 100 > 59)
        return false;
    int32_t seconds = (int32_t)(number / 100 * HOUR + number % 100 * 60);
    zone->first = name.ptr[0] == '-' ? -seconds : seconds;
    return true;
}

/* A path below the folder of the tables, and nothing else. */
static bool is_name(struct text name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_good = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                       (c >= '0' && c <= '9') || strchr("_+-/", c);
        if (!is_good || c == '\0')
            return false;
    }
    return name.len && name.len <= NAME_MAX_LEN && name.ptr[0] != '/' &&
           name.ptr[name.len - 1] != '/';
}

enum status zone_open(struct zone *zone, struct text name, const char *folder,
                      struct arena *arena, struct error *err)
{
    static const char hint[] = "give a name of the system's table of time zones "
                               "(Europe/Berlin) or an offset (+02:00)";
    *zone = (struct zone){.name = arena_copy(arena, name)};
    if (text_equal(name, TEXT_LITERAL("UTC")) || read_fixed(zone, name))
        return OK;
    if (!is_name(name))
        return fail(err, FAILED, NOWHERE, "there is no time zone \"%.*s\": %s",
                    TEXT(name), hint);
    const char *path =
        arena_printf(arena, "%s/%.*s", folder ? folder : SYSTEM_FOLDER, TEXT(name)).ptr;
    struct text file;
    if (access(path, F_OK) != 0)
        return fail(err, FAILED, NOWHERE,
                    "there is no time zone \"%.*s\" (no file %s): %s", TEXT(name), path,
                    hint);
    if (small_file_read(&file, path, TABLE_MAX, arena, err) != OK)
        return FAILED;
    if (!read_table(zone, (struct bytes){(const uint8_t *)file.ptr, file.len}, arena))
        return fail(err, FAILED, NOWHERE,
                    "%s: this is no table of a time zone (TZif, version 2 or later)",
                    path);
    return OK;
}

bool zone_is_set(const struct zone *zone)
{
    return zone && !text_is_absent(zone->name);
}

/* --- the offset at a moment */

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_before_year(int64_t year) /* since 1970 */
{
    int64_t y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static int64_t year_of(int64_t unix_time)
{
    int64_t days = unix_time / DAY - (unix_time % DAY < 0);
    int64_t year = 1970 + days / 366;
    while (days_before_year(year + 1) <= days)
        year++;
    while (days_before_year(year) > days)
        year--;
    return year;
}

static int64_t day_in_year(const struct zone_day *d, int64_t year)
{
    static const int before[] = {0,   31,  59,  90,  120, 151, 181,
                                 212, 243, 273, 304, 334, 365};
    bool leap = is_leap(year);
    if (d->kind == ZONE_YEAR_DAY)
        return d->day;
    if (d->kind == ZONE_JULIAN_DAY)
        return d->day - 1 + (leap && d->day >= 60);
    int64_t first = before[d->month - 1] + (leap && d->month > 2);
    int64_t length = before[d->month] - before[d->month - 1] + (leap && d->month == 2);
    int64_t weekday =
        ((days_before_year(year) + first + 4) % 7 + 7) % 7; /* 0: Sunday */
    int64_t day = (d->day - weekday + 7) % 7 + 7 * (d->week - 1);
    while (day >= length)
        day -= 7;
    return first + day;
}

static int64_t moment(const struct zone_day *d, int64_t year, int32_t offset)
{
    return (days_before_year(year) + day_in_year(d, year)) * DAY + d->at - offset;
}

static int32_t offset_by_rule(const struct zone_rule *rule, int64_t when)
{
    if (!rule->has_summer)
        return rule->standard;
    int64_t year = year_of(when + rule->standard);
    int64_t from = moment(&rule->from, year, rule->standard);
    int64_t to = moment(&rule->to, year, rule->summer);
    bool is_summer = from < to ? when >= from && when < to : when >= from || when < to;
    return is_summer ? rule->summer : rule->standard;
}

int32_t zone_offset(const struct zone *zone, uint64_t filetime)
{
    int64_t when = filetime_to_unix(filetime);
    size_t low = 0, high = zone->count; /* changes before low are not after `when` */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->changes[middle].from <= when)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->count && zone->has_rule)
        return offset_by_rule(&zone->rule, when);
    return low ? zone->changes[low - 1].offset : zone->first;
}

struct text zone_format(char out[ZONE_TEXT_MAX], const struct zone *zone,
                        uint64_t filetime)
{
    char local[FILETIME_TEXT_MAX];
    out[0] = '\0';
    if (filetime == FILETIME_NONE)
        return (struct text){out, 0};
    int32_t offset = zone_offset(zone, filetime);
    int64_t shift = offset * (int64_t)FILETIME_SECOND;
    uint64_t shifted = filetime + (uint64_t)shift;
    /* the first and the last day that can be written have no local time */
    if (shift < 0 ? filetime < (uint64_t)-shift : shifted < filetime)
        return (struct text){out, 0};
    struct text utc = filetime_format(local, shifted, FILETIME_REPORT);
    int32_t size = offset < 0 ? -offset : offset;
    int len = snprintf(out, ZONE_TEXT_MAX, "%.*s%c%02d:%02d", (int)utc.len - 1, utc.ptr,
                       offset < 0 ? '-' : '+', size / HOUR, size / 60 % 60);
    if (size % 60) /* local mean time, before there were zones */
        len += snprintf(out + len, ZONE_TEXT_MAX - (size_t)len, ":%02d", size % 60);
    return (struct text){out, (size_t)len};
}

void zone_add_beside(struct buffer *out, const struct zone *zone, uint64_t filetime)
{
    char text[ZONE_TEXT_MAX];
    if (!zone_is_set(zone))
        return;
    struct text local = zone_format(text, zone, filetime);
    bool is_offset = zone->name.ptr[0] == '+' || zone->name.ptr[0] == '-';
    if (local.len && is_offset) /* the time ends with it */
        buffer_printf(out, " (%.*s)", TEXT(local));
    else if (local.len)
        buffer_printf(out, " (%.*s %.*s)", TEXT(local), TEXT(zone->name));
}
