/* SPDX-License-Identifier: Apache-2.0
 * base_log.h - the log that the tests of damage damage: four chunks of 78, 72, 73 and 75
 * Sysmon records, header ids 1 to 298.
 *
 * Where there is shared data it is the beginning of a public log. Where there is none, one
 * is made whose records have the same event ids and sizes, one by one, and so lie at the
 * same offsets: what the tests expect of one they expect of the other. */
#ifndef FOREBEAR_BASE_LOG_H
#define FOREBEAR_BASE_LOG_H

#include "memory_log.h"

/* Release with memory_log_free(). */
struct memory_log *base_log_open(void);

#endif
