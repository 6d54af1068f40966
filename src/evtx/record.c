/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/evtx.h"
#include "evtx/value.h"

struct text evtx_record_name(const struct evtx_record *record, size_t i)
{
    return record->fields ? record->fields[i].name : record->layout->names[i];
}

struct text evtx_record_value(const struct evtx_record *record, size_t i)
{
    if (record->fields)
        return record->fields[i].value;
    struct evtx_cell *cell = &record->cells[i];
    if (cell->type != EVTX_TEXT) {
        const struct value v = {(const uint8_t *)cell->ptr, cell->len, cell->type,
                                cell->flags};
        char *to = arena_reserve(record->arena, value_text_max(&v));
        size_t len = value_write_text(to, &v);
        arena_commit(record->arena, len);
        cell->ptr = to;
        cell->len = (uint32_t)len;
        cell->type = EVTX_TEXT;
    }
    return (struct text){cell->ptr, cell->len};
}

struct text evtx_record_field(const struct evtx_record *record, struct text name)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (text_equal(evtx_record_name(record, i), name))
            return evtx_record_value(record, i);
    return NO_TEXT;
}
