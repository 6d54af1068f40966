/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/evtx.h"
#include "evtx/value.h"
#include "util/ascii.h"

struct text evtx_record_name(const struct evtx_record *record, size_t i)
{
    return record->layout->names[i];
}

/* The text of a value that is not text yet, in the record's arena. */
static struct text make_text(struct arena *arena, const struct value *v)
{
    if (v->type == TYPE_STRING && v->flags & VALUE_IS_ASCII) {
        char *to = arena_alloc(arena, v->len / 2 + 1);
        ascii_narrow(to, v->ptr, v->len / 2);
        return (struct text){to, v->len / 2};
    }
    struct buffer text = {0};
    value_add_text(&text, v);
    struct text kept = text.len ? arena_copy(arena, buffer_text(&text))
                                : TEXT_LITERAL("");
    buffer_release(&text);
    return kept;
}

struct text evtx_record_value(const struct evtx_record *record, size_t i)
{
    struct evtx_cell *value = &record->cells[i];
    if (value->type != EVTX_TEXT) {
        struct value v = {(const uint8_t *)value->ptr, value->len, value->type,
                          value->flags};
        struct text text = make_text(record->arena, &v);
        value->ptr = text.ptr;
        value->len = (uint32_t)text.len;
        value->type = EVTX_TEXT;
    }
    return (struct text){value->ptr, value->len};
}

struct text evtx_record_field(const struct evtx_record *record, struct text name)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (text_equal(record->layout->names[i], name))
            return evtx_record_value(record, i);
    return NO_TEXT;
}
