/* SPDX-License-Identifier: Apache-2.0
 * json.h - writes JSON (RFC 8259) into a buffer: commas, indentation and escapes are kept
 * here, so that a caller only names what there is. Bytes that are not UTF-8 become U+FFFD;
 * what JSON demands is escaped, and so are '<', '>', '&', U+2028 and U+2029, so that the
 * text can stand in a page. */
#ifndef FOREBEAR_JSON_H
#define FOREBEAR_JSON_H

#include "util/text.h"

struct json {
    struct buffer *out;
    unsigned depth;
    bool has_items[32]; /* per depth */
    bool after_name;
    bool compact; /* one line, no blanks */
};

void json_init(struct json *j, struct buffer *out);
void json_open_object(struct json *j);
void json_close_object(struct json *j);
void json_open_array(struct json *j);
void json_close_array(struct json *j);
void json_name(struct json *j, const char *name);
void json_text(struct json *j, struct text value); /* absent: null */
void json_u64(struct json *j, uint64_t value);
void json_bool(struct json *j, bool value);
void json_null(struct json *j);
/* name and value at once */
void json_member_text(struct json *j, const char *name, struct text value);
void json_member_string(struct json *j, const char *name, const char *value);
void json_member_u64(struct json *j, const char *name, uint64_t value);
void json_member_bool(struct json *j, const char *name, bool value);
/* Only the escaped characters, without quotes. */
void json_add_escaped(struct buffer *out, struct text value);
/* The same with all that is not ASCII as \uXXXX: safe wherever text is. */
void json_add_ascii(struct buffer *out, struct text value);

#endif
