/* SPDX-License-Identifier: Apache-2.0
 * text.h - borrowed slices of text and bytes, and a growing buffer.
 *
 * A struct text is UTF-8, not NUL-terminated, and owns nothing: whoever made it says how
 * long it lives. ptr == NULL means "absent" and differs from "" (Sysmon distinguishes a
 * field that a schema does not have from one that is empty). Print one with "%.*s" and
 * TEXT(t).
 *
 * Comparisons fold ASCII only. Full Unicode folding would make U+017F equal 's' and so
 * make rules fire where their authors' engines do not (tests: case 46 of msra_truth.tsv). */
#ifndef FOREBEAR_TEXT_H
#define FOREBEAR_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    const char *ptr;
    size_t len;
};

struct bytes {
    const uint8_t *ptr;
    size_t len;
};

#define TEXT(t)         (int)(t).len, (t).ptr ? (t).ptr : ""
#define TEXT_LITERAL(s) ((struct text){(s), sizeof(s) - 1})
#define NO_TEXT         ((struct text){NULL, 0})

/* The text of a NUL-terminated string; NULL gives NO_TEXT. Borrows. */
struct text text_from(const char *string);
static inline bool text_is_absent(struct text t)
{
    return t.ptr == NULL;
}
/* Absent or "". */
static inline bool text_is_empty(struct text t)
{
    return t.len == 0;
}
static inline bool text_equal(struct text a, struct text b)
{
    return a.len == b.len && (a.ptr == NULL) == (b.ptr == NULL) &&
           (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
/* Byte order, then length; absent sorts first. For qsort-like use: <0, 0, >0. */
int text_compare(struct text a, struct text b);
bool text_equal_fold(struct text a, struct text b);
bool text_starts_with_fold(struct text t, struct text prefix);
bool text_ends_with_fold(struct text t, struct text suffix);
bool text_contains_fold(struct text t, struct text part);
/* What follows the last '\', or all of it. The rules know no other separator
 * (row 45 of msra_truth.tsv: forward slashes do not match). */
struct text text_basename(struct text path);
/* [from, from+len) cut to what there is. */
struct text text_slice(struct text t, size_t from, size_t len);
/* Decimal digits only, the whole text, no overflow. */
bool text_to_u64(struct text t, uint64_t *out);

/* The word for so many: count_word(n, "is", "are"). */
static inline const char *count_word(uint64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}
/* The ending of a noun: "%zu log%s". */
#define PLURAL(n) count_word((n), "", "s")

/* A growing byte buffer. All zeros is an empty one. After any add, ptr[len] is NUL.
 * Running out of memory ends the process (memory.h), so adding cannot fail. */
struct buffer {
    char *ptr;
    size_t len, capacity;
};

void buffer_release(struct buffer *b);
void buffer_clear(struct buffer *b);
/* Room for n more bytes; returns where they go. The caller adds to len. */
char *buffer_reserve(struct buffer *b, size_t n);
void buffer_add(struct buffer *b, const void *data, size_t len);
void buffer_add_text(struct buffer *b, struct text t);
void buffer_add_string(struct buffer *b, const char *string);
void buffer_add_char(struct buffer *b, char c);
void buffer_add_number(struct buffer *b, uint64_t value); /* decimal */
void buffer_printf(struct buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_vprintf(struct buffer *b, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* As a POSIX shell takes it for one word: in quotes where it must be. */
void buffer_add_shell_word(struct buffer *b, struct text word);
/* Borrowed until the next change. */
struct text buffer_text(const struct buffer *b);

#endif
