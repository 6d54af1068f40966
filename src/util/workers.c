/* SPDX-License-Identifier: Apache-2.0 */
#include "util/workers.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "util/memory.h"

struct worker {
    struct workers *pool;
    pthread_t thread;
    unsigned number;
};

struct workers {
    pthread_mutex_t lock;
    pthread_cond_t has_work, is_done;
    struct work *first, **last;
    struct worker *threads;
    unsigned count; /* of threads; 0: work is done when it is handed in */
    unsigned idle;  /* threads that sleep: waking nobody is cheaper */
    bool is_waiting, is_closing;
    cpu_set_t processors; /* on which the program may run */
    bool is_placed;       /* threads begin on others of these than their maker's */
};

static struct work *take_first(struct workers *w)
{
    struct work *work = w->first;
    if (work) {
        w->first = work->next;
        if (!w->first)
            w->last = &w->first;
    }
    return work;
}

static struct work *take(struct workers *w)
{
    while (!w->first && !w->is_closing) {
        w->idle++;
        pthread_cond_wait(&w->has_work, &w->lock);
        w->idle--;
    }
    return take_first(w);
}

/* Called and left with the lock held. */
static void run_unlocked(struct workers *w, struct work *work, unsigned number)
{
    pthread_mutex_unlock(&w->lock);
    work->run(work, number);
    pthread_mutex_lock(&w->lock);
    work->is_done = true;
}

static void *live(void *context)
{
    struct worker *worker = context;
    struct workers *w = worker->pool;
    if (w->is_placed)
        sched_setaffinity(0, sizeof w->processors, &w->processors);
    pthread_mutex_lock(&w->lock);
    for (struct work *work = take(w); work; work = take(w)) {
        run_unlocked(w, work, worker->number);
        if (w->is_waiting)
            pthread_cond_signal(&w->is_done);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* A new thread waits for the processor of the one that made it until the next tick, if the
 * scheduler puts it there: up to 4 ms in a virtual machine whose other processor was idle. So it
 * is made for the others, and may run on all as soon as it runs. */
static void begin_elsewhere(struct workers *w, pthread_attr_t *attributes)
{
#ifdef __GLIBC__ /* others have no such attribute */
    int here = sched_getcpu();
    if (here < 0 || here >= CPU_SETSIZE ||
        sched_getaffinity(0, sizeof w->processors, &w->processors) != 0)
        return;
    cpu_set_t others = w->processors;
    CPU_CLR((unsigned)here, &others);
    w->is_placed = CPU_COUNT(&others) > 0 &&
                   pthread_attr_setaffinity_np(attributes, sizeof others, &others) == 0;
#else
    (void)w;
    (void)attributes;
#endif
}

static bool start_thread(struct worker *worker, const pthread_attr_t *attributes)
{
    return pthread_create(&worker->thread, attributes, live, worker) == 0 ||
           pthread_create(&worker->thread, NULL, live, worker) == 0;
}

/* Signals are for the thread that runs the program. */
static void start_threads(struct workers *w, unsigned count)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    begin_elsewhere(w, &attributes);
    for (unsigned i = 0; i < count; i++) {
        struct worker *worker = &w->threads[i];
        *worker = (struct worker){.pool = w, .number = i};
        if (!start_thread(worker, &attributes))
            break;
        w->count++;
    }
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct workers *workers_open(unsigned count)
{
    struct workers *w = memory_get_zeroed(1, sizeof *w);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->has_work, NULL);
    pthread_cond_init(&w->is_done, NULL);
    w->last = &w->first;
    if (count > 1) {
        w->threads = memory_get_zeroed(count - 1, sizeof *w->threads);
        start_threads(w, count - 1);
    }
    return w;
}

unsigned workers_count(const struct workers *w)
{
    return w->count + 1;
}

void workers_submit(struct workers *w, struct work *work)
{
    work->is_done = false;
    work->next = NULL;
    if (!w || w->count == 0) {
        work->run(work, 0);
        work->is_done = true;
        return;
    }
    pthread_mutex_lock(&w->lock);
    *w->last = work;
    w->last = &work->next;
    if (w->idle)
        pthread_cond_signal(&w->has_work);
    pthread_mutex_unlock(&w->lock);
}

void workers_wait(struct workers *w, struct work *work)
{
    if (!w) /* it was done when it was handed in */
        return;
    pthread_mutex_lock(&w->lock);
    while (!work->is_done) {
        struct work *other = take_first(w);
        if (other) {
            run_unlocked(w, other, w->count);
            continue;
        }
        w->is_waiting = true;
        pthread_cond_wait(&w->is_done, &w->lock);
        w->is_waiting = false;
    }
    pthread_mutex_unlock(&w->lock);
}

void workers_close(struct workers *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->is_closing = true;
    pthread_cond_broadcast(&w->has_work);
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->count; i++)
        pthread_join(w->threads[i].thread, NULL);
    pthread_cond_destroy(&w->has_work);
    pthread_cond_destroy(&w->is_done);
    pthread_mutex_destroy(&w->lock);
    free(w->threads);
    free(w);
}
