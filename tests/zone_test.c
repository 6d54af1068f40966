/* SPDX-License-Identifier: Apache-2.0
 * zone_test.c - local times: equal to those of the C library over two centuries of every
 * kind of zone; damaged tables are refused, never followed. */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/memory.h"
#include "util/small_file.h"
#include "util/zone.h"

static void offsets_are_those_of_the_c_library(void **state)
{
    static const char *const names[] = {
        "Europe/Berlin",   "America/New_York",  "Australia/Sydney",
        "Asia/Kolkata",    "America/St_Johns",  "Pacific/Apia",
        "Asia/Kathmandu",  "America/Sao_Paulo", "Africa/Casablanca",
        "Europe/Dublin",   "Asia/Gaza",         "America/Nuuk",
        "Pacific/Chatham", "Etc/GMT+12",        "UTC",
        "Antarctica/Troll"};
    struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct zone zone;
        struct error err = {0};
        if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0)
            skip();
        if (zone_open(&zone, text_from(names[i]), NULL, &arena, &err) != OK)
            fail_msg("%s: %s", names[i], err.what);
        setenv("TZ", names[i], 1);
        tzset();
        /* 1900 to 2150, in steps that are no multiple of a day */
        for (int64_t when = -2208988800; when < 5680281600; when += 86400 * 3 + 3671) {
            time_t t = (time_t)when;
            struct tm tm;
            localtime_r(&t, &tm);
            if (zone_offset(&zone, filetime_from_unix(when, 0)) !=
                (int32_t)tm.tm_gmtoff)
                fail_msg("%s at %lld: %d, the C library %ld", names[i], (long long)when,
                         (int)zone_offset(&zone, filetime_from_unix(when, 0)),
                         tm.tm_gmtoff);
        }
    }
    arena_release(&arena);
}

/* The second on which summer time begins and ends, and seven digits. */
static void times_are_written_with_their_offset(void **state)
{
    static const struct {
        const char *zone, *utc, *local;
    } cases[] = {
        {"Europe/Berlin", "2026-03-29T00:59:59.9999999Z",
         "2026-03-29T01:59:59.9999999+01:00"                                                 },
        {"Europe/Berlin", "2026-03-29T01:00:00Z",         "2026-03-29T03:00:00.0000000+02:00"},
        {"Europe/Berlin", "2026-10-25T00:59:59Z",         "2026-10-25T02:59:59.0000000+02:00"},
        {"Europe/Berlin", "2026-10-25T01:00:00Z",         "2026-10-25T02:00:00.0000000+01:00"},
        {"Europe/Berlin", "2080-07-01T00:00:00Z",         "2080-07-01T02:00:00.0000000+02:00"},
        {"+02:00",        "2026-01-01T23:30:00.5Z",       "2026-01-02T01:30:00.5000000+02:00"},
        {"-0330",         "2026-01-01T00:00:00Z",         "2025-12-31T20:30:00.0000000-03:30"},
        {"+05",           "2026-01-01T00:00:00Z",         "2026-01-01T05:00:00.0000000+05:00"},
        {"UTC",           "2026-01-01T00:00:00Z",         "2026-01-01T00:00:00.0000000+00:00"},
    };
    struct arena arena = {0};
    char out[ZONE_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zone zone;
        struct error err = {0};
        uint64_t time;
        if (zone_open(&zone, text_from(cases[i].zone), NULL, &arena, &err) != OK)
            fail_msg("%s", err.what);
        assert_true(filetime_parse(text_from(cases[i].utc), &time));
        if (!text_equal(zone_format(out, &zone, time), text_from(cases[i].local)))
            fail_msg("%s in %s: %s", cases[i].utc, cases[i].zone, out);
    }
    struct zone west = {.name = TEXT_LITERAL("-01:00"), .first = -3600};
    assert_int_equal(zone_format(out, &west, 0).len, 0); /* would be before 1601 */
    assert_int_equal(zone_format(out, &west, FILETIME_NONE).len, 0);
    struct buffer beside = {0};
    struct zone offset = {.name = TEXT_LITERAL("+02:00"), .first = 7200};
    zone_add_beside(&beside, &offset, filetime_from_unix(0, 0));
    assert_string_equal(beside.ptr, " (1970-01-01T02:00:00.0000000+02:00)");
    buffer_clear(&beside);
    zone_add_beside(&beside, NULL, 0);
    zone_add_beside(&beside, &(struct zone){0}, 0);
    assert_int_equal(beside.len, 0);
    buffer_release(&beside);
    arena_release(&arena);
}

static void other_names_are_refused(void **state)
{
    static const char *const names[] = {"",
                                        "Nowhere/Atall",
                                        "../../../etc/passwd",
                                        "/etc/passwd",
                                        "Europe",
                                        "+2:00",
                                        "+24:00",
                                        "+02:60",
                                        "+02-00",
                                        "+0x",
                                        "Europe/Berlin/",
                                        "zone.tab",
                                        "tzdata.zi",
                                        "Europe Berlin"};
    struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct zone zone;
        struct error err = {0};
        if (zone_open(&zone, text_from(names[i]), NULL, &arena, &err) != FAILED)
            fail_msg("\"%s\" is taken for a zone", names[i]);
        assert_true(err.what[0]);
    }
    arena_release(&arena);
}

static void write_table(const char *folder, const char *bytes, size_t len)
{
    char path[256];
    snprintf(path, sizeof path, "%s/Zone", folder);
    FILE *file = fopen(path, "wb");
    fwrite(bytes, 1, len, file);
    fclose(file);
}

/* Cut off at every length, and with every byte of the headers and the footer changed: the
 * sanitizers look on. */
static void damaged_tables_are_not_followed(void **state)
{
    char folder[] = "/tmp/forebear-zone-XXXXXX", path[256];
    struct arena arena = {0};
    struct error err = {0};
    struct text table;
    uint64_t refused = 0;
    (void)state;
    if (small_file_read(&table, "/usr/share/zoneinfo/Europe/Berlin", 1 << 20, &arena,
                        &err) != OK)
        skip();
    assert_non_null(mkdtemp(folder));
    char *copy = memory_get(table.len);
    for (size_t i = 0; i < 2 * table.len; i++) {
        struct arena own = {0};
        struct zone zone;
        memcpy(copy, table.ptr, table.len);
        if (i >= table.len)
            copy[i - table.len] ^= 0x5a;
        write_table(folder, copy, i < table.len ? i : table.len);
        if (zone_open(&zone, TEXT_LITERAL("Zone"), folder, &own, &err) == OK)
            for (int64_t when = -5e9; when < 1e10; when += 1e9)
                zone_offset(&zone, filetime_from_unix(when, 0));
        else
            refused++;
        arena_release(&own);
    }
    assert_true(refused >= table.len); /* each that was cut off, at the least */
    snprintf(path, sizeof path, "%s/Zone", folder);
    unlink(path);
    rmdir(folder);
    free(copy);
    arena_release(&arena);
}

/* Footers that other systems' tables have. */
static void footers_are_understood(void **state)
{
    static const struct {
        const char *footer, *utc; /* NULL: refused */
        int32_t offset;
    } cases[] = {
        {"EST5EDT,M3.2.0,M11.1.0",          "2026-07-01T00:00:00Z", -4 * 3600},
        {"EST5EDT,M3.2.0,M11.1.0",          "2026-12-01T00:00:00Z", -5 * 3600},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3",    "2026-01-01T00:00:00Z", 11 * 3600},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3",    "2026-07-01T00:00:00Z", 10 * 3600},
        {"<+0330>-3:30",                    "2026-07-01T00:00:00Z", 12600    },
        {"X0Y",                             NULL,                   0        },
        {"XXX0YYY,J60,J300",                "2024-03-01T02:00:00Z", 3600     },
        {"XXX0YYY,J60,J300",                "2024-03-01T01:59:59Z", 0        },
        {"XXX0YYY,59/0,300/0",              "2024-02-29T00:00:00Z", 3600     },
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-28T23:59:59Z", -2 * 3600},
        {"IST-1GMT0,M10.5.0,M3.5.0/1",      "2026-12-01T00:00:00Z", 0        },
        {"CET-1CEST,M13.5.0,M10.5.0/3",     NULL,                   0        },
        {"CET-1CEST,M3.5.0",                NULL,                   0        },
        {"CET-99",                          NULL,                   0        },
        {"CET",                             NULL,                   0        },
    };
    static const char head[44] = "TZif2",
                      types[] = {0, 0, 0, 0, 0, 0, 'U', 'T', 'C', 0};
    char folder[] = "/tmp/forebear-zone-XXXXXX", path[256];
    struct arena arena = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer table = {0};
        struct zone zone;
        struct error err = {0};
        uint64_t time;
        for (int version = 0; version < 2; version++) {
            size_t at = table.len;
            buffer_add(&table, head, sizeof head);
            table.ptr[at + 39] = 1; /* types */
            table.ptr[at + 43] = 4; /* letters */
            buffer_add(&table, types, sizeof types);
        }
        buffer_printf(&table, "\n%s\n", cases[i].footer);
        write_table(folder, table.ptr, table.len);
        enum status status =
            zone_open(&zone, TEXT_LITERAL("Zone"), folder, &arena, &err);
        if (status != (cases[i].utc ? OK : FAILED))
            fail_msg("footer \"%s\": %s", cases[i].footer, err.what);
        if (cases[i].utc) {
            assert_true(filetime_parse(text_from(cases[i].utc), &time));
            if (zone_offset(&zone, time) != cases[i].offset)
                fail_msg("footer \"%s\" at %s: %d", cases[i].footer, cases[i].utc,
                         (int)zone_offset(&zone, time));
        }
        buffer_release(&table);
    }
    snprintf(path, sizeof path, "%s/Zone", folder);
    unlink(path);
    rmdir(folder);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_are_those_of_the_c_library),
        cmocka_unit_test(times_are_written_with_their_offset),
        cmocka_unit_test(other_names_are_refused),
        cmocka_unit_test(damaged_tables_are_not_followed),
        cmocka_unit_test(footers_are_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
