/* SPDX-License-Identifier: Apache-2.0
 * Security 4688 as a second source of processes.
 *
 * First pass: each 4688 becomes a node of its own. When all is known, one that is the same
 * process as a node of Sysmon's (same host and process id, about the same time, no other
 * image) becomes that node's alias, so that there is one process with two records. What is
 * left are processes that Sysmon did not log. Their parents are linked by what 4688 itself
 * records: the creator's process id and, from version 2 on, its image. */
#include <inttypes.h>
#include <stdlib.h>

#include "lineage/lineage_internal.h"

enum { STARTS_LOOKED_AT = 16 }; /* of one pid, around the time of a 4688 */

/* --- first pass */

static uint32_t keep(struct lineage *l, struct text t)
{
    return text_is_absent(t) ? STRING_ABSENT : strings_add(&l->strings, t);
}

static uint32_t keep_account(struct lineage *l, const struct audit_event *a)
{
    struct buffer name = {0};
    if (sysmon_text_is_missing(a->user))
        return STRING_ABSENT;
    if (!sysmon_text_is_missing(a->domain))
        buffer_printf(&name, "%.*s\\", TEXT(a->domain));
    buffer_add_text(&name, a->user);
    uint32_t number = strings_add(&l->strings, buffer_text(&name));
    buffer_release(&name);
    return number;
}

static void add_audit_end(struct lineage *l, const struct audit_event *a,
                          uint32_t computer, uint32_t log)
{
    struct lineage_index *index = l->index;
    ARRAY_GROW(index->ends, index->end_count, index->end_capacity);
    index->ends[index->end_count++] = (struct nameless_end){
        .filetime = a->record->system.time_created_filetime,
        .record_id = a->record->system.record_id,
        .offset = a->record->offset,
        .log = log,
        .computer = computer,
        .pid = a->pid,
        .image = sysmon_text_is_missing(a->image) ? STRING_ABSENT : keep(l, a->image),
        .exit_status = keep(l, a->exit_status),
        .process = PROCESS_NONE,
        .state = (uint8_t)a->record->state,
        .is_audited = true};
}

void lineage_add_audit(struct lineage *l, const struct audit_event *a, uint32_t log)
{
    static const struct guid null;
    const struct evtx_record *record = a->record;
    uint32_t computer = index_add_computer(l, record->system.computer);
    if (a->is_end) {
        add_audit_end(l, a, computer, log);
        return;
    }
    uint32_t node = index_add_node(l, computer, &null, false);
    struct process *p = &l->processes[node];
    p->kind = PROCESS_AUDITED;
    p->flags = 0;
    p->start_filetime = p->logged_filetime = record->system.time_created_filetime;
    p->offset = record->offset;
    p->record_id = record->system.record_id;
    p->log = log;
    p->state = (uint8_t)record->state;
    p->pid = a->pid;
    p->parent_pid = a->creator_pid;
    p->logon_id = a->logon_id;
    p->image = keep(l, a->image);
    p->command_line = keep(l, a->command_line);
    p->parent_image = keep(l, a->creator_image);
    p->integrity_level = keep(l, a->label);
    p->user = keep_account(l, a);
    l->hosts[p->scope].audited++;
    ARRAY_GROW(l->audits, l->audit_count, l->audit_capacity);
    l->audits[l->audit_count++] =
        (struct process_audit){.node = node,
                               .process = node,
                               .log = log,
                               .creator_pid = a->creator_pid,
                               .offset = record->offset,
                               .record_id = record->system.record_id,
                               .created_filetime = p->start_filetime,
                               .creator_image = p->parent_image,
                               .elevation = keep(l, a->elevation),
                               .label = p->integrity_level};
}

/* --- one process, two records */

/* Starts of Sysmon's nodes, by host, pid and time. */
struct start {
    uint64_t filetime;
    uint32_t scope, pid, node;
    bool is_taken;
};

struct starts {
    struct start *items;
    size_t count;
};

static int compare_starts(const void *a, const void *b)
{
    const struct start *x = a, *y = b;
    if (x->scope != y->scope)
        return x->scope < y->scope ? -1 : 1;
    if (x->pid != y->pid)
        return x->pid < y->pid ? -1 : 1;
    if (x->filetime != y->filetime)
        return x->filetime < y->filetime ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

static struct starts list_starts(const struct lineage *l)
{
    struct starts s = {memory_get_zeroed(l->count, sizeof *s.items), 0};
    for (uint32_t n = 0; n < l->count; n++) {
        const struct process *p = &l->processes[n];
        bool is_sysmons = p->kind == PROCESS_LOGGED || p->kind == PROCESS_GHOST;
        if (is_sysmons && !(p->flags & PROCESS_IS_ALIAS) && p->pid != PID_UNKNOWN &&
            p->start_filetime != FILETIME_NONE)
            s.items[s.count++] =
                (struct start){p->start_filetime, p->scope, p->pid, n, false};
    }
    if (s.count)
        qsort(s.items, s.count, sizeof *s.items, compare_starts);
    return s;
}

/* The first start that is not before this one. */
static size_t find_start(const struct starts *s, const struct start *wanted)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_starts(&s->items[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t apart(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* A ghost's start is known to the second alone. */
static bool may_be_same(const struct lineage *l, const struct process *sysmon,
                        const struct process *audited)
{
    uint64_t tolerance =
        LINEAGE_TOLERANCE_100NS + (sysmon->kind == PROCESS_GHOST ? FILETIME_SECOND : 0);
    struct text one = lineage_text(l, sysmon->image),
                other = lineage_text(l, audited->image);
    return apart(sysmon->start_filetime, audited->start_filetime) <= tolerance &&
           (sysmon_text_is_missing(one) || sysmon_text_is_missing(other) ||
            text_equal_fold(one, other));
}

static struct start *nearest_start(const struct lineage *l, const struct starts *s,
                                   const struct process *audited)
{
    const uint64_t reach = LINEAGE_TOLERANCE_100NS + FILETIME_SECOND;
    struct start wanted = {
        audited->start_filetime > reach ? audited->start_filetime - reach : 0,
        audited->scope, audited->pid, 0, false};
    struct start *best = NULL;
    uint64_t best_apart = 0;
    size_t at = find_start(s, &wanted);
    for (size_t seen = 0; at < s->count && seen < STARTS_LOOKED_AT; at++, seen++) {
        struct start *here = &s->items[at];
        if (here->scope != audited->scope || here->pid != audited->pid ||
            here->filetime > audited->start_filetime + reach)
            break;
        uint64_t distance = apart(here->filetime, audited->start_filetime);
        if (!here->is_taken && may_be_same(l, &l->processes[here->node], audited) &&
            (!best || distance < best_apart)) {
            best = here;
            best_apart = distance;
        }
    }
    return best;
}

/* A ghost that 4688 logged has a record of its own by that; its guid stays its name. */
static void fill_ghost(struct process *ghost, const struct process *audited)
{
    ghost->kind = PROCESS_AUDITED;
    ghost->start_filetime = audited->start_filetime;
    ghost->logged_filetime = audited->logged_filetime;
    ghost->offset = audited->offset;
    ghost->record_id = audited->record_id;
    ghost->log = audited->log;
    ghost->state = audited->state;
    ghost->parent_pid = audited->parent_pid;
    ghost->parent_image = audited->parent_image;
    ghost->logon_id = audited->logon_id;
    ghost->integrity_level = audited->integrity_level;
    if (audited->image)
        ghost->image = audited->image;
    if (!ghost->command_line)
        ghost->command_line = audited->command_line;
    if (!ghost->user)
        ghost->user = audited->user;
    ghost->flags &= (uint8_t)~FLAG_IMAGE_RANK;
}

static void become(struct lineage *l, struct process_audit *audit, uint32_t node)
{
    struct process *p = &l->processes[node];
    if (p->kind == PROCESS_GHOST)
        fill_ghost(p, &l->processes[audit->node]);
    l->index->extras[audit->node].means = node;
    l->processes[audit->node].flags |= PROCESS_IS_ALIAS;
    audit->process = node;
}

static int compare_audits(const void *a, const void *b, void *context)
{
    const struct lineage *l = context;
    const struct process_audit *x = a, *y = b;
    const struct process *p = &l->processes[x->node], *q = &l->processes[y->node];
    if (p->scope != q->scope)
        return p->scope < q->scope ? -1 : 1;
    if (p->pid != q->pid)
        return p->pid < q->pid ? -1 : 1;
    if (x->created_filetime != y->created_filetime)
        return x->created_filetime < y->created_filetime ? -1 : 1;
    if (x->record_id != y->record_id)
        return x->record_id < y->record_id ? -1 : 1;
    if (p->state != q->state)
        return p->state < q->state ? -1 : 1;
    if (x->log != y->log)
        return x->log < y->log ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The log and its copy, or an export of it. */
static bool is_same_record(const struct lineage *l, const struct process_audit *x,
                           const struct process_audit *y)
{
    const struct process *p = &l->processes[x->node], *q = &l->processes[y->node];
    return p->scope == q->scope && p->pid == q->pid && x->record_id == y->record_id &&
           x->created_filetime == y->created_filetime && p->image == q->image &&
           p->command_line == q->command_line && p->parent_pid == q->parent_pid;
}

static int compare_by_process(const void *a, const void *b)
{
    const struct process_audit *x = a, *y = b;
    return x->process < y->process ? -1 : x->process > y->process;
}

void audited_join(struct lineage *l)
{
    if (l->audit_count == 0)
        return;
    struct starts starts = list_starts(l);
    size_t kept = 0;
    qsort_r(l->audits, l->audit_count, sizeof *l->audits, compare_audits, l);
    for (size_t i = 0; i < l->audit_count; i++) {
        struct process_audit *audit = &l->audits[i];
        const struct process_audit *before = kept ? &l->audits[kept - 1] : NULL;
        if (before && is_same_record(l, before, audit)) {
            become(l, audit, before->process);
            l->processes[before->process].flags |= PROCESS_CREATION_SEEN_TWICE;
            continue;
        }
        struct start *same = nearest_start(l, &starts, &l->processes[audit->node]);
        if (same) {
            same->is_taken = true;
            become(l, audit, same->node);
        }
        l->audits[kept++] = *audit;
    }
    l->audit_count = kept;
    qsort(l->audits, kept, sizeof *l->audits, compare_by_process);
    free(starts.items);
}

const struct process_audit *lineage_audit(const struct lineage *l, uint32_t number)
{
    struct process_audit wanted = {.process = lineage_node(l, number)};
    return l->audit_count ? bsearch(&wanted, l->audits, l->audit_count,
                                    sizeof *l->audits, compare_by_process)
                          : NULL;
}

/* --- starts of Windows */

enum { BOOTS_LOOKED_AT = 64 };

static void add_boot(struct lineage *l, const struct known_boot *boot)
{
    struct lineage_index *index = l->index;
    ARRAY_GROW(index->boots, index->boot_count, index->boot_capacity);
    index->boots[index->boot_count++] = *boot;
}

void lineage_add_boot(struct lineage *l, struct text computer, uint64_t earliest,
                      uint64_t latest)
{
    uint32_t number = index_find_computer(l, computer);
    if (number != MAP_NONE)
        add_boot(l, &(struct known_boot){earliest, latest, number});
}

static int compare_boots(const void *a, const void *b)
{
    const struct known_boot *x = a, *y = b;
    if (x->computer != y->computer)
        return x->computer < y->computer ? -1 : 1;
    if (x->earliest != y->earliest)
        return x->earliest < y->earliest ? -1 : 1;
    return (x->latest > y->latest) - (x->latest < y->latest);
}

/* By boot number inside GUIDs, from when to when processes started in that boot. */
struct guid_boots {
    struct known_boot *items;
    size_t count, capacity;
};

static struct guid_boots list_guid_boots(const struct lineage *l)
{
    struct guid_boots b = {0};
    struct map map = {0};
    struct arena keys = {0};
    for (uint32_t n = 0; n < l->count; n++) {
        const struct process *p = &l->processes[n];
        struct {
            uint32_t computer, boot;
        } wanted = {node_computer(l, p), process_guid_boot(&p->guid)}, *kept;
        if (p->kind != PROCESS_LOGGED || wanted.boot == 0 ||
            p->start_filetime == FILETIME_NONE)
            continue;
        uint32_t found = map_find(&map, MAP_KEY_OF(&wanted));
        if (found == MAP_NONE) {
            kept = arena_alloc(&keys, sizeof *kept);
            *kept = wanted;
            found = (uint32_t)b.count;
            map_add(&map, MAP_KEY_OF(kept), found);
            ARRAY_GROW(b.items, b.count, b.capacity);
            b.items[b.count++] = (struct known_boot){
                p->start_filetime, p->start_filetime, wanted.computer};
        }
        struct known_boot *boot = &b.items[found];
        boot->earliest =
            p->start_filetime < boot->earliest ? p->start_filetime : boot->earliest;
        boot->latest =
            p->start_filetime > boot->latest ? p->start_filetime : boot->latest;
    }
    arena_release(&keys);
    map_release(&map);
    return b;
}

/* Windows started after the last process of one boot and before the first of the next. */
static void add_guid_boots(struct lineage *l)
{
    struct guid_boots b = list_guid_boots(l);
    if (b.count)
        qsort(b.items, b.count, sizeof *b.items, compare_boots);
    for (size_t i = 1; i < b.count; i++) {
        const struct known_boot *before = &b.items[i - 1], *boot = &b.items[i];
        if (before->computer == boot->computer && before->latest < boot->earliest)
            add_boot(l, &(struct known_boot){before->latest, boot->earliest,
                                             boot->computer});
    }
    free(b.items);
}

void audited_order_boots(struct lineage *l)
{
    if (l->audit_count == 0)
        return;
    add_guid_boots(l);
    if (l->index->boot_count)
        qsort(l->index->boots, l->index->boot_count, sizeof *l->index->boots,
              compare_boots);
}

/* Did Windows start after what was recorded at `from`, and before `to`? */
static bool started_between(const struct lineage *l, uint32_t computer, uint64_t from,
                            uint64_t to)
{
    const struct lineage_index *index = l->index;
    const struct known_boot wanted = {from, 0, computer};
    size_t low = 0, high = index->boot_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_boots(&index->boots[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t seen = 0; low < index->boot_count && seen < BOOTS_LOOKED_AT;
         low++, seen++) {
        const struct known_boot *b = &index->boots[low];
        if (b->computer != computer || b->earliest > to)
            return false;
        if (b->latest <= to)
            return true;
    }
    return false;
}

/* --- parents */

static void set_reason(struct lineage *l, struct process *p, enum link_grade grade,
                       struct buffer *reason)
{
    p->grade = (uint8_t)grade;
    p->grade_reason = strings_add(&l->strings, buffer_text(reason));
    buffer_release(reason);
}

/* The newest recorded process of the creator's pid that can have lived then: not ended, and
 * Windows not started since. A later one of that pid would have replaced it, so no older one
 * is looked at. */
static uint32_t newest_of_pid(const struct lineage *l, const struct pid_table *pids,
                              uint32_t node)
{
    const struct process *p = &l->processes[node];
    struct pid_holders h = pid_holders(pids, p->scope, p->parent_pid);
    size_t at = pid_holders_until(l, h, p->start_filetime);
    if (at > 0 && h.nodes[at - 1] == node)
        at--;
    if (at == 0)
        return PROCESS_NONE;
    const struct process *found = &l->processes[h.nodes[at - 1]];
    bool has_ended = found->end_filetime != FILETIME_NONE &&
                     found->end_filetime + LINEAGE_TOLERANCE_100NS < p->start_filetime;
    return has_ended || started_between(l, node_computer(l, p), found->start_filetime,
                                        p->start_filetime)
               ? PROCESS_NONE
               : h.nodes[at - 1];
}

static const char *how_long_it_lived(const struct process *p)
{
    return p->end_filetime == FILETIME_NONE ? "; no end of it is recorded"
                                            : "; it ended later";
}

/* A damaged record, or one of another's making, may name no creator. */
static void add_creator(struct buffer *reason, uint32_t pid, struct text image)
{
    if (pid == PID_UNKNOWN)
        buffer_add_string(reason, "event 4688 records no process id of the creator");
    else
        buffer_printf(
            reason, "event 4688 records process id %" PRIu32 "%s%.*s as the creator's",
            pid, text_is_empty(image) ? "" : ", image ", TEXT(image));
}

void audited_link(struct lineage *l, const struct pid_table *pids, uint32_t node)
{
    struct process *p = &l->processes[node];
    struct text creator = lineage_text(l, p->parent_image);
    struct buffer reason = {0};
    enum link_grade grade = GRADE_NONE;
    uint32_t found = p->start_filetime == FILETIME_NONE ? PROCESS_NONE
                                                        : newest_of_pid(l, pids, node);
    struct text image =
        found == PROCESS_NONE ? NO_TEXT : lineage_text(l, l->processes[found].image);
    add_creator(&reason, p->parent_pid, creator);
    if (p->parent_pid == PID_UNKNOWN) {
        ; /* nothing to look for */
    } else if (found == PROCESS_NONE) {
        buffer_add_string(&reason,
                          "; no recorded process of that id can have been alive then");
    } else if (sysmon_text_is_missing(creator)) {
        grade = GRADE_C;
        p->candidate = found;
        buffer_add_string(&reason,
                          "; candidate: the newest recorded process of that id, "
                          "whose image this version of the event does not name");
        buffer_add_string(&reason, how_long_it_lived(&l->processes[found]));
    } else if (!text_equal_fold(creator, image)) {
        buffer_add_string(&reason,
                          "; the newest recorded process of that id has another "
                          "image");
    } else {
        grade = GRADE_P;
        p->parent = found;
        buffer_add_string(&reason,
                          "; the newest recorded process of that id has that image");
        buffer_add_string(&reason, how_long_it_lived(&l->processes[found]));
    }
    set_reason(l, p, grade, &reason);
}
