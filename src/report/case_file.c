/* SPDX-License-Identifier: Apache-2.0
 * case_file.c - what a lab writes on the cover of a report: "Key: value" lines, then a line
 * "Notes:" with free text behind it up to the end of the file. */
#include "report/report_internal.h"

#include <stddef.h>
#include <string.h>

#include "util/small_file.h"

enum { CASE_FILE_MAX = 256 * 1024, LOGO_MAX = 512 * 1024, LOGO_SIDE_MAX = 4096 };

static const struct key {
    const char *name;
    size_t offset; /* of the struct text in struct case_data */
    bool repeats;  /* a second value is added */
} keys[] = {
    {"Case number",     offsetof(struct case_data, case_number),     false},
    {"Evidence number", offsetof(struct case_data, evidence_number), true },
    {"Examiner",        offsetof(struct case_data, examiner),        true },
    {"Laboratory",      offsetof(struct case_data, laboratory),      false},
    {"Client",          offsetof(struct case_data, client),          false},
    {"Reference",       offsetof(struct case_data, reference),       true },
    {"Received",        offsetof(struct case_data, received),        true },
};

enum { KEYS = sizeof keys / sizeof *keys };

/* --- the logo, as a data: URI */

static void add_base64(struct buffer *out, struct text bytes)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t three = 0;
        for (size_t k = 0; k < 3; k++)
            three = three << 8 | (i + k < bytes.len ? (uint8_t)bytes.ptr[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buffer_add_char(out, i + k <= bytes.len ? digits[three >> (18 - 6 * k) & 63]
                                                    : '=');
    }
}

static uint32_t big_endian(struct text t, size_t at, size_t size)
{
    uint32_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | (at + i < t.len ? (uint8_t)t.ptr[at + i] : 0);
    return value;
}

struct sides {
    uint32_t width, height;
};

/* PNG: signature, then the chunk IHDR (RFC 2083, 12.12). */
static bool png_sides(struct text t, struct sides *sides)
{
    if (t.len < 33 || memcmp(t.ptr, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16) != 0)
        return false;
    *sides = (struct sides){big_endian(t, 16, 4), big_endian(t, 20, 4)};
    return true;
}

/* JPEG: markers up to a start of frame (ITU-T T.81, B.2.2). */
static bool jpeg_sides(struct text t, struct sides *sides)
{
    if (t.len < 4 || memcmp(t.ptr, "\xff\xd8\xff", 3) != 0)
        return false;
    for (size_t at = 2; at + 9 < t.len && (uint8_t)t.ptr[at] == 0xff;) {
        uint8_t marker = (uint8_t)t.ptr[at + 1];
        bool is_frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 &&
                        marker != 0xc8 && marker != 0xcc;
        if (is_frame) {
            *sides = (struct sides){big_endian(t, at + 7, 2), big_endian(t, at + 5, 2)};
            return true;
        }
        uint32_t length = big_endian(t, at + 2, 2);
        if (length < 2)
            return false;
        at += 2 + length;
    }
    return false;
}

static enum status read_logo(struct case_data *c, const char *path, struct arena *arena,
                             struct error *err)
{
    struct text bytes;
    struct sides sides;
    if (small_file_read(&bytes, path, LOGO_MAX, arena, err) != OK)
        return FAILED;
    bool is_png = png_sides(bytes, &sides);
    if (!is_png && !jpeg_sides(bytes, &sides))
        return fail(err, FAILED, NOWHERE, "%s: a logo is a PNG or JPEG picture", path);
    if (sides.width == 0 || sides.height == 0 || sides.width > LOGO_SIDE_MAX ||
        sides.height > LOGO_SIDE_MAX)
        return fail(err, FAILED, NOWHERE,
                    "%s: a logo has from 1 to %d pixels each way, this one has %u x %u",
                    path, LOGO_SIDE_MAX, sides.width, sides.height);
    struct buffer uri = {0};
    buffer_printf(&uri, "data:image/%s;base64,", is_png ? "png" : "jpeg");
    add_base64(&uri, bytes);
    c->logo = arena_copy(arena, buffer_text(&uri));
    buffer_release(&uri);
    return OK;
}

enum status case_logo_find(struct case_data *c, const char *template_dir,
                           struct arena *arena, struct error *err)
{
    static const char *const names[] = {"logo.png", "logo.jpg"};
    for (size_t i = 0; template_dir && text_is_absent(c->logo) && i < 2; i++) {
        const char *path = arena_printf(arena, "%s/%s", template_dir, names[i]).ptr;
        if (small_file_is_there(path) && read_logo(c, path, arena, err) != OK)
            return FAILED;
    }
    return OK;
}

/* --- the file */

struct case_reader {
    struct case_data *c;
    const char *path;
    struct text folder; /* of the file, with its slash */
    bool given[KEYS];   /* by the command line */
    bool has_notes;     /* the same */
    size_t line;
    struct arena *arena;
    struct error *err;
};

static struct text *value_of(struct case_data *c, size_t key)
{
    return (struct text *)(void *)((char *)c + keys[key].offset);
}

static enum status refuse(const struct case_reader *r, const char *what,
                          struct text which)
{
    return fail(r->err, FAILED, NOWHERE, "%s, line %zu: %s%.*s", r->path, r->line, what,
                TEXT(which));
}

static enum status take_value(struct case_reader *r, size_t key, struct text value)
{
    struct text *into = value_of(r->c, key);
    if (r->given[key])
        return OK;
    if (!text_is_absent(*into) && !keys[key].repeats)
        return refuse(r,
                      "there are two lines with this key: ", text_from(keys[key].name));
    *into = text_is_absent(*into)
                ? arena_copy(r->arena, value)
                : arena_printf(r->arena, "%.*s, %.*s", TEXT(*into), TEXT(value));
    return OK;
}

static enum status take_signature(struct case_reader *r, struct text value)
{
    bool yes = text_equal_fold(value, TEXT_LITERAL("yes"));
    if (!yes && !text_equal_fold(value, TEXT_LITERAL("no")))
        return refuse(r, "Signature is yes or no, not: ", value);
    r->c->signature = yes;
    return OK;
}

static enum status take_logo(struct case_reader *r, struct text value)
{
    struct text folder = value.ptr[0] == '/' ? TEXT_LITERAL("") : r->folder;
    const char *path =
        arena_printf(r->arena, "%.*s%.*s", TEXT(folder), TEXT(value)).ptr;
    struct error why = {0};
    return read_logo(r->c, path, r->arena, &why) == OK
               ? OK
               : refuse(r, "", text_from(why.what));
}

static enum status take_line(struct case_reader *r, struct text line)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    if (!colon)
        return refuse(r, "a line is \"Key: value\", this one has no colon: ", line);
    size_t len = (size_t)(colon - line.ptr);
    struct text key = text_trim(text_slice(line, 0, len));
    struct text value = text_trim(text_slice(line, len + 1, SIZE_MAX));
    if (value.len == 0)
        return refuse(r, "this key has no value: ", key);
    if (text_equal_fold(key, TEXT_LITERAL("Signature")))
        return take_signature(r, value);
    if (text_equal_fold(key, TEXT_LITERAL("Logo")))
        return take_logo(r, value);
    for (size_t i = 0; i < KEYS; i++)
        if (text_equal_fold(key, text_from(keys[i].name)))
            return take_value(r, i, value);
    return refuse(r, "there is no such key: ", key);
}

/* Everything behind the line "Notes:", without the blank lines around it. */
static void take_notes(struct case_reader *r, struct text rest)
{
    struct text notes = rest, line;
    while (small_file_next_line(&rest, &line) && text_trim(line).len == 0)
        notes = rest;
    while (notes.len && strchr(" \t\r\n", notes.ptr[notes.len - 1]))
        notes.len--;
    if (!r->has_notes && notes.len)
        r->c->notes = arena_copy(r->arena, notes);
}

static enum status read_lines(struct case_reader *r, struct text rest)
{
    struct text line;
    for (r->line = 1; small_file_next_line(&rest, &line); r->line++) {
        line = text_trim(line);
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        if (text_equal_fold(line, TEXT_LITERAL("Notes:"))) {
            take_notes(r, rest);
            return OK;
        }
        if (take_line(r, line) != OK)
            return FAILED;
    }
    return OK;
}

enum status case_file_read(struct case_data *c, const char *path, struct arena *arena,
                           struct error *err)
{
    struct case_reader r = {.c = c, .path = path, .arena = arena, .err = err};
    struct text content;
    const char *slash = strrchr(path, '/');
    r.folder = (struct text){path, slash ? (size_t)(slash + 1 - path) : 0};
    r.has_notes = !text_is_absent(c->notes);
    for (size_t i = 0; i < KEYS; i++)
        r.given[i] = !text_is_absent(*value_of(c, i));
    if (small_file_read_text(&content, path, CASE_FILE_MAX, arena, err) != OK)
        return FAILED;
    c->file = arena_copy(arena, text_from(path));
    small_file_digest(&c->digests, content);
    return read_lines(&r, content);
}
