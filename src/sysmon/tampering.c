/* SPDX-License-Identifier: Apache-2.0 */
#include "sysmon/tampering.h"

#include <inttypes.h>
#include <stdlib.h>

#include "sysmon/machine.h"
#include "util/memory.h"

enum { WORDS_MAX = 6 };

/* An administrator's daily work, so told at a lower grade. */
static const char CONFIGURES[] = "gives Sysmon another configuration";

/* A program, by the name of its image, and what its command line must hold besides: one of
 * the verbs and, unless it is Sysmon itself, Sysmon's name or its channel's. */
#define NAME(s)                                                                        \
 {                                                                                     \
  (s), sizeof(s) - 1                                                                   \
 }

static const struct {
    struct text image;
    const char *verbs[WORDS_MAX];
    bool names_sysmon; /* must it? */
    const char *what;
} command_lines[] = {
    {NAME("fltmc.exe"),      {"unload"},                                           true,  "unloads a file system filter"   },
    {NAME("sc.exe"),
     {" stop ", " delete ", " config ", " pause ", " sdset ", " failure "},
     true,                                                                                "stops or changes a service"     },
    {NAME("net.exe"),        {" stop ", " pause "},                                true,  "stops a service"                },
    {NAME("net1.exe"),       {" stop ", " pause "},                                true,  "stops a service"                },
    {NAME("taskkill.exe"),   {"/im", "/f", "-im"},                                 true,  "ends a process"                 },
    {NAME("wevtutil.exe"),
     {" cl ", " clear-log ", " sl ", " set-log ", " um ", " uninstall-manifest "},
     true,                                                                                "clears or changes a log"        },
    {NAME("logman.exe"),
     {" stop ", " delete ", " update "},
     true,                                                                                "changes a trace session"        },
    {NAME("reg.exe"),        {" add ", " delete ", " import "},                    true,  "changes the registry"           },
    {NAME("powershell.exe"),
     {"clear-eventlog", "limit-eventlog", "remove-eventlog", "stop-service", "clearlog",
      "set-service"},
     true,                                                                                "clears a log or stops a service"},
    {NAME("pwsh.exe"),
     {"clearlog", "stop-service", "set-service", "remove-service"},
     true,                                                                                "clears a log or stops a service"},
    {NAME("sysmon.exe"),     {" -u", " /u"},                                       false, "removes Sysmon"                 },
    {NAME("sysmon64.exe"),   {" -u", " /u"},                                       false, "removes Sysmon"                 },
    {NAME("sysmon64a.exe"),  {" -u", " /u"},                                       false, "removes Sysmon"                 },
    {NAME("sysmon.exe"),     {" -c", " /c"},                                       false, CONFIGURES                       },
    {NAME("sysmon64.exe"),   {" -c", " /c"},                                       false, CONFIGURES                       },
    {NAME("sysmon64a.exe"),  {" -c", " /c"},                                       false, CONFIGURES                       },
};

/* Parts of registry paths, of the channel, the service and the driver: a name ends there, or
 * its key does. Of the channel the beginning is enough. */
static const struct {
    const char *part;
    bool is_beginning;
} keys[] = {
    {"\\WINEVT\\Channels\\Microsoft-Windows-Sysmon",                 true },
    {"\\WINEVT\\Publishers\\{5770385f-c22a-43e0-bf4c-06f5698ffbd9}", true },
    {"\\Services\\SysmonDrv",                                        false},
    {"\\Services\\Sysmon64",                                         false},
    {"\\Services\\Sysmon64a",                                        false},
    {"\\Services\\Sysmon",                                           false},
};

static bool holds(struct text t, const char *part)
{
    return text_contains_fold(t, text_from(part));
}

static const char *what_command_does(const struct sysmon_event *event)
{
    if (event->event_id != SYSMON_PROCESS_CREATE)
        return NULL;
    struct text image = text_basename(sysmon_value(event, SYSMON_Image)),
                line = sysmon_value(event, SYSMON_CommandLine);
    for (size_t i = 0; i < sizeof command_lines / sizeof *command_lines; i++) {
        if (!text_equal_fold(image, command_lines[i].image) ||
            (command_lines[i].names_sysmon && !holds(line, "sysmon")))
            continue;
        for (size_t k = 0; k < WORDS_MAX && command_lines[i].verbs[k]; k++)
            if (holds(line, command_lines[i].verbs[k]))
                return command_lines[i].what;
    }
    return NULL;
}

static bool holds_key(struct text target, struct text key)
{
    for (size_t at = 0; at + key.len <= target.len; at++) {
        struct text here = text_slice(target, at, target.len - at);
        if (text_starts_with_fold(here, key) &&
            (here.len == key.len || here.ptr[key.len] == '\\'))
            return true;
    }
    return false;
}

/* Where Windows has it, on any drive: another program can have its name elsewhere. */
static bool is_services(struct text image)
{
    struct text path = TEXT_LITERAL(":\\Windows\\System32\\services.exe");
    return image.len == path.len + 1 && text_ends_with_fold(image, path);
}

/* What services.exe and Sysmon itself write there is their work. */
static bool is_registry_write(const struct sysmon_event *event)
{
    struct text target = sysmon_value(event, SYSMON_TargetObject),
                path = sysmon_value(event, SYSMON_Image), image = text_basename(path);
    if (!holds(target, "sysmon") && !holds(target, "5770385f"))
        return false;
    if (machine_is_sensor(text_slice(image, 0, image.len > 4 ? image.len - 4 : 0)) ||
        is_services(path))
        return false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].is_beginning ? holds(target, keys[i].part)
                                 : holds_key(target, text_from(keys[i].part)))
            return true;
    return false;
}

bool tampering_concerns(const struct sysmon_event *event)
{
    bool is_registry = event->event_id >= SYSMON_REGISTRY_FIRST &&
                       event->event_id <= SYSMON_REGISTRY_LAST;
    return what_command_does(event) || (is_registry && is_registry_write(event));
}

static void add_row(struct tampering *t, const struct sysmon_event *event,
                    enum problem_severity severity, struct text words)
{
    ARRAY_GROW(t->rows, t->count, t->capacity);
    t->rows[t->count++] = (struct tampering_row){
        event->record->offset, event->record->system.record_id, words, severity};
}

static struct text by_whom(const struct sysmon_event *event)
{
    struct text user = sysmon_value(event, SYSMON_User);
    return sysmon_text_is_missing(user) ? TEXT_LITERAL("(not recorded)") : user;
}

void tampering_add(struct tampering *t, const struct sysmon_event *event,
                   struct arena *arena)
{
    const char *what = what_command_does(event);
    if (t->count == TAMPERING_ROWS_MAX) {
        t->more++;
        return;
    }
    struct text user = by_whom(event);
    char pid[PID_TEXT_MAX];
    if (what)
        add_row(t, event, what == CONFIGURES ? SEVERITY_NOTICE : SEVERITY_WARNING,
                arena_printf(arena, "a command line that %s: %.*s; account %.*s", what,
                             TEXT(sysmon_value(event, SYSMON_CommandLine)),
                             TEXT(user)));
    else
        add_row(t, event, SEVERITY_WARNING,
                arena_printf(arena,
                             "%.*s (pid %.*s) wrote to the registry, %.*s: %.*s; "
                             "account %.*s",
                             TEXT(sysmon_value(event, SYSMON_Image)),
                             TEXT(pid_text(pid, sysmon_pid(event, SYSMON_ProcessId))),
                             TEXT(sysmon_value(event, SYSMON_EventType)),
                             TEXT(sysmon_value(event, SYSMON_TargetObject)),
                             TEXT(user)));
}

void tampering_tell(const struct tampering *t, const struct evidence_log *log,
                    struct problems *problems)
{
    for (size_t i = 0; i < t->count; i++)
        problems_add_graded(
            problems, PROBLEM_SENSOR_TAMPERING, t->rows[i].severity,
            evidence_log_place(log, t->rows[i].offset, t->rows[i].record_id), "%.*s",
            TEXT(t->rows[i].words));
    problems_add_rest(problems, PROBLEM_SENSOR_TAMPERING,
                      evidence_log_place(log, NO_OFFSET, NO_RECORD), t->more);
}

void tampering_release(struct tampering *t)
{
    free(t->rows);
    *t = (struct tampering){0};
}
