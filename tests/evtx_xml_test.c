/* SPDX-License-Identifier: Apache-2.0
 * libevtx's XML and strings to named fields: what it prints for real records, and what an
 * attacker may have put into a value. Expected fields are written name=value, joined by |. */
#include "evtx/evtx_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

enum { STRINGS = 6 };

static const struct example {
    const char *name;
    const char *data;             /* inside Event, behind System */
    const char *strings[STRINGS]; /* NULL ends them */
    const char *fields;
    bool is_user_data, disagrees;
} examples[] = {
    {"named values",
     "<EventData>\n    <Data Name=\"A\">1</Data>\n    <Data Name=\"B\">x y</Data>\n  "
     "</EventData>",                                                                         {"1", "x y"},
     "A=1|B=x y",                                                                                                                                          false,
     false                                                                                                                                                             },
    {"an empty value",
     "<EventData><Data Name=\"A\"/><Data Name=\"B\">2</Data></EventData>",                   {"", "2"},
     "A=|B=2",                                                                                                                                             false,
     false                                                                                                                                                             },
    {"a value of white space is in the strings alone",
     "<EventData><Data Name=\"A\"/><Data Name=\"B\">2</Data></EventData>",                   {" \n", "2"},
     "A= \n|B=2",                                                                                                                                          false,
     false                                                                                                                                                             },
    {"no name",
     "<EventData><Data>x</Data><Binary>00FF</Binary></EventData>",                           {"x", "00FF"},
     "=x|Binary=00FF",                                                                                                                                     false,
     false                                                                                                                                                             },
    {"the same name twice",
     "<EventData><Data Name=\"A\">1</Data><Data Name=\"A\">2</Data></EventData>",            {"1", "2"},
     "A=1|A=2",                                                                                                                                            false,
     false                                                                                                                                                             },
    {"all entities",
     "<EventData><Data Name=\"A\">&lt;&gt;&amp;&quot;&apos;</Data></EventData>",             {"<>&\"'"},
     "A=<>&\"'",                                                                                                                                           false,
     false                                                                                                                                                             },
    {"entities without strings",
     "<EventData><Data Name=\"A\">&lt;&#65;&#x42;&#13;&amp;lt;</Data></EventData>",          {NULL},
     "A=<AB\r&lt;",                                                                                                                                        false,
     false                                                                                                                                                             },
    {"references that name no character stay",
     "<EventData><Data "
     "Name=\"A\">&#0;&#xd800;&#x110000;&#;&#x;&nope;&</Data></EventData>",                   {NULL},
     "A=&#0;&#xd800;&#x110000;&#;&#x;&nope;&",                                                                                                             false,
     false                                                                                                                                                             },
    {"an entity that was recorded as text",
     "<EventData><Data Name=\"A\">&amp;lt;b&amp;gt;</Data></EventData>",                     {"&lt;b&gt;"},
     "A=&lt;b&gt;",                                                                                                                                        false,
     false                                                                                                                                                             },
    {"control characters and CR stay",
     "<EventData><Data Name=\"A\">a\rb\x01"
     "c\td\n</Data></EventData>",                                                            {"a\rb\x01"
      "c\td\n"},
     "A=a\rb\x01"
     "c\td\n",                                                                                                                                             false,
     false                                                                                                                                                             },
    {"markup in an ANSI value never becomes structure",
     "<EventData><Data Name=\"A\"></Data><Data Name=\"CommandLine\">evil</Data>"
     "<Data Name=\"B\">2</Data></EventData>",                                                {"</Data><Data Name=\"CommandLine\">evil", "2"},
     "A=</Data><Data Name=\"CommandLine\">evil|B=2",                                                                                                       false,
     false                                                                                                                                                             },
    {"a closing tag of everything in an ANSI value",
     "<EventData><Data Name=\"A\"></Data></EventData></Event><Event></Data><Data "
     "Name=\"B\">2</Data></EventData>",                                                      {"</Data></EventData></Event><Event>", "2"},
     "A=</Data></EventData></Event><Event>|B=2",                                                                                                           false,
     false                                                                                                                                                             },
    {"a lone < in an ANSI value",
     "<EventData><Data Name=\"A\">a < b <3 <</Data></EventData>",                            {"a < b <3 <"},
     "A=a < b <3 <",                                                                                                                                       false,
     false                                                                                                                                                             },
    {"a lone < without strings",
     "<EventData><Data Name=\"A\">a < b <3</Data></EventData>",                              {NULL},
     "A=a < b <3",                                                                                                                                         false,
     false                                                                                                                                                             },
    {"an attribute with entities and >",
     "<EventData><Data Name=\"A&lt;&quot;>B\">1</Data></EventData>",                         {"1"},
     "A<\">B=1",                                                                                                                                           false,
     false                                                                                                                                                             },
    {"two views that differ",
     "<EventData><Data Name=\"A\">one</Data></EventData>",                                   {"two"},
     "A=one",                                                                                                                                              false,
     true                                                                                                                                                              },
    {"a string too many",
     "<EventData><Data Name=\"A\">1</Data></EventData>",                                     {"1", "hidden"},
     "A=1",                                                                                                                                                false,
     true                                                                                                                                                              },
    {"user data",
     "<UserData>\n<LogFileCleared xmlns:a=\"x\" xmlns=\"y\">\n<SubjectUserName>bob"
     "</SubjectUserName>\n<Channel>System</Channel>\n<BackupPath/>\n</LogFileCleared>\n"
     "</UserData>",                                                                          {"bob", "System", ""},
     "SubjectUserName=bob|Channel=System|BackupPath=",                                                                                                     true,
     false                                                                                                                                                             },
    {"attributes of user data are values too",
     "<UserData><Install upgrade=\"false\"><Service id=\"7\">S</Service><V>3</V>"
     "</Install></UserData>",                                                                {"false", "7", "S", "3"},
     "Install@upgrade=false|Service@id=7|Service=S|V=3",                                                                                                   true,
     false                                                                                                                                                             },
    {"nested user data",
     "<UserData><T>\n<A>\n<B>1</B>\n<C d=\"2\"/>\n</A>\n</T></UserData>",                    {NULL},
     "A.B=1|A.C@d=2|A.C=",                                                                                                                                 true,
     false                                                                                                                                                             },
    {"rendering info is not data",
     "<RenderingInfo Culture=\"en\"><Message>m</Message></RenderingInfo><EventData>"
     "<Data Name=\"A\">1</Data></EventData>",                                                {"1"},
     "A=1",                                                                                                                                                false,
     false                                                                                                                                                             },
    {"no data",                                         "<EventData/>",                      {NULL},                                          "",          false, false},
    {"cut off",                                         "<EventData><Data Name=\"A\">1</Da", {NULL},                                          "A=1</Da\n", false, false},
    {"an unclosed tag",                                 "<EventData><Data Name=\"A",         {NULL},                                          "",          false, false},
    {"a tag of nothing",
     "<EventData><></><Data Name=\"A\">1</Data>",                                            {"1"},
     "A=1",                                                                                                                                                false,
     false                                                                                                                                                             },
};

#define SYSTEM                                                                         \
 "<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\">\n"           \
 "  <System>\n    <Provider Name=\"P &amp; Q\" Guid=\"{0}\"/>\n"                       \
 "    <EventID Qualifiers=\"16384\">10</EventID>\n    <Version>3</Version>\n"          \
 "    <Level>4</Level>\n    <Task>11</Task>\n    <Opcode>2</Opcode>\n"                 \
 "    <Keywords>0x8000000000000000</Keywords>\n"                                       \
 "    <TimeCreated SystemTime=\"2017-12-26T13:10:29.136879200Z\"/>\n"                  \
 "    <EventRecordID>1742</EventRecordID>\n    <Correlation/>\n"                       \
 "    <Execution ProcessID=\"2284\" ThreadID=\"5252\"/>\n"                             \
 "    <Channel>C/Operational</Channel>\n    <Computer>HOST</Computer>\n"               \
 "    <Security UserID=\"S-1-5-18\"/>\n  </System>\n"

static void read_xml(struct evtx_reading *r, struct arena *arena, const char *data,
                     const char *const *strings)
{
    struct text texts[STRINGS];
    size_t count = 0;
    for (; count < STRINGS && strings[count]; count++)
        texts[count] = text_from(strings[count]);
    *r = (struct evtx_reading){.arena = arena};
    struct text xml = arena_printf(arena, SYSTEM "%s\n</Event>", data);
    evtx_record_xml_read(r, xml, texts, count);
}

static void check_example(void **state)
{
    const struct example *e = *state;
    struct arena arena = {0};
    struct evtx_reading r;
    struct buffer got = {0};
    read_xml(&r, &arena, e->data, e->strings);
    for (size_t i = 0; i < r.field_count; i++)
        buffer_printf(&got, "%s%.*s=%.*s", i ? "|" : "", TEXT(r.fields[i].name),
                      TEXT(r.fields[i].value));
    assert_string_equal(got.ptr ? got.ptr : "", e->fields);
    assert_int_equal(r.is_user_data, e->is_user_data);
    assert_int_equal(r.remark_count > 0, e->disagrees);
    buffer_release(&got);
    arena_release(&arena);
}

static void system_values(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct evtx_reading r;
    read_xml(&r, &arena, "<EventData/>", (const char *const[STRINGS]){NULL});
    const struct evtx_system *s = &r.system;
    assert_true(text_equal(s->provider, TEXT_LITERAL("P & Q")));
    assert_true(text_equal(s->channel, TEXT_LITERAL("C/Operational")));
    assert_true(text_equal(s->computer, TEXT_LITERAL("HOST")));
    assert_true(text_equal(s->user_sid, TEXT_LITERAL("S-1-5-18")));
    assert_int_equal(s->event_id, 10);
    assert_int_equal(s->version, 3);
    assert_int_equal(s->level, 4);
    assert_int_equal(s->task, 11);
    assert_int_equal(s->opcode, 2);
    assert_true(s->keywords == UINT64_C(0x8000000000000000));
    assert_true(s->time_created_filetime == UINT64_C(131587674291368792));
    assert_int_equal(s->record_id, 1742);
    assert_int_equal(s->process_id, 2284);
    assert_int_equal(s->thread_id, 5252);
    arena_release(&arena);
}

static void system_that_is_not_there(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct evtx_reading r = {.arena = &arena};
    evtx_record_xml_read(
        &r,
        TEXT_LITERAL("<Event><System><TimeCreated SystemTime=\"soon\"/>"
                     "<EventRecordID>-1</EventRecordID></System>"),
        NULL, 0);
    assert_true(text_is_absent(r.system.provider));
    assert_true(text_is_absent(r.system.channel));
    assert_true(r.system.record_id == NO_RECORD);
    assert_true(r.system.time_created_filetime == FILETIME_NONE);
    assert_int_equal(r.remarks[0].code, PROBLEM_TIME_UNREADABLE);
    arena_release(&arena);
}

/* Values keep their order and none is invented, however deep and wide the markup is. */
static void system_numbers_are_not_cut(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct evtx_reading r = {.arena = &arena};
    evtx_record_xml_read(
        &r,
        TEXT_LITERAL("<Event><System><EventID>65537</EventID><Level>4</Level>"
                     "<Execution ProcessID=\"4294967296\"/></System>"),
        NULL, 0);
    assert_int_equal(r.system.event_id, 0);
    assert_int_equal(r.system.level, 4);
    assert_int_equal(r.system.process_id, 0);
    assert_int_equal(r.remarks[0].code, PROBLEM_RECORD_DAMAGED);
    arena_release(&arena);
}

static void bombs_are_bounded(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buffer deep = {0}, wide = {0};
    buffer_add_string(&deep, "<UserData><T>");
    for (int i = 0; i < 100000; i++)
        buffer_add_string(&deep, "<a>");
    buffer_add_string(&wide, "<EventData>");
    for (int i = 0; i < 20000; i++)
        buffer_add_string(&wide, "<Data>1</Data>");
    struct evtx_reading r;
    const char *const none[STRINGS] = {NULL};
    read_xml(&r, &arena, deep.ptr, none);
    assert_true(r.remark_count > 0);
    assert_true(r.field_count <= EVTX_XML_DEPTH);
    read_xml(&r, &arena, wide.ptr, none);
    assert_int_equal(r.field_count, EVTX_FIELDS_MAX);
    assert_int_equal(r.remarks[0].code, PROBLEM_RECORD_DAMAGED);
    buffer_release(&deep);
    buffer_release(&wide);
    arena_release(&arena);
}

/* Cut and altered everywhere: no read beyond the end, under the sanitizers. */
static void any_text_may_come(void **state)
{
    (void)state;
    uint32_t random = 3;
    for (size_t e = 0; e < sizeof examples / sizeof *examples; e++) {
        size_t len = strlen(examples[e].data);
        for (size_t i = 0; i < len; i++) {
            struct arena arena = {0};
            struct evtx_reading r = {.arena = &arena};
            char *copy = malloc(i + 1);
            random = random * 1664525 + 1013904223;
            memcpy(copy, examples[e].data, i);
            if (i)
                copy[(random >> 8) % i] = "<>/&\"=;#"[random >> 29];
            evtx_record_xml_read(&r, (struct text){copy, i}, NULL, 0);
            assert_true(r.field_count <= len);
            free(copy);
            arena_release(&arena);
        }
    }
}

/* HexInt as Windows prints it; a string that looks the same stays as recorded. */
static void hex_is_printed_as_windows_does(void **state)
{
    (void)state;
    static const uint8_t hex64[] = {0xe7, 3, 0, 0, 0, 0, 0, 0};
    static const uint8_t hex32[] = {0xff, 0xff, 0x1f, 0};
    static const uint8_t address[] = "0\0x\0000\0000\0000\0000\0000\0001\0";
    static struct evtx_values values = {
        .value = {{EVTX_VALUE_HEX64, true, {hex64, 8}},
                  {EVTX_VALUE_HEX32, true, {hex32, 4}},
                  {EVTX_VALUE_STRING, true, {address, sizeof address - 1}}},
        .count = 3
    };
    struct arena arena = {0};
    struct evtx_field fields[] = {
        {TEXT_LITERAL("LogonId"),       TEXT_LITERAL("0x00000000000003e7")},
        {TEXT_LITERAL("GrantedAccess"), TEXT_LITERAL("0x001fffff")        },
        {TEXT_LITERAL("StartAddress"),  TEXT_LITERAL("0x00000001")        },
    };
    struct evtx_reading r = {.arena = &arena, .fields = fields, .field_count = 3};
    evtx_reading_correct(&r, &values);
    assert_true(text_equal(fields[0].value, TEXT_LITERAL("0x3e7")));
    assert_true(text_equal(fields[1].value, TEXT_LITERAL("0x1fffff")));
    assert_true(text_equal(fields[2].value, TEXT_LITERAL("0x00000001")));
    assert_int_equal(r.remark_count, 0);
    arena_release(&arena);
}

/* Which of two equal texts is the number cannot be told: none is changed. */
static void a_string_like_the_number_stays(void **state)
{
    (void)state;
    static const uint8_t hex32[] = {1, 0, 0, 0};
    static const char string[] = "0\0x\0"
                                 "0\0"
                                 "0\0"
                                 "0\0"
                                 "0\0"
                                 "0\0"
                                 "0\0"
                                 "0\0"
                                 "1";
    static struct evtx_values values = {
        .value = {{EVTX_VALUE_HEX32, true, {hex32, 4}},
                  {EVTX_VALUE_STRING, true, {(const uint8_t *)string, sizeof string}}},
        .count = 2
    };
    struct arena arena = {0};
    struct evtx_field fields[] = {
        {TEXT_LITERAL("GrantedAccess"), TEXT_LITERAL("0x00000001")},
        {TEXT_LITERAL("StartAddress"),  TEXT_LITERAL("0x00000001")},
    };
    struct evtx_reading r = {.arena = &arena, .fields = fields, .field_count = 2};
    evtx_reading_correct(&r, &values);
    assert_true(text_equal(fields[1].value, TEXT_LITERAL("0x00000001")));
    arena_release(&arena);
}

static const struct fault {
    const char *name;
    uint8_t type;
    const char *raw;
    size_t len;
    enum problem_code code; /* PROBLEM_CODES: none */
} faults[] = {
    {"a plain string",    EVTX_VALUE_STRING, "a\0b\0",           4, PROBLEM_CODES             },
    {"trailing NULs",     EVTX_VALUE_STRING, "a\0\0\0\0\0",      6, PROBLEM_CODES             },
    {"an embedded NUL",   EVTX_VALUE_STRING, "a\0\0\0b\0",       6, PROBLEM_VALUE_EMBEDDED_NUL},
    {"a surrogate pair",  EVTX_VALUE_STRING, "\x3d\xd8\x00\xde", 4, PROBLEM_READER_FAULT_KNOWN},
    {"half a pair",       EVTX_VALUE_STRING,
     "\x3d\xd8"
     "a\0",                                                      4, PROBLEM_VALUE_NOT_UTF16   },
    {"the other half",    EVTX_VALUE_STRING, "\x00\xde",         2, PROBLEM_VALUE_NOT_UTF16   },
    {"a byte order mark", EVTX_VALUE_STRING,
     "\xff\xfe"
     "a\0",                                                      4, PROBLEM_READER_FAULT_KNOWN},
    {"a negative Int32",  EVTX_VALUE_INT32,  "\x5f\x80\x04\x80", 4,
     PROBLEM_READER_FAULT_KNOWN                                                               },
    {"a positive Int32",  EVTX_VALUE_INT32,  "\x5f\x80\x04\x00", 4, PROBLEM_CODES             },
    {"a SizeT",           EVTX_VALUE_SIZE,   "\4\0\0\0",         4, PROBLEM_READER_FAULT_KNOWN},
};

static void known_faults_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const struct fault *f = &faults[i];
        static struct evtx_values values;
        struct arena arena = {0};
        struct evtx_reading r = {.arena = &arena};
        values.count = 1;
        values.value[0] = (struct evtx_value){
            f->type, true, {(const uint8_t *)f->raw, f->len}
        };
        evtx_reading_correct(&r, &values);
        size_t expected = f->code == PROBLEM_CODES ? 0 : 1;
        if (r.remark_count != expected)
            print_message("%s\n", f->name);
        assert_int_equal(r.remark_count, expected);
        if (expected)
            assert_int_equal(r.remarks[0].code, f->code);
        arena_release(&arena);
    }
}

int main(void)
{
    enum { CASES = sizeof examples / sizeof *examples };
    struct CMUnitTest tests[CASES + 8] = {
        cmocka_unit_test(system_values),
        cmocka_unit_test(system_that_is_not_there),
        cmocka_unit_test(bombs_are_bounded),
        cmocka_unit_test(system_numbers_are_not_cut),
        cmocka_unit_test(any_text_may_come),
        cmocka_unit_test(hex_is_printed_as_windows_does),
        cmocka_unit_test(a_string_like_the_number_stays),
        cmocka_unit_test(known_faults_are_named),
    };
    for (size_t i = 0; i < CASES; i++)
        tests[i + 8] = (struct CMUnitTest){.name = examples[i].name,
                                           .test_func = check_example,
                                           .initial_state = (void *)&examples[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
