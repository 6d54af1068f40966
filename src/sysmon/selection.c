/* SPDX-License-Identifier: Apache-2.0 */
#include "sysmon/selection.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

void selection_init(struct selection *s)
{
    *s = (struct selection){.after = FILETIME_NONE, .before = FILETIME_NONE};
}

void selection_release(struct selection *s)
{
    free(s->ids);
    free(s->channels.items);
    free(s->computers.items);
    selection_init(s);
}

bool selection_is_set(const struct selection *s)
{
    return s->after != FILETIME_NONE || s->before != FILETIME_NONE || s->id_count ||
           s->channels.count || s->computers.count;
}

bool selection_parse_time(struct text t, uint64_t *filetime)
{
    enum { DATE = 10 };
    if (filetime_parse(t, filetime))
        return true;
    if (t.len != DATE)
        return false;
    struct buffer day = {0};
    buffer_add_text(&day, t);
    buffer_add_string(&day, "T00:00:00Z");
    bool good = filetime_parse(buffer_text(&day), filetime);
    buffer_release(&day);
    return good;
}

/* The next piece of a list; false at its end. */
static bool next_piece(struct text *list, struct text *piece)
{
    if (text_is_absent(*list))
        return false;
    const char *comma = list->len ? memchr(list->ptr, ',', list->len) : NULL;
    size_t len = comma ? (size_t)(comma - list->ptr) : list->len;
    *piece = (struct text){list->ptr, len};
    *list = comma ? text_slice(*list, len + 1, SIZE_MAX) : NO_TEXT;
    return true;
}

static bool parse_ids(struct text t, struct selection_ids *ids)
{
    const char *dash = t.len ? memchr(t.ptr, '-', t.len) : NULL;
    size_t len = dash ? (size_t)(dash - t.ptr) : t.len;
    uint64_t first, last;
    if (!text_to_u64(text_slice(t, 0, len), &first))
        return false;
    last = first;
    if (dash && !text_to_u64(text_slice(t, len + 1, SIZE_MAX), &last))
        return false;
    *ids = (struct selection_ids){(uint16_t)first, (uint16_t)last};
    return first <= last && last <= UINT16_MAX;
}

bool selection_add_ids(struct selection *s, struct text list)
{
    struct text piece;
    while (next_piece(&list, &piece)) {
        ARRAY_GROW(s->ids, s->id_count, s->id_capacity);
        if (!parse_ids(piece, &s->ids[s->id_count]))
            return false;
        s->id_count++;
    }
    return true;
}

bool selection_add_names(struct selection_names *names, struct text list)
{
    struct text piece;
    while (next_piece(&list, &piece)) {
        if (piece.len == 0)
            return false;
        ARRAY_GROW(names->items, names->count, names->capacity);
        names->items[names->count++] = piece;
    }
    return true;
}

bool selection_takes_time(const struct selection *s, uint64_t filetime)
{
    if (s->after == FILETIME_NONE && s->before == FILETIME_NONE)
        return true;
    return filetime != FILETIME_NONE &&
           (s->after == FILETIME_NONE || filetime >= s->after) &&
           (s->before == FILETIME_NONE || filetime < s->before);
}

static bool is_among(const struct selection_ids *ids, uint16_t event_id)
{
    return event_id >= ids->first && event_id <= ids->last;
}

bool selection_takes_id(const struct selection *s, uint16_t event_id)
{
    for (size_t i = 0; i < s->id_count; i++)
        if (is_among(&s->ids[i], event_id))
            return true;
    return s->id_count == 0;
}

bool selection_takes_name(const struct selection_names *names, struct text name)
{
    for (size_t i = 0; i < names->count; i++)
        if (text_equal_fold(name, names->items[i]))
            return true;
    return names->count == 0;
}

static void describe_time(struct buffer *out, const char *word, uint64_t filetime)
{
    char text[FILETIME_TEXT_MAX];
    if (filetime != FILETIME_NONE)
        buffer_printf(out, "%s%s %.*s", out->len ? "; " : "", word,
                      TEXT(filetime_format(text, filetime, FILETIME_REPORT)));
}

static void describe_ids(struct buffer *out, const struct selection_ids *ids)
{
    buffer_printf(out, "%u", (unsigned)ids->first);
    if (ids->last != ids->first)
        buffer_printf(out, "-%u", (unsigned)ids->last);
}

static void describe_names(struct buffer *out, const char *word,
                           const struct selection_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        buffer_printf(out, "%s%.*s", i ? ", " : word, TEXT(names->items[i]));
}

void selection_describe(const struct selection *s, struct buffer *out)
{
    size_t before = out->len;
    describe_time(out, "not before", s->after);
    describe_time(out, "before", s->before);
    for (size_t i = 0; i < s->id_count; i++) {
        buffer_add_string(out, i                   ? ", "
                               : out->len > before ? "; event ids "
                                                   : "event ids ");
        describe_ids(out, &s->ids[i]);
    }
    describe_names(out, out->len > before ? "; channel " : "channel ", &s->channels);
    describe_names(out, out->len > before ? "; computer " : "computer ", &s->computers);
}

/* ---- what was not found */

void selection_check_open(struct selection_check *c, const struct selection *s)
{
    size_t count = s->id_count + s->channels.count + s->computers.count;
    *c = (struct selection_check){.selection = s, .left = count};
    c->found = memory_get_zeroed(count + 1, sizeof *c->found);
    atomic_store(&c->is_answered, !selection_is_set(s));
}

void selection_check_release(struct selection_check *c)
{
    free(c->found);
    *c = (struct selection_check){0};
}

static void note_found(struct selection_check *c, size_t i)
{
    if (!atomic_exchange(&c->found[i], true))
        atomic_fetch_sub(&c->left, 1);
}

static void note_name(struct selection_check *c, size_t first,
                      const struct selection_names *names, struct text name)
{
    for (size_t i = 0; i < names->count; i++)
        if (!atomic_load(&c->found[first + i]) &&
            text_equal_fold(name, names->items[i]))
            note_found(c, first + i);
}

void selection_check_note(struct selection_check *c, uint16_t event_id,
                          struct text channel, struct text computer, uint64_t filetime)
{
    const struct selection *s = c->selection;
    if (atomic_load_explicit(&c->left, memory_order_relaxed)) {
        for (size_t i = 0; i < s->id_count; i++)
            if (is_among(&s->ids[i], event_id))
                note_found(c, i);
        note_name(c, s->id_count, &s->channels, channel);
        note_name(c, s->id_count + s->channels.count, &s->computers, computer);
    }
    if (!atomic_load_explicit(&c->is_answered, memory_order_relaxed) &&
        selection_takes_id(s, event_id) && selection_takes_time(s, filetime) &&
        selection_takes_name(&s->channels, channel) &&
        selection_takes_name(&s->computers, computer))
        atomic_store(&c->is_answered, true);
}

static void begin_missing(struct buffer *out, size_t before, const char *what)
{
    buffer_printf(out, "%s %s ",
                  out->len == before ? "no record of the evidence has" : " or", what);
}

static void describe_missing_names(const struct selection_check *c, struct buffer *out,
                                   size_t before, size_t first, const char *what,
                                   const struct selection_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (!atomic_load(&c->found[first + i])) {
            begin_missing(out, before, what);
            buffer_add_text(out, names->items[i]);
        }
}

bool selection_check_describe(const struct selection_check *c, struct buffer *out)
{
    const struct selection *s = c->selection;
    size_t before = out->len;
    for (size_t i = 0; i < s->id_count; i++)
        if (!atomic_load(&c->found[i])) {
            begin_missing(out, before, "event id");
            describe_ids(out, &s->ids[i]);
        }
    describe_missing_names(c, out, before, s->id_count, "channel", &s->channels);
    describe_missing_names(c, out, before, s->id_count + s->channels.count, "computer",
                           &s->computers);
    if (out->len == before && !atomic_load(&c->is_answered))
        buffer_add_string(out,
                          "no record of the evidence meets all that was asked for");
    return out->len > before;
}
