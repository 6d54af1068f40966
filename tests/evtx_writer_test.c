/* SPDX-License-Identifier: Apache-2.0
 * Every scenario of the tree becomes logs, and the logs are read back twice: on the bytes,
 * against what holds in logs of Windows (doc/formats.md), and through libevtx. */
#include "tests/test.h"

#include <dirent.h>
#include <libdeflate.h>
#include <libevtx.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "validate/evtx_writer.h"
#include "util/bytes.h"
#include "util/filetime.h"
#include "util/guid.h"
#include "util/memory.h"

enum { SCENARIOS_MAX = 64, LIBEVTX_RECORDS_MAX = 1500 };

/* Where one event of the scenario is expected. */
struct cursor {
    const struct scenario *scenario;
    struct text log;
    size_t at;
};

static const struct scenario_event *next_event(struct cursor *c)
{
    while (c->at < c->scenario->count) {
        const struct scenario_event *event = &c->scenario->events[c->at++];
        if (text_equal(event->log, c->log))
            return event;
    }
    return NULL;
}

static struct bytes bytes_of(const struct buffer *b)
{
    return (struct bytes){(const uint8_t *)b->ptr, b->len};
}

static uint32_t crc(struct bytes b, size_t from, size_t len, uint32_t start)
{
    return libdeflate_crc32(start, b.ptr + from, len);
}

/* --- on the bytes */

static void check_file_header(struct bytes file, uint64_t max_id)
{
    size_t chunks = (file.len - EVTX_HEADER_SIZE) / EVTX_CHUNK_SIZE;
    assert_true(bytes_equal_at(file, 0, "ElfFile", 8));
    assert_int_equal(file.len, EVTX_HEADER_SIZE + chunks * EVTX_CHUNK_SIZE);
    assert_int_equal(bytes_u64(file, 8), 0);
    assert_int_equal(bytes_u64(file, 16), chunks - 1);
    assert_int_equal(bytes_u64(file, 24), max_id + 1);
    assert_int_equal(bytes_u32(file, 32), 128);
    assert_int_equal(bytes_u16(file, 42), (uint16_t)chunks);
    assert_int_equal(bytes_u32(file, 120), 0);
    assert_int_equal(bytes_u32(file, 124), crc(file, 0, 120, 0));
}

static uint32_t name_hash(struct bytes chunk, size_t at, size_t units)
{
    uint32_t h = 0;
    for (size_t i = 0; i < units; i++)
        h = h * 65599 + bytes_u16(chunk, at + 2 * i);
    return h;
}

/* Every chain of the chunk header's table ends, runs backwards and holds right hashes. */
static void check_names(struct bytes chunk)
{
    for (size_t bucket = 0; bucket < 64; bucket++)
        for (uint32_t at = bytes_u32(chunk, 128 + 4 * bucket); at;) {
            uint16_t hash = bytes_u16(chunk, at + 4), units = bytes_u16(chunk, at + 6);
            assert_true(at >= 512 && at < bytes_u32(chunk, 48));
            assert_int_equal(hash, name_hash(chunk, at + 8, units) & 0xffff);
            assert_int_equal(hash % 64, bucket);
            assert_int_equal(bytes_u16(chunk, at + 8 + 2 * units), 0);
            uint32_t next = bytes_u32(chunk, at);
            assert_true(next < at);
            at = next;
        }
}

static size_t count_templates(struct bytes chunk)
{
    size_t count = 0;
    for (size_t bucket = 0; bucket < 32; bucket++)
        for (uint32_t at = bytes_u32(chunk, 384 + 4 * bucket); at; count++) {
            uint32_t size = bytes_u32(chunk, at + 20), next = bytes_u32(chunk, at);
            assert_true(at >= 512 && at < bytes_u32(chunk, 48));
            assert_int_equal(name_hash(chunk, at + 4, 8) % 32, bucket);
            assert_int_equal(bytes_u32(chunk, at + 24), 0x0001010f);
            assert_int_equal(bytes_u8(chunk, at + 24 + size - 1), 0);
            assert_true(next < at);
            at = next;
        }
    return count;
}

struct instance { /* of a template */
    size_t count, descriptors, values, end;
    bool is_resident;
};

static struct instance read_instance(struct bytes chunk, size_t at)
{
    struct instance in = {0};
    assert_int_equal(bytes_u32(chunk, at), 0x0001010f);
    assert_int_equal(bytes_u16(chunk, at + 4), 0x010c);
    uint32_t id = bytes_u32(chunk, at + 6), definition = bytes_u32(chunk, at + 10);
    at += 14;
    assert_true(definition >= 512 && definition <= at);
    assert_int_equal(bytes_u32(chunk, definition + 4), id);
    in.is_resident = definition == at;
    if (in.is_resident)
        at += 24 + bytes_u32(chunk, at + 20);
    in.count = bytes_u32(chunk, at);
    in.descriptors = at + 4;
    in.values = in.end = in.descriptors + 4 * in.count;
    for (size_t i = 0; i < in.count; i++) {
        in.end += bytes_u16(chunk, in.descriptors + 4 * i);
        assert_int_equal(bytes_u8(chunk, in.descriptors + 4 * i + 3), 0);
    }
    return in;
}

static struct bytes value_of(struct bytes chunk, const struct instance *in,
                             size_t index, uint8_t *type)
{
    size_t at = in->values;
    for (size_t i = 0; i < index; i++)
        at += bytes_u16(chunk, in->descriptors + 4 * i);
    *type = bytes_u8(chunk, in->descriptors + 4 * index + 2);
    return bytes_slice(chunk, at, bytes_u16(chunk, in->descriptors + 4 * index));
}

static uint64_t number_of(struct bytes chunk, const struct instance *in, size_t index)
{
    uint8_t type;
    struct bytes b = value_of(chunk, in, index, &type);
    return b.len == 1   ? bytes_u8(b, 0)
           : b.len == 2 ? bytes_u16(b, 0)
           : b.len == 4 ? bytes_u32(b, 0)
                        : bytes_u64(b, 0);
}

/* Does a value that is no string lie there as its text says? */
static bool is_same_value(const struct scenario_value *value, struct bytes b)
{
    struct guid guid;
    char text[64];
    switch (value->type) {
    case SCENARIO_STRING:
        return b.len == value->utf16.len && memcmp(b.ptr, value->utf16.ptr, b.len) == 0;
    case SCENARIO_GUID:
        return b.len == 16 && guid_parse(value->text, &guid) &&
               memcmp(guid.bytes, b.ptr, 16) == 0;
    case SCENARIO_UINT16: snprintf(text, sizeof text, "%u", bytes_u16(b, 0)); break;
    case SCENARIO_UINT32: snprintf(text, sizeof text, "%u", bytes_u32(b, 0)); break;
    case SCENARIO_HEX32: snprintf(text, sizeof text, "0x%x", bytes_u32(b, 0)); break;
    case SCENARIO_HEX64:
        snprintf(text, sizeof text, "0x%llx", (unsigned long long)bytes_u64(b, 0));
        break;
    case SCENARIO_BOOL:
        snprintf(text, sizeof text, "%s", bytes_u32(b, 0) ? "true" : "false");
        break;
    case SCENARIO_SID: return b.len == 8 + 4 * (size_t)bytes_u8(b, 1);
    }
    return text_equal(text_from(text), value->text);
}

static void check_payload(struct bytes chunk, const struct instance *inner,
                          const struct scenario_event *event)
{
    static const uint8_t types[] = {0x01, 0x0f, 0x06, 0x08, 0x14, 0x15, 0x0d, 0x13};
    assert_int_equal(inner->count, event->value_count);
    for (size_t i = 0; i < inner->count; i++) {
        uint8_t type;
        struct bytes value = value_of(chunk, inner, i, &type);
        assert_int_equal(type, types[event->values[i].type]);
        if (!is_same_value(&event->values[i], value))
            fail_msg("line %u: %.*s differs", event->line, TEXT(event->values[i].name));
    }
}

static size_t check_record(struct bytes chunk, size_t at,
                           const struct scenario_event *event, size_t *residents)
{
    size_t size = bytes_u32(chunk, at + 4);
    assert_int_equal(bytes_u32(chunk, at), 0x00002a2a);
    assert_int_equal(size % 8, 0);
    assert_int_equal(bytes_u32(chunk, at + size - 4), size);
    assert_int_equal(bytes_u64(chunk, at + 8), event->header_id);
    assert_int_equal(bytes_u64(chunk, at + 16), event->header_filetime);
    struct instance outer = read_instance(chunk, at + 24);
    assert_int_equal(outer.count, 18);
    assert_int_equal(number_of(chunk, &outer, 3), event->system.event_id);
    assert_int_equal(number_of(chunk, &outer, 6), event->system.time_created_filetime);
    assert_int_equal(number_of(chunk, &outer, 10), event->system.record_id);
    assert_int_equal(number_of(chunk, &outer, 11), event->system.version);
    uint8_t type;
    struct bytes payload = value_of(chunk, &outer, 17, &type);
    assert_int_equal(type, 0x21);
    struct instance inner = read_instance(chunk, (size_t)(payload.ptr - chunk.ptr));
    check_payload(chunk, &inner, event);
    assert_int_equal(inner.end + 1, outer.end); /* its end token */
    assert_true(at + size - 4 - outer.end >= 1 && at + size - 4 - outer.end <= 8);
    *residents += outer.is_resident + inner.is_resident;
    return size;
}

static void check_chunk(struct bytes chunk, struct cursor *expected, uint64_t *max_id)
{
    size_t at = 512, last = 0, count = 0, residents = 0;
    uint32_t free_space = bytes_u32(chunk, 48);
    assert_true(free_space <= EVTX_CHUNK_SIZE - 8);
    assert_true(bytes_equal_at(chunk, 0, "ElfChnk", 8));
    assert_int_equal(bytes_u32(chunk, 52), crc(chunk, 512, free_space - 512, 0));
    assert_int_equal(bytes_u32(chunk, 124),
                     crc(chunk, 128, 384, crc(chunk, 0, 120, 0)));
    while (at < free_space) {
        const struct scenario_event *event = next_event(expected);
        assert_non_null(event);
        last = at;
        assert_int_equal(event->header_id, bytes_u64(chunk, 24) + count++);
        at += check_record(chunk, at, event, &residents);
        *max_id = event->header_id;
    }
    assert_int_equal(at, free_space);
    assert_int_equal(bytes_u32(chunk, 44), last);
    assert_int_equal(bytes_u64(chunk, 16) - bytes_u64(chunk, 8) + 1, count);
    assert_int_equal(bytes_u64(chunk, 32) - bytes_u64(chunk, 24) + 1, count);
    check_names(chunk);
    assert_int_equal(count_templates(chunk), residents);
}

static void check_bytes(const struct scenario *scenario, struct text log,
                        struct bytes file)
{
    struct cursor expected = {scenario, log, 0};
    uint64_t max_id = 0;
    for (size_t at = EVTX_HEADER_SIZE; at < file.len; at += EVTX_CHUNK_SIZE)
        check_chunk(bytes_slice(file, at, EVTX_CHUNK_SIZE), &expected, &max_id);
    assert_null(next_event(&expected));
    check_file_header(file, max_id);
}

/* --- through libevtx */

/* libevtx pads hexadecimal numbers, ends strings at a NUL, and loses what follows a lone
 * surrogate: its presentation and its known faults, not the log's. */
static void check_libevtx_value(const struct scenario_value *value, const char *given,
                                unsigned line)
{
    struct text wanted = value->text;
    if (value->type == SCENARIO_HEX32 || value->type == SCENARIO_HEX64) {
        char digits[32];
        snprintf(digits, sizeof digits, "%.*s", TEXT(wanted));
        assert_int_equal(strtoull(given, NULL, 16), strtoull(digits, NULL, 16));
        return;
    }
    const char *nul = memchr(wanted.ptr, '\0', wanted.len);
    wanted.len = nul ? (size_t)(nul - wanted.ptr) : wanted.len;
    if (memmem(wanted.ptr, wanted.len, "\xef\xbf\xbd", 3))
        return;
    if (!text_equal(text_from(given), wanted))
        fail_msg("line %u: %.*s: libevtx gives \"%s\"", line, TEXT(value->name), given);
}

static void check_libevtx_values(libevtx_record_t *record,
                                 const struct scenario_event *event)
{
    int count = 0;
    assert_int_equal(libevtx_record_get_number_of_strings(record, &count, NULL), 1);
    assert_int_equal(count, event->value_count);
    for (int i = 0; i < count; i++) {
        size_t size = 0;
        assert_true(libevtx_record_get_utf8_string_size(record, i, &size, NULL) >= 0);
        char *given = memory_get_zeroed(size + 1, 1);
        if (size)
            assert_int_equal(
                libevtx_record_get_utf8_string(record, i, (uint8_t *)given, size, NULL),
                1);
        check_libevtx_value(&event->values[i], given, event->line);
        free(given);
    }
}

static void check_xml_has(const char *xml, const char *open, struct text value,
                          const char *close)
{
    struct buffer wanted = {0};
    buffer_printf(&wanted, "%s%.*s%s", open, TEXT(value), close);
    if (!strstr(xml, wanted.ptr))
        fail_msg("not in the XML: %s", wanted.ptr);
    buffer_release(&wanted);
}

/* Names stand in the XML alone, in the order of the values. */
static void check_xml_names(const char *xml, const struct scenario_event *event)
{
    bool is_user_data = !text_is_absent(event->user_data);
    for (size_t i = 0; i < event->value_count; i++) {
        struct buffer wanted = {0};
        buffer_printf(&wanted, is_user_data ? "<%.*s" : "<Data Name=\"%.*s\"",
                      TEXT(event->values[i].name));
        xml = strstr(xml, wanted.ptr);
        if (!xml)
            fail_msg("not in the XML, or not in order: %s", wanted.ptr);
        xml += wanted.len;
        buffer_release(&wanted);
    }
}

static void check_libevtx_xml(libevtx_record_t *record,
                              const struct scenario_event *event)
{
    size_t size = 0;
    assert_int_equal(libevtx_record_get_utf8_xml_string_size(record, &size, NULL), 1);
    char *xml = memory_get_zeroed(size + 1, 1), number[24], time[FILETIME_TEXT_MAX];
    assert_int_equal(
        libevtx_record_get_utf8_xml_string(record, (uint8_t *)xml, size, NULL), 1);
    const struct evtx_system *system = &event->system;
    snprintf(number, sizeof number, "%llu", (unsigned long long)system->record_id);
    check_xml_has(xml, "<EventRecordID>", text_from(number), "</EventRecordID>");
    check_xml_has(xml, "<Computer>", system->computer, "</Computer>");
    check_xml_has(xml, "<Channel>", system->channel, "</Channel>");
    check_xml_has(xml, "Name=\"", system->provider, "\"");
    check_xml_has(xml, "UserID=\"", system->user_sid, "\"");
    struct text t =
        filetime_format(time, system->time_created_filetime, FILETIME_REPORT);
    check_xml_has(xml, "SystemTime=\"", text_slice(t, 0, t.len - 1), "");
    check_xml_names(xml, event);
    free(xml);
}

static void check_libevtx(const struct scenario *scenario, struct text log,
                          struct bytes file)
{
    char path[] = "evtx_writer_test.XXXXXX";
    int fd = mkstemp(path), count = 0;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file.ptr, file.len), (ssize_t)file.len);
    close(fd);
    libevtx_file_t *evtx = NULL;
    assert_int_equal(libevtx_file_initialize(&evtx, NULL), 1);
    assert_int_equal(
        libevtx_file_open(evtx, path, libevtx_get_access_flags_read(), NULL), 1);
    unlink(path);
    assert_int_equal(libevtx_file_is_corrupted(evtx, NULL), 0);
    assert_int_equal(libevtx_file_get_number_of_records(evtx, &count, NULL), 1);
    struct cursor expected = {scenario, log, 0};
    const struct scenario_event *event;
    int i = 0;
    for (; (event = next_event(&expected)); i++) {
        libevtx_record_t *record = NULL;
        if (i >= LIBEVTX_RECORDS_MAX && i < count - 10)
            continue;
        assert_int_equal(libevtx_file_get_record_by_index(evtx, i, &record, NULL), 1);
        if (text_is_absent(event->user_data))
            check_libevtx_values(record, event);
        check_libevtx_xml(record, event);
        libevtx_record_free(&record, NULL);
    }
    assert_int_equal(i, count);
    libevtx_file_close(evtx, NULL);
    libevtx_file_free(&evtx, NULL);
}

/* --- the tests: one for each scenario file */

static void read_back(void **state)
{
    struct scenario scenario;
    struct error err = {0};
    if (scenario_read(&scenario, *state, &err) != OK)
        fail_msg("%s", err.what);
    assert_true(scenario.count > 0);
    for (size_t i = 0; i < scenario.count; i++) {
        struct buffer file = {0}, again = {0};
        struct text log = scenario.events[i].log;
        if (i > 0 && text_equal(log, scenario.events[i - 1].log))
            continue;
        if (!evtx_writer_is_first_of_log(&scenario, i))
            continue;
        assert_int_equal(evtx_write_log(&scenario, log, 0, &file, &err), OK);
        assert_int_equal(evtx_write_log(&scenario, log, 0, &again, &err), OK);
        assert_int_equal(file.len, again.len);
        assert_memory_equal(file.ptr, again.ptr, file.len);
        check_bytes(&scenario, log, bytes_of(&file));
        check_libevtx(&scenario, log, bytes_of(&file));
        buffer_release(&file);
        buffer_release(&again);
    }
    scenario_release(&scenario);
}

static int is_scenario(const struct dirent *entry)
{
    return text_ends_with_fold(text_from(entry->d_name), TEXT_LITERAL(".scenario"));
}

static size_t add_folder(struct CMUnitTest *tests, size_t count, const char *folder)
{
    struct buffer path = {0};
    const char *top = getenv("srcdir");
    buffer_printf(&path, "%s/%s", top ? top : ".", folder);
    struct dirent **entries;
    int n = scandir(path.ptr, &entries, is_scenario, alphasort);
    for (int i = 0; i < n; i++) {
        struct buffer file = {0};
        buffer_printf(&file, "%s/%s", path.ptr, entries[i]->d_name);
        if (count < SCENARIOS_MAX)
            tests[count++] =
                (struct CMUnitTest){.name = memory_copy_string(entries[i]->d_name),
                                    .test_func = read_back,
                                    .initial_state = file.ptr};
        else
            buffer_release(&file);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    buffer_release(&path);
    return count;
}

/* An event that is too large, and a value that is no SID, are refused, not cut. */
static void what_cannot_be_written(void **state)
{
    (void)state;
    static uint8_t units[70000];
    struct scenario_value value = {
        .name = TEXT_LITERAL("CommandLine"),
        .type = SCENARIO_STRING,
        .text = TEXT_LITERAL("x"),
        .utf16 = {units, sizeof units}
    };
    struct scenario_event event = {
        .system = {.provider = TEXT_LITERAL("p"),
                   .channel = TEXT_LITERAL("c"),
                   .computer = TEXT_LITERAL("pc"),
                   .user_sid = TEXT_LITERAL("S-1-5-18")},
        .values = &value,
        .value_count = 1,
        .header_id = 1
    };
    struct evtx_writer w = {0};
    struct error err = {0};
    assert_int_equal(evtx_writer_add(&w, &event, &err), FAILED);
    evtx_writer_release(&w);
    value.utf16.len = 63600;
    assert_int_equal(evtx_writer_add(&w, &event, &err), FAILED);
    evtx_writer_release(&w);
    value.utf16.len = 62000;
    assert_int_equal(evtx_writer_add(&w, &event, &err), OK);
    event.system.user_sid = TEXT_LITERAL("nobody");
    event.header_id = 2;
    assert_int_equal(evtx_writer_add(&w, &event, &err), FAILED);
    evtx_writer_release(&w);
}

/* A record that does not fit leaves nothing in the tables of the chunk it leaves. */
static void what_does_not_fit_goes_into_the_next_chunk(void **state)
{
    (void)state;
    static uint8_t units[60000];
    struct scenario_value values[2] = {
        {.name = TEXT_LITERAL("CommandLine"),     .utf16 = {units, 9000}        },
        {.name = TEXT_LITERAL("SeenNowhereElse"), .utf16 = {units, sizeof units}}
    };
    struct scenario_event events[5];
    struct scenario scenario = {.events = events, .count = 5};
    struct text log = TEXT_LITERAL("a.evtx");
    for (size_t i = 0; i < 5; i++)
        events[i] = (struct scenario_event){
            .log = log,
            .user_data = i == 3 ? TEXT_LITERAL("Odd") : NO_TEXT,
            .values = &values[i == 3],
            .value_count = 1,
            .header_id = i + 1,
            .system = {.provider = TEXT_LITERAL("p"),
                       .channel = TEXT_LITERAL("c"),
                       .computer = TEXT_LITERAL("pc"),
                       .user_sid = TEXT_LITERAL("S-1-5-18")}
        };
    struct buffer file = {0};
    struct error err = {0};
    assert_int_equal(evtx_write_log(&scenario, log, 0, &file, &err), OK);
    assert_int_equal(file.len, EVTX_HEADER_SIZE + 3 * EVTX_CHUNK_SIZE);
    check_bytes(&scenario, log, bytes_of(&file));
    buffer_release(&file);
}

static void flags_reach_the_header(void **state)
{
    (void)state;
    struct evtx_writer w = {.flags = 1};
    struct buffer file = {0};
    evtx_writer_finish(&w, &file);
    assert_int_equal(file.len, EVTX_HEADER_SIZE);
    assert_int_equal(bytes_u32(bytes_of(&file), 120), 1);
    assert_int_equal(bytes_u32(bytes_of(&file), 124), crc(bytes_of(&file), 0, 120, 0));
    buffer_release(&file);
}

int main(void)
{
    static struct CMUnitTest tests[SCENARIOS_MAX + 3];
    size_t count = add_folder(tests, 0, "tests/scenarios");
    count = add_folder(tests, count, "samples/scenarios");
    size_t files = count;
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(what_cannot_be_written);
    tests[count++] =
        (struct CMUnitTest)cmocka_unit_test(what_does_not_fit_goes_into_the_next_chunk);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(flags_reach_the_header);
    int failed = files < 19
                     ? 1
                     : _cmocka_run_group_tests("evtx_writer", tests, count, NULL, NULL);
    if (files < 19)
        printf("1..1\nnot ok 1 - scenario files are found\n");
    for (size_t i = 0; i < files; i++) {
        free((void *)tests[i].name);
        free(tests[i].initial_state);
    }
    return failed;
}
