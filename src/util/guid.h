/* SPDX-License-Identifier: Apache-2.0
 * guid.h - GUIDs as they lie in the evidence (mixed-endian, [MS-DTYP] 2.3.4.2), printed as
 * Windows prints them: {UPPER-CASE} in braces. Readers differ in case and braces; parsing
 * takes all of their forms. */
#ifndef FOREBEAR_GUID_H
#define FOREBEAR_GUID_H

#include <string.h>

#include "util/text.h"

struct guid {
    uint8_t bytes[16];
};

enum { GUID_TEXT_MAX = 39 };

/* {8-4-4-4-12 hex digits} and a NUL, borrowed from `out`. */
struct text guid_format(char out[GUID_TEXT_MAX], const struct guid *guid);
/* With or without braces, any case; the whole text must be that. */
bool guid_parse(struct text t, struct guid *guid);

/* Asked so often that a call would cost more than the answer. */
static inline bool guid_equal(const struct guid *a, const struct guid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static inline bool guid_is_null(const struct guid *guid)
{
    static const struct guid null = {{0}};
    return guid_equal(guid, &null);
}

#endif
