/* SPDX-License-Identifier: Apache-2.0
 * The table itself and its first pass. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lineage/lineage_internal.h"

const char *link_grade_name(enum link_grade grade)
{
    static const char *const names[] = {"", "A", "A-", "B", "C", "D", "P"};
    return names[grade];
}

const char *process_kind_name(enum process_kind kind)
{
    static const char *const names[] = {"logged", "ghost", "unknown", "logged (4688)"};
    return names[kind];
}

void lineage_init(struct lineage *l)
{
    *l = (struct lineage){0};
    l->index = memory_get_zeroed(1, sizeof *l->index);
    l->index->last_computer = MAP_NONE;
    l->index->last_host = MAP_NONE;
    if (getrandom(&l->index->seed, sizeof l->index->seed, GRND_NONBLOCK) < 0)
        l->index->seed = (uint64_t)(uintptr_t)l->index;
}

static void index_release(struct lineage_index *index)
{
    arena_release(&index->arena);
    map_release(&index->computers);
    map_release(&index->host_numbers);
    map_release(&index->nameless);
    free(index->computer_names);
    free(index->host_computer);
    free(index->slots);
    free(index->extras);
    free(index->accesses);
    free(index->ends);
    free(index->conflicts);
    free(index->twice);
    free(index->boots);
    free(index);
}

void lineage_release(struct lineage *l)
{
    places_release(&l->also);
    strings_release(&l->strings);
    free(l->processes);
    for (size_t h = 0; h < l->host_count; h++)
        histogram_release(&l->hosts[h].activity);
    free(l->hosts);
    free(l->aliases);
    free(l->audits);
    free(l->order);
    if (l->index)
        index_release(l->index);
    *l = (struct lineage){0};
}

/* --- first pass */

struct sight { /* one event, as the functions below need it */
    const struct sysmon_event *event;
    const struct lineage_look *look;
    uint64_t filetime;
    uint32_t computer, log;
};

static void widen(uint64_t *first, uint64_t *last, uint64_t filetime)
{
    if (filetime == FILETIME_NONE)
        return;
    if (*first == FILETIME_NONE || filetime < *first)
        *first = filetime;
    if (*last == FILETIME_NONE || filetime > *last)
        *last = filetime;
}

static void count_record(struct host *host, const struct sight *s)
{
    uint64_t logged = s->event->created_filetime;
    if (!record_state_is_live(s->event->record->state)) {
        host->recovered++;
        return;
    }
    host->records++;
    widen(&host->first_filetime, &host->last_filetime, s->filetime);
    histogram_add(&host->activity, s->filetime);
    widen(&host->window_first_filetime, &host->window_last_filetime,
          logged != FILETIME_NONE ? logged : s->filetime);
}

/* A node that an event names by guid, made if need be. */
static uint32_t refer(struct lineage *l, const struct sight *s, int which)
{
    uint32_t pid = s->look->pid[which];
    const struct guid *guid = &s->look->guid[which];
    uint32_t node = index_find_hashed(l, s->computer, guid, s->look->hash[which]);
    if (node == PROCESS_NONE)
        node = index_add_node(l, s->computer, guid, true);
    struct process *p = &l->processes[node];
    note_later_sight(p, s->filetime);
    if (p->kind == PROCESS_GHOST && pid < p->pid)
        p->pid =
            pid; /* never two in real logs; if there are, the order must not matter */
    return node;
}

static uint32_t refer_as(struct lineage *l, const struct sight *s,
                         const struct naming *as)
{
    int which = as == &as_target ? OBJECT : SUBJECT;
    if (!s->look->is_named[which])
        return PROCESS_NONE;
    uint32_t node = refer(l, s, which);
    struct text image = sysmon_value(s->event, as->image);
    struct process *p = &l->processes[node];
    if (p->kind == PROCESS_GHOST) {
        ghost_learn_image(l, p, image, as->source);
        ghost_learn_text(l, &p->user, sysmon_value(s->event, as->user));
    }
    if (as->image_is_reliable)
        note_image(l, node, image);
    return node;
}

/* The node of the recorded parent guid, PROCESS_NONE if it is null or absent. */
static uint32_t refer_parent(struct lineage *l, const struct sight *s)
{
    if (!s->look->is_named[OBJECT])
        return PROCESS_NONE;
    uint32_t node = refer(l, s, OBJECT);
    struct process *p = &l->processes[node];
    if (p->kind == PROCESS_GHOST) {
        ghost_learn_image(l, p, sysmon_value(s->event, SYSMON_ParentImage),
                          IMAGE_FROM_CHILD);
        ghost_learn_text(l, &p->command_line,
                         sysmon_value(s->event, SYSMON_ParentCommandLine));
        ghost_learn_text(l, &p->user, sysmon_value(s->event, SYSMON_ParentUser));
    }
    return node;
}

static void place_record(struct process *p, const struct sight *s)
{
    p->log = s->log;
    p->offset = s->event->record->offset;
    p->record_id = s->event->record->system.record_id;
    p->state = (uint8_t)s->event->record->state;
    p->logged_filetime = s->event->created_filetime;
}

static uint32_t string_of(struct lineage *l, const struct lineage_look *look, int i)
{
    if (look->text[i] == 0)
        return STRING_ABSENT;
    struct lineage_seen_text *seen = &look->texts->items[look->text[i] - 1];
    if (seen->number == MAP_NONE)
        seen->number = strings_add_hashed(&l->strings, seen->text, seen->hash);
    return seen->number;
}

static void keep_texts(struct lineage *l, struct process *p, const struct sight *s)
{
    for (int i = 0; i < LINEAGE_TEXTS; i++) {
        uint32_t number = string_of(l, s->look, i);
        memcpy((char *)p + kept_texts[i].at, &number, sizeof number);
    }
}

static void fill_creation(struct lineage *l, uint32_t node, const struct sight *s)
{
    const struct sysmon_event *event = s->event;
    struct process *p = &l->processes[node];
    p->kind = PROCESS_LOGGED;
    p->flags &= (uint8_t)~FLAG_IMAGE_RANK;
    place_record(p, s);
    p->start_filetime = event->utc_filetime;
    note_later_sight(p, s->filetime);
    p->pid = s->look->pid[SUBJECT];
    p->parent_pid = s->look->pid[OBJECT];
    p->logon_guid = s->look->logon_guid;
    p->logon_id = s->look->logon_id;
    p->session_id = s->look->session_id;
    keep_texts(l, p, s);
}

static void check_layout(struct host *host, const struct process *p)
{
    if (guid_is_null(&p->guid) || p->start_filetime == FILETIME_NONE)
        return;
    host->guid_time_checked++;
    host->guid_time_agrees += filetime_to_unix(p->start_filetime) ==
                              (int64_t)process_guid_parts(&p->guid).start_unix;
}

static void count_creation(struct lineage *l, const struct process *p)
{
    struct host *host = &l->hosts[p->scope];
    host->process_creations++;
    check_layout(host, p);
}

static void count_twice(struct lineage *l, uint32_t log, uint64_t record_id)
{
    struct lineage_index *index = l->index;
    if (log >= index->twice_count) {
        index->twice = memory_resize(index->twice, (log + 1) * sizeof *index->twice);
        while (index->twice_count <= log)
            index->twice[index->twice_count++] = (struct recorded_twice){0, NO_RECORD};
    }
    index->twice[log].count++;
    if (record_id < index->twice[log].first_record_id)
        index->twice[log].first_record_id = record_id;
}

/* The record that stands for the process: a live one, then that of the log named first,
 * then the one that lies first in it. */
static bool stands_before(const struct sight *s, const struct process *p)
{
    const struct evtx_record *record = s->event->record;
    if (record->state != p->state)
        return record->state < p->state;
    if (s->log != p->log)
        return s->log < p->log;
    return record->offset < p->offset;
}

static void add_duplicate(struct lineage *l, uint32_t node, const struct sight *s)
{
    struct process *p = &l->processes[node];
    const struct evtx_record *record = s->event->record;
    bool same_id_in_log = p->log == s->log && p->record_id == record->system.record_id;
    p->flags |= PROCESS_CREATION_SEEN_TWICE;
    note_later_sight(p, s->filetime);
    uint32_t log = s->log;
    uint64_t record_id = record->system.record_id;
    struct seen_place other = {record->offset, record_id, s->log, 0,
                               (uint8_t)record->state};
    bool was_live = record_state_is_live(p->state),
         is_live = record_state_is_live(record->state);
    if (stands_before(s, p)) {
        log = p->log;
        record_id = p->record_id;
        other = (struct seen_place){p->offset, p->record_id, p->log, 0, p->state};
        place_record(p, s);
    }
    places_add(&l->also, node, &other);
    if (is_live && !was_live)
        count_creation(l, p);
    /* The same id is told as RID_DUP by the log's coverage. */
    if (!same_id_in_log && is_live && was_live)
        count_twice(l, log, record_id);
}

static uint32_t find_same_creation(const struct lineage *l, uint32_t node,
                                   const struct sysmon_event *event)
{
    for (int i = 0; node != PROCESS_NONE && i < CONFLICTS_COMPARED; i++) {
        const struct process *p = &l->processes[node];
        if (p->kind == PROCESS_LOGGED && same_creation(l, p, event))
            return node;
        node = l->index->extras[node].next_conflict;
    }
    return PROCESS_NONE;
}

static uint32_t add_conflict(struct lineage *l, uint32_t first, uint32_t computer,
                             const struct guid *guid)
{
    struct lineage_index *index = l->index;
    uint32_t node = index_add_node(l, computer, guid, false);
    index->extras[node].next_conflict = index->extras[first].next_conflict;
    index->extras[first].next_conflict = node;
    l->processes[first].flags |= FLAG_CONFLICT;
    l->processes[node].flags |= FLAG_CONFLICT;
    ARRAY_GROW(index->conflicts, index->conflict_count, index->conflict_capacity);
    index->conflicts[index->conflict_count++] = first;
    return node;
}

/* The node for a creation with that guid; *is_new: it has not been recorded before. */
static uint32_t creation_node(struct lineage *l, const struct sight *s, bool *is_new)
{
    const struct guid *guid = &s->look->guid[SUBJECT];
    uint32_t node = index_find_hashed(l, s->computer, guid, s->look->hash[SUBJECT]);
    *is_new = true;
    if (node == PROCESS_NONE)
        return index_add_node(l, s->computer, guid, true);
    if (l->processes[node].kind == PROCESS_GHOST)
        return node;
    uint32_t same = find_same_creation(l, node, s->event);
    if (same == PROCESS_NONE && s->event->record->state == RECORD_TORN)
        same = node; /* what is left of it proves no second creation */
    *is_new = same == PROCESS_NONE;
    return *is_new ? add_conflict(l, node, s->computer, guid) : same;
}

/* Two different records of one pid and one UtcTime both stay; the first is the one that
 * duplicates are compared with. */
static uint32_t nameless_creation_node(struct lineage *l, const struct sight *s,
                                       bool *is_new)
{
    static const struct guid null;
    uint32_t pid = sysmon_pid(s->event, SYSMON_ProcessId);
    uint32_t node = index_find_nameless(l, s->computer, pid, s->event->utc_filetime);
    *is_new = node == MAP_NONE || !same_creation(l, &l->processes[node], s->event);
    if (!*is_new)
        return node;
    uint32_t added = index_add_node(l, s->computer, &null, false);
    if (node == MAP_NONE)
        index_add_nameless(l, s->computer, pid, s->event->utc_filetime, added);
    return added;
}

static void add_creation(struct lineage *l, const struct sight *s,
                         struct event_processes *found)
{
    bool is_new, is_named = s->look->is_named[SUBJECT];
    if (!is_named && s->event->record->state == RECORD_TORN)
        return; /* too little is left to tell a process by */
    uint32_t node =
        is_named ? creation_node(l, s, &is_new) : nameless_creation_node(l, s, &is_new);
    found->subject = node;
    found->is_new_creation = is_new;
    if (!is_new) {
        add_duplicate(l, node, s);
        return;
    }
    fill_creation(l, node, s);
    uint32_t parent = refer_parent(l, s); /* may move the table */
    l->processes[node].parent = parent;
    if (record_state_is_live(s->event->record->state))
        count_creation(l, &l->processes[node]);
}

static void add_end(struct lineage *l, const struct sight *s, uint32_t node)
{
    struct lineage_index *index = l->index;
    uint64_t record_id = s->event->record->system.record_id;
    if (node != PROCESS_NONE) {
        note_earlier_end(&l->processes[node], s->filetime, record_id, s->log);
        return;
    }
    struct text image = sysmon_value(s->event, SYSMON_Image);
    ARRAY_GROW(index->ends, index->end_count, index->end_capacity);
    index->ends[index->end_count++] = (struct nameless_end){
        .filetime = s->filetime,
        .record_id = record_id,
        .computer = s->computer,
        .pid = sysmon_pid(s->event, SYSMON_ProcessId),
        .image = sysmon_text_is_missing(image) ? STRING_ABSENT
                                               : strings_add(&l->strings, image),
        .log = s->log,
        .process = PROCESS_NONE};
}

/* csrss and conhost open every process in full while it starts. By full path: a csrss.exe
 * elsewhere is none. */
bool opens_every_process(struct text image)
{
    static const char *const paths[] = {":\\Windows\\System32\\csrss.exe",
                                        ":\\Windows\\System32\\conhost.exe"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (text_equal_fold(text_slice(image, 1, SIZE_MAX), text_from(paths[i])))
            return true;
    return false;
}

/* PROCESS_ALL_ACCESS before Windows Vista; 0x1FFFFF since then contains it. */
static const uint64_t full_access = 0x1F0FFF;

static void add_access(struct lineage *l, const struct sight *s, uint32_t source,
                       uint32_t target)
{
    uint64_t access;
    if (source == PROCESS_NONE || target == PROCESS_NONE || source == target ||
        s->filetime == FILETIME_NONE ||
        !sysmon_number(s->event, SYSMON_GrantedAccess, &access) ||
        (access & full_access) != full_access ||
        opens_every_process(sysmon_value(s->event, SYSMON_SourceImage)))
        return;
    const struct guid *guid = &l->processes[target].guid;
    uint64_t second = filetime_from_unix(process_guid_parts(guid).start_unix, 0);
    if (s->filetime + FILETIME_SECOND < second ||
        s->filetime > second + 2 * FILETIME_SECOND)
        return;
    note_access(l, target, source, s->filetime);
}

struct event_processes lineage_add_seen(struct lineage *l,
                                        const struct sysmon_event *event,
                                        const struct lineage_look *look, uint32_t log)
{
    struct sight s = {event, look, sysmon_event_filetime(event),
                      index_add_computer(l, event->record->system.computer), log};
    struct event_processes found = {PROCESS_NONE, PROCESS_NONE, false};
    switch (event->event_id) {
    case SYSMON_PROCESS_CREATE: add_creation(l, &s, &found); break;
    case SYSMON_PROCESS_TERMINATE:
        found.subject = refer_as(l, &s, &as_subject);
        add_end(l, &s, found.subject);
        break;
    case SYSMON_REMOTE_THREAD:
    case SYSMON_PROCESS_ACCESS:
        found.subject = refer_as(l, &s, &as_source);
        found.object = refer_as(l, &s, &as_target);
        if (event->event_id == SYSMON_PROCESS_ACCESS)
            add_access(l, &s, found.subject, found.object);
        break;
    default: found.subject = refer_as(l, &s, &as_subject);
    }
    uint32_t host = found.subject == PROCESS_NONE ? index_add_host(l, s.computer, 0)
                                                  : l->processes[found.subject].scope;
    count_record(&l->hosts[host], &s);
    return found;
}

/* --- second pass */

static uint32_t find_as(const struct lineage *l, uint32_t computer,
                        const struct sysmon_event *event, const struct naming *as)
{
    struct guid guid;
    if (!sysmon_guid(event, as->guid, &guid))
        return PROCESS_NONE;
    uint32_t node = index_find_guid(l, computer, &guid);
    return node == PROCESS_NONE ? node : l->index->extras[node].means;
}

static uint32_t find_creation(const struct lineage *l, uint32_t computer,
                              const struct sysmon_event *event)
{
    struct guid guid;
    if (!sysmon_guid(event, SYSMON_ProcessGuid, &guid)) {
        uint32_t node = index_find_nameless(
            l, computer, sysmon_pid(event, SYSMON_ProcessId), event->utc_filetime);
        return node == MAP_NONE ? PROCESS_NONE : node;
    }
    uint32_t node = index_find_guid(l, computer, &guid);
    if (node == PROCESS_NONE)
        return node;
    if (!(l->processes[node].flags & FLAG_CONFLICT))
        return l->index->extras[node].means;
    for (uint32_t at = node; at != PROCESS_NONE;
         at = l->index->extras[at].next_conflict)
        if (l->processes[at].record_id == event->record->system.record_id &&
            l->processes[at].offset == event->record->offset)
            return at;
    return l->index->extras[node].means;
}

static uint32_t find_nameless_end(const struct lineage *l, uint32_t computer,
                                  const struct sysmon_event *event)
{
    const struct lineage_index *index = l->index;
    struct nameless_end wanted = {.filetime = sysmon_event_filetime(event),
                                  .record_id = event->record->system.record_id,
                                  .computer = computer,
                                  .pid = sysmon_pid(event, SYSMON_ProcessId)};
    const struct nameless_end *found =
        index->end_count ? bsearch(&wanted, index->ends, index->end_count,
                                   sizeof *index->ends, compare_nameless_ends)
                         : NULL;
    return found ? found->process : PROCESS_NONE;
}

struct event_processes lineage_find(const struct lineage *l,
                                    const struct sysmon_event *event)
{
    struct event_processes found = {PROCESS_NONE, PROCESS_NONE, false};
    uint32_t computer = index_find_computer(l, event->record->system.computer);
    if (computer == MAP_NONE)
        return found;
    if (event->event_id == SYSMON_PROCESS_CREATE) {
        found.subject = find_creation(l, computer, event);
    } else if (event->event_id == SYSMON_REMOTE_THREAD ||
               event->event_id == SYSMON_PROCESS_ACCESS) {
        found.subject = find_as(l, computer, event, &as_source);
        found.object = find_as(l, computer, event, &as_target);
    } else {
        found.subject = find_as(l, computer, event, &as_subject);
        if (found.subject == PROCESS_NONE &&
            event->event_id == SYSMON_PROCESS_TERMINATE)
            found.subject = find_nameless_end(l, computer, event);
    }
    return found;
}

/* --- access */

uint32_t lineage_alias_means(const struct lineage *l, uint32_t alias)
{
    return l->index->extras[alias].means;
}

struct text lineage_key(const struct lineage *l, uint32_t number,
                        char out[GUID_TEXT_MAX])
{
    if (number == PROCESS_NONE)
        return NO_TEXT;
    const struct process *p = lineage_process(l, number);
    return p->key == STRING_ABSENT ? guid_format(out, &p->guid)
                                   : lineage_text(l, p->key);
}

struct text lineage_parent_guid(const struct lineage *l, const struct process *p,
                                char out[GUID_TEXT_MAX])
{
    return p->named_parent == PROCESS_NONE
               ? NO_TEXT
               : guid_format(out, &l->processes[p->named_parent].guid);
}

struct text lineage_computer(const struct lineage *l, const struct process *p)
{
    return lineage_text(l, l->hosts[p->scope].computer);
}

struct text lineage_computer_of(const struct lineage *l, struct text name)
{
    uint32_t number = index_find_computer(l, name);
    return number == MAP_NONE ? name
                              : lineage_text(l, l->index->computer_names[number]);
}

struct place lineage_place(const struct lineage *l, const struct process *p,
                           const struct evidence_log *logs)
{
    (void)l;
    if (p->log == UINT32_MAX)
        return NOWHERE;
    return evidence_log_place(&logs[p->log], p->offset, p->record_id);
}

uint32_t lineage_next_in_tree(const struct lineage *l, uint32_t top, uint32_t number,
                              uint32_t *depth)
{
    top = lineage_node(l, top);
    number = lineage_node(l, number);
    if (l->processes[number].first_child != PROCESS_NONE) {
        ++*depth;
        return l->processes[number].first_child;
    }
    for (; number != top; number = l->processes[number].parent, --*depth)
        if (l->processes[number].next_sibling != PROCESS_NONE)
            return l->processes[number].next_sibling;
    return PROCESS_NONE;
}
