/* SPDX-License-Identifier: Apache-2.0
 * detect.h - from process creations to findings, each with the reason for it.
 *
 * Rules are data: Sigma's YAML form, read with libyaml from rules/ (compiled in) or from
 * --rules DIR. The four public statements of the msra detection are separate rules with
 * separate verdicts, evaluated on the recorded fields, untrimmed, ASCII case-insensitive:
 *   sigma      Sigma 744a188b-0415-4792-896f-11ddb0588dbc
 *   asim       the SOC feed's ASIM query, on the ASIM columns of a Sysmon event
 *   splunk-v1  Splunk ced50492-8849-11ec-9f68-acde48001122 with the shells of its first version
 *   splunk-v4  the same with today's shells
 * Forebear's own indicators (rule_source "forebear": MSRA_CHILD_TOOL, MSRA_RENAMED,
 * MSRA_ODD_PATH, MSRA_RECON_BURST) look at identity and context after linking and never change the
 * others' verdicts.
 *
 * When. Public rules are pure functions of one event 1, so they are judged in the first
 * pass while all its fields are there; what they found is joined to the process by number.
 * Own indicators and near misses that need the lineage come in detector_finish(); what
 * speaks for or against injection (events 8, 10, 25 on the host process) is collected in
 * the second pass by detector_corroborate().
 *
 * Ownership   Findings and texts live in the arena given to detector_init().
 * Sources     The rule files name theirs, with dates; doc/detection.md tells when each fires. */
#ifndef FOREBEAR_DETECT_H
#define FOREBEAR_DETECT_H

#include "lineage/lineage.h"

enum rule_level {
    LEVEL_NONE,
    LEVEL_INFORMATIONAL,
    LEVEL_LOW,
    LEVEL_MEDIUM,
    LEVEL_HIGH,
    LEVEL_CRITICAL
};

/* "", "informational", "low", ... */
const char *rule_level_name(enum rule_level level);
/* LEVEL_NONE if it is none of the names. */
enum rule_level rule_level_find(struct text name);

struct text_list {
    struct text *items;
    size_t count;
};

struct rule {
    struct text file;             /* "rules/....yml" or the user's path */
    struct digest_values digests; /* SHA-256 of the file */
    struct text id, source, title, description, status, author, date, modified;
    struct text version, license, origin_url, retrieved, confidence_label,
        source_caveat, hypothesis;
    struct text code; /* own indicators: "MSRA_RENAMED"; else absent */
    struct text
        taxonomy; /* whose field names it uses: "sigma", "asim", "cim", "forebear" */
    struct text type; /* "TTP"; absent where the source has no such word */
    enum rule_level
        level; /* as its authors state it; LEVEL_NONE where they state none */
    /* For --fail-on and ordering: the level, or where there is none the one that the risk
     * score stands for (doc/detection.md); the basis says which. */
    enum rule_level alert_level;
    struct text alert_level_basis;
    struct text_list
        tactics; /* "Defense Evasion", from the tags or the rule's own list */
    struct text_list techniques; /* "T1055" */
    struct text_list tags, references, false_positives, data_sources, labels, platforms,
        innocent_explanations, required_fields;
    struct text_list
        extensions; /* sentences: which list the user made longer, with what */
    bool has_risk;
    uint32_t risk_score, impact, confidence; /* risk = impact x confidence / 100 */
    struct text message_template;            /* "$parent_process_name$ spawning ..." */
    struct text kill_chain_phase, analytic_story;
    struct text
        query; /* the rule as its authors wrote it, for the card; absent if not a query */
    struct text evaluated_on; /* "Sysmon event 1", for the card */
    struct text_list
        sources; /* beside Sysmon 1, what it can fire on: "Security 4688" */
    struct rule_condition *condition; /* private to src/detect */
    uint64_t matches, filtered;       /* process creations, in this run */
};

/* One file of the set: a rule, a list of values (macro), or an extension of one. */
struct rule_file {
    struct text file;
    struct digest_values digests; /* SHA-256 */
};

struct rules {
    struct arena *arena;
    struct rule *items;
    size_t count;
    struct rule_file *files; /* in order of name, byte by byte */
    size_t file_count;
    struct digest_values digests;  /* over the contents of all files, in that order */
    struct indicators *indicators; /* private to src/detect: rules/corroboration.yml */
};

/* The built-in rules (directory == NULL), or every *.yml of a folder. FAILED with file and
 * line for a rule that cannot be understood: half a rule set is never used. A folder that
 * has no file of indicators (key `corroboration`) gets the built-in one. */
enum status rules_load(struct rules *rules, const char *directory, struct arena *arena,
                       struct error *err);
/* The same with a file of the user's own that makes a list longer (more shells for the
 * Splunk rules); NULL: none. Its form is in doc/detection.md. */
enum status rules_load_extended(struct rules *rules, const char *directory,
                                const char *extension_file, struct arena *arena,
                                struct error *err);
void rules_release(struct rules *rules);
/* The codes of what speaks for a finding, by rank, some more than once; absent at the end. */
struct text rules_corroboration_code(const struct rules *rules, size_t number);

/* Which condition met which recorded value. */
struct match_reason {
    struct text field;     /* as the rule names it: "ParentImage", "process_name" */
    struct text operation; /* "ends with", "equals", ... */
    struct text
        expected; /* the rule's value that met it; for an unmet condition all of them */
    struct text recorded; /* the value in the record */
    bool met;
};

struct finding {
    struct text
        id; /* "F-" and 12 hex digits, from rule, computer, process and record: the same in every run */
    const struct rule *rule;
    struct text code;      /* own indicators: "MSRA_RENAMED"; else absent */
    uint32_t process;      /* the process creation that met the rule */
    uint32_t host_process; /* its recorded parent (the msra.exe); may be a ghost */
    struct match_reason *reasons;
    size_t reason_count;
    struct text message; /* the rule's message with the recorded values filled in */
};

struct near_miss {
    const struct rule *rule; /* the rule that did not fire; NULL: a blind spot of all */
    uint32_t process;
    struct match_reason *reasons; /* met and unmet */
    size_t reason_count;
    struct text why; /* a sentence: what kept the rule from firing */
};

enum strength { STRENGTH_NEUTRAL, STRENGTH_WEAK, STRENGTH_MEDIUM, STRENGTH_STRONG };

/* "neutral", "weak", "medium", "strong" */
const char *strength_name(enum strength strength);

/* One record that speaks for code from elsewhere in a process, or looks as if it did. */
struct corroboration {
    struct text code; /* "MSRA_REMOTE_THREAD", ...: rules/corroboration.yml */
    enum strength strength;
    uint32_t rank;    /* lower is stronger: its place in that file */
    uint32_t process; /* the host process */
    uint32_t source;  /* who acted on it; PROCESS_NONE: itself, or not known */
    uint16_t event_id;
    uint64_t utc_filetime, created_filetime, record_id, offset;
    const struct evidence_log *log; /* NULL: not known */
    uint8_t state;                  /* of its record */
    bool follows_source; /* the source belongs to the story, if this is not neutral */
    bool same_record_again; /* another corroboration of the host rests on this record */
    struct text sentence;   /* with the recorded values and the innocent explanations */
};

struct corroboration_range {
    const struct corroboration *first;
    size_t count;
};

/* A process that acted on a host process in a way that can bring code into it. It is no
 * parent of it: the tree draws it as an edge of another kind. */
struct injection_source {
    uint32_t process;
    const struct corroboration *strongest;
    size_t records; /* corroborations of the host that name it */
};

/* One known-good filter of the user's, and how much it took away. */
struct filter {
    struct text title, reason, file;
    unsigned line;
    uint64_t taken; /* findings */
};

struct detector {
    struct arena *arena;
    struct rules *rules;
    struct finding *findings;
    size_t finding_count;
    struct near_miss *near_misses;
    size_t near_miss_count;
    struct corroboration *corroborations;
    size_t corroboration_count;
    uint64_t corroborations_left_out; /* counted beyond the cap of a host process */
    uint64_t filtered;                /* findings that --filter took away */
    struct digest_values
        filter_digests;     /* SHA-256 of the filter file, if there is one */
    struct filter *filters; /* in the order of the file */
    size_t filter_count;
    uint64_t matched_creations;   /* process creations with at least one finding */
    struct detector_state *state; /* private to src/detect */
};

/* filter_file: known-good results to take away, or NULL. FAILED with file and line if it
 * cannot be understood. */
enum status detector_init(struct detector *d, struct rules *rules,
                          const char *filter_file, struct arena *arena,
                          struct error *err);
/* Would detector_add_creation() keep anything of this event 1? Changes nothing: any thread
 * may ask, while no other changes the detector's rules. */
bool detector_wants(const struct detector *d, const struct sysmon_event *event);
/* First pass: judge one event 1. Call it for new creations only (event_processes). */
void detector_add_creation(struct detector *d, const struct sysmon_event *event,
                           uint32_t process);
/* The public rules that this event 1 meets and no filter takes away, in the order of the
 * set, into `hits`, which has room for all rules. Returns how many. Keeps nothing but the
 * counts of rules and filters. */
size_t detector_hits(struct detector *d, const struct sysmon_event *event,
                     const struct rule **hits);
/* After linking: own indicators, near misses; findings in order of (host, start, record,
 * rule). workers: to share the work, or NULL; what comes out is the same. */
void detector_finish(struct detector *d, struct lineage *lineage,
                     const struct evidence_log *logs, struct workers *workers);
/* Second pass. Would detector_corroborate() take anything of this event? Changes nothing:
 * any thread may ask. */
bool detector_may_corroborate(const struct detector *d,
                              const struct sysmon_event *event,
                              const struct event_processes *processes);
/* Second pass: what does this event say of the host processes that it touches? */
void detector_corroborate(struct detector *d, const struct lineage *lineage,
                          const struct sysmon_event *event,
                          const struct event_processes *processes);
/* After the second pass: what several events say together; then corroborations are in order
 * of (host process, rank, time, record), neutral ones last. */
void detector_end(struct detector *d);
/* After detector_end(): the sources of what speaks for injection into a host process of a
 * finding, and their ancestors, join the families. Returns how many processes are new. */
size_t detector_follow_sources(struct detector *d);

/* The processes that were looked at, in the order of the lineage: every host process of a
 * finding, and every msra.exe, by name or OriginalFileName. */
size_t detector_host_count(const struct detector *d);
uint32_t detector_host(const struct detector *d, size_t number);
bool detector_host_has_finding(const struct detector *d, size_t number);
/* Is there an indicator that looks at events of this id? */
bool detector_looks_for(const struct detector *d, uint16_t event_id);
/* Of one host process, strongest first; empty before detector_end(). */
struct corroboration_range detector_corroborations_of(const struct detector *d,
                                                      uint32_t process);
/* Its sources, strongest first; at most `max`. Returns how many. */
size_t detector_sources_of(const struct detector *d, uint32_t host,
                           struct injection_source *sources, size_t max);
/* The codes that are not neutral, each once, strongest first, with blanks between; absent
 * of a process that was not looked at. */
struct text detector_codes_of(const struct detector *d, uint32_t host);
/* The same of one source only, unless that is PROCESS_NONE. */
void detector_add_codes(const struct detector *d, uint32_t host, uint32_t source,
                        struct buffer *out);
/* What a process is to the findings: "host process", "ancestor; match", or nothing. */
void detector_add_roles(const struct detector *d, uint32_t process, struct buffer *out);
/* Keep only the findings and near misses about processes that `is_told` is true for, for a
 * report that tells a part of them. Families, and the number of findings of a process, stay
 * as they were. Returns how many of each were left out. */
struct detector_left_out {
    size_t findings, near_misses;
};
struct detector_left_out detector_keep(struct detector *d,
                                       bool (*is_told)(const void *context,
                                                       uint32_t process),
                                       const void *context);
/* The number of findings whose process is `process` (processes.csv). */
size_t detector_findings_of(const struct detector *d, uint32_t process);
/* Is this node in the family of a finding: its process, host process, their ancestors,
 * the siblings of the process, all descendants of the host process, and, once they are
 * followed, the sources of injection with their ancestors? */
bool detector_in_family(const struct detector *d, uint32_t process);
/* In a family only since sources were followed? */
bool detector_joined_family(const struct detector *d, uint32_t process);
/* Events on this host process that are counted only: of each indicator a fixed number is
 * kept (the first in the order of the logs). */
uint64_t detector_corroborations_left_out(const struct detector *d, uint32_t process);
/* The highest alert level of any finding, for --fail-on. */
enum rule_level detector_highest_level(const struct detector *d);
void detector_release(struct detector *d);

/* ---- before an event is decoded (triage.c) */

struct triage; /* opaque */

struct triage *triage_open(const struct rules *rules, unsigned workers);
void triage_close(struct triage *t);
/* True if no public rule can hold of this event 1, whatever decoding brings to light; false
 * if one may. Any worker, each under its own number. */
bool triage_rules_out(struct triage *t, unsigned worker, struct evtx_glance *glance);

#endif
