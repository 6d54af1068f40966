/* SPDX-License-Identifier: Apache-2.0
 * report.h - one model of the run, many writers: CSV, HTML, manifest.
 *
 * A writer reads the model and adds files to an output_dir; it decides nothing about the
 * evidence. What a report may say is in doc/outputs.md: every sentence is recorded, derived
 * or assessed, and says which.
 *
 * Invariants  1. The same evidence and options give the same bytes. Only the manifest,
 *                run.log and the HTML header carry the run's time.
 *             2. Values are written exactly as recorded. HTML shows what XML cannot carry,
 *                and what cannot be seen, as visible symbols.
 *             3. Every row that speaks of an event names its evidence, log, EventRecordID and offset.
 * Ownership   The model borrows everything from the run. */
#ifndef FOREBEAR_REPORT_H
#define FOREBEAR_REPORT_H

#include "detect/detect.h"
#include "evtx/verify.h"
#include "report/elsewhere.h"
#include "sysmon/story.h"
#include "util/filetime.h"
#include "util/map.h"
#include "util/output.h"
#include "util/sorter.h"
#include "util/zone.h"

struct report;
struct template; /* opaque: a page that can be written */

/* A process as one event names it; it may have other names (lineage.h). */
struct timeline_process {
    uint32_t process;  /* node, PROCESS_NONE */
    struct guid guid;  /* as recorded; null if absent */
    uint32_t pid;      /* PID_UNKNOWN */
    struct text image; /* as recorded */
};

/* Which clock a row of the timeline stands by: the first of these that is recorded, and that
 * a reader of timelines can take. With none the row stands at TIMELINE_FIRST. */
enum timeline_clock {
    CLOCK_UTC_TIME,
    CLOCK_TIME_CREATED,
    CLOCK_RECORD_HEADER,
    CLOCK_NONE
};

/* Why an event has a row: the closest of these. */
enum timeline_why {
    WHY_FAMILY,
    WHY_WINDOW,
    WHY_HOST,
    WHY_ALL,
    WHY_NOT,
    WHY_KINDS = WHY_NOT
};

/* --timeline=findings|hosts|all */
enum timeline_extent { TIMELINE_FINDINGS, TIMELINE_HOSTS, TIMELINE_ALL };

/* Times that pandas, with which Timesketch reads, can hold: 1970 up to and without 2262. */
#define TIMELINE_FIRST FILETIME_UNIX
#define TIMELINE_END   (FILETIME_UNIX + UINT64_C(9214646400) * FILETIME_SECOND)

/* One event of a finding's family, kept from the second pass. */
struct timeline_event {
    uint64_t utc_filetime;     /* by `clock`; FILETIME_NONE with CLOCK_NONE */
    uint64_t created_filetime; /* TimeCreated */
    uint64_t record_id, offset;
    const struct evidence_log *log;
    struct text message; /* a plain sentence with the recorded values */
    struct text computer;
    struct timeline_process subject, object; /* who did it; to whom (events 8 and 10) */
    uint32_t finding; /* the first finding that this very record met; UINT32_MAX */
    uint32_t number;  /* in the order of gathering: timeline.also knows it by that */
    uint16_t event_id;
    uint8_t state, clock, why; /* enum record_state, timeline_clock, timeline_why */
    bool is_creation;          /* the record of its process that rules are judged on */
};

/* What is asked for beyond the families: fixed before the second pass, then only read. */
struct timeline_scope {
    enum timeline_extent extent;
    uint64_t window_100ns;              /* 0: none */
    struct timeline_scope_state *state; /* private; NULL: families alone */
};

/* Rows beyond the families, in bounded memory: made by workers, sorted in a file. */
struct timeline_wide {
    struct timeline_makers *makers; /* private; NULL: none are asked for */
};

struct timeline {
    struct arena arena;            /* messages */
    struct strings strings;        /* images and computers, each once */
    struct timeline_event *events; /* of the families alone */
    size_t count, capacity;
    struct timeline_scope scope;
    struct timeline_wide wide;
    struct seen_places also; /* by event number: other records of the same event */
};

void timeline_init(struct timeline *t);
void timeline_release(struct timeline *t);
/* "UtcTime", "TimeCreated", "record header", "none" */
const char *timeline_clock_name(enum timeline_clock clock);
/* "family", "window", "host", "all" */
const char *timeline_why_name(enum timeline_why why);
/* "findings", "hosts", "all" */
const char *timeline_extent_name(enum timeline_extent extent);
/* Second pass: keep the event if it speaks of a family. `number` is in timeline.also. */
void timeline_add(struct timeline *t, const struct detector *detector,
                  const struct lineage *lineage, const struct sysmon_event *event,
                  const struct event_processes *processes, uint32_t number);
/* After it: a 4688 record of a process of a family, in the log that holds it. */
void timeline_add_audit(struct timeline *t, const struct lineage *lineage,
                        const struct process_audit *audit,
                        const struct evidence_log *log);
/* The same for a 4689 that was taken for the end of one. */
void timeline_add_audit_end(struct timeline *t, const struct lineage *lineage,
                            const struct nameless_end *end,
                            const struct evidence_log *log);
/* Order by (UtcTime, EventRecordID, log, offset); join findings to their records. */
void timeline_finish(struct timeline *t, const struct detector *detector);

/* After detection: t->scope.extent and window_100ns are set. */
void timeline_scope_open(struct timeline_scope *scope, const struct detector *detector,
                         const struct lineage *lineage);
void timeline_scope_close(struct timeline_scope *scope);
/* May there be rows beyond the families? */
bool timeline_scope_is_wide(const struct timeline_scope *scope);
/* Of an event that speaks of no family: why it has a row, WHY_NOT if it has none. Any
 * thread may ask. */
enum timeline_why timeline_scope_takes(const struct timeline_scope *scope,
                                       const struct sysmon_event *event);

/* Does that computer have a finding? Any thread may ask. */
bool timeline_scope_has_host(const struct timeline_scope *scope, struct text computer);

/* A row beyond the families, ready for its file. */
struct timeline_row {
    struct sorter_key key;
    struct text bytes;
};

/* folder: of the output. The report's lineage and detector must be there. */
void timeline_wide_open(struct timeline_wide *wide, const struct report *report,
                        int folder, unsigned workers);
void timeline_wide_release(struct timeline_wide *wide);
/* By a worker. tag: a digest of the event's content: equal ones are one event. The row's
 * bytes go into the arena. */
void timeline_wide_make(const struct timeline_wide *wide, unsigned worker,
                        const struct sysmon_event *event,
                        const struct event_processes *processes, enum timeline_why why,
                        const uint8_t tag[SORTER_TAG], struct arena *arena,
                        struct timeline_row *row);
/* In its place for an event that is not told, so that copies count once there too. */
void timeline_wide_leave_out(const struct sysmon_event *event,
                             const uint8_t tag[SORTER_TAG], struct timeline_row *row);
/* In the order of the evidence: of copies the first stands for all. */
void timeline_wide_add(struct timeline_wide *wide, const struct timeline_row *row);
/* Once the rows are written, how many there are: copies of one event count once. */
uint64_t timeline_wide_count(const struct timeline_wide *wide);
/* And how many events beyond the families are not told. */
uint64_t timeline_wide_left_out(const struct timeline_wide *wide);

/* Records that are not live, as the run used them. */
struct recovered_counts {
    uint64_t given[RECORD_STATES]; /* by the reader, of any channel */
    uint64_t sysmon, creations;    /* of them: Sysmon events that were used */
    uint64_t sysmon_positional;    /* Sysmon's, or of no known provider; not used */
};

struct log_report { /* one row of evidence.csv */
    const struct evidence_log *log;
    struct evtx_log_facts facts;
    struct coverage coverage;
    struct recovered_counts recovered;
    uint64_t problems;
};

struct clearing_report { /* a log was cleared: System 104, Security 1102 */
    const struct evidence_log *log;
    uint64_t record_id, offset, created_filetime;
    struct text channel, user, domain, user_sid, computer;
    uint8_t state;
};

/* The case file and the command line; absent if not given. */
struct case_data {
    struct text case_number, evidence_number, examiner, laboratory, client, reference,
        received, notes;
    bool signature;               /* print a block to sign */
    struct text logo;             /* "data:image/png;base64,..." */
    struct text file;             /* absent: no case file */
    struct digest_values digests; /* of it */
};

enum disposition_kind {
    DISPOSED_NOT,
    DISPOSED_OPEN,
    DISPOSED_BENIGN,
    DISPOSED_CONFIRMED
};

/* What an examiner decided about a finding. It takes nothing away. */
struct disposition {
    enum disposition_kind kind;
    struct text finding; /* its id */
    struct text initials, date, reason;
    size_t line;     /* of the file */
    bool is_matched; /* a finding of this report has that id */
};

struct dispositions {
    struct text file; /* absent: none was given */
    struct digest_values digests;
    struct disposition *items; /* in the order of the file; a finding once */
    size_t count, capacity;
    struct map by_finding;
};

/* What the second decoding of records said. All zeros but for the mode if there was none. */
struct confirmation {
    enum verify_mode mode;
    struct verify_counts counts;
    uint64_t not_live, as_text; /* such records too, which libevtx cannot decode */
    struct verify_item *items; /* by (log, offset): the records that rows cite */
    size_t asked;              /* of them */
    size_t *first_of_log;      /* log_count + 1 indexes into items; NULL: none asked */
    size_t log_count;
};

enum { REPORT_CSV = 1, REPORT_HTML = 2, REPORT_XLSX = 4 };
enum { SCHEMA_CIM = 1, SCHEMA_ASIM = 2, SCHEMA_ECS = 4 };

/* The run as its reader must know it. */
struct run_facts {
    struct text version;        /* "Forebear 0.1.0" */
    struct text command_line;   /* as given, shell-quoted, visible */
    struct text reader;         /* "native" */
    struct text other_reader;   /* that confirms: "libevtx 20181227" */
    struct text_list libraries; /* "libtsk 4.11.1", ... */
    struct text platform;
    uint64_t started_filetime, ended_filetime;
    bool clock_fixed; /* SOURCE_DATE_EPOCH was set */
    unsigned digest_kinds;
    bool rehash, verify_image;
    enum timeline_extent timeline;
    uint64_t window_100ns; /* --window; 0: none */
    bool findings_only;    /* no report.html, processes.csv, timeline.csv */
    bool recovers;         /* records that are not live were read */
    unsigned jobs;
    enum verify_mode verify;
    unsigned schemas; /* SCHEMA_ bits */
    struct text rules_folder, templates_folder, filter_file,
        shells_file; /* absent: built-in, none */
    bool find_signature;
    enum rule_level fail_on;
    int exit_status;      /* what the run will end with */
    unsigned formats;     /* REPORT_ bits: what is written beside the CSV files */
    struct text language; /* of the page's words: "en", "de"; NUL behind it */
    uint32_t sheet_rows;  /* of the workbook; 0: as many as a sheet can have (tests) */
    struct zone zone;     /* for a second time beside each UTC time */
};

/* A report that tells only a part of what was found (sysmon/selection.h). */
struct told_part {
    struct text filter;    /* in words; absent: all is told */
    struct text not_found; /* what of it no record has; absent: nothing */
    uint64_t findings_left_out, near_misses_left_out;
    uint64_t events_left_out; /* of the families; timeline_wide_left_out() has the rest */
};

struct report {
    struct run_facts run;
    struct told_part told;
    struct case_data case_data;
    const struct evidence *evidence;
    struct log_report *logs;
    size_t log_count;
    struct clearing_report *clearings;
    size_t clearing_count;
    const struct story *story; /* by host: what its logs cover (sysmon/story.h) */
    const struct lineage *lineage;
    const struct detector *detector;
    const struct timeline *timeline;
    const struct elsewhere *elsewhere; /* NULL: nothing was gathered */
    const struct confirmation *verification;
    struct problems *problems;
    const struct dispositions *dispositions; /* NULL: none */
};

/* --- case_file.c: the form is in doc/user-guide.md */

/* Values that c has already (of the command line) stay. The logo is found beside the file.
 * FAILED with file and line for what is not of that form. */
enum status case_file_read(struct case_data *c, const char *path, struct arena *arena,
                           struct error *err);
/* logo.png or logo.jpg of the templates' folder, unless the case file names one. */
enum status case_logo_find(struct case_data *c, const char *template_dir,
                           struct arena *arena, struct error *err);

/* --- disposition.c */

/* FAILED with file and line for what is not of the form in doc/outputs.md, or if two rows
 * disagree about a finding. */
enum status dispositions_read(struct dispositions *d, const char *path,
                              struct arena *arena, struct error *err);
void dispositions_release(struct dispositions *d);
/* NULL if that finding has none. */
const struct disposition *disposition_of(const struct dispositions *d_or_null,
                                         struct text finding);
/* "open", "benign", "confirmed" */
const char *disposition_name(enum disposition_kind kind);
/* Say which rows match no finding of this run: DISPOSITION_UNMATCHED. */
void dispositions_match(struct dispositions *d, const struct detector *detector,
                        struct problems *problems);

/* The writers are called in this order: what report.html leaves out is a row of
 * problems.csv, and report.html shows the problems that writing CSV adds.
 *
 * findings, near misses, processes, timeline, evidence and problems as CSV, and what
 * schemas ask for. Adds CSV_FORMULA and REPORT_SHORTENED problems. */
enum status report_write_csv(const struct report *report, struct output_dir *dir,
                             struct error *err);
/* report.xlsx: the tables of report_write_csv() as sheets. After it, since it names the CSV
 * files and their hashes. */
enum status report_write_workbook(const struct report *report, struct output_dir *dir,
                                  struct error *err);
/* The templates of the page, before the evidence is read: what is wrong with them is said then.
 * template_dir: the lab's own, or NULL for the built-in ones. FAILED, and *page NULL, with
 * file and line for a template that is not well-formed or names a slot that does not exist. */
enum status report_open_page(struct template **page, const char *template_dir,
                             const char *language, struct error *err);
enum status report_write_html(const struct report *report, struct output_dir *dir,
                              const struct template *page, struct error *err);
void report_close_page(struct template *page); /* may be NULL */
/* Every fixed word of the page as a PO file, with the translations of that language;
 * *missing: how many have none. */
enum status report_list_words(const char *template_dir, const char *language,
                              struct buffer *out, size_t *missing, struct error *err);
/* The names that files of a report can have, by number; NULL behind the last. */
const char *report_file_name(size_t index);
/* Before a report takes another one's place: name the other's files that it has not. */
void report_name_stale(const struct report *report, struct output_dir *dir);
/* manifest.json, over every file that is finished in dir by then (so run.log is closed
 * before), and SHA256SUMS, over those and the manifest. */
enum status report_write_manifest(const struct report *report, struct output_dir *dir,
                                  struct error *err);
/* What was found, what could not be read, where the report is: the last words on the
 * terminal. Evidence text in it is made visible. */
void report_summary(const struct report *report, const char *path, struct buffer *out);

/* Add t to out as text of an HTML/XML page may carry it: what XML 1.0 cannot hold and what
 * cannot be seen becomes a visible symbol (U+2400.. or [U+202E]). No markup is escaped:
 * the XML writer does that. */
void report_visible_text(struct buffer *out, struct text t);
/* The same for one recorded value: blanks at its ends are shown as U+2420, too, since rules
 * and readers miss them. */
void report_visible_value(struct buffer *out, struct text t);

#endif
