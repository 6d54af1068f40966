/* SPDX-License-Identifier: Apache-2.0 */
#include "util/error.h"

#include <inttypes.h>
#include <stdio.h>

#include "util/utf.h"

enum status error_set(struct error *err, enum status status, struct place place,
                      const char *source_line, const char *format, ...)
{
    if (!err)
        return status;
    struct buffer raw = {0}, shown = {0};
    va_list args;
    va_start(args, format);
    buffer_vprintf(&raw, format, args);
    va_end(args);
    utf_add_visible(&shown, buffer_text(&raw));
    err->status = status;
    err->place = place;
    err->source_line = source_line;
    snprintf(err->what, sizeof err->what, "%s", shown.ptr ? shown.ptr : "");
    buffer_release(&raw);
    buffer_release(&shown);
    return status;
}

void error_describe(const struct error *err, struct buffer *out)
{
    if (!text_is_absent(err->place.evidence)) {
        utf_add_visible(out, err->place.evidence);
        buffer_add_string(out, ": ");
    }
    if (!text_is_absent(err->place.log)) {
        utf_add_visible(out, err->place.log);
        buffer_add_string(out, ": ");
    }
    if (err->place.offset != NO_OFFSET)
        buffer_printf(out, "offset %" PRIu64 ": ", err->place.offset);
    if (err->place.record_id != NO_RECORD)
        buffer_printf(out, "record %" PRIu64 ": ", err->place.record_id);
    buffer_add_string(out, err->what);
}
