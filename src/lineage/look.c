/* SPDX-License-Identifier: Apache-2.0
 * What of an event can be made ready by any thread, and what of the tables can be fetched
 * before it is needed. */
#include <stddef.h>
#include <string.h>

#include "lineage/lineage_internal.h"

enum { CACHE_LINE = 64, FIRST_CAPACITY = 64 };

/* Of a process, what an event that names it needs: two lines at most. */
enum { HOT_BYTES = offsetof(struct process, logon_guid) };

_Static_assert(HOT_BYTES == 64, "see struct process");

const struct naming as_subject = {SYSMON_ProcessGuid, SYSMON_ProcessId, SYSMON_Image,
                                  SYSMON_User,        IMAGE_FROM_EVENT, true};
const struct naming as_source = {SYSMON_SourceProcessGuid, SYSMON_SourceProcessId,
                                 SYSMON_SourceImage,       SYSMON_SourceUser,
                                 IMAGE_FROM_ACCESS,        false};
const struct naming as_target = {SYSMON_TargetProcessGuid, SYSMON_TargetProcessId,
                                 SYSMON_TargetImage,       SYSMON_TargetUser,
                                 IMAGE_FROM_ACCESS,        true};
const struct naming as_parent = {SYSMON_ParentProcessGuid, SYSMON_ParentProcessId,
                                 SYSMON_ParentImage,       SYSMON_ParentUser,
                                 IMAGE_FROM_CHILD,         false};

const struct kept_text kept_texts[LINEAGE_TEXTS] = {
    {SYSMON_Image,             offsetof(struct process, image)              },
    {SYSMON_CommandLine,       offsetof(struct process, command_line)       },
    {SYSMON_User,              offsetof(struct process, user)               },
    {SYSMON_OriginalFileName,  offsetof(struct process, original_file_name) },
    {SYSMON_CurrentDirectory,  offsetof(struct process, current_directory)  },
    {SYSMON_IntegrityLevel,    offsetof(struct process, integrity_level)    },
    {SYSMON_Hashes,            offsetof(struct process, hashes)             },
    {SYSMON_ParentImage,       offsetof(struct process, parent_image)       },
    {SYSMON_ParentCommandLine, offsetof(struct process, parent_command_line)},
    {SYSMON_ParentUser,        offsetof(struct process, parent_user)        },
};

static void grow(struct lineage_texts *t)
{
    uint32_t capacity = t->capacity ? 2 * t->capacity : FIRST_CAPACITY;
    struct lineage_seen_text *items = arena_alloc(t->arena, capacity * sizeof *items);
    if (t->count)
        memcpy(items, t->items, t->count * sizeof *items);
    t->items = items;
    t->capacity = capacity;
}

/* A slot knows the last text of its hashes: one that is met again after another took its
 * place is looked up once more, nothing else. */
static uint32_t see_text(struct lineage_texts *t, struct text text)
{
    if (text_is_absent(text))
        return 0;
    uint32_t hash = map_hash(map_key_text(text));
    uint32_t *slot = &t->slots[hash % LINEAGE_TEXT_SLOTS];
    if (*slot && t->items[*slot - 1].hash == hash &&
        text_equal(t->items[*slot - 1].text, text))
        return *slot;
    if (t->count == t->capacity)
        grow(t);
    t->items[t->count++] = (struct lineage_seen_text){text, hash, MAP_NONE};
    return *slot = t->count;
}

static void look_at(const struct lineage *l, const struct sysmon_event *event,
                    const struct naming *as, struct lineage_look *look, int which)
{
    look->is_named[which] = sysmon_guid(event, as->guid, &look->guid[which]);
    look->pid[which] = sysmon_pid(event, as->pid);
    look->hash[which] = look->is_named[which] ? index_hash(l, &look->guid[which],
                                                           sizeof look->guid[which])
                                              : 0;
}

/* Texts are made here too where they will be asked for. */
void lineage_look_at(const struct lineage *l, const struct sysmon_event *event,
                     struct lineage_texts *texts, struct lineage_look *look)
{
    look->texts = texts;
    look->is_creation = event->event_id == SYSMON_PROCESS_CREATE;
    switch (event->event_id) {
    case SYSMON_PROCESS_CREATE:
        look_at(l, event, &as_subject, look, SUBJECT);
        look_at(l, event, &as_parent, look, OBJECT);
        sysmon_guid(event, SYSMON_LogonGuid, &look->logon_guid);
        if (!sysmon_number(event, SYSMON_LogonId, &look->logon_id))
            look->logon_id = 0;
        look->session_id = sysmon_pid(event, SYSMON_TerminalSessionId);
        for (int i = 0; i < LINEAGE_TEXTS; i++)
            look->text[i] = see_text(texts, sysmon_value(event, kept_texts[i].field));
        break;
    case SYSMON_REMOTE_THREAD:
    case SYSMON_PROCESS_ACCESS:
        look_at(l, event, &as_source, look, SUBJECT);
        look_at(l, event, &as_target, look, OBJECT);
        sysmon_value(event, as_source.image);
        sysmon_value(event, as_target.image);
        break;
    default:
        look_at(l, event, &as_subject, look, SUBJECT);
        look->is_named[OBJECT] = false;
        sysmon_value(event, as_subject.image);
    }
}

/* Without the empty instruction gcc takes a function that does nothing else for one without
 * effect, and leaves out the calls of it. */
static inline void fetch(const void *at)
{
    __builtin_prefetch(at, 1);
    __asm__ volatile("");
}

/* A row begins anywhere in a cache line. */
static void fetch_node(const struct lineage *l, uint32_t node, bool whole)
{
    const char *p = (const char *)&l->processes[node];
    size_t wanted = whole ? sizeof(struct process) : HOT_BYTES;
    for (size_t at = 0; at < wanted; at += CACHE_LINE)
        fetch(p + at);
    fetch(p + wanted - 1);
    fetch(&l->index->extras[node]);
}

/* Nothing here must be right: the tables may have grown since. */
void lineage_fetch(const struct lineage *l, const struct lineage_look *look, bool near)
{
    for (int which = SUBJECT; which <= OBJECT; which++) {
        const struct guid_slot *slot =
            look->is_named[which] ? index_slot(l, look->hash[which]) : NULL;
        if (!slot)
            continue;
        if (!near)
            fetch(slot);
        else if (slot->node_1)
            fetch_node(l, slot->node_1 - 1, look->is_creation && which == SUBJECT);
    }
}
