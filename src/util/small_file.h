/* SPDX-License-Identifier: Apache-2.0
 * small_file.h - a file that the user names and that fits into memory: a case file, a logo,
 * a table of the time zone. Never evidence. */
#ifndef FOREBEAR_SMALL_FILE_H
#define FOREBEAR_SMALL_FILE_H

#include "util/arena.h"
#include "util/digest.h"
#include "util/error.h"

/* All of a file's bytes, in the arena, with a NUL behind them. FAILED, with the path in the
 * sentence, if it cannot be opened or read, is no regular file, or is larger than
 * max_bytes. */
enum status small_file_read(struct text *content, const char *path, size_t max_bytes,
                            struct arena *arena, struct error *err);
/* The same, and it is UTF-8, without NULs; a byte order mark at its start is dropped. */
enum status small_file_read_text(struct text *content, const char *path,
                                 size_t max_bytes, struct arena *arena,
                                 struct error *err);
bool small_file_is_there(const char *path);
/* SHA-256. */
void small_file_digest(struct digest_values *d, struct text content);

/* The next line of *rest without its line end (LF or CRLF), which is taken off it; false
 * where nothing is left. */
bool small_file_next_line(struct text *rest, struct text *line);
/* Without the blanks and tabs around it. */
struct text text_trim(struct text t);

#endif
