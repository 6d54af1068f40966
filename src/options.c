/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/journal.h"
#include "util/memory.h"

enum { MAX_JOBS = 256 };

/* A parser of an option's value; FAILED with a sentence if the value is no good. */
typedef enum status value_parser(struct options *options, const char *value,
                                 struct error *err);

struct option_row {
    unsigned commands; /* bits: 1 << enum command */
    char letter;       /* 0: long form only */
    const char *name;
    const char *argument; /* NULL: a switch */
    const char *help;
    size_t
        offset; /* of the bool (switch), const char * or struct text in struct options */
    enum { SWITCH, STRING, TEXT_VALUE, PARSED } kind;
    value_parser *parse;
};

struct choice {
    const char *name;
    unsigned bit;
};

static enum status bad_value(struct error *err, const char *option, const char *value,
                             const char *allowed)
{
    return fail(err, FAILED, NOWHERE, "--%s=%s: must be %s", option, value, allowed);
}

/* A comma-separated list of names; each sets its bit. */
static bool parse_bits(const char *value, const struct choice *choices, unsigned *bits)
{
    struct text rest = text_from(value);
    while (true) {
        const char *comma = memchr(rest.ptr, ',', rest.len);
        struct text word = {rest.ptr, comma ? (size_t)(comma - rest.ptr) : rest.len};
        const struct choice *c = choices;
        while (c->name && !text_equal_fold(word, text_from(c->name)))
            c++;
        if (!c->name)
            return false;
        *bits |= c->bit;
        if (!comma)
            return true;
        rest = text_slice(rest, word.len + 1, SIZE_MAX);
    }
}

static enum status parse_hash(struct options *o, const char *value, struct error *err)
{
    static const struct choice choices[] = {
        {"sha256", DIGEST_BIT(DIGEST_SHA256)},
        {"sha1",   DIGEST_BIT(DIGEST_SHA1)  },
        {"md5",    DIGEST_BIT(DIGEST_MD5)   },
        {NULL,     0                        }
    };
    return parse_bits(value, choices, &o->digest_kinds)
               ? OK
               : bad_value(err, "hash", value, "a list of sha1, md5 and sha256");
}

static enum status parse_schema(struct options *o, const char *value, struct error *err)
{
    static const struct choice choices[] = {
        {"cim",  SCHEMA_CIM },
        {"asim", SCHEMA_ASIM},
        {"ecs",  SCHEMA_ECS },
        {NULL,   0          }
    };
    return parse_bits(value, choices, &o->schemas)
               ? OK
               : bad_value(err, "schema", value, "a list of cim, asim and ecs");
}

static enum status parse_find(struct options *o, const char *value, struct error *err)
{
    if (strcmp(value, "signature") != 0 && strcmp(value, "path") != 0)
        return bad_value(err, "find", value, "path or signature");
    o->find_signature = strcmp(value, "signature") == 0;
    return OK;
}

static enum status parse_jobs(struct options *o, const char *value, struct error *err)
{
    uint64_t jobs;
    if (!text_to_u64(text_from(value), &jobs) || jobs < 1 || jobs > MAX_JOBS)
        return bad_value(err, "jobs", value, "a number from 1 to 256");
    o->jobs = (unsigned)jobs;
    return OK;
}

static enum status parse_fail_on(struct options *o, const char *value,
                                 struct error *err)
{
    o->fail_on = rule_level_find(text_from(value));
    return o->fail_on != LEVEL_NONE
               ? OK
               : bad_value(err, "fail-on", value,
                           "informational, low, medium, high or critical");
}

static enum status parse_reader(struct options *o, const char *value, struct error *err)
{
    if (strcmp(value, "native") != 0 && strcmp(value, "libevtx") != 0)
        return bad_value(err, "reader", value, "native or libevtx");
    o->reader = strcmp(value, "native") == 0 ? EVTX_READER_NATIVE : EVTX_READER_LIBEVTX;
    return OK;
}

static enum status parse_verify(struct options *o, const char *value, struct error *err)
{
    for (int mode = VERIFY_FINDINGS; mode <= VERIFY_NONE; mode++)
        if (strcmp(value, verify_mode_name((enum verify_mode)mode)) == 0) {
            o->verify = (enum verify_mode)mode;
            return OK;
        }
    return bad_value(err, "verify", value, "findings, timeline, all or none");
}

static enum status parse_timeline(struct options *o, const char *value,
                                  struct error *err)
{
    for (int extent = TIMELINE_FINDINGS; extent <= TIMELINE_ALL; extent++)
        if (strcmp(value, timeline_extent_name((enum timeline_extent)extent)) == 0) {
            o->timeline = (enum timeline_extent)extent;
            return OK;
        }
    return bad_value(err, "timeline", value, "findings, hosts or all");
}

/* A number and its unit; at most WINDOW_DAYS_MAX. */
static enum status parse_window(struct options *o, const char *value, struct error *err)
{
    enum { WINDOW_DAYS_MAX = 366 };
    static const struct choice units[] = {
        {"s",  1    },
        {"m",  60   },
        {"h",  3600 },
        {"d",  86400},
        {NULL, 0    }
    };
    size_t digits = strspn(value, "0123456789");
    const struct choice *unit = units;
    uint64_t number;
    while (unit->name && strcmp(value + digits, unit->name) != 0)
        unit++;
    if (!unit->name || !text_to_u64((struct text){value, digits}, &number) ||
        number == 0 || number > (uint64_t)WINDOW_DAYS_MAX * 86400 / unit->bit)
        return bad_value(err, "window", value,
                         "a number and s, m, h or d, up to 366d: 30s, 10m, 2h");
    o->window_100ns = number * unit->bit * FILETIME_SECOND;
    return OK;
}

static enum status parse_format(struct options *o, const char *value, struct error *err)
{
    static const char *const names[] = {"jsonl", "xml", "csv"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(value, names[i]) == 0) {
            o->format = (enum record_format)i;
            return OK;
        }
    return bad_value(err, "format", value, "jsonl, xml or csv");
}

static enum status parse_report_format(struct options *o, const char *value,
                                       struct error *err)
{
    static const struct choice choices[] = {
        {"csv",  REPORT_CSV },
        {"html", REPORT_HTML},
        {"xlsx", REPORT_XLSX},
        {NULL,   0          }
    };
    o->formats = REPORT_CSV;
    return parse_bits(value, choices, &o->formats)
               ? OK
               : bad_value(err, "format", value, "a list of html, csv and xlsx");
}

static enum status parse_hit_format(struct options *o, const char *value,
                                    struct error *err)
{
    if (strcmp(value, "csv") != 0 && strcmp(value, "jsonl") != 0)
        return bad_value(err, "format", value, "csv or jsonl");
    return parse_format(o, value, err);
}

static const char time_form[] = "a time as 2026-01-12 or 2026-01-12T08:00:00+02:00";

static enum status parse_after(struct options *o, const char *value, struct error *err)
{
    return selection_parse_time(text_from(value), &o->selection.after)
               ? OK
               : bad_value(err, "after", value, time_form);
}

static enum status parse_before(struct options *o, const char *value, struct error *err)
{
    return selection_parse_time(text_from(value), &o->selection.before)
               ? OK
               : bad_value(err, "before", value, time_form);
}

static enum status parse_event_id(struct options *o, const char *value,
                                  struct error *err)
{
    return selection_add_ids(&o->selection, text_from(value))
               ? OK
               : bad_value(err, "event-id", value,
                           "numbers and ranges up to 65535: 1,5,8-10");
}

static enum status parse_channel(struct options *o, const char *value,
                                 struct error *err)
{
    return selection_add_names(&o->selection.channels, text_from(value))
               ? OK
               : bad_value(err, "channel", value, "a list of names");
}

static enum status parse_computer(struct options *o, const char *value,
                                  struct error *err)
{
    return selection_add_names(&o->selection.computers, text_from(value))
               ? OK
               : bad_value(err, "computer", value, "a list of names");
}

/* Decimal, or hex behind 0x. */
static bool parse_number(const char *value, uint64_t *number)
{
    if (value[0] != '0' || (value[1] | 0x20) != 'x')
        return text_to_u64(text_from(value), number) && *number != UINT64_MAX;
    *number = 0;
    size_t digits = strspn(value + 2, "0123456789abcdefABCDEF");
    if (digits == 0 || digits > 15 || value[2 + digits])
        return false;
    for (const char *c = value + 2; *c; c++)
        *number =
            *number << 4 | (unsigned)(*c <= '9' ? *c - '0' : (*c | 0x20) - 'a' + 10);
    return true;
}

static enum status parse_record(struct options *o, const char *value, struct error *err)
{
    return parse_number(value, &o->record_id)
               ? OK
               : bad_value(err, "record", value, "a number");
}

static enum status parse_offset(struct options *o, const char *value, struct error *err)
{
    return parse_number(value, &o->record_offset)
               ? OK
               : bad_value(err, "offset", value, "a number of bytes");
}

#define REPORT    (1u << COMMAND_REPORT)
#define SCAN      (1u << COMMAND_SCAN)
#define RECORDS   (1u << COMMAND_RECORDS)
#define SHOW      (1u << COMMAND_SHOW)
#define RULES     (1u << COMMAND_RULES)
#define SELF_TEST (1u << COMMAND_SELF_TEST)
#define WORDS     (1u << COMMAND_WORDS)
static const struct option_row rows[] = {
#define OPTION_SWITCH(commands, letter, name, member, help)                            \
 {commands, letter, name, NULL, help, offsetof(struct options, member), SWITCH, NULL},
#define OPTION_STRING(commands, letter, name, argument, member, help)                  \
 {commands, letter, name, argument, help, offsetof(struct options, member),            \
  STRING,   NULL},
#define OPTION_TEXT(commands, letter, name, argument, member, help)                    \
 {commands,   letter, name, argument, help, offsetof(struct options, member),          \
  TEXT_VALUE, NULL},
#define OPTION_PARSED(commands, letter, name, argument, parser, help)                  \
 {commands, letter, name, argument, help, 0, PARSED, parser},
#include "options.def"
};

enum { ROWS = sizeof rows / sizeof *rows, LONG_ONLY = 256 };

static const struct command_row {
    enum command command;
    const char *name, *usage, *help;
} commands[] = {
    {COMMAND_REPORT,    "report",    "forebear report [OPTION]... -o DIR EVIDENCE...",
     "Read the Sysmon logs in EVIDENCE, rebuild process lineage, apply the rules and\n"
     "write a report into DIR. EVIDENCE is an .evtx file, events as XML or JSON text,\n"
     "a folder (a mounted image, a triage collection) or a disk image (raw, split "
     "raw,\n"
     "E01, VMDK, VHD, VHDX; a block device). It is opened read-only and never "
     "changed."                                                                                                            },
    {COMMAND_SCAN,      "scan",      "forebear scan [OPTION]... EVIDENCE...",
     "Say which process creations in many logs meet a public rule: a row for each on\n"
     "standard output, as it is found, in the order of the files; a summary on "
     "standard\n"
     "error. Nothing is hashed, linked to its ancestors or decoded a second time, and\n"
     "Forebear's own indicators, which need the lineage, are not judged: a hit tells "
     "where\n"
     "to look. What may be cited is a report."                                                                             },
    {COMMAND_RECORDS,   "records",   "forebear records [OPTION]... EVIDENCE...",
     "Write every record of every log in EVIDENCE, of any channel, to standard output, "
     "in\n"
     "the order of the files. Warnings go to standard error."                                                              },
    {COMMAND_SHOW,      "show",
     "forebear show [--log PATH] --record N | --offset N EVIDENCE",                        "Show one record as both readers decode it, side by side, with its bytes and its\n"
     "place in the log and, for an image, in the image."},
    {COMMAND_RULES,     "rules",     "forebear rules [--rules DIR] [--shells FILE]",
     "List the rules with their levels, dates and the SHA-256 of their files."                                             },
    {COMMAND_SELF_TEST, "self-test", "forebear self-test [OPTION]...",
     "Test this copy of the program on this machine: constructed scenarios are written "
     "as\n"
     "logs, a report is made on each, and what must and must not be raised is "
     "compared. A\n"
     "validation record in Markdown goes to standard output; it needs no source tree. "
     "The\n"
     "status is 4 if anything did not hold."                                                                               },
    {COMMAND_WORDS,     "words",     "forebear words [--templates DIR] [--language NAME]",
     "Print every fixed word of report.html as a PO file, with the translations of "
     "that\n"
     "language: what a translator starts from, and what is still missing."                                                 },
};

enum { COMMANDS = sizeof commands / sizeof *commands };

enum { RUNS = REPORT | SCAN | RECORDS, ALL_COMMANDS = ~0 };

static const struct {
    unsigned commands;
    const char *words;
} exit_statuses[] = {
    {RUNS,          "  0   finished, everything could be read, with or without findings\n"},
    {~RUNS,         "  0   done\n"                                                        },
    {ALL_COMMANDS,
     "  2   wrong usage, or a file that an option names cannot be used; nothing was\n"
     "      written\n"                                                                    },
    {REPORT,
     "  3   finished, but some evidence was damaged, unreadable or locked, or held no\n"
     "      Sysmon record at all; problems.csv names each place\n"                        },
    {SCAN,
     "  3   finished, but some evidence was damaged, unreadable or locked, or held no\n"
     "      Sysmon record at all; standard error names each place\n"                      },
    {RECORDS,
     "  3   finished, but some evidence was damaged, unreadable or locked, or held no\n"
     "      event log; standard error names each place\n"                                 },
    {ALL_COMMANDS,  "  4   could not finish; nothing half-written stays behind\n"         },
    {REPORT | SCAN,
     "  10  with --fail-on: there is a finding of that level or above\n"                  },
};

static void add_exit_statuses(struct buffer *out, unsigned command)
{
    buffer_add_string(out, "Exit status:\n");
    for (size_t i = 0; i < sizeof exit_statuses / sizeof *exit_statuses; i++)
        if (exit_statuses[i].commands & command)
            buffer_add_string(out, exit_statuses[i].words);
}

static const struct command_row *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* The help text, filled to 79 columns behind a margin. */
static void add_filled(struct buffer *out, const char *text, size_t margin)
{
    size_t column = margin;
    for (size_t word; *text; text += word + (text[word] == ' ')) {
        word = strcspn(text, " ");
        if (column > margin && column + 1 + word > 79) {
            buffer_printf(out, "\n%*s", (int)margin, "");
            column = margin;
        } else if (column > margin) {
            buffer_add_char(out, ' ');
            column++;
        }
        buffer_add(out, text, word);
        column += word;
    }
    buffer_add_char(out, '\n');
}

static void add_option_help(struct buffer *out, const struct option_row *row)
{
    enum { MARGIN = 28 };
    size_t before = out->len;
    if (row->letter)
        buffer_printf(out, "  -%c, ", row->letter);
    else
        buffer_add_string(out, "      ");
    buffer_printf(out, "--%s%s%s", row->name, row->argument ? "=" : "",
                  row->argument ? row->argument : "");
    size_t width = out->len - before;
    buffer_printf(out, "%*s", width < MARGIN ? (int)(MARGIN - width) : 2, "");
    add_filled(out, row->help, MARGIN);
}

static void add_command_help(struct buffer *out, const struct command_row *command)
{
    buffer_printf(out, "Usage: %s\n\n%s\n\nOptions:\n", command->usage, command->help);
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].commands & 1u << command->command)
            add_option_help(out, &rows[i]);
    buffer_add_string(out, "      --help                show this help\n");
    buffer_add_char(out, '\n');
    add_exit_statuses(out, 1u << command->command);
}

bool options_help(const char *topic, struct buffer *out)
{
    const struct command_row *command = topic ? find_command(topic) : NULL;
    if (topic && !command)
        return false;
    if (command) {
        add_command_help(out, command);
        return true;
    }
    buffer_add_string(
        out,
        "Forebear reads Sysmon event logs out of disk images, rebuilds process lineage "
        "and\n"
        "reports where msra.exe may have been a host for injected code.\n\nUsage:\n");
    for (size_t i = 0; i < COMMANDS; i++)
        buffer_printf(out, "  %s\n", commands[i].usage);
    buffer_add_string(out, "  forebear COMMAND --help\n  forebear --version\n\n");
    add_exit_statuses(out, REPORT);
    return true;
}

static const struct option_row *row_of(int value)
{
    for (size_t i = 0; i < ROWS; i++)
        if (value == (int)(LONG_ONLY + i) ||
            (rows[i].letter && value == rows[i].letter))
            return &rows[i];
    return NULL;
}

static enum status take_value(struct options *o, const struct option_row *row,
                              const char *value, struct error *err)
{
    void *into = (char *)o + row->offset;
    switch (row->kind) {
    case SWITCH: *(bool *)into = true; return OK;
    case STRING: *(const char **)into = value; return OK;
    case TEXT_VALUE: *(struct text *)into = text_from(value); return OK;
    case PARSED: return row->parse(o, value, err);
    }
    return OK;
}

/* getopt's own tables, made of ours, for one command. */
static void make_getopt_tables(const struct command_row *command,
                               char letters[2 * ROWS + 3],
                               struct option longs[ROWS + 2])
{
    size_t n = 0, l = 0;
    letters[l++] = ':'; /* a missing argument is told apart */
    for (size_t i = 0; i < ROWS; i++) {
        if (!(rows[i].commands & 1u << command->command))
            continue;
        longs[n++] = (struct option){rows[i].name,
                                     rows[i].argument ? required_argument : no_argument,
                                     NULL, (int)(LONG_ONLY + i)};
        if (rows[i].letter) {
            letters[l++] = rows[i].letter;
            if (rows[i].argument)
                letters[l++] = ':';
        }
    }
    longs[n++] = (struct option){"help", no_argument, NULL, 'h'};
    longs[n] = (struct option){NULL, 0, NULL, 0};
    letters[l] = '\0';
}

static enum command wrong(struct error *err, const char *command, const char *what,
                          const char *which)
{
    fail(err, FAILED, NOWHERE, "%s%s; forebear %s%s--help tells how", what, which,
         command ? command : "", command ? " " : "");
    return COMMAND_WRONG;
}

/* getopt() tells of a letter without an option that letter, and of a switch that was given a
 * value the switch; of any other word nothing. */
static enum command wrong_option(struct error *err, const char *command,
                                 const char *word)
{
    const char letter[] = {'-', (char)optopt, '\0'};
    if (optopt >= LONG_ONLY)
        return wrong(err, command, "this option takes no value: ", word);
    return wrong(err, command, "there is no such option: ", optopt ? letter : word);
}

static enum command parse_command(struct options *o, const struct command_row *command,
                                  int argc, char **argv, struct error *err)
{
    char letters[2 * ROWS + 3];
    struct option longs[ROWS + 2];
    make_getopt_tables(command, letters, longs);
    optind = 1;
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, letters, longs, NULL)) != -1;) {
        const char *word = argv[optind - 1];
        if (got == 'h')
            return COMMAND_HELP;
        if (got == ':')
            return wrong(err, command->name, "this option needs a value: ", word);
        const struct option_row *row = got == '?' ? NULL : row_of(got);
        if (!row)
            return wrong_option(err, command->name, word);
        if (take_value(o, row, optarg, err) != OK)
            return COMMAND_WRONG;
    }
    o->evidence = memory_get((size_t)(argc - optind + 1) * sizeof *o->evidence);
    for (int i = optind; i < argc; i++)
        o->evidence[o->evidence_count++] = argv[i];
    return command->command;
}

/* Is all that is named there? */
static bool check_evidence(struct options *o, const char *command, struct error *err)
{
    if (o->evidence_count == 0) {
        wrong(err, command, "no EVIDENCE is named", "");
        return false;
    }
    for (size_t i = 0; i < o->evidence_count; i++)
        if (access(o->evidence[i], F_OK) != 0) {
            struct place place = NOWHERE;
            place.evidence = text_from(o->evidence[i]);
            fail(err, FAILED, place, "there is no such file or folder");
            return false;
        }
    return true;
}

/* What ends before it begins holds nothing, whatever the evidence. */
static bool check_times(const struct options *o, const char *command, struct error *err)
{
    const struct selection *s = &o->selection;
    bool good =
        s->after == FILETIME_NONE || s->before == FILETIME_NONE || s->after < s->before;
    if (!good)
        wrong(err, command, "--before is not later than --after", "");
    return good;
}

/* Of commands that read no evidence. */
static enum command check_no_argument(const struct options *o, enum command command,
                                      const char *name, struct error *err)
{
    return o->evidence_count
               ? wrong(err, name, "there is no such argument: ", o->evidence[0])
               : command;
}

static enum command check_records(struct options *o, struct error *err)
{
    if (o->reader != EVTX_READER_NATIVE && (o->format != FORMAT_CSV || o->recovered))
        return wrong(err, "records",
                     "libevtx gives the fields of live records alone: --reader=libevtx "
                     "goes with --format=csv, without --recovered",
                     "");
    return check_times(o, "records", err) && check_evidence(o, "records", err)
               ? COMMAND_RECORDS
               : COMMAND_WRONG;
}

static enum command check_scan(struct options *o, struct error *err)
{
    return check_times(o, "scan", err) && check_evidence(o, "scan", err)
               ? COMMAND_SCAN
               : COMMAND_WRONG;
}

static enum command check_show(struct options *o, struct error *err)
{
    if (o->record_id == NO_RECORD && o->record_offset == NO_OFFSET)
        return wrong(err, "show", "either --record N or --offset N is needed", "");
    if (o->record_id != NO_RECORD && o->record_offset != NO_OFFSET)
        return wrong(err, "show", "--record and --offset do not go together", "");
    return check_evidence(o, "show", err) ? COMMAND_SHOW : COMMAND_WRONG;
}

/* The run opens the zone again, into its own memory. */
static bool check_timezone(const struct options *o, struct error *err)
{
    struct arena arena = {0};
    struct zone zone;
    bool good = !o->timezone ||
                zone_open(&zone, text_from(o->timezone), NULL, &arena, err) == OK;
    arena_release(&arena);
    return good;
}

static enum command check_self_test(const struct options *o, struct error *err)
{
    return journal_check_clock(err) == OK
               ? check_no_argument(o, COMMAND_SELF_TEST, "self-test", err)
               : COMMAND_WRONG;
}

/* The file of a report that would take the place of EVIDENCE, or NULL. */
static const char *evidence_in_the_way(const struct options *o)
{
    const char *name;
    for (size_t i = 0; (name = report_file_name(i)); i++) {
        struct buffer path = {0};
        buffer_printf(&path, "%s/%s", o->output, name);
        bool is_evidence = evidence_is_path(o->evidence, o->evidence_count, path.ptr);
        buffer_release(&path);
        if (is_evidence)
            return name;
    }
    return NULL;
}

/* What it leaves out cannot be asked for besides. */
static bool check_findings_only(const struct options *o, struct error *err)
{
    const char *what = o->timeline != TIMELINE_FINDINGS || o->window_100ns
                           ? "--timeline and --window do not go with it"
                       : o->verify == VERIFY_TIMELINE
                           ? "--verify=timeline does not go with it"
                           : NULL;
    if (what)
        wrong(err, "report", "--findings-only writes no timeline.csv: ", what);
    return !what;
}

static enum command check_report(struct options *o, struct error *err)
{
    if (!o->output && o->evidence_count)
        return wrong(err, "report", "-o DIR is missing", "");
    if (o->findings_only && !check_findings_only(o, err))
        return COMMAND_WRONG;
    if (!check_times(o, "report", err) || !check_evidence(o, "report", err))
        return COMMAND_WRONG;
    if (!check_timezone(o, err) || journal_check_clock(err) != OK)
        return COMMAND_WRONG;
    if (o->findings_only)
        o->formats &= ~(unsigned)REPORT_HTML;
    if (evidence_contains_path(o->evidence, o->evidence_count, o->output))
        return wrong(
            err, "report",
            "the output folder lies inside EVIDENCE, which is never written to: ",
            o->output);
    const char *in_the_way = evidence_in_the_way(o);
    return in_the_way
               ? wrong(err, "report",
                       "EVIDENCE lies in the output folder, where the report has a "
                       "file of its name: ",
                       in_the_way)
               : COMMAND_REPORT;
}

enum command options_parse(struct options *options, int argc, char **argv,
                           const char **topic, struct error *err)
{
    *topic = NULL;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    *options = (struct options){.digest_kinds = DIGEST_BIT(DIGEST_SHA256),
                                .reader = EVTX_READER_NATIVE,
                                .verify = VERIFY_FINDINGS,
                                .formats = REPORT_CSV | REPORT_HTML,
                                .language = "en",
                                .record_id = NO_RECORD,
                                .record_offset = NO_OFFSET,
                                .jobs = processors < 1          ? 1
                                        : processors > MAX_JOBS ? MAX_JOBS
                                                                : (unsigned)processors};
    selection_init(&options->selection);
    if (argc < 2)
        return wrong(err, NULL, "no command is named", "");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        if (argc > 2 && find_command(argv[2]))
            *topic = argv[2];
        return COMMAND_HELP;
    }
    if (strcmp(argv[1], "--version") == 0)
        return COMMAND_VERSION;
    const struct command_row *row = find_command(argv[1]);
    if (!row)
        return wrong(err, NULL, "there is no such command: ", argv[1]);
    *topic = row->name;
    if (row->command == COMMAND_RECORDS || row->command == COMMAND_SHOW)
        options->reader = EVTX_READER_NATIVE;
    if (row->command == COMMAND_SCAN)
        options->format = FORMAT_CSV;
    enum command command = parse_command(options, row, argc - 1, argv + 1, err);
    switch (command) {
    case COMMAND_REPORT: return check_report(options, err);
    case COMMAND_SCAN: return check_scan(options, err);
    case COMMAND_RECORDS: return check_records(options, err);
    case COMMAND_SHOW: return check_show(options, err);
    case COMMAND_SELF_TEST: return check_self_test(options, err);
    case COMMAND_RULES:
    case COMMAND_WORDS: return check_no_argument(options, command, row->name, err);
    default: return command;
    }
}

void options_release(struct options *options)
{
    selection_release(&options->selection);
    free(options->evidence);
}
