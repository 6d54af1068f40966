/* SPDX-License-Identifier: Apache-2.0
 * evidence_tool - say what src/evidence makes of some paths, for the test scripts.
 *
 *   evidence_tool [--signature] [--verify] [--change=FILE] PATH...
 *   evidence_tool --contains FOLDER PATH...
 *
 * One line a fact: items, volumes, logs with their digest, problems. --change appends a
 * byte to FILE between reading and checking, so that the change is told. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "evidence/evidence.h"
#include "util/memory.h"

struct request {
    struct evidence_options options;
    const char *change;
    bool is_contains;
};

static void print_text(const char *label, struct text t)
{
    if (!text_is_absent(t))
        printf(" %s=%.*s", label, TEXT(t));
}

static void print_item(const struct evidence_item *item)
{
    static const char *const verified[] = {"not-verified", "equal", "different",
                                           "nothing-to-verify"};
    const struct acquisition *a = &item->acquisition;
    printf("item format=%.*s size=%" PRIu64 " segments=%zu examined=%d logs=%zu %s\n",
           TEXT(item->format), item->size, item->segments, item->examined,
           item->log_count, verified[item->verification]);
    if (a->present) {
        printf("acquisition");
        print_text("case", a->case_number);
        print_text("evidence", a->evidence_number);
        print_text("examiner", a->examiner);
        print_text("notes", a->notes);
        print_text("description", a->description);
        print_text("acquired", a->acquired);
        print_text("md5", a->stored_md5);
        print_text("sha1", a->stored_sha1);
        print_text("computed_sha1", item->computed_sha1);
        printf("\n");
    }
    for (size_t i = 0; i < item->volume_count; i++) {
        static const char *const states[] = {"read", "reserved", "locked", "foreign",
                                             "broken"};
        const struct evidence_volume *v = &item->volumes[i];
        printf("volume %u offset=%" PRIu64 " size=%" PRIu64 " %s fs=%.*s shadows=%d\n",
               v->number, v->offset, v->size, states[v->state], TEXT(v->file_system),
               v->has_shadow_copies);
    }
}

static void print_log(const struct evidence_log *log)
{
    char hex[DIGEST_HEX_MAX], time[FILETIME_TEXT_MAX], name[FILETIME_TEXT_MAX];
    struct text sha = digest_hex(hex, &log->digests, DIGEST_SHA256);
    printf("log %.*s size=%" PRIu64 " sha256=%.*s winevt=%d deleted=%d reused=%d "
           "offset=%" PRIu64 " entry=%" PRIu64 "-%u unchanged=%d created=%s named=%s\n",
           TEXT(log->path), log->size, TEXT(sha), log->path_is_winevt, log->is_deleted,
           log->may_be_overwritten, log->volume_offset, log->metadata_address,
           log->sequence, log->unchanged,
           filetime_format(time, log->standard.created, FILETIME_REPORT).ptr,
           filetime_format(name, log->name.created, FILETIME_REPORT).ptr);
}

static void append_byte(const char *path)
{
    FILE *out = fopen(path, "ab");
    if (out) {
        fputc('x', out);
        fclose(out);
    }
}

static void read_logs(struct evidence *evidence, const struct request *request)
{
    struct error err;
    for (size_t i = 0; i < evidence->log_count; i++)
        if (evidence_log_digest(&evidence->logs[i], 0, NULL, &err) == DAMAGED)
            problems_add_error(evidence->problems, PROBLEM_LOG_UNREADABLE, &err);
    if (request->change)
        append_byte(request->change);
    for (size_t i = 0; i < evidence->log_count; i++)
        evidence_log_check(evidence, &evidence->logs[i], true);
}

static void print_problems(const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *p = &problems->rows[i];
        printf("problem %s", problem_kinds[p->code].code);
        print_text("log", p->place.log);
        if (p->place.offset != NO_OFFSET)
            printf(" offset=%" PRIu64, p->place.offset);
        printf(": %.*s\n", TEXT(p->message));
    }
}

static int examine(const char *const *paths, size_t count,
                   const struct request *request)
{
    struct arena arena = {0};
    struct problems problems;
    struct journal journal;
    struct evidence evidence;
    struct error err;
    problems_init(&problems, &arena);
    journal_init(&journal, true);
    enum status status = evidence_open(&evidence, paths, count, &request->options,
                                       &arena, &problems, &journal, &err);
    if (status == OK) {
        read_logs(&evidence, request);
        for (size_t i = 0; i < evidence.item_count; i++)
            print_item(&evidence.items[i]);
        for (size_t i = 0; i < evidence.log_count; i++)
            print_log(&evidence.logs[i]);
        print_problems(&problems);
    }
    evidence_close(&evidence);
    problems_release(&problems);
    journal_abandon(&journal);
    arena_release(&arena);
    return status == OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct request request = {0};
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--signature") == 0)
            request.options.find_signature = true;
        else if (strcmp(argv[at], "--verify") == 0)
            request.options.verify_image = true;
        else if (strcmp(argv[at], "--contains") == 0)
            request.is_contains = true;
        else if (strncmp(argv[at], "--change=", 9) == 0)
            request.change = argv[at] + 9;
        else
            return 2;
    }
    if (at == argc)
        return 2;
    const char *const *paths = (const char *const *)argv + at;
    size_t count = (size_t)(argc - at);
    if (request.is_contains)
        return evidence_contains_path(paths + 1, count - 1, paths[0]) ? 0 : 1;
    return examine(paths, count, &request);
}
