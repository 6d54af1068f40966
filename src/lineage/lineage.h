/* SPDX-License-Identifier: Apache-2.0
 * lineage.h - from events to the processes of each host, their parents, and how far each
 * link can be trusted.
 *
 * Sysmon records parents as it saw them in its own cache. So a link is a statement with a
 * grade, not a fact:
 *   A   the child names the parent's guid, and a record of that process's creation has it
 *   A-  the same by (machine, start second, pid): the guid is known only as an alias
 *   B   the child names a guid, the parent has no creation record (a ghost)
 *   C   no guid; exactly one candidate by pid and time        } candidates: named beside,
 *   D   no guid; several candidates                           } never drawn as the parent
 *   P   a process that Security 4688 alone logged: the newest recorded process of the
 *       creator's id that can have been alive then has the image that 4688 names
 * ancestors, root, depth, descendants and families run over A, A-, B and P only.
 *
 * A second source. Events 4688 and 4689 of the Security log know no guid. A 4688 of a process
 * that Sysmon logged too becomes one node with it (lineage_audit() gives its record); of one
 * that Sysmon did not log it makes a node of kind PROCESS_AUDITED (audited.c).
 *
 * A process creation that names no parent guid gets a node of kind unknown beside it, so
 * that the parent it must have had has a name in the report: p->unknown_parent. That node
 * is no part of any tree; p->parent stays PROCESS_NONE and p is a root.
 *
 * Identity. A process is (computer, machine id, start second, pid); a guid is an alias of
 * it, since one process is recorded under two guids by some Sysmon builds. Machine id and
 * second are decoded from the guid. Nodes are never shared between computers: clones have
 * the same machine id and even the same guids.
 *
 * Two passes. lineage_add_seen() takes events in any order and links nothing (a parent's record
 * can come later in merged input). lineage_link() then grades every link; its result does
 * not depend on the order of the events.
 *
 * Recovered records. A creation record that is not live makes a node like any other, with
 * its state in process.state; a live record of the same creation takes its place. One that
 * is torn is not compared with whole ones: it is a node only where no other record has its
 * guid, so it is to be added last. Hosts count and cover live records alone.
 *
 * Invariants  1. Node numbers are stable from lineage_add_seen() on, except that a node can turn
 *                out to be another one's alias: lineage_node() follows that.
 *             2. After linking, the parents form a forest: an edge that would close a circle is
 *                left out and told (DATA_CYCLE). Nothing here recurses.
 *             3. Memory grows with processes and distinct strings, not with events.
 * Ownership   All texts are in lineage.strings and live until lineage_release().
 * Facts       doc/lineage.md, with the measurements behind each tolerance. */
#ifndef FOREBEAR_LINEAGE_H
#define FOREBEAR_LINEAGE_H

#include "sysmon/audit.h"
#include "sysmon/coverage.h"
#include "sysmon/places.h"
#include "sysmon/sysmon.h"
#include "util/histogram.h"
#include "util/strings.h"

struct workers;

#define PROCESS_NONE UINT32_MAX

/* Sysmon 15 stamps terminations up to 0.25 s early; 2 s is the tolerance for any order. */
#define LINEAGE_TOLERANCE_100NS (2 * FILETIME_SECOND)

enum process_kind {
    PROCESS_LOGGED,
    PROCESS_GHOST,
    PROCESS_UNKNOWN, /* a null parent */
    PROCESS_AUDITED  /* Sysmon has no creation record, Security 4688 has */
};

enum link_grade {
    GRADE_NONE,
    GRADE_A,
    GRADE_A_MINUS,
    GRADE_B,
    GRADE_C,
    GRADE_D,
    GRADE_P
};

/* "", "A", "A-", "B", "C", "D", "P" */
const char *link_grade_name(enum link_grade grade);
/* "logged", "ghost", "unknown", "logged (4688)" */
const char *process_kind_name(enum process_kind kind);

enum { /* the other bits of process.flags are private to src/lineage */
       PROCESS_CREATION_SEEN_TWICE = 1,
       PROCESS_END_INFERRED = 2,
       PROCESS_HAS_ALIAS = 4,
       PROCESS_IS_ALIAS = 8 /* of the process that lineage_node() tells */
};

/* Compact on purpose: with its index entries at most 400 bytes a process. Texts are string
 * numbers; get them with lineage_text(). What a ghost knows comes from its children. */
struct process {
    /* What most events need of it, in the first 64 bytes. */
    struct guid guid; /* of its own event 1; else the one it was referred to by */
    uint64_t last_seen_filetime; /* of any event that names it */
    uint64_t end_filetime;       /* event 5's UtcTime; FILETIME_NONE if not logged */
    uint64_t end_record_id;
    uint64_t
        start_filetime; /* event 1's UtcTime; ghost: the guid's second; FILETIME_NONE */
    uint32_t scope;     /* number of its host */
    uint32_t pid;       /* PID_UNKNOWN */
    uint32_t image;     /* this and all texts below: string numbers */
    uint8_t kind, grade, flags,
        state; /* enum process_kind, link_grade, bits, record_state */
    /* what its event 1 says */
    struct guid logon_guid;
    uint64_t logged_filetime; /* TimeCreated of its event 1 */
    uint64_t offset;          /* of its event 1, in its log; NO_OFFSET for a ghost */
    uint64_t record_id;       /* EventRecordID of its event 1; NO_RECORD */
    uint64_t logon_id;
    uint32_t log;        /* number of the log, as given when added; UINT32_MAX */
    uint32_t end_log;    /* the same of the record of its end */
    bool end_is_audited; /* which is a 4689: its id counts another channel's records */
    uint32_t parent_pid; /* as its event 1 records it */
    uint32_t session_id;
    uint32_t command_line, user, original_file_name, current_directory;
    uint32_t integrity_level, hashes;
    uint32_t parent_image, parent_command_line,
        parent_user; /* as its event 1 records them */
    /* set by lineage_link() */
    uint32_t named_parent;   /* node of the guid that event 1 records as its parent's;
                                PROCESS_NONE: null or absent */
    uint32_t parent;         /* node, PROCESS_NONE for a root */
    uint32_t unknown_parent; /* node of kind unknown that stands for a null parent */
    uint32_t candidate;      /* node: the C candidate, or the first of D's */
    uint32_t first_child, next_sibling; /* ordered by (start, record id) */
    uint32_t children, descendants, depth, root;
    uint32_t grade_reason; /* string number: a sentence */
    uint32_t key; /* string number; STRING_ABSENT: the guid is. See lineage_key() */
};

/* The 4688 record of a process. */
struct process_audit {
    uint64_t created_filetime, offset, record_id;
    uint32_t log;
    uint32_t node;    /* private: made for this record alone */
    uint32_t process; /* after linking: the process it is about */
    uint32_t creator_pid;
    uint32_t creator_image, elevation, label; /* string numbers */
};

/* An end that knows no guid: the audit's 4689, and event 5 of some builds of Sysmon. */
struct nameless_end {
    uint64_t filetime, record_id;
    uint64_t offset; /* this and exit_status, state: of a 4689 alone, else 0 */
    uint32_t log;
    uint32_t computer; /* private */
    uint32_t pid;
    uint32_t image, exit_status; /* string numbers */
    uint32_t process; /* after linking: whose end it is taken for; PROCESS_NONE */
    uint8_t state;
    bool is_audited;
};

struct host {
    uint32_t computer;   /* string number, as first recorded; compared without case */
    uint32_t machine_id; /* 0: none known */
    uint64_t first_filetime, last_filetime; /* of its Sysmon events, UtcTime */
    uint64_t window_first_filetime,
        window_last_filetime; /* the same by TimeCreated: when this log was being written */
    uint64_t records,
        process_creations; /* these and the times above: live ones alone */
    uint64_t recovered;    /* records that are not live */
    uint64_t audited;      /* events 4688 */
    uint64_t guid_time_agrees,
        guid_time_checked;     /* live event 1: second in the guid == UtcTime */
    uint64_t sequence_missing; /* process numbers without a live event 1: sequence.c */
    struct histogram activity; /* live Sysmon records, by UtcTime */
};

/* Another name of a process. */
struct guid_alias {
    struct guid guid;
    uint32_t process;
};

struct lineage {
    struct strings strings;
    struct process *processes;
    size_t count, capacity;
    struct host *hosts;
    size_t host_count, host_capacity;
    struct process_audit *audits; /* after linking: by process */
    size_t audit_count, audit_capacity;
    struct guid_alias *aliases;
    size_t alias_count, alias_capacity;
    /* after linking: every node that is not another one's alias, by (host, start, record
     * id, guid); an unknown parent stands right before its child */
    uint32_t *order;
    size_t order_count;
    uint64_t logged_live,
        audited_alone;           /* of them: with a live creation record of Sysmon's;
                                            with one of the audit alone */
    struct seen_places also;     /* by node: other records of its creation */
    struct lineage_index *index; /* private to src/lineage */
};

void lineage_init(struct lineage *l);
void lineage_release(struct lineage *l);

/* Which processes an event speaks of. By guid alone: an event whose guid is null belongs
 * to no process (but for the ends that lineage_link() infers, flag PROCESS_END_INFERRED). */
struct event_processes {
    uint32_t subject;     /* ProcessGuid; SourceProcessGuid of events 8 and 10 */
    uint32_t object;      /* TargetProcessGuid of events 8 and 10 */
    bool is_new_creation; /* lineage_add_seen: an event 1 seen for the first time */
};

/* The different texts of the events that one thread looks at, each once: whoever adds them
 * looks up a text once, and not at all at the bytes of its repetitions, which lie in another
 * processor's cache. All zeros but for the arena is an empty one; it lives as long. */
enum { LINEAGE_TEXTS = 10, LINEAGE_TEXT_SLOTS = 512 };

struct lineage_texts {
    struct arena *arena;
    struct lineage_seen_text {
        struct text text;
        uint32_t hash;
        uint32_t number; /* of the lineage's strings; MAP_NONE until it is looked up */
    } * items;
    uint32_t count, capacity;
    uint32_t slots[LINEAGE_TEXT_SLOTS]; /* index + 1 of a text with such a hash */
};

/* What the first pass needs of an event and any thread can make of its record: the guids by
 * which it names its subject and its object (of a creation: its parent), their hashes and
 * pids, and the texts that a process keeps. */
struct lineage_look {
    struct guid guid[2];
    uint64_t hash[2];
    uint32_t pid[2];
    bool is_named[2];             /* else that guid is null or not there */
    uint32_t text[LINEAGE_TEXTS]; /* index + 1; 0: absent */
    struct lineage_texts *texts;
    bool is_creation;
    struct guid logon_guid; /* of a creation, as the texts and what follows */
    uint64_t logon_id;
    uint32_t session_id;
};

void lineage_look_at(const struct lineage *l, const struct sysmon_event *event,
                     struct lineage_texts *texts, struct lineage_look *look);
/* An event that is added soon: have what the tables know of its processes fetched into the
 * processor's cache; `near`: what the call without it told the place of. */
void lineage_fetch(const struct lineage *l, const struct lineage_look *look, bool near);
/* First pass, lineage_look_at() done. `log` numbers the log of the event (stored in the
 * nodes). */
struct event_processes lineage_add_seen(struct lineage *l,
                                        const struct sysmon_event *event,
                                        const struct lineage_look *look, uint32_t log);
/* The same for an event of Windows' own audit. */
void lineage_add_audit(struct lineage *l, const struct audit_event *audit,
                       uint32_t log);
/* Before linking: Windows started there between these times. No process of before is taken for
 * the parent of one after them by its id. */
void lineage_add_boot(struct lineage *l, struct text computer, uint64_t earliest,
                      uint64_t latest);
/* After linking: the 4688 record of a process, NULL if there is none. */
const struct process_audit *lineage_audit(const struct lineage *l, uint32_t number);
/* After linking: the ends without a guid, in an order that the evidence alone gives. */
const struct nameless_end *lineage_ends(const struct lineage *l, size_t *count);
/* What that record itself says, whatever Sysmon says of the process: image, command line,
 * process id, state. */
static inline const struct process *
lineage_audit_record(const struct lineage *l, const struct process_audit *audit)
{
    return &l->processes[audit->node];
}
/* Has it a creation record, of Sysmon's or of the audit? */
static inline bool process_has_record(const struct process *p)
{
    return p->kind == PROCESS_LOGGED || p->kind == PROCESS_AUDITED;
}
/* Link, order, count; problems are the anomalies of the links. Logs are needed to name places:
 * logs[i] is log number i. Hosts are put in order of (computer, machine id) here, so host
 * numbers from before do not hold. Once only; nothing may be added afterwards.
 * workers: to share the work, or NULL; what comes out is the same. */
void lineage_link(struct lineage *l, const struct evidence_log *logs,
                  struct problems *problems, struct workers *workers);
/* Second pass: the same look-up without adding anything. */
struct event_processes lineage_find(const struct lineage *l,
                                    const struct sysmon_event *event);

/* The node that an alias turned out to be. */
uint32_t lineage_alias_means(const struct lineage *l, uint32_t alias);

/* The node itself, or the one it turned out to be an alias of. */
static inline uint32_t lineage_node(const struct lineage *l, uint32_t number)
{
    return l->processes[number].flags & PROCESS_IS_ALIAS
               ? lineage_alias_means(l, number)
               : number;
}

static inline const struct process *lineage_process(const struct lineage *l,
                                                    uint32_t number)
{
    return &l->processes[lineage_node(l, number)];
}

static inline struct text lineage_text(const struct lineage *l, uint32_t string_number)
{
    return strings_text(&l->strings, string_number);
}

/* A computer as its host is named, from any spelling of it; the name itself if it is none. */
struct text lineage_computer_of(const struct lineage *l, struct text name);
/* The unique name of a process in the report: its guid, where no other process has it.
 * Borrowed from the lineage or from `out`; PROCESS_NONE gives NO_TEXT. */
struct text lineage_key(const struct lineage *l, uint32_t number,
                        char out[GUID_TEXT_MAX]);
/* The recorded guid of its parent, absent where it is null or not recorded; from `out`. */
struct text lineage_parent_guid(const struct lineage *l, const struct process *p,
                                char out[GUID_TEXT_MAX]);
struct text lineage_computer(const struct lineage *l, const struct process *p);
struct place lineage_place(const struct lineage *l, const struct process *p,
                           const struct evidence_log *logs);
/* The command line as typed: Sysmon doubles '%' in event 1's CommandLine (and in event 13's
 * Details) and nowhere else. Added to `out`. */
void lineage_add_unescaped(struct buffer *out, struct text command_line);
/* What supports the recorded parent of `child`, as plain sentences (at most `max`), each
 * added to the arena: was the parent's own record found, its end against the child's start,
 * do image and command line agree on both sides. Returns how many. */
size_t lineage_support(const struct lineage *l, uint32_t child, struct arena *arena,
                       struct text *sentences, size_t max);

/* Walk: parent chain and pre-order, both without recursion. */
static inline uint32_t lineage_parent(const struct lineage *l, uint32_t number)
{
    return lineage_process(l, number)->parent;
}

/* The next node in pre-order below `top` after `number`; PROCESS_NONE at the end. Start with
 * number == top. *depth, relative to top, is kept up to date. */
uint32_t lineage_next_in_tree(const struct lineage *l, uint32_t top, uint32_t number,
                              uint32_t *depth);

#endif
