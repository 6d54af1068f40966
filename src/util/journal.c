/* SPDX-License-Identifier: Apache-2.0 */
#include "util/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "util/filetime.h"
#include "util/utf.h"

/* Up to the year 4147. */
static bool fixed_clock(const char *epoch, uint64_t *seconds)
{
    return epoch && text_to_u64(text_from(epoch), seconds) &&
           *seconds < UINT64_C(1) << 36;
}

enum status journal_check_clock(struct error *err)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    uint64_t seconds;
    if (!epoch || fixed_clock(epoch, &seconds))
        return OK;
    return fail(err, FAILED, NOWHERE,
                "SOURCE_DATE_EPOCH=%s: must be a number of seconds since 1970, or not "
                "be set",
                epoch);
}

void journal_init(struct journal *j, bool quiet)
{
    *j = (struct journal){.quiet = quiet, .log.fd = -1};
    uint64_t seconds;
    if (fixed_clock(getenv("SOURCE_DATE_EPOCH"), &seconds)) {
        j->clock_fixed = true;
        j->fixed_filetime = filetime_from_unix((int64_t)seconds, 0);
    }
}

uint64_t journal_now_filetime(const struct journal *j)
{
    struct timespec now;
    if (j->clock_fixed)
        return j->fixed_filetime;
    clock_gettime(CLOCK_REALTIME, &now);
    return filetime_from_unix(now.tv_sec, (uint32_t)now.tv_nsec);
}

enum status journal_open(struct journal *j, struct output_dir *dir, struct error *err)
{
    enum status status = output_open(&j->log, dir, "run.log", err);
    if (status != OK)
        return status;
    j->log_open = true;
    output_add_text(&j->log, buffer_text(&j->early));
    buffer_release(&j->early);
    return OK;
}

static void add_log_line(struct journal *j, enum journal_level level, struct text line)
{
    static const char *const names[] = {"action", "note", "warning", "error"};
    char time[FILETIME_TEXT_MAX];
    filetime_format(time, journal_now_filetime(j), FILETIME_REPORT);
    if (j->log_open)
        output_printf(&j->log, "%s %s: %.*s\n", time, names[level], TEXT(line));
    else if (!j->log.name)
        buffer_printf(&j->early, "%s %s: %.*s\n", time, names[level], TEXT(line));
}

static void show(struct journal *j, enum journal_level level, struct text line)
{
    static const char *const prefix[] = {"", "", "warning: ", "error: "};
    if (level == JOURNAL_ACTION || (level == JOURNAL_NOTE && j->quiet))
        return;
    if (j->progress_shown)
        fputs("\r\033[K", stderr);
    j->progress_shown = false;
    fprintf(stderr, "forebear: %s%.*s\n", prefix[level], TEXT(line));
}

void journal_say(struct journal *j, enum journal_level level, const char *format, ...)
{
    struct buffer raw = {0}, shown = {0};
    va_list args;
    va_start(args, format);
    buffer_vprintf(&raw, format, args);
    va_end(args);
    utf_add_visible(&shown, buffer_text(&raw));
    add_log_line(j, level, buffer_text(&shown));
    show(j, level, buffer_text(&shown));
    buffer_release(&raw);
    buffer_release(&shown);
}

void journal_say_error(struct journal *j, enum journal_level level,
                       const struct error *err)
{
    struct buffer line = {0};
    error_describe(err, &line);
    add_log_line(j, level, buffer_text(&line));
    show(j, level, buffer_text(&line));
    buffer_release(&line);
}

void journal_say_problem(struct journal *j, enum journal_level level,
                         const struct place *place, const char *code,
                         struct text message)
{
    struct buffer line = {0};
    struct error nothing = {.place = *place};
    error_describe(&nothing, &line);
    buffer_printf(&line, "%s: ", code);
    utf_add_visible(&line, message);
    add_log_line(j, level, buffer_text(&line));
    if (level >= JOURNAL_WARNING || !j->quiet) {
        if (j->problems_shown < JOURNAL_PROBLEMS_SHOWN)
            show(j, level, buffer_text(&line));
        else if (j->problems_shown == JOURNAL_PROBLEMS_SHOWN)
            show(j, JOURNAL_WARNING,
                 TEXT_LITERAL("there are more problems; run.log and problems.csv name "
                              "each"));
        j->problems_shown++;
    }
    buffer_release(&line);
}

enum status journal_close(struct journal *j, struct error *err)
{
    if (!j->log_open)
        return OK;
    j->log_open = false;
    return output_finish(&j->log, err);
}

void journal_abandon(struct journal *j)
{
    if (j->log_open)
        output_abandon(&j->log);
    j->log_open = false;
    buffer_release(&j->early);
}
