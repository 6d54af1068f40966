/* SPDX-License-Identifier: Apache-2.0 */
#include "util/stop.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t asked;

static void remember(int number)
{
    asked = number;
}

static bool is_ignored(int number)
{
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

void stop_install(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = remember;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!is_ignored(SIGHUP)) /* nohup(1): the run outlives its terminal */
        sigaction(SIGHUP, &action, NULL);
    /* A closed pipe and a file that is too large are errors of write(), with their place. */
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);
}

bool stop_requested(void)
{
    return asked != 0;
}

bool stop_close(void)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    return asked == 0;
}

void stop_die(void)
{
    if (!asked)
        return;
    signal(asked, SIG_DFL);
    raise(asked);
}
