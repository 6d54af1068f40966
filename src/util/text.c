/* SPDX-License-Identifier: Apache-2.0 */
#include "util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/ascii.h"
#include "util/memory.h"

struct text text_from(const char *string)
{
    return string ? (struct text){string, strlen(string)} : NO_TEXT;
}

int text_compare(struct text a, struct text b)
{
    if (a.ptr == NULL || b.ptr == NULL)
        return (a.ptr != NULL) - (b.ptr != NULL);
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static unsigned char fold(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* Paths mostly start alike: their last characters tell them apart first. */
static bool equal_fold(const char *a, const char *b, size_t len)
{
    if (len && fold((unsigned char)a[len - 1]) != fold((unsigned char)b[len - 1]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (fold((unsigned char)a[i]) != fold((unsigned char)b[i]))
            return false;
    return true;
}

bool text_equal_fold(struct text a, struct text b)
{
    return a.ptr && b.ptr && a.len == b.len && equal_fold(a.ptr, b.ptr, a.len);
}

bool text_starts_with_fold(struct text t, struct text prefix)
{
    return t.ptr && prefix.len <= t.len && equal_fold(t.ptr, prefix.ptr, prefix.len);
}

bool text_ends_with_fold(struct text t, struct text suffix)
{
    return t.ptr && suffix.len <= t.len &&
           equal_fold(t.ptr + t.len - suffix.len, suffix.ptr, suffix.len);
}

static void add_folded(struct buffer *out, struct text t)
{
    char *to = buffer_reserve(out, t.len);
    for (size_t i = 0; i < t.len; i++)
        to[i] = t.ptr[i] >= 'A' && t.ptr[i] <= 'Z' ? (char)(t.ptr[i] | 0x20) : t.ptr[i];
    out->len += t.len;
}

/* Two long texts: the time grows with both lengths, not with their product. */
static bool contains_long(struct text t, struct text part)
{
    struct buffer whole = {0}, wanted = {0};
    add_folded(&whole, t);
    add_folded(&wanted, part);
    bool found = memmem(whole.ptr, whole.len, wanted.ptr, wanted.len) != NULL;
    buffer_release(&whole);
    buffer_release(&wanted);
    return found;
}

bool text_contains_fold(struct text t, struct text part)
{
    enum { LONG = 256 };
    if (!t.ptr || part.len > t.len || part.len == 0)
        return t.ptr && part.len == 0;
    if (part.len >= LONG)
        return contains_long(t, part);
    unsigned char last = fold((unsigned char)part.ptr[part.len - 1]);
    for (size_t end = part.len - 1; end < t.len; end++)
        if (fold((unsigned char)t.ptr[end]) == last &&
            equal_fold(t.ptr + end + 1 - part.len, part.ptr, part.len))
            return true;
    return false;
}

struct text text_basename(struct text path)
{
    const char *last = path.len ? memrchr(path.ptr, '\\', path.len) : NULL;
    return last ? text_slice(path, (size_t)(last + 1 - path.ptr), SIZE_MAX) : path;
}

struct text text_slice(struct text t, size_t from, size_t len)
{
    if (!t.ptr)
        return t;
    if (from > t.len)
        from = t.len;
    if (len > t.len - from)
        len = t.len - from;
    return (struct text){t.ptr + from, len};
}

bool text_to_u64(struct text t, uint64_t *out)
{
    uint64_t value = 0;
    if (t.len == 0)
        return false;
    for (size_t i = 0; i < t.len; i++) {
        if (t.ptr[i] < '0' || t.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(t.ptr[i] - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

void buffer_release(struct buffer *b)
{
    free(b->ptr);
    *b = (struct buffer){0};
}

void buffer_clear(struct buffer *b)
{
    b->len = 0;
    if (b->ptr)
        b->ptr[0] = '\0';
}

char *buffer_reserve(struct buffer *b, size_t n)
{
    if (n >= b->capacity - b->len) {
        size_t capacity = b->capacity ? b->capacity : 64;
        while (capacity - b->len <= n)
            capacity *= 2;
        b->ptr = memory_resize(b->ptr, capacity);
        b->capacity = capacity;
    }
    return b->ptr + b->len;
}

void buffer_add(struct buffer *b, const void *data, size_t len)
{
    char *to = buffer_reserve(b, len);
    if (len)
        memcpy(to, data, len);
    b->len += len;
    b->ptr[b->len] = '\0';
}

void buffer_add_text(struct buffer *b, struct text t)
{
    buffer_add(b, t.ptr, t.len);
}

void buffer_add_string(struct buffer *b, const char *string)
{
    buffer_add(b, string, strlen(string));
}

void buffer_add_char(struct buffer *b, char c)
{
    buffer_add(b, &c, 1);
}

void buffer_vprintf(struct buffer *b, const char *format, va_list args)
{
    enum { ROOM = 512 }; /* mostly enough, and then formatted once */
    va_list again;
    va_copy(again, args);
    char *to = buffer_reserve(b, ROOM);
    int len = vsnprintf(to, ROOM, format, args);
    if (len >= ROOM) {
        to = buffer_reserve(b, (size_t)len + 1);
        vsnprintf(to, (size_t)len + 1, format, again);
    }
    if (len > 0)
        b->len += (size_t)len;
    va_end(again);
}

void buffer_add_number(struct buffer *b, uint64_t value)
{
    char *to = buffer_reserve(b, ASCII_NUMBER_MAX);
    b->len += ascii_write_number(to, value);
    b->ptr[b->len] = '\0';
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buffer_vprintf(b, format, args);
    va_end(args);
}

static bool is_plain_in_shell(struct text word)
{
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        if (!memchr("-_=./,:+%@", c, 10) && !(c >= '0' && c <= '9') &&
            !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
            return false;
    }
    return word.len > 0;
}

void buffer_add_shell_word(struct buffer *b, struct text word)
{
    const char *quote = is_plain_in_shell(word) ? "" : "'";
    buffer_add_string(b, quote);
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] == '\'')
            buffer_add_string(b, "'\\''");
        else
            buffer_add_char(b, word.ptr[i]);
    buffer_add_string(b, quote);
}

struct text buffer_text(const struct buffer *b)
{
    return b->ptr ? (struct text){b->ptr, b->len} : TEXT_LITERAL("");
}
