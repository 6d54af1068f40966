/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evidence/evidence_internal.h"
#include "util/memory.h"
#include "util/stop.h"

enum { RETRY_BLOCK = 4096 };

void evidence_log_add_name(struct buffer *out, const struct evidence_log *log)
{
    buffer_add_text(out, log->evidence);
    if (log->item->kind == EVIDENCE_FILE)
        return;
    if (log->evidence.len && log->evidence.ptr[log->evidence.len - 1] != '/')
        buffer_add_char(out, '/');
    buffer_add_text(out, log->path);
}

struct place evidence_log_place(const struct evidence_log *log, uint64_t offset,
                                uint64_t record_id)
{
    return (struct place){log->evidence, log->path, offset, record_id};
}

bool evidence_stop(struct error *err, enum status *status)
{
    if (!stop_requested())
        return false;
    *status = fail(err, FAILED, NOWHERE, "stopped on request");
    return true;
}

struct evidence_log *evidence_add_log(struct evidence *evidence,
                                      struct evidence_item *item)
{
    const struct file_times unknown = {FILETIME_NONE, FILETIME_NONE, FILETIME_NONE,
                                       FILETIME_NONE};
    /* The capacity is the next power of two: the struct keeps the count alone. */
    if ((evidence->log_count & (evidence->log_count - 1)) == 0)
        evidence->logs = memory_resize(
            evidence->logs, (evidence->log_count ? 2 * evidence->log_count : 1) *
                                sizeof *evidence->logs);
    struct evidence_log *log = &evidence->logs[evidence->log_count++];
    *log = (struct evidence_log){.item = item,
                                 .evidence = item->given,
                                 .standard = unknown,
                                 .name = unknown,
                                 .stream =
                                     arena_alloc(evidence->arena, sizeof *log->stream)};
    log->stream->folder = AT_FDCWD;
    item->log_count++;
    return log;
}

/* An event that stands in a log and in an export of it is told from the one that is read first:
 * of an export there are no bytes that another reader could decode. */
static int by_path(const void *a, const void *b)
{
    const struct evidence_log *left = a, *right = b;
    unsigned left_volume = left->volume ? left->volume->number : 0;
    unsigned right_volume = right->volume ? right->volume->number : 0;
    if (left_volume != right_volume)
        return left_volume < right_volume ? -1 : 1;
    if (evidence_log_is_text(left) != evidence_log_is_text(right))
        return evidence_log_is_text(left) ? 1 : -1;
    int order = text_compare(left->path, right->path);
    if (order)
        return order;
    if (left->is_deleted != right->is_deleted)
        return left->is_deleted ? 1 : -1;
    return (left->metadata_address > right->metadata_address) -
           (left->metadata_address < right->metadata_address);
}

void evidence_sort_logs(struct evidence *evidence, size_t first)
{
    if (evidence->log_count > first)
        qsort(evidence->logs + first, evidence->log_count - first,
              sizeof *evidence->logs, by_path);
}

/* A birth time is given where the file system of the examiner's machine has one. */
struct file_times file_times_from_stat(int fd)
{
    struct statx st;
    struct file_times times = {FILETIME_NONE, FILETIME_NONE, FILETIME_NONE,
                               FILETIME_NONE};
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st))
        return times;
    times.modified = filetime_from_unix(st.stx_mtime.tv_sec, st.stx_mtime.tv_nsec);
    times.changed = filetime_from_unix(st.stx_ctime.tv_sec, st.stx_ctime.tv_nsec);
    times.accessed = filetime_from_unix(st.stx_atime.tv_sec, st.stx_atime.tv_nsec);
    if (st.stx_mask & STATX_BTIME)
        times.created = filetime_from_unix(st.stx_btime.tv_sec, st.stx_btime.tv_nsec);
    return times;
}

/* --- reading */

static int open_file(const struct evidence_log *log)
{
    const struct evidence_stream *s = log->stream;
    return s->folder == AT_FDCWD ? system_file_open(AT_FDCWD, s->path, 0)
                                 : system_file_open_below(s->folder, s->path, 0);
}

/* One attempt. Returns the bytes read or -1; `reason` says why. */
typedef ssize_t (*read_once)(const struct evidence_log *log, int fd, uint64_t offset,
                             void *into, size_t len, const char **reason);

static ssize_t read_file_once(const struct evidence_log *log, int fd, uint64_t offset,
                              void *into, size_t len, const char **reason)
{
    (void)log;
    ssize_t got = system_file_read(fd, offset, into, len);
    *reason = got < 0 ? strerror(errno) : "the file ends before the size it had";
    return got;
}

static ssize_t read_image_once(const struct evidence_log *log, int fd, uint64_t offset,
                               void *into, size_t len, const char **reason)
{
    (void)fd;
    ssize_t got = tsk_fs_file_read(log->stream->file, (TSK_OFF_T)offset, into, len,
                                   TSK_FS_FILE_READ_FLAG_NONE);
    *reason = got < 0 ? tsk_reason() : "the content ends before its size";
    return got;
}

/* Read it all; where that fails, block by block, with zeros for what cannot be had. */
static enum status read_with_retries(const struct evidence_log *log, read_once read,
                                     int fd, uint64_t offset, uint8_t *into, size_t len,
                                     struct error *err)
{
    const char *reason = NULL;
    enum status status = OK;
    if (read(log, fd, offset, into, len, &reason) == (ssize_t)len)
        return OK;
    for (size_t at = 0; at < len;) {
        size_t block = RETRY_BLOCK - (offset + at) % RETRY_BLOCK;
        size_t want = block < len - at ? block : len - at;
        ssize_t got = read(log, fd, offset + at, into + at, want, &reason);
        size_t have = got > 0 ? (size_t)got : 0;
        if (have < want) {
            memset(into + at + have, 0, want - have);
            if (status == OK)
                status = fail(err, DAMAGED,
                              evidence_log_place(log, offset + at + have, NO_RECORD),
                              "cannot be read: %s", reason);
        }
        at += want;
    }
    return status;
}

static enum status read_image(const struct evidence_log *log, uint64_t offset,
                              uint8_t *into, size_t len, struct error *err)
{
    struct evidence_image *image = log->stream->image;
    pthread_mutex_lock(&image->lock);
    enum status status =
        read_with_retries(log, read_image_once, -1, offset, into, len, err);
    uint64_t bad = image_first_bad_byte(image, log->stream->file, log->volume->offset,
                                        offset, len);
    pthread_mutex_unlock(&image->lock);
    if (bad != NO_OFFSET && (status == OK || bad < err->place.offset))
        status =
            fail(err, DAMAGED, evidence_log_place(log, bad, NO_RECORD),
                 "lies in a part of the image that fails its checksum or is missing");
    return status;
}

void evidence_source_open(struct evidence_source *source,
                          const struct evidence_log *log)
{
    *source = (struct evidence_source){log, -1};
    if (!log->stream || log->stream->image)
        return; /* errno may be 0, and -0 would be standard input */
    source->fd = open_file(log);
    if (source->fd < 0)
        source->fd = -errno;
}

void evidence_source_close(struct evidence_source *source)
{
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
}

enum status evidence_source_read(const struct evidence_source *source, uint64_t offset,
                                 void *into, size_t len, size_t *got, struct error *err)
{
    const struct evidence_log *log = source->log;
    struct error ignored;
    *got = 0;
    if (offset >= log->size || !log->stream)
        return OK;
    if (len > log->size - offset)
        len = (size_t)(log->size - offset);
    if (!err)
        err = &ignored;
    if (!log->stream->image && source->fd < 0)
        return fail(err, DAMAGED, evidence_log_place(log, offset, NO_RECORD),
                    "cannot be opened: %s", strerror(-source->fd));
    *got = len;
    if (log->stream->image)
        return read_image(log, offset, into, len, err);
    return read_with_retries(log, read_file_once, source->fd, offset, into, len, err);
}

enum status evidence_log_read(const struct evidence_log *log, uint64_t offset,
                              void *into, size_t len, size_t *got, struct error *err)
{
    struct evidence_source source;
    evidence_source_open(&source, log);
    enum status status = evidence_source_read(&source, offset, into, len, got, err);
    evidence_source_close(&source);
    return status;
}

/* --- digests and the check afterwards */

/* Only of a log whose bytes could all be read: of any other there is no hash. */
static enum status digest(const struct evidence_log *log, unsigned kinds,
                          struct progress *progress, struct digest_values *out,
                          struct error *err)
{
    struct digester digester;
    uint8_t *block = memory_get(MEDIA_BLOCK);
    enum status status = OK;
    digester_init(&digester, kinds | DIGEST_BIT(DIGEST_SHA256));
    for (uint64_t at = 0; at < log->size && status != FAILED;) {
        size_t got;
        struct error reason;
        if (evidence_stop(err, &status))
            break;
        enum status read =
            evidence_log_read(log, at, block, MEDIA_BLOCK, &got, &reason);
        if (read == DAMAGED && status == OK) {
            status = DAMAGED;
            if (err)
                *err = reason;
        }
        if (got == 0)
            break;
        digester_add(&digester, block, got);
        progress_advance(progress, got);
        at += got;
    }
    *out = (struct digest_values){0};
    if (status == OK)
        digester_finish(&digester, out);
    else
        digester_release(&digester);
    free(block);
    return status;
}

enum status evidence_log_digest(struct evidence_log *log, unsigned kinds,
                                struct progress *progress, struct error *err)
{
    return digest(log, kinds, progress, &log->digests, err);
}

static bool file_is_unchanged(const struct evidence_log *log)
{
    struct file_identity now;
    int fd = open_file(log);
    bool is_same = fd >= 0 && system_file_identity(fd, &now) &&
                   file_identity_equal(&now, &log->stream->identity);
    if (fd >= 0)
        close(fd);
    return is_same;
}

static void tell_change(struct evidence *evidence, const struct evidence_log *log,
                        const char *what)
{
    problems_add(evidence->problems, PROBLEM_EVIDENCE_CHANGED,
                 evidence_log_place(log, NO_OFFSET, NO_RECORD), "%s", what);
}

/* An image that changed is told once, not for each log in it. */
static void check_image(struct evidence *evidence, struct evidence_log *log)
{
    struct evidence_image *image = log->stream->image;
    log->unchanged = image_is_unchanged(image);
    image_tell_bad_ranges(image);
    if (log->unchanged || image->change_told)
        return;
    image->change_told = true;
    problems_add(
        evidence->problems, PROBLEM_EVIDENCE_CHANGED,
        item_place(image->item, NO_OFFSET),
        "size or times of the image's files differ from what they were when it "
        "was opened");
}

static bool digests_equal(const struct digest_values *a, const struct digest_values *b)
{
    if (a->kinds != b->kinds)
        return false;
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        if ((a->kinds & DIGEST_BIT(kind)) &&
            memcmp(a->value[kind], b->value[kind], digest_size(kind)) != 0)
            return false;
    return true;
}

void evidence_log_check(struct evidence *evidence, struct evidence_log *log,
                        bool rehash)
{
    if (log->stream->image) {
        check_image(evidence, log);
    } else {
        log->unchanged = file_is_unchanged(log);
        if (!log->unchanged)
            tell_change(evidence, log,
                        "size or times differ from what they were when it was opened");
    }
    if (!rehash || !log->digests.kinds)
        return;
    struct error err;
    enum status status =
        digest(log, log->digests.kinds, NULL, &log->digests_after, &err);
    if (status == DAMAGED)
        problems_add_error(evidence->problems, PROBLEM_LOG_UNREADABLE, &err);
    if (status != OK || digests_equal(&log->digests, &log->digests_after))
        return;
    log->unchanged = false;
    tell_change(evidence, log,
                "the hash of the content differs from the first reading");
}
