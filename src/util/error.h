/* SPDX-License-Identifier: Apache-2.0
 * error.h - what went wrong, and where.
 *
 * Four outcomes, graded by what the caller may still do:
 *   OK       go on
 *   END      nothing more to give; not an error
 *   DAMAGED  this item is bad; it has been (or is to be) told; go on with the next
 *   FAILED   this run cannot do it
 * `return fail(err, DAMAGED, place, "...")` is the only way to fail; no macro hides a
 * return. An error is untouched on OK and END. */
#ifndef FOREBEAR_ERROR_H
#define FOREBEAR_ERROR_H

#include "util/text.h"

enum status { OK, END, DAMAGED, FAILED };

#define NO_OFFSET UINT64_MAX
#define NO_RECORD UINT64_MAX

/* Where in the evidence. Texts are borrowed and live as long as the run. */
struct place {
    struct text evidence; /* as the user named it, raw bytes; absent: none */
    struct text log;      /* path of the log inside that evidence; absent: none */
    uint64_t offset;      /* in bytes, inside the log (or the evidence if no log) */
    uint64_t record_id; /* EventRecordID, or the header's where that is all there is */
};

#define NOWHERE ((struct place){NO_TEXT, NO_TEXT, NO_OFFSET, NO_RECORD})

struct error {
    enum status status;
    struct place place;
    const char *source_line; /* "evtx/chunk.c:87", for us */
    char what[512]; /* one line, for the user; evidence text in it is escaped */
};

#define fail(err, status, place, ...)                                                  \
 error_set((err), (status), (place), ERROR_LINE, __VA_ARGS__)
#define ERROR_LINE        __FILE__ ":" ERROR_STRING(__LINE__)
#define ERROR_STRING(x)   ERROR_STRING_2(x)
#define ERROR_STRING_2(x) #x

/* Returns `status`. err may be NULL. Control characters in the message become \xNN. */
enum status error_set(struct error *err, enum status status, struct place place,
                      const char *source_line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* "evidence: log: offset 4096: record 7: what", without the parts that are not known. */
void error_describe(const struct error *err, struct buffer *out);

#endif
