/* SPDX-License-Identifier: Apache-2.0
 * options.h - the command line. One table (options.c) says what each option is called,
 * takes and means; parsing, --help and the manual's check all read that table. */
#ifndef FOREBEAR_OPTIONS_H
#define FOREBEAR_OPTIONS_H

#include "detect/detect.h"
#include "report/report.h"
#include "sysmon/selection.h"

/* The documented exit statuses; also in --help, the man page and doc/user-guide.md. */
enum exit_status {
    EXIT_DONE = 0,  /* finished, everything could be read */
    EXIT_USAGE = 2, /* wrong command line, or a file that it names; nothing was written */
    EXIT_INCOMPLETE =
        3,           /* finished, but some evidence was damaged, unreadable or locked */
    EXIT_CANNOT = 4, /* could not finish; nothing half-written stays behind */
    EXIT_FINDING = 10 /* --fail-on: a finding of that level or above */
};

enum record_format { FORMAT_JSONL, FORMAT_XML, FORMAT_CSV };

struct options {
    const char *output;
    bool force, quiet, rehash, verify_image, find_signature, no_recovered;
    bool findings_only;
    enum timeline_extent timeline;
    uint64_t window_100ns; /* 0: none */
    struct case_data case_data;
    unsigned digest_kinds; /* DIGEST_BIT()s; SHA-256 always */
    unsigned schemas;      /* SCHEMA_ bits */
    unsigned jobs;
    const char *rules, *shells, *filter, *templates;
    const char *case_file, *dispositions, *language, *timezone;
    unsigned formats; /* REPORT_ bits */
    enum rule_level fail_on; /* LEVEL_NONE: never */
    enum evtx_reader_kind reader;
    enum verify_mode verify;
    struct selection selection;
    /* forebear records, forebear show */
    enum record_format format;
    bool recovered, provenance;
    const char *log;
    const char *keep; /* forebear self-test */
    uint64_t record_id, record_offset; /* NO_RECORD, NO_OFFSET: not given */
    const char **evidence;             /* borrowed from argv */
    size_t evidence_count;
};

/* What the user asked for. */
enum command {
    COMMAND_REPORT,
    COMMAND_SCAN,
    COMMAND_RECORDS,
    COMMAND_SHOW,
    COMMAND_RULES,
    COMMAND_WORDS,
    COMMAND_SELF_TEST,
    COMMAND_HELP,
    COMMAND_VERSION,
    COMMAND_WRONG
};

/* Parse. COMMAND_WRONG: *err says what is wrong and how to ask for help. COMMAND_HELP: *topic
 * is the command whose help is wanted, or NULL. */
enum command options_parse(struct options *options, int argc, char **argv,
                           const char **topic, struct error *err);
void options_release(struct options *options);
/* The text of --help, for a command or for the program (topic NULL). False if there is no
 * such command. */
bool options_help(const char *topic, struct buffer *out);

#endif
