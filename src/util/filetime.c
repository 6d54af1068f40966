/* SPDX-License-Identifier: Apache-2.0 */
#include "util/filetime.h"

#include <string.h>

#include "util/ascii.h"
enum { SECONDS_PER_DAY = 86400, DAYS_1601_TO_1970 = 134774 };

/* Days since 1970-01-01 of a proleptic Gregorian date. Years are counted from
 * March so that the leap day is the last of its year. */
static int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned day_of_year = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
    unsigned day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + (int64_t)day_of_era - 719468;
}

struct date {
    unsigned year, month, day;
};

/* Of days since 1601-01-01, at most 2^64 / 864,000,000,000 of them. Divisions by constants
 * become multiplications whose low half holds the remainder, so none is done twice. Source: C. Neri,
 * L. Schneider, "Euclidean affine functions and their application to calendar algorithms", Software:
 * Practice and Experience 53 (2023), figure 12. */
static struct date date_of(uint32_t days_since_1601)
{
    enum { DAYS_OF_MARCH_0_TO_1601 = 719468 - DAYS_1601_TO_1970 };
    uint32_t days = days_since_1601 + DAYS_OF_MARCH_0_TO_1601;
    uint32_t quarters = 4 * days + 3;
    uint32_t century = quarters / 146097;
    uint32_t of_century = quarters % 146097 | 3;
    uint64_t year_product = UINT64_C(2939745) * of_century;
    uint32_t year = 100 * century + (uint32_t)(year_product >> 32);
    uint32_t day_of_year = (uint32_t)year_product / 2939745 / 4;
    uint32_t month_product = 2141 * day_of_year + 197913;
    bool is_next_year = day_of_year >= 306; /* years begin in March here */
    return (struct date){.year = year + is_next_year,
                         .month = (month_product >> 16) - (is_next_year ? 12 : 0),
                         .day = (month_product & 0xffff) / 2141 + 1};
}

static inline char *put_pair(char *to, unsigned value)
{
    ascii_write_pair(to, value);
    return to + 2;
}

static char *put_year(char *to, unsigned year)
{
    if (year > 9999)
        *to++ = (char)('0' + year / 10000);
    return put_pair(put_pair(to, year / 100 % 100), year % 100);
}

static char *put_fraction(char *to, unsigned fraction)
{
    *to++ = '.';
    *to++ = (char)('0' + fraction / 1000000);
    to = put_pair(to, fraction / 10000 % 100);
    to = put_pair(to, fraction / 100 % 100);
    return put_pair(to, fraction % 100);
}

static struct text zone_of(enum filetime_style style)
{
    return style == FILETIME_CSV      ? TEXT_LITERAL("+00:00")
           : style == FILETIME_SPACED ? TEXT_LITERAL("")
                                      : TEXT_LITERAL("Z");
}

static void learn_day(struct filetime_day *d, uint32_t days_since_1601)
{
    struct date date = date_of(days_since_1601);
    char *to = put_year(d->text, date.year);
    *to++ = '-';
    to = put_pair(to, date.month);
    *to++ = '-';
    to = put_pair(to, date.day);
    d->len = (uint8_t)(to - d->text);
    d->number = days_since_1601;
}

struct text filetime_format_on(struct filetime_day *last, char out[FILETIME_TEXT_MAX],
                               uint64_t filetime, enum filetime_style style)
{
    char *to = out;
    out[0] = '\0';
    if (filetime == FILETIME_NONE)
        return (struct text){out, 0};
    uint64_t seconds = filetime / FILETIME_SECOND;
    unsigned fraction = (unsigned)(filetime % FILETIME_SECOND);
    unsigned rest = (unsigned)(seconds % SECONDS_PER_DAY);
    uint32_t day = (uint32_t)(seconds / SECONDS_PER_DAY);
    if (last->len == 0 || last->number != day)
        learn_day(last, day);
    memcpy(to, last->text, sizeof last->text);
    to += last->len;
    *to++ = style == FILETIME_SPACED ? ' ' : 'T';
    to = put_pair(to, rest / 3600);
    *to++ = ':';
    to = put_pair(to, rest / 60 % 60);
    *to++ = ':';
    to = put_pair(to, rest % 60);
    if (style != FILETIME_SECONDS)
        to = put_fraction(to, fraction);
    struct text zone = zone_of(style);
    memcpy(to, zone.ptr, zone.len);
    to += zone.len;
    *to = '\0';
    return (struct text){out, (size_t)(to - out)};
}

struct text filetime_format(char out[FILETIME_TEXT_MAX], uint64_t filetime,
                            enum filetime_style style)
{
    struct filetime_day day = {0};
    return filetime_format_on(&day, out, filetime, style);
}

struct cursor {
    struct text text;
    size_t at;
    bool good;
};

static unsigned take_digits(struct cursor *c, size_t count)
{
    unsigned value = 0;
    for (size_t i = 0; i < count; i++, c->at++) {
        char digit = c->at < c->text.len ? c->text.ptr[c->at] : '\0';
        if (digit < '0' || digit > '9')
            c->good = false;
        else
            value = value * 10 + (unsigned)(digit - '0');
    }
    return value;
}

static char peek(const struct cursor *c)
{
    return c->at < c->text.len ? c->text.ptr[c->at] : '\0';
}

static void take_one_of(struct cursor *c, const char *allowed)
{
    char got = peek(c);
    for (; *allowed; allowed++)
        if (got == *allowed) {
            c->at++;
            return;
        }
    c->good = false;
}

static unsigned take_fraction(struct cursor *c)
{
    unsigned value = 0, digits = 0;
    if (peek(c) != '.')
        return 0;
    c->at++;
    for (; peek(c) >= '0' && peek(c) <= '9' && digits < 9; c->at++, digits++)
        if (digits < 7)
            value = value * 10 + (unsigned)(peek(c) - '0');
    c->good &= digits > 0;
    for (; digits < 7; digits++)
        value *= 10;
    return value;
}

static int64_t take_zone_seconds(struct cursor *c)
{
    char sign = peek(c);
    if (sign == 'Z')
        c->at++;
    if (sign != '+' && sign != '-')
        return 0;
    c->at++;
    unsigned hours = take_digits(c, 2);
    take_one_of(c, ":");
    unsigned minutes = take_digits(c, 2);
    c->good &= hours < 24 && minutes < 60;
    int64_t seconds = (int64_t)hours * 3600 + (int64_t)minutes * 60;
    return sign == '-' ? -seconds : seconds;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

struct civil {
    unsigned year, month, day, hour, minute, second, fraction;
    int64_t zone_seconds;
};

/* Eight characters at once: digits where `form` has '0', the same character elsewhere.
 * Each of digits[] becomes the value of its digit. */
static bool take_eight(const char *from, const char form[8], const char fixed[8],
                       uint8_t digits[8])
{
    uint64_t word, wanted, bits;
    memcpy(&word, from, sizeof word);
    memcpy(&wanted, form, sizeof wanted);
    memcpy(&bits, fixed, sizeof bits);
    word ^= wanted;
    memcpy(digits, &word, sizeof word);
    /* What is left of a digit is below 16, and below 10 if 6 more does not reach 16. */
    return (word & bits) == 0 &&
           ((word + UINT64_C(0x0606060606060606)) & UINT64_C(0x1010101010101010)) == 0;
}

enum { USUAL_LENGTH = 23, USUAL_DATE = 10 };

/* As Sysmon writes UtcTime: 2022-02-07 12:34:56.789. False for any other form. */
static bool parse_usual_time(struct text t, struct civil *c)
{
    uint8_t time[8], rest[8];
    if (t.len != USUAL_LENGTH ||
        !take_eight(t.ptr + 8, "00 00:00", "\xf0\xf0\xff\xf0\xf0\xff\xf0\xf0", time) ||
        !take_eight(t.ptr + 15, "0:00.000", "\xf0\xff\xf0\xf0\xff\xf0\xf0\xf0", rest))
        return false;
    *c =
        (struct civil){.day = time[0] * 10u + time[1],
                       .hour = time[3] * 10u + time[4],
                       .minute = time[6] * 10u + time[7],
                       .second = rest[2] * 10u + rest[3],
                       .fraction = (rest[5] * 100u + rest[6] * 10u + rest[7]) * 10000u};
    return true;
}

static bool parse_usual(struct text t, struct civil *c)
{
    uint8_t date[8];
    if (!parse_usual_time(t, c) ||
        !take_eight(t.ptr, "0000-00-", "\xf0\xf0\xf0\xf0\xff\xf0\xf0\xff", date))
        return false;
    c->year = date[0] * 1000u + date[1] * 100u + date[2] * 10u + date[3];
    c->month = date[5] * 10u + date[6];
    return true;
}

static bool time_is_good(const struct civil *c)
{
    return c->hour <= 23 && c->minute <= 59 && c->second <= 59;
}

static int64_t seconds_of(const struct civil *c, int64_t days_since_1601)
{
    return days_since_1601 * SECONDS_PER_DAY + (int64_t)c->hour * 3600 +
           c->minute * 60 + c->second - c->zone_seconds;
}

static bool parse_any(struct text t, struct civil *c)
{
    struct cursor at = {t, 0, true};
    c->year = take_digits(&at, 4);
    take_one_of(&at, "-");
    c->month = take_digits(&at, 2);
    take_one_of(&at, "-");
    c->day = take_digits(&at, 2);
    take_one_of(&at, " T");
    c->hour = take_digits(&at, 2);
    take_one_of(&at, ":");
    c->minute = take_digits(&at, 2);
    take_one_of(&at, ":");
    c->second = take_digits(&at, 2);
    c->fraction = take_fraction(&at);
    c->zone_seconds = take_zone_seconds(&at);
    return at.good && at.at == t.len;
}

bool filetime_parse(struct text t, uint64_t *filetime)
{
    struct civil c;
    if ((!parse_usual(t, &c) && !parse_any(t, &c)) || c.year < 1601 || c.month < 1 ||
        c.month > 12 || c.day < 1 || c.day > days_in_month(c.year, c.month) ||
        !time_is_good(&c))
        return false;
    int64_t seconds =
        seconds_of(&c, days_from_civil(c.year, c.month, c.day) + DAYS_1601_TO_1970);
    if (seconds < 0)
        return false;
    *filetime = (uint64_t)seconds * FILETIME_SECOND + c.fraction;
    return true;
}

bool filetime_parse_on(struct filetime_day *last, struct text t, uint64_t *filetime)
{
    struct civil c;
    bool is_same_day = last->len == USUAL_DATE && t.len == USUAL_LENGTH &&
                       memcmp(t.ptr, last->text, USUAL_DATE) == 0;
    if (is_same_day && parse_usual_time(t, &c) && time_is_good(&c)) {
        *filetime =
            (uint64_t)seconds_of(&c, last->number) * FILETIME_SECOND + c.fraction;
        return true;
    }
    if (!filetime_parse(t, filetime))
        return false;
    if (t.len == USUAL_LENGTH && t.ptr[USUAL_DATE] == ' ')
        learn_day(last, (uint32_t)(*filetime / FILETIME_SECOND / SECONDS_PER_DAY));
    return true;
}

uint64_t filetime_from_unix(int64_t seconds, uint32_t nanoseconds)
{
    const int64_t first = -(int64_t)(FILETIME_UNIX / FILETIME_SECOND);
    if (seconds < first || seconds >= INT64_MAX / (int64_t)FILETIME_SECOND + first)
        return FILETIME_NONE;
    return (uint64_t)(seconds * (int64_t)FILETIME_SECOND + (int64_t)FILETIME_UNIX) +
           nanoseconds / 100;
}

int64_t filetime_to_unix(uint64_t filetime)
{
    return (int64_t)(filetime / FILETIME_SECOND) -
           (int64_t)(FILETIME_UNIX / FILETIME_SECOND);
}
