/* SPDX-License-Identifier: Apache-2.0
 * Only src/lineage includes this file.
 *
 * First pass: one node per (computer, guid), so nothing that is stored depends on which
 * event came first. That two guids name one process is found out afterwards, when all
 * creation records are known (merge.c). Until then process.parent holds the node of the
 * parent's guid as it was recorded.
 *
 * Wherever two events could each give a value (a ghost's image, the end), the choice is by
 * a rule on the values alone: better source, then longer text, then byte order; earliest
 * end. Never "the first that came". */
#ifndef FOREBEAR_LINEAGE_INTERNAL_H
#define FOREBEAR_LINEAGE_INTERNAL_H

#include "lineage/lineage.h"
#include "util/memory.h"

enum {                         /* private bits of process.flags */
       FLAG_IMAGE_RANK = 0x30, /* ghost: enum image_source of its image */
       FLAG_IMAGE_RANK_SHIFT = 4,
       FLAG_CIRCLE = 0x40,  /* its parent was left out: the link closed a circle */
       FLAG_CONFLICT = 0x80 /* another creation record carries the same guid */
};

/* Where an image was read, the best last. SourceImage of old event 10 records is corrupt
 * memory, so those come behind everything else. */
enum image_source { IMAGE_FROM_ACCESS, IMAGE_FROM_EVENT, IMAGE_FROM_CHILD };

enum {
    CONFLICTS_COMPARED = 16, /* creations of one guid that a new one is compared with */
    ACCESSES_PER_PROCESS = 4,
    IMAGES_PER_PROCESS = 2
};

/* What only building the table needs, beside each process. */
struct node_extra {
    uint32_t images[IMAGES_PER_PROCESS]; /* in its other events: the two first in byte
                                            order, distinct without case */
    uint32_t means;         /* what a reference to this guid means; itself at first */
    uint32_t accesses;      /* index + 1 of the first early_access; 0: none */
    uint32_t next_conflict; /* next creation with the same guid; PROCESS_NONE */
};

/* Full access to a process about when it started: who may have created it. */
struct early_access {
    uint64_t filetime;
    uint32_t source, next; /* next: index + 1 */
};

/* Windows started on a computer between these times. */
struct known_boot {
    uint64_t earliest, latest;
    uint32_t computer;
};

struct recorded_twice { /* creations of one log that stand elsewhere too */
    uint64_t count, first_record_id;
};

/* The hash spares a look into the table, which is a cache miss, for a foreign guid, and for
 * all of them when the slots grow. */
struct guid_slot {
    uint32_t node_1; /* node + 1; 0: free */
    uint32_t hash;
};

struct lineage_index {
    uint64_t seed;
    struct arena arena; /* keys of the maps */
    struct map computers, host_numbers, nameless;
    uint32_t *computer_names; /* string numbers, by computer */
    size_t computer_count, computer_capacity;
    uint32_t last_computer, last_computer_text; /* what was found last */
    uint32_t *host_computer;                    /* by host */
    size_t host_computer_count, host_computer_capacity;
    uint32_t last_host;
    struct guid_slot *slots;
    uint32_t slot_count, slots_used;
    struct node_extra *extras; /* by node */
    size_t extra_count, extra_capacity;
    struct early_access *accesses;
    size_t access_count, access_capacity;
    struct nameless_end *ends;
    size_t end_count, end_capacity;
    uint32_t *conflicts; /* nodes that came second with their guid */
    size_t conflict_count, conflict_capacity;
    struct recorded_twice *twice; /* by log */
    size_t twice_count;
    struct known_boot *boots;
    size_t boot_count, boot_capacity;
};

/* index.c: computers, hosts, guids */
uint32_t index_add_computer(struct lineage *l, struct text name);
uint32_t index_find_computer(const struct lineage *l, struct text name);
uint32_t index_add_host(struct lineage *l, uint32_t computer, uint32_t machine_id);
uint32_t index_find_guid(const struct lineage *l, uint32_t computer,
                         const struct guid *guid);
/* The same with index_hash() of the guid at hand. */
uint32_t index_find_hashed(const struct lineage *l, uint32_t computer,
                           const struct guid *guid, uint64_t hash);
/* A guess, without a look at the node: for lineage_fetch(). */
const struct guid_slot *index_slot(const struct lineage *l, uint64_t hash);
/* A node of its own; `indexed`: it is found by its guid from now on. */
uint32_t index_add_node(struct lineage *l, uint32_t computer, const struct guid *guid,
                        bool indexed);
void index_add_nameless(struct lineage *l, uint32_t computer, uint32_t pid,
                        uint64_t filetime, uint32_t node);
uint32_t index_find_nameless(const struct lineage *l, uint32_t computer, uint32_t pid,
                             uint64_t filetime);
uint64_t index_hash(const struct lineage *l, const void *data, size_t len);

static inline uint32_t node_computer(const struct lineage *l, const struct process *p)
{
    return l->index->host_computer[p->scope];
}

/* look.c: what an event says, as other threads can prepare it */
enum { SUBJECT, OBJECT }; /* of struct lineage_look */

/* The fields by which events name a process. */
struct naming {
    enum sysmon_field guid, pid, image, user;
    enum image_source source;
    bool image_is_reliable;
};

extern const struct naming as_subject, as_parent, as_source, as_target;

/* The texts that a process keeps, and where. */
struct kept_text {
    enum sysmon_field field;
    size_t at; /* in struct process */
};

extern const struct kept_text kept_texts[LINEAGE_TEXTS];

int compare_nameless_ends(const void *a, const void *b);

/* facts.c: comparisons that the passes share */
bool same_creation(const struct lineage *l, const struct process *p,
                   const struct sysmon_event *event);
bool text_is_better(struct text candidate, struct text present);
void note_earlier_end(struct process *p, uint64_t filetime, uint64_t record_id,
                      uint32_t log);
void note_later_sight(struct process *p, uint64_t filetime);
void note_image(struct lineage *l, uint32_t node, struct text image);
void ghost_learn_image(struct lineage *l, struct process *p, struct text image,
                       enum image_source source);
void ghost_learn_text(struct lineage *l, uint32_t *kept, struct text value);
void note_access(struct lineage *l, uint32_t target, uint32_t source,
                 uint64_t filetime);
/* csrss and conhost, by full path: they open every process in full while it starts. */
bool opens_every_process(struct text image);
/* Of the same text, but for the doubled '%' of event 1. */
bool same_command_line(struct text recorded_by_parent, struct text recorded_by_child);
/* One of the two was cut with "..." and they agree up to there. */
bool same_until_cut(struct text a, struct text b);

/* audited.c: 4688 records join the processes that they are about; the parents of those that
 * Sysmon did not log */
void audited_join(struct lineage *l);
/* Puts the known starts of Windows in order, with those that GUIDs tell, for audited_link(). */
void audited_order_boots(struct lineage *l);

/* merge.c: from one node per guid to one node per process */
void merge_settle_hosts(struct lineage *l, struct workers *workers);
void merge_choose_primaries(struct lineage *l);
void merge_give_ghosts_times(struct lineage *l, struct workers *workers);
void merge_aliases(struct lineage *l, struct workers *workers);
bool host_layout_holds(const struct host *host);

/* order.c */
void order_add_unknown_parents(struct lineage *l);
void order_nodes(struct lineage *l, struct workers *workers);

/* trees.c: no circle stays, then children, depths, roots and descendants */
void trees_build(struct lineage *l, uint32_t circle_reason, struct workers *workers);

/* pids.c: who held a pid, in order of start */
struct pid_table {
    const struct lineage *lineage;
    uint32_t *groups;  /* by node; PROCESS_NONE if it is in none */
    uint32_t *first;   /* by group; one more than there are groups */
    uint32_t *holders; /* nodes, group after group */
    struct pid_group_key {
        uint32_t scope, pid;
    } * keys; /* by group */
    uint32_t *slots;
    uint32_t slot_count, group_count, group_capacity;
};

struct pid_holders {
    const uint32_t *nodes;
    size_t count;
};

void pid_table_init(struct pid_table *t, const struct lineage *l);
void pid_table_release(struct pid_table *t);
struct pid_holders pid_holders(const struct pid_table *t, uint32_t scope, uint32_t pid);
/* How many of them started at or before that time. */
size_t pid_holders_until(const struct lineage *l, struct pid_holders h,
                         uint64_t filetime);

/* candidates.c: links without a guid (grades C and D), ends without a guid */
void candidates_take_ends(struct lineage *l, const struct pid_table *pids);
void candidates_find(struct lineage *l, const struct pid_table *pids, uint32_t child);
void audited_link(struct lineage *l, const struct pid_table *pids, uint32_t node);

/* support.c: one value as the parent's own record and its child's give it */
enum sides { SIDES_AGREE, SIDES_AGREE_TO_CUT, SIDES_DIFFER, SIDES_UNKNOWN };

enum sides compare_images(struct text by_parent, struct text by_child);
enum sides compare_command_lines(struct text by_parent, struct text by_child);

/* anomalies.c */
void anomalies_tell(const struct lineage *l, const struct pid_table *pids,
                    const struct evidence_log *logs, struct problems *problems,
                    struct workers *workers);
/* "(no image recorded)" where there is none. */
struct text shown_image(const struct lineage *l, const struct process *p);

/* oddities.c: CREATOR_NE_PARENT and LOGON_JUMP of one process; SEQ_GAP of all hosts, whose
 * sequence_missing it fills in */
void oddities_tell(const struct lineage *l, uint32_t n, const struct evidence_log *logs,
                   struct problems *problems);
void sequence_tell(struct lineage *l, const struct evidence_log *logs,
                   struct problems *problems);

#endif
