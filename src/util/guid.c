/* SPDX-License-Identifier: Apache-2.0 */
#include "util/guid.h"

#include <stdio.h>
#include <string.h>

/* Which byte each pair of hex digits is, in the order they are printed. */
static const uint8_t printed_order[16] = {3, 2, 1,  0,  5,  4,  7,  6,
                                          8, 9, 10, 11, 12, 13, 14, 15};

static bool dash_follows(size_t pair)
{
    return pair == 3 || pair == 5 || pair == 7 || pair == 9;
}

struct text guid_format(char out[GUID_TEXT_MAX], const struct guid *guid)
{
    static const char digits[] = "0123456789ABCDEF";
    static const uint8_t place[16] = {1,  3,  5,  7,  10, 12, 15, 17,
                                      20, 22, 25, 27, 29, 31, 33, 35};
    memcpy(out, "{00000000-0000-0000-0000-000000000000}", GUID_TEXT_MAX);
    for (size_t i = 0; i < 16; i++) {
        uint8_t byte = guid->bytes[printed_order[i]];
        out[place[i]] = digits[byte >> 4];
        out[place[i] + 1] = digits[byte & 15];
    }
    return (struct text){out, GUID_TEXT_MAX - 1};
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool guid_parse(struct text t, struct guid *guid)
{
    if (t.len == 38 && t.ptr[0] == '{' && t.ptr[37] == '}')
        t = text_slice(t, 1, 36);
    if (t.len != 36)
        return false;
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        int high = hex_value(t.ptr[at]), low = hex_value(t.ptr[at + 1]);
        if (high < 0 || low < 0)
            return false;
        guid->bytes[printed_order[i]] = (uint8_t)(high << 4 | low);
        at += 2;
        if (dash_follows(i) && t.ptr[at++] != '-')
            return false;
    }
    return true;
}
