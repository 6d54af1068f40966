/* SPDX-License-Identifier: Apache-2.0
 * What the report says of the run itself: its command line, libraries and options. */
#include "run_internal.h"

#include "util/utf.h"
#include "versions.h"

static struct text quoted_command_line(struct arena *arena, int argc, char **argv)
{
    struct buffer raw = {0}, shown = {0};
    for (int i = 0; i < argc; i++) {
        if (i)
            buffer_add_char(&raw, ' ');
        buffer_add_shell_word(&raw, text_from(i ? argv[i] : "forebear"));
    }
    utf_add_visible(&shown, buffer_text(&raw));
    struct text line = arena_copy(arena, buffer_text(&shown));
    buffer_release(&raw);
    buffer_release(&shown);
    return line;
}

void describe_run(struct run *run, int argc, char **argv)
{
    const struct options *o = run->options;
    struct run_facts *facts = &run->report.run;
    facts->version = text_from(versions_program());
    facts->command_line = quoted_command_line(&run->arena, argc, argv);
    facts->platform = versions_platform(&run->arena);
    facts->started_filetime = journal_now_filetime(&run->journal);
    facts->clock_fixed = run->journal.clock_fixed;
    facts->digest_kinds = o->digest_kinds;
    facts->rehash = o->rehash;
    facts->verify_image = o->verify_image;
    facts->findings_only = o->findings_only;
    facts->timeline = o->timeline;
    facts->window_100ns = o->window_100ns;
    facts->recovers = o->reader == EVTX_READER_NATIVE && !o->no_recovered;
    facts->jobs = o->jobs;
    facts->verify = o->verify;
    facts->schemas = o->schemas;
    facts->rules_folder = text_from(o->rules);
    facts->templates_folder = text_from(o->templates);
    facts->filter_file = text_from(o->filter);
    facts->shells_file = text_from(o->shells);
    facts->find_signature = o->find_signature;
    facts->fail_on = o->fail_on;
    facts->formats = o->formats;
    facts->language = text_from(o->language);
    run->report.case_data = o->case_data;
    journal_say(&run->journal, JOURNAL_ACTION, "%s on %.*s", versions_program(),
                TEXT(facts->platform));
    for (size_t i = 0; i < facts->libraries.count; i++)
        journal_say(&run->journal, JOURNAL_ACTION, "with %.*s",
                    TEXT(facts->libraries.items[i]));
    journal_say(&run->journal, JOURNAL_ACTION, "command: %.*s",
                TEXT(facts->command_line));
}
