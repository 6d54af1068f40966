/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evidence/evidence_internal.h"
#include "util/memory.h"
#include "util/utf.h"

static void tell_unreadable(struct evidence *evidence, const struct evidence_item *item,
                            const char *what, const char *why)
{
    problems_add(evidence->problems, PROBLEM_EVIDENCE_UNREADABLE,
                 item_place(item, NO_OFFSET), "%s%s%s", what, *why ? ": " : "", why);
}

static const char not_a_file[] =
    "neither a regular file, a folder nor a block device; what comes through a pipe "
    "must be written to a file first";

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* --- one file that is a log, or is named as one */

static void add_file_log(struct evidence *evidence, struct evidence_item *item,
                         const struct image_candidate *file)
{
    struct file_identity identity;
    struct log_format format = {.form = LOG_EVTX};
    if (file->format.kind == FORMAT_TEXT)
        format = file->format.text;
    item->kind = EVIDENCE_FILE;
    item->format =
        text_from(format.form == LOG_EVTX ? "EVTX file" : log_format_name(&format));
    item->segments = 1;
    item->size = file->size;
    item->examined = true;
    system_file_identity(file->fd, &identity);
    if (evidence_is_read_before(evidence, item, item_place(item, NO_OFFSET),
                                evidence->problems, &identity))
        return;
    struct evidence_log *log = evidence_add_log(evidence, item);
    log->format = format;
    log->path = arena_copy(evidence->arena, text_from(last_component(file->path)));
    log->path_is_winevt = path_is_in_winevt(text_from(file->path));
    log->size = file->size;
    log->standard = file_times_from_stat(file->fd);
    log->stream->path = arena_copy(evidence->arena, text_from(file->path)).ptr;
    log->stream->identity = identity;
    evidence_keep_file(evidence, log);
    journal_say(evidence->journal, JOURNAL_ACTION,
                "%.*s: opened as %.*s, %" PRIu64 " bytes", TEXT(item->given),
                TEXT(item->format), file->size);
}

static enum status examine_content(struct evidence *evidence,
                                   struct evidence_item *item,
                                   const struct image_candidate *file,
                                   const struct evidence_options *options,
                                   struct error *err)
{
    bool is_named_log =
        text_ends_with_fold(text_from(file->path), TEXT_LITERAL(".evtx"));
    if (file->format.kind == FORMAT_EVTX || file->format.kind == FORMAT_TEXT ||
        (is_named_log && !file->is_block_device)) {
        add_file_log(evidence, item, file);
        return OK;
    }
    if (file->size == 0) {
        tell_unreadable(evidence, item, "the file is empty", "");
        return DAMAGED;
    }
    if (file->format.kind == FORMAT_UNKNOWN && !file->is_block_device &&
        text_log_is_text(file->head)) {
        tell_unreadable(evidence, item,
                        "neither an event log nor an export of events: a text, but not "
                        "XML with elements Event or JSON objects with a member "
                        "\"Event\"",
                        "");
        return DAMAGED;
    }
    if (file->format.kind == FORMAT_UNSUPPORTED) {
        item->kind = EVIDENCE_IMAGE;
        item->format = text_from(file->format.name);
        item->size = file->size;
        item->segments = 1;
        problems_add(evidence->problems, PROBLEM_EVIDENCE_UNSUPPORTED,
                     item_place(item, NO_OFFSET), "%s, which cannot be opened here: %s",
                     file->format.name, file->format.remedy);
        return DAMAGED;
    }
    return image_examine(evidence, item, file, options, err);
}

static struct bytes read_part(const struct image_candidate *file, uint64_t offset,
                              uint8_t *into, size_t len)
{
    ssize_t got = system_file_read(file->fd, offset, into, len);
    return (struct bytes){into, got > 0 ? (size_t)got : 0};
}

static enum status examine_file(struct evidence *evidence, struct evidence_item *item,
                                struct image_candidate *file,
                                const struct evidence_options *options,
                                struct error *err)
{
    uint8_t head[FORMAT_HEAD_SIZE], tail[FORMAT_TAIL_SIZE];
    struct log_format text;
    file->head = read_part(file, 0, head, sizeof head);
    file->tail = file->size >= sizeof tail
                     ? read_part(file, file->size - sizeof tail, tail, sizeof tail)
                     : (struct bytes){tail, 0};
    if (file->size && !file->head.len) {
        tell_unreadable(evidence, item, "its first bytes cannot be read",
                        strerror(errno));
        return DAMAGED;
    }
    if (!file->is_block_device)
        file->format = format_recognise(file->head, file->tail);
    if (!file->is_block_device && file->format.kind == FORMAT_UNKNOWN &&
        text_log_recognise_file(file->fd, file->head, &text) == TEXT_EVENTS)
        file->format = (struct format){FORMAT_TEXT, log_format_name(&text), NULL, text};
    return examine_content(evidence, item, file, options, err);
}

static enum status examine_open_path(struct evidence *evidence,
                                     struct evidence_item *item,
                                     struct image_candidate *file,
                                     const struct evidence_options *options,
                                     struct error *err)
{
    struct stat st;
    if (fstat(file->fd, &st)) {
        tell_unreadable(evidence, item, "cannot be examined", strerror(errno));
        return DAMAGED;
    }
    if (S_ISDIR(st.st_mode))
        return folder_examine(evidence, item, file->path, options, err);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
        tell_unreadable(evidence, item, not_a_file, "");
        return DAMAGED;
    }
    file->is_block_device = S_ISBLK(st.st_mode);
    off_t end = file->is_block_device ? lseek(file->fd, 0, SEEK_END) : st.st_size;
    file->size = end > 0 ? (uint64_t)end : 0;
    return examine_file(evidence, item, file, options, err);
}

/* The name of a pipe, as of /dev/stdin, leads to no path that could be opened. */
static void tell_not_opened(struct evidence *evidence, const struct evidence_item *item,
                            const char *given, int reason)
{
    struct stat st;
    if (stat(given, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
        tell_unreadable(evidence, item, not_a_file, "");
    else
        tell_unreadable(evidence, item, "cannot be opened", strerror(reason));
}

/* The path as the user named it may be a link; below it, no link is followed. */
static enum status examine_item(struct evidence *evidence, struct evidence_item *item,
                                const char *given,
                                const struct evidence_options *options,
                                struct error *err)
{
    struct image_candidate file = {.fd = -1};
    char *resolved = realpath(given, NULL);
    if (resolved)
        file.fd = system_file_open(AT_FDCWD, resolved, 0);
    if (file.fd < 0) {
        tell_not_opened(evidence, item, given, errno);
        free(resolved);
        return DAMAGED;
    }
    file.path = resolved;
    enum status status = examine_open_path(evidence, item, &file, options, err);
    close(file.fd);
    free(resolved);
    return status;
}

/* Is it the very file, folder or device that an earlier item is? Then its logs would all be
 * read twice. */
static const struct evidence_item *find_earlier(const struct evidence *evidence,
                                                const struct stat *files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (files[i].st_dev == files[count].st_dev &&
            files[i].st_ino == files[count].st_ino && evidence->items[i].log_count)
            return &evidence->items[i];
    return NULL;
}

static bool is_named_twice(struct evidence *evidence, struct stat *files, size_t i,
                           const char *path)
{
    const struct evidence_item *item = &evidence->items[i], *earlier;
    if (stat(path, &files[i]) != 0 ||
        (earlier = find_earlier(evidence, files, i)) == NULL)
        return false;
    struct buffer shown = {0};
    utf_add_visible(&shown, earlier->given);
    problems_add(evidence->problems, PROBLEM_EVIDENCE_TWICE,
                 item_place(item, NO_OFFSET),
                 "the same file or folder as %.*s, named before: read once",
                 TEXT(buffer_text(&shown)));
    buffer_release(&shown);
    return true;
}

enum status evidence_open(struct evidence *evidence, const char *const *paths,
                          size_t count, const struct evidence_options *options,
                          struct arena *arena, struct problems *problems,
                          struct journal *journal, struct error *err)
{
    *evidence =
        (struct evidence){.arena = arena, .problems = problems, .journal = journal};
    evidence_open_files(evidence);
    evidence->items = arena_alloc(arena, count * sizeof *evidence->items);
    struct stat *files = arena_alloc(arena, count * sizeof *files);
    for (size_t i = 0; i < count; i++) {
        enum status status = OK;
        struct evidence_item *item = &evidence->items[i];
        if (evidence_stop(err, &status))
            return status;
        item->given = arena_copy(arena, text_from(paths[i]));
        evidence->item_count++;
        if (is_named_twice(evidence, files, i, paths[i])) {
            item->examined = true;
            continue;
        }
        if (examine_item(evidence, item, paths[i], options, err) == FAILED)
            return FAILED;
        if (item->examined && !item->log_count && !item->log_read_before)
            problems_add(problems, PROBLEM_NO_LOG_FOUND, item_place(item, NO_OFFSET),
                         "no event log was found in this evidence");
    }
    return options->verify_image ? evidence_verify_images(evidence, err) : OK;
}

void evidence_close(struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->log_count; i++)
        if (evidence->logs[i].stream->file)
            tsk_fs_file_close(evidence->logs[i].stream->file);
    for (size_t i = 0; i < evidence->item_count; i++) {
        if (evidence->items[i].image)
            image_close(evidence->items[i].image);
        if (evidence->items[i].folder)
            close(evidence->items[i].folder - 1);
    }
    free(evidence->logs);
    evidence_close_files(evidence);
    *evidence = (struct evidence){0};
}

/* --- paths inside evidence */

/* The path without links, of a file that need not be there: its deepest folder that is,
 * and the rest as written. NULL if that cannot be told. */
static char *resolve_future_path(const char *path)
{
    struct buffer result = {0};
    char *folder = memory_copy_string(path), *resolved;
    size_t cut = strlen(folder);
    while (!(resolved = realpath(cut ? folder : ".", NULL)) && errno == ENOENT && cut) {
        while (cut && folder[cut - 1] == '/')
            cut--;
        while (cut && folder[cut - 1] != '/')
            cut--;
        folder[cut] = '\0';
    }
    if (resolved)
        buffer_printf(&result, "%s/%s", resolved, path + cut);
    free(resolved);
    free(folder);
    return result.ptr;
}

static bool is_same_or_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    while (length && folder[length - 1] == '/')
        length--;
    return strncmp(path, folder, length) == 0 &&
           (path[length] == '/' || path[length] == '\0');
}

bool evidence_contains_path(const char *const *paths, size_t count, const char *path)
{
    char *wanted = resolve_future_path(path);
    bool found = false;
    for (size_t i = 0; i < count && wanted && !found; i++) {
        char *item = realpath(paths[i], NULL);
        found = item && is_same_or_below(wanted, item);
        free(item);
    }
    free(wanted);
    return found;
}

bool evidence_is_path(const char *const *paths, size_t count, const char *path)
{
    struct stat file, item;
    bool is_item = false, is_there = stat(path, &file) == 0;
    for (size_t i = 0; is_there && i < count && !is_item; i++)
        is_item = stat(paths[i], &item) == 0 && item.st_dev == file.st_dev &&
                  item.st_ino == file.st_ino;
    return is_item;
}
