/* SPDX-License-Identifier: Apache-2.0
 * utf.h - UTF-16 and arbitrary bytes to text that can be shown. */
#ifndef FOREBEAR_UTF_H
#define FOREBEAR_UTF_H

#include "util/text.h"

/* Add UTF-16LE as UTF-8. A unit that is not UTF-16 (a lone surrogate) becomes U+FFFD.
 * Returns how many units were so replaced. An odd last byte is ignored. */
size_t utf_add_utf16le(struct buffer *out, struct bytes utf16);
enum { UTF8_PER_UNIT = 3 }; /* bytes that a unit can take at most */
/* The same into memory that has room for UTF8_PER_UNIT bytes a unit. Returns the bytes
 * written; adds to *replaced. */
size_t utf_write_utf16le(char *to, struct bytes utf16, size_t *replaced);
/* Add the units that are not UTF-16 as "unit 7 (bytes 00 D8), unit 9 (bytes FF DF)",
 * counted from 1, at most UTF_LONE_UNITS_NAMED of them; the rest are counted. */
void utf_add_lone_units(struct buffer *out, struct bytes utf16);
enum { UTF_LONE_UNITS_NAMED = 16 };
/* Is all of it well-formed UTF-8 (no surrogates, no overlong forms, <= U+10FFFF)? */
bool utf_is_valid(struct text t);
/* The length of the well-formed sequence that t starts with, 1..4; 0 if there is none. */
size_t utf_sequence_length(struct text t);
/* Its code point. Only where utf_sequence_length() is not 0. */
uint32_t utf_code_point(struct text t);
void utf_add_code_point(struct buffer *out, uint32_t code_point);
/* Add t for a terminal or a log line: control characters, bytes that are not UTF-8, and
 * the invisible or reordering characters of utf_is_invisible() become \xNN or \u{NNNN}. */
void utf_add_visible(struct buffer *out, struct text t);
/* Characters that change how their neighbours look or cannot be seen: C0 and C1 controls,
 * zero-width and bidirectional controls, line and paragraph separators, BOM, tags. */
bool utf_is_invisible(uint32_t code_point);

#endif
