/* SPDX-License-Identifier: Apache-2.0
 * embedded.h - the default rules and report templates, compiled in from their files by
 * src/embed.sh, under their paths in the source tree ("rules/...", "report-templates/..."). */
#ifndef FOREBEAR_EMBEDDED_H
#define FOREBEAR_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *path;
    const char *ptr; /* len bytes and a NUL */
    size_t len;
};

extern const struct embedded_file embedded_files[]; /* ends with a NULL path */

#endif
