/* SPDX-License-Identifier: Apache-2.0
 * Oddities of one process that its link alone does not show: who opened it as it started,
 * whose session and rights it runs with; and the numbers that processes left out. */
#include <inttypes.h>
#include <stdlib.h>

#include "lineage/lineage_internal.h"

/* Public records show full access to a new process within half a second of its start by its
 * parent, csrss and conhost; doc/lineage.md has the figures. */
static const uint64_t creator_window = FILETIME_SECOND / 2;

/* --- CREATOR_NE_PARENT */

static bool is_at_start(const struct process *p, uint64_t filetime)
{
    uint64_t apart = filetime > p->start_filetime ? filetime - p->start_filetime
                                                  : p->start_filetime - filetime;
    return apart <= creator_window;
}

/* The one process but for the child, csrss and conhost that had full access as it started;
 * PROCESS_NONE if there is none, or several, or the recorded parent is among them. */
static uint32_t only_creator(const struct lineage *l, uint32_t n, uint32_t parent)
{
    const struct process *p = &l->processes[n];
    uint32_t found = PROCESS_NONE;
    for (uint32_t at = l->index->extras[n].accesses; at;) {
        const struct early_access *a = &l->index->accesses[at - 1];
        uint32_t source = lineage_node(l, l->index->extras[a->source].means);
        at = a->next;
        if (source == n || source == found || !is_at_start(p, a->filetime) ||
            opens_every_process(lineage_text(l, l->processes[source].image)))
            continue;
        if (source == parent || found != PROCESS_NONE)
            return PROCESS_NONE;
        found = source;
    }
    return found;
}

static bool is_service_host(struct text image)
{
    return text_ends_with_fold(image, TEXT_LITERAL("\\Windows\\System32\\svchost.exe"));
}

static void tell_creator(const struct lineage *l, uint32_t n,
                         const struct evidence_log *logs, struct problems *problems)
{
    const struct process *p = &l->processes[n];
    uint32_t creator = p->parent == PROCESS_NONE || p->start_filetime == FILETIME_NONE
                           ? PROCESS_NONE
                           : only_creator(l, n, p->parent);
    if (creator == PROCESS_NONE)
        return;
    const struct process *c = &l->processes[creator],
                         *parent = &l->processes[p->parent];
    bool elevates = is_service_host(lineage_text(l, c->image));
    char pids[3][PID_TEXT_MAX];
    problems_add_graded(
        problems, PROBLEM_CREATOR_NE_PARENT, elevates ? SEVERITY_INFO : SEVERITY_NOTICE,
        lineage_place(l, p, logs),
        "%.*s (pid %.*s) opened %.*s (pid %.*s) in full within 0.5 s of its start; the "
        "recorded parent is %.*s (pid %.*s), and no such access by it is recorded%s",
        TEXT(shown_image(l, c)), TEXT(pid_text(pids[0], c->pid)),
        TEXT(shown_image(l, p)), TEXT(pid_text(pids[1], p->pid)),
        TEXT(shown_image(l, parent)), TEXT(pid_text(pids[2], parent->pid)),
        elevates ? "; a service host does this where it elevates a program" : "");
}

/* --- LOGON_JUMP */

static bool is_service_logon(uint64_t logon_id)
{
    return logon_id == 0x3e7 || logon_id == 0x3e4 || logon_id == 0x3e5;
}

static unsigned integrity_rank(struct text level)
{
    static const char *const levels[] = {"AppContainer", "Low", "Medium", "High",
                                         "System"};
    for (unsigned i = 0; i < sizeof levels / sizeof *levels; i++)
        if (text_equal_fold(level, text_from(levels[i])))
            return i + 1;
    return 0;
}

static struct text recorded(struct text value)
{
    return text_is_empty(value) ? TEXT_LITERAL("(not recorded)") : value;
}

static void tell_logon(const struct lineage *l, uint32_t n,
                       const struct evidence_log *logs, struct problems *problems)
{
    const struct process *p = &l->processes[n];
    if (p->parent == PROCESS_NONE || p->logon_id == 0)
        return;
    const struct process *parent = &l->processes[p->parent];
    if (parent->kind != PROCESS_LOGGED || parent->logon_id == 0 ||
        is_service_logon(parent->logon_id))
        return;
    struct text own = lineage_text(l, p->integrity_level),
                theirs = lineage_text(l, parent->integrity_level);
    unsigned rank = 0, was = 0; /* one string number is one level */
    if (p->integrity_level != parent->integrity_level) {
        rank = integrity_rank(own);
        was = integrity_rank(theirs);
    }
    bool rises = rank > was && was >= 2;
    bool other_logon = !guid_is_null(&p->logon_guid) &&
                       !guid_is_null(&parent->logon_guid) &&
                       !guid_equal(&p->logon_guid, &parent->logon_guid);
    bool has_sessions =
        p->session_id != PID_UNKNOWN && parent->session_id != PID_UNKNOWN;
    bool other_session = has_sessions && p->session_id != parent->session_id;
    if (!rises && !other_logon && !other_session)
        return;
    struct text user = lineage_text(l, p->user),
                their_user = lineage_text(l, parent->user);
    bool same_user = !text_is_empty(user) && text_equal_fold(user, their_user);
    bool is_elevation =
        same_user && has_sessions && !other_session && integrity_rank(own) <= 4;
    char sessions[2][PID_TEXT_MAX];
    problems_add_graded(
        problems, PROBLEM_LOGON_JUMP, is_elevation ? SEVERITY_INFO : SEVERITY_NOTICE,
        lineage_place(l, p, logs),
        "%.*s runs as %.*s, logon 0x%" PRIx64
        ", session %.*s, integrity %.*s; its recorded parent %.*s as %.*s, logon "
        "0x%" PRIx64 ", session %.*s, integrity %.*s%s",
        TEXT(shown_image(l, p)), TEXT(recorded(user)), p->logon_id,
        TEXT(pid_text(sessions[0], p->session_id)), TEXT(recorded(own)),
        TEXT(shown_image(l, parent)), TEXT(recorded(their_user)), parent->logon_id,
        TEXT(pid_text(sessions[1], parent->session_id)), TEXT(recorded(theirs)),
        is_elevation ? "; the same account and session, as where a user agrees to "
                       "elevation"
                     : "");
}

void oddities_tell(const struct lineage *l, uint32_t n, const struct evidence_log *logs,
                   struct problems *problems)
{
    if (l->processes[n].kind != PROCESS_LOGGED)
        return;
    tell_creator(l, n, logs, problems);
    tell_logon(l, n, logs, problems);
}

/* --- SEQ_GAP */

struct boot { /* what live creations of one start of a machine have for numbers */
    uint32_t host, lowest_node;
    uint16_t id;
    uint64_t lowest, highest, count;
};

struct boot_key {
    uint32_t host, boot;
};

static void add_number(struct boot *b, uint64_t number, uint32_t node)
{
    if (number < b->lowest) {
        b->lowest = number;
        b->lowest_node = node;
    }
    b->highest = number > b->highest ? number : b->highest;
    b->count++;
}

static void tell_boot(struct lineage *l, const struct boot *b,
                      const struct evidence_log *logs, struct problems *problems)
{
    uint64_t numbers = b->highest - b->lowest + 1;
    if (b->count < 2 || b->count >= numbers)
        return;
    l->hosts[b->host].sequence_missing += numbers - b->count;
    problems_add(problems, PROBLEM_SEQ_GAP,
                 lineage_place(l, &l->processes[b->lowest_node], logs),
                 "on %.*s, start %u of the machine: of the process numbers %" PRIu64
                 " to %" PRIu64 ", %" PRIu64 " have a creation record here, %" PRIu64
                 " have none",
                 TEXT(lineage_text(l, l->hosts[b->host].computer)), b->id, b->lowest,
                 b->highest, b->count, numbers - b->count);
}

struct boots {
    struct boot *items;
    size_t count, capacity;
    struct map map; /* struct boot_key to item */
    struct arena keys;
    uint32_t
        last; /* what was found last: most processes are of the boot of the one before */
};

static struct boot *boot_of(struct boots *all, uint32_t host, uint16_t id)
{
    struct boot_key wanted = {host, id};
    if (all->count && all->items[all->last].host == host &&
        all->items[all->last].id == id)
        return &all->items[all->last];
    uint32_t found = map_find(&all->map, MAP_KEY_OF(&wanted));
    if (found == MAP_NONE) {
        struct boot_key *kept = arena_alloc(&all->keys, sizeof *kept);
        *kept = wanted;
        found = map_add(&all->map, MAP_KEY_OF(kept), (uint32_t)all->count);
        ARRAY_GROW(all->items, all->count, all->capacity);
        all->items[all->count++] =
            (struct boot){.host = host, .id = id, .lowest = UINT64_MAX};
    }
    all->last = found;
    return &all->items[found];
}

void sequence_tell(struct lineage *l, const struct evidence_log *logs,
                   struct problems *problems)
{
    struct boots all = {0};
    for (size_t i = 0; i < l->order_count; i++) {
        uint32_t n = l->order[i];
        const struct process *p = &l->processes[n];
        uint64_t key = process_guid_parts(&p->guid).key;
        if (p->kind != PROCESS_LOGGED || !record_state_is_live(p->state) ||
            (p->flags & FLAG_CONFLICT) || (uint32_t)key == 0x10000000 || key >> 48 == 0)
            continue;
        struct boot *boot = boot_of(&all, p->scope, (uint16_t)(key >> 48));
        add_number(boot, key & ((UINT64_C(1) << 48) - 1), n);
    }
    for (size_t i = 0; i < all.count; i++)
        tell_boot(l, &all.items[i], logs, problems);
    free(all.items);
    arena_release(&all.keys);
    map_release(&all.map);
}
