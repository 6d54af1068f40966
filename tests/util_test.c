/* SPDX-License-Identifier: Apache-2.0
 * util_test.c - times, GUIDs, text, maps, JSON, and output that fails. */
#include <csv.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/test.h"

#include "util/address.h"
#include "util/bytes.h"
#include "util/cell.h"
#include "util/checksum.h"
#include "util/digest.h"
#include "util/filetime.h"
#include "util/guid.h"
#include "util/histogram.h"
#include "util/json.h"
#include "util/map.h"
#include "util/output.h"
#include "util/problems.h"
#include "util/ranges.h"
#include "util/sorter.h"
#include "util/strings.h"
#include "util/utf.h"
#include "util/workers.h"

static void assert_text(struct text got, const char *wanted)
{
    if (!text_equal(got, text_from(wanted)))
        fail_msg("got \"%.*s\", wanted \"%s\"", TEXT(got), wanted);
}

static void times_are_parsed_and_printed(void **state)
{
    static const struct {
        const char *in, *csv;
    } good[] = {
        {"1601-01-01 00:00:00",           "1601-01-01T00:00:00.0000000+00:00"},
        {"2026-01-01 00:00:00.000",       "2026-01-01T00:00:00.0000000+00:00"},
        {"2024-02-29T23:59:59.9999999Z",  "2024-02-29T23:59:59.9999999+00:00"},
        {"1970-01-01 00:00:00.123",       "1970-01-01T00:00:00.1230000+00:00"},
        {"2020-06-01T02:00:00.5+02:00",   "2020-06-01T00:00:00.5000000+00:00"},
        {"2020-06-01T00:00:00-00:30",     "2020-06-01T00:30:00.0000000+00:00"},
        {"2020-06-01 00:00:00.123456789", "2020-06-01T00:00:00.1234567+00:00"},
        {"9999-12-31 23:59:59",           "9999-12-31T23:59:59.0000000+00:00"},
    };
    static const char *const bad[] = {"",
                                      "-",
                                      "2026-01-01",
                                      "2026-01-01 00:00",
                                      "2026-13-01 00:00:00",
                                      "2023-02-29 00:00:00",
                                      "2026-01-01 24:00:00",
                                      "2026-01-01 00:00:00.",
                                      "2026-01-01 00:00:00 ",
                                      "1600-12-31 23:59:59",
                                      "Incorrect filetime: 0x0",
                                      "2026-01-01 00:00:00.0000000000",
                                      "1601-01-01 00:00:00+01:00"};
    char out[FILETIME_TEXT_MAX];
    uint64_t time;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(filetime_parse(text_from(good[i].in), &time));
        assert_text(filetime_format(out, time, FILETIME_CSV), good[i].csv);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (filetime_parse(text_from(bad[i]), &time))
            fail_msg("\"%s\" was taken for a time", bad[i]);
    assert_text(filetime_format(out, FILETIME_NONE, FILETIME_CSV), "");
    assert_text(filetime_format(out, UINT64_MAX - 1, FILETIME_SECONDS),
                "60056-05-28T05:36:10Z");
    assert_int_equal(filetime_to_unix(filetime_from_unix(1767225600, 0)), 1767225600);
    assert_int_equal(filetime_from_unix(-11644473600, 0), 0);
    assert_int_equal(filetime_from_unix(-11644473601, 0), FILETIME_NONE);
    assert_int_equal(filetime_from_unix(910692730084, 999999999),
                     UINT64_C(9223372036849999999));
    assert_int_equal(filetime_from_unix(910692730085, 0), FILETIME_NONE);
    assert_int_equal(filetime_from_unix(INT64_MAX, 0), FILETIME_NONE);
    assert_int_equal(filetime_from_unix(INT64_MIN, 0), FILETIME_NONE);
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* A calendar that is turned day by day: every day of 900 years, then every 97th up to the
 * last that a time can have. */
static void every_day_has_its_date(void **state)
{
    enum { EACH_UNTIL_YEAR = 2500, THEN_EACH = 97 };
    const uint64_t day_100ns = 86400 * (uint64_t)FILETIME_SECOND;
    int year = 1601, month = 1, day = 1;
    struct filetime_day last = {0};
    (void)state;
    for (uint64_t n = 0; n <= UINT64_MAX / day_100ns; n++) {
        char out[FILETIME_TEXT_MAX], wanted[64];
        if (year < EACH_UNTIL_YEAR || n % THEN_EACH == 0) {
            snprintf(wanted, sizeof wanted, "%04d-%02d-%02d 01:02:03.0000004", year,
                     month, day);
            assert_text(filetime_format(out, n * day_100ns + 3723 * FILETIME_SECOND + 4,
                                        FILETIME_SPACED),
                        wanted);
            for (int again = 0; again < 2; again++)
                assert_text(filetime_format_on(
                                &last, out, n * day_100ns + 3723 * FILETIME_SECOND + 4,
                                FILETIME_SPACED),
                            wanted);
        }
        if (++day > days_of_month(year, month)) {
            day = 1;
            year += month == 12;
            month = month == 12 ? 1 : month + 1;
        }
    }
}

/* Bytes that nobody can foresee, the same in each run. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void guids_are_written_as_windows_does(void **state)
{
    uint32_t seed = 1;
    (void)state;
    for (int round = 0; round < 1000; round++) {
        struct guid guid;
        uint8_t *b = guid.bytes;
        char out[GUID_TEXT_MAX], wanted[GUID_TEXT_MAX];
        for (size_t i = 0; i < sizeof guid.bytes; i++)
            b[i] = (uint8_t)next_random(&seed);
        snprintf(
            wanted, sizeof wanted,
            "{%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X}",
            b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11],
            b[12], b[13], b[14], b[15]);
        assert_text(guid_format(out, &guid), wanted);
        assert_int_equal(out[GUID_TEXT_MAX - 1], '\0');
    }
}

static unsigned asked_by_each_byte(struct text t)
{
    unsigned asks = t.len == 0 || t.ptr[0] == ' ' || t.ptr[t.len - 1] == ' '
                        ? CELL_QUOTED
                        : CELL_PLAIN;
    for (size_t i = 0; i < t.len; i++) {
        uint8_t byte = (uint8_t)t.ptr[i];
        if (byte == '"' || byte == ',' || byte < 0x20)
            asks |= CELL_QUOTED;
        if (byte == '"')
            asks |= CELL_HOLDS_QUOTE;
        if (byte >= 0x80)
            asks |= CELL_NOT_ASCII;
    }
    return asks;
}

/* libcsv is the judge. Of some texts every second byte is a quote, of others hardly one is
 * anything but a letter. */
static void cells_are_quoted_as_libcsv_does(void **state)
{
    enum { LONGEST = 80 };
    static const char odd[] = "\"\",, \n\t\x7f\x80\xff!~+\x1f";
    uint32_t seed = 2;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[LONGEST], wanted[2 * LONGEST + 2];
        size_t len = next_random(&seed) % (LONGEST + 1);
        uint32_t one_in = 1 + next_random(&seed) % 40;
        for (size_t i = 0; i < len; i++)
            text[i] = next_random(&seed) % one_in
                          ? (char)('a' + i % 26)
                          : odd[next_random(&seed) % (sizeof odd - 1)];
        struct text value = {text, len};
        struct buffer got = {0};
        buffer_add_string(&got, "x,");
        cell_add_quoted(&got, value);
        size_t wanted_len = csv_write2(wanted, sizeof wanted, text, len, '"');
        assert_int_equal(got.len, wanted_len + 2);
        assert_memory_equal(got.ptr, "x,", 2);
        assert_memory_equal(got.ptr + 2, wanted, wanted_len);
        assert_int_equal(cell_asks(value), asked_by_each_byte(value));
        buffer_add_string(&got, ",,z");
        struct text row = buffer_text(&got);
        struct buffer unquoted = {0};
        assert_true(text_equal(cell_take(&row, &unquoted), TEXT_LITERAL("x")));
        assert_true(text_equal(cell_take(&row, &unquoted), value));
        assert_true(text_is_absent(cell_take(&row, &unquoted)));
        assert_true(text_equal(row, TEXT_LITERAL("z")));
        buffer_release(&unquoted);
        buffer_release(&got);
    }
}

static void guids_are_read_in_all_spellings(void **state)
{
    static const char *const spellings[] = {"{5770385F-C22A-43E0-BF4C-06F5698FFBD9}",
                                            "5770385f-c22a-43e0-bf4c-06f5698ffbd9",
                                            "{5770385f-C22A-43e0-bf4c-06f5698ffbd9}"};
    static const char *const bad[] = {"",
                                      "{}",
                                      "5770385F-C22A-43E0-BF4C-06F5698FFBD",
                                      "{5770385F-C22A-43E0-BF4C-06F5698FFBD9",
                                      "5770385F C22A-43E0-BF4C-06F5698FFBD9",
                                      "5770385G-C22A-43E0-BF4C-06F5698FFBD9"};
    char out[GUID_TEXT_MAX];
    struct guid guid;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_true(guid_parse(text_from(spellings[i]), &guid));
        assert_text(guid_format(out, &guid), spellings[0]);
    }
    assert_int_equal(guid.bytes[0], 0x5f); /* little-endian first field */
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(guid_parse(text_from(bad[i]), &guid));
}

static void text_compares_by_ascii_alone(void **state)
{
    (void)state;
    assert_true(text_equal_fold(text_from("MSRA.exe"), text_from("msra.EXE")));
    assert_false(text_equal_fold(text_from("m\xc5\xbfra.exe"), text_from("msra.exe")));
    assert_true(
        text_ends_with_fold(text_from("C:\\a\\CMD.EXE"), text_from("\\cmd.exe")));
    assert_false(text_ends_with_fold(NO_TEXT, text_from("")));
    assert_true(
        text_contains_fold(text_from("C:\\a\\CMD.EXE /c"), text_from("cmd.exe")));
    assert_false(text_equal(NO_TEXT, text_from("")));
    assert_text(text_basename(text_from("C:\\a/b\\c.exe")), "c.exe");
    assert_text(text_basename(text_from("C:/a/c.exe")), "C:/a/c.exe");
    assert_text(text_basename(text_from("a\\")), "");
}

static void utf16_becomes_utf8(void **state)
{
    static const uint8_t units[] = {'a', 0, 0x2e, 0x20, 0x00, 0xd8,
                                    'b', 0, 0x3d, 0xd8, 0x00, 0xde};
    struct buffer out = {0};
    (void)state;
    assert_int_equal(utf_add_utf16le(&out, (struct bytes){units, sizeof units}), 1);
    assert_text(buffer_text(&out), "a\xe2\x80\xae\xef\xbf\xbd"
                                   "b\xf0\x9f\x98\x80");
    buffer_clear(&out);
    utf_add_visible(&out, text_from("a\x1b[31m\xe2\x80\xae\xff\n"));
    assert_text(buffer_text(&out), "a\\x1b[31m\\u{202e}\\xff\\x0a");
    assert_false(utf_is_valid(text_from("\xed\xa0\x80")));
    assert_false(utf_is_valid(text_from("\xc0\x80")));
    assert_false(utf_is_valid(text_from("\xf4\x90\x80\x80")));
    assert_true(utf_is_valid(text_from("\xf4\x8f\xbf\xbf")));
    buffer_release(&out);
}

static void maps_keep_what_they_were_given(void **state)
{
    enum { MANY = 20000 };
    struct map map = {0};
    uint32_t *keys = calloc(MANY, sizeof *keys);
    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        keys[i] = i * 2654435761u;
        assert_int_equal(map_add(&map, MAP_KEY_OF(&keys[i]), i), i);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(map_find(&map, MAP_KEY_OF(&keys[i])), i);
        assert_int_equal(map_add(&map, MAP_KEY_OF(&keys[i]), 7), i);
        assert_int_equal(map.entries[i].value, i); /* in the order they came */
    }
    assert_int_equal(map_find(&map, map_key_text(TEXT_LITERAL("no"))), MAP_NONE);
    map_release(&map);
    free(keys);
}

static void strings_are_kept_once(void **state)
{
    struct strings s = {0};
    (void)state;
    uint32_t a = strings_add(&s, TEXT_LITERAL("a"));
    assert_int_equal(strings_add(&s, text_from("a")), a);
    assert_text(strings_text(&s, a), "a");
    assert_int_equal(strings_add(&s, NO_TEXT), STRING_ABSENT);
    assert_int_equal(strings_add(&s, TEXT_LITERAL("")), STRING_EMPTY);
    assert_true(text_is_absent(strings_text(&s, STRING_ABSENT)));
    assert_text(strings_text(&s, STRING_EMPTY), "");
    strings_release(&s);
}

static void bounded_reads_stay_inside(void **state)
{
    static const uint8_t raw[] = {1, 2, 3, 4};
    struct bytes b = {raw, sizeof raw};
    (void)state;
    assert_int_equal(bytes_u32(b, 0), 0x04030201);
    assert_int_equal(bytes_u32(b, 1), 0);
    assert_int_equal(bytes_u16(b, SIZE_MAX), 0);
    assert_int_equal(bytes_u64(b, 0), 0);
    assert_int_equal(bytes_slice(b, 3, 9).len, 1);
    assert_int_equal(bytes_slice(b, 9, 9).len, 0);
}

static void json_escapes_what_a_page_must_not_hold(void **state)
{
    struct buffer out = {0};
    struct json json;
    (void)state;
    json_init(&json, &out);
    json.compact = true;
    json_open_object(&json);
    json_member_text(&json, "a", TEXT_LITERAL("<\"\\\x01\n\xff\xe2\x80\xa8"));
    json_name(&json, "b");
    json_open_array(&json);
    json_u64(&json, UINT64_MAX);
    json_bool(&json, true);
    json_text(&json, NO_TEXT);
    json_close_array(&json);
    json_close_object(&json);
    assert_text(buffer_text(&out),
                "{\"a\":\"\\u003c\\\"\\\\\\u0001\\n\xef\xbf\xbd\\u2028\",\"b\":["
                "18446744073709551615,true,null]}\n");
    buffer_release(&out);
}

static void digests_are_the_known_ones(void **state)
{
    struct digester d;
    struct digest_values values;
    char hex[DIGEST_HEX_MAX];
    (void)state;
    digester_init(&d, DIGEST_BIT(DIGEST_SHA256) | DIGEST_BIT(DIGEST_SHA1) |
                          DIGEST_BIT(DIGEST_MD5));
    digester_add(&d, "abc", 3);
    digester_finish(&d, &values);
    assert_text(digest_hex(hex, &values, DIGEST_SHA256),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_text(digest_hex(hex, &values, DIGEST_SHA1),
                "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_text(digest_hex(hex, &values, DIGEST_MD5),
                "900150983cd24fb0d6963f7d28e17f72");
}

/* Bit by bit, as the standard has it. */
static uint32_t plain_crc32(const uint8_t *bytes, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* Any length, and any place in memory: some processors take it in large steps. */
static void checksums_are_the_known_ones(void **state)
{
    enum { LONGEST = 2100, PLACES = 3 };
    static uint8_t bytes[LONGEST + PLACES];
    uint32_t random = 5;
    (void)state;
    assert_int_equal(checksum_crc32((const uint8_t *)"123456789", 9), 0xcbf43926);
    for (size_t i = 0; i < sizeof bytes; i++) {
        random = random * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(random >> 24);
    }
    for (size_t len = 0; len <= LONGEST; len++)
        assert_int_equal(checksum_crc32(bytes + len % PLACES, len),
                         plain_crc32(bytes + len % PLACES, len));
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(checksum_crc32(bytes, LONGEST), plain_crc32(bytes, LONGEST));
}

static void a_digester_can_take_one_content_after_another(void **state)
{
    struct digester d;
    struct digest_values values;
    char hex[DIGEST_HEX_MAX];
    (void)state;
    digester_init(&d, DIGEST_BIT(DIGEST_SHA256) | DIGEST_BIT(DIGEST_MD5));
    digester_add(&d, "something else", 14);
    digester_finish_one(&d, &values);
    digester_add(&d, "abc", 3);
    digester_finish_one(&d, &values);
    assert_text(digest_hex(hex, &values, DIGEST_SHA256),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_text(digest_hex(hex, &values, DIGEST_MD5),
                "900150983cd24fb0d6963f7d28e17f72");
    digester_finish(&d, &values);
    assert_text(digest_hex(hex, &values, DIGEST_MD5),
                "d41d8cd98f00b204e9800998ecf8427e"); /* of nothing */
    assert_text(digest_hex(hex, &values, DIGEST_SHA1), "");
}

/* Evidence is looked for in evidence: half a megabyte in a megabyte, alike but for the end. */
static void long_texts_are_searched_in_time(void **state)
{
    enum { PART = 1 << 19 };
    struct buffer part = {0};
    (void)state;
    memset(buffer_reserve(&part, PART + 1), 'a', PART);
    part.len = PART;
    buffer_add_char(&part, 'B');
    struct buffer whole = {0};
    memset(buffer_reserve(&whole, 2 * PART), 'A', 2 * PART);
    whole.len = 2 * PART;
    clock_t begin = clock();
    assert_false(text_contains_fold(buffer_text(&whole), buffer_text(&part)));
    buffer_add_char(&whole, 'b');
    assert_true(text_contains_fold(buffer_text(&whole), buffer_text(&part)));
    assert_true(clock() - begin < 5 * CLOCKS_PER_SEC);
    buffer_release(&part);
    buffer_release(&whole);
}

static bool exists(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static void outputs_appear_together_or_not_at_all(void **state)
{
    char folder[] = "/tmp/forebear-output.XXXXXX", inner[64];
    struct output_dir dir, other;
    struct output out;
    struct error err = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(inner, sizeof inner, "%s/report", folder);

    assert_int_equal(output_dir_open(&dir, inner, false, &err), OK);
    assert_int_equal(output_open(&out, &dir, "manifest.json", &err), OK);
    output_printf(&out, "{%d}", 1);
    assert_int_equal(output_finish(&out, &err), OK);
    assert_false(exists(inner, "manifest.json"));
    output_dir_abandon(&dir);
    output_dir_close(&dir);
    assert_int_equal(access(inner, F_OK), -1); /* it was made here, so it is gone */

    assert_int_equal(output_dir_open(&dir, inner, false, &err), OK);
    assert_int_equal(output_open(&out, &dir, "manifest.json", &err), OK);
    assert_int_equal(output_finish(&out, &err), OK);
    assert_int_equal(output_dir_publish(&dir, &err), OK);
    output_dir_close(&dir);
    assert_true(exists(inner, "manifest.json"));

    assert_int_equal(output_dir_open(&dir, inner, false, &err),
                     FAILED); /* holds a report */
    assert_non_null(strstr(err.what, "--force"));
    assert_int_equal(output_dir_open(&dir, inner, true, &err), OK);
    assert_int_equal(output_dir_open(&other, inner, true, &err), FAILED);
    assert_non_null(strstr(err.what, "another run"));
    output_dir_close(&dir);
    char path[128];
    snprintf(path, sizeof path, "%s/manifest.json", inner);
    unlink(path);
    rmdir(inner);
    rmdir(folder);
}

static void put_file(const char *folder, const char *name, const char *content)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_content(const char *folder, const char *name, const char *content)
{
    char path[512], got[64] = "";
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(got, 1, sizeof got - 1, file) < sizeof got);
    fclose(file);
    assert_string_equal(got, content);
}

static void remove_file(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(remove(path), 0);
}

/* A report of two files that takes the place of one in which gone.csv lies. */
static enum status replace_report(const char *folder)
{
    static const char *const names[] = {"a.csv", "taken.csv", "manifest.json"};
    struct output_dir dir;
    struct output out;
    assert_int_equal(output_dir_open(&dir, folder, true, NULL), OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(output_open(&out, &dir, names[i], NULL), OK);
        output_printf(&out, "new");
        assert_int_equal(output_finish(&out, NULL), OK);
    }
    output_dir_add_stale(&dir, "gone.csv");
    enum status status = output_dir_publish(&dir, NULL);
    if (status != OK)
        output_dir_abandon(&dir);
    output_dir_close(&dir);
    return status;
}

/* A name that is taken by a folder stops the renaming: the earlier report is there as it
 * was, and nothing else. */
static void a_report_that_gets_no_names_leaves_the_earlier_one(void **state)
{
    static const char *const names[] = {"a.csv", "gone.csv", "manifest.json"};
    char folder[] = "/tmp/forebear-output.XXXXXX", path[64];
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < 3; i++)
        put_file(folder, names[i], "old");
    snprintf(path, sizeof path, "%s/taken.csv", folder);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(replace_report(folder), FAILED);
    for (size_t i = 0; i < 3; i++)
        assert_content(folder, names[i], "old");
    remove_file(folder, "taken.csv");
    assert_int_equal(replace_report(folder), OK);
    assert_content(folder, "a.csv", "new");
    assert_content(folder, "manifest.json", "new");
    assert_false(exists(folder, "gone.csv"));
    remove_file(folder, "a.csv");
    remove_file(folder, "taken.csv");
    remove_file(folder, "manifest.json");
    assert_int_equal(rmdir(folder), 0); /* nothing else was left */
}

/* What a run that was killed had set aside is the report that counts, not what has its
 * names. */
static void what_a_killed_run_set_aside_counts(void **state)
{
    char folder[] = "/tmp/forebear-output.XXXXXX", aside[64];
    struct output_dir dir;
    struct error err = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(aside, sizeof aside, "%s/%s", folder, OUTPUT_ASIDE);
    assert_int_equal(mkdir(aside, 0777), 0);
    put_file(aside, "manifest.json", "old");
    put_file(aside, "a.csv", "old");
    put_file(folder, "a.csv", "of the killed run");
    assert_int_equal(output_dir_open(&dir, folder, false, &err), FAILED);
    assert_non_null(strstr(err.what, "lies in " OUTPUT_ASIDE));
    assert_non_null(strstr(err.what, "--force"));

    char path[64];
    snprintf(path, sizeof path, "%s/taken.csv", folder);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(replace_report(folder), FAILED);
    assert_content(folder, "manifest.json", "old");
    assert_content(folder, "a.csv", "old");
    assert_int_equal(access(aside, F_OK), -1);
    remove_file(folder, "taken.csv");

    assert_int_equal(mkdir(aside, 0777), 0);
    put_file(aside, "gone.csv", "old");
    assert_int_equal(replace_report(folder), OK);
    assert_content(folder, "a.csv", "new");
    assert_int_equal(access(aside, F_OK), -1);
    assert_false(exists(folder, "gone.csv"));
    remove_file(folder, "a.csv");
    remove_file(folder, "taken.csv");
    remove_file(folder, "manifest.json");
    assert_int_equal(rmdir(folder), 0);
}

static void a_write_error_is_told_when_the_file_ends(void **state)
{
    struct output_dir dir = {.fd = -1, .path = (char *)"/dev"};
    struct output out = {.dir = &dir, .name = strdup("full")};
    struct error err = {0};
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    out.fd = dup(fileno(full));
    fclose(full);
    dir.fd = open("/tmp", O_RDONLY | O_DIRECTORY);
    output_printf(&out, "lost");
    assert_int_equal(output_finish(&out, &err), FAILED);
    assert_non_null(strstr(err.what, "No space left"));
    assert_int_equal(dir.count, 0);
    close(dir.fd);
}

/* Blocks are asked for ahead; in the end it has those of its bytes, and every byte. */
static void a_long_file_keeps_what_it_was_given(void **state)
{
    enum { PART = 300000, PARTS = 12, A_BLOCK = 1 << 16 };
    char folder[] = "/tmp/forebear-output.XXXXXX", path[64];
    struct output_dir dir;
    struct output out;
    struct digester all;
    struct digest_values values;
    struct stat facts;
    char *part = malloc(PART), *read_back = malloc(PART);
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/long.csv", folder);
    digester_init(&all, DIGEST_BIT(DIGEST_SHA256));
    assert_int_equal(output_dir_open(&dir, folder, true, NULL), OK);
    assert_int_equal(output_open(&out, &dir, "long.csv", NULL), OK);
    for (int i = 0; i < PARTS; i++) {
        memset(part, 'a' + i, PART);
        output_add(&out, part, PART);
        digester_add(&all, part, PART);
    }
    assert_int_equal(output_finish(&out, NULL), OK);
    assert_int_equal(output_dir_publish(&dir, NULL), OK);
    digester_finish(&all, &values);
    assert_memory_equal(dir.files[0].digests.value, values.value, sizeof values.value);
    output_dir_close(&dir);

    int fd = open(path, O_RDONLY);
    assert_int_equal(fstat(fd, &facts), 0);
    assert_int_equal(facts.st_size, PART * PARTS);
    assert_true(facts.st_blocks * 512 < PART * PARTS + A_BLOCK);
    for (int i = 0; i < PARTS; i++) {
        memset(part, 'a' + i, PART);
        assert_int_equal(read(fd, read_back, PART), PART);
        assert_memory_equal(read_back, part, PART);
    }
    close(fd);
    free(part);
    free(read_back);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

/* What the disk refuses only when it is asked whether it has everything. */
static void a_report_that_the_disk_does_not_take_has_no_names(void **state)
{
    char folder[] = "/tmp/forebear-output.XXXXXX";
    struct output_dir dir;
    struct output out;
    struct error err = {0};
    int ends[2]; /* nobody can sync a pipe */
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(output_dir_open(&dir, folder, true, &err), OK);
    assert_int_equal(output_open(&out, &dir, "first.csv", &err), OK);
    assert_int_equal(output_finish(&out, &err), OK);
    assert_int_equal(output_open(&out, &dir, "second.csv", &err), OK);
    output_printf(&out, "lost");
    assert_int_equal(output_finish(&out, &err), OK);
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], dir.files[1].fd) >= 0);
    assert_int_equal(output_dir_publish(&dir, &err), FAILED);
    assert_non_null(strstr(err.what, "cannot write second.csv"));
    assert_false(exists(folder, "first.csv"));
    output_dir_abandon(&dir);
    output_dir_close(&dir);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(rmdir(folder), 0);
}

/* --- the sorter: with little memory, so that runs of several levels are merged */

enum { SORTED_ROWS = 40000 };

struct expected_row {
    struct sorter_key key;
    uint32_t number;
};

static int by_key_and_number(const void *left, const void *right)
{
    const struct expected_row *a = left, *b = right;
    int order = sorter_compare(&a->key, &b->key);
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

/* Few keys, so that many are equal; rows of very different lengths. */
static struct expected_row row_to_sort(uint32_t number)
{
    uint32_t mixed = (number ^ 0x5bd1) * 2654435761u;
    struct expected_row row = {.number = number};
    row.key.first = (mixed >> 8) % 97;
    row.key.second = (mixed >> 16) % 7;
    row.key.tag[0] = (uint8_t)(mixed % 3);
    return row;
}

static struct text text_to_sort(struct buffer *out, uint32_t number)
{
    buffer_clear(out);
    buffer_printf(out, "%u:", (unsigned)number);
    for (uint32_t i = 0; i < number % 41; i++)
        buffer_add_char(out, 'x');
    if (number == 12345) /* longer than the memory, and than a reader's buffer */
        for (uint32_t i = 0; i < 3 * SORTER_BUFFER; i++)
            buffer_add_char(out, 'y');
    return buffer_text(out);
}

static void rows_leave_the_sorter_in_order(void **state)
{
    static const size_t memories[] = {0, 4096, 64}; /* all in memory; runs; many runs */
    struct expected_row *expected = calloc(SORTED_ROWS, sizeof *expected);
    char folder[] = "/tmp/forebear-sorter.XXXXXX";
    struct buffer text = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    int fd = open(folder, O_RDONLY | O_DIRECTORY);
    for (uint32_t i = 0; i < SORTED_ROWS; i++)
        expected[i] = row_to_sort(i);
    qsort(expected, SORTED_ROWS, sizeof *expected, by_key_and_number);
    for (size_t m = 0; m < 3; m++) {
        struct sorter sorter;
        struct sorter_row row;
        struct error err;
        sorter_init(&sorter, fd);
        sorter.memory = memories[m];
        for (uint32_t i = 0; i < SORTED_ROWS; i++) {
            struct expected_row one = row_to_sort(i);
            sorter_add(&sorter, &one.key, text_to_sort(&text, i));
        }
        for (int reading = 0; reading < 2; reading++) { /* finished again: once more */
            assert_int_equal(sorter_finish(&sorter, &err), OK);
            for (uint32_t i = 0; i < SORTED_ROWS; i++) {
                assert_int_equal(sorter_next(&sorter, &row, &err), OK);
                assert_int_equal(sorter_compare(&row.key, &expected[i].key), 0);
                assert_true(
                    text_equal(row.bytes, text_to_sort(&text, expected[i].number)));
            }
            assert_int_equal(sorter_next(&sorter, &row, &err), END);
        }
        sorter_release(&sorter);
    }
    buffer_release(&text);
    free(expected);
    close(fd);
    assert_int_equal(rmdir(folder), 0); /* nothing was left in it */
}

static void a_sorter_without_room_says_so(void **state)
{
    struct sorter sorter;
    struct sorter_key key = {0};
    struct error err;
    (void)state;
    sorter_init(&sorter, -1);
    sorter.memory = 64;
    for (int i = 0; i < 10; i++)
        sorter_add(&sorter, &key,
                   TEXT_LITERAL("a row that does not fit beside another"));
    assert_int_equal(sorter_finish(&sorter, &err), FAILED);
    assert_non_null(strstr(err.what, "temporary file of the output folder"));
    sorter_release(&sorter);
}

/* The usual form is read by a way of its own: with a T instead of the blank the other one
 * reads the same. So is one on the day of the time before it. */
static void usual_times_are_read_like_any(void **state)
{
    struct filetime_day day = {0};
    static const char *const usual[] = {
        "2022-02-07 12:34:56.789", "1601-01-01 00:00:00.000", "9999-12-31 23:59:59.999",
        "2024-02-29 10:20:30.405"};
    (void)state;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        for (size_t at = 0; at < 23; at++)
            for (int c = 0; c < 256; c++) {
                char one[24], other[24];
                uint64_t time = 1, same = 1;
                memcpy(one, usual[i], sizeof one);
                if (at != 10)
                    one[at] = (char)c;
                memcpy(other, one, sizeof other);
                other[10] = 'T';
                struct text text = {one, 23};
                bool is_time = filetime_parse(text, &time);
                text.ptr = other;
                assert_int_equal(filetime_parse(text, &same), is_time);
                assert_int_equal(time, same);
                for (int again = 0; again < 2; again++) {
                    same = 1;
                    text.ptr = again ? one : usual[i];
                    assert_int_equal(filetime_parse_on(&day, text, &same),
                                     again ? is_time : true);
                }
                assert_int_equal(time, same);
            }
}

struct marks {
    uint8_t seen[1000];
    size_t next[64]; /* by range */
};

static void mark(void *context, struct range range)
{
    struct marks *m = context;
    m->next[range.number] = range.to;
    for (size_t i = range.from; i < range.to; i++)
        m->seen[i]++;
}

static void ranges_cover_each_item_once(void **state)
{
    static const size_t counts[] = {0, 1, 2, 5, 31, 32, 33, 999, 1000};
    (void)state;
    for (unsigned workers = 0; workers <= 8; workers++) {
        struct workers *w = workers ? workers_open(workers) : NULL;
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            struct marks m = {.seen = {0}};
            size_t ranges = ranges_count(w, counts[i]);
            ranges_do(w, counts[i], mark, &m);
            for (size_t k = 0; k < sizeof m.seen; k++)
                assert_int_equal(m.seen[k], k < counts[i]);
            for (size_t r = 1; r < ranges; r++)
                assert_true(m.next[r - 1] < m.next[r]);
            if (ranges)
                assert_int_equal(m.next[ranges - 1], counts[i]);
        }
        workers_close(w);
    }
}

static void problems_join_with_their_texts(void **state)
{
    struct arena arena = {0}, other = {0};
    struct problems all, more;
    (void)state;
    problems_init(&all, &arena);
    for (int round = 0; round < 3; round++) {
        problems_init(&more, &other);
        problems_take(&all, &more); /* nothing */
        problems_init(&more, &other);
        for (int i = 0; i < 5000; i++)
            problems_add(&more, PROBLEM_RID_GAP, NOWHERE, "%d in round %d", i, round);
        problems_take(&all, &more);
        assert_null(other.block);
        problems_add(&all, PROBLEM_RECORD_DAMAGED, NOWHERE, "after round %d", round);
    }
    assert_int_equal(all.count, 15003);
    assert_int_equal(all.per_code[PROBLEM_RID_GAP], 15000);
    assert_text(all.rows[4999].message, "4999 in round 0");
    assert_text(all.rows[5000].message, "after round 0");
    assert_text(all.rows[5001].message, "0 in round 1");
    assert_text(all.rows[15002].message, "after round 2");
    problems_release(&all);
    arena_release(&arena);
}

static void problems_know_their_class(void **state)
{
    struct arena arena = {0};
    struct problems problems;
    (void)state;
    problems_init(&problems, &arena);
    problems_add(&problems, PROBLEM_RID_GAP, NOWHERE, "ids %d to %d", 5, 6);
    assert_false(problems_have_damage(&problems));
    problems_add(&problems, PROBLEM_RECORD_DAMAGED, NOWHERE, "x");
    assert_true(problems_have_damage(&problems));
    assert_text(problems.rows[0].message, "ids 5 to 6");
    problems_add(NULL, PROBLEM_RID_GAP, NOWHERE, "nothing happens");
    problems_release(&problems);
    arena_release(&arena);
}

/* Of each log the first rows of a code are listed, the rest is counted; what is graded higher
 * than usual is always listed. */
static void problems_are_capped(void **state)
{
    static const struct problem_cap caps[] = {
        {PROBLEM_PID_REUSE, 2}
    };
    struct place one = {TEXT_LITERAL("e"), TEXT_LITERAL("one.evtx"), 7, 9};
    struct place two = {TEXT_LITERAL("e"), TEXT_LITERAL("two.evtx"), 7, 9};
    struct arena arena = {0};
    struct problems p;
    (void)state;
    problems_init(&p, &arena);
    problems_add(&p, PROBLEM_PID_REUSE, one, "before");
    for (int i = 0; i < 5; i++) {
        problems_add(&p, PROBLEM_PID_REUSE, one, "%d", i);
        problems_add(&p, PROBLEM_RID_GAP, one, "%d", i);
    }
    problems_add_graded(&p, PROBLEM_PID_REUSE, SEVERITY_NOTICE, one, "matters");
    for (int i = 0; i < 3; i++)
        problems_add(&p, PROBLEM_PID_REUSE, two, "%d", i);
    problems_cap(&p, 1, caps, 1);
    assert_int_equal(p.count, 1 + 2 + 5 + 1 + 2 + 2);
    assert_int_equal(p.per_code[PROBLEM_RID_GAP], 5);
    assert_int_equal(problems_met(&p, PROBLEM_PID_REUSE), 1 + 5 + 1 + 3);
    assert_text(p.rows[p.count - 2].message,
                "3 more rows like these are counted, not listed");
    assert_text(p.rows[p.count - 1].message,
                "1 more row like these is counted, not listed");
    assert_text(p.rows[p.count - 1].place.log, "two.evtx");
    assert_int_equal(p.rows[p.count - 1].place.record_id, NO_RECORD);
    problems_release(&p);
    arena_release(&arena);
}

static uint64_t histogram_sum(const struct histogram *h)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < h->count; i++)
        sum += h->counts[i];
    return sum;
}

/* Whatever the order of the times, and whether they were counted apart: the same. */
static void histograms_do_not_depend_on_order(void **state)
{
    static const uint64_t spans[] = {0, 1, 511, 512, 2560, 100000, 5000000, 600000000};
    (void)state;
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        struct histogram up = {0}, down = {0}, half[2] = {{0}, {0}};
        uint64_t minute = 60 * FILETIME_SECOND, from = FILETIME_UNIX + 7 * minute;
        for (uint64_t k = 0; k <= 100; k++) {
            uint64_t t = from + spans[i] * k / 100 * minute;
            histogram_add(&up, t);
            histogram_add(&half[k & 1], t);
            histogram_add(&down, from + spans[i] * (100 - k) / 100 * minute);
        }
        histogram_add(&up, FILETIME_NONE);
        histogram_take(&half[1], &half[0]);
        assert_true(up.count <= HISTOGRAM_MAX);
        assert_int_equal(histogram_sum(&up), 101);
        assert_int_equal(up.width, down.width);
        assert_int_equal(up.first, down.first);
        assert_int_equal(up.count, down.count);
        assert_memory_equal(up.counts, down.counts, up.count * sizeof *up.counts);
        assert_int_equal(up.width, half[1].width);
        assert_memory_equal(up.counts, half[1].counts, up.count * sizeof *up.counts);
        assert_true(up.counts[0] && up.counts[up.count - 1]);
        assert_int_equal(up.first, from / up.width);
        histogram_release(&up);
        histogram_release(&down);
        histogram_release(&half[1]);
    }
    struct histogram far = {0};
    histogram_add(&far, 0);
    histogram_add(&far, FILETIME_NONE - 1);
    assert_int_equal(histogram_sum(&far), 2);
    histogram_release(&far);
}

static void addresses_have_a_scope(void **state)
{
    (void)state;
    static const struct {
        const char *address, *scope;
    } rows[] = {
        {"10.0.0.1",                                          "private"      },
        {"9.255.255.255",                                     "public"       },
        {"11.0.0.0",                                          "public"       },
        {"172.15.255.255",                                    "public"       },
        {"172.16.0.0",                                        "private"      },
        {"172.31.255.255",                                    "private"      },
        {"172.32.0.0",                                        "public"       },
        {"192.168.255.1",                                     "private"      },
        {"192.169.0.1",                                       "public"       },
        {"100.64.0.1",                                        "shared"       },
        {"100.128.0.1",                                       "public"       },
        {"127.0.0.1",                                         "loopback"     },
        {"169.254.1.1",                                       "link-local"   },
        {"224.0.0.252",                                       "multicast"    },
        {"239.255.255.250",                                   "multicast"    },
        {"255.255.255.255",                                   "broadcast"    },
        {"240.0.0.1",                                         "reserved"     },
        {"198.19.255.1",                                      "reserved"     },
        {"192.0.2.1",                                         "documentation"},
        {"203.0.113.9",                                       "documentation"},
        {"198.51.100.7",                                      "documentation"},
        {"2001:db8::1",                                       "documentation"},
        {"0:0:0:0:0:ffff:c0a8:0105",                          "private"      },
        {"0.0.0.0",                                           "unspecified"  },
        {"::1",                                               "loopback"     },
        {"::2",                                               "public"       },
        {"::",                                                "unspecified"  },
        {"0:0:0:0:0:0:0:1",                                   "loopback"     },
        {"fe80::1",                                           "link-local"   },
        {"febf::1",                                           "link-local"   },
        {"fec0::1",                                           "public"       },
        {"fd00::1",                                           "private"      },
        {"ff02::fb",                                          "multicast"    },
        {"2001:4860:4860::8888",                              "public"       },
        {"::ffff:10.1.2.3",                                   "private"      },
        {"::ffff:8.8.8.8",                                    "public"       },
        {"",                                                  ""             },
        {"-",                                                 ""             },
        {"10.0.0",                                            ""             },
        {"10.0.0.256",                                        ""             },
        {"www.example.com",                                   ""             },
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa", ""             },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(
            address_scope_name(address_scope(text_from(rows[i].address))),
            rows[i].scope);
    assert_int_equal(address_scope((struct text){"10.0.0.1\0.9", 11}), ADDRESS_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_parsed_and_printed),
        cmocka_unit_test(every_day_has_its_date),
        cmocka_unit_test(guids_are_written_as_windows_does),
        cmocka_unit_test(cells_are_quoted_as_libcsv_does),
        cmocka_unit_test(guids_are_read_in_all_spellings),
        cmocka_unit_test(text_compares_by_ascii_alone),
        cmocka_unit_test(long_texts_are_searched_in_time),
        cmocka_unit_test(utf16_becomes_utf8),
        cmocka_unit_test(maps_keep_what_they_were_given),
        cmocka_unit_test(strings_are_kept_once),
        cmocka_unit_test(bounded_reads_stay_inside),
        cmocka_unit_test(json_escapes_what_a_page_must_not_hold),
        cmocka_unit_test(digests_are_the_known_ones),
        cmocka_unit_test(checksums_are_the_known_ones),
        cmocka_unit_test(a_digester_can_take_one_content_after_another),
        cmocka_unit_test(outputs_appear_together_or_not_at_all),
        cmocka_unit_test(a_report_that_gets_no_names_leaves_the_earlier_one),
        cmocka_unit_test(what_a_killed_run_set_aside_counts),
        cmocka_unit_test(a_write_error_is_told_when_the_file_ends),
        cmocka_unit_test(a_long_file_keeps_what_it_was_given),
        cmocka_unit_test(a_report_that_the_disk_does_not_take_has_no_names),
        cmocka_unit_test(rows_leave_the_sorter_in_order),
        cmocka_unit_test(a_sorter_without_room_says_so),
        cmocka_unit_test(usual_times_are_read_like_any),
        cmocka_unit_test(ranges_cover_each_item_once),
        cmocka_unit_test(problems_join_with_their_texts),
        cmocka_unit_test(problems_know_their_class),
        cmocka_unit_test(problems_are_capped),
        cmocka_unit_test(histograms_do_not_depend_on_order),
        cmocka_unit_test(addresses_have_a_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
