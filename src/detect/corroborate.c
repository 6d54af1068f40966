/* SPDX-License-Identifier: Apache-2.0
 *
 * What else was recorded about the host processes: threads made in them from outside (event
 * 8), handles opened with the rights to write into them (10), their image replaced (25).
 * Sentences state what is recorded and name the innocent explanations; a strength is an
 * assessment, never a fact. Absence of these events clears nothing: hollowing by the
 * creator needs none of them, and each can be off in Sysmon's configuration.
 * Facts: Sysmon's manifest; access rights from [MS-WIN32] "Process Security and Access
 * Rights"; which sources are routine was counted on public logs (doc/detection.md). */
#include "detect/detect_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

enum {
    ACCESS_CREATE_THREAD = 0x2,
    ACCESS_VM_OPERATION = 0x8,
    ACCESS_VM_WRITE = 0x20,
    ACCESS_ALL_XP =
        0x1f0fff /* PROCESS_ALL_ACCESS before Vista; today's is a superset */
};

#define CREATOR_WINDOW_100NS (FILETIME_SECOND / 2)

const char *strength_name(enum strength strength)
{
    static const char *const names[] = {
        [STRENGTH_NEUTRAL] = "neutral",
        [STRENGTH_WEAK] = "weak",
        [STRENGTH_MEDIUM] = "medium",
        [STRENGTH_STRONG] = "strong",
    };
    return names[strength];
}

/* What one event is about, gathered once. */
struct touch {
    const struct sysmon_event *event;
    const struct lineage *lineage;
    const struct process *host, *source; /* source may be NULL */
    uint32_t host_number, source_number;
    struct text source_image, host_image;
    struct arena *arena;
};

/* `path` is ?:\Windows\System32\<name>, also behind \\?\ or \??\. By full path, since a name
 * alone is anybody's to choose. */
static bool is_system32_file(struct text path, const char *name)
{
    if (text_starts_with_fold(path, TEXT_LITERAL("\\\\?\\")) ||
        text_starts_with_fold(path, TEXT_LITERAL("\\??\\")))
        path = text_slice(path, 4, SIZE_MAX);
    struct text folder = TEXT_LITERAL(":\\Windows\\System32\\");
    return path.len > 1 && path.ptr[0] != '\\' &&
           text_starts_with_fold(text_slice(path, 1, SIZE_MAX), folder) &&
           text_equal_fold(text_slice(path, 1 + folder.len, SIZE_MAX), text_from(name));
}

/* Old Sysmon builds wrote corrupt memory into SourceImage, so the image of the process's
 * own record goes first. */
static struct text image_of(const struct lineage *l, const struct process *p,
                            struct text recorded)
{
    if (p && p->kind == PROCESS_LOGGED) {
        struct text own = lineage_text(l, p->image);
        if (!sysmon_text_is_missing(own))
            return own;
    }
    return recorded;
}

static struct text shown(struct text t)
{
    return text_is_empty(t) ? TEXT_LITERAL("(not recorded)") : t;
}

static struct text pid_words(struct arena *arena, uint32_t pid)
{
    return pid == PID_UNKNOWN ? TEXT_LITERAL("pid not recorded")
                              : arena_printf(arena, "pid %" PRIu32, pid);
}

/* "3.0000000 s after"; absent where either time is not known to better than a second. */
static struct text time_after_start(const struct touch *t)
{
    uint64_t at = t->event->utc_filetime, start = t->host->start_filetime;
    if (at == FILETIME_NONE || start == FILETIME_NONE ||
        t->host->kind != PROCESS_LOGGED)
        return TEXT_LITERAL("");
    uint64_t apart = at >= start ? at - start : start - at;
    return arena_printf(t->arena, ", %" PRIu64 ".%03" PRIu64 " s %s its recorded start",
                        apart / FILETIME_SECOND,
                        apart % FILETIME_SECOND / (FILETIME_SECOND / 1000),
                        at >= start ? "after" : "before");
}

static bool is_creator(const struct touch *t)
{
    return t->source && t->source_number == lineage_parent(t->lineage, t->host_number);
}

static bool is_just_started(const struct touch *t)
{
    uint64_t at = t->event->utc_filetime, start = t->host->start_filetime;
    if (at == FILETIME_NONE || start == FILETIME_NONE)
        return false;
    return (at >= start ? at - start : start - at) <= CREATOR_WINDOW_100NS;
}

/* --- the three kinds; each gives false where the event is not to be listed */

enum counter { COUNT_THREAD, COUNT_ACCESS, COUNT_NEUTRAL, COUNT_TAMPER };

struct judgement {
    struct text code;
    enum strength strength;
    enum counter counter;
    struct text sentence;
};

static bool judge_thread(struct judgement *j, const struct touch *t)
{
    if (is_system32_file(t->source_image, "csrss.exe"))
        return false;
    const struct sysmon_event *e = t->event;
    struct text module = sysmon_value(e, SYSMON_StartModule);
    bool outside = sysmon_text_is_missing(module);
    j->code = TEXT_LITERAL("MSRA_REMOTE_THREAD");
    j->strength = STRENGTH_STRONG;
    j->counter = COUNT_THREAD;
    j->sentence = arena_printf(
        t->arena,
        "Recorded: %.*s (%.*s) created a thread in %.*s (%.*s)%.*s, start address "
        "%.*s, "
        "start module %.*s%s. Assessed: a strong sign of code put there by another "
        "process. Innocent explanations: debuggers, security products, accessibility "
        "and "
        "monitoring software also start threads in other processes.",
        TEXT(shown(t->source_image)),
        TEXT(pid_words(t->arena, sysmon_pid(e, SYSMON_SourceProcessId))),
        TEXT(shown(t->host_image)),
        TEXT(pid_words(t->arena, sysmon_pid(e, SYSMON_TargetProcessId))),
        TEXT(time_after_start(t)), TEXT(shown(sysmon_value(e, SYSMON_StartAddress))),
        TEXT(outside ? TEXT_LITERAL("not recorded") : module),
        outside ? " (the address lies in no module that Sysmon could name)" : "");
    return true;
}

static bool has_injecting_rights(uint64_t mask)
{
    uint64_t write = ACCESS_VM_WRITE | ACCESS_VM_OPERATION;
    return (mask & write) == write || mask & ACCESS_CREATE_THREAD;
}

static struct text rights_words(struct arena *arena, uint64_t mask)
{
    return arena_printf(arena, "%s%s%s",
                        mask & ACCESS_VM_WRITE && mask & ACCESS_VM_OPERATION
                            ? "write into its memory"
                            : "",
                        mask & ACCESS_VM_WRITE && mask & ACCESS_VM_OPERATION &&
                                mask & ACCESS_CREATE_THREAD
                            ? " and "
                            : "",
                        mask & ACCESS_CREATE_THREAD ? "create a thread in it" : "");
}

static const char *access_assessment(bool neutral, bool unbacked)
{
    if (neutral)
        return "Assessed: neutral. The recorded parent holds full access to a process "
               "that it has just created; that is how every process starts.";
    if (unbacked)
        return "The call trace holds UNKNOWN(: a caller in memory that belongs to no "
               "loaded module. Assessed: a sign of medium strength; injected code "
               "calls "
               "from there, and so do runtimes that compile code as they go and some "
               "security products.";
    return "Assessed: a sign of medium strength. Innocent explanations: security "
           "products, debuggers, task managers and the services that start elevated "
           "processes open handles with such rights.";
}

static bool judge_access(struct judgement *j, const struct touch *t)
{
    const struct sysmon_event *e = t->event;
    uint64_t mask;
    if (!sysmon_number(e, SYSMON_GrantedAccess, &mask) || !has_injecting_rights(mask) ||
        is_system32_file(t->source_image, "csrss.exe") ||
        is_system32_file(t->source_image, "conhost.exe"))
        return false;
    bool neutral =
        (mask & ACCESS_ALL_XP) == ACCESS_ALL_XP && is_creator(t) && is_just_started(t);
    bool unbacked =
        text_contains_fold(sysmon_value(e, SYSMON_CallTrace), TEXT_LITERAL("UNKNOWN("));
    j->code = TEXT_LITERAL("MSRA_ACCESS");
    j->strength = neutral ? STRENGTH_NEUTRAL : STRENGTH_MEDIUM;
    j->counter = neutral ? COUNT_NEUTRAL : COUNT_ACCESS;
    j->sentence = arena_printf(
        t->arena,
        "Recorded: %.*s (%.*s) opened %.*s (%.*s)%.*s with access %.*s, which includes "
        "the right to %.*s. %s",
        TEXT(shown(t->source_image)),
        TEXT(pid_words(t->arena, sysmon_pid(e, SYSMON_SourceProcessId))),
        TEXT(shown(t->host_image)),
        TEXT(pid_words(t->arena, sysmon_pid(e, SYSMON_TargetProcessId))),
        TEXT(time_after_start(t)), TEXT(sysmon_value(e, SYSMON_GrantedAccess)),
        TEXT(rights_words(t->arena, mask)), access_assessment(neutral, unbacked));
    return true;
}

/* "Image is replaced" is what hollowing leaves; the other types are less telling. */
static bool judge_tampering(struct judgement *j, const struct touch *t)
{
    struct text type = sysmon_value(t->event, SYSMON_Type);
    bool replaced = text_equal_fold(type, TEXT_LITERAL("Image is replaced"));
    j->code = TEXT_LITERAL("MSRA_TAMPER");
    j->strength = replaced ? STRENGTH_MEDIUM : STRENGTH_WEAK;
    j->counter = COUNT_TAMPER;
    j->sentence = arena_printf(
        t->arena,
        "Recorded: Sysmon reported tampering with %.*s (%.*s)%.*s, type \"%.*s\". "
        "Assessed: a sign of %s strength that the process runs other code than its "
        "file "
        "holds. Innocent explanations: browsers, packed programs and some system "
        "processes raise the same event.",
        TEXT(shown(t->host_image)),
        TEXT(pid_words(t->arena, sysmon_pid(t->event, SYSMON_ProcessId))),
        TEXT(time_after_start(t)), TEXT(shown(type)), strength_name(j->strength));
    return true;
}

/* --- keeping */

static const struct {
    uint16_t event_id;
    bool host_is_object; /* the target; else the subject */
    bool (*judge)(struct judgement *, const struct touch *);
} kinds[] = {
    {SYSMON_REMOTE_THREAD,     true,  judge_thread   },
    {SYSMON_PROCESS_ACCESS,    true,  judge_access   },
    {SYSMON_PROCESS_TAMPERING, false, judge_tampering},
};

static struct host_record *find_host(const struct detector *d, const struct lineage *l,
                                     uint32_t *process)
{
    const struct detector_state *s = d->state;
    if (*process == PROCESS_NONE || *process >= s->node_count)
        return NULL;
    *process = lineage_node(l, *process);
    uint32_t number = s->host_number[*process];
    return number ? &s->hosts[number - 1] : NULL;
}

static void keep(struct detector *d, struct host_record *host, const struct touch *t,
                 const struct judgement *j)
{
    if (host->kept[j->counter] == CORROBORATION_CAP) {
        host->left_out++;
        d->corroborations_left_out++;
        return;
    }
    host->kept[j->counter]++;
    enum record_state state = t->event->record->state;
    struct text sentence =
        record_state_is_live(state)
            ? j->sentence
            : arena_printf(t->arena,
                           "%.*s This record is not live, it was "
                           "recovered (%s).",
                           TEXT(j->sentence), record_state_name(state));
    ARRAY_GROW(d->corroborations, d->corroboration_count,
               d->state->corroboration_capacity);
    d->corroborations[d->corroboration_count++] =
        (struct corroboration){.code = j->code,
                               .strength = j->strength,
                               .process = t->host_number,
                               .source = t->source_number,
                               .event_id = t->event->event_id,
                               .utc_filetime = sysmon_event_filetime(t->event),
                               .record_id = t->event->record->system.record_id,
                               .offset = t->event->record->offset,
                               .log = t->event->log,
                               .state = (uint8_t)state,
                               .sentence = sentence};
}

static void look_at(struct detector *d, const struct lineage *l,
                    const struct sysmon_event *event,
                    const struct event_processes *processes, size_t kind)
{
    bool by_target = kinds[kind].host_is_object;
    uint32_t host_number = by_target ? processes->object : processes->subject;
    struct host_record *host = find_host(d, l, &host_number);
    if (!host)
        return;
    struct touch t = {.event = event,
                      .lineage = l,
                      .host = lineage_process(l, host_number),
                      .host_number = host_number,
                      .source_number = by_target ? processes->subject : PROCESS_NONE,
                      .arena = d->arena};
    if (t.source_number != PROCESS_NONE) {
        t.source_number = lineage_node(l, t.source_number);
        t.source = lineage_process(l, t.source_number);
    }
    t.source_image = image_of(l, t.source, sysmon_value(event, SYSMON_SourceImage));
    t.host_image = lineage_text(l, t.host->image);
    struct judgement j;
    if (kinds[kind].judge(&j, &t))
        keep(d, host, &t, &j);
}

void detector_corroborate(struct detector *d, const struct lineage *l,
                          const struct sysmon_event *event,
                          const struct event_processes *processes)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].event_id == event->event_id)
            look_at(d, l, event, processes, i);
}

struct ranked {
    struct corroboration item;
    uint32_t rank;
    size_t given;
};

static int by_process_and_time(const void *a_, const void *b_)
{
    const struct ranked *a = a_, *b = b_;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->item.utc_filetime != b->item.utc_filetime)
        return a->item.utc_filetime < b->item.utc_filetime ? -1 : 1;
    if (a->item.record_id != b->item.record_id)
        return a->item.record_id < b->item.record_id ? -1 : 1;
    return a->given < b->given ? -1 : a->given > b->given;
}

void detector_end(struct detector *d)
{
    struct ranked *all = memory_get((d->corroboration_count + 1) * sizeof *all);
    for (size_t i = 0; i < d->corroboration_count; i++)
        all[i] = (struct ranked){d->corroborations[i],
                                 d->state->rank[d->corroborations[i].process], i};
    qsort(all, d->corroboration_count, sizeof *all, by_process_and_time);
    for (size_t i = 0; i < d->corroboration_count; i++)
        d->corroborations[i] = all[i].item;
    free(all);
}

uint64_t detector_corroborations_left_out(const struct detector *d, uint32_t process)
{
    const struct detector_state *s = d->state;
    if (!s->lineage || process >= s->node_count)
        return 0;
    uint32_t number = s->host_number[lineage_node(s->lineage, process)];
    return number ? s->hosts[number - 1].left_out : 0;
}
