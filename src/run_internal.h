/* SPDX-License-Identifier: Apache-2.0
 * run_internal.h - what the files of one run share. run.c is the table of contents; each
 * other file is one of its chapters. */
#ifndef FOREBEAR_RUN_INTERNAL_H
#define FOREBEAR_RUN_INTERNAL_H

#include "confirm.h"
#include "run.h"
#include "sysmon/across.h"
#include "util/map.h"
#include "util/workers.h"

/* A record that could be read only in part, and may be Sysmon's: it is taken when all logs
 * were read once. By then a whole record of the same event was taken, if there is one, and
 * a template that is gone here is learned, if another log has it. */
struct late_record {
    uint64_t offset;
    uint32_t log;
    bool is_nameless;
};

/* The templates of the page. */
struct opening {
    struct work work;
    const struct options *options;
    struct template *page; /* NULL until they are read */
    enum status status;
    struct error err;
};

/* Everything that lives as long as the run. */
struct run {
    const struct options *options;
    bool is_wrong_usage;
    struct hashing *hashing; /* by log */
    struct workers *beside;  /* one thread beside those that read */
    struct opening opening;
    struct arena arena;
    struct problems problems;
    struct journal journal;
    struct output_dir output;
    struct evidence evidence;
    struct selection_check check; /* of options->selection */
    struct evtx_reader *reader;
    struct verifier *verifier; /* NULL: nothing is verified */
    struct lineage lineage;
    struct rules rules;
    struct detector detector;
    struct timeline timeline;
    struct elsewhere elsewhere;
    struct confirmation verification;
    struct dispositions dispositions;
    struct report report;
    struct buffer summary; /* of the report, for standard output */
    struct story story;
    struct across across;
    const struct coverage **coverages; /* by log */
    size_t clearing_capacity;
    struct map clearings;     /* by what tells one from another */
    size_t problems_told;     /* rows of problems that run.log has */
    struct map gathered;      /* events of the second pass, by their content */
    uint32_t gathered_before; /* in earlier readings of it */
    uint32_t *off_channel;    /* process creations of channels that are not asked for */
    size_t off_channel_count, off_channel_capacity;
    struct map off_channel_nodes;   /* the same, by node */
    struct sysmon_layouts *layouts; /* by worker */
    struct late_record *late;       /* by log and offset */
    size_t late_count, late_capacity;
};

/* The digest of one log: of the bytes that are read to be decoded, or, where these are not
 * simply all of its bytes, of a reading of its own beside that. Until the report is written
 * nobody needs it. */
struct hashing {
    struct work work;
    struct evidence_log *log;
    struct evtx_digest by_reader; /* kinds 0: not asked of the reader */
    unsigned kinds;
    enum status status;
    struct error damage;
    bool is_submitted;
};

/* What a sink needs to know about the log that is being read. */
struct reading {
    struct run *run;
    struct log_report *log;
    uint32_t number;
    uint64_t repeats, first_repeat_id; /* second pass: what another record has too */
    bool recovered; /* second pass: take what is not live, else what is */
    bool following; /* take what only the sources of injection brought in */
};

/* ---- run_describe.c */

void describe_run(struct run *run, int argc, char **argv);

/* ---- run_read.c */

uint64_t bytes_of_logs(const struct run *run);
/* One pass over one log: `by_worker` for each chunk, then `sink` in the order of the file. */
enum status read_prepared(struct reading *reading, evtx_prepare *by_worker,
                          evtx_sink *sink, struct evtx_log_facts *facts,
                          struct problems *problems, struct progress *progress,
                          struct error *err);
enum status read_logs(struct run *run, struct error *err);
/* One record id of one host in several logs: is it the same record? */
enum status compare_across(struct run *run, struct error *err);

/* ---- run_hashing.c */

/* Logs of an image are hashed here and now, before any is read: where parts of an image fail
 * its checksum, what a library tells of them depends on the order in which they are read. */
void start_hashing(struct run *run);
void take_digest(struct run *run, struct hashing *h);
/* What was wrong is told in the order of the logs. */
void end_hashing(struct run *run);

/* ---- run_gather.c */

struct digest_values digest_of_event(const struct evtx_record *record);
/* Without a finding there is no family, and without an msra.exe nothing else to look at. */
enum status gather(struct run *run, struct error *err);

/* ---- run_told.c */

bool event_is_told(const struct selection *s, const struct sysmon_event *event);
/* Lineage does not keep the channel of a process creation. */
void note_channel(struct run *run, const struct sysmon_event *event, uint32_t process);
void tell_a_part(struct run *run);
bool audit_is_told(const struct run *run, enum audit_event_id event_id,
                   uint64_t filetime, uint32_t process);

/* ---- run.c */

/* What could not be read, or was not examined, is said when it is met. What is odd in what
 * was recorded is left to the report. */
void tell_problems(struct run *run);

#endif
