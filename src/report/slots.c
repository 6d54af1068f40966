/* SPDX-License-Identifier: Apache-2.0
 * slots.c - the tables that slots.def makes, and what several sections say alike. */
#include <inttypes.h>
#include <stdio.h>

#include "report/slots.h"

#define SLOT_ROW(scope, name, kind, function)                                          \
 {scope, name, SLOT_##kind, put_##function, NULL, 0, NULL},
#define FIELD_ROW(scope, name, kind, function, field)                                  \
 {scope, name, SLOT_##kind, NULL, put_##function, field, NULL},
#define DRAWING_ROW(scope, name, function)                                             \
 {scope, name, SLOT_DRAWING, NULL, NULL, 0, draw_##function},
#define LOOP_ROW(scope, name, function)

static const struct slot slots[] = {
#include "report/slots.def"
};

#undef SLOT_ROW
#undef FIELD_ROW
#undef LOOP_ROW
#undef DRAWING_ROW
#define SLOT_ROW(scope, name, kind, function)
#define FIELD_ROW(scope, name, kind, function, field)
#define DRAWING_ROW(scope, name, function)
#define LOOP_ROW(scope, name, function) {scope, name, next_##function},

static const struct loop loops[] = {
#include "report/slots.def"
};

const struct template_language page_language = {slots, sizeof slots / sizeof *slots,
                                                loops, sizeof loops / sizeof *loops};

bool step(size_t *at, bool is_first, size_t count)
{
    *at = is_first ? 0 : *at + 1;
    return *at < count;
}

void put(struct buffer *out, struct text value)
{
    buffer_add_text(out, value);
}

void put_recorded(struct buffer *out, struct text value)
{
    if (text_is_absent(value))
        buffer_add_string(out, "(not recorded)");
    else if (text_is_empty(value))
        buffer_add_string(out, "(empty)");
    else
        buffer_add_text(out, value);
}

void put_time(const struct page *page, struct buffer *out, uint64_t filetime)
{
    char text[FILETIME_TEXT_MAX];
    put(out, filetime_format(text, filetime, FILETIME_REPORT));
    zone_add_beside(out, &page->report->run.zone, filetime);
}

void put_guid(struct buffer *out, const struct guid *guid)
{
    char text[GUID_TEXT_MAX];
    if (!guid_is_null(guid))
        put(out, guid_format(text, guid));
}

void put_number(struct buffer *out, uint64_t number)
{
    buffer_printf(out, "%" PRIu64, number);
}

void put_number_unless(struct buffer *out, uint64_t number, uint64_t none)
{
    if (number != none)
        put_number(out, number);
}

void put_list(struct buffer *out, const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        buffer_add_string(out, i ? ", " : "");
        put(out, list->items[i]);
    }
}

void put_sentences(struct buffer *out, const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        buffer_add_string(out, i ? " " : "");
        put(out, list->items[i]);
    }
}

void put_place(struct buffer *out, struct place place)
{
    if (!text_is_absent(place.log)) {
        put(out, place.log);
        buffer_add_string(out, " in ");
    }
    put(out, place.evidence);
    if (place.record_id != NO_RECORD)
        buffer_printf(out, ", record %" PRIu64, place.record_id);
    if (place.offset != NO_OFFSET)
        buffer_printf(out, ", offset %" PRIu64, place.offset);
}

const struct lineage *lineage_of(const struct page *page)
{
    return page->report->lineage;
}

struct text string_of(const struct page *page, uint32_t number)
{
    return lineage_text(lineage_of(page), number);
}

void put_anchor_of(struct buffer *out, const char *prefix, const struct text *parts,
                   size_t count)
{
    char hex[DIGEST_HEX_MAX];
    struct digester digester;
    struct digest_values digest;
    digester_init(&digester, DIGEST_BIT(DIGEST_SHA256));
    for (size_t i = 0; i < count; i++) {
        digester_add(&digester, parts[i].ptr, parts[i].len);
        digester_add(&digester, "", 1);
    }
    digester_finish(&digester, &digest);
    buffer_printf(out, "%s%.12s", prefix, digest_hex(hex, &digest, DIGEST_SHA256).ptr);
}

void put_record_anchor(struct buffer *out, const struct evidence_log *log,
                       uint64_t offset)
{
    char hex[DIGEST_HEX_MAX], number[24];
    struct text content = digest_hex(hex, &log->digests, DIGEST_SHA256);
    int len = snprintf(number, sizeof number, "%" PRIu64, offset);
    struct buffer name = {0};
    buffer_add_text(&name, content);
    if (text_is_empty(content)) /* not all of it could be read */
        buffer_printf(&name, "%.*s/%.*s", TEXT(log->evidence), TEXT(log->path));
    struct text parts[] = {
        buffer_text(&name), {number, (size_t)len}
    };
    put_anchor_of(out, "E-", parts, sizeof parts / sizeof *parts);
    buffer_release(&name);
}
