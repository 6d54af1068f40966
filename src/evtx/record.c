/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "evtx/evtx.h"
#include "evtx/value.h"

struct text evtx_record_name(const struct evtx_record *record, size_t i)
{
    return record->fields ? record->fields[i].name : record->layout->names[i];
}

static struct value value_of_cell(const struct evtx_cell *cell)
{
    return (struct value){(const uint8_t *)cell->ptr, cell->len, cell->type,
                          cell->flags};
}

struct text evtx_record_value(const struct evtx_record *record, size_t i)
{
    if (record->fields)
        return record->fields[i].value;
    struct evtx_cell *cell = &record->cells[i];
    if (cell->type != EVTX_TEXT) {
        const struct value v = value_of_cell(cell);
        char *to = arena_reserve(record->arena, value_text_max(&v));
        size_t len = value_write_text(to, &v);
        arena_commit(record->arena, len);
        cell->ptr = to;
        cell->len = (uint32_t)len;
        cell->type = EVTX_TEXT;
    }
    return (struct text){cell->ptr, cell->len};
}

bool evtx_record_guid(const struct evtx_record *record, size_t i, struct guid *guid)
{
    if (record->fields || record->cells[i].type != TYPE_GUID ||
        record->cells[i].len != sizeof guid->bytes)
        return false;
    memcpy(guid->bytes, record->cells[i].ptr, sizeof guid->bytes);
    return true;
}

bool evtx_record_number(const struct evtx_record *record, size_t i, uint64_t *number)
{
    if (record->fields)
        return false;
    const struct value v = value_of_cell(&record->cells[i]);
    return v.type != TYPE_BOOL && v.type != TYPE_FILETIME && value_number(&v, number);
}

struct text evtx_record_field(const struct evtx_record *record, struct text name)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (text_equal(evtx_record_name(record, i), name))
            return evtx_record_value(record, i);
    return NO_TEXT;
}
