/* SPDX-License-Identifier: Apache-2.0
 * stop.h - SIGINT, SIGTERM and, where the caller does not ignore it, SIGHUP end the run between
 * two steps, never inside one, so that temporary files are removed; the process then dies of
 * the same signal. */
#ifndef FOREBEAR_STOP_H
#define FOREBEAR_STOP_H

#include <stdbool.h>

void stop_install(void);
/* Has the user asked to stop? Loops over evidence ask this and give up with FAILED. */
bool stop_requested(void);
/* From here on it is too late to stop: what follows is short, and done wholly or not at all.
 * False if the user asked before. */
bool stop_close(void);
/* Die of the signal that asked, if any did. */
void stop_die(void);

#endif
