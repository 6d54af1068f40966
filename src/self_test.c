/* SPDX-License-Identifier: Apache-2.0 */
#include "self_test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emit.h"
#include "evidence/tsk_library.h"
#include "run.h"
#include "util/memory.h"
#include "util/stop.h"
#include "validate/cases.h"
#include "validate/evtx_writer.h"
#include "validate/table.h"
#include "versions.h"

/* What the report on one scenario holds. */
struct outcome {
    struct text scenario;
    enum status status; /* FAILED: there is no report; why says so */
    struct text why;
    struct text_list codes[STATEMENT_KINDS]; /* each once */
    uint64_t records, equal;                 /* read again by the other reader */
};

struct self_test {
    const struct options *options;
    struct arena arena;
    struct buffer out;
    char *folder;
    struct rules rules;
    struct validation validation;
    struct truth_table truth;
    struct outcome *outcomes; /* by scenario */
    size_t outcome_count, outcome_capacity;
    uint64_t held, not_held;
};

/* Where the codes of each kind stand. */
static const struct code_column {
    enum validation_kind kind;
    const char *file, *column;
    const char *strength; /* a column: what is neutral there is not raised */
} code_columns[] = {
    {STATEMENT_RULE,          "findings.csv",      "rule_source", NULL      },
    {STATEMENT_INDICATOR,     "findings.csv",      "code",        NULL      },
    {STATEMENT_CORROBORATION, "corroboration.csv", "code",        "strength"},
    {STATEMENT_ANOMALY,       "problems.csv",      "code",        NULL      },
};

enum { CODE_COLUMNS = sizeof code_columns / sizeof *code_columns };

/* --- files */

static char *path_of(const struct self_test *t, struct text scenario, const char *name)
{
    return (char *)arena_printf((struct arena *)&t->arena, "%s/%.*s%s", t->folder,
                                TEXT(scenario), name)
        .ptr;
}

static int remove_entry(const char *path, const struct stat *info, int type,
                        struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

enum { OPEN_FOLDERS = 16 };

static void remove_folder(const char *path)
{
    nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

static enum status open_folder(struct self_test *t, struct error *err)
{
    const char *parent = getenv("TMPDIR"), *keep = t->options->keep;
    if (keep) {
        t->folder = (char *)keep;
        if (mkdir(keep, 0777) == 0)
            return OK;
        return fail(err, FAILED, NOWHERE, "%s: cannot be made: %s", keep,
                    strerror(errno));
    }
    struct text pattern = arena_printf(&t->arena, "%s/forebear-self-test.XXXXXX",
                                       parent && *parent ? parent : "/tmp");
    t->folder = mkdtemp((char *)pattern.ptr);
    if (t->folder)
        return OK;
    return fail(err, FAILED, NOWHERE, "no folder for the self-test could be made: %s",
                strerror(errno));
}

static enum status write_file(const char *path, const struct buffer *content,
                              struct error *err)
{
    FILE *file = fopen(path, "wbx");
    bool good = file && fwrite(content->ptr, 1, content->len, file) == content->len;
    good = file && fclose(file) == 0 && good;
    return good ? OK : fail(err, FAILED, NOWHERE, "%s: cannot be written", path);
}

static enum status write_log(const struct scenario *scenario, struct text log,
                             const char *folder, struct arena *arena, struct error *err)
{
    struct buffer content = {0};
    struct text path = arena_printf(arena, "%s/%.*s", folder, TEXT(log));
    enum status status = evtx_write_log(scenario, log, 0, &content, err);
    if (status == OK)
        status = write_file(path.ptr, &content, err);
    buffer_release(&content);
    return status;
}

/* The logs of a scenario in a folder of their own. */
static enum status write_logs(struct self_test *t, struct text name, struct text story,
                              struct error *err)
{
    struct scenario scenario;
    char *folder = path_of(t, name, "");
    if (mkdir(folder, 0777) != 0)
        return fail(err, FAILED, NOWHERE, "%s: cannot be made: %s", folder,
                    strerror(errno));
    char *logs = path_of(t, name, "/logs");
    if (mkdir(logs, 0777) != 0)
        return fail(err, FAILED, NOWHERE, "%s: cannot be made: %s", logs,
                    strerror(errno));
    enum status status = scenario_parse(&scenario, name.ptr, story, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < scenario.count && status == OK; i++)
        if (evtx_writer_is_first_of_log(&scenario, i))
            status = write_log(&scenario, scenario.events[i].log, logs, &t->arena, err);
    scenario_release(&scenario);
    return status;
}

/* --- the report on a scenario, by a process of its own: what would end it ends no more */

static int report_as_child(char **argv, int argc, const char *output)
{
    struct options options;
    struct error err = {0};
    const char *topic;
    int fd = open(output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0 ||
        options_parse(&options, argc, argv, &topic, &err) != COMMAND_REPORT)
        return EXIT_USAGE;
    int status = run_report(&options, argc, argv);
    options_release(&options);
    return status;
}

static enum status report_on(struct self_test *t, struct text name, struct error *err)
{
    const char *reader = t->options->reader == EVTX_READER_LIBEVTX ? "--reader=libevtx"
                                                                   : "--reader=native";
    char *argv[] = {"forebear",
                    "report",
                    "--quiet",
                    (char *)reader,
                    "-o",
                    path_of(t, name, "/report"),
                    path_of(t, name, "/logs"),
                    NULL};
    int argc = (int)(sizeof argv / sizeof *argv) - 1, how = 0;
    char *output = path_of(t, name, "/output.txt");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(report_as_child(argv, argc, output));
    if (child < 0)
        return fail(err, FAILED, NOWHERE, "no process could be started: %s",
                    strerror(errno));
    while (waitpid(child, &how, 0) < 0 && errno == EINTR)
        if (stop_requested())
            kill(child, SIGTERM);
    if (WIFSIGNALED(how))
        return fail(err, FAILED, NOWHERE, "the report was ended by signal %d",
                    WTERMSIG(how));
    int status = WEXITSTATUS(how);
    if (status != EXIT_DONE && status != EXIT_INCOMPLETE)
        return fail(err, FAILED, NOWHERE, "the report ended with %d", status);
    return OK;
}

/* --- what came out */

static bool has_code(const struct text_list *codes, struct text code)
{
    for (size_t i = 0; i < codes->count; i++)
        if (text_equal(codes->items[i], code))
            return true;
    return false;
}

static void add_codes(struct self_test *t, struct text_list *codes,
                      const struct table *table, const struct code_column *where)
{
    codes->items = arena_alloc(&t->arena, (table->rows + 1) * sizeof *codes->items);
    for (size_t i = 0; i < table->rows; i++) {
        struct text code = table_cell(table, i, where->column);
        bool is_neutral =
            where->strength && text_equal(table_cell(table, i, where->strength),
                                          text_from(strength_name(STRENGTH_NEUTRAL)));
        if (!text_is_empty(code) && !is_neutral && !has_code(codes, code))
            codes->items[codes->count++] = arena_copy(&t->arena, code);
    }
}

static void count_verified(struct outcome *o, const struct table *findings)
{
    for (size_t i = 0; i < findings->rows; i++) {
        o->records++;
        o->equal +=
            text_equal(table_cell(findings, i, "verified"), TEXT_LITERAL("yes"));
    }
}

static enum status read_outcome(struct self_test *t, struct outcome *o,
                                struct error *err)
{
    struct text folder = arena_printf(&t->arena, "%.*s/report/", TEXT(o->scenario));
    for (size_t i = 0; i < CODE_COLUMNS; i++) {
        struct table table;
        if (table_read(&table, path_of(t, folder, code_columns[i].file), err) != OK)
            return FAILED;
        add_codes(t, &o->codes[code_columns[i].kind], &table, &code_columns[i]);
        if (code_columns[i].kind == STATEMENT_RULE)
            count_verified(o, &table);
        table_release(&table);
    }
    return OK;
}

static struct outcome run_scenario(struct self_test *t, struct text name,
                                   struct text story)
{
    struct error err = {0};
    struct outcome o = {.scenario = name};
    o.status = write_logs(t, name, story, &err);
    if (o.status == OK)
        o.status = report_on(t, name, &err);
    if (o.status == OK)
        o.status = read_outcome(t, &o, &err);
    o.why = o.status == OK ? NO_TEXT : arena_printf(&t->arena, "%s", err.what);
    return o;
}

static const struct outcome *outcome_of(struct self_test *t, struct text name)
{
    for (size_t i = 0; i < t->outcome_count; i++)
        if (text_equal(t->outcomes[i].scenario, name))
            return &t->outcomes[i];
    struct outcome o = run_scenario(t, name, validation_scenario(name));
    ARRAY_GROW(t->outcomes, t->outcome_count, t->outcome_capacity);
    t->outcomes[t->outcome_count] = o;
    return &t->outcomes[t->outcome_count++];
}

/* --- judging and printing */

static void judge(struct self_test *t, bool holds)
{
    t->held += holds;
    t->not_held += !holds;
}

/* "name: yes, name: NO" */
static void judge_scenarios(struct self_test *t, const struct validation_statement *s,
                            const struct text_list *names, bool wanted)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct outcome *o = outcome_of(t, names->items[i]);
        bool holds = o->status == OK && has_code(&o->codes[s->kind], s->code) == wanted;
        judge(t, holds);
        buffer_printf(&t->out, "%s%.*s: %s", i ? "; " : "", TEXT(o->scenario),
                      holds ? "held" : "NOT HELD");
        if (o->status != OK)
            buffer_printf(&t->out, " (%.*s)", TEXT(o->why));
    }
}

static void judge_statement(struct self_test *t, const struct validation_statement *s)
{
    buffer_printf(&t->out, "| %s | `%.*s` | ", validation_kind_name(s->kind),
                  TEXT(s->code));
    judge_scenarios(t, s, &s->raised_by, true);
    buffer_add_string(&t->out, " | ");
    judge_scenarios(t, s, &s->not_raised_by, false);
    buffer_add_string(&t->out, " |\n");
}

static void judge_statements(struct self_test *t)
{
    buffer_add_string(
        &t->out, "\n## Statements\n\nEach scenario is made anew as real log files, "
                 "and a report is written on them.\n\n"
                 "| kind | code | raised by, as it must be | not raised by, as it "
                 "must not be |\n|---|---|---|---|\n");
    for (size_t i = 0; i < t->validation.count && !stop_requested(); i++)
        judge_statement(t, &t->validation.items[i]);
}

static bool is_stated(const struct self_test *t, enum validation_kind kind,
                      struct text code)
{
    for (size_t i = 0; i < t->validation.count; i++)
        if (t->validation.items[i].kind == kind &&
            text_equal(t->validation.items[i].code, code))
            return true;
    return false;
}

static void require(struct self_test *t, enum validation_kind kind, struct text code)
{
    if (is_stated(t, kind, code))
        return;
    judge(t, false);
    buffer_printf(&t->out, "\nNOT HELD: no statement speaks of the %s `%.*s`.\n",
                  validation_kind_name(kind), TEXT(code));
}

/* A rule, indicator or anomaly that nothing speaks of would be tested by nothing. */
static void judge_completeness(struct self_test *t)
{
    for (size_t i = 0; i < t->rules.count; i++) {
        const struct rule *rule = &t->rules.items[i];
        if (text_is_empty(rule->code))
            require(t, STATEMENT_RULE, rule->source);
        else
            require(t, STATEMENT_INDICATOR, rule->code);
    }
    struct text code;
    for (size_t i = 0; !text_is_absent(code = rules_corroboration_code(&t->rules, i));
         i++)
        require(t, STATEMENT_CORROBORATION, code);
    for (size_t i = 0; i < PROBLEM_CODES; i++)
        if (problem_kinds[i].class == ANOMALY)
            require(t, STATEMENT_ANOMALY, text_from(problem_kinds[i].code));
}

static bool fired(const struct table *findings, uint64_t pid, struct text rule)
{
    for (size_t i = 0; i < findings->rows; i++) {
        uint64_t found;
        if (text_to_u64(table_cell(findings, i, "process_id"), &found) &&
            found == pid && text_equal(table_cell(findings, i, "rule_source"), rule))
            return true;
    }
    return false;
}

static void judge_verdicts(struct self_test *t, const struct table *findings)
{
    uint64_t held[TRUTH_RULES] = {0};
    for (size_t i = 0; i < t->truth.count; i++) {
        const struct truth_row *row = &t->truth.rows[i];
        for (size_t r = 0; r < TRUTH_RULES; r++) {
            bool holds = fired(findings, TRUTH_FIRST_PID + i, t->truth.rules[r]) ==
                         row->fires[r];
            judge(t, holds);
            held[r] += holds;
            if (!holds)
                buffer_printf(&t->out, "NOT HELD: row %.*s, %.*s\n\n",
                              TEXT(row->number), TEXT(t->truth.rules[r]));
        }
    }
    buffer_add_string(&t->out,
                      "| rule | rows | verdicts as they must be |\n|---|---|---|\n");
    for (size_t r = 0; r < TRUTH_RULES; r++)
        buffer_printf(&t->out, "| %.*s | %zu | %" PRIu64 " |\n",
                      TEXT(t->truth.rules[r]), t->truth.count, held[r]);
}

static void judge_truth(struct self_test *t)
{
    struct text name = TEXT_LITERAL("truth-table");
    struct buffer story = {0};
    struct table findings;
    struct error err = {0};
    buffer_add_string(&t->out, "\n## Truth table\n\nThe verdict of each public rule on "
                               "constructed process creations.\n\n");
    truth_add_scenario(&t->truth, &story);
    struct outcome o = run_scenario(t, name, buffer_text(&story));
    buffer_release(&story);
    if (o.status == OK &&
        table_read(&findings, path_of(t, name, "/report/findings.csv"), &err) == OK) {
        judge_verdicts(t, &findings);
        table_release(&findings);
        return;
    }
    judge(t, false);
    buffer_printf(&t->out, "NOT HELD: %.*s%s\n", TEXT(o.why), err.what);
}

static void judge_readers(struct self_test *t)
{
    uint64_t records = 0, equal = 0;
    for (size_t i = 0; i < t->outcome_count; i++) {
        records += t->outcomes[i].records;
        equal += t->outcomes[i].equal;
    }
    judge(t, records > 0 && records == equal);
    buffer_printf(&t->out,
                  "\n## Two readers\n\nRows of findings whose record the other reader "
                  "decoded to the same values: %" PRIu64 " of %" PRIu64 ".\n",
                  equal, records);
}

/* --- the record's head */

static enum status add_file_digest(struct buffer *out, const char *path,
                                   struct error *err)
{
    char part[65536], hex[DIGEST_HEX_MAX];
    struct digester digester;
    struct digest_values values;
    size_t n;
    FILE *file = fopen(path, "rb");
    if (!file)
        return fail(err, FAILED, NOWHERE, "%s: %s", path, strerror(errno));
    digester_init(&digester, DIGEST_BIT(DIGEST_SHA256));
    while ((n = fread(part, 1, sizeof part, file)) > 0)
        digester_add(&digester, part, n);
    digester_finish(&digester, &values);
    fclose(file);
    buffer_add_text(out, digest_hex(hex, &values, DIGEST_SHA256));
    return OK;
}

static void add_head(struct self_test *t)
{
    char hex[DIGEST_HEX_MAX], time[FILETIME_TEXT_MAX];
    struct buffer *out = &t->out;
    struct journal clock;
    journal_init(&clock, true);
    buffer_printf(out, "# Validation record\n\n- Program: %s, SHA-256 ",
                  versions_program());
    if (add_file_digest(out, "/proc/self/exe", NULL) != OK)
        buffer_add_string(out, "not known");
    buffer_printf(out, "\n- Rules: %zu, SHA-256 over their files %.*s\n",
                  t->rules.count,
                  TEXT(digest_hex(hex, &t->rules.digests, DIGEST_SHA256)));
    buffer_printf(out, "- Platform: %.*s\n", TEXT(versions_platform(&t->arena)));
    tsk_library_load(NULL); /* else the record says that it is not loaded */
    struct text_list libraries = versions_libraries(&t->arena);
    buffer_add_string(out, "- Libraries: ");
    for (size_t i = 0; i < libraries.count; i++)
        buffer_printf(out, "%s%.*s", i ? ", " : "", TEXT(libraries.items[i]));
    buffer_printf(
        out, "\n- Reader: %s\n- Run: %.*s%s\n",
        evtx_reader_kind_name(t->options->reader),
        TEXT(filetime_format(time, journal_now_filetime(&clock), FILETIME_REPORT)),
        clock.clock_fixed ? " (fixed by SOURCE_DATE_EPOCH: not the time of "
                            "the run)"
                          : "");
}

static void add_end(struct self_test *t)
{
    buffer_printf(&t->out,
                  "\n## Result\n\n%" PRIu64 " of %" PRIu64
                  " held. All scenarios are constructed; none is a field case. "
                  "No image was opened.\n",
                  t->held, t->held + t->not_held);
}

static enum status load(struct self_test *t, struct error *err)
{
    if (rules_load(&t->rules, NULL, &t->arena, err) != OK ||
        validation_load(&t->validation, &t->arena, err) != OK ||
        truth_load(&t->truth, &t->arena, err) != OK)
        return FAILED;
    return open_folder(t, err);
}

static void release(struct self_test *t)
{
    if (t->folder && !t->options->keep)
        remove_folder(t->folder);
    free(t->outcomes);
    truth_release(&t->truth);
    validation_release(&t->validation);
    rules_release(&t->rules);
    buffer_release(&t->out);
    arena_release(&t->arena);
}

int run_self_test(const struct options *options)
{
    struct self_test t = {.options = options};
    struct error err = {0};
    int status = EXIT_CANNOT;
    if (load(&t, &err) == OK) {
        add_head(&t);
        judge_statements(&t);
        judge_completeness(&t);
        judge_truth(&t);
        judge_readers(&t);
        add_end(&t);
        if (!stop_requested()) /* what was stopped has tested nothing */
            status = emit_text(buffer_text(&t.out));
    } else {
        fprintf(stderr, "forebear: %s\n", err.what);
    }
    if (t.not_held)
        status = EXIT_CANNOT;
    release(&t);
    return status;
}
