/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "tests/test.h"

#include "sysmon/sysmon.h"

#define PROVIDER "Microsoft-Windows-Sysmon"
#define CHANNEL  "Microsoft-Windows-Sysmon/Operational"

static const struct evidence_log a_log = {
    .path = {"a.evtx", 6},
      .evidence = {"e",      1}
};

static struct evtx_record record_of(uint16_t id, const struct evtx_field *fields,
                                    size_t count)
{
    return (struct evtx_record){
        .offset = 4608,
        .system = {.provider = TEXT_LITERAL(PROVIDER),
                   .channel = TEXT_LITERAL(CHANNEL),
                   .computer = TEXT_LITERAL("PC"),
                   .event_id = id,
                   .record_id = 7,
                   .time_created_filetime = FILETIME_UNIX},
        .fields = fields,
        .field_count = count
    };
}

#define FIELD(name, value)                                                             \
 {                                                                                     \
  TEXT_LITERAL(name), TEXT_LITERAL(value)                                              \
 }

/* The lists as the public records and Microsoft's manifests have them: an independent
 * copy, so that a slip in fields.def shows. */
static const struct {
    uint16_t id;
    const char *category, *fields;
} layouts[] = {
    {1,   "process_creation",
     "RuleName UtcTime ProcessGuid ProcessId Image FileVersion Description Product "
     "Company "
     "OriginalFileName CommandLine CurrentDirectory User LogonGuid LogonId "
     "TerminalSessionId IntegrityLevel Hashes ParentProcessGuid ParentProcessId "
     "ParentImage "
     "ParentCommandLine ParentUser"                                                              },
    {2,   "file_change",
     "RuleName UtcTime ProcessGuid ProcessId Image TargetFilename CreationUtcTime "
     "PreviousCreationUtcTime User"                                                              },
    {3,   "network_connection",
     "RuleName UtcTime ProcessGuid ProcessId Image User Protocol Initiated "
     "SourceIsIpv6 "
     "SourceIp SourceHostname SourcePort SourcePortName DestinationIsIpv6 "
     "DestinationIp "
     "DestinationHostname DestinationPort DestinationPortName"                                   },
    {4,   "sysmon_status",            "UtcTime State Version SchemaVersion"                      },
    {5,   "process_termination",      "RuleName UtcTime ProcessGuid ProcessId Image User"        },
    {6,   "driver_load",
     "RuleName UtcTime ImageLoaded Hashes Signed Signature SignatureStatus"                      },
    {7,   "image_load",
     "RuleName UtcTime ProcessGuid ProcessId Image ImageLoaded FileVersion Description "
     "Product Company OriginalFileName Hashes Signed Signature SignatureStatus User"             },
    {8,   "create_remote_thread",
     "RuleName UtcTime SourceProcessGuid SourceProcessId SourceImage TargetProcessGuid "
     "TargetProcessId TargetImage NewThreadId StartAddress StartModule StartFunction "
     "SourceUser TargetUser"                                                                     },
    {9,   "raw_access_thread",
     "RuleName UtcTime ProcessGuid ProcessId Image Device User"                                  },
    {10,  "process_access",
     "RuleName UtcTime SourceProcessGUID SourceProcessId SourceThreadId SourceImage "
     "TargetProcessGUID TargetProcessId TargetImage GrantedAccess CallTrace SourceUser "
     "TargetUser"                                                                                },
    {11,  "file_event",
     "RuleName UtcTime ProcessGuid ProcessId Image TargetFilename CreationUtcTime "
     "User"                                                                                      },
    {12,  "registry_event",
     "RuleName EventType UtcTime ProcessGuid ProcessId Image TargetObject User"                  },
    {13,  "registry_set",
     "RuleName EventType UtcTime ProcessGuid ProcessId Image TargetObject Details "
     "User"                                                                                      },
    {14,  "registry_rename",
     "RuleName EventType UtcTime ProcessGuid ProcessId Image TargetObject NewName "
     "User"                                                                                      },
    {15,  "create_stream_hash",
     "RuleName UtcTime ProcessGuid ProcessId Image TargetFilename CreationUtcTime Hash "
     "Contents User"                                                                             },
    {16,  "sysmon_status",            "UtcTime Configuration ConfigurationFileHash"              },
    {17,  "pipe_created",
     "RuleName EventType UtcTime ProcessGuid ProcessId PipeName Image User"                      },
    {18,  "pipe_created",
     "RuleName EventType UtcTime ProcessGuid ProcessId PipeName Image User"                      },
    {19,  "wmi_event",
     "RuleName EventType UtcTime Operation User EventNamespace Name Query"                       },
    {20,  "wmi_event",
     "RuleName EventType UtcTime Operation User Name Type Destination"                           },
    {21,  "wmi_event",                "RuleName EventType UtcTime Operation User Consumer Filter"},
    {22,  "dns_query",
     "RuleName UtcTime ProcessGuid ProcessId QueryName QueryStatus QueryResults Image "
     "User"                                                                                      },
    {23,  "file_delete",
     "RuleName UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes "
     "IsExecutable "
     "Archived"                                                                                  },
    {24,  "clipboard_capture",
     "RuleName UtcTime ProcessGuid ProcessId Image Session ClientInfo Hashes Archived "
     "User"                                                                                      },
    {25,  "process_tampering",        "RuleName UtcTime ProcessGuid ProcessId Image Type User"   },
    {26,  "file_delete_detected",
     "RuleName UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes "
     "IsExecutable"                                                                              },
    {27,  "file_block_executable",
     "RuleName UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes"                   },
    {28,  "file_block_shredding",
     "RuleName UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes "
     "IsExecutable"                                                                              },
    {29,  "file_executable_detected",
     "RuleName UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes"                   },
    {255, "sysmon_error",             "UtcTime ID Description"                                   },
};

enum { LAYOUTS = sizeof layouts / sizeof *layouts, FIELDS_MAX = 32 };

static size_t split(const char *names, struct evtx_field *fields)
{
    size_t count = 0;
    while (*names) {
        size_t len = strcspn(names, " ");
        fields[count++] = (struct evtx_field){
            {names, len},
            {names, len}
        };
        names += len + (names[len] == ' ');
    }
    return count;
}

/* Every field is found, in the record's order and in the reverse, with its own value. */
static void finds_every_field_of_every_event(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYOUTS; i++) {
        struct evtx_field fields[FIELDS_MAX], reversed[FIELDS_MAX];
        size_t count = split(layouts[i].fields, fields);
        for (size_t f = 0; f < count; f++)
            reversed[count - 1 - f] = fields[f];
        const struct evtx_field *const both[] = {fields, reversed};
        for (int turn = 0; turn < 2; turn++) {
            struct evtx_record record = record_of(layouts[i].id, both[turn], count);
            struct sysmon_event event;
            assert_true(sysmon_event_from_record(&event, &record, &a_log));
            assert_int_equal(event.unknown_fields, 0);
            for (size_t f = 0; f < count; f++) {
                enum sysmon_field field = sysmon_field_find(fields[f].name);
                assert_true(text_equal(sysmon_value(&event, field), fields[f].value));
                assert_true(sysmon_event_has_field(layouts[i].id, field));
            }
        }
        assert_string_equal(sysmon_event_category(layouts[i].id), layouts[i].category);
        assert_string_not_equal(sysmon_event_name(layouts[i].id), "Sysmon event");
    }
}

/* What the table lists for an event is in the copy above, but for the old schemas' fields. */
static void has_no_field_that_events_lack(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYOUTS; i++)
        for (int field = 0; field < SYSMON_FIELDS; field++) {
            const char *name = sysmon_field_name((enum sysmon_field)field);
            bool old = strcmp(name, "SequenceNumber") == 0 ||
                       strcmp(name, "HashType") == 0 || strcmp(name, "Hash") == 0;
            char wanted[64], list[1024];
            snprintf(wanted, sizeof wanted, " %s ", name);
            snprintf(list, sizeof list, " %s ", layouts[i].fields);
            for (char *guid; (guid = strstr(list, "GUID "));)
                memcpy(guid, "Guid", 4);
            if (sysmon_event_has_field(layouts[i].id, (enum sysmon_field)field) && !old)
                if (!strstr(list, wanted))
                    fail_msg("event %u has no %s", layouts[i].id, name);
        }
}

static void finds_a_field_whose_schema_leaves_others_out(void **state)
{
    static const struct evtx_field fields[] = {
        FIELD("UtcTime", "2026-01-01 00:00:00.250"), FIELD("ProcessId", "12"),
        FIELD("Image", "a.exe"), FIELD("CommandLine", "a"), FIELD("ParentUser", "-")};
    struct evtx_record record = record_of(1, fields, 5);
    struct sysmon_event event;
    (void)state;
    assert_true(sysmon_event_from_record(&event, &record, &a_log));
    assert_true(
        text_equal(sysmon_value(&event, SYSMON_CommandLine), TEXT_LITERAL("a")));
    assert_true(text_equal(sysmon_value(&event, SYSMON_ParentUser), TEXT_LITERAL("-")));
    assert_true(text_is_absent(sysmon_value(&event, SYSMON_RuleName)));
    assert_int_equal(sysmon_pid(&event, SYSMON_ProcessId), 12);
    assert_int_equal(event.utc_filetime, UINT64_C(134116992002500000));
    assert_int_equal(event.created_filetime, FILETIME_UNIX);
}

static void keeps_the_first_of_a_repeated_name(void **state)
{
    static const struct evtx_field fields[] = {FIELD("Image", "first"),
                                               FIELD("Image", "second")};
    struct evtx_record record = record_of(5, fields, 2);
    struct sysmon_event event;
    (void)state;
    assert_true(sysmon_event_from_record(&event, &record, &a_log));
    assert_true(text_equal(sysmon_value(&event, SYSMON_Image), TEXT_LITERAL("first")));
}

static void counts_what_the_table_lacks(void **state)
{
    static const struct evtx_field some[] = {FIELD("image", "x"), FIELD("New", "y"),
                                             FIELD("", "z"), FIELD("Image", "i")};
    static struct evtx_field many[300];
    struct sysmon_event event;
    struct evtx_record record = record_of(5, some, 4);
    (void)state;
    assert_true(sysmon_event_from_record(&event, &record, &a_log));
    assert_int_equal(event.unknown_fields, 3);
    for (size_t i = 0; i < 300; i++)
        many[i] = (struct evtx_field){TEXT_LITERAL("Unknown"), TEXT_LITERAL("")};
    many[254].name = TEXT_LITERAL("Image");
    many[255].name = TEXT_LITERAL("User");
    record = record_of(5, many, 300);
    assert_true(sysmon_event_from_record(&event, &record, &a_log));
    assert_false(text_is_absent(sysmon_value(&event, SYSMON_Image)));
    assert_true(text_is_absent(sysmon_value(&event, SYSMON_User)));
    assert_int_equal(event.unknown_fields, 299);
}

static void selects_by_provider_and_channel(void **state)
{
    static const struct {
        const char *provider, *channel;
        bool selected;
    } rows[] = {
        {PROVIDER,                     CHANNEL,           true },
        {"MICROSOFT-WINDOWS-SYSMON",   CHANNEL,           true },
        {PROVIDER,                     "ForwardedEvents", true },
        {PROVIDER,                     "Application",     false},
        {PROVIDER "X",                 CHANNEL,           false},
        {"Microsoft-Windows-Eventlog", CHANNEL,           false},
        {NULL,                         CHANNEL,           false},
        {PROVIDER,                     NULL,              false}
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct evtx_record record = record_of(1, NULL, 0);
        struct sysmon_event event;
        record.system.provider = text_from(rows[i].provider);
        record.system.channel = text_from(rows[i].channel);
        assert_int_equal(sysmon_event_from_record(&event, &record, &a_log),
                         rows[i].selected);
    }
}

static void reads_numbers(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
        uint32_t pid;
    } rows[] = {
        {"0",                   true,  0,          0          },
        {"4294967294",          true,  4294967294, 4294967294 },
        {"4294967295",          true,  4294967295, PID_UNKNOWN},
        {"0x1FFFFF",            true,  0x1fffff,   0x1fffff   },
        {"0Xa",                 true,  10,         10         },
        {"0x",                  false, 0,          PID_UNKNOWN},
        {"0x10000000000000000", false, 0,          PID_UNKNOWN},
        {"12 ",                 false, 0,          PID_UNKNOWN},
        {"-",                   false, 0,          PID_UNKNOWN},
        {"",                    false, 0,          PID_UNKNOWN},
        {NULL,                  false, 0,          PID_UNKNOWN}
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct evtx_field field = {TEXT_LITERAL("ProcessId"), text_from(rows[i].text)};
        struct evtx_record record = record_of(5, &field, 1);
        struct sysmon_event event;
        uint64_t value = 0;
        assert_true(sysmon_event_from_record(&event, &record, &a_log));
        assert_int_equal(sysmon_number(&event, SYSMON_ProcessId, &value), rows[i].good);
        if (rows[i].good)
            assert_int_equal(value, rows[i].value);
        assert_int_equal(sysmon_pid(&event, SYSMON_ProcessId), rows[i].pid);
    }
}

static void reads_guids_of_processes(void **state)
{
    static const struct evtx_field fields[] = {
        FIELD("SourceProcessGUID", "{365ABB72-0A80-6956-0000-00105C2A0100}"),
        FIELD("TargetProcessGUID", "{00000000-0000-0000-0000-000000000000}")};
    struct evtx_record record = record_of(10, fields, 2);
    struct sysmon_event event;
    struct guid guid;
    (void)state;
    assert_true(sysmon_event_from_record(&event, &record, &a_log));
    assert_true(sysmon_guid(&event, SYSMON_SourceProcessGuid, &guid));
    struct process_guid_parts parts = process_guid_parts(&guid);
    assert_int_equal(parts.machine_id, 0x365abb72);
    assert_int_equal(parts.start_unix, 0x69560a80);
    assert_int_equal(parts.key, UINT64_C(0x00012a5c10000000));
    assert_false(sysmon_guid(&event, SYSMON_TargetProcessGuid, &guid));
    assert_true(guid_is_null(&guid));
}

static void times_that_are_none_give_way_to_the_logged_time(void **state)
{
    static const struct evtx_field field = FIELD("UtcTime", "Incorrect filetime: 0x1");
    struct evtx_record record = record_of(5, &field, 1);
    struct sysmon_event event;
    (void)state;
    assert_true(sysmon_event_from_record(&event, &record, &a_log));
    assert_int_equal(event.utc_filetime, FILETIME_NONE);
    assert_int_equal(sysmon_event_filetime(&event), FILETIME_UNIX);
    struct place place = sysmon_event_place(&event);
    assert_int_equal(place.offset, 4608);
    assert_int_equal(place.record_id, 7);
}

static void knows_what_sysmon_writes_for_missing(void **state)
{
    (void)state;
    assert_true(sysmon_text_is_missing(NO_TEXT));
    assert_true(sysmon_text_is_missing(TEXT_LITERAL("")));
    assert_true(sysmon_text_is_missing(TEXT_LITERAL("-")));
    assert_true(sysmon_text_is_missing(TEXT_LITERAL("?")));
    assert_false(sysmon_text_is_missing(TEXT_LITERAL(" ")));
    assert_false(sysmon_text_is_missing(TEXT_LITERAL("--")));
}

static void tells_clearings_from_namesakes(void **state)
{
    static const struct {
        uint16_t id;
        const char *provider, *channel, *cleared; /* NULL: no clearing */
    } rows[] = {
        {104,  "Microsoft-Windows-Eventlog",                        "System",          "X/Operational"},
        {1102, "Microsoft-Windows-Eventlog",                        "Security",        "Security"     },
        {104,  "Microsoft-Windows-Eventlog",                        "ForwardedEvents", "X/Operational"},
        {104,  "Microsoft-Windows-Eventlog",                        "Security",        NULL           },
        {1102, "Microsoft-Windows-Eventlog",                        "System",          NULL           },
        {104,  "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS", "System",          NULL           },
        {105,  "Microsoft-Windows-Eventlog",                        "System",          NULL           }
    };
    static const struct evtx_field fields[] = {FIELD("SubjectUserName", "u"),
                                               FIELD("Channel", "X/Operational")};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct evtx_record record = record_of(rows[i].id, fields, 2);
        struct log_clearing clearing;
        record.system.provider = text_from(rows[i].provider);
        record.system.channel = text_from(rows[i].channel);
        bool is_one = log_clearing_from_record(&clearing, &record);
        assert_int_equal(is_one, rows[i].cleared != NULL);
        if (is_one)
            assert_true(text_equal(clearing.channel, text_from(rows[i].cleared)));
    }
}

/* Whose account the record names; where it names none, whose the record is. */
static void tells_who_cleared_a_log(void **state)
{
    static const struct evtx_field fields[] = {FIELD("SubjectUserName", "u"),
                                               FIELD("SubjectUserSid", "S-1-5-21-1")};
    (void)state;
    for (size_t count = 1; count <= 2; count++) {
        struct evtx_record record = record_of(104, fields, count);
        struct log_clearing clearing;
        record.system.provider = TEXT_LITERAL("Microsoft-Windows-Eventlog");
        record.system.channel = TEXT_LITERAL("System");
        record.system.user_sid = TEXT_LITERAL("S-1-5-18");
        assert_true(log_clearing_from_record(&clearing, &record));
        assert_true(text_equal(clearing.user, TEXT_LITERAL("u")));
        assert_true(text_equal(clearing.user_sid,
                               text_from(count == 2 ? "S-1-5-21-1" : "S-1-5-18")));
    }
}

/* Two remembered in turn, and one that is not numbered: as without remembering. */
static void a_remembered_layout_is_the_same(void **state)
{
    const struct text one[] = {TEXT_LITERAL("UtcTime"), TEXT_LITERAL("Image"),
                               TEXT_LITERAL("Novelty")},
                      two[] = {TEXT_LITERAL("Image"), TEXT_LITERAL("UtcTime"),
                               TEXT_LITERAL("User")};
    const struct evtx_layout layouts_of[] = {
        {7,   3, one},
        {900, 3, two},
        {7,   3, one},
        {0,   3, two},
        {900, 3, two}
    };
    struct sysmon_layouts remembered = {0};
    (void)state;
    for (size_t i = 0; i < sizeof layouts_of / sizeof *layouts_of; i++) {
        struct evtx_cell cells[] = {
            {"2026-01-01 00:00:00.000", 23, EVTX_TEXT, 0},
            {"C:\\a.exe",               8,  EVTX_TEXT, 0},
            {"x",                       1,  EVTX_TEXT, 0}
        };
        struct evtx_record record = record_of(5, NULL, 3);
        record.layout = &layouts_of[i];
        record.cells = cells;
        struct sysmon_event fast, slow;
        assert_true(sysmon_event_read(&remembered, &fast, &record, &a_log));
        assert_true(sysmon_event_from_record(&slow, &record, &a_log));
        assert_memory_equal(fast.slot, slow.slot, sizeof fast.slot);
        assert_int_equal(fast.unknown_fields, slow.unknown_fields);
        assert_int_equal(fast.unknown_fields, layouts_of[i].id == 7);
        assert_int_equal(fast.utc_filetime, slow.utc_filetime);
    }
    assert_true(remembered.count > 900);
    sysmon_layouts_release(&remembered);
}

static void fields_without_names_are_no_event(void **state)
{
    struct evtx_record record = record_of(1, NULL, 0);
    struct sysmon_event event;
    (void)state;
    record.state = RECORD_POSITIONAL;
    assert_false(sysmon_event_from_record(&event, &record, &a_log));
    assert_true(sysmon_may_be(&record.system));
    record.system.provider = NO_TEXT;
    assert_true(sysmon_may_be(&record.system));
    record.system.provider = TEXT_LITERAL("Service Control Manager");
    assert_false(sysmon_may_be(&record.system));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_field_of_every_event),
        cmocka_unit_test(has_no_field_that_events_lack),
        cmocka_unit_test(finds_a_field_whose_schema_leaves_others_out),
        cmocka_unit_test(keeps_the_first_of_a_repeated_name),
        cmocka_unit_test(counts_what_the_table_lacks),
        cmocka_unit_test(selects_by_provider_and_channel),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(reads_guids_of_processes),
        cmocka_unit_test(times_that_are_none_give_way_to_the_logged_time),
        cmocka_unit_test(knows_what_sysmon_writes_for_missing),
        cmocka_unit_test(tells_clearings_from_namesakes),
        cmocka_unit_test(tells_who_cleared_a_log),
        cmocka_unit_test(a_remembered_layout_is_the_same),
        cmocka_unit_test(fields_without_names_are_no_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
