/* SPDX-License-Identifier: Apache-2.0
 * main.c - the commands and their exit statuses. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "emit.h"
#include "evidence/tsk_library.h"
#include "options.h"
#include "records.h"
#include "run.h"
#include "scan.h"
#include "self_test.h"
#include "show.h"
#include "util/memory.h"
#include "util/stop.h"
#include "versions.h"

static void say_error(const struct error *err)
{
    struct buffer line = {0};
    error_describe(err, &line);
    fprintf(stderr, "forebear: %.*s\n", TEXT(buffer_text(&line)));
    buffer_release(&line);
}

static int print(struct buffer *text)
{
    int status = emit_text(buffer_text(text));
    buffer_release(text);
    return status;
}

static int show_version(void)
{
    struct arena arena = {0};
    struct buffer out = {0};
    struct error err = {0};
    if (tsk_library_load(&err) != OK)
        say_error(&err);
    struct text_list libraries = versions_libraries(&arena);
    buffer_printf(&out, "%s\n", versions_program());
    for (size_t i = 0; i < libraries.count; i++)
        buffer_printf(&out, "%.*s\n", TEXT(libraries.items[i]));
    arena_release(&arena);
    return print(&out);
}

static int show_help(const char *topic)
{
    struct buffer out = {0};
    options_help(topic, &out);
    return print(&out);
}

static int list_rules(const struct options *options)
{
    struct arena arena = {0};
    struct rules rules = {0};
    struct error err = {0};
    struct buffer out = {0};
    char hex[DIGEST_HEX_MAX];
    if (rules_load_extended(&rules, options->rules, options->shells, &arena, &err) !=
        OK) {
        say_error(&err);
        arena_release(&arena);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < rules.count; i++) {
        const struct rule *rule = &rules.items[i];
        struct text changed =
            text_is_empty(rule->modified) ? rule->date : rule->modified;
        buffer_printf(&out, "%.*s  %.*s  %s  %.*s\n  %.*s\n  %.*s  sha256 %s\n",
                      TEXT(rule->source), TEXT(rule->id), rule_level_name(rule->level),
                      TEXT(changed), TEXT(rule->title), TEXT(rule->file),
                      digest_hex(hex, &rule->digests, DIGEST_SHA256).ptr);
        for (size_t x = 0; x < rule->extensions.count; x++)
            buffer_printf(&out, "  %.*s\n", TEXT(rule->extensions.items[x]));
    }
    rules_release(&rules);
    arena_release(&arena);
    return print(&out);
}

static int list_words(const struct options *options)
{
    struct buffer out = {0};
    struct error err = {0};
    size_t missing = 0;
    if (report_list_words(options->templates, options->language, &out, &missing,
                          &err) != OK) {
        say_error(&err);
        return EXIT_USAGE;
    }
    if (missing && strcmp(options->language, "en") != 0)
        fprintf(stderr, "forebear: %zu text%s no translation\n", missing,
                count_word(missing, " has", "s have"));
    return print(&out);
}

static int dispatch(enum command command, const struct options *options,
                    const char *topic, int argc, char **argv, const struct error *err)
{
    switch (command) {
    case COMMAND_REPORT: return run_report(options, argc, argv);
    case COMMAND_SCAN: return run_scan(options);
    case COMMAND_RECORDS: return run_records(options);
    case COMMAND_SHOW: return run_show(options);
    case COMMAND_RULES: return list_rules(options);
    case COMMAND_WORDS: return list_words(options);
    case COMMAND_SELF_TEST: return run_self_test(options);
    case COMMAND_HELP: return show_help(topic);
    case COMMAND_VERSION: return show_version();
    case COMMAND_WRONG: break;
    }
    say_error(err);
    return EXIT_USAGE;
}

/* A standard stream that the caller closed would be the next file that is opened, and what is
 * meant for the terminal would go into the report or to a reader's process. Reading from
 * one, or writing to it, fails as before. */
static void keep_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    struct options options;
    struct error err = {0};
    const char *topic;
    keep_standard_streams();
    stop_install();
    memory_set_end(EXIT_CANNOT, NULL, NULL);
    enum command command = options_parse(&options, argc, argv, &topic, &err);
    int status = dispatch(command, &options, topic, argc, argv, &err);
    options_release(&options);
    stop_die();
    return status;
}
