/* SPDX-License-Identifier: Apache-2.0
 * The scenario language itself: what a line becomes, and which lines are refused. */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "validate/scenario.h"
#include "util/bytes.h"
#include "util/filetime.h"

#define HEAD "t0 2026-01-01T00:00:00Z\nlog a.evtx\nhost PC.example machine 0x1\n"

static enum status read_text(struct scenario *scenario, const char *text,
                             struct error *err)
{
    char path[] = "scenario_test.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    size_t len = strlen(text);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
    enum status status = scenario_read(scenario, path, err);
    unlink(path);
    return status;
}

static void read_good(struct scenario *scenario, const char *text)
{
    struct error err = {0};
    if (read_text(scenario, text, &err) != OK)
        fail_msg("%s", err.what);
}

static void assert_field(struct scenario *scenario, size_t number, const char *name,
                         const char *wanted)
{
    struct evtx_record record = scenario_record(scenario, number);
    struct text value = NO_TEXT;
    for (size_t i = 0; i < record.field_count; i++)
        if (text_equal(record.fields[i].name, text_from(name)))
            value = record.fields[i].value;
    if (wanted ? !text_equal(value, text_from(wanted)) : !text_is_absent(value))
        fail_msg("event %zu: %s is \"%.*s\", wanted \"%s\"", number, name, TEXT(value),
                 wanted ? wanted : "(absent)");
}

static void defaults_of_a_process(void **state)
{
    (void)state;
    struct scenario s;
    read_good(&s, HEAD
              "process a pid 10 at +1h2m3.25s image C:\\Windows\\a.exe "
              "User=CORP\\x LogonId=0x12\n"
              "process b pid 11 at ++5s image C:\\b.exe command \"b %x%\" parent a\n"
              "process c pid 12 image C:\\c.exe parent b -ParentUser New=1\n");
    assert_int_equal(s.count, 3);
    struct evtx_record r = scenario_record(&s, 0);
    assert_int_equal(r.system.event_id, 1);
    assert_int_equal(r.system.version, 5);
    assert_int_equal(r.field_count, 23);
    assert_int_equal(r.system.record_id, 1);
    assert_field(&s, 0, "UtcTime", "2026-01-01 01:02:03.250");
    assert_field(&s, 0, "ProcessGuid", "{00000001-C78B-6955-0101-000000000700}");
    assert_field(&s, 0, "ParentProcessGuid", "{00000000-0000-0000-0000-000000000000}");
    assert_field(&s, 0, "ParentImage", "-");
    assert_field(&s, 1, "User", "CORP\\x");
    assert_field(&s, 1, "LogonId", "0x12");
    assert_field(&s, 1, "CommandLine", "b %%x%%");
    assert_field(&s, 1, "ParentProcessGuid", "{00000001-C78B-6955-0101-000000000700}");
    assert_field(&s, 1, "ParentProcessId", "10");
    assert_field(&s, 1, "UtcTime", "2026-01-01 01:02:08.250");
    assert_field(&s, 2, "ParentCommandLine", "b %x%");
    assert_field(&s, 2, "ParentUser", NULL);
    assert_field(&s, 2, "New", "1");
    scenario_release(&s);
}

static void layouts_and_aliases(void **state)
{
    (void)state;
    struct scenario s;
    read_good(&s, HEAD "process a pid 1 at +0s image a seq 2 guid token\n"
                       "process b pid 2 image b parent a/plain\n"
                       "process c pid 3 image c parent a/startkey guid null\n"
                       "process d pid 4 image d parent a guid "
                       "{00000000-0000-0000-0000-00000000000a}\n");
    assert_field(&s, 0, "ProcessGuid", "{00000001-B900-6955-0000-00106A100500}");
    assert_field(&s, 1, "ParentProcessGuid", "{00000001-B900-6955-6A10-050000000000}");
    assert_field(&s, 2, "ParentProcessGuid", "{00000001-B900-6955-0200-000000000700}");
    assert_field(&s, 2, "ProcessGuid", "{00000000-0000-0000-0000-000000000000}");
    assert_field(&s, 3, "ParentProcessGuid", "{00000001-B900-6955-0000-00106A100500}");
    assert_field(&s, 3, "ProcessGuid", "{00000000-0000-0000-0000-00000000000A}");
    scenario_release(&s);
}

static void schemas_choose_the_fields(void **state)
{
    static const struct {
        const char *schema;
        size_t fields;
        const char *rule_name;
    } rows[] = {
        {"3.30", 16, NULL},
        {"4.00", 20, NULL},
        {"4.10", 21, ""  },
        {"4.21", 22, "-" },
        {"4.80", 23, "-" },
        {"4.90", 23, "-" }
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scenario s;
        struct buffer text = {0};
        buffer_printf(&text,
                      HEAD "host PC.example schema %s\nprocess a pid 1 image a\n",
                      rows[i].schema);
        read_good(&s, text.ptr);
        assert_int_equal(s.events[0].value_count, rows[i].fields);
        assert_field(&s, 0, "RuleName", rows[i].rule_name);
        scenario_release(&s);
        buffer_release(&text);
    }
}

/* Every id of Sysmon can be told, and spells its fields as Sysmon does. */
static void every_event_id(void **state)
{
    (void)state;
    struct scenario s;
    read_good(&s, HEAD "known a pid 1 image C:\\a.exe\n"
                       "repeat 29 i\nevent $(i+1) process a source a target a\ndone\n"
                       "event 255 ID=QUEUE\n");
    assert_int_equal(s.count, 30);
    for (size_t i = 0; i < 29; i++)
        assert_int_equal(s.events[i].system.event_id, i + 1);
    assert_field(&s, 7, "SourceProcessGuid", "{00000001-B900-6955-0101-000000000700}");
    assert_field(&s, 9, "TargetProcessGUID", "{00000001-B900-6955-0101-000000000700}");
    assert_field(&s, 9, "SourceProcessGuid", NULL);
    assert_field(&s, 14, "Hash", "-");
    assert_int_equal(s.events[29].system.level, 2);
    scenario_release(&s);
}

static void values_and_escapes(void **state)
{
    (void)state;
    struct scenario s;
    read_good(&s, HEAD
              "known a pid 1 image C:\\a.exe\n"
              "event 11 process a TargetFilename=\"C:\\new \\r 'x'\"\n"
              "event 11 process a TargetFilename='\"q\" '\n"
              "event 11 process a "
              "TargetFilename=e\"\\\\\\\"\\r\\n\\t\\u{202e}\\u{d800}\\u{1f600}b\\0\"\n"
              "event 11 process a TargetFilename:u32=7 # a comment\n");
    assert_field(&s, 0, "TargetFilename", "C:\\new \\r 'x'");
    assert_field(&s, 1, "TargetFilename", "\"q\" ");
    assert_field(&s, 2, "TargetFilename",
                 "\\\"\r\n\t\u202e\xef\xbf\xbd\U0001f600"
                 "b");
    static const uint16_t units[] = {'\\',   '"',    '\r',   '\n', '\t', 0x202e,
                                     0xd800, 0xd83d, 0xde00, 'b',  0};
    const struct scenario_value *value = &s.events[2].values[5];
    assert_int_equal(value->utf16.len, sizeof units);
    for (size_t i = 0; i < sizeof units / 2; i++)
        assert_int_equal(bytes_u16(value->utf16, 2 * i), units[i]);
    assert_int_equal(s.events[3].values[5].type, SCENARIO_UINT32);
    scenario_release(&s);
}

static void ids_times_and_headers(void **state)
{
    (void)state;
    struct scenario s;
    read_good(
        &s,
        "t0 2026-01-01T00:00:00Z\nlog a.evtx ids 100 export\n"
        "host PC.example skew 2s\nknown a pid 1 image a\n"
        "end a at +1s\nend a at -1d id 200\n"
        "end a at +1m logged +2m written 2020-02-02T00:00:00Z version 9 sid S-1-5-7\n"
        "log b.evtx\nend a at +3s header 9\n");
    static const uint64_t ids[] = {100, 200, 201, 1}, headers[] = {1, 2, 3, 9};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(s.events[i].system.record_id, ids[i]);
        assert_int_equal(s.events[i].header_id, headers[i]);
    }
    uint64_t t0, written;
    assert_true(filetime_parse(TEXT_LITERAL("2026-01-01T00:00:00Z"), &t0));
    assert_true(filetime_parse(TEXT_LITERAL("2020-02-02T00:00:00Z"), &written));
    assert_int_equal(s.events[0].system.time_created_filetime,
                     t0 + 3 * FILETIME_SECOND);
    assert_int_equal(s.events[1].system.time_created_filetime,
                     t0 - 86398 * FILETIME_SECOND);
    assert_int_equal(s.events[2].system.time_created_filetime,
                     t0 + 120 * FILETIME_SECOND);
    assert_int_equal(s.events[2].header_filetime, written);
    assert_int_equal(s.events[2].system.version, 9);
    assert_true(text_equal(s.events[2].system.user_sid, TEXT_LITERAL("S-1-5-7")));
    scenario_release(&s);
}

static void sorted_logs(void **state)
{
    (void)state;
    struct scenario s;
    read_good(
        &s,
        "t0 2026-01-01T00:00:00Z\nlog a.evtx ids 5 sorted\nhost PC.example\n"
        "known a pid 1 image a\nknown b pid 2 image b\nknown c pid 3 image c\n"
        "end a at +9s\nlog z.evtx\nend a\nlog a.evtx\nend b at +1s\nend c at +9s\n");
    static const char *const pids[] = {"2", "1", "1", "3"};
    static const uint64_t ids[] = {5, 1, 6, 7};
    for (size_t i = 0; i < 4; i++) {
        assert_field(&s, i, "ProcessId", pids[i]);
        assert_int_equal(s.events[i].system.record_id, ids[i]);
    }
    scenario_release(&s);
}

static void blocks(void **state)
{
    (void)state;
    struct scenario s;
    read_good(&s,
              HEAD "for pc who in A anna B bert\nrepeat 2 i\n"
                   "process $pc-$i pid $(i*10+7) image C:\\$who\\$$.exe\ndone\ndone\n"
                   "process last pid 1 image C:\\$who$(i)\n");
    static const char *const images[] = {"C:\\anna\\$$.exe", "C:\\anna\\$$.exe",
                                         "C:\\bert\\$$.exe", "C:\\bert\\$$.exe",
                                         "C:\\$who$(i)"};
    static const char *const pids[] = {"7", "17", "7", "17", "1"};
    assert_int_equal(s.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_field(&s, i, "Image", images[i]);
        assert_field(&s, i, "ProcessId", pids[i]);
    }
    scenario_release(&s);
}

static void other_providers(void **state)
{
    (void)state;
    struct scenario s;
    read_good(&s, HEAD "record 104 provider P channel System userdata LogFileCleared "
                       "SubjectUserName=x Count:u16=3\n");
    struct evtx_record r = scenario_record(&s, 0);
    assert_true(r.is_user_data);
    assert_true(text_equal(r.system.provider, TEXT_LITERAL("P")));
    assert_true(text_equal(r.system.channel, TEXT_LITERAL("System")));
    assert_int_equal(r.field_count, 2);
    assert_true(text_is_absent(s.events[0].provider_guid));
    scenario_release(&s);
}

/* A slip of the pen is an error with its line, never a silent default. */
static void what_is_refused(void **state)
{
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {HEAD "proces a pid 1 image a\n",                        "line 4: not a statement"   },
        {HEAD "process a pid 1\n",                               "line 4: a process needs"   },
        {HEAD "process a pid x image a\n",                       "line 4: not a number"      },
        {HEAD "process a pid 1 image a parent b\n",              "line 4: no such process"   },
        {HEAD "process a pid 1 image a colour red\n",            "line 4: not an option"     },
        {HEAD "process a pid 1 image a at soon\n",               "line 4: not a time"        },
        {HEAD "process a pid 1 image a at +5x\n",                "line 4: not a time"        },
        {HEAD "process a pid 1 image \"a\n",                     "line 4: a quote"           },
        {HEAD "process a pid 1 image a guid new\n",              "line 4: not a layout"      },
        {HEAD "process a pid 1 image a ProcessId=99999999999\n", "line 4: not a value"       },
        {HEAD "event 30\n",                                      "line 4: Sysmon has no"     },
        {HEAD "event 3 process\n",                               "line 4: a value is missing"},
        {HEAD "event 3 Initiated=maybe\n",                       "line 4: not a value"       },
        {HEAD "event 3 Initiated:thing=1\n",                     "line 4: not a type"        },
        {HEAD "\nrepeat 2 i\nend a\n",                           "line 5: no done"           },
        {HEAD "repeat 1 i\nend $(i/0)\ndone\n",                  "line 5: not an expression" },
        {HEAD "for a b in x y z\ndone\n",                        "line 4: for NAME"          },
        {HEAD "done now\n",                                      "line 4: not a statement"   },
        {"t0 soon\n",                                            "line 1: not a time"        },
        {"host PC schema 5\n",                                   "line 1: not a schema"      },
        {"host PC\nprocess a pid 1 image a\n",                   "line 2: log and host"      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scenario s;
        struct error err = {0};
        if (read_text(&s, rows[i].text, &err) != FAILED)
            fail_msg("was accepted: %s", rows[i].text);
        if (!strstr(err.what, rows[i].wanted))
            fail_msg("\"%s\", wanted \"%s\"", err.what, rows[i].wanted);
    }
    struct scenario s;
    struct error err = {0};
    assert_int_equal(scenario_read(&s, "no/such.scenario", &err), FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_of_a_process),
        cmocka_unit_test(layouts_and_aliases),
        cmocka_unit_test(schemas_choose_the_fields),
        cmocka_unit_test(every_event_id),
        cmocka_unit_test(values_and_escapes),
        cmocka_unit_test(ids_times_and_headers),
        cmocka_unit_test(sorted_logs),
        cmocka_unit_test(blocks),
        cmocka_unit_test(other_providers),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests_name("scenario", tests, NULL, NULL);
}
