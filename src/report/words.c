/* SPDX-License-Identifier: Apache-2.0 */
#include "report/words.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/small_file.h"
#include "util/utf.h"

/* Of the file that is being read. */
struct po_reader {
    struct words *words;
    struct text rest;
    size_t line, id_line;
    struct buffer id, string; /* of the entry so far */
    enum { NOTHING, IN_ID, IN_STRING } state;
    bool is_fuzzy, next_is_fuzzy; /* msgfmt takes such a translation for none, too */
    struct error *err;
};

static enum status refuse(const struct po_reader *r, size_t line, const char *what,
                          struct text which)
{
    return fail(r->err, FAILED, NOWHERE, "%.*s, line %zu: %s%s%.*s",
                TEXT(r->words->file), line, what, which.len ? ": " : "", TEXT(which));
}

/* The {slots} of one text, each as often as in the other. */
static bool has_slots_of(struct text t, struct text other)
{
    while (t.len) {
        const char *open = memchr(t.ptr, '{', t.len);
        if (!open)
            return true;
        t = text_slice(t, (size_t)(open - t.ptr), SIZE_MAX);
        const char *close = memchr(t.ptr, '}', t.len);
        if (!close)
            return false;
        struct text slot = text_slice(t, 0, (size_t)(close + 1 - t.ptr));
        if (!text_contains_fold(other, slot))
            return false;
        t = text_slice(t, slot.len, SIZE_MAX);
    }
    return true;
}

static struct word *enter(struct words *w, struct text english)
{
    bool is_new;
    struct map_entry *entry =
        map_enter(&w->by_english, map_key_text(english), (uint32_t)w->count, &is_new);
    if (!is_new)
        return &w->items[entry->value];
    struct text copy = arena_copy(w->arena, english);
    entry->key = map_key_text(copy);
    ARRAY_GROW(w->items, w->count, w->capacity);
    w->items[w->count] = (struct word){.english = copy};
    return &w->items[w->count++];
}

/* The entry with the empty msgid is the file's own header. */
static enum status end_entry(struct po_reader *r)
{
    struct text id = buffer_text(&r->id), string = buffer_text(&r->string);
    if (r->state == IN_ID)
        return refuse(r, r->id_line, "this msgid has no msgstr", id);
    if (r->state == IN_STRING && id.len) {
        struct word *word = enter(r->words, id);
        if (word->translation_line)
            return refuse(r, r->id_line, "this msgid comes twice", id);
        word->translation_line = r->id_line;
        if (!has_slots_of(id, string) && string.len)
            return refuse(r, r->id_line, "msgstr lacks a {slot} of its msgid", id);
        if (!has_slots_of(string, id))
            return refuse(r, r->id_line, "msgstr has a {slot} that msgid has not", id);
        if (string.len && !r->is_fuzzy)
            word->translation = arena_copy(r->words->arena, string);
    }
    buffer_clear(&r->id);
    buffer_clear(&r->string);
    r->state = NOTHING;
    return OK;
}

static enum status take_quoted(struct po_reader *r, struct text quoted,
                               struct buffer *into)
{
    quoted = text_trim(quoted);
    if (quoted.len < 2 || quoted.ptr[0] != '"' || quoted.ptr[quoted.len - 1] != '"')
        return refuse(r, r->line, "a text stands in double quotes", quoted);
    struct text inner = text_slice(quoted, 1, quoted.len - 2);
    for (size_t i = 0; i < inner.len; i++) {
        char c = inner.ptr[i];
        if (c == '"')
            return refuse(r, r->line, "a double quote in a text is written \\\"",
                          quoted);
        if (c == '\\') {
            c = ++i < inner.len ? inner.ptr[i] : '\0';
            if (!c || !strchr("\"\\nt", c))
                return refuse(r, r->line, "only \\\", \\\\, \\n and \\t are known",
                              quoted);
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
        buffer_add_char(into, c);
    }
    return OK;
}

static enum status take_po_line(struct po_reader *r, struct text line)
{
    static const struct text id = {"msgid ", 6}, string = {"msgstr ", 7};
    if (line.len == 0)
        return OK;
    if (line.ptr[0] == '#') {
        r->next_is_fuzzy |= text_starts_with_fold(line, TEXT_LITERAL("#,")) &&
                            text_contains_fold(line, TEXT_LITERAL("fuzzy"));
        return OK;
    }
    if (line.ptr[0] == '"' && r->state != NOTHING)
        return take_quoted(r, line, r->state == IN_ID ? &r->id : &r->string);
    if (text_starts_with_fold(line, id)) {
        if (end_entry(r) != OK)
            return FAILED;
        r->state = IN_ID;
        r->id_line = r->line;
        r->is_fuzzy = r->next_is_fuzzy;
        r->next_is_fuzzy = false;
        return take_quoted(r, text_slice(line, id.len, SIZE_MAX), &r->id);
    }
    if (text_starts_with_fold(line, string) && r->state == IN_ID) {
        r->state = IN_STRING;
        return take_quoted(r, text_slice(line, string.len, SIZE_MAX), &r->string);
    }
    return refuse(r, r->line, "only msgid, then msgstr, texts and # comments are known",
                  line);
}

enum status words_read(struct words *w, struct text file, struct text content,
                       struct error *err)
{
    struct po_reader r = {.words = w, .rest = content, .err = err};
    struct text line;
    enum status status = OK;
    w->file = arena_copy(w->arena, file);
    while (status == OK && small_file_next_line(&r.rest, &line)) {
        r.line++;
        status = utf_is_valid(line) && !memchr(line.ptr, '\0', line.len)
                     ? take_po_line(&r, text_trim(line))
                     : refuse(&r, r.line, "this is no UTF-8 text", NO_TEXT);
    }
    if (status == OK)
        status = end_entry(&r);
    buffer_release(&r.id);
    buffer_release(&r.string);
    return status;
}

void words_release(struct words *w)
{
    free(w->items);
    map_release(&w->by_english);
    *w = (struct words){0};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool has_letter(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if ((t.ptr[i] | 0x20) >= 'a' && (t.ptr[i] | 0x20) <= 'z')
            return true;
    return false;
}

static void add_squeezed(struct buffer *out, struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (!is_blank(t.ptr[i]))
            buffer_add_char(out, t.ptr[i]);
        else if (i + 1 < t.len && !is_blank(t.ptr[i + 1]))
            buffer_add_char(out, ' ');
}

void words_add(struct words *w, struct buffer *out, struct text text, const char *file,
               int line)
{
    struct buffer english = {0};
    size_t from = 0, to = text.len;
    if (!has_letter(text)) {
        buffer_add_text(out, text);
        return;
    }
    while (is_blank(text.ptr[from]))
        from++;
    while (is_blank(text.ptr[to - 1]))
        to--;
    add_squeezed(&english, text_slice(text, from, to - from));
    struct word *word = enter(w, buffer_text(&english));
    if (text_is_absent(word->file)) {
        word->file = arena_copy(w->arena, text_from(file));
        word->line = line;
    }
    buffer_add_text(out, text_slice(text, 0, from));
    buffer_add_text(out, text_is_absent(word->translation)
                             ? text_slice(text, from, to - from)
                             : word->translation);
    buffer_add_text(out, text_slice(text, to, SIZE_MAX));
    buffer_release(&english);
}

static void add_quoted(struct buffer *out, const char *keyword, struct text t)
{
    buffer_printf(out, "%s \"", keyword);
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        if (c == '\n' || c == '\t')
            buffer_add_string(out, c == '\n' ? "\\n" : "\\t");
        else if (c == '"' || c == '\\')
            buffer_printf(out, "\\%c", c);
        else
            buffer_add_char(out, c);
    }
    buffer_add_string(out, "\"\n");
}

static int compare_places(const void *left, const void *right)
{
    const struct word *a = left, *b = right;
    int files = text_compare(a->file, b->file);
    return files ? files : (a->line > b->line) - (a->line < b->line);
}

size_t words_list(const struct words *w, struct text language, struct buffer *out)
{
    size_t missing = 0;
    struct word *sorted = memory_get((w->count + 1) * sizeof *sorted);
    memcpy(sorted, w->items, w->count * sizeof *sorted);
    qsort(sorted, w->count, sizeof *sorted, compare_places);
    buffer_printf(out,
                  "msgid \"\"\nmsgstr \"\"\n\"Language: %.*s\\n\"\n"
                  "\"Content-Type: text/plain; charset=UTF-8\\n\"\n",
                  TEXT(language));
    for (size_t i = 0; i < w->count; i++) {
        if (text_is_absent(sorted[i].file))
            continue;
        missing += text_is_absent(sorted[i].translation);
        buffer_printf(out, "\n#: %.*s:%d\n", TEXT(sorted[i].file), sorted[i].line);
        add_quoted(out, "msgid", sorted[i].english);
        add_quoted(out, "msgstr", sorted[i].translation);
    }
    free(sorted);
    return missing;
}

bool words_is_language(struct text name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!is_letter && !(i > 1 && (c == '-' || (c >= '0' && c <= '9'))))
            return false;
    }
    return name.len >= 2 && name.len <= 16;
}
