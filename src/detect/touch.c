/* SPDX-License-Identifier: Apache-2.0
 *
 * One event about a host process, and what indicators ask of it beyond its fields: computed
 * columns of the taxonomy `event`. Values that a condition compares are constant words or
 * lie in the event; those for sentences alone are made in an arena, if there is one.
 * Facts: access rights from [MS-WIN32] "Process Security and Access Rights". */
#include "detect/detect_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/address.h"

#define CREATOR_WINDOW_100NS (FILETIME_SECOND / 2)

static const struct {
    uint32_t mask;
    const char *name;
} rights[] = {
    {0x1f0fff, "ALL_ACCESS"    }, /* PROCESS_ALL_ACCESS before Vista; today's is more */
    {0x2,      "CREATE_THREAD" },
    {0x8,      "VM_OPERATION"  },
    {0x10,     "VM_READ"       },
    {0x20,     "VM_WRITE"      },
    {0x40,     "DUP_HANDLE"    },
    {0x800,    "SUSPEND_RESUME"},
};

static void name_rights(struct touch *t)
{
    uint64_t mask;
    int len = 0;
    t->rights[0] = 0;
    if (!sysmon_number(t->event, SYSMON_GrantedAccess, &mask))
        return;
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
        if ((mask & rights[i].mask) == rights[i].mask)
            len += snprintf(t->rights + len, sizeof t->rights - (size_t)len, "%s%s",
                            len ? " " : "", rights[i].name);
}

/* `\\?\` and `\??\` before a path say nothing about where it leads. */
static struct text without_prefix(struct text path)
{
    if (text_starts_with_fold(path, TEXT_LITERAL("\\\\?\\")) ||
        text_starts_with_fold(path, TEXT_LITERAL("\\??\\")))
        return text_slice(path, 4, SIZE_MAX);
    return path;
}

/* Old Sysmon builds wrote corrupt memory into SourceImage, so the image of the process's
 * own record goes first. */
static struct text source_image(const struct touch *t)
{
    if (t->source && t->source->kind == PROCESS_LOGGED) {
        struct text own = lineage_text(t->lineage, t->source->image);
        if (!sysmon_text_is_missing(own))
            return own;
    }
    return sysmon_value(t->event, SYSMON_SourceImage);
}

static uint64_t time_from_start(const struct touch *t)
{
    uint64_t at = t->event->utc_filetime, start = t->host->start_filetime;
    if (at == FILETIME_NONE || start == FILETIME_NONE)
        return FILETIME_NONE;
    return at >= start ? at - start : start - at;
}

static struct text yes_or_no(bool yes)
{
    return yes ? TEXT_LITERAL("yes") : TEXT_LITERAL("no");
}

static struct text is_parent(const struct touch *t)
{
    uint32_t parent = lineage_parent(t->lineage, t->host_number);
    if (parent == PROCESS_NONE || !t->source)
        return NO_TEXT;
    return yes_or_no(t->source_number == parent);
}

/* ".dll"; "" for a name without a dot; absent without a name. */
static struct text extension_of(struct text path)
{
    struct text name = text_basename(path);
    if (text_is_absent(name))
        return NO_TEXT;
    for (size_t i = name.len; i-- > 0;)
        if (name.ptr[i] == '.')
            return text_slice(name, i, SIZE_MAX);
    return TEXT_LITERAL("");
}

/* "type:  5 www.example.com;::ffff:192.0.2.1;": public if one address in it is. */
static struct text scope_of_results(struct text results)
{
    enum address_scope widest = ADDRESS_NONE;
    for (size_t from = 0; from < results.len;) {
        size_t end = from;
        while (end < results.len && results.ptr[end] != ';')
            end++;
        enum address_scope scope = address_scope(text_slice(results, from, end - from));
        if (scope > widest)
            widest = scope;
        from = end + 1;
    }
    return text_from(address_scope_name(widest));
}

static bool parent_names_target(const struct touch *t)
{
    enum { SHORTEST_PATH = 6 /* "C:\a.b" */, LONGEST = 3 * 32767 /* a command line */ };
    struct text target = sysmon_value(t->event, SYSMON_TargetFilename);
    struct text line = lineage_text(t->lineage, t->host->parent_command_line);
    return target.len >= SHORTEST_PATH &&
           text_contains_fold(text_slice(line, 0, LONGEST), target);
}

/* Sysmon's times have one form, so they compare as texts. */
static struct text moved_back(const struct sysmon_event *event)
{
    struct text now = sysmon_value(event, SYSMON_CreationUtcTime),
                before = sysmon_value(event, SYSMON_PreviousCreationUtcTime);
    if (sysmon_text_is_missing(now) || sysmon_text_is_missing(before))
        return NO_TEXT;
    return yes_or_no(text_compare(now, before) < 0);
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool are_all(struct text t, bool (*is)(char))
{
    for (size_t i = 0; i < t.len; i++)
        if (!is(t.ptr[i]))
            return false;
    return t.len > 0;
}

/* A user's ...\Software\Microsoft\<letters>\<eight hexadecimal digits>. */
static struct text object_shape(struct text object)
{
    struct text parent = TEXT_LITERAL("\\Software\\Microsoft");
    struct text value = text_basename(object);
    if (value.len + 1 >= object.len || value.len != 8 || !are_all(value, is_hex) ||
        !text_starts_with_fold(object, TEXT_LITERAL("HKU\\")))
        return TEXT_LITERAL("");
    struct text key_path = text_slice(object, 0, object.len - value.len - 1);
    struct text key = text_basename(key_path);
    if (key.len + 1 >= key_path.len || key.len < 4 || !are_all(key, is_letter))
        return TEXT_LITERAL("");
    struct text above = text_slice(key_path, 0, key_path.len - key.len - 1);
    return text_ends_with_fold(above, parent)
               ? TEXT_LITERAL("software-microsoft-letters-hex8")
               : TEXT_LITERAL("");
}

/* --- for sentences */

static struct text named(struct arena *arena, struct text image, uint32_t pid)
{
    struct text shown = text_is_empty(image) ? TEXT_LITERAL("(not recorded)") : image;
    if (pid == PID_UNKNOWN)
        return arena_printf(arena, "%.*s (pid not recorded)", TEXT(shown));
    return arena_printf(arena, "%.*s (pid %" PRIu32 ")", TEXT(shown), pid);
}

static struct text named_node(const struct touch *t, uint32_t number)
{
    if (number == PROCESS_NONE)
        return TEXT_LITERAL("not known");
    const struct process *p = lineage_process(t->lineage, number);
    return named(t->arena, lineage_text(t->lineage, p->image), p->pid);
}

/* ", 3.000 s after its recorded start"; "" where either time is not known to better than a
 * second. */
static struct text after_start(const struct touch *t)
{
    uint64_t apart = time_from_start(t);
    if (apart == FILETIME_NONE || t->host->kind != PROCESS_LOGGED)
        return TEXT_LITERAL("");
    return arena_printf(
        t->arena, ", %" PRIu64 ".%03" PRIu64 " s %s its recorded start",
        apart / FILETIME_SECOND, apart % FILETIME_SECOND / (FILETIME_SECOND / 1000),
        t->event->utc_filetime >= t->host->start_filetime ? "after" : "before");
}

static struct text start_module(const struct sysmon_event *event)
{
    struct text module = sysmon_value(event, SYSMON_StartModule);
    return sysmon_text_is_missing(module)
               ? TEXT_LITERAL("not recorded (the address lies in no module that Sysmon "
                              "could name)")
               : module;
}

static struct text worded(const struct touch *t, enum touch_column column)
{
    switch (column) {
    case TOUCH_HOST: return named_node(t, t->host_number);
    case TOUCH_SOURCE:
        return named(t->arena, source_image(t),
                     sysmon_pid(t->event, SYSMON_SourceProcessId));
    case TOUCH_PARENT: return named_node(t, lineage_parent(t->lineage, t->host_number));
    case TOUCH_AFTER_START: return after_start(t);
    case TOUCH_EVENT_NAME:
        return arena_printf(t->arena, "%u, %s", (unsigned)t->event->event_id,
                            sysmon_event_name(t->event->event_id));
    default: return NO_TEXT;
    }
}

struct text touch_value(const struct touch *t, enum touch_column column)
{
    struct text file = sysmon_value(t->event, SYSMON_TargetFilename);
    switch (column) {
    case TOUCH_SOURCE_PROGRAM: return without_prefix(source_image(t));
    case TOUCH_SOURCE_IS_PARENT: return is_parent(t);
    case TOUCH_AT_START: return yes_or_no(time_from_start(t) <= CREATOR_WINDOW_100NS);
    case TOUCH_RIGHTS: return text_from(t->rights);
    case TOUCH_DESTINATION_SCOPE:
        return text_from(address_scope_name(
            address_scope(sysmon_value(t->event, SYSMON_DestinationIp))));
    case TOUCH_RESULTS_SCOPE:
        return scope_of_results(sysmon_value(t->event, SYSMON_QueryResults));
    case TOUCH_TARGET_EXTENSION: return extension_of(file);
    case TOUCH_PARENT_NAMES_TARGET: return yes_or_no(parent_names_target(t));
    case TOUCH_MOVED_BACK: return moved_back(t->event);
    case TOUCH_OBJECT_SHAPE:
        return object_shape(sysmon_value(t->event, SYSMON_TargetObject));
    case TOUCH_START_MODULE: return start_module(t->event);
    default: return t->arena ? worded(t, column) : NO_TEXT;
    }
}

void touch_init(struct touch *t, const struct lineage *l,
                const struct sysmon_event *event, uint32_t host, uint32_t source)
{
    *t = (struct touch){.event = event,
                        .lineage = l,
                        .host = lineage_process(l, host),
                        .host_number = host,
                        .source_number = source};
    if (source != PROCESS_NONE)
        t->source = lineage_process(l, source);
    if (event->event_id == SYSMON_PROCESS_ACCESS)
        name_rights(t);
}
