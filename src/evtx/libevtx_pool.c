/* SPDX-License-Identifier: Apache-2.0
 * The parent's side: children, what each is at, and what to do when one is gone.
 *
 * A child that ends or stands still costs the record it was at: the answers before that
 * one are taken from the shared memory, and a new child goes on with the next record. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "evtx/evtx_internal.h"
#include "evtx/spawner.h"
#include "util/memory.h"

enum {
    POLL_MILLISECONDS = 200,
    HANGS_MAX = 5,
    WORKERS_MAX = SPAWNER_CHILDREN,
    RESULTS_MAX = 4 * EXCHANGE_RESULTS /* of one chunk; a hundredth of it is usual */
};

struct worker {
    int socket; /* the parent's end; -1: no child */
    unsigned number;
    struct exchange *exchange;
    struct pool_task *task; /* NULL: idle */
    uint32_t first; /* frame that was asked for first; the shared copy may change */
    int32_t seen_current; /* for the deadline: the frame it was at when last looked */
    uint64_t since_milliseconds;
};

struct pool {
    struct spawner spawner;
    struct worker *workers;
    char *exchanges; /* one a child, `stride` bytes apart; NULL: none could be mapped */
    size_t stride;
    unsigned count, deadline_milliseconds;
    evtx_before_record *before_record;
};

static uint64_t now_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- a child's life */

static struct exchange *exchange_of(const struct pool *p, unsigned number)
{
    return (struct exchange *)(void *)(p->exchanges + number * p->stride);
}

/* One child does not reach what another one shares with the program. */
static void live(void *context, unsigned number, int socket)
{
    struct pool *p = context;
    char *mine = p->exchanges + number * p->stride;
    char *behind = mine + p->stride, *end = p->exchanges + p->count * p->stride;
    if (mine > p->exchanges)
        munmap(p->exchanges, (size_t)(mine - p->exchanges));
    if (end > behind)
        munmap(behind, (size_t)(end - behind));
    libevtx_child_run(socket, (struct exchange *)(void *)mine, p->before_record);
}

/* Before the spawner is made, so that every child has them. */
static void map_exchanges(struct pool *p)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    p->stride = (sizeof(struct exchange) + page - 1) / page * page;
    void *shared = mmap(NULL, p->count * p->stride, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    p->exchanges = shared == MAP_FAILED ? NULL : shared;
}

struct pool *pool_open(unsigned jobs, unsigned deadline_milliseconds,
                       evtx_before_record *before_record)
{
    struct pool *p = memory_get_zeroed(1, sizeof *p);
    p->count = jobs == 0 ? 1 : jobs > WORKERS_MAX ? WORKERS_MAX : jobs;
    p->deadline_milliseconds = deadline_milliseconds;
    p->before_record = before_record;
    p->workers = memory_get_zeroed(p->count, sizeof *p->workers);
    map_exchanges(p);
    for (unsigned i = 0; i < p->count; i++)
        p->workers[i] = (struct worker){.socket = -1, .number = i};
    spawner_open(&p->spawner, live, p);
    return p;
}

static bool start_child(struct pool *p, struct worker *w)
{
    if (w->socket >= 0)
        return true;
    if (!p->exchanges) {
        errno = ENOMEM;
        return false;
    }
    w->exchange = exchange_of(p, w->number);
    w->socket = spawner_start(&p->spawner, w->number);
    return w->socket >= 0;
}

/* Returns the child's wait status. */
static int end_child(struct pool *p, struct worker *w)
{
    if (w->socket < 0)
        return 0;
    int status = spawner_end(&p->spawner, w->number);
    close(w->socket);
    w->socket = -1;
    return status;
}

int pool_borrow(struct pool *p, struct exchange **exchange)
{
    struct worker *w = &p->workers[0];
    if (!start_child(p, w))
        return -1;
    *exchange = w->exchange;
    return w->socket;
}

int pool_give_back(struct pool *p)
{
    return end_child(p, &p->workers[0]);
}

void pool_close(struct pool *p)
{
    if (!p)
        return;
    for (unsigned i = 0; i < p->count; i++)
        end_child(p, &p->workers[i]);
    spawner_close(&p->spawner);
    if (p->exchanges)
        munmap(p->exchanges, p->count * p->stride);
    free(p->workers);
    free(p);
}

/* ---- a task */

static void give_up(struct pool_task *t, uint32_t from, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void give_up(struct pool_task *t, uint32_t from, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    t->unread_from = from;
    vsnprintf(t->unread_reason, sizeof t->unread_reason, format, args);
    va_end(args);
    t->is_done = true;
}

static void finish(struct worker *w)
{
    w->task->is_done = true;
    w->task = NULL;
}

/* Set the child to work on the task's frames from `first` on. */
static void send_task(struct pool *p, struct worker *w, struct pool_task *t,
                      uint32_t first)
{
    w->task = NULL;
    if (first >= t->slot->frame_count) {
        t->is_done = true;
        return;
    }
    if (!start_child(p, w)) {
        give_up(t, first, "no process could be started to read them: %s",
                strerror(errno));
        return;
    }
    struct exchange *x = w->exchange;
    x->chunk_offset = t->slot->offset;
    x->first = w->first = first;
    x->frame_count = t->slot->frame_count;
    memcpy(x->frames, t->slot->frames, t->slot->frame_count * sizeof *x->frames);
    memset(x->skipped, 0, t->slot->frame_count * sizeof *x->skipped);
    if (t->skipped)
        memcpy(x->skipped, t->skipped, t->slot->frame_count * sizeof *x->skipped);
    x->as_printed = t->as_printed;
    memcpy(x->image + EVTX_HEADER_SIZE, t->slot->data.ptr, EVTX_CHUNK_SIZE);
    atomic_store(&x->published, 0);
    atomic_store(&x->current, EXCHANGE_OPENING);
    w->task = t;
    w->seen_current = EXCHANGE_OPENING;
    w->since_milliseconds = now_milliseconds();
    /* If this fails the child is gone, which its socket tells at the next wait. */
    const char command = EXCHANGE_DECODE;
    ssize_t sent = send(w->socket, &command, 1, MSG_NOSIGNAL);
    (void)sent;
}

static void take_results(struct worker *w)
{
    uint32_t len = atomic_load_explicit(&w->exchange->published, memory_order_acquire);
    if (len > EXCHANGE_RESULTS)
        len = 0;
    buffer_add(&w->task->results, w->exchange->results, len);
}

/* The frame the child was at, as it says itself: between what was asked and the end. */
static uint32_t frame_reached(const struct worker *w)
{
    int32_t current = atomic_load(&w->exchange->current);
    uint32_t count = w->task->slot->frame_count;
    bool possible = current >= (int32_t)w->first && (uint32_t)current < count;
    return possible ? (uint32_t)current : w->first;
}

static void lose_record(struct pool *p, struct worker *w, const char *how)
{
    struct pool_task *t = w->task;
    bool opened = atomic_load(&w->exchange->current) != EXCHANGE_OPENING;
    uint32_t at = frame_reached(w);
    take_results(w);
    if (!opened) {
        w->task = NULL;
        give_up(t, at, "libevtx could not open their chunk: the process %s", how);
        return;
    }
    ARRAY_GROW(t->losses, t->loss_count, t->loss_capacity);
    struct pool_loss *loss = &t->losses[t->loss_count++];
    loss->index = at;
    snprintf(loss->how, sizeof loss->how, "%s", how);
    if (t->hangs >= HANGS_MAX) {
        w->task = NULL;
        give_up(t, at + 1, "libevtx hung on %u records of their chunk", t->hangs);
        return;
    }
    send_task(p, w, t, at + 1);
}

static void child_ended(struct pool *p, struct worker *w)
{
    char how[96];
    int status = end_child(p, w);
    if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(status));
    if (w->task)
        lose_record(p, w, how);
}

/* Once is not believed: a process can stand still for reasons that lie outside the record (a
 * machine that sleeps or swaps, a lock that was held where it was forked). A new child gets
 * the same record again. */
static void child_hangs(struct pool *p, struct worker *w)
{
    char how[96];
    struct pool_task *t = w->task;
    uint32_t at = frame_reached(w);
    bool is_first = t->hung_once_on != at + 1 && t->retries < HANGS_MAX;
    end_child(p, w);
    if (is_first) {
        t->hung_once_on = at + 1;
        t->retries++;
        take_results(w);
        send_task(p, w, t, at);
        return;
    }
    snprintf(how, sizeof how, "did not answer within %u s, twice",
             (p->deadline_milliseconds + 999) / 1000);
    t->hangs++;
    lose_record(p, w, how);
}

static void go_on(struct pool *p, struct worker *w, uint32_t next)
{
    struct pool_task *t = w->task;
    if (t->results.len <= RESULTS_MAX) {
        send_task(p, w, t, next);
        return;
    }
    w->task = NULL;
    give_up(t, next, "libevtx makes more than %d MiB of the records of their chunk",
            RESULTS_MAX >> 20);
}

static void child_answered(struct pool *p, struct worker *w)
{
    struct exchange *x = w->exchange;
    switch (atomic_load(&x->outcome)) {
    case EXCHANGE_FULL: {
        uint32_t next = atomic_load(&x->next);
        take_results(w);
        /* A child that went nowhere would be asked for ever. */
        if (next <= w->first || next >= w->task->slot->frame_count)
            next = w->first + 1;
        go_on(p, w, next);
        break;
    }
    case EXCHANGE_NOT_OPENED: {
        char why[400];
        uint32_t len = atomic_load(&x->published);
        len = len < sizeof why ? len : sizeof why;
        memcpy(why, x->results, len);
        give_up(w->task, w->first, "libevtx could not open their chunk: %.*s", (int)len,
                why);
        w->task = NULL;
        break;
    }
    default: take_results(w); finish(w);
    }
}

/* ---- the pool */

bool pool_submit(struct pool *p, struct pool_task *task)
{
    for (unsigned i = 0; i < p->count; i++)
        if (!p->workers[i].task) {
            task->unread_from = task->slot->frame_count;
            task->hung_once_on = task->retries = 0;
            send_task(p, &p->workers[i], task, 0);
            return true;
        }
    return false;
}

static void look_at_clock(struct pool *p, struct worker *w)
{
    int32_t current = atomic_load(&w->exchange->current);
    uint64_t now = now_milliseconds();
    if (current > w->seen_current) { /* going back is no progress */
        w->seen_current = current;
        w->since_milliseconds = now;
    } else if (now - w->since_milliseconds > p->deadline_milliseconds) {
        child_hangs(p, w);
    }
}

static void look_at_socket(struct pool *p, struct worker *w)
{
    char done;
    ssize_t got = recv(w->socket, &done, 1, MSG_DONTWAIT);
    if (got == 1)
        child_answered(p, w);
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
        child_ended(p, w);
}

void pool_wait(struct pool *p)
{
    struct pollfd ready[WORKERS_MAX];
    struct worker *busy[WORKERS_MAX];
    nfds_t count = 0;
    for (unsigned i = 0; i < p->count; i++)
        if (p->workers[i].task) {
            busy[count] = &p->workers[i];
            ready[count++] =
                (struct pollfd){.fd = p->workers[i].socket, .events = POLLIN};
        }
    if (count == 0)
        return;
    int wait = POLL_MILLISECONDS;
    if (p->deadline_milliseconds < POLL_MILLISECONDS)
        wait = (int)p->deadline_milliseconds;
    int n = poll(ready, count, wait);
    for (nfds_t i = 0; i < count; i++)
        if (n > 0 && ready[i].revents)
            look_at_socket(p, busy[i]);
        else
            look_at_clock(p, busy[i]);
}

void pool_cancel(struct pool *p)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->workers[i].task) {
            end_child(p, &p->workers[i]);
            finish(&p->workers[i]);
        }
}
