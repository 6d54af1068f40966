/* SPDX-License-Identifier: Apache-2.0 */
#include "util/json.h"

#include <assert.h>
#include <inttypes.h>

#include "util/utf.h"

void json_init(struct json *j, struct buffer *out)
{
    *j = (struct json){.out = out};
}

static void new_line(struct json *j)
{
    if (j->compact)
        return;
    buffer_add_char(j->out, '\n');
    for (unsigned i = 0; i < j->depth; i++)
        buffer_add_string(j->out, "  ");
}

static void before_item(struct json *j)
{
    if (j->after_name) {
        j->after_name = false;
        return;
    }
    if (j->depth == 0)
        return;
    if (j->has_items[j->depth])
        buffer_add_char(j->out, ',');
    j->has_items[j->depth] = true;
    new_line(j);
}

static void open_with(struct json *j, char bracket)
{
    before_item(j);
    buffer_add_char(j->out, bracket);
    j->depth++;
    assert(j->depth < sizeof j->has_items);
    j->has_items[j->depth] = false;
}

static void close_with(struct json *j, char bracket)
{
    bool had_items = j->has_items[j->depth];
    j->depth--;
    if (had_items)
        new_line(j);
    buffer_add_char(j->out, bracket);
    if (j->depth == 0)
        buffer_add_char(j->out, '\n');
}

void json_open_object(struct json *j)
{
    open_with(j, '{');
}

void json_close_object(struct json *j)
{
    close_with(j, '}');
}

void json_open_array(struct json *j)
{
    open_with(j, '[');
}

void json_close_array(struct json *j)
{
    close_with(j, ']');
}

void json_name(struct json *j, const char *name)
{
    before_item(j);
    buffer_add_char(j->out, '"');
    json_add_escaped(j->out, text_from(name));
    buffer_add_string(j->out, j->compact ? "\":" : "\": ");
    j->after_name = true;
}

void json_text(struct json *j, struct text value)
{
    if (text_is_absent(value)) {
        json_null(j);
        return;
    }
    before_item(j);
    buffer_add_char(j->out, '"');
    json_add_escaped(j->out, value);
    buffer_add_char(j->out, '"');
}

void json_u64(struct json *j, uint64_t value)
{
    before_item(j);
    buffer_printf(j->out, "%" PRIu64, value);
}

void json_bool(struct json *j, bool value)
{
    before_item(j);
    buffer_add_string(j->out, value ? "true" : "false");
}

void json_null(struct json *j)
{
    before_item(j);
    buffer_add_string(j->out, "null");
}

void json_member_text(struct json *j, const char *name, struct text value)
{
    json_name(j, name);
    json_text(j, value);
}

void json_member_string(struct json *j, const char *name, const char *value)
{
    json_member_text(j, name, text_from(value));
}

void json_member_u64(struct json *j, const char *name, uint64_t value)
{
    json_name(j, name);
    json_u64(j, value);
}

void json_member_bool(struct json *j, const char *name, bool value)
{
    json_name(j, name);
    json_bool(j, value);
}

static bool must_escape(uint32_t c)
{
    return c < 0x20 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' ||
           c == 0x7f || c == 0x2028 || c == 0x2029;
}

static void add_escape(struct buffer *out, uint32_t c)
{
    switch (c) {
    case '"': buffer_add_string(out, "\\\""); break;
    case '\\': buffer_add_string(out, "\\\\"); break;
    case '\n': buffer_add_string(out, "\\n"); break;
    case '\r': buffer_add_string(out, "\\r"); break;
    case '\t': buffer_add_string(out, "\\t"); break;
    default: buffer_printf(out, "\\u%04x", (unsigned)c);
    }
}

void json_add_escaped(struct buffer *out, struct text value)
{
    for (size_t i = 0; i < value.len;) {
        struct text rest = text_slice(value, i, SIZE_MAX);
        size_t n = utf_sequence_length(rest);
        uint32_t c = n ? utf_code_point(rest) : 0xfffd;
        if (must_escape(c))
            add_escape(out, c);
        else
            utf_add_code_point(out, c);
        i += n ? n : 1;
    }
}

void json_add_ascii(struct buffer *out, struct text value)
{
    struct buffer escaped = {0};
    json_add_escaped(&escaped, value); /* and is UTF-8 now */
    struct text rest = buffer_text(&escaped);
    while (rest.len) {
        size_t n = utf_sequence_length(rest);
        uint32_t c = n ? utf_code_point(rest) : 0xfffd;
        if (n == 1)
            buffer_add_char(out, rest.ptr[0]);
        else if (c < 0x10000)
            buffer_printf(out, "\\u%04x", (unsigned)c);
        else
            buffer_printf(out, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (c >> 10)),
                          (unsigned)(0xdc00 + (c & 0x3ff)));
        rest = text_slice(rest, n ? n : 1, SIZE_MAX);
    }
    buffer_release(&escaped);
}
