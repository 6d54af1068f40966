/* SPDX-License-Identifier: Apache-2.0
 * A folder and everything below it: a mounted image, a triage collection.
 *
 * Nothing is followed out of it: every component of every path is opened by itself, with
 * O_NOFOLLOW. Folders that wait are kept as paths, not descriptors, so that neither depth
 * nor width runs into the system's limits. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evidence/evidence_internal.h"
#include "util/bytes.h"
#include "util/memory.h"
#include "util/stop.h"

struct walk {
    struct evidence *evidence;
    struct evidence_item *item;
    struct problems
        *problems; /* the evidence's, also where others are not told again */
    int root;
    struct text absolute; /* of the root, to tell winevt\Logs */
    bool by_signature;
    char **pending; /* folders, relative */
    size_t pending_count, pending_capacity;
};

bool path_is_in_winevt(struct text path)
{
    static const char tail[] = "/Windows/System32/winevt/Logs";
    struct buffer whole = {0};
    while (path.len && path.ptr[path.len - 1] != '/')
        path.len--;
    buffer_add_char(&whole, '/');
    if (path.len)
        buffer_add(&whole, path.ptr, path.len - 1);
    bool found = text_ends_with_fold(buffer_text(&whole), text_from(tail));
    buffer_release(&whole);
    return found;
}

static struct place path_place(const struct walk *walk, const char *path)
{
    struct text kept = arena_copy(walk->evidence->arena, text_from(path));
    return (struct place){walk->item->given, *path ? kept : NO_TEXT, NO_OFFSET,
                          NO_RECORD};
}

static bool has_log_name(const char *name)
{
    return text_ends_with_fold(text_from(name), TEXT_LITERAL(".evtx"));
}

/* By name alone: an image is not looked into unless it is named as evidence. */
static bool has_image_name(const char *name)
{
    static const char *const endings[] = {".e01",  ".ex01", ".vhdx", ".vhd",
                                          ".vmdk", ".aff4", ".qcow2"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (text_ends_with_fold(text_from(name), text_from(endings[i])))
            return true;
    return false;
}

/* The first bytes of a file that is looked into. One that cannot be is told: it may be a log,
 * which would be missing without a word. */
static struct bytes read_start(const struct walk *walk, const char *path, uint8_t *into,
                               size_t len)
{
    int fd = system_file_open_below(walk->root, path, 0);
    ssize_t got = fd < 0 ? -1 : system_file_read(fd, 0, into, len);
    if (got < 0)
        problems_add(walk->evidence->problems, PROBLEM_EVIDENCE_UNREADABLE,
                     path_place(walk, path),
                     "the file cannot be read, so whether it is a log is not known: %s",
                     strerror(errno));
    if (fd >= 0)
        close(fd);
    return (struct bytes){into, got < 0 ? 0 : (size_t)got};
}

/* Names that events as text have. What such a file is, its content says; of the many text
 * files of a collection only these are looked into. */
static bool may_hold_text_events(const char *name)
{
    static const char *const endings[] = {".xml", ".json", ".jsonl", ".ndjson",
                                          ".gz",  ".txt",  ".log"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (text_ends_with_fold(text_from(name), text_from(endings[i])))
            return true;
    return false;
}

/* One that speaks of events and is none is told: a log that is not recognised would be
 * missing without a word. */
static bool holds_text_events(const struct walk *walk, const char *path,
                              struct bytes start, struct log_format *format)
{
    int fd = system_file_open_below(walk->root, path, 0);
    enum text_start what =
        fd >= 0 && start.len ? text_log_recognise_file(fd, start, format) : TEXT_OTHER;
    if (fd >= 0)
        close(fd);
    if (what == TEXT_FILLER)
        problems_add(
            walk->evidence->problems, PROBLEM_TEXT_NOT_TAKEN, path_place(walk, path),
            "its first %d bytes are blanks and comments; what follows them was "
            "not read",
            TEXT_FILLER_MAX);
    if (what == TEXT_OTHER && text_log_mentions_events(start))
        problems_add(walk->evidence->problems, PROBLEM_TEXT_NOT_TAKEN,
                     path_place(walk, path),
                     "it names an Event and does not begin as an export of events; "
                     "it was not read");
    return what == TEXT_EVENTS;
}

/* Is it a log, by what it holds? */
static bool holds_a_log(const struct walk *walk, const char *path, const char *name,
                        struct log_format *format)
{
    uint8_t head[FORMAT_HEAD_SIZE];
    bool may_be_text = may_hold_text_events(name);
    if (!walk->by_signature && !may_be_text)
        return false;
    struct bytes start = read_start(walk, path, head, sizeof head);
    return (walk->by_signature &&
            bytes_equal_at(start, 0, LOG_SIGNATURE, LOG_SIGNATURE_SIZE)) ||
           (may_be_text && holds_text_events(walk, path, start, format));
}

static void add_log(struct walk *walk, const char *path, struct log_format format)
{
    struct arena *arena = walk->evidence->arena;
    int fd = system_file_open_below(walk->root, path, 0);
    struct file_identity identity;
    if (fd < 0 || !system_file_identity(fd, &identity)) {
        problems_add(walk->evidence->problems, PROBLEM_LOG_UNREADABLE,
                     path_place(walk, path), "the log cannot be opened: %s",
                     strerror(errno));
        if (fd >= 0)
            close(fd);
        return;
    }
    if (evidence_is_read_before(walk->evidence, walk->item, path_place(walk, path),
                                walk->problems, &identity)) {
        close(fd);
        return;
    }
    struct evidence_log *log = evidence_add_log(walk->evidence, walk->item);
    struct buffer whole = {0};
    log->path = arena_copy(arena, text_from(path));
    buffer_printf(&whole, "%.*s/%s", TEXT(walk->absolute), path);
    log->path_is_winevt = path_is_in_winevt(buffer_text(&whole));
    buffer_release(&whole);
    log->size = identity.size;
    log->format = format;
    log->standard = file_times_from_stat(fd);
    log->stream->folder = walk->root;
    log->stream->path = log->path.ptr;
    log->stream->identity = identity;
    evidence_keep_file(walk->evidence, log);
    close(fd);
    journal_say(walk->evidence->journal, JOURNAL_ACTION,
                "%.*s: log %.*s, %" PRIu64 " bytes", TEXT(walk->item->given),
                TEXT(log->path), log->size);
}

static void look_at_file(struct walk *walk, const char *path, const char *name)
{
    struct log_format format = {.form = LOG_EVTX};
    if (has_log_name(name) || holds_a_log(walk, path, name, &format))
        add_log(walk, path, format);
    else if (has_image_name(name))
        problems_add(
            walk->evidence->problems, PROBLEM_IMAGE_IN_FOLDER, path_place(walk, path),
            "this looks like a disk image and was not opened; give it as evidence "
            "of its own");
}

static void add_pending(struct walk *walk, const char *path)
{
    if (strlen(path) > PATH_LIMIT) {
        problems_add(walk->evidence->problems, PROBLEM_EVIDENCE_UNREADABLE,
                     path_place(walk, path),
                     "folders are nested too deep to be walked");
        return;
    }
    ARRAY_GROW(walk->pending, walk->pending_count, walk->pending_capacity);
    walk->pending[walk->pending_count++] = memory_copy_string(path);
}

static void look_at_entry(struct walk *walk, int folder, const char *path,
                          const char *name)
{
    struct stat st;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW))
        problems_add(walk->evidence->problems, PROBLEM_EVIDENCE_UNREADABLE,
                     path_place(walk, path), "cannot be examined: %s", strerror(errno));
    else if (S_ISDIR(st.st_mode))
        add_pending(walk, path);
    else if (S_ISREG(st.st_mode))
        look_at_file(walk, path, name);
    else if (S_ISLNK(st.st_mode))
        problems_add(walk->evidence->problems, PROBLEM_LINK_NOT_FOLLOWED,
                     path_place(walk, path), "symbolic link, not followed");
    else if (has_log_name(name))
        problems_add(walk->evidence->problems, PROBLEM_EVIDENCE_UNREADABLE,
                     path_place(walk, path),
                     "named as an event log, but a pipe, a socket or a device: not "
                     "opened");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder, sorted, so that problems come in the same order everywhere. */
static char **read_names(DIR *dir, size_t *count)
{
    char **names = NULL;
    size_t capacity = 0;
    *count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        ARRAY_GROW(names, *count, capacity);
        names[(*count)++] = memory_copy_string(entry->d_name);
    }
    if (*count)
        qsort(names, *count, sizeof *names, by_name);
    return names;
}

static void walk_folder(struct walk *walk, const char *folder)
{
    int fd = system_file_open_below(walk->root, folder, O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        problems_add(walk->evidence->problems, PROBLEM_EVIDENCE_UNREADABLE,
                     path_place(walk, folder), "the folder cannot be read: %s",
                     strerror(errno));
        if (fd >= 0)
            close(fd);
        return;
    }
    size_t count;
    errno = 0;
    char **names = read_names(dir, &count);
    if (errno)
        problems_add(walk->evidence->problems, PROBLEM_EVIDENCE_UNREADABLE,
                     path_place(walk, folder),
                     "the folder cannot be read to its end: %s", strerror(errno));
    struct buffer path = {0};
    for (size_t i = 0; i < count; i++) {
        buffer_clear(&path);
        buffer_printf(&path, "%s%s%s", folder, *folder ? "/" : "", names[i]);
        if (!stop_requested())
            look_at_entry(walk, fd, path.ptr, names[i]);
        free(names[i]);
    }
    buffer_release(&path);
    free(names);
    closedir(dir);
}

static enum status walk_all(struct walk *walk, struct error *err)
{
    enum status status = OK;
    add_pending(walk, "");
    while (walk->pending_count && !evidence_stop(err, &status)) {
        char *folder = walk->pending[--walk->pending_count];
        walk_folder(walk, folder);
        free(folder);
    }
    if (evidence_stop(err, &status))
        while (walk->pending_count)
            free(walk->pending[--walk->pending_count]);
    return status;
}

/* The signature walk tells nothing that the walk by name has told. */
static enum status walk_by_signature(struct walk *walk, struct error *err)
{
    struct problems *problems = walk->evidence->problems;
    walk->by_signature = true;
    journal_say(walk->evidence->journal, JOURNAL_ACTION,
                "%.*s: no .evtx file: looking at the signature of every file",
                TEXT(walk->item->given));
    walk->evidence->problems = NULL;
    enum status status = walk_all(walk, err);
    walk->evidence->problems = problems;
    return status;
}

enum status folder_examine(struct evidence *evidence, struct evidence_item *item,
                           const char *path, const struct evidence_options *options,
                           struct error *err)
{
    struct walk walk = {.evidence = evidence,
                        .item = item,
                        .problems = evidence->problems,
                        .by_signature = options->find_signature,
                        .absolute = arena_copy(evidence->arena, text_from(path))};
    size_t logs_before = evidence->log_count;
    item->kind = EVIDENCE_FOLDER;
    item->format = TEXT_LITERAL("folder");
    walk.root = system_file_open(AT_FDCWD, path, O_DIRECTORY);
    if (walk.root < 0) {
        problems_add(evidence->problems, PROBLEM_EVIDENCE_UNREADABLE,
                     item_place(item, NO_OFFSET), "the folder cannot be read: %s",
                     strerror(errno));
        return DAMAGED;
    }
    item->examined = true;
    item->folder = walk.root + 1;
    journal_say(evidence->journal, JOURNAL_ACTION, "%.*s: opened as folder",
                TEXT(item->given));
    enum status status = walk_all(&walk, err);
    if (status == OK && evidence->log_count == logs_before &&
        item->log_read_before == 0 && !walk.by_signature)
        status = walk_by_signature(&walk, err);
    free(walk.pending);
    evidence_sort_logs(evidence, logs_before);
    return status;
}
