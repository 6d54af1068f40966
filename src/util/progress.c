/* SPDX-License-Identifier: Apache-2.0 */
#include "util/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const double redraw_seconds = 0.2;

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void progress_start(struct progress *p, struct journal *journal, const char *what,
                    uint64_t total_bytes)
{
    *p = (struct progress){.journal = journal, .what = what, .total = total_bytes};
    p->started = p->shown = now_seconds();
    p->visible = !journal->quiet && isatty(STDERR_FILENO);
}

static void draw(struct progress *p, double now)
{
    double seconds = now - p->started, mib = (double)p->done / 1048576.0;
    double rate = seconds > 0 ? mib / seconds : 0;
    double left = rate > 0 && p->total > p->done
                      ? (double)(p->total - p->done) / 1048576.0 / rate
                      : 0;
    int percent = p->total ? (int)(100.0 * (double)p->done / (double)p->total) : 100;
    fprintf(stderr, "\r\033[K%s: %3d %%  %.1f of %.1f MiB  %.1f MiB/s  %d:%02d left",
            p->what, percent > 100 ? 100 : percent, mib, (double)p->total / 1048576.0,
            rate, (int)left / 60, (int)left % 60);
    p->journal->progress_shown = true;
    p->shown = now;
}

void progress_advance(struct progress *p, uint64_t bytes)
{
    if (!p)
        return;
    p->done += bytes;
    if (!p->visible)
        return;
    double now = now_seconds();
    if (now - p->shown >= redraw_seconds)
        draw(p, now);
}

void progress_end(struct progress *p)
{
    if (!p || !p->visible || !p->journal->progress_shown)
        return;
    fputs("\r\033[K", stderr);
    p->journal->progress_shown = false;
}
