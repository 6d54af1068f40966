/* SPDX-License-Identifier: Apache-2.0
 * show.h - `forebear show`: one record, so that a second examiner can open exactly what a
 * report cites: as both readers decode it, its bytes, its place in the log and, for an
 * image, in the image. */
#ifndef FOREBEAR_SHOW_H
#define FOREBEAR_SHOW_H

#include "options.h"

/* Returns an enum exit_status. */
int run_show(const struct options *options);

#endif
