/* SPDX-License-Identifier: Apache-2.0 */
#include "emit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/ascii.h"
#include "util/cell.h"
#include "util/stop.h"
#include "util/utf.h"

enum { OUTPUT_BLOCK = 1 << 20, SPAN_MIN = 1 << 13 };

void emit_init(struct emitter *e, const struct options *options)
{
    *e = (struct emitter){0};
    journal_init(&e->journal, options->quiet);
    selection_check_open(&e->check, &options->selection);
    problems_init(&e->problems, &e->arena);
}

enum status emit_open(struct emitter *e, const struct options *o, struct error *err)
{
    struct evidence_options how = {.find_signature = o->find_signature,
                                   .digest_kinds = DIGEST_BIT(DIGEST_SHA256)};
    if (evidence_open(&e->evidence, o->evidence, o->evidence_count, &how, &e->arena,
                      &e->problems, &e->journal, err) != OK)
        return FAILED;
    e->reader = evtx_reader_open(o->reader, o->jobs);
    return OK;
}

void emit_release(struct emitter *e)
{
    evtx_reader_close(e->reader);
    selection_check_release(&e->check);
    evidence_close(&e->evidence);
    problems_release(&e->problems);
    journal_abandon(&e->journal);
    buffer_release(&e->out);
    buffer_release(&e->cell);
    arena_release(&e->arena);
}

/* ---- output */

static enum status write_all(struct emitter *e, const char *at, size_t left)
{
    while (left && !e->write_error) {
        ssize_t n = write(STDOUT_FILENO, at, left);
        if (n < 0 && errno != EINTR)
            e->write_error = errno;
        if (n > 0) {
            at += n;
            left -= (size_t)n;
        }
        if (n < 0 && stop_requested())
            return FAILED;
    }
    return e->write_error ? FAILED : OK;
}

int emit_text(struct text text)
{
    if (fwrite(text.ptr, 1, text.len, stdout) == text.len && fflush(stdout) == 0)
        return EXIT_DONE;
    if (errno == EPIPE)
        return EXIT_DONE;
    perror("forebear: cannot write to standard output");
    return EXIT_CANNOT;
}

enum status emit_push(struct emitter *e)
{
    enum status status = write_all(e, e->out.ptr, e->out.len);
    buffer_clear(&e->out);
    return status;
}

enum status emit_push_if_full(struct emitter *e)
{
    return e->out.len >= OUTPUT_BLOCK ? emit_push(e) : OK;
}

enum status emit_span(struct emitter *e, const char *ptr, size_t len)
{
    if (len < SPAN_MIN) {
        buffer_add(&e->out, ptr, len);
        return emit_push_if_full(e);
    }
    if (emit_push(e) != OK)
        return FAILED;
    return write_all(e, ptr, len);
}

struct text emit_visible(struct emitter *e, struct text t)
{
    buffer_clear(&e->cell);
    utf_add_visible(&e->cell, t);
    return buffer_text(&e->cell);
}

/* ---- CSV */

void emit_csv_cell(struct emitter *e, struct text value)
{
    if (e->out.len && e->out.ptr[e->out.len - 1] != '\n')
        buffer_add_char(&e->out, ',');
    if (text_is_absent(value))
        return;
    if (cell_asks(value) & CELL_QUOTED)
        cell_add_quoted(&e->out, value);
    else
        buffer_add_text(&e->out, value);
}

void emit_csv_number(struct emitter *e, uint64_t value, uint64_t none)
{
    char digits[ASCII_NUMBER_MAX];
    size_t n = ascii_write_number(digits, value);
    emit_csv_cell(e, value == none ? NO_TEXT : (struct text){digits, n});
}

void emit_csv_time(struct emitter *e, uint64_t filetime)
{
    char time[FILETIME_TEXT_MAX];
    emit_csv_cell(e, filetime == FILETIME_NONE
                         ? NO_TEXT
                         : filetime_format(time, filetime, FILETIME_CSV));
}

void emit_csv_end_row(struct emitter *e)
{
    buffer_add_string(&e->out, "\r\n");
}

/* ---- what was wrong, and how it ends */

void emit_not_found(struct emitter *e)
{
    struct buffer words = {0};
    if (selection_check_describe(&e->check, &words))
        journal_say(&e->journal, JOURNAL_NOTE, "%.*s", TEXT(buffer_text(&words)));
    buffer_release(&words);
}

void emit_damage(struct journal *journal, const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *p = &problems->rows[i];
        struct error err = {.place = p->place};
        if (problem_kinds[p->code].class != DAMAGE)
            continue;
        error_set(&err, DAMAGED, p->place, NULL, "%s: %.*s",
                  problem_kinds[p->code].code, TEXT(p->message));
        journal_say_error(journal, JOURNAL_WARNING, &err);
    }
}

void emit_problems(struct emitter *e)
{
    emit_damage(&e->journal, &e->problems);
    for (int code = 0; code < PROBLEM_CODES; code++)
        if (problem_kinds[code].class != DAMAGE && e->problems.per_code[code])
            journal_say(&e->journal, JOURNAL_NOTE, "%zu x %s: %s",
                        (size_t)problems_met(&e->problems, (enum problem_code)code),
                        problem_kinds[code].code, problem_kinds[code].sentence);
}

int emit_finish(struct emitter *e)
{
    if (e->evidence.log_count == 0)
        journal_say(&e->journal, JOURNAL_WARNING, "no event log was found");
    return e->evidence.log_count == 0 || problems_have_damage(&e->problems)
               ? EXIT_INCOMPLETE
               : EXIT_DONE;
}

int emit_give_up(struct emitter *e, struct error *err)
{
    if (e->write_error == EPIPE)
        return EXIT_DONE;
    if (stop_requested())
        fail(err, FAILED, NOWHERE, "stopped");
    if (e->write_error)
        fail(err, FAILED, NOWHERE, "cannot write to standard output: %s",
             strerror(e->write_error));
    journal_say_error(&e->journal, JOURNAL_ERROR, err);
    return EXIT_CANNOT;
}
