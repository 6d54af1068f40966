/* SPDX-License-Identifier: Apache-2.0
 * libevtx opens a whole log and lists its records.
 *
 * It does so in a child process, as it does everything: one of the pool, that has no file, not
 * even the log. What libevtx wants to read it is given through shared memory, a piece at a time,
 * by the parent, who alone knows how a log inside an image is read. */
#include <assert.h>
#include <errno.h>
#include <libbfio.h>
#include <libevtx.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evtx/evtx_internal.h"
#include "util/memory.h"
#include "util/stop.h"

enum { PIECE = 1 << 20, LISTED_MAX = 8192 };

/* What the child says, one byte each; the parent answers each with one. */
enum message { WANT_BYTES = 'b', RECORDS = 'r', LISTED = 'l', NOT_LISTED = 'n' };

/* The parent reads the first part and fills `piece` while the child waits. A child that
 * evidence has taken over does not wait: what the parent checks it reads once. */
struct shared {
    uint64_t log_size;
    _Atomic uint64_t offset, len; /* WANT_BYTES */
    _Atomic uint32_t count;       /* RECORDS */
    struct evtx_listed listed[LISTED_MAX];
    char failure[400]; /* NOT_LISTED */
    uint64_t got;      /* answer to WANT_BYTES */
    uint8_t piece[PIECE];
};

/* ---- in the child */

struct stream {
    struct shared *shared;
    int socket;
    uint64_t at;                  /* of the next read */
    uint64_t piece_at, piece_len; /* what `piece` holds */
};

static bool tell_parent(const struct stream *s, enum message message)
{
    char byte = (char)message;
    ssize_t got;
    if (write(s->socket, &byte, 1) != 1)
        return false;
    do
        got = read(s->socket, &byte, 1);
    while (got < 0 && errno == EINTR);
    return got == 1;
}

static int stream_open(intptr_t *handle, int flags, libbfio_error_t **error)
{
    (void)handle;
    (void)flags;
    (void)error;
    return 1;
}

static int stream_close(intptr_t *handle, libbfio_error_t **error)
{
    (void)handle;
    (void)error;
    return 0;
}

static int stream_is_there(intptr_t *handle, libbfio_error_t **error)
{
    (void)handle;
    (void)error;
    return 1;
}

static struct stream *stream_of(intptr_t *handle)
{
    return (struct stream *)(void *)handle;
}

static bool fetch(struct stream *s)
{
    s->shared->offset = s->at;
    s->shared->len = PIECE;
    s->piece_len = 0;
    if (!tell_parent(s, WANT_BYTES) || s->shared->got > PIECE)
        return false;
    s->piece_at = s->at;
    s->piece_len = s->shared->got;
    return s->piece_len > 0;
}

static ssize_t stream_read(intptr_t *handle, uint8_t *into, size_t size,
                           libbfio_error_t **error)
{
    (void)error;
    struct stream *s = stream_of(handle);
    size_t done = 0;
    while (done < size && s->at < s->shared->log_size) {
        if ((s->at < s->piece_at || s->at - s->piece_at >= s->piece_len) && !fetch(s))
            return -1;
        uint64_t from = s->at - s->piece_at, left = s->piece_len - from;
        size_t step = left < size - done ? (size_t)left : size - done;
        memcpy(into + done, s->shared->piece + from, step);
        done += step;
        s->at += step;
    }
    return (ssize_t)done;
}

static off64_t stream_seek(intptr_t *handle, off64_t offset, int whence,
                           libbfio_error_t **error)
{
    (void)error;
    struct stream *s = stream_of(handle);
    int64_t base = whence == SEEK_CUR   ? (int64_t)s->at
                   : whence == SEEK_END ? (int64_t)s->shared->log_size
                                        : 0;
    if (offset < -base || offset > INT64_MAX - base)
        return -1;
    s->at = (uint64_t)(base + offset);
    return base + offset;
}

static int stream_size(intptr_t *handle, size64_t *size, libbfio_error_t **error)
{
    (void)error;
    *size = stream_of(handle)->shared->log_size;
    return 1;
}

static void keep_failure(struct shared *shared, libevtx_error_t **error)
{
    char lines[4096] = "libevtx gave no reason";
    if (*error)
        libevtx_error_backtrace_sprint(*error, lines, sizeof lines);
    libevtx_error_free(error);
    lines[strcspn(lines, "\n")] = '\0';
    snprintf(shared->failure, sizeof shared->failure, "%.*s",
             (int)sizeof shared->failure - 1, lines);
}

static bool open_whole(struct stream *s, libevtx_file_t **file,
                       libbfio_handle_t **handle, libevtx_error_t **error)
{
    return libbfio_handle_initialize(handle, (intptr_t *)(void *)s, NULL, NULL,
                                     stream_open, stream_close, stream_read, NULL,
                                     stream_seek, stream_is_there, stream_is_there,
                                     stream_size, 0, error) == 1 &&
           libevtx_file_initialize(file, error) == 1 &&
           libevtx_file_open_file_io_handle(
               *file, *handle, libevtx_get_access_flags_read(), error) == 1;
}

/* A record that libevtx cannot give is none of its list; the others still are. */
static bool list_record(struct stream *s, libevtx_file_t *file, int index)
{
    struct shared *shared = s->shared;
    uint32_t count = atomic_load(&shared->count);
    struct evtx_listed *row = &shared->listed[count];
    libevtx_record_t *record = NULL;
    bool is_given =
        libevtx_file_get_record_by_index(file, index, &record, NULL) == 1 &&
        libevtx_record_get_identifier(record, &row->id, NULL) == 1 &&
        libevtx_record_get_written_time(record, &row->written_filetime, NULL) == 1;
    libevtx_record_free(&record, NULL);
    if (!is_given)
        return true;
    atomic_store(&shared->count, ++count);
    if (count < LISTED_MAX)
        return true;
    bool is_taken = tell_parent(s, RECORDS);
    atomic_store(&shared->count, 0);
    return is_taken;
}

static enum message list_all(struct stream *s)
{
    libevtx_file_t *file = NULL;
    libbfio_handle_t *handle = NULL;
    libevtx_error_t *error = NULL;
    int count = 0;
    bool ok = open_whole(s, &file, &handle, &error) &&
              libevtx_file_get_number_of_records(file, &count, &error) == 1;
    for (int i = 0; ok && i < count; i++)
        ok = list_record(s, file, i);
    if (!ok)
        keep_failure(s->shared, &error);
    return ok ? LISTED : NOT_LISTED;
}

static_assert(sizeof(struct shared) <= sizeof(struct exchange),
              "what is shared must lie where the exchange does");

static struct shared *shared_of(struct exchange *exchange)
{
    return (struct shared *)(void *)exchange;
}

_Noreturn void libevtx_list_run(int socket, struct exchange *exchange)
{
    struct shared *shared = shared_of(exchange);
    struct stream s = {.shared = shared, .socket = socket};
    enum message outcome = list_all(&s);
    if (shared->count && outcome == LISTED)
        tell_parent(&s, RECORDS);
    tell_parent(&s, outcome);
    _exit(0);
}

/* ---- in the parent */

static void give_bytes(struct shared *shared, const struct evidence_log *log)
{
    uint64_t offset = atomic_load(&shared->offset), asked = atomic_load(&shared->len);
    size_t len = asked < PIECE ? (size_t)asked : PIECE, got = 0;
    memset(shared->piece, 0, len);
    /* What cannot be read counts as zeros for both readers. */
    enum status status = evidence_log_read(log, offset, shared->piece, len, &got, NULL);
    uint64_t left = offset < log->size ? log->size - offset : 0;
    shared->got = status == OK ? got : left < len ? left : len;
}

static void take_records(struct evtx_listing *listing, struct shared *shared)
{
    uint32_t told = atomic_load(&shared->count);
    uint32_t count = told < LISTED_MAX ? told : LISTED_MAX;
    for (uint32_t i = 0; i < count; i++) {
        ARRAY_GROW(listing->records, listing->count, listing->capacity);
        listing->records[listing->count++] = shared->listed[i];
    }
}

static ssize_t await(int socket, char *message, unsigned milliseconds)
{
    enum { STEP = 200 };
    struct pollfd ready = {.fd = socket, .events = POLLIN};
    for (unsigned waited = 0; waited < milliseconds; waited += STEP) {
        int n = poll(&ready, 1, STEP);
        if (stop_requested())
            return 0;
        if (n > 0)
            return recv(socket, message, 1, 0);
    }
    return -1;
}

/* True if the child came to its own end. */
static bool serve(struct evtx_listing *listing, const struct evidence_log *log,
                  struct shared *shared, int socket, unsigned deadline)
{
    /* Evidence may have taken the child over: it must come to an end all the same. A record
     * takes 28 bytes at least, and each chunk is read a few times. */
    uint64_t records_max = log->size / EVTX_RECORD_OVERHEAD;
    uint64_t messages_left = 64 * (16 + log->size / EVTX_CHUNK_SIZE);
    char message = 0;
    while (messages_left-- > 0) {
        ssize_t got = await(socket, &message, deadline);
        if (got < 0)
            snprintf(listing->failure, sizeof listing->failure,
                     "its process did not answer within %u s", (deadline + 999) / 1000);
        if (got != 1)
            return false;
        if (message == WANT_BYTES)
            give_bytes(shared, log);
        else if (message == RECORDS && listing->count <= records_max)
            take_records(listing, shared);
        else if (message == NOT_LISTED)
            snprintf(listing->failure, sizeof listing->failure, "%.*s",
                     (int)sizeof shared->failure - 1, shared->failure);
        if (message == LISTED || message == NOT_LISTED)
            return true;
        if (send(socket, "", 1, MSG_NOSIGNAL) != 1)
            return false;
    }
    snprintf(listing->failure, sizeof listing->failure, "its process came to no end");
    return false;
}

static void tell_end(struct evtx_listing *listing, int status)
{
    if (WIFSIGNALED(status))
        snprintf(listing->failure, sizeof listing->failure,
                 "its process was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(listing->failure, sizeof listing->failure,
                 "its process ended with status %d", WEXITSTATUS(status));
}

static bool set_to_work(int socket)
{
    const char command = EXCHANGE_LIST;
    return send(socket, &command, 1, MSG_NOSIGNAL) == 1;
}

void libevtx_list(struct evtx_listing *listing, struct pool *pool,
                  const struct evidence_log *log, unsigned deadline_milliseconds)
{
    struct exchange *exchange;
    *listing = (struct evtx_listing){0};
    int socket = pool_borrow(pool, &exchange);
    if (socket < 0) {
        snprintf(listing->failure, sizeof listing->failure,
                 "no process could be started: %s", strerror(errno));
        return;
    }
    struct shared *shared = shared_of(exchange);
    shared->log_size = log->size;
    shared->count = 0;
    bool came_to_its_end = set_to_work(socket) &&
                           serve(listing, log, shared, socket, deadline_milliseconds);
    int status = pool_give_back(pool);
    if (!came_to_its_end && !listing->failure[0])
        tell_end(listing, status);
}
