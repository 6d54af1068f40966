/* SPDX-License-Identifier: Apache-2.0
 * versions.h - Forebear and the libraries it runs with, as the report must name them. */
#ifndef FOREBEAR_VERSIONS_H
#define FOREBEAR_VERSIONS_H

#include "detect/detect.h"

/* "Forebear 0.1.0" */
const char *versions_program(void);
/* "libevtx 20181227", ... as found at run time where the library tells; in the arena. */
struct text_list versions_libraries(struct arena *arena);
/* "Linux 6.1.0 x86_64" */
struct text versions_platform(struct arena *arena);

#endif
