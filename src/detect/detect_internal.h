/* SPDX-License-Identifier: Apache-2.0
 * detect_internal.h - what the files of src/detect share. Only src/detect and its tests
 * include this file.
 *
 *   tree.c          bytes of a rule file -> a bounded tree whose nodes know their lines
 *   columns.c       one process creation, seen under the names of Sigma, ASIM, CIM
 *   condition.c     `detection` -> a program over columns; reasons; near misses' raw material
 *   rule.c          one tree -> one rule, macro or extension
 *   rules.c         all files of a set, in order of name
 *   filter.c        the user's known-good results
 *   near_miss.c     why a condition did not hold, as a sentence
 *   indicators.c    Forebear's own indicators, over the linked lineage
 *   verdicts.c      which conditions hold of which process, found by all workers
 *   touch.c         one event on a host process, and what is computed of it
 *   indicator_file.c  rules/corroboration.yml -> indicators of what speaks for a finding
 *   audited.c       rules on processes that Security 4688 alone logged
 *   corroborate.c   those indicators over events, processes and findings
 *   notes.c         those that need several events
 *   families.c      who belongs to a finding, and as what
 *   detector.c      the order of it all
 *   triage.c        whether a rule can hold, asked of an event's bytes */
#ifndef FOREBEAR_DETECT_INTERNAL_H
#define FOREBEAR_DETECT_INTERNAL_H

#include "detect/detect.h"

/* --- tree.c: YAML as far as Sigma uses it. Anchors, tags and second documents are refused. */

enum {
    RULE_FILE_MAX = 1024 * 1024, /* bytes; the largest public rule has 30 kB */
    RULE_DEPTH_MAX = 16,         /* Sigma needs 4 */
    RULE_NODES_MAX = 100000,
    RULE_VALUE_MAX = 4096, /* bytes of one value in `detection` */
    CONDITION_NODES_MAX = 512
};

enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

struct tree_node {
    enum tree_kind kind;
    unsigned line;   /* 1.. */
    struct text key; /* in a map; absent in a list */
    struct text text;
    bool is_plain; /* unquoted: may be null, true or a number */
    size_t count;
    struct tree_node *first, *last, *next, *up;
};

enum status tree_read(const struct tree_node **root, struct text content,
                      struct text file, struct arena *arena, struct error *err);
const struct tree_node *tree_find(const struct tree_node *map, const char *key);
/* Plain "", "~" or "null". */
bool tree_is_null(const struct tree_node *node);

/* What the user is told of a rule file: its path, the line, what is wrong. */
#define fail_at(err, file, line, ...)                                                  \
 rule_fail_at((err), (file), (line), ERROR_LINE, __VA_ARGS__)
enum status rule_fail_at(struct error *err, struct text file, unsigned line,
                         const char *source_line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* --- columns.c */

enum taxonomy {
    TAXONOMY_SIGMA,
    TAXONOMY_ASIM,
    TAXONOMY_CIM,
    TAXONOMY_FOREBEAR,
    TAXONOMY_EVENT /* any Sysmon event on a host process; of indicators alone */
};

enum column_source {
    COLUMN_NOT_FILLED, /* the schema has it, no shipped parser fills it from Sysmon */
    COLUMN_FIELD,      /* a field of event 1, as recorded */
    COLUMN_FIELD_NAME, /* what follows the last '\' of it */
    COLUMN_COMPUTER,
    COLUMN_PROVIDER,
    COLUMN_HOST_FIELD, /* the same of the resolved parent's own event 1 */
    COLUMN_HOST_FIELD_NAME,
    COLUMN_TOUCH /* computed of an event on a host process: field is a touch_column */
};

struct column {
    enum column_source source;
    enum sysmon_field field;
};

/* A process creation, from its record (first pass) or from the process table (later).
 * Only a view with a lineage has a host. */
struct column_view {
    const struct sysmon_event *event;
    const struct lineage *lineage;
    const struct process *process, *host;
    const struct touch *touch; /* taxonomy `event` */
};

/* "sigma", "asim", "cim", "forebear"; false for another name, "event" too: a rule has it
 * never. */
bool taxonomy_find(struct text name, enum taxonomy *taxonomy);
const char *taxonomy_name(enum taxonomy taxonomy);
bool column_find(enum taxonomy taxonomy, struct text name, struct column *column);
/* Borrowed from the record or the lineage; absent where there is no such value. */
struct text column_value(const struct column_view *view, struct column column);
/* Of a process of the table: the number of the string that column_value() is made of. Where
 * it is the same, so is the value. */
uint32_t column_string(const struct column_view *view, struct column column);
/* Can only be answered with the lineage at hand. */
bool column_needs_host(struct column column);

/* --- touch.c: one event on a host process, and what is computed of it */

enum touch_column {
    TOUCH_HOST, /* for sentences */
    TOUCH_SOURCE,
    TOUCH_PARENT,
    TOUCH_AFTER_START,
    TOUCH_EVENT_NAME,
    TOUCH_START_MODULE, /* what follows is for conditions too */
    TOUCH_SOURCE_PROGRAM,
    TOUCH_SOURCE_IS_PARENT,
    TOUCH_AT_START,
    TOUCH_RIGHTS,
    TOUCH_DESTINATION_SCOPE,
    TOUCH_RESULTS_SCOPE,
    TOUCH_TARGET_EXTENSION,
    TOUCH_PARENT_NAMES_TARGET,
    TOUCH_MOVED_BACK,
    TOUCH_OBJECT_SHAPE
};

struct touch {
    const struct sysmon_event *event;
    const struct lineage *lineage;
    const struct process *host, *source; /* source: NULL if there is none */
    uint32_t host_number, source_number;
    struct arena *arena; /* for what only sentences need; NULL: they get nothing */
    char rights[112];    /* "CREATE_THREAD VM_OPERATION": of GrantedAccess */
};

void touch_init(struct touch *t, const struct lineage *lineage,
                const struct sysmon_event *event, uint32_t host, uint32_t source);
struct text touch_value(const struct touch *touch, enum touch_column column);

/* --- condition.c */

enum value_test {
    TEST_EQUALS,
    TEST_STARTS_WITH,
    TEST_ENDS_WITH,
    TEST_CONTAINS,
    TEST_PATTERN, /* wildcards inside */
    TEST_NULL,
    TEST_EXISTS,
    TEST_EXISTS_NOT
};

/* A pattern is a run of units: a byte (folded unless `cased`), or one of these. */
enum { UNIT_ANY_ONE = 256, UNIT_ANY_MANY, UNIT_DASH };

struct leaf_value {
    enum value_test test;
    enum value_test named; /* how to speak of it: the modifier, even for a pattern */
    struct text shown;     /* as the rule has it */
    struct text literal;
    const uint16_t *units;
    size_t unit_count;
    struct text
        added_by; /* the file that added it to a macro; absent: the rule's own */
};

struct leaf {
    struct text field; /* as the rule names it */
    struct column column, other;
    bool is_reference; /* compare with `other`, not with values */
    bool all, cased;
    bool must_be_met; /* a near miss without it says nothing */
    struct leaf_value *values;
    size_t value_count;
    unsigned line;
};

struct alternative { /* all leaves must hold */
    struct leaf *leaves;
    size_t count;
};

struct selection { /* one alternative must hold */
    struct text name;
    struct alternative *alternatives;
    size_t count;
};

enum condition_kind { CONDITION_SELECTION, CONDITION_AND, CONDITION_OR, CONDITION_NOT };

/* Operands have lower numbers than their operator, so that one loop upwards evaluates and
 * one loop downwards explains. The last node is the root. */
struct condition_node {
    enum condition_kind kind;
    uint32_t a, b; /* operands; a selection's number */
    /* The operator that has this node's value too if it is false, or true: what stands
     * between need not be looked at. 0: none. */
    uint32_t decided_by_false, decided_by_true;
};

/* A list of values under a name, for `field|expand: '%name%'`. */
struct macro {
    struct text name, file;
    struct text_list values;
    struct text *added_by; /* per value: absent, or the file that added it */
};

struct macros {
    struct macro *items;
    size_t count;
};

struct burst { /* MSRA_RECON_BURST */
    struct text_list tools;
    struct text_list aliases, alias_of; /* net1.exe is counted as net.exe */
    uint32_t count, window_minutes;
};

struct near_miss_plan {
    bool wanted;
    struct leaf_value *excepted; /* images whose creation is expected */
    size_t excepted_count;
};

enum message_part_kind { MESSAGE_TEXT, MESSAGE_COLUMN };

struct message_part {
    enum message_part_kind kind;
    struct text text;
    struct column column;
};

struct message { /* "$ParentImage$ spawning $Image$" */
    struct message_part *parts;
    size_t count;
};

struct rule_condition {
    enum taxonomy taxonomy;
    struct selection *selections;
    size_t selection_count;
    struct condition_node *nodes;
    size_t node_count;
    bool needs_host;
    /* beside the condition proper, and as private */
    struct near_miss_plan near_miss;
    struct burst burst;
    bool once_per_host; /* only the first process creation under each host counts */
    bool about_process; /* the finding is about the process itself, not its parent */
    struct message message;
};

struct condition_source {
    struct text file;
    enum taxonomy taxonomy;
    const struct macros *macros; /* NULL: none */
    struct arena *arena;
    struct text_list
        *extensions; /* sentences: which macro was extended; NULL: not wanted */
};

enum status condition_compile(struct rule_condition *condition,
                              const struct tree_node *detection,
                              const struct condition_source *source, struct error *err);
bool condition_holds(const struct rule_condition *condition,
                     const struct column_view *view);
/* Why it holds: every leaf that was needed. Only after condition_holds(). */
void condition_explain(const struct rule_condition *condition,
                       const struct column_view *view, struct arena *arena,
                       struct match_reason **reasons, size_t *count);
/* Of a condition of one selection with one alternative: is it met, or but for one leaf, which
 * is then given, that need not be? Looks no further than that is open. */
enum nearness { MET, ALL_BUT_ONE_MET, FAR_FROM_MET };
enum nearness condition_nearness(const struct rule_condition *condition,
                                 const struct column_view *view,
                                 const struct leaf **unmet);
bool condition_is_one_map(const struct rule_condition *condition);
/* Marks the leaves of these fields as must_be_met. */
void condition_must_meet(struct rule_condition *condition,
                         const struct text_list *fields);
void condition_all_reasons(const struct rule_condition *condition,
                           const struct column_view *view, struct arena *arena,
                           struct match_reason **reasons, size_t *count);
bool leaf_holds(const struct leaf *leaf, const struct column_view *view);
/* A value with Sigma's wildcards and escapes; FAILED if it is too long. */
enum status leaf_value_compile(struct leaf_value *value, struct text text,
                               enum value_test test, bool cased, bool windash,
                               struct arena *arena);
bool leaf_value_holds(const struct leaf_value *value, bool cased, struct text recorded);
void text_list_add(struct text_list *list, struct text item, struct arena *arena);

/* --- rule.c */

enum rule_file_kind {
    RULE_FILE_RULE,
    RULE_FILE_MACRO,
    RULE_FILE_EXTENSION,
    RULE_FILE_INDICATORS
};

enum rule_file_kind rule_file_kind(const struct tree_node *root);
enum status macro_read(struct macro *macro, const struct tree_node *root,
                       struct text file, struct arena *arena, struct error *err);
/* Add the values of an extension to the macro that it names. */
enum status macro_extend(struct macros *macros, const struct tree_node *root,
                         struct text file, struct arena *arena, struct error *err);
enum status rule_read(struct rule *rule, const struct tree_node *root, struct text file,
                      const struct macros *macros, struct arena *arena,
                      struct error *err);
enum status message_compile(struct message *message, struct text template,
                            enum taxonomy taxonomy, struct text file, unsigned line,
                            struct arena *arena, struct error *err);
/* With the values of this creation or event; a missing one reads "(not recorded)", an
 * empty one "(empty)". */
struct text message_fill(const struct message *message, const struct column_view *view,
                         struct arena *arena);
/* FAILED for a key that is none of those. */
enum status rule_check_keys(const struct tree_node *root, const char *const *known,
                            size_t count, struct text file, struct error *err);
enum status rule_text(struct text *into, const struct tree_node *node, struct text file,
                      struct error *err);
enum status rule_number(uint32_t *into, const struct tree_node *node, uint32_t max,
                        struct text file, struct error *err);
/* Values of a list or a single scalar; FAILED for anything else. */
enum status tree_texts(struct text_list *list, const struct tree_node *node,
                       struct text file, struct arena *arena, struct error *err);

/* --- rules.c */

/* A whole file of at most RULE_FILE_MAX bytes. */
enum status rule_file_read(struct text *content, const char *path, struct arena *arena,
                           struct error *err);
/* SHA-256 of a file's content. */
void rule_file_digest(struct digest_values *digests, struct text content);

/* --- filter.c */

struct filters {
    struct digest_values digests; /* of the file */
    struct filter *items;         /* as the report sees them */
    struct rule_condition *conditions;
    struct text_list *rules; /* ids, sources or codes; empty: every rule */
    size_t count;
};

enum status filters_read(struct filters *filters, const char *path, struct arena *arena,
                         struct error *err);
/* The filter that takes this finding away, counted; or NULL. */
struct filter *filters_take(struct filters *filters, const struct rule *rule,
                            const struct column_view *view);

/* --- the rest */

/* --- indicator_file.c */

enum indicator_about { ABOUT_EVENT, ABOUT_PROCESS, ABOUT_CHILD, ABOUT_FINDING };

struct event_set {
    uint64_t bits[4];
};

static inline bool event_set_has(const struct event_set *set, uint16_t id)
{
    return id < 256 && set->bits[id / 64] >> id % 64 & 1;
}

struct indicator {
    struct text code;
    enum strength strength;
    enum indicator_about about;
    struct event_set events;          /* of ABOUT_EVENT */
    bool host_is_object;              /* the target of events 8 and 10; else who acts */
    bool follows_source;              /* who acts on the host belongs to the story */
    bool of_hosts_alone;              /* not of other host processes of findings */
    struct rule_condition *condition; /* NULL: ABOUT_FINDING */
    struct message recorded;
    struct text assessed, explanations;
    /* holds only where `distinct` different values of a column lie within the window */
    uint32_t distinct;
    struct text distinct_name;
    struct column distinct_column;
    /* holds only after one of these events with the same value, within the window */
    struct event_set after;
    bool has_after;
    struct column same;
    uint32_t window_minutes;
    size_t code_first; /* the first indicator of the same code */
};

struct indicators {
    struct rule_condition *hosts; /* which processes are looked at */
    struct indicator *items;      /* in order of rank */
    size_t count;
    struct event_set events;        /* of all of them */
    struct event_set events_of_any; /* of those that are not of_hosts_alone */
};

enum { INDICATORS_MAX = 200 };

enum status indicators_read(struct indicators *indicators, const struct tree_node *root,
                            struct text file, const struct macros *macros,
                            struct arena *arena, struct error *err);

struct host_record { /* a process that is looked at */
    uint32_t process;
    bool has_finding, is_named; /* is_named: `hosts` of the indicators describes it */
    uint32_t *kept, *noted;     /* by indicator */
    uint64_t left_out;
    size_t first, count; /* of its corroborations, once they are ordered */
    struct text codes;   /* as detector_codes_of() gives them */
};

/* --- notes.c: an event that matters only together with others */

struct note {
    uint32_t host; /* index into hosts */
    uint32_t indicator;
    bool is_first_half; /* of a pair */
    struct text value;  /* lower case */
    struct corroboration about;
    size_t given;
};

/* Find what they say together; corroborate_keep() for each. */
void notes_judge(struct detector *d);

/* `c` without sentence: it gets that of the indicator around `recorded`, unless the cap of
 * its host is reached. */
void corroborate_keep(struct detector *d, struct host_record *host,
                      const struct indicator *indicator, const struct corroboration *c,
                      struct text recorded);

/* After linking: what processes and findings themselves say. */
void corroborate_processes(struct detector *d, const struct evidence_log *logs);

/* --- families.c */

enum { /* what a process is to the findings */
       ROLE_MATCH = 1,
       ROLE_HOST = 2,
       ROLE_ANCESTOR = 4,
       ROLE_SIBLING = 8,
       ROLE_DESCENDANT = 16,
       ROLE_SOURCE = 32,
       ROLE_SOURCE_ANCESTOR = 64,
       ROLE_LOOKED_AT = 128
};

void families_find(struct detector *d);

struct detector_state {
    const struct lineage *lineage; /* from detector_finish() on */
    struct filters filters;
    size_t finding_capacity, near_miss_capacity, corroboration_capacity;
    uint32_t *findings_of; /* per node */
    bool *in_family;       /* per node */
    bool *joined;          /* per node: in a family only since sources were followed */
    uint16_t *roles;       /* per node: ROLE_ bits */
    struct note *notes;
    size_t note_count, note_capacity;
    uint32_t *host_number; /* per node: index into hosts + 1, or 0 */
    uint32_t *rank;        /* per node: its place in lineage->order */
    size_t node_count;
    struct host_record *hosts;
    size_t host_count, host_capacity;
};

struct finding *detector_new_finding(struct detector *d);
/* The rule has matched: a finding, or NULL if a filter takes it. */
struct finding *detector_add_finding(struct detector *d, struct rule *rule,
                                     const struct column_view *view, uint32_t process);
struct near_miss *detector_new_near_miss(struct detector *d);
/* Judge one view by one public rule: a finding unless a filter takes it, a near miss where
 * the rule is silent by one condition, or neither. */
void detector_judge(struct detector *d, struct rule *rule,
                    const struct column_view *view, uint32_t process);

/* Why the leaf does not hold for this value. */
struct text near_miss_why(const struct leaf *leaf, struct text recorded,
                          struct arena *arena);
/* First pass: does the rule match, or is one condition unmet and that worth telling? */
bool near_miss_or_match(const struct rule *rule, const struct column_view *view);
void near_miss_add(struct detector *d, const struct rule *rule,
                   const struct column_view *view, uint32_t process);
struct node_list {
    const uint32_t *nodes;
    size_t count;
};

/* After linking: keep one per process and rule id, add the blind spots of all rules. */
void near_misses_finish(struct detector *d, const struct lineage *lineage,
                        struct node_list may_be_blind);

/* Can near_misses_finish() have a blind spot to tell of this process? */
bool near_miss_may_be_blind(const struct lineage *lineage, uint32_t process);

/* --- verdicts.c: what is asked of every process of the table, in one walk by all workers */

/* A condition, and the processes that it is asked of. */
struct question {
    const struct rule_condition *condition;
    bool is_about_any;     /* else those that Sysmon logged; unknown parents never */
    bool is_about_audited; /* of those that the audit alone logged, too */
    bool sees_host;
    /* Instead of a condition, of those that have a record. */
    bool (*asks)(const struct lineage *lineage, uint32_t process);
};

struct verdicts {
    uint32_t *
        nodes; /* of which a question's answer is yes, in order; question after question */
    size_t *first; /* by question; one more than there are questions */
};

/* Conditions are judged once for all processes that have the same strings in their columns. */
void verdicts_find(struct verdicts *v, const struct question *questions, size_t count,
                   const struct lineage *lineage, struct workers *workers);
void verdicts_release(struct verdicts *v);

static inline struct node_list verdicts_of(const struct verdicts *v, size_t question)
{
    return (struct node_list){v->nodes + v->first[question],
                              v->first[question + 1] - v->first[question]};
}

/* audited.c */
bool audited_can_fire(const struct rule *rule);
/* The sentence, and that the audit says it where the process is its alone; NULL: it is not. */
struct text audited_say(struct text sentence, const struct process *process,
                        struct arena *arena);
void audited_judge(struct detector *d, const struct lineage *lineage);
/* A rule of the taxonomy `forebear`; `met`: of which its condition holds. */
void indicator_find(struct detector *d, struct rule *rule,
                    const struct lineage *lineage, struct node_list met);

/* A process of the table as the rules see it, with its linked parent as the host. */
struct column_view node_view(const struct lineage *lineage, uint32_t process);

#endif
