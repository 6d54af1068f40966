/* SPDX-License-Identifier: Apache-2.0
 * Only src/report includes this file: what its writers share. */
#ifndef FOREBEAR_REPORT_INTERNAL_H
#define FOREBEAR_REPORT_INTERNAL_H

#include "report/report.h"

/* --- record_digest.c: the SHA-256 of a record's bytes, from its magic through the copy of
 * its size. All zeros is a window before its first use. */
struct record_window {
    struct evidence_source source; /* open where its log is not NULL */
    uint64_t from;
    size_t len;
    uint8_t *bytes;
    struct digester digester; /* begun where there are bytes */
};

/* False if no record with a possible size stands at that offset. */
bool record_digest(struct record_window *window, const struct evidence_log *log,
                   uint64_t offset, struct digest_values *out);
void record_window_release(struct record_window *window);

/* --- workbook.c: the cells of a table as those of a sheet */
struct sheet;
void sheet_text(struct sheet *s, struct text value); /* absent: no cell */
void sheet_number(struct sheet *s, uint64_t value);
void sheet_bool(struct sheet *s, bool value);
void sheet_time(struct sheet *s, uint64_t filetime);
void sheet_end_row(struct sheet *s);

/* --- table.c: a CSV file, RFC 4180.
 * absent is an empty cell, "" a quoted one; bytes that are not UTF-8 become \xNN. */
struct table {
    struct output out;           /* of the file; rows[] alone for a part of it */
    struct buffer rows;          /* not yet handed to it */
    struct record_window window; /* for table_record_digest() */
    const char *name;
    size_t columns, cells; /* of the file; of the row so far */
    uint64_t formulas;     /* cells that begin as a spreadsheet's formula does */
    struct sheet *sheet;   /* the cells go there instead; NULL: to the file */
    struct buffer scratch;
    struct filetime_day day; /* of the time written last: mostly that of the next too */
    _Atomic uint8_t
        *known; /* by number of the lineage's strings: what is known of each;
                               shared by the parts of a file, NULL in others */
    struct ready_cell *ready; /* cells that may come again; NULL: none yet */
};

enum status table_open(struct table *t, struct output_dir *dir, const char *name,
                       const char *const *columns, size_t count, struct error *err);
void table_text(struct table *t, struct text value);
/* A text of the lineage: what it asks of its cell is found out once, however many rows it
 * stands in. */
void table_kept(struct table *t, const struct lineage *l, uint32_t string_number);
/* A path is any bytes, not a recorded value: what cannot be seen in it is escaped, as on the
 * terminal. */
void table_path(struct table *t, struct text path);
void table_string(struct table *t, const char *value); /* NULL, "": absent */
/* Of the program's own making, and of a form that needs no quotes; nothing is absent. */
void table_plain(struct table *t, struct text value);
void table_word(struct table *t, const char *value);      /* the same; NULL: absent */
void table_buffer(struct table *t, struct buffer *value); /* and clears it */
void table_number(struct table *t, uint64_t value);
void table_number_unless(struct table *t, uint64_t value, uint64_t none);
void table_bool(struct table *t, bool value);
void table_time(struct table *t, uint64_t filetime);
void table_guid(struct table *t, const struct guid *guid); /* null: absent */
void table_digest(struct table *t, const struct digest_values *d,
                  enum digest_kind kind);
/* Of the record at that offset; empty if there is none. log may be NULL. */
void table_record_digest(struct table *t, const struct evidence_log *log,
                         uint64_t offset);
/* evidence, log, event_record_id, offset: where a row comes from. */
void table_place(struct table *t, struct place place);
void table_pid(struct table *t, uint32_t pid);
/* The key of a process. */
void table_process(struct table *t, const struct lineage *l, uint32_t process);
/* name_ancestors() of the process; clears the scratch buffer. */
void table_ancestors(struct table *t, struct buffer *scratch, const struct lineage *l,
                     uint32_t process);
/* name_verified() of the record; clears the scratch buffer. */
void table_verified(struct table *t, struct buffer *scratch, const struct report *r,
                    const struct evidence_log *log, uint64_t offset);
/* Other records of the owner (name_also_at). */
void table_also_at(struct table *t, struct buffer *scratch, const struct report *r,
                   const struct seen_places *places, uint32_t owner);
/* What the process is to the findings, in words (detector_add_roles). */
void table_roles(struct table *t, struct buffer *scratch, const struct report *r,
                 uint32_t process);
void table_end_row(struct table *t);
/* A row that another table made, and how many of its cells look like formulas. */
void table_ready_row(struct table *t, struct text row, unsigned formulas);
/* Of a table that holds rows alone, without a file of its own. */
void table_release_part(struct table *t);
/* In place of table_close(): nothing is kept. */
void table_abandon(struct table *t);
/* problems: where a CSV_FORMULA row goes; NULL if the caller counted before. */
enum status table_close(struct table *t, struct problems *problems, struct error *err);
/* Does a spreadsheet take a cell that begins so for a formula? */
bool table_is_formula(struct text value);
/* t with each byte that is not UTF-8 as \xNN, all else as it is. */
void table_add_utf8(struct buffer *out, struct text t);

/* One of the files: the names of its columns, and who writes its rows: all at once, or, in
 * files that can be long, each on its own, so that several workers make them. */
struct csv_file {
    const char *name;
    const char *const *columns;
    size_t column_count;
    bool is_detail; /* not written with --findings-only */
    void (*put_rows)(struct table *t, struct buffer *scratch, const struct report *r);
    size_t (*row_count)(const struct report *r);
    void (*put_row)(struct table *t, struct buffer *scratch, const struct report *r,
                    size_t row);
    /* in place of csv_file_write_rows(), and of the same for a sheet; the latter comes
     * after the former */
    enum status (*write)(const struct report *r, struct output_dir *dir,
                         struct problems *problems, struct error *err);
    enum status (*put_sheet)(struct table *t, const struct report *r,
                             struct error *err);
};

#define COLUMNS(names) (names), sizeof(names) / sizeof *(names)

enum status csv_file_write(const struct csv_file *file, const struct report *report,
                           struct output_dir *dir, struct problems *problems,
                           struct error *err);

/* The same without the file's own function for it. */
enum status csv_file_write_rows(const struct csv_file *file,
                                const struct report *report, struct output_dir *dir,
                                struct problems *problems, struct error *err);

/* Some of its rows into its open table, by several workers where there are many. */
void csv_file_put_rows(const struct csv_file *file, const struct report *report,
                       struct table *t, size_t from, size_t to);

/* --- csv.c */
extern const struct csv_file processes_file, problems_file;
/* problems.csv is the last of them and still has to tell of its own formula cells. */
void count_problem_formulas(const struct report *r);

/* --- csv_coverage.c */
enum { CSV_COVERAGE_FILES = 2 };
extern const struct csv_file csv_coverage_files[CSV_COVERAGE_FILES];
/* Sysmon's event ids with a record, each with its number; or the known ones without. */
void put_event_ids(struct table *t, struct buffer *b, const uint64_t per_event_id[256],
                   bool seen);
/* The tables of this report in their order: an index beyond the last gives NULL. */
const struct csv_file *report_table(const struct report *report, size_t index);
/* The rows of one into a sheet. FAILED if the run is to stop. */
enum status csv_file_write_sheet(const struct csv_file *file,
                                 const struct report *report, struct sheet *sheet,
                                 struct error *err);

/* --- timeline.c: "Process Created", for timestamp_desc */
const char *timeline_happened(uint16_t event_id);
/* A row of the event; its texts are the event's own, its message is the buffer's. */
struct timeline_event timeline_describe(const struct lineage *lineage,
                                        const struct sysmon_event *event,
                                        const struct event_processes *processes,
                                        enum timeline_why why, struct buffer *sentence);
/* What stands in `datetime`, and orders the rows. */
uint64_t timeline_place_in_time(const struct timeline_event *row);

/* --- timeline_csv.c */
extern const struct csv_file timeline_file;

/* --- elsewhere_csv.c */
extern const struct csv_file iocs_file, elsewhere_file;

/* --- schemas.c: the findings under the names of other products' schemas */
/* The index-th that was asked for; NULL beyond the last. */
const struct csv_file *schema_table(const struct report *report, size_t index);

/* --- names.c: how processes are named */
/* "msra.exe (30)"; "unknown (pid 30)"; "msra.exe" without a pid. As recorded. */
void name_process(struct buffer *out, const struct lineage *l, uint32_t process);
void name_image(struct buffer *out, struct text image, uint32_t pid);
/* The ancestors, root first: "explorer.exe (10) > regsvr32.exe (20)". */
void name_ancestors(struct buffer *out, const struct lineage *l, uint32_t process);
const struct log_report *report_log_of(const struct report *r,
                                       const struct evidence_log *log);
struct place process_place(const struct report *r, uint32_t process);
/* "ParentImage ends with \msra.exe [C:\...\msra.exe]; ..." */
void name_reasons(struct buffer *out, const struct match_reason *reasons, size_t count);
/* "sha-256" and the like, of which content, and was it compared afterwards? */
void name_hashed(struct buffer *out, const struct evidence_log *log);
/* "behind damage:5; slack:22": what was recovered, by state; nothing if nothing was. */
void name_recovered(struct buffer *out, const struct recovered_counts *counts);
/* Where else the record stands: "EVIDENCE: LOG: EventRecordID 7, offset 4608; ..". */
void name_also_at(struct buffer *out, const struct report *r,
                  const struct seen_places *places, uint32_t owner);
/* ", state slack"; nothing for a live record. */
void name_state_unless_live(struct buffer *out, enum record_state state);
const char *verification_sentence(const struct evidence_item *item);

/* --- corroboration.c: what speaks for injection, a row each */
extern const struct csv_file corroboration_file;

/* --- silence.c: what is not recorded of a host process, and whether it could have been.
 * One answer for one event id. */
enum collected { COLLECTED, NOT_COLLECTED, COLLECTED_UNKNOWN };

struct silence {
    uint16_t event_id;
    enum collected collected;
    const struct log_report
        *log; /* the first of the host's logs; NULL: none is known */
    size_t logs;
    /* of the host's computer, in those logs */
    uint64_t elsewhere;                     /* events of the id, of any process */
    uint64_t config_changes;                /* events 16 */
    uint64_t first_filetime, last_filetime; /* UtcTime */
    struct text schema;                     /* that the newest event 4 names */
};

enum { SILENCES_MAX = 256 };

/* Of each id that indicators look at and that none of interest rests on. Returns how many. */
size_t silences_of(const struct report *r, uint32_t host,
                   struct silence silences[SILENCES_MAX]);
/* One sentence, without a full stop, for silences of one kind. */
void silence_say(struct buffer *out, const struct silence *silences, size_t count);
/* For reading: events 8, 10 and 25 each, then those with the same answer together. */
void silences_group(struct silence *silences, size_t count);
/* How many of them, from the first on, are one sentence; count is not 0. */
size_t silences_of_group(const struct silence *silences, size_t count);
bool silence_stands_alone(const struct silence *silence);

/* --- verified.c */
/* "yes", "no: FIELD", "-": the cell `verified` of a row that cites this record. */
void name_verified(struct buffer *out, const struct report *r,
                   const struct evidence_log *log, uint64_t offset);
/* What was decoded again, in sentences. */
void report_verification(struct buffer *out, const struct report *r);

/* Distinct process creations that one rule matched; findings are ordered by process. */
uint64_t rule_creations(const struct detector *d, const struct rule *rule);

/* --- summary.c: what the run says of itself in a few sentences */
enum statement_kind { RECORDED, DERIVED, ASSESSED };

/* What a statement answers. */
enum statement_topic { ABOUT_WHAT_WAS_READ, ABOUT_FINDINGS, ABOUT_WHAT_WAS_NOT_READ };

struct statement {
    enum statement_kind kind;
    enum statement_topic topic;
    struct text words;
};

struct statements {
    struct statement *items;
    size_t count, capacity;
};

/* "recorded", "derived", "assessed" */
const char *statement_kind_name(enum statement_kind kind);
void statements_add(struct statements *s, struct arena *arena, enum statement_kind kind,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
void statements_release(struct statements *s);
/* The summary, for the page and for the terminal alike. */
void report_statements(const struct report *r, struct arena *arena,
                       struct statements *out);

/* --- page.c: what report.html leaves out, told before problems.csv is written */
void page_add_problems(const struct report *report);

/* "1 process creation", "2 process creations" */
/* Why a report has no finding to tell, in a sentence. */
struct text report_no_finding(const struct report *r, struct arena *arena);
/* Hosts with a live Sysmon record: some have events of Windows' audit alone. */
size_t report_sysmon_hosts(const struct report *r);
size_t report_hosts_without_sysmon(const struct report *r);
/* Problems of what could not be read, examined, or given as recorded. */
size_t report_unread_problems(const struct report *r);
/* Is it one of Forebear's own indicators? */
bool rule_is_forebears(const struct rule *rule);
/* Process creations that another rule than those matched. */
uint64_t report_creations_of_others(const struct detector *d);
/* Those to whose parent no GUID leads. */
uint64_t report_creations_of_unknown(const struct detector *d);
/* "3 of them a public rule, 2 Forebear's own indicators alone": of all that matched. */
struct text report_whose_rules(const struct report *r, struct arena *arena);
/* Is the last part of its recorded ParentImage msra.exe? */
bool report_names_msra_as_parent(const struct report *r, const struct process *p);
/* By node: is it the host process of a finding that is told? To be freed. */
bool *report_told_hosts(const struct report *r);

#endif
