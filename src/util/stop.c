/* SPDX-License-Identifier: Apache-2.0 */
#include "util/stop.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t asked;

static void remember(int number)
{
    asked = number;
}

void stop_install(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = remember;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler =
        SIG_IGN; /* a closed pipe is an error of write(), with its place */
    sigaction(SIGPIPE, &action, NULL);
}

bool stop_requested(void)
{
    return asked != 0;
}

bool stop_close(void)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    return asked == 0;
}

void stop_die(void)
{
    if (!asked)
        return;
    signal(asked, SIG_DFL);
    raise(asked);
}
