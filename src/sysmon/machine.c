/* SPDX-License-Identifier: Apache-2.0 */
#include "sysmon/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/filetime.h"
#include "util/memory.h"

#define SMALL_CHANGE_100NS (2 * FILETIME_SECOND)

const char *machine_kind_name(enum machine_kind kind)
{
    static const char *const names[MACHINE_KINDS] = {
        [MACHINE_BOOT] = "boot",
        [MACHINE_BOOT_LATER] = "boot",
        [MACHINE_DIRTY_BOOT] = "unclean boot",
        [MACHINE_UNEXPECTED] = "unexpected shutdown",
        [MACHINE_SHUTDOWN] = "shutdown",
        [MACHINE_SHUTDOWN_ASKED] = "shutdown asked for",
        [MACHINE_SHUTDOWN_BEGUN] = "shutdown begun",
        [MACHINE_SLEEP] = "sleep",
        [MACHINE_WAKE] = "wake",
        [MACHINE_UPTIME] = "uptime",
        [MACHINE_CLOCK_SET] = "clock set",
        [MACHINE_SENSOR_STOPPED] = "sensor stopped",
        [MACHINE_SENSOR_STARTED] = "sensor started",
        [MACHINE_SENSOR_CHANGED] = "sensor changed",
        [MACHINE_LOG_STOPPED] = "event log stopped",
        [MACHINE_LOG_STARTED] = "event log started",
        [MACHINE_LOG_SERVICE] = "event log",
        [MACHINE_RENAMED] = "renamed",
    };
    return names[kind];
}

/* What a record's own fields add; false: it is none of those after all. */
typedef bool detail(struct machine_event *e, const struct evtx_record *record,
                    struct buffer *words);

static struct text data(const struct evtx_record *record, size_t i)
{
    return i < record->field_count ? evtx_record_value(record, i) : NO_TEXT;
}

static struct text field(const struct evtx_record *record, const char *name)
{
    return evtx_record_field(record, text_from(name));
}

static bool names_its_values(const struct evtx_record *record)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (!text_is_empty(evtx_record_name(record, i)))
            return true;
    return false;
}

/* Templates of some providers name their values param1, param2; others name none. */
static struct text param(const struct evtx_record *record, unsigned number)
{
    char name[16];
    snprintf(name, sizeof name, "param%u", number);
    return names_its_values(record) ? field(record, name) : data(record, number - 1);
}

static void add_field(struct buffer *words, const char *before, struct text value)
{
    if (!text_is_empty(value))
        buffer_printf(words, "%s%.*s", before, TEXT(value));
}

/* --- details */

static bool unexpected(struct machine_event *e, const struct evtx_record *record,
                       struct buffer *words)
{
    (void)e;
    add_field(words, " at ", data(record, 0));
    add_field(words, " on ", data(record, 1));
    buffer_add_string(words, " (the machine's own time zone)");
    return true;
}

static bool uptime(struct machine_event *e, const struct evtx_record *record,
                   struct buffer *words)
{
    (void)e;
    add_field(words, ": seconds ", data(record, 4));
    return true;
}

static bool renamed(struct machine_event *e, const struct evtx_record *record,
                    struct buffer *words)
{
    (void)e;
    add_field(words, " from ", data(record, 0));
    add_field(words, " to ", data(record, 1));
    return true;
}

static bool start_time(struct machine_event *e, const struct evtx_record *record,
                       struct buffer *words)
{
    (void)e;
    add_field(words, ", by its StartTime ", field(record, "StartTime"));
    add_field(words, ", by its StopTime ", field(record, "StopTime"));
    return true;
}

static bool slept(struct machine_event *e, const struct evtx_record *record,
                  struct buffer *words)
{
    struct text since = field(record, "SleepTime");
    if (!filetime_parse(since, &e->since_filetime) || e->since_filetime > e->filetime)
        e->since_filetime = FILETIME_NONE;
    add_field(words, " from ", since);
    add_field(words, " to ", field(record, "WakeTime"));
    return true;
}

/* The least is the daily work of the time service. */
static bool clock_set(struct machine_event *e, const struct evtx_record *record,
                      struct buffer *words)
{
    struct text old = field(record, "OldTime"), new = field(record, "NewTime");
    uint64_t before, after;
    (void)e;
    if (text_is_absent(old))
        old = field(record, "PreviousTime");
    if (!text_is_absent(old) && text_equal(old, new))
        return false;
    if (filetime_parse(old, &before) && filetime_parse(new, &after) &&
        (before > after ? before - after : after - before) <= SMALL_CHANGE_100NS)
        return false;
    add_field(words, " from ", old);
    add_field(words, " to ", new);
    add_field(words, ", by account ", field(record, "SubjectUserName"));
    add_field(words, ", by ", field(record, "ProcessName"));
    return true;
}

static bool shutdown_asked(struct machine_event *e, const struct evtx_record *record,
                           struct buffer *words)
{
    (void)e;
    add_field(words, ": ", param(record, 5));
    add_field(words, ", by ", param(record, 1));
    add_field(words, ", account ", param(record, 7));
    add_field(words, ", reason ", param(record, 3));
    return true;
}

bool machine_is_sensor(struct text service)
{
    static const char *const names[] = {"Sysmon", "Sysmon64", "Sysmon64a", "SysmonDrv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_equal_fold(service, text_from(names[i])))
            return true;
    return false;
}

static bool is_sensors_image(struct text path)
{
    return text_contains_fold(path, TEXT_LITERAL("\\sysmon.exe")) ||
           text_contains_fold(path, TEXT_LITERAL("\\sysmon64.exe")) ||
           text_contains_fold(path, TEXT_LITERAL("\\sysmon64a.exe")) ||
           text_ends_with_fold(path, TEXT_LITERAL("sysmondrv.sys"));
}

static bool service_ended(struct machine_event *e, const struct evtx_record *record,
                          struct buffer *words)
{
    struct text name = param(record, 1);
    (void)e;
    add_field(words, ": ", name);
    return machine_is_sensor(name);
}

static bool service_state(struct machine_event *e, const struct evtx_record *record,
                          struct buffer *words)
{
    struct text name = param(record, 1), state = param(record, 2);
    if (text_equal_fold(state, TEXT_LITERAL("running")))
        e->kind = MACHINE_SENSOR_STARTED;
    else if (!text_equal_fold(state, TEXT_LITERAL("stopped")))
        e->kind = MACHINE_SENSOR_CHANGED; /* another language's word, or in between */
    add_field(words, ": ", name);
    add_field(words, " ", state);
    return machine_is_sensor(name);
}

static bool start_type(struct machine_event *e, const struct evtx_record *record,
                       struct buffer *words)
{
    struct text name = param(record, 1), key = param(record, 4);
    (void)e;
    add_field(words, ": ", name);
    add_field(words, " from ", param(record, 2));
    add_field(words, " to ", param(record, 3));
    return machine_is_sensor(name) || machine_is_sensor(key);
}

static bool installed(struct machine_event *e, const struct evtx_record *record,
                      struct buffer *words)
{
    struct text name = field(record, "ServiceName"), path = field(record, "ImagePath");
    (void)e;
    add_field(words, ": ", name);
    add_field(words, ", ", path);
    return machine_is_sensor(name) || is_sensors_image(path);
}

static bool filter(struct machine_event *e, const struct evtx_record *record,
                   struct buffer *words)
{
    struct text name = field(record, "DeviceName");
    (void)e;
    add_field(words, ": ", name);
    return machine_is_sensor(name);
}

static bool backed_up(struct machine_event *e, const struct evtx_record *record,
                      struct buffer *words)
{
    (void)e;
    add_field(words, ": ", field(record, "Channel"));
    add_field(words, " to ", field(record, "BackupPath"));
    return true;
}

/* --- the table */

#define SYSTEM   "System"
#define SECURITY "Security"
#define KERNEL   "Microsoft-Windows-Kernel-General"
#define POWER    "Microsoft-Windows-Kernel-Power"
#define EVENTLOG "Microsoft-Windows-Eventlog"
#define AUDIT    "Microsoft-Windows-Security-Auditing"
#define SERVICES "Service Control Manager"

/* The event log service writes 6005, 6006, 6008 and 6009 as it starts and stops, with Windows
 * or without it: whether Windows started is told by its kernel (12, 41) and by 4608 alone.
 *
 * Sources: Microsoft's message tables and audit documentation (Windows Server event
 * reference; "Audit Security State Change", "Basic Service Operations"), checked against
 * public System and Security logs where those hold the event. */
static const struct rule {
    uint16_t id;
    const char *provider, *channel;
    enum machine_kind kind;
    const char *words;
    detail *detail;
} rules[] = {
    {1,    KERNEL,                                   SYSTEM,   MACHINE_CLOCK_SET,      "the system time was changed",        clock_set    },
    {12,   KERNEL,                                   SYSTEM,   MACHINE_BOOT,           "Windows started",                    start_time   },
    {13,   KERNEL,                                   SYSTEM,   MACHINE_SHUTDOWN,       "Windows is shutting down",           start_time   },
    {41,   POWER,                                    SYSTEM,   MACHINE_DIRTY_BOOT,
     "Windows started without having been shut down before",                                                                 NULL         },
    {42,   POWER,                                    SYSTEM,   MACHINE_SLEEP,          "the system is going to sleep",       NULL         },
    {107,  POWER,                                    SYSTEM,   MACHINE_WAKE,           "the system resumed from sleep",      NULL         },
    {109,  POWER,                                    SYSTEM,   MACHINE_SHUTDOWN_BEGUN, "the kernel began to shut down",      NULL         },
    {506,  POWER,                                    SYSTEM,   MACHINE_SLEEP,          "the system entered modern standby",  NULL         },
    {507,  POWER,                                    SYSTEM,   MACHINE_WAKE,           "the system left modern standby",     NULL         },
    {1,    "Microsoft-Windows-Power-Troubleshooter", SYSTEM,   MACHINE_WAKE,
     "the system returned from sleep",                                                                                       slept        },
    {6005, "EventLog",                               SYSTEM,   MACHINE_LOG_STARTED,    "the event log service was started",
     NULL                                                                                                                                 },
    {6006, "EventLog",                               SYSTEM,   MACHINE_LOG_STOPPED,    "the event log service was stopped",
     NULL                                                                                                                                 },
    {6008, "EventLog",                               SYSTEM,   MACHINE_UNEXPECTED,     "the shutdown before was unexpected",
     unexpected                                                                                                                           },
    {6009, "EventLog",                               SYSTEM,   MACHINE_LOG_STARTED,
     "the version of Windows at its start",                                                                                  NULL         },
    {6011, "EventLog",                               SYSTEM,   MACHINE_RENAMED,        "the machine was renamed",            renamed      },
    {6013, "EventLog",                               SYSTEM,   MACHINE_UPTIME,         "the time since the start",           uptime       },
    {1074, "User32",                                 SYSTEM,   MACHINE_SHUTDOWN_ASKED, "a shutdown was asked for",
     shutdown_asked                                                                                                                       },
    {1075, "User32",                                 SYSTEM,   MACHINE_SHUTDOWN_ASKED,
     "the shutdown that was asked for was called off",                                                                       NULL         },
    {7031, SERVICES,                                 SYSTEM,   MACHINE_SENSOR_STOPPED,
     "a service ended unexpectedly and is started again",                                                                    service_ended},
    {7034, SERVICES,                                 SYSTEM,   MACHINE_SENSOR_STOPPED, "a service ended unexpectedly",
     service_ended                                                                                                                        },
    {7036, SERVICES,                                 SYSTEM,   MACHINE_SENSOR_STOPPED, "a service changed its state",
     service_state                                                                                                                        },
    {7040, SERVICES,                                 SYSTEM,   MACHINE_SENSOR_CHANGED,
     "the start type of a service was changed",                                                                              start_type   },
    {7045, SERVICES,                                 SYSTEM,   MACHINE_SENSOR_CHANGED, "a service was installed",
     installed                                                                                                                            },
    {1,    "Microsoft-Windows-FilterManager",        SYSTEM,   MACHINE_SENSOR_STOPPED,
     "a file system filter was unloaded",                                                                                    filter       },
    {6,    "Microsoft-Windows-FilterManager",        SYSTEM,   MACHINE_SENSOR_STARTED,
     "a file system filter was loaded",                                                                                      filter       },
    {105,  EVENTLOG,                                 SYSTEM,   MACHINE_LOG_SERVICE,    "a log was full and was put aside",
     backed_up                                                                                                                            },
    {1100, EVENTLOG,                                 SECURITY, MACHINE_LOG_SERVICE,
     "the event logging service has shut down",                                                                              NULL         },
    {1101, EVENTLOG,                                 SECURITY, MACHINE_LOG_SERVICE,
     "audit events were dropped by the transport",                                                                           NULL         },
    {1104, EVENTLOG,                                 SECURITY, MACHINE_LOG_SERVICE,    "the Security log is full",           NULL         },
    {1105, EVENTLOG,                                 SECURITY, MACHINE_LOG_SERVICE,    "a log was full and was put aside",
     backed_up                                                                                                                            },
    {4608, AUDIT,                                    SECURITY, MACHINE_BOOT_LATER,     "Windows is starting up",             NULL         },
    {4616, AUDIT,                                    SECURITY, MACHINE_CLOCK_SET,      "the system time was changed",
     clock_set                                                                                                                            },
};

static const struct rule *rule_of(const struct evtx_system *system)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].id == system->event_id &&
            text_equal_fold(system->provider, text_from(rules[i].provider)) &&
            text_equal_fold(system->channel, text_from(rules[i].channel)))
            return &rules[i];
    return NULL;
}

static bool makes_intervals(enum machine_kind kind)
{
    switch (kind) {
    case MACHINE_BOOT:
    case MACHINE_BOOT_LATER:
    case MACHINE_DIRTY_BOOT:
    case MACHINE_SHUTDOWN:
    case MACHINE_SHUTDOWN_BEGUN:
    case MACHINE_SLEEP:
    case MACHINE_WAKE:
    case MACHINE_SENSOR_STOPPED:
    case MACHINE_SENSOR_STARTED:
    case MACHINE_LOG_STOPPED:
    case MACHINE_LOG_STARTED: return true;
    default: return false;
    }
}

static void keep(struct machine_events *m, struct machine_event *e,
                 const struct buffer *words, struct arena *arena)
{
    bool is_end = makes_intervals((enum machine_kind)e->kind);
    if (is_end ? m->ends == MACHINE_ENDS_MAX
               : m->count - m->ends == MACHINE_EVENTS_MAX) {
        m->more++;
        return;
    }
    m->ends += is_end;
    const struct machine_event *last = m->count ? &m->items[m->count - 1] : NULL;
    e->computer = last && text_equal(last->computer, e->computer)
                      ? last->computer
                      : arena_copy(arena, e->computer);
    e->channel = last && text_equal(last->channel, e->channel)
                     ? last->channel
                     : arena_copy(arena, e->channel);
    e->words = arena_copy(arena, buffer_text(words));
    ARRAY_GROW(m->items, m->count, m->capacity);
    m->items[m->count++] = *e;
}

void machine_events_add(struct machine_events *m, const struct evtx_record *record,
                        struct arena *arena)
{
    const struct evtx_system *system = &record->system;
    const struct rule *rule = rule_of(system);
    if (!rule || record->state == RECORD_POSITIONAL || system->record_id == NO_RECORD ||
        system->time_created_filetime == FILETIME_NONE)
        return;
    struct machine_event e = {.filetime = system->time_created_filetime,
                              .since_filetime = FILETIME_NONE,
                              .record_id = system->record_id,
                              .offset = record->offset,
                              .computer = system->computer,
                              .channel = system->channel,
                              .event_id = system->event_id,
                              .kind = (uint8_t)rule->kind,
                              .state = (uint8_t)record->state};
    struct buffer words = {0};
    buffer_add_string(&words, rule->words);
    if (!rule->detail || rule->detail(&e, record, &words)) {
        buffer_printf(&words, " (%s %u)", rule->provider, rule->id);
        keep(m, &e, &words, arena);
    }
    buffer_release(&words);
}

void machine_events_release(struct machine_events *m)
{
    free(m->items);
    *m = (struct machine_events){0};
}
