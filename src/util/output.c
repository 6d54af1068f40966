/* SPDX-License-Identifier: Apache-2.0 */
#include "util/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/memory.h"
#include "util/stop.h"

enum {
    FLUSH_AT = 256 * 1024,
    TEMPORARY_NAME_MAX = 256,
    PUSH_STEP = 1 << 20,    /* is handed to the disk at once */
    ALLOCATE_STEP = 8 << 20 /* the disk's blocks are asked for at once */
};

static struct place place_of(const char *path)
{
    struct place place = NOWHERE;
    place.evidence = text_from(path);
    return place;
}

static const char *temporary_name(char out[TEMPORARY_NAME_MAX], const char *name)
{
    snprintf(out, TEMPORARY_NAME_MAX, ".%s.partial", name);
    return out;
}

bool output_dir_holds(const struct output_dir *dir, const char *name)
{
    return faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static enum status spare_report(const struct output_dir *dir, const char *path,
                                struct error *err)
{
    if (output_dir_holds(dir, "manifest.json"))
        return fail(err, FAILED, place_of(path),
                    "holds a report already; choose another folder, or --force to "
                    "replace it");
    if (output_dir_holds(dir, OUTPUT_ASIDE))
        return fail(err, FAILED, place_of(path),
                    "holds a report already, which a run that was killed was replacing "
                    "(it lies in " OUTPUT_ASIDE
                    "); choose another folder, or --force to replace it");
    return OK;
}

enum status output_dir_open(struct output_dir *dir, const char *path, bool force,
                            struct error *err)
{
    *dir = (struct output_dir){.fd = -1};
    dir->made_here = mkdir(path, 0777) == 0;
    if (!dir->made_here && errno != EEXIST)
        return fail(err, FAILED, place_of(path), "cannot make the output folder: %s",
                    strerror(errno));
    dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir->fd < 0)
        return fail(err, FAILED, place_of(path), "cannot open the output folder: %s",
                    strerror(errno));
    /* Where the file system knows no locks, two runs are the user's care. */
    if (flock(dir->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        fail(err, FAILED, place_of(path), "another run is writing into this folder");
        output_dir_close(dir);
        return FAILED;
    }
    dir->path = memory_copy_string(path);
    if (force || spare_report(dir, path, err) == OK)
        return OK;
    output_dir_close(dir);
    return FAILED;
}

struct output_dir output_dir_part(const struct output_dir *dir)
{
    return (struct output_dir){.path = dir->path, .fd = dir->fd};
}

void output_dir_join(struct output_dir *dir, struct output_dir *part)
{
    for (size_t i = 0; i < part->count; i++) {
        ARRAY_GROW(dir->files, dir->count, dir->capacity);
        dir->files[dir->count++] = part->files[i];
    }
    free(part->files);
    *part = (struct output_dir){.fd = -1};
}

const struct output_file *output_dir_find(const struct output_dir *dir,
                                          const char *name)
{
    for (size_t i = 0; i < dir->count; i++)
        if (strcmp(dir->files[i].name, name) == 0)
            return &dir->files[i];
    return NULL;
}

static enum status cannot_write(const struct output_dir *dir, const char *name,
                                int reason, struct error *err)
{
    return fail(err, FAILED, place_of(dir->path), "cannot write %s: %s", name,
                strerror(reason));
}

/* All of them here, not each when it is finished: the disk has had the time that the others
 * took, and one commit of the file system's journal serves them all. */
static enum status sync_all(struct output_dir *dir, struct error *err)
{
    for (size_t i = 0; i < dir->count; i++) {
        struct output_file *file = &dir->files[i];
        int reason = fsync(file->fd) != 0 ? errno : 0;
        if (close(file->fd) != 0 && !reason)
            reason = errno;
        file->fd = -1;
        if (reason)
            return cannot_write(dir, file->name, reason, err);
    }
    return OK;
}

/* --- names for all files at once */

/* A report is whole where it has these two, which are renamed last. */
static const char *const seals[] = {"manifest.json", "SHA256SUMS"};

enum { SEALS = sizeof seals / sizeof *seals };

struct exchange { /* of an earlier report's files for those of this run */
    const struct output_dir *dir;
    const char **names; /* that earlier files may have, the seals first and again */
    size_t count;
    size_t named; /* of this run's files */
    int aside;    /* the folder; -1: none needed so far */
};

static struct exchange begin_exchange(const struct output_dir *dir)
{
    struct exchange x = {.dir = dir, .aside = -1};
    x.names = memory_get((SEALS + dir->count + dir->stale_count) * sizeof *x.names);
    for (size_t i = 0; i < SEALS; i++)
        x.names[x.count++] = seals[i];
    for (size_t i = 0; i < dir->count; i++)
        x.names[x.count++] = dir->files[i].name;
    for (size_t i = 0; i < dir->stale_count; i++)
        if (!output_dir_find(dir, dir->stale[i]))
            x.names[x.count++] = dir->stale[i];
    return x;
}

static void end_exchange(struct exchange *x)
{
    if (x->aside >= 0) {
        close(x->aside);
        unlinkat(x->dir->fd, OUTPUT_ASIDE, AT_REMOVEDIR);
    }
    free(x->names);
}

static bool is_file(const struct output_dir *dir, const char *name)
{
    struct stat facts;
    return fstatat(dir->fd, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
           !S_ISDIR(facts.st_mode);
}

/* It may be there: of a run that was killed. */
static bool open_aside(struct exchange *x)
{
    if (x->aside < 0 &&
        (mkdirat(x->dir->fd, OUTPUT_ASIDE, 0777) == 0 || errno == EEXIST))
        x->aside = openat(x->dir->fd, OUTPUT_ASIDE,
                          O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return x->aside >= 0;
}

/* What a run that was killed set aside is the older report; what has its name now is what
 * that run wrote. */
static bool set_aside(struct exchange *x, const char *name)
{
    if (!open_aside(x))
        return false;
    if (faccessat(x->aside, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return unlinkat(x->dir->fd, name, 0) == 0;
    return renameat(x->dir->fd, name, x->aside, name) == 0;
}

static enum status set_all_aside(struct exchange *x, struct error *err)
{
    if (output_dir_holds(x->dir, OUTPUT_ASIDE))
        open_aside(x);
    for (size_t i = 0; i < x->count; i++)
        if (is_file(x->dir, x->names[i]) && !set_aside(x, x->names[i]))
            return fail(err, FAILED, place_of(x->dir->path),
                        "cannot set the earlier %s aside: %s", x->names[i],
                        strerror(errno));
    return OK;
}

static enum status name_all(struct exchange *x, struct error *err)
{
    const struct output_dir *dir = x->dir;
    char temporary[TEMPORARY_NAME_MAX];
    for (; x->named < dir->count; x->named++) {
        const char *name = dir->files[x->named].name;
        if (renameat(dir->fd, temporary_name(temporary, name), dir->fd, name) != 0)
            return fail(err, FAILED, place_of(dir->path),
                        "cannot rename %s to its name: %s", name, strerror(errno));
    }
    return OK;
}

static enum status sync_names(const struct output_dir *dir, struct error *err)
{
    /* Some file systems, of networks above all, cannot do that with a folder. */
    if (fsync(dir->fd) != 0 && errno != EINVAL)
        return fail(err, FAILED, place_of(dir->path),
                    "cannot sync the output folder: %s", strerror(errno));
    return OK;
}

/* The seals last, as they went first. */
static void take_back(struct exchange *x)
{
    for (size_t i = 0; i < x->named; i++)
        unlinkat(x->dir->fd, x->dir->files[i].name, 0);
    for (size_t i = x->count; x->aside >= 0 && i-- > 0;)
        renameat(x->aside, x->names[i], x->dir->fd, x->names[i]);
}

static void remove_set_aside(struct exchange *x)
{
    for (size_t i = 0; x->aside >= 0 && i < x->count; i++)
        unlinkat(x->aside, x->names[i], 0);
}

enum status output_dir_publish(struct output_dir *dir, struct error *err)
{
    if (sync_all(dir, err) != OK)
        return FAILED;
    if (!stop_close())
        return fail(err, FAILED, place_of(dir->path), "stopped before files got names");
    struct exchange x = begin_exchange(dir);
    enum status status = set_all_aside(&x, err);
    if (status == OK)
        status = name_all(&x, err);
    if (status == OK)
        status = sync_names(dir, err);
    if (status == OK)
        remove_set_aside(&x);
    else
        take_back(&x);
    end_exchange(&x);
    return status;
}

void output_dir_add_stale(struct output_dir *dir, const char *name)
{
    ARRAY_GROW(dir->stale, dir->stale_count, dir->stale_capacity);
    dir->stale[dir->stale_count++] = name;
}

void output_dir_wipe(const struct output_dir *dir, const char *name)
{
    char temporary[TEMPORARY_NAME_MAX];
    unlinkat(dir->fd, temporary_name(temporary, name), 0);
}

void output_dir_abandon(struct output_dir *dir)
{
    for (size_t i = 0; i < dir->count; i++)
        output_dir_wipe(dir, dir->files[i].name);
    if (dir->made_here)
        rmdir(dir->path);
}

void output_dir_close(struct output_dir *dir)
{
    for (size_t i = 0; i < dir->count; i++) {
        if (dir->files[i].fd >= 0)
            close(dir->files[i].fd);
        free(dir->files[i].name);
    }
    free(dir->files);
    free(dir->stale);
    free(dir->path);
    if (dir->fd >= 0)
        close(dir->fd);
    *dir = (struct output_dir){.fd = -1};
}

enum status output_open(struct output *out, struct output_dir *dir, const char *name,
                        struct error *err)
{
    char temporary[TEMPORARY_NAME_MAX];
    *out = (struct output){.dir = dir};
    temporary_name(temporary, name);
    unlinkat(dir->fd, temporary, 0); /* of a run that was killed */
    out->fd = openat(dir->fd, temporary,
                     O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (out->fd < 0)
        return fail(err, FAILED, place_of(dir->path), "cannot create %s: %s", name,
                    strerror(errno));
    out->name = memory_copy_string(name);
    digester_init(&out->digester, DIGEST_BIT(DIGEST_SHA256));
    return OK;
}

/* The file system takes less time for blocks that it gave ahead; what is left over it gets
 * back when the file ends. Where it cannot do it, or has not so many, all goes on as it
 * would. */
static void allocate_ahead(struct output *out, size_t len)
{
    if (out->size + len < PUSH_STEP || out->size + len <= out->allocated)
        return;
    uint64_t step = len > ALLOCATE_STEP ? len : ALLOCATE_STEP;
    out->allocated =
        fallocate(out->fd, FALLOC_FL_KEEP_SIZE, (off_t)out->size, (off_t)step) == 0
            ? out->size + step
            : UINT64_MAX;
}

static void give_back_blocks(struct output *out)
{
    if (out->allocated > out->size && out->allocated != UINT64_MAX &&
        ftruncate(out->fd, (off_t)out->size) != 0 && !out->write_error)
        out->write_error = errno;
}

static void begin_piece(struct output_piece *piece, struct output *out,
                        const char *data, size_t len)
{
    allocate_ahead(out, len);
    *piece = (struct output_piece){.out = out,
                                   .at = out->size,
                                   .data = data,
                                   .len = len,
                                   .error = out->write_error};
    out->size += len;
}

void output_piece_begin(struct output_piece *piece, struct output *out,
                        const char *data, size_t len)
{
    output_flush(out);
    begin_piece(piece, out, data, len);
}

void output_piece_hash(const struct output_piece *piece)
{
    digester_add(&piece->out->digester, piece->data, piece->len);
}

/* The disk starts early: otherwise the end waits for all of it. Each step goes to it when the
 * one after it is whole, since the pieces of other threads may lag; what still was not there
 * by then, the end brings. */
static void push(const struct output_piece *piece)
{
    uint64_t begun = piece->at / PUSH_STEP;
    uint64_t whole = (piece->at + piece->len) / PUSH_STEP;
    uint64_t from = begun ? begun - 1 : 0, to = whole ? whole - 1 : 0;
    if (whole > begun && to > from)
        sync_file_range(piece->out->fd, (off_t)(from * PUSH_STEP),
                        (off_t)((to - from) * PUSH_STEP), SYNC_FILE_RANGE_WRITE);
}

void output_piece_write(struct output_piece *piece)
{
    size_t done = 0;
    while (!piece->error && done < piece->len) {
        ssize_t n = pwrite(piece->out->fd, piece->data + done, piece->len - done,
                           (off_t)(piece->at + done));
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            piece->error = errno;
    }
    push(piece);
}

void output_piece_end(struct output_piece *piece)
{
    if (!piece->out->write_error)
        piece->out->write_error = piece->error;
}

static void write_out(struct output *out, const char *data, size_t len)
{
    struct output_piece piece;
    begin_piece(&piece, out, data, len);
    output_piece_hash(&piece);
    output_piece_write(&piece);
    output_piece_end(&piece);
}

void output_flush(struct output *out)
{
    write_out(out, out->pending.ptr, out->pending.len);
    buffer_clear(&out->pending);
}

void output_add(struct output *out, const void *data, size_t len)
{
    if (len >= FLUSH_AT) {
        output_flush(out);
        write_out(out, data, len);
        return;
    }
    buffer_add(&out->pending, data, len);
    if (out->pending.len >= FLUSH_AT)
        output_flush(out);
}

void output_add_text(struct output *out, struct text t)
{
    output_add(out, t.ptr, t.len);
}

void output_printf(struct output *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buffer_vprintf(&out->pending, format, args);
    va_end(args);
    if (out->pending.len >= FLUSH_AT)
        output_flush(out);
}

static void release(struct output *out)
{
    if (out->fd >= 0)
        close(out->fd);
    out->fd = -1;
    buffer_release(&out->pending);
    digester_release(&out->digester);
}

enum status output_finish(struct output *out, struct error *err)
{
    output_flush(out);
    give_back_blocks(out);
    sync_file_range(out->fd, 0, 0,
                    SYNC_FILE_RANGE_WRITE); /* to its end; not waited for */
    if (out->write_error) {
        cannot_write(out->dir, out->name, out->write_error, err);
        output_abandon(out);
        return FAILED;
    }
    struct output_dir *dir = out->dir;
    ARRAY_GROW(dir->files, dir->count, dir->capacity);
    struct output_file *file = &dir->files[dir->count++];
    *file = (struct output_file){.name = out->name, .size = out->size, .fd = out->fd};
    out->fd = -1;
    digester_finish(&out->digester, &file->digests);
    release(out);
    return OK;
}

void output_abandon(struct output *out)
{
    if (!out->name)
        return;
    output_dir_wipe(out->dir, out->name);
    release(out);
    free(out->name);
    out->name = NULL;
}
