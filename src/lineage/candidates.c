/* SPDX-License-Identifier: Apache-2.0
 * What can be said without a guid: candidates by pid and time (grades C and D), and whose
 * end an event 5 without a guid is. */
#include <inttypes.h>
#include <stdlib.h>

#include "lineage/lineage_internal.h"

enum {
    HOLDERS_LOOKED_AT = 64, /* of one pid, back from the child's start */
    CANDIDATES_NAMED = 5
};

static const uint64_t millisecond = FILETIME_SECOND / 1000;
/* The creator opens its new process within half a second of the start; public records show
 * the parent as the first to do so in 1,401 of 1,771 cases (doc/lineage.md). */
static const uint64_t creator_window = FILETIME_SECOND / 2;

/* --- ends without a guid */

int compare_nameless_ends(const void *a, const void *b)
{
    const struct nameless_end *x = a, *y = b;
    if (x->computer != y->computer)
        return x->computer < y->computer ? -1 : 1;
    if (x->is_audited !=
        y->is_audited) /* what Sysmon says of its processes comes first */
        return x->is_audited ? 1 : -1;
    if (x->filetime != y->filetime)
        return x->filetime < y->filetime ? -1 : 1;
    if (x->record_id != y->record_id)
        return x->record_id < y->record_id ? -1 : 1;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static bool is_image_of(const struct lineage *l, const struct process *p,
                        const struct nameless_end *end)
{
    return !end->image || !p->image ||
           text_equal_fold(lineage_text(l, end->image), lineage_text(l, p->image));
}

static bool may_be_its_end(const struct lineage *l, const struct process *p,
                           const struct nameless_end *end)
{
    return p->end_filetime == FILETIME_NONE && is_image_of(l, p, end);
}

/* What Sysmon's event 5 told already, about the same time. */
static bool is_known_end(const struct lineage *l, const struct process *p,
                         const struct nameless_end *end)
{
    uint64_t known = p->end_filetime;
    return end->is_audited && known != FILETIME_NONE && is_image_of(l, p, end) &&
           (known > end->filetime ? known - end->filetime : end->filetime - known) <=
               LINEAGE_TOLERANCE_100NS;
}

/* The log and its copy, or an export of it. */
static bool is_copy_of(const struct nameless_end *a, const struct nameless_end *b)
{
    return compare_nameless_ends(a, b) == 0 && a->image == b->image;
}

/* The newest process of that pid that had started; one that started up to 2 s later if
 * there is none, since ends are stamped early. */
static uint32_t
whose_end(const struct lineage *l, struct pid_holders h, const struct nameless_end *end,
          bool (*is_its)(const struct lineage *l, const struct process *p,
                         const struct nameless_end *end))
{
    size_t started = pid_holders_until(l, h, end->filetime);
    if (started > 0 && is_its(l, &l->processes[h.nodes[started - 1]], end))
        return h.nodes[started - 1];
    size_t soon = pid_holders_until(l, h, end->filetime + LINEAGE_TOLERANCE_100NS);
    if (soon > started && is_its(l, &l->processes[h.nodes[soon - 1]], end))
        return h.nodes[soon - 1];
    return PROCESS_NONE;
}

/* By computer its only host with records; PROCESS_NONE if several: then a pid alone does
 * not tell the machine. */
static uint32_t *only_hosts(const struct lineage *l)
{
    const struct lineage_index *index = l->index;
    uint32_t *only = memory_get(index->computer_count * sizeof *only);
    uint32_t *hosts = memory_get_zeroed(index->computer_count, sizeof *hosts);
    for (size_t i = 0; i < index->computer_count; i++)
        only[i] = PROCESS_NONE;
    for (uint32_t h = 0; h < l->host_count; h++)
        if (l->hosts[h].records || l->hosts[h].audited) {
            uint32_t computer = index->host_computer[h];
            only[computer] = hosts[computer]++ ? PROCESS_NONE : h;
        }
    free(hosts);
    return only;
}

/* Copies of a record: the one of the first log goes before the others. */
static int compare_by_log(const void *a, const void *b)
{
    const struct nameless_end *x = a, *y = b;
    int order = compare_nameless_ends(a, b);
    if (!order)
        order = (x->log > y->log) - (x->log < y->log);
    return order ? order : (x->offset > y->offset) - (x->offset < y->offset);
}

static void take_end(struct lineage *l, struct nameless_end *end,
                     struct pid_holders holders)
{
    end->process = whose_end(l, holders, end, is_known_end);
    if (end->process != PROCESS_NONE)
        return;
    end->process = whose_end(l, holders, end, may_be_its_end);
    if (end->process == PROCESS_NONE)
        return;
    struct process *p = &l->processes[end->process];
    p->end_filetime = end->filetime;
    p->end_record_id = end->record_id;
    p->end_log = end->log;
    p->end_is_audited = end->is_audited;
    p->flags |= PROCESS_END_INFERRED;
    note_later_sight(p, end->filetime);
}

void candidates_take_ends(struct lineage *l, const struct pid_table *pids)
{
    struct lineage_index *index = l->index;
    if (index->end_count == 0)
        return;
    uint32_t *only = only_hosts(l);
    qsort(index->ends, index->end_count, sizeof *index->ends, compare_by_log);
    for (size_t i = 0; i < index->end_count; i++) {
        struct nameless_end *end = &index->ends[i];
        uint32_t host = only[end->computer];
        if (host == PROCESS_NONE || end->filetime == FILETIME_NONE)
            continue;
        if (i == 0 || !is_copy_of(end - 1, end))
            take_end(l, end, pid_holders(pids, host, end->pid));
        else if (!end->is_audited) /* that one is told once */
            end->process = end[-1].process;
    }
    free(only);
}

const struct nameless_end *lineage_ends(const struct lineage *l, size_t *count)
{
    *count = l->index->end_count;
    return l->index->ends;
}

/* --- candidates by pid and time */

struct candidates {
    uint32_t nodes[HOLDERS_LOOKED_AT]; /* newest start first */
    size_t count;
};

static bool boots_differ(const struct process *a, const struct process *b)
{
    uint16_t x = process_guid_boot(&a->guid), y = process_guid_boot(&b->guid);
    return x && y && x != y;
}

static bool image_may_be(const struct lineage *l, const struct process *holder,
                         const struct process *child)
{
    struct text wanted = lineage_text(l, child->parent_image);
    return sysmon_text_is_missing(wanted) || !holder->image ||
           text_equal_fold(wanted, lineage_text(l, holder->image));
}

static bool ended_before(uint64_t end_filetime, const struct process *child)
{
    return end_filetime != FILETIME_NONE &&
           end_filetime + LINEAGE_TOLERANCE_100NS < child->start_filetime;
}

/* Back from the newest process of the pid that had started, until the next one's start
 * rules out all that came before it. */
static void gather(const struct lineage *l, struct pid_holders h, uint32_t child,
                   struct candidates *found)
{
    const struct process *c = &l->processes[child];
    size_t at = pid_holders_until(l, h, c->start_filetime + millisecond);
    for (size_t seen = 0; at-- > 0 && seen < HOLDERS_LOOKED_AT; seen++) {
        const struct process *p = &l->processes[h.nodes[at]];
        if (at + 1 < h.count &&
            ended_before(l->processes[h.nodes[at + 1]].start_filetime, c))
            return;
        if (h.nodes[at] != child && !ended_before(p->end_filetime, c) &&
            !boots_differ(p, c) && image_may_be(l, p, c))
            found->nodes[found->count++] = h.nodes[at];
    }
}

static void gather_creators(const struct lineage *l, uint32_t child,
                            struct candidates *found)
{
    const struct process *c = &l->processes[child];
    for (uint32_t at = l->index->extras[child].accesses; at;) {
        const struct early_access *a = &l->index->accesses[at - 1];
        uint32_t source = lineage_node(l, l->index->extras[a->source].means);
        uint64_t apart = a->filetime > c->start_filetime
                             ? a->filetime - c->start_filetime
                             : c->start_filetime - a->filetime;
        bool known = source == child || apart > creator_window ||
                     opens_every_process(lineage_text(l, l->processes[source].image));
        for (size_t i = 0; i < found->count; i++)
            known |= found->nodes[i] == source;
        if (!known)
            found->nodes[found->count++] = source;
        at = a->next;
    }
}

static void add_name(struct buffer *out, const struct lineage *l, uint32_t node)
{
    const struct process *p = &l->processes[node];
    char guid[GUID_TEXT_MAX], pid[PID_TEXT_MAX];
    struct text image = lineage_text(l, p->image);
    if (text_is_empty(image))
        image = TEXT_LITERAL("a process without a recorded image");
    buffer_add_text(out, image);
    if (guid_is_null(&p->guid) && p->kind == PROCESS_AUDITED)
        buffer_printf(out, " (pid %.*s, logged by event 4688)",
                      TEXT(pid_text(pid, p->pid)));
    else
        buffer_printf(out, " %.*s", TEXT(guid_format(guid, &p->guid)));
    char start[FILETIME_TEXT_MAX];
    if (p->start_filetime !=
        FILETIME_NONE) /* an old one is a weak candidate: show it */
        buffer_printf(
            out, " (started %.*s)",
            TEXT(filetime_format(start, p->start_filetime, FILETIME_SECONDS)));
}

static void begin_reason(struct buffer *out, const struct process *c)
{
    buffer_add_string(out, c->state == RECORD_TORN
                               ? "the record is torn, and what is left of it names no "
                                 "parent guid: parent unknown"
                               : "the record names no parent guid: parent unknown");
    if (c->parent_pid != PID_UNKNOWN)
        buffer_printf(out, " (pid %" PRIu32 ")", c->parent_pid);
}

static void set_candidate(struct lineage *l, uint32_t child,
                          const struct candidates *found, enum link_grade grade,
                          const struct buffer *reason)
{
    struct process *c = &l->processes[child];
    c->grade = (uint8_t)grade;
    c->candidate = found->count ? found->nodes[0] : PROCESS_NONE;
    c->grade_reason = strings_add(&l->strings, buffer_text(reason));
}

static void name_several(struct buffer *out, const struct lineage *l,
                         const struct candidates *found)
{
    buffer_add_string(out, "; several candidates by pid and time: ");
    for (size_t i = 0; i < found->count && i < CANDIDATES_NAMED; i++) {
        if (i)
            buffer_add_string(out, ", ");
        add_name(out, l, found->nodes[i]);
    }
    if (found->count > CANDIDATES_NAMED)
        buffer_printf(out, " and %zu more", found->count - CANDIDATES_NAMED);
}

void candidates_find(struct lineage *l, const struct pid_table *pids, uint32_t child)
{
    const struct process *c = &l->processes[child];
    struct candidates found = {.count = 0};
    struct buffer reason = {0};
    enum link_grade grade = GRADE_NONE;
    bool timed = c->start_filetime != FILETIME_NONE;
    begin_reason(&reason, c);
    if (timed && c->parent_pid != PID_UNKNOWN)
        gather(l, pid_holders(pids, c->scope, c->parent_pid), child, &found);
    if (found.count == 1) {
        grade = GRADE_C;
        buffer_add_string(&reason, "; candidate by pid and time: ");
        add_name(&reason, l, found.nodes[0]);
        buffer_add_string(&reason, ", the one recorded process that can have held this "
                                   "pid when the child started");
    } else if (found.count > 1) {
        grade = GRADE_D;
        name_several(&reason, l, &found);
    } else if (timed) {
        gather_creators(l, child, &found);
        if (found.count == 1) {
            grade = GRADE_C;
            buffer_add_string(&reason, "; candidate by event 10: ");
            add_name(&reason, l, found.nodes[0]);
            buffer_add_string(&reason, " had full access to the new process within "
                                       "0.5 s of its start, and but for csrss and "
                                       "conhost it alone");
        } else {
            found.count = 0;
        }
    }
    set_candidate(l, child, &found, grade, &reason);
    buffer_release(&reason);
}
