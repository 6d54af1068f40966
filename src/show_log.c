/* SPDX-License-Identifier: Apache-2.0 */
#include "show_log.h"

#include <inttypes.h>

#include "util/utf.h"

enum { CHOICES_SHOWN = 20 };

/* How a name can mean a log, the best last. */
enum match { MATCH_NONE, MATCH_END, MATCH_PATH, MATCH_WHOLE };

struct choice {
    const struct evidence_log *log; /* the first that is meant that well */
    enum match match;
    size_t count;
};

static bool is_end_of(struct text whole, struct text end)
{
    if (end.len == 0 || end.len >= whole.len)
        return false;
    size_t from = whole.len - end.len;
    return whole.ptr[from - 1] == '/' &&
           text_equal(text_slice(whole, from, end.len), end);
}

static enum match match_name(const struct evidence_log *log, struct text wanted)
{
    struct buffer whole = {0};
    evidence_log_add_name(&whole, log);
    enum match match = text_equal(buffer_text(&whole), wanted)  ? MATCH_WHOLE
                       : text_equal(log->path, wanted)          ? MATCH_PATH
                       : is_end_of(buffer_text(&whole), wanted) ? MATCH_END
                                                                : MATCH_NONE;
    buffer_release(&whole);
    return match;
}

/* "NAME#ENTRY"; a name that has a number sign of its own is looked for first. */
static bool split_entry(struct text wanted, struct text *name, uint64_t *entry)
{
    size_t at = wanted.len;
    while (at > 0 && wanted.ptr[at - 1] != '#')
        at--;
    *name = text_slice(wanted, 0, at ? at - 1 : 0);
    return at > 0 && text_to_u64(text_slice(wanted, at, SIZE_MAX), entry);
}

static void consider(struct choice *best, const struct evidence_log *log,
                     enum match match)
{
    if (match > best->match)
        *best = (struct choice){log, match, 0};
    best->count += match != MATCH_NONE && match == best->match;
}

static struct choice choose(const struct evidence *e, struct text wanted)
{
    struct choice best = {0};
    struct text name;
    uint64_t entry;
    for (size_t i = 0; i < e->log_count; i++)
        consider(&best, &e->logs[i], match_name(&e->logs[i], wanted));
    if (best.count || !split_entry(wanted, &name, &entry))
        return best;
    for (size_t i = 0; i < e->log_count; i++)
        if (e->logs[i].metadata_address == entry)
            consider(&best, &e->logs[i], match_name(&e->logs[i], name));
    return best;
}

/* The shortest of a log's names that means it alone. */
static void add_own_name(struct buffer *out, const struct evidence *e,
                         const struct evidence_log *log)
{
    struct choice choice = choose(e, log->path);
    buffer_add_text(out, log->path);
    if (choice.count == 1 && choice.log == log)
        return;
    buffer_clear(out);
    evidence_log_add_name(out, log);
    if (choose(e, buffer_text(out)).count > 1)
        buffer_printf(out, "#%" PRIu64, log->metadata_address);
}

static void add_choices(struct buffer *out, const struct evidence *e,
                        const char *wanted, enum match match)
{
    size_t shown = 0, more = 0;
    struct buffer name = {0}, option = {0};
    for (size_t i = 0; i < e->log_count; i++) {
        const struct evidence_log *log = &e->logs[i];
        if (match != MATCH_NONE && match_name(log, text_from(wanted)) != match)
            continue;
        if (shown++ >= CHOICES_SHOWN) {
            more++;
            continue;
        }
        buffer_clear(&name);
        buffer_clear(&option);
        add_own_name(&name, e, log);
        buffer_add_shell_word(&option, buffer_text(&name));
        buffer_add_string(out, "  --log=");
        utf_add_visible(out, buffer_text(&option));
        buffer_printf(out, "%s\n", log->is_deleted ? " (deleted file)" : "");
    }
    if (more)
        buffer_printf(out, "  and %zu more\n", more);
    buffer_release(&name);
    buffer_release(&option);
}

/* As choose() counted them. */
static size_t list_meant(const struct evidence *e, struct text wanted,
                         const struct choice *choice, const struct evidence_log **logs)
{
    size_t count = 0;
    for (size_t i = 0; i < e->log_count; i++)
        if (match_name(&e->logs[i], wanted) == choice->match)
            logs[count++] = &e->logs[i];
    if (count == 0)
        logs[count++] = choice->log;
    return count;
}

size_t show_log_choose(const struct evidence *evidence, const char *wanted,
                       const struct evidence_log **logs, struct buffer *choices,
                       struct error *err)
{
    struct choice choice = {0};
    size_t count = 0;
    if (wanted)
        choice = choose(evidence, text_from(wanted));
    else if (evidence->log_count == 1)
        choice = (struct choice){&evidence->logs[0], MATCH_WHOLE, 1};
    if (choice.count)
        count = wanted ? list_meant(evidence, text_from(wanted), &choice, logs)
                       : (logs[0] = choice.log, (size_t)1);
    else if (evidence->log_count == 0)
        fail(err, FAILED, NOWHERE, "no event log was found");
    else
        fail(err, FAILED, NOWHERE, "%s; each of these options picks one:",
             wanted ? "there is no such log" : "there are several logs");
    if (count != 1)
        add_choices(choices, evidence, wanted, choice.match);
    return count;
}
